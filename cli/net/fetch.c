/* fetch.c - one request, one answer, over a socket.  Must never follow a redirect, nor take more than it was told to: what comes is
 * signed, so it needs no other protection than a bound. */
#include "net/fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/url.h"
#include "net/http1.h"
#include "net/via.h"

struct body {
    uint8_t *p;
    size_t   n, most;
};

static bool keep(void *ctx, const uint8_t *p, size_t n)
{
    struct body *b = ctx;
    if (n > b->most - b->n)
        return false;
    uint8_t *q = realloc(b->p, b->n + n + 1);
    if (!q)
        return false;
    memcpy(q + b->n, p, n);
    b->p = q;
    b->n += n;
    return true;
}

/* A proxy is told the whole URL, and who we are (RFC 9112 3.2.2). */
static bool send_request(int fd, const struct via *v, const struct target *t, const char *type, const uint8_t *body, size_t body_n,
                         uint64_t deadline)
{
    char path[3 * sizeof t->rest], host[TARGET_HOST_MAX], header[VIA_HEADER_MAX], head[sizeof path + 2 * sizeof host + sizeof header + 256];
    bool proxy = via_http(v);
    via_header(header, v);
    url_request_path(path, sizeof path, t->rest);
    target_http_host(host, t, "80");
    int n = snprintf(head, sizeof head, "%s %s%s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: troth\r\nConnection: close\r\n%s", body ? "POST" : "GET",
                     proxy ? "http://" : "", proxy ? host : "", path, host, header);
    if (body)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body_n);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    bool ok = send_all(fd, head, (size_t)n, deadline) && send_all(fd, body, body_n, deadline);
    explicit_bzero(header, sizeof header);
    explicit_bzero(head, sizeof head);
    return ok;
}

static const char *converse(int fd, const struct via *v, const struct target *t, const char *type, const uint8_t *body, size_t body_n,
                            uint64_t deadline, struct http1 *h)
{
    uint8_t chunk[8192];
    if (!send_request(fd, v, t, type, body, body_n, deadline))
        return "the request could not be sent";
    while (!h->done) {
        ssize_t k = recv(fd, chunk, sizeof chunk, 0);
        if (k < 0 && errno == EAGAIN && wait_for(fd, POLLIN, deadline))
            continue;
        if (k < 0)
            return "no answer in time";
        if (!(k ? http1_feed(h, chunk, (size_t)k) : http1_end(h)))
            return h->error;
    }
    if (h->status == 407)
        return "the proxy wants a user and a password";
    return h->status == 200 ? NULL : "the server has no such thing";
}

uint8_t *http_fetch(const struct args *a, const char *url, const char *type, const uint8_t *body, size_t body_n, int timeout_ms, size_t most,
                    size_t *n, char *why, size_t why_cap)
{
    struct target t;
    struct via v;
    struct dialed d;
    struct body b = { .most = most };
    uint64_t deadline = now_us() + (uint64_t)timeout_ms * 1000u;
    char no_proxy[300];
    const char *wrong = "this kind of URL is not fetched";
    struct http1 *h = calloc(1, sizeof *h);
    if (h && url_http(&t, url)) {
        h->body = keep;
        h->ctx = &b;
        if (!via_choose(&v, a, &t, "http", no_proxy, sizeof no_proxy)) {
            wrong = no_proxy;
        } else if (!(via_http(&v) ? dial(&d, &v.at, DIAL_ANY, timeout_ms) : via_dial(&d, &v, &t, DIAL_ANY, timeout_ms))) {
            wrong = d.detail;
        } else {
            wrong = converse(d.fd, &v, &t, type, body, body_n, deadline, h);
            close(d.fd);
        }
    }
    if (wrong) {
        snprintf(why, why_cap, "%.120s: %.120s", url, wrong);
        free(b.p);
        b = (struct body){ 0 };
    }
    free(h);
    *n = b.n;
    return b.p;
}
