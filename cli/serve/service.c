/* service.c - see service.h. */
#include "serve/service.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/config.h"
#include "common/target.h"
#include "net/dial.h"
#include "serve/confine.h"
#include "serve/expiry.h"
#include "serve/scrape.h"
#include "serve/state.h"
#include "setup/allow.h"
#include "setup/setup.h"

enum { FAREWELLS_MOST = 1000, CROWD = 100, SESSIONS_MOST = 1000000, SESSIONS_DEFAULT = 10000, FILES_OWN = 32, FEW = 1000 };

/* ---- configurations */

/* What there is to say of a configuration that works; when its certificates end is for expiry.h, which knows their files. */
static void warn_about(const struct service *s)
{
    const troth_error *w;
    expiry_look(&s->log, &s->identities, s->loaded, s->warn_days);
    for (size_t i = 0; s->server && (w = troth_server_warning(s->server, i)); i++)
        if (!expiry_tells(w->reason))
            log_line(&s->log, "warn", "certificate", "code", w->code, "what", w->text, "saw", w->detail, "action", w->hint, NULL);
    const char *saw;
    enum troth_reason why;
    for (size_t i = 0; (why = keyring_warning(s->keys, i, &saw)) != TROTH_R_NONE; i++)
        log_line(&s->log, "warn", "certificate", "code", troth_reason_code(why), "what", troth_reason_text(why), "saw", saw, "action", troth_reason_hint(why), NULL);
}

bool service_configure(struct service *s, const struct args *a, bool is_client, int *status)
{
    struct setup how = { .tape = s->flight.tape, .sessions = s->sessions, .keeper = s->keeper };
    troth_server *server = is_client ? NULL : setup_server(a, &how, status);
    troth_client *client = is_client ? setup_client(a, &how, status) : NULL;
    if (!server && !client) {
        keyring_free(how.keys);
        allow_free(how.allow);
        return false;
    }
    s->args = s->flight.args = a;
    keyring_free(s->keys);
    s->keys = how.keys;
    allow_free(s->allow);
    s->allow = how.allow;
    troth_server_free(s->server);
    troth_client_free(s->client);
    s->server = server;
    s->client = client;
    id_cache_clear(s->sessions); /* as tickets of the old configuration cannot be opened any more */
    flight_reload(&s->flight, s->server, s->client);
    s->loaded = time(NULL);
    s->generation++;
    identities_read(&s->identities, s->args, s->server, s->client);
    warn_about(s);
    return true;
}

bool service_limits(struct service *s, const struct args *a)
{
    struct log log;
    long timeout, stall, max_conns, grace, warn_days;
    bool ok = log_init(&log, a);
    ok = args_number(a, OPT_TIMEOUT, 1, 86400, 10, &timeout) && ok;
    ok = args_number(a, OPT_STALL_TIMEOUT, 0, 86400, 300, &stall) && ok;
    ok = args_number(a, OPT_MAX_CONNS, 1, 1000000, 10000, &max_conns) && ok;
    ok = args_number(a, OPT_GRACE, 0, 86400, 10, &grace) && ok;
    ok = args_number(a, OPT_WARN_DAYS, 0, 3650, EXPIRY_DEFAULT, &warn_days) && ok;
    if (!ok)
        return false;
    s->log = log;
    s->timeout = timeout;
    s->stall = stall;
    s->max_conns = max_conns;
    s->grace = grace;
    s->warn_days = warn_days;
    return true;
}

/* What only the start reads as well. */
static bool read_options(struct service *s, const struct args *a, long *sessions)
{
    static const char *const words[] = { "yes", "no", NULL };
    int how = args_word(a, OPT_KEY_PROCESS, words, 0);
    bool ok = service_limits(s, a) && how >= 0;
    s->keys_here = how == 1;
    ok = args_number(a, OPT_SESSIONS, 0, SESSIONS_MOST, SESSIONS_DEFAULT, sessions) && ok;
    return nets_read(&s->announce, a, OPT_ACCEPT_PROXY) && ok;
}

int service_check(const struct args *a, bool is_client)
{
    struct service s = { .args = a };
    struct target t;
    char whole[LISTEN_WHOLE];
    const char *where;
    long sessions;
    int status = read_options(&s, a, &sessions) ? EXIT_OK : EXIT_USAGE, how = EXIT_OK;
    for (size_t i = 0; (where = args_nth(a, OPT_LISTEN, i)); i++)
        if (!listen_parse(&t, a, &where, whole))
            status = EXIT_USAGE;
    if ((where = args_value(a, OPT_METRICS, NULL)) && !listen_parse(&t, a, &where, whole))
        status = EXIT_USAGE;
    if (!flight_init(&s.flight, a, &s.log, !is_client, &how) && status == EXIT_OK)
        status = how;
    flight_end(&s.flight);
    how = setup_check(a, is_client);
    return status == EXIT_OK ? how : status;
}

