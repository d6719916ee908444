/* X25519 for any 64-bit machine: the Montgomery ladder, and for the base point a table on the birationally equivalent
 * edwards25519 (RFC 7748 4.1). Must never index memory or branch by a scalar. */
#include "crypto/kernel/x25519.h"

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/x25519_parts.h"

const struct x25519 *x25519_pick(uint32_t cpu)
{
#if defined(__x86_64__)
    if (cpu & CPU_IFMA)
        return &x25519_ifma;
#endif
    (void)cpu;
    return &x25519_portable;
}

/* over / under, by what is 1 / under */
static void result(uint8_t out[32], struct x25519_ratio *r, const struct fe *inverse)
{
    fe_mul(&r->over, &r->over, inverse);
    fe_store(out, &r->over);
    secret_wipe(r, sizeof *r);
}

void x25519_base(const struct x25519 *x, uint8_t out[32], const uint8_t scalar[32])
{
    struct x25519_ratio r;
    x->base(&r, scalar);
    fe_invert(&r.under, &r.under);
    result(out, &r, &r.under);
}

bool x25519_shared(const struct x25519 *x, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32])
{
    struct x25519_ratio r;
    x->shared(&r, scalar, point);
    fe_invert(&r.under, &r.under);
    result(out, &r, &r.under);
    return x25519_nonzero(out);
}

/* Both over one denominator, and so one inversion. */
bool x25519_both(const struct x25519 *x, uint8_t share[32], uint8_t secret[32], const uint8_t scalar[32], const uint8_t point[32])
{
    struct x25519_ratio a, b;
    struct fe inverse;
    x->base(&a, scalar);
    x->shared(&b, scalar, point);
    fe_mul(&inverse, &a.under, &b.under);
    fe_invert(&inverse, &inverse);
    fe_mul(&a.over, &a.over, &b.under);
    fe_mul(&b.over, &b.over, &a.under);
    result(share, &a, &inverse);
    result(secret, &b, &inverse);
    secret_wipe(&inverse, sizeof inverse);
    return x25519_nonzero(secret);
}

/* RFC 7748 5, the ladder. Of x2, z2, x3, z3 every limb is tight when a step begins: products all. */
struct ladder { struct fe x1, x2, z2, x3, z3; };

ALWAYS_INLINE void ladder_step(struct ladder *v)
{
    struct fe a, b, c, d, aa, bb, e, t;
    fe_add(&a, &v->x2, &v->z2);
    fe_sub(&b, &v->x2, &v->z2);
    fe_add(&c, &v->x3, &v->z3);
    fe_sub(&d, &v->x3, &v->z3);
    fe_mul(&d, &d, &a);
    fe_mul(&c, &c, &b);
    fe_sqr(&aa, &a);
    fe_sqr(&bb, &b);
    fe_add(&a, &d, &c);
    fe_sub(&b, &d, &c);
    fe_sqr(&v->x3, &a);
    fe_sqr(&b, &b);
    fe_mul(&v->z3, &b, &v->x1);
    fe_mul(&v->x2, &aa, &bb);
    fe_sub(&e, &aa, &bb);
    fe_mul_small(&t, &e, 121665);
    fe_add(&t, &t, &aa);
    fe_mul(&v->z2, &e, &t);
}

static void portable_shared(struct x25519_ratio *r, const uint8_t scalar[32], const uint8_t point[32])
{
    uint8_t k[32];
    struct ladder v = { .x2 = { { 1 } }, .z3 = { { 1 } } };
    x25519_clamp(k, scalar);
    fe_load(&v.x1, point);
    v.x3 = v.x1;
    uint64_t before = 0;
    for (int i = 254; i >= 0; i--) {
        uint64_t bit = (uint64_t)(k[i >> 3] >> (i & 7)) & 1;
        uint64_t swap = ct_mask(bit ^ before);
        before = bit;
        fe_cswap(&v.x2, &v.x3, swap);
        fe_cswap(&v.z2, &v.z3, swap);
        ladder_step(&v);
    }
    /* the lowest bit of a clamped scalar is 0: nothing left to swap back */
    *r = (struct x25519_ratio){ v.x2, v.z2 };
    secret_wipe(&v, sizeof v);
    secret_wipe(k, sizeof k);
}

/* Entry |digit| of a position, or the neutral element (1, 1, 0) for 0, negated for a negative digit: reads all of it. */
struct affine { struct fe plus, minus, xy2d; };

typedef uint64_t pair __attribute__((vector_size(16)));        /* SSE2, NEON, or two words where there is neither */

