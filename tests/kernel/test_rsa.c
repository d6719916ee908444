/* RSA's public operation: libcrypto at random and at the edges of its arithmetic; what it does not take.  links: crypto x86_vectors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>

#include "crypto/kernel/cpu.h"
#include "crypto/kernel/rsa.h"

static const unsigned sizes[] = { 2048, 3072, 4096 };

static bool no_ifma(void)
{
    if (cpu_features() & CPU_IFMA)
        return false;
    print_message("no AVX-512 IFMA here\n");
    return true;
}

/* Moduli at random, close to a power of two from below and from above, and with runs of equal bits: where digits are guessed wrong. */
static void modulus(BIGNUM *n, unsigned bits, unsigned kind)
{
    switch (kind % 4) {
    case 0: BN_rand(n, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD); return;
    case 1:
        BN_one(n);
        BN_lshift(n, n, (int)bits);
        BN_sub_word(n, 1 + 2 * (kind * 7919 % 1000));
        return;
    case 2:
        BN_one(n);
        BN_lshift(n, n, (int)bits - 1);
        BN_add_word(n, 1 + 2 * kind);
        return;
    default:
        BN_one(n);
        BN_set_bit(n, (int)bits - 1);
        for (unsigned i = 0; i < bits; i++)
            if ((i / 64 + kind / 4) % 3 == 0)
                BN_set_bit(n, (int)i);
    }
}

static void against_libcrypto(unsigned bits)
{
    static const uint64_t exponents[] = { 65537, 3, 17, UINT64_MAX, 5 };
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new(), *s = BN_new(), *e = BN_new(), *want = BN_new();
    uint8_t n_bytes[RSA_BYTES_MAX], s_bytes[RSA_BYTES_MAX], got[RSA_BYTES_MAX], expected[RSA_BYTES_MAX];
    int bytes = (int)bits / 8;
    for (unsigned i = 0; i < 200; i++) {
        bool out_of_range;
        uint64_t exponent = exponents[i % 5];
        modulus(n, bits, i);
        BN_rand_range(s, n);
        if (i % 7 == 0) {
            BN_copy(s, n);
            BN_sub_word(s, 1 + i % 3);
        }
        BN_set_word(e, exponent);
        BN_mod_exp(want, s, e, n, ctx);
        BN_bn2binpad(n, n_bytes, bytes);
        BN_bn2binpad(s, s_bytes, bytes);
        BN_bn2binpad(want, expected, bytes);
        assert_true(rsa_public(got, n_bytes, (size_t)bytes, exponent, s_bytes, &out_of_range));
        assert_memory_equal(got, expected, (size_t)bytes);
        memset(s_bytes, 0, sizeof s_bytes);
        s_bytes[bytes - 1] = (uint8_t)(i % 2);
        assert_true(rsa_public(got, n_bytes, (size_t)bytes, exponent, s_bytes, &out_of_range)); /* 0 and 1 are themselves */
        assert_memory_equal(got, s_bytes, (size_t)bytes);
    }
    BN_free(n);
    BN_free(s);
    BN_free(e);
    BN_free(want);
    BN_CTX_free(ctx);
}

static void is_libcryptos(void **state)
{
    (void)state;
    for (size_t i = 0; !no_ifma() && i < 3; i++)
        against_libcrypto(sizes[i]);
}

static void takes_what_it_is_for(void **state)
{
    (void)state;
    uint8_t n[RSA_BYTES_MAX], s[RSA_BYTES_MAX] = { 0 }, out[RSA_BYTES_MAX];
    bool out_of_range;
    if (no_ifma())
        return;
    memset(n, 0xff, sizeof n);
    assert_true(rsa_public(out, n, 256, 3, s, &out_of_range));
    assert_false(rsa_public(out, n, 128, 3, s, &out_of_range));
    assert_false(rsa_public(out, n, 255, 3, s, &out_of_range));
    assert_false(rsa_public(out, n, 256, 1, s, &out_of_range));
    assert_false(rsa_public(out, n, 256, 4, s, &out_of_range));
    assert_false(out_of_range);
    n[0] = 0x7f;
    assert_false(rsa_public(out, n, 256, 3, s, &out_of_range));
    n[0] = 0xff;
    n[255] = 0xfe;
    assert_false(rsa_public(out, n, 256, 3, s, &out_of_range));
    assert_false(out_of_range);
    n[255] = 0xff;
    memset(s, 0xff, sizeof s);
    assert_false(rsa_public(out, n, 256, 3, s, &out_of_range)); /* s = n */
    assert_true(out_of_range);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(is_libcryptos), cmocka_unit_test(takes_what_it_is_for) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
