/* ECDSA verification on P-256 with a key that was met before (FIPS 186-5 6.4.2): one signature, its sums spread over eight lanes.
 * Everything here is public: it branches on signatures and gathers by them, and must never be given a secret.
 *
 * Doublings come one after the other, so one verification alone leaves the lanes idle - unless the multiples of Q by 2^32, 2^64 ..
 * 2^224 are there already. Then each lane has 32 bits of u1 and u2, and 28 doublings; the lanes are added up at the end. Four bits
 * of u2 at a time come with a table of 8 multiples of the lane's point, four of u1 from the table that signing has of G: its
 * positions are 2^8 apart, so that lane i has the four from 4 i on, for the upper halves of its bytes and then for the lower. */
#include "crypto/kernel/p256.h"

#if defined(__x86_64__)

#include "crypto/kernel/p256_base.h"
#include "crypto/kernel/p256_ifma_walk.h"

enum { BITS = 4, WINDOWS = 8, ENTRIES = 8, LANE_BITS = BITS * WINDOWS, BYTES = LANE_BITS / 8, LIMBS = 5 };

struct work {
    walk_entry table[ENTRIES] __attribute__((aligned(64)));
    int8_t g[WINDOWS][P256_LANES], q[WINDOWS][P256_LANES];
};

INLINE struct f8 in_every_lane(const struct scalar *n)
{
    return f_mul(f_of_words(v_set(n->w[0]), v_set(n->w[1]), v_set(n->w[2]), v_set(n->w[3])), f_square());
}

INLINE void keep(uint64_t to[LIMBS][P256_LANES], struct f8 a)
{
    EACH_LIMB(_mm512_storeu_si512(to[i], a.l[i]));
}

INLINE struct f8 kept(const uint64_t from[LIMBS][P256_LANES])
{
    struct f8 a;
    EACH_LIMB(a.l[i] = _mm512_loadu_si512(from[i]));
    return a;
}

IFMA bool p256_know(struct p256_known *k, const uint8_t key[64])
{
    struct scalar x, y;
    TRY(open_coordinate(&x, key) && open_coordinate(&y, key + 32));
    struct jacobian p = { in_every_lane(&x), in_every_lane(&y), f_one() }, all = p;
    TRY(on_curve(&p.x, &p.y));
    for (unsigned lane = 1; lane < P256_LANES; lane++) {
        for (unsigned i = 0; i < LANE_BITS; i++)
            double_point(&p);
        all = point_select((__mmask8)(1u << lane), p, all);
    }
    struct f8 i, ii;
    p256_invert_lanes(&i, &all.z);
    ii = f_sqr(i);
    keep(k->x, f_mul(all.x, ii));
    keep(k->y, f_mul(all.y, f_mul(ii, i)));
    return true;
}

/* Lane i takes the digits from 8 i on. */
static void lane_digits(int8_t to[WINDOWS][P256_LANES], const struct scalar *k)
{
    int8_t d[WINDOWS * P256_LANES];
    bool negate = p256_digits(d, k);
    for (unsigned i = 0; i < sizeof d; i++)
        to[i % WINDOWS][i / WINDOWS] = (int8_t)(negate ? -d[i] : d[i]);
}

/* The multiples of G for digit `window` of each lane. */
WALK void add_g(struct walk *a, const struct work *w, unsigned window)
{
    const __m512i d = _mm512_cvtepi8_epi64(_mm_loadl_epi64((const __m128i *)w->g[window]));
    const __m512i positions = _mm512_set_epi64(28, 24, 20, 16, 12, 8, 4, 0);
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    __m512i at = _mm512_maskz_mov_epi64(there, v_sub(_mm512_abs_epi64(d), v_set(1)));
    at = v_add(at, _mm512_mullo_epi64(v_add(positions, v_set(window / 2)), v_set(P256_POSITION)));
    struct jacobian e = { .z = f_one() };
    EACH_LIMB(e.x.l[i] = _mm512_i64gather_epi64(at, p256_table_base + i * 8, 8));
    EACH_LIMB(e.y.l[i] = _mm512_i64gather_epi64(at, p256_table_base + (5 + i) * 8, 8));
    e.y = signed_y(e.y, negative);
    take(a, there, point_add_affine(a->p, e.x, e.y), e);
}

/* each lane n becomes lane n + lane n ^ distance */
WALK void fold(struct walk *a, unsigned distance)
{
    const __m512i from = _mm512_xor_si512(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), v_set(distance));
    const struct jacobian q = point_permute(a->p, from);
    __mmask8 there = 0;
    for (unsigned lane = 0; lane < P256_LANES; lane++)
        there |= (__mmask8)((~a->infinite >> (lane ^ distance) & 1) << lane);
    take(a, there, point_add(a->p, q), q);
}

static IFMA void sum_of_products(struct walk *a, const struct work *w)
{
    *a = walk_begin();
    for (unsigned window = WINDOWS; window-- > 0;) {
        for (unsigned i = 0; i < BITS && window + 1 < WINDOWS; i++)
            double_point(&a->p);
        add_own(a, w->table, w->q[window]);
        for (unsigned byte = 0; byte < BYTES && window < 2; byte++)
            add_g(a, w, 2 * byte + window);
    }
    fold(a, 4);
    fold(a, 2);
    fold(a, 1);
}

/* the lanes where x(p) mod n is r: X = r Z^2, or (r + n) Z^2 where there is room for it */
INLINE __mmask8 x_is_r(const struct jacobian *p, const struct f8 *r, __mmask8 room)
{
    const struct f8 n = f_set(P256_N);
    struct f8 zz = f_sqr(p->z), more = f_carry(f_plus(*r, n));
    __mmask8 first = f_is_zero(f_minus(f_mul(*r, zz), p->x, 2)), second = f_is_zero(f_minus(f_mul(more, zz), p->x, 2));
    return first | (second & room);
}

IFMA void p256_verify_known(struct p256_check *check, const struct p256_known *k)
{
    struct work w;
    struct scalar r, s, u1, u2;
    struct walk a;
    bool room;
    check->verdict = P256_BAD;
    if (!open_signature(check, &r, &s, &room))
        return;
    const struct f8 x = kept(k->x), y = kept(k->y), fr = in_every_lane(&r);
    make_table(w.table, ENTRIES, &x, &y);
    scalar_invert(&s, &s);
    open_products(check, &r, &s, &u1, &u2);
    lane_digits(w.g, &u1);
    lane_digits(w.q, &u2);
    sum_of_products(&a, &w);
    const bool lost = f_is_zero(a.p.z) & 1, equal = x_is_r(&a.p, &fr, room ? 0xff : 0) & 1;
    check->verdict = lost ? P256_UNSURE : equal ? P256_GOOD : P256_BAD;
}

#endif
