/* cli/common/nets.c: who is in a list of networks, down to the bit. */
#include "../../cli/common/nets.c"

#include "support/test.h"

static const char *lists[3];

const char *args_nth(const struct args *a, enum opt o, size_t i)
{
    (void)a;
    (void)o;
    return i < 2 ? lists[i] : NULL;
}

const char *opt_name(enum opt o)
{
    (void)o;
    return "option";
}

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a;
    (void)fmt;
    return status;
}

static bool has(const struct nets *s, const char *address)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return nets_have(s, (struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return nets_have(s, (struct sockaddr *)&six);
}

static void test_bits(void **state)
{
    static const struct { const char *list, *in, *out; } rows[] = {
        { "10.0.0.0/8", "10.255.255.255", "11.0.0.0" },
        { "126.0.0.0/7", "127.255.0.1", "128.0.0.0" },
        { "126.0.0.0/7", "126.0.0.1", "125.255.255.255" },
        { "192.0.2.128/25", "192.0.2.128", "192.0.2.127" },
        { "192.0.2.4/31", "192.0.2.5", "192.0.2.6" },
        { "192.0.2.4", "192.0.2.4", "192.0.2.5" },
        { "192.0.2.4/32", "::ffff:192.0.2.4", "::192.0.2.4" }, /* as a socket of both families has it */
        { "128.0.0.0/1", "255.1.1.1", "127.1.1.1" },
        { "0.0.0.0/0", "1.2.3.4", "::1" },
        { "::/0", "1.2.3.4", NULL },
        { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::" },
        { "2001:db8::1", "2001:db8::1", "2001:db8::2" },
        { "fe80::/10", "febf::1", "fec0::" },
        { "::1,10.0.0.0/8", "10.1.1.1", "::2" },
        { "unix", NULL, "127.0.0.1" },
    };
    const struct sockaddr local = { .sa_family = AF_UNIX }, other = { .sa_family = AF_UNSPEC };
    struct nets s;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lists[0] = rows[i].list;
        assert_true(nets_read(&s, NULL, OPT_ACCEPT_PROXY) && nets_any(&s));
        assert_true(!rows[i].in || has(&s, rows[i].in));
        assert_false(rows[i].out && has(&s, rows[i].out));
        assert_int_equal(nets_have(&s, &local), !strcmp(rows[i].list, "unix"));
        assert_false(nets_have(&s, &other));
    }
    lists[0] = "10.0.0.0/8";
    lists[1] = "unix,::1"; /* the option given twice */
    assert_true(nets_read(&s, NULL, OPT_ACCEPT_PROXY));
    assert_true(has(&s, "10.0.0.1") && has(&s, "::1") && nets_have(&s, &local));
    lists[0] = lists[1] = NULL;
    assert_true(nets_read(&s, NULL, OPT_ACCEPT_PROXY));
    assert_false(nets_any(&s) || has(&s, "10.0.0.1"));
}

static void test_mistakes(void **state)
{
    static const char *const rows[] = { "", ",", "10.0.0.0/8,", "10.0.0.1/8", "2001:db8::1/64", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/ 8",
                                        "10.0.0.0/0x8", "10.0.0", "10.0.0.0.0/8", "010.0.0.0/8", "localhost", "Unix", " ::1", "10.0.0.0/8 " };
    struct nets s;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lists[0] = rows[i];
        assert_false(nets_read(&s, NULL, OPT_ACCEPT_PROXY));
    }
    lists[0] = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_bits), cmocka_unit_test(test_mistakes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
