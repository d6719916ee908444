/* cli/ca_records.c: what only the right moment shows.  links: sqlite3 */
#include "../../cli/ca_records.c"

#include "support/test.h"

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a;
    (void)fmt;
    return status;
}

static char dir[] = "/tmp/carecordsXXXXXX", path[64];

static int fresh(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/ca.db", dir);
    return 0;
}

static int away(void **state)
{
    (void)state;
    return unlink(path) | rmdir(dir);
}

static int meanwhile(unsigned what, void *ctx, void *stmt, void *text)
{
    bool *done = ctx;
    (void)what;
    (void)stmt;
    if (!*done && !strcmp(text, "PRAGMA user_version")) {
        struct records *other;
        *done = true;
        assert_int_equal(records_open(&other, NULL, path, true), EXIT_OK);
        records_close(other);
    }
    return 0;
}

/* It is laid out between two looks at it: then it is empty, or ours. */
static void test_laid_out_meanwhile(void **state)
{
    struct records r = { .path = path };
    bool empty = false, done = false;
    (void)state;
    assert_int_equal(sqlite3_open_v2(path, &r.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL), SQLITE_OK);
    assert_int_equal(keep_log(&r), EXIT_OK);
    sqlite3_trace_v2(r.db, SQLITE_TRACE_STMT, meanwhile, &done);
    assert_int_equal(is_ours(&r, &empty), EXIT_OK);
    assert_true(done && empty);
    assert_int_equal(is_ours(&r, &empty), EXIT_OK);
    assert_false(empty);
    sqlite3_close(r.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_laid_out_meanwhile) };
    return cmocka_run_group_tests(tests, fresh, away);
}
