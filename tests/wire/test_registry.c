/* test_registry.c - numbers and names: none twice, GREASE told apart, alerts the same as in base/alerts.h. */
#include "base/alerts.h"
#include "support/test.h"
#include "wire/registry.h"

static const struct names *const tables[] = {
    &names_suite,       &names_group,       &names_scheme,      &names_alert,       &names_extension,  &names_handshake,
    &names_content,     &names_version,     &names_compression, &names_cert_type,   &names_psk_mode,   &names_hpke_kem,
    &names_hpke_kdf,    &names_hpke_aead,   &names_ech_type,    &names_cert_comp,   &names_status_type, &names_key_update,
    &names_curve_type,  &names_point_format, &names_name_type,  &names_client_cert, &names_alert_level, &names_fragment,
    &names_heartbeat,
};

static void no_number_and_no_name_twice(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        const struct names *n = tables[t];
        assert_true(n->n > 0 && n->kind[0]);
        for (size_t i = 0; i < n->n; i++) {
            assert_true(n->rows[i].name[0] && n->rows[i].rfc[0]);
            for (size_t j = 0; j < i; j++)
                if (n->rows[i].id == n->rows[j].id || !strcmp(n->rows[i].name, n->rows[j].name))
                    test_fail("%s %s and %s", n->kind, n->rows[i].name, n->rows[j].name);
        }
    }
}

static void grease_is_told_apart(void **state)
{
    (void)state;
    unsigned words = 0, bytes = 0;
    for (unsigned i = 0; i < 0x10000; i++)
        words += is_grease((uint16_t)i);
    for (unsigned i = 0; i < 0x100; i++)
        bytes += is_grease_u8((uint8_t)i);
    assert_int_equal(words, 16);
    assert_int_equal(bytes, 8); /* RFC 8701 2: 0x0b 0x2a 0x49 0x68 0x87 0xa6 0xc5 0xe4 */
    assert_true(is_grease(0x0a0a) && is_grease(0xfafa) && !is_grease(0x0a1a) && !is_grease(0x1301));
    assert_true(is_grease_u8(0x0b) && is_grease_u8(0xe4) && !is_grease_u8(0) && !is_grease_u8(1));
    for (size_t t = 0; t < 5; t++)
        for (size_t i = 0; i < tables[t]->n; i++)
            assert_false(tables[t] != &names_alert && is_grease((uint16_t)tables[t]->rows[i].id));
    assert_true(is_scsv(0x00ff) && is_scsv(0x5600) && !is_scsv(0x1301));
}

static void alerts_have_one_number(void **state)
{
    (void)state;
    static const struct { enum alert id; const char *name; } alerts[] = {
#define A(name) { ALERT_##name, #name }
        A(close_notify), A(unexpected_message), A(bad_record_mac), A(record_overflow), A(handshake_failure), A(bad_certificate),
        A(unsupported_certificate), A(certificate_revoked), A(certificate_expired), A(certificate_unknown), A(illegal_parameter),
        A(unknown_ca), A(access_denied), A(decode_error), A(decrypt_error), A(protocol_version), A(insufficient_security),
        A(internal_error), A(inappropriate_fallback), A(user_canceled), A(missing_extension), A(unsupported_extension),
        A(unrecognized_name), A(bad_certificate_status_response), A(unknown_psk_identity), A(certificate_required),
        A(general_error), A(no_application_protocol), A(ech_required),
    };
    for (size_t i = 0; i < COUNT_OF(alerts); i++)
        assert_string_equal(name_of(&names_alert, alerts[i].id), alerts[i].name);
}

static void some_that_everybody_knows(void **state)
{
    (void)state;
    assert_string_equal(name_of(&names_suite, 0x1301), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(name_of(&names_group, 0x11ec), "X25519MLKEM768");
    assert_string_equal(name_of(&names_scheme, 0x0804), "rsa_pss_rsae_sha256");
    assert_string_equal(name_of(&names_extension, 0xfe0d), "encrypted_client_hello");
    assert_string_equal(name_of(&names_suite, 0xeeee), "unknown");
    assert_int_equal(GROUP_secp256r1, 23);
    assert_int_equal(HS_message_hash, 254);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_number_and_no_name_twice),
        cmocka_unit_test(grease_is_told_apart),
        cmocka_unit_test(alerts_have_one_number),
        cmocka_unit_test(some_that_everybody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
