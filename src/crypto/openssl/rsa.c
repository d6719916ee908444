/* rsa.c - RSA signatures: the paddings of RFC 8017, around our own operations where the processor has what they need and the key is of a size
 * they take, around libcrypto's where not.  Verification is strict: a padding must match to the byte.  Both blind a private key, and check
 * what it made before anyone sees it. */
#include "crypto/kernel/rsa.h"
#include "crypto/openssl/lib.h"

#include <openssl/objects.h>

enum { BITS_MAX = 16384, PSS_END = 0xbc, FAST_EXPONENT = 8, OWN_BITS = 2048 };

/* clang-format off */
static const int nid_of[LIB_HASHES + 1] = {
    [TROTH_SHA256] = NID_sha256, [TROTH_SHA384] = NID_sha384, [TROTH_SHA512] = NID_sha512, [TROTH_SHA1] = NID_sha1
};

/* DigestInfo up to the digest (RFC 8017 9.2, note 1): length, bytes */
static const uint8_t digest_info[LIB_HASHES + 1][20] = {
    [TROTH_SHA1]   = { 15, 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 },
    [TROTH_SHA256] = { 19, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 },
    [TROTH_SHA384] = { 19, 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30 },
    [TROTH_SHA512] = { 19, 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40 },
};
/* clang-format on */

static bool is_pss(enum troth_sig sig)
{
    return sig == TROTH_SIG_RSA_PSS_SHA256 || sig == TROTH_SIG_RSA_PSS_SHA384 || sig == TROTH_SIG_RSA_PSS_SHA512;
}

/* ---- paddings, for moduli whose bits are whole bytes */

/* db ^= MGF1(seed) (RFC 8017 B.2.1) */
static void mgf1(enum troth_hash_id id, uint8_t *db, size_t db_n, span seed)
{
    uint8_t digest[TROTH_DIGEST_MAX], counter[4] = { 0 };
    size_t n;
    for (size_t at = 0; at < db_n; at += n) {
        span parts[] = { seed, SPAN_OF(counter) };
        lib_digest(id, parts, COUNT_OF(parts), digest, &n);
        for (size_t i = 0; i < n && at + i < db_n; i++)
            db[at + i] ^= digest[i];
        counter[3]++; /* a modulus of 16384 bits needs no more than 103 */
    }
}

/* H of RFC 8017 9.1 */
static void pss_hash(enum troth_hash_id id, uint8_t *h, span digest, span salt)
{
    static const uint8_t zeros[8];
    span parts[] = { SPAN_OF(zeros), digest, salt };
    size_t n;
    lib_digest(id, parts, COUNT_OF(parts), h, &n);
}

static bool pss_right(enum troth_hash_id id, uint8_t *em, size_t em_n, span digest, size_t salt_n)
{
    uint8_t h[TROTH_DIGEST_MAX];
    TRY(em_n >= digest.n + salt_n + 2 && em[em_n - 1] == PSS_END && !(em[0] & 0x80));
    size_t db_n = em_n - digest.n - 1, zeros = db_n - salt_n - 1;
    mgf1(id, em, db_n, span_of(em + db_n, digest.n));
    em[0] &= 0x7f;
    for (size_t i = 0; i < zeros; i++)
        TRY(!em[i]);
    TRY(em[zeros] == 1);
    pss_hash(id, h, digest, span_of(em + zeros + 1, salt_n));
    return bytes_equal_ct(h, em + db_n, digest.n);
}

static bool pkcs1_right(enum troth_hash_id id, const uint8_t *em, size_t em_n, span digest)
{
    const uint8_t *info = digest_info[id];
    size_t tail = info[0] + digest.n;
    TRY(em_n >= tail + 11 && !em[0] && em[1] == 1 && !em[em_n - tail - 1]);
    for (size_t i = 2; i < em_n - tail - 1; i++)
        TRY(em[i] == 0xff);
    return bytes_equal_ct(em + em_n - tail, info + 1, info[0]) && bytes_equal_ct(em + em_n - digest.n, digest.p, digest.n);
}

static void pkcs1_make(enum troth_hash_id id, uint8_t *em, size_t em_n, span digest)
{
    const uint8_t *info = digest_info[id];
    size_t tail = info[0] + digest.n;
    memset(em, 0xff, em_n);
    em[0] = em[em_n - tail - 1] = 0;
    em[1] = 1;
    memcpy(em + em_n - tail, info + 1, info[0]);
    memcpy(em + em_n - digest.n, digest.p, digest.n);
}

/* ---- verifying */
static RSA *rsa_of(span n, span e)
{
    RSA *rsa = RSA_new();
    BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
    if (rsa && bn && be && RSA_set0_key(rsa, bn, be, NULL) == 1)
        return rsa;
    BN_free(bn);
    BN_free(be);
    RSA_free(rsa);
    return NULL;
}

