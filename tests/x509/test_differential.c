/* Policies, name constraints and revocation lists drawn at random, judged here and by libcrypto's X509_verify_cert.  What the two see
 * otherwise must be one of the differences that are written down here.  DIFFERENTIAL=n runs n of each (test_differential_many).
 * links: crypto */
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "x509/trial_group.h"

enum { TRIALS = 100, MOST = 5 };

static const troth_key *keys[MOST];
static uint64_t dice;

static unsigned roll(unsigned n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 11) % n;
}

static unsigned trials(void)
{
    const char *n = getenv("DIFFERENTIAL");
    return n ? (unsigned)atoi(n) : TRIALS;
}

/* ---- a chain of `n` authorities below the root, and a leaf: level[0] is the highest */

static struct issue level[MOST + 1];
static unsigned n_levels;

static void chain_begin(unsigned n)
{
    static const char *const names[] = { "CN=One", "CN=Two", "CN=Three", "CN=Four", "CN=Five" };
    trial_fresh(t);
    n_levels = n;
    for (unsigned i = 0; i < n; i++)
        level[i] = mk_sub_ca(i ? &level[i - 1] : &t->root, names[i], keys[i]);
    level[n] = mk_leaf(n ? &level[n - 1] : &t->root, t->leaf_key, NULL);
    static const char *const shop[] = { "DNS:shop.example", NULL };
    level[n].san = shop;
    t->purpose = TROTH_PURPOSE_ANY;
    t->host = NULL;
    t->no_chain = t->no_root = true;
}

static X509 *x509_of(span der)
{
    const unsigned char *p = der.p;
    return d2i_X509(NULL, &p, (long)der.n);
}

static void ours_and_theirs(unsigned long flags, int *theirs, const char **ours, char *detail)
{
    static char code[60];
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    span root = mk_cert(t->m, &t->root);
    t->anchors[t->n_anchors++] = root;
    X509 *r = x509_of(root), *leaf = NULL;
    X509_STORE_add_cert(store, r);
    for (unsigned i = n_levels + 1; i-- > 0;) {
        span der = mk_cert(t->m, &level[i]);
        t->given[t->n_given++] = der;
        X509 *x = x509_of(der);
        if (i == n_levels)
            leaf = x;
        else
            sk_X509_push(chain, x);
    }
    for (size_t i = 0; i < t->n_crls; i++) {
        const unsigned char *p = t->crls[i].p;
        sk_X509_CRL_push(crls, d2i_X509_CRL(NULL, &p, (long)t->crls[i].n));
    }
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_CTX_init(ctx, store, leaf, chain);
    X509_STORE_CTX_set0_crls(ctx, crls);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, MK_NOW);
    X509_VERIFY_PARAM_set_flags(param, flags | X509_V_FLAG_PARTIAL_CHAIN);
    for (size_t i = 0; t->policies && t->policies[i]; i++)
        X509_VERIFY_PARAM_add0_policy(param, OBJ_txt2obj(t->policies[i], 1));
    if (!t->policies && flags & X509_V_FLAG_POLICY_CHECK)
        X509_VERIFY_PARAM_add0_policy(param, OBJ_txt2obj("2.5.29.32.0", 1));
    *theirs = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(chain, X509_free);
    sk_X509_CRL_pop_free(crls, X509_CRL_free);
    X509_free(leaf);
    X509_free(r);
    X509_STORE_free(store);

    troth_error none = { 0 };
    troth_report *report = trial_judge(t, &none);
    const troth_error *e = report ? troth_report_error(report) : &none;
    snprintf(code, sizeof code, "%s", e->reason == TROTH_R_NONE ? "ok" : e->code);
    snprintf(detail, 160, "%s", e->detail);
    *ours = code;
    troth_report_free(report);
}

/* ---- policies */

#define P1 "1.3.6.1.4.1.99999.1"
#define P2 "1.3.6.1.4.1.99999.2"
#define P3 "1.3.6.1.4.1.99999.3"
#define P_ANY "2.5.29.32.0"

static char said[2000];

static void tell(const char *fmt, ...)
{
    va_list ap;
    size_t n = strlen(said);
    va_start(ap, fmt);
    vsnprintf(said + n, sizeof said - n, fmt, ap);
    va_end(ap);
}

