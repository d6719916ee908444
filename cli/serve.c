/* serve.c - troth serve: static files over HTTP/1.1 over our connections, thousands at once, in one event loop.
 *
 * Must never answer in the clear, never keep a connection that does not get on with its handshake or its request, and never stop serving
 * others because of one. */
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "farewell.h"
#include "files.h"
#include "flight.h"
#include "log.h"
#include "setup.h"
#include "tls_bev.h"

enum { LISTENERS_MAX = 16, REQUEST_HEADERS_MAX = 32 << 10, REQUEST_BODY_MAX = 64 << 10, SIGNALS = 4, FAREWELLS_MOST = 1000, CROWD = 1000 };

struct serve {
    const struct args     *args;
    struct log             log;
    struct event_base     *base;
    struct event          *signals[SIGNALS];
    struct evhttp         *http;
    struct evconnlistener *listeners[LISTENERS_MAX];
    struct evhttp_bound_socket *bound[LISTENERS_MAX];
    size_t                 n_listeners;
    troth_server          *tls;
    int                    root;
    struct farewells      *farewells;
    struct flight          flight;
    long                   timeout, max_conns, grace, conns, crowd;
    bool                   stopping, full;
};

/* One client, from accept to close. */
struct guest {
    struct serve *serve;
    struct event *patience; /* runs out when the handshake takes too long */
    struct tls_bev *tls;
    struct bufferevent *bev; /* its face for evhttp */
    struct recorder *recorder; /* of its handshake, for --record; NULL: not kept */
    bool          ready;
};

static void peer_of(int fd, char *out, size_t cap)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    char host[64], port[8];
    if (getpeername(fd, (struct sockaddr *)&sa, &n) ||
        getnameinfo((struct sockaddr *)&sa, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(out, cap, "-");
    else
        snprintf(out, cap, sa.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* ---- how many */

static void listen_more(struct serve *s, bool yes)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        yes ? evconnlistener_enable(s->listeners[i]) : evconnlistener_disable(s->listeners[i]);
    s->full = !yes;
}

/* After a crowd has gone its memory goes back: malloc would keep it. */
static void give_back(struct serve *s)
{
    if (s->conns > s->crowd)
        s->crowd = s->conns;
    if (s->crowd < CROWD || s->conns > s->crowd / 4)
        return;
    malloc_trim(0);
    s->crowd = s->conns;
}

static void count(struct serve *s, int by)
{
    s->conns += by;
    give_back(s);
    if (!s->stopping && !s->full && s->conns >= s->max_conns) {
        log_line(&s->log, "warn", "full", "code", "serve.full", "action", "raise --max-connections, or find out who holds them", NULL);
        listen_more(s, false);
    } else if (!s->stopping && s->full && s->conns < s->max_conns * 9 / 10) {
        listen_more(s, true);
    }
    if (s->stopping && s->conns == 0)
        event_base_loopbreak(s->base);
}

/* ---- one guest */

static void guest_leaves(struct evhttp_connection *con, void *ctx)
{
    struct guest *g = ctx;
    (void)con;
    tls_bev_leave(g->tls);
}

/* evhttp's callbacks are about its connection, which nothing else hands out before a request was understood. */
static void guest_open(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    void *con;
    (void)t;
    bufferevent_getcb(g->bev, NULL, NULL, NULL, &con);
    evhttp_connection_set_closecb(con, guest_leaves, g);
}

static void guest_ready(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    g->ready = true;
    recorder_free(g->recorder);
    g->recorder = NULL;
    if (g->patience)
        event_free(g->patience);
    g->patience = NULL;
    if (g->serve->log.verbose) {
        peer_of(tls_bev_fd(t), peer, sizeof peer);
        log_handshake(&g->serve->log, peer, tls_bev_conn(t));
    }
}

/* The client closed in the middle of its handshake (whoever said nothing at all only looked whether somebody is there). */
static void gave_up(struct guest *g, troth_conn *conn)
{
    if (troth_why(conn) || troth_next(conn).kind != TROTH_RECV)
        return;
    recorder_saw(g->recorder, false, NULL, 0);
    troth_received(conn, 0);
}

static void guest_ended(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    if (!g->ready && troth_what(tls_bev_conn(t)).bytes_in)
        gave_up(g, tls_bev_conn(t));
    if (troth_why(tls_bev_conn(t)) && (!g->ready || g->serve->log.verbose)) {
        peer_of(tls_bev_fd(t), peer, sizeof peer);
        log_handshake(&g->serve->log, peer, tls_bev_conn(t));
        flight_keep(&g->serve->flight, g->recorder, tls_bev_conn(t), peer, NULL);
    }
    if (g->patience)
        event_free(g->patience);
    g->patience = NULL;
}

static void guest_saw(struct tls_bev *t, void *ctx, bool out, const uint8_t *p, size_t n)
{
    struct guest *g = ctx;
    (void)t;
    recorder_saw(g->recorder, out, p, n);
}

static void guest_turn(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    (void)t;
    flight_turn(&g->serve->flight, g->recorder);
}

static void guest_gone(void *ctx)
{
    struct guest *g = ctx;
    count(g->serve, -1);
    recorder_free(g->recorder);
    free(g);
}

/* The handshake takes too long: the connection fails, and with it the bufferevent. */
static void out_of_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct guest *g = ctx;
    (void)fd;
    (void)what;
    tls_bev_broken(g->tls, TROTH_R_NET_TIMEOUT_HANDSHAKE, "the client did not finish its handshake in time");
}

/* evhttp accepted somebody: make the bufferevent that it will speak over.  The socket is set by evhttp itself. */
static struct bufferevent *welcome(struct event_base *base, void *ctx)
{
    struct serve *s = ctx;
    struct guest *g = calloc(1, sizeof *g);
    if (g) {
        *g = (struct guest){ .serve = s };
        struct tls_bev_ears ears = { .open = guest_open, .ready = guest_ready, .ended = guest_ended, .gone = guest_gone, .saw = guest_saw, .ctx = g,
                                     .farewells = s->farewells, .answers = true };
        count(s, 1);
        if (s->flight.dir)
            ears.turn = guest_turn;
        g->recorder = flight_recorder(&s->flight);
        flight_turn(&s->flight, g->recorder);
        troth_conn *conn = troth_accept(s->tls);
        g->bev = tls_bev_new(base, -1, conn, &ears, &g->tls);
        if (g->bev) {
            struct timeval patience = { .tv_sec = s->timeout };
            g->patience = event_new(base, -1, 0, out_of_patience, g);
            if (g->patience)
                event_add(g->patience, &patience);
            return g->bev;
        }
        count(s, -1);
        recorder_free(g->recorder);
    }
    /* Never NULL: evhttp would speak in the clear.  A bufferevent without a filter nor anything to read ends at once. */
    free(g);
    struct bufferevent *nothing[2];
    if (bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, nothing))
        abort();
    bufferevent_free(nothing[1]);
    return nothing[0];
}

