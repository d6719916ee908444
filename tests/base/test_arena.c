/* The arena gives aligned, zeroed memory, refuses what cannot be, and is wiped when it is given back; comparing does not stop early. */
#include "base/arena.h"
#include "base/secret.h"
#include "support/test.h"

/* An allocator that looks at what it is given back. */
struct watch {
    size_t calls, alive, limit, dirty;
};

static void *take(void *ctx, size_t n)
{
    struct watch *w = ctx;
    if (w->calls++ >= w->limit || n > 1 << 24)
        return NULL;
    w->alive++;
    uint8_t *p = malloc(n);
    memset(p, 0xa5, n); /* what an allocator gives is not zero */
    return p;
}

static void give(void *ctx, void *p, size_t n)
{
    struct watch *w = ctx;
    if (!p)
        return;
    for (size_t i = 0; i < n; i++)
        w->dirty += ((uint8_t *)p)[i] == 0x5e;
    w->alive--;
    free(p);
}

static void test_use(void **state)
{
    (void)state;
    struct watch w = { .limit = SIZE_MAX };
    troth_allocator mem = { take, give, &w };
    struct arena a;
    arena_init(&a, &mem, 256);
    assert_int_equal(w.calls, 0);
    for (size_t n = 0; n < 700; n++) {
        uint8_t *p = arena_alloc(&a, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0x5e, n); /* a secret */
    }
    span copy;
    assert_true(arena_copy(&a, &copy, SPAN_TEXT("abc")) && span_equal(copy, SPAN_TEXT("abc")));
    assert_true(arena_copy(&a, &copy, SPAN_NONE) && copy.n == 0);
    assert_string_equal(arena_string(&a, SPAN_TEXT("abc")), "abc");
    arena_free(&a);
    assert_int_equal(w.alive, 0);
    assert_int_equal(w.dirty, 0);
    assert_non_null(arena_alloc(&a, 10)); /* it may be used again */
    arena_free(&a);
    assert_int_equal(w.alive, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    struct watch w = { .limit = 1 };
    troth_allocator mem = { take, give, &w };
    struct arena a;
    arena_init(&a, &mem, 64);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 8));
    assert_null(arena_array(&a, SIZE_MAX / 2, 4));
    assert_null(arena_array(&a, SIZE_MAX / 4 + 2, 4)); /* wraps around to 4 */
    w.calls = 0;
    assert_non_null(arena_alloc(&a, 16));
    assert_null(arena_alloc(&a, 4096)); /* the second time there is none */
    assert_non_null(arena_alloc(&a, 16)); /* what is left of the first chunk can still be had */
    arena_free(&a);
    assert_int_equal(w.alive, 0);
}

static void test_secrets(void **state)
{
    (void)state;
    uint8_t x[64], y[64];
    for (size_t n = 0; n <= sizeof x; n++) {
        memset(x, 7, sizeof x);
        memset(y, 7, sizeof y);
        assert_true(bytes_equal_ct(x, y, n));
        for (size_t i = 0; i < sizeof x; i++)
            for (unsigned bit = 0; bit < 8; bit++) {
                y[i] ^= (uint8_t)(1u << bit);
                assert_int_equal(bytes_equal_ct(x, y, n), i >= n);
                y[i] ^= (uint8_t)(1u << bit);
            }
    }
    secret_wipe(x, 32);
    for (size_t i = 0; i < sizeof x; i++)
        assert_int_equal(x[i], i < 32 ? 0 : 7);
    secret_wipe(x, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_use), cmocka_unit_test(test_refusals), cmocka_unit_test(test_secrets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
