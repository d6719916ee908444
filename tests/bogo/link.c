/* link.c - the TCP connection to the runner.  With -async one byte goes at a time in both directions, so that every message and every
 * record is cut at every place.  Must never reach for anything but loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim.h"

static int dial(const struct settings *s)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)s->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port) };
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(s->ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0)
        return -1;
    int rc = s->ipv6 ? connect(fd, (const struct sockaddr *)&six, sizeof six) : connect(fd, (const struct sockaddr *)&four, sizeof four);
    if (rc) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

bool link_open(struct link *l, const struct settings *s)
{
    uint8_t id[8];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)((uint64_t)s->shim_id >> 8 * i);
    l->fd = dial(s);
    l->step = s->async ? 1 : SIZE_MAX;
    l->hold = l->got = false;
    l->kept_n = 0;
    if (l->fd < 0)
        return complain("cannot connect: %s", strerror(errno));
    return send(l->fd, id, sizeof id, MSG_NOSIGNAL) == (ssize_t)sizeof id || complain("cannot send the shim id");
}

/* A transport that breaks is one of the runner's ways of ending a test: the connection is told, and judges. */
static size_t give(struct link *l, troth_span data)
{
    ssize_t n = send(l->fd, data.p, data.n < l->step ? data.n : l->step, MSG_NOSIGNAL);
    return n > 0 ? (size_t)n : 0;
}

void link_send(struct link *l, troth_conn *c, troth_span data)
{
    if (l->hold && l->got) /* the connection has more to say: what was kept goes first */
        link_let_go(l);
    bool keeps = l->hold && data.n <= sizeof l->kept - l->kept_n;
    size_t n = keeps && l->kept_n ? 0 : give(l, keeps ? (troth_span){ data.p, 1 } : data);
    if (keeps) {
        memcpy(l->kept + l->kept_n, data.p + n, data.n - n);
        l->kept_n += data.n - n;
        n = data.n;
    }
    if (n)
        troth_sent(c, n);
    else
        troth_broken(c, TROTH_R_EOF_MID, "the runner takes no more bytes");
}

void link_let_go(struct link *l)
{
    size_t at = 0;
    l->hold = l->got = false;
    for (size_t n = 1; n && at < l->kept_n; at += n)
        n = give(l, (troth_span){ l->kept + at, l->kept_n - at });
    l->kept_n = 0;
}

void link_receive(struct link *l, troth_conn *c, uint8_t *room, size_t n)
{
    ssize_t got = recv(l->fd, room, n < l->step ? n : l->step, 0);
    l->got |= l->hold && got > 0;
    troth_received(c, got > 0 ? (size_t)got : 0);
}

void link_close(struct link *l)
{
    uint8_t dust[1024];
    if (l->fd < 0)
        return;
    link_let_go(l);
    (void)shutdown(l->fd, SHUT_WR);
    while (recv(l->fd, dust, sizeof dust, 0) > 0)
        continue;
    close(l->fd);
    l->fd = -1;
}
