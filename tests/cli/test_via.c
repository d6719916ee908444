/* cli/net/via.c: proxy URLs, the lists of NO_PROXY, and what a proxy may answer to CONNECT, to the byte. */
#include "../../cli/net/via.c"

#include "../../cli/net/dial.c"
#include "../../cli/net/http1.c"
#include "../../cli/common/digits.c"
#include "../../cli/common/idn.c"
#include "../../cli/common/outfile.c"
#include "../../cli/net/socks.c"
#include "../../cli/common/target.c"

#include "support/test.h"

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a, (void)fmt;
    return status;
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *port, *login; /* host NULL: refused */
    } rows[] = {
        { "http://proxy.example:3128", "proxy.example", "3128", NULL },
        { "proxy.example:3128", "proxy.example", "3128", NULL },
        { "proxy.example", "proxy.example", "1080", NULL },
        { "HTTP://proxy.example/", "proxy.example", "1080", NULL },
        { "http://proxy.example:8080/path?x", "proxy.example", "8080", NULL },
        { "http://[::1]:3128", "::1", "3128", NULL },
        { "[::1]", "::1", "1080", NULL },
        { "http://user:secret@proxy.example:1", "proxy.example", "1",
          "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" },
        { "u@proxy.example", "proxy.example", "1080", "Proxy-Authorization: Basic dTo=\r\n" },
        { "http://a%40b:c%3ad@h", "h", "1080", "Proxy-Authorization: Basic YUBiOmM6ZA==\r\n" },
        { "http://a:b@c@h", "h", "1080", "Proxy-Authorization: Basic YTpiQGM=\r\n" },
        { "http://a:50%!%4@h", "h", "1080", "Proxy-Authorization: Basic YTo1MCUhJTQ=\r\n" },
        { "http://@h", "h", "1080", NULL },
        { "http://:@h", "h", "1080", "Proxy-Authorization: Basic Og==\r\n" },
        { "https://h", NULL, NULL, NULL },
        { "socks5h://h", "h", "1080", NULL },
        { "SOCKS5://u:p@h:9050", "h", "9050", NULL },
        { "socks://h", NULL, NULL, NULL },
        { "socks4a://h", NULL, NULL, NULL },
        { "ftp://h", NULL, NULL, NULL },
        { "http://", NULL, NULL, NULL },
        { "http://:80", NULL, NULL, NULL },
        { "http://h:99999", NULL, NULL, NULL },
        { "http://h:x", NULL, NULL, NULL },
        { "http://user:12/34@h", NULL, NULL, NULL },
        { "http://a%0ab:c@h", NULL, NULL, NULL },
        { "http://a\nb:c@h", NULL, NULL, NULL },
        { "http://h\r\nX: y", NULL, NULL, NULL },
        { "http://unix:/h", NULL, NULL, NULL },
        { "unix:/run/socket", NULL, NULL, NULL },
        { "http://@", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct via v;
        char header[VIA_HEADER_MAX] = "?";
        const char *wrong = via_parse(&v, rows[i].url);
        if (!wrong != !!rows[i].host || via_used(&v) != !!rows[i].host)
            test_fail("%s: %s", rows[i].url, wrong ? wrong : "taken");
        if (wrong)
            continue;
        via_header(header, &v);
        if (strcmp(v.at.host, rows[i].host) != 0 || strcmp(v.at.port, rows[i].port) != 0 ||
            strcmp(header, rows[i].login ? rows[i].login : "") != 0)
            test_fail("%s: %s %s %s", rows[i].url, v.at.host, v.at.port, header);
    }
    char url[2000] = "http://";
    struct via v;
    for (size_t n = 0; n <= VIA_LOGIN_MAX + 1; n++) { /* as long as it may be, and longer */
        snprintf(url + 7, sizeof url - 7, "%0*d@h", (int)n + 1, 0);
        bool ok = !via_parse(&v, url);
        assert_int_equal(ok, n + 1 <= VIA_LOGIN_MAX);
        char header[VIA_HEADER_MAX];
        if (ok)
            via_header(header, &v);
    }
}

