/* route.h - where troth proxy sends a connection: by the name that the client asks for (--route, --pass), else to --backend.
 *
 * Must never decide by anything but the name that the TLS engine found in the hello, nor let two names of a configuration mean the same. */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include "common/sandbox.h"
#include "serve/backend.h"

enum { ROUTE_NAME_MAX = 256 };

struct route {
    char           name[ROUTE_NAME_MAX]; /* A-labels in small letters; "*.example": one label more than "example"; "*": all others */
    char          *where;                /* its backend, as it was written                                                      */
    bool           pass;                 /* TLS goes there as it is                                                             */
    int            herald;               /* of which version its PROXY header is; 0: none is sent                               */
    uint64_t       connections;          /* that went there, in this configuration and those before                             */
    struct backend to;
};

/* Shared by the service and every connection that goes by it, so a reload takes nothing away. */
struct routes {
    unsigned      owners;
    size_t        n;
    struct route *otherwise; /* NULL: a name that has no route is refused */
    struct route  all[];     /* by their names                            */
};

/* What --backend (or --wrap), --route and --pass say.  port: of a backend without one; herald: of --send-proxy.  Where a name cannot be looked
 * up, the addresses that the same backend had `before` (NULL: there was nothing) stay.  NULL after messages, all that there are. */
struct routes *routes_read(const struct args *a, const char *otherwise, const char *port, int herald, const struct routes *before, int *status);
struct routes *routes_share(struct routes *);
void routes_free(struct routes *);
/* Where a client goes that asks for this name (n = 0: for none): its own route, else that of a wildcard, else the one for all others.  NULL:
 * nowhere. */
struct route *routes_find(const struct routes *, const void *name, size_t n);
/* Is there any but the one for all others? */
bool routes_by_name(const struct routes *);
/* "shop.example, *.blog.example, and 3 more" */
void routes_names(char *out, size_t cap, const struct routes *);
/* What the sandbox has to let in for them: NEEDS_... */
unsigned routes_need(const struct routes *);
void routes_let_in(const struct routes *, struct sandbox *);
/* May they all be connected to from within?  False after messages. */
bool routes_reached(const struct routes *, const struct args *, const struct sandbox *);

/* -- pure */
/* The name as it is compared: A-labels, small letters.  NULL; else why it is the name of no route. */
const char *route_name(char out[ROUTE_NAME_MAX], const char *text);

#endif
