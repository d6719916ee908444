/* backend.h - where troth proxy forwards to: one name, and every address that it has. */
#ifndef CLI_BACKEND_H
#define CLI_BACKEND_H

#include <event2/bufferevent.h>
#include <sys/socket.h>

#include "net/dial.h"

enum { BACKEND_ADDRESSES = 8 };

struct backend {
    struct sockaddr_storage at[BACKEND_ADDRESSES];
    socklen_t               at_n[BACKEND_ADDRESSES];
    size_t                  n;
};

/* Looks up HOST:PORT or unix:/path, until a deadline of now_us().  An exit status, not EXIT_OK after a message. */
int backend_find(struct backend *b, const struct args *a, const char *where, const char *port, uint64_t deadline);
/* Likewise what was parsed.  False, without a message: d->detail says why. */
bool backend_look(struct backend *b, const struct target *, uint64_t deadline, struct dialed *d);
/* Begins to connect to the address *next, which goes on to the one after it; what was begun with the one before is closed.  False: none is
 * left. */
bool backend_dial(const struct backend *b, size_t *next, struct bufferevent *socket);

#endif