static void test_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *list, *host;
        bool out;
    } rows[] = {
        { "a.example", "a.example", true },
        { "a.example", "b.a.example", true },
        { "a.example", "ba.example", false },
        { "a.example", "example", false },
        { ".a.example", "a.example", true },
        { ".a.example", "b.a.example", true },
        { "..a.example", "b.a.example", false },
        { "A.Example.", "a.example", true },
        { "a.example", "a.EXAMPLE.", true },
        { "x, y\ta.example", "a.example", true },
        { ",,a.example,", "a.example", true },
        { "", "a.example", false },
        { ".", "a.example", false },
        { ",", "a.example", false },
        { "*", "a.example", true },
        { "x,*", "::1", true },
        { "*.example", "a.example", false },
        { "a.example:443", "a.example", true },
        { "a.example:0443", "a.example", true },
        { "a.example:8443", "a.example", false },
        { "a.example:", "a.example", false },
        { "a.example:x443", "a.example", false },
        { "*:443", "a.example", true },
        { "*:444", "a.example", false },
        { "127.0.0.1", "127.0.0.1", true },
        { "127.0.0.1", "127.1", true },
        { "127.0.0.1", "127.0.0.2", false },
        { ".0.0.1", "127.0.0.1", false },
        { "0.0.1", "127.0.0.1", false },
        { "127.0.0.0/8", "127.9.8.7", true },
        { "127.0.0.0/8:443", "127.9.8.7", true },
        { "127.0.0.0/8:444", "127.9.8.7", false },
        { "127.0.0.0/8", "128.0.0.1", false },
        { "10.32.0.0/11", "10.63.255.255", true },
        { "10.32.0.0/11", "10.64.0.0", false },
        { "10.1.2.3/31", "10.1.2.2", true },
        { "10.1.2.3/32", "10.1.2.2", false },
        { "0.0.0.0/0", "10.1.2.2", true },
        { "10.0.0.0/33", "10.0.0.0", false },
        { "10.0.0.0/-1", "10.0.0.0", false },
        { "10.0.0.0/", "10.0.0.0", false },
        { "10.0.0.0/8x", "10.0.0.0", false },
        { "10.0.0.0/4294967304", "10.0.0.0", false },
        { "10.0.0.0/8/8", "10.0.0.0", false },
        { "::1", "::1", true },
        { "0:0::1", "::1", true },
        { "[::1]", "::1", true },
        { "[::1]:443", "::1", true },
        { "[::1]:444", "::1", false },
        { "[::1", "::1", false },
        { "2001:db8::/32", "2001:db8:ffff::1", true },
        { "[2001:db8::/32]:443", "2001:db8:ffff::1", true },
        { "2001:db8::/33", "2001:db8:8000::1", false },
        { "::/129", "::1", false },
        { "0.0.0.0/0", "::1", false },
        { "::/0", "127.0.0.1", false },
        { "example", "127.0.0.1", false },
        { "localhost", "127.0.0.1", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (via_left_out(rows[i].list, rows[i].host, "443") != rows[i].out)
            test_fail("`%s' and %s", rows[i].list, rows[i].host);
    char longest[ENTRY_MAX + 8];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + sizeof longest - 5, ",b.c", 5);
    assert_true(via_left_out(longest, "b.c", "443"));
}

/* ---- the choice */