int service_verdict(const struct args *a, int status)
{
    const char *file = config_file(a);
    char could[256];
    if (status != EXIT_OK || args_has(a, OPT_QUIET))
        return status;
    printf("troth %s: a start would find all in order%s%s%s\n", verb_name(a->verb), file ? " (" : "", file ? file : "", file ? ")" : "");
    printf("  sandbox: %s\n", args_has(a, OPT_NO_SANDBOX) ? "off (--no-sandbox)" : sandbox_could(could, sizeof could));
    return status;
}

int service_init(struct service *s, const struct args *a, bool is_client)
{
    long sessions;
    int status = supervisor_sockets(a, s->passed, LISTENERS_MAX, &s->n_passed);
    s->args = s->first = a;
    if (status != EXIT_OK)
        return status;
    if (!read_options(s, a, &sessions))
        return EXIT_USAGE;
    /* before anything secret is in our memory */
    if (!s->keys_here && !(s->keeper = keeper_begin(a, &s->log, is_client, s->n_passed, &status)))
        return status;
    if (!flight_init(&s->flight, a, &s->log, !is_client, &status))
        return status;
    s->sessions = is_client || !sessions ? NULL : id_cache_new((size_t)sessions, s->flight.tape);
    if (!service_configure(s, a, is_client, &status))
        return status;
    return EXIT_OK;
}

void service_free(struct service *s)
{
    for (size_t i = 0; i < LISTENERS_MAX; i++)
        place_gone(&s->places[i]);
    troth_server_free(s->server);
    troth_client_free(s->client);
    keyring_free(s->keys);
    allow_free(s->allow);
    keeper_end(s->keeper);
    id_cache_free(s->sessions);
    identities_free(&s->identities);
    flight_end(&s->flight);
    if (s->again)
        args_free(s->again);
    free(s->again);
}

/* ---- signals */

static void say_ready(struct service *s, const char *how)
{
    char status[512] = "Listening on";
    size_t n = strlen(status);
    for (size_t i = 0; i < s->n_listeners && n < sizeof status; i++)
        n += (size_t)snprintf(status + n, sizeof status - n, "%s %s", i ? "," : "", s->places[i].where);
    if (n < sizeof status)
        snprintf(status + n, sizeof status - n, "%s", how);
    supervisor_say(&s->supervisor, "READY=1", status);
}

static void stop(evutil_socket_t signal_number, short what, void *ctx)
{
    struct service *s = ctx;
    (void)what;
    if (!s->stopping)
        supervisor_say(&s->supervisor, "STOPPING=1", signal_number == SIGQUIT ? "Stopping at once" : "Connections that are open may finish");
    if (s->stopping || signal_number == SIGQUIT) {
        event_base_loopbreak(s->base);
        return;
    }
    s->stopping = true;
    for (; s->n_listeners; s->n_listeners--) /* closed: whoever comes now is told to go elsewhere at once */
        s->drop(s, s->n_listeners - 1);
    log_line(&s->log, "info", "stopping", NULL);
    if (s->part)
        s->part(s);
    struct timeval grace = { .tv_sec = s->grace };
    s->conns ? event_base_loopexit(s->base, &grace) : event_base_loopbreak(s->base);
}

static void reload(evutil_socket_t signal_number, short what, void *ctx)
{
    struct service *s = ctx;
    char reloading[64];
    (void)signal_number;
    (void)what;
    snprintf(reloading, sizeof reloading, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, now_us());
    if (!s->stopping) /* or it would have to be ready again */
        supervisor_say(&s->supervisor, reloading, "Reading the configuration, certificates and keys again");
    bool ok = service_reload(s);
    s->tally.reloads_failed += !ok;
    if (!s->stopping)
        say_ready(s, ok ? "" : "; the last reload failed, and kept the old configuration");
}

static void tell(evutil_socket_t signal_number, short what, void *ctx)
{
    (void)signal_number;
    (void)what;
    state_tell(ctx);
}

/* "Open your log again", says who has moved it away.  Ours is standard error. */
static void nothing_to_open(evutil_socket_t signal_number, short what, void *ctx)
{
    (void)signal_number;
    (void)what;
    (void)ctx;
}

static void look_daily(evutil_socket_t fd, short what, void *ctx)
{
    struct service *s = ctx;
    (void)fd;
    (void)what;
    expiry_look(&s->log, &s->identities, time(NULL), s->warn_days);
}

