/* Eight independent X25519 results at once with AVX-512 IFMA: result n lives in the 64-bit lane n of zmm registers. Must
 * never be entered without CPU_IFMA; scalars reach only arithmetic, masks and the index of a register permutation.
 *
 * Bounds, as in x25519_ifma.c: operands of a product have limbs below 2^52; a product's limbs, carried once, are tight, below
 * 2^51 + 2^11; f8_sum and f8_difference of tight elements are carried and below 2^51 + 64; f8_times_a24 is not
 * carried and goes into a sum only: a low half below 2^52 and 2 * 19 times a high half below 2^17, so below 2^53. */
#include "crypto/kernel/x25519.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "crypto/kernel/x25519_ifma.h"
#include "crypto/kernel/x25519_parts.h"

#if !defined(IFMA)                      /* tests/ct compiles this for an emulation */
#define IFMA   VECTOR_ONLY __attribute__((target("avx512f,avx512vl,avx512dq,avx512ifma,bmi2")))
#define INLINE static inline __attribute__((always_inline)) IFMA
#endif
#define MASK   _mm512_set1_epi64((long long)FE_MASK)

struct f8 { __m512i l[5]; };

INLINE __m512i times19(__m512i a)
{
    return _mm512_add_epi64(_mm512_add_epi64(a, _mm512_slli_epi64(a, 1)), _mm512_slli_epi64(a, 4));
}

INLINE struct f8 f8_carry(struct f8 a)
{
    const __m512i m = MASK;
    __m512i c0 = _mm512_srli_epi64(a.l[0], 51), c1 = _mm512_srli_epi64(a.l[1], 51), c2 = _mm512_srli_epi64(a.l[2], 51);
    __m512i c3 = _mm512_srli_epi64(a.l[3], 51), c4 = _mm512_srli_epi64(a.l[4], 51);
    struct f8 r;
    r.l[0] = _mm512_add_epi64(_mm512_and_si512(a.l[0], m), times19(c4));
    r.l[1] = _mm512_add_epi64(_mm512_and_si512(a.l[1], m), c0);
    r.l[2] = _mm512_add_epi64(_mm512_and_si512(a.l[2], m), c1);
    r.l[3] = _mm512_add_epi64(_mm512_and_si512(a.l[3], m), c2);
    r.l[4] = _mm512_add_epi64(_mm512_and_si512(a.l[4], m), c3);
    return r;
}

#define COLUMN(k) _mm512_add_epi64(lo[k], _mm512_slli_epi64(hi[(k) - 1], 1))
INLINE struct f8 f8_fold(const __m512i lo[9], const __m512i hi[9])
{
    struct f8 r;
    r.l[0] = _mm512_add_epi64(lo[0], times19(COLUMN(5)));
    r.l[1] = _mm512_add_epi64(COLUMN(1), times19(COLUMN(6)));
    r.l[2] = _mm512_add_epi64(COLUMN(2), times19(COLUMN(7)));
    r.l[3] = _mm512_add_epi64(COLUMN(3), times19(COLUMN(8)));
    r.l[4] = _mm512_add_epi64(COLUMN(4), times19(_mm512_slli_epi64(hi[8], 1)));
    return f8_carry(r);
}

#define ZEROS { z, z, z, z, z, z, z, z, z }
#define TERM(i, j) \
    lo[(i) + (j)] = _mm512_madd52lo_epu64(lo[(i) + (j)], a.l[i], b.l[j]); \
    hi[(i) + (j)] = _mm512_madd52hi_epu64(hi[(i) + (j)], a.l[i], b.l[j]);
#define TERMS(i) TERM(i, 0) TERM(i, 1) TERM(i, 2) TERM(i, 3) TERM(i, 4)

INLINE struct f8 f8_mul(struct f8 a, struct f8 b)
{
    const __m512i z = _mm512_setzero_si512();
    __m512i lo[9] = ZEROS, hi[9] = ZEROS;
    TERMS(0)
    TERMS(1)
    TERMS(2)
    TERMS(3)
    TERMS(4)
    return f8_fold(lo, hi);
}

