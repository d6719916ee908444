/* fuzz_revoked.c - a small PKI with CRLs and OCSP responses that the input steers: what the judge makes of them (crl_status.c, ocsp_status.c,
 * revoked.c) against a second reading.
 *
 * The second reading (revoked_model.c) knows what was made, and parses nothing: RFC 5280 6.3 and RFC 6960 4.2.2.2 once more, over plain numbers.  Both
 * must come to the same verdict: a revoked certificate that is accepted, a good one that is refused, and a refusal for the wrong reason
 * are findings.  Whatever the input is, what is made of it is well-formed. */
#include "fuzz/revoked_model.h"

#include "fuzz/small_pki.h"
#include "support/test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- what the input says.  At its end: zeroes, of which everything sane is made. */
static unsigned pick(span *in, unsigned n)
{
    unsigned b = 0;
    if (in->n) {
        b = in->p[0];
        *in = span_slice(*in, 1, in->n - 1);
    }
    return b % n;
}

static int64_t pick_time(span *in, const int32_t *times, unsigned n)
{
    return MK_NOW + times[pick(in, n)];
}

static const int32_t since[] = { -86400, -3600, -10 * 86400, 0, 60, 299, 301, 3600, -86401, -60 };
static const int32_t due[] = { 6 * 86400, 3600, 0, -1, 30, -3600 };

static void take_point(struct m_point *p, span *in)
{
    *p = (struct m_point){ .present = true };
    unsigned kind = pick(in, 4);
    p->relative = kind == 1;
    if (kind != 3)
        p->names = p->relative ? 1 : 1 + pick(in, (1u << M_NAMES) - 1);
    p->reasons = pick(in, 3) ? 0 : pick(in, 256) << 1;
    /* several names, or one that is none of a person's, do not go with a relative name (RFC 5280 4.2.1.13) */
    if (p->relative)
        p->crl_issuer = pick(in, 2) ? 0 : BIT(M_DIR_ROOT + pick(in, 3));
    else
        p->crl_issuer = pick(in, 2) && p->names ? 0 : 1 + pick(in, (1u << M_NAMES) - 1);
}

static void take_cert(struct m_cert *c, span *in)
{
    unsigned flags = pick(in, 256);
    c->no_sign = flags & 1;
    c->no_usage = flags & 2;
    c->expired = flags & 4;
    c->odd = flags & 8;
    c->n_points = flags >> 4 & 3;
    if (c->n_points > M_POINTS)
        c->n_points = 0;
    for (unsigned i = 0; i < c->n_points; i++)
        take_point(&c->points[i], in);
}

static void take_entry(struct m_entry *e, span *in, bool indirect)
{
    static const int8_t reasons[] = { -1, 1, 6, 8, 0, 10 };
    e->serial = m_serials[pick(in, M_SERIALS)];
    e->reason = reasons[pick(in, COUNT_OF(reasons))];
    e->issuer = indirect ? pick(in, 1u << M_NAMES) : 0;
    e->critical = pick(in, 32) == 31;
}

static void take_crl(struct m_crl *l, span *in)
{
    static const uint8_t by[] = { A_MID, A_ROOT, A_MID2, A_LISTER, A_STRANGER, A_RESPONDER };
    l->by = by[pick(in, COUNT_OF(by))];
    unsigned other = pick(in, 16);
    l->name = other >= 13 ? (uint8_t)(N_ROOT + other - 13) : m_actors[l->by].name;
    l->spelt = other & 1;
    l->since = pick_time(in, since, COUNT_OF(since));
    l->until = pick_time(in, due, COUNT_OF(due));
    l->number = (uint8_t)(1 + pick(in, 5));
    l->base = pick(in, 4) == 1 ? (uint8_t)(1 + pick(in, 5)) : 0;
    l->fault = pick(in, 4) == 1 ? pick(in, M_FAULTS) : M_SOUND;
    unsigned idp = pick(in, 256);
    l->only = idp & 1 ? idp >> 1 & 3 : 0;
    l->indirect = idp & 8;
    l->reasons = idp & 16 ? pick(in, 256) << 1 : 0;
    if (idp & 32) {
        l->relative = idp & 64;
        l->names = l->relative ? 1 : 1 + pick(in, (1u << M_NAMES) - 1);
    }
    l->aki = idp >> 7;
    l->n_entries = pick(in, M_ENTRIES + 1);
    for (unsigned i = 0; i < l->n_entries; i++)
        take_entry(&l->entries[i], in, l->indirect);
}

