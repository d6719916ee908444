/* test_extensions.c - where each extension may stand, against the table of RFC 9846 4.3 typed in a second time; what is unsolicited;
 * duplicates and order; the lists inside. */
#include "support/test.h"
#include "wire/corpus.h"

/* RFC 9846 4.3, the table, as it is printed there. */
static const struct { const char *name, *where; } printed[] = {
    { "server_name", "CH, EE, CR" },
    { "status_request", "CH, CR, CT" },
    { "supported_groups", "CH, EE" },
    { "signature_algorithms", "CH, CR" },
    { "use_srtp", "CH, EE" },
    { "heartbeat", "CH, EE" },
    { "application_layer_protocol_negotiation", "CH, EE" },
    { "client_certificate_type", "CH, EE" },
    { "server_certificate_type", "CH, EE" },
    { "padding", "CH" },
    { "compress_certificate", "CH, CR" },
    { "record_size_limit", "CH, EE" },
    { "delegated_credential", "CH, CR, CT" },
    { "supported_ekt_ciphers", "CH, EE" },
    { "pre_shared_key", "CH, SH" },
    { "early_data", "CH, EE, NST" },
    { "supported_versions", "CH, SH, HRR" },
    { "cookie", "CH, HRR" },
    { "psk_key_exchange_modes", "CH" },
    { "certificate_authorities", "CH, CR" },
    { "oid_filters", "CR" },
    { "post_handshake_auth", "CH" },
    { "signature_algorithms_cert", "CH, CR" },
    { "key_share", "CH, SH, HRR" },
    { "transparency_info", "CH, CR, CT" },
    { "external_id_hash", "CH, EE" },
    { "external_session_id", "CH, EE" },
    { "quic_transport_parameters", "CH, EE" },
    { "ticket_request", "CH, EE" },
    { "encrypted_client_hello", "CH, HRR, EE" },
};
static const struct { const char *name; enum ext_in in; } places[] = {
    { "CH", IN_CH }, { "SH", IN_SH }, { "HRR", IN_HRR }, { "EE", IN_EE }, { "CR", IN_CR }, { "CT", IN_CT }, { "NST", IN_NST },
};

static unsigned places_of(const char *text)
{
    char copy[64];
    unsigned set = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, ", "); word; word = strtok(NULL, ", "))
        for (size_t i = 0; i < COUNT_OF(places); i++)
            set |= strcmp(word, places[i].name) ? 0 : places[i].in;
    return set;
}

static const struct ext *row_named(const char *name)
{
    for (unsigned x = 0; x < X_COUNT; x++)
        if (!strcmp(ext_row(x)->name, name))
            return ext_row(x);
    test_fail("no row %s", name);
    return NULL;
}

static void places_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(printed); i++)
        if (row_named(printed[i].name)->in13 != places_of(printed[i].where))
            test_fail("%s: not %s", printed[i].name, printed[i].where);
    assert_int_equal(row_named("ech_outer_extensions")->in13, IN_INNER); /* RFC 9849 5.1: nowhere but there */
}

static void every_row_is_registered_once(void **state)
{
    (void)state;
    for (unsigned x = 0; x < X_COUNT; x++) {
        const struct ext *row = ext_row(x);
        assert_int_equal(ext_row_of(row->type), x);
        assert_string_equal(name_of(&names_extension, row->type), row->name);
        assert_true(!row->read == !row->write);
    }
    for (size_t i = 0; i < names_extension.n; i++)
        assert_true(ext_row_of((uint16_t)names_extension.rows[i].id) != X_UNKNOWN);
    assert_int_equal(ext_row_of(0x0a0a), X_UNKNOWN);
    assert_int_equal(X_PRE_SHARED_KEY, X_COUNT - 1);
}

/* ---- one block, read in a place */

struct outcome {
    bool              ok;
    enum troth_reason why;
    uint32_t          at;
    uint64_t          value;
    struct exts       exts;
};

