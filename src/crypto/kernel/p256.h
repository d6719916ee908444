/* ECDSA on P-256 (FIPS 186-5, SP 800-186 3.2.1.3): verification in plain C; and with AVX-512 IFMA verification of several signatures side
 * by side, signing one at a time and eight at a time, key generation. Signing has no portable form: where IFMA is missing libcrypto does it.
 * Numbers are 32 bytes, big-endian, as certificates and signatures hold them; no encoding is parsed here. */
#ifndef TROTH_KERNEL_P256_H
#define TROTH_KERNEL_P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum p256_verdict {
    P256_BAD,               /* not a signature of this hash by this key, or not a key */
    P256_GOOD,
    P256_UNSURE,            /* the lanes met one of the exceptions of their formulas: ask p256_verify_plain. Only crafted input does. */
};

struct p256_check {
    const uint8_t *key;             /* 64 bytes: x, y */
    const uint8_t *r, *s;           /* 32 bytes each */
    const uint8_t *hash;
    size_t hash_n;                  /* the leftmost 32 bytes count (FIPS 186-5 6.4.2) */
    enum p256_verdict verdict;      /* the answer */
};

enum { P256_LANES = 8 };

/* Verifications, four in the time of one; everything is public, and time depends on it. */
void p256_verify(struct p256_check *check, unsigned n);

/* One verification, on any processor; never P256_UNSURE. */
void p256_verify_plain(struct p256_check *check);

/* A key that is met again: 2^32, 2^64 .. 2^224 times its point, affine, one in each lane. */
struct p256_known {
    uint64_t x[5][P256_LANES], y[5][P256_LANES];
};

/* Makes that of a key, x and y; false when it is not a point of the curve. */
bool MUST_USE p256_know(struct p256_known *k, const uint8_t key[64]);
/* One verification by such a key, a third of the time of p256_verify. check->key is not looked at. */
void p256_verify_known(struct p256_check *check, const struct p256_known *k);

struct p256_signing {
    const uint8_t *d;               /* the private key, 32 bytes */
    const uint8_t *random;          /* 32 bytes, fresh. Should they ever repeat or be known, the nonce still is a secret function
                                       of key and hash, as in RFC 6979 */
    const uint8_t *hash;
    size_t hash_n;                  /* the leftmost 32 bytes count */
    uint8_t r[32], s[32];           /* the signature */
    bool done;                      /* false: d is not in 1 .. n-1, or the result failed its check */
};

typedef void p256_sha512(void *ctx, uint8_t out[64], const uint8_t *in, size_t n);

/* One signature, or up to eight side by side, in constant time (FIPS 186-5 6.4.1). Before one is given out it is checked that
 * its point lies on the curve and that s k = e + r d: a fault on the way does not tell the key. */
void p256_sign(struct p256_signing *job, unsigned n, p256_sha512 *sha512, void *ctx);

/* public keys x || y of private ones, one or up to eight, in constant time; false when one is not in 1 .. n-1 */
bool MUST_USE p256_public(uint8_t key[][64], const uint8_t d[][32], unsigned n);

#endif
