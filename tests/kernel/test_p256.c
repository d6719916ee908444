/* P-256: Wycheproof's ECDSA cases, libcrypto at random, and the exceptions of the formulas.
 * links: jansson crypto x86_vectors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/p256.h"
#include "crypto/kernel/p256_scalar.h"
#include "kernel/vectors.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"      /* EC_KEY is the judge here, and the quickest one */

enum { BLOB = 8192 };

static bool no_ifma(void)
{
    if (cpu_features() & CPU_IFMA)
        return false;
    print_message("no AVX-512 IFMA here\n");
    return true;
}

/* SEQUENCE { INTEGER r, INTEGER s } in strict DER, positive and at most 32 bytes each: what a caller does before the kernel */
static bool der_integer(const uint8_t **p, const uint8_t *end, uint8_t out[32])
{
    if (end - *p < 3 || (*p)[0] != 2 || (*p)[1] > 33 || (*p)[1] == 0 || end - *p - 2 < (*p)[1])
        return false;
    size_t n = (*p)[1];
    const uint8_t *v = *p + 2;
    *p = v + n;
    if (v[0] & 0x80 || (n > 1 && !v[0] && !(v[1] & 0x80)))
        return false;
    if (!v[0])
        v++, n--;
    if (n > 32)
        return false;
    memset(out, 0, 32);
    memcpy(out + 32 - n, v, n);
    return true;
}

static bool der_signature(const uint8_t *p, size_t n, uint8_t r[32], uint8_t s[32])
{
    if (n < 2 || p[0] != 0x30 || p[1] != n - 2 || n > 127)
        return false;
    const uint8_t *end = p + n;
    p += 2;
    return der_integer(&p, end, r) && der_integer(&p, end, s) && p == end;
}

/* what libcrypto says of a signature as numbers */
static bool judge(const struct p256_check *c)
{
    EC_KEY *k = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    uint8_t point[65] = { 4 };
    memcpy(point + 1, c->key, 64);
    bool ok = EC_KEY_oct2key(k, point, 65, NULL) == 1;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    ECDSA_SIG_set0(sig, BN_bin2bn(c->r, 32, NULL), BN_bin2bn(c->s, 32, NULL));
    ok = ok && ECDSA_do_verify(c->hash, (int)c->hash_n, sig, k) == 1;
    ECDSA_SIG_free(sig);
    EC_KEY_free(k);
    return ok;
}

/* In plain C, which is never unsure and does not look at what was said before. */
static enum p256_verdict by_plain(const struct p256_check *c)
{
    struct p256_check again = *c;
    again.verdict = P256_UNSURE;
    p256_verify_plain(&again);
    return again.verdict;
}

/* The verdict by a key that is known, or on one that cannot be; UNSURE is for plain C to decide. */
static enum p256_verdict by_known(const struct p256_check *c)
{
    struct p256_known k;
    struct p256_check again = *c;
    again.verdict = P256_UNSURE;
    if (!p256_know(&k, c->key))
        return P256_BAD;
    p256_verify_known(&again, &k);
    return again.verdict;
}

static void wycheproof(const char *name, const EVP_MD *md, bool ifma)
{
    json_t *file = vectors_load(name), *group, *test;
    size_t g, t, cases = 0, unsure = 0, unsure_known = 0, malformed = 0;
    json_array_foreach(json_object_get(file, "testGroups"), g, group) {
        uint8_t point[65];
        assert_int_equal(json_bytes(point, 65, json_object_get(group, "publicKey"), "uncompressed"), 65);
        json_array_foreach(json_object_get(group, "tests"), t, test) {
            static uint8_t msg[BLOB], sig[BLOB];
            uint8_t hash[64], r[32], s[32];
            unsigned hash_n;
            size_t msg_n = json_bytes(msg, BLOB, test, "msg"), sig_n = json_bytes(sig, BLOB, test, "sig");
            bool valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");
            cases++;
            if (!der_signature(sig, sig_n, r, s)) {
                assert_false(valid);
                malformed++;
                continue;
            }
            EVP_Digest(msg, msg_n, hash, &hash_n, md, NULL);
            struct p256_check c = { point + 1, r, s, hash, hash_n, P256_BAD };
            assert_int_equal(by_plain(&c), valid ? P256_GOOD : P256_BAD);
            if (!ifma)
                continue;
            p256_verify(&c, 1);
            if (c.verdict == P256_UNSURE) {
                c.verdict = by_plain(&c);
                unsure++;
            }
            assert_int_equal(c.verdict, valid ? P256_GOOD : P256_BAD);
            enum p256_verdict known = by_known(&c);
            assert_true(known == c.verdict || known == P256_UNSURE);
            unsure_known += known == P256_UNSURE;
        }
    }
    print_message("%s: %zu cases, %zu malformed, %zu and %zu unsure\n", name, cases, malformed, unsure, unsure_known);
    assert_int_equal(cases, json_integer_value(json_object_get(file, "numberOfTests")));
    assert_true(unsure < 20);
    json_decref(file);
}

