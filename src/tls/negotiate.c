/* negotiate.c - the choices.  Must never look at anything but its arguments. */
#include "tls/negotiate.h"

#include "tls/oid_filter.h"

static struct choice chose(uint16_t id, const char *rule)
{
    return (struct choice){ true, id, rule };
}

static struct choice nothing(const char *rule)
{
    return (struct choice){ false, 0, rule };
}

/* ---- version */
struct choice choose_version(uint16_t least, uint16_t most, span theirs, bool has_extension, uint16_t legacy_version)
{
    if (!has_extension) {
        uint16_t v = legacy_version > TROTH_TLS12 ? TROTH_TLS12 : legacy_version;
        if (v < TROTH_TLS12)
            return nothing("the client goes no further than its legacy_version, which is older than TLS 1.2 (RFC 8996)");
        if (least > v)
            return nothing("without supported_versions a client speaks TLS 1.2 at most, which is not allowed here (RFC 9846 4.3.1)");
        return chose(v, "no supported_versions: legacy_version counts, up to TLS 1.2 (RFC 9846 4.3.1)");
    }
    for (uint16_t v = most; v >= least; v--)
        if (u16s_has(theirs, v))
            return chose(v, "the newest version on both lists (RFC 9846 4.3.1)");
    return nothing("no version is on both lists (RFC 9846 4.3.1)");
}

/* ---- cipher suite */
static bool suite_usable(const struct suite *s, uint16_t version, enum troth_key_type key)
{
    if (!s || s->version != version)
        return false;
    if (s->auth == SUITE_ANY_AUTH || key == TROTH_KEY_NONE)
        return true;
    bool rsa = key == TROTH_KEY_RSA || key == TROTH_KEY_RSA_PSS;
    return rsa == (s->auth == SUITE_RSA);
}

/* Does the client put ChaCha20 before every AES of this version?  Then it has no fast AES. */
static bool prefers_chacha(span theirs, uint16_t version)
{
    for (size_t i = 0; i < u16s_count(theirs); i++) {
        const struct suite *s = suite_by_id(u16s_at(theirs, i));
        if (s && s->version == version)
            return s->aead == TROTH_CHACHA20_POLY1305;
    }
    return false;
}

struct choice choose_suite(const struct config *cfg, uint16_t version, span theirs, enum troth_key_type key)
{
    bool client_slow_aes = !cfg->suites_given && prefers_chacha(theirs, version);
    for (size_t i = 0; client_slow_aes && i < u16s_count(cfg->suites); i++) {
        uint16_t id = u16s_at(cfg->suites, i);
        const struct suite *s = suite_by_id(id);
        if (suite_usable(s, version, key) && s->aead == TROTH_CHACHA20_POLY1305 && u16s_has(theirs, id))
            return chose(id, "the client puts ChaCha20 first, so its AES is slow, and any of ours is strong enough (RFC 9846 4.2.2)");
    }
    for (size_t i = 0; i < u16s_count(cfg->suites); i++) {
        uint16_t id = u16s_at(cfg->suites, i);
        if (suite_usable(suite_by_id(id), version, key) && u16s_has(theirs, id))
            return chose(id, "the first of ours that the client offers (RFC 9846 4.2.2)");
    }
    return nothing("none of ours is among the client's (RFC 9846 4.2.2)");
}

/* ---- group */
bool group_is_quantum_safe(uint16_t group)
{
    return group == GROUP_X25519MLKEM768 || group == GROUP_SecP256r1MLKEM768 || group == GROUP_SecP384r1MLKEM1024
        || group == GROUP_MLKEM512 || group == GROUP_MLKEM768 || group == GROUP_MLKEM1024;
}

struct choice choose_group(span ours, const struct exts *theirs, bool *has_share)
{
    *has_share = false;
    uint16_t best = 0;
    for (size_t i = 0; i < u16s_count(ours); i++) {
        uint16_t id = u16s_at(ours, i);
        if (!u16s_has(theirs->supported_groups, id))
            continue;
        if (!best)
            best = id;
        if (group_is_quantum_safe(best) && !group_is_quantum_safe(id))
            break; /* a round trip is a fair price for secrecy against quantum computers */
        if (share_for(theirs, id)) {
            *has_share = true;
            return chose(id, id == best ? "the first of ours that the client supports; it sent a share (RFC 9846 4.3.8)"
                                        : "as strong as our first choice, and the client sent a share: saves a round trip "
                                          "(RFC 9846 4.3.8)");
        }
    }
    if (!best)
        return nothing("none of ours is among the client's supported_groups (RFC 9846 4.3.7)");
    return chose(best, "the first of ours that the client supports; it sent no share for it: ask again (RFC 9846 4.2.4)");
}

