/* RFC 8448 3, byte for byte: key exchange, every arrow of the key schedule, Finished, the signature, records. */
#include "crypto/hkdf.h"
#include "record/record.h"
#include "support/memory.h"
#include "support/test.h"
#include "tls/auth.h"
#include "wire/registry.h"

#include "vectors/rfc8448.inc"

#define SAME(secret, expected) assert_memory_equal((secret).b, (expected), sizeof(expected))

static const struct told nobody;

static void digest_of(const troth_hash *h, struct digest *out, const span *messages, size_t n)
{
    struct transcript t = { .hash = NULL };
    for (size_t i = 0; i < n; i++) {
        assert_true(transcript_add(&t, messages[i]));
        if (i == 1)
            transcript_begin(&t, h); /* as in a handshake: the hash is known with ServerHello */
    }
    transcript_peek(&t, out);
}

static const span trace[] = { { client_hello, sizeof client_hello }, { server_hello, sizeof server_hello },
                              { encrypted_extensions, sizeof encrypted_extensions }, { certificate, sizeof certificate },
                              { certificate_verify, sizeof certificate_verify }, { server_finished, sizeof server_finished },
                              { client_finished, sizeof client_finished } };
enum { UPTO_SH = 2, UPTO_CERT = 4, UPTO_CV = 5, UPTO_SF = 6, UPTO_CF = 7 };

static void test_key_exchange(void **state)
{
    (void)state;
    troth_provider *p = troth_libcrypto();
    const troth_kem *x = provider_kem(p, GROUP_x25519);
    uint8_t secret[TROTH_KEM_SECRET_MAX];
    bool broken = false;
    assert_int_equal(x->private_n, 32);
    assert_true(x->finish(x, client_private, span_slice(SPAN_OF(server_hello), 52, 32), secret, &broken));
    assert_memory_equal(secret, shared_secret, 32);
    assert_true(x->finish(x, server_private, span_slice(SPAN_OF(client_hello), 109, 32), secret, &broken));
    assert_memory_equal(secret, shared_secret, 32);
    troth_provider_free(p);
}

static void test_key_schedule(void **state)
{
    (void)state;
    troth_provider *p = troth_libcrypto();
    const troth_hash *h = provider_hash(p, TROTH_SHA256);
    struct ks_early early;
    struct ks_handshake hs;
    struct ks_main main_stage;
    struct digest upto;
    uint8_t verify_data[TROTH_DIGEST_MAX], psk[TROTH_DIGEST_MAX];
    ks_begin(&early, h, SPAN_NONE, &nobody);
    SAME(early.early, early_secret);
    digest_of(h, &upto, trace, UPTO_SH);
    ks_enter_handshake(&hs, &early, SPAN_OF(shared_secret), &upto, &nobody);
    SAME(hs.handshake, handshake_secret);
    SAME(hs.client, client_handshake_traffic);
    SAME(hs.server, server_handshake_traffic);
    for (size_t i = 0; i < sizeof early; i++)
        assert_int_equal(((const uint8_t *)&early)[i], 0); /* there is no way back */
    digest_of(h, &upto, trace, UPTO_CV);
    ks_finished(verify_data, &hs, false, &upto);
    assert_memory_equal(verify_data, server_finished + 4, 32);
    digest_of(h, &upto, trace, UPTO_SF);
    ks_enter_main(&main_stage, &hs, &upto, &nobody);
    SAME(main_stage.main, main_secret);
    SAME(main_stage.client, client_application_traffic);
    SAME(main_stage.server, server_application_traffic);
    SAME(main_stage.exporter, exporter_secret);
    ks_finished(verify_data, &hs, true, &upto);
    assert_memory_equal(verify_data, client_finished + 4, 32);
    digest_of(h, &upto, trace, UPTO_CF);
    ks_resumption(&main_stage, &upto, &nobody);
    SAME(main_stage.resumption, resumption_secret);
    static const uint8_t nonce[2] = { 0, 0 };
    ks_ticket_psk(psk, &main_stage, SPAN_OF(nonce));
    assert_memory_equal(psk, resumption_psk, 32);
    troth_provider_free(p);
}

