/* via.c - proxies.  The only place of the program that reads HTTPS_PROXY and its like, as curl does.
 *
 * Must never show a password or let its copy stand, nor let a byte of a proxy's answer reach a terminal as it
 * came, nor read past the end of that answer: what follows belongs to the tunnel. */
#include "net/via.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/digits.h"
#include "net/http1.h"
#include "net/socks.h"

enum { ENTRY_MAX = 300 };

/* ---- the URL */

static const char *take_scheme(struct via *v, const char *url, size_t n)
{
    v->socks = n >= 5 && !strncasecmp(url, "socks", 5);
    if ((n == 4 && !strncasecmp(url, "http", 4)) || (n == 6 && !strncasecmp(url, "socks5", 6)) ||
        (n == 7 && !strncasecmp(url, "socks5h", 7)))
        return NULL;
    if (n == 5 && !strncasecmp(url, "https", 5))
        return "a proxy that is itself reached over TLS (https://) is not supported";
    return v->socks ? "of SOCKS only version 5 is supported" : "this kind of URL is no proxy's";
}

size_t via_decode(uint8_t *out, const char *text, size_t n)
{
    size_t k = 0;
    for (const char *end = text + n; text < end; k++) {
        bool coded = *text == '%' && end - text >= 3 && hex_bytes(out + k, text + 1, 1);
        if (!coded)
            out[k] = (uint8_t)*text;
        text += coded ? 3 : 1;
    }
    return k;
}

/* With the colon that must be there.  The length. */
static size_t login_plain(uint8_t out[VIA_LOGIN_MAX + 1], const struct via *v)
{
    size_t n = via_decode(out, v->login, v->login_n);
    if (!memchr(v->login, ':', v->login_n))
        out[n++] = ':';
    return n;
}

static bool login_ok(const struct via *v)
{
    uint8_t plain[VIA_LOGIN_MAX + 1];
    size_t n = v->login_n <= VIA_LOGIN_MAX ? login_plain(plain, v) : 0;
    bool ok = n > 0;
    for (size_t i = 0; i < n; i++)
        ok &= plain[i] >= 0x20 && plain[i] != 0x7f; /* RFC 7617 2 */
    explicit_bzero(plain, sizeof plain);
    return ok;
}

const char *via_parse(struct via *v, const char *url)
{
    char place[sizeof v->at.host + 16];
    const char *slashes = strstr(url, "://"), *p = slashes ? slashes + 3 : url;
    size_t n = strcspn(p, "/?#");
    const char *at = memrchr(p, '@', n);
    *v = (struct via){ .login = at > p ? p : NULL, .login_n = at > p ? (size_t)(at - p) : 0 };
    const char *wrong = slashes ? take_scheme(v, url, (size_t)(slashes - url)) : NULL;
    if (wrong)
        return wrong;
    if (strchr(p + n, '@'))
        return "a /, ? or # in a user or password must be written as %2F, %3F, %23";
    if (v->login && !login_ok(v))
        return "its user and password are too long, or have a control character";
    n -= (size_t)((at ? at + 1 : p) - p);
    p = at ? at + 1 : p;
    if (n < sizeof place && snprintf(place, sizeof place, "%.*s", (int)n, p) > 0 &&
        target_parse(&v->at, NULL, place, "1080") && v->at.host[0]) {
        v->at.typed = "the proxy";
        return NULL;
    }
    v->at = (struct target){ 0 };
    return "its host or its port is not valid";
}

void via_header(char out[VIA_HEADER_MAX], const struct via *v)
{
    static const char name[] = "Proxy-Authorization: Basic ";
    uint8_t plain[VIA_LOGIN_MAX + 1];
    *out = 0;
    if (!v->login || v->socks)
        return;
    memcpy(out, name, sizeof name);
    base64_text(out + sizeof name - 1, plain, login_plain(plain, v));
    memcpy(out + strlen(out), "\r\n", 3);
    explicit_bzero(plain, sizeof plain);
}

/* ---- NO_PROXY */

/* 4 or 16 bytes; 0: it is a name.  127.1 is what the resolver makes of it. */
static size_t address_bytes(const char *text, uint8_t out[16])
{
    struct in_addr v4;
    if (inet_pton(AF_INET6, text, out) == 1)
        return 16;
    if (!inet_aton(text, &v4))
        return 0;
    memcpy(out, &v4, 4);
    return 4;
}

