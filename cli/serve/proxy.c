/* proxy.c - troth proxy: TLS in front of plain TCP services (--backend, --route) and beside others that end it themselves (--pass), or, with
 * --wrap, plain TCP in front of a TLS service.
 *
 * Must never hold more of a connection than RELAY_MAX in each direction, never turn a truncated TLS connection into an orderly end for the
 * other side, and never connect to the backend for a client that did not finish its handshake, or with --pass its hello. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/target.h"
#include "net/dial.h"
#include "serve/backend.h"
#include "serve/herald.h"
#include "serve/route.h"
#include "serve/service.h"
#include "serve/tls_bev.h"

enum { RELAY_MAX = 256 << 10, ALERT_UNRECOGNIZED_NAME = 112 };

struct pair;

struct proxy {
    struct service           service; /* first: its calls lead here; ours is its client (--wrap) or its server */
    const char              *name;    /* --wrap: whom the backend must be */
    struct routes           *coming;  /* read again, and not in force yet */
    struct pair             *pairs;
};

/* One of the two ends of a connection. */
struct end {
    struct pair        *pair;
    struct end         *other;
    struct bufferevent *bev;
    struct tls_bev     *tls;    /* NULL: the plain one                                   */
    struct recorder    *recorder; /* of its handshake, for --record; NULL: not kept      */
    uint64_t            in;     /* bytes that came from here                             */
    uint64_t            began;  /* its handshake, of now_us()                            */
    bool                comes;  /* without TLS, and its PROXY header is due              */
    bool                there;  /* connected                                             */
    bool                up;     /* connected, and its handshake done                     */
    bool                eof;    /* will send no more                                     */
    bool                shut;   /* was told that no more will be sent to it              */
};

/* What there is to say of a client that is not let in by its name, or passed on. */
struct asked {
    bool passed;
    char hs[17], name[ROUTE_NAME_MAX];
};

struct pair {
    struct proxy *proxy;
    const troth_server *server; /* that the client came to, as long as its connection is there     */
    struct routes *routes;      /* of its route                                                    */
    struct route *route;        /* NULL: it is not decided, or there is none                       */
    struct asked *asked;        /* NULL: nothing of it has to be said                              */
    struct end    front, back;
    struct event *patience;     /* runs out when a handshake or connecting takes too long */
    struct event *burial;       /* frees the pair outside of its own callbacks            */
    struct pair  *next, **link; /* the proxy's list                                       */
    size_t        next_address; /* of the backend's                                       */
    bool          dead;         /* freed but for its memory                               */
    struct visitor *visitor;    /* what the client's PROXY header says; NULL: it has none */
    unsigned      generation;   /* of the configuration that it began with                */
    unsigned      filters;      /* that are not gone yet, and will tell their ears when they are */
    const char   *code;         /* "ok", or what went wrong                               */
    char          peer[80], detail[160];
};

/* ---- the end of a pair */

static void log_pair(struct pair *p)
{
    char in[24], out[24];
    snprintf(in, sizeof in, "%llu", (unsigned long long)p->front.in);
    snprintf(out, sizeof out, "%llu", (unsigned long long)p->back.in);
    const struct route *r = p->route;
    const struct asked *a = p->asked;
    log_line(&p->proxy->service.log, strcmp(p->code, "ok") ? "warn" : "info", "connection", "peer", p->peer, "backend", r ? r->where : NULL, "route",
             r && routes_by_name(p->routes) ? r->name : NULL, "passed", a && a->passed ? "yes" : NULL, "hs", a && *a->hs ? a->hs : NULL, "sni",
             a && *a->name ? a->name : NULL, "code", p->code, "saw", *p->detail ? p->detail : NULL, "received", in, "sent", out, NULL);
}

static void pair_gone(struct pair *p)
{
    service_count(&p->proxy->service, -1);
    recorder_free(p->front.recorder);
    recorder_free(p->back.recorder);
    routes_free(p->routes);
    free(p->asked);
    free(p->visitor);
    free(p);
}

