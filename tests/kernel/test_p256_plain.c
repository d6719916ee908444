/* The plain verification of P-256 from within: its field against libcrypto's numbers, its additions where their formulas have no
 * answer, and the digits of its scalars. What it says of signatures is tested in test_p256.c.
 * links: crypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>

#include "crypto/kernel/p256_plain_verify.c"

static BN_CTX *ctx;
static BIGNUM *prime, *unscale;                 /* 2^-260 */
static EC_GROUP *group;

static BIGNUM *value_of(struct fp a)
{
    BIGNUM *v = BN_new(), *limb = BN_new();
    for (int i = 5; i-- > 0;) {
        BN_lshift(v, v, FP_BITS);
        BN_set_word(limb, a.l[i]);
        BN_add(v, v, limb);
    }
    BN_free(limb);
    return v;
}

static bool below(const BIGNUM *v, unsigned hundredths)
{
    BIGNUM *bound = BN_dup(prime), *scaled = BN_dup(v);
    BN_mul_word(bound, hundredths);
    BN_mul_word(scaled, 100);
    bool is = BN_cmp(scaled, bound) < 0;
    BN_free(bound), BN_free(scaled);
    return is;
}

/* `got` is `want` mod p, its limbs are carried, and it is below so many hundredths of p; frees `want` */
static void is_value(struct fp got, BIGNUM *want, unsigned hundredths)
{
    BIGNUM *v = value_of(got);
    for (int i = 0; i < 4; i++)
        assert_true(got.l[i] <= FP_MASK);
    assert_true(below(v, hundredths));
    BN_nnmod(v, v, prime, ctx), BN_nnmod(want, want, prime, ctx);
    assert_int_equal(BN_cmp(v, want), 0);
    BN_free(v), BN_free(want);
}

/* a b / 2^260 */
static BIGNUM *product_of(struct fp a, struct fp b)
{
    BIGNUM *x = value_of(a), *y = value_of(b);
    BN_mul(x, x, y, ctx);
    BN_mod_mul(x, x, unscale, prime, ctx);
    BN_free(y);
    return x;
}

static BIGNUM *sum_of(BIGNUM *a, BIGNUM *b)
{
    BN_add(a, a, b);
    BN_free(b);
    return a;
}

/* carried limbs, a value of c < 2: the edges first; then each limb at random or at an edge */
static struct fp some_element(unsigned which)
{
    static const uint64_t top = 2 * P256_P4 - 4;
    static const struct fp edge[] = {
        { { 0 } },
        { { 1 } },
        { { P256_P0, P256_P1, 0, P256_P3, P256_P4 } },
        { { P256_P0 - 1, P256_P1, 0, P256_P3, P256_P4 } },
        { { 0, P256_P1 + 1, 0, P256_P3, P256_P4 } },
        { { P256_ONE } },
        { { FP_MASK, FP_MASK, FP_MASK, FP_MASK, 2 * P256_P4 - 4 } },
        { { 0, 0, 0, 0, 2 * P256_P4 - 4 } },
    };
    struct fp a;
    if (which < sizeof edge / sizeof *edge)
        return edge[which];
    assert_int_equal(RAND_bytes((uint8_t *)&a, sizeof a), 1);
    unsigned how = (unsigned)(a.l[4] >> 54);
    for (int i = 0; i < 5; i++, how >>= 2) {
        const uint64_t most = i < 4 ? FP_MASK : top;
        a.l[i] = how & 1 ? how & 2 ? most : 0 : a.l[i] % most;
    }
    return a;
}

