/* ECDSA verification on P-256 in plain C, for any 64-bit machine (FIPS 186-5 6.4.2). Everything here is public - a key, a signature, a
 * hash: it branches on numbers and looks up by them, and must never be given a secret. It is never unsure: where a sum meets an exception
 * of its formula, which crafted input can bring about anywhere, what is right is computed.
 *
 * u1 G + u2 Q, over one chain of doublings. Both numbers are written with few digits that are not 0, odd and of either sign
 * (width-w non-adjacent form): those of u1 find their multiples of G in a table, those of u2 find Q, 3 Q .. 15 Q made first. */
#include <stdlib.h>

#include "crypto/kernel/p256_field.h"
#include "crypto/kernel/p256_open.h"
#include "crypto/kernel/p256_tables.h"

enum { G_WIDTH = 8, Q_WIDTH = 5, Q_ENTRIES = 1 << (Q_WIDTH - 2), DIGITS = 257, ENTRY_OF_G = 10 };

struct point { struct fp x, y, z; };                    /* x = X / Z^2, y = Y / Z^3; X and Y settled, c = 2 for Z */
struct sum { struct point p; bool infinite; };
struct entry { struct fp x, y, z, zz, zzz; };           /* and the powers of z */

/* 2 p (dbl-2001-b, a = -3, with 2 Y Z in place of (Y + Z)^2 - Y^2 - Z^2). No point of the curve has order 2. */
static __attribute__((noinline)) void point_double(struct point *p)
{
    struct fp delta = fp_sqr(p->z), gamma = fp_sqr(p->y), beta = fp_mul(p->x, gamma);           /* 1.3, 1.1, 1.1 */
    struct fp alpha = fp_times(3, fp_mul(fp_minus(p->x, delta), fp_plus(p->x, delta)));         /* 5.1 * 2.3: 3 * 1.8 */
    p->z = fp_mul(fp_times(2, p->y), p->z);                                                     /* 1.3 */
    p->x = fp_settle(fp_sqr(alpha), fp_from(fp_16p, fp_times(8, beta)));                     /* 2.9 + 16 */
    struct fp rest = fp_minus(fp_times(4, beta), p->x);                                         /* 8.4 */
    p->y = fp_mul_two(alpha, rest, gamma, fp_from(fp_16p, fp_times(8, gamma)));                 /* 2.9 + 1.1 + 1 + 4 */
}

/* The end of both additions: a is U1, S1 and what becomes Z3 / H; H = U2 - U1, R = S2 - S1 (c = 5.3). Where the two have one x there
 * is no such sum: they are equal, or opposite. */
ALWAYS_INLINE void point_sum(struct sum *a, struct fp u1, struct fp s1, struct fp z, struct fp h, struct fp r)
{
    struct fp hh = fp_sqr(h), hhh = fp_mul(h, hh), v = fp_mul(u1, hh);                          /* 2.8, 2, 1.4 */
    z = fp_mul(z, h);                                                                           /* 1.7 */
    if (fp_is_zero(z)) {
        if (fp_is_zero(fp_mul(r, fp_one)))
            point_double(&a->p);
        else
            a->infinite = true;
        return;
    }
    a->p.z = z;
    a->p.x = fp_settle(fp_sqr(r), fp_from(fp_8p, fp_plus(hhh, fp_times(2, v))));             /* 2.8 + 8 */
    a->p.y = fp_mul_two(r, fp_minus(v, a->p.x), hhh, fp_from(fp_4p, s1));                       /* 1.8 + 0.5 + 1 + 4 */
}

ALWAYS_INLINE struct fp signed_y(struct fp y, bool negative)
{
    return negative ? fp_from(fp_4p, y) : y;
}

static __attribute__((noinline)) void add_affine(struct sum *a, struct fp x, struct fp y)
{
    if (a->infinite) {
        *a = (struct sum){ { x, fp_mul(y, fp_one), fp_one }, false };
        return;
    }
    struct fp zz = fp_sqr(a->p.z), u2 = fp_mul(x, zz), s2 = fp_mul(y, fp_mul(a->p.z, zz));
    point_sum(a, a->p.x, a->p.y, a->p.z, fp_minus(u2, a->p.x), fp_minus(s2, a->p.y));
}

static __attribute__((noinline)) void add_entry(struct sum *a, const struct entry *e, bool negative)
{
    struct fp y = signed_y(e->y, negative);
    if (a->infinite) {
        *a = (struct sum){ { e->x, fp_mul(y, fp_one), e->z }, false };
        return;
    }
    struct fp zz = fp_sqr(a->p.z), u1 = fp_mul(a->p.x, e->zz), u2 = fp_mul(e->x, zz);
    struct fp s1 = fp_mul(a->p.y, e->zzz), s2 = fp_mul(y, fp_mul(a->p.z, zz));
    point_sum(a, u1, s1, fp_mul(a->p.z, e->z), fp_minus(u2, u1), fp_minus(s2, s1));
}

/* The digit -127 .. 127 of u1, which is odd: the table has every multiple from 1 on. */
static void add_g(struct sum *a, int digit)
{
    unsigned multiple = (unsigned)abs(digit);
    const uint64_t *from = p256_table_verify + (multiple - 1) * ENTRY_OF_G;
    struct fp x, y;
    memcpy(x.l, from, sizeof x.l);
    memcpy(y.l, from + 5, sizeof y.l);
    add_affine(a, x, signed_y(y, digit < 0));
}

