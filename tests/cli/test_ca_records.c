/* cli/ca/records.c: what only the right moment shows.  links: sqlite3 */
#include "../../cli/ca/records.c"

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
    return rmdir(dir);
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

/* Another one lays it out between two looks at it: what is seen is all of before, and then that nothing is left to do. */
static void laid_out_meanwhile(int64_t before)
{
    struct records *r = calloc(1, sizeof *r);
    bool done = false;
    assert_non_null(r);
    r->path = strdup(path);
    assert_int_equal(sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL), SQLITE_OK);
    assert_int_equal(keep_log(r), EXIT_OK);
    sqlite3_trace_v2(r->db, SQLITE_TRACE_STMT, meanwhile, &done);
    assert_int_equal(is_ours(r), EXIT_OK);
    assert_true(done);
    assert_int_equal(r->layout, before);
    assert_int_equal(lay_out(r), EXIT_OK);
    assert_int_equal(r->layout, LAYOUT);
    records_close(r);
    unlink(path);
}

static void test_laid_out_meanwhile(void **state)
{
    (void)state;
    laid_out_meanwhile(0);
}

static void test_brought_forward_meanwhile(void **state)
{
    struct records r = { .path = path };
    char sql[64];
    (void)state;
    for (int64_t old = 1; old < LAYOUT; old++) {
        assert_int_equal(sqlite3_open(path, &r.db), SQLITE_OK);
        for (int64_t i = 0; i < old; i++)
            assert_true(run(&r, steps[i]));
        snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION, (int)old);
        assert_true(run(&r, sql));
        sqlite3_close(r.db);
        laid_out_meanwhile(old);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_laid_out_meanwhile), cmocka_unit_test(test_brought_forward_meanwhile) };
    return cmocka_run_group_tests(tests, fresh, away);
}
