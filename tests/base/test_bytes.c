/* The reader and the writer against a model, exhaustively over small inputs: every length of input, every prefix, every bound. */
#include "base/rd.h"
#include "base/wr.h"
#include "support/test.h"

enum { INPUT_MAX = 6 };

/* What the RFC's notation means (RFC 9846 3.4), said a second time: the length of the vector at the start, or why there is none. */
static enum troth_reason model(const uint8_t *in, size_t n, size_t prefix, size_t min, size_t max, size_t *body)
{
    size_t length = 0;
    if (n < prefix)
        return TROTH_R_SHORT;
    for (size_t i = 0; i < prefix; i++)
        length = length * 256 + in[i];
    if (length > n - prefix)
        return TROTH_R_SHORT;
    *body = length;
    return length < min || length > max ? TROTH_R_LENGTH_BOUNDS : TROTH_R_NONE;
}

static void one_vector(const uint8_t *in, size_t n, size_t prefix, size_t min, size_t max)
{
    uint8_t *exact = malloc(n ? n : 1); /* so that a read past the end is seen */
    memcpy(exact, in, n);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, span_of(exact, n), NULL);
    struct rd r = rd_init(&ctx, span_of(exact, n));
    size_t body = 0;
    enum troth_reason why = model(in, n, prefix, min, max, &body);
    span s = rd_opaque(&r, "opaque", prefix, min, max);
    if (why == TROTH_R_NONE) {
        assert_true(rd_ok(&r) && s.p == exact + prefix && s.n == body && rd_left(&r) == n - prefix - body);
        rd_end(&r, "end");
        assert_int_equal(rd_ok(&r), n == prefix + body);
        assert_true(rd_ok(&r) || ctx.why == TROTH_R_TRAILING);
    } else {
        assert_true(!rd_ok(&r) && ctx.why == why && s.n == 0 && !rd_more(&r));
        assert_string_equal(ctx.bad, "opaque");
        assert_int_equal(rd_u16(&r, "later", NULL), 0); /* a reader that failed yields zeros, and the first failure stays */
        assert_string_equal(ctx.bad, "opaque");
    }
    free(exact);
}

static void test_vectors(void **state)
{
    (void)state;
    static const uint8_t first[] = { 0, 1, 2, 3, 4, 5, 6, 255 };
    for (size_t prefix = 1; prefix <= 3; prefix++)
        for (size_t n = 0; n <= INPUT_MAX; n++)
            for (size_t f = 0; f < sizeof first; f++)
                for (size_t min = 0; min <= INPUT_MAX; min++)
                    for (size_t max = min; max <= INPUT_MAX; max++) {
                        uint8_t in[INPUT_MAX] = { 0 };
                        in[prefix - 1] = first[f];
                        one_vector(in, n, prefix, min, max);
                        in[0] = first[f];
                        one_vector(in, n, prefix, min, max);
                    }
}

static void test_numbers(void **state)
{
    (void)state;
    static const uint8_t in[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    for (size_t n = 0; n <= sizeof in; n++)
        for (size_t size = 1; size <= 8; size++) {
            struct rd_ctx ctx;
            rd_ctx_init(&ctx, span_of(in, n), NULL);
            struct rd r = rd_init(&ctx, span_of(in, n));
            uint64_t want = 0, got = rd_uint(&r, "number", NULL, size);
            for (size_t i = 0; i < size; i++)
                want = want * 256 + in[i];
            assert_int_equal(rd_ok(&r), n >= size);
            assert_true(got == (n >= size ? want : 0));
        }
}

static void test_lists(void **state)
{
    (void)state;
    for (uint8_t n = 0; n <= 5; n++) {
        uint8_t in[6] = { n, 0, 1, 0, 2, 9 };
        struct rd_ctx ctx;
        rd_ctx_init(&ctx, SPAN_OF(in), NULL);
        struct rd r = rd_init(&ctx, SPAN_OF(in));
        span list = rd_u16s(&r, "list", "element", NULL, 1, 2, 254);
        assert_int_equal(rd_ok(&r), n == 2 || n == 4);
        assert_int_equal(u16s_count(list), rd_ok(&r) ? n / 2 : 0);
        assert_int_equal(u16s_has(list, 2), n == 4);
    }
}

/* A failure below is a failure above, and every loop ends. */
static void test_sub_readers(void **state)
{
    (void)state;
    static const uint8_t in[] = { 3, 2, 1, 1, 7 };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, SPAN_OF(in), NULL);
    struct rd r = rd_init(&ctx, SPAN_OF(in)), inner = rd_vec8(&r, "outer", 0, 10);
    unsigned rounds = 0;
    for (; rd_more(&inner) && rounds < 100; rounds++)
        (void)rd_opaque8(&inner, "inner", 0, 10);
    assert_true(rounds < 100);
    assert_false(rd_ok(&inner) && rd_ok(&r) && rounds > 1);
}

static size_t say(struct wr *w)
{
    size_t outer = wr_open(w, 2);
    wr_u8(w, 0xaa);
    size_t inner = wr_open(w, 1);
    wr_u24(w, 0x010203);
    wr_close(w, inner, 1);
    wr_opaque(w, 3, SPAN_TEXT("xyz"));
    wr_close(w, outer, 2);
    return w->n;
}

/* In every room: what fits is right, what does not fit is not written, and measuring tells the size beforehand. */
static void test_writer(void **state)
{
    (void)state;
    static const uint8_t want[] = { 0, 11, 0xaa, 3, 1, 2, 3, 0, 0, 3, 'x', 'y', 'z' };
    struct wr m = wr_measure();
    assert_int_equal(say(&m), sizeof want);
    for (size_t cap = 0; cap <= sizeof want; cap++) {
        uint8_t *room = malloc(cap ? cap : 1);
        struct wr w = wr_into(room, cap);
        say(&w);
        assert_int_equal(wr_ok(&w), cap == sizeof want);
        if (wr_ok(&w))
            assert_memory_equal(room, want, sizeof want);
        free(room);
    }
}

/* A vector that is longer than its prefix can say is a failure, not a lie. */
static void test_too_long(void **state)
{
    (void)state;
    uint8_t room[400] = { 0 };
    for (size_t n = 254; n <= 257; n++) {
        struct wr w = wr_into(room, sizeof room);
        size_t mark = wr_open(&w, 1);
        uint8_t *p = wr_room(&w, n);
        assert_non_null(p);
        memset(p, 0, n);
        wr_close(&w, mark, 1);
        assert_int_equal(wr_ok(&w), n <= 255);
    }
}

static void test_slices(void **state)
{
    (void)state;
    static const uint8_t in[] = { 1, 2, 3 };
    for (size_t at = 0; at < 6; at++)
        for (size_t n = 0; n < 6; n++) {
            span s = span_slice(SPAN_OF(in), at, n);
            size_t left = at < 3 ? 3 - at : 0;
            assert_int_equal(s.n, n < left ? n : left);
            assert_true(!s.n || s.p == in + at);
        }
    assert_int_equal(span_slice(SPAN_OF(in), 1, SIZE_MAX).n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_numbers),  cmocka_unit_test(test_lists),  cmocka_unit_test(test_sub_readers),
        cmocka_unit_test(test_writer),  cmocka_unit_test(test_too_long), cmocka_unit_test(test_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
