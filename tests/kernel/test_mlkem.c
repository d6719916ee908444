/* ML-KEM: every Wycheproof case, SHA-3 against libcrypto, and every implementation against the portable one.
 * links: jansson crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/mlkem.h"
#include "crypto/kernel/mlkem_ops.h"
#include "kernel/vectors.h"

enum { ROOM = 4096 };                       /* longer than any key, so that wrong lengths can be handed on */

static const char *const sizes[] = { "512", "768", "1024" };

enum { MASKS = 4 };

/* the feature masks that choose every implementation this processor can run */
static unsigned masks(uint32_t out[MASKS])
{
    uint32_t cpu = cpu_features();
    unsigned n = 0;
    out[n++] = 0;
    if (cpu & CPU_AVX2)
        out[n++] = CPU_AVX2;
    if (cpu & CPU_AVX512)
        out[n++] = CPU_AVX2 | CPU_AVX512;
    if (cpu & CPU_VBMI2)
        out[n++] = CPU_AVX2 | CPU_AVX512 | CPU_VBMI2;
    return n;
}

static bool valid(const json_t *test)
{
    return !strcmp(json_string_value(json_object_get(test, "result")), "valid");
}

/* one test case; `m` is the set of its file */
typedef void check_fn(const struct mlkem *m, const json_t *test);

static void check_keygen(const struct mlkem *m, const json_t *test)
{
    uint8_t seed[64], ek[ROOM], dk[ROOM], want[ROOM];
    assert_int_equal(json_bytes(seed, 64, test, "seed"), 64);
    mlkem_keygen(m, ek, dk, seed);
    assert_int_equal(json_bytes(want, ROOM, test, "ek"), m->ek_n);
    assert_memory_equal(ek, want, m->ek_n);
    assert_int_equal(json_bytes(want, ROOM, test, "dk"), m->dk_n);
    assert_memory_equal(dk, want, m->dk_n);
    assert_true(mlkem_check_dk(m, dk, m->dk_n));
    assert_true(mlkem_check_ek(m, ek, m->ek_n));
    memset(ek, 0, m->ek_n);
    mlkem_keygen(m, ek, NULL, seed);
    assert_int_equal(json_bytes(want, ROOM, test, "ek"), m->ek_n);
    assert_memory_equal(ek, want, m->ek_n);
}

static void check_encaps(const struct mlkem *m, const json_t *test)
{
    uint8_t msg[32], ek[ROOM], ct[ROOM], ss[32], want[ROOM];
    size_t ek_n = json_bytes(ek, ROOM, test, "ek");
    assert_int_equal(json_bytes(msg, 32, test, "m"), 32);
    bool ok = mlkem_encaps(m, ct, ss, ek, ek_n, msg);
    assert_int_equal(ok, valid(test));
    assert_int_equal(mlkem_check_ek(m, ek, ek_n), ok);
    if (!ok)
        return;
    assert_int_equal(json_bytes(want, ROOM, test, "c"), m->ct_n);
    assert_memory_equal(ct, want, m->ct_n);
    assert_int_equal(json_bytes(want, ROOM, test, "K"), 32);
    assert_memory_equal(ss, want, 32);
}

static void check_decaps(const struct mlkem *m, const json_t *test)
{
    uint8_t seed[64], ek[ROOM], dk[ROOM], ct[ROOM], ss[32], want[ROOM];
    size_t seed_n = json_bytes(want, ROOM, test, "seed"), ct_n = json_bytes(ct, ROOM, test, "c");
    if (seed_n != 64) {
        assert_false(valid(test));
        return;                             /* the length of a seed is the caller's type */
    }
    memcpy(seed, want, 64);
    mlkem_keygen(m, ek, dk, seed);
    bool ok = mlkem_decaps(m, ss, ct, ct_n, dk, m->dk_n);
    assert_int_equal(ok, valid(test));
    assert_int_equal(mlkem_decaps_seed(m, ss, ct, ct_n, seed), ok);
    if (!ok)
        return;
    assert_int_equal(json_bytes(want, ROOM, test, "K"), 32);
    assert_memory_equal(ss, want, 32);
    assert_true(mlkem_decaps(m, ss, ct, ct_n, dk, m->dk_n));
    assert_memory_equal(ss, want, 32);
}

static void check_semi_expanded(const struct mlkem *m, const json_t *test)
{
    uint8_t dk[ROOM], ct[ROOM], ss[32], want[ROOM];
    size_t dk_n = json_bytes(dk, ROOM, test, "dk"), ct_n = json_bytes(ct, ROOM, test, "c");
    bool ok = mlkem_check_dk(m, dk, dk_n) && mlkem_decaps(m, ss, ct, ct_n, dk, dk_n);
    assert_int_equal(ok, valid(test));
    if (!ok)
        return;
    assert_int_equal(json_bytes(want, ROOM, test, "K"), 32);
    assert_memory_equal(ss, want, 32);
}

