/* listen.c - see listen.h. */
#include "net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/outfile.h"
#include "common/target.h"
#include "net/dial.h"

enum { BACKLOG = 4096 };

static const char *advice(int error)
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

/* ---- socket files */

static int stream_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int listen_unix(const struct args *a, const struct target *t, int *out, struct place *place)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    struct stat st;
    memcpy(sun.sun_path, t->path, sizeof sun.sun_path);
    int fd = stream_socket(AF_UNIX);
    if (!stat(t->path, &st) && S_ISSOCK(st.st_mode)) {
        if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof sun) && errno == ECONNREFUSED)
            unlink(t->path); /* left over by a program that ended without tidying */
        if (fd >= 0)
            close(fd);
        fd = stream_socket(AF_UNIX);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) || listen(fd, BACKLOG)) {
        complain(a, EXIT_NETWORK, "cannot listen on %s: %s%s", t->path, strerror(errno),
                 errno == EADDRINUSE ? "; another program listens there, or it is another kind of file: choose another name" : "");
        if (fd >= 0)
            close(fd);
        return EXIT_NETWORK;
    }
    *out = fd;
    place->has_file = !lstat(t->path, &place->file);
    return EXIT_OK;
}

/* Somebody else may have put a socket of theirs there. */
void place_gone(const struct place *p)
{
    struct stat now;
    const char *path = p->where + strlen("unix:");
    if (p->has_file && !lstat(path, &now) && now.st_dev == p->file.st_dev && now.st_ino == p->file.st_ino)
        unlink(path);
}

/* ---- addresses */

static in_port_t *port_in(struct sockaddr_storage *sa)
{
    return sa->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)sa)->sin6_port : &((struct sockaddr_in *)sa)->sin_port;
}

/* One address of `several`, with that port (0: any that is free, which is written there).  0, or errno. */
static int listen_address(const struct addrinfo *i, bool several, int *port, int *out, struct place *place)
{
    const int one = 1;
    struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
    socklen_t n = i->ai_addrlen;
    memcpy(&sa, i->ai_addr, n);
    if (*port)
        *port_in(&sa) = htons((in_port_t)*port);
    int fd = *out = stream_socket(i->ai_family);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (several && i->ai_family == AF_INET6) /* or [::] would be in the way of 0.0.0.0 */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&sa, n) || listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)&sa, &n))
        return errno;
    *port = place->port = ntohs(*port_in(&sa));
    if (several)
        address_text(place->where, sizeof place->where, (struct sockaddr *)&sa, n);
    return 0;
}

/* A name may have an address that is not this machine's: IPv6 of localhost, where that is turned off. */
static bool is_not_here(int error)
{
    return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

/* Some files of hosts make a name have an address twice. */
static bool is_repeated(const struct addrinfo *found, const struct addrinfo *i)
{
    for (const struct addrinfo *j = found; j != i; j = j->ai_next)
        if (j->ai_addrlen == i->ai_addrlen && !memcmp(j->ai_addr, i->ai_addr, i->ai_addrlen))
            return true;
    return false;
}

/* All that this machine has.  0, or errno of what is in the way; what was opened is open. */
static int listen_addresses(const struct addrinfo *found, const char *where, int *fds, struct place *places, size_t *n)
{
    int port = 0, not_here = 0;
    for (const struct addrinfo *i = found; i && *n < LISTEN_ADDRESSES; i = i->ai_next) {
        struct place *p = &places[*n];
        if (is_repeated(found, i))
            continue;
        *p = (struct place){ .port = 0 };
        snprintf(p->where, sizeof p->where, "%s", where);
        int error = listen_address(i, found->ai_next != NULL, &port, &fds[*n], p);
        if (!error) {
            ++*n;
            continue;
        }
        if (fds[*n] >= 0)
            close(fds[*n]);
        if (!is_not_here(error))
            return error;
        not_here = error;
    }
    return *n ? 0 : not_here;
}

bool listen_parse(struct target *t, const struct args *a, const char **where, char whole[LISTEN_WHOLE])
{
    const char *typed = *where;
    if (typed[0] == ':') {
        complain(a, EXIT_USAGE, "`%s' does not say on which addresses: write 127.0.0.1%s for those of this machine, 0.0.0.0%s and [::]%s for all", typed,
                 typed, typed, typed);
        return false;
    }
    if (*typed && !typed[strspn(typed, "0123456789")] && snprintf(whole, LISTEN_WHOLE, "127.0.0.1:%s", typed) < LISTEN_WHOLE)
        *where = whole;
    return target_parse(t, a, *where, "8443");
}

int listen_on(const struct args *a, const char *where, int fds[LISTEN_ADDRESSES], struct place places[LISTEN_ADDRESSES], size_t *n)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found = NULL;
    struct target t;
    char whole[LISTEN_WHOLE];
    *n = 0;
    if (!listen_parse(&t, a, &where, whole))
        return EXIT_USAGE;
    if (t.path[0]) {
        *places = (struct place){ .port = 0 };
        snprintf(places->where, sizeof places->where, "%s", where);
        int status = listen_unix(a, &t, fds, places);
        *n = status == EXIT_OK;
        return status;
    }
    int e = getaddrinfo(t.host, t.port, &hints, &found);
    if (e)
        return complain(a, EXIT_NETWORK, "cannot listen on %s: %s", where, gai_strerror(e));
    int error = listen_addresses(found, where, fds, places, n);
    freeaddrinfo(found);
    if (!error)
        return EXIT_OK;
    while (*n)
        close(fds[--*n]);
    return complain(a, EXIT_NETWORK, "cannot listen on %s: %s%s", where, strerror(error), advice(error));
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
