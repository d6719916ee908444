/* policy.c - certificate policies (RFC 5280 6.1, with the graph of RFC 9618 instead of the tree).
 *
 * Only the last level of the graph decides anything, so only that is kept: for each policy valid so far, what
 * the next certificate may call it (its expected set), and whether it goes back to a policy that the user
 * asked for.  A level holds at most the policies and mappings of one certificate and what the level before
 * expected: linear, where the tree was exponential. */
#include <stdlib.h>

#include "x509/judge.h"
#include "x509/oid.h"

struct pnode {
    span policy;
    bool any;    /* anyPolicy                                                              */
    bool wanted; /* descends from a policy of the initial set (or that set is "any")       */
    bool mapped; /* its expected set is not itself                                         */
};

/* One name by which a node's policy goes in the next certificate. */
struct expected {
    span policy;
    uint32_t node;
};

struct level {
    struct pnode *nodes;
    size_t n;
    struct expected *expect; /* sorted by policy */
    size_t n_expect;
    int any; /* index of the anyPolicy node; -1: none */
};

/* Policies by which a branch of the graph began at anyPolicy: named as the trust anchor names them. */
struct roots {
    span    *list;
    size_t   n, cap;
};

struct machine {
    struct judge *j;
    const span *only;    /* instead of the initial policy set: is anything valid for this one?  NULL: as the policy says */
    struct roots *roots; /* NULL: nobody wants to know */
    struct level now;
    bool null; /* the graph is NULL */
    unsigned explicit_policy, mapping, inhibit_any;
    const char *trouble;
};

static bool is_any(span oid)
{
    return oid_is(oid, OID_POLICY_ANY);
}

static int span_order(span a, span b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static int expected_order(const void *a, const void *b)
{
    return span_order(((const struct expected *)a)->policy, ((const struct expected *)b)->policy);
}

static int span_order_of(const void *a, const void *b)
{
    return span_order(*(const span *)a, *(const span *)b);
}

/* The first of the run of `policy`, in a sorted list; n_expect if there is none. */
static size_t expected_find(const struct level *l, span policy)
{
    size_t lo = 0, hi = l->n_expect;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (span_order(l->expect[mid].policy, policy) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->n_expect && span_equal(l->expect[lo].policy, policy) ? lo : l->n_expect;
}

static bool wants_any(const struct troth_policy *p)
{
    for (size_t i = 0; i < p->n_policies; i++)
        if (is_any(p->policies[i]))
            return true;
    return p->n_policies == 0;
}

/* A branch begins with this policy.  Does the user want it? */
static bool branch_begins(struct machine *m, span policy)
{
    const struct judge *j = m->j;
    if (m->roots && m->roots->n < m->roots->cap)
        m->roots->list[m->roots->n++] = policy;
    if (m->only)
        return span_equal(*m->only, policy);
    for (size_t i = 0; i < j->policy->n_policies; i++)
        if (span_equal(j->policy->policies[i], policy))
            return true;
    return wants_any(j->policy);
}

/* ---- reading the extensions (checked when they were read) */

static bool policy_next(span *list, span *oid)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    if (!rd_more(&r))
        return false;
    struct rd info = der_open(&r, "PolicyInformation", DER_SEQUENCE);
    *oid = der_oid(&info, "policyIdentifier");
    *list = rd_peek(&r);
    return rd_ok(&r);
}

static bool mapping_next(span *list, span *from, span *to)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    if (!rd_more(&r))
        return false;
    struct rd pair = der_open(&r, "mapping", DER_SEQUENCE);
    *from = der_oid(&pair, "issuerDomainPolicy");
    *to = der_oid(&pair, "subjectDomainPolicy");
    *list = rd_peek(&r);
    return rd_ok(&r);
}

/* The certificate's policies, sorted; anyPolicy is left out. */
static span *policies_sorted(struct machine *m, const struct cert *c, size_t *n)
{
    span list = c->policies, oid;
    *n = 0;
    while (policy_next(&list, &oid))
        ++*n;
    span *all = arena_array(m->j->arena, *n + 1, sizeof *all);
    if (!all)
        return NULL;
    list = c->policies;
    *n = 0;
    while (policy_next(&list, &oid))
        if (!is_any(oid))
            all[(*n)++] = oid;
    qsort(all, *n, sizeof *all, span_order_of);
    return all;
}

/* ---- 6.1.3 (d): one level on */

