/* A server that sends back what it gets, one connection after the other: echo CHAIN KEY PORT (loopback only). */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troth/troth.h>

static int complain(const troth_error *e)
{
    fprintf(stderr, "%s\n%s\n", e->text, e->hint);
    return 1;
}

static int listen_on(const char *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 8) ? -1 : s;
}

static bool push(troth_conn *c, int fd, troth_event ev)
{
    ssize_t n = send(fd, ev.data.p, ev.data.n, MSG_NOSIGNAL);
    if (n > 0)
        troth_sent(c, (size_t)n);
    return n > 0;
}

static bool pull(troth_conn *c, int fd, troth_event ev)
{
    ssize_t n = recv(fd, ev.room.p, ev.room.n, 0);
    if (n >= 0)
        troth_received(c, (size_t)n);
    return n >= 0;
}

static void echo(troth_conn *c, int fd)
{
    for (bool more = true; more;) {
        troth_event ev = troth_next(c);
        switch ((int)ev.kind) {
        case TROTH_SEND:   more = push(c, fd, ev); break;
        case TROTH_RECV:   more = pull(c, fd, ev); break;
        case TROTH_DATA:   more = troth_write(c, &ev.data, 1); break;
        case TROTH_CLOSED: troth_close(c); break;
        case TROTH_FAILED: complain(troth_why(c)); more = false; break;
        case TROTH_DONE:   more = false; break;
        default:           break;
        }
    }
    troth_free(c);
}

int main(int argc, char **argv)
{
    troth_error err;
    if (argc != 4)
        return fprintf(stderr, "usage: echo CHAIN KEY PORT\n"), 2;
    troth_builder *b = troth_server_builder(troth_libcrypto());
    troth_identity_files(b, argv[1], argv[2]);
    troth_server *us = troth_build_server(b, &err);
    int fd, s = us ? listen_on(argv[3]) : -1;
    for (; s >= 0 && (fd = accept(s, NULL, NULL)) >= 0; close(fd))
        echo(troth_accept(us), fd);
    return us ? 0 : complain(&err);
}
