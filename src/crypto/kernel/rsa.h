/* RSA's public operation with AVX-512 IFMA, for the sizes that certificates have.  Everything is public, and time depends on it: never
 * to be used with a private exponent.  There is no portable form: where IFMA is missing libcrypto is as fast. */
#ifndef TROTH_KERNEL_RSA_H
#define TROTH_KERNEL_RSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { RSA_BYTES_MAX = 512 };

/* out = s^e mod n, all of n_bytes, big-endian.  False where that is not for this kernel: n must have exactly 2048, 3072 or 4096 bits and
 * be odd, e must be odd and larger than 1.  Also false when s is not below n: then *out_of_range. */
bool MUST_USE rsa_public(uint8_t *out, const uint8_t *n, size_t n_bytes, uint64_t e, const uint8_t *s, bool *out_of_range);

#endif
