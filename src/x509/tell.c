/* tell.c - nothing was accepted: which of all the failures is the one to tell, and in which words.
 *
 * The failures of paths that lead to an anchor come first, the most telling of them by rank.  Where no path
 * leads to one the question is what is missing: an intermediate that was not sent, or a root that is not
 * trusted here, or the certificate stands alone. */
#include "x509/judge.h"
#include "x509/oid.h"

/* Most telling first; what is not here comes between the two groups.  A path that failed for its staple had nothing else amiss so far. */
static const uint16_t telling[] = {
    TROTH_R_CERT_REVOKED,         TROTH_R_STAPLE_MISSING, TROTH_R_STAPLE_STALE,       TROTH_R_STAPLE_BAD,   TROTH_R_OCSP_OTHER_CERT,
    TROTH_R_OCSP_SIGNATURE,       TROTH_R_OCSP_RESPONDER, TROTH_R_CERT_EXPIRED,       TROTH_R_CERT_NOT_YET_VALID,
    TROTH_R_CERT_NAME_MISMATCH,   TROTH_R_CERT_NO_IP_SAN, TROTH_R_CERT_CN_ONLY,       TROTH_R_CERT_WILDCARD_DEPTH,
    TROTH_R_CERT_IMPOSSIBLE_NAME, TROTH_R_CERT_NAME_CONSTRAINT,
};
static const uint16_t vague[] = {
    TROTH_R_CERT_BAD_SIGNATURE,
    TROTH_R_CHAIN_WRONG_INTERMEDIATE,
    TROTH_R_CHAIN_UNTRUSTED_ROOT,
};

static unsigned rank_of(enum troth_reason why)
{
    for (unsigned i = 0; i < COUNT_OF(telling); i++)
        if (telling[i] == why)
            return i;
    for (unsigned i = 0; i < COUNT_OF(vague); i++)
        if (vague[i] == why)
            return 200 + i;
    return 100;
}

/* A candidate that failed before its signature was looked at may have nothing to do with the certificate but
 * a name. */
static unsigned rank_of_path(struct judge *j, struct path *p)
{
    bool stranger = !p->complete && p->n > 1 && !link_verify(j, p->node[p->n - 2], p->node[p->n - 1]);
    return rank_of(p->reason) + (stranger ? 1000 : 0);
}

static const struct path *path_choose(struct judge *j)
{
    const struct troth_report *r = j->report;
    const struct path *best = NULL;
    unsigned best_rank = 0;
    for (size_t i = 0; i < r->n_paths; i++) {
        enum troth_reason why = r->paths[i]->reason;
        if (why == TROTH_R_NONE || (why == TROTH_R_CHAIN_BUDGET && j->futile))
            continue;
        unsigned rank = rank_of_path(j, r->paths[i]);
        if (!best || rank < best_rank) {
            best = r->paths[i];
            best_rank = rank;
        }
    }
    return best;
}

/* ---- is it the clock? */

static bool all_out(const struct path *p, int64_t now)
{
    unsigned early = 0, late = 0;
    for (unsigned i = 0; i < p->n; i++) {
        early += now < p->node[i]->cert->not_before;
        late += now > p->node[i]->cert->not_after;
    }
    return p->n > 1 && (early == p->n || late == p->n);
}

static bool clock_suspect(const struct judge *j, const struct path *p)
{
    bool of_time = p->reason == TROTH_R_CERT_EXPIRED || p->reason == TROTH_R_CERT_NOT_YET_VALID;
    return j->in->clock && of_time && (j->in->now < LIMIT_BUILD_DATE || all_out(p, j->in->now));
}

/* ---- the words of a finding */

/* What is wrong with one of those trusted is for whoever trusts it to mend, who has it at hand. */
static void tell_owner(troth_error *e)
{
    const char *hint = e->reason == TROTH_R_CERT_EXPIRED
                           ? "put the authority's current certificate among those that you trust, in the place of this one; if that date looks wrong to "
                             "you, check the clock of this machine"
                       : e->reason == TROTH_R_CERT_NOT_A_CA
                           ? "it is among those that you trust, and is no authority's: trust the authority's certificate, or the server's own"
                           : NULL;
    if (!hint)
        return;
    e->who = TROTH_WHO_YOU;
    e->hint = hint;
}

