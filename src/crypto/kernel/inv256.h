/* Inversion modulo an odd number below 2^256, in constant time. Internal to the kernels. */
#ifndef TROTH_KERNEL_INV256_H
#define TROTH_KERNEL_INV256_H

#include <stdint.h>

/* a modulus as five signed limbs of 62 bits, and its inverse modulo 2^62 */
struct inv256 { int64_t m[5]; uint64_t inverse; };

/* out = 1/a mod m, fully reduced; 0 gives 0. a below m, four little-endian words; out may be a. */
void inv256(uint64_t out[4], const uint64_t a[4], const struct inv256 *m);

#endif