/* the products of different limbs once, doubled, then the squares: the same columns as in f8_mul(a, a) */
#define TWICE(k) lo[k] = _mm512_add_epi64(lo[k], lo[k]), hi[k] = _mm512_add_epi64(hi[k], hi[k]);
INLINE struct f8 f8_sqr(struct f8 a)
{
    const struct f8 b = a;
    const __m512i z = _mm512_setzero_si512();
    __m512i lo[9] = ZEROS, hi[9] = ZEROS;
    TERM(0, 1) TERM(0, 2) TERM(0, 3) TERM(0, 4) TERM(1, 2) TERM(1, 3) TERM(1, 4) TERM(2, 3) TERM(2, 4) TERM(3, 4)
    TWICE(1) TWICE(2) TWICE(3) TWICE(4) TWICE(5) TWICE(6) TWICE(7)
    TERM(0, 0) TERM(1, 1) TERM(2, 2) TERM(3, 3) TERM(4, 4)
    return f8_fold(lo, hi);
}

#define EACH_LIMB(stmt) do { { enum { i = 0 }; stmt; } { enum { i = 1 }; stmt; } { enum { i = 2 }; stmt; } \
                             { enum { i = 3 }; stmt; } { enum { i = 4 }; stmt; } } while (0)

INLINE struct f8 f8_sum(struct f8 a, struct f8 b)
{
    EACH_LIMB(a.l[i] = _mm512_add_epi64(a.l[i], b.l[i]));
    return f8_carry(a);
}

/* a - b + 2p */
INLINE struct f8 f8_difference(struct f8 a, struct f8 b)
{
    EACH_LIMB(const __m512i p2 = _mm512_set1_epi64((long long)(i == 0 ? 2 * FE_MASK - 36 : 2 * FE_MASK));
              a.l[i] = _mm512_sub_epi64(_mm512_add_epi64(a.l[i], p2), b.l[i]));
    return f8_carry(a);
}

INLINE struct f8 f8_times_a24(struct f8 a)
{
    const __m512i k = _mm512_set1_epi64(121665), z = _mm512_setzero_si512();
    struct f8 r;
    __m512i h[5];
    EACH_LIMB(h[i] = _mm512_slli_epi64(_mm512_madd52hi_epu64(z, a.l[i], k), 1));
    r.l[0] = _mm512_madd52lo_epu64(times19(h[4]), a.l[0], k);
    r.l[1] = _mm512_madd52lo_epu64(h[0], a.l[1], k);
    r.l[2] = _mm512_madd52lo_epu64(h[1], a.l[2], k);
    r.l[3] = _mm512_madd52lo_epu64(h[2], a.l[3], k);
    r.l[4] = _mm512_madd52lo_epu64(h[3], a.l[4], k);
    return r;
}

/* exchanges a and b in the lanes of m */
INLINE void f8_swap(struct f8 *a, struct f8 *b, __mmask8 m)
{
    EACH_LIMB(const __m512i t = a->l[i];
              a->l[i] = _mm512_mask_mov_epi64(t, m, b->l[i]);
              b->l[i] = _mm512_mask_mov_epi64(b->l[i], m, t));
}

static IFMA __attribute__((noinline)) void sqr_n(struct f8 *r, const struct f8 *a, int n)
{
    struct f8 t = *a;
    for (int i = 0; i < n; i++)
        t = f8_sqr(t);
    *r = t;
}

static IFMA __attribute__((noinline)) void mul_to(struct f8 *r, const struct f8 *a, const struct f8 *b)
{
    *r = f8_mul(*a, *b);
}

/* z^(p - 2) = z^(2^255 - 21). The names say the exponent: e5 is z^(2^5 - 1) and so on. Eight at once, so divsteps are no quicker. */
static IFMA void f8_invert(struct f8 *r, const struct f8 *z)
{
    struct f8 z2, z9, z11, e5, e10, e20, e50, e100, t;
    sqr_n(&z2, z, 1);
    sqr_n(&t, &z2, 2);
    mul_to(&z9, &t, z);
    mul_to(&z11, &z9, &z2);
    sqr_n(&t, &z11, 1);
    mul_to(&e5, &t, &z9);
    sqr_n(&t, &e5, 5);
    mul_to(&e10, &t, &e5);
    sqr_n(&t, &e10, 10);
    mul_to(&e20, &t, &e10);
    sqr_n(&t, &e20, 20);
    mul_to(&t, &t, &e20);
    sqr_n(&t, &t, 10);
    mul_to(&e50, &t, &e10);
    sqr_n(&t, &e50, 50);
    mul_to(&e100, &t, &e50);
    sqr_n(&t, &e100, 100);
    mul_to(&t, &t, &e100);
    sqr_n(&t, &t, 50);
    mul_to(&t, &t, &e50);
    sqr_n(&t, &t, 5);
    mul_to(r, &t, &z11);
    secret_wipe(&t, sizeof t);
    secret_wipe(&z11, sizeof z11);
}

