/* crl_status.c - is this certificate revoked?  RFC 5280 6.3.3, step by step; its letters stand beside the code.
 *
 * Must never answer GOOD unless verified CRLs that cover this certificate for every reason do not list it. */
#include "base/limits.h"
#include "base/text.h"
#include "x509/crl.h"
#include "x509/der_wr.h"
#include "x509/oid.h"

/* ---- parts that OCSP shares */

static bool too_weak(enum troth_sig sig)
{
    return sig == TROTH_SIG_NONE || sig == TROTH_SIG_RSA_PKCS1_SHA1 || sig == TROTH_SIG_ECDSA_SHA1;
}

bool rev_can_verify(const troth_provider *crypto, const struct rev_signed *s, const struct cert *by)
{
    return !too_weak(s->sig) && by->key.type != TROTH_KEY_NONE && pss_allows(by->key_pss, s->sig, s->salt_n) &&
           crypto->can_verify(crypto->self, by->key.type, s->sig);
}

bool rev_verify(const troth_provider *crypto, struct rev_memory *memory, const struct rev_signed *s, const struct cert *by,
                unsigned *left, unsigned *used)
{
    for (unsigned i = 0; memory && i < memory->n; i++)
        if (memory->row[i].object == s->message.p && memory->row[i].key == by->spki.p)
            return memory->row[i].good;
    if (!rev_can_verify(crypto, s, by) || !*left)
        return false;
    --*left;
    ++*used;
    troth_public_key key = by->key;
    key.salt_n = s->salt_n;
    troth_verify_job job = { .sig = s->sig, .key = &key, .parts = &s->message, .n_parts = 1, .signature = s->signature };
    crypto->verify(crypto->self, &job, 1);
    if (memory && memory->n < REV_MEMORY) {
        memory->row[memory->n].object = s->message.p;
        memory->row[memory->n].key = by->spki.p;
        memory->row[memory->n++].good = job.good;
    }
    return job.good;
}

