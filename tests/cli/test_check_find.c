/* cli/check/find.c: where there are more findings than fit the gravest stay; what peers wrote is kept so that it can be told anywhere.
 * links: jansson */
#define json_text text_json /* the library has one of that name within */
#include "../../cli/check/find.c"
#include "../../cli/check/lines.c"
#include "../../cli/common/tty.c"

#include "support/test.h"

static void test_gravest(void **state)
{
    struct check c = { .n = 0 };
    (void)state;
    check_find(&c, FOUND_NO_TLS13, "first");
    for (size_t i = 0; i < 2 * FINDINGS_MAX; i++)
        check_find(&c, FOUND_SPARE_CERT, "one of many");
    assert_int_equal(c.n, FINDINGS_MAX);
    check_find(&c, FOUND_ROOT_SENT, "less than all");
    check_find(&c, FOUND_TO_HTTP, "last");
    assert_int_equal(c.n, FINDINGS_MAX);
    assert_string_equal(c.findings[0].code, "check.no-tls13");
    assert_string_equal(c.findings[FINDINGS_MAX - 1].code, "check.redirect-to-http");
    assert_string_equal(c.findings[FINDINGS_MAX - 1].saw, "last");
    assert_string_equal(c.findings[FINDINGS_MAX - 2].code, "check.spare-certificate");
    check_find(&c, FOUND_SSL3, NULL);
    assert_string_equal(c.findings[FINDINGS_MAX - 2].code, "check.ssl3");
    assert_string_equal(c.findings[FINDINGS_MAX - 2].saw, "");
}

static void test_safely(void **state)
{
    static const struct { const char *text, *told; } rows[] = {
        { "", "" }, { "plain", "plain" }, { "a\x1b[31m", "a\\x1b[31m" }, { "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" }, { "\xff\xc3", "\\xff\\xc3" },
        { "\xc3\xa9", "\xc3\xa9" }, { "\xe2\x80\xae", "\\xe2\\x80\\xae" }, { "15 letters here", "15 letters here" }, { "16 letters are it", "16 letters a..." },
        { "12 letters12\xff", "12 letters12..." }, { "1234567890\xc3\xa9\xc3\xa9" "56", "1234567890\xc3\xa9..." },
    };
    char out[16];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        copy_safely(out, sizeof out, rows[i].text);
        assert_string_equal(out, rows[i].told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_gravest), cmocka_unit_test(test_safely) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
