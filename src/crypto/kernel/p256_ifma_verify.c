/* ECDSA verification on P-256, four signatures side by side, each in two of eight lanes (FIPS 186-5 6.4.2). Everything here is public:
 * it branches on signatures and gathers by them, and must never be given a secret.
 *
 * The x of u1 G + u2 Q has to be r. Doublings come one after the other, so there should be few: with w = +-v u2 and both of half the
 * length, and R one of the two points whose x is r, that is as much as (+-v u1) G + w Q being v R or its opposite (Antipa, Brown,
 * Gallant, Lambert, Struik and Vanstone, "Accelerated verification of ECDSA signatures", 2005): to multiply by v, which is not 0, can
 * be undone, the order being a prime. So one lane multiplies Q by w and the other R by v, over one chain of 128 doublings; four bits at a
 * time, with a table of 8 multiples of the lane's point. The lane of Q adds the multiples of G: eight bits of the lower half of its
 * number, and eight of the upper one with the multiples of 2^128 G. */
#include "crypto/kernel/p256.h"

#if defined(__x86_64__)

#include "crypto/kernel/p256_halve.h"
#include "crypto/kernel/p256_ifma_walk.h"

enum { AT_ONCE = P256_LANES / 2, HALF = 128, OWN_BITS = 4, OWN_WINDOWS = HALF / OWN_BITS + 1, ENTRIES = 8 };
enum { G_BITS = 8, G_HALF = HALF / G_BITS, G_WINDOWS = 2 * G_HALF + 1 };

/* Signature i has lane i for Q and lane i + AT_ONCE for R. */
struct work {
    walk_entry table[ENTRIES] __attribute__((aligned(64)));
    uint64_t word[4][P256_LANES];                       /* numbers on their way into lanes */
    int16_t g[G_WINDOWS][P256_LANES];                   /* 0 in the lanes of R */
    int8_t own[OWN_WINDOWS][P256_LANES];
};

static IFMA void load_number(struct f8 *r, struct work *w, const struct scalar n[P256_LANES])
{
    for (unsigned i = 0; i < 4; i++)
        for (unsigned lane = 0; lane < P256_LANES; lane++)
            w->word[i][lane] = n[lane].w[i];
    struct f8 plain = f_of_words(_mm512_load_si512(w->word[0]), _mm512_load_si512(w->word[1]), _mm512_load_si512(w->word[2]),
                                 _mm512_load_si512(w->word[3]));
    *r = f_mul(plain, f_square());
}

WALK void square_often(struct f8 *a, unsigned times)
{
    while (times--)
        *a = f_sqr(*a);
}

/* a^((p + 1) / 4), a root where there is one: 2^254 - 2^222 + 2^190 + 2^94 */
WALK void square_root(struct f8 *r, const struct f8 *a)
{
    struct f8 ones = *a;                                /* a^(2^bits - 1) */
    for (unsigned bits = 1; bits < 32; bits *= 2) {
        *r = ones;
        square_often(r, bits);
        ones = f_mul(*r, ones);
    }
    square_often(&ones, 32);
    *r = f_mul(ones, *a);
    square_often(r, 96);
    *r = f_mul(*r, *a);
    square_often(r, 94);
}

/* The lanes of R still want a y. */
WALK void complete(const struct f8 *x, struct f8 *y)
{
    const __mmask8 of_r = 0xff << AT_ONCE & 0xff;
    const struct f8 right = f_settle(curve_right(x));
    struct f8 root;
    square_root(&root, &right);
    *y = f_select(of_r, root, *y);
}

/* the multiple of G that `window` of the lane's number stands for; those of the upper half begin behind the lower's */
WALK void add_g(struct walk *a, const struct work *w, unsigned window)
{
    const __m512i d = _mm512_cvtepi16_epi64(_mm_load_si128((const __m128i *)w->g[window]));
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    const uint64_t *from = p256_table_verify + (window < G_HALF ? 0 : P256_MULTIPLES * 10);
    __m512i at = _mm512_maskz_mov_epi64(there, v_sub(_mm512_abs_epi64(d), v_set(1)));
    at = _mm512_mullo_epi64(at, v_set(10));
    struct jacobian e = { .z = f_one() };
    EACH_LIMB(e.x.l[i] = _mm512_i64gather_epi64(at, from + i, 8));
    EACH_LIMB(e.y.l[i] = _mm512_i64gather_epi64(at, from + 5 + i, 8));
    e.y = signed_y(e.y, negative);
    take(a, there, point_add_affine(a->p, e.x, e.y), e);
}

static void own_digits(struct work *w, unsigned lane, const uint64_t number[2])
{
    const uint64_t k[5] = { number[0], number[1] };
    for (unsigned i = 0; i < OWN_WINDOWS; i++)
        w->own[i][lane] = (int8_t)digit(k, OWN_BITS * i, OWN_BITS);
}

