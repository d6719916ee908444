/* Memory that runs out at the n-th allocation, for every n until a judgement goes through: a reason or NULL,
 * never a crash or a leak, and never an acceptance that was not earned. */
#include "support/memory.h"
#include "x509/trial.h"

static void nothing(troth_provider *p)
{
    (void)p;
}

static void runs_out(void **state)
{
    (void)state;
    struct trial *t = trial_new();
    trial_fresh(t);
    t->mid.permitted = TEXTS("DNS:example");
    t->mid.policies = t->leaf.policies = TEXTS("1.2.3");
    span root = mk_cert(t->m, &t->root), certs[] = { mk_cert(t->m, &t->leaf), mk_cert(t->m, &t->mid) };
    struct issue_crl spec = mk_crl_spec(&t->root), spec2 = mk_crl_spec(&t->mid);
    span crls[] = { mk_crl(t->m, &spec), mk_crl(t->m, &spec2) };
    const char *pem = mk_pem(t->m, "X509 CRL", crls, 2);
    bool done = false;
    size_t n = 0;
    for (; !done && n < 1000; n++) {
        struct scarce s = { .left = n + 1, .for_good = true };
        const troth_allocator memory = scarce_memory(&s);
        troth_provider crypto = *t->m->crypto;
        troth_error e;
        crypto.memory = &memory;
        crypto.share = crypto.free = nothing;
        troth_policy_builder *b = troth_policy_new(&crypto);
        troth_policy_trust_pem(b, root);
        troth_policy_crls(b, span_of(pem, strlen(pem)));
        troth_policy_time(b, MK_NOW);
        troth_policy_host(b, "shop.example");
        troth_policy_add_policy(b, "1.2.3");
        troth_policy_require_explicit(b);
        troth_policy *p = troth_policy_build(b, &e);
        if (!p)
            assert_int_equal(e.reason, TROTH_R_OUT_OF_MEMORY);
        troth_report *r = troth_verify(p, certs, 2);
        done = troth_report_ok(r);
        assert_int_equal(troth_report_error(r)->reason, done ? TROTH_R_NONE : TROTH_R_OUT_OF_MEMORY);
        troth_report_verdict(r, true, "fine");
        troth_report_free(r);
        troth_policy_free(p);
        assert_int_equal(s.alive, 0);
    }
    assert_true(done && n > 3);
    trial_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(runs_out) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
