/* tls_bev.c - the filter: ciphertext from the socket's buffer into the connection, its answers back; plaintext the other way.
 *
 * Must never keep more than one record of plaintext of its own, and must stop taking plaintext while the socket is slow. */
#include "serve/tls_bev.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/farewell.h"
#include "serve/seal.h"
#include "setup/allow.h"
#include "setup/keeper.h"

/* Of what waits for a slow socket, a piece of a file more at most: more would cost memory, and save little.  And of what waits to be looked
 * at: a request's longest line has to fit.  Of a hello, the longest there is, in records that are not absurdly short. */
enum { UNSENT_MAX = 16 << 10, UNREAD_MAX = 64 << 10, HEARD_MAX = 192 << 10 };

struct tls_bev {
    troth_conn         *conn;
    struct bufferevent *outer, *socket;
    struct question    *question;  /* a signature was asked for; NULL: none is                       */
    struct event       *soon;      /* looks at both buffers again, outside of everybody's callbacks */
    struct evbuffer    *heard;     /* all that came, until it is decided whose it is; NULL: it is ours */
    struct tls_bev_ears ears;
    bool                ready, may_write, over, failed, closed, finished;
    bool                left, farewell_over, freed; /* the socket is the farewell's; which is over; we are freed */
    bool                end_held;  /* the peer's end, which the owner has not heard of yet          */
    bool                eof;       /* the transport ended                                           */
    bool                begun;     /* what comes is TLS: ears.first has said so                     */
    bool                asked;     /* ears.asked was                                                */
    bool                yielded;   /* it is not ours: ears.passed follows                           */
    uint64_t            written;   /* bytes that the socket took                                    */
    struct {                       /* how the filter hears of the socket                            */
        bufferevent_data_cb  read, write;
        bufferevent_event_cb event;
    } filter;
};

static void over(struct tls_bev *t)
{
    if (t->over)
        return;
    t->over = true;
    if (t->ears.ended)
        t->ears.ended(t, t->ears.ctx);
}

static void now_open(struct tls_bev *t)
{
    if (!t->may_write && t->ears.open)
        t->ears.open(t, t->ears.ctx);
    t->may_write = true;
}

static void now_ready(struct tls_bev *t)
{
    t->ready = true;
    now_open(t);
    if (t->ears.ready)
        t->ears.ready(t, t->ears.ctx);
}

static void saw(struct tls_bev *t, bool out, const uint8_t *p, size_t n)
{
    if (t->ears.saw && !t->ready)
        t->ears.saw(t, t->ears.ctx, out, p, n);
}

/* The owner is told of the peer's end as soon as nothing waits. */
static void hold_end(struct tls_bev *t)
{
    t->end_held = true;
    event_active(t->soon, EV_TIMEOUT, 0);
}

static bool is_busy(const struct tls_bev *t)
{
    return evbuffer_get_length(bufferevent_get_input(t->outer)) || evbuffer_get_length(bufferevent_get_output(t->outer)) ||
           (t->begun && !t->closed && evbuffer_get_length(bufferevent_get_input(t->socket))) || /* held back while the former is full */
           t->question || /* a handshake under way has an end that can be told */
           (t->ears.busy && t->ears.busy(t->ears.ctx));
}

static void look_again(evutil_socket_t fd, short what, void *ctx)
{
    struct tls_bev *t = ctx;
    (void)fd;
    (void)what;
    if (t->left)
        return;
    if (t->yielded) {
        t->ears.passed(t, t->ears.ctx);
        return;
    }
    if (t->may_write && evbuffer_get_length(bufferevent_get_output(t->outer)))
        bufferevent_flush(t->outer, EV_WRITE, BEV_NORMAL);
    if (!t->end_held || is_busy(t))
        return;
    t->end_held = false;
    bufferevent_trigger_event(t->outer, BEV_EVENT_EOF | BEV_EVENT_READING, BEV_OPT_DEFER_CALLBACKS);
}

/* Something came into a buffer of the owner's, or went: evhttp writes before it enables writing, which a filter does not notice. */
static void changed(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *ctx)
{
    struct tls_bev *t = ctx;
    (void)buffer;
    if (info->n_added || (info->n_deleted && t->end_held))
        event_active(t->soon, EV_TIMEOUT, 0);
}

static void answered(void *ctx, troth_span signature);