static void clear(void)
{
    static const char *const all[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                       "all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        unsetenv(all[i]);
}

static const char *chosen(const struct args *a, const char *host, const char *scheme)
{
    static struct via v;
    static char why[300];
    struct target t;
    assert_true(target_parse(&t, NULL, host, "443"));
    return !via_choose(&v, a, &t, scheme, why, sizeof why) ? why : via_used(&v) ? v.at.host : "directly";
}

static void test_choice(void **state)
{
    (void)state;
    static struct args none, option, empty, off;
    static const char *const order[] = { "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy" };
    option.given[OPT_PROXY] = empty.given[OPT_PROXY] = off.given[OPT_NO_PROXY] = 1;
    option.value[OPT_PROXY] = "http://given";
    empty.value[OPT_PROXY] = "";
    clear();
    assert_string_equal(chosen(&none, "a.example", "https"), "directly");
    for (size_t i = 0; i < 4; i++) {
        setenv(order[i], order[i], 1);
        assert_string_equal(chosen(&none, "a.example", "https"), order[i]);
        assert_string_equal(chosen(&none, "a.example", "http"), order[i < 1 ? i : 1]);
        assert_string_equal(chosen(&off, "a.example", "https"), "directly");
        assert_string_equal(chosen(&empty, "a.example", "https"), "directly");
        assert_string_equal(chosen(&option, "a.example", "https"), "given");
    }
    setenv("https_proxy", "", 1);
    assert_string_equal(chosen(&none, "a.example", "https"), "HTTPS_PROXY");
    setenv("http_proxy", "lower", 1);
    setenv("HTTP_PROXY", "upper", 1);
    assert_string_equal(chosen(&none, "a.example", "http"), "lower");
    setenv("NO_PROXY", "a.example", 1);
    assert_string_equal(chosen(&none, "a.example", "https"), "directly");
    assert_string_equal(chosen(&option, "a.example", "https"), "directly");
    assert_string_equal(chosen(&none, "b.example", "https"), "HTTPS_PROXY");
    setenv("no_proxy", "", 1);
    assert_string_equal(chosen(&none, "a.example", "https"), "directly");
    setenv("no_proxy", "b.example", 1);
    assert_string_equal(chosen(&none, "a.example", "https"), "HTTPS_PROXY");
    assert_string_equal(chosen(&none, "unix:/run/x", "https"), "directly");
    clear();
    setenv("ALL_PROXY", "socks4://user:hunter2@h", 1);
    const char *why = chosen(&none, "a.example", "https");
    assert_non_null(strstr(why, "ALL_PROXY: of SOCKS"));
    assert_null(strstr(why, "hunter2"));
    setenv("ALL_PROXY", "http://user:hunter2@h:port", 1);
    assert_null(strstr(chosen(&none, "a.example", "https"), "hunter2"));
    clear();
}

/* ---- the answer */

static const struct answer {
    const char *says;
    bool ends;        /* and closes */
    const char *rest; /* of the tunnel; NULL: there is none */
    enum troth_reason why;
    const char *detail;
} answers[] = {
    { "HTTP/1.1 200 Connection established\r\n\r\n", false, "", 0, NULL },
    { "HTTP/1.0 200 OK\r\n\r\n\x16\x03", false, "\x16\x03", 0, NULL },
    { "HTTP/1.1 200\r\n\r\n220 hi\r\n", false, "220 hi\r\n", 0, NULL },
    { "HTTP/1.1 299 odd\nVia: x\n\nabc", false, "abc", 0, NULL },
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", false, "abcde", 0, NULL },
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabcde", true, "abcde", 0,
      NULL },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx", false,
      "x", 0, NULL },
    { "HTTP/1.1 403 Forbidden\r\n\r\n", false, NULL, TROTH_R_NET_PROXY,
      "the proxy 192.0.2.9:3128 answers HTTP/1.1 403 Forbidden" },
    { "HTTP/1.1 403 \x1b[2J\x9b\r\n\r\n", false, NULL, TROTH_R_NET_PROXY, "answers HTTP/1.1 403 ?[2J?" },
    { "HTTP/1.1 502 Bad\r\nContent-Length: x\r\n\r\n", false, NULL, TROTH_R_NET_PROXY,
      "answers HTTP/1.1 502 Bad" },
    { "HTTP/1.1 301 Go\r\nLocation: https://x/\r\n\r\n", false, NULL, TROTH_R_NET_PROXY,
      "answers HTTP/1.1 301 Go" },
    { "HTTP/1.1 101 Switch\r\n\r\n", false, NULL, TROTH_R_NET_PROXY, "answers HTTP/1.1 101 Switch" },
    { "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n", false, NULL, TROTH_R_NET_PROXY_AUTH,
      "answers HTTP/1.1 407 Who" },
    { "", true, NULL, TROTH_R_NET_PROXY, "closed the connection instead of answering" },
    { "HTTP/1.1 200 OK\r\nA: b\r\n", true, NULL, TROTH_R_NET_PROXY,
      "closed the connection instead of answering" },
    { "SSH-2.0-OpenSSH_9.2\r\n", false, NULL, TROTH_R_NET_PROXY, "sent no HTTP/1 status line" },
    { "\x15\x03\x03\x00\x02\x02\x28", false, NULL, TROTH_R_NET_PROXY, "sent " },
    { "HTTP/2 200\r\n\r\n", false, NULL, TROTH_R_NET_PROXY, "sent no HTTP/1 status line" },
    { "HTTP/1.1 20\r\n\r\n", false, NULL, TROTH_R_NET_PROXY, "sent no HTTP/1 status line" },
    { "HTTP/1.1 200 OK\r\nno header\r\n\r\n", false, NULL, TROTH_R_NET_PROXY,
      "sent a line among the headers that is none" },
    { "\r\n\r\n", false, NULL, TROTH_R_NET_PROXY, "sent no HTTP/1 status line" },
    { "", false, NULL, TROTH_R_NET_TIMEOUT_PROXY, "did not come to the end of an answer in time" },
    { "HTTP/1.1 200 OK\r\n", false, NULL, TROTH_R_NET_TIMEOUT_PROXY,
      "did not come to the end of an answer in time" },
    { "HTTP/1.1 100 Continue\r\n\r\n", false, NULL, TROTH_R_NET_TIMEOUT_PROXY,
      "did not come to the end of an answer in time" },
};

