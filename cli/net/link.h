/* link.h - one connection over one socket, driven to its next event with a time limit: for the verbs that have just one. */
#ifndef CLI_LINK_H
#define CLI_LINK_H

#include <troth/troth.h>

struct link {
    troth_conn *conn;
    int         fd;
    uint64_t    deadline_us;   /* of the monotonic clock; 0: none                             */
    uint64_t    soft_us;       /* wake up then without harm (LINK_TIME); 0: never             */
    int         also;          /* another descriptor to wake up for while waiting; -1: none   */
    void      (*saw)(void *ctx, bool out, const uint8_t *p, size_t n); /* every byte of the transport, for recordings */
    void       *ctx;
    uint8_t     first[64];     /* the peer's first bytes: what it speaks, if not TLS          */
    size_t      first_n;
    uint64_t    in, out;       /* bytes of the transport so far                               */
    bool        stuck;         /* the socket took nothing when last asked                     */
};

enum link_wake { LINK_EVENT, LINK_ALSO, LINK_TIME };

/* Moves bytes until the connection says something that is not SEND or RECV (LINK_EVENT: *ev), or `also` can be read (LINK_ALSO), or
 * soft_us has come (LINK_TIME).
 * Resets, silence and ends of the transport become the connection's failure. */
enum link_wake link_next(struct link *l, troth_event *ev);
/* Writes what is pending, within `ms`. */
void link_flush(struct link *l, int ms);
/* After an alert of ours, before the socket is closed: says that nothing more comes, and throws away what the peer still sends until it
 * ends, within `ms`. Closing at once would answer that with a reset, and the reset may overtake the alert. */
void link_part(struct link *l, int ms);

#endif
