/* Certificate policies (RFC 5280 6.1, RFC 9618): sets, mappings, inhibitions, requirements, and graphs that
 * would explode as trees. */
#include "x509/trial_group.h"

#define P1  "1.3.6.1.4.1.99999.1"
#define P2  "1.3.6.1.4.1.99999.2"
#define P3  "1.3.6.1.4.1.99999.3"
#define ANY "2.5.29.32.0"
#define BAD "cert.policy"

/* Explicit policy required, unless a case says otherwise; leaf and intermediate both have P1. */
#define PCASE(code, ...)                                                                                     \
    CASE(code, t->host = NULL, t->purpose = TROTH_PURPOSE_ANY, t->require_explicit = true,                   \
         t->mid.policies = TEXTS(P1), t->leaf.policies = TEXTS(P1), __VA_ARGS__)

static void sets(void **state)
{
    (void)state;
    PCASE("ok", (void)0);
    PCASE("ok", t->policies = TEXTS(P1));
    PCASE("ok", t->policies = TEXTS(P2, P1));
    PCASE("ok", t->policies = TEXTS(ANY));
    PCASE(BAD, t->policies = TEXTS(P2));
    PCASE("ok", t->policies = TEXTS(P2), t->require_explicit = false);
    PCASE(BAD, t->leaf.policies = TEXTS(P2));
    PCASE("ok", t->leaf.policies = TEXTS(P2), t->require_explicit = false);
    PCASE(BAD, t->leaf.policies = NULL);
    PCASE("ok", t->leaf.policies = NULL, t->require_explicit = false);
    PCASE(BAD, t->mid.policies = NULL);
    PCASE(BAD, t->mid.policies = NULL, t->leaf.policies = TEXTS(ANY));
    PCASE("ok", t->mid.policies = TEXTS(P1, P2), t->leaf.policies = TEXTS(P2, P3));
    PCASE("ok", t->mid.policies = TEXTS(P1, P2), t->leaf.policies = TEXTS(P2, P3), t->policies = TEXTS(P2));
    PCASE(BAD, t->mid.policies = TEXTS(P1, P2), t->leaf.policies = TEXTS(P2, P3),
          t->policies = TEXTS(P1, P3));
    PCASE("ok", t->root.policies = TEXTS(P3)); /* the anchor's own list is no limit */
    PCASE(BAD, t->leaf.policies = TEXTS(P1, P1));
}

static void any_policy(void **state)
{
    (void)state;
    PCASE("ok", t->mid.policies = TEXTS(ANY));
    PCASE("ok", t->mid.policies = TEXTS(ANY), t->policies = TEXTS(P1));
    PCASE(BAD, t->mid.policies = TEXTS(ANY), t->policies = TEXTS(P2));
    PCASE("ok", t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P1));
    PCASE(BAD, t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P2));
    PCASE("ok", t->mid.policies = t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P2));
    PCASE(BAD, t->inhibit_any = true, t->mid.policies = TEXTS(ANY));
    PCASE("ok", t->inhibit_any = true);
    PCASE(BAD, t->inhibit_any = true, t->leaf.policies = TEXTS(ANY));
    PCASE("ok", t->inhibit_any = true, t->leaf.policies = TEXTS(ANY), t->require_explicit = false);
    PCASE(BAD, t->mid.has_inhibit_any = true, t->leaf.policies = TEXTS(ANY));
    PCASE("ok", t->mid.has_inhibit_any = true, t->mid.inhibit_any = 1, t->leaf.policies = TEXTS(ANY));
    PCASE("ok", t->mid.has_inhibit_any = true, t->mid.policies = TEXTS(ANY));
    PCASE(BAD, t->root.has_inhibit_any = true,
          t->mid.policies = TEXTS(ANY)); /* the anchor's limits are initial values */
}

static void self_issued(void **state)
{
    (void)state;
    struct issue low;
#define LOW                                                                                                  \
    low = mk_sub_ca(&t->mid, t->mid.subject, t->leaf_key), low.policies = TEXTS(ANY), t->leaf.by = &low
#define GIVE t->given[t->n_given++] = mk_cert(t->m, &low)
    /* anyPolicy of a self-issued certificate counts though it is inhibited, and it does not count down */
    PCASE("ok", t->mid.has_inhibit_any = true, LOW, GIVE);
    PCASE(BAD, t->mid.has_inhibit_any = true, LOW, low.subject = "CN=Low", GIVE);
    PCASE("ok", t->mid.has_inhibit_any = true, t->mid.inhibit_any = 1, LOW, GIVE,
          t->leaf.policies = TEXTS(ANY));
    PCASE(BAD, t->mid.has_inhibit_any = true, t->mid.inhibit_any = 1, LOW, low.subject = "CN=Low",
          low.policies = TEXTS(P1), GIVE, t->leaf.policies = TEXTS(ANY));
}

