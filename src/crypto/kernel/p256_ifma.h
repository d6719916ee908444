/* The field of P-256 in eight lanes of AVX-512 IFMA, and points on the curve. Internal to p256_ifma_*.c, and compiled into each.
 *
 * p = 2^256 - 2^224 + 2^192 + 2^96 - 1. An element is five 52-bit limbs in each 64-bit lane, in Montgomery form with 2^260; as
 * p + 1 has no low limb, the Montgomery quotient of a limb is the limb itself, and m * p + z0 is (z0 >> 52) * 2^52 + m * (p + 1).
 *
 * Bounds. Limbs are always within 0 .. 2^52 - 1 when an element goes into a product, for vpmadd52 reads 52 bits. Values: c is
 * written for "below c * p". f_mul(a, b) gives c = 2 when c_a * c_b <= 16: a b / 2^260 < 16 p^2 / 2^260 < p, and the
 * quotient adds less than p. f_carry only brings limbs into range and takes up to c = 16; f_settle also brings a value of up to
 * c = 31 to c < 1.01: with q the part above 2^256, v - q p = (v mod 2^256) + q (2^224 - 2^192 - 2^96 + 1) < 2^256 + 2^229. */
#ifndef TROTH_KERNEL_P256_IFMA_H
#define TROTH_KERNEL_P256_IFMA_H

#include <immintrin.h>

#include "crypto/kernel/ct.h"
#include "crypto/kernel/p256_limbs.h"

#if !defined(IFMA)                      /* tests/ct compiles this for an emulation */
#define IFMA   VECTOR_ONLY __attribute__((target("avx512f,avx512vl,avx512dq,avx512ifma,bmi2")))
#define INLINE static inline __attribute__((always_inline)) IFMA
#endif

struct f8 { __m512i l[5]; };
struct jacobian { struct f8 x, y, z; };                 /* x = X / Z^2, y = Y / Z^3; c = 2 each */

#define V_MASK52 _mm512_set1_epi64(0xfffffffffffff)

INLINE __m512i v_set(uint64_t x) { return _mm512_set1_epi64((long long)x); }
INLINE __m512i v_add(__m512i a, __m512i b) { return _mm512_add_epi64(a, b); }
INLINE __m512i v_sub(__m512i a, __m512i b) { return _mm512_sub_epi64(a, b); }
INLINE __m512i v_lo(__m512i c, __m512i a, __m512i b) { return _mm512_madd52lo_epu64(c, a, b); }
INLINE __m512i v_hi(__m512i c, __m512i a, __m512i b) { return _mm512_madd52hi_epu64(c, a, b); }

#define EACH_LIMB(stmt) do { { enum { i = 0 }; stmt; } { enum { i = 1 }; stmt; } { enum { i = 2 }; stmt; } \
                             { enum { i = 3 }; stmt; } { enum { i = 4 }; stmt; } } while (0)

INLINE struct f8 f_set(uint64_t l0, uint64_t l1, uint64_t l2, uint64_t l3, uint64_t l4)
{
    return (struct f8){ { v_set(l0), v_set(l1), v_set(l2), v_set(l3), v_set(l4) } };
}

INLINE struct f8 f_one(void)                            /* 2^260 mod p */
{
    return f_set(P256_ONE);
}

INLINE struct f8 f_square(void)                         /* 2^520 mod p: f_mul by it goes into Montgomery form */
{
    return f_set(P256_SQUARE);
}

INLINE struct f8 f_b(void)                              /* the b of the curve */
{
    return f_set(P256_B);
}

/* signed limbs into range; the value is not negative and below 2^260 */
INLINE struct f8 f_carry(struct f8 a)
{
    const __m512i m = V_MASK52;
    a.l[1] = v_add(a.l[1], _mm512_srai_epi64(a.l[0], 52));
    a.l[2] = v_add(a.l[2], _mm512_srai_epi64(a.l[1], 52));
    a.l[3] = v_add(a.l[3], _mm512_srai_epi64(a.l[2], 52));
    a.l[4] = v_add(a.l[4], _mm512_srai_epi64(a.l[3], 52));
    a.l[0] = _mm512_and_si512(a.l[0], m);
    a.l[1] = _mm512_and_si512(a.l[1], m);
    a.l[2] = _mm512_and_si512(a.l[2], m);
    a.l[3] = _mm512_and_si512(a.l[3], m);
    return a;
}

