/* Multiples of P-256's base point, for p256_sign.c; and the digits of a scalar. Internal. */
#ifndef TROTH_KERNEL_P256_BASE_H
#define TROTH_KERNEL_P256_BASE_H

#include <stdbool.h>

#include "crypto/kernel/p256_scalar.h"

struct p256_affine { struct scalar x, y; };

/* The 64 digits of -8 .. 8, the lowest first, of k or of n - k, whichever is below 2^255; the mask of the latter: the point is negated
 * then. Constant time. */
uint64_t p256_digits(int8_t d[64], const struct scalar *k);
/* k G, 0 < k < n; false when what came out is not on the curve. Constant time. */
bool p256_base_one(struct p256_affine *out, const struct scalar *k);
bool p256_base_eight(struct p256_affine out[8], const struct scalar k[8]);

#endif
