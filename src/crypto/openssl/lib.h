/* lib.h - the provider on libcrypto, seen from inside.
 *
 * What can be looked up by name is looked up once, when the provider is opened: a look-up takes locks and a microsecond.  For hashes, EC
 * and RSA the low-level calls are used, which libcrypto 3.0 calls deprecated: they are the ones that take raw keys and flat states
 * (an EC public key from its point: 1.9 us with them, 14 to 107 us without; SHA-256 of 64 bytes: 0.07 against 0.32 us). */
#ifndef CRYPTO_OPENSSL_LIB_H
#define CRYPTO_OPENSSL_LIB_H

#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdatomic.h>

#include "base/secret.h"
#include "crypto/kems.h"
#include "crypto/provider.h"

enum { LIB_HASHES = 4, LIB_AEADS = 3, LIB_CURVES = 3, LIB_KEMS = 10, LIB_MLDSA = 3 };

/* An AEAD, a curve: a row of the public table and what it stands on. */
struct lib_aead {
    troth_aead  row; /* first: the row is the object */
    EVP_CIPHER *cipher;
};

struct lib_curve {
    enum troth_key_type type;
    int       nid;
    size_t    n; /* bytes of a field element, and of a scalar */
    EC_GROUP *group;
};

struct lib_fast;
struct rsa_private;
struct reserve;

struct lib {
    troth_provider   pub; /* first: the provider is the object */
    atomic_uint      owners;
    troth_allocator  memory;
    EVP_MD          *md[LIB_HASHES + 1]; /* by enum troth_hash_id */
    struct lib_curve curve[LIB_CURVES];
    bool             has_mldsa;
    bool             has_p256;  /* verified by our own kernel in plain C */
    bool             has_lanes; /* P-256 side by side, RSA by our kernels */
    struct lib_aead  aead[LIB_AEADS];
    struct reserve  *reserve; /* of random bytes; NULL: each draw is libcrypto's own */
    struct lib_fast *fast; /* libipsec-mb's forms of them; NULL: not here, or not for this processor */
    troth_kem        kem[LIB_KEMS]; /* in order of preference */
    struct own_kem   own[LIB_KEMS];
    const troth_hash *hashes[LIB_HASHES + 1];
    const troth_aead *aeads[LIB_AEADS + 1];
    const troth_kem  *kems[LIB_KEMS + 1];
};

struct troth_key {
    struct lib         *lib; /* one owner of it */
    enum troth_key_type type;
    EVP_PKEY           *pkey;
    const EC_KEY       *ec;  /* pkey's own, for P-256, P-384 and P-521 */
    const RSA          *rsa; /* pkey's own, for RSA and RSA-PSS        */
    enum troth_hash_id  only_hash; /* an RSA-PSS key may be tied to one hash; 0: it is not */
    bool                in_lanes;  /* P-256: signed with by our own kernel, from d         */
    uint8_t             d[32];
    struct rsa_private *own_rsa;   /* RSA of 2048 bits: signed with by our own kernel; NULL: by libcrypto */
};

static inline struct lib *lib_of(void *self)
{
    return self;
}

/* Forget what libcrypto noted about a failure: nobody will ask. */
void lib_quiet(void);
void lib_share(struct lib *l);
void lib_free(struct lib *l);

/* Each part of the provider fills in its fields; false when libcrypto does not have what it needs. */
bool MUST_USE lib_open_hashes(struct lib *l);
bool MUST_USE lib_open_aeads(struct lib *l, const troth_libcrypto_options *o);
bool MUST_USE lib_open_curves(struct lib *l);
void lib_open_kems(struct lib *l, const troth_libcrypto_options *o);
void lib_open_random(struct lib *l);
void lib_open_signatures(struct lib *l);
void lib_open_keys(struct lib *l);
/* Puts libipsec-mb's rows in place of libcrypto's, where it is there and fits the processor. */
void lib_open_fast(struct lib *l);
void lib_close_fast(struct lib *l);
void lib_close_random(struct lib *l);
void lib_close_hashes(struct lib *l);
void lib_close_aeads(struct lib *l);
void lib_close_curves(struct lib *l);

const struct lib_curve *lib_curve_of(const struct lib *l, enum troth_key_type type);
/* The digest of a message in pieces. */
void lib_digest(enum troth_hash_id id, const troth_span *parts, size_t n_parts, uint8_t *digest, size_t *n);

/* One signature by libcrypto; one on P-256 by our own kernel, others by libcrypto; several, those on P-256 side by side where the
 * processor has the lanes. */
void lib_verify_one(const struct lib *l, troth_verify_job *job);
void lib_verify_single(const struct lib *l, troth_verify_job *job);
/* RSA, of a digest.  The first makes a key ready for our own kernel, when it is one that it takes. */
void lib_own_rsa(const struct lib *l, troth_key *k);
void lib_own_rsa_free(const struct lib *l, troth_key *k);
bool lib_verify_rsa(const struct lib *l, const troth_verify_job *job, troth_span digest);
bool MUST_USE lib_sign_rsa(const struct lib *l, const troth_key *k, enum troth_sig sig, troth_span digest, uint8_t *out, size_t *n);
bool MUST_USE lib_sign_lanes(const struct lib *l, const troth_key *k, const uint8_t *digest, size_t digest_n, uint8_t *out, size_t *n);
void lib_sign_many(void *self, troth_sign_job *jobs, size_t n);
void lib_verify_lanes(const struct lib *l, troth_verify_job *jobs, size_t n);
/* One, by a key that lib_know wrote about. */
void lib_verify_known(const struct lib *l, troth_verify_job *job);
bool lib_know(void *self, const troth_public_key *key, void *known);
bool lib_has_lanes(const troth_libcrypto_options *o);

/* X25519 by libcrypto, and a NIST curve by its number in lib.curve. */
void lib_x25519_kem(troth_kem *row);
void lib_curve_kem(troth_kem *row, struct lib *l, size_t i);

#endif