INLINE struct f8 f_settle(struct f8 a)
{
    const __m512i q = _mm512_srai_epi64(a.l[4], 48);
    a.l[0] = v_add(a.l[0], q);
    a.l[1] = v_sub(a.l[1], _mm512_slli_epi64(q, 44));
    a.l[3] = v_sub(a.l[3], _mm512_slli_epi64(q, 36));
    a.l[4] = v_add(_mm512_and_si512(a.l[4], v_set(0xffffffffffff)), _mm512_slli_epi64(q, 16));
    return f_carry(a);
}

/* limb by limb, to be carried or settled: a + b; a - b + k p with k at least c of b */
INLINE struct f8 f_plus(struct f8 a, struct f8 b)
{
    EACH_LIMB(a.l[i] = v_add(a.l[i], b.l[i]));
    return a;
}

INLINE struct f8 f_minus(struct f8 a, struct f8 b, uint64_t k)
{
    a.l[0] = v_add(v_sub(a.l[0], b.l[0]), v_set(k * P256_P0));
    a.l[1] = v_add(v_sub(a.l[1], b.l[1]), v_set(k * P256_P1));
    a.l[2] = v_sub(a.l[2], b.l[2]);
    a.l[3] = v_add(v_sub(a.l[3], b.l[3]), v_set(k * P256_P3));
    a.l[4] = v_add(v_sub(a.l[4], b.l[4]), v_set(k * P256_P4));
    return a;
}

INLINE struct f8 f_shift(struct f8 a, unsigned n)
{
    EACH_LIMB(a.l[i] = _mm512_slli_epi64(a.l[i], n));
    return a;
}

/* One product is a sum of low halves in its column and of high halves in the next, each column in an order that keeps
 * the terms of a sum eight instructions apart. A column is below 20 * 2^52. */
#define F_LO(i, j) lo[(i) + (j)] = v_lo(lo[(i) + (j)], a.l[i], b.l[j]);
#define F_HI(i, j) hi[(i) + (j)] = v_hi(hi[(i) + (j)], a.l[i], b.l[j]);
#define F_ZERO { z, z, z, z, z, z, z, z, z, z }
#define F_COLUMN(k) lo[k] = v_add(lo[k], hi[(k) - 1]);
/* column k is done with: its carry and its multiple of p + 1 go into the columns above */
#define F_REDUCE(k) \
    lo[(k) + 1] = v_add(v_lo(lo[(k) + 1], lo[k], p1), _mm512_srli_epi64(lo[k], 52)); \
    lo[(k) + 2] = v_hi(lo[(k) + 2], lo[k], p1), lo[(k) + 3] = v_lo(lo[(k) + 3], lo[k], p3); \
    hi[(k) + 3] = v_hi(hi[(k) + 3], lo[k], p3), lo[(k) + 4] = v_lo(lo[(k) + 4], lo[k], p4); \
    hi[(k) + 4] = v_hi(hi[(k) + 4], lo[k], p4);
#define F_REDUCE_ALL \
    F_COLUMN(1) F_REDUCE(0) F_COLUMN(2) F_REDUCE(1) F_COLUMN(3) F_REDUCE(2) F_COLUMN(4) F_REDUCE(3) F_COLUMN(5) \
    F_REDUCE(4) F_COLUMN(6) F_COLUMN(7) F_COLUMN(8)

INLINE struct f8 f_mul(struct f8 a, struct f8 b)
{
    const __m512i z = _mm512_setzero_si512(), p1 = v_set(P256_P1 + 1), p3 = v_set(P256_P3), p4 = v_set(P256_P4);
    __m512i lo[10] = F_ZERO, hi[10] = F_ZERO;
    F_LO(0, 4) F_LO(0, 3) F_HI(0, 4) F_LO(0, 2) F_HI(0, 3) F_LO(0, 1) F_HI(0, 2) F_LO(0, 0) F_LO(1, 3)
    F_LO(1, 2) F_HI(1, 3) F_LO(1, 4) F_HI(0, 1) F_LO(1, 1) F_HI(1, 2) F_HI(0, 0) F_LO(2, 2) F_LO(1, 0)
    F_HI(1, 4) F_HI(1, 1) F_LO(2, 1) F_HI(2, 2) F_LO(2, 3) F_HI(1, 0) F_LO(2, 0) F_HI(2, 1) F_LO(3, 1)
    F_HI(2, 3) F_LO(2, 4) F_HI(2, 0) F_LO(3, 0) F_HI(3, 1) F_LO(3, 2) F_HI(2, 4) F_HI(3, 0) F_LO(4, 0)
    F_HI(3, 2) F_LO(3, 3) F_LO(3, 4) F_HI(4, 0) F_LO(4, 1) F_HI(3, 3) F_HI(3, 4) F_LO(4, 4) F_HI(4, 1)
    F_LO(4, 2) F_LO(4, 3) F_HI(4, 4) F_HI(4, 2) F_HI(4, 3)
    F_REDUCE_ALL
    return f_carry((struct f8){ { lo[5], lo[6], lo[7], lo[8], v_add(lo[9], hi[8]) } });
}

