/* The field of 2^255 - 19 in five 51-bit limbs, for any 64-bit machine with a 64x64->128 multiplication.
 * Must never branch on a limb.
 *
 * Bounds. A limb is "tight" when it is below 2^51 + 2^13, "loose" when below 2^54 - 2^13. Multiplications take loose
 * limbs and give tight ones: a column is at most 5 products, four of them times 19, so below
 * (1 + 4 * 19) * 2^108 < 2^115, which leaves room for the carries in 128 bits. fe_add and fe_sub take tight limbs or
 * the sum of two of them (fe_sub's second operand: limbs below 2^53 - 76, what the added 4p is made of) and give loose ones. */
#ifndef TROTH_KERNEL_FE25519_H
#define TROTH_KERNEL_FE25519_H

#include "crypto/kernel/ct.h"

__extension__ typedef unsigned __int128 fe_wide;

#define FE_MASK ((UINT64_C(1) << 51) - 1)

struct fe { uint64_t l[5]; };

/* r = 1/z, tight; 0 gives 0. Takes loose limbs. */
void fe_invert(struct fe *r, const struct fe *z);

ALWAYS_INLINE uint64_t fe_word(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

ALWAYS_INLINE void fe_put_word(uint8_t *p, uint64_t w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    memcpy(p, &w, 8);
}

/* four little-endian words, the top bit dropped (RFC 7748 5); tight */
ALWAYS_INLINE void fe_from_words(struct fe *r, const uint64_t w[4])
{
    r->l[0] = w[0] & FE_MASK;
    r->l[1] = (w[0] >> 51 | w[1] << 13) & FE_MASK;
    r->l[2] = (w[1] >> 38 | w[2] << 26) & FE_MASK;
    r->l[3] = (w[2] >> 25 | w[3] << 39) & FE_MASK;
    r->l[4] = w[3] >> 12 & FE_MASK;
}

ALWAYS_INLINE void fe_load(struct fe *r, const uint8_t s[32])
{
    uint64_t w[4] = { fe_word(s), fe_word(s + 8), fe_word(s + 16), fe_word(s + 24) };
    fe_from_words(r, w);
}

/* The only canonical form below p. Takes loose limbs. */
ALWAYS_INLINE void fe_store(uint8_t out[32], const struct fe *a)
{
    uint64_t l0 = a->l[0], l1 = a->l[1], l2 = a->l[2], l3 = a->l[3], l4 = a->l[4];
    for (int round = 0; round < 2; round++) {           /* after two rounds all limbs <= 2^51 - 1, but l0 <= 2^51 + 18 */
        l1 += l0 >> 51, l0 &= FE_MASK;
        l2 += l1 >> 51, l1 &= FE_MASK;
        l3 += l2 >> 51, l2 &= FE_MASK;
        l4 += l3 >> 51, l3 &= FE_MASK;
        l0 += 19 * (l4 >> 51), l4 &= FE_MASK;
    }
    uint64_t q = (l0 + 19) >> 51;                       /* q = 1 exactly when the value is at least p */
    q = (l1 + q) >> 51;
    q = (l2 + q) >> 51;
    q = (l3 + q) >> 51;
    q = (l4 + q) >> 51;
    l0 += 19 * q;
    l1 += l0 >> 51, l0 &= FE_MASK;
    l2 += l1 >> 51, l1 &= FE_MASK;
    l3 += l2 >> 51, l2 &= FE_MASK;
    l4 += l3 >> 51, l3 &= FE_MASK;
    l4 &= FE_MASK;
    fe_put_word(out, l0 | l1 << 51);
    fe_put_word(out + 8, l1 >> 13 | l2 << 38);
    fe_put_word(out + 16, l2 >> 26 | l3 << 25);
    fe_put_word(out + 24, l3 >> 39 | l4 << 12);
}

ALWAYS_INLINE void fe_add(struct fe *r, const struct fe *a, const struct fe *b)
{
    for (int i = 0; i < 5; i++)
        r->l[i] = a->l[i] + b->l[i];
}

/* a - b + 4p */
ALWAYS_INLINE void fe_sub(struct fe *r, const struct fe *a, const struct fe *b)
{
    r->l[0] = a->l[0] + (4 * FE_MASK - 72) - b->l[0];
    r->l[1] = a->l[1] + 4 * FE_MASK - b->l[1];
    r->l[2] = a->l[2] + 4 * FE_MASK - b->l[2];
    r->l[3] = a->l[3] + 4 * FE_MASK - b->l[3];
    r->l[4] = a->l[4] + 4 * FE_MASK - b->l[4];
}

ALWAYS_INLINE void fe_cswap(struct fe *a, struct fe *b, uint64_t mask)
{
    for (int i = 0; i < 5; i++) {
        uint64_t t = mask & (a->l[i] ^ b->l[i]);
        a->l[i] ^= t;
        b->l[i] ^= t;
    }
}

/* m ? a : r */
ALWAYS_INLINE void fe_cmove(struct fe *r, const struct fe *a, uint64_t m)
{
    for (int i = 0; i < 5; i++)
        r->l[i] = ct_select(m, a->l[i], r->l[i]);
}

/* Columns below 2^115 to tight limbs. Carries between columns are below 2^64. The top column has no factor 19, so it is
 * below 5 * 2^108 + 2^64 and what leaves it below 2^59.4: times 19, below 2^63.6. So limb 1 ends below 2^51 + 2^12.7. */
ALWAYS_INLINE void fe_carry_wide(struct fe *r, fe_wide c0, fe_wide c1, fe_wide c2, fe_wide c3, fe_wide c4)
{
    c1 += (uint64_t)(c0 >> 51);
    c2 += (uint64_t)(c1 >> 51);
    c3 += (uint64_t)(c2 >> 51);
    c4 += (uint64_t)(c3 >> 51);
    uint64_t low = ((uint64_t)c0 & FE_MASK) + 19 * (uint64_t)(c4 >> 51);
    r->l[0] = low & FE_MASK;
    r->l[1] = ((uint64_t)c1 & FE_MASK) + (low >> 51);
    r->l[2] = (uint64_t)c2 & FE_MASK;
    r->l[3] = (uint64_t)c3 & FE_MASK;
    r->l[4] = (uint64_t)c4 & FE_MASK;
}

ALWAYS_INLINE void fe_mul(struct fe *r, const struct fe *a, const struct fe *b)
{
    uint64_t a0 = a->l[0], a1 = a->l[1], a2 = a->l[2], a3 = a->l[3], a4 = a->l[4];
    uint64_t b0 = b->l[0], b1 = b->l[1], b2 = b->l[2], b3 = b->l[3], b4 = b->l[4];
    uint64_t s1 = 19 * b1, s2 = 19 * b2, s3 = 19 * b3, s4 = 19 * b4;
    fe_wide c0 = (fe_wide)a0 * b0 + (fe_wide)a1 * s4 + (fe_wide)a2 * s3 + (fe_wide)a3 * s2 + (fe_wide)a4 * s1;
    fe_wide c1 = (fe_wide)a0 * b1 + (fe_wide)a1 * b0 + (fe_wide)a2 * s4 + (fe_wide)a3 * s3 + (fe_wide)a4 * s2;
    fe_wide c2 = (fe_wide)a0 * b2 + (fe_wide)a1 * b1 + (fe_wide)a2 * b0 + (fe_wide)a3 * s4 + (fe_wide)a4 * s3;
    fe_wide c3 = (fe_wide)a0 * b3 + (fe_wide)a1 * b2 + (fe_wide)a2 * b1 + (fe_wide)a3 * b0 + (fe_wide)a4 * s4;
    fe_wide c4 = (fe_wide)a0 * b4 + (fe_wide)a1 * b3 + (fe_wide)a2 * b2 + (fe_wide)a3 * b1 + (fe_wide)a4 * b0;
    fe_carry_wide(r, c0, c1, c2, c3, c4);
}

ALWAYS_INLINE void fe_sqr(struct fe *r, const struct fe *a)
{
    uint64_t a0 = a->l[0], a1 = a->l[1], a2 = a->l[2], a3 = a->l[3], a4 = a->l[4];
    uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, s3 = 19 * a3, s4 = 19 * a4, t4 = 2 * s4;
    fe_wide c0 = (fe_wide)a0 * a0 + (fe_wide)a1 * t4 + (fe_wide)d2 * s3;
    fe_wide c1 = (fe_wide)d0 * a1 + (fe_wide)a2 * t4 + (fe_wide)a3 * s3;
    fe_wide c2 = (fe_wide)d0 * a2 + (fe_wide)a1 * a1 + (fe_wide)a3 * t4;
    fe_wide c3 = (fe_wide)d0 * a3 + (fe_wide)d1 * a2 + (fe_wide)a4 * s4;
    fe_wide c4 = (fe_wide)d0 * a4 + (fe_wide)d1 * a3 + (fe_wide)a2 * a2;
    fe_carry_wide(r, c0, c1, c2, c3, c4);
}

/* times a constant below 2^18 */
ALWAYS_INLINE void fe_mul_small(struct fe *r, const struct fe *a, uint64_t k)
{
    fe_carry_wide(r, (fe_wide)a->l[0] * k, (fe_wide)a->l[1] * k, (fe_wide)a->l[2] * k, (fe_wide)a->l[3] * k,
                  (fe_wide)a->l[4] * k);
}

#endif