/* `block`: an address, or one with /BITS. */
static bool in_block(const uint8_t *address, size_t n, char *block)
{
    uint8_t net[16];
    char *slash = strchr(block, '/');
    size_t bits = 8 * n;
    if (slash) {
        bits = strspn(slash + 1, "0123456789") == strlen(slash + 1) && slash[1] && strlen(slash) < 5
                   ? (size_t)atoi(slash + 1)
                   : SIZE_MAX;
        *slash = 0;
    }
    if (bits > 8 * n || address_bytes(block, net) != n || memcmp(address, net, bits / 8) != 0)
        return false;
    return bits % 8 == 0 || (address[bits / 8] ^ net[bits / 8]) >> (8 - bits % 8) == 0;
}

static size_t without_dot(const char *name)
{
    size_t n = strlen(name);
    return n && name[n - 1] == '.' ? n - 1 : n;
}

/* The domain itself or what is below it: "a.example" holds a.example and b.a.example, but not ba.example. */
static bool in_domain(const char *host, const char *domain)
{
    domain += *domain == '.';
    size_t n = without_dot(host), k = without_dot(domain);
    return k && k <= n && !strncasecmp(host + n - k, domain, k) && (k == n || host[n - k - 1] == '.');
}

/* Cuts the port off an entry; NULL: it has none. */
static const char *cut_port(char *entry)
{
    char *colon = strchr(entry, ':'), *close = *entry == '[' ? strchr(entry, ']') : NULL;
    if (close) {
        bool port = close[1] == ':';
        memmove(entry, entry + 1, (size_t)(close - entry));
        close[-1] = 0;
        return port ? close + 2 : NULL;
    }
    if (!colon || strchr(colon + 1, ':')) /* a bare IPv6 address */
        return NULL;
    *colon = 0;
    return colon + 1;
}

static bool entry_names(const char *text, size_t text_n, const char *host, const char *port)
{
    char entry[ENTRY_MAX];
    uint8_t address[16];
    size_t n = address_bytes(host, address);
    if (text_n >= sizeof entry)
        return false;
    memcpy(entry, text, text_n);
    entry[text_n] = 0;
    const char *only = cut_port(entry);
    if (only && (strspn(only, "0123456789") != strlen(only) || atoi(only) != atoi(port)))
        return false;
    return !strcmp(entry, "*") || (n ? in_block(address, n, entry) : in_domain(host, entry));
}

bool via_left_out(const char *list, const char *host, const char *port)
{
    static const char between[] = ", \t";
    for (size_t n; *list; list += n) {
        list += strspn(list, between);
        n = strcspn(list, between);
        if (n && entry_names(list, n, host, port))
            return true;
    }
    return false;
}

/* ---- the choice */

/* The first of some variables that is set and not empty; *name: which. */
static const char *variable(const char *const *names, const char **name)
{
    for (; *names; names++) {
        const char *value = getenv(*names);
        if (value && *value) {
            *name = *names;
            return value;
        }
    }
    return NULL;
}

bool via_choose(struct via *v, const struct args *a, const struct target *t, const char *scheme, char *why,
                size_t cap)
{
    /* HTTP_PROXY is what a web server makes of a header "Proxy": never that one */
    static const char *const https[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL },
                             *const http[] = { "http_proxy", "all_proxy", "ALL_PROXY", NULL },
                             *const none[] = { "no_proxy", "NO_PROXY", NULL };
    const char *from = "--proxy", *list_from, *url = args_value(a, OPT_PROXY, NULL),
               *list = variable(none, &list_from);
    *v = (struct via){ .login = NULL };
    if (!url)
        url = variable(strcmp(scheme, "http") ? https : http, &from);
    if (args_has(a, OPT_NO_PROXY) || t->path[0] || !url || !*url ||
        (list && via_left_out(list, t->host, t->port)))
        return true;
    const char *wrong = via_parse(v, url);
    if (wrong)
        snprintf(why, cap, "%s: %s; write http:// or socks5://, [USER:PASSWORD@]HOST:PORT, or --no-proxy",
                 from, wrong);
    return !wrong;
}

/* ---- the exchange */

