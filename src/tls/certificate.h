/* certificate.h - our side of authentication: what the peer wants, which identity fits, and its Certificate message. */
#ifndef TLS_CERTIFICATE_H
#define TLS_CERTIFICATE_H

#include "tls/conn.h"
#include "tls/negotiate.h"

/* When a configuration is built: serializes the Certificate messages of an identity, once for all connections. */
bool MUST_USE identity_serialize(struct identity *id, struct arena *a);

/* What a client's hello, or a server's CertificateRequest, wants from our certificate: copied, as the message goes. */
bool MUST_USE wanted_from_hello(struct troth_conn *c, const struct client_hello *ch);
bool MUST_USE wanted_from_request(struct troth_conn *c, const struct certificate_request *cr);

/* Server: fails, as none of ours has the name that the client asked for.  Always false. */
bool MUST_USE name_unknown(struct troth_conn *c);
/* Server: chooses hs->identity and hs->scheme, or fails. */
bool MUST_USE certificate_choose(struct troth_conn *c, const struct client_hello *ch);
/* Client: is the application asked by whom to answer?  Then S_WAIT_CLIENT or its like is next. */
bool certificate_ask(struct troth_conn *c);
/* Client: chooses, and queues Certificate, empty when nothing fits (then hs->identity is NULL). */
bool MUST_USE certificate_answer(struct troth_conn *c);
/* Queues the Certificate of hs->identity, with the context that was asked for. */
bool MUST_USE certificate_send(struct troth_conn *c);
/* Server: queues CertificateRequest. */
bool MUST_USE certificate_request_send(struct troth_conn *c);
/* The extensions that a peer's Certificate may carry in answer to our CertificateRequest. */
struct ext_set certificate_request_asks(const struct config *cfg);

/* ---- TLS 1.2's forms of the same */
bool MUST_USE wanted_from_request12(struct troth_conn *c, const struct certificate_request12 *cr);
bool MUST_USE certificate_choose12(struct troth_conn *c, const struct client_hello *ch);
bool MUST_USE certificate_answer12(struct troth_conn *c);
bool MUST_USE certificate_send12(struct troth_conn *c);
bool MUST_USE certificate_request_send12(struct troth_conn *c);

#endif
