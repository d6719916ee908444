/* Sums of multiples of public points, eight lanes: what verification with a key met for the first time (p256_ifma_verify.c) and with
 * one met again (p256_ifma_known.c) share. Internal to them, and compiled into each. It branches on numbers and gathers by
 * them, and must never be given a secret.
 *
 * Signed windows; the additions are the incomplete ones: an accumulator at infinity is tracked by a mask; the accumulator equal
 * or opposite to what is added makes Z = 0, which every later step keeps, so that it is seen once, at the end: P256_UNSURE. */
#ifndef TROTH_KERNEL_P256_IFMA_WALK_H
#define TROTH_KERNEL_P256_IFMA_WALK_H

#include "crypto/kernel/p256_ifma.h"
#include "crypto/kernel/p256_open.h"
#include "crypto/kernel/p256_tables.h"

#define WALK static IFMA __attribute__((noinline))

enum { ENTRY = 25 };                                    /* x, y, z, z^2, z^3 */
typedef uint64_t walk_entry[ENTRY][P256_LANES];         /* aligned to 64 */

/* the accumulator: infinite where nothing was added yet */
struct walk { struct jacobian p; __mmask8 infinite; };

INLINE struct walk walk_begin(void)
{
    return (struct walk){ { f_one(), f_one(), f_set(0, 0, 0, 0, 0) }, 0xff };
}

/* The signed digit of `bits` bits at 2^at: what is there, less 2^bits when its top bit is set, plus the bit below. `k` is
 * five words, the fifth 0. */
static inline int digit(const uint64_t k[5], unsigned at, unsigned bits)
{
    unsigned low = at ? at - 1 : 0, word = low / 64, shift = low % 64;
    uint64_t w = k[word] >> shift;
    if (shift > 64 - 9)
        w |= k[word + 1] << (64 - shift);
    unsigned got = (unsigned)(at ? w : w << 1) & ((2u << bits) - 1);        /* from one bit below */
    return (int)((got + 1) >> 1) - (int)(got >> bits << bits);
}

INLINE void put(walk_entry entry, unsigned at, struct f8 a)
{
    for (unsigned i = 0; i < 5; i++)
        _mm512_store_si512(entry[at + i], a.l[i]);
}

INLINE void put_point(walk_entry entry, const struct jacobian *p)
{
    struct f8 zz = f_sqr(p->z), zzz = f_mul(p->z, zz);
    put(entry, 0, p->x);
    put(entry, 5, p->y);
    put(entry, 10, p->z);
    put(entry, 15, zz);
    put(entry, 20, zzz);
}

WALK void double_point(struct jacobian *p)
{
    *p = point_double(*p);
}

/* 1 .. `entries` times each lane's point. No sum meets an exception: the order of a point is n. */
WALK void make_table(walk_entry *table, unsigned entries, const struct f8 *x, const struct f8 *y)
{
    struct jacobian p = { *x, *y, f_one() };
    put_point(table[0], &p);
    double_point(&p);
    put_point(table[1], &p);
    for (unsigned i = 2; i < entries; i++) {
        p = point_add_affine(p, *x, *y);
        put_point(table[i], &p);
    }
}

/* y or -y by the sign of the digit */
INLINE struct f8 signed_y(struct f8 y, __mmask8 negative)
{
    struct f8 zero = f_set(0, 0, 0, 0, 0);
    return f_select(negative, f_carry(f_minus(zero, y, 2)), y);
}

/* what the accumulator becomes: the sum, the entry where it was at infinity, itself where the digit is 0 */
INLINE void take(struct walk *a, __mmask8 there, struct jacobian sum, struct jacobian entry)
{
    a->p = point_select(a->infinite & there, entry, point_select(there, sum, a->p));
    a->infinite &= (__mmask8)~there;
}

/* the digit's multiple of the lane's own point, from make_table */
WALK void add_own(struct walk *a, const walk_entry *table, const int8_t digits[P256_LANES])
{
    const __m512i d = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)digits));
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    __m512i at = _mm512_maskz_mov_epi64(there, v_sub(_mm512_abs_epi64(d), v_set(1)));
    at = v_add(_mm512_mullo_epi64(at, v_set(ENTRY * P256_LANES)), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    struct jacobian e, sum;
    struct f8 zz, zzz;
    const uint64_t *t = table[0][0];
#define GATHER(f, from) EACH_LIMB(f.l[i] = _mm512_i64gather_epi64(at, t + ((from) + i) * P256_LANES, 8))
    GATHER(e.x, 0);
    GATHER(e.y, 5);
    GATHER(e.z, 10);
    GATHER(zz, 15);
    GATHER(zzz, 20);
#undef GATHER
    e.y = signed_y(e.y, negative);
    struct f8 pzz = f_sqr(a->p.z), u1 = f_mul(a->p.x, zz), u2 = f_mul(e.x, pzz);
    struct f8 s1 = f_mul(a->p.y, zzz), s2 = f_mul(e.y, f_mul(a->p.z, pzz));
    sum = point_sum(u1, s1, f_carry(f_minus(u2, u1, 2)), f_carry(f_minus(s2, s1, 2)), f_mul(a->p.z, e.z));
    take(a, there, sum, e);
}

/* x^3 - 3x + b, not carried: below 2 + 1 + 6 */
INLINE struct f8 curve_right(const struct f8 *x)
{
    return f_minus(f_plus(f_mul(f_sqr(*x), *x), f_b()), f_plus(f_plus(*x, *x), *x), 6);
}

/* the lanes where y^2 is that */
INLINE __mmask8 on_curve(const struct f8 *x, const struct f8 *y)
{
    return f_is_zero(f_minus(curve_right(x), f_sqr(*y), 2));                /* below 9 + 2 */
}

#endif