/* a * a: the products of different limbs once, doubled, then the squares */
#define F_TWICE(v, k) v[k] = v_add(v[k], v[k]);
INLINE struct f8 f_sqr(struct f8 a)
{
    const struct f8 b = a;
    const __m512i z = _mm512_setzero_si512(), p1 = v_set(P256_P1 + 1), p3 = v_set(P256_P3), p4 = v_set(P256_P4);
    __m512i lo[10] = F_ZERO, hi[10] = F_ZERO;
    F_LO(0, 1) F_LO(0, 2) F_HI(0, 1) F_LO(0, 3) F_HI(0, 2) F_LO(1, 2) F_LO(0, 4) F_HI(0, 3) F_LO(1, 3)
    F_HI(1, 2) F_LO(1, 4) F_HI(0, 4) F_LO(2, 3) F_HI(1, 3) F_LO(2, 4) F_HI(1, 4) F_HI(2, 3) F_LO(3, 4)
    F_HI(2, 4) F_HI(3, 4)
    F_TWICE(lo, 1) F_TWICE(hi, 1) F_TWICE(lo, 2) F_TWICE(hi, 2) F_TWICE(lo, 3) F_TWICE(hi, 3)
    F_TWICE(lo, 4) F_TWICE(hi, 4) F_TWICE(lo, 5) F_TWICE(hi, 5) F_TWICE(lo, 6) F_TWICE(hi, 6)
    F_TWICE(lo, 7) F_TWICE(hi, 7)
    F_LO(0, 0) F_HI(0, 0) F_LO(1, 1) F_HI(1, 1) F_LO(2, 2) F_HI(2, 2) F_LO(3, 3) F_HI(3, 3) F_LO(4, 4)
    F_HI(4, 4)
    F_REDUCE_ALL
    return f_carry((struct f8){ { lo[5], lo[6], lo[7], lo[8], v_add(lo[9], hi[8]) } });
}

/* m ? a : b */
INLINE struct f8 f_select(__mmask8 m, struct f8 a, struct f8 b)
{
    EACH_LIMB(a.l[i] = _mm512_mask_mov_epi64(b.l[i], m, a.l[i]));
    return a;
}

/* the lanes where a, of c up to 31, is 0 mod p: settled it can only be 0 or p */
INLINE __mmask8 f_is_zero(struct f8 a)
{
    a = f_settle(a);
    __m512i zero = _mm512_or_si512(_mm512_or_si512(a.l[0], a.l[1]), _mm512_or_si512(a.l[2], _mm512_or_si512(a.l[3], a.l[4])));
    __m512i p = _mm512_or_si512(_mm512_xor_si512(a.l[0], v_set(P256_P0)), _mm512_xor_si512(a.l[1], v_set(P256_P1)));
    p = _mm512_or_si512(_mm512_or_si512(p, a.l[2]), _mm512_xor_si512(a.l[3], v_set(P256_P3)));
    p = _mm512_or_si512(p, _mm512_xor_si512(a.l[4], v_set(P256_P4)));
    return (__mmask8)(_mm512_testn_epi64_mask(zero, zero) | _mm512_testn_epi64_mask(p, p));
}

/* lane n becomes lane from[n] */
INLINE struct f8 f_permute(struct f8 a, __m512i from)
{
    EACH_LIMB(a.l[i] = _mm512_permutexvar_epi64(from, a.l[i]));
    return a;
}

/* four words of 64 bits in each lane to limbs, not in Montgomery form */
INLINE struct f8 f_of_words(__m512i w0, __m512i w1, __m512i w2, __m512i w3)
{
    const __m512i m = V_MASK52;
    struct f8 r;
    r.l[0] = _mm512_and_si512(w0, m);
    r.l[1] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w0, 52), _mm512_slli_epi64(w1, 12)), m);
    r.l[2] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w1, 40), _mm512_slli_epi64(w2, 24)), m);
    r.l[3] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w2, 28), _mm512_slli_epi64(w3, 36)), m);
    r.l[4] = _mm512_srli_epi64(w3, 16);
    return r;
}

