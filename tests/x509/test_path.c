/* Building paths: backtracking over every candidate, cross-signs, loops, rollover, partial chains, budgets;
 * and what is told when there is no path. */

#include "x509/trial_group.h"

static void give(const struct issue *i)
{
    t->given[t->n_given++] = mk_cert(t->m, i);
}

static void trust(const struct issue *i)
{
    t->anchors[t->n_anchors++] = mk_cert(t->m, i);
}

static void missing(void **state)
{
    (void)state;
    struct issue other, middle;
    CASE("cert.missing-intermediate", t->hide_mid = true);
    SEEN("Test Intermediate");
    CASE("cert.missing-intermediate", t->hide_mid = true,
         t->leaf.aia = TEXTS("caIssuers=http://ca.example/mid.der"));
    SEEN("http://ca.example/mid.der");
    CASE("chain.untrusted-root", t->no_root = true, other = mk_ca("CN=Other,O=Elsewhere", t->leaf_key),
         trust(&other));
    SEEN("Test Root");
    CASE("chain.untrusted-root", t->no_root = true, other = mk_ca("CN=Other,O=Elsewhere", t->leaf_key),
         trust(&other), give(&t->root));
    SEEN("signed by itself");
    CASE("cert.missing-intermediate", middle = mk_sub_ca(&t->root, "CN=Middle,O=Troth Test", t->root_key),
         t->mid.by = &middle);
    SEEN("Middle");
    CASE("cert.self-signed", t->leaf.by = NULL, t->leaf.subject = "CN=shop.example");
    CASE("trust.store-empty", t->no_root = true);
    CASE("chain.empty", t->no_chain = true);
    /* a root that is trusted by this name, with another key */
    CASE("chain.untrusted-root", t->no_root = true, other = mk_ca(t->root.subject, t->leaf_key),
         trust(&other));
    SEEN("another key");
    /* an intermediate of the right name, with another key */
    CASE("chain.wrong-intermediate", t->hide_mid = true,
         other = mk_sub_ca(&t->root, t->mid.subject, t->root_key), give(&other));
}

static void anchors_anywhere(void **state)
{
    (void)state;
    CASE("ok", t->no_root = true, trust(&t->mid)); /* partial chain */
    CASE("ok", t->no_root = true, trust(&t->mid), t->hide_mid = true);
    /* the leaf itself */
#define ITSELF trust(&t->leaf), t->no_root = t->no_chain = true, t->given[t->n_given++] = t->anchors[0]
    CASE("ok", ITSELF);
    CASE("cert.expired", t->leaf.not_after = MK_NOW - 1, ITSELF);
    CASE("cert.expired", t->no_root = true, t->mid.not_after = MK_NOW - 1, trust(&t->mid));
    CASE("cert.name-mismatch", t->host = "shop.test", ITSELF);
    CASE("ok", t->leaf.by = NULL, t->leaf.subject = "CN=shop.example", ITSELF);
    CASE("cert.not-a-ca", t->no_root = true, t->mid.ca = false, t->mid.not_ca = true, t->mid.key_usage = 0,
         trust(&t->mid));
}

