/* Inversion by divsteps against libcrypto's BN_mod_inverse: the moduli in use, the largest, small and random ones; operands at the
 * edges, with runs of equal bits (what makes divsteps go one way for long), and at random.
 * links: crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/rand.h>

#include "crypto/kernel/inv256.h"

struct modulus { BN_CTX *ctx; BIGNUM *m; struct inv256 own; };

static void words_of(uint64_t w[4], const BIGNUM *n)
{
    uint8_t bytes[32];
    assert_int_equal(BN_bn2lebinpad(n, bytes, sizeof bytes), sizeof bytes);
    for (int i = 0; i < 4; i++) {
        w[i] = 0;
        for (int j = 7; j >= 0; j--)
            w[i] = w[i] << 8 | bytes[8 * i + j];
    }
}

static void modulus_is(struct modulus *t, BIGNUM *m)
{
    uint64_t w[4], x = 1;
    const uint64_t limb = UINT64_MAX >> 2;
    words_of(w, m);
    for (int i = 0; i < 6; i++)
        x *= 2 - w[0] * x;      /* Newton: twice as many bits are right each time */
    t->own = (struct inv256){ { (int64_t)(w[0] & limb), (int64_t)((w[0] >> 62 | w[1] << 2) & limb),
                                (int64_t)((w[1] >> 60 | w[2] << 4) & limb), (int64_t)((w[2] >> 58 | w[3] << 6) & limb),
                                (int64_t)(w[3] >> 56) }, x & limb };
    t->m = m;
}

/* a^-1, by both; libcrypto has none for what shares a factor with the modulus */
static void same(const struct modulus *t, const BIGNUM *a)
{
    uint64_t w[4], want[4] = { 0 };
    BIGNUM *inverse = BN_is_zero(a) ? NULL : BN_mod_inverse(NULL, a, t->m, t->ctx);
    words_of(w, a);
    if (inverse)
        words_of(want, inverse);
    inv256(w, w, &t->own);
    if (inverse || BN_is_zero(a))
        assert_memory_equal(w, want, sizeof w);
    BN_free(inverse);
}

static void operands(const struct modulus *t, unsigned randoms)
{
    BIGNUM *a = BN_new(), *top = BN_dup(t->m);
    for (BN_ULONG i = 0; i < 20; i++) {
        BN_set_word(a, i);
        BN_nnmod(a, a, t->m, t->ctx);
        same(t, a);
        BN_sub_word(top, 1);
        if (!BN_is_negative(top))
            same(t, top);
    }
    for (int from = 0; from < 256; from += 11)
        for (int to = from + 1; to <= 256; to += 13) {   /* 2^to - 2^from */
            BIGNUM *b = BN_new();
            BN_zero(a);
            BN_set_bit(a, to);
            BN_set_bit(b, from);
            BN_sub(a, a, b);
            BN_nnmod(a, a, t->m, t->ctx);
            same(t, a);
            BN_free(b);
        }
    for (unsigned i = 0; i < randoms; i++) {
        BN_rand_range(a, t->m);
        same(t, a);
    }
    BN_free(a);
    BN_free(top);
}

static void check(const char *hex, unsigned randoms)
{
    struct modulus t = { .ctx = BN_CTX_new() };
    BIGNUM *m = NULL;
    BN_hex2bn(&m, hex);
    modulus_is(&t, m);
    operands(&t, randoms);
    BN_free(m);
    BN_CTX_free(t.ctx);
}

static void the_moduli_in_use(void **state)
{
    (void)state;
    check("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed", 3000); /* 2^255 - 19 */
    check("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", 3000); /* P-256: its field */
    check("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 3000); /* its order */
}

static void the_largest_and_the_smallest(void **state)
{
    (void)state;
    check("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 1000);
    check("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43", 1000);
    check("8000000000000000000000000000000000000000000000000000000000000001", 1000);
    check("3", 100);
    check("fffffffb", 100);
}

static void any_odd_modulus(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct modulus t = { .ctx = BN_CTX_new() };
        BIGNUM *m = BN_new();
        BN_rand(m, 200 + i % 57, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
        modulus_is(&t, m);
        operands(&t, 20);
        BN_free(m);
        BN_CTX_free(t.ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_moduli_in_use),
        cmocka_unit_test(the_largest_and_the_smallest),
        cmocka_unit_test(any_odd_modulus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
