/* serve.c - troth serve: static files over HTTP/1.1 over our connections, thousands at once, in one event loop.
 *
 * Must never answer in the clear, never keep a connection that does not get on with its handshake, its request or the answer - byte by byte
 * is not getting on -, and never stop serving others because of one. */
#include <errno.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"
#include "serve/files.h"
#include "serve/pace.h"
#include "serve/request.h"
#include "serve/service.h"
#include "serve/tls_bev.h"

enum { TARGET_LOGGED = 1600, REQUEST_HEADERS_MAX = 32 << 10, REQUEST_BODY_MAX = 64 << 10, HSTS_MOST = 10 * 366 * 86400 };

struct serve {
    struct service             service; /* first: its calls lead here */
    struct evhttp             *http;
    struct evhttp_bound_socket *bound[LISTENERS_MAX];
    struct guest              *guests;
    int                        root;
    long                       request_seconds;
    char                       hsts[40]; /* Strict-Transport-Security; empty: none is sent */
};

enum phase { IDLE, ASKING, TAKING };

/* One client, from accept to close. */
struct guest {
    struct serve *serve;
    struct guest *next, **link; /* of serve->guests */
    struct event *patience; /* runs out when the handshake takes too long */
    struct event *clock;    /* of the phase it is in, but idle: that is evhttp's to end */
    enum phase    phase;
    struct pace   pace;     /* of taking an answer */
    struct tls_bev *tls;
    struct bufferevent *bev; /* its face for evhttp */
    struct recorder *recorder; /* of its handshake, for --record; NULL: not kept */
    struct visitor *visitor; /* what its PROXY header says; NULL: it has none */
    struct sending sending; /* the file that it is taking */
    uint64_t      began;   /* of now_us() */
    bool          ready, answered, over; /* over: its connection is, and `bev` may be gone before the farewell is */
    bool          told;    /* why its request has no answer */
};

static void peer_of(int fd, char *out, size_t cap)
{
    struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
    socklen_t n = sizeof sa;
    if (getpeername(fd, (struct sockaddr *)&sa, &n) || !address_text(out, cap, (struct sockaddr *)&sa, n))
        snprintf(out, cap, "-");
}

/* Whom the connection comes from. */
static void guest_name(const struct guest *g, char *out, size_t cap)
{
    const char *announced = visitor_peer(g->visitor);
    if (announced)
        snprintf(out, cap, "%s", announced);
    else
        peer_of(tls_bev_fd(g->tls), out, cap);
}

/* ---- one guest */

static void guest_leaves(struct evhttp_connection *con, void *ctx)
{
    struct guest *g = ctx;
    (void)con;
    files_leave(&g->sending);
    tls_bev_leave(g->tls);
}

/* ---- its requests, one after the other */

static void wind_up(struct guest *g, enum phase phase, long seconds)
{
    struct timeval tv = { .tv_sec = seconds }, idle = { .tv_sec = g->serve->service.timeout };
    g->phase = phase;
    bufferevent_set_timeouts(g->bev, phase == TAKING ? NULL : &idle, NULL); /* who is taking has nothing to say, and takes in its own time */
    if (g->clock)
        phase == IDLE ? event_del(g->clock) : event_add(g->clock, &tv);
}

/* Empty lines before a request mean nothing (RFC 9112 2.2): some clients end a body with one. */
static void skip_empty_lines(struct evbuffer *in)
{
    char line[2];
    ev_ssize_t n;
    while ((n = evbuffer_copyout(in, line, sizeof line)) > 0 && (line[0] == '\n' || (n == 2 && line[0] == '\r' && line[1] == '\n')))
        evbuffer_drain(in, line[0] == '\n' ? 1 : 2);
}

/* Something came: of a request, unless an answer is under way. */
static void guest_data(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    (void)t;
    if (g->phase != IDLE)
        return;
    skip_empty_lines(bufferevent_get_input(g->bev));
    wind_up(g, ASKING, g->serve->request_seconds);
}

/* The end that evhttp has for who is idle for too long. */
static void guest_dismiss(struct guest *g)
{
    bufferevent_trigger_event(g->bev, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, BEV_OPT_DEFER_CALLBACKS);
}

/* A client that keeps its connection for later would have us wait until --grace is over.  Whoever has not asked yet is about to. */
static void part(struct service *service)
{
    for (struct guest *g = ((struct serve *)service)->guests; g; g = g->next)
        if (g->phase == IDLE && g->answered && !g->over)
            guest_dismiss(g);
}

