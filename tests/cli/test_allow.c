/* cli/setup/allow.c: which rules there can be, and which names they mean. */
#include "../../cli/setup/allow.c"
#include "../../cli/common/idn.c"

#include "support/test.h"

const char *args_nth(const struct args *a, enum opt o, size_t i)
{
    (void)a;
    return o == OPT_ALLOW_CN && i < 40 ? "somebody with quite a long name" : NULL;
}

const char *opt_name(enum opt o)
{
    (void)o;
    return "allow";
}

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a;
    (void)fmt;
    return status;
}

bool pin_read(const struct args *a, enum opt o, const char *text, uint8_t digest[32])
{
    (void)a, (void)o, (void)text, (void)digest;
    return true;
}

void common_name(char *out, size_t cap, const char *dn)
{
    snprintf(out, cap, "%s", dn);
}

static void test_rules(void **state)
{
    static const struct { const char *text, *rule; } good[] = {
        { "DNS:me.example", "DNS:me.example" }, { "dns:*.Example", "DNS:*.Example" }, { "Email:me@mail.example", "email:me@mail.example" },
        { "uri:spiffe://x/*", "URI:spiffe://x/*" }, { "URI:spiffe://x/a/**", "URI:spiffe://x/a/**" }, { "IP:192.0.2.1", "IP:192.0.2.1" }, { "ip:::1", "IP:::1" },
    };
    static const char *const bad[] = { "me.example", "", "DNS", "DNS:", "DNS:a*.example", "DNS:*.*.example", "DNS:*", "URI:x", "URI:spiffe://x/a*", "URI:spiffe://*/a",
                                       "URI:spiffe://x/***", "URI:a: b", "URI:a:\\", "EMAIL:me", "EMAIL:@x", "IP:192.0.2", "IP:x", "dir:CN=x", "other:1",
                                       "URI:spiffe://x/*/*", "DNS:me.example.", "DNS:.example", "DNS:me..example", "DNS:me example", "DNS:me\\x00", "DNS:*..x" };
    char out[RULE_MAX], longest[400];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(allow_rule(out, sizeof out, good[i].text));
        assert_string_equal(out, good[i].rule);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!allow_rule(out, sizeof out, bad[i]))
            test_fail("%s: taken", bad[i]);
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "DNS:", 4);
    longest[399] = 0;
    assert_non_null(allow_rule(out, sizeof out, longest));
}

static void test_names(void **state)
{
    static const struct { const char *rule, *name; bool fits; } rows[] = {
        { "DNS:me.example", "DNS:me.example", true }, { "DNS:me.example", "DNS:ME.Example", true }, { "DNS:me.example", "DNS:you.example", false },
        { "DNS:me.example", "URI:me.example", false }, { "DNS:me.example", "DNS:*.example", false }, { "DNS:me.example", "DNS:me.example.", false },
        { "DNS:me.example", "DNS:me.example\\x00.evil", false },
        { "DNS:*.example", "DNS:me.example", true }, { "DNS:*.example", "DNS:a.me.example", false }, { "DNS:*.example", "DNS:example", false },
        { "DNS:*.example", "DNS:.example", false }, { "DNS:*.example", "DNS:*.example", true }, { "DNS:*.example", "DNS:*.Example", false },
        { "URI:spiffe://x/a", "URI:spiffe://x/a", true }, { "URI:spiffe://x/a", "URI:spiffe://x/A", false }, { "URI:spiffe://x/a", "URI:spiffe://x/a/b", false },
        { "URI:spiffe://x/*", "URI:spiffe://x/a", true }, { "URI:spiffe://x/*", "URI:spiffe://x/a/b", false }, { "URI:spiffe://x/*", "URI:spiffe://x/", false },
        { "URI:spiffe://x/*", "URI:spiffe://x", false }, { "URI:spiffe://x/*", "URI:spiffe://xy/a", false }, { "URI:spiffe://x/*", "URI:spiffe://x/a?b", false },
        { "URI:spiffe://x/*", "URI:s", false },
        { "URI:spiffe://x/**", "URI:spiffe://x/a/b", true }, { "URI:spiffe://x/**", "URI:spiffe://x/a", true }, { "URI:spiffe://x/a/**", "URI:spiffe://x/a/../b", false },
        { "URI:spiffe://x/*", "URI:spiffe://x/.", false }, { "URI:spiffe://x/**", "URI:spiffe://x/./a", false }, { "URI:spiffe://x/**", "URI:spiffe://x/a/.", false },
        { "URI:spiffe://x/**", "URI:spiffe://x/a/./b", false }, { "URI:spiffe://x/**", "URI:spiffe://x/.a/b.c/d.", true }, { "URI:spiffe://x/*", "URI:spiffe://x/a%2fb", false },
        { "URI:spiffe://x/**", "URI:spiffe://x/%2e%2e/a", false }, { "URI:spiffe://x/*", "URI:spiffe://x/a\\x5cb", false }, { "URI:spiffe://x/a%20b", "URI:spiffe://x/a%20b", true },
        { "URI:spiffe://x/*", "URI:spiffe://x/aaaa...", false },
        { "URI:spiffe://x/**", "URI:spiffe://x//a", false }, { "URI:spiffe://x/**", "URI:spiffe://x/a//b", false }, { "URI:spiffe://x/**", "URI:spiffe://x/", false },
        { "email:me@mail.example", "email:me@MAIL.example", true }, { "email:me@mail.example", "email:Me@mail.example", false },
        { "email:me@mail.example", "email:you@mail.example", false }, { "email:me@mail.example", "email:notme@mail.example", false },
        { "IP:192.0.2.1", "IP:192.0.2.1", true }, { "IP:192.0.2.1", "IP:192.0.2.10", false }, { "IP:2001:DB8::0:1", "IP:2001:db8::1", true },
        { "IP:2001:db8::1", "IP:192.0.2.1", false }, { "IP:192.0.2.1", "DNS:192.0.2.1", false }, { "dir:CN=x", "dir:CN=x", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (allow_name(rows[i].rule, rows[i].name) != rows[i].fits)
            test_fail("%s, %s", rows[i].rule, rows[i].name);
}

/* However long names are, and however many rules. */
static void test_refusal(void **state)
{
    static const char *const names[] = { "DNS:somebody.with.quite.a.long.name.example", "URI:spiffe://example.org/somebody/with/quite/a/long/name", NULL },
                      *const few[] = { "DNS:b", NULL };
    static struct args a;
    struct owner who = { .cn = "somebody", .names = names }, none = { .cn = "", .names = few };
    struct allow *w;
    char out[SAY_MAX];
    (void)state;
    a.given[OPT_ALLOW_CN] = 40;
    assert_true(allow_read(&w, &a));
    assert_int_equal(w->n, 40);
    refusal(out, w, &who);
    assert_true(strlen(out) < SAY_MAX && !strncmp(out, "it has CN=somebody, DNS:somebody.with.quite.", 44));
    assert_non_null(strstr(out, "...; let in: CN=somebody with quite a long name, "));
    w->n = 1;
    refusal(out, w, &none);
    assert_string_equal(out, "it has DNS:b; let in: CN=somebody with quite a long name");
    assert_false(fits(&w->rules[0], &none));
    snprintf(none.cn, sizeof none.cn, "somebody with quite a long name");
    assert_true(fits(&w->rules[0], &none));
    allow_free(allow_share(w));
    allow_free(w);
    a.given[OPT_ALLOW_CN] = 0;
    assert_true(allow_read(&w, &a));
    assert_null(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules), cmocka_unit_test(test_names), cmocka_unit_test(test_refusal) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
