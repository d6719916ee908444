/* server.h - what the server's files share. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "tls/conn.h"

/* Reads a ClientHello, whole, into *ch (spans into the message). */
bool MUST_USE server_read_hello(struct troth_conn *c, struct client_hello *ch, const struct message *m);

/* One that was read before, from its own bytes; nobody is told a second time.  False: *r says what is wrong with it. */
bool MUST_USE server_hello_again(struct client_hello *ch, struct rd *r, struct rd_ctx *ctx, span raw);

#endif