static void test_wycheproof(void **state)
{
    (void)state;
    const bool ifma = !no_ifma();
    wycheproof("wycheproof/ecdsa_secp256r1_sha256_test.json", EVP_sha256(), ifma);
    wycheproof("wycheproof/ecdsa_secp256r1_sha512_test.json", EVP_sha512(), ifma);
}

struct signer { EC_KEY *key; uint8_t d[32], point[64], hash[64], r[32], s[32]; };

static void signer_make(struct signer *a, size_t hash_n)
{
    uint8_t b[65];
    a->key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    assert_int_equal(EC_KEY_generate_key(a->key), 1);
    EC_POINT_point2oct(EC_KEY_get0_group(a->key), EC_KEY_get0_public_key(a->key), POINT_CONVERSION_UNCOMPRESSED, b, 65, NULL);
    memcpy(a->point, b + 1, 64);
    BN_bn2binpad(EC_KEY_get0_private_key(a->key), a->d, 32);
    RAND_bytes(a->hash, sizeof a->hash);
    ECDSA_SIG *sig = ECDSA_do_sign(a->hash, (int)hash_n, a->key);
    BN_bn2binpad(ECDSA_SIG_get0_r(sig), a->r, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), a->s, 32);
    ECDSA_SIG_free(sig);
}

/* Every number of lanes; each lane sound or with one bit of something changed; libcrypto judges each. */
static void test_verify_random(void **state)
{
    (void)state;
    const bool ifma = !no_ifma();
    static const size_t hash_n[] = { 32, 20, 48, 64, 28 };
    for (unsigned round = 0; round < 25; round++) {
        for (unsigned n = 1; n <= P256_LANES; n++) {
            struct signer a[P256_LANES];
            struct p256_check c[P256_LANES];
            for (unsigned i = 0; i < n; i++) {
                size_t h = hash_n[(round + i) % 5];
                uint8_t rnd[3];
                signer_make(&a[i], h);
                RAND_bytes(rnd, sizeof rnd);
                uint8_t *const spoil[] = { a[i].point, a[i].r, a[i].s, a[i].hash };
                if (rnd[0] % 8 < 4)
                    spoil[rnd[0] % 4][rnd[1] % (rnd[0] % 4 ? h < 32 ? h : 32 : 64)] ^= (uint8_t)(1 << rnd[2] % 8);
                c[i] = (struct p256_check){ a[i].point, a[i].r, a[i].s, a[i].hash, h, P256_UNSURE };
            }
            if (ifma)
                p256_verify(c, n);
            for (unsigned i = 0; i < n; i++) {
                enum p256_verdict truth = judge(&c[i]) ? P256_GOOD : P256_BAD;
                assert_int_equal(by_plain(&c[i]), truth);
                assert_true(!ifma || (c[i].verdict == truth && by_known(&c[i]) == truth));
                EC_KEY_free(a[i].key);
            }
        }
    }
}

static void number(uint8_t out[32], const BIGNUM *v) { BN_bn2binpad(v, out, 32); }

/* What the verifiers met. */
struct tally { bool ifma; unsigned good, unsure, unsure_known; };