/* Of our groups from the i-th to before the end-th: the one that comes first on their list; 0: none is on it. */
static uint16_t first_of_theirs(span ours, size_t i, size_t end, span theirs)
{
    span tier = span_slice(ours, 2 * i, 2 * (end - i));
    for (size_t k = 0; k < u16s_count(theirs); k++)
        if (u16s_has(tier, u16s_at(theirs, k)))
            return u16s_at(theirs, k);
    return 0;
}

struct choice choose_group_strictly(span ours, span equal, const struct exts *theirs, bool *has_share)
{
    *has_share = false;
    for (size_t i = 0, end; i < u16s_count(ours); i = end) {
        for (end = i + 1; end < u16s_count(ours) && end - 1 < equal.n && equal.p[end - 1]; end++)
            ;
        uint16_t id = first_of_theirs(ours, i, end, theirs->supported_groups);
        if (!id)
            continue;
        *has_share = share_for(theirs, id) != NULL;
        return chose(id, end - i > 1 ? "the client's first among those of ours that are as good as each other (RFC 9846 4.3.7)"
                                     : "the first of ours that the client supports, with or without a share (RFC 9846 4.3.7)");
    }
    return nothing("none of ours is among the client's supported_groups (RFC 9846 4.3.7)");
}

/* ---- ALPN */
struct choice_text choose_alpn(span ours, span theirs, bool optional)
{
    span name;
    for (span list = ours; alpn_next(&list, &name);)
        if (alpn_has(theirs, name))
            return (struct choice_text){ true, name, "the first of ours that the client offers (RFC 7301 3.2)" };
    if (!ours.n || !theirs.n || optional)
        return (struct choice_text){ true, SPAN_NONE, "no protocol was negotiated, and none is needed (RFC 7301 3.2)" };
    return (struct choice_text){ false, SPAN_NONE, "none of ours is among the client's (RFC 7301 3.2)" };
}

/* ---- certificates */
const struct scheme *choose_scheme(const struct identity *id, uint16_t version, span theirs)
{
    for (size_t i = 0; i < u16s_count(id->schemes); i++) {
        const struct scheme *s = scheme_by_id(u16s_at(id->schemes, i));
        if (s && scheme_fits(s, version, id->key_type) && u16s_has(theirs, s->id))
            return s;
    }
    return NULL;
}

/* Is any issuer in the chain one that the peer named? */
static bool issuer_named(const struct identity *id, span authorities)
{
    span name;
    for (span list = authorities; opaque16_next(&list, &name);)
        for (size_t i = 0; i < id->n; i++)
            if (span_equal(id->issuers[i], name))
                return true;
    return false;
}

/* A raw public key is bound to no name, so it goes with every one. */
static bool name_fits(const struct identity *id, span server_name)
{
    if (!id->n)
        return true;
    char host[LIMIT_HOST_NAME + 1];
    if (!id->leaf || !server_name.n || server_name.n > LIMIT_HOST_NAME)
        return false;
    memcpy(host, server_name.p, server_name.n);
    host[server_name.n] = 0;
    return cert_matches_host(id->leaf, host);
}

static bool type_fits(const struct identity *id, span types)
{
    uint8_t type = id->n ? TROTH_X509 : TROTH_RAW_PUBLIC_KEY;
    return types.n ? bytes_have(types, type) : type == TROTH_X509;
}

/* TLS 1.2: is there a suite that goes with this key? */
static bool suites_fit(const struct config *cfg, const struct identity *id, const struct asked_of_us *asked)
{
    return asked->version != TROTH_TLS12 || !asked->suites.n
        || choose_suite(cfg, TROTH_TLS12, asked->suites, id->key_type).found;
}

uint16_t key_curve(enum troth_key_type type)
{
    return type == TROTH_KEY_P256   ? GROUP_secp256r1
           : type == TROTH_KEY_P384 ? GROUP_secp384r1
           : type == TROTH_KEY_P521 ? GROUP_secp521r1
                                    : 0;
}

/* TLS 1.2: the curve of an ECDSA key must be one that the client supports (RFC 8422 5.1). */
static bool curve_fits(const struct identity *id, const struct asked_of_us *asked)
{
    uint16_t curve = key_curve(id->key_type);
    return !curve || asked->version != TROTH_TLS12 || !asked->groups.n || u16s_has(asked->groups, curve);
}