static bool equal_ignoring_case(span a, span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        uint8_t x = a.p[i], y = b.p[i];
        if (x != y && ((x ^ y) != 0x20 || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
            return false;
    }
    return true;
}

bool general_name_equal(const struct general_name_item *a, const struct general_name_item *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == GN_DIRECTORY ? name_equal(a->value, b->value)
           : a->kind == GN_DNS     ? equal_ignoring_case(a->value, b->value)
                                   : span_equal(a->value, b->value);
}

/* ---- the answer while it is worked out */

struct work {
    const struct crl_question *q;
    struct rev_answer         *a;
    unsigned                   left;       /* signatures that may still be verified */
    uint32_t                   reasons;    /* reasons_mask                          */
    bool                       revoked;
};

/* From the least to the most telling. */
static const enum troth_reason ranks[] = {
    TROTH_R_NONE,         TROTH_R_CRL_NONE,      TROTH_R_CRL_SCOPE,     TROTH_R_CRL_BASE,    TROTH_R_CRL_ISSUER,
    TROTH_R_CRL_CRITICAL, TROTH_R_CRL_MALFORMED, TROTH_R_CRL_SIGNATURE, TROTH_R_CRL_NOT_YET, TROTH_R_CRL_STALE,
    TROTH_R_CHAIN_BUDGET,
};

static size_t rank_of(enum troth_reason why)
{
    size_t i = COUNT_OF(ranks) - 1;
    while (i && ranks[i] != why)
        i--;
    return i;
}

/* Why a CRL was of no use.  Always false. */
static bool no_use(struct work *w, const struct crl *c, enum troth_reason why, const char *what)
{
    if (rank_of(why) <= rank_of(w->a->why) && w->a->why != TROTH_R_NONE)
        return false;
    w->a->why = why;
    struct text t = TEXT_IN(w->a->evidence);
    text_add(&t, "CRL of ");
    name_text(&t, c->issuer);
    text_add(&t, ": %s", what);
    if (why == TROTH_R_CRL_STALE || why == TROTH_R_CRL_NOT_YET) {
        text_add(&t, why == TROTH_R_CRL_STALE ? " " : " of ");
        text_time(&t, why == TROTH_R_CRL_STALE ? c->next_update : c->this_update);
    }
    return false;
}

/* ---- one list, by itself */

/* As far as it does not depend on whether there is a newer one. */
static bool begun(struct work *w, const struct crl *c)
{
    if (c->unknown_critical.n) /* RFC 5280 5.2, 5.3 */
        return no_use(w, c, TROTH_R_CRL_CRITICAL, c->entry_critical ? "unknown critical extension of an entry" : "unknown critical extension");
    bool numbered = c->has_number || c->version == 1; /* RFC 5280 5: version 1 is to be processed, and has no extensions */
    if (!c->has_next_update || !numbered || c->number_critical) /* 5.1.2.5, 5.2.3 */
        return no_use(w, c, TROTH_R_CRL_MALFORMED,
                      !c->has_next_update  ? "no nextUpdate"
                      : c->number_critical ? "its number is a critical extension"
                                           : "it has no number");
    return c->this_update <= w->q->now || no_use(w, c, TROTH_R_CRL_NOT_YET, "thisUpdate");
}

static bool usable(struct work *w, const struct crl *c)
{
    return begun(w, c) && (c->next_update >= w->q->now || no_use(w, c, TROTH_R_CRL_STALE, "a newer one was due at"));
}

/* ---- scope: 6.3.3 (b) */

/* Is `name` (a Name) among these GeneralNames? */
static bool names_have_dn(span names, span name)
{
    struct general_name_item g;
    for (unsigned n = 0; n < LIMIT_DP_NAMES && general_names_next(&names, &g); n++)
        if (g.kind == GN_DIRECTORY && name_equal(g.value, name))
            return true;
    return false;
}

static bool names_share(span a, span b)
{
    struct general_name_item x, y;
    for (unsigned n = 0; n < LIMIT_DP_NAMES && general_names_next(&a, &x); n++) {
        span rest = b;
        for (unsigned m = 0; m < LIMIT_DP_NAMES && general_names_next(&rest, &y); m++)
            if (general_name_equal(&x, &y))
                return true;
    }
    return false;
}

enum { COMPOSED_MAX = 2048 };

/* A relative name behind the issuer's: as GeneralNames' content in `room`; a full name as it is. */
static span full_names(const struct dp_name *n, span issuer, uint8_t *room)
{
    if (!n->relative)
        return n->names;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, issuer, NULL);
    struct rd r = rd_init(&ctx, issuer);
    span rdns = der_value(&r, "issuer", DER_SEQUENCE);
    struct wr w = wr_into(room, COMPOSED_MAX);
    size_t name = dw_open(&w, W_CONSTRUCTED(GN_DIRECTORY)), seq = dw_open(&w, W_SEQUENCE);
    wr_span(&w, rdns);
    dw_tlv(&w, W_SET, n->names);
    dw_close(&w, seq);
    dw_close(&w, name);
    return rd_ok(&r) && wr_ok(&w) ? wr_done(&w) : SPAN_NONE;
}

/* 6.3.3 (b)(2)(i): a name of the IDP is one of the point's - of its cRLIssuer where it has no name, of the certificate's issuer where
 * there is no point at all. */
static bool names_match(const struct work *w, const struct dist_point *dp, const struct crl *c)
{
    uint8_t theirs[COMPOSED_MAX], ours[COMPOSED_MAX];
    span idp = full_names(&c->idp_name, c->issuer, theirs);
    if (!dp)
        return names_have_dn(idp, w->q->cert->issuer);
    if (!dp->name.present)
        return names_share(idp, dp->crl_issuer);
    span issuer = w->q->cert->issuer;
    struct general_name_item g;
    span list = dp->crl_issuer;
    if (list.n && general_names_next(&list, &g) && g.kind == GN_DIRECTORY)
        issuer = g.value; /* RFC 5280 4.2.1.13: relative to the CRL's issuer */
    return names_share(idp, full_names(&dp->name, issuer, ours));
}

static bool in_scope(struct work *w, const struct dist_point *dp, const struct crl *c)
{
    const struct cert *cert = w->q->cert;
    bool is_ca = cert_has(cert, CX_BASIC_CONSTRAINTS) && cert->is_ca;
    if (dp && dp->crl_issuer.n) {                                                          /* (b)(1) */
        if (!names_have_dn(dp->crl_issuer, c->issuer))
            return false; /* somebody else's: not worth a word */
        if (!c->indirect)
            return no_use(w, c, TROTH_R_CRL_ISSUER, "not indirect, but the certificate names its issuer as one of others' CRLs");
    } else if (c->issuer_hash != cert->issuer_hash || !name_equal(c->issuer, cert->issuer)) {
        return false;
    }
    if (!c->has_idp)
        return true;
    if (c->idp_name.present && !names_match(w, dp, c))                                     /* (b)(2)(i) */
        return no_use(w, c, TROTH_R_CRL_SCOPE, "for another distribution point");
    if (c->only_user && is_ca)                                                             /* (ii) */
        return no_use(w, c, TROTH_R_CRL_SCOPE, "for certificates of users, and this is a CA's");
    if (c->only_ca && !is_ca)                                                              /* (iii) */
        return no_use(w, c, TROTH_R_CRL_SCOPE, "for certificates of CAs, and this is none");
    return !c->only_attribute || no_use(w, c, TROTH_R_CRL_SCOPE, "for attribute certificates"); /* (iv) */
}