/* u1, u2 and a key k G chosen: r is the x of (u1 + u2 k) G, s = r / u2, e = u1 s. A sum of two equal points on the way, or one
 * at infinity at its end, may be refused as unsure by the lanes, never be called wrong; plain C has to know. */
static void of_chosen(struct tally *t, const EC_GROUP *group, const BIGNUM *u1, const BIGNUM *u2, const BIGNUM *k, BN_CTX *x)
{
    const BIGNUM *n = EC_GROUP_get0_order(group);
    BIGNUM *r = BN_new(), *s = BN_new(), *e = BN_new();
    EC_POINT *p = EC_POINT_new(group), *q = EC_POINT_new(group);
    uint8_t point[65], rb[32], sb[32], eb[32];
    EC_POINT_mul(group, q, k, NULL, NULL, x);
    EC_POINT_mul(group, p, u1, q, u2, x);
    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, 65, x);
    if (EC_POINT_is_at_infinity(group, p))
        BN_set_word(r, 1);
    else
        EC_POINT_get_affine_coordinates(group, p, r, NULL, x);
    BN_nnmod(r, r, n, x);
    BN_mod_inverse(s, u2, n, x);
    BN_mod_mul(s, s, r, n, x);
    BN_mod_mul(e, u1, s, n, x);
    number(rb, r), number(sb, s), number(eb, e);
    struct p256_check c[3] = { { point + 1, rb, sb, eb, 32, P256_BAD } };
    c[1] = c[2] = c[0];
    const bool truth = judge(&c[0]);
    const enum p256_verdict want = truth ? P256_GOOD : P256_BAD;
    assert_int_equal(truth, !EC_POINT_is_at_infinity(group, p));
    assert_int_equal(by_plain(&c[0]), want);
    if (t->ifma) {
        p256_verify(c, 3);
        for (unsigned i = 0; i < 3; i++)
            assert_true(c[i].verdict == P256_UNSURE || c[i].verdict == want);
        const enum p256_verdict known = by_known(&c[0]);
        assert_true(known == P256_UNSURE || known == want);
        t->unsure_known += known == P256_UNSURE;
        t->unsure += c[0].verdict == P256_UNSURE;
        t->good += c[0].verdict == P256_GOOD;
    }
    BN_free(r), BN_free(s), BN_free(e);
    EC_POINT_free(p), EC_POINT_free(q);
}

static void set_small(BIGNUM *to, int value, const BIGNUM *n, BN_CTX *x)
{
    BN_set_word(to, (BN_ULONG)abs(value));
    BN_set_negative(to, value < 0);
    BN_nnmod(to, to, n, x);
}

static void test_exceptions(void **state)
{
    (void)state;
    static const int u[] = { 1, 2, 3, 5, 15, 16, 17, 31, 32, 33, 127, 128, 129, 255, 256, 257, -1, -2, -16, -128, 12345 };
    static const int key[] = { 1, 2, -1, -2, 16, 256, 7 };
    enum { U = sizeof u / sizeof *u, KEYS = sizeof key / sizeof *key };
    struct tally small = { !no_ifma(), 0, 0, 0 }, powers = small;
    BN_CTX *x = BN_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    const BIGNUM *n = EC_GROUP_get0_order(group);
    BIGNUM *u1 = BN_new(), *u2 = BN_new(), *k = BN_new();
    for (size_t a = 0; a < U; a++) {
        set_small(u1, u[a], n, x);
        for (size_t b = 0; b < U; b++) {
            set_small(u2, u[b], n, x);
            set_small(k, key[(a + b) % KEYS], n, x);
            of_chosen(&small, group, u1, u2, k, x);
        }
        for (int bit = 64; bit < 256; bit += 8) {       /* numbers that are not halved, or at the edge of it */
            BN_zero(u2), BN_set_bit(u2, bit);
            of_chosen(&powers, group, u1, u2, k, x);
        }
    }
    print_message("small multiples: %u good, %u unsure, %u by a key that is known\n", small.good, small.unsure, small.unsure_known);
    print_message("powers of two: %u good, %u unsure\n", powers.good, powers.unsure);
    assert_true(!small.ifma || (small.good > 300 && small.unsure > 0 && small.unsure_known < small.good / 4));
    assert_true(!small.ifma || (powers.good > 0 && powers.unsure > 0));
    BN_free(u1), BN_free(u2), BN_free(k);
    EC_GROUP_free(group);
    BN_CTX_free(x);
}

