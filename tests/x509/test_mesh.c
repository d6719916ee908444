/* Many certificates of one name, one way through: whatever is wrong with the others, the good path is found, and with little work; and
 * where there is none, the search ends. */
#include "x509/trial_group.h"

static const troth_key *spare;

static void give(const struct issue *i)
{
    t->given[t->n_given++] = mk_cert(t->m, i);
}

/* ---- what can be wrong with an authority's certificate, and what is said when there is no other */

struct flaw {
    const char *name, *code;
    void (*make)(struct issue *);
    bool upward; /* shows only with what is below it */
};

static void expired(struct issue *i)
{
    i->not_after = MK_NOW - 1;
}
static void early(struct issue *i)
{
    i->not_before = MK_NOW + 1;
}
static void for_clients(struct issue *i)
{
    static const char *const eku[] = { "clientAuth", NULL };
    i->eku = eku;
}
static void no_cert_sign(struct issue *i)
{
    i->key_usage = KU_CRL_SIGN;
}
static void no_ca(struct issue *i)
{
    i->ca = false;
    i->not_ca = true;
    i->key_usage = KU_DIGITAL_SIGNATURE;
}
static void no_basic(struct issue *i)
{
    i->ca = false;
}
static void bad_signature(struct issue *i)
{
    i->bad_signature = true;
}
static void elsewhere(struct issue *i)
{
    static const char *const names[] = { "DNS:elsewhere.example", NULL };
    i->permitted = names;
}
static void not_here(struct issue *i)
{
    static const char *const names[] = { "DNS:shop.example", NULL };
    i->excluded = names;
}
static void sha1(struct issue *i)
{
    i->sig = TROTH_SIG_ECDSA_SHA1;
}
static void critical(struct issue *i)
{
    static const struct issue_ext x = { "1.2.3.4", true, { (const uint8_t *)"\x05\x00", 2 } };
    i->extra = &x;
    i->n_extra = 1;
}
static void version_1(struct issue *i)
{
    i->version = 1;
    i->no_extensions = true;
}
static void negative(struct issue *i)
{
    i->serial = SPAN_TEXT("\x80");
    i->serial_as_is = true;
}

static const struct flaw flaws[] = {
    { "expired", "cert.expired", expired, false },
    { "not yet valid", "cert.not-yet-valid", early, false },
    { "for clients", "cert.wrong-eku", for_clients, false },
    { "may not sign", "cert.key-usage", no_cert_sign, false },
    { "no authority", "cert.not-a-ca", no_ca, false },
    { "no basicConstraints", "cert.not-a-ca", no_basic, false },
    { "bad signature", "cert.bad-signature", bad_signature, false },
    { "permits others", "cert.name-constraint", elsewhere, true },
    { "excludes this", "cert.name-constraint", not_here, true },
    { "signed with SHA-1", "cert.weak-signature", sha1, false },
    { "critical extension", "cert.critical-ext", critical, false },
    { "version 1", "cert.version", version_1, false },
    { "negative serial number", "cert.serial", negative, false },
};

/* ---- two of one name and key: one is good */

static void work_at_most(unsigned signatures, unsigned steps, const char *what, size_t i)
{
    if (t->work.signatures > signatures || t->work.steps > steps)
        test_fail("%s, %zu: %u signatures and %u steps, wanted at most %u and %u", what, i, t->work.signatures, t->work.steps, signatures,
                  steps);
}

static void two_of_a_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(flaws); i++) {
        const struct flaw *f = &flaws[i / 2];
        struct issue bad;
        trial_fresh(t);
        bad = t->mid;
        bad.serial = SPAN_TEXT("\x33");
        f->make(&bad);
        t->hide_mid = true;
        if (i % 2)
            give(&t->mid);
        give(&bad);
        if (i % 2 == 0)
            give(&t->mid);
        fprintf(stderr, "%s\n", f->name);
        trial_expect(t, "ok", __FILE__, __LINE__);
        work_at_most(4, 5, f->name, i);
    }
}

static void one_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(flaws); i++) {
        trial_fresh(t);
        flaws[i].make(&t->mid);
        fprintf(stderr, "%s\n", flaws[i].name);
        trial_expect(t, flaws[i].code, __FILE__, __LINE__);
    }
}

/* ---- every flaw at once, at every level */

enum { LEVELS = 5 };
static char names[12][32];

static const char *level_name(int i)
{
    snprintf(names[i], sizeof names[i], "CN=Level %d,O=Mesh", i);
    return names[i];
}

