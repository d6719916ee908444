/* Arithmetic modulo n, the order of P-256's base point, in four 64-bit words, little-endian, fully reduced, and in constant
 * time. Internal to p256*.c. */
#ifndef TROTH_KERNEL_P256_SCALAR_H
#define TROTH_KERNEL_P256_SCALAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scalar { uint64_t w[4]; };

extern const struct scalar scalar_order;                        /* n */

void scalar_load(struct scalar *r, const uint8_t in[32]);       /* any 256 bits, not reduced */
void scalar_store(uint8_t out[32], const struct scalar *a);
/* 1 when 0 < a < n */
uint64_t scalar_in_range(const struct scalar *a);
/* a mod n for any 256 bits: n is above 2^255 */
void scalar_reduce(struct scalar *a);
void scalar_add(struct scalar *r, const struct scalar *a, const struct scalar *b);
void scalar_mul(struct scalar *r, const struct scalar *a, const struct scalar *b);
void scalar_invert(struct scalar *r, const struct scalar *a);
/* all of them at the price of one, none zero */
void scalar_invert_all(struct scalar *a, unsigned n);
/* the leftmost 256 bits of a hash, reduced (FIPS 186-5 6.4.1) */
void scalar_of_hash(struct scalar *r, const uint8_t *hash, size_t n);

#endif
