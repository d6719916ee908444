/* farewell.h - the end of a connection, as it should be: what waits to be sent is sent, then our direction is shut, and what the peer still
 * says is read and thrown away.  A socket that is closed with something unread answers with a reset, and that destroys what the peer
 * has not read yet: the alert above all.
 *
 * Must never hold a connection for longer, nor swallow more, than its limits say. */
#ifndef CLI_FAREWELL_H
#define CLI_FAREWELL_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <troth/troth.h>

struct farewells; /* all that are under way in one loop */

/* At most `most` at once (others end at once, as well as they can); each must keep its pace (pace.h) over every `patience` seconds. */
struct farewells *farewells_new(struct event_base *, unsigned most, long patience);
void farewells_free(struct farewells *);

struct parting {
    int              fd;      /* stays the caller's to close: it is duplicated          */
    troth_conn      *conn;    /* stays the caller's, who must not touch it before gone  */
    struct evbuffer *sealed;  /* records that wait; the farewell's from here on         */
    struct evbuffer *plain;   /* data that is not sealed yet, likewise; NULL: none      */
    bool             orderly; /* close_notify comes behind it                           */
    void           (*gone)(void *ctx); /* it is over, perhaps before farewell() returns */
    void            *ctx;
};

void farewell(struct farewells *, const struct parting *);

#endif