static inline void table_pick(struct affine *r, const uint64_t *position, int8_t digit)
{
    uint64_t negative = ct_mask((uint64_t)(uint8_t)digit >> 7);
    uint64_t size = ((uint64_t)(int64_t)digit ^ negative) - negative;
    uint64_t w[12];
    pair mask[4];
    for (unsigned e = 0; e < 4; e++)
        mask[e] = (pair){ ct_eq(size, 2 * e + 1), ct_eq(size, 2 * e + 2) };
    for (unsigned j = 0; j < 12; j++) {
        const pair *row = (const pair *)(const void *)(position + 8 * j);
        pair sum = (row[0] & mask[0]) | (row[1] & mask[1]) | (row[2] & mask[2]) | (row[3] & mask[3]);
        w[j] = sum[0] | sum[1];
    }
    uint64_t none = ct_is_zero(size);
    w[0] |= none & 1;
    w[4] |= none & 1;
    fe_from_words(&r->plus, w);
    fe_from_words(&r->minus, w + 4);
    fe_from_words(&r->xy2d, w + 8);
    fe_cswap(&r->plus, &r->minus, negative);
    struct fe zero = { { 0 } }, minus;
    fe_sub(&minus, &zero, &r->xy2d);
    fe_cmove(&r->xy2d, &minus, negative);
}

/* p += q, complete (Hisil et al., 2008, 3.1, for a = -1 and q affine). Tight in, tight out. */
static inline void edwards_add(struct edwards *p, const struct affine *q)
{
    struct fe a, b, c, d, e, f, g, h;
    fe_add(&a, &p->y, &p->x);
    fe_sub(&b, &p->y, &p->x);
    fe_mul(&a, &a, &q->plus);
    fe_mul(&b, &b, &q->minus);
    fe_mul(&c, &p->t, &q->xy2d);
    fe_add(&d, &p->z, &p->z);
    fe_sub(&e, &a, &b);
    fe_add(&h, &a, &b);
    fe_add(&g, &d, &c);
    fe_sub(&f, &d, &c);
    fe_mul(&p->x, &e, &f);
    fe_mul(&p->y, &g, &h);
    fe_mul(&p->z, &f, &g);
    fe_mul(&p->t, &e, &h);
}

void edwards_double(struct edwards *p)
{
    struct fe a, b, c, e, f, g, h, s;
    fe_sqr(&a, &p->x);
    fe_sqr(&b, &p->y);
    fe_sqr(&c, &p->z);
    fe_add(&c, &c, &c);
    fe_add(&s, &p->x, &p->y);
    fe_sqr(&s, &s);
    fe_add(&h, &a, &b);                 /* h and f are the textbook's times -1, and so are all four products */
    fe_sub(&e, &s, &h);
    fe_sub(&g, &b, &a);
    fe_add(&f, &c, &a);                 /* c + a - b, and not c - g: g is more than fe_sub may take away */
    fe_sub(&f, &f, &b);
    fe_mul(&p->x, &e, &f);
    fe_mul(&p->y, &g, &h);
    fe_mul(&p->z, &f, &g);
    fe_mul(&p->t, &e, &h);
}

void edwards_to_montgomery(struct x25519_ratio *u, const struct edwards *p)
{
    fe_add(&u->over, &p->z, &p->y);
    fe_sub(&u->under, &p->z, &p->y);
}

/* The odd digits first, times 16, then the even ones: sum of d[i] * 16^i with 32 positions of 256^i. */
static void portable_base(struct x25519_ratio *r, const uint8_t scalar[32])
{
    uint8_t k[32];
    int8_t d[64];
    struct edwards p = { .y = { { 1 } }, .z = { { 1 } } };
    struct affine q;
    x25519_clamp(k, scalar);
    x25519_digits(d, k);
    for (int i = 0; i < 32; i++) {
        table_pick(&q, x25519_table + X25519_POSITION * i, d[2 * i + 1]);
        edwards_add(&p, &q);
    }
    for (int i = 0; i < 4; i++)
        edwards_double(&p);
    for (int i = 0; i < 32; i++) {
        table_pick(&q, x25519_table + X25519_POSITION * i, d[2 * i]);
        edwards_add(&p, &q);
    }
    edwards_to_montgomery(r, &p);
    secret_wipe(&p, sizeof p);
    secret_wipe(&q, sizeof q);
    secret_wipe(d, sizeof d);
    secret_wipe(k, sizeof k);
}

static void portable_base_x8(uint8_t out[8][32], const uint8_t scalar[8][32])
{
    for (int i = 0; i < 8; i++)
        x25519_base(&x25519_portable, out[i], scalar[i]);
}

static uint8_t portable_shared_x8(uint8_t out[8][32], const uint8_t scalar[8][32], const uint8_t point[8][32])
{
    unsigned good = 0;
    for (int i = 0; i < 8; i++)
        good |= (unsigned)x25519_shared(&x25519_portable, out[i], scalar[i], point[i]) << i;
    return (uint8_t)good;
}

const struct x25519 x25519_portable = {
    .name      = "portable",
    .base      = portable_base,
    .shared    = portable_shared,
    .base_x8   = portable_base_x8,
    .shared_x8 = portable_shared_x8,
};
