/* revoked_model.c - see revoked_model.h.  The paragraphs of RFC 5280 6.3.3 stand beside the code. */
#include "fuzz/revoked_model.h"

#include "support/test.h"

const char *const m_subjects[ACTORS] = { "CN=root", "CN=mid", "CN=mid", "CN=mid", "CN=lister", "CN=responder", "CN=leaf" };
const uint8_t m_serials[M_SERIALS] = { 0x55, 0x66, 0x11, 0x22, 0x77 };
/* the same numbers under different issuers, of course */
const struct m_actor m_actors[ACTORS] = {
    { N_ROOT, 1 }, { N_MID, 2 }, { N_MID, 0x66 }, { N_MID, 0x55 }, { N_LISTER, 0x11 }, { N_RESPONDER, 0x22 }, { N_LEAF, 0x55 },
};

enum status { UNKNOWN, GOOD, REVOKED };

/* One question after another: CRL signers whose own status is being asked for. */
struct asking {
    const struct model *m;
    unsigned            signers; /* bits of enum actor */
};

static bool passes(struct asking *k, enum actor a, bool stapled, enum status *s);

enum actor m_issuer(const struct model *m, enum actor a)
{
    return a == A_LEAF        ? A_MID
           : a == A_LISTER    ? (enum actor)m->lister_by
           : a == A_RESPONDER ? (enum actor)m->responder_by
           : a == A_STRANGER  ? A_STRANGER
                              : A_ROOT;
}

static unsigned dir_of(unsigned name)
{
    return name == N_ROOT ? BIT(M_DIR_ROOT) : name == N_MID ? BIT(M_DIR_MID) : name == N_LISTER ? BIT(M_DIR_LISTER) : 0;
}

static unsigned part_of(unsigned name)
{
    return name == N_ROOT  ? BIT(M_PART_ROOT)
           : name == N_MID ? BIT(M_PART_MID)
           : name == N_LISTER ? BIT(M_PART_LISTER)
                              : BIT(M_PART_RESPONDER);
}

/* ---- who signed: (f), (g) */

static bool in_date_and_known(const struct model *m, enum actor a)
{
    return !m->certs[a].expired && !m->certs[a].odd;
}

static bool trusted(struct asking *k, enum actor a)
{
    enum status s;
    if (a == A_ROOT || k->signers & BIT(a))
        return true;
    if (a == A_STRANGER || a == A_RESPONDER || a == A_LEAF)
        return false;
    struct asking deeper = { k->m, k->signers | BIT(a) };
    for (enum actor c = a; c != A_ROOT; c = m_issuer(k->m, c))
        if (!in_date_and_known(k->m, c) || !passes(&deeper, c, false, &s))
            return false;
    return true;
}

static bool authentic(struct asking *k, const struct m_crl *l, enum actor issuer)
{
    const struct m_cert *by = &k->m->certs[l->by];
    bool may = l->by == A_ROOT || l->by == A_STRANGER || !by->no_sign || (by->no_usage && l->by != A_MID);
    return l->fault != M_BAD_SIGNATURE && l->name == m_actors[l->by].name && may && (l->by == issuer || trusted(k, (enum actor)l->by));
}

/* ---- one list */

static bool in_scope(const struct model *m, enum actor a, const struct m_point *p, const struct m_crl *l) /* (b) */
{
    unsigned issuer = m_actors[m_issuer(m, a)].name;
    if (p && p->crl_issuer ? !l->indirect || !(p->crl_issuer & dir_of(l->name)) : l->name != issuer)
        return false;
    unsigned idp = l->relative ? part_of(l->name) : l->names, point = dir_of(issuer);
    if (p && p->relative)
        for (unsigned n = N_ROOT; n <= N_LISTER; n++) {
            if (p->crl_issuer ? p->crl_issuer & dir_of(n) : n == issuer)
                point = part_of(n);
        }
    else if (p)
        point = p->names ? p->names : p->crl_issuer;
    if (idp && !(idp & point))
        return false;
    return l->only == M_ANY || l->only == (a == A_MID ? M_ONLY_CA : M_ONLY_USER);
}

static bool current(const struct m_crl *l)
{
    return l->until >= MK_NOW;
}