/* The i-th signature of the chain is one that the peer can verify? */
static bool chain_fits(const struct identity *id, const struct asked_of_us *asked)
{
    span list = asked->schemes_cert.n ? asked->schemes_cert : asked->schemes;
    for (size_t i = 0; id->leaf && i < u16s_count(list); i++) {
        const struct scheme *s = scheme_by_id(u16s_at(list, i));
        if (s && s->sig == (enum troth_sig)id->leaf->sig)
            return true;
    }
    return !id->leaf || id->leaf->self_issued; /* the signature of a root is of no interest to anybody */
}

/* TLS 1.2: rsa_sign and ecdsa_sign, which stands for EdDSA too (RFC 8422 5.5). */
static bool types12_fit(const struct identity *id, span types12)
{
    bool rsa = id->key_type == TROTH_KEY_RSA || id->key_type == TROTH_KEY_RSA_PSS;
    return !types12.n || bytes_have(types12, rsa ? CLIENT_CERT_rsa_sign : CLIENT_CERT_ecdsa_sign);
}

/* TLS 1.3: the peer takes delegated credentials, with this scheme, signed like this, and ours is still good (RFC 9345 4.1.3). */
static bool can_delegate(const struct identity *id, const struct asked_of_us *asked)
{
    const struct delegated_credential *dc = &id->dc;
    return asked->version == TROTH_TLS13 && id->has_dc && u16s_has(asked->delegated, dc->dc_cert_verify_algorithm)
        && u16s_has(asked->schemes, dc->algorithm) && asked->now < id->leaf->not_before + (int64_t)dc->valid_time;
}

/* An identity without its certificate's key has nothing but its delegated credential to sign with. */
static const struct scheme *scheme_of(const struct identity *id, const struct asked_of_us *asked, bool *delegated)
{
    *delegated = can_delegate(id, asked);
    if (*delegated)
        return scheme_by_id(id->dc.dc_cert_verify_algorithm);
    return id->has_dc && !id->key && !id->tag ? NULL : choose_scheme(id, asked->version, asked->schemes);
}

/* What keeps this identity from being shown; NONE: nothing, and *scheme is what it signs with. */
static enum troth_reason misfit(const struct config *cfg, const struct identity *id, const struct asked_of_us *asked,
                                const struct scheme **scheme, bool *delegated)
{
    *scheme = scheme_of(id, asked, delegated);
    if (!type_fits(id, asked->types) || !types12_fit(id, asked->types12))
        return TROTH_R_NO_SHARED_CERT_TYPE;
    if (!suites_fit(cfg, id, asked))
        return TROTH_R_NO_SHARED_SUITE;
    if (!curve_fits(id, asked))
        return TROTH_R_LEAF_CURVE;
    if (!*scheme)
        return TROTH_R_NO_SHARED_SCHEME;
    if (id->leaf && !oid_filters_match(id->leaf, asked->oid_filters))
        return TROTH_R_OID_FILTER;
    return id->must_match_issuer && !issuer_named(id, asked->authorities) ? TROTH_R_NO_NAMED_ISSUER : TROTH_R_NONE;
}

struct choice_identity choose_identity(const struct config *cfg, const struct asked_of_us *asked)
{
    enum { NAME = 4, ISSUER = 2, CHAIN = 1 };
    struct choice_identity best = { .rule = "no identity pleases the peer: see why the last one does not", .why = TROTH_R_NO_SHARED_SCHEME };
    int best_score = -1;
    for (size_t i = 0; i < cfg->n_identities; i++) {
        const struct identity *id = &cfg->identities[i];
        const struct scheme *s;
        bool delegated;
        enum troth_reason why = misfit(cfg, id, asked, &s, &delegated);
        if (why && !best.identity)
            best.why = why;
        if (why)
            continue;
        bool named = issuer_named(id, asked->authorities), by_name = name_fits(id, asked->server_name);
        int score = (by_name ? NAME : 0) + (named ? ISSUER : 0) + (chain_fits(id, asked) ? CHAIN : 0);
        if (score <= best_score)
            continue;
        best_score = score;
        best = (struct choice_identity){ .identity = id, .scheme = s, .name_matched = by_name, .delegated = delegated };
        best.rule = !id->n   ? "a raw public key of a kind that the peer can verify (RFC 7250)"
                  : by_name ? "its certificate has the name that was asked for, and the peer can verify its key"
                  : named   ? "its issuer is one that the peer named, and the peer can verify its key"
                            : "the first whose key the peer can verify (RFC 9846 4.5.1.2)";
    }
    return best;
}