/* out of Montgomery form and below p: the product is below 1 + 2^-4 times p, for the factor is 1 */
INLINE struct f8 f_plain(struct f8 a)
{
    a = f_mul(a, f_set(1, 0, 0, 0, 0));
    struct f8 less = f_carry(f_minus(a, f_set(P256_P0, P256_P1, 0, P256_P3, P256_P4), 0));
    return f_select(_mm512_movepi64_mask(less.l[4]), a, less);
}

/* 2 p (dbl-2001-b, a = -3, with 2 Y Z in place of (Y + Z)^2 - Y^2 - Z^2). Exact for every point but those at infinity, where
 * Z stays 0. c is told at each line. */
INLINE struct jacobian point_double(struct jacobian p)
{
    struct jacobian r;
    struct f8 delta = f_sqr(p.z), gamma = f_sqr(p.y);                                           /* 2, 2 */
    struct f8 beta = f_mul(p.x, gamma);                                                         /* 2 */
    struct f8 t = f_mul(f_carry(f_minus(p.x, delta, 2)), f_carry(f_plus(p.x, delta)));          /* 4 * 4: 2 */
    r.z = f_mul(f_carry(f_plus(p.y, p.y)), p.z);                                                /* 4 * 2: 2 */
    struct f8 alpha = f_settle(f_plus(f_plus(t, t), t)), gamma2 = f_sqr(gamma);                 /* 6: 1.01, 2 */
    r.x = f_settle(f_minus(f_sqr(alpha), f_shift(beta, 3), 16));                                /* 18: 1.01 */
    t = f_mul(alpha, f_carry(f_minus(f_shift(beta, 2), r.x, 2)));                               /* 1.01 * 10: 2 */
    r.y = f_settle(f_minus(t, f_shift(gamma2, 3), 16));                                         /* 18: 1.01 */
    return r;
}

/* The end of both additions: U1, S1 of the first point, H = U2 - U1 and R = S2 - S1 (c = 4), Z3 / H. */
INLINE struct jacobian point_sum(struct f8 u1, struct f8 s1, struct f8 h, struct f8 rr, struct f8 zz)
{
    struct jacobian r;
    struct f8 hh = f_sqr(h), hhh = f_mul(h, hh), v = f_mul(u1, hh);                             /* 2, 2, 2 */
    r.z = f_mul(zz, h);                                                                         /* 2 * 4: 2 */
    r.x = f_settle(f_minus(f_minus(f_sqr(rr), hhh, 2), f_plus(v, v), 4));                       /* 8: 1.01 */
    struct f8 t = f_mul(rr, f_carry(f_minus(v, r.x, 2)));                                       /* 4 * 4: 2 */
    r.y = f_settle(f_minus(t, f_mul(s1, hhh), 2));                                              /* 4: 1.01 */
    return r;
}

/* p + (x, y), affine; wrong, with Z = 0, when they are equal; Z = 0 also when they are opposite or p is at infinity */
INLINE struct jacobian point_add_affine(struct jacobian p, struct f8 x, struct f8 y)
{
    struct f8 zz = f_sqr(p.z), u2 = f_mul(x, zz), s2 = f_mul(y, f_mul(p.z, zz));
    return point_sum(p.x, p.y, f_carry(f_minus(u2, p.x, 2)), f_carry(f_minus(s2, p.y, 2)), p.z);
}

/* p + q, both with a Z of their own; exceptions as above */
INLINE struct jacobian point_add(struct jacobian p, struct jacobian q)
{
    struct f8 pzz = f_sqr(p.z), qzz = f_sqr(q.z), u1 = f_mul(p.x, qzz), u2 = f_mul(q.x, pzz);
    struct f8 s1 = f_mul(p.y, f_mul(q.z, qzz)), s2 = f_mul(q.y, f_mul(p.z, pzz));
    return point_sum(u1, s1, f_carry(f_minus(u2, u1, 2)), f_carry(f_minus(s2, s1, 2)), f_mul(p.z, q.z));
}

INLINE struct jacobian point_select(__mmask8 m, struct jacobian a, struct jacobian b)
{
    return (struct jacobian){ f_select(m, a.x, b.x), f_select(m, a.y, b.y), f_select(m, a.z, b.z) };
}

INLINE struct jacobian point_permute(struct jacobian p, __m512i from)
{
    return (struct jacobian){ f_permute(p.x, from), f_permute(p.y, from), f_permute(p.z, from) };
}

/* 1 / z in every lane, in constant time; none is 0 (p256_ifma_base.c) */
void p256_invert_lanes(struct f8 *r, const struct f8 *z);

#endif
