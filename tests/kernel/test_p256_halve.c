/* Halves of numbers modulo the order of P-256, judged by libcrypto's arithmetic: w = +-v u, both below 2^128, v not 0.
 * links: crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>

#include "crypto/kernel/p256_halve.h"

struct ground { BN_CTX *x; BIGNUM *n, *u, *w, *v; };

/* Words of 64 bits, the lowest first. */
static void from_words(BIGNUM *out, const uint64_t *w, int n)
{
    unsigned char b[32];
    for (int i = 0; i < 8 * n; i++)
        b[i] = (unsigned char)(w[i / 8] >> (8 * (i % 8)));
    BN_lebin2bn(b, 8 * n, out);
}

static int set_up(void **state)
{
    static struct ground g;
    g = (struct ground){ BN_CTX_new(), BN_new(), BN_new(), BN_new(), BN_new() };
    from_words(g.n, scalar_order.w, 4);
    *state = &g;
    return 0;
}

static int tear_down(void **state)
{
    struct ground *g = *state;
    BN_free(g->n), BN_free(g->u), BN_free(g->w), BN_free(g->v);
    BN_CTX_free(g->x);
    return 0;
}

/* g->u, below n: whether it could be halved, and then rightly. */
static bool halved(struct ground *g)
{
    uint8_t b[32];
    struct scalar u;
    struct scalar_halves h;
    BN_bn2binpad(g->u, b, sizeof b);
    scalar_load(&u, b);
    if (!scalar_halve(&h, &u))
        return false;
    from_words(g->w, h.w, 2);
    from_words(g->v, h.v, 2);
    assert_false(BN_is_zero(g->v));
    BN_set_negative(g->v, h.negative);
    BN_mod_mul(g->v, g->v, g->u, g->n, g->x);
    assert_int_equal(BN_cmp(g->v, g->w), 0);
    return true;
}

static void test_random(void **state)
{
    struct ground *g = *state;
    for (unsigned i = 0; i < 20000; i++) {
        BN_rand_range(g->u, g->n);
        assert_true(halved(g));
    }
}

/* Small numbers, their opposites, and their inverses, which are halved at once or not at all. */
static void test_small(void **state)
{
    struct ground *g = *state;
    for (BN_ULONG i = 0; i < 3000; i++) {
        BN_set_word(g->u, i), assert_true(halved(g));
        BN_sub(g->u, g->n, g->u);
        if (i)
            assert_true(halved(g));
        BN_set_word(g->w, i);
        if (i)
            BN_mod_inverse(g->u, g->w, g->n, g->x), assert_true(halved(g));
    }
}

/* n p / q and something: the algorithm comes to n / q in a few small steps, and then meets a quotient as long as what is left between that
 * and `something` times q. One that fills a word may be refused; 2^128 is the end anyway. */
static void test_long_quotients(void **state)
{
    struct ground *g = *state;
    unsigned refused = 0;
    for (int q = 2; q <= 60; q++) {
        for (int more = 128 - q; more + q < 256 - q; more++) {
            BN_rand(g->v, q, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
            do
                BN_rand_range(g->w, g->v), BN_gcd(g->u, g->w, g->v, g->x);
            while (!BN_is_one(g->u));
            BN_mul(g->u, g->n, g->w, g->x);
            BN_div(g->u, NULL, g->u, g->v, g->x);
            BN_rand(g->v, more, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
            BN_add(g->u, g->u, g->v);
            const bool long_one = 256 - q - (more + q) >= 58;
            if (BN_cmp(g->u, g->n) < 0 && !halved(g)) {
                assert_true(long_one);
                refused++;
            }
        }
    }
    print_message("%u refused\n", refused);
    assert_true(refused > 100);             /* or this shows nothing */
}

static void test_powers(void **state)
{
    struct ground *g = *state;
    for (int i = 0; i < 256; i++) {
        for (int more = -1; more <= 1; more++) {
            BN_zero(g->u), BN_set_bit(g->u, i);
            more < 0 ? BN_sub_word(g->u, 1) : BN_add_word(g->u, (BN_ULONG)more);
            if (BN_cmp(g->u, g->n) < 0)
                assert_true(halved(g) || i >= 128);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random), cmocka_unit_test(test_small), cmocka_unit_test(test_long_quotients), cmocka_unit_test(test_powers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
