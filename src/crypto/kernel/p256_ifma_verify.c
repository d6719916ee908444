/* ECDSA verification on P-256, eight lanes (FIPS 186-5 6.4.2). Everything here is public: it branches on signatures and
 * gathers by them, and must never be given a secret.
 *
 * u1 G + u2 Q, by signed windows over one chain of 256 doublings: five bits of u2 with a table of 16 multiples of the lane's Q,
 * eight bits of u1 with the constant multiples of G. The additions are the incomplete ones: an accumulator at infinity is
 * tracked by a mask; the accumulator equal or opposite to what is added makes Z = 0, which every later step keeps, so that it
 * is seen once, at the end, and the lane is P256_UNSURE. */
#include "crypto/kernel/p256.h"

#if defined(__x86_64__)

#include "crypto/kernel/p256_ifma.h"
#include "crypto/kernel/p256_scalar.h"
#include "crypto/kernel/p256_tables.h"

enum { Q_BITS = 5, Q_WINDOWS = 52, Q_ENTRIES = 16, G_BITS = 8, G_WINDOWS = 33 };
enum { ENTRY = 25 };                                    /* x, y, z, z^2, z^3 */

struct work {
    uint64_t table[Q_ENTRIES][ENTRY][P256_LANES] __attribute__((aligned(64)));
    uint64_t word[4][P256_LANES];                       /* numbers on their way into lanes */
    int16_t g[G_WINDOWS][P256_LANES];
    int8_t q[Q_WINDOWS][P256_LANES];
};

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

INLINE struct f8 load_lanes(const struct work *w)
{
    return f_of_words(_mm512_load_si512(w->word[0]), _mm512_load_si512(w->word[1]), _mm512_load_si512(w->word[2]),
                      _mm512_load_si512(w->word[3]));
}

static IFMA void load_number(struct f8 *r, struct work *w, const struct scalar n[P256_LANES])
{
    for (unsigned i = 0; i < 4; i++)
        for (unsigned lane = 0; lane < P256_LANES; lane++)
            w->word[i][lane] = n[lane].w[i];
    *r = f_mul(load_lanes(w), f_square());
}

static IFMA void put(struct work *w, unsigned entry, unsigned at, const struct f8 *a)
{
    for (unsigned i = 0; i < 5; i++)
        _mm512_store_si512(w->table[entry][at + i], a->l[i]);
}

static IFMA void put_point(struct work *w, unsigned entry, const struct jacobian *p)
{
    struct f8 zz = f_sqr(p->z), zzz = f_mul(p->z, zz);
    put(w, entry, 0, &p->x);
    put(w, entry, 5, &p->y);
    put(w, entry, 10, &p->z);
    put(w, entry, 15, &zz);
    put(w, entry, 20, &zzz);
}

static IFMA __attribute__((noinline)) void double_point(struct jacobian *p)
{
    *p = point_double(*p);
}

/* 1 .. 16 times Q. No sum meets an exception: the order of Q is n. */
static IFMA void make_table(struct work *w, const struct f8 *x, const struct f8 *y)
{
    struct jacobian p = { *x, *y, f_one() };
    put_point(w, 0, &p);
    double_point(&p);
    put_point(w, 1, &p);
    for (unsigned i = 2; i < Q_ENTRIES; i++) {
        p = point_add_affine(p, *x, *y);
        put_point(w, i, &p);
    }
}

/* y or -y by the sign of the digit */
INLINE struct f8 signed_y(struct f8 y, __mmask8 negative)
{
    struct f8 zero = f_set(0, 0, 0, 0, 0);
    return f_select(negative, f_carry(f_minus(zero, y, 2)), y);
}

/* what the accumulator becomes: the sum, the entry where it was at infinity, itself where the digit is 0 */
INLINE void take(struct jacobian *p, __mmask8 *infinite, __mmask8 there, struct jacobian sum, struct jacobian entry)
{
    const __mmask8 fresh = *infinite & there;
    p->x = f_select(fresh, entry.x, f_select(there, sum.x, p->x));
    p->y = f_select(fresh, entry.y, f_select(there, sum.y, p->y));
    p->z = f_select(fresh, entry.z, f_select(there, sum.z, p->z));
    *infinite &= (__mmask8)~there;
}