/* Under its TLS, where it has some. */
static struct bufferevent *socket_of(const struct end *e)
{
    return e->tls ? tls_bev_socket(e->tls) : e->bev;
}

static int fd_of(const struct end *e)
{
    return (int)bufferevent_getfd(socket_of(e));
}

/* An end that must not look orderly is reset. */
static void reset_on_close(struct end *e)
{
    struct linger now = { .l_onoff = 1 };
    int fd = e->bev ? fd_of(e) : -1;
    if (fd >= 0 && !e->tls && !e->shut)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void bury(evutil_socket_t fd, short what, void *ctx)
{
    struct pair *p = ctx;
    (void)fd;
    (void)what;
    log_pair(p);
    if (strcmp(p->code, "ok") != 0) {
        reset_on_close(&p->front);
        reset_on_close(&p->back);
    }
    if (p->patience)
        event_free(p->patience);
    event_free(p->burial);
    p->dead = true;
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    if (p->front.bev)
        bufferevent_free(p->front.bev);
    if (p->back.bev)
        bufferevent_free(p->back.bev);
    if (!p->filters) /* else a filter ends later than it is freed, and tells its ears then: tls_gone */
        pair_gone(p);
}

static void finish(struct pair *p, const char *code, const char *detail)
{
    if (strcmp(p->code, "ok") != 0)
        return; /* the first reason counts */
    if (code) {
        p->code = code;
        snprintf(p->detail, sizeof p->detail, "%s", detail ? detail : "");
    }
    event_active(p->burial, EV_TIMEOUT, 0);
}

/* ---- carrying */

/* Nothing more will come from `from`: once all of it went out, the other is told; once both know, it is over. */
static void pass_end(struct end *from)
{
    struct end *to = from->other;
    if (!from->eof || !to->up || to->shut || evbuffer_get_length(bufferevent_get_input(from->bev)) ||
        evbuffer_get_length(bufferevent_get_output(to->bev)))
        return;
    to->shut = true;
    if (to->tls)
        tls_bev_finish(to->tls);
    else
        shutdown(bufferevent_getfd(to->bev), SHUT_WR);
}

static bool all_out(const struct end *e)
{
    return !e->tls || !evbuffer_get_length(bufferevent_get_output(tls_bev_socket(e->tls)));
}

static void settle(struct pair *p)
{
    pass_end(&p->front);
    pass_end(&p->back);
    if (p->front.shut && p->back.shut && all_out(&p->front) && all_out(&p->back))
        finish(p, NULL, NULL);
}

/* What no filter counts. */
static void count_passed(const struct end *from, size_t n)
{
    const struct pair *p = from->pair;
    struct tally *t = &p->proxy->service.tally;
    if (p->asked && p->asked->passed)
        *(from == &p->front ? &t->in : &t->out) += n;
}

static void carry(struct end *from)
{
    struct end *to = from->other;
    struct evbuffer *in = bufferevent_get_input(from->bev);
    if (to->up && !to->shut) {
        from->in += evbuffer_get_length(in);
        count_passed(from, evbuffer_get_length(in));
        bufferevent_write_buffer(to->bev, in);
        if (to->tls)
            bufferevent_flush(to->bev, EV_WRITE, BEV_NORMAL);
        if (evbuffer_get_length(bufferevent_get_output(to->bev)) > RELAY_MAX)
            bufferevent_disable(from->bev, EV_READ);
    } else if (evbuffer_get_length(in) > RELAY_MAX) {
        bufferevent_disable(from->bev, EV_READ);
    }
    settle(from->pair);
}

static bool came_in(struct end *e);

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct end *e = ctx;
    (void)bev;
    if (!e->pair->dead && (!e->comes || came_in(e)))
        carry(e);
}

/* What was waiting here has gone: the other may bring more. */
static void on_write(struct bufferevent *bev, void *ctx)
{
    struct end *e = ctx;
    (void)bev;
    if (e->pair->dead || !e->up)
        return;
    if (evbuffer_get_length(bufferevent_get_output(e->bev)) <= RELAY_MAX / 2 && !e->other->eof && e->other->bev)
        bufferevent_enable(e->other->bev, EV_READ);
    settle(e->pair);
}