static void test_field(void **state)
{
    enum { EDGES = 8, ROUNDS = 3000 };
    (void)state;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct fp a = some_element(i < EDGES * EDGES ? i / EDGES : EDGES), b = some_element(i % (i < EDGES * EDGES ? EDGES : EDGES + 1));
        /* as large as they get: differences, and multiples of them, uncarried */
        struct fp less = fp_minus(a, b), more = fp_from(fp_8p, fp_plus(a, fp_times(2, b))), much = fp_from(fp_16p, fp_times(8, b));
        is_value(fp_mul(a, b), product_of(a, b), 126);
        is_value(fp_sqr(a), product_of(a, a), 126);
        is_value(fp_mul(less, more), product_of(less, more), 401);
        is_value(fp_mul(fp_times(3, a), much), product_of(fp_times(3, a), much), 701);
        is_value(fp_sqr(less), product_of(less, less), 326);
        is_value(fp_settle(fp_sqr(less), much), sum_of(product_of(less, less), value_of(much)), 101);
        is_value(fp_settle(fp_mul(a, b), more), sum_of(product_of(a, b), value_of(more)), 101);
        is_value(fp_mul_two(less, more, a, much), sum_of(product_of(less, more), product_of(a, much)), 101);
    }
}

static void test_zero(void **state)
{
    const struct fp p = { { P256_P0, P256_P1, 0, P256_P3, P256_P4 } }, zero = { { 0 } };
    (void)state;
    assert_true(fp_is_zero(p) && fp_is_zero(zero));
    assert_true(fp_is_zero(fp_mul(fp_minus(p, zero), fp_one)) && fp_is_zero(fp_mul(fp_minus(fp_one, fp_one), fp_one)));
    for (int i = 0; i < 5; i++) {
        for (int bit = 0; bit < 49; bit++) {
            struct fp a = p, b = zero;
            a.l[i] ^= UINT64_C(1) << bit;
            b.l[i] ^= UINT64_C(1) << bit;
            assert_false(fp_is_zero(a) || fp_is_zero(b));
        }
    }
}

/* ---- points, as multiples of G */
static void multiple(struct fp *x, struct fp *y, int k)
{
    BIGNUM *bx = BN_new(), *by = BN_new(), *n = BN_new();
    EC_POINT *p = EC_POINT_new(group);
    uint8_t bytes[32];
    struct scalar w;
    BN_set_word(n, (BN_ULONG)(k < 0 ? -k : k));
    BN_set_negative(n, k < 0);
    BN_nnmod(n, n, EC_GROUP_get0_order(group), ctx);
    EC_POINT_mul(group, p, n, NULL, NULL, ctx);
    assert_int_equal(EC_POINT_get_affine_coordinates(group, p, bx, by, ctx), 1);
    BN_bn2binpad(bx, bytes, 32), scalar_load(&w, bytes), *x = fp_of_words(w.w);
    BN_bn2binpad(by, bytes, 32), scalar_load(&w, bytes), *y = fp_of_words(w.w);
    BN_free(bx), BN_free(by), BN_free(n);
    EC_POINT_free(p);
}

static bool same(struct fp a, struct fp b)
{
    return fp_is_zero(fp_mul(fp_minus(a, b), fp_one));
}

static void is_multiple(const struct sum *a, int k)
{
    struct fp x, y, zz = fp_sqr(a->p.z);
    assert_int_equal(a->infinite, k == 0);
    if (!k)
        return;
    multiple(&x, &y, k);
    assert_false(fp_is_zero(a->p.z));
    assert_true(same(fp_mul(x, zz), a->p.x));
    assert_true(same(fp_mul(y, fp_mul(zz, a->p.z)), a->p.y));
}

/* k G with a Z of its own; 0: infinity, and what is left in the coordinates does not matter */
static struct sum some_sum(int k)
{
    struct fp x, y, z, zz;
    do
        z = some_element(UINT32_MAX);
    while (fp_is_zero(z));
    zz = fp_sqr(z);
    multiple(&x, &y, k ? k : 5);
    y = fp_mul(y, fp_mul(zz, z));
    return (struct sum){ { fp_settle(fp_mul(x, zz), fp_4p), fp_settle(y, fp_4p), z }, !k };
}