/* The length of the salt that the signature must have. */
static size_t salt_of(const troth_public_key *k, span digest)
{
    return k->salt_n == TROTH_NO_SALT ? 0 : k->salt_n ? k->salt_n : digest.n;
}

static bool verify_pss(const struct lib *l, const troth_verify_job *job, RSA *rsa, span digest)
{
    uint8_t em[BITS_MAX / 8];
    const EVP_MD *md = l->md[sig_hash(job->sig)];
    int salt_n = (int)salt_of(job->key, digest);
    return RSA_public_decrypt((int)job->signature.n, job->signature.p, em, rsa, RSA_NO_PADDING) == RSA_size(rsa) &&
           RSA_verify_PKCS1_PSS_mgf1(rsa, digest.p, md, md, em, salt_n) == 1;
}

static bool verify_slowly(const struct lib *l, const troth_verify_job *job, span digest)
{
    RSA *rsa = rsa_of(job->key->n, job->key->e);
    TRY(rsa);
    bool good = is_pss(job->sig) ? verify_pss(l, job, rsa, digest)
                                 : RSA_verify(nid_of[sig_hash(job->sig)], digest.p, (unsigned)digest.n, job->signature.p,
                                              (unsigned)job->signature.n, rsa) == 1;
    RSA_free(rsa);
    return good;
}

#if defined(__x86_64__)
/* What the signature says, by our own kernel.  False: it does not take this key. */
static bool opened(const struct lib *l, const troth_verify_job *job, uint8_t *em, bool *out_of_range)
{
    span e = job->key->e;
    uint64_t exponent = 0;
    TRY(l->has_lanes && e.n <= FAST_EXPONENT);
    for (size_t i = 0; i < e.n; i++)
        exponent = exponent << 8 | e.p[i];
    return rsa_public(em, job->key->n.p, job->key->n.n, exponent, job->signature.p, out_of_range);
}
#else
static bool opened(const struct lib *l, const troth_verify_job *job, uint8_t *em, bool *out_of_range)
{
    (void)l, (void)job, (void)em, (void)out_of_range;
    return false;
}
#endif

bool lib_verify_rsa(const struct lib *l, const troth_verify_job *job, span digest)
{
    const troth_public_key *k = job->key;
    uint8_t em[RSA_BYTES_MAX];
    bool out_of_range = false;
    TRY(k->n.n && k->e.n && k->n.n <= BITS_MAX / 8 && k->e.n <= k->n.n && job->signature.n == k->n.n);
    if (!opened(l, job, em, &out_of_range))
        return !out_of_range && verify_slowly(l, job, digest);
    enum troth_hash_id id = sig_hash(job->sig);
    return is_pss(job->sig) ? pss_right(id, em, k->n.n, digest, salt_of(k, digest))
                            : pkcs1_right(id, em, k->n.n, digest);
}

/* ---- signing */
#if defined(__x86_64__)
/* r^e and 1 / r mod n, of an r that is forgotten */
static bool make_blinding(struct rsa_parts *parts, const BIGNUM *n, const BIGNUM *e)
{
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *r = BN_secure_new(), *v = BN_secure_new();
    bool ok = ctx && r && v && BN_priv_rand_range(r, n) == 1;
    if (ok) {
        BN_set_flags(r, BN_FLG_CONSTTIME);
        ok = BN_mod_exp(v, r, e, n, ctx) == 1 && BN_bn2binpad(v, parts->blind, sizeof parts->blind) > 0 && BN_mod_inverse(v, r, n, ctx) &&
             BN_bn2binpad(v, parts->unblind, sizeof parts->unblind) > 0;
    }
    BN_clear_free(r);
    BN_clear_free(v);
    BN_CTX_free(ctx);
    return ok;
}

/* The parts of a key that our kernel takes; false: it is not one. */
static bool take_apart(struct rsa_parts *parts, const RSA *rsa)
{
    const BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *q_inverse;
    RSA_get0_key(rsa, &n, &e, &d);
    RSA_get0_factors(rsa, &p, &q);
    RSA_get0_crt_params(rsa, &dp, &dq, &q_inverse);
    TRY(RSA_bits(rsa) == OWN_BITS && RSA_get_version((RSA *)rsa) == RSA_ASN1_VERSION_DEFAULT && p && q && dp && dq && q_inverse);
    TRY(BN_num_bits(p) == OWN_BITS / 2 && BN_num_bits(q) == OWN_BITS / 2 && BN_num_bits(e) <= 8 * FAST_EXPONENT);
    parts->e = BN_get_word(e);
    return BN_bn2binpad(n, parts->n, sizeof parts->n) > 0 && BN_bn2binpad(p, parts->p, sizeof parts->p) > 0 &&
           BN_bn2binpad(q, parts->q, sizeof parts->q) > 0 && BN_bn2binpad(dp, parts->dp, sizeof parts->dp) > 0 &&
           BN_bn2binpad(dq, parts->dq, sizeof parts->dq) > 0 &&
           BN_bn2binpad(q_inverse, parts->q_inverse, sizeof parts->q_inverse) > 0 && make_blinding(parts, n, e);
}

