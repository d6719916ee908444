/* RSA with AVX-512 IFMA, for the sizes that certificates have.  There is no portable form: where IFMA is missing, libcrypto's is used. */
#ifndef TROTH_KERNEL_RSA_H
#define TROTH_KERNEL_RSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { RSA_BYTES_MAX = 512, RSA_PRIME_BYTES = 128, RSA_BLIND_BYTES = 4, RSA_LIMBS = 40 };

/* The public operation.  Everything is public, and time depends on it: never to be used with a private exponent.
 * out = s^e mod n, all of n_bytes, big-endian.  False where that is not for this kernel: n must have exactly 2048, 3072 or 4096 bits and
 * be odd, e must be odd and larger than 1.  Also false when s is not below n: then *out_of_range. */
bool MUST_USE rsa_public(uint8_t *out, const uint8_t *n, size_t n_bytes, uint64_t e, const uint8_t *s, bool *out_of_range);

/* A private key of 2048 bits with two primes of 1024, big-endian, and what blinds it: `blind` is r^e mod n, `unblind` 1 / r mod n, of an r
 * that nobody knows. */
struct rsa_parts {
    uint8_t  n[2 * RSA_PRIME_BYTES], p[RSA_PRIME_BYTES], q[RSA_PRIME_BYTES], dp[RSA_PRIME_BYTES], dq[RSA_PRIME_BYTES];
    uint8_t  q_inverse[RSA_PRIME_BYTES], blind[2 * RSA_PRIME_BYTES], unblind[2 * RSA_PRIME_BYTES];
    uint64_t e;
};

/* The same, ready for use; secret throughout.  Its owner wipes it. */
struct rsa_private {
    uint64_t n[RSA_LIMBS], one[RSA_LIMBS], r2[RSA_LIMBS], r3[RSA_LIMBS], q_inverse[RSA_LIMBS]; /* limbs of p's half and q's in turn */
    uint64_t k0[2], p[16], q[16], e;
    uint8_t  dp[RSA_PRIME_BYTES], dq[RSA_PRIME_BYTES], modulus[2 * RSA_PRIME_BYTES];
    uint64_t blind[16][RSA_LIMBS], unblind[16][RSA_LIMBS]; /* products of four powers of each */
};

/* False: primes that are even or below 2^1023.  Whether the parts belong together is not looked at: rsa_private() finds out. */
bool MUST_USE rsa_private_load(struct rsa_private *k, const struct rsa_parts *parts);

/* out = in^d mod n, for an `in` below n, each of 256 bytes; in constant time, blinded by a power of r that `random` chooses, and raised to e
 * again before it is believed.  False, and nothing in `out`, when that does not give `in`: a fault, or parts that do not belong together. */
bool MUST_USE rsa_private(uint8_t *out, const struct rsa_private *k, const uint8_t *in, const uint8_t random[RSA_BLIND_BYTES]);

#endif
