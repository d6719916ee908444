/* revoked.c - what is known about revocation and transparency, from what was given: nothing is fetched. */
#include "x509/judge.h"

#define NOWHERE ((struct range){ 0, 0 })

static bool hard(const struct judge *j)
{
    return j->policy->revocation == TROTH_REVOCATION_HARD || (j->policy->revocation == TROTH_REVOCATION_DEFAULT && j->policy->n_crls);
}

enum troth_verdict check_staple(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->ext[CX_TLS_FEATURE]);
    if (!c->must_staple)
        return passed(j, f, at, "not demanded");
    if (j->in->ocsp.n)
        return passed(j, f, at, "demanded, and stapled");
    if (!j->in->asked_staple)
        return skipped(f, "demanded; nobody asked for a staple");
    return found(j, f, TROTH_FAIL, TROTH_R_STAPLE_MISSING, at, "its TLS feature extension has status_request (RFC 7633)");
}

enum troth_verdict check_revocation(struct judge *j, unsigned cert, struct finding *f)
{
    (void)cert;
    if (j->policy->revocation == TROTH_REVOCATION_OFF)
        return skipped(f, "revocation is not looked at, by policy");
    if (hard(j))
        return found(j, f, TROTH_FAIL, TROTH_R_REVOCATION_UNKNOWN, NOWHERE, "no CRL and no OCSP response says anything about it");
    return skipped(f, "no CRL and no OCSP response was given");
}

enum troth_verdict check_transparency(struct judge *j, unsigned cert, struct finding *f)
{
    (void)cert;
    if (!j->policy->require_scts)
        return skipped(f, "not asked for");
    return found(j, f, TROTH_FAIL, TROTH_R_SCT_MISSING, NOWHERE, "0 of %u", j->policy->require_scts);
}