/* What came is kept until the owner has decided. */
static void hear(struct tls_bev *t, const uint8_t *p, size_t n)
{
    bool fits = t->heard && evbuffer_get_length(t->heard) + n <= HEARD_MAX;
    if (fits && !t->asked && !evbuffer_add(t->heard, p, n))
        return;
    if (t->heard)
        evbuffer_free(t->heard);
    t->heard = NULL;
}

/* False: it is not ours. */
static bool ask(struct tls_bev *t)
{
    t->asked = true;
    if (!t->ears.asked || t->ears.asked(t, t->ears.ctx))
        return true;
    if (!t->heard) { /* it was too much, or memory ran out: what came cannot be passed on any more */
        troth_answer_server(t->conn, NULL);
        return true;
    }
    t->over = t->yielded = true;
    event_active(t->soon, EV_TIMEOUT, 0);
    return false;
}

/* One event; false: nothing more can be had without bytes that are not there, or a signature.  *any: something came for the owner. */
static bool run_one(struct tls_bev *t, struct evbuffer *src, struct evbuffer *dst, bool *any)
{
    troth_event ev = troth_next(t->conn);
    if (ev.kind == TROTH_RECV) {
        int n = src ? evbuffer_remove(src, ev.room.p, ev.room.n) : 0;
        if (n > 0)
            saw(t, false, ev.room.p, (size_t)n);
        if (n > 0)
            hear(t, ev.room.p, (size_t)n);
        if (n > 0 && t->ears.in)
            *t->ears.in += (uint64_t)n;
        if (n > 0)
            troth_received(t->conn, (size_t)n);
        return n > 0;
    }
    if (ev.kind == TROTH_SEND) {
        saw(t, true, ev.data.p, ev.data.n);
        evbuffer_add(bufferevent_get_output(t->socket), ev.data.p, ev.data.n);
        troth_sent(t->conn, ev.data.n);
    } else if (ev.kind == TROTH_ASK_SERVER) {
        return ask(t);
    } else if (ev.kind == TROTH_ASK_VERDICT) {
        allow_judge(t->ears.allow, t->conn);
    } else if (ev.kind == TROTH_READY) {
        now_ready(t);
    } else if (ev.kind == TROTH_EARLY) { /* who is known from a session may be answered before its Finished */
        now_open(t);
    } else if (ev.kind == TROTH_DATA) {
        if (dst)
            evbuffer_add(dst, ev.data.p, ev.data.n);
        *any = true;
        if (t->ears.data)
            t->ears.data(t, t->ears.ctx);
    } else if (ev.kind == TROTH_ASK_SIGN) { /* it says so until it is answered */
        bool first = !t->question;
        if (first && !(t->question = question_ask(&ev, answered, t)))
            troth_answer_sign(t->conn, (troth_span){ NULL, 0 });
        return first && !t->question;
    } else if (ev.kind == TROTH_TICKET && t->ears.ticket) {
        t->ears.ticket(t, t->ears.ctx, ev.data);
    } else if (ev.kind == TROTH_CLOSED) { /* the owner reads to the end, and then ends us */
        if (t->closed) /* it says so as long as our side is open */
            return false;
        *any = t->closed = true;
        if (t->ears.answers)
            hold_end(t);
        else
            t->ears.closed ? t->ears.closed(t, t->ears.ctx) : troth_close(t->conn);
    } else if (ev.kind == TROTH_DONE || ev.kind == TROTH_FAILED) {
        *any = true;
        t->failed = ev.kind == TROTH_FAILED;
        if (!t->failed && !t->closed && t->ears.closed) /* our side was closed first: the peer's close_notify is the end of all */
            t->ears.closed(t, t->ears.ctx);
        over(t);
        if (t->failed) { /* a filter that fails does not tell its owner by itself */
            tls_bev_leave(t);
            bufferevent_trigger_event(t->outer, BEV_EVENT_ERROR | BEV_EVENT_READING, BEV_OPT_DEFER_CALLBACKS);
        }
        return false;
    }
    return true;
}

static bool run(struct tls_bev *t, struct evbuffer *src, struct evbuffer *dst)
{
    bool any = false;
    if (t->ears.turn)
        t->ears.turn(t, t->ears.ctx);
    while (run_one(t, src, dst, &any))
        ;
    if (!t->left && !t->yielded) /* it is the farewell's, or nobody's, then */
        troth_rest(t->conn); /* it may be long until more comes */
    return any;
}

