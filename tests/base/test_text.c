/* Text into bounded memory: nothing is written past the end, what was left out shows, and times, base64 and hexadecimal go both ways. */
#include "base/error.h"
#include "base/text.h"
#include "support/test.h"

/* Whatever is added, in whatever room: terminated, inside, dots where something is missing, and never half a character. */
static void test_room(void **state)
{
    (void)state;
    static const char words[] = "caf\xc3\xa9 \xe2\x82\xac 12345";
    for (size_t cap = 1; cap < 2 * sizeof words; cap++) {
        char *room = malloc(cap);
        struct text t = text_in(room, cap);
        text_add(&t, "%s", words);
        text_add(&t, "%s", "");
        assert_true(memchr(room, 0, cap) != NULL);
        assert_int_equal(t.cut, cap < sizeof words);
        if (!t.cut) {
            assert_string_equal(room, words);
        } else if (cap > 4) {
            assert_string_equal(room + t.n - 3, "...");
            assert_memory_equal(room, words, t.n - 3);
            assert_true(((unsigned char)words[t.n - 3] & 0xc0) != 0x80);
            size_t before = t.n;
            text_add(&t, "more");
            assert_int_equal(t.n, before);
        }
        free(room);
    }
}

static void test_detail(void **state)
{
    (void)state;
    troth_error x = { 0 };
    char most[400];
    memset(most, 'a', sizeof most - 1);
    most[sizeof most - 1] = 0;
    most[3] = '\x1b';
    assert_false(error_set(&x, TROTH_R_BUG, __FILE__, __LINE__, "%s", most));
    assert_int_equal(strlen(x.detail), sizeof x.detail - 1);
    assert_string_equal(x.detail + sizeof x.detail - 4, "...");
    assert_int_equal(x.detail[3], '?'); /* nothing that a terminal would obey */
    assert_false(error_set(&x, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "an echo"));
    assert_int_equal(x.reason, TROTH_R_BUG); /* the first failure wins */
}

static void test_escaped(void **state)
{
    (void)state;
    static const struct { const char *in, *out; } rows[] = {
        { "plain", "plain" }, { "caf\xc3\xa9", "caf\xc3\xa9" },        { "a\x1b[31m", "a\\x1b[31m" },
        { "\"\\", "\\x22\\x5c" }, { "\xc3", "\\xc3" },                 { "\xc0\xaf", "\\xc0\\xaf" },          /* overlong */
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */       { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char room[80];
        struct text t = TEXT_IN(room);
        text_escaped(&t, span_of(rows[i].in, strlen(rows[i].in)));
        assert_string_equal(room, rows[i].out);
    }
}

static void test_time(void **state)
{
    (void)state;
    static const struct { int64_t at; const char *text; } rows[] = {
        { 0, "1970-01-01T00:00:00Z" },           { -1, "1969-12-31T23:59:59Z" },          { 951782400, "2000-02-29T00:00:00Z" },
        { 4102444799, "2099-12-31T23:59:59Z" },  { 4107542400, "2100-03-01T00:00:00Z" },  { 253402300799, "9999-12-31T23:59:59Z" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char room[40];
        struct text t = TEXT_IN(room);
        text_time(&t, rows[i].at);
        assert_string_equal(room, rows[i].text);
    }
    /* every day of eight centuries is the day after the day before */
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t want = time_from_civil(1600, 1, 1, 0, 0, 0);
    for (int y = 1600; y < 2400; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= days[m - 1] + (m == 2 && (y % 4 == 0 && (y % 100 || y % 400 == 0))); d++, want += 86400)
                assert_true(time_from_civil(y, m, d, 0, 0, 0) == want);
}

static void test_distance(void **state)
{
    (void)state;
    static const struct { int64_t from, to; const char *text; } rows[] = {
        { 0, 12, "12 seconds" },         { 5, 4, "1 second" },   { -100, 80, "3 minutes" },
        { 7200, 0, "2 hours" },          { 86400, 594 * 86400LL, "593 days" },
        { INT64_MIN, INT64_MAX, "213503982334601 days" }, { INT64_MAX, INT64_MIN, "213503982334601 days" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char room[40];
        struct text t = TEXT_IN(room);
        text_distance(&t, rows[i].from, rows[i].to);
        assert_string_equal(room, rows[i].text);
    }
}

static void test_base64(void **state)
{
    (void)state;
    static const struct { const char *bytes, *text; } rows[] = { /* RFC 4648 10 */
        { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
    };
    uint8_t bytes[16];
    char text[16];
    size_t n;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        span b = span_of(rows[i].bytes, strlen(rows[i].bytes)), t = span_of(rows[i].text, strlen(rows[i].text));
        assert_int_equal(base64_encode(text, sizeof text, b), t.n);
        assert_string_equal(text, rows[i].text);
        assert_true(base64_decode(bytes, sizeof bytes, &n, t) && span_equal(span_of(bytes, n), b));
        if (b.n) {
            assert_false(base64_decode(bytes, b.n - 1, &n, t));
            assert_int_equal(base64_encode(text, t.n, b), 0);
        }
    }
    assert_true(base64_decode(bytes, sizeof bytes, &n, SPAN_TEXT(" Zm9v\r\nYmFy\t")) && n == 6);
    static const char *bad[] = { "Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zm9v=", "Zm9v!", "Zg==Zg==" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (base64_decode(bytes, sizeof bytes, &n, span_of(bad[i], strlen(bad[i]))))
            test_fail("taken: %s", bad[i]);
}

static void test_hex(void **state)
{
    (void)state;
    uint8_t bytes[4];
    char room[9];
    size_t n;
    assert_true(hex_decode(bytes, sizeof bytes, &n, SPAN_TEXT("00fFa5")) && n == 3);
    struct text t = TEXT_IN(room);
    text_hex(&t, span_of(bytes, n));
    assert_string_equal(room, "00ffa5");
    assert_false(hex_decode(bytes, sizeof bytes, &n, SPAN_TEXT("0")));
    assert_false(hex_decode(bytes, sizeof bytes, &n, SPAN_TEXT("0g")));
    assert_false(hex_decode(bytes, 2, &n, SPAN_TEXT("000000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),     cmocka_unit_test(test_detail), cmocka_unit_test(test_escaped), cmocka_unit_test(test_time),
        cmocka_unit_test(test_distance), cmocka_unit_test(test_base64), cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
