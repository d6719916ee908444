/* backend.c - see backend.h.  A machine often has two addresses, and the service listens on one: "localhost" is ::1 before 127.0.0.1.
 *
 * Must never try an address twice for one connection. */
#include "serve/backend.h"

#include <event2/util.h>
#include <string.h>
#include <sys/un.h>

#include "net/dial.h"

bool backend_look(struct backend *b, const struct target *t, uint64_t deadline, struct dialed *d)
{
    struct addrinfo *found;
    *b = (struct backend){ .n = 0 };
    if (t->path[0]) {
        struct sockaddr_un sun = { .sun_family = AF_UNIX };
        memcpy(sun.sun_path, t->path, sizeof sun.sun_path);
        memcpy(&b->at[0], &sun, sizeof sun);
        b->at_n[0] = sizeof sun;
        b->n = 1;
        return true;
    }
    if (!dial_lookup(d, t, DIAL_ANY, deadline, &found))
        return false;
    for (const struct addrinfo *i = found; i && b->n < BACKEND_ADDRESSES; i = i->ai_next) {
        memcpy(&b->at[b->n], i->ai_addr, i->ai_addrlen);
        b->at_n[b->n++] = i->ai_addrlen;
    }
    freeaddrinfo(found);
    return true;
}

int backend_find(struct backend *b, const struct args *a, const char *where, const char *port, uint64_t deadline)
{
    struct dialed d = { .fd = -1 };
    struct target t;
    if (!target_parse(&t, a, where, port))
        return EXIT_USAGE;
    return backend_look(b, &t, deadline, &d) ? EXIT_OK : complain(a, EXIT_NETWORK, "%s", d.detail);
}

bool backend_dial(const struct backend *b, size_t *next, struct bufferevent *socket)
{
    while (*next < b->n) {
        size_t i = (*next)++;
        evutil_socket_t before = bufferevent_getfd(socket);
        if (before >= 0) {
            bufferevent_setfd(socket, -1);
            evutil_closesocket(before);
        }
        if (!bufferevent_socket_connect(socket, (const struct sockaddr *)&b->at[i], (int)b->at_n[i]))
            return true;
    }
    return false;
}