/* What waits for an end that takes nothing would wait for ever, and who is alive says so to TCP. */
static void watch_stall(struct end *e)
{
    const struct timeval most = { .tv_sec = e->pair->proxy->service.stall };
    if (most.tv_sec)
        bufferevent_set_timeouts(socket_of(e), NULL, &most);
}

static void came_up(struct end *e)
{
    struct pair *p = e->pair;
    e->up = true;
    bufferevent_enable(e->bev, EV_READ | EV_WRITE);
    if (p->front.up && p->back.up) {
        event_free(p->patience);
        p->patience = NULL;
        watch_stall(&p->front);
        watch_stall(&p->back);
        carry(&p->front);
        carry(&p->back);
    }
}

/* The backend may have another address.  False: no. */
static bool dial_next(struct end *e)
{
    struct pair *p = e->pair;
    return e == &p->back && !e->there && backend_dial(&p->route->to, &p->next_address, socket_of(e));
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct end *e = ctx;
    (void)bev;
    if (e->pair->dead)
        return;
    if (what & BEV_EVENT_CONNECTED) {
        e->there = true;
        keep_alive(fd_of(e));
        e->began = now_us();
        if (!e->tls)
            came_up(e);
        else
            tls_bev_start(e->tls);
    } else if (what & BEV_EVENT_EOF) {
        if (e == &e->pair->front && visitor_left_early(e->pair->visitor))
            finish(e->pair, troth_reason_code(e->pair->visitor->why), e->pair->visitor->saw);
        else if (e->comes)
            finish(e->pair, "net.eof-on-hello", "the connection ended without a PROXY header");
        else if (e->tls && !e->eof) /* without close_notify: somebody cut it off */
            finish(e->pair, e->up ? "net.eof-mid" : "net.eof-on-hello", "the connection ended without close_notify");
        e->eof = true;
        carry(e);
    } else if (what & BEV_EVENT_TIMEOUT) {
        finish(e->pair, "net.timeout-idle", e == &e->pair->front ? "the client took nothing of what waits for it" : "the backend took nothing of what waits for it");
    } else if (what & BEV_EVENT_ERROR) {
        int error = EVUTIL_SOCKET_ERROR();
        if (dial_next(e))
            return;
        const char *code = error == ECONNREFUSED ? "net.refused" : e->up ? "net.reset-mid" : "net.unreachable";
        finish(e->pair, e->eof && e->shut ? NULL : code, strerror(error));
    }
}

/* ---- where to */

/* By the name that was asked for, and what is in force now.  False: nowhere. */
static bool choose(struct pair *p, troth_span name)
{
    routes_free(p->routes);
    p->routes = routes_share(p->proxy->service.routes);
    p->route = routes_find(p->routes, name.p, name.n);
    return p->route != NULL;
}

/* What the hello says is kept beyond it. */
static bool note_asked(struct pair *p, const troth_facts *f, bool passed)
{
    if (!p->asked && !(p->asked = calloc(1, sizeof *p->asked)))
        return false;
    struct asked *a = p->asked;
    a->passed = passed;
    (void)troth_hello_name(a->hs, f);
    snprintf(a->name, sizeof a->name, "%.*s", (int)f->server_name.n, (const char *)f->server_name.p);
    return true;
}

/* Nobody of ours has that name. */
static void finish_unknown(struct pair *p)
{
    char names[sizeof p->detail - 48], saw[sizeof p->detail];
    routes_names(names, sizeof names, p->routes);
    snprintf(saw, sizeof saw, "%s; there are %s", p->asked && *p->asked->name ? "nobody has that name" : "no name was asked for", names);
    finish(p, troth_reason_code(TROTH_R_UNRECOGNIZED_NAME), saw);
}

/* ---- whom the client comes from */

static bool connect_back(struct pair *p);

static void note_peer(struct pair *p)
{
    if (visitor_peer(p->visitor))
        snprintf(p->peer, sizeof p->peer, "%s", visitor_peer(p->visitor));
}

