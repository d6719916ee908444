/* What is read of a key and a signature before any point is met: numbers, and whether they are in range. Internal to what verifies,
 * and compiled into each. All of it is public: it branches, and must never be given a secret. */
#ifndef TROTH_KERNEL_P256_OPEN_H
#define TROTH_KERNEL_P256_OPEN_H

#include "crypto/kernel/p256.h"
#include "crypto/kernel/p256_scalar.h"

/* a coordinate; false when it is not below p */
static inline bool open_coordinate(struct scalar *v, const uint8_t in[32])
{
    static const uint64_t p[4] = { UINT64_MAX, 0xffffffff, 0, 0xffffffff00000001 };
    unsigned at = 3;
    scalar_load(v, in);
    while (at && v->w[at] == p[at])
        at--;
    return v->w[at] < p[at];
}

/* false when one of them is not in 1 .. n-1. *room: r + n is below p, and may be the x as well. */
static inline bool open_signature(const struct p256_check *c, struct scalar *r, struct scalar *s, bool *room)
{
    static const struct scalar p_minus_n = { { 0x0c46353d039cdaae, 0x4319055358e8617b, 0, 0 } };
    scalar_load(r, c->r);
    scalar_load(s, c->s);
    *room = !r->w[3] && !r->w[2] && (r->w[1] < p_minus_n.w[1] || (r->w[1] == p_minus_n.w[1] && r->w[0] < p_minus_n.w[0]));
    return scalar_in_range(r) && scalar_in_range(s);
}

/* u1 = e / s, u2 = r / s, s inverted already */
static inline void open_products(const struct p256_check *c, const struct scalar *r, const struct scalar *inverse, struct scalar *u1,
                                 struct scalar *u2)
{
    scalar_of_hash(u1, c->hash, c->hash_n);
    scalar_mul(u1, u1, inverse);
    scalar_mul(u2, r, inverse);
}

#endif