static void take_single(struct m_single *s, span *in)
{
    static const uint8_t of[] = { A_MID, A_ROOT, A_MID2, A_STRANGER };
    s->of = of[pick(in, COUNT_OF(of))];
    s->serial = m_serials[pick(in, M_SERIALS)];
    s->hash = (uint8_t)pick(in, 3);
    s->status = (uint8_t)pick(in, 3);
    s->since = pick_time(in, since, COUNT_OF(since));
    unsigned next = pick(in, COUNT_OF(due) + 1);
    s->until = next ? MK_NOW + due[next - 1] : 0;
    s->critical = pick(in, 32) == 31;
}

static void take_ocsp(struct m_ocsp *o, span *in)
{
    static const uint8_t by[] = { A_MID, A_ROOT, A_RESPONDER, A_MID2, A_LISTER, A_STRANGER };
    o->by = by[pick(in, COUNT_OF(by))];
    unsigned flags = pick(in, 256);
    o->by_key = flags & 1;
    o->no_certs = flags & 2;
    o->more_certs = flags & 4;
    o->nonce = flags & 8;
    o->bad = (flags & 0x30) == 0x30;
    o->critical = (flags & 0xc0) == 0xc0;
    o->failure = pick(in, 16) == 15 ? 3 : 0;
    o->produced = pick_time(in, since, COUNT_OF(since));
    o->n_singles = 1 + pick(in, M_SINGLES);
    for (unsigned i = 0; i < o->n_singles; i++)
        take_single(&o->singles[i], in);
}

static void listen(struct model *m, span *in)
{
    static const enum troth_revocation ways[] = { TROTH_REVOCATION_DEFAULT, TROTH_REVOCATION_SOFT, TROTH_REVOCATION_HARD, TROTH_REVOCATION_OFF };
    unsigned flags = pick(in, 256);
    *m = (struct model){ .revocation = ways[flags & 3], .stapled = flags & 4, .every_check = flags & 8 };
    m->lister_by = flags & 16 ? A_MID : A_ROOT;
    m->responder_by = flags & 32 ? A_ROOT : A_MID;
    m->n_crls = pick(in, M_CRLS + 1);
    m->n_ocsp = pick(in, M_OCSPS + 1);
    m->responder = pick(in, 256);
    for (unsigned i = A_MID; i < ACTORS; i++)
        take_cert(&m->certs[i], in);
    m->certs[A_LEAF].no_sign = m->certs[A_LEAF].no_usage = false; /* of no interest here */
    for (unsigned i = 0; i < m->n_crls; i++)
        take_crl(&m->crls[i], in);
    for (unsigned i = 0; i < m->n_ocsp; i++)
        take_ocsp(&m->ocsps[i], in);
}

/* ---- made of it */
struct made {
    struct pki_ctx *p;
    struct issue   specs[ACTORS];
    span           certs[ACTORS], crls[M_CRLS], ocsps[M_OCSPS];
    struct issue_dp points[ACTORS][M_POINTS];
    const char    *names[64][M_NAMES + 1];
    unsigned       n_names;
};

static const char *const name_texts[M_NAMES] = { "URI:http://a.example/", "URI:http://b.example/", "dir:CN=root", "dir:CN=mid", "dir:CN=lister",
                                                 "dir:CN=part,CN=mid", "dir:CN=part,CN=lister" };

/* NULL for none: such a list is absent. */
static const char *const *names_of(struct made *d, unsigned mask)
{
    if (!mask)
        return NULL;
    assert_true(d->n_names < COUNT_OF(d->names));
    const char **list = d->names[d->n_names++];
    size_t n = 0;
    for (unsigned i = 0; i < M_NAMES; i++)
        if (mask & BIT(i))
            list[n++] = name_texts[i];
    list[n] = NULL;
    return list;
}

static void must(const struct made *d, bool ok)
{
    if (!ok)
        test_fail("%s: %s", d->p->error.code, d->p->error.detail);
}