static void pair(int *ours, int *theirs)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    *ours = fd[0];
    *theirs = fd[1];
}

static void test_answers(void **state)
{
    (void)state;
    struct via v;
    struct target t;
    assert_null(via_parse(&v, "http://user:hunter2@192.0.2.9:3128"));
    assert_true(target_parse(&t, NULL, "[2001:db8::1]:8443", "443"));
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *a = &answers[i];
        struct dialed d = { .fd = -1 };
        char request[2000] = "", rest[100] = "";
        int peer;
        pair(&d.fd, &peer);
        assert_true(send(peer, a->says, strlen(a->says), MSG_NOSIGNAL) == (ssize_t)strlen(a->says) ||
                    (a->says[0] == 0x15));
        if (a->says[0] == 0x15)
            assert_int_equal(send(peer, "\0\2\2(", 4, MSG_NOSIGNAL), 4);
        if (a->ends)
            shutdown(peer, SHUT_WR);
        bool ok = open_way(&d, &v, &t,
                           a->why == TROTH_R_NET_TIMEOUT_PROXY ? now_us() + 1000 : now_us() + 60000000u);
        if (ok != !!a->rest || (d.fd >= 0) != ok ||
            (!ok && (d.why != a->why || !strstr(d.detail, a->detail) || strstr(d.detail, "hunter2"))))
            test_fail("%s: %d %d %s", a->says, ok, d.why, d.detail);
        assert_true(recv(peer, request, sizeof request - 1, 0) > 0);
        assert_string_equal(
            request,
            "CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\nUser-Agent: troth\r\n"
            "Proxy-Authorization: Basic dXNlcjpodW50ZXIy\r\n\r\n");
        if (ok) {
            ssize_t n = recv(d.fd, rest, sizeof rest - 1, 0);
            assert_int_equal(n > 0 ? n : 0, strlen(a->rest));
            assert_string_equal(rest, a->rest);
            close(d.fd);
        }
        close(peer);
    }
}

