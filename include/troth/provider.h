/* troth/provider.h - the door to what the library cannot do itself: memory, randomness, cryptography.
 *
 * Most programs need one line of this: troth_libcrypto().  The rest is for those who bring their own cryptography (an accelerator, a
 * certified module, a test double).  A provider is a constant table of algorithms; it must not change once a builder has seen it,
 * and may be used by many threads at once.
 *
 * States (of hashes, of AEADs, of key exchanges) are flat memory of `state_n` bytes, aligned to 16, that the caller lends and wipes: an
 * algorithm allocates nothing per connection unless it has no other way, in which case `end` gives it back. */
#ifndef TROTH_PROVIDER_H
#define TROTH_PROVIDER_H

#include <troth/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- hashes */
enum troth_hash_id { TROTH_SHA256 = 1, TROTH_SHA384, TROTH_SHA512, TROTH_SHA1 /* identifiers in OCSP and CT only */ };

typedef struct troth_hash {
    enum troth_hash_id id;
    const char *name;     /* "SHA-256" */
    size_t      n;        /* bytes of a digest: at most 64 */
    size_t      block_n;  /* bytes of a block, for HMAC    */
    size_t      state_n;  /* at most TROTH_HASH_STATE_MAX; a state may be copied with memcpy */
    void (*begin)(void *state);
    void (*add)(void *state, const uint8_t *p, size_t n);
    void (*peek)(const void *state, uint8_t *digest);  /* the digest so far; the state goes on */
} troth_hash;

enum { TROTH_HASH_STATE_MAX = 224, TROTH_DIGEST_MAX = 64, TROTH_BLOCK_MAX = 128 };

/* ---- AEADs.  `aead` is the row itself, so that one function can serve several rows. */
enum troth_aead_id { TROTH_AES_128_GCM = 1, TROTH_AES_256_GCM, TROTH_CHACHA20_POLY1305 };

typedef struct troth_aead {
    enum troth_aead_id id;
    const char *name;
    size_t      key_n, nonce_n, tag_n;  /* nonce_n is 12, tag_n 16                                   */
    size_t      state_n;
    uint64_t    seal_limit;             /* records under one key (RFC 9846 5.5); UINT64_MAX: none    */
    bool (*begin)(const struct troth_aead *, void *state, const uint8_t *key);
    /* out: n bytes of ciphertext and the tag, contiguous.  The parts are encrypted as if they were one; out may not overlap them
     * unless there is one part and out == part.p. */
    bool (*seal)(const struct troth_aead *, void *state, uint8_t *out, const uint8_t *nonce, troth_span aad,
                 const troth_span *parts, size_t n_parts);
    /* in: ciphertext and tag.  out may be in.p.  False when the tag is wrong: then out holds nothing of use. */
    bool (*open)(const struct troth_aead *, void *state, uint8_t *out, const uint8_t *nonce, troth_span aad, troth_span in);
    void (*end)(const struct troth_aead *, void *state);
} troth_aead;

enum { TROTH_AEAD_STATE_MAX = 1152, TROTH_AEAD_KEY_MAX = 32 };

/* ---- key exchange: everything is a KEM.  The client makes, the server replies, the client finishes.
 * For a hybrid, `tail` is the classical group whose key it contains: one key serves both shares of a ClientHello. */
typedef struct troth_kem {
    uint16_t    group;      /* NamedGroup */
    const char *name;
    size_t      private_n;  /* bytes of the client's state between make and finish      */
    size_t      share_n;    /* bytes of the client's share                              */
    size_t      reply_n;    /* bytes of the server's share                              */
    size_t      secret_n;   /* bytes of the shared secret                               */
    const struct troth_kem *tail;
    size_t      tail_private_at, tail_share_at;
    void       *self;
    bool (*make)(const struct troth_kem *, void *state, uint8_t *share);
    /* False when the client's share is not a valid one (or, rarely, when the provider failed: then *broken is set). */
    bool (*reply)(const struct troth_kem *, troth_span share, uint8_t *reply, uint8_t *secret, bool *broken);
    bool (*finish)(const struct troth_kem *, const void *state, troth_span reply, uint8_t *secret, bool *broken);
    /* `n` replies side by side, at most 8, each with its answer in good[i]; NULL where one at a time is as fast. */
    void (*reply_many)(const struct troth_kem *, const troth_span *shares, uint8_t *const *replies, uint8_t *const *secrets, bool *good,
                       size_t n);
} troth_kem;

