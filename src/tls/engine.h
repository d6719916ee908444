/* engine.h - what now?  The one loop of a connection: drain what we have to say, take what the peer said, ask what must be asked. */
#ifndef TLS_ENGINE_H
#define TLS_ENGINE_H

#include "tls/conn.h"

troth_event engine_next(struct troth_conn *c);
void engine_sent(struct troth_conn *c, size_t n);
void engine_received(struct troth_conn *c, size_t n);
bool MUST_USE engine_write(struct troth_conn *c, const span *parts, size_t n_parts);
void engine_close(struct troth_conn *c);
/* FAILED, or closed both ways with nothing left to send: what happens to the transport does not matter any more. */
bool engine_is_over(const struct troth_conn *c);
/* The transport broke, or an argument made no sense: the error is set, the connection ends with it. */
void engine_fail(struct troth_conn *c);
/* The application answered the question that is open; `raw`: a signature.  Ignored when there is no such question. */
void engine_answer(struct troth_conn *c, enum question q, span raw);
/* Gives back every buffer that is empty, before a wait that may be long. */
void engine_rest(struct troth_conn *c);

#endif
