/* late_auth.h - certificates of clients after the handshake (RFC 9846 4.7.2): asking for one, answering, checking. */
#ifndef TLS_LATE_AUTH_H
#define TLS_LATE_AUTH_H

#include "tls/conn.h"

/* Server: may the client be asked later, by what it offered and whom we trust? */
bool late_may_ask(const struct troth_conn *c);
/* The handshake is complete, the client's Finished is in the transcript: what a later CertificateRequest needs is kept, if one may come. */
bool MUST_USE late_keep(struct troth_conn *c);
/* Server: sends a CertificateRequest.  One at a time.  False without a failure: the client did not offer it. */
bool MUST_USE late_ask(struct troth_conn *c);

/* ---- steps of the client */
enum state on_late_request(struct troth_conn *c, const struct message *m);
enum state on_late_client(struct troth_conn *c, const struct message *m);
enum state on_late_signature(struct troth_conn *c, const struct message *m);
/* ---- and of the server */
enum state on_late_certificate(struct troth_conn *c, const struct message *m);
enum state on_late_compressed(struct troth_conn *c, const struct message *m);
enum state on_late_verify(struct troth_conn *c, const struct message *m);
enum state on_late_verdict(struct troth_conn *c, const struct message *m);
enum state on_late_finished(struct troth_conn *c, const struct message *m);

#endif