static uint32_t interim_reasons(const struct dist_point *dp, const struct crl *c)                 /* (d) */
{
    uint32_t mask = REASONS_ALL;
    if (dp && dp->has_reasons)
        mask &= dp->reasons;
    if (c->has_only_reasons)
        mask &= c->only_reasons;
    return mask;
}

/* ---- who signed: 6.3.3 (f), (g) */

static bool may_sign(const struct cert *by)
{
    return !cert_has(by, CX_KEY_USAGE) || by->key_usage & KU_CRL_SIGN;
}

static bool key_fits(const struct crl *c, const struct cert *by)
{
    return !c->aki_key.n || !by->ski.n || span_equal(c->aki_key, by->ski);
}

static bool signed_by(struct work *w, const struct crl *c, const struct cert *by)
{
    struct rev_signed s = { c->tbs, c->signature, (enum troth_sig)c->sig, c->sig_salt_n };
    return rev_verify(w->q->crypto, w->q->memory, &s, by, &w->left, &w->a->signatures);
}

/* What came of looking for a CRL's signer. */
struct hunt {
    bool               tried;    /* somebody's key was                       */
    const struct cert *stranger; /* whose key it was, and nobody vouches for */
};

/* Likewise, among the others: those whose key identifier fits, or those whose does not. */
static const struct cert *signer_in_pool(struct work *w, const struct crl *c, bool fits, struct hunt *h)
{
    const struct crl_question *q = w->q;
    for (size_t i = 0; q->trusted && i < q->n_pool; i++) {
        const struct cert *by = q->pool[i];
        if (by == q->issuer || by->subject_hash != c->issuer_hash || !name_equal(by->subject, c->issuer) || key_fits(c, by) != fits ||
            !may_sign(by))
            continue;
        h->tried = true;
        if (!signed_by(w, c, by))
            continue;
        if (q->trusted(q->ctx, by))
            return by;
        h->stranger = by;
    }
    return NULL;
}

/* Nobody who may sign it is known to have: why not.  Always NULL. */
static const struct cert *signer_missing(struct work *w, const struct crl *c, const struct hunt *h)
{
    char in[160], who_in[90];
    struct text t = TEXT_IN(in), who = TEXT_IN(who_in);
    if (!w->left) {
        no_use(w, c, TROTH_R_CHAIN_BUDGET, "no signature more may be verified");
    } else if (h->stranger) {
        name_text(&who, h->stranger->issuer);
        text_add(&t, "its signer, a certificate from \"%s\", has no path of its own that is good", who.p);
        no_use(w, c, TROTH_R_CRL_SIGNATURE, t.p);
    } else if (h->tried && too_weak((enum troth_sig)c->sig)) {
        oid_show(&who, c->sig_oid);
        text_add(&t, "it is signed with %s, which is not accepted", who.p);
        no_use(w, c, TROTH_R_CRL_SIGNATURE, t.p);
    } else if (h->tried) {
        no_use(w, c, TROTH_R_CRL_SIGNATURE, "its signature is wrong");
    } else {
        no_use(w, c, TROTH_R_CRL_ISSUER, "there is no certificate of its issuer that may sign CRLs");
    }
    return NULL;
}

/* The certificate whose key signed `c`; NULL when there is none that may and did. */
static const struct cert *signer_of(struct work *w, const struct crl *c)
{
    const struct crl_question *q = w->q;
    bool named = name_equal(c->issuer, q->issuer->subject);
    struct hunt h = { 0 };
    if (named && key_fits(c, q->issuer)) {
        if (!may_sign(q->issuer)) {
            no_use(w, c, TROTH_R_CRL_ISSUER, "the key usage of its issuer does not allow signing CRLs");
        } else {
            h.tried = true;
            if (signed_by(w, c, q->issuer))
                return q->issuer;
        }
    }
    const struct cert *by = signer_in_pool(w, c, true, &h);
    if (by)
        return by;
    /* a wrong key identifier is no reason to distrust a signature */
    if (named && !key_fits(c, q->issuer) && may_sign(q->issuer) && signed_by(w, c, q->issuer))
        return q->issuer;
    by = signer_in_pool(w, c, false, &h);
    return by ? by : signer_missing(w, c, &h);
}

