/* dial.c - name resolution, connecting, listening.  Every wait has an end. */
#include "dial.h"

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
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "outfile.h"

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

/* getaddrinfo(3) with a time limit. */
static bool resolve(struct dialed *d, const struct target *t, int family, uint64_t deadline, struct addrinfo **found)
{
    struct addrinfo hints = { .ai_family = family == DIAL_IPV4 ? AF_INET : family == DIAL_IPV6 ? AF_INET6 : AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM };
    struct gaicb ask = { .ar_name = t->host, .ar_service = t->port, .ar_request = &hints }, *list[1] = { &ask };
    int e = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    while (!e && (e = gai_error(&ask)) == EAI_INPROGRESS) {
        uint64_t now = now_us();
        if (now >= deadline)
            break;
        struct timespec left = { .tv_sec = (time_t)((deadline - now) / 1000000u), .tv_nsec = (long)((deadline - now) % 1000000u) * 1000 };
        gai_suspend((const struct gaicb *const *)list, 1, &left);
        e = 0;
    }
    if (e == EAI_INPROGRESS) {
        gai_cancel(&ask);
        return give_up(d, TROTH_R_NET_DNS, "%.90s: %s", t->host, "the resolver did not answer in time");
    }
    if (e)
        return give_up(d, TROTH_R_NET_DNS, "%.90s: %.60s", t->host, gai_strerror(e));
    *found = ask.ar_result;
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
    if (!resolve(d, t, family, deadline, &found))
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

/* ---- listening */

static int listen_unix(const struct args *a, const struct target *t, int *out)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    struct stat st;
    memcpy(sun.sun_path, t->path, sizeof sun.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!stat(t->path, &st) && S_ISSOCK(st.st_mode)) {
        if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof sun) && errno == ECONNREFUSED)
            unlink(t->path); /* left over by a program that ended without tidying */
        if (fd >= 0)
            close(fd);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) || listen(fd, 1024)) {
        complain(a, EXIT_NETWORK, "cannot listen on %s: %s%s", t->path, strerror(errno),
                 errno == EADDRINUSE ? "; another program listens there, or it is another kind of file: choose another name" : "");
        if (fd >= 0)
            close(fd);
        return EXIT_NETWORK;
    }
    *out = fd;
    return EXIT_OK;
}

static const char *bind_advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "; another program has this port: stop it (ss -ltnp shows which) or choose another";
    case EACCES:
        return "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return "; this machine has no such address (ip addr lists them)";
    default:
        return "";
    }
}

static int port_of(int fd)
{
    struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
    socklen_t n = sizeof sa;
    if (getsockname(fd, (struct sockaddr *)&sa, &n))
        return 0;
    if (sa.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&sa)->sin6_port);
    return sa.ss_family == AF_INET ? ntohs(((struct sockaddr_in *)&sa)->sin_port) : 0;
}

int listen_on(const struct args *a, const char *where, int *out, int *port)
{
    struct target t;
    *out = -1;
    *port = 0;
    if (!target_parse(&t, a, where, "8443"))
        return EXIT_USAGE;
    if (t.path[0])
        return listen_unix(a, &t, out);
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    int e = getaddrinfo(t.host, t.port, &hints, &found);
    if (e)
        return complain(a, EXIT_NETWORK, "cannot listen on %s: %s", where, gai_strerror(e));
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, 4096)) {
        complain(a, EXIT_NETWORK, "cannot listen on %s: %s%s", where, strerror(errno), bind_advice(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0)
        return EXIT_NETWORK;
    *out = fd;
    *port = port_of(fd);
    return EXIT_OK;
}

bool tell_port(const struct args *a, int port)
{
    const char *path = args_value(a, OPT_PORT_FILE, NULL);
    struct outfile file = { .to = NULL };
    bool ok = path && outfile_open(&file, path, 0666) && fprintf(file.to, "%d\n", port) > 0 && outfile_close(&file, true); /* whole, or not there */
    if (path && !ok)
        complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
    outfile_close(&file, false);
    return ok || !path;
}
