/* flight.h - what we send in a handshake: messages are written, read back, hashed, and leave as records when the flight ends.
 *
 * Messages wait as spans (the Certificate that was serialized once is never copied) and are sealed together, so that a flight takes as
 * few records as possible.  A key change flushes first. */
#ifndef TLS_FLIGHT_H
#define TLS_FLIGHT_H

#include "tls/conn.h"

/* Writes a body.  `what` is the struct it writes. */
typedef void body_writer(struct wr *w, const void *what);

/* Adds one message: header and body, measured first, written into the arena.  It enters the transcript. */
bool MUST_USE flight_add(struct troth_conn *c, uint8_t type, body_writer *body, const void *what);
/* One that is already whole; `message` must stay until the flight is flushed. */
bool MUST_USE flight_add_whole(struct troth_conn *c, span message);
/* `hashed` enters the transcript, `sent` leaves in its place (Encrypted Client Hello). */
bool MUST_USE flight_add_instead(struct troth_conn *c, span hashed, span sent);
/* The two halves of flight_add, for a message that must be changed before it is hashed (PSK binders): write, then flight_add_whole. */
bool MUST_USE flight_write(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n);
/* Likewise for one in the clear that leaves before anything else is put, by flight_put_here: it is written where it leaves from. */
bool MUST_USE flight_write_here(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n);
bool MUST_USE flight_put_here(struct troth_conn *c, span message);
/* And for one in the clear that is kept anyway, by `a`: it leaves from there, by flight_lend.  Before the arena goes: the carrier's own(). */
bool MUST_USE flight_write_to_lend(struct troth_conn *c, struct arena *a, uint8_t type, body_writer *body, const void *what, uint8_t **message,
                                   size_t *n);
bool MUST_USE flight_lend(struct troth_conn *c, uint8_t *message, size_t n);
/* Seals what waits. */
bool MUST_USE flight_flush(struct troth_conn *c);
/* One run of content, to whatever carries it, behind a change_cipher_spec that waits. */
bool MUST_USE flight_put(struct troth_conn *c, uint8_t type, const span *parts, size_t n);
/* change_cipher_spec of compatibility mode, once, before the next record (RFC 9846 E.4). */
bool MUST_USE flight_ccs(struct troth_conn *c);
/* It goes out at once instead: no record of ours follows soon. */
bool MUST_USE flight_ccs_now(struct troth_conn *c);
/* The bare record, in the clear, as TLS 1.2 wants it too. */
bool MUST_USE flight_put_ccs(struct troth_conn *c);
/* After Finished, but with what the handshake has: not hashed, sealed with what else waits.  `message` as in flight_add_whole. */
bool MUST_USE flight_add_late(struct troth_conn *c, span message);
/* After the handshake: one message, sealed at once, not hashed. */
bool MUST_USE flight_post(struct troth_conn *c, uint8_t type, body_writer *body, const void *what);

/* Tells the witness of one of our own messages by reading it as the peer will; in debug builds always, and a message that its own
 * reader refuses is a bug.  (retell.c) */
bool MUST_USE retell(struct troth_conn *c, span message);

/* "ClientHello"; HelloRetryRequest is a ServerHello by its number.  The witness is told of a whole message. */
const char *message_name(uint8_t type);
void tell_message(const struct troth_conn *c, span raw, bool ours);
/* Likewise of the inner hello of Encrypted Client Hello, which is on the wire in its sealed form only. */
void tell_inner_hello(const struct troth_conn *c, span raw, bool ours);
bool MUST_USE retell_inner_hello(struct troth_conn *c, span message);

/* Writers with the type of body_writer. */
body_writer body_client_hello, body_server_hello, body_hello_retry, body_encrypted_extensions, body_certificate_request,
    body_certificate, body_certificate_verify, body_finished, body_new_session_ticket, body_key_update, body_nothing, body_certificate12,
    body_certificate_status, body_certificate_request12, body_server_key_exchange12, body_client_key_exchange12;

#endif
