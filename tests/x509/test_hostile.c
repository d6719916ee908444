/* What is made to exhaust a verifier: thousands of names, of certificates of one name, of anchors, of revocation lists; keys that take long.
 * Every one ends with a reason, within its budget.  The times printed are for people; in a release build each is far below a second. */
#include <time.h>

#include "x509/trial_group.h"

static clock_t from;

static void begin(void)
{
    trial_fresh(t);
    from = clock();
}

static void ask(const char *what, const char *code, int line)
{
    from = clock();
    trial_expect(t, code, __FILE__, line);
    fprintf(stderr, "%-44s %6.1f ms, %u signatures, %u steps, %u names\n", what, (double)(clock() - from) * 1000 / CLOCKS_PER_SEC,
            t->work.signatures, t->work.steps, t->work.names);
    assert_true(t->work.signatures <= LIMIT_BUDGET_SIGNATURES && t->work.steps <= LIMIT_BUDGET_STEPS + 1 && t->work.names <= LIMIT_BUDGET_NAMES);
}
#define ASK(what, code) ask(what, code, __LINE__)

/* ---- names */

enum { NAMES = 3000 };
static char name_text_of[NAMES][24];
static const char *names[NAMES + 1];

static const char *const *names_make(const char *fmt, int n)
{
    for (int i = 0; i < n; i++) {
        snprintf(name_text_of[i], sizeof name_text_of[i], fmt, i);
        names[i] = name_text_of[i];
    }
    names[n] = NULL;
    return names;
}

static void many_names(void **state)
{
    (void)state;
    begin();
    t->leaf.san = names_make("DNS:n%d.example", NAMES);
    t->host = "n2999.example";
    ASK("3000 names, the last one", "ok");
    t->host = "nobody.example";
    ASK("3000 names, none", "cert.name-mismatch");
    t->mid.excluded = TEXTS("DNS:test", "email:a@b.example", "IP:192.0.2.0/24");
    t->host = "n1.example";
    ASK("3000 names under three constraints", "ok");
    t->mid.permitted = names;
    ASK("3000 names under 3000 constraints", "chain.budget");
    begin();
    t->leaf.san = names_make("DNS:*.n%d.example", NAMES);
    t->mid.excluded = names_make("DNS:*.n%d.example", NAMES);
    ASK("3000 constraints that are none", "cert.malformed-constraint");
    begin();
    t->leaf.san = names_make("dir:CN=%d", 1200);
    t->mid.excluded = names;
    t->host = NULL;
    t->purpose = TROTH_PURPOSE_ANY;
    ASK("1200 directory names, each excluded", "cert.name-constraint");
}

/* ---- certificates: one DER, made into many by its serial number */

static span twin(span der, unsigned i)
{
    uint8_t *copy = arena_alloc(&t->m->arena, der.n);
    assert_non_null(copy);
    memcpy(copy, der.p, der.n);
    static const uint8_t mark[] = { 0x55, 0x66, 0x77, 0x00, 0x00, 0x11 };
    uint8_t *at = memmem(copy, der.n, mark, sizeof mark);
    assert_non_null(at);
    at[3] = (uint8_t)(i >> 8);
    at[4] = (uint8_t)i;
    return span_of(copy, der.n);
}

/* A question with more certificates than a trial holds. */
static void crowd(const char *what, span leaf, const span *others, size_t n, const span *anchors, size_t n_anchors, const char *code)
{
    troth_error e = { 0 };
    troth_policy_builder *b = troth_policy_new(troth_provider_share(t->m->crypto));
    for (size_t i = 0; i < n_anchors; i++)
        troth_policy_trust_pem(b, anchors[i]);
    troth_policy_time(b, MK_NOW);
    troth_policy_purpose(b, TROTH_PURPOSE_ANY);
    troth_policy *p = troth_policy_build(b, &e);
    assert_non_null(p);
    span *all = calloc(n + 1, sizeof *all);
    assert_non_null(all);
    all[0] = leaf;
    memcpy(all + 1, others, n * sizeof *all);
    from = clock();
    troth_report *r = troth_verify(p, all, n + 1);
    troth_work w = troth_report_work(r);
    fprintf(stderr, "%-44s %6.1f ms, %u signatures, %u steps, %u names: %s\n", what, (double)(clock() - from) * 1000 / CLOCKS_PER_SEC,
            w.signatures, w.steps, w.names, troth_report_error(r)->code ? troth_report_error(r)->code : "ok");
    assert_string_equal(troth_report_ok(r) ? "ok" : troth_report_error(r)->code, code);
    assert_true(w.signatures <= LIMIT_BUDGET_SIGNATURES && w.steps <= LIMIT_BUDGET_STEPS + 1 && w.names <= LIMIT_BUDGET_NAMES);
    troth_report_free(r);
    troth_policy_free(p);
    free(all);
}

