/* sign.c - signatures: verified with raw public keys, made with private ones.
 *
 * Verification is strict: an ECDSA signature must be the one DER encoding of itself, RSA padding must match to the byte, lengths must be
 * those of the key.  Whatever a peer sends, the answer is good or not good, and libcrypto's error queue is left empty. */
#include "crypto/openssl/lib.h"

#include <openssl/err.h>
#include <limits.h>

enum { JOINED_ON_STACK = 512 };

static const char *raw_name(enum troth_key_type type)
{
    switch (type) {
    case TROTH_KEY_ED25519: return "ED25519";
    case TROTH_KEY_ED448: return "ED448";
    case TROTH_KEY_MLDSA44: return "ML-DSA-44";
    case TROTH_KEY_MLDSA65: return "ML-DSA-65";
    case TROTH_KEY_MLDSA87: return "ML-DSA-87";
    case TROTH_KEY_NONE:
    case TROTH_KEY_RSA:
    case TROTH_KEY_RSA_PSS:
    case TROTH_KEY_P256:
    case TROTH_KEY_P384:
    case TROTH_KEY_P521: break;
    }
    return NULL;
}

static bool needs_mldsa(enum troth_key_type type)
{
    return type == TROTH_KEY_MLDSA44 || type == TROTH_KEY_MLDSA65 || type == TROTH_KEY_MLDSA87;
}

static bool can_verify(void *self, enum troth_key_type type, enum troth_sig sig)
{
    return sig_fits_key(sig, type) && (!needs_mldsa(type) || lib_of(self)->has_mldsa);
}

/* ---- a message as one piece, for the algorithms that read it twice */
struct joined {
    const troth_allocator *memory;
    uint8_t  stack[JOINED_ON_STACK];
    uint8_t *heap;
    span     all;
};

static bool join(struct joined *j, const troth_allocator *memory, const span *parts, size_t n_parts)
{
    j->memory = memory;
    j->heap = NULL;
    j->all = n_parts ? parts[0] : SPAN_NONE;
    if (n_parts < 2)
        return true;
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    uint8_t *to = n <= sizeof j->stack ? j->stack : (j->heap = memory->alloc(memory->ctx, n));
    TRY(to);
    j->all = span_of(to, n);
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
    return true;
}

static void join_end(struct joined *j)
{
    if (j->heap)
        j->memory->free(j->memory->ctx, j->heap, j->all.n);
}

/* ---- verifying */
static bool verify_raw(const struct lib *l, const troth_verify_job *job)
{
    struct joined m;
    if (!join(&m, &l->memory, job->parts, job->n_parts))
        return false;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, raw_name(job->key->type), NULL, job->key->point.p, job->key->point.n);
    EVP_MD_CTX *ctx = pkey ? EVP_MD_CTX_new() : NULL;
    bool good = ctx && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) == 1 &&
                EVP_DigestVerify(ctx, job->signature.p, job->signature.n, m.all.p, m.all.n) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    join_end(&m);
    return good;
}

static bool verify_ecdsa(const struct lib *l, const troth_verify_job *job, const uint8_t *digest, size_t n)
{
    const struct lib_curve *c = lib_curve_of(l, job->key->type);
    span point = job->key->point;
    TRY(c && point.n >= c->n + 1 && point.p[0] >= 2 && point.p[0] <= 4 && job->signature.n <= INT_MAX);
    EC_KEY *key = EC_KEY_new();
    bool good = key && EC_KEY_set_group(key, c->group) == 1 && EC_KEY_oct2key(key, point.p, point.n, NULL) == 1 &&
                ECDSA_verify(0, digest, (int)n, job->signature.p, (int)job->signature.n, key) == 1;
    EC_KEY_free(key);
    return good;
}

static bool verify_one(const struct lib *l, const troth_verify_job *job)
{
    TRY(can_verify((void *)l, job->key->type, job->sig) && job->signature.n);
    if (raw_name(job->key->type))
        return verify_raw(l, job);
    uint8_t digest[TROTH_DIGEST_MAX];
    size_t n;
    lib_digest(sig_hash(job->sig), job->parts, job->n_parts, digest, &n);
    return lib_curve_of(l, job->key->type) ? verify_ecdsa(l, job, digest, n)
                                         : lib_verify_rsa(l, job, span_of(digest, n));
}

