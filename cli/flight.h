/* flight.h - the flight recorder of serve and proxy: with --record, the handshake that failed last is kept in a file.
 *
 * Must never write of a connection that succeeded, nor keep more of one than HANDSHAKE_MOST. */
#ifndef CLI_FLIGHT_H
#define CLI_FLIGHT_H

#include <troth/troth.h>

#include "args.h"

struct flight;

/* NULL without --record, or when memory runs out; NULL is fine everywhere below.  `conn` has not been asked what now yet. */
struct flight *flight_new(const struct args *, troth_conn *conn, bool server);
void flight_saw(struct flight *, bool out, const uint8_t *p, size_t n);
/* The handshake is done: nothing of it will be needed. */
void flight_landed(struct flight *);
/* It failed: writes the file.  `peer`: its address. */
void flight_crashed(struct flight *, const char *peer);
/* After the connection was freed. */
void flight_free(struct flight *);

#endif