/* The header of a client without TLS.  False: it is not there yet, or not as it should be. */
static bool came_in(struct end *e)
{
    struct pair *p = e->pair;
    enum visitor_is is = visitor_hear(&p->visitor, &p->proxy->service.announce, bufferevent_getfd(e->bev), bufferevent_get_input(e->bev));
    if (is == VISITOR_REFUSED)
        finish(p, p->visitor ? troth_reason_code(p->visitor->why) : "local.memory", p->visitor ? p->visitor->saw : NULL);
    if (is != VISITOR_IN)
        return false;
    note_peer(p);
    e->comes = false;
    e->up = true;
    if (!connect_back(p))
        finish(p, "local.memory", NULL);
    return true;
}

static bool tls_first(struct tls_bev *t, void *ctx, struct evbuffer *in)
{
    struct end *e = ctx;
    bool is_in = service_hears(&e->pair->proxy->service, &e->pair->visitor, t, in);
    if (is_in)
        note_peer(e->pair);
    return is_in;
}

/* Before anything else the backend hears of him, too. */
static bool introduce(struct pair *p, struct bufferevent *socket)
{
    struct proxy *x = p->proxy;
    uint8_t words[ANNOUNCE_WRITE_MAX];
    struct herald h = { .visitor = p->visitor, .conn = p->front.tls ? tls_bev_conn(p->front.tls) : NULL,
                        .ends = ends_of(fd_of(&p->front)),
                        .identities = p->generation == x->service.generation ? &x->service.identities : NULL };
    if (p->asked) {
        h.name = p->asked->name;
        h.hs = p->asked->hs;
    }
    size_t n = herald_words(words, p->route->herald, &h);
    return n && !evbuffer_add(bufferevent_get_output(socket), words, n);
}

/* ---- the TLS end */

static void tls_ready(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    recorder_free(e->recorder);
    e->recorder = NULL;
    service_handshake(&e->pair->proxy->service, tls_bev_conn(t), e->began);
    if (e->pair->dead)
        return;
    if (e->pair->proxy->service.log.verbose)
        log_handshake(&e->pair->proxy->service.log, e->pair->peer, tls_bev_conn(t), e->pair->proxy->service.server);
    const troth_facts f = troth_what(tls_bev_conn(t));
    if (e == &e->pair->front && !e->pair->route && (!choose(e->pair, f.server_name) || e->pair->route->pass)) {
        e->pair->route = NULL; /* nor can be passed on what has begun */
        (void)note_asked(e->pair, &f, false);
        event_add(e->pair->patience, &(struct timeval){ .tv_sec = 0 }); /* who came for our keys (RFC 9849) says so with his next words, if he has not */
        return;
    }
    if (e == &e->pair->front && !connect_back(e->pair))
        finish(e->pair, "local.memory", NULL);
    came_up(e);
}

/* The hello has come.  Who refuses an encrypted one for a name that is passed on hears of its outer name next.  Where a hello was
 * encrypted to a key that we do not have, its outer name may be the public one, under which he is told our keys: that it has no route counts
 * only once the handshake is done. */
static bool tls_asked(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    struct pair *p = e->pair;
    troth_conn *conn = tls_bev_conn(t);
    const troth_facts f = troth_what(conn);
    bool somewhere = choose(p, f.server_name), pass = somewhere && p->route->pass;
    if (pass && f.ech == TROTH_ECH_ACCEPTED) {
        p->route = NULL;
        troth_refuse_ech(conn);
        return true;
    }
    if (pass && note_asked(p, &f, true))
        return false;
    if (!somewhere)
        (void)note_asked(p, &f, false);
    troth_answer_server(conn, !pass && (somewhere || f.ech == TROTH_ECH_REJECTED) ? p->server : NULL);
    return true;
}

static bool end_open(struct end *e, int fd, troth_conn *conn);

