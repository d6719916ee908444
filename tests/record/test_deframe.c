/* The input buffer and its records: every split, every wrong header, no more memory than a legal record needs. */
#include "record/records.h"

static struct counted mem;

static int fresh(void **state)
{
    (void)state;
    counted_init(&mem);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    return (int)mem.blocks;
}

/* Three records in a row, cut at every place, give the same three records. */
static void splits_do_not_matter(void **state)
{
    (void)state;
    uint8_t bodies[3][700], wire[3 * 705];
    size_t sizes[3] = { 700, 0, 123 }, total = 0;
    for (uint32_t i = 0; i < 3; i++) {
        noise(bodies[i], sizes[i], i);
        total += put_record(wire + total, (uint8_t)(21 + i), i ? 0x0303 : 0x0301, span_of(bodies[i], sizes[i]));
    }
    for (size_t cut = 0; cut <= total; cut++) {
        struct inbuf b;
        troth_error e = { 0 };
        struct record r;
        size_t seen = 0;
        inbuf_init(&b, &mem.memory);
        for (int half = 0; half < 2; half++) {
            feed(&b, half ? span_of(wire + cut, total - cut) : span_of(wire, cut), 0);
            while (deframe(&b, &r, FORM_PLAIN, &e) == DEFRAME_RECORD) {
                assert_int_equal(r.type, 21 + seen);
                assert_int_equal(r.n, sizes[seen]);
                assert_memory_equal(r.body, bodies[seen], r.n);
                assert_ptr_equal(r.header + 5, r.body);
                seen++;
            }
        }
        assert_int_equal(seen, 3);
        assert_reason(&e, NONE);
        assert_int_equal(inbuf_left(&b).n, 0);
        inbuf_rest(&b);
        assert_null(b.p);
        assert_int_equal(mem.blocks, 0);
    }
}

/* Many records of random sizes, in random portions, through a buffer that starts small. */
static void streams(void **state)
{
    (void)state;
    uint32_t seed = 7;
    static uint8_t wire[400000], body[16640];
    size_t sizes[100], total = 0;
    for (int i = 0; i < 100; i++) {
        sizes[i] = noise_below(&seed, i % 4 ? 300 : 16641);
        if (total + sizes[i] + 5 > sizeof wire)
            sizes[i] = 0;
        noise(body, sizes[i], (uint32_t)i);
        total += put_record(wire + total, 23, 0x0303, span_of(body, sizes[i]));
    }
    for (uint32_t want = 0; want < 2; want++) {
        struct inbuf b;
        troth_error e = { 0 };
        struct record r;
        size_t at = 0, seen = 0;
        inbuf_init(&b, &mem.memory);
        if (want)
            b.want = INBUF_LARGE;
        while (at < total) {
            size_t some = noise_below(&seed, 9000);
            some = some < total - at ? some : total - at;
            uint8_t *p;
            size_t n;
            assert_true(inbuf_room(&b, &e, &p, &n));
            some = some < n ? some : n;
            memcpy(p, wire + at, some);
            inbuf_got(&b, some);
            at += some;
            while (deframe(&b, &r, FORM_13, &e) == DEFRAME_RECORD) {
                assert_int_equal(r.n, sizes[seen]);
                noise(body, r.n, (uint32_t)seen);
                assert_memory_equal(r.body, body, r.n);
                seen++;
            }
            assert_reason(&e, NONE);
        }
        assert_int_equal(seen, 100);
        inbuf_free(&b);
    }
    assert_true(mem.peak <= 2 * (size_t)INBUF_LARGE); /* old and new buffer side by side while it grows */
}

static enum deframed one(const char *bytes, size_t n, enum form form, bool later, troth_error *e)
{
    struct inbuf b;
    struct record r;
    *e = (troth_error){ 0 };
    inbuf_init(&b, &mem.memory);
    b.any = later;
    feed(&b, span_of(bytes, n), 1);
    enum deframed d = deframe(&b, &r, form, e);
    if (d == DEFRAME_BAD)
        assert_int_equal(inbuf_left(&b).n, n); /* what was refused can be looked at */
    inbuf_free(&b);
    return d;
}

#define ONE(lit, form, later) one(lit, sizeof lit - 1, form, later, &e)