void lib_verify_one(const struct lib *l, troth_verify_job *job)
{
    job->good = verify_one(l, job);
    if (!job->good)
        lib_quiet();
}

static void verify(void *self, troth_verify_job *jobs, size_t n)
{
    const struct lib *l = lib_of(self);
    if (n > 1 && l->has_lanes) {
        lib_verify_lanes(l, jobs, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        (jobs[i].known && l->has_lanes ? lib_verify_known : lib_verify_single)(l, &jobs[i]);
}

/* ---- signing */
/* A small RSA key has no room for a large hash (RFC 8017 9.1.1, 9.2). */
static bool has_room(const troth_key *k, enum troth_sig sig)
{
    enum { PSS_MORE = 2, DIGEST_INFO = 19, PKCS1_MORE = 11 };
    if (k->type != TROTH_KEY_RSA && k->type != TROTH_KEY_RSA_PSS)
        return true;
    size_t bits = (size_t)EVP_PKEY_get_bits(k->pkey), hash_n = (size_t)EVP_MD_get_size(k->lib->md[sig_hash(sig)]);
    bool pss = sig == TROTH_SIG_RSA_PSS_SHA256 || sig == TROTH_SIG_RSA_PSS_SHA384 || sig == TROTH_SIG_RSA_PSS_SHA512;
    return pss ? (bits + 6) / 8 >= 2 * hash_n + PSS_MORE : (bits + 7) / 8 >= hash_n + DIGEST_INFO + PKCS1_MORE;
}

static bool key_can(const troth_key *k, enum troth_sig sig)
{
    TRY(can_verify(k->lib, k->type, sig) && has_room(k, sig));
    return !k->only_hash || k->only_hash == sig_hash(sig);
}

static bool sign_raw(const struct lib *l, const troth_key *k, const span *parts, size_t n_parts, uint8_t *out, size_t *n)
{
    struct joined m;
    TRY(join(&m, &l->memory, parts, n_parts));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    *n = TROTH_SIGNATURE_MAX;
    bool ok = ctx && EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) == 1 &&
              EVP_DigestSign(ctx, out, n, m.all.p, m.all.n) == 1;
    EVP_MD_CTX_free(ctx);
    join_end(&m);
    return ok;
}

static bool sign_ecdsa(const struct lib *l, const troth_key *k, const uint8_t *digest, size_t digest_n, uint8_t *out, size_t *n)
{
    unsigned len = 0;
    if (k->in_lanes)
        return lib_sign_lanes(l, k, digest, digest_n, out, n);
    TRY(ECDSA_sign(0, digest, (int)digest_n, out, &len, (EC_KEY *)k->ec) == 1);
    *n = len;
    return true;
}

static bool sign(void *self, const troth_key *k, enum troth_sig sig, const span *parts, size_t n_parts, uint8_t *out, size_t *n)
{
    TRY(key_can(k, sig));
    const struct lib *l = lib_of(self);
    uint8_t digest[TROTH_DIGEST_MAX];
    size_t digest_n = 0;
    if (sig_hash(sig))
        lib_digest(sig_hash(sig), parts, n_parts, digest, &digest_n);
    bool ok = !sig_hash(sig) ? sign_raw(l, k, parts, n_parts, out, n)
              : k->ec        ? sign_ecdsa(l, k, digest, digest_n, out, n)
                             : lib_sign_rsa(l, k, sig, span_of(digest, digest_n), out, n);
    if (!ok)
        lib_quiet();
    return ok;
}

void lib_open_signatures(struct lib *l)
{
    EVP_SIGNATURE *mldsa = EVP_SIGNATURE_fetch(NULL, "ML-DSA-65", NULL);
    l->has_mldsa = mldsa != NULL;
    EVP_SIGNATURE_free(mldsa);
    lib_quiet();
    l->pub.can_verify = can_verify;
    l->pub.verify = verify;
    l->pub.key_can = key_can;
    l->pub.sign = sign;
}
