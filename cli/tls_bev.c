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
    bool                ready, over, closed;
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

/* It failed: the alert goes out at once, while there is a socket, and nothing behind it. */
static void hang_up(struct tls_bev *t)
{
    struct evbuffer *out = bufferevent_get_output(t->socket);
    int fd = tls_bev_fd(t);
    evbuffer_unfreeze(out, 1);
    while (evbuffer_get_length(out) && evbuffer_write(out, fd) > 0)
        ;
    evbuffer_freeze(out, 1);
    shutdown(fd, SHUT_WR);
}

/* One event; false: nothing more can be had without bytes that are not there.  *any: something came for the owner. */
static bool run_one(struct tls_bev *t, struct evbuffer *src, struct evbuffer *dst, bool *any)
{
    troth_event ev = troth_next(t->conn);
    if (ev.kind == TROTH_RECV) {
        int n = src ? evbuffer_remove(src, ev.room.p, ev.room.n) : 0;
        if (n > 0)
            troth_received(t->conn, (size_t)n);
        return n > 0;
    }
    if (ev.kind == TROTH_SEND) {
        evbuffer_add(bufferevent_get_output(t->socket), ev.data.p, ev.data.n);
        troth_sent(t->conn, ev.data.n);
    } else if (ev.kind == TROTH_READY) {
        now_ready(t);
    } else if (ev.kind == TROTH_DATA) {
        if (dst)
            evbuffer_add(dst, ev.data.p, ev.data.n);
        *any = true;
    } else if (ev.kind == TROTH_TICKET && t->ears.ticket) {
        t->ears.ticket(t, t->ears.ctx, ev.data);
    } else if (ev.kind == TROTH_CLOSED) { /* the owner reads to the end, and then ends us */
        if (t->closed) /* it says so as long as our side is open */
            return false;
        *any = t->closed = true;
        t->ears.closed ? t->ears.closed(t, t->ears.ctx) : troth_close(t->conn);
    } else if (ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED) {
        *any = true;
        if (ev.kind == TROTH_FAILED)
            hang_up(t);
        over(t);
        return false;
    }
    return true;
}

static bool run(struct tls_bev *t, struct evbuffer *src, struct evbuffer *dst)
{
    bool any = false;
    while (run_one(t, src, dst, &any))
        ;
    return any;
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
    while (troth_pending(t->conn)) { /* then what is next is SEND: no other event is taken by accident */
        troth_event ev = troth_next(t->conn);
        evbuffer_add(dst, ev.data.p, ev.data.n);
        troth_sent(t->conn, ev.data.n);
    }
    return BEV_OK;
}

static void free_ctx(void *ctx)
{
    struct tls_bev *t = ctx;
    over(t);
    if (t->ears.gone)
        t->ears.gone(t, t->ears.ctx);
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

static void drained(struct evbuffer *out, const struct evbuffer_cb_info *info, void *ctx)
{
    struct tls_bev *t = ctx;
    if (!info->n_deleted || evbuffer_get_length(out))
        return;
    shutdown(tls_bev_fd(t), SHUT_WR);
    if (t->ears.flushed)
        t->ears.flushed(t, t->ears.ctx);
}

void tls_bev_finish(struct tls_bev *t)
{
    if (t->over)
        return;
    troth_close(t->conn);
    struct evbuffer *out = bufferevent_get_output(t->socket);
    evbuffer_add_cb(out, drained, t);
    while (troth_pending(t->conn)) {
        troth_event ev = troth_next(t->conn);
        evbuffer_add(out, ev.data.p, ev.data.n);
        troth_sent(t->conn, ev.data.n);
    }
}
