/* Multiples of P-256's base point with AVX-512 IFMA: eight scalars in eight lanes, or one with its terms spread over the
 * lanes. The scalar is secret: its digits become masks and the index of register permutations, nothing else.
 *
 * Digits of -8 .. 8 with the sum of d_i 16^i, table positions of 256^i. No addition meets an exception but a neutral operand,
 * which masks track: in a sum of terms d_i 256^i, |d_i| <= 8, two partial sums over different positions are equal or opposite
 * only when both are zero, as the lowest digit shows; neither can differ by a multiple of n, being below 2^252; and
 * 16 * (odd digits) is +-(even digits) only for zero by the same argument modulo 16, 256, .... */
#include "crypto/kernel/p256_base.h"

#if defined(__x86_64__)

#include "crypto/kernel/inv256.h"
#include "crypto/kernel/p256_ifma.h"
#include "crypto/kernel/p256_tables.h"

static const struct inv256 prime62 = {
    { 0x3fffffffffffffff, 0x3ffffffff, 0, 0x3fffffc000000040, 0xff }, 0x3fffffffffffffff
};
static const struct scalar order = { { 0xf3b9cac2fc632551, 0xbce6faada7179e84, UINT64_MAX, 0xffffffff00000000 } };

struct sum { struct jacobian p; __mmask8 neutral; };

uint64_t p256_digits(int8_t d[64], const struct scalar *k)
{
    struct scalar v = *k;
    uint64_t negate = ct_mask(k->w[3] >> 63), borrow = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t t = order.w[i] - k->w[i], less = order.w[i] < k->w[i];
        v.w[i] = ct_select(negate, t - borrow, k->w[i]);
        borrow = less | (t < borrow);
    }
    int carry = 0;
    for (int i = 0; i < 64; i++) {
        int digit = (int)(v.w[i / 16] >> 4 * (i % 16) & 15) + carry;
        carry = i < 63 ? (digit + 8) >> 4 : 0;
        d[i] = (int8_t)(digit - carry * 16);
    }
    secret_wipe(&v, sizeof v);
    return negate;
}

/* adds the table entries x, y of the digits, negated where negative, nothing where 0 */
INLINE void add_entry(struct sum *s, struct f8 x, struct f8 y, __m512i digit)
{
    const __mmask8 there = _mm512_test_epi64_mask(digit, digit), negative = _mm512_movepi64_mask(digit);
    struct f8 zero = f_set(0, 0, 0, 0, 0);
    y = f_select(negative, f_carry(f_minus(zero, y, 2)), y);
    struct jacobian entry = { x, y, f_one() }, added = point_add_affine(s->p, x, y);
    s->p = point_select(there & s->neutral, entry, point_select(there, added, s->p));
    s->neutral &= (__mmask8)~there;
}

/* one of the eight entries of a word by the lane's index, where m is set */
#define PICK(v, m, word) _mm512_mask_permutexvar_epi64(v, m, index, _mm512_load_si512(position + 8 * (word)))

INLINE __m512i index_of(__m512i digit)
{
    return v_sub(_mm512_abs_epi64(digit), v_set(1));                        /* vpermq reads three bits */
}

INLINE void pick(struct f8 *x, struct f8 *y, const uint64_t *position, __m512i index, __mmask8 m)
{
    EACH_LIMB(x->l[i] = PICK(x->l[i], m, i); y->l[i] = PICK(y->l[i], m, 5 + i));
}

static IFMA void sum_start(struct sum *s)
{
    *s = (struct sum){ { f_one(), f_one(), f_set(0, 0, 0, 0, 0) }, 0xff };
}

/* four doublings in the lanes of m */
static IFMA void times16(struct sum *s, __mmask8 m)
{
    struct jacobian p = s->p;
    for (int i = 0; i < 4; i++)
        p = point_double(p);
    s->p = point_select(m, p, s->p);
}

/* each lane n becomes lane n + lane n ^ distance */
static IFMA __attribute__((noinline)) void fold(struct sum *s, unsigned distance)
{
    const __m512i from = _mm512_xor_si512(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), v_set(distance));
    const __m512i flags = _mm512_movm_epi64(s->neutral);
    const __mmask8 neutral = _mm512_movepi64_mask(_mm512_permutexvar_epi64(from, flags));
    struct jacobian q = point_permute(s->p, from), both = point_add(s->p, q);
    s->p = point_select(s->neutral, q, point_select(neutral, s->p, both));
    s->neutral &= neutral;
}

/* lanes 0-3 take the odd digits, 4-7 the even ones, of positions 4 j + lane mod 4 */
static IFMA void sum_one(struct sum *s, const int8_t d[64])
{
    int8_t by_step[8][8];
    for (int j = 0; j < 8; j++)
        for (int lane = 0; lane < 8; lane++)
            by_step[j][lane] = d[2 * (4 * j + lane % 4) + (lane < 4)];
    sum_start(s);
    for (int j = 0; j < 8; j++) {
        const __m512i digit = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)by_step[j])), index = index_of(digit);
        const uint64_t *position = p256_table_base + P256_POSITION * 4 * j;
        struct f8 x = f_set(0, 0, 0, 0, 0), y = x;
        pick(&x, &y, position, index, 0x11);
        pick(&x, &y, position + P256_POSITION, index, 0x22);
        pick(&x, &y, position + 2 * P256_POSITION, index, 0x44);
        pick(&x, &y, position + 3 * P256_POSITION, index, 0x88);
        add_entry(s, x, y, digit);
    }
    fold(s, 1);
    fold(s, 2);
    times16(s, 0x0f);
    fold(s, 4);
    secret_wipe(by_step, sizeof by_step);
}

