/* RSA's private operation: RFC 7515's signature, libcrypto at random, the edges of its arithmetic, and faults, which must give nothing.
 * links: crypto x86_vectors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/rsa_private_ifma.c"
#include "vectors/rfc7515.inc"

static struct rsa_private key;

static bool no_ifma(void)
{
    if (cpu_features() & CPU_IFMA)
        return false;
    print_message("no AVX-512 IFMA here\n");
    return true;
}

/* Carries that run through many full limbs, of one half and of both: numbers at random have none. */
static IFMA void settles(uint64_t *got, const uint64_t *in)
{
    __m512i v[VECTORS];
    EACH_VECTOR v[i] = _mm512_loadu_si512(in + 8 * i);
    settle(got, v);
}

static void carries_run_through(void **state)
{
    (void)state;
    static const uint64_t some[] = { 0, (1ull << 52) - 1, 1ull << 52, (1ull << 52) - 2, (1ull << 58) + 7, (1ull << 53) - 1 };
    uint64_t seed = 1;
    for (unsigned round = 0; !no_ifma() && round < 20000; round++) {
        uint64_t in[2 * LIMBS], got[2 * LIMBS], want[2 * LIMBS], carry[2] = { 0, 0 };
        for (unsigned i = 0; i < 2 * LIMBS; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            in[i] = i >= 2 * LIMBS - 2 ? i : seed >> 60 < 8 ? (1ull << 52) - 1 : some[(seed >> 40) % 6];
            carry[i % 2] += in[i];
            want[i] = carry[i % 2] & ((1ull << 52) - 1);
            carry[i % 2] >>= 52;
        }
        settles(got, in);
        assert_memory_equal(got, want, sizeof got);
    }
}

/* RFC 8017 9.2, for SHA-256 */
static void encode(uint8_t em[256], const uint8_t digest[32])
{
    static const uint8_t info[20] = { 0, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04, 0x20 };
    memset(em, 0xff, 256);
    em[0] = 0;
    em[1] = 1;
    memcpy(em + 256 - 52, info, 20);
    memcpy(em + 256 - 32, digest, 32);
}

static BIGNUM *number(const uint8_t *p, size_t n)
{
    return BN_bin2bn(p, (int)n, NULL);
}

static void bytes_of(uint8_t *p, size_t n, BIGNUM *v)
{
    assert_int_equal(BN_bn2binpad(v, p, (int)n), n);
    BN_clear_free(v);
}

/* A blinding from r; without one, 1. */
static void blind(struct rsa_parts *parts, const BIGNUM *r, BN_CTX *ctx)
{
    BIGNUM *n = number(parts->n, 256), *e = BN_new(), *v = BN_new();
    BN_set_word(e, parts->e);
    BN_mod_exp(v, r, e, n, ctx);
    bytes_of(parts->blind, 256, v);
    bytes_of(parts->unblind, 256, BN_mod_inverse(NULL, r, n, ctx));
    BN_free(n);
    BN_free(e);
}

static void load_rfc7515(struct rsa_parts *parts)
{
    *parts = rfc7515_key;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *r = number(rfc7515_digest, 32);
    blind(parts, r, ctx);
    BN_free(r);
    BN_CTX_free(ctx);
    assert_true(rsa_private_load(&key, parts));
}

static void signs_as_rfc_7515(void **state)
{
    (void)state;
    struct rsa_parts parts;
    uint8_t em[256], out[256], digest[32];
    unsigned n = sizeof digest;
    static const uint8_t randoms[][RSA_BLIND_BYTES] = { { 0 }, { 1 }, { 0xff, 0xff, 0xff, 0xff }, { 0x12, 0x80, 0, 0xfe } };
    if (no_ifma())
        return;
    EVP_Digest(rfc7515_text, sizeof rfc7515_text - 1, digest, &n, EVP_sha256(), NULL);
    assert_memory_equal(digest, rfc7515_digest, sizeof digest);
    encode(em, digest);
    load_rfc7515(&parts);
    for (size_t i = 0; i < sizeof randoms / sizeof *randoms; i++) {
        memset(out, 0, sizeof out);
        assert_true(rsa_private(out, &key, em, randoms[i]));
        assert_memory_equal(out, rfc7515_signature, sizeof out);
    }
}