enum { TROTH_KEM_PRIVATE_MAX = 3264, TROTH_KEM_SHARE_MAX = 1665, TROTH_KEM_SECRET_MAX = 80 };

/* ---- signatures.  Not TLS scheme numbers: certificates may pair any curve with any hash, only TLS 1.3 may not. */
enum troth_key_type {
    TROTH_KEY_NONE, TROTH_KEY_RSA, TROTH_KEY_RSA_PSS, TROTH_KEY_P256, TROTH_KEY_P384, TROTH_KEY_P521, TROTH_KEY_ED25519,
    TROTH_KEY_ED448, TROTH_KEY_MLDSA44, TROTH_KEY_MLDSA65, TROTH_KEY_MLDSA87
};

enum troth_sig {
    TROTH_SIG_NONE,
    TROTH_SIG_RSA_PKCS1_SHA256, TROTH_SIG_RSA_PKCS1_SHA384, TROTH_SIG_RSA_PKCS1_SHA512, TROTH_SIG_RSA_PKCS1_SHA1,
    TROTH_SIG_RSA_PSS_SHA256, TROTH_SIG_RSA_PSS_SHA384, TROTH_SIG_RSA_PSS_SHA512,   /* salt as long as the hash, MGF1 of it */
    TROTH_SIG_ECDSA_SHA256, TROTH_SIG_ECDSA_SHA384, TROTH_SIG_ECDSA_SHA512, TROTH_SIG_ECDSA_SHA1,
    TROTH_SIG_ED25519, TROTH_SIG_ED448, TROTH_SIG_MLDSA44, TROTH_SIG_MLDSA65, TROTH_SIG_MLDSA87,
    TROTH_SIG_COUNT
};

/* The salt_n of an RSA-PSS signature without any salt. */
enum { TROTH_NO_SALT = 0xffff };

/* A public key as raw numbers, borrowed from its SubjectPublicKeyInfo. */
typedef struct troth_public_key {
    enum troth_key_type type;
    troth_span point;   /* EC: uncompressed (or compressed) point.  Ed25519, Ed448, ML-DSA: the key.  */
    troth_span n, e;    /* RSA: unsigned big-endian, no leading zero                                  */
    uint32_t   bits;    /* RSA: of the modulus; EC: of the field                                      */
    uint16_t   salt_n;  /* RSA_PSS with a salt length other than the hash's; 0: the hash's; TROTH_NO_SALT: none */
} troth_public_key;

typedef struct troth_verify_job {
    enum troth_sig          sig;
    const troth_public_key *key;
    const troth_span       *parts;   /* the message, in pieces */
    size_t                  n_parts;
    troth_span              signature;
    bool                    good;    /* the answer */
    const void             *known;   /* what the provider's `know` wrote of the key; NULL: nothing */
} troth_verify_job;

typedef struct troth_key troth_key;  /* a private key, the provider's own */

/* A signature to be made. */
typedef struct troth_sign_job {
    const troth_key  *key;
    enum troth_sig    sig;
    const troth_span *parts;     /* the message, in pieces          */
    size_t            n_parts;
    uint8_t          *signature; /* room for TROTH_SIGNATURE_MAX    */
    size_t            n;         /* the answer's length             */
    bool              done;      /* false: it was not made          */
} troth_sign_job;

/* Asks for the passphrase of an encrypted key: write at most `cap` bytes, return how many; 0: there is none. */
typedef size_t troth_passphrase_fn(void *ctx, char *out, size_t cap);

