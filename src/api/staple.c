/* staple.c - does an OCSP response that is to be stapled say something good, today, about the certificate that it goes with?
 *
 * Only warns: what was given is sent as it is, and clients judge it.  Must never say that a response is sound; who signed it cannot be
 * seen where the issuer is not in the chain. */
#include "api/api.h"

#include "base/text.h"
#include "x509/cert.h"
#include "x509/ocsp.h"

/* Without the issuer: is there an answer about this serial number, and is one not too old? */
static enum troth_reason by_serial(const struct cert *leaf, const struct ocsp *o, int64_t now)
{
    enum troth_reason why = TROTH_R_OCSP_OTHER_CERT;
    struct ocsp_single s;
    for (span list = o->singles; ocsp_single_next(&list, &s);) {
        if (!span_equal(s.serial, leaf->serial))
            continue;
        if (s.status == OCSP_REVOKED)
            return TROTH_R_CERT_REVOKED;
        why = s.has_next_update && s.next_update < now ? TROTH_R_OCSP_STALE : s.status == OCSP_UNKNOWN ? TROTH_R_OCSP_UNKNOWN : TROTH_R_NONE;
    }
    return why;
}

static enum troth_reason by_issuer(const struct troth_builder *b, const struct cert *leaf, const struct cert *issuer, const struct ocsp *o,
                                   struct rev_answer *a)
{
    struct ocsp_found found;
    struct ocsp_question q = { .crypto = b->config.provider, .cert = leaf, .issuer = issuer, .response = o, .now = config_now(&b->config),
                               .max_signatures = 2 };
    ocsp_status(a, &found, &q);
    return a->status == REV_GOOD ? TROTH_R_NONE : a->why;
}

bool staple_look(struct troth_builder *b, const struct identity *id)
{
    char detail[400];
    struct text t = TEXT_IN(detail);
    struct ocsp o;
    struct cert issuer;
    struct rev_answer a = { .status = REV_UNKNOWN };
    troth_error why = { 0 }, ignored = { 0 };
    if (!id->staple.n || !id->leaf)
        return true;
    text_add(&t, "the OCSP response to be stapled for ");
    cert_title(&t, id->leaf);
    enum troth_reason reason = TROTH_R_STAPLE_BAD;
    if (!ocsp_parse(&o, id->staple, NULL, &why))
        text_add(&t, ": %s: %s", why.text, why.detail);
    else if (o.response_status)
        text_add(&t, ": the responder answered %s", ocsp_response_status_name(o.response_status));
    else if (id->n > 1 && cert_parse(&issuer, id->chain[1], NULL, &ignored))
        reason = by_issuer(b, id->leaf, &issuer, &o, &a);
    else
        reason = by_serial(id->leaf, &o, config_now(&b->config));
    if (a.evidence[0])
        text_add(&t, ": %s", a.evidence);
    return reason == TROTH_R_NONE || identity_warn(b, reason, detail);
}