/* A good certificate for each level, and `per_level` flawed ones of the same name and key beside it, these first. */
static void levels_make(size_t per_level, bool with_good, const troth_key *const *keys)
{
    struct issue level[LEVELS];
    for (int i = 0; i < LEVELS; i++)
        level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, level_name(i), keys[i]);
    for (int i = 0; i < LEVELS; i++) {
        for (size_t k = 0; k < per_level; k++) {
            struct issue bad = level[i];
            flaws[k % COUNT_OF(flaws)].make(&bad);
            give(&bad);
        }
        if (with_good || i != 2)
            give(&level[i]);
    }
    t->hide_mid = true;
    t->leaf.by = &level[LEVELS - 1];
    span der = mk_cert(t->m, &t->leaf); /* while `level` is here */
    t->no_chain = true;
    memmove(t->given + 1, t->given, t->n_given * sizeof *t->given);
    t->given[0] = der;
    t->n_given++;
}

static void all_levels(void **state)
{
    (void)state;
    const troth_key *keys[LEVELS];
    for (int i = 0; i < LEVELS; i++)
        keys[i] = mk_key(t->m, TROTH_KEY_P256);
    trial_fresh(t);
    levels_make(COUNT_OF(flaws), true, keys);
    trial_expect(t, "ok", __FILE__, __LINE__);
    work_at_most(3 * LEVELS + 1, LEVELS * (2 + (unsigned)COUNT_OF(flaws)), "all levels", 0);
    trial_fresh(t);
    levels_make(COUNT_OF(flaws), false, keys); /* of the third level there is none that is good */
    troth_error none = { 0 };
    troth_report *r = trial_judge(t, &none);
    assert_false(troth_report_ok(r));
    assert_int_not_equal(troth_report_error(r)->reason, TROTH_R_CHAIN_BUDGET);
    t->work = troth_report_work(r);
    troth_report_free(r);
    work_at_most(4 * LEVELS, LEVELS * (4 + 2 * (unsigned)COUNT_OF(flaws)), "no way", 0);
}

/* ---- one name, many keys, and nothing that says which */

static void many_keys(void **state)
{
    (void)state;
    enum { KEYS = 6 };
    const troth_key *keys[LEVELS][KEYS];
    for (int i = 0; i < LEVELS; i++)
        for (int k = 0; k < KEYS; k++)
            keys[i][k] = mk_key(t->m, TROTH_KEY_P256);
    for (int right = 0; right < KEYS; right++) {
        struct issue level[LEVELS];
        trial_fresh(t);
        t->purpose = TROTH_PURPOSE_ANY; /* key identifiers may be left out */
        for (int i = 0; i < LEVELS; i++) {
            for (int k = 0; k < KEYS; k++) {
                struct issue x = mk_sub_ca(i ? &level[i - 1] : &t->root, level_name(i), keys[i][k]);
                x.omit = IX_SKI | IX_AKI;
                give(&x);
            }
            level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, level_name(i), keys[i][right]);
        }
        t->hide_mid = true;
        t->leaf.by = &level[LEVELS - 1];
        t->leaf.omit = IX_AKI;
        trial_expect(t, "ok", __FILE__, __LINE__);
        work_at_most(LEVELS * KEYS + 2 * LEVELS, LEVELS * KEYS + 3 * LEVELS, "keys", (size_t)right);
    }
}

/* ---- only together: each of these is good, and one pair is not */

static void combinations(void **state)
{
    (void)state;
    enum { N = 11 };
    struct issue level[N];
    for (int wrong = 0; wrong < 2; wrong++) {
        trial_fresh(t);
        for (int i = 0; i < N; i++) {
            level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, level_name(i), i % 2 ? t->mid_key : spare);
            struct issue twin = level[i];
            twin.serial = SPAN_TEXT("\x44");
            twin.aia = TEXTS("ocsp=http://a.example/");
            give(&twin); /* the list lives as long as this block */
            give(&level[i]);
        }
        struct issue top = level[0]; /* two more at the top: a path too long, and names that are not its */
        top.has_path_len = true;
        top.path_len = 3;
        give(&top);
        top = level[0];
        elsewhere(&top);
        give(&top);
        t->hide_mid = true;
        t->leaf.by = &level[N - 1];
        if (wrong)
            not_here(&t->root);
        trial_expect(t, wrong ? "cert.name-constraint" : "ok", __FILE__, __LINE__);
        if (!wrong)
            work_at_most(2 * N + 2, 4 * N, "combinations", 0);
    }
}

/* Each is good, and no path has one policy from end to end but the last that would be tried: of few it is found, and of too many nobody
 * says that there is none. */
