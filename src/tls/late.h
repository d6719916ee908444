/* late.h - TLS 1.3 after the handshake: KeyUpdate, and the messages that other files answer (RFC 9846 4.7). */
#ifndef TLS_LATE_H
#define TLS_LATE_H

#include "tls/conn.h"

enum state on_key_update(struct troth_conn *c, const struct message *m);
enum state on_new_session_ticket(struct troth_conn *c, const struct message *m);

/* Sends a KeyUpdate and changes our keys. */
bool MUST_USE late_update_keys(struct troth_conn *c, bool peer_too);
/* Before application data is sealed: a KeyUpdate that the peer asked for, or that the key's limit asks for. */
bool MUST_USE late_before_write(struct troth_conn *c);

#endif