static struct outcome read_block(span block, enum ext_in in, uint16_t version, const struct ext_set *asked)
{
    struct outcome o = { .ok = false };
    uint8_t *exact = malloc(block.n ? block.n : 1);
    memcpy(exact, block.p, block.n);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, span_of(exact, block.n), NULL);
    struct rd r = rd_init(&ctx, span_of(exact, block.n));
    exts_gather(&r, &o.exts, in);
    rd_end(&r, "block");
    o.ok = exts_read(&o.exts, &r, in, version, asked);
    o.why = ctx.why;
    o.at = ctx.bad_at;
    o.value = ctx.value;
    free(exact); /* only numbers are looked at behind this */
    return o;
}

/* type, body, type, body ...: `types` in order with bodies of `n` zeros. */
static size_t block_in(uint8_t *p, size_t cap, const uint16_t *types, size_t count, size_t n)
{
    struct wr w = wr_into(p, cap);
    size_t block = wr_open(&w, 2);
    for (size_t i = 0; i < count; i++) {
        wr_u16(&w, types[i]);
        size_t body = wr_open(&w, 2);
        for (size_t j = 0; j < n; j++)
            wr_u8(&w, 0);
        wr_close(&w, body, 2);
    }
    wr_close(&w, block, 2);
    assert_true(wr_ok(&w));
    return w.n;
}

static size_t block_of(uint8_t *p, const uint16_t *types, size_t count, size_t n)
{
    return block_in(p, 4096, types, count, n);
}

static void each_is_refused_where_it_may_not_stand(void **state)
{
    (void)state;
    uint8_t p[4096];
    struct ext_set asked = wire_asked_all();
    size_t tried = 0;
    for (unsigned x = 0; x < X_COUNT; x++) {
        const struct ext *row = ext_row(x);
        size_t n = block_of(p, &row->type, 1, 0);
        for (size_t i = 0; i < COUNT_OF(places); i++) {
            for (int tls12 = 0; tls12 < 2; tls12++) {
                enum ext_in in = places[i].in;
                if (tls12 && in != IN_CH && in != IN_SH)
                    continue; /* TLS 1.2 has extensions in the hellos only */
                bool may = (tls12 ? row->in12 : row->in13) & in;
                struct outcome o = read_block(span_of(p, n), in, tls12 ? VERSION_TLS_1_2 : VERSION_TLS_1_3, &asked);
                bool misplaced = !o.ok && (o.why == TROTH_R_EXT_NOT_HERE || o.why == TROTH_R_EXT_ELSEWHERE) && o.at == 2;
                if (may == misplaced)
                    test_fail("%s in %s: %s", row->name, places[i].name, troth_reason_code(o.why));
                tried++;
            }
        }
    }
    print_message("%zu pairs of row and place\n", tried);
}

static void expect(enum ext_in in, uint16_t version, uint16_t type, bool asked_for, enum troth_reason why)
{
    uint8_t p[64];
    struct ext_set asked = { { 0, 0 } };
    if (asked_for)
        asked = wire_asked_all();
    struct outcome o = read_block(span_of(p, block_of(p, &type, 1, 0)), in, version, &asked);
    if (o.ok ? why != TROTH_R_NONE : o.why != why)
        test_fail("%s: %s, not %s", name_of(&names_extension, type), troth_reason_code(o.ok ? TROTH_R_NONE : o.why),
                  troth_reason_code(why));
    if (!o.ok)
        assert_int_equal(o.value, type);
}