/* From the socket to the owner. */
static enum bufferevent_filter_result opened(struct evbuffer *src, struct evbuffer *dst, ev_ssize_t limit,
                                             enum bufferevent_flush_mode mode, void *ctx)
{
    struct tls_bev *t = ctx;
    (void)limit;
    (void)mode;
    if (!t->begun && t->ears.first && !t->over && !t->left && !t->ears.first(t, t->ears.ctx, src))
        return t->failed ? BEV_ERROR : BEV_NEED_MORE;
    t->begun = true;
    bool was_ready = t->ready, any = !t->over && !t->left && run(t, src, dst);
    if (t->failed)
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
    (void)limit;
    (void)mode;
    if (!t->may_write || t->over || t->left || evbuffer_get_length(dst) > UNSENT_MAX || !evbuffer_get_length(src))
        return BEV_NEED_MORE;
    bool ok = seal_some(t->conn, src, dst);
    troth_rest(t->conn); /* and until the socket has taken this */
    return ok ? BEV_OK : BEV_ERROR;
}

/* ---- what the socket says, on its way to the filter */

static void socket_read(struct bufferevent *bev, void *ctx)
{
    struct tls_bev *t = ctx;
    t->filter.read(bev, t->outer);
}

static void socket_write(struct bufferevent *bev, void *ctx)
{
    struct tls_bev *t = ctx;
    t->filter.write(bev, t->outer);
}

static void socket_event(struct bufferevent *bev, short what, void *ctx)
{
    struct tls_bev *t = ctx;
    t->eof |= (what & BEV_EVENT_EOF) != 0;
    if (t->yielded) /* whoever takes the socket hears of it */
        return;
    if (t->ears.answers && (what & BEV_EVENT_EOF) && !(what & BEV_EVENT_ERROR)) /* both at once: nobody is there any more */
        hold_end(t);
    else
        t->filter.event(bev, what, t->outer);
}

static void count(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *ctx)
{
    struct tls_bev *t = ctx;
    (void)buffer;
    t->written += info->n_deleted;
    if (t->ears.out)
        *t->ears.out += info->n_deleted;
}

static void listen_in(struct tls_bev *t)
{
    bufferevent_getcb(t->socket, &t->filter.read, &t->filter.write, &t->filter.event, NULL);
    bufferevent_setcb(t->socket, socket_read, socket_write, socket_event, t);
    evbuffer_add_cb(bufferevent_get_output(t->socket), count, t);
    evbuffer_add_cb(bufferevent_get_output(t->outer), changed, t);
    evbuffer_add_cb(bufferevent_get_input(t->outer), changed, t);
}

/* The signature came: on with what waited for it, on the same way as what the socket brings. */
static void answered(void *ctx, troth_span signature)
{
    struct tls_bev *t = ctx;
    t->question = NULL;
    if (t->ears.turn)
        t->ears.turn(t, t->ears.ctx);
    if (t->ears.signed_by)
        t->ears.signed_by(t, t->ears.ctx, signature);
    troth_answer_sign(t->conn, signature);
    socket_read(t->socket, t);
    if (t->end_held)
        event_active(t->soon, EV_TIMEOUT, 0);
}

/* ---- from the cradle to the grave */

/* All that is in `from`, in a buffer of its own; NULL: there is nothing, or no memory. */
static struct evbuffer *taken_out(struct evbuffer *from, bool even_nothing)
{
    struct evbuffer *b = even_nothing || evbuffer_get_length(from) ? evbuffer_new() : NULL;
    evbuffer_unfreeze(from, 1);
    if (b)
        evbuffer_add_buffer(b, from);
    return b;
}

static void bury(struct tls_bev *t)
{
    if (t->heard)
        evbuffer_free(t->heard);
    troth_free(t->conn);
    keyring_free(t->ears.keys);
    allow_free(t->ears.allow);
    if (t->ears.gone)
        t->ears.gone(t->ears.ctx);
    free(t);
}

static void farewell_over(void *ctx)
{
    struct tls_bev *t = ctx;
    t->farewell_over = true;
    if (t->freed)
        bury(t);
}

