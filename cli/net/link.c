/* link.c - the loop between troth_next() and poll(2).  Must never block longer than its deadline. */
#include "net/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dial.h"

/* The transport ended badly; which step was it?  Nothing came: the hello was too much for somebody. */
static void broke(struct link *l, int error)
{
    char detail[120];
    snprintf(detail, sizeof detail, "%s after %llu bytes out, %llu bytes in", strerror(error), (unsigned long long)l->out,
             (unsigned long long)l->in);
    troth_broken(l->conn, l->in ? TROTH_R_NET_RESET_MID : TROTH_R_NET_RESET_ON_HELLO, detail);
}

static void silent(struct link *l)
{
    char detail[120];
    snprintf(detail, sizeof detail, "%s; %llu bytes went out, %llu came in", l->in ? "the time limit is over" : "no byte within the time limit",
             (unsigned long long)l->out, (unsigned long long)l->in);
    troth_broken(l->conn, troth_what(l->conn).ready ? TROTH_R_NET_TIMEOUT_IDLE : TROTH_R_NET_TIMEOUT_HANDSHAKE, detail);
}

static int time_left(const struct link *l)
{
    uint64_t end = l->deadline_us && (!l->soft_us || l->deadline_us < l->soft_us) ? l->deadline_us : l->soft_us;
    if (!end)
        return -1;
    uint64_t now = now_us();
    return now >= end ? 0 : (int)((end - now) / 1000 + 1);
}

/* Waits for `events` on the socket, or for `also` while nothing but reading is to be done.  When the hard limit is over the connection has
 * failed. */
static enum link_wake await(struct link *l, short events)
{
    struct pollfd p[2] = { { .fd = l->fd, .events = events }, { .fd = events == POLLIN ? l->also : -1, .events = POLLIN } };
    int r = poll(p, 2, time_left(l));
    if (r > 0 && !p[0].revents && p[1].revents)
        return LINK_ALSO;
    if (r != 0)
        return LINK_EVENT;
    if (l->soft_us && now_us() >= l->soft_us && events & POLLIN)
        return LINK_TIME;
    if (l->deadline_us && now_us() >= l->deadline_us)
        silent(l);
    return LINK_EVENT;
}

/* False: the socket takes nothing now. */
static bool push(struct link *l, troth_span data)
{
    ssize_t n = send(l->fd, data.p, data.n, MSG_NOSIGNAL);
    if (n > 0) {
        if (l->saw)
            l->saw(l->ctx, true, data.p, (size_t)n);
        l->out += (uint64_t)n;
        troth_sent(l->conn, (size_t)n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return false;
    } else if (errno != EINTR) {
        /* The peer may have said why before it closed: read that first. */
        int error = errno;
        char last;
        if (recv(l->fd, &last, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
            troth_sent(l->conn, data.n);
        else
            broke(l, error);
    }
    return true;
}

static enum link_wake pull(struct link *l, const troth_event *ev)
{
    ssize_t n = recv(l->fd, ev->room.p, ev->room.n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return await(l, l->stuck ? POLLIN | POLLOUT : POLLIN);
    if (n >= 0) {
        for (size_t i = 0; i < (size_t)n && l->first_n < sizeof l->first; i++)
            l->first[l->first_n++] = ev->room.p[i];
        if (l->saw)
            l->saw(l->ctx, false, ev->room.p, (size_t)n);
        l->in += (uint64_t)n;
        troth_received(l->conn, (size_t)n);
    } else if (errno != EINTR) {
        broke(l, errno);
    }
    return LINK_EVENT;
}

/* The socket takes nothing: then what comes is read first, as the peer may wait for that before it reads on.  Where there is nothing else to
 * do, wait. */
static void put_off(struct link *l)
{
    if (l->stuck)
        await(l, POLLOUT);
    else
        troth_sent(l->conn, 0);
    l->stuck = !l->stuck;
}

enum link_wake link_next(struct link *l, troth_event *ev)
{
    for (;;) {
        *ev = troth_next(l->conn);
        enum link_wake woken = LINK_EVENT;
        if (ev->kind == TROTH_SEND) {
            if (push(l, ev->data))
                l->stuck = false;
            else
                put_off(l);
            continue;
        }
        if (ev->kind == TROTH_RECV)
            woken = pull(l, ev);
        l->stuck = false;
        if (ev->kind != TROTH_RECV || woken != LINK_EVENT)
            return woken;
    }
}

void link_part(struct link *l, int ms)
{
    enum { MOST = 1 << 20 };
    uint8_t waste[16384];
    uint64_t end = now_us() + (uint64_t)ms * 1000u;
    size_t wasted = 0;
    ssize_t n = -1;
    if (shutdown(l->fd, SHUT_WR) != 0)
        return;
    for (uint64_t now = now_us(); n != 0 && wasted < MOST && now < end; now = now_us()) {
        struct pollfd p = { .fd = l->fd, .events = POLLIN };
        (void)poll(&p, 1, (int)((end - now) / 1000));
        n = recv(l->fd, waste, sizeof waste, MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return;
        wasted += n > 0 ? (size_t)n : 0;
    }
}

void link_flush(struct link *l, int ms)
{
    uint64_t end = now_us() + (uint64_t)ms * 1000u, keep = l->deadline_us;
    l->deadline_us = end;
    for (troth_event ev = troth_next(l->conn); ev.kind == TROTH_SEND && now_us() < end; ev = troth_next(l->conn))
        if (!push(l, ev.data))
            await(l, POLLOUT);
    l->deadline_us = keep;
}
