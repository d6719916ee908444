/* cookie.h - the cookie of HelloRetryRequest (RFC 9846 4.3.2): what a server would have to remember, under its own key.
 *
 *     suite (2) group (2) flags (1) time (8) Hash(ClientHello1) HMAC-SHA256
 *
 * The MAC is over all of that, the client's random and session id, which must not change, and the address that the application named.
 * A connection that goes on with its own client compares bytes; a new one opens the cookie and goes on where the other stopped. */
#ifndef TLS_COOKIE_H
#define TLS_COOKIE_H

#include "tls/conn.h"

enum { COOKIE_MAC_N = 32, COOKIE_FIXED_N = 13, COOKIE_MOST = COOKIE_FIXED_N + TROTH_DIGEST_MAX + COOKIE_MAC_N };

struct cookie {
    uint16_t suite, group;
    bool     share_asked;    /* for that group                                                           */
    bool     bound;          /* it is of use only to the connection that made it                         */
    int64_t  made;           /* seconds since 1970                                                       */
    span     hello1;         /* Hash(ClientHello1)                                                       */
};

/* The hello's random and session id are in facts and hs->hello.  *out lives as long as the handshake; `hello1` goes into it. */
bool MUST_USE cookie_make(struct troth_conn *c, const struct cookie *what, span *out);
/* Authentic, fresh, and for anybody who has the key; else fails.  `hello1` points into `cookie`. */
bool MUST_USE cookie_open(struct troth_conn *c, span cookie, struct cookie *what);

#endif
