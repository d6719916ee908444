/* Inversion by Bernstein and Yang's divsteps ("Fast constant-time gcd computation and modular inversion", 2019), in the
 * half-delta variant: 590 divsteps are enough for every modulus and operand of 256 bits (Pornin, Wuille, 2021). They come in
 * ten batches of 59 on the low 64 bits of f and g alone, collected in a 2x2 matrix, which is then applied to the whole
 * numbers. Every step is masked arithmetic; the count is fixed. Relies on >> of a negative number being arithmetic, as gcc
 * and clang define it. */
#include "crypto/kernel/inv256.h"

#include "crypto/kernel/ct.h"

__extension__ typedef __int128 wide;

#define LIMB ((int64_t)(UINT64_MAX >> 2))               /* 2^62 - 1 */

struct matrix { int64_t u, v, q, r; };                  /* 2^62 times the transition of 59 divsteps: entries within 2^62 */
struct number { int64_t l[5]; };                        /* sum of l[i] * 2^(62 i); all but the top limb within 0 .. 2^62 - 1 */

/* `n` divsteps, at most 30, on the low bits. A row of the matrix is one word, u + 2^32 v: whatever is done to a row is linear, so both
 * halves go in one operation, and stay within 2^30. f and g are exchanged rather than summed: less waits for what was before. */
ALWAYS_INLINE int64_t divsteps_some(int n, int64_t zeta, uint64_t *low_f, uint64_t *low_g, struct matrix *t)
{
    uint64_t f = *low_f, g = *low_g, uv = 1, qr = (uint64_t)1 << 32;
    for (int i = 0; i < n; i++) {
        uint64_t negative = ct_hide((uint64_t)(zeta >> 63)), odd = ct_hide(0 - (g & 1)), swap = negative & odd;
        uint64_t x = (f ^ negative) - negative, y = (uv ^ negative) - negative;
        f ^= (f ^ g) & swap, uv ^= (uv ^ qr) & swap;
        g += x & odd, qr += y & odd;                    /* g +- f when g is odd, and the same to the matrix */
        zeta = (int64_t)((uint64_t)zeta ^ swap) - 1;
        g >>= 1, uv <<= 1;
    }
    *low_f = f, *low_g = g;
    t->u = (int32_t)uv, t->v = (int64_t)(uv - (uint64_t)t->u) >> 32;
    t->q = (int32_t)qr, t->r = (int64_t)(qr - (uint64_t)t->q) >> 32;
    return zeta;
}

/* 59 divsteps. The matrix is multiplied by 8, for it is read as scaled by 2^62 and not by 2^59. */
static int64_t divsteps(int64_t zeta, uint64_t f, uint64_t g, struct matrix *t)
{
    struct matrix a, b;
    zeta = divsteps_some(30, zeta, &f, &g, &a);
    zeta = divsteps_some(29, zeta, &f, &g, &b);
    *t = (struct matrix){ 8 * (b.u * a.u + b.v * a.q), 8 * (b.u * a.v + b.v * a.r),
                          8 * (b.q * a.u + b.r * a.q), 8 * (b.q * a.v + b.r * a.r) };
    return zeta;
}

/* (d, e) = t (d, e) / 2^62 mod m. Both stay in -2m .. m: a multiple of m makes the division exact, and m is added first to what
 * is negative. */
static void update_de(struct number *d, struct number *e, const struct matrix *t, const struct inv256 *m)
{
    int64_t sd = d->l[4] >> 63, se = e->l[4] >> 63;
    int64_t md = (t->u & sd) + (t->v & se), me = (t->q & sd) + (t->r & se);
    wide cd = (wide)t->u * d->l[0] + (wide)t->v * e->l[0], ce = (wide)t->q * d->l[0] + (wide)t->r * e->l[0];
    md -= (int64_t)((m->inverse * (uint64_t)cd + (uint64_t)md) & (uint64_t)LIMB);
    me -= (int64_t)((m->inverse * (uint64_t)ce + (uint64_t)me) & (uint64_t)LIMB);
    cd = (cd + (wide)m->m[0] * md) >> 62;
    ce = (ce + (wide)m->m[0] * me) >> 62;
    for (int i = 1; i < 5; i++) {
        cd += (wide)t->u * d->l[i] + (wide)t->v * e->l[i] + (wide)m->m[i] * md;
        ce += (wide)t->q * d->l[i] + (wide)t->r * e->l[i] + (wide)m->m[i] * me;
        d->l[i - 1] = (int64_t)cd & LIMB, cd >>= 62;
        e->l[i - 1] = (int64_t)ce & LIMB, ce >>= 62;
    }
    d->l[4] = (int64_t)cd;
    e->l[4] = (int64_t)ce;
}