enum { TROTH_SIGNATURE_MAX = 4640, TROTH_KNOWN_MAX = 640 };

typedef struct troth_provider {
    size_t                   size;      /* sizeof(troth_provider) of the provider's build */
    const char              *name;
    void                    *self;
    const troth_allocator   *memory;
    const troth_hash *const *hashes;    /* each list ends with NULL and is in order of preference on this processor */
    const troth_aead *const *aeads;
    const troth_kem  *const *kems;

    bool (*random)(void *self, uint8_t *out, size_t n);
    /* Can it verify this kind of signature with this kind of key? */
    bool (*can_verify)(void *self, enum troth_key_type, enum troth_sig);
    /* Verifies jobs, side by side where it can; sets `good` of each.  A malformed key or signature is not good. */
    void (*verify)(void *self, troth_verify_job *jobs, size_t n);
    /* PEM or DER; PKCS#8 (also encrypted), SEC1, PKCS#1.  NULL and *why on failure. */
    troth_key *(*key_load)(void *self, troth_span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why);
    troth_key *(*key_make)(void *self, enum troth_key_type, unsigned rsa_bits);
    enum troth_key_type (*key_type)(const troth_key *);
    /* The SubjectPublicKeyInfo, and the private key as PKCS#8 DER; return the length, 0 if it does not fit in cap or cannot be had. */
    size_t (*key_public)(const troth_key *, uint8_t *spki, size_t cap);
    size_t (*key_private)(const troth_key *, uint8_t *pkcs8, size_t cap);
    /* True when this key can make this kind of signature. */
    bool (*key_can)(const troth_key *, enum troth_sig);
    /* signature has room for TROTH_SIGNATURE_MAX bytes. */
    bool (*sign)(void *self, const troth_key *, enum troth_sig, const troth_span *parts, size_t n_parts, uint8_t *signature,
                 size_t *n);
    void (*key_free)(troth_key *);
    void (*share)(struct troth_provider *);   /* one more owner                */
    void (*free)(struct troth_provider *);    /* one owner less; 0 closes it   */
    /* Makes signatures side by side where it can; sets `n` and `done` of each, and what it leaves undone is asked of `sign`.  May be NULL. */
    void (*sign_many)(void *self, troth_sign_job *jobs, size_t n);
    /* For keys that are met again: writes what helps to verify by this one, known_n bytes, a multiple of 8 and at most TROTH_KNOWN_MAX;
     * false: nothing does, or it is not a key.  All of it is public, and good on this machine only.  May be NULL, and known_n 0. */
    bool (*know)(void *self, const troth_public_key *, void *known);
    size_t known_n;
} troth_provider;

/* libcrypto (OpenSSL >= 3.0), with troth's own X25519, ML-KEM and P-256 where they are faster, and libipsec-mb for AES-GCM where it was
 * built in and the processor is right for it.  Opens a new provider that the first builder it is given to owns; NULL when memory runs
 * out or libcrypto cannot be used: builders take NULL and report it.  Its memory is malloc's. */
TROTH_API TROTH_CHECK troth_provider *troth_libcrypto(void);

/* Likewise, with a choice; NULL also where its size is 0. */
typedef struct troth_libcrypto_options {
    size_t                 size;           /* sizeof this struct */
    const troth_allocator *memory;         /* NULL: malloc, free */
    bool                   portable_only;  /* no SIMD of our own, no libipsec-mb: for comparison and for the careful */
    bool                   libcrypto_only; /* none of troth's own kernels at all (no ML-KEM then, unless libcrypto has it) */
} troth_libcrypto_options;
TROTH_API TROTH_CHECK troth_provider *troth_libcrypto_with(const troth_libcrypto_options *);

/* One owner more, one owner less.  Builders take one ownership; share first if you keep or reuse the provider.  NULL is fine. */
TROTH_API troth_provider *troth_provider_share(troth_provider *);
TROTH_API void troth_provider_free(troth_provider *);

#ifdef __cplusplus
}
#endif
#endif