/* A prime of 1024 bits: at random, or as close to 2^1024 as `from` and e allow. */
static BIGNUM *prime(bool large, unsigned long from, const BIGNUM *e, BN_CTX *ctx)
{
    BIGNUM *p = BN_new(), *less = BN_new(), *gcd = BN_new();
    bool found = false;
    if (large) {
        BN_one(p);
        BN_lshift(p, p, 1024);
        BN_sub_word(p, from | 1);
    } else
        BN_rand(p, 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
    while (!found) {
        BN_sub_word(p, 2);
        BN_copy(less, p);
        BN_sub_word(less, 1);
        found = BN_check_prime(p, ctx, NULL) == 1 && BN_gcd(gcd, less, e, ctx) && BN_is_one(gcd);
    }
    BN_free(less);
    BN_free(gcd);
    return p;
}

static void parts_of(struct rsa_parts *parts, const BIGNUM *p, const BIGNUM *q, const BIGNUM *d, BN_CTX *ctx)
{
    BIGNUM *v = BN_new(), *w = BN_new();
    BN_sub(w, p, BN_value_one());
    BN_mod(v, d, w, ctx);
    bytes_of(parts->dp, 128, BN_dup(v));
    BN_sub(w, q, BN_value_one());
    BN_mod(v, d, w, ctx);
    bytes_of(parts->dq, 128, BN_dup(v));
    BN_mul(v, p, q, ctx);
    bytes_of(parts->n, 256, v);
    bytes_of(parts->p, 128, BN_dup(p));
    bytes_of(parts->q, 128, BN_dup(q));
    bytes_of(parts->q_inverse, 128, BN_mod_inverse(NULL, q, p, ctx));
    BN_free(w);
}

/* A key of two such primes, and numbers at random and at both ends, against BN_mod_exp with d. */
static void against_libcrypto(bool large_p, bool large_q, unsigned long exponent)
{
    BN_CTX *ctx = BN_CTX_new();
    struct rsa_parts parts = { .e = exponent };
    BIGNUM *e = BN_new(), *n = BN_new(), *phi = BN_new(), *c = BN_new(), *want = BN_new();
    BN_set_word(e, exponent);
    BIGNUM *p = prime(large_p, 1000, e, ctx), *q = prime(large_q, 500000, e, ctx);
    BN_mul(n, p, q, ctx);
    BN_copy(phi, n);
    BN_sub(phi, phi, p);
    BN_sub(phi, phi, q);
    BN_add_word(phi, 1);
    BIGNUM *d = BN_mod_inverse(NULL, e, phi, ctx);
    parts_of(&parts, p, q, d, ctx);
    assert_int_equal(parts.n[0] >> 7, 1);
    for (unsigned i = 0; i < 24; i++) {
        uint8_t in[256], out[256], expected[256], random[RSA_BLIND_BYTES];
        BN_rand(c, 32, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
        bytes_of(random, sizeof random, BN_dup(c));
        BN_rand_range(c, n);
        if (i % 8 == 0) {
            blind(&parts, c, ctx);
            assert_true(rsa_private_load(&key, &parts));
        }
        if (i >= 18)
            BN_set_word(c, i - 18); /* 0, 1, 2 ... */
        if (i >= 21)
            BN_sub(c, n, c);
        if (i >= 23) /* none of q */
            BN_mul_word(BN_copy(c, q), 3);
        BN_mod_exp(want, c, d, n, ctx);
        bytes_of(in, 256, BN_dup(c));
        bytes_of(expected, 256, BN_dup(want));
        assert_true(rsa_private(out, &key, in, random));
        assert_memory_equal(out, expected, sizeof out);
    }
    BIGNUM *all[] = { e, n, phi, c, want, p, q, d };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        BN_free(all[i]);
    BN_CTX_free(ctx);
}

static void is_libcryptos(void **state)
{
    (void)state;
    static const unsigned long exponents[] = { 65537, 3, 0xffffffffffffffff };
    if (no_ifma())
        return;
    for (unsigned i = 0; i < 3; i++)
        against_libcrypto(false, false, exponents[i]);
    against_libcrypto(true, true, 65537); /* most limbs full */
    against_libcrypto(true, false, 65537);
    against_libcrypto(false, true, 65537);
}

/* Of whatever is wrong with a key, no signature comes: from one right half and one wrong one the primes could be told. */
static void gives_nothing_when_wrong(void **state)
{
    (void)state;
    struct rsa_parts parts;
    uint8_t em[256], out[256];
    static const uint8_t random[RSA_BLIND_BYTES] = { 1, 2, 3, 4 }, nothing[256];
    if (no_ifma())
        return;
    encode(em, rfc7515_digest);
    for (unsigned i = 0; i < 6; i++) {
        load_rfc7515(&parts);
        uint8_t *what[] = { parts.dp, parts.dq, parts.q_inverse, parts.blind, parts.n, parts.unblind };
        what[i][100] ^= 0x10;
        assert_true(rsa_private_load(&key, &parts));
        memset(out, 0x77, sizeof out);
        assert_false(rsa_private(out, &key, em, random));
        assert_memory_equal(out, nothing, sizeof out);
    }
    load_rfc7515(&parts);
    key.r2[5] ^= 1; /* a bit that flips later */
    assert_false(rsa_private(out, &key, em, random));
    assert_memory_equal(out, nothing, sizeof out);
}

static void takes_what_it_is_for(void **state)
{
    (void)state;
    struct rsa_parts parts;
    if (no_ifma())
        return;
    load_rfc7515(&parts);
    parts.p[0] &= 0x7f;
    assert_false(rsa_private_load(&key, &parts));
    parts = rfc7515_key;
    parts.q[127] &= 0xfe;
    assert_false(rsa_private_load(&key, &parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_run_through),     cmocka_unit_test(signs_as_rfc_7515), cmocka_unit_test(is_libcryptos),
        cmocka_unit_test(gives_nothing_when_wrong), cmocka_unit_test(takes_what_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