static const char *const *some(const char *const *all, unsigned n, unsigned likely, const char *(*list)[8])
{
    unsigned k = 0;
    for (unsigned i = 0; i < n; i++)
        if (roll(100) < likely)
            (*list)[k++] = all[i];
    (*list)[k] = NULL;
    return k ? *list : NULL;
}

static void policies_draw(struct issue *i, bool authority)
{
    static const char *const all[] = { P1, P2, P3, P_ANY };
    static const char *const pairs[] = { P1 "=" P2, P1 "=" P3, P2 "=" P1, P2 "=" P3, P3 "=" P1, P3 "=" P2, P1 "=" P1 };
    static const char *policies[MOST + 1][8], *mappings[MOST + 1][8];
    size_t at = (size_t)(i - level);
    i->policies = some(all, 4, 45, &policies[at]);
    for (unsigned k = 0; i->policies && i->policies[k]; k++)
        tell(" %s", !strcmp(i->policies[k], P_ANY) ? "any" : i->policies[k] + 18);
    if (authority && roll(100) < 40)
        i->mappings = some(pairs, COUNT_OF(pairs), 20, &mappings[at]);
    for (unsigned k = 0; i->mappings && i->mappings[k]; k++)
        tell(" %.1s=%s", i->mappings[k] + 18, i->mappings[k] + 38);
    /* not without policies: libcrypto loses the memory of the constraints then */
    if ((i->has_require_explicit = i->policies && roll(100) < 15) != 0)
        tell(" explicit %u", i->require_explicit = roll(3));
    if ((i->has_inhibit_mapping = i->policies && roll(100) < 12) != 0)
        tell(" no mapping %u", i->inhibit_mapping = roll(3));
    if ((i->has_inhibit_any = roll(100) < 12) != 0)
        tell(" no any %u", i->inhibit_any = roll(3));
}

static bool has_any(const struct issue *i)
{
    for (unsigned k = 0; i->policies && i->policies[k]; k++)
        if (!strcmp(i->policies[k], P_ANY))
            return true;
    return false;
}

/* They accept, we do not: libcrypto lets an authority map from anyPolicy also where anyPolicy is inhibited for it (RFC 5280 6.1.4 (b)(1)
 * wants a node of anyPolicy, and 6.1.3 (d)(2) makes none). */
static bool mapped_from_inhibited(void)
{
    bool inhibited = t->inhibit_any, mapped = false;
    for (unsigned i = 0; i < n_levels; i++) {
        inhibited |= level[i].has_inhibit_any;
        mapped |= level[i].mappings && has_any(&level[i]);
    }
    return inhibited && mapped;
}

/* They refuse, we do not: a policy that an authority maps from anyPolicy, and that the next one covers with anyPolicy alone (RFC 5280
 * 6.1.4 (b)(1), then 6.1.3 (d)(2)), is lost to libcrypto where a set of policies is asked for. */
static bool mapped_and_covered(void)
{
    for (unsigned i = 0; i + 1 < n_levels; i++)
        if (level[i].mappings && has_any(&level[i]) && has_any(&level[i + 1]))
            return true;
    return false;
}

static void policies(void **state)
{
    (void)state;
    static const char *const all[] = { P1, P2, P3 };
    static const char *wanted[8];
    unsigned accepted = 0, n = trials();
    for (unsigned seed = 1; seed <= n; seed++) {
        dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        chain_begin(1 + roll(4));
        said[0] = 0;
        for (unsigned i = 0; i <= n_levels; i++) {
            tell("%s[", i ? " " : "");
            policies_draw(&level[i], i < n_levels);
            if (i && i < n_levels && roll(100) < 15) {
                level[i].subject = level[i - 1].subject;
                tell(" self-issued");
            }
            tell("]");
        }
        unsigned long flags = X509_V_FLAG_POLICY_CHECK;
        t->policies = roll(2) ? some(all, 3, 50, &wanted) : NULL;
        t->require_explicit = roll(2);
        t->inhibit_mapping = roll(5) == 0;
        t->inhibit_any = roll(5) == 0;
        flags |= t->require_explicit ? X509_V_FLAG_EXPLICIT_POLICY : 0;
        flags |= t->inhibit_mapping ? X509_V_FLAG_INHIBIT_MAP : 0;
        flags |= t->inhibit_any ? X509_V_FLAG_INHIBIT_ANY : 0;
        for (unsigned k = 0; t->policies && t->policies[k]; k++)
            tell(" wants %s", t->policies[k] + 18);
        tell("%s%s%s", t->require_explicit ? " explicit" : "", t->inhibit_mapping ? " no mapping" : "", t->inhibit_any ? " no any" : "");
        int theirs;
        const char *ours;
        char detail[160];
        ours_and_theirs(flags, &theirs, &ours, detail);
        bool us = !strcmp(ours, "ok");
        accepted += us;
        bool agree = us == (theirs == X509_V_OK) || (!us && mapped_from_inhibited()) ||
                     (us && t->policies && theirs == X509_V_ERR_NO_EXPLICIT_POLICY && mapped_and_covered());
        if (!agree || (!us && strcmp(ours, "cert.policy")))
            test_fail("seed %u: ours %s (%s), theirs %s: %s", seed, ours, detail, X509_verify_cert_error_string(theirs), said);
    }
    fprintf(stderr, "%u of %u accepted\n", accepted, n);
    assert_true(accepted > n / 5 && accepted < n * 4 / 5);
}