void tls_bev_leave(struct tls_bev *t)
{
    if (t->left)
        return;
    t->left = true;
    question_drop(t->question);
    t->question = NULL;
    over(t);
    int fd = tls_bev_fd(t), nothing;
    bool sound = t->may_write && !t->failed;
    bufferevent_disable(t->socket, EV_READ | EV_WRITE);
    seal_collect(t->conn, bufferevent_get_output(t->socket));
    struct parting p = { .fd = fd, .conn = t->conn, .sealed = taken_out(bufferevent_get_output(t->socket), true),
                         .plain = sound ? taken_out(bufferevent_get_output(t->outer), false) : NULL,
                         .orderly = sound && (t->ears.answers || t->finished), .gone = farewell_over, .ctx = t };
    farewell(t->ears.farewells, &p);
    nothing = t->ears.answers && fd >= 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    if (nothing >= 0) {
        dup2(nothing, fd);
        close(nothing);
    }
}

static void free_ctx(void *ctx)
{
    struct tls_bev *t = ctx;
    evbuffer_remove_cb(bufferevent_get_output(t->socket), count, t);
    evbuffer_remove_cb(bufferevent_get_output(t->outer), changed, t);
    evbuffer_remove_cb(bufferevent_get_input(t->outer), changed, t);
    tls_bev_leave(t);
    event_free(t->soon);
    t->freed = true;
    if (t->farewell_over)
        bury(t);
}

struct bufferevent *tls_bev_new(struct event_base *base, int fd, troth_conn *conn, const struct tls_bev_ears *ears,
                                struct tls_bev **made)
{
    struct tls_bev *t = calloc(1, sizeof *t);
    if (t) {
        *t = (struct tls_bev){ .conn = conn, .ears = ears ? *ears : (struct tls_bev_ears){ 0 } };
        t->soon = event_new(base, -1, 0, look_again, t);
        t->socket = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        t->heard = t->ears.asked ? evbuffer_new() : NULL;
        if (t->socket && t->soon && (t->heard || !t->ears.asked))
            t->outer = bufferevent_filter_new(t->socket, opened, sealed, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS, free_ctx, t);
    }
    if (t && t->outer) {
        bufferevent_setwatermark(t->socket, EV_READ, 0, UNREAD_MAX);
        if (t->ears.answers) /* requests behind the one that is being answered */
            bufferevent_setwatermark(t->outer, EV_READ, 0, UNREAD_MAX);
        listen_in(t);
        keyring_share(t->ears.keys);
        allow_share(t->ears.allow);
        if (made)
            *made = t;
        return t->outer;
    }
    if (t && t->socket)
        bufferevent_free(t->socket);
    else if (fd >= 0)
        evutil_closesocket(fd);
    if (t && t->soon)
        event_free(t->soon);
    if (t && t->heard)
        evbuffer_free(t->heard);
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

bool tls_bev_eof(const struct tls_bev *t)
{
    return t->eof;
}

int tls_bev_fd(struct tls_bev *t)
{
    return (int)bufferevent_getfd(t->socket);
}

uint64_t tls_bev_written(const struct tls_bev *t)
{
    return t->written;
}

void *tls_bev_owner(struct bufferevent *bev)
{
    void *t;
    bufferevent_getcb(bufferevent_get_underlying(bev), NULL, NULL, NULL, &t);
    return ((struct tls_bev *)t)->ears.ctx;
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

void tls_bev_idle(struct tls_bev *t)
{
    if (t->end_held && !t->left)
        event_active(t->soon, EV_TIMEOUT, 0);
}

void tls_bev_broken(struct tls_bev *t, enum troth_reason why, const char *detail)
{
    if (t->over || t->left)
        return;
    troth_broken(t->conn, why, detail);
    run(t, NULL, NULL);
}

int tls_bev_give_up(struct tls_bev *t, struct evbuffer *heard)
{
    int fd = tls_bev_fd(t);
    if (t->ears.in) /* whoever carries them counts them */
        *t->ears.in -= evbuffer_get_length(t->heard);
    evbuffer_add_buffer(heard, t->heard);
    evbuffer_add_buffer(heard, bufferevent_get_input(t->socket));
    bufferevent_disable(t->socket, EV_READ | EV_WRITE);
    bufferevent_setfd(t->socket, -1);
    return fd;
}

void tls_bev_finish(struct tls_bev *t)
{
    if (t->over || t->left)
        return;
    t->finished = true;
    troth_close(t->conn);
    struct evbuffer *out = bufferevent_get_output(t->socket);
    evbuffer_add_cb(out, drained, t);
    seal_collect(t->conn, out);
}