static IFMA __attribute__((noinline)) void step_eight(struct sum *s, const uint64_t *position, const int8_t d[8])
{
    const __m512i digit = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)d));
    struct f8 x = f_set(0, 0, 0, 0, 0), y = x;
    pick(&x, &y, position, index_of(digit), 0xff);
    add_entry(s, x, y, digit);
}

/* a digit per lane: the odd ones, times 16, the even ones */
static IFMA void sum_eight(struct sum *s, const int8_t d[64][8])
{
    sum_start(s);
    for (int odd = 1; odd >= 0; odd--) {
        for (int i = 0; i < 32; i++)
            step_eight(s, p256_table_base + P256_POSITION * i, d[2 * i + odd]);
        if (odd)
            times16(s, 0xff);
    }
}

/* lane n of a, plain and below p, as a scalar */
static IFMA void to_scalars(struct scalar *out, size_t stride, unsigned lanes, const struct f8 *a)
{
    uint64_t l[5][8] __attribute__((aligned(64)));
    for (int i = 0; i < 5; i++)
        _mm512_store_si512(l[i], a->l[i]);
    for (unsigned n = 0; n < lanes; n++) {
        struct scalar *r = (struct scalar *)(void *)((uint8_t *)out + n * stride);
        r->w[0] = l[0][n] | l[1][n] << 52;
        r->w[1] = l[1][n] >> 12 | l[2][n] << 40;
        r->w[2] = l[2][n] >> 24 | l[3][n] << 28;
        r->w[3] = l[3][n] >> 36 | l[4][n] << 16;
    }
    secret_wipe(l, sizeof l);
}

/* 1 / z of lane 0, in every lane */
static IFMA void invert_one(struct f8 *r, const struct f8 *z)
{
    struct scalar v;
    struct f8 plain = f_plain(*z);
    to_scalars(&v, 0, 1, &plain);
    inv256(v.w, v.w, &prime62);
    *r = f_mul(f_of_words(v_set(v.w[0]), v_set(v.w[1]), v_set(v.w[2]), v_set(v.w[3])), f_square());
    secret_wipe(&v, sizeof v);
    secret_wipe(&plain, sizeof plain);
}

/* the product of all lanes is inverted once, and multiplied by the product of the others */
IFMA void p256_invert_lanes(struct f8 *r, const struct f8 *z)
{
    const __m512i lane = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
    struct f8 other = f_permute(*z, _mm512_xor_si512(lane, v_set(1))), two = f_mul(*z, other);
    struct f8 pair = f_permute(two, _mm512_xor_si512(lane, v_set(2))), four = f_mul(two, pair);
    struct f8 half = f_permute(four, _mm512_xor_si512(lane, v_set(4))), all = f_mul(four, half);
    invert_one(&all, &all);
    *r = f_mul(f_mul(all, half), f_mul(pair, other));
    secret_wipe(&all, sizeof all);
}

/* Y^2 = X^3 - 3 X Z^4 + b Z^6, in every lane of m */
static IFMA bool on_curve(const struct jacobian *p, __mmask8 m)
{
    struct f8 z2 = f_sqr(p->z), z4 = f_sqr(z2), xz4 = f_mul(p->x, z4);
    struct f8 right = f_plus(f_mul(f_sqr(p->x), p->x), f_mul(f_b(), f_mul(z2, z4)));
    right = f_minus(right, f_plus(f_plus(xz4, xz4), xz4), 6);
    __mmask8 good = f_is_zero(f_minus(right, f_sqr(p->y), 2)) & (__mmask8)~f_is_zero(p->z);
    return (good & m) == m;
}

/* x = X / Z^2, y = Y / Z^3, y negated in the lanes of `negate` */
static IFMA bool to_affine(struct p256_affine *out, unsigned lanes, struct sum *s, __mmask8 negate)
{
    struct f8 i, ii, zero = f_set(0, 0, 0, 0, 0);
    if (lanes == 1)                                             /* one point: its Z in every lane */
        s->p.z = f_permute(s->p.z, _mm512_setzero_si512());
    bool good = on_curve(&s->p, (__mmask8)((1u << lanes) - 1));
    if (lanes == 1)
        invert_one(&i, &s->p.z);
    else
        p256_invert_lanes(&i, &s->p.z);
    ii = f_sqr(i);
    struct f8 x = f_plain(f_mul(s->p.x, ii)), y = f_mul(s->p.y, f_mul(ii, i));
    y = f_plain(f_select(negate, f_carry(f_minus(zero, y, 2)), y));
    to_scalars(&out->x, sizeof *out, lanes, &x);
    to_scalars(&out->y, sizeof *out, lanes, &y);
    secret_wipe(s, sizeof *s);
    secret_wipe(&i, sizeof i);
    return good;
}

IFMA bool p256_base_one(struct p256_affine *out, const struct scalar *k)
{
    int8_t d[64];
    struct sum s;
    uint64_t negate = p256_digits(d, k);
    sum_one(&s, d);
    secret_wipe(d, sizeof d);
    return to_affine(out, 1, &s, (__mmask8)(negate & 0xff));
}

IFMA bool p256_base_eight(struct p256_affine out[8], const struct scalar k[8])
{
    int8_t d[64], by_digit[64][8];
    struct sum s;
    unsigned negate = 0;
    for (unsigned n = 0; n < 8; n++) {
        negate |= (unsigned)p256_digits(d, &k[n]) & 1u << n;
        for (int i = 0; i < 64; i++)
            by_digit[i][n] = d[i];
    }
    sum_eight(&s, by_digit);
    secret_wipe(d, sizeof d);
    secret_wipe(by_digit, sizeof by_digit);
    return to_affine(out, 8, &s, (__mmask8)negate);
}

#endif