/* The certificate's key (RSA of 1024 bits: no policy would take it) signed what auth.c says is signed. */
static void test_signature(void **state)
{
    (void)state;
    troth_provider *p = troth_libcrypto();
    struct cert cert;
    troth_error why = { .reason = TROTH_R_NONE };
    assert_true(cert_parse(&cert, span_slice(SPAN_OF(certificate), 11, 0x1b0), NULL, &why));
    uint8_t content[SIGNED_MAX];
    struct digest upto;
    digest_of(provider_hash(p, TROTH_SHA256), &upto, trace, UPTO_CERT);
    span signed_bytes = auth_content(content, true, &upto);
    troth_verify_job job = { .sig = TROTH_SIG_RSA_PSS_SHA256, .key = &cert.key, .parts = &signed_bytes, .n_parts = 1,
                             .signature = span_slice(SPAN_OF(certificate_verify), 8, 128) };
    p->verify(p->self, &job, 1);
    assert_true(job.good);
    signed_bytes = auth_content(content, false, &upto); /* and not what a client would have signed */
    p->verify(p->self, &job, 1);
    assert_false(job.good);
    troth_provider_free(p);
}

/* ---- records */
static void keys(const troth_provider *p, struct protect *to, const uint8_t secret[32])
{
    const troth_hash *h = provider_hash(p, TROTH_SHA256);
    const troth_aead *aead = provider_aead(p, TROTH_AES_128_GCM);
    uint8_t key[16], iv[12];
    assert_true(expand_label(h, key, 16, span_of(secret, 32), "key", SPAN_NONE));
    assert_true(expand_label(h, iv, 12, span_of(secret, 32), "iv", SPAN_NONE));
    protect_init(to, &test_memory, FROM_CLIENT);
    protect_set(to, FORM_13, aead, key, iv, EPOCH_APPLICATION);
}

static void seals_to(struct protect *with, uint8_t type, span content, span expected)
{
    troth_error why = { .reason = TROTH_R_NONE };
    struct outq q;
    outq_init(&q, &test_memory, NULL);
    assert_true(outq_put(&q, &why, with, type, 0x0303, &content, 1));
    assert_int_equal(outq_span(&q).n, expected.n);
    assert_memory_equal(outq_span(&q).p, expected.p, expected.n);
    outq_free(&q);
}

static void test_records(void **state)
{
    (void)state;
    static const uint8_t close_notify[2] = { 1, 0 };
    troth_provider *p = troth_libcrypto();
    struct protect server, client;
    uint8_t flight[sizeof server_flight_record], data[50];
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    size_t n = 0;
    for (size_t i = 2; i < UPTO_SF; n += trace[i].n, i++)
        memcpy(flight + n, trace[i].p, trace[i].n);
    keys(p, &server, server_handshake_traffic);
    assert_memory_equal(server.key, server_handshake_key, 16);
    assert_memory_equal(server.iv, server_handshake_iv, 12);
    seals_to(&server, CONTENT_HANDSHAKE, span_of(flight, n), SPAN_OF(server_flight_record));
    protect_end(&server);
    keys(p, &client, client_handshake_traffic);
    seals_to(&client, CONTENT_HANDSHAKE, SPAN_OF(client_finished), SPAN_OF(client_finished_record));
    protect_end(&client);
    keys(p, &client, client_application_traffic);
    seals_to(&client, CONTENT_APPLICATION_DATA, SPAN_OF(data), SPAN_OF(client_data_record));
    seals_to(&client, CONTENT_ALERT, SPAN_OF(close_notify), SPAN_OF(client_alert_record));
    protect_end(&client);
    keys(p, &server, server_application_traffic);
    server.seq = 1; /* a NewSessionTicket went before */
    seals_to(&server, CONTENT_APPLICATION_DATA, SPAN_OF(data), SPAN_OF(server_data_record));
    seals_to(&server, CONTENT_ALERT, SPAN_OF(close_notify), SPAN_OF(server_alert_record));
    protect_end(&server);
    troth_provider_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_exchange),
        cmocka_unit_test(test_key_schedule),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