static IFMA __attribute__((noinline)) void add_q(struct jacobian *p, __mmask8 *infinite, const struct work *w, unsigned window)
{
    const __m512i d = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)w->q[window]));
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    __m512i at = v_sub(_mm512_abs_epi64(d), v_set(1));
    at = _mm512_maskz_mov_epi64(there, at);
    at = v_add(_mm512_mullo_epi64(at, v_set(ENTRY * P256_LANES)), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    struct jacobian e, sum;
    struct f8 zz, zzz;
    const uint64_t *t = w->table[0][0];
#define GATHER(f, from) EACH_LIMB(f.l[i] = _mm512_i64gather_epi64(at, t + ((from) + i) * P256_LANES, 8))
    GATHER(e.x, 0);
    GATHER(e.y, 5);
    GATHER(e.z, 10);
    GATHER(zz, 15);
    GATHER(zzz, 20);
#undef GATHER
    e.y = signed_y(e.y, negative);
    struct f8 pzz = f_sqr(p->z), u1 = f_mul(p->x, zz), u2 = f_mul(e.x, pzz);
    struct f8 s1 = f_mul(p->y, zzz), s2 = f_mul(e.y, f_mul(p->z, pzz));
    sum = point_sum(u1, s1, f_carry(f_minus(u2, u1, 2)), f_carry(f_minus(s2, s1, 2)), f_mul(p->z, e.z));
    take(p, infinite, there, sum, e);
}

static IFMA __attribute__((noinline)) void add_g(struct jacobian *p, __mmask8 *infinite, const struct work *w, unsigned window)
{
    const __m512i d = _mm512_cvtepi16_epi64(_mm_load_si128((const __m128i *)w->g[window]));
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    __m512i at = _mm512_maskz_mov_epi64(there, v_sub(_mm512_abs_epi64(d), v_set(1)));
    at = _mm512_mullo_epi64(at, v_set(10));
    struct jacobian e = { .z = f_one() };
    EACH_LIMB(e.x.l[i] = _mm512_i64gather_epi64(at, p256_table_verify + i, 8));
    EACH_LIMB(e.y.l[i] = _mm512_i64gather_epi64(at, p256_table_verify + 5 + i, 8));
    e.y = signed_y(e.y, negative);
    take(p, infinite, there, point_add_affine(*p, e.x, e.y), e);
}

/* the lanes where y^2 = x^3 - 3x + b */
static IFMA __mmask8 on_curve(const struct f8 *x, const struct f8 *y)
{
    const struct f8 b = f_set(0xdf6229c4bddfd, 0xca8843090d89c, 0x212ed6acf005c, 0x83415a220abf7, 0xc30061dd4874);
    struct f8 right = f_plus(f_mul(f_sqr(*x), *x), b);
    right = f_minus(right, f_plus(f_plus(*x, *x), *x), 6);
    return f_is_zero(f_minus(right, f_sqr(*y), 2));                         /* below 2 + 1 + 6 + 2 */
}

/* big-endian numbers of a check; false when one is out of its range */
static bool open_check(const struct p256_check *c, struct scalar *x, struct scalar *y, struct scalar *r, struct scalar *s)
{
    static const uint64_t p[4] = { UINT64_MAX, 0xffffffff, 0, 0xffffffff00000001 };
    scalar_load(x, c->key);
    scalar_load(y, c->key + 32);
    scalar_load(r, c->r);
    scalar_load(s, c->s);
    for (unsigned i = 0; i < 2; i++) {
        const struct scalar *v = i ? y : x;
        unsigned at = 3;
        while (at && v->w[at] == p[at])
            at--;
        TRY(v->w[at] < p[at]);
    }
    return scalar_in_range(r) && scalar_in_range(s);
}

