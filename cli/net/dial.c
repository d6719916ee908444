/* dial.c - name resolution and connecting.  Every wait has an end. */
#include "net/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

bool wait_for(int fd, short events, uint64_t deadline)
{
    uint64_t now = now_us();
    struct pollfd p = { .fd = fd, .events = events };
    return now < deadline && poll(&p, 1, (int)((deadline - now) / 1000 + 1)) > 0;
}

bool send_all(int fd, const void *p, size_t n, uint64_t deadline)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
        if (k > 0)
            done += (size_t)k;
        else if (errno != EAGAIN || !wait_for(fd, POLLOUT, deadline))
            return false;
    }
    return true;
}

bool recv_all(int fd, void *p, size_t n, uint64_t deadline)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = recv(fd, (char *)p + done, n - done, 0);
        if (k > 0) {
            done += (size_t)k;
        } else if (k == 0 || errno != EAGAIN || !wait_for(fd, POLLIN, deadline)) {
            errno = k == 0 ? 0 : errno == EAGAIN ? ETIMEDOUT : errno;
            return false;
        }
    }
    return true;
}

static bool give_up(struct dialed *d, enum troth_reason why, const char *fmt, const char *x, const char *y)
{
    d->why = why;
    snprintf(d->detail, sizeof d->detail, fmt, x, y);
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    return false;
}

bool address_text(char *out, size_t cap, const struct sockaddr *sa, socklen_t n)
{
    char host[64], port[8];
    if (getnameinfo(sa, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
        return false;
    snprintf(out, cap, sa->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return true;
}

uint16_t address_port(const struct sockaddr_storage *sa)
{
    return sa->ss_family == AF_INET    ? ntohs(((const struct sockaddr_in *)sa)->sin_port)
           : sa->ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)sa)->sin6_port)
                                       : 0;
}

static void print_address(char *out, size_t cap, const struct sockaddr *sa, socklen_t n)
{
    if (sa->sa_family == AF_UNIX || !address_text(out, cap, sa, n))
        snprintf(out, cap, "socket");
}

static enum troth_reason reason_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return TROTH_R_NET_REFUSED;
    case ETIMEDOUT:
        return TROTH_R_NET_TIMEOUT_CONNECT;
    default:
        return TROTH_R_NET_UNREACHABLE;
    }
}

static bool connect_one(struct dialed *d, const struct sockaddr *sa, socklen_t n, uint64_t deadline)
{
    print_address(d->address, sizeof d->address, sa, n);
    d->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return give_up(d, TROTH_R_NET_UNREACHABLE, "%s: %s", d->address, strerror(errno));
    int error = connect(d->fd, sa, n) ? errno : 0;
    if (error == EINPROGRESS) {
        uint64_t now = now_us();
        struct pollfd p = { .fd = d->fd, .events = POLLOUT };
        int r = poll(&p, 1, now >= deadline ? 0 : (int)((deadline - now) / 1000 + 1));
        socklen_t len = sizeof error;
        if (r == 0)
            error = ETIMEDOUT;
        else if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len))
            error = errno;
    }
    if (error)
        return give_up(d, reason_of(error), "%s: %s", d->address, strerror(error));
    int one = 1;
    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return true;
}

/* What the resolver's thread reads and writes, also when nobody waits for it any more. */
struct lookup {
    struct gaicb    ask;
    struct addrinfo hints;
    struct target   target;
};

static struct lookup *lookup_new(const struct target *t, int family)
{
    struct lookup *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->target = *t;
    l->hints.ai_family = family == DIAL_IPV4 ? AF_INET : family == DIAL_IPV6 ? AF_INET6 : AF_UNSPEC;
    l->hints.ai_socktype = SOCK_STREAM;
    l->ask = (struct gaicb){ .ar_name = l->target.host, .ar_service = l->target.port, .ar_request = &l->hints };
    return l;
}

/* What getaddrinfo(3) says.  Nothing before the deadline: EAI_CANCELED, or EAI_INPROGRESS if the resolver cannot be told to stop. */
static int lookup_run(struct lookup *l, uint64_t deadline)
{
    struct gaicb *list[1] = { &l->ask };
    int e = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    while (!e && (e = gai_error(&l->ask)) == EAI_INPROGRESS) {
        uint64_t now = now_us();
        if (now >= deadline)
            break;
        struct timespec left = { .tv_sec = (time_t)((deadline - now) / 1000000u), .tv_nsec = (long)((deadline - now) % 1000000u) * 1000 };
        gai_suspend((const struct gaicb *const *)list, 1, &left);
        e = 0;
    }
    if (e != EAI_INPROGRESS)
        return e;
    e = gai_cancel(&l->ask);
    return e == EAI_ALLDONE ? gai_error(&l->ask) : e == EAI_CANCELED ? EAI_CANCELED : EAI_INPROGRESS;
}

bool dial_lookup(struct dialed *d, const struct target *t, int family, uint64_t deadline, struct addrinfo **found)
{
    struct lookup *l = lookup_new(t, family);
    int e = l ? lookup_run(l, deadline) : EAI_MEMORY;
    bool late = e == EAI_INPROGRESS || e == EAI_CANCELED;
    *found = e ? NULL : l->ask.ar_result;
    if (e != EAI_INPROGRESS) /* else it is the resolver's for good */
        free(l);
    if (e)
        return give_up(d, TROTH_R_NET_DNS, "%.90s: %.60s", t->host, late ? "the resolver did not answer in time" : gai_strerror(e));
    return true;
}

static bool dial_unix(struct dialed *d, const struct target *t, uint64_t deadline)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    memcpy(sun.sun_path, t->path, sizeof sun.sun_path);
    return connect_one(d, (struct sockaddr *)&sun, sizeof sun, deadline);
}

bool dial(struct dialed *d, const struct target *t, int family, int timeout_ms)
{
    *d = (struct dialed){ .fd = -1 };
    uint64_t start = now_us(), deadline = start + (uint64_t)timeout_ms * 1000u;
    if (t->path[0])
        return dial_unix(d, t, deadline);
    struct addrinfo *found = NULL;
    if (!dial_lookup(d, t, family, deadline, &found))
        return false;
    d->resolve_us = (unsigned)(now_us() - start);
    bool ok = false;
    for (const struct addrinfo *i = found; i && !ok; i = i->ai_next)
        ok = connect_one(d, i->ai_addr, i->ai_addrlen, deadline);
    d->connect_us = (unsigned)(now_us() - start) - d->resolve_us;
    freeaddrinfo(found);
    return ok;
}

void keep_alive(int fd)
{
    const int one = 1, idle = 120, interval = 30, probes = 4;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle); /* no TCP: then there is nothing to find out */
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