static void run_files(const char *kind, check_fn *check, size_t at_least)
{
    uint32_t mask[MASKS];
    unsigned n = masks(mask);
    for (unsigned size = 0; size < 3; size++) {
        char name[128];
        snprintf(name, sizeof name, "wycheproof/mlkem_%s%s_test.json", sizes[size], kind);
        json_t *file = vectors_load(name), *group, *test;
        size_t g, t, cases = 0;
        json_array_foreach(json_object_get(file, "testGroups"), g, group) {
            json_array_foreach(json_object_get(group, "tests"), t, test) {
                for (unsigned i = 0; i < n; i++)
                    check(mlkem_pick(size, mask[i]), test);
                cases++;
            }
        }
        print_message("%s: %zu cases, %u implementations\n", name, cases, n);
        assert_int_equal(cases, json_integer_value(json_object_get(file, "numberOfTests")));
        assert_true(cases >= at_least);
        json_decref(file);
    }
}

static void test_keygen(void **s) { (void)s; run_files("_keygen_seed", check_keygen, 50); }
static void test_encaps(void **s) { (void)s; run_files("_encaps", check_encaps, 100); }
static void test_decaps(void **s) { (void)s; run_files("", check_decaps, 100); }
static void test_semi_expanded(void **s) { (void)s; run_files("_semi_expanded_decaps", check_semi_expanded, 9); }

/* key pair, encapsulation, decapsulation; a damaged ciphertext gives the rejection secret, the same from both keys */
static void round_trip(const struct mlkem *m, const struct mlkem *other, unsigned rounds)
{
    uint8_t seed[64], msg[32], ek[ROOM], dk[ROOM], ct[ROOM], ek2[ROOM], dk2[ROOM], ct2[ROOM], a[32], b[32], c[32];
    for (unsigned i = 0; i < rounds; i++) {
        RAND_bytes(seed, sizeof seed);
        RAND_bytes(msg, sizeof msg);
        mlkem_keygen(m, ek, dk, seed);
        mlkem_keygen(other, ek2, dk2, seed);
        assert_memory_equal(ek, ek2, m->ek_n);
        assert_memory_equal(dk, dk2, m->dk_n);
        assert_true(mlkem_encaps(m, ct, a, ek, m->ek_n, msg));
        assert_true(mlkem_encaps(other, ct2, b, ek, m->ek_n, msg));
        assert_memory_equal(ct, ct2, m->ct_n);
        assert_memory_equal(a, b, 32);
        assert_true(mlkem_decaps(m, b, ct, m->ct_n, dk, m->dk_n));
        assert_memory_equal(a, b, 32);
        assert_true(mlkem_decaps_seed(m, b, ct, m->ct_n, seed));
        assert_memory_equal(a, b, 32);
        uint8_t at[3];
        RAND_bytes(at, sizeof at);
        ct[(at[0] | (size_t)at[1] << 8) % m->ct_n] ^= (uint8_t)(1u << (at[2] & 7));
        assert_true(mlkem_decaps(m, b, ct, m->ct_n, dk, m->dk_n));
        assert_true(mlkem_decaps(other, c, ct, m->ct_n, dk, m->dk_n));
        assert_memory_not_equal(a, b, 32);
        assert_memory_equal(b, c, 32);
        assert_true(mlkem_decaps_seed(m, c, ct, m->ct_n, seed));
        assert_memory_equal(b, c, 32);
        RAND_bytes(ct, m->ct_n);            /* nothing like a ciphertext */
        assert_true(mlkem_decaps(m, b, ct, m->ct_n, dk, m->dk_n));
        assert_true(mlkem_decaps(other, c, ct, m->ct_n, dk, m->dk_n));
        assert_memory_equal(b, c, 32);
    }
}

static void test_round_trips(void **s)
{
    (void)s;
    uint32_t mask[MASKS];
    unsigned n = masks(mask);
    for (unsigned size = 0; size < 3; size++)
        for (unsigned i = 0; i < n; i++)
            round_trip(mlkem_pick(size, mask[i]), mlkem_pick(size, 0), 30);
}

