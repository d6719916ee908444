/* ECDSA verification on P-256, eight lanes, each with a signature of its own (FIPS 186-5 6.4.2). Everything here is public: it
 * branches on signatures and gathers by them, and must never be given a secret.
 *
 * u1 G + u2 Q, over one chain of 256 doublings: five bits of u2 with a table of 16 multiples of the lane's Q, eight bits of u1
 * with the constant multiples of G. */
#include "crypto/kernel/p256.h"

#if defined(__x86_64__)

#include "crypto/kernel/p256_ifma_walk.h"

enum { Q_BITS = 5, Q_WINDOWS = 52, Q_ENTRIES = 16, G_BITS = 8, G_WINDOWS = 33 };

struct work {
    walk_entry table[Q_ENTRIES] __attribute__((aligned(64)));
    uint64_t word[4][P256_LANES];                       /* numbers on their way into lanes */
    int16_t g[G_WINDOWS][P256_LANES];
    int8_t q[Q_WINDOWS][P256_LANES];
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

WALK void add_g(struct walk *a, const struct work *w, unsigned window)
{
    const __m512i d = _mm512_cvtepi16_epi64(_mm_load_si128((const __m128i *)w->g[window]));
    const __mmask8 there = _mm512_test_epi64_mask(d, d), negative = _mm512_movepi64_mask(d);
    __m512i at = _mm512_maskz_mov_epi64(there, v_sub(_mm512_abs_epi64(d), v_set(1)));
    at = _mm512_mullo_epi64(at, v_set(10));
    struct jacobian e = { .z = f_one() };
    EACH_LIMB(e.x.l[i] = _mm512_i64gather_epi64(at, p256_table_verify + i, 8));
    EACH_LIMB(e.y.l[i] = _mm512_i64gather_epi64(at, p256_table_verify + 5 + i, 8));
    e.y = signed_y(e.y, negative);
    take(a, there, point_add_affine(a->p, e.x, e.y), e);
}

static void make_digits(struct work *w, const struct p256_check *check, const struct scalar *r, struct scalar *s, unsigned lanes)
{
    scalar_invert_all(s, lanes);
    for (unsigned lane = 0; lane < P256_LANES; lane++) {
        unsigned from = lane < lanes ? lane : 0;
        struct scalar u1, u2;
        uint64_t k[5] = { 0 };
        open_products(&check[from], &r[from], &s[from], &u1, &u2);
        memcpy(k, u2.w, sizeof u2.w);
        for (unsigned i = 0; i < Q_WINDOWS; i++)
            w->q[i][lane] = (int8_t)digit(k, Q_BITS * i, Q_BITS);
        memcpy(k, u1.w, sizeof u1.w);
        for (unsigned i = 0; i < G_WINDOWS; i++)
            w->g[i][lane] = (int16_t)digit(k, G_BITS * i, G_BITS);
    }
}

static IFMA void sum_of_products(struct walk *a, const struct work *w)
{
    *a = walk_begin();
    add_g(a, w, G_WINDOWS - 1);
    for (unsigned bit = 256; bit-- > 0;) {
        double_point(&a->p);
        if (bit % Q_BITS == 0)
            add_own(a, w->table, w->q[bit / Q_BITS]);
        if (bit % G_BITS == 0)
            add_g(a, w, bit / G_BITS);
    }
}

IFMA void p256_verify(struct p256_check *check, unsigned count)
{
    struct work w;
    struct scalar x[P256_LANES], y[P256_LANES], r[P256_LANES], s[P256_LANES];
    unsigned fit = 0, room = 0;
    if (!count || count > P256_LANES)
        return;
    for (unsigned i = 0; i < P256_LANES; i++) {
        const struct p256_check *c = &check[i < count ? i : 0];
        bool more, fits = open_coordinate(&x[i], c->key);
        fits = open_coordinate(&y[i], c->key + 32) && fits; /* all are read, also where one does not fit */
        fits = open_signature(c, &r[i], &s[i], &more) && fits;
        if (!fits)
            s[i] = (struct scalar){ { 1 } };            /* or its zero would spoil everyone's inverse */
        fit |= (unsigned)fits << i;
        room |= (unsigned)more << i;
    }
    struct f8 fx, fy, fr;
    struct walk a;
    load_number(&fx, &w, x);
    load_number(&fy, &w, y);
    load_number(&fr, &w, r);
    fit &= on_curve(&fx, &fy);
    make_table(w.table, Q_ENTRIES, &fx, &fy);
    make_digits(&w, check, r, s, count);
    sum_of_products(&a, &w);
    unsigned lost = f_is_zero(a.p.z), equal = x_is_r(&a.p, &fr, (__mmask8)room);
    for (unsigned i = 0; i < count; i++)
        check[i].verdict = fit >> i & 1 ? verdict_of(lost >> i & 1, equal >> i & 1) : P256_BAD;
}

#endif
