/* Multiples of P-256's base point, for p256_sign.c. Internal. */
#ifndef TROTH_KERNEL_P256_BASE_H
#define TROTH_KERNEL_P256_BASE_H

#include <stdbool.h>

#include "crypto/kernel/p256_scalar.h"

struct p256_affine { struct scalar x, y; };

/* k G, 0 < k < n; false when what came out is not on the curve. Constant time. */
bool p256_base_one(struct p256_affine *out, const struct scalar *k);
bool p256_base_eight(struct p256_affine out[8], const struct scalar k[8]);

#endif
