/* Modulo n. Montgomery's multiplication with 2^256, no branch on a word. */
#include "crypto/kernel/p256_scalar.h"

#include "crypto/kernel/ct.h"
#include "crypto/kernel/inv256.h"

__extension__ typedef unsigned __int128 wide;

const struct scalar scalar_order = { { 0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000 } };
static const struct scalar square = { { 0x83244c95be79eea2, 0x4699799c49bd6fa6, 0x2845b2392b6bec59, 0x66e12d94f3d95620 } };
static const struct inv256 order62 = {                          /* 2^512 mod n above; n for inv256 here */
    { 0x33b9cac2fc632551, 0x339beab69c5e7a13, 0x3ffffffffffffffb, 0x3fffffc00000003f, 0xff }, 0x332e375511ff43b1
};
#define MINUS_INVERSE UINT64_C(0xccd1c8aaee00bc4f)              /* -1/n mod 2^64 */

void scalar_load(struct scalar *r, const uint8_t in[32])
{
    for (int i = 0; i < 4; i++) {
        uint64_t w = 0;
        for (int j = 0; j < 8; j++)
            w = w << 8 | in[8 * (3 - i) + j];
        r->w[i] = w;
    }
}

void scalar_store(uint8_t out[32], const struct scalar *a)
{
    for (int i = 0; i < 32; i++)
        out[31 - i] = (uint8_t)(a->w[i / 8] >> 8 * (i % 8));
}

/* r = a - n, the borrow */
static uint64_t minus_order(uint64_t r[4], const uint64_t a[4])
{
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        wide t = (wide)a[i] - scalar_order.w[i] - borrow;
        r[i] = (uint64_t)t;
        borrow = (uint64_t)(t >> 64) & 1;
    }
    return borrow;
}

/* carry * 2^256 + a, below 2n, to below n */
static void once(struct scalar *r, const uint64_t a[4], uint64_t carry)
{
    uint64_t less[4];
    uint64_t keep = ct_mask(minus_order(less, a) & (carry ^ 1));
    for (int i = 0; i < 4; i++)
        r->w[i] = ct_select(keep, a[i], less[i]);
}

uint64_t scalar_in_range(const struct scalar *a)
{
    uint64_t less[4];
    return minus_order(less, a->w) & ~ct_is_zero(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

void scalar_reduce(struct scalar *a)
{
    once(a, a->w, 0);
}

void scalar_add(struct scalar *r, const struct scalar *a, const struct scalar *b)
{
    uint64_t sum[4], carry = 0;
    for (int i = 0; i < 4; i++) {
        wide t = (wide)a->w[i] + b->w[i] + carry;
        sum[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
    once(r, sum, carry);
}

/* a * b / 2^256 mod n */
static void mont(struct scalar *r, const struct scalar *a, const struct scalar *b)
{
    uint64_t t[6] = { 0 };
    for (int i = 0; i < 4; i++) {
        wide c = 0;
        for (int j = 0; j < 4; j++) {
            c += (wide)a->w[i] * b->w[j] + t[j];
            t[j] = (uint64_t)c;
            c >>= 64;
        }
        c += t[4];
        t[4] = (uint64_t)c;
        t[5] = (uint64_t)(c >> 64);
        uint64_t m = t[0] * MINUS_INVERSE;
        c = ((wide)m * scalar_order.w[0] + t[0]) >> 64;
        for (int j = 1; j < 4; j++) {
            c += (wide)m * scalar_order.w[j] + t[j];
            t[j - 1] = (uint64_t)c;
            c >>= 64;
        }
        c += t[4];
        t[3] = (uint64_t)c;
        t[4] = t[5] + (uint64_t)(c >> 64);
    }
    once(r, t, t[4]);
}

void scalar_mul(struct scalar *r, const struct scalar *a, const struct scalar *b)
{
    struct scalar t;
    mont(&t, a, &square);
    mont(r, &t, b);
    secret_wipe(&t, sizeof t);
}

void scalar_invert(struct scalar *r, const struct scalar *a)
{
    inv256(r->w, a->w, &order62);
}

/* Montgomery's trick: products of all before each, one inversion, and back */
void scalar_invert_all(struct scalar *a, unsigned n)
{
    struct scalar before[16], all, t;
    if (n > sizeof before / sizeof *before)
        return;
    all = a[0];
    for (unsigned i = 1; i < n; i++) {
        before[i] = all;
        scalar_mul(&all, &all, &a[i]);
    }
    scalar_invert(&all, &all);
    for (unsigned i = n - 1; i > 0; i--) {
        scalar_mul(&t, &all, &before[i]);
        scalar_mul(&all, &all, &a[i]);
        a[i] = t;
    }
    a[0] = all;
    secret_wipe(before, sizeof before);
    secret_wipe(&all, sizeof all);
    secret_wipe(&t, sizeof t);
}

void scalar_of_hash(struct scalar *r, const uint8_t *hash, size_t n)
{
    uint8_t b[32] = { 0 };
    size_t take = n < 32 ? n : 32;
    memcpy(b + 32 - take, hash, take);                          /* a shorter hash is a smaller number */
    scalar_load(r, b);
    scalar_reduce(r);
}