/* Nobody can be answered any more as who we are.  A start, which reads the keys again, is for whoever looks after us. */
static void keyless(void *ctx)
{
    struct service *s = ctx;
    s->keyless = true;
    log_line(&s->log, "error", "keeper", "code", "serve.keeper", "saw", "the process that keeps the private keys has ended", "action",
             "find out what ended it (memory?), and start again", NULL);
    supervisor_say(&s->supervisor, "STOPPING=1", "The process that keeps the private keys has ended");
    event_base_loopbreak(s->base);
}

int service_run(struct service *s)
{
    return event_base_dispatch(s->base) < 0 || s->keyless ? EXIT_BUG : EXIT_OK;
}

/* ---- listeners */

static void listen_more(struct service *s, bool yes)
{
    for (size_t i = 0; i < s->n_listeners; i++)
        yes ? evconnlistener_enable(s->listeners[i]) : evconnlistener_disable(s->listeners[i]);
    s->full = !yes;
}

static void breathe(evutil_socket_t fd, short what, void *ctx)
{
    struct service *s = ctx;
    (void)fd;
    (void)what;
    if (!s->stopping && !s->full)
        listen_more(s, true);
}

static int is_ours(const struct event_base *base, const struct event *e, void *found)
{
    struct service **s = found;
    (void)base;
    *s = event_get_callback(e) == reload ? event_get_callback_arg(e) : NULL;
    return *s != NULL;
}

/* No file or no memory for whoever knocks.  The knock stays: to look again at once would be all that we do.  `ctx` is evhttp's: we find
 * ourselves by an event of ours. */
static void cannot_accept(struct evconnlistener *l, void *ctx)
{
    static const struct timeval pause = { .tv_sec = 1 };
    int why = EVUTIL_SOCKET_ERROR();
    struct service *s = NULL;
    (void)ctx;
    event_base_foreach_event(evconnlistener_get_base(l), is_ours, &s);
    if (!s || s->stopping)
        return;
    if (!s->breathless)
        log_line(&s->log, "error", "accept", "code", "serve.accept", "saw", strerror(why), "action",
                 "find out who holds them, raise LimitNOFILE= (ulimit -n), or lower --max-connections", NULL);
    s->breathless = true; /* said once, until somebody comes in again */
    for (size_t i = 0; i < s->n_listeners; i++)
        evconnlistener_disable(s->listeners[i]);
    event_add(s->breath, &pause);
}

/* After a crowd has gone its memory goes back: malloc would keep it. */
static void give_back(struct service *s)
{
    if (s->conns > s->crowd)
        s->crowd = s->conns;
    if (s->crowd < CROWD || s->conns > s->crowd / 4)
        return;
    malloc_trim(0);
    s->crowd = s->conns;
}

bool service_hears(const struct service *s, struct visitor **v, struct tls_bev *t, struct evbuffer *in)
{
    enum visitor_is is = visitor_hear(v, &s->announce, tls_bev_fd(t), in);
    if (is == VISITOR_REFUSED)
        tls_bev_broken(t, *v ? (*v)->why : TROTH_R_NET_ANNOUNCE, *v ? (*v)->saw : "memory ran out");
    return is == VISITOR_IN;
}

void service_handshake(struct service *s, const troth_conn *c, uint64_t began_us)
{
    troth_why(c) ? s->failed++ : s->made++;
    tally_handshake(&s->tally, c, now_us() - began_us);
}

void service_count(struct service *s, int by)
{
    s->conns += by;
    s->breathless &= by < 0;
    s->tally.accepted += by > 0;
    give_back(s);
    if (!s->stopping && !s->full && s->conns >= s->max_conns) {
        log_line(&s->log, "warn", "full", "code", "serve.full", "action", "raise --max-connections, or find out who holds them", NULL);
        listen_more(s, false);
    } else if (!s->stopping && s->full && (s->conns < s->max_conns * 9 / 10 || !s->conns)) {
        listen_more(s, true);
    }
    if (s->stopping && s->conns == 0)
        event_base_loopbreak(s->base);
}

/* Takes over a listening socket: the next of s->listeners.  An exit status, as of all that opens. */
static int listen_with(struct service *s, int fd, const struct place *place)
{
    bool full = s->n_listeners == LISTENERS_MAX;
    struct evconnlistener *l = full ? NULL : evconnlistener_new(s->base, NULL, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!l || !s->adopt(s, l)) {
        l ? evconnlistener_free(l) : (void)evutil_closesocket(fd);
        place_gone(place);
        return full ? complain(s->args, EXIT_USAGE, "--listen: at most %d addresses", LISTENERS_MAX) : complain(s->args, EXIT_BUG, "no memory");
    }
    evconnlistener_set_error_cb(l, cannot_accept);
    s->places[s->n_listeners] = *place;
    s->listeners[s->n_listeners++] = l;
    char text[16];
    snprintf(text, sizeof text, "%d", place->port);
    log_line(&s->log, "info", "listening", "address", place->where, "port", text, "name", place->name, "backend", s->backend, NULL);
    return tell_port(s->args, place->port) ? EXIT_OK : EXIT_FILE;
}

