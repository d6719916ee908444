/* A session is used under the very rules that its peer was verified by, and no others: what those are made of (troth_reverify). */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "tls/conn.h"
#include "wire/registry.h"

/* One row, one thing that is part of the rules.  R_NOTHING: the world's root alone; R_POLICY: the same as a policy. */
enum rule {
    R_NOTHING, R_PSK, R_OTHER_KEY, R_VERDICT, R_SCHEMES, R_CERT_SCHEMES, R_DELEGATED, R_PIN, R_SECOND_ROOT, R_IDENTITY, R_RAW,
    R_POLICY, R_PROFILE, R_PURPOSE, R_RSA, R_DEPTH, R_OID, R_EXPLICIT, R_NO_MAPPING, R_NO_ANY, R_HOST, R_SUFFIX, R_REVOCATION, R_OCSP, R_SCTS,
    R_PERMITTED, R_EXCLUDED, R_PURPOSES, R_DATE,
    R_COUNT
};

struct ruled {
    struct world *w;
    enum rule     rule;
};

static bool suffix(void *ctx, const char *domain)
{
    (void)ctx;
    return !strcmp(domain, "example");
}

static void policy_rule(troth_policy_builder *b, enum rule rule)
{
    static const uint8_t response[] = { 0x30, 3, 0x0a, 1, 6 }; /* OCSPResponse: unauthorized */
    switch ((int)rule) {
    case R_PROFILE: troth_policy_profile(b, TROTH_PROFILE_RFC5280); break;
    case R_PURPOSE: troth_policy_purpose(b, TROTH_PURPOSE_SERVER); break;
    case R_RSA: troth_policy_min_rsa(b, 3072); break;
    case R_DEPTH: troth_policy_max_depth(b, 3); break;
    case R_OID: troth_policy_add_policy(b, "2.23.140.1.2.1"); break;
    case R_EXPLICIT: troth_policy_require_explicit(b); break;
    case R_NO_MAPPING: troth_policy_inhibit_mapping(b); break;
    case R_NO_ANY: troth_policy_inhibit_any(b); break;
    case R_HOST: troth_policy_host(b, "a.example"); break;
    case R_SUFFIX: troth_policy_public_suffix(b, suffix, NULL); break;
    case R_REVOCATION: troth_policy_revocation(b, TROTH_REVOCATION_HARD); break;
    case R_OCSP: troth_policy_ocsp(b, SPAN_OF(response)); break;
    case R_SCTS: troth_policy_require_scts(b, 1); break;
    default: break;
    }
}

static void add_anchor(troth_policy_builder *b, const struct ruled *r)
{
    static const char *const names[] = { "example" };
    troth_anchor a = { .size = sizeof a, .certificate = r->w->root_pem };
    if (r->rule == R_PERMITTED) {
        a.permitted = names;
        a.n_permitted = 1;
    } else if (r->rule == R_EXCLUDED) {
        a.excluded = names;
        a.n_excluded = 1;
    } else if (r->rule == R_PURPOSES) {
        a.purposes = 1u << TROTH_PURPOSE_SERVER;
    } else if (r->rule == R_DATE) {
        a.distrust_after = MK_NOW + MK_YEAR;
    }
    troth_policy_trust_anchor(b, &a);
}

static void add_policy(troth_builder *b, const struct ruled *r)
{
    troth_error why;
    troth_policy_builder *p = troth_policy_new(troth_provider_share(r->w->mk->crypto));
    add_anchor(p, r);
    policy_rule(p, r->rule);
    troth_policy *policy = troth_policy_build(p, &why);
    if (!policy)
        test_fail("rule %d: %s: %s", (int)r->rule, why.code, why.detail);
    troth_trust_policy(b, policy);
}