static void answer(struct evhttp_request *req, void *ctx)
{
    struct serve *s = ctx;
    char *peer = NULL;
    ev_uint16_t port = 0;
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    if (s->stopping)
        evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    if (s->log.verbose && con) {
        evhttp_connection_get_peer(con, &peer, &port);
        log_line(&s->log, "info", "request", "peer", peer, "target", evhttp_request_get_uri(req), NULL);
    }
    files_answer(req, s->root);
}

/* ---- the loop */

static void warn_about(struct serve *s)
{
    const troth_error *w;
    for (size_t i = 0; (w = troth_server_warning(s->tls, i)); i++)
        log_line(&s->log, "warn", "certificate", "code", w->code, "what", w->text, "saw", w->detail, "action", w->hint, NULL);
}

static void stop(evutil_socket_t signal_number, short what, void *ctx)
{
    struct serve *s = ctx;
    (void)what;
    if (s->stopping || signal_number == SIGQUIT) {
        event_base_loopbreak(s->base);
        return;
    }
    s->stopping = true;
    for (; s->n_listeners; s->n_listeners--) /* closed: whoever comes now is told to go elsewhere at once */
        evhttp_del_accept_socket(s->http, s->bound[s->n_listeners - 1]);
    log_line(&s->log, "info", "stopping", NULL);
    struct timeval grace = { .tv_sec = s->grace };
    s->conns ? event_base_loopexit(s->base, &grace) : event_base_loopbreak(s->base);
}

static void reload(evutil_socket_t signal_number, short what, void *ctx)
{
    struct serve *s = ctx;
    int status;
    (void)signal_number;
    (void)what;
    troth_server *fresh = setup_server(s->args, s->flight.tape, &status);
    if (!fresh) {
        log_line(&s->log, "error", "reload", "result", "kept the old configuration", NULL);
        return;
    }
    troth_server_free(s->tls);
    s->tls = fresh;
    flight_reload(&s->flight);
    warn_about(s);
    log_line(&s->log, "info", "reload", "result", "ok", NULL);
}