/* From here on it is TCP. */
static void tls_passed(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    struct pair *p = e->pair;
    struct bufferevent *filter = e->bev;
    struct evbuffer *heard = evbuffer_new();
    if (p->dead)
        return;
    if (!heard) {
        finish(p, "local.memory", NULL);
        return;
    }
    int fd = tls_bev_give_up(t, heard);
    recorder_free(e->recorder);
    e->recorder = NULL;
    e->tls = NULL;
    e->up = end_open(e, fd, NULL);
    bufferevent_free(filter);
    if (!e->up)
        evutil_closesocket(fd);
    if (e->up)
        evbuffer_prepend_buffer(bufferevent_get_input(e->bev), heard);
    evbuffer_free(heard);
    if (!e->up || !connect_back(p)) {
        finish(p, "local.memory", NULL);
        return;
    }
    bufferevent_enable(e->bev, EV_READ | EV_WRITE);
}

static void tls_closed(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    (void)t;
    e->eof = true;
}

static void tls_ended(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    const troth_error *why = troth_why(tls_bev_conn(t));
    struct proxy *x = e->pair->proxy;
    if (why && !e->up)
        service_handshake(&x->service, tls_bev_conn(t), e->began);
    flight_keep(&x->service.flight, e->recorder, tls_bev_conn(t), e == &e->pair->front ? e->pair->peer : x->service.backend, x->name);
    if (e->pair->dead || !why)
        return;
    if (e == &e->pair->front && e->pair->asked && !e->pair->route && !why->from_peer)
        finish_unknown(e->pair);
    else
        finish(e->pair, why->code, why->detail);
}

/* All that was written is on its way, close_notify included. */
static void tls_flushed(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    (void)t;
    if (!e->pair->dead)
        settle(e->pair);
}

/* The filter is gone, as a rule the last of a pair to go. */
static void tls_gone(void *ctx)
{
    struct pair *p = ((struct end *)ctx)->pair;
    if (!--p->filters && p->dead)
        pair_gone(p);
}

static void tls_saw(struct tls_bev *t, void *ctx, bool out, const uint8_t *p, size_t n)
{
    struct end *e = ctx;
    (void)t;
    recorder_saw(e->recorder, out, p, n);
}

static void tls_turn(struct tls_bev *t, void *ctx)
{
    struct end *e = ctx;
    (void)t;
    flight_turn(&e->pair->proxy->service.flight, e->recorder);
}

static void tls_signed(struct tls_bev *t, void *ctx, troth_span signature)
{
    struct end *e = ctx;
    (void)t;
    flight_signed(&e->pair->proxy->service.flight, signature);
}

static bool end_open(struct end *e, int fd, troth_conn *conn)
{
    struct proxy *x = e->pair->proxy;
    if (conn) {
        struct tls_bev_ears ears = { .saw = tls_saw, .ready = tls_ready, .ended = tls_ended, .closed = tls_closed, .flushed = tls_flushed, .gone = tls_gone,
                                     .signed_by = tls_signed, .keys = x->service.keys, .allow = x->service.allow,
                                     .ctx = e, .farewells = x->service.farewells, .in = &x->service.tally.in, .out = &x->service.tally.out };
        e->began = now_us();
        if (x->service.flight.dir)
            ears.turn = tls_turn;
        if (e == &e->pair->front && nets_any(&x->service.announce))
            ears.first = tls_first;
        if (e == &e->pair->front && routes_by_name(x->service.routes)) {
            ears.asked = tls_asked;
            ears.passed = tls_passed;
        }
        e->recorder = flight_recorder(&x->service.flight);
        flight_turn(&x->service.flight, e->recorder);
        e->bev = tls_bev_new(x->service.base, fd, conn, &ears, &e->tls);
        e->pair->filters += e->bev != NULL;
    } else {
        e->bev = bufferevent_socket_new(x->service.base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    }
    if (!e->bev)
        return false;
    bufferevent_setcb(e->bev, on_read, on_write, on_event, e);
    bufferevent_setwatermark(e->bev, EV_WRITE, RELAY_MAX / 2, 0);
    return true;
}

/* False: there is no memory for it.  That nobody is there has finished the pair already. */
static bool connect_back(struct pair *p)
{
    struct proxy *x = p->proxy;
    if (!p->route && !choose(p, (troth_span){ NULL, 0 })) /* without TLS in front */
        return false;
    p->route->connections++;
    if (!end_open(&p->back, -1, x->service.client ? troth_connect(x->service.client, x->name) : NULL))
        return false;
    bufferevent_enable(p->back.bev, EV_READ | EV_WRITE);
    struct bufferevent *socket = socket_of(&p->back);
    if (p->route->herald && !introduce(p, socket))
        return false;
    if (!backend_dial(&p->route->to, &p->next_address, socket))
        finish(p, errno == EMFILE || errno == ENFILE ? "serve.files" : "net.unreachable", strerror(errno));
    return true;
}

/* ---- accepting */

static void out_of_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct pair *p = ctx;
    (void)fd;
    (void)what;
    if (p->front.tls && !p->route && troth_what(tls_bev_conn(p->front.tls)).ready) {
        troth_abort(tls_bev_conn(p->front.tls), ALERT_UNRECOGNIZED_NAME, "nobody of ours has that name");
        tls_bev_start(p->front.tls);
        return;
    }
    bool client = !p->front.up;
    bool header = p->front.comes || visitor_left_early(p->visitor);
    finish(p, client || p->back.tls ? "net.timeout-handshake" : "net.timeout-connect",
           header   ? "the PROXY header was not complete in time"
           : client ? "the client did not finish its handshake in time"
                    : "the backend did not answer in time");
}