/* the multiplication in place of a division is exact for every coefficient and d, in every implementation */
static void test_compress_exactly(void **s)
{
    (void)s;
    static const unsigned ds[] = { 1, 4, 5, 10, 11 };
    uint32_t mask[MASKS];
    unsigned n = masks(mask);
    for (unsigned m = 0; m < n; m++) {
        const struct mlkem_ops *ops = mlkem_pick(MLKEM_768, mask[m])->ops;
        for (unsigned i = 0; i < sizeof ds / sizeof *ds; i++) {
            unsigned d = ds[i];
            for (int from = 1 - MLKEM_Q; from < MLKEM_Q; from += 256) {
                struct poly p;
                uint8_t out[32 * 11];
                for (int j = 0; j < 256; j++)
                    p.c[j] = (int16_t)(from + j < MLKEM_Q ? from + j : 0);
                struct poly copy = p;
                ops->compress(out, &p, d);
                for (unsigned j = 0; j < 256; j++) {
                    unsigned x = (unsigned)((copy.c[j] + MLKEM_Q) % MLKEM_Q), got = 0;
                    for (unsigned bit = 0; bit < d; bit++)
                        got |= (out[(j * d + bit) / 8] >> ((j * d + bit) % 8) & 1u) << bit;
                    assert_int_equal(got, ((2 * x << d) + MLKEM_Q) / (2 * MLKEM_Q) % (1u << d));
                }
                ops->decompress(&p, out, d);
                for (unsigned j = 0; j < 256; j++) {
                    unsigned x = (unsigned)((copy.c[j] + MLKEM_Q) % MLKEM_Q);
                    unsigned y = ((2 * x << d) + MLKEM_Q) / (2 * MLKEM_Q) % (1u << d);
                    assert_int_equal(p.c[j], (2 * MLKEM_Q * y + (1u << d)) >> (d + 1));
                }
            }
        }
    }
}

/* FIPS 203 appendix A by its definition: zeta is 17 */
static void test_zetas(void **s)
{
    (void)s;
    for (unsigned i = 0; i < 128; i++) {
        unsigned e = 0, v = 65536 % MLKEM_Q;
        for (unsigned b = 0; b < 7; b++)
            e |= (i >> b & 1) << (6 - b);
        while (e--)
            v = v * 17 % MLKEM_Q;
        assert_int_equal((mlkem_zeta[i] + MLKEM_Q) % MLKEM_Q, v);
        assert_in_range(mlkem_zeta[i] + MLKEM_Q / 2, 0, MLKEM_Q);
    }
}

static void against_evp(keccak_fn *permute, unsigned rate, uint8_t pad, const char *name, size_t out_n)
{
    uint8_t in[500], want[200], got[200];
    RAND_bytes(in, sizeof in);
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    for (size_t n = 0; n <= sizeof in; n++) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestInit_ex(c, md, NULL), 1);
        assert_int_equal(EVP_DigestUpdate(c, in, n), 1);
        assert_int_equal(pad == PAD_SHAKE ? EVP_DigestFinalXOF(c, want, out_n) : EVP_DigestFinal_ex(c, want, NULL), 1);
        EVP_MD_CTX_free(c);
        sponge_hash(permute, rate, pad, got, out_n, in, n / 3, in + n / 3, n - n / 3);
        assert_memory_equal(got, want, out_n);
    }
    EVP_MD_free(md);
}

static void test_sha3(void **s)
{
    (void)s;
    uint32_t mask[MASKS];
    unsigned n = masks(mask);
    for (unsigned i = 0; i < n; i++) {
        keccak_fn *permute = mlkem_pick(MLKEM_768, mask[i])->ops->permute;
        against_evp(permute, SHA3_256_RATE, PAD_SHA3, "SHA3-256", 32);
        against_evp(permute, SHA3_512_RATE, PAD_SHA3, "SHA3-512", 64);
        against_evp(permute, SHAKE128_RATE, PAD_SHAKE, "SHAKE128", 200);
        against_evp(permute, SHAKE256_RATE, PAD_SHAKE, "SHAKE256", 177);
    }
}

static void test_lengths(void **s)
{
    (void)s;
    uint8_t seed[64] = { 1 }, ek[ROOM], dk[ROOM], ct[ROOM], ss[32], msg[32] = { 2 };
    for (unsigned size = 0; size < 3; size++) {
        const struct mlkem *m = mlkem_pick(size, cpu_features());
        mlkem_keygen(m, ek, dk, seed);
        for (int by = -1; by <= 1; by += 2) {
            assert_false(mlkem_encaps(m, ct, ss, ek, (size_t)(m->ek_n + by), msg));
            assert_false(mlkem_check_ek(m, ek, (size_t)(m->ek_n + by)));
            assert_false(mlkem_check_dk(m, dk, (size_t)(m->dk_n + by)));
            assert_false(mlkem_decaps(m, ss, ct, (size_t)(m->ct_n + by), dk, m->dk_n));
            assert_false(mlkem_decaps(m, ss, ct, m->ct_n, dk, (size_t)(m->dk_n + by)));
            assert_false(mlkem_decaps_seed(m, ss, ct, (size_t)(m->ct_n + by), seed));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zetas), cmocka_unit_test(test_sha3), cmocka_unit_test(test_compress_exactly),
        cmocka_unit_test(test_keygen), cmocka_unit_test(test_encaps), cmocka_unit_test(test_decaps),
        cmocka_unit_test(test_semi_expanded), cmocka_unit_test(test_round_trips), cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
