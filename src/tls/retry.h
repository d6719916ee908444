/* retry.h - HelloRetryRequest, the server (RFC 9846 4.2.4): asking for another ClientHello, and what that may say. */
#ifndef TLS_RETRY_H
#define TLS_RETRY_H

#include "tls/conn.h"

/* Sends it.  share_asked: the client must send a share for facts.group; else its cookie alone is wanted. */
bool MUST_USE retry_send(struct troth_conn *c, const struct client_hello *ch, bool share_asked);
/* The second hello, on the connection that asked or on one that retry_resume prepared: may it differ like this? */
bool MUST_USE retry_check(struct troth_conn *c, const struct client_hello *ch);
/* A hello that brings a cookie of ours to a new connection: suite, group and transcript are as they were when it was sent, the hello
 * added.  False: it is not to be believed, and c->error says why. */
bool MUST_USE retry_resume(struct troth_conn *c, const struct client_hello *ch, span raw);

#endif
