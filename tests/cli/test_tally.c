/* cli/serve/tally.c: rows find themselves again, a full table counts on as one, and neither outcome takes the other's room. */
#include "../../cli/serve/tally.c"

#include "support/test.h"

static uint64_t sum(const struct tally *t, bool ok)
{
    uint64_t n = t->handshakes[ok].rest;
    for (size_t i = 0; i < TALLY_ROWS; i++)
        n += t->handshakes[ok].rows[i].n;
    return n;
}

static size_t rows(const struct tally *t, bool ok)
{
    size_t n = 0;
    for (size_t i = 0; i < TALLY_ROWS; i++)
        n += t->handshakes[ok].rows[i].n != 0;
    return n;
}

static void test_rows(void **state)
{
    static struct tally t;
    (void)state;
    for (int again = 0; again < 3; again++)
        for (unsigned i = 0; i < 40; i++) {
            const struct tally_row r = { .version = (uint16_t)(0x0303 + i % 2), .group = (uint16_t)(i / 2 % 5), .suite = (uint16_t)(0x1301 + i / 10 % 2),
                                         .resumed = i / 20 };
            tally_add(&t, &r, 0);
        }
    assert_int_equal(rows(&t, true), 40);
    assert_int_equal(sum(&t, true), 120);
    assert_int_equal(sum(&t, false), 0);
    for (size_t i = 0; i < TALLY_ROWS; i++)
        assert_true(!t.handshakes[1].rows[i].n || t.handshakes[1].rows[i].n == 3);
}

static void test_full(void **state)
{
    static struct tally t;
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        const struct tally_row r = { .reason = TROTH_R_NOT_TLS, .group = (uint16_t)i };
        tally_add(&t, &r, 1);
    }
    assert_int_equal(rows(&t, false), TALLY_ROWS);
    assert_int_equal(t.handshakes[0].rest, 1000 - TALLY_ROWS);
    const struct tally_row known = { .reason = TROTH_R_NOT_TLS, .group = 7 }, good = { .group = 7 };
    tally_add(&t, &known, 1); /* a row that is there goes on counting */
    assert_int_equal(t.handshakes[0].rest, 1000 - TALLY_ROWS);
    tally_add(&t, &good, 1);
    assert_int_equal(rows(&t, true), 1);
}

static void test_buckets(void **state)
{
    static struct tally t;
    const struct tally_row good = { .version = 0x0304 }, failed = { .reason = TROTH_R_NOT_TLS };
    (void)state;
    for (size_t i = 0; i < TALLY_BUCKETS; i++) {
        tally_add(&t, &good, tally_bounds[i]); /* "le": the end belongs to it */
        assert_int_equal(t.buckets[i], i ? 2 : 1);
        tally_add(&t, &good, tally_bounds[i] + 1);
        assert_int_equal(t.buckets[i + 1], 1);
        assert_true(i == 0 || tally_bounds[i] > tally_bounds[i - 1]);
    }
    uint64_t us = t.us;
    tally_add(&t, &failed, 1000);
    assert_int_equal(t.us, us);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_full), cmocka_unit_test(test_buckets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