const char *place_name(char *out, size_t cap, const struct target *t)
{
    snprintf(out, cap, strchr(t->host, ':') ? "[%s]:%s" : "%s:%s", t->host, t->port);
    return out;
}

static bool ask(int fd, const struct via *v, const struct target *t, uint64_t deadline)
{
    char place[sizeof t->host + 16], header[VIA_HEADER_MAX], request[VIA_HEADER_MAX + 2 * sizeof place + 128];
    place_name(place, sizeof place, t);
    via_header(header, v);
    int n = snprintf(request, sizeof request,
                     "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: troth\r\n%s\r\n", place, place, header);
    bool ok = send_all(fd, request, (size_t)n, deadline);
    explicit_bzero(header, sizeof header);
    explicit_bzero(request, sizeof request);
    return ok;
}

const char *via_silence(enum troth_reason *why)
{
    if (!errno)
        return "closed the connection instead of answering";
    if (errno != ETIMEDOUT)
        return strerror(errno);
    *why = TROTH_R_NET_TIMEOUT_PROXY;
    return "did not come to the end of an answer in time";
}

/* The head of the answer and not a byte more.  NULL, or what is wrong. */
static const char *hear(int fd, struct http1 *h, uint64_t deadline, enum troth_reason *why)
{
    while (!h->status) {
        uint8_t byte;
        if (!recv_all(fd, &byte, 1, deadline))
            return via_silence(why);
        if (!http1_feed(h, &byte, 1) && h->status < 300) /* of a refusal the status says enough */
            return h->error;
    }
    return NULL;
}

static bool failed(struct dialed *d, const struct via *v, enum troth_reason why, const char *what,
                   const char *said)
{
    char place[sizeof v->at.host + 16];
    d->why = why;
    int n = snprintf(d->detail, sizeof d->detail, "the proxy %.70s %s",
                     place_name(place, sizeof place, &v->at), what);
    for (; *said && *said != '\n' && (size_t)n + 1 < sizeof d->detail; said++)
        d->detail[n++] = *said >= 0x20 && *said < 0x7f ? *said : '?';
    d->detail[(size_t)n < sizeof d->detail ? (size_t)n : sizeof d->detail - 1] = 0;
    close(d->fd);
    d->fd = -1;
    return false;
}

static bool open_http(struct dialed *d, const struct via *v, const struct target *t, uint64_t deadline)
{
    enum troth_reason why = TROTH_R_NET_PROXY;
    struct http1 *h = calloc(1, sizeof *h);
    if (!h)
        return failed(d, v, why, "got no memory for its answer", "");
    h->tunnel = true;
    ask(d->fd, v, t, deadline); /* who does not take the request may have said why */
    const char *wrong = hear(d->fd, h, deadline, &why);
    bool ok = !wrong && h->status / 100 == 2;
    if (wrong)
        failed(d, v, why, h->error ? "sent " : "", wrong);
    else if (!ok)
        failed(d, v, h->status == 407 ? TROTH_R_NET_PROXY_AUTH : why, "answers ", h->head);
    free(h);
    return ok;
}

static bool open_way(struct dialed *d, const struct via *v, const struct target *t, uint64_t deadline)
{
    enum troth_reason why;
    const char *wrong = v->socks ? socks_open(d->fd, v, t, deadline, &why) : NULL;
    return v->socks ? !wrong || failed(d, v, why, wrong, "") : open_http(d, v, t, deadline);
}

bool via_dial(struct dialed *d, const struct via *v, const struct target *t, int family, int timeout_ms)
{
    if (!via_used(v))
        return dial(d, t, family, timeout_ms);
    if (!dial(d, &v->at, family, timeout_ms)) {
        char detail[sizeof d->detail];
        memcpy(detail, d->detail, sizeof detail);
        snprintf(d->detail, sizeof d->detail, "the proxy %.140s", detail);
        bool late = d->why == TROTH_R_NET_TIMEOUT_CONNECT;
        d->why = late ? TROTH_R_NET_TIMEOUT_PROXY : TROTH_R_NET_PROXY; /* nothing is known of the server */
        return false;
    }
    uint64_t start = now_us();
    bool ok = open_way(d, v, t, start + (uint64_t)timeout_ms * 1000u);
    d->connect_us += (unsigned)(now_us() - start);
    return ok;
}
