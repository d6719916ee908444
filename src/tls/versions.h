/* versions.h - what the hellos hand over to, once the version is decided. */
#ifndef TLS_VERSIONS_H
#define TLS_VERSIONS_H

#include "tls/conn.h"

/* ServerHello said TLS 1.3.  `r` is the reader that gathered it. */
enum state client13_server_hello(struct troth_conn *c, struct server_hello *sh, struct rd *r, const struct message *m);
/* ClientHello was read and TLS 1.3 chosen. */
enum state server13_client_hello(struct troth_conn *c, const struct client_hello *ch, const struct message *m);
/* The same for TLS 1.2. */
enum state client12_server_hello(struct troth_conn *c, struct server_hello *sh, struct rd *r, const struct message *m);
enum state server12_client_hello(struct troth_conn *c, const struct client_hello *ch, const struct message *m);

#endif
