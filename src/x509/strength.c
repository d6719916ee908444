/* strength.c - keys and signatures: strong enough, of a known kind, and right.
 *
 * Signatures are verified for all links of a path side by side, and each link once, however many paths it is
 * in. */
#include "x509/judge.h"
#include "x509/oid.h"
#include "x509/remember.h"

enum {
    RSA_BITS_MAX = 16384,
    RSA_BITS_QUICK = 8192,
    RSA_EXPONENT_QUICK = 4,
    RSA_EXPONENT_BYTES = 8 /* larger ones make verification slow and nothing safer */
};

/* A verification with this key, in units of the budget. */
static uint32_t signature_cost(const troth_public_key *k)
{
    bool rsa = k->type == TROTH_KEY_RSA || k->type == TROTH_KEY_RSA_PSS;
    return rsa && (k->bits > RSA_BITS_QUICK || k->e.n > RSA_EXPONENT_QUICK) ? 4 : 1;
}

static const char *rsa_fault(const troth_public_key *k, unsigned min_rsa)
{
    bool odd = k->n.p[k->n.n - 1] & 1 && k->e.p[k->e.n - 1] & 1 && !(k->e.n == 1 && k->e.p[0] == 1);
    return k->bits < min_rsa                        ? "fewer than are needed"
           : k->bits % 8                            ? "not a multiple of 8"
           : k->bits > RSA_BITS_MAX                 ? "more than anybody needs"
           : !odd || k->e.n > RSA_EXPONENT_BYTES    ? "an exponent or modulus that no sound key has"
                                                    : NULL;
}

const char *key_fault(const struct cert *c, unsigned min_rsa)
{
    const troth_public_key *k = &c->key;
    if (c->explicit_curve)
        return "an elliptic curve with parameters of its own, not a named one";
    if (c->key_malformed)
        return "a malformed key";
    if (k->type == TROTH_KEY_NONE)
        return "a kind of key that is not known, or not to be used any more";
    return k->type == TROTH_KEY_RSA || k->type == TROTH_KEY_RSA_PSS ? rsa_fault(k, min_rsa) : NULL;
}

enum troth_verdict check_key_strength(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    const troth_public_key *k = &c->key;
    struct range at = cert_range(c, c->spki);
    char in[80];
    struct text t = TEXT_IN(in);
    const char *fault = key_fault(c, j->policy->min_rsa);
    if (!fault && !j->words)
        return TROTH_PASS;
    bool rsa = k->type == TROTH_KEY_RSA || k->type == TROTH_KEY_RSA_PSS;
    if (rsa && k->bits < j->policy->min_rsa)
        text_add(&t, "RSA with %u bits of %u", k->bits, j->policy->min_rsa);
    else if (rsa)
        text_add(&t, "RSA with %u bits", k->bits);
    else
        oid_show(&t, c->curve_oid.n ? c->curve_oid : c->key_oid);
    if (fault)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_WEAK_KEY, at, "%s: %s", t.p, fault);
    return passed(j, f, at, "%s", t.p);
}

static bool oid_is_weak(span oid)
{
    static const enum oid weak[] = { OID_SIG_RSA_MD2,    OID_SIG_RSA_MD5,     OID_SIG_RSA_SHA1,
                                     OID_SIG_ECDSA_SHA1, OID_SIG_DSA_SHA1,    OID_SIG_DSA_SHA256,
                                     OID_SIG_RSA_SHA224, OID_SIG_ECDSA_SHA224 };
    for (size_t i = 0; i < COUNT_OF(weak); i++)
        if (oid_is(oid, weak[i]))
            return true;
    return false;
}

enum troth_verdict check_signature_strength(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->sig_alg);
    char in[80];
    struct text t = TEXT_IN(in);
    if (is_anchor(j, cert))
        return passed(j, f, at, "a trust anchor: its own signature says nothing");
    bool weak = c->sig == TROTH_SIG_RSA_PKCS1_SHA1 || c->sig == TROTH_SIG_ECDSA_SHA1;
    if (!weak && c->sig != TROTH_SIG_NONE && !j->words)
        return TROTH_PASS;
    oid_show(&t, c->sig_oid);
    if (weak || oid_is_weak(c->sig_oid))
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_WEAK_SIGNATURE, at, "signed with %s", t.p);
    if (c->sig == TROTH_SIG_NONE)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_UNKNOWN_ALGORITHM, at, "signed with %s%s", t.p,
                     sig_oid_known(c->sig_oid) ? ", and its parameters are none of those that this may have" : "");
    return passed(j, f, at, "%s", t.p);
}

/* What a root signed itself with proves nothing, and old roots have SHA-1; but nobody's real root has less,
 * or what we do not know. */
enum troth_verdict check_web_root_sig(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->sig_alg);
    char in[80];
    struct text t = TEXT_IN(in);
    if (c->sig != TROTH_SIG_NONE)
        return passed(j, f, at, "a known algorithm");
    oid_show(&t, c->sig_oid);
    return found(j, f, TROTH_FAIL,
                 oid_is_weak(c->sig_oid) ? TROTH_R_CERT_WEAK_SIGNATURE : TROTH_R_CERT_UNKNOWN_ALGORITHM, at,
                 "signed with %s", t.p);
}

/* ---- the links of the path */

/* What the standard lets this key sign, before anybody computes. */
static bool pair_possible(const struct judge *j, const struct cert *child, const struct cert *issuer)
{
    const troth_provider *p = j->policy->provider;
    if (issuer->key.type == TROTH_KEY_NONE || child->sig == TROTH_SIG_NONE)
        return false;
    if (!pss_allows(issuer->key_pss, (enum troth_sig)child->sig, child->sig_salt_n))
        return false;
    return p->can_verify(p->self, issuer->key.type, (enum troth_sig)child->sig);
}