/* ---- name constraints */

static void constraints(void **state)
{
    (void)state;
    static const char *const bases[] = { "DNS:example", "DNS:a.example", "DNS:b.example", "DNS:", "email:a.example", "email:.a.example",
                                         "email:x@a.example", "URI:a.example", "URI:.a.example", "IP:192.0.2.0/24", "IP:10.0.0.0/8",
                                         "IP:2001:db8::/32", "dir:O=Troth", "dir:OU=Unit,O=Troth", "dir:O=TROTH  ", "dir:C=DE" };
    static const char *const names[] = { "DNS:a.example", "DNS:x.a.example", "DNS:b.example", "DNS:xa.example", "DNS:a.test", "email:x@a.example",
                                         "email:y@a.example", "email:y@b.a.example", "email:x@b.example", "URI:http://a.example/",
                                         "URI:http://b.a.example:80/x", "URI:https://u@b.example", "IP:192.0.2.1", "IP:10.1.2.3",
                                         "IP:2001:db8::1", "IP:2001:db9::1", "dir:CN=x,OU=Unit,O=Troth", "dir:O=Other", "RID:1.2.3" };
    static const char *const subjects[] = { "CN=x,OU=Unit,O=Troth", "CN=x,O=troth", "CN=y,O=Other", "CN=z,C=DE", "" };
    static const char *lists[2 * MOST][16], *san[20];
    unsigned accepted = 0, n = trials();
    for (unsigned seed = 1; seed <= n; seed++) {
        dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 7;
        chain_begin(1 + roll(3));
        said[0] = 0;
        for (unsigned i = 0; i < n_levels; i++)
            for (unsigned excluded = 0; excluded < 2; excluded++) {
                unsigned k = 0;
                for (unsigned b = 0; b < COUNT_OF(bases); b++)
                    if (roll(100) < (excluded ? 5 : 12))
                        lists[2 * i + excluded][k++] = bases[b];
                lists[2 * i + excluded][k] = NULL;
                *(excluded ? &level[i].excluded : &level[i].permitted) = k && roll(3) ? lists[2 * i + excluded] : NULL;
                for (const char *const *p = excluded ? level[i].excluded : level[i].permitted; p && *p; p++)
                    tell(" %s%s", excluded ? "-" : "+", *p);
            }
        unsigned k = 0;
        for (unsigned b = 0; b < COUNT_OF(names); b++)
            if (roll(100) < 10)
                san[k++] = names[b];
        san[k] = NULL;
        level[n_levels].san = san;
        if (!k)
            san[0] = "RID:1.2.3.4", san[1] = NULL;
        level[n_levels].subject = subjects[roll(COUNT_OF(subjects))];
        tell(" | %s", level[n_levels].subject);
        for (unsigned b = 0; b < k; b++)
            tell(" %s", san[b]);
        int theirs;
        const char *ours;
        char detail[160];
        ours_and_theirs(0, &theirs, &ours, detail);
        bool us = !strcmp(ours, "ok");
        accepted += us;
        if (us != (theirs == X509_V_OK) || (!us && strcmp(ours, "cert.name-constraint")))
            test_fail("seed %u: ours %s (%s), theirs %s: %s", seed, ours, detail, X509_verify_cert_error_string(theirs), said);
    }
    fprintf(stderr, "%u of %u accepted\n", accepted, n);
    assert_true(accepted > n / 10 && accepted < n * 9 / 10);
}

