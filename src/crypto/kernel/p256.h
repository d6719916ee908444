/* ECDSA on P-256 (FIPS 186-5, SP 800-186 3.2.1.3) with AVX-512 IFMA: verification of several signatures side by side, signing
 * one at a time and eight at a time, key generation. There is no portable form: where IFMA is missing libcrypto is as fast.
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
    P256_UNSURE,            /* the sum met one of the exceptions of its formulas: ask someone else. Only crafted input does. */
};

struct p256_check {
    const uint8_t *key;             /* 64 bytes: x, y */
    const uint8_t *r, *s;           /* 32 bytes each */
    const uint8_t *hash;
    size_t hash_n;                  /* the leftmost 32 bytes count (FIPS 186-5 6.4.2) */
    enum p256_verdict verdict;      /* the answer */
};

enum { P256_LANES = 8 };

/* Up to eight verifications in the time of one; everything is public, and time depends on it. */
void p256_verify(struct p256_check *check, unsigned n);

#endif
