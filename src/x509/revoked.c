/* revoked.c - what is known about revocation and transparency, from what was given: nothing is fetched.
 *
 * "Revoked" from any source that may say so refuses.  "Good" needs one source that may say so.  What happens
 * when nobody knows is the policy's choice.  A CRL may be signed by another certificate of its issuer: that
 * one then needs a path of its own, to the same anchor (RFC 5280 6.3.3 f), and a status as good as is asked
 * of others; so does the certificate of an OCSP responder, as far as that is known. */
#include "x509/judge.h"
#include "x509/sct.h"

#define NOWHERE ((struct range){ 0, 0 })

static bool hard(const struct judge *j)
{
    return j->policy->revocation == TROTH_REVOCATION_HARD ||
           (j->policy->revocation == TROTH_REVOCATION_DEFAULT && j->policy->n_crls);
}

static unsigned signatures_left(const struct judge *j)
{
    return j->spent ? 0 : budget_of(j, LIMIT_BUDGET_SIGNATURES) - j->work.signatures;
}

static void holds_until(struct judge *j, int64_t until)
{
    if (until != INT64_MAX && (!j->now.until || until < j->now.until))
        j->now.until = until;
}

/* NULL for want of memory, of which the judge knows: each is then verified each time. */
static struct rev_memory *rev_memory_of(struct judge *j)
{
    if (!j->known->revocation && !(j->known->revocation = arena_alloc(j->arena, sizeof *j->known->revocation)))
        j->out_of_memory = true;
    return j->known->revocation;
}

/* ---- OCSP */

static void crls_ask(struct judge *j, const struct cert *c, const struct cert *issuer, struct rev_answer *a);

/* A responder's own certificate: its key, and whether it was revoked - unless it says that nobody need ask (RFC 6960 4.2.2.2.1). */
struct responder {
    struct judge *j;
    unsigned cert; /* that the answer is about */
};

static struct ocsp_fault responder_fault(void *ctx, const struct cert *c)
{
    struct responder *r = ctx;
    struct rev_answer a = { .status = REV_UNKNOWN };
    const char *weak = key_fault(c, r->j->policy->min_rsa), *fault = weak ? NULL : beside_fault(r->j, r->cert, c);
    if (weak)
        return (struct ocsp_fault){ weak, TROTH_R_OCSP_ALGORITHM };
    if (fault) {
        char in[EVIDENCE_MAX];
        struct text t = TEXT_IN(in);
        text_add(&t, "its signer's certificate: %s", fault);
        const char *words = arena_string(r->j->arena, span_of(t.p, t.n));
        return (struct ocsp_fault){ words ? words : "its signer's certificate cannot be used", TROTH_R_OCSP_RESPONDER };
    }
    if (!cert_has(c, CX_OCSP_NO_CHECK) && r->j->policy->n_crls)
        crls_ask(r->j, c, cert_at(r->j, r->cert + 1), &a);
    bool revoked = a.status == REV_REVOKED;
    return (struct ocsp_fault){ revoked ? "its own certificate is revoked" : NULL, revoked ? TROTH_R_OCSP_RESPONDER : TROTH_R_NONE };
}

/* What one response says.  False: it cannot be read, and `a` says so. */
static bool response_ask(struct judge *j, unsigned cert, const struct ocsp *response, struct rev_answer *a)
{
    struct ocsp_found which;
    struct responder responder = { j, cert };
    struct ocsp_question q = { .crypto = j->policy->provider,
                               .cert = cert_at(j, cert),
                               .issuer = cert_at(j, cert + 1),
                               .response = response,
                               .now = j->in->now,
                               .memory = rev_memory_of(j),
                               .max_signatures = signatures_left(j),
                               .responder_fault = responder_fault,
                               .ctx = &responder };
    ocsp_status(a, &which, &q);
    return spend_signatures(j, a->signatures);
}

/* What the stapled response says of the leaf.  Two checks of a path ask; it is read once. */
static const struct rev_answer *staple_ask(struct judge *j)
{
    struct ocsp response;
    troth_error why = { 0 };
    struct rev_answer *a = &j->staple;
    if (j->staple_asked)
        return a;
    *a = (struct rev_answer){ .status = REV_UNKNOWN, .why = TROTH_R_STAPLE_BAD };
    struct text t = TEXT_IN(a->evidence);
    if (!ocsp_parse(&response, j->in->ocsp, NULL, &why)) {
        text_add(&t, "the stapled response: %s: %s", why.text, why.detail);
    } else if (j->now.n > 1) {
        (void)!response_ask(j, 0, &response, a);
    } else {
        a->why = TROTH_R_REVOCATION_UNKNOWN;
        text_add(&t, "the certificate is itself a trust anchor: nobody is known who may answer for it");
    }
    j->staple_asked = true;
    return a;
}

