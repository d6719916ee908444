/* Inversion in the field of 2^255 - 19 by Fermat: a fixed sequence of 254 squarings and 11 multiplications, so it
 * takes the same time for every operand. */
#include "crypto/kernel/fe25519.h"

/* n squarings. Here each waits for the one before, so the carries go in parallel, twice, instead of along the limbs:
 * columns of tight limbs are below 77 * 2^103, what leaves them below 2^58.3, or, from the top one, 19 * 2^54.4 < 2^58.7;
 * limbs then are below 2^59, and what leaves those, times 19, below 2^12.3: tight. */
static void sqr_n(struct fe *r, const struct fe *a, int n)
{
    uint64_t a0 = a->l[0], a1 = a->l[1], a2 = a->l[2], a3 = a->l[3], a4 = a->l[4];
    for (int i = 0; i < n; i++) {
        uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, s3 = 19 * a3, s4 = 19 * a4, t4 = 2 * s4;
        fe_wide c0 = (fe_wide)a0 * a0 + (fe_wide)a1 * t4 + (fe_wide)d2 * s3;
        fe_wide c1 = (fe_wide)d0 * a1 + (fe_wide)a2 * t4 + (fe_wide)a3 * s3;
        fe_wide c2 = (fe_wide)d0 * a2 + (fe_wide)a1 * a1 + (fe_wide)a3 * t4;
        fe_wide c3 = (fe_wide)d0 * a3 + (fe_wide)d1 * a2 + (fe_wide)a4 * s4;
        fe_wide c4 = (fe_wide)d0 * a4 + (fe_wide)d1 * a3 + (fe_wide)a2 * a2;
        uint64_t t0 = ((uint64_t)c0 & FE_MASK) + 19 * (uint64_t)(c4 >> 51);
        uint64_t t1 = ((uint64_t)c1 & FE_MASK) + (uint64_t)(c0 >> 51);
        uint64_t t2 = ((uint64_t)c2 & FE_MASK) + (uint64_t)(c1 >> 51);
        uint64_t t3 = ((uint64_t)c3 & FE_MASK) + (uint64_t)(c2 >> 51);
        uint64_t t5 = ((uint64_t)c4 & FE_MASK) + (uint64_t)(c3 >> 51);
        a0 = (t0 & FE_MASK) + 19 * (t5 >> 51);
        a1 = (t1 & FE_MASK) + (t0 >> 51);
        a2 = (t2 & FE_MASK) + (t1 >> 51);
        a3 = (t3 & FE_MASK) + (t2 >> 51);
        a4 = (t5 & FE_MASK) + (t3 >> 51);
    }
    *r = (struct fe){ { a0, a1, a2, a3, a4 } };
}

/* z^(2^255 - 21). The names say the exponent: e5 is z^(2^5 - 1) and so on. */
void fe_invert(struct fe *r, const struct fe *z)
{
    struct fe z2, z9, z11, e5, e10, e20, e50, e100, t;
    fe_sqr(&z2, z);
    sqr_n(&t, &z2, 2);
    fe_mul(&z9, &t, z);
    fe_mul(&z11, &z9, &z2);
    fe_sqr(&t, &z11);
    fe_mul(&e5, &t, &z9);
    sqr_n(&t, &e5, 5);
    fe_mul(&e10, &t, &e5);
    sqr_n(&t, &e10, 10);
    fe_mul(&e20, &t, &e10);
    sqr_n(&t, &e20, 20);
    fe_mul(&t, &t, &e20);
    sqr_n(&t, &t, 10);
    fe_mul(&e50, &t, &e10);
    sqr_n(&t, &e50, 50);
    fe_mul(&e100, &t, &e50);
    sqr_n(&t, &e100, 100);
    fe_mul(&t, &t, &e100);
    sqr_n(&t, &t, 50);
    fe_mul(&t, &t, &e50);
    sqr_n(&t, &t, 5);
    fe_mul(r, &t, &z11);
    secret_wipe(&t, sizeof t);
    secret_wipe(&z11, sizeof z11);
}