/* How much of a certificate's name there is room for, before the evidence, which is worth more. */
static size_t title_room(size_t all, size_t evidence, size_t most)
{
    enum { PLACE = 26 /* of "certificate 10 of 12" and what is between */, LEAST = 24 };
    size_t taken = evidence + PLACE, left = taken < all ? all - taken : 0;
    return left < LEAST ? LEAST : left < most ? left : most;
}

static void tell_finding(struct judge *j, const struct path *p)
{
    const struct finding *f = &p->findings[p->failed];
    const struct cert *c = p->node[f->cert]->cert;
    const char *what = f->evidence ? f->evidence : checks[f->check].name;
    troth_error *e = &j->report->error;
    char in[48], words[200];
    struct text title = text_in(in, title_room(sizeof e->detail, strlen(what), sizeof in)), t = TEXT_IN(words);
    cert_title(&title, c);
    j->report->error_origin = troth_report_origin(j->report, p->node[f->cert]->given);
    bool anchor = node_ends(p->node[f->cert]) && f->cert > 0;
    j->report->error_anchor = anchor ? p->node[f->cert]->anchor : NULL;
    if (anchor)
        text_add(&t, "trust anchor \"%s\"", title.p);
    else
        text_add(&t, "certificate %u of %u \"%s\"", f->cert + 1u, p->n, title.p);
    text_add(&t, ": %s", what);
    if (clock_suspect(j, p)) {
        char now_in[40];
        struct text now = TEXT_IN(now_in);
        text_time(&now, j->in->now);
        error_set(e, TROTH_R_CLOCK_SUSPECT, __FILE__, __LINE__, "your clock says %s; %s", now.p, t.p);
    } else {
        error_set(e, p->reason, __FILE__, __LINE__, "%s", t.p);
    }
    if (anchor)
        tell_owner(e);
    e->message = "Certificate";
    e->at = f->at;
}

/* ---- no path at all */

/* Of those given, who signed the last certificate of the path?  Verified: names alone would tell tales. */
static struct node *signer_find(struct judge *j)
{
    struct node *child = j->now.node[j->now.n - 1];
    const struct keyed *run;
    size_t n = pool_by_subject(j, child->cert->issuer_hash, &run);
    for (size_t i = 0; i < n && !j->spent; i++) {
        struct node *node = run[i].node;
        bool in_path = false;
        for (unsigned k = 0; k < j->now.n; k++)
            in_path |= j->now.node[k] == node || cert_equal(j->now.node[k]->cert, node->cert);
        if (!in_path && name_equal(node->cert->subject, child->cert->issuer) && link_verify(j, child, node))
            return node;
    }
    return NULL;
}