static bool policy_ocsp_read(struct judge *j)
{
    const struct troth_policy *p = j->policy;
    struct known *known = j->known;
    if (known->ocsp_read)
        return true;
    known->ocsp = arena_array(j->arena, p->n_ocsp + 1, sizeof *known->ocsp);
    if (!known->ocsp) {
        j->out_of_memory = true;
        return false;
    }
    known->ocsp_read = true;
    for (size_t i = 0; i < p->n_ocsp; i++) {
        troth_error ignored = { 0 }; /* building the policy has read them once */
        if (ocsp_parse(&known->ocsp[known->n_ocsp], p->ocsp[i], NULL, &ignored))
            known->n_ocsp++;
    }
    return true;
}

/* ---- all sources together */

/* How much one that does not know has to say: nothing, that it is about another certificate, that there is no CRL, or what is wrong. */
static unsigned says(const struct rev_answer *a)
{
    if (!a->evidence[0])
        return 0;
    return a->why == TROTH_R_OCSP_OTHER_CERT || a->why == TROTH_R_REVOCATION_UNKNOWN ? 1 : a->why == TROTH_R_CRL_NONE ? 2 : 3;
}

/* Keeps the better of two answers: revoked before good before unknown; of two unknown, the one that says
 * more. */
static void answer_merge(struct rev_answer *all, const struct rev_answer *one)
{
    static const uint8_t weight[] = { [REV_UNKNOWN] = 0, [REV_GOOD] = 1, [REV_REVOKED] = 2 };
    bool says_more = all->status == REV_UNKNOWN && one->status == REV_UNKNOWN && says(one) > says(all);
    if (weight[one->status] > weight[all->status] || says_more)
        *all = *one;
}

static void crls_ask(struct judge *j, const struct cert *c, const struct cert *issuer, struct rev_answer *a)
{
    const struct troth_policy *p = j->policy;
    const struct cert **pool = arena_array(j->arena, j->n_pool + j->now.n, sizeof(struct cert *));
    size_t n = 0;
    *a = (struct rev_answer){ .status = REV_UNKNOWN, .why = TROTH_R_REVOCATION_UNKNOWN };
    if (!pool) {
        j->out_of_memory = true;
        return;
    }
    for (unsigned i = 0; i < j->now.n; i++)
        pool[n++] = cert_at(j, i);
    for (size_t i = 0; i < j->n_pool; i++)
        pool[n++] = j->pool[i].cert;
    struct crl_question q = { .crypto = p->provider,
                              .cert = c,
                              .issuer = issuer,
                              .crls = p->parsed_crls,
                              .n_crls = p->n_crls,
                              .now = j->in->now,
                              .memory = rev_memory_of(j),
                              .max_signatures = signatures_left(j),
                              .pool = pool,
                              .n_pool = n,
                              .trusted = signer_is_trusted,
                              .ctx = j };
    crl_status(a, &q);
    if (!spend_signatures(j, a->signatures))
        *a = (struct rev_answer){ .status = REV_UNKNOWN, .why = TROTH_R_CHAIN_BUDGET };
}

static void all_ask(struct judge *j, unsigned cert, struct rev_answer *all)
{
    const struct troth_policy *p = j->policy;
    struct rev_answer one;
    *all = (struct rev_answer){ .status = REV_UNKNOWN, .why = TROTH_R_REVOCATION_UNKNOWN };
    if (cert == 0 && j->in->ocsp.n && !j->signer_depth)
        answer_merge(all, staple_ask(j));
    if (p->n_ocsp && policy_ocsp_read(j))
        for (size_t i = 0; i < j->known->n_ocsp && all->status != REV_REVOKED; i++)
            if (response_ask(j, cert, &j->known->ocsp[i], &one)) {
                if (one.why == TROTH_R_OCSP_OTHER_CERT)
                    one.why = TROTH_R_REVOCATION_UNKNOWN; /* it may have been given for another of the path */
                answer_merge(all, &one);
            }
    if (p->n_crls && all->status != REV_REVOKED) {
        crls_ask(j, cert_at(j, cert), cert_at(j, cert + 1), &one);
        answer_merge(all, &one);
    }
}

