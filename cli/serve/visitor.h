/* visitor.h - who is at the other end of a connection that was accepted: the peer, or whom the peer announces in a PROXY header.
 *
 * Must never believe a header of anybody who is not on the list, nor take a connection without one of anybody who is. */
#ifndef CLI_VISITOR_H
#define CLI_VISITOR_H

#include <event2/buffer.h>
#include <troth/troth.h>

#include "common/nets.h"
#include "serve/announce.h"

struct visitor {
    struct ends       ends;     /* as announced; ENDS_UNKNOWN: nobody was                */
    char              peer[80]; /* likewise, in words; empty: nobody was                 */
    uint8_t           id[ANNOUNCE_ID_MAX];
    size_t            id_n;
    bool              heard;    /* the header is behind us                               */
    enum troth_reason why;      /* of a refusal                                          */
    const char       *saw;
};

enum visitor_is { VISITOR_IN, VISITOR_WAITS, VISITOR_REFUSED };

/* Is the peer of this socket one that has to announce? */
bool visitor_due(const struct nets *announce, int fd);
/* What came of the connection so far, in `in`, from which the header is taken out.  *v is NULL the first time, and stays it for a peer who
 * has nothing to announce; else it is the caller's to free().  NULL and VISITOR_REFUSED: no memory. */
enum visitor_is visitor_hear(struct visitor **v, const struct nets *announce, int fd, struct evbuffer *in);
/* The end came before the header did: true, with why and what was seen in *v; false: it came, or there was nothing to wait for. */
bool visitor_left_early(struct visitor *v);
/* The address that is announced, NULL: none. */
const char *visitor_peer(const struct visitor *v);
/* Of a socket, both ends. */
struct ends ends_of(int fd);

#endif