static void answers_must_have_been_asked_for(void **state)
{
    (void)state;
    uint16_t v13 = VERSION_TLS_1_3, v12 = VERSION_TLS_1_2;
    expect(IN_EE, v13, EXT_server_name, true, TROTH_R_NONE);
    expect(IN_EE, v13, EXT_server_name, false, TROTH_R_EXT_NOT_ASKED);
    expect(IN_EE, v13, EXT_early_data, false, TROTH_R_EXT_NOT_ASKED);
    expect(IN_EE, v13, EXT_extended_master_secret, true, TROTH_R_EXT_NOT_HERE); /* of TLS 1.2 */
    expect(IN_EE, v13, EXT_key_share, true, TROTH_R_EXT_ELSEWHERE);             /* answered in ServerHello */
    expect(IN_SH, v13, EXT_application_layer_protocol_negotiation, true, TROTH_R_EXT_NOT_HERE);
    expect(IN_SH, v12, EXT_extended_master_secret, true, TROTH_R_NONE);
    expect(IN_SH, v12, EXT_extended_master_secret, false, TROTH_R_EXT_NOT_ASKED);
    expect(IN_SH, v12, EXT_encrypted_client_hello, true, TROTH_R_EXT_ELSEWHERE); /* TLS 1.2 has none */
    expect(IN_SH, v12, EXT_supported_versions, true, TROTH_R_EXT_NOT_HERE);
    expect(IN_HRR, v13, EXT_key_share, false, TROTH_R_EXT_NOT_ASKED);
    expect(IN_CT, v13, EXT_status_request, false, TROTH_R_EXT_NOT_ASKED);
    expect(IN_CT, v13, EXT_delegated_credential, false, TROTH_R_DELEGATED_UNASKED);
    /* without a row: refused in answers, ignored in what asks */
    expect(IN_SH, v12, 0x7f7f, true, TROTH_R_EXT_UNKNOWN_ANSWER);
    expect(IN_SH, v13, 0x0a0a, true, TROTH_R_EXT_UNKNOWN_ANSWER);
    expect(IN_HRR, v13, 0x7f7f, true, TROTH_R_EXT_UNKNOWN_ANSWER);
    expect(IN_EE, v13, 0x7f7f, true, TROTH_R_EXT_UNKNOWN_ANSWER);
    expect(IN_CT, v13, 0x7f7f, true, TROTH_R_EXT_UNKNOWN_ANSWER);
    expect(IN_CH, 0, 0x0a0a, false, TROTH_R_NONE);
    expect(IN_CR, v13, 0x0a0a, false, TROTH_R_NONE);
    expect(IN_NST, v13, 0x7f7f, false, TROTH_R_NONE);
    /* known, not spoken: ignored where it may stand, refused where not */
    expect(IN_CH, 0, EXT_use_srtp, false, TROTH_R_NONE);
    expect(IN_NST, v13, EXT_use_srtp, false, TROTH_R_EXT_NOT_HERE);
    expect(IN_CH, 0, EXT_ech_outer_extensions, false, TROTH_R_EXT_NOT_HERE);
    expect(IN_CH, 0, EXT_oid_filters, false, TROTH_R_EXT_NOT_HERE);
    /* the cookie is the one that comes unasked (RFC 9846 4.2.4): its place is right, its body is not */
    uint8_t p[64];
    const uint16_t cookie = EXT_cookie;
    struct ext_set none = { { 0, 0 } };
    assert_int_equal(read_block(span_of(p, block_of(p, &cookie, 1, 0)), IN_HRR, v13, &none).why, TROTH_R_SHORT);
}

static void none_stands_twice(void **state)
{
    (void)state;
    uint8_t p[512];
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        enum ext_in in = places[i].in;
        const uint16_t twice[] = { 0x0a0a, EXT_use_srtp, 0x0a0a }, known[] = { EXT_use_srtp, EXT_use_srtp };
        bool hello = in & (IN_CH | IN_SH | IN_EE);
        enum troth_reason stranger = hello ? TROTH_R_EXT_TWICE_IN_HELLO : TROTH_R_EXT_TWICE;
        assert_int_equal(read_block(span_of(p, block_of(p, twice, 3, 0)), in, VERSION_TLS_1_3, NULL).why, stranger);
        assert_int_equal(read_block(span_of(p, block_of(p, known, 2, 5)), in, VERSION_TLS_1_3, NULL).why, TROTH_R_EXT_TWICE);
    }
}

/* Of those that nobody knows any number may come; none may come twice. */
static void strangers_are_counted(void **state)
{
    (void)state;
    static uint8_t p[65536];
    static uint16_t types[8000];
    for (unsigned i = 0; i < COUNT_OF(types); i++)
        types[i] = (uint16_t)(0x8000 + i);
    for (unsigned n = 1; n <= COUNT_OF(types); n = n < 100 ? n + 1 : n * 2) {
        assert_true(read_block(span_of(p, block_in(p, sizeof p, types, n, 0)), IN_CH, 0, NULL).ok);
        for (unsigned i = 0; i + 1 < n; i = i < 40 ? i + 1 : i * 2 + 1) { /* the last is one that was there: kept or not */
            uint16_t last = types[n - 1];
            types[n - 1] = types[i];
            assert_int_equal(read_block(span_of(p, block_in(p, sizeof p, types, n, 0)), IN_CH, 0, NULL).why, TROTH_R_EXT_TWICE_IN_HELLO);
            types[n - 1] = last;
        }
    }
    types[7999] = EXT_post_handshake_auth; /* one that we know, behind them */
    assert_true(read_block(span_of(p, block_in(p, sizeof p, types, 8000, 0)), IN_CH, 0, NULL).ok);
}