/* What all of them say, and libcrypto. */
static void all_say(const struct p256_check *c, bool good, bool ifma)
{
    const enum p256_verdict want = good ? P256_GOOD : P256_BAD;
    assert_int_equal(judge(c), good);
    assert_int_equal(by_plain(c), want);
    if (!ifma)
        return;
    struct p256_check lane = *c;
    static const uint8_t small[16];
    p256_verify(&lane, 1);
    assert_true(lane.verdict == want || (lane.verdict == P256_UNSURE && !memcmp(c->r, small, sizeof small))); /* r + n is not tried there */
    assert_int_equal(by_known(c), want);
}

/* A signature whose point is the first on the curve with x >= `from`, by the key that fits, and what it is with n added to its numbers:
 * r is x or x - n, s is small. */
static void edges_of_numbers(const EC_GROUP *group, const BIGNUM *from, bool ifma, BN_CTX *x)
{
    const BIGNUM *n = EC_GROUP_get0_order(group);
    BIGNUM *r = BN_dup(from), *s = BN_new(), *u1 = BN_new(), *u2 = BN_new(), *e = BN_new();
    EC_POINT *p = EC_POINT_new(group), *q = EC_POINT_new(group);
    uint8_t point[65], rb[32], sb[32], eb[32], zero[32] = { 0 }, off[64];
    while (EC_POINT_set_compressed_coordinates(group, p, r, 1, x) != 1)
        BN_add_word(r, 1);
    BN_nnmod(r, r, n, x);
    BN_set_word(s, 5), BN_set_word(e, 77);
    BN_mod_inverse(u1, s, n, x);
    BN_mod_mul(u2, u1, r, n, x), BN_mod_mul(u1, u1, e, n, x);
    EC_POINT_mul(group, q, u1, NULL, NULL, x);                      /* Q = (P - u1 G) / u2 */
    EC_POINT_invert(group, q, x), EC_POINT_add(group, q, p, q, x);
    BN_mod_inverse(u2, u2, n, x);
    EC_POINT_mul(group, q, NULL, q, u2, x);
    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, 65, x);
    BN_bn2binpad(r, rb, 32), BN_bn2binpad(s, sb, 32), BN_bn2binpad(e, eb, 32);
    struct p256_check c = { point + 1, rb, sb, eb, 32, P256_BAD };
    all_say(&c, true, ifma);
    BN_sub(s, n, s), BN_bn2binpad(s, sb, 32);                       /* -s does as well */
    all_say(&c, true, ifma);
    BN_set_word(s, 5), BN_add(s, s, n), BN_bn2binpad(s, sb, 32);
    all_say(&c, false, ifma);
    BN_bn2binpad(n, sb, 32), all_say(&c, false, ifma);
    c.s = zero, all_say(&c, false, ifma);
    BN_set_word(s, 5), BN_bn2binpad(s, sb, 32);
    c.s = sb, c.r = zero, all_say(&c, false, ifma);
    BN_add(r, r, n), BN_bn2binpad(r, rb, 32);
    c.r = rb, all_say(&c, false, ifma);
    BN_bn2binpad(n, rb, 32), all_say(&c, false, ifma);
    BN_sub(r, r, n), BN_bn2binpad(r, rb, 32), all_say(&c, true, ifma);
    for (unsigned i = 0; i < 64; i += 9) {                          /* off the curve, or beyond p */
        memcpy(off, point + 1, 64);
        c.key = off;
        off[i] ^= 1, all_say(&c, false, ifma);
        memset(off + i / 32 * 32, 0xff, 32), all_say(&c, false, ifma);
    }
    memset(off, 0, sizeof off), all_say(&c, false, ifma);
    BN_free(r), BN_free(s), BN_free(u1), BN_free(u2), BN_free(e);
    EC_POINT_free(p), EC_POINT_free(q);
}

