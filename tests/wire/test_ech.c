/* test_ech.c - the inner ClientHello: encoded, padded, expanded; what the outer hello must have for that; names in configurations. */
#include "support/test.h"
#include "wire/corpus.h"

/* A made ClientHello as inner, and an outer one that has the same extensions and more. */
static void make_pair(struct client_hello *inner, struct client_hello *outer)
{
    build_client_hello(inner);
    build_client_hello(outer);
    inner->exts.ech = (struct ech_client_hello){ .type = ECH_TYPE_inner };
    inner->exts.server_name = SPAN_TEXT("secret.example");
    outer->exts.server_name = SPAN_TEXT("public.example");
}

/* Reads back what was written, so that bodies are there (ech_inner_expand copies bodies of the outer). */
static void reread(struct client_hello *ch, uint8_t *room, size_t cap)
{
    struct wr w = wr_into(room, cap);
    client_hello_write(&w, ch);
    assert_true(wr_ok(&w));
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, wr_done(&w), NULL);
    struct rd r = rd_init(&ctx, wr_done(&w));
    assert_true(client_hello_read_all(ch, &r));
}

static uint8_t outer_bytes[16384], encoded[16384], expanded[16384], wanted[16384];

static enum troth_reason expand(span from, const struct client_hello *outer, size_t *n)
{
    uint8_t *exact = malloc(from.n ? from.n : 1);
    memcpy(exact, from.p, from.n);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, span_of(exact, from.n), NULL);
    struct rd r = rd_init(&ctx, span_of(exact, from.n));
    struct wr w = wr_into(expanded, sizeof expanded);
    bool ok = ech_inner_expand(&w, &r, outer);
    free(exact);
    *n = w.n;
    assert_true(ok == !ctx.bad);
    return ok ? TROTH_R_NONE : ctx.why;
}

static void encoded_and_expanded_is_the_same(void **state)
{
    (void)state;
    struct client_hello inner, outer;
    make_pair(&inner, &outer);
    reread(&outer, outer_bytes, sizeof outer_bytes);
    struct wr want = wr_into(wanted, sizeof wanted);
    client_hello_write(&want, &inner);
    /* nothing shared; a run of three shared */
    for (unsigned shared = 0; shared < 2; shared++) {
        struct ext_set from_outer = { { 0, 0 } };
        for (enum ext_row x = X_SUPPORTED_GROUPS; shared && x <= X_SIGNATURE_ALGORITHMS; x++)
            ext_set_add(&from_outer, x);
        struct wr w = wr_into(encoded, sizeof encoded);
        ech_inner_encode(&w, &inner, &from_outer, 33);
        assert_true(wr_ok(&w));
        assert_true(shared ? w.n < want.n - 1200 : w.n == want.n - 32 + 33);
        size_t n;
        assert_int_equal(expand(wr_done(&w), &outer, &n), TROTH_R_NONE);
        assert_int_equal(n, want.n);
        assert_memory_equal(expanded, wanted, n);
        encoded[w.n - 7] = 1; /* padding that is not zeros */
        assert_int_equal(expand(wr_done(&w), &outer, &n), TROTH_R_ECH_INNER_PADDING);
    }
}

static void two_runs_cannot_be_encoded(void **state)
{
    (void)state;
    struct client_hello inner, outer;
    make_pair(&inner, &outer);
    struct ext_set from_outer = { { 0, 0 } };
    ext_set_add(&from_outer, X_SUPPORTED_GROUPS);
    ext_set_add(&from_outer, X_SIGNATURE_ALGORITHMS);
    struct wr w = wr_into(encoded, sizeof encoded);
    ech_inner_encode(&w, &inner, &from_outer, 0);
    assert_false(wr_ok(&w));
}

/* An inner hello whose ech_outer_extensions refers to `types`. */
static enum troth_reason referring_to(span types, bool with_ech, bool session_id)
{
    struct client_hello inner, outer;
    make_pair(&inner, &outer);
    reread(&outer, outer_bytes, sizeof outer_bytes);
    inner.exts = (struct exts){ .ech_outer_extensions = types, .ech.type = ECH_TYPE_inner };
    if (with_ech)
        exts_add(&inner.exts, X_ENCRYPTED_CLIENT_HELLO);
    exts_add(&inner.exts, X_ECH_OUTER_EXTENSIONS);
    if (!session_id)
        inner.legacy_session_id = SPAN_NONE;
    struct wr w = wr_into(encoded, sizeof encoded);
    client_hello_write(&w, &inner);
    size_t n;
    return expand(wr_done(&w), &outer, &n);
}