static void requirements(void **state)
{
    (void)state;
    PCASE("ok", t->require_explicit = false, t->mid.policies = NULL);
    PCASE(BAD, t->require_explicit = false, t->mid.policies = NULL, t->mid.has_require_explicit = true);
    PCASE(BAD, t->require_explicit = false, t->leaf.policies = NULL, t->mid.has_require_explicit = true);
    PCASE(BAD, t->require_explicit = false, t->leaf.policies = NULL, t->mid.has_require_explicit = true,
          t->mid.require_explicit = 1);
    PCASE("ok", t->require_explicit = false, t->leaf.policies = NULL, t->mid.has_require_explicit = true,
          t->mid.require_explicit = 2);
    PCASE("ok", t->require_explicit = false, t->mid.has_require_explicit = true);
    PCASE(BAD, t->require_explicit = false, t->mid.has_require_explicit = true, t->policies = TEXTS(P2));
    PCASE(BAD, t->require_explicit = false, t->leaf.policies = NULL, t->leaf.has_require_explicit = true);
    PCASE(BAD, t->require_explicit = false, t->leaf.policies = NULL, t->root.has_require_explicit = true);
}

static void mappings(void **state)
{
    (void)state;
#define MAP(...) t->mid.mappings = TEXTS(__VA_ARGS__)
    PCASE("ok", MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2));
    PCASE("ok", MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2), t->policies = TEXTS(P1));
    PCASE(BAD, MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2), t->policies = TEXTS(P2));
    PCASE(BAD, MAP(P1 "=" P2)); /* what is mapped goes by its new name only */
    PCASE("ok", MAP(P1 "=" P2, P1 "=" P1));
    PCASE("ok", MAP(P1 "=" P2, P1 "=" P3), t->leaf.policies = TEXTS(P3));
    PCASE(BAD, MAP(P3 "=" P2), t->leaf.policies = TEXTS(P2));
    PCASE("ok", t->mid.policies = TEXTS(ANY), MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2),
          t->policies = TEXTS(P1));
    PCASE("ok", t->mid.policies = TEXTS(ANY), MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2),
          t->policies = TEXTS(P1, P2));
    PCASE(BAD, t->mid.policies = TEXTS(ANY), MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2),
          t->policies = TEXTS(P3));
    PCASE(BAD, t->inhibit_mapping = true, MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2));
    PCASE(BAD, t->inhibit_mapping = true, MAP(P1 "=" P2)); /* and its old name is gone, too */
    PCASE("ok", t->inhibit_mapping = true, t->mid.policies = TEXTS(P1, P3), MAP(P1 "=" P2),
          t->leaf.policies = TEXTS(P3));
    PCASE(BAD, t->root.has_inhibit_mapping = true, MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2));
    PCASE("ok", t->root.has_inhibit_mapping = true, t->root.inhibit_mapping = 1, MAP(P1 "=" P2),
          t->leaf.policies = TEXTS(P2));
    PCASE(BAD, MAP(P1 "=" ANY));
    PCASE(BAD, MAP(ANY "=" P1));
    PCASE(BAD, t->require_explicit = false, MAP(ANY "=" P1));
    PCASE("ok", MAP(P1 "=" P2), t->leaf.policies = TEXTS(ANY));
    PCASE("ok", MAP(P1 "=" P2), t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P1));
    PCASE(BAD, MAP(P1 "=" P2), t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P2));
}

/* The policies for which the path is valid, as the report tells them, with blanks between. */
static void valid_expect(const char *want, int line)
{
    char in[2000];
    struct text got = TEXT_IN(in);
    const char *const *oids;
    troth_error unbuilt;
    troth_report *r = trial_judge(t, &unbuilt);
    if (!troth_report_ok(r))
        test_fail("line %d: %s", line, troth_report_error(r)->detail);
    for (size_t i = 0, n = troth_report_policies(r, &oids); i < n; i++)
        text_add(&got, "%s%s", i ? " " : "", oids[i]);
    if (strcmp(got.p, want) != 0)
        test_fail("line %d: \"%s\", wanted \"%s\"", line, got.p, want);
    troth_report_free(r);
}

#define VALID(want, ...)                                                                                     \
    do {                                                                                                     \
        trial_fresh(t);                                                                                      \
        t->host = NULL;                                                                                      \
        t->purpose = TROTH_PURPOSE_ANY;                                                                      \
        t->mid.policies = t->leaf.policies = TEXTS(P1);                                                      \
        __VA_ARGS__;                                                                                         \
        valid_expect(want, __LINE__);                                                                        \
    } while (0)