static void make_cert(struct made *d, const struct model *m, enum actor a, const troth_key *key)
{
    static const char *const san[] = { "DNS:a.example", NULL }, *const ocsp[] = { "OCSPSigning", NULL };
    static const struct issue_ext odd = { "1.2.3.4", true, { (const uint8_t *)"\5\0", 2 } };
    const struct m_cert *c = &m->certs[a];
    enum actor by = m_issuer(m, a);
    struct issue *s = &d->specs[a];
    *s = a == A_ROOT || a == A_STRANGER ? mk_ca(m_subjects[a], key)
         : a == A_MID                   ? mk_sub_ca(&d->specs[by], m_subjects[a], key)
                                        : mk_leaf(&d->specs[by], key, NULL);
    s->subject = m_subjects[a];
    s->serial = span_of(&m_actors[a].serial, 1);
    if (a == A_LEAF)
        s->san = san;
    if (a == A_MID2 || a == A_LISTER) {
        s->eku = NULL;
        s->key_usage = KU_CRL_SIGN;
    }
    if (a == A_RESPONDER) {
        s->eku = m->responder & 1 ? NULL : m->responder & 2 ? s->eku : ocsp;
        s->ocsp_no_check = m->responder & 4;
    }
    if (c->no_usage && a != A_MID)
        s->key_usage = 0;
    else if (c->no_sign)
        s->key_usage = a == A_MID ? KU_KEY_CERT_SIGN : KU_KEY_AGREEMENT;
    if (c->expired)
        s->not_after = MK_NOW - 1;
    if (c->odd) {
        s->extra = &odd;
        s->n_extra = 1;
    }
    for (unsigned i = 0; i < c->n_points; i++)
        d->points[a][i] = (struct issue_dp){ .names = c->points[i].relative ? NULL : names_of(d, c->points[i].names),
                                             .relative = c->points[i].relative ? "CN=part" : NULL,
                                             .reasons = c->points[i].reasons,
                                             .crl_issuer = names_of(d, c->points[i].crl_issuer) };
    s->cdp = d->points[a];
    s->n_cdp = c->n_points;
    must(d, issue_cert(d->p, s, &d->certs[a]));
}

static span make_crl(struct made *d, const struct m_crl *l)
{
    static const char *const spelt[][2] = { { "CN=root", "CN/printable= ROOT" }, { "CN=mid", "CN/printable=Mid " },
                                            { "CN=lister", "CN/printable=LIstER" }, { "CN=responder", "CN=responder" } };
    static const struct issue_ext odd = { "1.2.3.4", true, { (const uint8_t *)"\5\0", 2 } };
    struct issue_revoked entries[M_ENTRIES];
    for (unsigned i = 0; i < l->n_entries; i++)
        entries[i] = (struct issue_revoked){ .serial = span_of(&l->entries[i].serial, 1),
                                             .when = MK_NOW - 7200,
                                             .reason = l->entries[i].reason,
                                             .issuer = names_of(d, l->entries[i].issuer),
                                             .extra = &odd,
                                             .n_extra = l->entries[i].critical };
    struct issue_crl s = { .by = &d->specs[l->by], .issuer = spelt[l->name][l->spelt], .this_update = l->since,
                           .next_update = l->fault == M_NO_NEXT ? 0 : l->until, .revoked = entries, .n_revoked = l->n_entries,
                           .number = span_of(&l->number, 1), .delta_base = span_of(&l->base, l->base > 0) };
    s.idp = m_has_idp(l);
    s.indirect = l->indirect;
    s.only_user = l->only == M_ONLY_USER;
    s.only_ca = l->only == M_ONLY_CA;
    s.only_attribute = l->only == M_ONLY_ATTRIBUTE;
    s.dp = (struct issue_dp){ .names = l->relative ? NULL : names_of(d, l->names), .relative = l->relative ? "CN=part" : NULL, .reasons = l->reasons };
    s.aki = l->aki ? SPAN_TEXT("somebody else") : SPAN_NONE;
    s.omit = l->fault == M_NO_NUMBER ? IX_CRL_NUMBER : 0;
    s.flip = l->fault == M_NUMBER_CRITICAL ? IX_CRL_NUMBER : 0;
    s.bad_signature = l->fault == M_BAD_SIGNATURE;
    s.extra = &odd;
    s.n_extra = l->fault == M_CRITICAL;
    span der;
    must(d, issue_crl(d->p, &s, &der));
    return der;
}

