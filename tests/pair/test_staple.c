/* What a server is told of an OCSP response that it is to staple, before a client refuses it; and what a client makes of SCTs beside it. */
#include <troth/verify.h>

#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "x509/sct.h"

enum form { SOUND, RUBBISH, LATER, OLD, REVOKED, UNKNOWN, OTHER, FORGED };

static span response_of(struct world *w, enum form form, span serial)
{
    struct issue_single one = { .ca = &w->root, .serial = form == OTHER ? SPAN_TEXT("\x77") : serial, .this_update = MK_NOW - 2 * MK_DAY,
                                .next_update = form == OLD ? MK_NOW - MK_DAY : MK_NOW + MK_DAY, .reason = -1,
                                .status = form == REVOKED ? OCSP_REVOKED : form == UNKNOWN ? OCSP_UNKNOWN : OCSP_GOOD, .revoked = MK_NOW - MK_DAY };
    struct issue_ocsp o = { .by = &w->root, .produced = MK_NOW - 2 * MK_DAY, .singles = &one, .n_singles = 1, .failure = form == LATER ? 3 : 0,
                            .bad_signature = form == FORGED };
    return form == RUBBISH ? SPAN_TEXT("no OCSP response") : mk_ocsp(w->mk, &o);
}

static void test_staples(void **state)
{
    static const struct {
        enum form         form;
        enum troth_reason alone, with_issuer; /* the issuer's certificate is not, is in the chain */
    } rows[] = {
        { SOUND, TROTH_R_NONE, TROTH_R_NONE },
        { RUBBISH, TROTH_R_STAPLE_BAD, TROTH_R_STAPLE_BAD },
        { LATER, TROTH_R_STAPLE_BAD, TROTH_R_STAPLE_BAD },
        { OLD, TROTH_R_OCSP_STALE, TROTH_R_OCSP_STALE },
        { REVOKED, TROTH_R_CERT_REVOKED, TROTH_R_CERT_REVOKED },
        { UNKNOWN, TROTH_R_OCSP_UNKNOWN, TROTH_R_OCSP_UNKNOWN },
        { OTHER, TROTH_R_OCSP_OTHER_CERT, TROTH_R_OCSP_OTHER_CERT },
        { FORGED, TROTH_R_NONE, TROTH_R_OCSP_SIGNATURE },
    };
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct issue leaf = w->leaf;
    leaf.serial = SPAN_TEXT("\x55");
    span ders[] = { mk_cert(w->mk, &leaf), mk_cert(w->mk, &w->root) };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (size_t n = 1; n <= 2; n++) {
            const char *pem = mk_pem(w->mk, "CERTIFICATE", ders, n);
            troth_error why;
            troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
            troth_clock(b, test_clock, NULL);
            troth_identity_pem(b, span_of(pem, strlen(pem)), w->key_pem);
            troth_identity_staple(b, response_of(w, rows[i].form, leaf.serial));
            assert_null(troth_mistake(b));
            troth_server *s = troth_build_server(b, &why);
            assert_non_null(s);
            const troth_error *told = troth_server_warning(s, 0);
            enum troth_reason want = n == 1 ? rows[i].alone : rows[i].with_issuer;
            if ((told ? told->reason : TROTH_R_NONE) != want)
                test_fail("row %zu, %zu certificates: %s (%s)", i, n, told ? told->code : "nothing", told ? told->detail : "");
            assert_null(troth_server_warning(s, want == TROTH_R_NONE ? 0 : 1));
            troth_server_free(s);
        }
    world_free(w);
}

/* Who one is can be asked for: what was loaded, in the order in which it was given. */
static void test_own(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    span ders[] = { mk_cert(w->mk, &w->leaf), mk_cert(w->mk, &w->root) }, der;
    const char *pem = mk_pem(w->mk, "CERTIFICATE", ders, 2);
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_identity_raw_key(b, w->key_pem);
    troth_identity_pem(b, span_of(pem, strlen(pem)), w->key_pem);
    troth_server *s = troth_build_server(b, NULL);
    assert_true(troth_server_certificate(s, 0, &der) && !der.n);
    assert_true(troth_server_certificate(s, 1, &der) && span_equal(der, ders[0]));
    assert_false(troth_server_certificate(s, 2, &der));
    assert_false(troth_server_certificate(NULL, 0, &der));
    troth_server_free(s);
    troth_client *c = world_client(w, tweak_client_identity, w);
    assert_true(troth_client_certificate(c, 0, &der) && der.n);
    assert_false(troth_client_certificate(c, 1, &der));
    assert_false(troth_client_certificate(NULL, 0, &der));
    troth_client_free(c);
    world_free(w);
}

/* A client looks at what it asked for: an answer that is none ends the handshake with the alert that is there for this (RFC 6066 8), in
 * both versions; one that is merely late does not. */
static void staple_this(troth_builder *b, void *staple)
{
    troth_identity_staple(b, *(span *)staple);
}

static void speak_this(troth_builder *b, void *version)
{
    uint16_t v = *(const uint16_t *)version;
    troth_versions(b, v, v);
}

