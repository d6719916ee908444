/* fetch.c - one request, one answer, over a socket.  Must never follow a redirect, nor take more than it was told to: what comes is
 * signed, so it needs no other protection than a bound. */
#include "fetch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "http1.h"

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

/* "http://host:port/path" -> a place. */
static bool place(const char *url, struct target *t)
{
    *t = (struct target){ .typed = url };
    if (strncmp(url, "http://", 7) != 0)
        return false;
    const char *host = url + 7;
    size_t n = strcspn(host, "/"), colon = strcspn(host, ":/");
    const char *path = host[n] ? host + n : "/";
    if (!n || colon >= sizeof t->host || strlen(path) >= sizeof t->rest || n - colon > 6)
        return false;
    memcpy(t->host, host, colon);
    snprintf(t->port, sizeof t->port, "%.*s", colon < n ? (int)(n - colon - 1) : 2, colon < n ? host + colon + 1 : "80");
    snprintf(t->rest, sizeof t->rest, "%s", path);
    return true;
}

static bool ready(int fd, short events, uint64_t deadline)
{
    uint64_t now = now_us();
    struct pollfd p = { .fd = fd, .events = events };
    return now < deadline && poll(&p, 1, (int)((deadline - now) / 1000 + 1)) > 0;
}

static bool send_all(int fd, const void *p, size_t n, uint64_t deadline)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
        if (k > 0)
            done += (size_t)k;
        else if (errno != EAGAIN || !ready(fd, POLLOUT, deadline))
            return false;
    }
    return true;
}

static const char *converse(int fd, const struct target *t, const char *type, const uint8_t *body, size_t body_n, uint64_t deadline,
                            struct http1 *h)
{
    char head[3072];
    uint8_t chunk[8192];
    int n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: troth\r\nConnection: close\r\n", body ? "POST" : "GET",
                     t->rest, t->host);
    if (body)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body_n);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    if (!send_all(fd, head, (size_t)n, deadline) || !send_all(fd, body, body_n, deadline))
        return "the request could not be sent";
    while (!h->done) {
        ssize_t k = recv(fd, chunk, sizeof chunk, 0);
        if (k < 0 && errno == EAGAIN && ready(fd, POLLIN, deadline))
            continue;
        if (k < 0)
            return "no answer in time";
        if (!(k ? http1_feed(h, chunk, (size_t)k) : http1_end(h)))
            return h->error;
    }
    return h->status == 200 ? NULL : "the server has no such thing";
}

uint8_t *http_fetch(const char *url, const char *type, const uint8_t *body, size_t body_n, int timeout_ms, size_t most, size_t *n,
                    char *why, size_t why_cap)
{
    struct target t;
    struct dialed d;
    struct body b = { .most = most };
    uint64_t deadline = now_us() + (uint64_t)timeout_ms * 1000u;
    const char *wrong = "this kind of URL is not fetched";
    struct http1 *h = calloc(1, sizeof *h);
    if (h && place(url, &t)) {
        h->body = keep;
        h->ctx = &b;
        if (!dial(&d, &t, DIAL_ANY, timeout_ms)) {
            wrong = d.detail;
        } else {
            wrong = converse(d.fd, &t, type, body, body_n, deadline, h);
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