/* More than a head may be: refused when it is, not when the peer gets tired of it. */
static void test_endless(void **state)
{
    (void)state;
    static const char *const begins[] = { "HTTP/1.1 200 OK\r\nA: b", "HTTP/1.1 100 Continue\r\n\r\n", "" };
    static const char *const goes_on[] = { "ccccccc", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP" };
    static const char *const wrong[] = { "more than 64 kB of headers", "interim answers without end",
                                         "more than 64 kB of headers" };
    for (size_t i = 0; i < 3; i++) {
        struct http1 *h = calloc(1, sizeof *h);
        size_t n = 0;
        int ours, peer, room = 1 << 20;
        enum troth_reason why = TROTH_R_NET_PROXY;
        pair(&ours, &peer);
        setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        assert_true(send(peer, begins[i], strlen(begins[i]), 0) >= 0);
        char *many = malloc(150000);
        while (n + 100 < 150000) {
            strcpy(many + n, goes_on[i]);
            n += strlen(goes_on[i]);
        }
        assert_int_equal(send(peer, many, n, 0), n);
        h->tunnel = true;
        const char *said = hear(ours, h, now_us() + 60000000u, &why);
        assert_string_equal(said, wrong[i]);
        assert_int_equal(why, TROTH_R_NET_PROXY);
        free(many);
        free(h);
        close(ours);
        close(peer);
    }
}

/* ---- SOCKS */

struct bytes {
    const char *p;
    size_t n;
};
#define B(text)                                                                                              \
    {                                                                                                        \
        text, sizeof text - 1                                                                                \
    }

static const struct words {
    const char *login, *target; /* login: NULL for none */
    struct bytes says, hears;   /* the proxy */
    bool ends;
    const char *wrong; /* NULL: the way is open, and "220" comes through it */
    enum troth_reason why;
} words[] = {
    { NULL, "a.example",
      B("\5\0\5\0\0\1\1\2\3\4\5\6"
        "220"),
      B("\5\1\0\5\1\0\3\x09"
        "a.example\1\xbb"),
      false, NULL, 0 },
    { NULL, "127.0.0.1:25",
      B("\5\0\5\0\0\4"
        "0123456789abcdef\5\6"
        "220"),
      B("\5\1\0\5\1\0\1\x7f\0\0\1\0\x19"), false, NULL, 0 },
    { NULL, "[::1]:25",
      B("\5\0\5\0\0\3\4host\5\6"
        "220"),
      B("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x19"), false, NULL, 0 },
    { NULL, "127.1:25",
      B("\5\0\5\0\0\3\0\5\6"
        "220"),
      B("\5\1\0\5\1\0\3\5"
        "127.1\0\x19"),
      false, NULL, 0 },
    { "u%3a:p%40:", "a:1",
      B("\5\2\1\0\5\0\0\1\1\2\3\4\5\6"
        "220"),
      B("\5\2\0\2\1\2u:\3p@:\5\1\0\3\1a\0\1"), false, NULL, 0 },
    { "u", "a:1",
      B("\5\2\1\0\5\0\0\1\1\2\3\4\5\6"
        "220"),
      B("\5\2\0\2\1\1u\0\5\1\0\3\1a\0\1"), false, NULL, 0 },
    { "u:p", "a:1",
      B("\5\0\5\0\0\1\1\2\3\4\5\6"
        "220"),
      B("\5\2\0\2\5\1\0\3\1a\0\1"), false, NULL, 0 },
    { "u:hunter2", "a:1", B("\5\2\1\1"), B("\5\2\0\2\1\1u\7hunter2"), false, "refuses this user",
      TROTH_R_NET_PROXY_AUTH },
    { "u:p", "a:1", B("\5\xff"), B("\5\2\0\2"), false, "wants to know who", TROTH_R_NET_PROXY_AUTH },
    { NULL, "a:1", B("\5\xff"), B("\5\1\0"), false, "does not let in", TROTH_R_NET_PROXY_AUTH },
    { NULL, "a:1", B("\5\2"), B("\5\1\0"), false, "does not let in", TROTH_R_NET_PROXY_AUTH },
    { NULL, "a:1", B("\5\1"), B("\5\1\0"), false, "does not let in", TROTH_R_NET_PROXY_AUTH },
    { NULL, "a:1", B("HT"), B("\5\1\0"), false, "does not speak SOCKS 5", TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\4\0\0\1"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "does not speak SOCKS 5",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\2\0\1"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "rules do not allow",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\x08\0\1"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "kind of address",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\x09\0\1"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "code that SOCKS does not have",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\xff\0\1"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "code that SOCKS does not have",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\0\0\2"), B("\5\1\0\5\1\0\3\1a\0\1"), false, "an address that is none",
      TROTH_R_NET_PROXY },
    { NULL, "a:1", B(""), B("\5\1\0"), true, "closed the connection", TROTH_R_NET_PROXY },
    { NULL, "a:1", B("\5\0\5\0\0\1\1\2\3\4\5"), B("\5\1\0\5\1\0\3\1a\0\1"), true, "closed the connection",
      TROTH_R_NET_PROXY },
    { "u:p", "a:1", B("\5\2\1"), B("\5\2\0\2\1\1u\1p"), true, "closed the connection",
      TROTH_R_NET_PROXY_AUTH },
    { NULL, "a:1", B("\5"), B("\5\1\0"), false, "in time", TROTH_R_NET_TIMEOUT_PROXY },
    { NULL, "a:1",
      B("\5\0\5\0\0\3\xff"
        "abc"),
      B("\5\1\0\5\1\0\3\1a\0\1"), false, "in time", TROTH_R_NET_TIMEOUT_PROXY },
};

