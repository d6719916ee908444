/* tls_bev.c - the filter: ciphertext from the socket's buffer into the connection, its answers back; plaintext the other way.
 *
 * Must never keep more than one record of plaintext of its own, and must stop taking plaintext while the socket is slow. */
#include "tls_bev.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { PENDING_MAX = 256 << 10, PARTS_MAX = 16 };

struct tls_bev {
    troth_conn         *conn;
    struct bufferevent *outer, *socket;
    struct tls_bev_ears ears;
    bool                ready, over, eof; /* eof: the peer's last byte came in order */
};


static void over(struct tls_bev *t)
{
    if (t->over)
        return;
    t->over = true;
    if (t->ears.ended)
        t->ears.ended(t, t->ears.ctx);
}

static void now_ready(struct tls_bev *t)
{
    t->ready = true;
    if (t->ears.ready)
        t->ears.ready(t, t->ears.ctx);
}

/* Asks the connection what is next until it wants bytes that are not there.  True when plaintext came, the peer closed, or it failed. */
static bool run(struct tls_bev *t, struct evbuffer *src, struct evbuffer *dst)
{
    struct evbuffer *out = bufferevent_get_output(t->socket);
    bool any = false;
    for (;;) {
        troth_event ev = troth_next(t->conn);
        switch (ev.kind) {
        case TROTH_SEND:
            evbuffer_add(out, ev.data.p, ev.data.n);
            troth_sent(t->conn, ev.data.n);
            break;
        case TROTH_RECV: {
            int n = src ? evbuffer_remove(src, ev.room.p, ev.room.n) : 0;
            if (n <= 0)
                return any;
            troth_received(t->conn, (size_t)n);
            break;
        }
        case TROTH_READY:
            now_ready(t);
            break;
        case TROTH_DATA:
            if (dst)
                evbuffer_add(dst, ev.data.p, ev.data.n);
            any = true;
            break;
        case TROTH_TICKET:
            if (t->ears.ticket)
                t->ears.ticket(t, t->ears.ctx, ev.data);
            break;
        case TROTH_CLOSED:
            t->eof = any = true;
            break;
        case TROTH_DONE:
        case TROTH_FAILED:
            over(t);
            return true;
        default:
            break;
        }
    }
}

/* From the socket to the owner. */
static enum bufferevent_filter_result opened(struct evbuffer *src, struct evbuffer *dst, ev_ssize_t limit,
                                             enum bufferevent_flush_mode mode, void *ctx)
{
    struct tls_bev *t = ctx;
    (void)limit;
    (void)mode;
    bool was_ready = t->ready, any = !t->over && run(t, src, dst);
    if (t->over && troth_why(t->conn))
        return BEV_ERROR;
    if (t->ready && !was_ready) /* what was written before can go now */
        bufferevent_flush(t->outer, EV_WRITE, BEV_NORMAL);
    return any ? BEV_OK : BEV_NEED_MORE;
}

/* From the owner to the socket.  `dst` is the socket's output buffer. */
static enum bufferevent_filter_result sealed(struct evbuffer *src, struct evbuffer *dst, ev_ssize_t limit,
                                             enum bufferevent_flush_mode mode, void *ctx)
{
    struct tls_bev *t = ctx;
    struct evbuffer_iovec v[PARTS_MAX];
    troth_span parts[PARTS_MAX];
    (void)limit;
    (void)mode;
    if (!t->ready || t->over || evbuffer_get_length(dst) > PENDING_MAX)
        return BEV_NEED_MORE;
    int n = evbuffer_peek(src, 65536, NULL, v, PARTS_MAX);
    n = n > PARTS_MAX ? PARTS_MAX : n;
    size_t total = 0;
    for (int i = 0; i < n; i++) {
        parts[i] = (troth_span){ v[i].iov_base, v[i].iov_len };
        total += v[i].iov_len;
    }
    if (!total)
        return BEV_NEED_MORE;
    if (!troth_write(t->conn, parts, (size_t)n))
        return BEV_ERROR;
    evbuffer_drain(src, total);
    for (troth_event ev = troth_next(t->conn); ev.kind == TROTH_SEND; ev = troth_next(t->conn)) {
        evbuffer_add(dst, ev.data.p, ev.data.n);
        troth_sent(t->conn, ev.data.n);
    }
    return BEV_OK;
}

static void free_ctx(void *ctx)
{
    struct tls_bev *t = ctx;
    over(t);
    troth_free(t->conn);
    free(t);
}

struct bufferevent *tls_bev_new(struct event_base *base, int fd, troth_conn *conn, const struct tls_bev_ears *ears,
                                struct tls_bev **made)
{
    struct tls_bev *t = calloc(1, sizeof *t);
    if (t) {
        *t = (struct tls_bev){ .conn = conn, .ears = ears ? *ears : (struct tls_bev_ears){ 0 } };
        t->socket = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (t->socket)
            t->outer = bufferevent_filter_new(t->socket, opened, sealed, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS, free_ctx, t);
    }
    if (t && t->outer) {
        bufferevent_setwatermark(t->socket, EV_READ, 0, 64 << 10);
        if (made)
            *made = t;
        return t->outer;
    }
    if (t && t->socket)
        bufferevent_free(t->socket);
    else if (fd >= 0)
        evutil_closesocket(fd);
    troth_free(conn);
    free(t);
    return NULL;
}

troth_conn *tls_bev_conn(struct tls_bev *t)
{
    return t->conn;
}

struct bufferevent *tls_bev_socket(struct tls_bev *t)
{
    return t->socket;
}

int tls_bev_fd(struct tls_bev *t)
{
    return (int)bufferevent_getfd(t->socket);
}

void tls_bev_start(struct tls_bev *t)
{
    run(t, NULL, NULL);
}

void tls_bev_close_notify(struct tls_bev *t)
{
    if (t->over)
        return;
    troth_close(t->conn);
    for (troth_event ev = troth_next(t->conn); ev.kind == TROTH_SEND; ev = troth_next(t->conn)) {
        ssize_t n = send(tls_bev_fd(t), ev.data.p, ev.data.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        troth_sent(t->conn, (size_t)n);
    }
}
