/* Random bytes that were drawn ahead: none is handed out twice, also in children and to many threads, and none stays. */
#include "../../src/crypto/openssl/random.c"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test.h"

enum { PIECE = 16, DRAWS = 20000, THREADS = 4 };

static struct lib *opened(void)
{
    struct lib *l = (struct lib *)troth_libcrypto();
    assert_non_null(l);
    return l;
}

static bool drawn(struct lib *l, void *out, size_t n)
{
    return l->pub.random(l->pub.self, out, n);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, PIECE);
}

static void assert_all_differ(uint8_t (*all)[PIECE], size_t n)
{
    qsort(all, n, PIECE, by_bytes);
    for (size_t i = 1; i < n; i++)
        assert_memory_not_equal(all[i - 1], all[i], PIECE);
}

static void test_no_byte_twice(void **state)
{
    static uint8_t all[DRAWS][PIECE];
    struct lib *l = opened();
    (void)state;
    for (size_t i = 0; i < DRAWS; i++)
        assert_true(drawn(l, all[i], PIECE));
    assert_all_differ(all, DRAWS);
    lib_free(l);
}

/* Every length, over many pages: 8 zeros in a row would be bytes that were handed out already. */
static void test_lengths(void **state)
{
    struct lib *l = opened();
    uint8_t out[600];
    (void)state;
    for (size_t round = 0; round < 20; round++)
        for (size_t n = 0; n <= sizeof out; n += 1 + n / 64) {
            memset(out, 0, sizeof out);
            assert_true(drawn(l, out, n));
            for (size_t i = 0, zeros = 0; i < n; i++) {
                zeros = out[i] ? 0 : zeros + 1;
                assert_true(zeros < 8);
            }
            for (size_t i = n; i < sizeof out; i++)
                assert_int_equal(out[i], 0);
        }
    lib_free(l);
}

static void test_nothing_stays(void **state)
{
    struct lib *l = opened();
    struct reserve *r = l->reserve;
    uint8_t out[PIECE], none[PIECE] = { 0 };
    (void)state;
    if (!r)
        skip();
    assert_true(drawn(l, out, PIECE));
    assert_int_equal(r->left, sizeof r->bytes - PIECE);
    assert_memory_equal(r->bytes + r->left, none, PIECE);
    assert_memory_not_equal(out, none, PIECE);
    lib_free(l);
}

/* Another thread is at it, or it is too much for a page: then the page is left alone. */
static void test_beside_the_page(void **state)
{
    struct lib *l = opened();
    struct reserve *r = l->reserve;
    uint8_t out[PIECE_MOST + 1], none[PIECE_MOST + 1] = { 0 };
    (void)state;
    if (!r)
        skip();
    assert_true(drawn(l, out, PIECE));
    uint32_t left = r->left;
    memset(out, 0, sizeof out);
    assert_true(drawn(l, out, sizeof out));
    assert_memory_not_equal(out, none, sizeof out);
    atomic_store(&r->busy, true);
    memset(out, 0, sizeof out);
    assert_true(drawn(l, out, PIECE));
    assert_memory_not_equal(out, none, PIECE);
    atomic_store(&r->busy, false);
    assert_int_equal(r->left, left);
    lib_free(l);
}

/* Parent, child and grandchild. */
static void test_forks(void **state)
{
    struct lib *l = opened();
    uint8_t all[6][PIECE], theirs[4 * PIECE];
    int ends[2];
    (void)state;
    assert_true(drawn(l, all[0], PIECE));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (!child) {
        pid_t grandchild = drawn(l, all[0], PIECE) ? fork() : -1;
        bool ok = drawn(l, all[1], PIECE) && (grandchild || drawn(l, all[0], PIECE)) && write(ends[1], all, 2 * sizeof all[0]) == (ssize_t)(2 * sizeof all[0]);
        if (grandchild > 0)
            waitpid(grandchild, NULL, 0);
        _exit(!ok);
    }
    assert_true(drawn(l, all[1], PIECE));
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    memcpy(all + 2, theirs, sizeof theirs);
    assert_all_differ(all, 6);
    close(ends[0]);
    close(ends[1]);
    lib_free(l);
}

struct drawer {
    pthread_t   thread;
    struct lib *l;
    uint8_t   (*to)[PIECE];
    bool        ok;
};

static void *draw_many(void *ctx)
{
    struct drawer *d = ctx;
    d->ok = true;
    for (size_t i = 0; i < DRAWS; i++)
        d->ok = drawn(d->l, d->to[i], PIECE) && d->ok;
    return NULL;
}

static void test_threads(void **state)
{
    static uint8_t all[THREADS * DRAWS][PIECE];
    struct drawer d[THREADS];
    struct lib *l = opened();
    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        d[i] = (struct drawer){ .l = l, .to = all + i * DRAWS };
        assert_int_equal(pthread_create(&d[i].thread, NULL, draw_many, &d[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(d[i].thread, NULL), 0);
        assert_true(d[i].ok);
    }
    assert_all_differ(all, THREADS * DRAWS);
    lib_free(l);
}

static int tens(unsigned char *out, int n)
{
    memset(out, 10, (size_t)n);
    return 1;
}

static int none(unsigned char *out, int n)
{
    (void)out, (void)n;
    return 0;
}

static int ready(void)
{
    return 1;
}

/* Who brought a generator of his own is asked each time; one that fails is a failure. */
static void test_own_generator(void **state)
{
    static const RAND_METHOD own = { NULL, tens, NULL, NULL, tens, ready }, broken = { NULL, none, NULL, NULL, none, ready };
    uint8_t out[PIECE], ten[PIECE];
    (void)state;
    struct lib *before = opened();
    assert_int_equal(RAND_set_rand_method(&own), 1);
    struct lib *l = opened();
    assert_null(l->reserve);
    assert_true(drawn(l, out, PIECE));
    memset(ten, 10, sizeof ten);
    assert_memory_equal(out, ten, PIECE);
    assert_int_equal(RAND_set_rand_method(&broken), 1);
    assert_false(drawn(l, out, PIECE));
    assert_false(drawn(before, out, PIECE)); /* whose page is empty yet */
    assert_int_equal(RAND_set_rand_method(RAND_OpenSSL()), 1);
    assert_true(drawn(before, out, PIECE));
    lib_free(l);
    lib_free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_byte_twice), cmocka_unit_test(test_lengths), cmocka_unit_test(test_nothing_stays),
                                        cmocka_unit_test(test_beside_the_page), cmocka_unit_test(test_forks), cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_own_generator) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