static bool well_made(const struct m_crl *l)
{
    for (unsigned i = 0; i < l->n_entries; i++)
        if (l->entries[i].critical)
            return false;
    return (l->fault == M_SOUND || l->fault == M_BAD_SIGNATURE) && l->since <= MK_NOW;
}

static bool same_scope(const struct m_crl *a, const struct m_crl *b)
{
    return a->name == b->name && a->only == b->only && a->indirect == b->indirect && a->relative == b->relative && a->reasons == b->reasons &&
           a->names == b->names;
}

/* Of two that have one number, which no issuer should write, the later. */
static bool is_newer(const struct m_crl *a, const struct m_crl *b)
{
    return a->number > b->number || (a->number == b->number && a->since > b->since);
}

static const struct m_crl *newest_delta(const struct model *m, const struct m_crl *l) /* (c), (h) */
{
    const struct m_crl *best = NULL;
    for (const struct m_crl *d = m->crls; d < m->crls + m->n_crls; d++)
        if (d->base && same_scope(d, l) && d->aki == l->aki && d->by == l->by && d->base <= l->number && l->number < d->number && well_made(d) &&
            current(d) && d->fault == M_SOUND && (!best || is_newer(d, best)))
            best = d;
    return best;
}

static bool in_force(const struct model *m, const struct m_crl *l)
{
    return well_made(l) && (current(l) || newest_delta(m, l));
}

/* Not of the RFC: of lists of one scope, the newest counts. */
static bool outdated(const struct model *m, const struct m_crl *l)
{
    for (const struct m_crl *d = m->crls; d < m->crls + m->n_crls; d++)
        if (!d->base && same_scope(d, l) && d->by == l->by && d->fault == M_SOUND && in_force(m, d) &&
            (d->since > l->since || (d->since == l->since && d->number > l->number)))
            return true;
    return false;
}

static const struct m_entry *entry_of(const struct model *m, enum actor a, const struct m_crl *l) /* (i), (j) */
{
    unsigned issuer = m_actors[m_issuer(m, a)].name;
    bool ours = l->name == issuer;
    const struct m_entry *found = NULL;
    for (const struct m_entry *e = l->entries; e < l->entries + l->n_entries; e++) {
        if (e->issuer)
            ours = e->issuer & dir_of(issuer);
        if (ours && e->serial == m_actors[a].serial && (!found || found->reason == M_REMOVED))
            found = e;
    }
    return found;
}

/* ---- all of them */

/* Not of the RFC, which leaves the order open: the newest is asked first, and of those equally new the one with the highest number. */
static void newest_first(const struct model *m, const struct m_crl **list)
{
    for (unsigned i = 0, to; i < m->n_crls; i++) {
        const struct m_crl *l = &m->crls[i];
        for (to = i; to && (list[to - 1]->since < l->since || (list[to - 1]->since == l->since && list[to - 1]->number < l->number)); to--)
            list[to] = list[to - 1];
        list[to] = l;
    }
}

static enum status by_crls(struct asking *k, enum actor a)
{
    const struct model *m = k->m;
    const struct m_cert *c = &m->certs[a];
    const struct m_crl *list[M_CRLS];
    newest_first(m, list);
    uint32_t reasons = 0;
    for (unsigned i = 0; i <= c->n_points; i++)
        for (unsigned n = 0; n < m->n_crls && reasons != M_REASONS; n++) {
            const struct m_crl *l = list[n];
            const struct m_point *p = i < c->n_points ? &c->points[i] : NULL;
            uint32_t mask = M_REASONS & (p && p->reasons ? p->reasons : M_REASONS) & (l->reasons ? l->reasons : M_REASONS); /* (d) */
            if (l->base || !in_scope(m, a, p, l) || !(mask & ~reasons) || !in_force(m, l) || !authentic(k, l, m_issuer(m, a)) || outdated(m, l))
                continue;
            const struct m_crl *d = newest_delta(m, l);
            const struct m_entry *e = d ? entry_of(m, a, d) : NULL;
            e = e ? e : entry_of(m, a, l);
            if (e && e->reason != M_REMOVED) /* (k) */
                return REVOKED;
            reasons |= mask; /* (l) */
        }
    return reasons == M_REASONS ? GOOD : UNKNOWN;
}