/* Of libcrypto's parts, does our kernel make signatures?  Tried once, so that no handshake has to. */
static bool works(const struct lib *l, const struct rsa_private *own)
{
    uint8_t random[RSA_BLIND_BYTES], text[OWN_BITS / 8], out[OWN_BITS / 8];
    memset(text, 0x5a, sizeof text);
    return l->pub.random(l->pub.self, random, sizeof random) && rsa_private(out, own, text, random);
}

void lib_own_rsa(const struct lib *l, troth_key *k)
{
    struct rsa_parts parts;
    if (!l->has_lanes || !k->rsa)
        return;
    if (take_apart(&parts, k->rsa) && (k->own_rsa = l->memory.alloc(l->memory.ctx, sizeof *k->own_rsa)) &&
        !(rsa_private_load(k->own_rsa, &parts) && works(l, k->own_rsa)))
        lib_own_rsa_free(l, k);
    secret_wipe(&parts, sizeof parts);
    lib_quiet();
}

void lib_own_rsa_free(const struct lib *l, troth_key *k)
{
    if (!k->own_rsa)
        return;
    secret_wipe(k->own_rsa, sizeof *k->own_rsa);
    l->memory.free(l->memory.ctx, k->own_rsa, sizeof *k->own_rsa);
    k->own_rsa = NULL;
}

static bool sign_own(const struct lib *l, const troth_key *k, const uint8_t *em, uint8_t *out)
{
    uint8_t random[RSA_BLIND_BYTES];
    return l->pub.random(l->pub.self, random, sizeof random) && rsa_private(out, k->own_rsa, em, random);
}
#else
void lib_own_rsa(const struct lib *l, troth_key *k)
{
    (void)l, (void)k;
}

void lib_own_rsa_free(const struct lib *l, troth_key *k)
{
    (void)l, (void)k;
}

static bool sign_own(const struct lib *l, const troth_key *k, const uint8_t *em, uint8_t *out)
{
    (void)l, (void)k, (void)em, (void)out;
    return false; /* no key has own_rsa */
}
#endif

static bool pss_make(const struct lib *l, enum troth_hash_id id, uint8_t *em, size_t em_n, span digest)
{
    TRY(em_n >= 2 * digest.n + 2);
    size_t db_n = em_n - digest.n - 1;
    uint8_t *salt = em + db_n - digest.n;
    memset(em, 0, em_n);
    TRY(l->pub.random(l->pub.self, salt, digest.n));
    salt[-1] = 1;
    pss_hash(id, em + db_n, digest, span_of(salt, digest.n));
    mgf1(id, em, db_n, span_of(em + db_n, digest.n));
    em[0] &= 0x7f;
    em[em_n - 1] = PSS_END;
    return true;
}

static bool sign_pkcs1(const struct lib *l, const troth_key *k, enum troth_sig sig, span digest, uint8_t *out, size_t n)
{
    uint8_t em[RSA_BYTES_MAX];
    unsigned len = 0;
    if (k->own_rsa) {
        pkcs1_make(sig_hash(sig), em, n, digest);
        if (sign_own(l, k, em, out))
            return true;
    }
    return RSA_sign(nid_of[sig_hash(sig)], digest.p, (unsigned)digest.n, out, &len, (RSA *)k->rsa) == 1 && len == n;
}

static bool sign_pss(const struct lib *l, const troth_key *k, enum troth_sig sig, span digest, uint8_t *out, size_t n)
{
    uint8_t em[BITS_MAX / 8];
    RSA *rsa = (RSA *)k->rsa; /* const only where libcrypto says so: it locks what it changes */
    const EVP_MD *md = l->md[sig_hash(sig)];
    bool ok = RSA_bits(rsa) % 8 ? RSA_padding_add_PKCS1_PSS_mgf1(rsa, em, digest.p, md, md, (int)digest.n) == 1
                                : pss_make(l, sig_hash(sig), em, n, digest);
    ok = ok && ((k->own_rsa && sign_own(l, k, em, out)) || RSA_private_encrypt((int)n, em, out, rsa, RSA_NO_PADDING) == (int)n);
    secret_wipe(em, n);
    return ok;
}

bool lib_sign_rsa(const struct lib *l, const troth_key *k, enum troth_sig sig, span digest, uint8_t *out, size_t *n)
{
    *n = (size_t)RSA_size(k->rsa);
    TRY(*n <= BITS_MAX / 8);
    return is_pss(sig) ? sign_pss(l, k, sig, digest, out, *n) : sign_pkcs1(l, k, sig, digest, out, *n);
}
