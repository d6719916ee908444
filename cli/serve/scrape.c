/* scrape.c - see scrape.h.
 *
 * One request, one answer, and the end: evhttp would wait for the rest of a request as long as a byte comes now and then. */
#include "serve/scrape.h"

#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"
#include "serve/metrics.h"

struct caller {
    struct scrape      *all;
    struct bufferevent *bev;
    struct event       *clock;
    bool                answered;
    struct caller      *next, **link;
};

struct scrape {
    const struct service  *service;
    struct evconnlistener *listeners[LISTEN_ADDRESSES];
    struct place           places[LISTEN_ADDRESSES];
    size_t                 n_listeners;
    struct event          *breath; /* over: accept again after it failed */
    struct caller         *first;
    unsigned               n;
};

/* ---- one caller */

static void hang_up(struct caller *c)
{
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->all->n--;
    event_free(c->clock);
    bufferevent_free(c->bev);
    free(c);
}

static void time_is_up(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    hang_up(ctx);
}

static void on_end(struct bufferevent *bev, short what, void *ctx)
{
    (void)bev;
    (void)what;
    hang_up(ctx);
}

/* All of the answer is out: the caller closes, or the clock runs out. */
static void on_written(struct bufferevent *bev, void *ctx)
{
    struct caller *c = ctx;
    if (c->answered)
        shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void reply(struct caller *c, const char *status, const char *type, struct evbuffer *body, bool head_only)
{
    struct evbuffer *out = bufferevent_get_output(c->bev);
    c->answered = true;
    evbuffer_add_printf(out, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\nConnection: close\r\n%s\r\n", status, type,
                        evbuffer_get_length(body), strncmp(status, "405", 3) ? "" : "Allow: GET, HEAD\r\n");
    if (!head_only)
        evbuffer_add_buffer(out, body);
}

static void say(struct caller *c, const char *status, bool head_only)
{
    struct evbuffer *body = evbuffer_new();
    evbuffer_add_printf(body, "%s\n", status);
    reply(c, status, "text/plain; charset=utf-8", body, head_only);
    evbuffer_free(body);
}

static void show(struct caller *c, const char *accept, bool head_only)
{
    struct evbuffer *body = evbuffer_new();
    bool open = metrics_open_wanted(accept);
    metrics_write(body, c->all->service, open);
    reply(c, "200 OK", open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8", body, head_only);
    evbuffer_free(body);
}

/* The value of the first Accept header, ended where its line ends. */
static char *accept_of(char *headers)
{
    for (char *line = headers; line && *line; line = strstr(line, "\r\n"), line = line ? line + 2 : NULL)
        if (!strncasecmp(line, "Accept:", 7)) {
            line += 7 + strspn(line + 7, " \t");
            line[strcspn(line, "\r\n")] = 0;
            return line;
        }
    return NULL;
}

/* `head`: the request line and the headers, each with its end. */
static void answer(struct caller *c, char *head)
{
    char *end = strstr(head, "\r\n"), *target = strchr(head, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || version > end || strncmp(version + 1, "HTTP/1.", 7) != 0) {
        say(c, "400 Bad Request", false);
        return;
    }
    *target++ = *version = 0;
    target[strcspn(target, "?#")] = 0;
    bool head_only = !strcmp(head, "HEAD");
    if (!head_only && strcmp(head, "GET") != 0)
        say(c, "405 Method Not Allowed", false);
    else if (!strcmp(target, "/metrics"))
        show(c, accept_of(end + 2), head_only);
    else if (!strcmp(target, "/healthz"))
        say(c, c->all->service->stopping ? "503 Service Unavailable" : "200 OK", head_only);
    else
        say(c, "404 Not Found", head_only);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct caller *c = ctx;
    struct evbuffer *in = bufferevent_get_input(bev);
    char head[SCRAPE_HEAD_MAX + 1];
    size_t n = evbuffer_get_length(in);
    if (c->answered) { /* whatever else it says */
        evbuffer_drain(in, n);
        return;
    }
    ev_ssize_t got = evbuffer_copyout(in, head, SCRAPE_HEAD_MAX);
    head[got > 0 ? got : 0] = 0;
    if (strstr(head, "\r\n\r\n"))
        answer(c, head);
    else if (got < 0 || got == SCRAPE_HEAD_MAX || strlen(head) < (size_t)got)
        say(c, got == SCRAPE_HEAD_MAX ? "431 Request Header Fields Too Large" : "400 Bad Request", false);
}

/* ---- the listener */

static void breathe(evutil_socket_t fd, short what, void *ctx)
{
    struct scrape *s = ctx;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < s->n_listeners; i++)
        evconnlistener_enable(s->listeners[i]);
}

/* No file for whoever knocks.  The knock stays: to look again at once would be all that we do. */
static void cannot_accept(struct evconnlistener *l, void *ctx)
{
    struct scrape *s = ctx;
    evconnlistener_disable(l);
    event_add(s->breath, &(struct timeval){ .tv_sec = 1 });
}

static void accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int sa_n, void *ctx)
{
    struct scrape *s = ctx;
    struct timeval patience = { .tv_sec = SCRAPE_SECONDS };
    (void)l;
    (void)sa;
    (void)sa_n;
    struct caller *c = s->n < SCRAPE_MOST ? calloc(1, sizeof *c) : NULL;
    if (c) {
        c->bev = bufferevent_socket_new(s->service->base, fd, BEV_OPT_CLOSE_ON_FREE);
        c->clock = event_new(s->service->base, -1, 0, time_is_up, c);
    }
    if (!c || !c->bev || !c->clock || event_add(c->clock, &patience)) {
        if (c && c->bev)
            bufferevent_free(c->bev);
        else
            evutil_closesocket(fd);
        if (c && c->clock)
            event_free(c->clock);
        free(c);
        return;
    }
    c->all = s;
    c->next = s->first;
    c->link = &s->first;
    if (c->next)
        c->next->link = &c->next;
    s->first = c;
    s->n++;
    bufferevent_setcb(c->bev, on_read, on_written, on_end, c);
    bufferevent_setwatermark(c->bev, EV_READ, 0, 2 * SCRAPE_HEAD_MAX);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static bool listen_with(struct scrape *s, int fd, const struct place *place)
{
    struct evconnlistener *l = evconnlistener_new(s->service->base, accepted, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    char port[16];
    if (!l) {
        evutil_closesocket(fd);
        place_gone(place);
        return false;
    }
    evconnlistener_set_error_cb(l, cannot_accept);
    s->places[s->n_listeners] = *place;
    s->listeners[s->n_listeners++] = l;
    snprintf(port, sizeof port, "%d", place->port);
    log_line(&s->service->log, "info", "metrics", "address", place->where, "port", port, NULL);
    return true;
}

int scrape_open(struct scrape **out, const struct service *v)
{
    const char *asked = args_value(v->args, OPT_METRICS, NULL);
    struct place places[LISTEN_ADDRESSES];
    int fds[LISTEN_ADDRESSES];
    size_t n;
    if (!asked)
        return EXIT_OK;
    struct scrape *s = *out = calloc(1, sizeof *s);
    if (!s)
        return complain(v->args, EXIT_BUG, "no memory");
    s->service = v;
    s->breath = event_new(v->base, -1, 0, breathe, s);
    int status = listen_on(v->args, asked, fds, places, &n);
    bool ok = s->breath != NULL;
    for (size_t i = 0; i < n; i++)
        ok = listen_with(s, fds[i], &places[i]) && ok;
    return status != EXIT_OK || ok ? status : complain(v->args, EXIT_BUG, "no memory");
}

void scrape_close(struct scrape *s)
{
    if (!s)
        return;
    for (struct caller *c = s->first, *next; c; c = next) {
        next = c->next;
        hang_up(c);
    }
    for (size_t i = 0; i < s->n_listeners; i++) {
        evconnlistener_free(s->listeners[i]);
        place_gone(&s->places[i]);
    }
    if (s->breath)
        event_free(s->breath);
    free(s);
}
