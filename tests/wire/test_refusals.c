/* test_refusals.c - every way in which bytes can be wrong: its reason, its alert, the field that is blamed. */
#include "base/alerts.h"
#include "base/error.h"
#include "base/text.h"
#include "support/test.h"
#include "wire/corpus.h"

struct refusal {
    const char       *kind;
    uint16_t          ext;   /* 0xffff: `hex` is the body of the message; else of this extension in one that is fine otherwise */
    const char       *hex;
    enum troth_reason why;   /* TROTH_R_NONE: accepted */
    enum alert        alert;
    const char       *field;
};

enum { BODY = 0xffff };
#define OK      TROTH_R_NONE, ALERT_none, NULL
#define CH(ext) "client_hello", EXT_##ext
#define R33     "0000000000000000000000000000000000000000000000000000000000000000"
#define HELLO   "0303" R33 "00" "0002" "1301" "0100"
#define SHELLO  "0303" R33 "00" "1301" "00"

static const struct refusal refusals[] = {
    /* ---- hellos */
    { "client_hello", BODY, HELLO, OK }, /* TLS 1.2 without extensions */
    { "client_hello", BODY, HELLO "0000", OK },
    { "client_hello", BODY, HELLO "00", TROTH_R_SHORT, ALERT_decode_error, "extensions" },
    { "client_hello", BODY, HELLO "000000", TROTH_R_TRAILING, ALERT_decode_error, "ClientHello" },
    { "client_hello", BODY, "0303" R33 "21" R33 "00" "0002" "1301" "0100", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "legacy_session_id" },
    { "client_hello", BODY, "0303" R33 "00" "0000" "0100", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "cipher_suites" },
    { "client_hello", BODY, "0303" R33 "00" "0003" "130113" "0100", TROTH_R_SHORT, ALERT_decode_error, "cipher_suites" },
    { "client_hello", BODY, "0303" R33 "00" "0002" "1301" "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "legacy_compression_methods" },
    { "client_hello", BODY, "0303" R33 "00" "0002" "1301" "0101", TROTH_R_NO_NULL_COMPRESSION, ALERT_illegal_parameter, "legacy_compression_methods" },
    { "client_hello", BODY, HELLO "0008" "00170000" "00170000", TROTH_R_EXT_TWICE, ALERT_illegal_parameter, "extension_type" },
    { "client_hello", BODY, HELLO "0008" "fafa0000" "fafa0000", TROTH_R_EXT_TWICE_IN_HELLO, ALERT_decode_error, "extension_type" },
    { "client_hello", BODY, HELLO "0003" "001700", TROTH_R_SHORT, ALERT_decode_error, "extended_master_secret" },
    { "server_hello12", BODY, SHELLO, OK },
    { "server_hello12", BODY, SHELLO "0004" "00170000", OK },
    { "server_hello12", BODY, SHELLO "0004" "0a0a0000", TROTH_R_EXT_UNKNOWN_ANSWER, ALERT_unsupported_extension, "extension_type" },
    { "encrypted_extensions", BODY, "", TROTH_R_SHORT, ALERT_decode_error, "extensions" },
    { "encrypted_extensions", BODY, "0000", OK },
    { "encrypted_extensions", EXT_ec_point_formats, "0100", TROTH_R_EXT_NOT_HERE, ALERT_illegal_parameter, "extension_type" },
    /* ---- supported_versions, server_name */
    { CH(supported_versions), "020304", OK },
    { CH(supported_versions), "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "versions" },
    { CH(supported_versions), "03030403", TROTH_R_SHORT, ALERT_decode_error, "versions" },
    { CH(supported_versions), "02030400", TROTH_R_TRAILING, ALERT_decode_error, "supported_versions" },
    { CH(server_name), "0004" "00" "0001" "61", OK },
    { CH(server_name), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "server_name_list" },
    { CH(server_name), "0003" "00" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "HostName" },
    { CH(server_name), "0005" "00" "0002" "6100", TROTH_R_SNI_NAME, ALERT_illegal_parameter, "HostName" },
    { CH(server_name), "0008" "00" "0001" "61" "00" "0001" "62", TROTH_R_SNI_NAME, ALERT_illegal_parameter, "HostName" },
    { CH(server_name), "0008" "07" "0001" "61" "00" "0001" "62", OK },
    { CH(server_name), "0004" "07" "0001" "61", TROTH_R_SNI_NAME, ALERT_illegal_parameter, "server_name_list" },
    { "encrypted_extensions", EXT_server_name, "", OK },
    { "encrypted_extensions", EXT_server_name, "00", TROTH_R_TRAILING, ALERT_decode_error, "server_name" },
    /* ---- groups, shares, schemes */
    { CH(supported_groups), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "named_group_list" },
    { CH(key_share), "0000", OK }, /* asks for a retry (RFC 9846 4.3.8) */
    { CH(key_share), "000a" "001d" "0001" "01" "0017" "0001" "02", OK },
    { CH(key_share), "000a" "001d" "0001" "01" "001d" "0001" "02", TROTH_R_KEY_SHARE_TWICE, ALERT_illegal_parameter, "group" },
    { CH(key_share), "0004" "001d" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "key_exchange" },
    { CH(signature_algorithms), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "supported_signature_algorithms" },
    { CH(signature_algorithms_cert), "0001" "04", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "supported_signature_algorithms" },
    { CH(ec_point_formats), "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ec_point_format_list" },
    /* ---- ALPN */
    { CH(application_layer_protocol_negotiation), "0003" "02" "6832", OK },
    { CH(application_layer_protocol_negotiation), "0002" "00" "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ProtocolName" },
    { CH(application_layer_protocol_negotiation), "0003" "03" "6832", TROTH_R_SHORT, ALERT_decode_error, "ProtocolName" },
    { "encrypted_extensions", EXT_application_layer_protocol_negotiation, "0004" "0161" "0162", TROTH_R_ALPN_ANSWER_NOT_ONE, ALERT_illegal_parameter, "protocol_name_list" },
    { CH(cookie), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "cookie" },
    /* ---- PSK */
    { CH(psk_key_exchange_modes), "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ke_modes" },
    { CH(pre_shared_key), "0007" "0001" "61" "00000000" "0021" "20" R33, OK },
    { CH(pre_shared_key), "0007" "0001" "61" "00000000" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "binders" },
    { CH(pre_shared_key), "0007" "0001" "61" "00000000" "0042" "20" R33 "20" R33, TROTH_R_PSK_BINDERS, ALERT_illegal_parameter, "binders" },
    { CH(pre_shared_key), "000e" "0001" "61" "00000000" "0001" "62" "00000000" "0021" "20" R33, TROTH_R_PSK_BINDERS, ALERT_illegal_parameter, "binders" },
    { CH(pre_shared_key), "0007" "0000" "0000000000" "0021" "20" R33, TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "identity" },
    { CH(pre_shared_key), "0007" "0001" "61" "00000000" "0021" "1f" R33, TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "PskBinderEntry" },
    { CH(early_data), "00", TROTH_R_TRAILING, ALERT_decode_error, "early_data" },
    { "new_session_ticket", EXT_early_data, "0000", TROTH_R_SHORT, ALERT_decode_error, "max_early_data_size" },
    /* ---- what certificates may be */
    { CH(status_request), "0100000000", OK },
    { CH(status_request), "02ff", OK }, /* a type that is not known */
    { CH(status_request), "0100000000" "00", TROTH_R_TRAILING, ALERT_decode_error, "status_request" },
    { "certificate_request", EXT_status_request, "", OK }, /* RFC 9846 4.5.1.1 */
    { CH(signed_certificate_timestamp), "0000", TROTH_R_TRAILING, ALERT_decode_error, "signed_certificate_timestamp" },
    { "server_hello12", EXT_signed_certificate_timestamp, "0003" "0001" "01", OK },
    { "server_hello12", EXT_signed_certificate_timestamp, "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "sct_list" },
    { "server_hello12", EXT_signed_certificate_timestamp, "0002" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "SerializedSCT" },
    { CH(certificate_authorities), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "authorities" },
    { CH(client_certificate_type), "00", TROTH_R_CERT_TYPES, ALERT_illegal_parameter, "client_certificate_types" },
    { CH(server_certificate_type), "0102", OK },
    { "encrypted_extensions", EXT_server_certificate_type, "0102", TROTH_R_TRAILING, ALERT_decode_error, "server_certificate_type" },
    { CH(compress_certificate), "0400010002", OK },
    { CH(compress_certificate), "06000100020001", TROTH_R_COMPRESSION_TWICE, ALERT_illegal_parameter, "algorithms" },
    { CH(compress_certificate), "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "algorithms" },
    { CH(delegated_credential), "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "supported_signature_algorithm" },
    /* ---- limits, the rest */
    { CH(record_size_limit), "0040", OK },
    { CH(record_size_limit), "003f", TROTH_R_RECORD_LIMIT_SMALL, ALERT_illegal_parameter, "RecordSizeLimit" },
    { CH(max_fragment_length), "05", TROTH_R_FRAGMENT_LENGTH, ALERT_illegal_parameter, "MaxFragmentLength" },
    { CH(tls_flags), "0100", TROTH_R_FLAGS_NOT_MINIMAL, ALERT_illegal_parameter, "flags" },
    { "new_session_ticket", EXT_tls_flags, "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "flags" },
    { CH(extended_master_secret), "00", TROTH_R_TRAILING, ALERT_decode_error, "extended_master_secret" },
    { CH(renegotiation_info), "00", OK },
    { CH(renegotiation_info), "", TROTH_R_SHORT, ALERT_decode_error, "renegotiated_connection" },
    { "server_hello12", EXT_session_ticket, "00", TROTH_R_TRAILING, ALERT_decode_error, "session_ticket" },
    /* ---- ECH */
    { CH(encrypted_client_hello), "01", OK },
    { CH(encrypted_client_hello), "0100", TROTH_R_TRAILING, ALERT_decode_error, "encrypted_client_hello" },
    { CH(encrypted_client_hello), "02", TROTH_R_ECH_TYPE_UNKNOWN, ALERT_illegal_parameter, "type" },
    { CH(encrypted_client_hello), "00" "00010001" "07" "0000" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "payload" },
    { "encrypted_extensions", EXT_encrypted_client_hello, "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ECHConfigList" },
    { "encrypted_extensions", EXT_encrypted_client_hello, "0005" "fe0d" "0001" "07", TROTH_R_SHORT, ALERT_decode_error, "kem_id" },
    { "encrypted_extensions", EXT_encrypted_client_hello, "0005" "fe0c" "0001" "07", OK }, /* another version */
    { "ech_config_list", BODY, "0005" "fe0c" "0001" "07" "00", TROTH_R_TRAILING, ALERT_decode_error, "ECHConfigList" },
    { "ech_config_list", BODY, "0017" "fe0d" "0013" "07" "0020" "0001" "61" "0006" "0001" "0001" "0002" "00" "0161" "0000", TROTH_R_SHORT, ALERT_decode_error, "aead_id" },
    /* ---- certificates */
    { "certificate", BODY, "00" "000000", OK },
    { "certificate", BODY, "00" "000005" "000000" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "cert_data" },
    { "certificate", BODY, "00" "00000a" "000001" "30" "0004" "0a0a0000", TROTH_R_EXT_UNKNOWN_ANSWER, ALERT_unsupported_extension, "extension_type" },
    { "certificate", BODY, "00" "00000e" "000001" "30" "0008" "00050004" "02000001", TROTH_R_STATUS_TYPE_UNKNOWN, ALERT_decode_error, "status_type" },
    { "certificate", BODY, "00" "00000e" "000001" "30" "0008" "00050004" "01000000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "response" },
    { "certificate", BODY, "00" "00000e" "000001" "30" "0008" "000a0000" "000a0000", TROTH_R_EXT_TWICE, ALERT_illegal_parameter, "extension_type" },
    { "certificate12", BODY, "000003" "000000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ASN.1Cert" },
    { "certificate_request", BODY, "00" "0004" "0a0a0000", TROTH_R_SIGALGS_MISSING, ALERT_missing_extension, "signature_algorithms" },
    { "certificate_request12", BODY, "00" "0002" "0403" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "certificate_types" },
    { "compressed_certificate", BODY, "0001" "020001" "000001" "00", TROTH_R_COMPRESSED_TOO_LARGE, ALERT_bad_certificate, "uncompressed_length" },
    { "compressed_certificate", BODY, "0001" "020000" "000001" "00", OK },
    { "certificate_status", BODY, "02" "000001" "00", TROTH_R_STATUS_TYPE_UNKNOWN, ALERT_decode_error, "status_type" },
    /* ---- small ones */
    { "finished", BODY, R33, OK },
    { "finished", BODY, R33 "0000000000000000000000000000000000", TROTH_R_FINISHED_LENGTH, ALERT_decrypt_error, "verify_data" },
    { "finished", BODY, R33 "00", TROTH_R_SHORT, ALERT_decode_error, "verify_data" },
    { "finished12", BODY, R33, TROTH_R_FINISHED_LENGTH, ALERT_decrypt_error, "verify_data" },
    { "finished12", BODY, "0011223344556677889900", TROTH_R_SHORT, ALERT_decode_error, "verify_data" },
    { "key_update", BODY, "01", OK },
    { "key_update", BODY, "02", TROTH_R_KEY_UPDATE_VALUE, ALERT_illegal_parameter, "request_update" },
    { "key_update", BODY, "", TROTH_R_SHORT, ALERT_decode_error, "request_update" },
    { "new_session_ticket", BODY, "00000000" "00000000" "00" "0000" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ticket" },
    { "new_session_ticket", BODY, "00000000" "00000000" "00" "0001" "00", TROTH_R_SHORT, ALERT_decode_error, "extensions" },
    { "new_session_ticket12", BODY, "00000000" "0000", OK },
    { "server_hello_done", BODY, "00", TROTH_R_TRAILING, ALERT_decode_error, "ServerHelloDone" },
    { "server_key_exchange12", BODY, "03" "001d" "01" "04" "0804" "0000", OK },
    { "server_key_exchange12", BODY, "01" "001d" "01" "04" "0804" "0000", TROTH_R_CURVE_NOT_NAMED, ALERT_illegal_parameter, "curve_type" },
    { "server_key_exchange12", BODY, "03" "001d" "00" "0804" "0000", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "point" },
    { "client_key_exchange12", BODY, "00", TROTH_R_LENGTH_BOUNDS, ALERT_decode_error, "ecdh_Yc" },
    { "alert", BODY, "0228", OK },
    { "alert", BODY, "0328", TROTH_R_ALERT_LEVEL_UNKNOWN, ALERT_illegal_parameter, "level" },
    { "alert", BODY, "022800", TROTH_R_TRAILING, ALERT_decode_error, "Alert" },
};

/* The body of a message of this kind that has one extension. */
static void message_around(struct wr *w, const struct refusal *f, span ext_body)
{
    uint8_t bytes[512];
    size_t n = 0;
    const char *before = !strcmp(f->kind, "client_hello")           ? HELLO
                         : !strcmp(f->kind, "server_hello12")       ? SHELLO
                         : !strcmp(f->kind, "new_session_ticket")   ? "00000e10" "00000000" "00" "0001" "61"
                         : !strcmp(f->kind, "certificate_request")  ? "00"
                                                                    : "";
    assert_true(hex_decode(bytes, sizeof bytes, &n, span_of(before, strlen(before))));
    wr_raw(w, bytes, n);
    size_t block = wr_open(w, 2);
    wr_u16(w, f->ext);
    wr_opaque(w, 2, ext_body);
    if (!strcmp(f->kind, "certificate_request"))
        wr_raw(w, "\0\15\0\4\0\2\4\3", 8);
    wr_close(w, block, 2);
}

static void check(const struct refusal *f)
{
    const struct wire_kind *k = wire_kind_named(f->kind);
    uint8_t msg[1024], bytes[512], out[2048];
    size_t n = 0;
    struct wr w = wr_into(msg, sizeof msg), copy = wr_into(out, sizeof out);
    assert_true(hex_decode(bytes, sizeof bytes, &n, span_of(f->hex, strlen(f->hex))));
    size_t mark = k->msg_type < 0 ? 0 : message_begin(&w, (uint8_t)k->msg_type);
    if (f->ext == BODY)
        wr_raw(&w, bytes, n);
    else
        message_around(&w, f, span_of(bytes, n));
    if (k->msg_type >= 0)
        message_end(&w, mark);
    assert_true(wr_ok(&w));
    struct rd_ctx ctx;
    bool ok = wire_copy(k, wr_done(&w), &copy, &ctx, NULL);
    struct rd r = rd_init(&ctx, SPAN_NONE);
    troth_error e = { .reason = TROTH_R_NONE };
    if (!ok)
        error_from_rd(&e, __FILE__, __LINE__, f->kind, &r);
    if (e.reason != f->why || (!ok && (e.alert != f->alert || strcmp(e.field, f->field) != 0)))
        test_fail("%s %s %s: %s, alert %d, field %s", f->kind, f->ext == BODY ? "" : name_of(&names_extension, f->ext), f->hex,
                  troth_reason_code(e.reason), e.alert, e.field ? e.field : "none");
}

static void each_has_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        check(&refusals[i]);
    print_message("%zu messages\n", COUNT_OF(refusals));
}

/* Lists that are longer than is kept: what RFC 9846 allows is taken, the rest of it checked and left out. */
static void long_lists_are_bounded(void **state)
{
    (void)state;
    static uint8_t bytes[65536], again[65536];
    struct client_hello ch;
    build_client_hello(&ch);
    ch.exts = (struct exts){ .n_seen = 0 };
    struct wr w = wr_into(bytes, sizeof bytes);
    size_t list = wr_open(&w, 2);
    for (unsigned i = 0; i < LIMIT_KEY_SHARES + 5; i++) {
        wr_u16(&w, i == LIMIT_KEY_SHARES + 2 ? GROUP_x25519 : (uint16_t)(0x1000 + i));
        wr_opaque(&w, 2, SPAN_TEXT("x"));
    }
    wr_close(&w, list, 2);
    span shares = wr_done(&w);
    exts_add_unknown(&ch.exts, EXT_key_share, shares);
    ch.exts.seen[0].row = X_UNKNOWN; /* so that the body is written as it is */
    struct wr m = wr_into(again, sizeof again);
    client_hello_write(&m, &ch);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, wr_done(&m), NULL);
    struct rd r = rd_init(&ctx, wr_done(&m));
    struct client_hello got;
    assert_true(client_hello_read_all(&got, &r));
    assert_int_equal(got.exts.n_shares, LIMIT_KEY_SHARES);
    assert_int_equal(got.exts.shares[LIMIT_KEY_SHARES - 1].group, 0x1000 + LIMIT_KEY_SHARES - 1);
    assert_non_null(share_for(&got.exts, GROUP_x25519)); /* one that could be chosen is not overlooked, however many stand before it */
}

static void a_chain_has_an_end(void **state)
{
    (void)state;
    uint8_t bytes[1024], out[1024];
    struct wr w = wr_into(bytes, sizeof bytes), copy = wr_into(out, sizeof out);
    size_t mark = message_begin(&w, HS_certificate), list = wr_open(&w, 3);
    for (unsigned i = 0; i <= LIMIT_CHAIN; i++)
        wr_opaque(&w, 3, SPAN_TEXT("0"));
    wr_close(&w, list, 3);
    message_end(&w, mark);
    struct rd_ctx ctx;
    assert_false(wire_copy(wire_kind_named("certificate12"), wr_done(&w), &copy, &ctx, NULL));
    assert_int_equal(ctx.why, TROTH_R_CHAIN_TOO_LONG);
}

/* A list has a length of its own, and that is its only bound. */
static void any_number_of_protocols(void **state)
{
    (void)state;
    static uint8_t bytes[80000], out[80000], names[65534];
    struct client_hello ch;
    build_client_hello(&ch);
    ch.exts = (struct exts){ .n_seen = 0 };
    for (unsigned i = 0; i < sizeof names; i += 2)
        names[i] = 1;
    for (size_t n = 2; n <= sizeof names - 8; n = n < 20000 ? n * 3 : n + 20000) {
        ch.exts.alpn = span_of(names, n);
        ch.exts.n_seen = 0;
        exts_add(&ch.exts, X_ALPN);
        struct wr w = wr_into(bytes, sizeof bytes), copy = wr_into(out, sizeof out);
        size_t mark = message_begin(&w, HS_client_hello);
        client_hello_write(&w, &ch);
        message_end(&w, mark);
        struct rd_ctx ctx;
        assert_true(wr_ok(&w) && wire_copy(wire_kind_named("client_hello"), wr_done(&w), &copy, &ctx, NULL));
        assert_true(span_equal(wr_done(&w), wr_done(&copy)));
    }
}

/* The header: a length that says less or more than there is. */
static void the_header_must_fit(void **state)
{
    (void)state;
    const uint8_t less[] = { HS_key_update, 0, 0, 0, 1 }, more[] = { HS_key_update, 0, 0, 2, 1 };
    uint8_t out[16];
    struct rd_ctx ctx;
    struct wr w = wr_into(out, sizeof out);
    assert_false(wire_copy(wire_kind_named("key_update"), SPAN_OF(less), &w, &ctx, NULL));
    assert_int_equal(ctx.why, TROTH_R_TRAILING);
    assert_false(wire_copy(wire_kind_named("key_update"), SPAN_OF(more), &w, &ctx, NULL));
    assert_int_equal(ctx.why, TROTH_R_SHORT);
    assert_string_equal(ctx.bad, "length");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_reason),  cmocka_unit_test(long_lists_are_bounded), cmocka_unit_test(a_chain_has_an_end),
        cmocka_unit_test(any_number_of_protocols),   cmocka_unit_test(the_header_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