static void psk_stands_last(void **state)
{
    (void)state;
    static uint8_t p[16384];
    struct client_hello ch;
    build_client_hello(&ch);
    struct ext_seen *last = &ch.exts.seen[ch.exts.n_seen - 1], psk = *last;
    assert_int_equal(last->row, X_PRE_SHARED_KEY);
    *last = ch.exts.seen[3];
    ch.exts.seen[3] = psk;
    struct wr w = wr_into(p, sizeof p);
    exts_write(&w, &ch.exts, IN_CH);
    assert_false(wr_ok(&w)); /* we do not write it either */
    w = wr_into(p, sizeof p);
    const uint16_t types[] = { EXT_pre_shared_key, EXT_post_handshake_auth };
    struct outcome o = read_block(span_of(p, block_of(p, types, 2, 0)), IN_CH, 0, NULL);
    assert_int_equal(o.why, TROTH_R_PSK_NOT_LAST);
    assert_int_equal(o.at, 2);
}

static void shuffled_keeps_grease_and_psk(void **state)
{
    (void)state;
    static uint8_t random[4 * LIMIT_EXTENSIONS];
    bool moved = false;
    for (unsigned round = 0; round < 50; round++) {
        struct client_hello ch, was;
        build_client_hello(&ch);
        was = ch;
        for (size_t i = 0; i < sizeof random; i++)
            random[i] = (uint8_t)(i * 151 + round * 61 + i * round);
        exts_shuffle(&ch.exts, SPAN_OF(random));
        uint32_t sum = 0, was_sum = 0;
        for (unsigned i = 0; i < ch.exts.n_seen; i++) {
            sum += ch.exts.seen[i].type * 31u;
            was_sum += was.exts.seen[i].type * 31u;
            moved |= ch.exts.seen[i].type != was.exts.seen[i].type;
            if (was.exts.seen[i].row == X_UNKNOWN)
                assert_int_equal(ch.exts.seen[i].type, was.exts.seen[i].type);
        }
        assert_int_equal(sum, was_sum);
        assert_int_equal(ch.exts.seen[ch.exts.n_seen - 1].row, X_PRE_SHARED_KEY);
    }
    assert_true(moved);
}

static void lists_are_walked(void **state)
{
    (void)state;
    span list = SPAN_TEXT("\2h2\10http/1.1"), one, values;
    assert_true(alpn_has(list, SPAN_TEXT("http/1.1")) && alpn_has(list, SPAN_TEXT("h2")));
    assert_false(alpn_has(list, SPAN_TEXT("h")) || alpn_has(SPAN_NONE, SPAN_TEXT("h2")));
    assert_true(alpn_next(&list, &one) && one.n == 2 && alpn_next(&list, &one) && one.n == 8 && !alpn_next(&list, &one));
    list = SPAN_TEXT("\0\1a\0\5b"); /* the second reaches past the end */
    assert_true(opaque16_next(&list, &one) && one.n == 1 && !opaque16_next(&list, &one));
    list = SPAN_TEXT("\3\x55\x1d\x25\0\2\x30\0");
    assert_true(oid_filter_next(&list, &one, &values) && one.n == 3 && values.n == 2 && !oid_filter_next(&list, &one, &values));
    struct client_hello ch;
    build_client_hello(&ch);
    assert_int_equal(share_for(&ch.exts, GROUP_x25519)->key_exchange.n, 32);
    assert_null(share_for(&ch.exts, GROUP_secp256r1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_those_of_the_rfc),
        cmocka_unit_test(every_row_is_registered_once),
        cmocka_unit_test(each_is_refused_where_it_may_not_stand),
        cmocka_unit_test(answers_must_have_been_asked_for),
        cmocka_unit_test(none_stands_twice),
        cmocka_unit_test(strangers_are_counted),
        cmocka_unit_test(psk_stands_last),
        cmocka_unit_test(shuffled_keeps_grease_and_psk),
        cmocka_unit_test(lists_are_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