/* Every pair of small multiples: equal ones, opposite ones, one at infinity, and those that have nothing to do with each other. */
static void test_additions(void **state)
{
    (void)state;
    for (int a = -4; a <= 4; a++) {
        for (int b = 1; b <= 4; b++) {
            for (int negative = 0; negative < 2; negative++) {
                struct sum s = some_sum(a), own = some_sum(b), twice = s;
                struct entry e = { own.p.x, own.p.y, own.p.z, fp_sqr(own.p.z), fp_mul(own.p.z, fp_sqr(own.p.z)) };
                int sum = negative ? a - b : a + b;
                add_entry(&s, &e, negative);
                is_multiple(&s, sum);
                add_g(&s, 3);
                is_multiple(&s, sum + 3);
                add_g(&twice, negative ? -b : b);
                is_multiple(&twice, sum);
                add_entry(&twice, &e, !negative);
                is_multiple(&twice, a);
                if (a)
                    point_double(&twice.p);
                is_multiple(&twice, 2 * a);
            }
        }
    }
}

static void test_tables(void **state)
{
    struct entry e[Q_ENTRIES];
    struct fp x, y;
    (void)state;
    for (int k = 1; k < 8; k++) {
        multiple(&x, &y, k);
        assert_true(on_curve(x, y));
        assert_false(on_curve(y, x) || on_curve(x, fp_mul(x, x)));
        make_entries(e, x, y);
        for (int i = 0; i < Q_ENTRIES; i++) {
            struct sum s = { { e[i].x, e[i].y, e[i].z }, false };
            is_multiple(&s, (2 * i + 1) * k);
            assert_true(same(fp_sqr(e[i].z), e[i].zz) && same(fp_mul(e[i].zz, e[i].z), e[i].zzz));
        }
    }
    for (int digit = -127; digit <= 127; digit += 2) {
        struct sum s = { .infinite = true };
        add_g(&s, digit);
        is_multiple(&s, digit);
    }
}

static void digits(const struct scalar *k, unsigned width)
{
    int8_t d[DIGITS];
    uint8_t bytes[32];
    BIGNUM *sum = BN_new(), *want;
    unsigned free_from = 0;
    make_digits(d, k, width);
    for (unsigned i = DIGITS; i-- > 0;) {
        BN_lshift1(sum, sum);
        if (d[i] < 0)
            BN_sub_word(sum, (BN_ULONG)-d[i]);
        else
            BN_add_word(sum, (BN_ULONG)d[i]);
    }
    for (unsigned i = 0; i < DIGITS; i++) {
        if (!d[i])
            continue;
        assert_true(i >= free_from && d[i] & 1 && d[i] < 1 << (width - 1) && d[i] > -(1 << (width - 1)));
        free_from = i + width;
    }
    scalar_store(bytes, k);
    want = BN_bin2bn(bytes, 32, NULL);
    assert_int_equal(BN_cmp(sum, want), 0);
    BN_free(sum), BN_free(want);
}

static void test_digits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        struct scalar k;
        RAND_bytes((uint8_t *)&k, sizeof k);
        for (unsigned j = 0; j < 4 && i < 256; j++)        /* words of nothing, of ones, of a digit's edge */
            k.w[j] = i >> (2 * j) & 2 ? i >> (2 * j) & 1 ? UINT64_MAX : 0 : k.w[j];
        for (unsigned j = 0; i == 256 && j < 4; j++)
            k.w[j] = 0x1010101010101010;
        digits(&k, G_WIDTH);
        digits(&k, Q_WIDTH);
    }
}

static int start(void **state)
{
    (void)state;
    ctx = BN_CTX_new();
    unscale = BN_new();
    group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    BN_hex2bn(&prime, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    BN_set_bit(unscale, 5 * FP_BITS);
    BN_mod_inverse(unscale, unscale, prime, ctx);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    BN_free(unscale), BN_free(prime);
    EC_GROUP_free(group);
    BN_CTX_free(ctx);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field), cmocka_unit_test(test_zero), cmocka_unit_test(test_additions),
        cmocka_unit_test(test_tables), cmocka_unit_test(test_digits),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
