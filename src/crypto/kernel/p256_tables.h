/* Multiples of P-256's base point, affine, in the limbs of p256_ifma.h: five of x, five of y. Made by
 * tools/gen_p256_tables.py. */
#ifndef TROTH_KERNEL_P256_TABLES_H
#define TROTH_KERNEL_P256_TABLES_H

#include <stdint.h>

/* entry e, ten words: (e + 1) * G, and from entry 128 on (e - 127) * 2^128 * G. For verification, indexed by public numbers. */
enum { P256_MULTIPLES = 128 };
extern const uint64_t p256_table_verify[2 * P256_MULTIPLES * 10];

/* 32 positions of ten words of eight entries: entry e of position i is (e + 1) * 256^i * G. Word-major, so that a register
 * holds a word of all eight. */
#define P256_POSITION (10 * 8)
extern const uint64_t p256_table_base[32 * P256_POSITION];

#endif
