/* nets.h - a list of networks, as an option has it: "10.0.0.0/8,192.0.2.1,2001:db8::/32,unix". */
#ifndef CLI_NETS_H
#define CLI_NETS_H

#include <sys/socket.h>

#include "common/args.h"

enum { NETS_MAX = 64 };

struct nets {
    struct {
        uint8_t  at[16];   /* IPv4: as an IPv4-mapped address (RFC 4291 2.5.5.2) */
        unsigned bits;
    } net[NETS_MAX];
    size_t n;
    bool   local;          /* peers over unix sockets, who have no address */
};

/* All values of an option that repeats, each a list.  False after a message. */
bool nets_read(struct nets *, const struct args *, enum opt);
bool nets_any(const struct nets *);
bool nets_have(const struct nets *, const struct sockaddr *);

#endif
