/* again.h - the second ClientHello beside the first (RFC 9846 4.2.2): the same, but for what HelloRetryRequest asked for. */
#ifndef TLS_AGAIN_H
#define TLS_AGAIN_H

#include "tls/conn.h"
#include "wire/msg.h"

/* Keeps of the first hello what the second must repeat, as long as the handshake lives. */
bool MUST_USE again_keep(struct troth_conn *c, const struct client_hello *first);
/* The second one, against what was kept; true where nothing was, as another connection saw the first. */
bool MUST_USE again_check(struct troth_conn *c, const struct client_hello *second);

#endif