/* u1 = e / s, u2 = r / s, as digits */
static void make_digits(struct work *w, const struct p256_check *check, const struct scalar *r, struct scalar *s, unsigned lanes)
{
    scalar_invert_all(s, lanes);
    for (unsigned lane = 0; lane < P256_LANES; lane++) {
        unsigned from = lane < lanes ? lane : 0;
        struct scalar u1, u2;
        uint64_t k[5] = { 0 };
        scalar_of_hash(&u1, check[from].hash, check[from].hash_n);
        scalar_mul(&u1, &u1, &s[from]);
        scalar_mul(&u2, &r[from], &s[from]);
        memcpy(k, u2.w, sizeof u2.w);
        for (unsigned i = 0; i < Q_WINDOWS; i++)
            w->q[i][lane] = (int8_t)digit(k, Q_BITS * i, Q_BITS);
        memcpy(k, u1.w, sizeof u1.w);
        for (unsigned i = 0; i < G_WINDOWS; i++)
            w->g[i][lane] = (int16_t)digit(k, G_BITS * i, G_BITS);
    }
}

/* the lanes where x(p) mod n is r: X = r Z^2, or (r + n) Z^2 where r + n is still below p */
static IFMA __mmask8 x_is_r(const struct jacobian *p, const struct f8 *r, __mmask8 room)
{
    const struct f8 n = f_set(0x69483335f5689, 0x3d3fe99319ad1, 0x2e96b789b1054, 0xfeb0c0166ce65, 0x8648c209fe30);
    struct f8 zz = f_sqr(p->z), more = f_carry(f_plus(*r, n));
    __mmask8 first = f_is_zero(f_minus(f_mul(*r, zz), p->x, 2)), second = f_is_zero(f_minus(f_mul(more, zz), p->x, 2));
    return first | (second & room);
}

static IFMA void sum_of_products(struct jacobian *p, const struct work *w)
{
    __mmask8 infinite = 0xff;
    *p = (struct jacobian){ f_one(), f_one(), f_set(0, 0, 0, 0, 0) };
    add_g(p, &infinite, w, G_WINDOWS - 1);
    for (unsigned bit = 256; bit-- > 0;) {
        double_point(p);
        if (bit % Q_BITS == 0)
            add_q(p, &infinite, w, bit / Q_BITS);
        if (bit % G_BITS == 0)
            add_g(p, &infinite, w, bit / G_BITS);
    }
}

IFMA void p256_verify(struct p256_check *check, unsigned count)
{
    static const struct scalar p_minus_n = { { 0x0c46353d039cdaae, 0x4319055358e8617b, 0, 0 } };
    struct work w;
    struct scalar x[P256_LANES], y[P256_LANES], r[P256_LANES], s[P256_LANES];
    unsigned fit = 0, room = 0;
    if (!count || count > P256_LANES)
        return;
    for (unsigned i = 0; i < P256_LANES; i++) {
        unsigned from = i < count ? i : 0;
        fit |= (unsigned)open_check(&check[from], &x[i], &y[i], &r[i], &s[i]) << i;
        if (!(fit >> i & 1))
            s[i] = (struct scalar){ { 1 } };            /* or its zero would spoil everyone's inverse */
        const struct scalar *v = &r[i];
        room |= (unsigned)(!v->w[3] && !v->w[2] && (v->w[1] < p_minus_n.w[1]
                           || (v->w[1] == p_minus_n.w[1] && v->w[0] < p_minus_n.w[0]))) << i;
    }
    struct f8 fx, fy, fr;
    struct jacobian p;
    load_number(&fx, &w, x);
    load_number(&fy, &w, y);
    load_number(&fr, &w, r);
    fit &= on_curve(&fx, &fy);
    make_table(&w, &fx, &fy);
    make_digits(&w, check, r, s, count);
    sum_of_products(&p, &w);
    unsigned lost = f_is_zero(p.z), equal = x_is_r(&p, &fr, (__mmask8)room);
    for (unsigned i = 0; i < count; i++) {
        unsigned bit = 1u << i;
        check[i].verdict = !(fit & bit) ? P256_BAD : lost & bit ? P256_UNSURE : equal & bit ? P256_GOOD : P256_BAD;
    }
}

#endif