static void client_rule(troth_builder *b, const struct ruled *r)
{
    static const uint16_t schemes[] = { SCHEME_ecdsa_secp256r1_sha256 };
    static const uint8_t pin[32] = { 1 };
    const struct world *w = r->w;
    switch ((int)r->rule) {
    case R_PSK: troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256); break;
    case R_OTHER_KEY: troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdeF"), TROTH_SHA256); break;
    case R_VERDICT: troth_ask_verdict(b); break;
    case R_SCHEMES: troth_verify_schemes(b, schemes, 1); break;
    case R_CERT_SCHEMES: troth_cert_schemes(b, schemes, 1); break;
    case R_DELEGATED: troth_accept_delegated(b); break;
    case R_PIN: troth_trust_pin(b, pin); break;
    case R_IDENTITY: troth_identity_pem(b, w->client_chain_pem, w->client_key_pem); break;
    case R_RAW: troth_identity_raw_key(b, w->client_key_pem); break;
    case R_SECOND_ROOT: troth_trust_pem(b, w->chain_pem); break;
    default: break;
    }
}

static troth_client *client_of(struct world *w, enum rule rule)
{
    struct ruled r = { w, rule };
    troth_error why;
    troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    if (rule >= R_POLICY)
        add_policy(b, &r);
    else
        troth_trust_pem(b, w->root_pem);
    client_rule(b, &r);
    troth_client *us = troth_build_client(b, &why);
    if (!us)
        test_fail("rule %d: %s: %s", (int)rule, why.code, why.detail);
    return us;
}

static const uint8_t *trust_of(const troth_client *us)
{
    return us->config.trust_id;
}

static void test_every_rule_counts(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    troth_client *all[R_COUNT];
    for (int i = 0; i < R_COUNT; i++)
        all[i] = client_of(w, (enum rule)i);
    for (int i = 0; i < R_COUNT; i++)
        for (int j = 0; j < i; j++)
            if (!memcmp(trust_of(all[i]), trust_of(all[j]), 32) != (i == R_POLICY && j == R_NOTHING))
                test_fail("rules %d and %d: %s", i, j, i == R_POLICY && j == R_NOTHING ? "not the same" : "the same");
    for (int i = 0; i < R_COUNT; i++) {
        troth_client *again = client_of(w, (enum rule)i);
        assert_memory_equal(trust_of(all[i]), trust_of(again), 32); /* by another program, tomorrow */
        troth_client_free(again);
        troth_client_free(all[i]);
    }
    world_free(w);
}

/* ---- whole: a session with a server that showed no certificate, as a PSK spoke for it, and a client that does not know of the PSK */
static void tweak_server(troth_builder *b, void *ctx)
{
    static const troth_ticket_key keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };
    (void)ctx;
    troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    troth_ticket_keys(b, keys, 1);
}

/* Ours give no tickets then; others do. */
static void give_tickets(void *self, const struct saw_message *m)
{
    struct pair *p = self;
    if (!m->ours && !strcmp(m->type, "Finished"))
        p->server.c->facts.psk_external = false;
}

static void test_psk_and_certificates(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    for (int same = 0; same < 2; same++) {
        struct kept_ticket kept = { .n = 0 };
        struct pair p;
        struct witness witness = { .self = &p, .message = give_tickets };
        pair_new(&p, client_of(w, R_PSK), world_server(w, tweak_server, NULL), NULL);
        p.on_event = pair_keep_ticket;
        p.ctx = &kept;
        conn_watch(p.server.c, &witness);
        pair_run(&p);
        assert_ready(&p);
        assert_true(troth_what(p.client.c).psk_external && kept.n > 0);
        pair_free(&p);

        pair_new(&p, client_of(w, same ? R_PSK : R_NOTHING), world_server(w, tweak_server, NULL), NULL);
        troth_resume(p.client.c, span_of(kept.p, kept.n));
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(troth_what(p.client.c).resumed, same);
        assert_int_equal(troth_peer(p.client.c) != NULL, !same);
        pair_free(&p);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_rule_counts), cmocka_unit_test(test_psk_and_certificates) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
