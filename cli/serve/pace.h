/* pace.h - how slowly a client may take what is for it.  A limit per byte or per write is none: whoever takes one byte now and then would
 * hold a connection, and what it asked for, for ever.  What counts is what the peer has acknowledged over a stretch of time; the socket's
 * buffer, megabytes large, swallows an answer at once or asks for more after a minute of silence, and says nothing about the peer. */
#ifndef CLI_PACE_H
#define CLI_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    PACE_LEAST = 500,         /* bytes a second: less than the slowest mobile telephone takes, as Apache's MinRate */
    PACE_REQUEST_SECONDS = 20 /* from the first byte of a request to its last, by default                          */
};

struct pace {
    int64_t taken; /* by the peer, when the last stretch began */
};

/* `written` bytes were given to the socket so far.  False: of the stretch that ends now, `seconds` long, the peer has taken too little. */
bool pace_kept(struct pace *, int fd, uint64_t written, long seconds);
/* A stretch begins now. */
void pace_begin(struct pace *, int fd, uint64_t written);

#endif