static bool nothing_given(const struct judge *j, unsigned cert)
{
    return !j->policy->n_crls && !j->policy->n_ocsp && !(cert == 0 && j->in->ocsp.n);
}

/* Its issuer publishes nothing, so that nothing need be known (RFC 9608 4).  Not believed of an authority, or beside where it is. */
static bool none_is_published(const struct cert *c)
{
    return cert_has(c, CX_NO_REV_AVAIL) && !c->is_ca && !cert_names_revocation(c);
}

enum troth_verdict check_revocation(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->serial);
    if (cert + 1 == j->now.n)
        return passed(j, f, at, "a trust anchor");
    if (j->policy->revocation == TROTH_REVOCATION_OFF)
        return skipped(f, "revocation is not looked at, by policy");
    if (nothing_given(j, cert)) {
        if (none_is_published(c))
            return passed(j, f, at, "its issuer publishes none (RFC 9608 4)");
        if (hard(j))
            return found(j, f, TROTH_FAIL, TROTH_R_REVOCATION_UNKNOWN, at,
                         "no CRL and no OCSP response was given");
        return skipped(f, "no CRL and no OCSP response was given");
    }
    struct rev_answer a;
    all_ask(j, cert, &a);
    if (a.status == REV_REVOKED && a.by_issuer)
        link_revoke(j, j->now.node[cert], j->now.node[cert + 1]);
    if (a.status == REV_REVOKED)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_REVOKED, at, "%s", a.evidence);
    if (a.status == REV_GOOD) {
        holds_until(j, a.until);
        return passed(j, f, at, "%s", a.evidence);
    }
    if (none_is_published(c))
        return passed(j, f, at, "its issuer publishes none (RFC 9608 4)");
    if (hard(j))
        return found(j, f, TROTH_FAIL, a.why == TROTH_R_NONE ? TROTH_R_REVOCATION_UNKNOWN : a.why, at, "%s",
                     a.evidence);
    return found(j, f, TROTH_SKIPPED, TROTH_R_NONE, at, "not known: %s", a.evidence);
}

/* Is this no answer to the question, whoever asks and whenever?  Not so what time explains, or a responder that is busy, or what is
 * not known here: every other client forgives it, and its server would lose those of ours alone. */
static bool is_no_answer(enum troth_reason why)
{
    return why == TROTH_R_STAPLE_BAD || why == TROTH_R_OCSP_OTHER_CERT || why == TROTH_R_OCSP_SIGNATURE ||
           why == TROTH_R_OCSP_RESPONDER;
}

static enum troth_verdict staple_absent(struct judge *j, const struct cert *c, struct finding *f, struct range at)
{
    if (!c->must_staple)
        return passed(j, f, at, "none came, and none is demanded");
    if (!j->in->asked_staple)
        return skipped(f, "demanded; nobody asked for a staple");
    return found(j, f, TROTH_FAIL, TROTH_R_STAPLE_MISSING, at, "its TLS feature extension has status_request");
}

/* What came as a stapled response must be one (RFC 6066 8), and a good one where the certificate says so. */
enum troth_verdict check_staple(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_TLS_FEATURE]);
    if (j->signer_depth)
        return passed(j, f, at, "it was not shown in a handshake");
    if (!j->in->ocsp.n)
        return staple_absent(j, c, f, at);
    if (j->policy->revocation == TROTH_REVOCATION_OFF && !c->must_staple)
        return skipped(f, "revocation is not looked at, by policy");
    const struct rev_answer *a = staple_ask(j);
    bool stale = a->why == TROTH_R_OCSP_STALE;
    if (a->status != REV_UNKNOWN) /* revoked is the next check's business */
        return passed(j, f, at, "%s", c->must_staple ? "demanded, and stapled" : "it answers");
    if (c->must_staple)
        return found(j, f, TROTH_FAIL, stale ? TROTH_R_STAPLE_STALE : TROTH_R_STAPLE_BAD, at, "a good staple is demanded: %s",
                     a->evidence);
    return found(j, f, is_no_answer(a->why) ? TROTH_FAIL : TROTH_WARN, stale ? TROTH_R_STAPLE_STALE : a->why, at, "%s", a->evidence);
}