/* Q, 3 Q, 5 Q .. by adding 2 Q, which is given the Z of each sum on the way: two points with one Z are added for less (Meloni 2007).
 * None meets an exception: the order of Q is n. */
static void make_entries(struct entry e[Q_ENTRIES], struct fp x, struct fp y)
{
    struct point two = { x, y, fp_one };
    point_double(&two);
    struct fp zz = fp_sqr(two.z);
    e[0].x = fp_mul(x, zz);
    e[0].y = fp_mul(y, fp_mul(two.z, zz));
    e[0].z = two.z;
    for (unsigned i = 0; i < Q_ENTRIES; i++) {
        e[i].zz = fp_sqr(e[i].z);
        e[i].zzz = fp_mul(e[i].zz, e[i].z);
        if (i + 1 == Q_ENTRIES)
            return;
        struct fp h = fp_minus(two.x, e[i].x), r = fp_minus(two.y, e[i].y), hh = fp_sqr(h);     /* 6, 6, 3.3 */
        struct fp b = fp_mul(two.x, hh), c = fp_mul(e[i].x, hh);                                /* 1.5, 1.3 */
        two.y = fp_mul(two.y, fp_minus(b, c));                                                  /* 1.7 */
        two.x = b;
        e[i + 1].z = fp_mul(e[i].z, h);                                                         /* 1.8 */
        e[i + 1].x = fp_settle(fp_sqr(r), fp_from(fp_8p, fp_plus(b, c)));
        e[i + 1].y = fp_settle(fp_mul(r, fp_minus(b, e[i + 1].x)), fp_from(fp_4p, two.y));
    }
}

/* k as a sum of d[i] 2^i: no two digits that are not 0 within `width` places, each of them odd and within 2^(width-1). */
static void make_digits(int8_t d[DIGITS], const struct scalar *number, unsigned width)
{
    uint64_t k[5] = { number->w[0], number->w[1], number->w[2], number->w[3], 0 };
    unsigned carry = 0;
    memset(d, 0, DIGITS);
    for (unsigned at = 0; at < DIGITS;) {
        unsigned word = at / 64, shift = at % 64;
        uint64_t bits = k[word] >> shift | (shift > 64 - width && word < 4 ? k[word + 1] << (64 - shift) : 0);
        if ((bits & 1) == carry) {                      /* a 0, or a 1 that the carry makes one */
            at++;
            continue;
        }
        int digit = (int)(bits & ((1u << width) - 1)) + (int)carry;
        carry = (unsigned)digit >> (width - 1);
        d[at] = (int8_t)(digit - (int)(carry << width));
        at += width;
    }
}

static void sum_of_products(struct sum *a, const struct scalar *u1, const struct scalar *u2, struct fp x, struct fp y)
{
    struct entry table[Q_ENTRIES];
    int8_t g[DIGITS], q[DIGITS];
    make_entries(table, x, y);
    make_digits(g, u1, G_WIDTH);
    make_digits(q, u2, Q_WIDTH);
    *a = (struct sum){ { fp_one, fp_one, fp_one }, true };
    for (unsigned i = DIGITS; i-- > 0;) {
        if (!a->infinite)
            point_double(&a->p);
        if (g[i])
            add_g(a, g[i]);
        if (q[i])
            add_entry(a, &table[(q[i] < 0 ? -q[i] : q[i]) / 2], q[i] < 0);
    }
}

/* y^2 = x^3 - 3x + b */
static bool on_curve(struct fp x, struct fp y)
{
    static const struct fp b = { { P256_B } };
    struct fp left = fp_plus(fp_sqr(y), fp_times(3, x)), right = fp_plus(fp_mul(fp_sqr(x), x), b);      /* 5, 2.1 */
    return fp_is_zero(fp_mul(fp_plus(left, fp_from(fp_4p, right)), fp_one));                             /* 9 */
}

/* X = r Z^2, or (r + n) Z^2 where there is room for it: is x mod n r? */
static bool x_is_r(const struct point *p, struct fp r, bool room)
{
    static const struct fp n = { { P256_N } };
    struct fp zz = fp_sqr(p->z);
    return fp_is_zero(fp_mul(fp_minus(fp_mul(r, zz), p->x), fp_one)) ||
           (room && fp_is_zero(fp_mul(fp_minus(fp_mul(fp_plus(r, n), zz), p->x), fp_one)));
}

void p256_verify_plain(struct p256_check *check)
{
    struct scalar x, y, r, s, u1, u2;
    struct sum a;
    bool room;
    check->verdict = P256_BAD;
    if (!open_coordinate(&x, check->key) || !open_coordinate(&y, check->key + 32) || !open_signature(check, &r, &s, &room))
        return;
    struct fp fx = fp_of_words(x.w), fy = fp_of_words(y.w);
    if (!on_curve(fx, fy))
        return;
    scalar_invert(&s, &s);
    open_products(check, &r, &s, &u1, &u2);
    sum_of_products(&a, &u1, &u2, fx, fy);
    check->verdict = !a.infinite && x_is_r(&a.p, fp_of_words(r.w), room) ? P256_GOOD : P256_BAD;
}