/* Every way but one is a dead end, and that one is tried last. */
static void backtracking(void **state)
{
    (void)state;
    struct issue x, y, old;
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256);
    /* same name and key, expired, newer than the good one */
    CASE("ok", x = t->mid, x.not_before = MK_NOW - 10, x.not_after = MK_NOW - 1, give(&x));
    /* same name, another key */
    CASE("ok", x = mk_sub_ca(&t->root, t->mid.subject, key), x.ski = SPAN_TEXT("x"), t->mid.omit = IX_SKI,
         t->leaf.omit = IX_AKI, t->purpose = TROTH_PURPOSE_ANY, give(&x));
    /* same key, from an authority that is not trusted, and from one that is constrained, may not sign, or is
     * too long a path */
    CASE("ok", old = mk_ca("CN=Old", key), x = mk_sub_ca(&old, t->mid.subject, t->mid_key), give(&x),
         give(&old));
    CASE("ok", old = mk_ca("CN=Old", key), old.excluded = TEXTS("DNS:example"),
         x = mk_sub_ca(&old, t->mid.subject, t->mid_key), give(&x), trust(&old));
    CASE("ok", x = t->mid, x.ca = false, x.key_usage = 0, x.not_ca = true, give(&x));
    CASE("ok", x = t->mid, x.eku = TEXTS("clientAuth"), give(&x));
    CASE("ok", x = t->mid, x.has_path_len = true, x.by = &t->root, y = mk_sub_ca(&t->root, "CN=Y", key),
         give(&x), give(&y));
    CASE("ok", x = t->mid, x.sig = TROTH_SIG_ECDSA_SHA1, give(&x));
    CASE("ok", x = t->mid, x.bad_signature = true, give(&x));
    CASE("ok", x = t->mid, x.extra = &(struct issue_ext){ "1.2.3.4", true, SPAN_TEXT("\x05\x00") },
         x.n_extra = 1, give(&x));
    /* all of them at once, and in whatever order */
    CASE("ok", x = t->mid, x.not_after = MK_NOW - 1, give(&x), x = t->mid, x.eku = TEXTS("clientAuth"),
         give(&x), x = t->mid, x.bad_signature = true, give(&x), x = t->mid, x.ca = false, give(&x),
         give(&t->mid), t->hide_mid = true);
    /* the chain of pain: the cross-sign is expired, the root is in the store */
    CASE("ok", old = mk_ca("CN=Old", key), x = t->root, x.by = &old, x.not_after = MK_NOW - 1, give(&x),
         trust(&old));
    CASE("ok", old = mk_ca("CN=Old", key), x = t->root, x.by = &old, give(&x), trust(&old),
         t->no_root = true);
    /* and when all of them fail, the most telling one */
    CASE("cert.expired", t->hide_mid = true, x = t->mid, x.bad_signature = true, give(&x), x = t->mid,
         x.not_after = MK_NOW - 1, give(&x));
}

static void rollover(void **state)
{
    (void)state;
    struct issue old_new, new_old;
    /* the leaf is issued with the new key; the store has the old root; new is certified by old under the same
     * name */
    CASE("ok", t->no_mid = true, t->leaf.by = NULL,
         new_old = mk_sub_ca(&t->root, t->root.subject, t->mid_key), give(&new_old), t->no_mid = false,
         t->hide_mid = true, t->leaf.by = &new_old);
    CASE("ok", t->hide_mid = true, old_new = mk_ca(t->root.subject, t->mid_key), t->no_root = true,
         trust(&old_new), t->leaf.by = &old_new);
}

static void loops(void **state)
{
    (void)state;
    struct issue a, b, a_by_b, b_by_a;
    const troth_key *ka = mk_key(t->m, TROTH_KEY_P256), *kb = mk_key(t->m, TROTH_KEY_P256);
    a = mk_ca("CN=A", ka);
    b = mk_ca("CN=B", kb);
    a_by_b = mk_sub_ca(&b, "CN=A", ka);
    b_by_a = mk_sub_ca(&a, "CN=B", kb);
    CASE("chain.untrusted-root", t->hide_mid = true, t->leaf.by = &a, give(&a_by_b), give(&b_by_a));
    CASE("ok", t->hide_mid = true, t->leaf.by = &a, give(&a_by_b), give(&b_by_a), trust(&b));
    CASE("ok", t->hide_mid = true, t->leaf.by = &a, give(&a_by_b), give(&b_by_a), trust(&a));
}

/* The worst pools: a rejection or an acceptance, within the budget. */
static void budgets(void **state)
{
    (void)state;
    enum { N = 100 };
    static char san[N][32];
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256);
    struct issue a = mk_ca("CN=A", key), x;
    trial_fresh(t);
    t->hide_mid = true;
    t->leaf.by = &a;
    for (int i = 0; i < N; i++) { /* all of one name and key, each the issuer of each; none leads anywhere */
        snprintf(san[i], sizeof san[i], "DNS:n%d.example", i);
        const char *list[] = { san[i], NULL };
        x = mk_sub_ca(&a, "CN=A", key);
        x.san = list;
        give(&x);
    }
    trial_expect(t, "chain.untrusted-root", __FILE__, __LINE__);
    struct issue end = t->root; /* and with an anchor of that name, but of another key */
    end.subject = "CN=A";
    trust(&end);
    trial_expect(t, "chain.budget", __FILE__, __LINE__);
    assert_true(t->work.signatures <= LIMIT_BUDGET_SIGNATURES && t->work.steps <= LIMIT_BUDGET_STEPS + 1);
    x = mk_ca("CN=A", key); /* and of the right one: found at once */
    trust(&x);
    trial_expect(t, "ok", __FILE__, __LINE__);
}