/* A sum that ends at infinity, where what was added last is the key itself, whose x is r: s = r, e = -k r. */
static void nothing_is_no_point(const EC_GROUP *group, unsigned k, bool ifma, BN_CTX *x)
{
    BIGNUM *r = BN_new(), *e = BN_new();
    EC_POINT *q = EC_POINT_new(group);
    uint8_t point[65], rb[32], eb[32];
    BN_set_word(e, k);
    EC_POINT_mul(group, q, e, NULL, NULL, x);
    EC_POINT_get_affine_coordinates(group, q, r, NULL, x);
    BN_nnmod(r, r, EC_GROUP_get0_order(group), x);
    BN_mul(e, e, r, x), BN_set_negative(e, 1), BN_nnmod(e, e, EC_GROUP_get0_order(group), x);
    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, 65, x);
    BN_bn2binpad(r, rb, 32), BN_bn2binpad(e, eb, 32);
    struct p256_check c = { point + 1, rb, rb, eb, 32, P256_UNSURE };
    assert_int_equal(by_plain(&c), P256_BAD);
    assert_false(judge(&c));
    if (ifma)
        p256_verify(&c, 1);
    assert_true(c.verdict != P256_GOOD && (!ifma || by_known(&c) != P256_GOOD));
    BN_free(r), BN_free(e);
    EC_POINT_free(q);
}

/* A key whose x is small is refused with p added to it: r is the x of G + Q, s = r, e = r. */
static void one_name_for_a_key(const EC_GROUP *group, unsigned from, bool ifma, BN_CTX *x)
{
    BIGNUM *r = BN_new(), *p = BN_new();
    EC_POINT *q = EC_POINT_new(group), *sum = EC_POINT_new(group);
    uint8_t point[65], rb[32];
    BN_set_word(r, from);
    while (EC_POINT_set_compressed_coordinates(group, q, r, 0, x) != 1)
        BN_add_word(r, 1);
    EC_POINT_point2oct(group, q, POINT_CONVERSION_UNCOMPRESSED, point, 65, x);
    EC_GROUP_get_curve(group, p, NULL, NULL, x);
    BN_add(p, p, r);
    EC_POINT_add(group, sum, q, EC_GROUP_get0_generator(group), x);
    EC_POINT_get_affine_coordinates(group, sum, r, NULL, x);
    BN_nnmod(r, r, EC_GROUP_get0_order(group), x);
    BN_bn2binpad(r, rb, 32);
    struct p256_check c = { point + 1, rb, rb, rb, 32, P256_BAD };
    all_say(&c, true, ifma);
    BN_bn2binpad(p, point + 1, 32);
    all_say(&c, false, ifma);
    BN_free(r), BN_free(p);
    EC_POINT_free(q), EC_POINT_free(sum);
}

static void test_numbers(void **state)
{
    (void)state;
    const bool ifma = !no_ifma();
    BN_CTX *x = BN_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BIGNUM *from = BN_new();
    for (unsigned i = 1; i < 20; i += 3) {
        nothing_is_no_point(group, i, ifma, x);
        one_name_for_a_key(group, i, ifma, x);
        BN_set_word(from, i), edges_of_numbers(group, from, ifma, x);
        BN_add(from, from, EC_GROUP_get0_order(group)), edges_of_numbers(group, from, ifma, x);     /* between n and p: r is x - n */
    }
    BN_free(from);
    EC_GROUP_free(group);
    BN_CTX_free(x);
}

