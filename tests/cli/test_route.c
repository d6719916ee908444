/* cli/serve/route.c: what names mean, and which route is whose. */
#include "../../cli/common/idn.c"
#include "../../cli/serve/route.c"

#include "support/test.h"

enum { SAID_MAX = 600 };

static const char *values[2][8]; /* --route, --pass */
static char        said[SAID_MAX];
static unsigned    looked;
static bool        nobody_answers;

const char *args_nth(const struct args *a, enum opt o, size_t i)
{
    (void)a;
    return values[o == OPT_PASS][i];
}

const char *opt_name(enum opt o)
{
    return o == OPT_PASS ? "pass" : "route";
}

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a;
    va_list ap;
    va_start(ap, fmt);
    size_t n = strlen(said);
    vsnprintf(said + n, sizeof said - n, fmt, ap);
    va_end(ap);
    return status;
}

uint64_t now_us(void)
{
    return 0;
}

uint16_t address_port(const struct sockaddr_storage *sa)
{
    return (uint16_t)(sa->ss_family == AF_UNIX ? 0 : sa->ss_family); /* as backend_look makes them here */
}

bool target_parse(struct target *t, const struct args *a, const char *typed, const char *port)
{
    (void)a;
    *t = (struct target){ .typed = typed, .rest = "/" };
    snprintf(t->host, sizeof t->host, "%s", typed);
    snprintf(t->port, sizeof t->port, "%s", port);
    return !strchr(typed, ' ');
}

bool backend_look(struct backend *b, const struct target *t, uint64_t deadline, struct dialed *d)
{
    (void)deadline;
    looked++;
    snprintf(d->detail, sizeof d->detail, "%.60s: nobody knows", t->host);
    *b = (struct backend){ .n = !nobody_answers };
    b->at[0].ss_family = !strncmp(t->host, "unix:", 5) ? AF_UNIX : (sa_family_t)(1000 + atoi(t->host)); /* a port, for address_port */
    return !nobody_answers;
}

int backend_find(struct backend *b, const struct args *a, const char *where, const char *port, uint64_t deadline)
{
    struct dialed d;
    struct target t;
    (void)a;
    return target_parse(&t, NULL, where, port) && backend_look(b, &t, deadline, &d) ? EXIT_OK : EXIT_NETWORK;
}

void sandbox_port(struct sandbox *s, uint16_t port)
{
    s->open_ports[port / 8] |= (uint8_t)(1u << port % 8);
}

bool sandbox_allows(const struct sandbox *s, unsigned needs, uint16_t port)
{
    return !(needs & ~s->needs) && (!port || s->open_ports[port / 8] & 1u << port % 8);
}

/* One list: "+NAME=BACKEND" is passed on. */
static struct routes *read_all(const char *otherwise, const char *const *list, const struct routes *before, int *status)
{
    static struct args a;
    size_t n[2] = { 0, 0 };
    memset(values, 0, sizeof values);
    said[0] = 0;
    looked = 0;
    for (; *list; list++) {
        bool pass = **list == '+';
        values[pass][n[pass]++] = *list + pass;
    }
    a.given[OPT_ROUTE] = (unsigned)n[0];
    a.given[OPT_PASS] = (unsigned)n[1];
    return routes_read(&a, otherwise, "80", 1, before, status);
}

static const char *goes(const struct routes *r, const char *name)
{
    const struct route *found = routes_find(r, name, strlen(name));
    return found ? found->where : "nowhere";
}

static void test_names(void **state)
{
    static const struct { const char *text, *name; } good[] = {
        { "shop.example", "shop.example" }, { "Shop.EXAMPLE", "shop.example" }, { "*.Example", "*.example" }, { "localhost", "localhost" },
        { "a_b.example", "a_b.example" }, { "xn--bcher-kva.example", "xn--bcher-kva.example" },
    };
    static const struct { const char *text, *why; } bad[] = {
        { "*", "--backend" }, { "a..example", "empty" }, { ".example", "empty" }, { "*.", "empty" }, { "*.*.example", "first label" },
        { "a*.example", "first label" }, { "a.*", "first label" }, { "a b", "characters" }, { "https://a.example", "characters" }, { "a/b", "characters" },
        { "192.0.2.1", "address" }, { "::1", "address" }, { "[::1]", "address" }, { "a.example:443", "characters" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", "63" },
    };
    char out[ROUTE_NAME_MAX], longest[300];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_null(route_name(out, good[i].text));
        assert_string_equal(out, good[i].name);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *why = route_name(out, bad[i].text);
        if (!why || !strstr(why, bad[i].why))
            test_fail("%s: %s", bad[i].text, why ? why : "taken");
    }
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 10 == 9 ? '.' : 'a';
    longest[253] = 0;
    assert_null(route_name(out, longest));
    longest[253] = 'a';
    longest[254] = 0;
    assert_non_null(route_name(out, longest));
    longest[253] = 0;
    memcpy(longest, "*.", 2);
    assert_null(route_name(out, longest));
}