/* ---- revocation lists */

static const struct issue_revoked *entries_draw(size_t *n, bool delta)
{
    static struct issue_revoked rows[64];
    static size_t at;
    static const int reasons[] = { -1, 1, 2, 4, 6, 8 };
    struct issue_revoked *first = &rows[at = (at + 8) % 56];
    *n = 0;
    for (uint8_t serial = 1; serial <= 3; serial++)
        if (roll(100) < 22) {
            static const uint8_t bytes[] = { 0, 1, 2, 3 };
            int reason = reasons[roll(delta ? 6 : 5)];
            first[(*n)++] = (struct issue_revoked){ .serial = span_of(bytes + serial, 1), .when = MK_NOW - 3600, .reason = reason };
            tell(" %u(%d)", serial, reason);
        }
    return *n ? first : NULL;
}

static void crls(void **state)
{
    (void)state;
    static const uint8_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    static const char *const where[] = { "URI:http://deltas.example/", NULL };
    static const struct issue_dp freshest = { .names = where }; /* without it they do not look for deltas */
    unsigned accepted = 0, n = trials();
    for (unsigned seed = 1; seed <= n; seed++) {
        dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 99;
        chain_begin(1);
        said[0] = 0;
        level[0].serial = span_of(numbers + 1 + roll(3), 1);
        level[1].serial = span_of(numbers + 1 + roll(3), 1);
        tell("authority %u, leaf %u;", level[0].serial.p[0], level[1].serial.p[0]);
        for (unsigned i = 0; i < 2; i++) {
            const struct issue *by = i ? &level[0] : &t->root;
            struct issue_crl base = mk_crl_spec(by);
            bool late = roll(20) == 0, early = roll(20) == 0, deltas = roll(3) == 0;
            unsigned number = 1 + roll(5);
            base.number = span_of(numbers + number, 1);
            base.next_update = late ? MK_NOW - 60 : base.next_update;
            base.this_update = early ? MK_NOW + 60 : base.this_update;
            base.bad_signature = roll(25) == 0;
            base.only_user = roll(10) == 0;
            base.only_ca = !base.only_user && roll(10) == 0;
            base.idp = base.only_user || base.only_ca;
            base.freshest = &freshest;
            base.n_freshest = 1;
            tell(" %s %u%s%s%s%s%s:", i ? "low" : "high", number, late ? " late" : "", early ? " early" : "", base.bad_signature ? " bad" : "",
                 base.only_user ? " users" : "", base.only_ca ? " CAs" : "");
            base.revoked = entries_draw(&base.n_revoked, false);
            if (roll(15))
                t->crls[t->n_crls++] = mk_crl(t->m, &base);
            else
                tell(" (not given)");
            if (!deltas)
                continue;
            struct issue_crl delta = base;
            unsigned to = 1 + roll(8), from = 1 + roll(5);
            delta.this_update = MK_NOW - 600;
            delta.next_update = MK_NOW + 600;
            delta.bad_signature = false;
            delta.n_freshest = 0;
            delta.number = span_of(numbers + to, 1);
            delta.delta_base = span_of(numbers + from, 1);
            tell(" delta %u to %u:", from, to);
            delta.revoked = entries_draw(&delta.n_revoked, true);
            t->crls[t->n_crls++] = mk_crl(t->m, &delta);
        }
        if (!t->n_crls)
            continue;
        int theirs;
        const char *ours;
        char detail[160];
        ours_and_theirs(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS, &theirs,
                        &ours, detail);
        bool us = !strcmp(ours, "ok");
        accepted += us;
        if (us != (theirs == X509_V_OK))
            test_fail("seed %u: ours %s (%s), theirs %s: %s", seed, ours, detail, X509_verify_cert_error_string(theirs), said);
    }
    fprintf(stderr, "%u of %u accepted\n", accepted, n);
    assert_true(accepted > n / 10 && accepted < n * 9 / 10);
}

static int setup(void **state)
{
    trial_setup(state);
    for (unsigned i = 0; i < MOST; i++)
        keys[i] = mk_key(t->m, TROTH_KEY_P256);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(policies), cmocka_unit_test(constraints), cmocka_unit_test(crls) };
    return cmocka_run_group_tests(tests, setup, trial_teardown);
}
