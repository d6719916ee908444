/* A number modulo n, the order of P-256's base point, as a quotient of two of half its length. Internal to what verifies: it branches
 * on its number, which is public, and must never be given a secret. */
#ifndef TROTH_KERNEL_P256_HALVE_H
#define TROTH_KERNEL_P256_HALVE_H

#include "base/compiler.h"
#include "crypto/kernel/p256_scalar.h"

/* Both below 2^128, little-endian words; v is not 0. */
struct scalar_halves { uint64_t w[2], v[2]; bool negative; };

/* w = v u mod n, or -v u where `negative`; u is below n. False for a u that was made for it: a quotient on the way fills a word. */
bool MUST_USE scalar_halve(struct scalar_halves *h, const struct scalar *u);

#endif
