/* serve.c - troth serve: static files over HTTP/1.1 over our connections, thousands at once, in one event loop.
 *
 * Must never answer in the clear, never keep a connection that does not get on with its handshake or its request, and never stop serving
 * others because of one. */
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dial.h"
#include "files.h"
#include "log.h"
#include "setup.h"
#include "tls_bev.h"

enum { LISTENERS_MAX = 16, REQUEST_HEADERS_MAX = 32 << 10, REQUEST_BODY_MAX = 64 << 10 };

struct serve {
    const struct args     *args;
    struct log             log;
    struct event_base     *base;
    struct evhttp         *http;
    struct evconnlistener *listeners[LISTENERS_MAX];
    struct evhttp_bound_socket *bound[LISTENERS_MAX];
    size_t                 n_listeners;
    troth_server          *tls;
    int                    root;
    struct tls_bev       **by_fd;     /* connections that are ready, by their socket */
    size_t                 n_fds;
    long                   timeout, max_conns, grace, conns;
    bool                   stopping, full;
};

/* One client, from accept to close. */
struct guest {
    struct serve *serve;
    struct event *patience; /* runs out when the handshake takes too long */
    struct tls_bev *tls;
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

static void count(struct serve *s, int by)
{
    s->conns += by;
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

static void guest_ready(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    g->ready = true;
    if (g->patience)
        event_free(g->patience);
    g->patience = NULL;
    size_t fd = (size_t)tls_bev_fd(t);
    if (fd < g->serve->n_fds)
        g->serve->by_fd[fd] = t;
    if (g->serve->log.verbose) {
        peer_of(tls_bev_fd(t), peer, sizeof peer);
        log_handshake(&g->serve->log, peer, tls_bev_conn(t));
    }
}

static void guest_ended(struct tls_bev *t, void *ctx)
{
    struct guest *g = ctx;
    char peer[80];
    if (troth_why(tls_bev_conn(t)) && (!g->ready || g->serve->log.verbose)) {
        peer_of(tls_bev_fd(t), peer, sizeof peer);
        log_handshake(&g->serve->log, peer, tls_bev_conn(t));
    }
    if (g->patience)
        event_free(g->patience);
    size_t fd = (size_t)tls_bev_fd(t);
    if (fd < g->serve->n_fds && g->serve->by_fd[fd] == t)
        g->serve->by_fd[fd] = NULL;
    count(g->serve, -1);
    free(g);
}

/* The handshake takes too long: the connection fails, and with it the bufferevent. */
static void out_of_patience(evutil_socket_t fd, short what, void *ctx)
{
    struct guest *g = ctx;
    (void)fd;
    (void)what;
    troth_broken(tls_bev_conn(g->tls), TROTH_R_NET_TIMEOUT_HANDSHAKE, "the client did not finish its handshake in time");
    shutdown(tls_bev_fd(g->tls), SHUT_RDWR); /* wakes the filter up */
}

/* evhttp accepted somebody: make the bufferevent that it will speak over.  The socket is set by evhttp itself. */
static struct bufferevent *welcome(struct event_base *base, void *ctx)
{
    struct serve *s = ctx;
    struct guest *g = calloc(1, sizeof *g);
    struct bufferevent *bev = NULL;
    if (g) {
        *g = (struct guest){ .serve = s };
        struct tls_bev_ears ears = { .ready = guest_ready, .ended = guest_ended, .ctx = g };
        count(s, 1);
        bev = tls_bev_new(base, -1, troth_accept(s->tls), &ears, &g->tls);
        if (bev) {
            struct timeval patience = { .tv_sec = s->timeout };
            g->patience = event_new(base, -1, 0, out_of_patience, g);
            if (g->patience)
                event_add(g->patience, &patience);
            return bev;
        }
    }
    /* Never NULL: evhttp would speak in the clear.  A bufferevent without a filter nor anything to read ends at once. */
    free(g);
    struct bufferevent *nothing[2];
    if (bufferevent_pair_new(base, BEV_OPT_CLOSE_ON_FREE, nothing))
        abort();
    bufferevent_free(nothing[1]);
    return nothing[0];
}

/* The client expects the connection to end behind this answer, or we do. */
static bool is_last(const struct serve *s, const struct evhttp_request *req)
{
    const char *in = evhttp_find_header(req->input_headers, "Connection");
    bool keep = in && !evutil_ascii_strcasecmp(in, "keep-alive"), close_in = in && !evutil_ascii_strcasecmp(in, "close");
    return s->stopping || close_in || (req->major == 1 && req->minor == 0 && !keep);
}

/* The last answer is out of evhttp's hands. */
static void answered(struct evhttp_request *req, void *ctx)
{
    struct serve *s = ctx;
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    evutil_socket_t fd = con ? bufferevent_getfd(evhttp_connection_get_bufferevent(con)) : -1;
    if (fd >= 0 && (size_t)fd < s->n_fds && s->by_fd[fd])
        tls_bev_finish(s->by_fd[fd]);
}

/* evhttp closes the socket as soon as it has handed its last byte to the filter, which is too early: it is told that the connection
 * stays, the client that it ends, and the filter ends it once all is sent. */
static void answer(struct evhttp_request *req, void *ctx)
{
    struct serve *s = ctx;
    char *peer = NULL;
    ev_uint16_t port = 0;
    struct evhttp_connection *con = evhttp_request_get_connection(req);
    bool last = is_last(s, req);
    if (last) {
        evhttp_request_set_on_complete_cb(req, answered, s);
        evhttp_remove_header(req->input_headers, "Connection");
        evhttp_add_header(req->input_headers, "Connection", "keep-alive");
        evhttp_add_header(req->output_headers, "Connection", "close");
    }
    if (s->log.verbose && con) {
        evhttp_connection_get_peer(con, &peer, &port);
        log_line(&s->log, "info", "request", "peer", peer, "target", evhttp_request_get_uri(req), NULL);
    }
    files_answer(req, s->root);
    if (last) /* the head is written */
        evhttp_remove_header(req->output_headers, "Connection");
    if (con) /* evhttp wrote while writing was not enabled: a filter has to be told */
        bufferevent_flush(evhttp_connection_get_bufferevent(con), EV_WRITE, BEV_NORMAL);
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
    troth_server *fresh = setup_server(s->args, &status);
    if (!fresh) {
        log_line(&s->log, "error", "reload", "result", "kept the old configuration", NULL);
        return;
    }
    troth_server_free(s->tls);
    s->tls = fresh;
    warn_about(s);
    log_line(&s->log, "info", "reload", "result", "ok", NULL);
}

static bool on_signal(struct serve *s, int number, event_callback_fn fn)
{
    struct event *e = evsignal_new(s->base, number, fn, s);
    return e && !event_add(e, NULL);
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
    if (!s->http)
        return false;
    evhttp_set_bevcb(s->http, welcome, s);
    evhttp_set_gencb(s->http, answer, s);
    evhttp_set_timeout(s->http, (int)s->timeout);
    evhttp_set_max_headers_size(s->http, REQUEST_HEADERS_MAX);
    evhttp_set_max_body_size(s->http, REQUEST_BODY_MAX);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                            EVHTTP_REQ_OPTIONS);
    if (!on_signal(s, SIGTERM, stop) || !on_signal(s, SIGINT, stop) || !on_signal(s, SIGQUIT, stop) || !on_signal(s, SIGHUP, reload))
        return false;
    const char *where;
    for (size_t i = 0; (where = args_nth(s->args, OPT_LISTEN, i)); i++)
        if (!listen_at(s, where))
            return false;
    return s->n_listeners || listen_at(s, "127.0.0.1:8443");
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
    s.tls = setup_server(a, &status);
    if (!s.tls)
        return status;
    warn_about(&s);
    raise_file_limit(s.max_conns);
    s.n_fds = (size_t)sysconf(_SC_OPEN_MAX);
    s.by_fd = calloc(s.n_fds, sizeof *s.by_fd);
    if (!s.by_fd)
        return complain(a, EXIT_BUG, "no memory");
    status = EXIT_OK;
    if (!open_loop(&s))
        status = EXIT_NETWORK;
    else if (event_base_dispatch(s.base) < 0)
        status = EXIT_BUG;
    if (s.http)
        evhttp_free(s.http);
    troth_server_free(s.tls);
    free(s.by_fd);
    close(s.root);
    return status;
}