/* ---- RFC 6960 */

static bool may_answer(struct asking *k, const struct m_ocsp *o, enum actor issuer) /* 4.2.2.2 */
{
    const struct model *m = k->m;
    const struct m_cert *r = &m->certs[A_RESPONDER];
    if (o->bad || o->by == issuer)
        return !o->bad;
    if (o->by != A_RESPONDER || m->responder_by != issuer || o->no_certs || m->responder & 3 || (r->no_sign && !r->no_usage) ||
        !in_date_and_known(m, A_RESPONDER))
        return false;
    return m->responder & 4 || by_crls(k, A_RESPONDER) != REVOKED; /* 4.2.2.2.1 */
}

static const struct m_single *answer_about(const struct model *m, enum actor a, const struct m_ocsp *o)
{
    const struct m_single *s = NULL;
    for (const struct m_single *i = o->singles; i < o->singles + o->n_singles; i++)
        if (i->of == m_issuer(m, a) && i->serial == m_actors[a].serial &&
            (!s || i->since > s->since || (i->since == s->since && i->status == 1)))
            s = i;
    return s;
}

/* It is one of today, and nothing in it is strange. */
static bool is_plain(const struct m_ocsp *o, const struct m_single *s)
{
    int64_t latest = MK_NOW + 300;
    return !o->failure && !o->critical && !s->critical && s->since <= latest && o->produced <= latest &&
           (s->until ? s->until : s->since + 86400) >= MK_NOW;
}

static enum status by_ocsp(struct asking *k, enum actor a, const struct m_ocsp *o)
{
    const struct m_single *s = answer_about(k->m, a, o);
    if (!s || !is_plain(o, s) || s->status == 2 || !may_answer(k, o, m_issuer(k->m, a)))
        return UNKNOWN;
    return s->status ? REVOKED : GOOD;
}

/* RFC 6066 8, as far as it is kept where no news is good news: about another certificate, or by somebody who never might have answered. */
static bool is_no_answer(struct asking *k, const struct m_ocsp *o)
{
    const struct model *m = k->m;
    enum actor issuer = m_issuer(m, A_LEAF);
    const struct m_single *s = answer_about(m, A_LEAF, o);
    const struct m_cert *r = &m->certs[A_RESPONDER];
    bool certified = o->by == A_RESPONDER && m->responder_by == issuer && !o->no_certs && !(m->responder & 3) && (!r->no_sign || r->no_usage);
    if (o->failure || (s && !is_plain(o, s)))
        return false;
    return !s || !(may_answer(k, o, issuer) || (certified && r->expired));
}

/* ---- the verdict */

static bool passes(struct asking *k, enum actor a, bool stapled, enum status *s)
{
    const struct model *m = k->m;
    *s = UNKNOWN;
    if (m->revocation == TROTH_REVOCATION_OFF) {
        *s = GOOD;
        return true;
    }
    for (unsigned i = m->stapled && !stapled; i < m->n_ocsp; i++) {
        enum status one = by_ocsp(k, a, &m->ocsps[i]);
        *s = one > *s ? one : *s;
    }
    enum status lists = by_crls(k, a);
    *s = lists > *s ? lists : *s;
    bool hard = m->revocation == TROTH_REVOCATION_HARD || (m->revocation == TROTH_REVOCATION_DEFAULT && m->n_crls);
    return *s == GOOD || (*s == UNKNOWN && !hard);
}

void m_expect(struct m_expected *x, const struct model *m)
{
    struct asking k = { m, 0 };
    enum status leaf, mid;
    bool leaf_passes = passes(&k, A_LEAF, true, &leaf), mid_passes = passes(&k, A_MID, false, &mid);
    *x = (struct m_expected){ .otherwise = !in_date_and_known(m, A_MID) || !in_date_and_known(m, A_LEAF) };
    x->no_answer = m->revocation != TROTH_REVOCATION_OFF && m->stapled && m->n_ocsp && is_no_answer(&k, &m->ocsps[0]);
    x->accepted = leaf_passes && mid_passes && !x->otherwise && !x->no_answer;
    x->revoked = leaf == REVOKED || mid == REVOKED;
    x->unknown = leaf == UNKNOWN || mid == UNKNOWN;
}