static void make_digits(struct work *w, const struct p256_check *check, const struct scalar *r, struct scalar *s, unsigned count)
{
    scalar_invert_all(s, count);
    memset(w->g, 0, sizeof w->g);
    memset(w->own, 0, sizeof w->own);                   /* a lane without a signature adds nothing */
    for (unsigned i = 0; i < count; i++) {
        struct scalar u1, u2;
        struct scalar_halves h;
        open_products(&check[i], &r[i], &s[i], &u1, &u2);
        if (!scalar_halve(&h, &u2))
            h = (struct scalar_halves){ 0 };            /* nothing is added up: lost */
        const struct scalar v = { { h.v[0], h.v[1] } };
        scalar_mul(&u1, &u1, &v);
        own_digits(w, i, h.w);
        own_digits(w, i + AT_ONCE, h.v);
        const uint64_t k[5] = { u1.w[0], u1.w[1], u1.w[2], u1.w[3] };
        for (unsigned window = 0; window < G_WINDOWS; window++) {
            int d = digit(k, G_BITS * window, G_BITS);
            w->g[window][i] = (int16_t)(h.negative ? -d : d);
        }
    }
}

static IFMA void sum_of_products(struct walk *a, const struct work *w)
{
    *a = walk_begin();
    add_g(a, w, 2 * G_HALF);                            /* what the signed digits carry */
    add_own(a, w->table, w->own[OWN_WINDOWS - 1]);
    for (unsigned bit = HALF; bit-- > 0;) {
        double_point(&a->p);
        if (bit % OWN_BITS == 0)
            add_own(a, w->table, w->own[bit / OWN_BITS]);
        if (bit % G_BITS == 0) {
            add_g(a, w, bit / G_BITS);
            add_g(a, w, bit / G_BITS + G_HALF);
        }
    }
}

/* The lanes whose point has the x of their partner's. */
WALK __mmask8 same_x(const struct jacobian *p)
{
    const __m512i partner = _mm512_xor_si512(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), v_set(AT_ONCE));
    struct f8 mine = f_mul(p->x, f_permute(f_sqr(p->z), partner));
    return f_is_zero(f_minus(mine, f_permute(mine, partner), 2));
}

/* What the lanes say, each in the bits of Q and of R: numbers in range, points on the curve, sums lost, sums equal; and whether r + n could
 * be the x as well, which they did not try. */
struct findings { unsigned fit, on_curve, lost, equal, room; };

static enum p256_verdict verdict(const struct findings *f, unsigned i)
{
    const unsigned of_r = i + AT_ONCE;
    if (!(f->fit >> i & f->on_curve >> i & 1))
        return P256_BAD;
    const bool there = f->on_curve >> of_r & 1, lost = (f->lost >> i | f->lost >> of_r) & 1;
    if (there && !lost && f->equal >> i & 1)
        return P256_GOOD;
    return f->room >> i & 1 || (there && lost) ? P256_UNSURE : P256_BAD;
}

static IFMA void verify_some(struct p256_check *check, unsigned count)
{
    struct work w;
    struct scalar x[P256_LANES] = { 0 }, y[P256_LANES] = { 0 }, s[AT_ONCE];
    struct findings f = { 0 };
    for (unsigned i = 0; i < count; i++) {
        const struct p256_check *c = &check[i];
        bool more, fits = open_coordinate(&x[i], c->key);
        fits = open_coordinate(&y[i], c->key + 32) && fits; /* all are read, also where one does not fit */
        fits = open_signature(c, &x[i + AT_ONCE], &s[i], &more) && fits;
        if (!fits)
            s[i] = (struct scalar){ { 1 } };            /* or its zero would spoil everyone's inverse */
        f.fit |= (unsigned)fits << i;
        f.room |= (unsigned)more << i;
    }
    struct f8 fx, fy;
    struct walk a;
    load_number(&fx, &w, x);
    load_number(&fy, &w, y);
    complete(&fx, &fy);
    f.on_curve = on_curve(&fx, &fy);
    make_table(w.table, ENTRIES, &fx, &fy);
    make_digits(&w, check, x + AT_ONCE, s, count);
    sum_of_products(&a, &w);
    f.lost = f_is_zero(a.p.z);
    f.equal = same_x(&a.p);
    for (unsigned i = 0; i < count; i++)
        check[i].verdict = verdict(&f, i);
}

IFMA void p256_verify(struct p256_check *check, unsigned count)
{
    for (unsigned i = 0; i < count; i += AT_ONCE)
        verify_some(&check[i], count - i < AT_ONCE ? count - i : AT_ONCE);
}

#endif
