/* cli/serve/expiry.c: from when on a certificate is spoken of. */
#include "../../cli/serve/expiry.c"

#include <string.h>

#include "support/test.h"

static int said;

void log_line(const struct log *l, const char *level, const char *event, ...)
{
    (void)l;
    assert_string_equal(level, "warn");
    assert_string_equal(event, "certificate");
    said++;
}

const char *time_words(char *out, size_t cap, int64_t t)
{
    snprintf(out, cap, "%lld", (long long)t);
    return out;
}

static void test_when(void **state)
{
    enum { YEAR = 365 * DAY };
    static const struct { int64_t life, left; long days; enum troth_reason why; } rows[] = {
        { YEAR, 14 * DAY, EXPIRY_DEFAULT, TROTH_R_NONE },  { YEAR, 14 * DAY - 1, EXPIRY_DEFAULT, TROTH_R_EXPIRES_SOON },
        { YEAR, 0, EXPIRY_DEFAULT, TROTH_R_EXPIRES_SOON }, { YEAR, -1, EXPIRY_DEFAULT, TROTH_R_CERT_EXPIRED },
        { 6 * DAY, 2 * DAY, EXPIRY_DEFAULT, TROTH_R_NONE }, { 6 * DAY, 2 * DAY - 1, EXPIRY_DEFAULT, TROTH_R_EXPIRES_SOON },
        { YEAR, 40 * DAY - 1, 40, TROTH_R_EXPIRES_SOON },  { YEAR, 40 * DAY, 40, TROTH_R_NONE },
        { 6 * DAY, 5 * DAY, 40, TROTH_R_EXPIRES_SOON },    { YEAR, 0, 0, TROTH_R_NONE },
        { YEAR, -1, 0, TROTH_R_CERT_EXPIRED },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct identity_facts f = { .certificate = true, .not_before = 1000, .not_after = 1000 + rows[i].life };
        assert_int_equal(expiry_of(&f, f.not_after - rows[i].left, rows[i].days), rows[i].why);
    }
    const struct identity_facts raw = { .certificate = false }, endless = { .certificate = true, .not_after = INT64_MAX };
    assert_int_equal(expiry_of(&raw, 1, 40), TROTH_R_NONE);
    assert_int_equal(expiry_of(&endless, 1, 40), TROTH_R_NONE);
}

static void test_each(void **state)
{
    struct identity_facts f[3] = { { .certificate = true, .file = "a", .not_after = 100 * DAY }, { .certificate = false },
                                   { .certificate = true, .file = "b", .not_after = 10 * DAY } };
    const struct identities all = { f, 3 };
    const struct log l = { .quiet = true };
    (void)state;
    memset(f[0].subject, 'x', sizeof f[0].subject - 1); /* as long as it can be */
    expiry_look(&l, &all, 9 * DAY, 14);
    assert_int_equal(said, 1);
    expiry_look(&l, &all, 101 * DAY, 14); /* the next time again */
    assert_int_equal(said, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_when), cmocka_unit_test(test_each) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