static void refuses_wrong_headers(void **state)
{
    (void)state;
    troth_error e;
    assert_int_equal(ONE("\x16\x03\x01\x00\x01x", FORM_PLAIN, false), DEFRAME_RECORD);
    assert_int_equal(ONE("\x16\x03\xff\x00\x01x", FORM_PLAIN, false), DEFRAME_RECORD);
    assert_int_equal(ONE("\x16\x03\x03\x40\x00", FORM_PLAIN, false), DEFRAME_MORE);
    assert_int_equal(ONE("\x16\x03\x03\x40\x01", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, RECORD_TOO_LONG);
    assert_int_equal(ONE("\x17\x03\x03\x41\x00", FORM_PLAIN, true), DEFRAME_MORE);
    assert_int_equal(ONE("\x17\x03\x03\x41\x00", FORM_13, true), DEFRAME_MORE);
    assert_int_equal(ONE("\x17\x03\x03\x41\x01", FORM_13, true), DEFRAME_BAD);
    assert_reason(&e, RECORD_TOO_LONG);
    assert_int_equal(ONE("\x17\x03\x03\x48\x00", FORM_12, true), DEFRAME_MORE);
    assert_int_equal(ONE("\x17\x03\x03\x48\x01", FORM_12, true), DEFRAME_BAD);
    assert_reason(&e, RECORD_TOO_LONG);
    assert_int_equal(ONE("\x17\x03\x01", FORM_13, true), DEFRAME_BAD);
    assert_reason(&e, RECORD_VERSION);
    assert_int_equal(ONE("\x14\x03\x01\x00\x01\x01", FORM_13, true), DEFRAME_RECORD); /* in the clear: RFC 9846 E */
    assert_int_equal(ONE("\x14\x03\x01", FORM_12, true), DEFRAME_BAD);
    assert_reason(&e, RECORD_VERSION);
    assert_int_equal(ONE("\x17\x02\x03", FORM_PLAIN, true), DEFRAME_BAD);
    assert_reason(&e, RECORD_VERSION);
    for (int type = 0; type < 256; type++) {
        char c = (char)type;
        assert_int_equal(one(&c, 1, FORM_PLAIN, true, &e), type >= 20 && type <= 23 ? DEFRAME_MORE : DEFRAME_BAD);
        if (type < 20 || type > 23)
            assert_reason(&e, RECORD_TYPE);
    }
}

static void names_what_is_not_tls(void **state)
{
    (void)state;
    troth_error e;
    assert_int_equal(ONE("HTTP/1.1 400 Bad Request\r\n", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, NOT_TLS);
    assert_non_null(strstr(e.detail, "HTTP/1.1 400 Bad Request"));
    assert_int_equal(ONE("22", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, NOT_TLS);
    assert_int_equal(ONE("\x80\x2e\x01\x03\x01", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, NOT_TLS);
    assert_int_equal(ONE("\x16\x02", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, NOT_TLS);
    assert_int_equal(ONE("2", FORM_PLAIN, false), DEFRAME_MORE);
    assert_int_equal(ONE("\x18\x03\x01\x01", FORM_PLAIN, false), DEFRAME_MORE);
    assert_int_equal(ONE("\x18\x03\x05", FORM_PLAIN, false), DEFRAME_BAD);
    assert_reason(&e, NOT_TLS);
    assert_int_equal(ONE("\x18\x03\x01\x01\x01", FORM_PLAIN, false), DEFRAME_BAD); /* a record all the same: its sender is told */
    assert_reason(&e, RECORD_TYPE);
    assert_int_equal(ONE("\x16", FORM_PLAIN, false), DEFRAME_MORE);
    assert_int_equal(ONE("", FORM_PLAIN, false), DEFRAME_MORE);
}

static void grows_to_the_record_and_no_further(void **state)
{
    (void)state;
    struct inbuf b;
    troth_error e = { 0 };
    struct record r;
    uint8_t *p;
    size_t n;
    inbuf_init(&b, &mem.memory);
    assert_int_equal(mem.blocks, 0);
    feed(&b, SPAN_TEXT("\x16\x03\x01\x10\x00"), 0);
    assert_int_equal(b.cap, INBUF_SMALL);
    assert_int_equal(deframe(&b, &r, FORM_PLAIN, &e), DEFRAME_MORE);
    assert_true(inbuf_room(&b, &e, &p, &n));
    assert_int_equal(b.cap, 4096 + 5);
    inbuf_rest(&b); /* not while something is in it */
    assert_non_null(b.p);
    inbuf_free(&b);
    mem.fail_in = 1;
    assert_false(inbuf_room(&b, &e, &p, &n));
    assert_reason(&e, OUT_OF_MEMORY);
    inbuf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(splits_do_not_matter, fresh, empty),
        cmocka_unit_test_setup_teardown(streams, fresh, empty),
        cmocka_unit_test_setup_teardown(refuses_wrong_headers, fresh, empty),
        cmocka_unit_test_setup_teardown(names_what_is_not_tls, fresh, empty),
        cmocka_unit_test_setup_teardown(grows_to_the_record_and_no_further, fresh, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
