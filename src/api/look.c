/* look.c - what will the peers of a server make of its certificates?  Asked when it is configured, so that whoever runs it hears of it first.
 *
 * The verdict is verify.h's own, with the uppermost certificate of the chain for an anchor: whom clients trust is theirs to know.  Only
 * warns: what was given is sent as it is.  Must never warn of a chain that a client of ours accepts who trusts its authority. */
#include <troth/verify.h>

#include "api/api.h"
#include "base/text.h"
#include "x509/cert.h"
#include "x509/oid.h"

/* How far the chain goes by its names. */
static size_t uppermost(const struct cert *certs, size_t n)
{
    size_t top = 0;
    while (top + 1 < n && name_equal(certs[top].issuer, certs[top + 1].subject))
        top++;
    return top;
}

/* A certificate that says where its issuer's is to be had is of an authority that does not issue by its root.  Without a word of it the
 * issuer may be the root itself, which need not be sent. */
static bool issuer_is_missing(const struct identity *id, size_t top)
{
    const struct cert *leaf = id->leaf;
    return !top && !leaf->self_issued && (id->n > 1 || span_holds(leaf->ext[CX_AUTHORITY_INFO], oid_der(OID_AD_CA_ISSUERS)));
}

static bool warn_missing(struct troth_builder *b, const struct identity *id)
{
    char detail[300];
    struct text t = TEXT_IN(detail);
    cert_title(&t, id->leaf);
    text_add(&t, ": its issuer \"");
    name_text(&t, id->leaf->issuer);
    text_add(&t, id->n > 1 ? "\" is none of the %d certificates behind it" : "\" is not there", id->n - 1);
    return identity_warn(b, TROTH_R_CERT_MISSING_INTERMEDIATE, detail);
}

static bool judge(struct troth_builder *b, const struct identity *id, size_t top)
{
    troth_error why = { .reason = TROTH_R_NONE };
    troth_policy_builder *p = troth_policy_new(troth_provider_share(b->config.provider));
    troth_policy_trust_pem(p, id->chain[top]);
    troth_policy_purpose(p, TROTH_PURPOSE_SERVER);
    troth_policy_revocation(p, TROTH_REVOCATION_OFF);
    troth_policy_time(p, config_now(&b->config));
    troth_policy *policy = troth_policy_build(p, &why);
    troth_report *r = policy ? troth_verify(policy, id->chain, top + 1) : NULL;
    const troth_error *e = troth_report_error(r);
    if (policy && e)
        why = *e;
    if (why.reason == TROTH_R_CHAIN_UNTRUSTED_ROOT) /* the anchor has the name, and not the key that signed */
        why.reason = TROTH_R_CHAIN_WRONG_INTERMEDIATE;
    bool out_of_memory = why.reason == TROTH_R_OUT_OF_MEMORY || (policy && !r);
    troth_report_free(r);
    troth_policy_free(policy);
    if (out_of_memory)
        return fail(b, OUT_OF_MEMORY, "for a look at a chain");
    return why.reason == TROTH_R_NONE || identity_warn(b, why.reason, why.detail);
}

bool chain_look(struct troth_builder *b, const struct identity *id)
{
    if (!b->config.is_server)
        return true;
    size_t top = uppermost(id->leaf, id->n); /* the first of its chain, parsed */
    TRY(!issuer_is_missing(id, top) || warn_missing(b, id));
    return judge(b, id, top);
}