static void accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int n, void *ctx)
{
    struct proxy *x = ctx;
    struct pair *p = calloc(1, sizeof *p);
    (void)l;
    if (!p) {
        evutil_closesocket(fd);
        return;
    }
    *p = (struct pair){ .proxy = x, .code = "ok", .generation = x->service.generation, .server = x->service.server };
    p->front = (struct end){ .pair = p, .other = &p->back };
    p->back = (struct end){ .pair = p, .other = &p->front };
    if (sa->sa_family == AF_UNIX || !address_text(p->peer, sizeof p->peer, sa, (socklen_t)n))
        snprintf(p->peer, sizeof p->peer, "-:-");
    keep_alive(fd);
    struct timeval patience = { .tv_sec = x->service.timeout };
    p->burial = event_new(x->service.base, -1, 0, bury, p);
    p->patience = event_new(x->service.base, -1, 0, out_of_patience, p);
    if (!p->burial || !p->patience || event_add(p->patience, &patience))
        abort(); /* as small as this: the machine is out of memory for good */
    p->next = x->pairs;
    p->link = &x->pairs;
    if (p->next)
        p->next->link = &p->next;
    x->pairs = p;
    service_count(&x->service, 1);
    if (!end_open(&p->front, fd, x->service.server ? troth_accept(x->service.server) : NULL)) {
        finish(p, "local.memory", NULL);
        return;
    }
    bufferevent_enable(p->front.bev, EV_READ | EV_WRITE);
    p->front.comes = x->service.client && nets_any(&x->service.announce) && visitor_due(&x->service.announce, fd);
    if (x->service.server || p->front.comes)
        return;
    p->front.up = true;
    if (!connect_back(p))
        finish(p, "local.memory", NULL);
}

/* ---- the loop */

static bool adopt(struct service *service, struct evconnlistener *l)
{
    evconnlistener_set_cb(l, accepted, service);
    return true;
}

static void drop(struct service *service, size_t i)
{
    evconnlistener_free(service->listeners[i]);
}

static void needs(struct service *service)
{
    routes_let_in(service->routes, &service->sandbox);
}

static const char *const send_proxy[] = { "none", "v1", "v2", NULL };

/* What only proxy has. */
static int read_own(struct proxy *x, const struct args *a, struct target *wrapped)
{
    const char *wrap = args_value(a, OPT_WRAP, NULL);
    if (!args_has(a, OPT_BACKEND) && !args_has(a, OPT_ROUTE) && !args_has(a, OPT_PASS) && !wrap)
        return complain(a, EXIT_USAGE, "where to forward to? --backend ADDR:PORT, or --wrap HOST to speak TLS to HOST");
    if (wrap && !target_parse(wrapped, a, wrap, "443"))
        return EXIT_USAGE;
    if (wrap && !wrapped->host[0])
        return complain(a, EXIT_USAGE, "--wrap wants the name that the backend's certificate must be for");
    if (args_word(a, OPT_SEND_PROXY, send_proxy, 0) < 0)
        return EXIT_USAGE;
    x->name = wrap ? wrapped->host : NULL;
    return EXIT_OK;
}