static void node_add(struct level *l, span policy, bool any, bool wanted)
{
    if (any)
        l->any = (int)l->n;
    l->nodes[l->n++] = (struct pnode){ policy, any, wanted, false };
}

/* Does a node for `policy` at the next level descend from something wanted, by the run of expectations that
 * starts at `run`? */
static bool run_wanted(const struct machine *m, size_t run, span policy)
{
    const struct level *l = &m->now;
    for (size_t i = run; i < l->n_expect && span_equal(l->expect[i].policy, policy); i++)
        if (l->nodes[l->expect[i].node].wanted)
            return true;
    return false;
}

/* (d)(1): every policy of the certificate that was expected, or that anyPolicy allows. */
static void policies_take(struct machine *m, struct level *next, const span *policies, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t run = expected_find(&m->now, policies[i]);
        if (run < m->now.n_expect)
            node_add(next, policies[i], false, run_wanted(m, run, policies[i]));
        else if (m->now.any >= 0)
            node_add(next, policies[i], false, branch_begins(m, policies[i]));
    }
}

static bool has_policy(const span *policies, size_t n, span policy)
{
    return n && bsearch(&policy, policies, n, sizeof *policies, span_order_of) != NULL;
}

/* (d)(2): anyPolicy stands for everything expected that the certificate does not name. */
static void any_take(struct machine *m, struct level *next, const span *policies, size_t n)
{
    const struct level *l = &m->now;
    for (size_t i = 0; i < l->n_expect; i++) {
        span p = l->expect[i].policy;
        bool seen = i > 0 && span_equal(l->expect[i - 1].policy, p);
        if (seen || has_policy(policies, n, p))
            continue;
        node_add(next, p, is_any(p), is_any(p) || run_wanted(m, i, p));
    }
}

/* The expected set of every node is itself, to begin with. */
static bool expectations_set(struct machine *m, struct level *l, size_t extra)
{
    l->expect = arena_array(m->j->arena, l->n + extra + 1, sizeof *l->expect);
    l->n_expect = 0;
    TRY(l->expect);
    for (size_t i = 0; i < l->n; i++)
        l->expect[l->n_expect++] = (struct expected){ l->nodes[i].policy, (uint32_t)i };
    qsort(l->expect, l->n_expect, sizeof *l->expect, expected_order);
    return true;
}

static bool level_advance(struct machine *m, const struct cert *c, bool last)
{
    if (!cert_has(c, CX_POLICIES)) {
        m->null = true;
        return true;
    }
    size_t n = 0;
    span *policies = policies_sorted(m, c, &n);
    TRY(policies);
    for (size_t i = 1; i < n; i++)
        if (span_equal(policies[i - 1], policies[i]))
            m->trouble = "a certificate lists one policy twice (RFC 5280 4.2.1.4)";
    if (m->null)
        return true;
    if (!spend_names(m->j, (uint32_t)(n + m->now.n_expect)))
        return true;
    struct level next = { .any = -1 };
    next.nodes = arena_array(m->j->arena, n + m->now.n_expect + 1, sizeof *next.nodes);
    TRY(next.nodes);
    policies_take(m, &next, policies, n);
    if (c->has_any_policy && (m->inhibit_any > 0 || (!last && c->self_issued)))
        any_take(m, &next, policies, n);
    m->null = next.n == 0;
    m->now = next;
    return expectations_set(m, &m->now, 0);
}

/* ---- 6.1.4 (a), (b): mappings */

static int node_find(const struct level *l, span policy)
{
    for (size_t i = 0; i < l->n; i++)
        if (span_equal(l->nodes[i].policy, policy))
            return (int)i;
    return -1;
}

static size_t mappings_count(span list)
{
    size_t n = 0;
    span from, to;
    while (mapping_next(&list, &from, &to))
        n++;
    return n;
}

/* (b)(1): the next certificate calls a mapped policy by the names it was mapped to, and no longer by its own.
 */
