/* Inversion in the field of 2^255 - 19 by Fermat: a fixed sequence of 254 squarings and 11 multiplications, so it
 * takes the same time for every operand. */
#include "crypto/kernel/fe25519.h"

static void sqr_n(struct fe *r, const struct fe *a, int n)
{
    struct fe t = *a;
    for (int i = 0; i < n; i++)
        fe_sqr(&t, &t);
    *r = t;
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
