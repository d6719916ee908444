/* cli/net/hsts.c: what browsers take for a rule, and what for none (RFC 6797 6.1, 8.1). */
#include "../../cli/net/hsts.c"

#include <limits.h>

#include "support/test.h"

static void test_max_age(void **state)
{
    static const struct { const char *value; long long age; } rows[] = {
        { "max-age=31536000", 31536000 }, { "max-age=0", 0 }, { "MAX-AGE=1", 1 }, { "max-age=\"86400\"", 86400 }, { " max-age \t= 5 ", 5 },
        { ";;max-age=5;", 5 }, { "max-age=5; includeSubDomains; preload", 5 }, { "includeSubDomains ; Max-Age = \"7\"", 7 },
        { "other=x; max-age=5", 5 }, { "x=\"a;max-age=1\"; max-age=5", 5 }, { "x=\"a\\\";max-age=1\"; max-age=5", 5 }, { "max-agex=1; max-age=5", 5 },
        { "max-age=99999999999999999999999", LLONG_MAX },
        /* nothing is said */
        { "", -1 }, { ";", -1 }, { "includeSubDomains", -1 }, { "x=\"max-age=5\"", -1 }, { "x=\"a;max-age=5\"", -1 }, { "max-agex=5", -1 },
        /* it does not conform, and is passed over, all of it */
        { "max-age", -1 }, { "max-age=", -1 }, { "max-age=\"\"", -1 }, { "max-age=-1", -1 }, { "max-age=5x", -1 }, { "max-age=\"5", -1 },
        { "max-age=\"5\\", -1 }, { "max-age=5 0", -1 }, { "max-age=5 includeSubDomains", -1 }, { "max-age=5, max-age=5", -1 }, { "max-age=\" 5\"", -1 },
        { "max-age=5; max-age=0", -1 }, { "max-age=5; Max-Age=5", -1 }, { "max-age=5; a b", -1 }, { "max-age=5; =", -1 }, { "max-age==5", -1 },
        { "max-age=5; includeSubDomains=1", -1 }, { "max-age=5; includeSubDomains; includesubdomains", -1 }, { "max-age=5; \xff", -1 },
    };
    char many[4 * DIRECTIVES_MOST + 64] = "max-age=5";
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (hsts_max_age(rows[i].value) != rows[i].age)
            test_fail("%s: %lld", rows[i].value, hsts_max_age(rows[i].value));
    for (size_t i = 1; i < DIRECTIVES_MOST; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ";a%zu", i);
    assert_int_equal(hsts_max_age(many), 5);
    snprintf(many + strlen(many), sizeof many - strlen(many), ";b");
    assert_int_equal(hsts_max_age(many), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_max_age) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