/* (f, g) = t (f, g) / 2^62, exactly */
static void update_fg(struct number *f, struct number *g, const struct matrix *t)
{
    wide cf = ((wide)t->u * f->l[0] + (wide)t->v * g->l[0]) >> 62;
    wide cg = ((wide)t->q * f->l[0] + (wide)t->r * g->l[0]) >> 62;
    for (int i = 1; i < 5; i++) {
        cf += (wide)t->u * f->l[i] + (wide)t->v * g->l[i];
        cg += (wide)t->q * f->l[i] + (wide)t->r * g->l[i];
        f->l[i - 1] = (int64_t)cf & LIMB, cf >>= 62;
        g->l[i - 1] = (int64_t)cg & LIMB, cg >>= 62;
    }
    f->l[4] = (int64_t)cf;
    g->l[4] = (int64_t)cg;
}

static void carry(struct number *r)
{
    for (int i = 0; i < 4; i++) {
        r->l[i + 1] += r->l[i] >> 62;
        r->l[i] &= LIMB;
    }
}

static void add_if_negative(struct number *r, const struct inv256 *m)
{
    int64_t negative = (int64_t)ct_hide((uint64_t)(r->l[4] >> 63));
    for (int i = 0; i < 5; i++)
        r->l[i] += m->m[i] & negative;
}

/* r in -2m .. m, negated when `sign` is negative, to 0 .. m-1 */
static void normalize(struct number *r, int64_t sign, const struct inv256 *m)
{
    int64_t negate = (int64_t)ct_hide((uint64_t)(sign >> 63));
    add_if_negative(r, m);
    for (int i = 0; i < 5; i++)
        r->l[i] = (r->l[i] ^ negate) - negate;
    carry(r);
    add_if_negative(r, m);
    carry(r);
}

void inv256(uint64_t out[4], const uint64_t a[4], const struct inv256 *m)
{
    struct number d = { { 0 } }, e = { { 1 } }, f, g;
    struct matrix t;
    int64_t zeta = -1;                                  /* -(delta + 1/2), delta starting at 1/2 */
    memcpy(f.l, m->m, sizeof f.l);
    g.l[0] = (int64_t)a[0] & LIMB;
    g.l[1] = (int64_t)(a[0] >> 62 | a[1] << 2) & LIMB;
    g.l[2] = (int64_t)(a[1] >> 60 | a[2] << 4) & LIMB;
    g.l[3] = (int64_t)(a[2] >> 58 | a[3] << 6) & LIMB;
    g.l[4] = (int64_t)(a[3] >> 56);
    for (int i = 0; i < 10; i++) {
        zeta = divsteps(zeta, (uint64_t)f.l[0] | (uint64_t)f.l[1] << 62, (uint64_t)g.l[0] | (uint64_t)g.l[1] << 62, &t);
        update_de(&d, &e, &t, m);
        update_fg(&f, &g, &t);
    }
    normalize(&d, f.l[4], m);                           /* f is 1 or -1 now, g is 0, and d * a = f */
    uint64_t l0 = (uint64_t)d.l[0], l1 = (uint64_t)d.l[1], l2 = (uint64_t)d.l[2], l3 = (uint64_t)d.l[3];
    out[0] = l0 | l1 << 62;
    out[1] = l1 >> 2 | l2 << 60;
    out[2] = l2 >> 4 | l3 << 58;
    out[3] = l3 >> 6 | (uint64_t)d.l[4] << 56;
    secret_wipe(&d, sizeof d);
    secret_wipe(&e, sizeof e);
    secret_wipe(&f, sizeof f);
    secret_wipe(&g, sizeof g);
    secret_wipe(&t, sizeof t);
}
