/* alert.h - a peer's alert becomes a reason. */
#ifndef TLS_ALERT_H
#define TLS_ALERT_H

#include "tls/conn.h"

/* The peer sent this alert: fails with the reason that it most likely means at this point of this connection.  Always false. */
bool alert_received(struct troth_conn *c, uint8_t alert);
/* Queues an alert; best effort, as the connection is over anyway. */
void alert_send(struct troth_conn *c, uint8_t level, uint8_t alert);

/* The witness is told of an alert that came; `clear`: in the clear, whatever keys there are. */
void alert_tell_received(const struct troth_conn *c, uint8_t level, uint8_t alert, bool clear);

#endif
