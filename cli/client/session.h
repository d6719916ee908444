/* session.h - one client connection from the options to its end, for the verbs that make one: connect, get, explain, check.
 *
 * Opens the transport, runs the handshake, keeps what is needed to tell of it, also after a failure. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <troth/explain.h>
#include <troth/troth.h>
#include <troth/verify.h>

#include "common/tty.h"
#include "net/dial.h"
#include "net/link.h"
#include "net/via.h"
#include "recording/record.h"

struct session {
    const struct args *args;
    struct target      target;     /* whom we want to reach                           */
    struct target      place;      /* where: there, or --connect-to                   */
    struct via         via;        /* the proxy on the way                            */
    struct dialed      dialed;
    troth_client      *client;
    troth_conn        *conn;
    troth_story       *story;      /* NULL unless somebody wants it                   */
    struct link        link;
    struct tape       *tape;       /* these three: NULL unless --record was given     */
    struct recorder   *recorder;
    json_t            *setup;
    troth_error        error;      /* of the transport or of the connection           */
    long               timeout_ms;
    int64_t            now;        /* the clock certificates were judged by           */
    unsigned           handshake_us;
    uint8_t           *ticket;     /* the newest                                      */
    size_t             ticket_n;
    bool               ticket_used;/* a session was offered                           */
    uint8_t           *offered;    /* it, for a recording                             */
    size_t             offered_n;
    uint8_t           *early;      /* --early-data                                    */
    size_t             early_n;
    size_t             early_sent; /* of them, as 0-RTT data that was not refused     */
    bool               held;       /* an event that was looked at but not taken yet    */
    troth_event        held_event;
    char               sni[256];   /* --sni, in A-labels                             */
    char               retried[400]; /* what --why found out                            */
};

/* Parses the target, makes the configuration.  False: *status says how to exit, after a message. */
bool session_init(struct session *s, const struct args *a, const char *typed, bool with_story, int *status);
/* The name that the certificate must be for. */
const char *session_name(const struct session *s);
/* Connects and shakes hands.  False: s->error says why. */
bool session_open(struct session *s);
/* The next event that concerns the verb: DATA, CLOSED, DONE, FAILED...; keeps tickets.  `also`: as in link.h; -1: none. */
enum link_wake session_next(struct session *s, troth_event *ev, int also);
/* Looks at what comes first within `ms`, without taking it.  False: the connection failed. */
bool session_peek(struct session *s, unsigned ms);
/* What --early-data gave and no server took early, now that the handshake is done. */
bool session_early_rest(struct session *s);
/* What session_next sends then. */
bool session_write(struct session *s, const void *p, size_t n);
/* The verdict-first text of s->error on `to` (a FILE), or nothing when all is well. */
void session_tell_failure(struct session *s, void *to);
/* The same as JSON (jansson): the member `failure' of every verb's answer.  The caller's. */
struct json_t *failure_json(const troth_error *e);
/* Closes in order when it can; keeps the ticket in --session.  False after a message: it could not. */
bool session_end(struct session *s);

#endif