/* ---- entries: 6.3.3 (i), (j) */

/* The certificate's entry in `c`; false when there is none.  Of several, which no issuer should write, one that revokes. */
static bool listed(const struct work *w, const struct crl *c, struct crl_entry *out)
{
    const struct cert *cert = w->q->cert;
    bool ours = name_equal(c->issuer, cert->issuer), any = false; /* entries without certificateIssuer are the CRL issuer's own */
    span list = c->revoked;
    for (struct crl_entry e; crl_entry_next(&list, &e);) {
        if (e.cert_issuer.n)
            ours = names_have_dn(e.cert_issuer, cert->issuer); /* holds for those behind it, too (RFC 5280 5.3.3) */
        if (!ours || !span_equal(e.serial, cert->serial))
            continue;
        *out = e;
        any = true;
        if (e.reason != CRL_REMOVE)
            break;
    }
    return any;
}

static int compare_numbers(span a, span b)
{
    while (a.n && !a.p[0])
        a = span_slice(a, 1, a.n - 1);
    while (b.n && !b.p[0])
        b = span_slice(b, 1, b.n - 1);
    for (size_t i = 0; a.n == b.n && i < a.n; i++)
        if (a.p[i] != b.p[i])
            return a.p[i] < b.p[i] ? -1 : 1;
    return a.n < b.n ? -1 : a.n > b.n;
}

int crl_newest_first(const void *a, const void *b)
{
    const struct crl *x = a, *y = b;
    if (x->this_update != y->this_update)
        return x->this_update > y->this_update ? -1 : 1;
    return compare_numbers(y->number, x->number);
}

/* 6.3.3 (c), and 5.2.4: may `d` be added to `c`? */
static bool adds_to(const struct crl *d, const struct crl *c)
{
    return d->is_delta && c->has_number && name_equal(d->issuer, c->issuer) && d->has_idp == c->has_idp &&
           span_equal(d->idp_raw, c->idp_raw) && (!c->aki_key.n || span_equal(d->aki_key, c->aki_key)) &&
           compare_numbers(c->number, d->base) >= 0 && compare_numbers(c->number, d->number) < 0;
}

/* Is there one, by what it says? */
static bool has_delta(const struct work *w, const struct crl *c)
{
    for (size_t i = 0; i < w->q->n_crls; i++)
        if (adds_to(&w->q->crls[i], c) && w->q->crls[i].next_update >= w->q->now)
            return true;
    return false;
}

/* The newest delta CRL that may be added to `c`, signed by the same key: (c), (h). */
static const struct crl *delta_of(struct work *w, const struct crl *c, const struct cert *by)
{
    const struct crl *best = NULL;
    for (size_t i = 0; i < w->q->n_crls; i++) {
        const struct crl *d = &w->q->crls[i];
        if (d->is_delta && adds_to(d, c) && usable(w, d) && (!best || compare_numbers(d->number, best->number) > 0) &&
            signed_by(w, d, by))
            best = d;
    }
    return best;
}

/* Somebody gave an old CRL beside the current one: the newest of the same scope counts. */
static bool superseded(struct work *w, const struct crl *c, const struct cert *by)
{
    for (size_t i = 0; i < w->q->n_crls; i++) {
        const struct crl *d = &w->q->crls[i];
        if (d->issuer_hash != c->issuer_hash || d->is_delta || d->has_idp != c->has_idp || !span_equal(d->idp_raw, c->idp_raw) ||
            crl_newest_first(d, c) >= 0)
            continue;
        if (name_equal(d->issuer, c->issuer) && begun(w, d) && signed_by(w, d, by) && (d->next_update >= w->q->now || delta_of(w, d, by)))
            return true; /* an old one that a delta CRL brings up to date is no less current */
    }
    return false;
}