static span make_ocsp(struct made *d, const struct m_ocsp *o)
{
    static const enum troth_hash_id hashes[] = { TROTH_SHA1, TROTH_SHA256, TROTH_SHA384 };
    static const struct issue_ext odd = { "1.2.3.4", true, { (const uint8_t *)"\5\0", 2 } };
    struct issue_single singles[M_SINGLES];
    for (unsigned i = 0; i < o->n_singles; i++) {
        const struct m_single *q = &o->singles[i];
        singles[i] = (struct issue_single){ .ca = &d->specs[q->of], .serial = span_of(&q->serial, 1), .hash = hashes[q->hash],
                                            .status = (enum ocsp_cert_status)q->status, .revoked = MK_NOW - 7200, .reason = -1,
                                            .this_update = q->since, .next_update = q->until, .extra = &odd, .n_extra = q->critical };
    }
    span certs[] = { d->certs[o->by], d->certs[A_LEAF], d->certs[A_STRANGER] };
    struct issue_ocsp s = { .failure = o->failure, .by = &d->specs[o->by], .by_key = o->by_key, .produced = o->produced, .singles = singles,
                            .n_singles = o->n_singles, .nonce = o->nonce ? SPAN_TEXT("0123456789abcdef") : SPAN_NONE, .certs = certs,
                            .n_certs = o->no_certs ? 0 : o->more_certs ? 3 : 1, .extra = &odd, .n_extra = o->critical, .bad_signature = o->bad };
    span der;
    must(d, issue_ocsp(d->p, &s, &der));
    return der;
}

/* ---- and judged */
static void compare(const struct model *m, const troth_report *r)
{
    struct m_expected want;
    m_expect(&want, m);
    enum troth_reason why = troth_report_error(r)->reason;
    assert_int_equal(troth_report_ok(r), why == TROTH_R_NONE);
    assert_true(why != TROTH_R_BUG && why != TROTH_R_CHAIN_BUDGET);
    if (want.otherwise)
        return;
    if (troth_report_ok(r) != want.accepted)
        test_fail("%s (%s), but the second reading %s", troth_report_ok(r) ? "accepted" : troth_report_error(r)->code, troth_report_error(r)->detail,
                  want.accepted ? "accepts" : "does not");
    bool says_so = why == TROTH_R_OCSP_OTHER_CERT || why == TROTH_R_OCSP_SIGNATURE || why == TROTH_R_OCSP_RESPONDER;
    if (want.no_answer && !says_so)
        test_fail("%s (%s), but by the second reading the staple is no answer", troth_report_error(r)->code, troth_report_error(r)->detail);
    if (want.no_answer)
        return;
    if (why == TROTH_R_CERT_REVOKED ? !want.revoked : want.revoked && !want.unknown)
        test_fail("%s (%s), but by the second reading it is %srevoked", troth_report_error(r)->code, troth_report_error(r)->detail,
                  want.revoked ? "" : "not ");
}

static void judge(const struct made *d, const struct model *m, troth_provider *crypto)
{
    troth_error e = { 0 };
    span chain[] = { d->certs[A_LEAF], d->certs[A_MID], d->certs[A_MID2], d->certs[A_LISTER], d->certs[A_STRANGER] };
    troth_policy_builder *b = troth_policy_new(troth_provider_share(crypto));
    troth_policy_trust_pem(b, d->certs[A_ROOT]);
    troth_policy_time(b, MK_NOW);
    troth_policy_profile(b, TROTH_PROFILE_RFC5280);
    troth_policy_revocation(b, m->revocation);
    if (m->every_check)
        troth_policy_every_check(b);
    for (unsigned i = 0; i < m->n_crls; i++)
        troth_policy_crls(b, d->crls[i]);
    for (unsigned i = m->stapled; i < m->n_ocsp; i++)
        troth_policy_ocsp(b, d->ocsps[i]);
    troth_policy *p = troth_policy_build(b, &e);
    if (!p)
        test_fail("%s: %s", e.code, e.detail);
    troth_question q = { .size = sizeof q, .certs = chain, .n = COUNT_OF(chain), .host = "a.example" };
    if (m->stapled && m->n_ocsp)
        q.ocsp = d->ocsps[0];
    troth_report *r = troth_ask(p, &q);
    assert_non_null(r);
    compare(m, r);
    troth_report_free(r);
    troth_policy_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct small_pki pki;
    static struct model m;
    static struct made d;
    small_pki_begin(&pki);
    d = (struct made){ .p = &pki.p };
    span in = span_of(data, size);
    listen(&m, &in);
    for (unsigned a = 0; a < ACTORS; a++)
        make_cert(&d, &m, (enum actor)a, pki.keys[a]);
    for (unsigned i = 0; i < m.n_crls; i++)
        d.crls[i] = make_crl(&d, &m.crls[i]);
    for (unsigned i = 0; i < m.n_ocsp; i++)
        d.ocsps[i] = make_ocsp(&d, &m.ocsps[i]);
    judge(&d, &m, pki.mk->crypto);
    small_pki_end(&pki);
    return 0;
}