static bool mappings_apply(struct machine *m, const struct cert *c)
{
    size_t n = mappings_count(c->mappings);
    struct level *l = &m->now;
    struct level mapped = { .any = l->any };
    mapped.nodes = arena_array(m->j->arena, l->n + n + 1, sizeof *mapped.nodes);
    mapped.expect = arena_array(m->j->arena, l->n + 2 * n + 1, sizeof *mapped.expect);
    TRY(mapped.nodes && mapped.expect);
    if (l->n)
        memcpy(mapped.nodes, l->nodes, l->n * sizeof *l->nodes);
    mapped.n = l->n;
    span list = c->mappings, from, to;
    while (mapping_next(&list, &from, &to)) {
        int at = node_find(&mapped, from);
        if (at < 0 && mapped.any >= 0) {
            at = (int)mapped.n;
            node_add(&mapped, from, false, branch_begins(m, from));
        }
        if (at < 0)
            continue;
        mapped.nodes[at].mapped = true;
        mapped.expect[mapped.n_expect++] = (struct expected){ to, (uint32_t)at };
    }
    for (size_t i = 0; i < mapped.n; i++)
        if (!mapped.nodes[i].mapped)
            mapped.expect[mapped.n_expect++] = (struct expected){ mapped.nodes[i].policy, (uint32_t)i };
    qsort(mapped.expect, mapped.n_expect, sizeof *mapped.expect, expected_order);
    m->now = mapped;
    return true;
}

/* (b)(2): mapping is inhibited: what would be mapped is gone. */
static bool mappings_delete(struct machine *m, const struct cert *c)
{
    span list = c->mappings, from, to;
    struct level *l = &m->now;
    while (mapping_next(&list, &from, &to)) {
        int at = node_find(l, from);
        if (at < 0)
            continue;
        l->nodes[at] = l->nodes[--l->n];
    }
    l->any = node_find(l, oid_der(OID_POLICY_ANY));
    m->null = l->n == 0;
    return expectations_set(m, l, 0);
}

static bool mappings_take(struct machine *m, const struct cert *c)
{
    span list = c->mappings, from, to;
    while (mapping_next(&list, &from, &to))
        if (is_any(from) || is_any(to))
            m->trouble = "a mapping from or to anyPolicy (RFC 5280 6.1.4 a)";
    if (m->null || !cert_has(c, CX_POLICY_MAPPINGS))
        return true;
    if (!spend_names(m->j, (uint32_t)(m->now.n * mappings_count(c->mappings) / 16 + 1)))
        return true;
    return m->mapping > 0 ? mappings_apply(m, c) : mappings_delete(m, c);
}

/* ---- counters: 6.1.4 (h), (i), (j) */

static void lower_to(unsigned *counter, bool has, uint32_t to)
{
    if (has && to < *counter)
        *counter = to;
}

static void constraints_take(struct machine *m, const struct cert *c)
{
    lower_to(&m->explicit_policy, c->has_require_explicit, c->require_explicit);
    lower_to(&m->mapping, c->has_inhibit_mapping, c->inhibit_mapping);
    lower_to(&m->inhibit_any, c->has_inhibit_any, c->inhibit_any);
}

static void count_down(struct machine *m)
{
    m->explicit_policy -= m->explicit_policy > 0;
    m->mapping -= m->mapping > 0;
    m->inhibit_any -= m->inhibit_any > 0;
}

/* ---- the walk from the anchor to the leaf.  False: memory ran out.  *bad: the certificate at which it
 * failed; -1: it did not. */
static bool walk(struct machine *m, int *bad)
{
    struct judge *j = m->j;
    unsigned n = j->now.n - 1; /* certificates below the anchor */
    const struct troth_policy *p = j->policy;
    m->explicit_policy = p->require_explicit ? 0 : n + 1;
    m->mapping = p->inhibit_mapping ? 0 : n + 1;
    m->inhibit_any = p->inhibit_any ? 0 : n + 1;
    constraints_take(m, cert_at(j, n)); /* the anchor's own limits are initial values (RFC 5937) */
    m->now.nodes = arena_array(j->arena, 1, sizeof *m->now.nodes);
    TRY(m->now.nodes);
    m->now.any = -1;
    node_add(&m->now, oid_der(OID_POLICY_ANY), true, true);
    TRY(expectations_set(m, &m->now, 0));
    for (unsigned i = n; i-- > 0;) {
        const struct cert *c = cert_at(j, i);
        *bad = (int)i;
        TRY(level_advance(m, c, i == 0));
        if (m->trouble || j->spent || (m->explicit_policy == 0 && m->null))
            return true;
        if (i == 0)
            break;
        TRY(mappings_take(m, c));
        if (m->trouble || j->spent)
            return true;
        if (!c->self_issued)
            count_down(m);
        constraints_take(m, c);
    }
    *bad = -1;
    return true;
}