static void many_certificates(void **state)
{
    (void)state;
    enum { MANY = LIMIT_CERTIFICATES };
    static span list[MANY];
    begin();
    struct issue a = mk_ca("CN=A", t->mid_key), cross = mk_sub_ca(&t->root, "CN=A", t->mid_key), loop = mk_sub_ca(&a, "CN=A", t->mid_key);
    cross.serial = loop.serial = a.serial = SPAN_TEXT("\x55\x66\x77\x00\x00\x11");
    span root = mk_cert(t->m, &t->root), loop_der = mk_cert(t->m, &loop), cross_der = mk_cert(t->m, &cross);
    t->leaf.by = &a;
    span leaf = mk_cert(t->m, &t->leaf);
    for (unsigned i = 0; i < MANY; i++)
        list[i] = twin(loop_der, i);
    crowd("16383 of one name, nobody trusted", leaf, list, MANY - 1, &root, 1, "chain.untrusted-root");
    crowd("one too many", leaf, list, MANY, &root, 1, "chain.budget");
    list[MANY - 2] = cross_der;
    crowd("16383 of one name, one leads to the root", leaf, list, MANY - 1, &root, 1, "ok");
    for (unsigned i = 0; i < MANY; i++)
        list[i] = twin(cross_der, i + 1); /* each leads to the root by name, none by its signature */
    crowd("16383 that lead to the root, none signed", leaf, list, MANY - 1, &root, 1, "cert.bad-signature");
    for (unsigned i = 0; i < 2000; i++)
        list[i] = twin(loop_der, i);
    crowd("2000 anchors of one name", leaf, &leaf, 1, list, 2000, "ok");
    struct issue stranger = mk_ca("CN=A", t->root_key);
    stranger.serial = a.serial;
    span strange = mk_cert(t->m, &stranger);
    for (unsigned i = 0; i < 2000; i++)
        list[i] = twin(strange, i);
    crowd("2000 anchors of one name, another key", leaf, &leaf, 1, list, 2000, "chain.untrusted-root");
}

/* ---- revocation lists */

static void many_lists(void **state)
{
    (void)state;
    enum { ENTRIES = 20000, POINTS = 64 };
    static struct issue_revoked rows[ENTRIES];
    static uint8_t serials[ENTRIES][3];
    static struct issue_dp points[POINTS];
    static const char *where[POINTS][2];
    static char urls[POINTS][32];
    begin();
    for (unsigned i = 0; i < ENTRIES; i++) {
        serials[i][0] = 1;
        serials[i][1] = (uint8_t)(i >> 8);
        serials[i][2] = (uint8_t)i;
        rows[i] = (struct issue_revoked){ .serial = SPAN_OF(serials[i]), .when = MK_NOW - 60, .reason = -1 };
    }
    struct issue_crl s = mk_crl_spec(&t->mid), top = mk_crl_spec(&t->root);
    s.revoked = rows;
    s.n_revoked = ENTRIES;
    t->crls[t->n_crls++] = mk_crl(t->m, &top);
    t->crls[t->n_crls++] = mk_crl(t->m, &s);
    ASK("a list of 20000", "ok");
    t->leaf.serial = SPAN_OF(serials[ENTRIES - 1]);
    ASK("the last of 20000", "cert.revoked");
    begin();
    for (unsigned i = 0; i < POINTS; i++) {
        snprintf(urls[i], sizeof urls[i], "URI:http://h%u.example/", i);
        where[i][0] = urls[i];
        points[i] = (struct issue_dp){ .names = where[i] };
    }
    t->leaf.cdp = points;
    t->leaf.n_cdp = POINTS;
    s = mk_crl_spec(&t->mid);
    s.idp = true;
    s.dp = points[POINTS - 1];
    for (int i = 0; i < 14; i++) {
        s.number = MK_SERIAL(1);
        s.dp.reasons = BIT(1 + (uint32_t)i % 8);
        t->crls[t->n_crls++] = mk_crl(t->m, &s);
    }
    t->crls[t->n_crls++] = mk_crl(t->m, &top);
    ASK("64 points, 14 lists for parts of the reasons", "ok");
}

/* ---- a chain as long as a path may be, of certificates that do not count */

static void self_issued(void **state)
{
    (void)state;
    enum { LONG = 40 };
    static struct issue level[LONG];
    for (int n = 28; n <= LONG; n += LONG - 28) {
        begin();
        for (int i = 0; i < n; i++) {
            level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, "CN=Same", i % 2 ? t->mid_key : t->root_key);
            static const char *san[LONG][2];
            static char text[LONG][32];
            snprintf(text[i], sizeof text[i], "DNS:l%d.example", i);
            san[i][0] = text[i];
            level[i].san = san[i]; /* so that it is no loop */
            t->given[t->n_given++] = mk_cert(t->m, &level[i]);
        }
        t->hide_mid = true;
        t->leaf.by = &level[n - 1];
        troth_error none = { 0 };
        from = clock();
        troth_report *r = trial_judge(t, &none);
        troth_work w = troth_report_work(r);
        fprintf(stderr, "%d self-issued: %s, %.1f ms, %u signatures, %u steps\n", n, troth_report_ok(r) ? "ok" : troth_report_error(r)->code,
                (double)(clock() - from) * 1000 / CLOCKS_PER_SEC, w.signatures, w.steps);
        assert_true(w.signatures <= LIMIT_BUDGET_SIGNATURES && w.steps <= LIMIT_BUDGET_STEPS + 1);
        assert_true(troth_report_ok(r) || troth_report_error(r)->reason == TROTH_R_CHAIN_BUDGET ||
                    troth_report_error(r)->reason == TROTH_R_CHAIN_TOO_DEEP);
        troth_report_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(many_names), cmocka_unit_test(many_certificates), cmocka_unit_test(many_lists),
                                        cmocka_unit_test(self_issued) };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