static void references_are_checked(void **state)
{
    (void)state;
    assert_int_equal(referring_to(SPAN_TEXT("\0\x2b\0\x33"), true, false), TROTH_R_NONE);
    assert_int_equal(referring_to(SPAN_TEXT("\0\x2b\x5a\x5a\0\x33"), true, false), TROTH_R_ECH_OUTER_REFERENCE); /* order */
    assert_int_equal(referring_to(SPAN_TEXT("\0\x33\0\x2b"), true, false), TROTH_R_ECH_OUTER_REFERENCE);         /* order */
    assert_int_equal(referring_to(SPAN_TEXT("\0\x2b\0\x2b"), true, false), TROTH_R_ECH_OUTER_REFERENCE);         /* twice */
    assert_int_equal(referring_to(SPAN_TEXT("\x70\x70"), true, false), TROTH_R_ECH_OUTER_REFERENCE);             /* missing */
    assert_int_equal(referring_to(SPAN_TEXT("\xfe\x0d"), true, false), TROTH_R_ECH_OUTER_REFERENCE);             /* itself */
    assert_int_equal(referring_to(SPAN_TEXT("\0\x2b"), false, false), TROTH_R_ECH_INNER_INVALID);  /* no inner extension */
    assert_int_equal(referring_to(SPAN_TEXT("\0\x2b"), true, true), TROTH_R_ECH_INNER_INVALID);    /* a session id */
}

static void every_truncation_of_an_inner_is_refused(void **state)
{
    (void)state;
    struct client_hello inner, outer;
    make_pair(&inner, &outer);
    reread(&outer, outer_bytes, sizeof outer_bytes);
    struct ext_set none = { { 0, 0 } };
    struct wr w = wr_into(encoded, sizeof encoded);
    ech_inner_encode(&w, &inner, &none, 0);
    for (size_t n = 0, out; n < w.n; n++)
        if (expand(span_of(encoded, n), &outer, &out) == TROTH_R_NONE)
            test_fail("cut to %zu bytes is accepted", n);
}

static void configurations_are_read(void **state)
{
    (void)state;
    static struct specimen made[SPECIMENS_MAX];
    size_t n = build_all(made, 0), found = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(made[i].kind->name, "ech_config_list") != 0)
            continue;
        found++;
        span all = span_of(made[i].p, made[i].n);
        struct rd_ctx ctx;
        rd_ctx_init(&ctx, all, NULL);
        struct rd r = rd_init(&ctx, all);
        struct ech_config_list l;
        assert_true(ech_config_list_read(&l, &r));
        assert_int_equal(l.n, 2);
        const struct ech_config *c = &l.configs[0];
        assert_true(c->has_mandatory && c->config_id == 7 && c->kem_id == HPKE_KEM_DHKEM_X25519_HKDF_SHA256);
        assert_true(span_equal(c->public_name, SPAN_TEXT("public.example")) && c->public_key.n == 32);
        assert_true(ech_config_has_suite(c, HPKE_KDF_HKDF_SHA256, HPKE_AEAD_ChaCha20Poly1305));
        assert_false(ech_config_has_suite(c, HPKE_KDF_HKDF_SHA384, HPKE_AEAD_AES_128_GCM));
        assert_false(ech_config_has_suite(c, HPKE_KDF_HKDF_SHA256, HPKE_AEAD_AES_256_GCM));
        assert_true(c->raw.p == all.p + 2 && l.configs[1].raw.p == c->raw.p + c->raw.n);
        assert_int_equal(l.configs[1].version, 0xfe0c);
    }
    assert_int_equal(found, 1);
    corpus_free(made, n);
}

static void public_names_are_host_names(void **state)
{
    (void)state;
    static const char *const good[] = { "example.com", "a", "a-b.c", "1a", "x1.0a", "0xg" };
    static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "1.2.3.4", "1", "a.1", "0x1", "a.0x",
                                       "a b", "a_b", "\xc3\xa4", "a.0xAf" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!ech_public_name_ok(span_of(good[i], strlen(good[i]))))
            test_fail("%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (ech_public_name_ok(span_of(bad[i], strlen(bad[i]))))
            test_fail("%s", bad[i]);
    char longer[65];
    memset(longer, 'a', sizeof longer);
    assert_true(ech_public_name_ok(span_of(longer, 63)));
    assert_false(ech_public_name_ok(span_of(longer, 64)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoded_and_expanded_is_the_same),
        cmocka_unit_test(two_runs_cannot_be_encoded),
        cmocka_unit_test(references_are_checked),
        cmocka_unit_test(every_truncation_of_an_inner_is_refused),
        cmocka_unit_test(configurations_are_read),
        cmocka_unit_test(public_names_are_host_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