/* 6.1.5 (g): is anything left that the user asked for?  (With anyPolicy at the end, everything is.) */
static bool user_set_empty(const struct machine *m)
{
    if (m->null)
        return true;
    for (size_t i = 0; i < m->now.n; i++)
        if (m->now.nodes[i].wanted)
            return false;
    return true;
}

enum troth_verdict check_policies(struct judge *j, unsigned cert, struct finding *f)
{
    struct machine m = { .j = j };
    int bad = -1;
    (void)cert;
    if (j->now.n < 2)
        return passed(j, f, (struct range){ 0, 0 }, "the anchor itself");
    if (!walk(&m, &bad)) {
        j->out_of_memory = true;
        return found(j, f, TROTH_FAIL, TROTH_R_OUT_OF_MEMORY, (struct range){ 0, 0 }, "policies");
    }
    const struct cert *leaf = cert_at(j, 0);
    if (j->spent)
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, (struct range){ 0, 0 }, "too many policies");
    if (bad >= 0) {
        f->cert = (uint8_t)bad;
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_POLICY,
                     cert_range(cert_at(j, (unsigned)bad), cert_at(j, (unsigned)bad)->ext[CX_POLICIES]), "%s",
                     m.trouble ? m.trouble
                               : "an explicit policy is required, and none is valid down to here");
    }
    m.explicit_policy -= m.explicit_policy > 0; /* 6.1.5 (a), (b) */
    if (leaf->has_require_explicit && leaf->require_explicit == 0)
        m.explicit_policy = 0;
    if (m.explicit_policy == 0 && user_set_empty(&m))
        return found(
            j, f, TROTH_FAIL, TROTH_R_CERT_POLICY, cert_range(leaf, leaf->ext[CX_POLICIES]),
            "an explicit policy is required, and none of those asked for is valid for the whole path");
    return passed(j, f, cert_range(leaf, leaf->ext[CX_POLICIES]), "%u policies valid for the path%s",
                  (unsigned)(m.null ? 0 : m.now.n), m.explicit_policy ? ", none required" : "");
}

/* ---- what the path is valid for: 6.1.6, as RFC 9618 6 has it */

/* The whole walk for a path that was accepted.  False: memory or the budget ran out. */
static bool walk_again(struct judge *j, struct machine *m, const span *only, struct roots *roots)
{
    int bad;
    *m = (struct machine){ .j = j, .only = only, .roots = roots };
    return walk(m, &bad) && !j->spent;
}

static bool list_policy(struct judge *j, const char **list, size_t *n, span oid)
{
    char in[120];
    struct text t = TEXT_IN(in);
    oid_dotted(&t, oid);
    const char *words = arena_string(j->arena, span_of(t.p, t.n));
    TRY(words);
    list[(*n)++] = words;
    return true;
}

/* Those of `asked` that something at the end of the path descends from. */
static bool list_valid(struct judge *j, const char **list, size_t *n, const struct roots *asked)
{
    for (size_t i = 0; i < asked->n; i++) {
        struct machine m;
        bool before = false;
        for (size_t k = 0; k < i && !before; k++)
            before = span_equal(asked->list[k], asked->list[i]);
        if (before)
            continue;
        TRY(walk_again(j, &m, &asked->list[i], NULL));
        if (!user_set_empty(&m))
            TRY(list_policy(j, list, n, asked->list[i]));
    }
    return true;
}

bool policies_valid(struct judge *j, const char ***out, size_t *n)
{
    const struct troth_policy *p = j->policy;
    struct machine m;
    struct roots asked = { .cap = POLICIES_TOLD };
    *n = 0;
    asked.list = arena_array(j->arena, POLICIES_TOLD, sizeof *asked.list);
    *out = arena_array(j->arena, POLICIES_TOLD + 1, sizeof **out);
    TRY(asked.list && *out);
    if (!wants_any(p)) {
        for (size_t i = 0; i < p->n_policies && asked.n < asked.cap; i++)
            asked.list[asked.n++] = p->policies[i];
        return list_valid(j, *out, n, &asked);
    }
    TRY(walk_again(j, &m, NULL, &asked));
    if (!m.null && m.now.any >= 0)
        TRY(list_policy(j, *out, n, oid_der(OID_POLICY_ANY)));
    return list_valid(j, *out, n, &asked);
}
