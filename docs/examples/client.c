/* The client of README.md, whole: client HOST [PORT] prints what the server answers to a GET. */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <troth/troth.h>

static int complain(const troth_error *e)
{
    fprintf(stderr, "%s\n%s\n", e ? e->text : "usage: client HOST [PORT]", e ? e->hint : "");
    return 1;
}

static int dial(const char *host, const char *port)
{
    struct addrinfo *all, want = { .ai_socktype = SOCK_STREAM };
    int fd = -1, why = getaddrinfo(host, port, &want, &all);
    if (why) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(why));
        return -1;
    }
    for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            perror(host);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

static bool push(troth_conn *c, int fd, troth_event ev)
{
    ssize_t n = send(fd, ev.data.p, ev.data.n, MSG_NOSIGNAL);
    if (n > 0)
        troth_sent(c, (size_t)n);
    else
        perror("send");
    return n > 0;
}

static bool pull(troth_conn *c, int fd, troth_event ev)
{
    ssize_t n = recv(fd, ev.room.p, ev.room.n, 0);
    if (n >= 0)
        troth_received(c, (size_t)n);
    else
        perror("recv");
    return n >= 0;
}

int main(int argc, char **argv)
{
    troth_error err;
    troth_builder *b = troth_client_builder(troth_libcrypto());
    troth_trust_system(b);
    troth_client *us = troth_build_client(b, &err);
    if (!us || argc < 2)
        return complain(us ? NULL : &err);

    int fd = dial(argv[1], argc > 2 ? argv[2] : "443"), status = 1;
    troth_conn *c = troth_connect(us, argv[1]);
    for (bool more = fd >= 0; more;) {
        troth_event ev = troth_next(c);
        switch ((int)ev.kind) {
        case TROTH_SEND:   more = push(c, fd, ev); break;   /* send(2), troth_sent()      */
        case TROTH_RECV:   more = pull(c, fd, ev); break;   /* recv(2), troth_received()  */
        case TROTH_READY:  more = troth_write(c, &TROTH_TEXT("GET / HTTP/1.0\r\n\r\n"), 1); break;
        case TROTH_DATA:   fwrite(ev.data.p, 1, ev.data.n, stdout); break;
        case TROTH_CLOSED: troth_close(c); break;
        case TROTH_FAILED: complain(troth_why(c)); more = false; break;
        case TROTH_DONE:   status = 0; more = false; break;
        default:           break;
        }
    }
    return troth_free(c), troth_client_free(us), status;
}