static int listen_at(struct service *s, const char *where)
{
    struct place places[LISTEN_ADDRESSES];
    int fds[LISTEN_ADDRESSES];
    size_t n;
    int status = listen_on(s->args, where, fds, places, &n);
    for (size_t i = 0; i < n; i++)
        if (status == EXIT_OK)
            status = listen_with(s, fds[i], &places[i]);
        else
            close(fds[i]);
    return status;
}

static int listen_passed(struct service *s, size_t i)
{
    const struct passed *p = &s->passed[i];
    struct place place = { .name = *p->name ? p->name : NULL, .port = p->port };
    snprintf(place.where, sizeof place.where, "%s", p->where);
    return listen_with(s, PASSED_FIRST + (int)i, &place);
}

/* With what was passed to us, where --listen says, or where we listen if nobody says anything. */
static int listen_everywhere(struct service *s)
{
    const char *asked;
    int status = EXIT_OK;
    for (size_t i = 0; status == EXIT_OK && i < s->n_passed; i++)
        status = listen_passed(s, i);
    for (size_t i = 0; status == EXIT_OK && (asked = args_nth(s->args, OPT_LISTEN, i)); i++)
        status = listen_at(s, asked);
    return status == EXIT_OK && !s->n_listeners ? listen_at(s, "127.0.0.1:8443") : status;
}

/* A connection has a backend or a file beside it.  Where so many are not to be had, there are fewer connections: those that wait at the
 * door come in time, those that are let in and find no file fail. */
static void raise_file_limit(struct service *s)
{
    const rlim_t want = FILES_OWN + 2 * (rlim_t)s->max_conns;
    char saw[120];
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
        return;
    r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want)
        return;
    s->max_conns = r.rlim_cur > FILES_OWN + 2 ? (long)(r.rlim_cur - FILES_OWN) / 2 : 1;
    snprintf(saw, sizeof saw, "only %llu files may be open, enough for %ld connections", (unsigned long long)r.rlim_cur, s->max_conns);
    if (s->max_conns >= FEW && !args_has(s->args, OPT_MAX_CONNS))
        return; /* nobody asked for as many as would be let in elsewhere */
    log_line(&s->log, "warn", "limit", "code", "serve.files", "saw", saw, "action", "raise LimitNOFILE= (ulimit -Hn), or lower --max-connections", NULL);
}

int service_open(struct service *s)
{
    static const struct {
        int               number;
        event_callback_fn fn;
    } rows[SERVICE_SIGNALS] = { { SIGTERM, stop }, { SIGINT, stop }, { SIGQUIT, stop }, { SIGHUP, reload }, { SIGUSR1, nothing_to_open },
                                { SIGUSR2, tell } };
    s->since_us = now_us();
    s->since = time(NULL);
    raise_file_limit(s);
    s->farewells = s->base ? farewells_new(s->base, FAREWELLS_MOST, s->timeout) : NULL;
    s->breath = s->base ? event_new(s->base, -1, 0, breathe, s) : NULL;
    bool ok = s->farewells && s->breath;
    for (size_t i = 0; ok && i < SERVICE_SIGNALS; i++) {
        s->signals[i] = evsignal_new(s->base, rows[i].number, rows[i].fn, s);
        ok = s->signals[i] && !event_add(s->signals[i], NULL);
    }
    s->daily = ok ? event_new(s->base, -1, EV_PERSIST, look_daily, s) : NULL;
    if (!s->daily || event_add(s->daily, &(struct timeval){ .tv_sec = 86400 }))
        return complain(s->args, EXIT_BUG, "no memory");
    if (s->keeper && !keeper_open(s->keeper, s->base, keyless, s))
        return complain(s->args, EXIT_BUG, "no memory");
    supervisor_open(&s->supervisor, s->base, &s->log);
    int status = listen_everywhere(s);
    if (status == EXIT_OK)
        status = scrape_open(&s->scrape, s);
    if (status != EXIT_OK)
        return status;
    confine(s);
    say_ready(s, "");
    return EXIT_OK;
}

void service_close(struct service *s)
{
    supervisor_close(&s->supervisor);
    scrape_close(s->scrape);
    if (s->daily)
        event_free(s->daily);
    for (size_t i = 0; i < SERVICE_SIGNALS; i++)
        if (s->signals[i])
            event_free(s->signals[i]);
    if (s->breath)
        event_free(s->breath);
    for (int i = 0; s->base && i < 3; i++) /* what was freed ends in the loop */
        event_base_loop(s->base, EVLOOP_NONBLOCK);
    farewells_free(s->farewells);
    keeper_close(s->keeper);
    if (s->base)
        event_base_free(s->base);
}
