/* farewell.c - see farewell.h. */
#include "serve/farewell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/pace.h"
#include "serve/seal.h"

enum { LAST_SECONDS = 2, SWALLOW_MOST = 4 << 20, SEALED_ENOUGH = 64 << 10 };

struct one {
    struct farewells *all;
    struct one       *next, **link;
    struct parting    p;
    struct event     *readable, *writable, *clock;
    size_t            swallowed;
    uint64_t          written; /* bytes that the socket took here */
    struct pace       pace;
    bool              notified, shut;
};

struct farewells {
    struct event_base *base;
    struct one        *first;
    unsigned           n, most;
    long               patience;
};

struct farewells *farewells_new(struct event_base *base, unsigned most, long patience)
{
    struct farewells *f = calloc(1, sizeof *f);
    if (f)
        *f = (struct farewells){ .base = base, .most = most, .patience = patience };
    return f;
}

static void release(const struct parting *p)
{
    if (p->sealed)
        evbuffer_free(p->sealed);
    if (p->plain)
        evbuffer_free(p->plain);
    p->gone(p->ctx);
}

static void end(struct one *o)
{
    struct event *events[] = { o->readable, o->writable, o->clock };
    for (size_t i = 0; i < 3; i++)
        if (events[i])
            event_free(events[i]);
    *o->link = o->next;
    if (o->next)
        o->next->link = o->link;
    o->all->n--;
    close(o->p.fd);
    release(&o->p);
    free(o);
}

void farewells_free(struct farewells *f)
{
    for (struct one *o = f ? f->first : NULL, *next; o; o = next) {
        next = o->next;
        end(o);
    }
    free(f);
}

static void wind_up(struct one *o, long seconds)
{
    struct timeval tv = { .tv_sec = seconds };
    event_add(o->clock, &tv);
}

/* Records to send, as long as there is something to make them of. */
static void fill(struct parting *p, bool *notified)
{
    while (evbuffer_get_length(p->sealed) < SEALED_ENOUGH && p->plain && evbuffer_get_length(p->plain))
        if (!seal_some(p->conn, p->plain, p->sealed)) {
            p->orderly = false;
            break;
        }
    if (*notified || !p->orderly || (p->plain && evbuffer_get_length(p->plain)))
        return;
    *notified = true;
    troth_close(p->conn);
    seal_collect(p->conn, p->sealed);
}

/* Writes until the socket takes no more.  False: it is broken. */
static bool write_on(struct parting *p, bool *notified, uint64_t *written)
{
    for (;;) {
        fill(p, notified);
        if (!evbuffer_get_length(p->sealed))
            return true;
        int n = evbuffer_write(p->sealed, p->fd);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        *written += (uint64_t)n;
    }
}

static bool all_sent(const struct one *o)
{
    return !evbuffer_get_length(o->p.sealed);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct one *o = ctx;
    (void)what;
    if (!write_on(&o->p, &o->notified, &o->written)) {
        end(o);
        return;
    }
    if (!all_sent(o))
        return;
    event_del(o->writable);
    shutdown(fd, SHUT_WR);
    o->shut = true;
    wind_up(o, LAST_SECONDS);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct one *o = ctx;
    char waste[16384];
    (void)what;
    ssize_t n = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    o->swallowed += n > 0 ? (size_t)n : 0;
    if (n < 0 || o->swallowed > SWALLOW_MOST || (n == 0 && o->shut))
        end(o);
    else if (n == 0)
        event_del(o->readable);
}

static void on_clock(evutil_socket_t fd, short what, void *ctx)
{
    struct one *o = ctx;
    (void)fd;
    (void)what;
    if (!o->shut && pace_kept(&o->pace, o->p.fd, o->written, o->all->patience))
        wind_up(o, o->all->patience);
    else
        end(o);
}

/* No room, or no memory: what the socket takes at once has to do. */
static void at_once(const struct parting *given)
{
    struct parting p = *given;
    bool notified = false;
    uint64_t written = 0;
    if (p.sealed && p.fd >= 0 && write_on(&p, &notified, &written))
        shutdown(p.fd, SHUT_WR);
    release(&p);
}

void farewell(struct farewells *f, const struct parting *p)
{
    struct one *o = f && f->n < f->most && p->sealed && p->fd >= 0 ? calloc(1, sizeof *o) : NULL;
    int fd = o ? fcntl(p->fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd < 0) {
        free(o);
        at_once(p);
        return;
    }
    *o = (struct one){ .all = f, .next = f->first, .link = &f->first, .p = *p };
    o->p.fd = fd;
    o->readable = event_new(f->base, fd, EV_READ | EV_PERSIST, on_readable, o);
    o->writable = event_new(f->base, fd, EV_WRITE | EV_PERSIST, on_writable, o);
    o->clock = event_new(f->base, -1, 0, on_clock, o);
    if (o->next)
        o->next->link = &o->next;
    f->first = o;
    f->n++;
    if (!o->readable || !o->writable || !o->clock || event_add(o->readable, NULL) || event_add(o->writable, NULL)) {
        end(o);
        return;
    }
    pace_begin(&o->pace, fd, 0);
    wind_up(o, f->patience);
    event_active(o->writable, EV_WRITE, 0); /* the first try does not wait for the next round of polling */
}
