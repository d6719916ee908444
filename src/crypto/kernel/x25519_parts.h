/* What the forms of X25519 share: the base-point table, the digits of a scalar, points on edwards25519. Internal to
 * the x25519_*.c files. */
#ifndef TROTH_KERNEL_X25519_PARTS_H
#define TROTH_KERNEL_X25519_PARTS_H

#include <stdbool.h>

#include "crypto/kernel/fe25519.h"
#include "crypto/kernel/x25519.h"

/* Loose limbs; what is divided by 0 is 0. */
struct x25519_ratio { struct fe over, under; };

/* 32 positions of 12 words of 8 entries. Entry e of position i is (e + 1) * 256^i * B, B the base point of
 * edwards25519 (RFC 7748 4.1), as the words 0-3 of y + x, 4-7 of y - x, 8-11 of 2dxy, each below p. Word-major, so that
 * one register holds a word of all eight entries. Made by tools/gen_x25519_table.py. */
#define X25519_POSITION (12 * 8)
extern const uint64_t x25519_table[32 * X25519_POSITION];

/* RFC 7748 5 */
ALWAYS_INLINE void x25519_clamp(uint8_t k[32], const uint8_t scalar[32])
{
    memcpy(k, scalar, 32);
    k[0] &= 248;
    k[31] = (uint8_t)((k[31] & 127) | 64);
}

/* A clamped scalar as 64 digits of -8..8 with the sum of d[i] * 16^i: a digit above 7 borrows from the next. The last
 * one is at most 7 + 1, for the scalar is below 2^255. */
ALWAYS_INLINE void x25519_digits(int8_t d[64], const uint8_t k[32])
{
    for (int i = 0; i < 32; i++) {
        d[2 * i] = (int8_t)(k[i] & 15);
        d[2 * i + 1] = (int8_t)(k[i] >> 4);
    }
    int carry = 0;
    for (int i = 0; i < 63; i++) {
        int v = d[i] + carry;
        carry = (v + 8) >> 4;
        d[i] = (int8_t)(v - carry * 16);
    }
    d[63] = (int8_t)(d[63] + carry);
}

ALWAYS_INLINE bool x25519_nonzero(const uint8_t out[32])
{
    return (fe_word(out) | fe_word(out + 8) | fe_word(out + 16) | fe_word(out + 24)) != 0;
}

/* extended coordinates: x = X/Z, y = Y/Z, T = XY/Z */
struct edwards { struct fe x, y, z, t; };

void edwards_double(struct edwards *p);

/* u = (1 + y) / (1 - y), RFC 7748 4.1 */
void edwards_to_montgomery(struct x25519_ratio *u, const struct edwards *p);

#endif
