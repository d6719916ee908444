/* X25519: RFC 7748's vectors, Wycheproof, libcrypto at random, and every implementation against every other.
 * links: jansson crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/x25519.h"
#include "kernel/vectors.h"

static const uint8_t nine[32] = { 9 };

/* calls `check` with every implementation this processor can run */
static void each(void (*check)(const struct x25519 *))
{
    check(&x25519_portable);
#if defined(__x86_64__)
    if (cpu_features() & CPU_IFMA)
        check(&x25519_ifma);
    else
        print_message("no AVX-512 IFMA here: only the portable form is tested\n");
#endif
}

static void same_hex(const uint8_t got[32], const char *hex)
{
    uint8_t want[32];
    assert_int_equal(hex_bytes(want, sizeof want, hex), 32);
    assert_memory_equal(got, want, 32);
}

static void rfc7748(const struct x25519 *x)
{
    static const char *const t[2][3] = {
        { "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
          "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
          "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
        { "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
          "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
          "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
    };
    uint8_t k[32], u[32], out[32];
    for (int i = 0; i < 2; i++) {
        hex_bytes(k, 32, t[i][0]);
        hex_bytes(u, 32, t[i][1]);
        assert_true(x25519_shared(x, out, k, u));
        same_hex(out, t[i][2]);
    }
}

/* 5.2: k, u = X25519(k, u), k, a thousand times, starting from 9 */
static void rfc7748_iterated(const struct x25519 *x)
{
    uint8_t k[32], u[32], out[32];
    memcpy(k, nine, 32);
    memcpy(u, nine, 32);
    for (int i = 0; i < 1000; i++) {
        assert_true(x25519_shared(x, out, k, u));
        if (i == 0)
            same_hex(out, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        memcpy(u, k, 32);
        memcpy(k, out, 32);
    }
    same_hex(k, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

static void wycheproof(const struct x25519 *x)
{
    json_t *file = vectors_load("wycheproof/x25519_test.json");
    size_t cases = 0, g, t;
    json_t *group, *test;
    json_array_foreach(json_object_get(file, "testGroups"), g, group) {
        json_array_foreach(json_object_get(group, "tests"), t, test) {
            uint8_t k[32], u[32], want[32], out[32];
            assert_int_equal(json_bytes(k, 32, test, "private"), 32);
            assert_int_equal(json_bytes(u, 32, test, "public"), 32);
            assert_int_equal(json_bytes(want, 32, test, "shared"), 32);
            static const uint8_t zero[32];
            bool nonzero = memcmp(want, zero, 32) != 0;
            assert_int_equal(x25519_shared(x, out, k, u), nonzero);
            assert_memory_equal(out, want, 32);
            uint8_t k8[8][32], u8[8][32], out8[8][32];
            for (int i = 0; i < 8; i++) {
                memcpy(k8[i], k, 32);
                memcpy(u8[i], i & 1 ? nine : u, 32);
            }
            assert_int_equal(x->shared_x8(out8, k8, u8), nonzero ? 0xff : 0xaa);
            assert_memory_equal(out8[0], want, 32);
            assert_memory_equal(out8[6], want, 32);
            cases++;
        }
    }
    print_message("%s: %zu Wycheproof cases\n", x->name, cases);
    assert_true(cases > 500);
    json_decref(file);
}

/* the neutral element and the edges of the digits: each nibble at 0, 7, 8, 15; base against the ladder on 9 */
static void base_edges(const struct x25519 *x)
{
    static const uint8_t fill[] = { 0x00, 0xff, 0x77, 0x88, 0x78, 0x87, 0x0f, 0xf0, 0x08, 0x80, 0x70, 0x07 };
    for (size_t a = 0; a < sizeof fill; a++) {
        for (size_t b = 0; b < sizeof fill; b++) {
            uint8_t k[32], got[32], want[32];
            for (size_t i = 0; i < 32; i++)
                k[i] = i % 3 ? fill[a] : fill[b];
            x25519_base(x, got, k);
            assert_true(x25519_shared(&x25519_portable, want, k, nine));
            assert_memory_equal(got, want, 32);
        }
    }
}

static void openssl_shared(uint8_t out[32], const uint8_t k[32], const uint8_t u[32])
{
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, k, 32);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, u, 32);
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(mine, NULL);
    size_t n = 32;
    assert_int_equal(EVP_PKEY_derive_init(c), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(c, peer), 1);
    assert_int_equal(EVP_PKEY_derive(c, out, &n), 1);
    EVP_PKEY_CTX_free(c);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(peer);
}

static void random_against_libcrypto(const struct x25519 *x)
{
    uint8_t k[8][32], u[8][32], want[8][32], got[8][32], one[32];
    for (int round = 0; round < 40; round++) {
        RAND_bytes(k[0], sizeof k);
        RAND_bytes(u[0], sizeof u);
        for (int i = 0; i < 8; i++) {
            openssl_shared(want[i], k[i], u[i]);
            assert_true(x25519_shared(x, one, k[i], u[i]));
            assert_memory_equal(one, want[i], 32);
        }
        assert_int_equal(x->shared_x8(got, k, u), 0xff);
        assert_memory_equal(got, want, sizeof want);
        for (int i = 0; i < 8; i++) {
            uint8_t both[32];
            assert_true(x25519_both(x, both, one, k[i], u[i]));
            assert_memory_equal(one, want[i], 32);
            openssl_shared(want[i], k[i], nine);
            assert_memory_equal(both, want[i], 32);
            x25519_base(x, one, k[i]);
            assert_memory_equal(one, want[i], 32);
        }
        x->base_x8(got, k);
        assert_memory_equal(got, want, sizeof want);
    }
}

/* in place, and points that are not canonical: p..2^255-1 and the top bit set */
static void aliases_and_odd_points(const struct x25519 *x)
{
    uint8_t k[32], u[32], a[32], b[32];
    RAND_bytes(k, sizeof k);
    for (unsigned low = 0xed; low <= 0xff; low++) {
        memset(u, 0xff, sizeof u);
        u[0] = (uint8_t)low;
        for (int top = 0; top < 2; top++) {
            u[31] = top ? 0xff : 0x7f;
            bool good = x25519_shared(x, a, k, u);
            assert_int_equal(x25519_both(x, b, a, k, u), good);
            uint8_t small[32] = { (uint8_t)(low - 0xed) };
            assert_int_equal(x25519_shared(&x25519_portable, b, k, small), good);
            assert_memory_equal(a, b, 32);
        }
    }
    memcpy(u, nine, 32);
    assert_true(x25519_shared(x, a, k, u));
    assert_true(x25519_shared(x, u, k, u));
    assert_memory_equal(u, a, 32);
    x25519_base(x, k, k);
    assert_memory_equal(k, a, 32);
}

static void test_rfc7748(void **s) { (void)s; each(rfc7748); }
static void test_rfc7748_iterated(void **s) { (void)s; each(rfc7748_iterated); }
static void test_wycheproof(void **s) { (void)s; each(wycheproof); }
static void test_base_edges(void **s) { (void)s; each(base_edges); }
static void test_random(void **s) { (void)s; each(random_against_libcrypto); }
static void test_odd(void **s) { (void)s; each(aliases_and_odd_points); }

static void test_pick(void **s)
{
    (void)s;
    assert_ptr_equal(x25519_pick(0), &x25519_portable);
    assert_ptr_equal(x25519_pick(CPU_AVX2), &x25519_portable);
#if defined(__x86_64__)
    assert_ptr_equal(x25519_pick(CPU_AVX2 | CPU_AVX512 | CPU_IFMA), &x25519_ifma);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc7748), cmocka_unit_test(test_rfc7748_iterated), cmocka_unit_test(test_wycheproof),
        cmocka_unit_test(test_base_edges), cmocka_unit_test(test_random), cmocka_unit_test(test_odd),
        cmocka_unit_test(test_pick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