static void told(void **state)
{
    (void)state;
    VALID(P1, (void)0);
    VALID(P1, t->policies = TEXTS(P2, P1, P1));
    VALID("", t->policies = TEXTS(P2));
    VALID("", t->leaf.policies = TEXTS(P2));
    VALID("", t->mid.policies = NULL);
    VALID(P1, t->policies = TEXTS(P3, ANY));
    VALID(P1 " " P2, t->mid.policies = TEXTS(P2, P1, P3), t->leaf.policies = TEXTS(P1, P2));
    VALID(P2, t->mid.policies = TEXTS(P2, P1), t->leaf.policies = TEXTS(P1, P2), t->policies = TEXTS(P2));
    VALID(ANY, t->mid.policies = t->leaf.policies = TEXTS(ANY));
    VALID(P3 " " P2, t->mid.policies = t->leaf.policies = TEXTS(ANY), t->policies = TEXTS(P3, P2));
    VALID(ANY " " P1, t->mid.policies = t->leaf.policies = TEXTS(ANY, P1));
    VALID(P1, t->mid.policies = TEXTS(ANY));
    VALID(P1, t->leaf.policies = TEXTS(ANY));
    /* by the names that the anchor has for them */
    VALID(P1, MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2));
    VALID("", MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2), t->policies = TEXTS(P2));
    VALID(P1 " " P3, t->mid.policies = TEXTS(P1, P3), MAP(P1 "=" P2, P3 "=" P2), t->leaf.policies = TEXTS(P2));
    VALID(P2 " " P1, t->mid.policies = TEXTS(ANY), MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2), t->policies = TEXTS(P2, P1),
          t->mid.mappings = TEXTS(P1 "=" P2, P2 "=" P2));
    VALID("", t->inhibit_mapping = true, MAP(P1 "=" P2), t->leaf.policies = TEXTS(P2));
    VALID("", t->inhibit_any = true, t->leaf.policies = TEXTS(ANY));
    VALID(P1, t->no_mid = true);
    const char *const *oids;
    trial_fresh(t); /* refused: for nothing */
    t->host = "other.example";
    t->leaf.policies = t->mid.policies = TEXTS(P1);
    troth_error unbuilt;
    troth_report *r = trial_judge(t, &unbuilt);
    assert_int_equal(troth_report_policies(r, &oids), 0);
    troth_report_free(r);
    assert_int_equal(troth_report_policies(NULL, &oids), 0);
}

/* Each level maps every policy to every policy: a tree doubles and doubles; a graph does not care. */
static void explosion(void **state)
{
    (void)state;
    enum { N = 20, LEVELS = 10 };
    static char oid[N][40], pair[N * N][90], subject[LEVELS][32];
    static const char *policies[N + 1], *maps[N * N + 1];
    struct issue level[LEVELS];
    for (int i = 0; i < N; i++) {
        snprintf(oid[i], sizeof oid[i], "1.3.6.1.4.1.99999.%d", i);
        policies[i] = oid[i];
    }
    for (int i = 0; i < N * N; i++) {
        snprintf(pair[i], sizeof pair[i], "%s=%s", oid[i / N], oid[i % N]);
        maps[i] = pair[i];
    }
    trial_fresh(t);
    t->host = NULL;
    t->purpose = TROTH_PURPOSE_ANY;
    t->require_explicit = true;
    t->mid.policies = policies;
    t->mid.mappings = maps;
    for (int i = 0; i < LEVELS; i++) {
        snprintf(subject[i], sizeof subject[i], "CN=Level %d", i);
        level[i] = mk_sub_ca(i ? &level[i - 1] : &t->mid, subject[i], t->leaf_key);
        level[i].policies = policies;
        level[i].mappings = maps;
        t->given[t->n_given++] = mk_cert(t->m, &level[i]);
    }
    t->leaf.by = &level[LEVELS - 1];
    t->leaf.policies = TEXTS("1.3.6.1.4.1.99999.7");
    t->policies = TEXTS("1.3.6.1.4.1.99999.3");
    trial_expect(t, "ok", __FILE__, __LINE__); /* a tree would not fit the budget, nor end */
    t->policies = TEXTS("1.3.6.1.4.1.99999.99");
    trial_expect(t, BAD, __FILE__, __LINE__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets),         cmocka_unit_test(any_policy), cmocka_unit_test(self_issued),
        cmocka_unit_test(requirements), cmocka_unit_test(mappings),   cmocka_unit_test(explosion),
        cmocka_unit_test(told),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