/* arithmetic modulo n against libcrypto, the edges first */
static void test_scalars(void **state)
{
    (void)state;
    BN_CTX *x = BN_CTX_new();
    BIGNUM *n = NULL;
    BN_hex2bn(&n, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t b[2][32], got[32], want[32];
        RAND_bytes(b[0], sizeof b);
        if (i < 32)
            memset(b[i & 1], i & 2 ? 0xff : 0, i & 28 ? 20 : 32);
        struct scalar v[2], t, all[9];
        BIGNUM *a = BN_bin2bn(b[0], 32, NULL), *c = BN_bin2bn(b[1], 32, NULL), *r = BN_new();
        for (int j = 0; j < 2; j++) {
            scalar_load(&v[j], b[j]);
            assert_int_equal(scalar_in_range(&v[j]), !BN_is_zero(j ? c : a) && BN_cmp(j ? c : a, n) < 0);
            scalar_reduce(&v[j]);
        }
#define SAME(what) BN_bn2binpad(r, want, 32), scalar_store(got, &(what)), assert_memory_equal(got, want, 32)
        BN_nnmod(r, a, n, x), SAME(v[0]);
        scalar_add(&t, &v[0], &v[1]), BN_mod_add(r, a, c, n, x), SAME(t);
        scalar_mul(&t, &v[0], &v[1]), BN_mod_mul(r, a, c, n, x), SAME(t);
        scalar_invert(&t, &v[0]);
        BN_nnmod(r, a, n, x);
        if (BN_is_zero(r))
            memset(&t, 0, sizeof t);
        else
            BN_mod_inverse(r, a, n, x);
        SAME(t);
        for (unsigned j = 0; j < 9; j++)
            all[j] = j % 3 ? (struct scalar){ { j } } : v[0];
        if (!BN_is_zero(r)) {
            scalar_invert_all(all, 9);
            SAME(all[6]);
        }
        BN_free(a), BN_free(c), BN_free(r);
    }
    BN_free(n);
    BN_CTX_free(x);
}

static void sha512(void *ctx, uint8_t out[64], const uint8_t *in, size_t n)
{
    (void)ctx;
    EVP_Digest(in, n, out, NULL, EVP_sha512(), NULL);
}

/* hands out the nonce that ctx points to: what is reduced modulo n is then that number */
static void chosen(void *ctx, uint8_t out[64], const uint8_t *in, size_t n)
{
    (void)in;
    assert_int_equal(n, 96);
    memset(out, 0, 32);
    memcpy(out + 32, ctx, 32);
}

/* RFC 6979 A.2.5: with its nonces, one at a time and among eight */
static void test_sign_rfc6979(void **state)
{
    static const struct { const char *text, *k, *r, *s; } t[] = {
        { "sample", "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
          "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
          "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8" },
        { "test", "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
          "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
          "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083" },
    };
    (void)state;
    if (no_ifma())
        return;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t d[32], k[32], r[32], s[32], hash[32], zero[32] = { 0 };
        hex_bytes(d, 32, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
        hex_bytes(k, 32, t[i].k);
        hex_bytes(r, 32, t[i].r);
        hex_bytes(s, 32, t[i].s);
        EVP_Digest(t[i].text, strlen(t[i].text), hash, NULL, EVP_sha256(), NULL);
        struct p256_signing job[8];
        for (unsigned n = 1; n <= 8; n++) {
            for (unsigned j = 0; j < n; j++)
                job[j] = (struct p256_signing){ .d = d, .random = zero, .hash = hash, .hash_n = 32 };
            p256_sign(job, n, chosen, k);
            for (unsigned j = 0; j < n; j++) {
                assert_true(job[j].done);
                assert_memory_equal(job[j].r, r, 32);
                assert_memory_equal(job[j].s, s, 32);
            }
        }
    }
}