static bool listen_at(struct serve *s, const char *where)
{
    int port, fd = listen_on(s->args, where, &port);
    if (fd < 0 || s->n_listeners == LISTENERS_MAX)
        return false;
    struct evconnlistener *l = evconnlistener_new(s->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    s->bound[s->n_listeners] = l ? evhttp_bind_listener(s->http, l) : NULL;
    if (!s->bound[s->n_listeners])
        return false;
    s->listeners[s->n_listeners++] = l;
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    log_line(&s->log, "info", "listening", "address", where, "port", text, NULL);
    const char *port_file = args_value(s->args, OPT_PORT_FILE, NULL);
    FILE *f = port_file ? fopen(port_file, "w") : NULL;
    if (port_file && (!f || fprintf(f, "%d\n", port) < 0 || fclose(f))) {
        complain(s->args, EXIT_FILE, "%s: %s", port_file, strerror(errno));
        return false;
    }
    return true;
}

static bool open_loop(struct serve *s)
{
    s->base = event_base_new();
    s->http = s->base ? evhttp_new(s->base) : NULL;
    s->farewells = s->http ? farewells_new(s->base, FAREWELLS_MOST, s->timeout) : NULL;
    if (!s->farewells)
        return false;
    evhttp_set_bevcb(s->http, welcome, s);
    evhttp_set_gencb(s->http, answer, s);
    evhttp_set_timeout(s->http, (int)s->timeout);
    evhttp_set_max_headers_size(s->http, REQUEST_HEADERS_MAX);
    evhttp_set_max_body_size(s->http, REQUEST_BODY_MAX);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS);
    static const struct {
        int               number;
        event_callback_fn fn;
    } rows[SIGNALS] = { { SIGTERM, stop }, { SIGINT, stop }, { SIGQUIT, stop }, { SIGHUP, reload } };
    for (size_t i = 0; i < SIGNALS; i++) {
        s->signals[i] = evsignal_new(s->base, rows[i].number, rows[i].fn, s);
        if (!s->signals[i] || event_add(s->signals[i], NULL))
            return false;
    }
    const char *where;
    for (size_t i = 0; (where = args_nth(s->args, OPT_LISTEN, i)); i++)
        if (!listen_at(s, where))
            return false;
    return s->n_listeners || listen_at(s, "127.0.0.1:8443");
}

static void close_loop(struct serve *s)
{
    if (s->http)
        evhttp_free(s->http);
    for (int i = 0; s->base && i < 3; i++) /* what was freed ends in the loop */
        event_base_loop(s->base, EVLOOP_NONBLOCK);
    farewells_free(s->farewells);
    for (size_t i = 0; i < SIGNALS; i++)
        if (s->signals[i])
            event_free(s->signals[i]);
    if (s->base)
        event_base_free(s->base);
}

static void raise_file_limit(long conns)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= (rlim_t)conns + 64)
        return;
    r.rlim_cur = (rlim_t)conns + 64 < r.rlim_max ? (rlim_t)conns + 64 : r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

int verb_SERVE(const struct args *a)
{
    struct serve s = { .args = a };
    const char *dir = a->n_operands ? a->operands[0] : ".";
    int status;
    if (!log_init(&s.log, a) || !args_number(a, OPT_TIMEOUT, 1, 86400, 10, &s.timeout) ||
        !args_number(a, OPT_MAX_CONNS, 1, 1000000, 10000, &s.max_conns) || !args_number(a, OPT_GRACE, 0, 86400, 10, &s.grace))
        return EXIT_USAGE;
    s.root = files_open(dir);
    if (s.root < 0)
        return complain(a, EXIT_FILE, "%s: %s", dir, strerror(errno));
    s.tls = flight_init(&s.flight, a, &s.log, true, &status) ? setup_server(a, s.flight.tape, &status) : NULL;
    if (!s.tls)
        return status;
    flight_reload(&s.flight);
    warn_about(&s);
    raise_file_limit(s.max_conns);
    status = EXIT_OK;
    if (!open_loop(&s))
        status = EXIT_NETWORK;
    else if (event_base_dispatch(s.base) < 0)
        status = EXIT_BUG;
    close_loop(&s);
    troth_server_free(s.tls);
    flight_end(&s.flight);
    close(s.root);
    return status;
}