static void depth(void **state)
{
    (void)state;
    struct issue level[14];
    static char subject[14][32];
    for (int n = 12; n <= 13; n++) {
        trial_fresh(t);
        t->hide_mid = true;
        for (int i = 0; i < n; i++) {
            snprintf(subject[i], sizeof subject[i], "CN=Level %d", i);
            level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, subject[i], t->mid_key);
            give(&level[i]);
        }
        t->leaf.by = &level[n - 1];
        trial_expect(t, n == 12 ? "ok" : "chain.too-deep", __FILE__, __LINE__);
    }
}

static void bundles(void **state)
{
    (void)state;
    trial_fresh(t);
    span all[] = { mk_cert(t->m, &t->root), mk_cert(t->m, &t->mid), mk_cert(t->m, &t->leaf) };
    const char *pem = mk_pem(t->m, "CERTIFICATE", all, 3);
    CASE("ok", t->no_chain = true, t->any_order = true, t->given[t->n_given++] = span_of(pem, strlen(pem)));
    CASE("cert.ca-as-leaf", t->no_chain = true, t->given[t->n_given++] = span_of(pem, strlen(pem)));
    CASE("der.truncated", t->given[t->n_given++] = span_slice(all[0], 0, 100));
    SEEN("certificate 3 of 3");
    CASE("config.gibberish", t->anchors[t->n_anchors++] = span_slice(all[0], 0, 100));
}

/* Every path, every check: with their certificates, verdicts, rules and byte ranges. */
static void reports(void **state)
{
    (void)state;
    struct issue x;
    trial_fresh(t);
    t->every_check = true;
    x = t->mid;
    x.not_after = MK_NOW - 1;
    give(&x);
    troth_error none;
    troth_report *r = trial_judge(t, &none);
    assert_true(troth_report_ok(r));
    assert_true(troth_report_paths(r) >= 1);
    size_t path = troth_report_accepted(r);
    troth_path p = troth_report_path(r, path);
    assert_true(p.accepted && p.complete);
    assert_int_equal(p.n_certs, 3);
    assert_string_equal(troth_report_cert(r, path, 0).title, "CN=leaf");
    assert_string_equal(troth_report_cert(r, path, 2).title, "CN=Test Root, O=Troth Test");
    assert_int_equal(troth_report_cert(r, path, 2).given, -1);
    for (size_t i = 0; i < p.n_checks; i++) {
        troth_path_check k = troth_report_check(r, path, i);
        assert_true(k.name[0] && k.rule[0] && k.verdict != TROTH_FAIL && k.cert < 3);
        assert_true(k.at + k.n <= troth_report_cert(r, path, k.cert).der.n);
        if (k.verdict == TROTH_PASS && strcmp(k.name, "is a CA"))
            assert_true(k.evidence[0] || k.cert == 0);
    }
    enum troth_reason why;
    assert_int_equal(troth_report_until(r, &why), MK_NOW + 89 * MK_DAY);
    assert_int_equal(why, TROTH_R_CERT_EXPIRED);
    troth_report_verdict(r, true, "fine by me");
    assert_true(troth_report_ok(r));
    troth_report_verdict(r, false, "not on my list");
    assert_false(troth_report_ok(r));
    assert_string_equal(troth_report_error(r)->code, "app.refused");
    troth_report_free(r);

    trial_fresh(t);
    t->leaf.not_after = MK_NOW - 1;
    r = trial_judge(t, &none);
    troth_report_verdict(r, true, "who cares");
    assert_false(troth_report_ok(r)); /* ours stands */
    assert_string_equal(troth_report_error(r)->code, "cert.expired");
    troth_report_free(r);
    assert_false(troth_report_ok(NULL));
    assert_int_equal(troth_report_error(NULL)->reason, TROTH_R_OUT_OF_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing),      cmocka_unit_test(anchors_anywhere),
        cmocka_unit_test(backtracking), cmocka_unit_test(rollover),
        cmocka_unit_test(loops),        cmocka_unit_test(budgets),
        cmocka_unit_test(depth),        cmocka_unit_test(bundles),
        cmocka_unit_test(reports),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