static struct routes *read_routes(const struct proxy *x, const struct args *a, int *status)
{
    const char *otherwise = args_value(a, OPT_BACKEND, args_value(a, OPT_WRAP, NULL));
    return routes_read(a, otherwise, x->name ? "443" : "80", args_word(a, OPT_SEND_PROXY, send_proxy, 0), x->service.routes, status);
}

/* Who asks for a name that none of our certificates has is shown another, which he refuses. */
static void warn_of_names(const struct service *s)
{
    const struct routes *r = s->routes;
    for (size_t i = 0; r && s->server && i < r->n; i++)
        if (!r->all[i].pass && &r->all[i] != r->otherwise && !identities_have(&s->identities, r->all[i].name))
            log_line(&s->log, "warn", "route", "route", r->all[i].name, "what", "no certificate that is loaded has this name: clients will refuse the one they are shown",
                     "action", "give --cert and --key for it, or pass it on as it is (--pass)", NULL);
}

static int find_backends(struct proxy *x, const struct args *a)
{
    int status;
    x->service.args = a;
    x->service.backend = args_value(a, OPT_BACKEND, args_value(a, OPT_WRAP, NULL));
    x->service.routes = read_routes(x, a, &status);
    x->service.wants = x->service.routes ? routes_need(x->service.routes) : 0;
    warn_of_names(&x->service);
    return status;
}

/* At every reload. */
static bool find_backends_again(struct service *service, const struct args *a)
{
    struct proxy *x = (struct proxy *)service;
    int status;
    x->coming = read_routes(x, a, &status);
    if (x->coming && routes_reached(x->coming, a, &service->sandbox))
        return true;
    routes_free(x->coming);
    x->coming = NULL;
    return false;
}

static void settle_backends(struct service *service, bool taken)
{
    struct proxy *x = (struct proxy *)service;
    routes_free(taken ? service->routes : x->coming);
    if (taken)
        service->routes = x->coming;
    x->coming = NULL;
    if (taken)
        warn_of_names(service);
}

/* --check-config: everything, also behind a mistake. */
static int check(struct proxy *x, const struct args *a, struct target *wrapped)
{
    int own = read_own(x, a, wrapped), rest = service_check(a, x->name != NULL), backend = own ? EXIT_OK : find_backends(x, a);
    routes_free(x->service.routes);
    return service_verdict(a, own ? own : rest ? rest : backend);
}

static int configure(struct proxy *x, const struct args *a, struct target *wrapped)
{
    int status = read_own(x, a, wrapped);
    if (status == EXIT_OK)
        status = service_init(&x->service, a, x->name != NULL);
    return status == EXIT_OK ? find_backends(x, a) : status;
}

int verb_PROXY(const struct args *a)
{
    struct proxy x = { .service = { .own = find_backends_again, .settle = settle_backends, .adopt = adopt, .drop = drop, .needs = needs } };
    struct target wrapped;
    if (args_has(a, OPT_CHECK_CONFIG))
        return check(&x, a, &wrapped);
    int status = configure(&x, a, &wrapped);
    if (status == EXIT_OK) {
        x.service.base = event_base_new();
        status = service_open(&x.service);
        if (status == EXIT_OK)
            status = service_run(&x.service);
    }
    for (struct pair *p = x.pairs, *next; p; p = next) { /* grace was over */
        next = p->next;
        if (!strcmp(p->code, "ok"))
            p->code = "serve.stopped";
        bury(-1, 0, p);
    }
    for (; x.service.n_listeners; x.service.n_listeners--)
        drop(&x.service, x.service.n_listeners - 1);
    service_close(&x.service);
    service_free(&x.service);
    routes_free(x.service.routes);
    return status;
}
