/* flight.h - the flight recorder of servers: the last handshakes that failed, each as a recording in a directory of its owner's.
 *
 * Bounded by design, as strangers fill it: so many files, so many bytes in each, so many a second.  Must never keep the server waiting for
 * more than one small file, and never delete a file that it did not make. */
#ifndef CLI_FLIGHT_H
#define CLI_FLIGHT_H

#include "common/log.h"
#include "recording/record.h"

struct flight {
    const struct args *args;
    const struct log  *log;
    const char        *dir;      /* NULL: nothing is recorded */
    struct tape       *tape;
    json_t            *setup;
    long               keep;
    bool               server;   /* of its connections, this end is the server */
    int64_t            second;   /* the last one in which something was written */
    unsigned           written;  /* in it                                       */
};

/* Reads the options; makes the directory.  False: *status says how to exit, after a message. */
bool flight_init(struct flight *f, const struct args *a, const struct log *log, bool server, int *status);
/* The configuration was read, the first time or again: what it is, one of the two, goes into recordings. */
void flight_reload(struct flight *f, const troth_server *s, const troth_client *c);
/* A signature came from elsewhere for the connection whose turn it is. */
void flight_signed(struct flight *f, troth_span signature);
void flight_end(struct flight *f);
/* For a new connection; NULL where nothing is recorded. */
struct recorder *flight_recorder(struct flight *f);
/* Before every call on a connection of the configuration; `r` may be NULL. */
void flight_turn(struct flight *f, struct recorder *r);
/* The handshake failed: keeps its recording, forgets the oldest.  `host`: whom a client asked for. */
void flight_keep(struct flight *f, const struct recorder *r, troth_conn *conn, const char *peer, const char *host);

#endif
