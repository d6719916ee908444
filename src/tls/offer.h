/* offer.h - from a configuration to a ClientHello. */
#ifndef TLS_OFFER_H
#define TLS_OFFER_H

#include "tls/conn.h"

/* Draws what is random (client random, session id, order, GREASE) and makes the key shares. */
bool MUST_USE offer_prepare(struct troth_conn *c);
/* HelloRetryRequest demanded this group: its share replaces all others. */
bool MUST_USE offer_retry_share(struct troth_conn *c, uint16_t group);
/* Fills in *ch, the same way each time, so that a second hello differs from the first only where it may (RFC 9846 4.2.2). */
bool MUST_USE offer_build(struct troth_conn *c, struct client_hello *ch);
/* Writes it, binds PSKs, hashes and queues it. */
bool MUST_USE offer_send(struct troth_conn *c, struct client_hello *ch);
/* The answer was taken: where the hello, the shares and their keys have memory of their own, it is given back.  False: failed. */
bool MUST_USE offer_forget(struct troth_conn *c);
/* How much that will be; 0: they are in the handshake's. */
size_t offer_apart(const struct troth_conn *c);

#endif