static void test_most_specific(void **state)
{
    static const char *const list[] = { "shop.example=1", "*.example=2", "*.shop.example=3", "+bank.example=4", "a.b.c=5", NULL };
    static const struct { const char *name, *where; } asked[] = {
        { "shop.example", "1" }, { "SHOP.Example", "1" }, { "shop.example.", "1" }, { "other.example", "2" }, { "a.shop.example", "3" }, { "bank.example", "4" },
        { "a.b.shop.example", "9" }, { "example", "9" }, { "a.b.c", "5" }, { "b.c", "9" }, { "", "9" }, { ".", "9" }, { ".example", "9" },
        { "*.example", "9" }, { "*", "9" }, { "shop.example..", "9" }, { "xshop.example", "2" },
    };
    int status;
    (void)state;
    for (int otherwise = 0; otherwise < 2; otherwise++) {
        struct routes *r = read_all(otherwise ? "9" : NULL, list, NULL, &status);
        assert_non_null(r);
        assert_int_equal(status, EXIT_OK);
        assert_true(routes_by_name(r));
        for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
            assert_string_equal(goes(r, asked[i].name), *asked[i].where == '9' && !otherwise ? "nowhere" : asked[i].where);
        assert_true(routes_find(r, "bank.example", 12)->pass && !routes_find(r, "shop.example", 12)->pass);
        assert_ptr_equal(routes_find(r, "shop.example\0x", 14), r->otherwise);
        char names[200];
        routes_names(names, sizeof names, r);
        assert_string_equal(names, "*.example, *.shop.example, a.b.c, bank.example, shop.example");
        routes_names(names, 45, r);
        assert_string_equal(names, "*.example, *.shop.example, and 3 more");
        routes_free(r);
    }
    struct routes *only = read_all("9", (const char *const[]){ NULL }, NULL, &status);
    assert_false(routes_by_name(only));
    assert_string_equal(goes(only, "shop.example"), "9");
    routes_free(only);
}

static void test_mistakes(void **state)
{
    static const struct { const char *list[4], *say; int status; } rows[] = {
        { { "shop.example" }, "`shop.example' is no route: it has no =", EXIT_USAGE },
        { { "=1" }, "the name is empty", EXIT_USAGE },
        { { "shop.example=" }, "its backend is empty", EXIT_USAGE },
        { { "shop.example=1", "SHOP.example=2" }, "`SHOP.example=2' is no route: that name has a --route already", EXIT_USAGE },
        { { "shop.example=1", "+shop.example=2" }, "`shop.example=2' is no pass: that name has a --route already", EXIT_USAGE },
        { { "+shop.example=1", "+shop.example=1" }, "that name has a --pass already", EXIT_USAGE },
        { { "shop.example=not here" }, "no place to connect to", EXIT_USAGE },
        { { "shop.example=1,send-proxy=v3" }, "none, v1, v2", EXIT_USAGE },
        { { "shop.example=,send-proxy=v2" }, "empty", EXIT_USAGE },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = EXIT_OK;
        assert_null(read_all(NULL, rows[i].list, NULL, &status));
        assert_int_equal(status, rows[i].status);
        if (!strstr(said, rows[i].say))
            test_fail("%s: %s", rows[i].say, said);
    }
    int status;
    assert_null(read_all(NULL, (const char *const[]){ "a", "b=", NULL }, NULL, &status)); /* all are told */
    assert_true(strstr(said, "`a'") && strstr(said, "`b='"));
}

static void test_own_words(void **state)
{
    static const char *const list[] = { "a=unix:/a,b,send-proxy=v2", "b=1,send-proxy=none", "+c=1", NULL };
    int status;
    (void)state;
    struct routes *r = read_all(NULL, list, NULL, &status);
    assert_non_null(r);
    assert_string_equal(goes(r, "a"), "unix:/a,b");
    assert_int_equal(routes_find(r, "a", 1)->herald, 2);
    assert_int_equal(routes_find(r, "b", 1)->herald, 0);
    assert_int_equal(routes_find(r, "c", 1)->herald, 1);
    assert_int_equal(looked, 2); /* the same backend once */
    routes_free(r);
}

static void test_again(void **state)
{
    static const char *const first[] = { "a=1", "b=unix:/b", NULL }, *const then[] = { "a=1", "b=unix:/b", "c=1", "d=2", NULL };
    struct sandbox box = { .needs = 0 }, none = { .needs = 0 };
    int status;
    (void)state;
    struct routes *r = read_all("1", first, NULL, &status);
    routes_find(r, "a", 1)->connections = 7;
    r->otherwise->connections = 3;
    box.needs = routes_need(r);
    routes_let_in(r, &box);
    assert_true(box.needs == (NEEDS_CONNECT | NEEDS_NAMES));
    assert_true(routes_reached(r, NULL, &box));

    nobody_answers = true; /* what is known stays, what is new cannot be taken */
    struct routes *same = read_all("1", first, r, &status);
    assert_non_null(same);
    assert_int_equal(routes_find(same, "a", 1)->to.n, 1);
    assert_int_equal(routes_find(same, "a", 1)->connections, 7);
    assert_int_equal(same->otherwise->connections, 3);
    assert_non_null(strstr(said, "nobody knows"));
    assert_null(read_all("1", then, r, &status));
    assert_int_equal(status, EXIT_NETWORK);
    nobody_answers = false;

    struct routes *more = read_all("1", then, r, &status);
    assert_non_null(more);
    said[0] = 0;
    assert_false(routes_reached(more, NULL, &box)); /* d's port */
    assert_non_null(strstr(said, "d: 2 lies where"));
    assert_null(strstr(said, "a: "));
    routes_free(more);

    struct routes *local = read_all(NULL, (const char *const[]){ "b=unix:/b", NULL }, NULL, &status);
    assert_true(routes_need(local) == NEEDS_CONNECT);
    none.needs = routes_need(local);
    assert_true(routes_reached(local, NULL, &none));
    assert_false(routes_reached(r, NULL, &none)); /* no names are looked up there */
    struct routes *held = routes_share(r);
    routes_free(r);
    assert_string_equal(goes(held, "a"), "1"); /* a connection's own */
    routes_free(held);
    routes_free(same);
    routes_free(local);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_most_specific), cmocka_unit_test(test_mistakes),
                                        cmocka_unit_test(test_own_words), cmocka_unit_test(test_again) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