/* word j of eight strings of 32 bytes */
INLINE void load_words(__m512i w[4], const uint8_t in[8][32])
{
    for (int j = 0; j < 4; j++)
        w[j] = _mm512_set_epi64((long long)fe_word(in[7] + 8 * j), (long long)fe_word(in[6] + 8 * j),
                                (long long)fe_word(in[5] + 8 * j), (long long)fe_word(in[4] + 8 * j),
                                (long long)fe_word(in[3] + 8 * j), (long long)fe_word(in[2] + 8 * j),
                                (long long)fe_word(in[1] + 8 * j), (long long)fe_word(in[0] + 8 * j));
}

/* four words to limbs below 2^51, the top bit dropped */
INLINE struct f8 f8_from_words(const __m512i w[4])
{
    const __m512i m = MASK;
    struct f8 r;
    r.l[0] = _mm512_and_si512(w[0], m);
    r.l[1] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[0], 51), _mm512_slli_epi64(w[1], 13)), m);
    r.l[2] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[1], 38), _mm512_slli_epi64(w[2], 26)), m);
    r.l[3] = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(w[2], 25), _mm512_slli_epi64(w[3], 39)), m);
    r.l[4] = _mm512_and_si512(_mm512_srli_epi64(w[3], 12), m);
    return r;
}

static IFMA void f8_store(uint8_t out[8][32], const struct f8 *a)
{
    uint64_t l[5][8] __attribute__((aligned(64)));
    for (int i = 0; i < 5; i++)
        _mm512_store_si512(l[i], a->l[i]);
    for (int n = 0; n < 8; n++) {
        struct fe e = { { l[0][n], l[1][n], l[2][n], l[3][n], l[4][n] } };
        fe_store(out[n], &e);
    }
    secret_wipe(l, sizeof l);
}

INLINE struct f8 f8_small(uint64_t v)
{
    struct f8 r;
    EACH_LIMB(r.l[i] = i == 0 ? _mm512_set1_epi64((long long)v) : _mm512_setzero_si512());
    return r;
}

/* RFC 7748 5 in every lane */
IFMA uint8_t x25519_ifma_shared_x8(uint8_t out[8][32], const uint8_t scalar[8][32], const uint8_t point[8][32])
{
    uint8_t k[8][32];
    __m512i w[4], bits[4];
    for (int n = 0; n < 8; n++)
        x25519_clamp(k[n], scalar[n]);
    load_words(bits, k);
    load_words(w, point);
    struct f8 x1 = f8_from_words(w), x3 = x1, x2 = f8_small(1), z2 = f8_small(0), z3 = x2;
    __mmask8 before = 0;
    for (int bit = 254; bit >= 0; bit--) {
        __mmask8 now = _mm512_test_epi64_mask(bits[bit >> 6], _mm512_set1_epi64((long long)(UINT64_C(1) << (bit & 63))));
        f8_swap(&x2, &x3, now ^ before);
        f8_swap(&z2, &z3, now ^ before);
        before = now;
        struct f8 a = f8_sum(x2, z2), b = f8_difference(x2, z2), c = f8_sum(x3, z3), d = f8_difference(x3, z3);
        d = f8_mul(d, a), c = f8_mul(c, b);
        a = f8_sqr(a), b = f8_sqr(b);
        x3 = f8_sqr(f8_sum(d, c));
        z3 = f8_mul(f8_sqr(f8_difference(d, c)), x1);
        x2 = f8_mul(a, b);
        b = f8_difference(a, b);
        z2 = f8_mul(b, f8_sum(a, f8_times_a24(b)));
    }
    f8_invert(&z2, &z2);
    mul_to(&x2, &x2, &z2);
    f8_store(out, &x2);
    unsigned good = 0;
    for (int n = 0; n < 8; n++)
        good |= (unsigned)x25519_nonzero(out[n]) << n;
    secret_wipe(&x2, sizeof x2);
    secret_wipe(&z2, sizeof z2);
    secret_wipe(bits, sizeof bits);
    secret_wipe(k, sizeof k);
    return (uint8_t)good;
}

/* ---- the base point: the portable form's walk with a digit per lane. Extended coordinates, all tight. */

struct point8 { struct f8 x, y, z, t; };

