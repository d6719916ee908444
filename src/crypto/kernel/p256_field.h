/* The field of P-256, one element at a time, for any 64-bit machine with a 64x64->128 multiplication. Internal to what verifies, and
 * compiled into it: it was not written with secrets in mind, and must never be given one.
 *
 * An element is five limbs of 52 bits in Montgomery form with 2^260. p is -1 modulo 2^52, so the Montgomery quotient of a limb is the
 * limb itself, and adding m p clears it and adds m (p + 1), which has three limbs and all of them above.
 *
 * Bounds. Sums and differences are taken limb by limb and not carried: limbs stay below 2^57, and two that meet in a product below
 * 2^111 together, so that ten products and a carry stay below 2^115, and the carry fits 64 bits. Values: c is written for "below c * p". A
 * product of a and b is below (c_a c_b / 16 + 1) p, its limbs are below 2^52. A settled one is below 1.01 p: with q the part above 2^256,
 * v - q p = (v mod 2^256) + q (2^224 - 2^192 - 2^96 + 1), for a q of at most 31. */
#ifndef TROTH_KERNEL_P256_FIELD_H
#define TROTH_KERNEL_P256_FIELD_H

#include "crypto/kernel/ct.h"
#include "crypto/kernel/p256_limbs.h"

__extension__ typedef unsigned __int128 fp_wide;

enum { FP_BITS = 52, FP_TOP = 48 };
#define FP_MASK ((UINT64_C(1) << FP_BITS) - 1)

struct fp { uint64_t l[5]; };

/* k p with limbs to subtract from: each limb lends 2^s, in its own units, to the one below */
#define FP_LENT(s) (UINT64_C(1) << (s))
#define FP_MULTIPLE(k, s) { { (k) * P256_P0 + FP_LENT(s), (k) * P256_P1 + FP_LENT(s) - FP_LENT((s) - 52), FP_LENT(s) - FP_LENT((s) - 52), \
                              (k) * P256_P3 + FP_LENT(s) - FP_LENT((s) - 52), (k) * P256_P4 - FP_LENT((s) - 52) } }

static const struct fp fp_one = { { P256_ONE } }, fp_4p = FP_MULTIPLE(4, 54), fp_8p = FP_MULTIPLE(8, 54), fp_16p = FP_MULTIPLE(16, 56);

ALWAYS_INLINE struct fp fp_plus(struct fp a, struct fp b)
{
    for (int i = 0; i < 5; i++)
        a.l[i] += b.l[i];
    return a;
}

ALWAYS_INLINE struct fp fp_times(unsigned k, struct fp a)
{
    for (int i = 0; i < 5; i++)
        a.l[i] *= k;
    return a;
}

/* m - a, where m is one of the multiples of p above and no limb of a is larger than its */
ALWAYS_INLINE struct fp fp_from(struct fp m, struct fp a)
{
    for (int i = 0; i < 5; i++)
        m.l[i] -= a.l[i];
    return m;
}

/* a - b + 4p; b has c <= 3.9 and limbs below 2^54 */
ALWAYS_INLINE struct fp fp_minus(struct fp a, struct fp b)
{
    return fp_plus(a, fp_from(fp_4p, b));
}

/* Column by column: the products of one, what the quotients so far bring to it, and the carry; then its quotient, or its limb. (p + 1) is
 * 2^44 in limb 1, 2^36 in limb 3 and P4 in limb 4; the first two go in one, for a quotient leaves room for eight bits below it. */
#define FP(a, i, b, j) (fp_wide)(a).l[i] * (b).l[j]
#define FP_PRODUCT_0(a, b) FP(a, 0, b, 0)
#define FP_PRODUCT_1(a, b) FP(a, 0, b, 1) + FP(a, 1, b, 0)
#define FP_PRODUCT_2(a, b) FP(a, 0, b, 2) + FP(a, 1, b, 1) + FP(a, 2, b, 0)
#define FP_PRODUCT_3(a, b) FP(a, 0, b, 3) + FP(a, 1, b, 2) + FP(a, 2, b, 1) + FP(a, 3, b, 0)
#define FP_PRODUCT_4(a, b) FP(a, 0, b, 4) + FP(a, 1, b, 3) + FP(a, 2, b, 2) + FP(a, 3, b, 1) + FP(a, 4, b, 0)
#define FP_PRODUCT_5(a, b) FP(a, 1, b, 4) + FP(a, 2, b, 3) + FP(a, 3, b, 2) + FP(a, 4, b, 1)
#define FP_PRODUCT_6(a, b) FP(a, 2, b, 4) + FP(a, 3, b, 3) + FP(a, 4, b, 2)
#define FP_PRODUCT_7(a, b) FP(a, 3, b, 4) + FP(a, 4, b, 3)
#define FP_PRODUCT_8(a, b) FP(a, 4, b, 4)
#define FP_SQUARE_0(a, d) FP(a, 0, a, 0)
#define FP_SQUARE_1(a, d) FP(d, 0, a, 1)
#define FP_SQUARE_2(a, d) FP(d, 0, a, 2) + FP(a, 1, a, 1)
#define FP_SQUARE_3(a, d) FP(d, 0, a, 3) + FP(d, 1, a, 2)
#define FP_SQUARE_4(a, d) FP(d, 0, a, 4) + FP(d, 1, a, 3) + FP(a, 2, a, 2)
#define FP_SQUARE_5(a, d) FP(d, 1, a, 4) + FP(d, 2, a, 3)
#define FP_SQUARE_6(a, d) FP(d, 2, a, 4) + FP(a, 3, a, 3)
#define FP_SQUARE_7(a, d) FP(d, 3, a, 4)
#define FP_SQUARE_8(a, d) FP(a, 4, a, 4)

