/* seal.h - plaintext that waits in an evbuffer into records, and records into the buffer of a socket.
 *
 * Must never take an event from a connection other than SEND. */
#ifndef CLI_SEAL_H
#define CLI_SEAL_H

#include <event2/buffer.h>
#include <troth/troth.h>

/* Whatever the connection has to send goes to the end of `out`. */
void seal_collect(troth_conn *, struct evbuffer *out);
/* Some of `plain`, one write's worth, is sealed, goes to `out` and leaves `plain`.  False: the connection takes no more. */
bool seal_some(troth_conn *, struct evbuffer *plain, struct evbuffer *out);

#endif