static void found(struct work *w, const struct crl *c, const struct crl_entry *e)
{
    if (e->reason == CRL_REMOVE) /* (k) */
        return;
    w->revoked = true;
    struct rev_answer *a = w->a;
    a->status = REV_REVOKED;
    a->why = TROTH_R_CERT_REVOKED;
    a->when = e->when;
    a->reason = e->reason;
    struct text t = TEXT_IN(a->evidence);
    text_add(&t, "revoked ");
    text_time(&t, e->when);
    if (e->reason != CRL_REASON_NONE)
        text_add(&t, " (%s)", crl_reason_name(e->reason));
    text_add(&t, " by the CRL of ");
    name_text(&t, c->issuer);
    text_add(&t, " from ");
    text_time(&t, c->this_update);
}

static void use(struct work *w, const struct crl *c)
{
    if (c->next_update < w->a->until)
        w->a->until = c->next_update;
    if (c->this_update > w->a->this_update)
        w->a->this_update = c->this_update;
}

/* One CRL for one distribution point (NULL: the one that is assumed). */
static void consider(struct work *w, const struct dist_point *dp, const struct crl *c)
{
    if (c->is_delta || !in_scope(w, dp, c))
        return;
    uint32_t mask = interim_reasons(dp, c);
    if (!(mask & ~w->reasons) || !begun(w, c)) /* (e) */
        return;
    bool stale = c->next_update < w->q->now; /* (a)(1): then a delta CRL must bring it up to date */
    if (stale && !has_delta(w, c)) {
        no_use(w, c, TROTH_R_CRL_STALE, "a newer one was due at");
        return;
    }
    const struct cert *by = signer_of(w, c);
    if (!by || superseded(w, c, by))
        return;
    const struct crl *delta = delta_of(w, c, by);
    struct crl_entry e;
    if (stale && !delta) {
        no_use(w, c, TROTH_R_CRL_STALE, "a newer one was due at");
        return;
    }
    if (!stale)
        use(w, c);
    if (delta)
        use(w, delta);
    if (delta && listed(w, delta, &e))
        found(w, delta, &e);
    else if (listed(w, c, &e))
        found(w, c, &e);
    w->a->by_issuer = w->revoked && by == w->q->issuer;
    w->reasons |= mask; /* (l) */
}

static void every_crl(struct work *w, const struct dist_point *dp)
{
    for (size_t i = 0; i < w->q->n_crls && !w->revoked && w->reasons != REASONS_ALL; i++)
        consider(w, dp, &w->q->crls[i]);
}

static void every_point(struct work *w)
{
    const struct cert *cert = w->q->cert;
    span list;
    struct dist_point dp;
    bool bad = false;
    if (!cert_has(cert, CX_CRL_POINTS) || !dist_points_open(cert->ext[CX_CRL_POINTS], &list))
        return;
    for (unsigned n = 0; n < LIMIT_DIST_POINTS && dist_point_next(&list, &dp, &bad); n++)
        every_crl(w, &dp);
}

static void explain_unknown(struct work *w)
{
    const struct crl_question *q = w->q;
    struct rev_answer *a = w->a;
    a->status = REV_UNKNOWN;
    if (rank_of(a->why) > rank_of(TROTH_R_CRL_SCOPE) || (a->why == TROTH_R_CRL_SCOPE && !w->reasons))
        return;
    struct text t = TEXT_IN(a->evidence);
    if (w->reasons) {
        a->why = TROTH_R_CRL_SCOPE;
        text_add(&t, "the CRLs given do not cover every reason for revoking");
        return;
    }
    for (size_t i = 0; i < q->n_crls; i++)
        if (q->crls[i].is_delta && name_equal(q->crls[i].issuer, q->cert->issuer)) {
            a->why = TROTH_R_CRL_BASE;
            text_add(&t, "there is only a delta CRL");
            return;
        }
    a->why = TROTH_R_CRL_NONE;
    text_add(&t, "no CRL of ");
    name_text(&t, q->cert->issuer);
    text_add(&t, " among the %zu given", q->n_crls);
}

void crl_status(struct rev_answer *a, const struct crl_question *q)
{
    *a = (struct rev_answer){ .until = INT64_MAX, .reason = CRL_REASON_NONE, .this_update = INT64_MIN };
    struct work w = { .q = q, .a = a, .left = q->max_signatures };
    every_point(&w);
    every_crl(&w, NULL);
    if (w.revoked)
        return;
    if (w.reasons != REASONS_ALL) {
        explain_unknown(&w);
        return;
    }
    a->status = REV_GOOD;
    a->why = TROTH_R_NONE;
    struct text t = TEXT_IN(a->evidence);
    text_add(&t, "not on the CRL from ");
    text_time(&t, a->this_update);
    text_add(&t, ", good until ");
    text_time(&t, a->until);
}
