/* cookie.h - the cookie of HelloRetryRequest (RFC 9846 4.3.2): what a server would have to remember, under its own key.
 *
 *     suite (2) group (2) Hash(ClientHello1) HMAC-SHA256(key, all before)
 *
 * The server keeps the connection, so it compares what comes back; the cookie's content would let one that does not go on. */
#ifndef TLS_COOKIE_H
#define TLS_COOKIE_H

#include "tls/conn.h"

/* The transcript holds ClientHello1 alone; *out lives as long as the handshake. */
bool MUST_USE cookie_make(struct troth_conn *c, span *out);

#endif