static void guest_answered(struct evhttp_request *req, void *ctx)
{
    struct guest *g = ctx;
    (void)req;
    g->answered = true;
    if (evbuffer_get_length(bufferevent_get_input(g->bev)))
        wind_up(g, ASKING, g->serve->request_seconds);
    else
        wind_up(g, IDLE, 0);
    tls_bev_idle(g->tls);
    if (g->phase == IDLE && g->serve->service.stopping) /* its answer began before that, and promised more */
        guest_dismiss(g);
}

static bool guest_busy(void *ctx)
{
    const struct guest *g = ctx;
    return g->phase == TAKING;
}

/* What is left of the answer is not there any more.  The client sees that from its length. */
static void file_cut(void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    guest_name(g, peer, sizeof peer);
    log_line(&g->serve->service.log, "warn", "request", "code", "serve.file", "peer", peer, "saw", "the file became shorter while it was sent, or cannot be read",
             "action", "put a new file in its place with mv, which leaves the old one to whoever has it open", NULL);
    bufferevent_trigger_event(g->bev, BEV_EVENT_EOF | BEV_EVENT_READING, BEV_OPT_DEFER_CALLBACKS);
}

static void guest_taking(struct guest *g)
{
    pace_begin(&g->pace, tls_bev_fd(g->tls), tls_bev_written(g->tls));
    wind_up(g, TAKING, g->serve->service.timeout);
}

static void time_is_up(evutil_socket_t fd, short what, void *ctx)
{
    struct guest *g = ctx;
    const struct service *v = &g->serve->service;
    (void)fd;
    (void)what;
    if (g->phase == ASKING) { /* an end in order */
        char peer[80];
        guest_name(g, peer, sizeof peer);
        if (v->log.verbose)
            log_line(&v->log, "warn", "request", "code", "net.timeout-idle", "peer", peer, "saw", "the request was not complete in time", NULL);
        g->told = true;
        guest_dismiss(g);
    } else if (pace_kept(&g->pace, tls_bev_fd(g->tls), tls_bev_written(g->tls), v->timeout)) {
        wind_up(g, TAKING, v->timeout);
    } else {
        tls_bev_broken(g->tls, TROTH_R_NET_TIMEOUT_IDLE, "the client took too little of the answer");
    }
}

/* ---- its connection */

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
    service_handshake(&g->serve->service, tls_bev_conn(t), g->began);
    if (g->serve->service.log.verbose) {
        guest_name(g, peer, sizeof peer);
        log_handshake(&g->serve->service.log, peer, tls_bev_conn(t), true);
    }
}

static bool guest_first(struct tls_bev *t, void *ctx, struct evbuffer *in)
{
    struct guest *g = ctx;
    return service_hears(&g->serve->service, &g->visitor, t, in);
}

/* The client closed in the middle of its handshake (whoever said nothing at all only looked whether somebody is there). */
static void gave_up(struct guest *g, troth_conn *conn)
{
    if (troth_why(conn) || troth_next(conn).kind != TROTH_RECV)
        return;
    if (visitor_left_early(g->visitor)) {
        troth_broken(conn, g->visitor->why, g->visitor->saw);
    } else if (troth_what(conn).bytes_in) {
        recorder_saw(g->recorder, false, NULL, 0);
        troth_received(conn, 0);
    }
    (void)troth_next(conn); /* which finds that out */
}

/* evhttp refuses by itself what it cannot read: all that there is to see is that no request came of it. */
static void tell_unread(struct guest *g)
{
    char peer[80];
    if (!g->serve->service.log.verbose || !g->ready || g->phase != ASKING || g->told)
        return;
    guest_name(g, peer, sizeof peer);
    log_line(&g->serve->service.log, "info", "request", "peer", peer, "code", "serve.request", "saw",
             "the connection ended before there was a request: what came was none, or too long, or of another method, or not all of it", NULL);
}

static void guest_ended(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    g->over = true;
    if (!g->ready && tls_bev_eof(t))
        gave_up(g, tls_bev_conn(t));
    bool failed = troth_why(tls_bev_conn(t)) != NULL;
    if (!failed)
        tell_unread(g);
    if (failed && !g->ready)
        service_handshake(&g->serve->service, tls_bev_conn(t), g->began);
    if (failed && (!g->ready || g->serve->service.log.verbose)) {
        guest_name(g, peer, sizeof peer);
        log_handshake(&g->serve->service.log, peer, tls_bev_conn(t), true);
        flight_keep(&g->serve->service.flight, g->recorder, tls_bev_conn(t), peer, NULL);
    }
    if (g->patience)
        event_free(g->patience);
    if (g->clock)
        event_free(g->clock);
    g->patience = g->clock = NULL;
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
    flight_turn(&g->serve->service.flight, g->recorder);
}