static void policies_together(void **state)
{
    (void)state;
    enum { EACH = 3, MOST = 9 };
    static const char *const none[] = { "1.2.3.4.1", NULL }, *const nor[] = { "1.2.3.4.2", NULL }, *const right[] = { "1.2.3.4.3", NULL };
    static const char *const *const policies[EACH] = { none, nor, right };
    static const char *const serials[EACH] = { "\x41", "\x42", "\x43" };
    static const struct {
        int         levels;
        bool        with_right;
        const char *code;
    } rows[] = { { 5, true, "ok" }, { 5, false, "cert.policy" }, { MOST, true, "chain.budget" }, { MOST, false, "chain.budget" } };
    struct issue level[MOST];
    for (size_t r = 0; r < COUNT_OF(rows); r++) {
        trial_fresh(t);
        t->require_explicit = true;
        for (int i = 0; i < rows[r].levels; i++) {
            level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, level_name(i), i % 2 ? t->mid_key : spare);
            for (int k = 0; k < EACH; k++) {
                level[i].serial = span_of(serials[k], 1);
                level[i].policies = policies[k];
                if (k < EACH - 1 || rows[r].with_right || i != rows[r].levels / 2)
                    give(&level[i]);
            }
        }
        t->hide_mid = true;
        t->leaf.by = &level[rows[r].levels - 1];
        t->leaf.policies = right;
        trial_expect(t, rows[r].code, __FILE__, __LINE__);
    }
}

/* ---- everybody certifies everybody */

enum { CROWD = 9 };
static const char *const far_names[] = { "CN=Far 0", "CN=Far 1", "CN=Far 2", "CN=Far 3" };

static void crowd_make(struct issue *roots, const troth_key *const *keys)
{
    for (int i = 0; i < CROWD; i++)
        roots[i] = mk_ca(level_name(i), keys[i]);
    for (int i = 0; i < CROWD; i++)
        for (int k = 0; k < CROWD; k++) {
            struct issue cross = mk_sub_ca(&roots[i], level_name(k), keys[k]);
            if (i != k)
                give(&cross);
        }
    t->hide_mid = true;
    t->leaf.by = &roots[0];
}

static void crowds(void **state)
{
    (void)state;
    struct issue roots[CROWD], island;
    const troth_key *keys[CROWD];
    for (int i = 0; i < CROWD; i++)
        keys[i] = mk_key(t->m, TROTH_KEY_P256);
    /* nobody in it is trusted: seen at once */
    CASE("chain.untrusted-root", crowd_make(roots, keys));
    work_at_most(LIMIT_BUDGET_SIGNATURES, 0, "nobody trusted", 0);
    /* one of them is: one step */
    CASE("ok", crowd_make(roots, keys), t->anchors[t->n_anchors++] = mk_cert(t->m, &roots[CROWD - 1]));
    work_at_most(3, 3, "one trusted", 0);
    /* one of them is, and does not allow the name: no way is tried twice for ever */
    CASE("cert.name-constraint", crowd_make(roots, keys), not_here(&roots[CROWD - 1]),
         t->anchors[t->n_anchors++] = mk_cert(t->m, &roots[CROWD - 1]));
    assert_true(t->work.steps <= LIMIT_BUDGET_STEPS + 1 && t->work.signatures <= LIMIT_BUDGET_SIGNATURES);
    /* the trusted one is reached from one of them alone, by a certificate that is good beside one that is not */
    CASE("ok", crowd_make(roots, keys), island = mk_sub_ca(&t->root, level_name(CROWD - 1), keys[CROWD - 1]), for_clients(&island),
         give(&island), island.eku = NULL, give(&island));
    work_at_most(4, 6, "an island", 0);
}

/* The one way out of a crowd is barred by what can be seen from that certificate itself: the search does not go round in the crowd until the
 * budget is spent, says what is wrong, and finds another way, though it be longer. */
static void barred(void **state)
{
    (void)state;
    enum { FAR = 4 };
    struct issue roots[CROWD], way, far[FAR];
    const troth_key *keys[CROWD], *far_keys[FAR];
    for (int i = 0; i < CROWD; i++)
        keys[i] = mk_key(t->m, TROTH_KEY_P256);
    for (int i = 0; i < FAR; i++)
        far_keys[i] = mk_key(t->m, TROTH_KEY_P256);
    for (size_t i = 0; i < 2 * COUNT_OF(flaws); i++) {
        const struct flaw *f = &flaws[i / 2];
        if (f->make != expired && f->make != no_ca && f->make != critical) /* one is like the other, and each takes its time */
            continue;
        fprintf(stderr, "barred, %s, %s\n", f->name, i % 2 ? "with a way round" : "alone");
        trial_fresh(t);
        crowd_make(roots, keys);
        way = mk_sub_ca(&t->root, level_name(CROWD - 1), keys[CROWD - 1]);
        f->make(&way);
        give(&way);
        for (int k = 0; i % 2 && k < FAR; k++) {
            far[k] = mk_sub_ca(k ? &far[k - 1] : &t->root, far_names[k], far_keys[k]);
            give(&far[k]);
        }
        struct issue last = mk_sub_ca(&far[FAR - 1], level_name(1), keys[1]);
        if (i % 2)
            give(&last);
        trial_expect(t, i % 2 ? "ok" : f->code, __FILE__, __LINE__);
    }
}