/* the entry of each lane's digit: vpermq takes one of a word's eight entries by the lane's index */
INLINE void table_pick(struct f8 *plus, struct f8 *minus, struct f8 *xy2d, const uint64_t *position, __m512i digit)
{
    const __mmask8 negative = _mm512_movepi64_mask(digit);
    const __m512i size = _mm512_abs_epi64(digit);
    const __mmask8 there = _mm512_test_epi64_mask(size, size);
    const __m512i index = _mm512_sub_epi64(size, _mm512_set1_epi64(1));        /* its low three bits; -1 is masked below */
    __m512i w[12];
#define WORD(j) w[j] = _mm512_maskz_permutexvar_epi64(there, index, _mm512_load_si512(position + 8 * (j)));
    WORD(0) WORD(1) WORD(2) WORD(3) WORD(4) WORD(5) WORD(6) WORD(7) WORD(8) WORD(9) WORD(10) WORD(11)
#undef WORD
    w[0] = _mm512_mask_mov_epi64(_mm512_set1_epi64(1), there, w[0]);           /* digit 0: the neutral (1, 1, 0) */
    w[4] = _mm512_mask_mov_epi64(_mm512_set1_epi64(1), there, w[4]);
    *plus = f8_from_words(w);
    *minus = f8_from_words(w + 4);
    *xy2d = f8_from_words(w + 8);
    f8_swap(plus, minus, negative);
    EACH_LIMB(const __m512i p2 = _mm512_set1_epi64((long long)(i == 0 ? 2 * FE_MASK - 36 : 2 * FE_MASK));
              xy2d->l[i] = _mm512_mask_sub_epi64(xy2d->l[i], negative, p2, xy2d->l[i]));
}

/* Hisil et al., 2008, 3.1, a = -1, affine second operand: complete */
static IFMA __attribute__((noinline)) void add_entry(struct point8 *p, const uint64_t *position, __m512i digit)
{
    struct f8 plus, minus, xy2d;
    table_pick(&plus, &minus, &xy2d, position, digit);
    struct f8 a = f8_mul(f8_sum(p->y, p->x), plus), b = f8_mul(f8_difference(p->y, p->x), minus);
    struct f8 c = f8_mul(p->t, xy2d), d = f8_sum(p->z, p->z);
    struct f8 e = f8_difference(a, b), h = f8_sum(a, b), g = f8_sum(d, c), f = f8_difference(d, c);
    p->x = f8_mul(e, f);
    p->y = f8_mul(g, h);
    p->z = f8_mul(f, g);
    p->t = f8_mul(e, h);
}

/* as edwards_double */
static IFMA void point8_double(struct point8 *p)
{
    struct f8 a = f8_sqr(p->x), b = f8_sqr(p->y), c = f8_sqr(p->z), s = f8_sqr(f8_sum(p->x, p->y));
    c = f8_sum(c, c);
    struct f8 h = f8_sum(a, b), g = f8_difference(b, a), e = f8_difference(s, h), f = f8_difference(c, g);
    p->x = f8_mul(e, f);
    p->y = f8_mul(g, h);
    p->z = f8_mul(f, g);
    p->t = f8_mul(e, h);
}

IFMA void x25519_ifma_base_x8(uint8_t out[8][32], const uint8_t scalar[8][32])
{
    uint8_t k[32];
    int8_t d[8][64], by_digit[64][8];
    for (int n = 0; n < 8; n++) {
        x25519_clamp(k, scalar[n]);
        x25519_digits(d[n], k);
    }
    for (int i = 0; i < 64; i++)
        for (int n = 0; n < 8; n++)
            by_digit[i][n] = d[n][i];
    struct point8 p = { f8_small(0), f8_small(1), f8_small(1), f8_small(0) };
    for (int odd = 1; odd >= 0; odd--) {
        for (int i = 0; i < 32; i++) {
            __m512i digit = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)by_digit[2 * i + odd]));
            add_entry(&p, x25519_table + X25519_POSITION * i, digit);
        }
        for (int i = 0; i < 4 && odd; i++)
            point8_double(&p);
    }
    struct f8 n = f8_sum(p.z, p.y), den = f8_difference(p.z, p.y);
    f8_invert(&den, &den);
    mul_to(&n, &n, &den);
    f8_store(out, &n);
    secret_wipe(&p, sizeof p);
    secret_wipe(&n, sizeof n);
    secret_wipe(&den, sizeof den);
    secret_wipe(d, sizeof d);
    secret_wipe(by_digit, sizeof by_digit);
    secret_wipe(k, sizeof k);
}

#endif