/* nonces at the edges of the digits and of the halving, against libcrypto's x */
static void test_base_edges(void **state)
{
    (void)state;
    if (no_ifma())
        return;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    const BIGNUM *n = EC_GROUP_get0_order(group);
    BIGNUM *k = BN_new();
    EC_POINT *p = EC_POINT_new(group);
    static const uint8_t fill[] = { 0x00, 0xff, 0x77, 0x88, 0x78, 0x87, 0x08, 0x80, 0x01, 0x10, 0x0f, 0xf0 };
    for (unsigned i = 0; i < 300; i++) {
        uint8_t d[8][32], got[8][64], want[65], one[1][64];
        for (unsigned lane = 0; lane < 8; lane++) {
            RAND_bytes(d[lane], 32);
            if (i < 144)
                for (unsigned j = 0; j < 32; j++)
                    d[lane][j] = fill[(j + lane) % 3 ? i / 12 : i % 12];
            if (i >= 144 && i < 200)
                memset(d[lane] + lane / 2, 0, 31 - lane / 2 * 2);           /* mostly zero digits */
            if (i == 200 || i == 201) {                                     /* small, and n - small */
                BN_set_word(k, lane + 1);
                if (i == 201)
                    BN_sub(k, n, k);
                BN_bn2binpad(k, d[lane], 32);
            }
            BN_bin2bn(d[lane], 32, k);
            if (BN_is_zero(k) || BN_cmp(k, n) >= 0)
                d[lane][0] = 0x7f, d[lane][31] |= 1;
        }
        assert_true(p256_public(got, (const uint8_t(*)[32])d, 8));
        for (unsigned lane = 0; lane < 8; lane++) {
            BN_bin2bn(d[lane], 32, k);
            EC_POINT_mul(group, p, k, NULL, NULL, NULL);
            EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, want, 65, NULL);
            assert_memory_equal(got[lane], want + 1, 64);
            assert_true(p256_public(one, (const uint8_t(*)[32])d[lane], 1));
            assert_memory_equal(one[0], want + 1, 64);
        }
    }
    uint8_t bad[2][32] = { { 0 } }, out[2][64];
    bad[0][31] = 1;
    assert_true(p256_public(out, (const uint8_t(*)[32])bad, 1));
    assert_false(p256_public(out, (const uint8_t(*)[32])bad, 2));           /* zero */
    BN_bn2binpad(n, bad[1], 32);
    assert_false(p256_public(out, (const uint8_t(*)[32])bad, 2));
    BN_free(k);
    EC_POINT_free(p);
    EC_GROUP_free(group);
}

/* signatures of every number of jobs, judged by libcrypto and by the verifier; randomness and hash both matter */
static void test_sign_random(void **state)
{
    (void)state;
    if (no_ifma())
        return;
    static const size_t hash_n[] = { 32, 48, 64, 20 };
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned n = 1; n <= 8; n++) {
            struct signer a[8];
            struct p256_signing job[8];
            struct p256_check c[8];
            uint8_t random[8][32];
            RAND_bytes(random[0], sizeof random);
            for (unsigned i = 0; i < n; i++) {
                size_t h = hash_n[(i + round) % 4];
                signer_make(&a[i], 32);
                job[i] = (struct p256_signing){ .d = a[i].d, .random = random[i], .hash = a[i].hash, .hash_n = h };
            }
            p256_sign(job, n, sha512, NULL);
            for (unsigned i = 0; i < n; i++) {
                assert_true(job[i].done);
                c[i] = (struct p256_check){ a[i].point, job[i].r, job[i].s, job[i].hash, job[i].hash_n, P256_BAD };
                assert_true(judge(&c[i]));
                EC_KEY_free(a[i].key);
            }
            p256_verify(c, n);
            for (unsigned i = 0; i < n; i++)
                assert_int_equal(c[i].verdict, P256_GOOD);
            struct p256_signing again = job[0];
            p256_sign(&again, 1, sha512, NULL);
            assert_memory_equal(again.r, job[0].r, 32);
            assert_memory_equal(again.s, job[0].s, 32);
            random[0][round] ^= 1;
            p256_sign(&again, 1, sha512, NULL);
            assert_memory_not_equal(again.r, job[0].r, 32);
        }
    }
    uint8_t d[32] = { 0 }, hash[32] = { 1 }, random[32] = { 2 };
    struct p256_signing job = { .d = d, .random = random, .hash = hash, .hash_n = 32 };
    p256_sign(&job, 1, sha512, NULL);
    assert_false(job.done);
    memset(d, 0xff, sizeof d);
    p256_sign(&job, 1, sha512, NULL);
    assert_false(job.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars), cmocka_unit_test(test_wycheproof), cmocka_unit_test(test_verify_random),
        cmocka_unit_test(test_exceptions), cmocka_unit_test(test_numbers), cmocka_unit_test(test_sign_rfc6979), cmocka_unit_test(test_base_edges),
        cmocka_unit_test(test_sign_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