/* The same with more of them than there are signatures to be verified: the way out has expired, and in the end so have all. */
static void expired_crowd(void **state)
{
    (void)state;
    enum { MANY = 12 };
    static char texts[MANY][24];
    struct issue all[MANY], way;
    const troth_key *keys[] = { spare, t->mid_key, mk_key(t->m, TROTH_KEY_P256) };
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "CN=Crowd %d", i);
        all[i] = mk_ca(texts[i], keys[i % 3]);
    }
    for (int every = 0; every < 2; every++) {
        trial_fresh(t);
        t->hide_mid = true;
        for (int i = 0; i < MANY; i++)
            for (int k = 0; k < MANY; k++) {
                way = mk_sub_ca(&all[i], texts[k], all[k].key);
                if (every)
                    expired(&way);
                if (i != k)
                    give(&way);
            }
        way = mk_sub_ca(&t->root, texts[MANY - 1], all[MANY - 1].key);
        expired(&way);
        give(&way);
        t->leaf.by = &all[0];
        trial_expect(t, "cert.expired", __FILE__, __LINE__);
    }
}

/* Of three at every level two are revoked by the authority above them: each way is barred once, and not with everything that is above it. */
static void revoked_levels(void **state)
{
    (void)state;
    enum { N = 9, EACH = 3 };
    static const char *const serials[EACH] = { "\x31", "\x32", "\x33" };
    struct issue level[N];
    struct issue_revoked gone[N][EACH];
    for (int all = 0; all < 2; all++) {
        trial_fresh(t);
        for (int i = 0; i < N; i++) {
            struct issue *above = i ? &level[i - 1] : &t->root;
            unsigned good = all && i == 3 ? EACH : (unsigned)i % EACH, n = 0;
            level[i] = mk_sub_ca(above, level_name(i), i % 2 ? t->mid_key : spare);
            for (unsigned k = 0; k < EACH; k++) {
                struct issue x = level[i];
                x.serial = span_of(serials[k], 1);
                give(&x);
                if (k != good)
                    gone[i][n++] = (struct issue_revoked){ .serial = x.serial, .when = MK_NOW - 60, .reason = 1 };
            }
            struct issue_crl list = mk_crl_spec(above);
            list.revoked = gone[i];
            list.n_revoked = n;
            t->crls[t->n_crls++] = mk_crl(t->m, &list);
        }
        struct issue_crl last = mk_crl_spec(&level[N - 1]);
        t->crls[t->n_crls++] = mk_crl(t->m, &last);
        t->hide_mid = true;
        t->leaf.by = &level[N - 1];
        trial_expect(t, all ? "cert.revoked" : "ok", __FILE__, __LINE__);
        work_at_most(N * EACH + 2 * N + 2, N * N * EACH, "revoked", (size_t)all);
    }
}

/* A key identifier is a hint: a wrong one costs a place in the queue, and nothing else. */
static void hints(void **state)
{
    (void)state;
    struct issue x;
    CASE("ok", t->leaf.aki = SPAN_TEXT("nobody's"));
    CASE("ok", t->mid.ski = SPAN_TEXT("my own"), t->leaf.aki = SPAN_TEXT("another"));
    CASE("ok", x = t->mid, x.key = spare, x.ski = SPAN_TEXT("that"), give(&x), t->leaf.aki = SPAN_TEXT("that"));
    CASE("ok", t->leaf.aki_issuer = TEXTS("dir:CN=Nobody"), t->leaf.aki_serial = SPAN_TEXT("\x09"), t->purpose = TROTH_PURPOSE_ANY);
}

static int setup(void **state)
{
    trial_setup(state);
    spare = mk_key(t->m, TROTH_KEY_P256);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_of_a_kind), cmocka_unit_test(one_alone), cmocka_unit_test(all_levels), cmocka_unit_test(many_keys),
        cmocka_unit_test(combinations),  cmocka_unit_test(policies_together), cmocka_unit_test(crowds), cmocka_unit_test(barred),
        cmocka_unit_test(expired_crowd), cmocka_unit_test(hints), cmocka_unit_test(revoked_levels),
    };
    return cmocka_run_group_tests(tests, setup, trial_teardown);
}