static bool words_have(const char *s, const char *word)
{
    size_t n = strlen(word);
    for (; *s; s++) {
        size_t i = 0;
        while (i < n && s[i] && (s[i] | 0x20) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* Does one of the trusted roots belong to the organization that this name is of? */
static bool organization_is_trusted(const struct judge *j, span name)
{
    char want_in[80], have_in[80];
    struct text want = TEXT_IN(want_in);
    if (!name_attribute(name, oid_der(OID_AT_O), &want) || !want.n)
        return false;
    for (size_t i = 0; i < j->policy->anchors.n; i++) {
        struct text have = TEXT_IN(have_in);
        if (name_attribute(j->policy->anchors.rows[i]->cert.subject, oid_der(OID_AT_O), &have) &&
            span_equal(span_of(want.p, want.n), span_of(have.p, have.n)))
            return true;
    }
    return false;
}

/* Missing intermediate or unknown root?  A server's certificate is hardly ever issued by a root, an
 * intermediate nearly always. */
static bool intermediate_is_missing(const struct judge *j, const struct cert *top, const char *issuer)
{
    bool like_root = words_have(issuer, "root");
    bool known = organization_is_trusted(j, top->issuer);
    return !like_root && (known || !top->is_ca);
}

static void trust_finding(struct judge *j, enum troth_reason why, unsigned cert, const char *words)
{
    j->now.n_findings = 0;
    struct finding *f = finding_add(j);
    if (!f)
        return;
    *f = (struct finding){ .check = (uint8_t)check_of_trust,
                           .cert = (uint8_t)cert,
                           .verdict = TROTH_FAIL,
                           .reason = (uint16_t)why };
    f->evidence = arena_string(j->arena, span_of(words, strlen(words)));
    j->now.n_findings = 1;
    j->now.reason = why;
    j->now.failed = 0;
    path_keep(j);
}

/* The issuers' locations in a certificate, for telling where the missing one can be had. */
static void aia_words(struct text *t, const struct cert *c)
{
    span list = c->ext[CX_AUTHORITY_INFO];
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    struct rd r = rd_init(&ctx, list);
    struct rd all = der_open(&r, "AuthorityInfoAccess", DER_SEQUENCE);
    while (rd_more(&all)) {
        struct rd one = der_open(&all, "AccessDescription", DER_SEQUENCE);
        span method = der_oid(&one, "accessMethod");
        struct der_tlv where = der_any(&one, "accessLocation");
        if (!rd_ok(&one) || !oid_is(method, OID_AD_CA_ISSUERS) || where.tag != DER_CONTEXT(GN_URI))
            continue;
        text_add(t, "; AIA names ");
        text_escaped(t, where.value);
        return;
    }
}

/* Which certificate of the path signed its last one: they certify one another in a circle.  0: none. */
static unsigned circle_at(struct judge *j)
{
    struct node *top = j->now.node[j->now.n - 1];
    for (unsigned i = 0; i + 1 < j->now.n; i++)
        if (name_equal(j->now.node[i]->cert->subject, top->cert->issuer) && link_verify(j, top, j->now.node[i]))
            return i + 1;
    return 0;
}

static void tell_no_path(struct judge *j)
{
    char issuer_in[90], words[300];
    struct text issuer = TEXT_IN(issuer_in), t = TEXT_IN(words);
    j->now = (struct path){ .n = 1 };
    j->now.node[0] = j->leaf;
    for (struct node *up; j->now.n < PATH_MAX_CERTS && (up = signer_find(j)) != NULL;)
        j->now.node[j->now.n++] = up;
    unsigned last = j->now.n - 1;
    struct node *top = j->now.node[last];
    name_text(&issuer, top->cert->issuer);
    enum troth_reason why = TROTH_R_CHAIN_UNTRUSTED_ROOT;
    unsigned circle = circle_at(j);
    if (circle) {
        text_add(&t, "its issuer \"%s\" is certificate %u: they certify one another, and none of them is trusted", issuer.p, circle);
    } else if (node_is_self_signed(j, top)) {
        why = last == 0 ? TROTH_R_CERT_SELF_SIGNED : why;
        text_add(&t, "\"%s\" is signed by itself, and not among the %zu that are trusted", issuer.p,
                 j->policy->anchors.n);
    } else {
        why = intermediate_is_missing(j, top->cert, issuer.p) ? TROTH_R_CERT_MISSING_INTERMEDIATE : why;
        text_add(&t, "its issuer \"%s\" was not given and is no trusted root", issuer.p);
        aia_words(&t, top->cert);
    }
    trust_finding(j, why, last, t.p);
    if (j->report->n_paths)
        tell_finding(j, j->report->paths[j->report->n_paths - 1]);
}

/* Is what is wrong with one path worth telling where others were not looked at?  Policies are of the whole combination: another may have
 * them. */
static bool is_telling(const struct path *p)
{
    return p->complete && p->reason != TROTH_R_CERT_POLICY;
}

void tell_failure(struct judge *j)
{
    struct troth_report *r = j->report;
    troth_error *e = &r->error;
    if (error_is_set(e))
        return;
    if (j->out_of_memory || !j->leaf) {
        error_set(e, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "judging certificates");
        return;
    }
    bool spent = j->spent && !j->futile;
    const struct path *p = path_choose(j);
    if (spent && !(p && is_telling(p)))
        error_set(e, TROTH_R_CHAIN_BUDGET, __FILE__, __LINE__, "%u signatures, %u steps, %u names",
                  j->work.signatures, j->work.steps, j->work.names);
    else if (p)
        tell_finding(j, p);
    else if (j->policy->anchors.n == 0)
        error_set(e, TROTH_R_TRUST_STORE_EMPTY, __FILE__, __LINE__, "the trust store is empty");
    else if (j->too_deep)
        error_set(e, TROTH_R_CHAIN_TOO_DEEP, __FILE__, __LINE__,
                  "at most %u authorities are allowed between certificate and anchor", j->policy->max_depth);
    else
        tell_no_path(j);
    if (j->out_of_memory && !error_is_set(e))
        error_set(e, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "judging certificates");
}