static void guest_signed(struct tls_bev *t, void *ctx, troth_span signature)
{
    struct guest *g = ctx;
    (void)t;
    flight_signed(&g->serve->service.flight, signature);
}

static void guest_gone(void *ctx)
{
    struct guest *g = ctx;
    *g->link = g->next;
    if (g->next)
        g->next->link = g->link;
    service_count(&g->serve->service, -1);
    recorder_free(g->recorder);
    free(g->visitor);
    if (g->sending.fd >= 0)
        close(g->sending.fd);
    free(g);
}

/* The handshake takes too long: the connection fails, and with it the bufferevent. */
static void out_of_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct guest *g = ctx;
    (void)fd;
    (void)what;
    tls_bev_broken(g->tls, TROTH_R_NET_TIMEOUT_HANDSHAKE,
                   visitor_left_early(g->visitor) ? "the PROXY header was not complete in time" : "the client did not finish its handshake in time");
}

/* evhttp accepted somebody: make the bufferevent that it will speak over.  The socket is set by evhttp itself. */
static struct bufferevent *welcome(struct event_base *base, void *ctx)
{
    struct serve *s = ctx;
    struct guest *g = calloc(1, sizeof *g);
    if (g) {
        *g = (struct guest){ .serve = s, .began = now_us(), .sending = { .fd = -1, .cut = file_cut, .ctx = g } };
        struct tls_bev_ears ears = { .open = guest_open, .ready = guest_ready, .ended = guest_ended, .gone = guest_gone, .saw = guest_saw,
                                     .data = guest_data, .signed_by = guest_signed, .keys = s->service.keys, .allow = s->service.allow, .ctx = g, .farewells = s->service.farewells, .answers = true, .busy = guest_busy,
                                     .in = &s->service.tally.in, .out = &s->service.tally.out };
        service_count(&s->service, 1);
        if (s->service.flight.dir)
            ears.turn = guest_turn;
        if (nets_any(&s->service.announce))
            ears.first = guest_first;
        g->recorder = flight_recorder(&s->service.flight);
        flight_turn(&s->service.flight, g->recorder);
        troth_conn *conn = troth_accept(s->service.server);
        g->bev = tls_bev_new(base, -1, conn, &ears, &g->tls);
        if (g->bev) {
            struct timeval patience = { .tv_sec = s->service.timeout };
            g->patience = event_new(base, -1, 0, out_of_patience, g);
            g->clock = event_new(base, -1, 0, time_is_up, g);
            if (g->patience)
                event_add(g->patience, &patience);
            g->next = s->guests;
            g->link = &s->guests;
            if (g->next)
                g->next->link = &g->next;
            s->guests = g;
            return g->bev;
        }
        service_count(&s->service, -1);
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

static const char *method_name(enum evhttp_cmd_type method)
{
    static const struct {
        enum evhttp_cmd_type method;
        const char          *name;
    } rows[] = { { EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_HEAD, "HEAD" }, { EVHTTP_REQ_POST, "POST" }, { EVHTTP_REQ_PUT, "PUT" },
                 { EVHTTP_REQ_DELETE, "DELETE" }, { EVHTTP_REQ_OPTIONS, "OPTIONS" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].method == method)
            return rows[i].name;
    return NULL; /* open_loop() lets no other in */
}

static void answer(struct evhttp_request *req, void *ctx)
{
    struct serve *s = ctx;
    char peer[80], target[TARGET_LOGGED], status[16];
    bool last;
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    const char *flaw = request_flaw(req, &last);
    if (!con) {
        evhttp_send_error(req, HTTP_BADREQUEST, NULL);
        return;
    }
    struct guest *g = tls_bev_owner(evhttp_connection_get_bufferevent(con));
    if (req->minor > 1) /* we speak 1.1, and answer in that */
        req->minor = 1;
    if (s->service.stopping || last)
        evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
    if (*s->hsts)
        evhttp_add_header(evhttp_request_get_output_headers(req), "Strict-Transport-Security", s->hsts);
    const char *method = method_name(evhttp_request_get_command(req));
    if (s->service.log.verbose) { /* neither may be there any more behind the answer */
        guest_name(g, peer, sizeof peer);
        snprintf(target, sizeof target, "%s", evhttp_request_get_uri(req));
    }
    guest_taking(g);
    evhttp_request_set_on_complete_cb(req, guest_answered, g);
    int code = flaw ? files_refuse(req, HTTP_BADREQUEST, "Bad Request", flaw) : files_answer(req, s->service.args, s->root, &g->sending);
    snprintf(status, sizeof status, "%d", code);
    if (s->service.log.verbose)
        log_line(&s->service.log, "info", "request", "peer", peer, "method", method, "status", status, "code", flaw ? "serve.request" : NULL, "saw", flaw,
                 "target", target, NULL);
}

/* ---- the loop */

static bool adopt(struct service *service, struct evconnlistener *l)
{
    struct serve *s = (struct serve *)service;
    struct evhttp_bound_socket *b = evhttp_bind_listener(s->http, l);
    s->bound[service->n_listeners] = b;
    return b != NULL;
}

static void drop(struct service *service, size_t i)
{
    struct serve *s = (struct serve *)service;
    evhttp_del_accept_socket(s->http, s->bound[i]);
}

static int open_loop(struct serve *s)
{
    struct service *v = &s->service;
    v->base = event_base_new();
    s->http = v->base ? evhttp_new(v->base) : NULL;
    if (!s->http)
        return complain(v->args, EXIT_BUG, "no memory");
    evhttp_set_bevcb(s->http, welcome, s);
    evhttp_set_gencb(s->http, answer, s);
    evhttp_set_timeout(s->http, (int)v->timeout);
    evhttp_set_max_headers_size(s->http, REQUEST_HEADERS_MAX);
    evhttp_set_max_body_size(s->http, REQUEST_BODY_MAX);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS);
    return service_open(v);
}

static bool read_own(struct service *service, const struct args *a)
{
    struct serve *s = (struct serve *)service;
    long seconds, hsts;
    if (!args_number(a, OPT_REQUEST_TIMEOUT, 1, 86400, PACE_REQUEST_SECONDS, &seconds) || !args_number(a, OPT_HSTS, 0, HSTS_MOST, 0, &hsts))
        return false;
    s->request_seconds = seconds;
    if (args_has(a, OPT_HSTS)) /* 0 as well: it ends what was asked for before */
        snprintf(s->hsts, sizeof s->hsts, "max-age=%ld", hsts);
    else
        *s->hsts = 0;
    if (s->http) /* of those who come from now on */
        evhttp_set_timeout(s->http, (int)service->timeout);
    return true;
}

static const char *folder_of(const struct args *a)
{
    return a->n_operands ? a->operands[0] : args_value(a, OPT_DIR, ".");
}

static void needs(struct service *service)
{
    sandbox_folder(&service->sandbox, folder_of(service->args), MAY_READ, false);
}

static int open_folder(struct serve *s, const struct args *a)
{
    const char *dir = folder_of(a);
    s->root = files_open(dir);
    return s->root >= 0 ? EXIT_OK : complain(a, EXIT_FILE, "%s: %s", dir, strerror(errno));
}

/* --check-config: everything, also behind a mistake. */
static int check(struct serve *s, const struct args *a)
{
    int own = read_own(&s->service, a) ? EXIT_OK : EXIT_USAGE, folder = open_folder(s, a), rest = service_check(a, false);
    if (s->root >= 0)
        close(s->root);
    return service_verdict(a, own ? own : folder ? folder : rest);
}

int verb_SERVE(const struct args *a)
{
    struct serve s = { .service = { .adopt = adopt, .drop = drop, .part = part, .own = read_own, .needs = needs }, .root = -1 };
    if (args_has(a, OPT_CHECK_CONFIG))
        return check(&s, a);
    int status = read_own(&s.service, a) ? service_init(&s.service, a, false) : EXIT_USAGE;
    if (status == EXIT_OK)
        status = open_folder(&s, a);
    if (status == EXIT_OK) {
        status = open_loop(&s);
        if (status == EXIT_OK)
            status = service_run(&s.service);
    }
    if (s.http)
        evhttp_free(s.http);
    service_close(&s.service);
    service_free(&s.service);
    if (s.root >= 0)
        close(s.root);
    return status;
}