static bool job_fill(const struct judge *j, troth_verify_job *job, troth_public_key *key,
                     const struct cert *child, const struct cert *issuer)
{
    TRY(pair_possible(j, child, issuer));
    *key = issuer->key;
    key->salt_n = child->sig_salt_n;
    *job = (troth_verify_job){ .sig = (enum troth_sig)child->sig,
                               .key = key,
                               .parts = &child->tbs,
                               .n_parts = 1,
                               .signature = child->signature };
    return true;
}

/* Was this very signature verified before?  *tag is what to remember it by; its `a` and `b` are 0 where nothing is remembered. */
static bool is_remembered(const struct judge *j, struct remembered_tag *tag, const struct cert *child, const struct cert *issuer)
{
    const struct remembered *m = j->in->remembered;
    *tag = (struct remembered_tag){ 0, 0 };
    return m && remembered_tag(m, tag, j->policy->provider, child, issuer) && remembered_has(m, tag);
}

static void remember(const struct judge *j, const struct remembered_tag *tag, bool good)
{
    if (good && (tag->a || tag->b))
        remembered_add(j->in->remembered, tag);
}

/* Is there another signature to be verified, and not yet? */
static bool wants_also(struct judge *j)
{
    troth_verify_job *also = j->in->also;
    if (!also || also->key || j->signer_depth)
        return false;
    also->key = &j->leaf->cert->key;
    return true;
}

/* Verifies all links of the path that were not before, in one call.  False: memory or budget ran out. */
static bool links_verify(struct judge *j)
{
    const troth_provider *p = j->policy->provider;
    troth_verify_job jobs[PATH_MAX_CERTS + 1];
    troth_public_key keys[PATH_MAX_CERTS];
    struct remembered_tag tags[PATH_MAX_CERTS];
    unsigned of[PATH_MAX_CERTS], n = 0;
    for (unsigned i = 0; i + 1 < j->now.n; i++) {
        struct node *child = j->now.node[i], *issuer = j->now.node[i + 1];
        if (link_find(j, child, issuer))
            continue;
        if (!job_fill(j, &jobs[n], &keys[n], child->cert, issuer->cert)) {
            TRY(link_add(j, child, issuer, false));
            continue;
        }
        if (is_remembered(j, &tags[n], child->cert, issuer->cert)) {
            TRY(link_add(j, child, issuer, true));
            continue;
        }
        TRY(spend_signatures(j, signature_cost(&keys[n])));
        of[n++] = i;
    }
    bool also = n && wants_also(j);
    if (also)
        jobs[n] = *j->in->also;
    if (n)
        p->verify(p->self, jobs, n + also);
    if (also)
        j->in->also->good = jobs[n].good;
    for (unsigned k = 0; k < n; k++) {
        remember(j, &tags[k], jobs[k].good);
        TRY(link_add(j, j->now.node[of[k]], j->now.node[of[k] + 1], jobs[k].good));
    }
    return true;
}

bool link_verify(struct judge *j, const struct node *child, struct node *issuer)
{
    troth_verify_job job;
    troth_public_key key;
    const troth_provider *p = j->policy->provider;
    const struct link *known = link_find(j, child, issuer);
    if (known)
        return known->good;
    bool good = false;
    if (job_fill(j, &job, &key, child->cert, issuer->cert)) {
        TRY(spend_signatures(j, signature_cost(&key))); /* nothing is known of one that was not verified */
        p->verify(p->self, &job, 1);
        good = job.good;
    }
    return link_add(j, child, issuer, good) && good;
}

bool node_is_self_signed(struct judge *j, struct node *node)
{
    int cached = node->anchor ? anchor_self_signed(node->anchor) : -1;
    if (cached >= 0)
        return cached > 0;
    bool good = link_verify(j, node, node);
    if (node->anchor && !j->spent)
        anchor_note_self_signed(node->anchor, good);
    return good;
}

enum troth_verdict check_signature(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = cert_range(c, c->signature);
    char in[160], how_in[60];
    struct text t = TEXT_IN(in), how = TEXT_IN(how_in);
    if (cert + 1 == j->now.n)
        return passed(j, f, at, "the end of the path");
    struct node *issuer = j->now.node[cert + 1];
    const struct link *l = link_find(j, j->now.node[cert], issuer);
    if (!l && !links_verify(j))
        return found(j, f, TROTH_FAIL, j->spent ? TROTH_R_CHAIN_BUDGET : TROTH_R_OUT_OF_MEMORY, at,
                     "after %u signatures", j->work.signatures);
    l = l ? l : link_find(j, j->now.node[cert], issuer);
    if (l && l->good)
        return passed(j, f, at, "verified");
    cert_words(&t, j, cert + 1);
    if (!pair_possible(j, c, issuer->cert)) {
        oid_show(&how, c->sig_oid);
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_BAD_SIGNATURE, at, "it is signed with %s, which the key of %s cannot do", how.p, t.p);
    }
    bool other_key = c->aki_key.n && issuer->cert->ski.n && !span_equal(c->aki_key, issuer->cert->ski);
    if (other_key && node_ends(issuer))
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_UNTRUSTED_ROOT, at,
                     "its issuer has the name of %s and another key than the one that is trusted", t.p);
    if (other_key)
        return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_WRONG_INTERMEDIATE, at,
                     "it names another key than that of %s", t.p);
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_BAD_SIGNATURE, at, "it was not made with the key of %s", t.p);
}
