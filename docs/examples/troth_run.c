/* Standard input goes to a server and what it says to standard output, both ways at once on one thread: run ROOTS.pem HOST PORT. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troth/troth.h>

enum { FULL = 1 << 16 }; /* bytes that may wait to be sent before no more are read from standard input */

struct talk {
    troth_conn *c;
    int         fd;
    bool        ready, ended; /* may be written to; standard input ended */
};

/* Nothing can be done until the socket is ready, or there is something to say. */
static void wait_for(struct talk *t, short events)
{
    char said[4096];
    bool listens = t->ready && !t->ended && troth_pending(t->c) < FULL;
    struct pollfd on[] = { { t->fd, events, 0 }, { listens ? STDIN_FILENO : -1, POLLIN, 0 } };
    int n = poll(on, 2, 30000);
    if (n == 0)
        troth_broken(t->c, t->ready ? TROTH_R_NET_TIMEOUT_IDLE : TROTH_R_NET_TIMEOUT_HANDSHAKE, "30 seconds");
    if (n <= 0 || !on[1].revents)
        return;
    ssize_t got = read(STDIN_FILENO, said, sizeof said);
    t->ended = got <= 0;
    if (t->ended)
        troth_close(t->c);
    else
        (void)!troth_write(t->c, &(troth_span){ (const uint8_t *)said, (size_t)got }, 1); /* if not, FAILED says why */
}

/* What a call on the socket came to; false: EAGAIN. */
static bool moved(struct talk *t, ssize_t n, void (*tell)(troth_conn *, size_t))
{
    if (n >= 0)
        tell(t->c, (size_t)n);
    else if (errno != EAGAIN)
        troth_broken(t->c, TROTH_R_NET_RESET_MID, strerror(errno));
    return n >= 0 || errno != EAGAIN;
}

static int talk(struct talk *t)
{
    for (short also = 0;;) {
        troth_event ev = troth_next(t->c);
        switch ((int)ev.kind) {
        case TROTH_SEND:
            if (!moved(t, send(t->fd, ev.data.p, ev.data.n, MSG_NOSIGNAL), troth_sent)) {
                also = POLLOUT;
                troth_sent(t->c, 0); /* the peer may wait for us to read: what is next is RECV */
            }
            break;
        case TROTH_RECV:
            if (!moved(t, recv(t->fd, ev.room.p, ev.room.n, 0), troth_received))
                wait_for(t, POLLIN | also);
            also = 0;
            break;
        case TROTH_READY:  t->ready = true; break;
        case TROTH_DATA:   fwrite(ev.data.p, 1, ev.data.n, stdout); break;
        case TROTH_CLOSED: t->ended = true; troth_close(t->c); break;
        case TROTH_FAILED: fprintf(stderr, "%s: %s\n", troth_why(t->c)->text, troth_why(t->c)->detail); return 1;
        case TROTH_DONE:   return 0;
        default:           break;
        }
    }
}

static int dial(const char *host, const char *port)
{
    struct addrinfo *all, want = { .ai_socktype = SOCK_STREAM };
    int fd = -1;
    if (getaddrinfo(host, port, &want, &all))
        return -1;
    for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && (connect(fd, a->ai_addr, a->ai_addrlen) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

int main(int argc, char **argv)
{
    troth_error err;
    if (argc != 4)
        return fprintf(stderr, "usage: run ROOTS.pem HOST PORT\n"), 2;
    troth_builder *b = troth_client_builder(troth_libcrypto());
    troth_trust_file(b, argv[1]);
    troth_client *us = troth_build_client(b, &err);
    if (!us)
        return fprintf(stderr, "%s: %s\n", err.text, err.detail), 2;
    struct talk t = { .c = troth_connect(us, argv[2]), .fd = dial(argv[2], argv[3]) };
    int status = t.fd >= 0 ? talk(&t) : 2;
    close(t.fd);
    troth_free(t.c);
    troth_client_free(us);
    return status;
}