static void test_asked(void **state)
{
    static const struct {
        enum form         form;
        enum troth_reason why, told; /* by the client, to the server */
    } rows[] = {
        { SOUND, TROTH_R_NONE, TROTH_R_NONE },
        { LATER, TROTH_R_NONE, TROTH_R_NONE },
        { OLD, TROTH_R_NONE, TROTH_R_NONE },
        { UNKNOWN, TROTH_R_NONE, TROTH_R_NONE },
        { RUBBISH, TROTH_R_STAPLE_BAD, TROTH_R_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE },
        { OTHER, TROTH_R_OCSP_OTHER_CERT, TROTH_R_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE },
        { FORGED, TROTH_R_OCSP_SIGNATURE, TROTH_R_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE },
        { REVOKED, TROTH_R_CERT_REVOKED, TROTH_R_ALERT_CERTIFICATE_REVOKED },
    };
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct issue leaf = w->leaf;
    leaf.serial = SPAN_TEXT("\x55");
    span ders[] = { mk_cert(w->mk, &leaf), mk_cert(w->mk, &w->root) };
    const char *pem = mk_pem(w->mk, "CERTIFICATE", ders, 2);
    w->chain_pem = span_of(pem, strlen(pem));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (uint16_t version = TROTH_TLS12; version <= TROTH_TLS13; version++) {
            span staple = response_of(w, rows[i].form, leaf.serial);
            struct pair p;
            pair_new(&p, world_client(w, speak_this, &version), world_server(w, staple_this, &staple), NULL);
            pair_run(&p);
            if (rows[i].why == TROTH_R_NONE) {
                assert_ready(&p);
                assert_true(span_equal(troth_what(p.client.c).peer_staple, staple));
            } else {
                assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
                assert_failed_at(&p.server, rows[i].told, __FILE__, __LINE__);
            }
            pair_free(&p);
        }
    world_free(w);
}

/* The first mistake is there to be asked for as soon as it was made. */
static void test_mistake(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    assert_null(troth_mistake(NULL));
    assert_null(troth_mistake(b));
    troth_identity_staple(b, SPAN_TEXT("for nobody"));
    assert_int_equal(troth_mistake(b)->reason, TROTH_R_WRONG_TIME);
    troth_identity_pem(b, w->chain_pem, w->key_pem);
    assert_int_equal(troth_mistake(b)->reason, TROTH_R_WRONG_TIME);
    troth_builder_free(b);
    world_free(w);
}

/* ---- SCTs in the handshake (RFC 6962 3.3) */
static void write_list(struct wr *w, const void *sct)
{
    sct_list_write(w, sct, 1);
}

static troth_client *who_wants_one(struct world *w, uint16_t version, span log)
{
    troth_policy_builder *p = troth_policy_new(troth_provider_share(w->mk->crypto));
    troth_policy_trust_pem(p, w->root_pem);
    troth_policy_ct_log(p, log, "a log");
    troth_policy_require_scts(p, 1);
    troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_versions(b, version, version);
    troth_trust_policy(b, troth_policy_build(p, NULL));
    troth_request_scts(b, true);
    troth_reverify(b);
    return troth_build_client(b, NULL);
}

/* One that a log signed is enough for who wants one, in both versions, and still is when the session is judged again. */
static void test_timestamps(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    span der = mk_cert(w->mk, &w->leaf), log, sct, list;
    struct issue_sct one = { .log = w->client_key, .milliseconds = (uint64_t)(MK_NOW - 60) * 1000, .cert = der };
    assert_true(issue_spki(&w->mk->p, &w->client_leaf, &log) && issue_sct(&w->mk->p, &one, &sct));
    assert_true(write_out(&w->mk->p, write_list, &sct, "list", &list));
    for (uint16_t version = TROTH_TLS12; version <= TROTH_TLS13; version++) {
        const char *pem = mk_pem(w->mk, "CERTIFICATE", &der, 1);
        struct kept_ticket kept = { .n = 0 };
        troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
        troth_clock(b, test_clock, NULL);
        troth_identity_pem(b, span_of(pem, strlen(pem)), w->key_pem);
        troth_identity_scts(b, list);
        troth_server *them = troth_build_server(b, NULL);
        troth_client *us = who_wants_one(w, version, log);
        assert_true(us && them);
        for (int again = 0; again < 2; again++) {
            struct pair p;
            (void)config_share(&us->config); /* the pair takes one */
            (void)config_share(&them->config);
            pair_new(&p, us, them, NULL);
            p.on_event = pair_keep_ticket;
            p.ctx = &kept;
            troth_resume(p.client.c, span_of(kept.p, kept.n));
            pair_run(&p);
            assert_ready(&p);
            assert_int_equal(troth_what(p.client.c).resumed, again);
            assert_true(span_equal(troth_what(p.client.c).peer_scts, list));
            pair_free(&p);
        }
        troth_client_free(us);
        troth_server_free(them);
    }
    world_free(w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_staples), cmocka_unit_test(test_asked), cmocka_unit_test(test_own), cmocka_unit_test(test_mistake),
                                               cmocka_unit_test(test_timestamps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
