/* delegated.c - delegated credentials (RFC 9345): a short-lived key that a certificate's key speaks for.
 *
 * Must never take a credential of a certificate that may not delegate, or one that lives longer than a week from now. */
#include "tls/delegated.h"

#include "x509/cert.h"
#include "x509/oid.h"

bool delegated_scheme_ok(uint16_t scheme)
{
    const struct scheme *s = scheme_by_id(scheme);
    return s && s->keys13 && !(s->keys13 & BIT(TROTH_KEY_RSA));
}

bool delegated_read(struct delegated_credential *dc, span bytes)
{
    struct exts e;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, bytes, NULL);
    struct rd r = rd_init(&ctx, bytes);
    memset(&e, 0, sizeof e);
    ext_row(X_DELEGATED_CREDENTIAL)->read(&r, &e, IN_CT);
    rd_end(&r, "DelegatedCredential");
    *dc = e.dc;
    return rd_ok(&r);
}

void delegated_content(span parts[DELEGATED_PARTS], uint8_t *lead, bool of_server, const struct cert *leaf,
                       const struct delegated_credential *dc)
{
    static const char server[] = "TLS, server delegated credentials"; /* its terminating zero is the separator */
    static const char client[] = "TLS, client delegated credentials";
    _Static_assert(sizeof server + 64 == DELEGATED_LEAD && sizeof client == sizeof server, "RFC 9345 4");
    memset(lead, 0x20, 64);
    memcpy(lead + 64, of_server ? server : client, sizeof server);
    parts[0] = span_of(lead, DELEGATED_LEAD);
    parts[1] = leaf->raw;
    parts[2] = dc->signed_part;
}

bool delegated_allowed(const struct cert *leaf)
{
    span list = leaf->extensions;
    struct extension x;
    bool bad = false;
    while (extension_next(&list, &x, &bad))
        if (oid_is(x.oid, OID_DELEGATION_USAGE))
            return true;
    return false;
}

bool delegated_offer(struct troth_conn *c, struct exts *e)
{
    span ours = c->cfg->verify_schemes;
    if (!c->cfg->accept_delegated)
        return true;
    uint8_t *list = arena_alloc(&c->hs->arena, ours.n);
    if (!list)
        return fail(c, OUT_OF_MEMORY, "for signature schemes");
    struct wr w = wr_into(list, ours.n);
    for (size_t i = 0; i < u16s_count(ours); i++)
        if (delegated_scheme_ok(u16s_at(ours, i)))
            wr_u16(&w, u16s_at(ours, i));
    e->dc_schemes = wr_done(&w);
    if (e->dc_schemes.n)
        exts_add(e, X_DELEGATED_CREDENTIAL);
    return true;
}

/* ---- what is demanded of the peer's (RFC 9345 4.1.3) */
static bool check_time(struct troth_conn *c, const struct cert *leaf, const struct delegated_credential *dc)
{
    int64_t left = leaf->not_before + (int64_t)dc->valid_time - config_now(c->cfg);
    if (left <= 0)
        return fail(c, DELEGATED_EXPIRED, "%lld seconds ago", (long long)-left);
    return left <= DELEGATED_LONGEST || fail(c, DELEGATED_TOO_LONG, "for another %lld seconds", (long long)left);
}

static bool check_leaf(struct troth_conn *c, const struct cert *leaf)
{
    if (!delegated_allowed(leaf))
        return fail(c, DELEGATED_NOT_ALLOWED, "it lacks the DelegationUsage extension");
    if (!cert_has(leaf, CX_KEY_USAGE) || !(leaf->key_usage & KU_DIGITAL_SIGNATURE))
        return fail(c, DELEGATED_NOT_ALLOWED, "its keyUsage lacks digitalSignature");
    return true;
}

static bool check_schemes(struct troth_conn *c, const struct cert *leaf, const struct delegated_credential *dc, const struct spki *key)
{
    const struct scheme *by = scheme_by_id(dc->algorithm), *with = scheme_by_id(dc->dc_cert_verify_algorithm);
    if (!with || !delegated_scheme_ok(with->id) || !u16s_has(c->cfg->verify_schemes, with->id))
        return fail(c, DELEGATED_SCHEME, "dc_cert_verify_algorithm %s was not offered", name_of(&names_scheme, dc->dc_cert_verify_algorithm));
    if (!scheme_fits(with, TROTH_TLS13, key->key.type) || !pss_allows(key->pss, with->sig, 0))
        return fail(c, DELEGATED_SCHEME, "dc_cert_verify_algorithm %s with another kind of key", name_of(&names_scheme, with->id));
    if (!by || !u16s_has(c->cfg->verify_schemes, by->id) || !scheme_fits(by, TROTH_TLS13, leaf->key.type)
        || !pss_allows(leaf->key_pss, by->sig, 0))
        return fail(c, DELEGATED_SCHEME, "it is signed with %s", name_of(&names_scheme, dc->algorithm));
    return true;
}

static bool check_signature(struct troth_conn *c, const struct cert *leaf, const struct delegated_credential *dc)
{
    const troth_provider *p = c->cfg->provider;
    uint8_t lead[DELEGATED_LEAD];
    span parts[DELEGATED_PARTS];
    delegated_content(parts, lead, !c->cfg->is_server, leaf, dc);
    troth_verify_job job = { .sig = scheme_by_id(dc->algorithm)->sig, .key = &leaf->key, .parts = parts, .n_parts = DELEGATED_PARTS,
                             .signature = dc->signature };
    p->verify(p->self, &job, 1);
    return job.good || fail(c, DELEGATED_SIGNATURE, "by %s", name_of(&names_scheme, dc->algorithm));
}

bool delegated_take(struct troth_conn *c, const struct cert *leaf, const struct delegated_credential *dc)
{
    struct spki key;
    span spki;
    TRY(hs_keep(c, &spki, dc->spki)); /* the message goes before CertificateVerify comes */
    if (!spki_read(&key, spki, NULL, NULL))
        return fail(c, DELEGATED_SCHEME, "its public key cannot be used");
    TRY(check_leaf(c, leaf) && check_time(c, leaf, dc) && check_schemes(c, leaf, dc, &key) && check_signature(c, leaf, dc));
    c->hs->peer_key = key.key;
    c->hs->peer_key_pss = key.pss;
    c->hs->peer_scheme = dc->dc_cert_verify_algorithm;
    c->facts.peer_delegated = true;
    tell_decision(c, "delegated credential", "the peer's certificate lends its word to another key, for a week at most (RFC 9345 4.1.3)", &names_scheme,
                  c->cfg->verify_schemes, SPAN_NONE, dc->dc_cert_verify_algorithm);
    return true;
}