static void test_socks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct words *w = &words[i];
        char url[100], heard[600], rest[8] = "";
        struct via v;
        struct target t;
        struct dialed d = { .fd = -1 };
        int peer;
        snprintf(url, sizeof url, "socks5://%s%sproxy.example", w->login ? w->login : "",
                 w->login ? "@" : "");
        assert_null(via_parse(&v, url));
        assert_true(target_parse(&t, NULL, w->target, "443"));
        pair(&d.fd, &peer);
        assert_true(!w->says.n || send(peer, w->says.p, w->says.n, 0) == (ssize_t)w->says.n);
        if (w->ends)
            shutdown(peer, SHUT_WR);
        bool ok = open_way(&d, &v, &t, now_us() + (w->why == TROTH_R_NET_TIMEOUT_PROXY ? 1000 : 60000000u));
        if (ok != !w->wrong || (d.fd >= 0) != ok ||
            (!ok && (d.why != w->why || !strstr(d.detail, w->wrong) || strstr(d.detail, "hunter2"))))
            test_fail("%zu: %d %d %s", i, ok, d.why, d.detail);
        ssize_t n = recv(peer, heard, sizeof heard, 0);
        assert_int_equal(n, w->hears.n);
        assert_memory_equal(heard, w->hears.p, w->hears.n);
        if (ok) {
            assert_int_equal(recv(d.fd, rest, sizeof rest - 1, 0), 3);
            assert_string_equal(rest, "220");
            close(d.fd);
        }
        close(peer);
    }
}

/* The longest that may be sent, and one more. */
static void test_socks_long(void **state)
{
    (void)state;
    for (int n = 255; n <= 256; n++)
        for (int part = 0; part < 2; part++) {
            char url[800];
            uint8_t heard[600];
            struct via v;
            struct target t;
            struct dialed d = { .fd = -1 };
            int peer;
            snprintf(url, sizeof url, "socks5://%0*d:%0*d@h", part ? 1 : n, 0, part ? n : 1, 0);
            assert_null(via_parse(&v, url));
            assert_true(target_parse(&t, NULL, "a", "443"));
            pair(&d.fd, &peer);
            assert_int_equal(send(peer, "\5\2\1\1", 4, 0), 4);
            assert_false(open_way(&d, &v, &t, now_us() + 60000000u));
            assert_int_equal(d.why, TROTH_R_NET_PROXY_AUTH);
            assert_non_null(strstr(d.detail, n == 255 ? "refuses this user" : "255 bytes"));
            assert_int_equal(recv(peer, heard, sizeof heard, 0), n == 255 ? 4 + 3 + 256 : 4);
            close(peer);
        }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_left_out), cmocka_unit_test(test_choice),
        cmocka_unit_test(test_answers),   cmocka_unit_test(test_endless),  cmocka_unit_test(test_socks),
        cmocka_unit_test(test_socks_long)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