enum troth_verdict check_transparency(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_SCT_LIST]);
    struct sct_answer a;
    if (!j->policy->require_scts || j->signer_depth)
        return skipped(f, "not asked for");
    if (j->now.n < 2)
        return skipped(f, "the certificate is itself a trust anchor");
    struct ocsp response;
    struct ocsp_single single = { .scts = SPAN_NONE };
    troth_error ignored = { 0 };
    struct ocsp_question oq = { .crypto = j->policy->provider,
                                .cert = c,
                                .issuer = cert_at(j, 1),
                                .response = &response,
                                .now = j->in->now };
    bool in_ocsp = j->in->ocsp.n && ocsp_parse(&response, j->in->ocsp, NULL, &ignored) &&
                   ocsp_find(&response, &oq, &single);
    struct sct_question q = { .crypto = j->policy->provider,
                              .cert = c,
                              .issuer = cert_at(j, 1),
                              .logs = j->policy->ct_logs,
                              .n_logs = j->policy->n_ct_logs,
                              .in_ocsp = in_ocsp ? single.scts : SPAN_NONE,
                              .in_tls = j->in->scts,
                              .now = j->in->now,
                              .max_signatures = signatures_left(j) };
    sct_status(&a, &q);
    if (!spend_signatures(j, a.signatures))
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, at, "too many timestamps");
    if (a.good_logs < j->policy->require_scts)
        return found(j, f, TROTH_FAIL, TROTH_R_SCT_MISSING, at,
                     "%u of %u: %u timestamps came, from logs known and unknown", a.good_logs,
                     j->policy->require_scts, a.n);
    return passed(j, f, at, "%u logs have vouched", a.good_logs);
}

/* ---- signers of CRLs */

static struct signer *signer_known(struct known *known, const struct cert *cert, const struct anchor *anchor)
{
    for (unsigned i = 0; i < known->n_signers; i++)
        if (known->signers[i].cert && known->signers[i].anchor == anchor && cert_equal(known->signers[i].cert, cert))
            return &known->signers[i];
    return NULL;
}

/* A row that is free, those of verdicts that were not kept first; NULL: there is none. */
static struct signer *signer_row(struct known *known)
{
    for (unsigned i = 0; i < known->n_signers; i++)
        if (!known->signers[i].cert)
            return &known->signers[i];
    return known->n_signers < SIGNERS_MAX ? &known->signers[known->n_signers++] : NULL;
}

/* A judge for the signer: same certificates, same budget, any purpose, no name, the same anchor. */
static bool signer_judge(struct judge *j, const struct cert *cert, const struct anchor *anchor)
{
    struct judge *s = arena_alloc(j->arena, sizeof *s);
    struct node *pool = arena_array(j->arena, j->n_pool + 1, sizeof *pool),
                *leaf = arena_alloc(j->arena, sizeof *leaf);
    if (!s || !pool || !leaf) {
        j->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < j->n_pool; i++)
        pool[i] =
            (struct node){ .cert = j->pool[i].cert, .anchor = j->pool[i].anchor, .given = j->pool[i].given };
    *leaf = (struct node){ .cert = cert, .anchor = anchors_find(&j->policy->anchors, cert), .given = -1 };
    *s = (struct judge){ .policy = j->policy,
                         .in = j->in,
                         .arena = j->arena,
                         .report = j->report,
                         .purpose = TROTH_PURPOSE_ANY,
                         .pool = pool,
                         .n_pool = j->n_pool,
                         .leaf = leaf,
                         .known = j->known,
                         .work = j->work,
                         .signer_depth = j->signer_depth + 1,
                         .sorted = j->sorted,
                         .only_anchor = anchor };
    bool good = paths_search(s);
    j->work = s->work;
    j->spent |= s->spent;
    j->out_of_memory |= s->out_of_memory;
    return good;
}

bool signer_is_trusted(void *judge, const struct cert *cert)
{
    struct judge *j = judge;
    const struct anchor *anchor = j->now.node[j->now.n - 1]->anchor;
    struct signer *s = signer_known(j->known, cert, anchor);
    if (s && !s->done) /* one that is being looked at vouches for the CRL about itself, or against itself */
        return s->assumed = true;
    if (s)
        return s->trusted;
    if (j->signer_depth == SIGNER_DEPTH || !anchor || !(s = signer_row(j->known)))
        return false;
    *s = (struct signer){ .cert = cert, .anchor = anchor };
    bool trusted = s->trusted = signer_judge(j, cert, anchor);
    s->done = true;
    s->assumed = false;
    for (unsigned i = 0; i < j->known->n_signers; i++)
        if (!j->known->signers[i].done && j->known->signers[i].assumed)
            s->cert = NULL; /* a verdict, good or bad, that rests on one not yet made is not kept */
    return trusted;
}