#define FP_SHIFTED(m) ((fp_wide)(m) << 36)
#define FP_HIGH(m) (fp_wide)(m) * P256_P4
#define FP_LOW(limb) limb = (uint64_t)c & FP_MASK, c = (uint64_t)(c >> FP_BITS);
#define FP_COLUMNS(PRODUCT, ...) \
    uint64_t m0, m1, m2, m3, m4; \
    fp_wide c = PRODUCT##_0(__VA_ARGS__);                                               FP_LOW(m0) \
    c += PRODUCT##_1(__VA_ARGS__); c += FP_SHIFTED(m0 << 8);                            FP_LOW(m1) \
    c += PRODUCT##_2(__VA_ARGS__); c += FP_SHIFTED(m1 << 8);                            FP_LOW(m2) \
    c += PRODUCT##_3(__VA_ARGS__); c += FP_SHIFTED((m2 << 8) + m0);                     FP_LOW(m3) \
    c += PRODUCT##_4(__VA_ARGS__); c += FP_SHIFTED((m3 << 8) + m1); c += FP_HIGH(m0);   FP_LOW(m4) \
    c += PRODUCT##_5(__VA_ARGS__); c += FP_SHIFTED((m4 << 8) + m2); c += FP_HIGH(m1);   FP_LOW(r.l[0]) \
    c += PRODUCT##_6(__VA_ARGS__); c += FP_SHIFTED(m3); c += FP_HIGH(m2);               FP_LOW(r.l[1]) \
    c += PRODUCT##_7(__VA_ARGS__); c += FP_SHIFTED(m4); c += FP_HIGH(m3);               FP_LOW(r.l[2]) \
    c += PRODUCT##_8(__VA_ARGS__); c += FP_HIGH(m4);                                    FP_LOW(r.l[3]) \
    r.l[4] = (uint64_t)c;

ALWAYS_INLINE struct fp fp_mul(struct fp a, struct fp b)
{
    struct fp r;
    FP_COLUMNS(FP_PRODUCT, a, b)
    return r;
}

ALWAYS_INLINE struct fp fp_sqr(struct fp a)
{
    struct fp r, d = fp_times(2, a);
    FP_COLUMNS(FP_SQUARE, a, d)
    return r;
}

/* r + more, settled; r is a product. Limbs of `more` are at least 2^49, for what q takes off, and at most 2^58. */
ALWAYS_INLINE struct fp fp_settle(struct fp r, struct fp more)
{
    uint64_t top = r.l[4] + more.l[4], q = top >> FP_TOP;
    r.l[0] += more.l[0] + q;
    r.l[1] += more.l[1] - (q << 44) + (r.l[0] >> FP_BITS);
    r.l[2] += more.l[2] + (r.l[1] >> FP_BITS);
    r.l[3] += more.l[3] - (q << 36) + (r.l[2] >> FP_BITS);
    r.l[4] = (top & ((UINT64_C(1) << FP_TOP) - 1)) + (q << 16) + (r.l[3] >> FP_BITS);
    for (int i = 0; i < 4; i++)
        r.l[i] &= FP_MASK;
    return r;
}

#define FP_TWO_0(a, b, e, f) FP_PRODUCT_0(a, b) + FP_PRODUCT_0(e, f)
#define FP_TWO_1(a, b, e, f) FP_PRODUCT_1(a, b) + FP_PRODUCT_1(e, f)
#define FP_TWO_2(a, b, e, f) FP_PRODUCT_2(a, b) + FP_PRODUCT_2(e, f)
#define FP_TWO_3(a, b, e, f) FP_PRODUCT_3(a, b) + FP_PRODUCT_3(e, f)
#define FP_TWO_4(a, b, e, f) FP_PRODUCT_4(a, b) + FP_PRODUCT_4(e, f)
#define FP_TWO_5(a, b, e, f) FP_PRODUCT_5(a, b) + FP_PRODUCT_5(e, f)
#define FP_TWO_6(a, b, e, f) FP_PRODUCT_6(a, b) + FP_PRODUCT_6(e, f)
#define FP_TWO_7(a, b, e, f) FP_PRODUCT_7(a, b) + FP_PRODUCT_7(e, f)
#define FP_TWO_8(a, b, e, f) FP_PRODUCT_8(a, b) + FP_PRODUCT_8(e, f)
/* a b + c d with one reduction, settled */
ALWAYS_INLINE struct fp fp_mul_two(struct fp a, struct fp b, struct fp e, struct fp f)
{
    struct fp r;
    FP_COLUMNS(FP_TWO, a, b, e, f)
    return fp_settle(r, fp_4p);
}

/* of an element with c < 2 and carried limbs, as products are: 0 and p are what is 0 */
ALWAYS_INLINE bool fp_is_zero(struct fp a)
{
    if (a.l[0] && a.l[0] != P256_P0)
        return false;
    return !(a.l[0] | a.l[1] | a.l[2] | a.l[3] | a.l[4]) ||
           (a.l[0] == P256_P0 && a.l[1] == P256_P1 && !a.l[2] && a.l[3] == P256_P3 && a.l[4] == P256_P4);
}

/* four words, below p, into Montgomery form */
ALWAYS_INLINE struct fp fp_of_words(const uint64_t w[4])
{
    static const struct fp square = { { P256_SQUARE } };
    return fp_mul((struct fp){ { w[0] & FP_MASK, (w[0] >> 52 | w[1] << 12) & FP_MASK, (w[1] >> 40 | w[2] << 24) & FP_MASK,
                                 (w[2] >> 28 | w[3] << 36) & FP_MASK, w[3] >> 16 } }, square);
}

#endif
