/* ECDSA signatures and key pairs on P-256 (FIPS 186-5 6.4.1, A.2): the numbers modulo n around the multiples of the base
 * point. Private keys, nonces and what comes of them meet arithmetic and masks alone. */
#include "crypto/kernel/p256.h"

#if defined(__x86_64__)

#include "crypto/kernel/ct.h"
#include "crypto/kernel/p256_base.h"

/* 2^256 mod n */
static const struct scalar two256 = { { 0x0c46353d039cdaaf, 0x4319055258e8617b, 0, 0x00000000ffffffff } };

/* k = SHA-512(d || random || hash) mod n: 512 bits, so that the reduction leaves no bias */
static void make_nonce(struct scalar *k, const struct p256_signing *j, const struct scalar *e, p256_sha512 *sha512, void *ctx)
{
    uint8_t in[96], out[64];
    struct scalar low;
    memcpy(in, j->d, 32);
    memcpy(in + 32, j->random, 32);
    scalar_store(in + 64, e);
    sha512(ctx, out, in, sizeof in);
    scalar_load(k, out);
    scalar_load(&low, out + 32);
    scalar_reduce(k);
    scalar_reduce(&low);
    scalar_mul(k, k, &two256);
    scalar_add(k, k, &low);
    secret_wipe(in, sizeof in);
    secret_wipe(out, sizeof out);
    secret_wipe(&low, sizeof low);
}

/* s = (e + r d) / k, checked by multiplying back */
static void finish(struct p256_signing *j, const struct scalar *d, const struct scalar *k, const struct scalar *k_inverse,
                   const struct scalar *e, const struct p256_affine *point, bool good)
{
    struct scalar r = point->x, s, t, back;
    scalar_reduce(&r);
    scalar_mul(&t, &r, d);
    scalar_add(&t, &t, e);
    scalar_mul(&s, &t, k_inverse);
    scalar_mul(&back, &s, k);
    uint64_t fine = scalar_in_range(&r) & scalar_in_range(&s) & scalar_in_range(d) & scalar_in_range(k);
    j->done = good & (fine & 1) & bytes_equal_ct(&back, &t, sizeof t);
    uint64_t keep = ct_mask(j->done);
    for (int i = 0; i < 4; i++) {
        r.w[i] &= keep;
        s.w[i] &= keep;
    }
    scalar_store(j->r, &r);
    scalar_store(j->s, &s);
    secret_wipe(&t, sizeof t);
    secret_wipe(&back, sizeof back);
}

void p256_sign(struct p256_signing *job, unsigned n, p256_sha512 *sha512, void *ctx)
{
    struct scalar d[P256_LANES], k[P256_LANES], inverse[P256_LANES], e[P256_LANES];
    struct p256_affine point[P256_LANES];
    if (!n || n > P256_LANES)
        return;
    for (unsigned i = 0; i < n; i++) {
        scalar_load(&d[i], job[i].d);
        scalar_of_hash(&e[i], job[i].hash, job[i].hash_n);
        make_nonce(&k[i], &job[i], &e[i], sha512, ctx);
        inverse[i] = k[i];
    }
    for (unsigned i = n; i < P256_LANES; i++)
        k[i] = (struct scalar){ { i } };
    scalar_invert_all(inverse, n);                              /* a nonce of 0 has a chance of 2^-256 */
    bool good = n == 1 ? p256_base_one(point, k) : p256_base_eight(point, k);
    for (unsigned i = 0; i < n; i++)
        finish(&job[i], &d[i], &k[i], &inverse[i], &e[i], &point[i], good);
    secret_wipe(d, sizeof d);
    secret_wipe(k, sizeof k);
    secret_wipe(inverse, sizeof inverse);
    secret_wipe(point, sizeof point);
}

bool p256_public(uint8_t key[][64], const uint8_t d[][32], unsigned n)
{
    struct scalar k[P256_LANES];
    struct p256_affine point[P256_LANES];
    uint64_t fine = 1;
    TRY(n && n <= P256_LANES);
    for (unsigned i = 0; i < P256_LANES; i++) {
        k[i] = (struct scalar){ { i + 1 } };
        if (i < n)
            scalar_load(&k[i], d[i]);
        fine &= scalar_in_range(&k[i]);
    }
    ct_public(&fine, sizeof fine);                              /* whether a key is a key, the caller learns anyway */
    bool good = fine & 1;
    if (good) {
        good = n == 1 ? p256_base_one(point, k) : p256_base_eight(point, k);
        for (unsigned i = 0; i < n; i++) {
            scalar_store(key[i], &point[i].x);
            scalar_store(key[i] + 32, &point[i].y);
        }
    }
    secret_wipe(k, sizeof k);
    return good;
}

#endif
