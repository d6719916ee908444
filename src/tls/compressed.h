/* compressed.h - CompressedCertificate (RFC 8879), in both directions. */
#ifndef TLS_COMPRESSED_H
#define TLS_COMPRESSED_H

#include "tls/conn.h"

/* When a configuration is built: every form of an identity's Certificate in every compression, once for all connections.  Without
 * hooks of the application's own only what became smaller is kept. */
bool MUST_USE identity_compress(struct identity *id, const struct config *cfg, struct arena *a);

/* Which compressions we can undo: adds compress_certificate to a ClientHello or CertificateRequest. */
bool MUST_USE compression_offer(struct troth_conn *c, struct exts *e);
/* The form of `id` that the peer wants compressed, whole; empty: none is to be had. */
span compression_choose(struct troth_conn *c, const struct identity *id, unsigned form);
/* A CompressedCertificate came; *certificate: body of the Certificate in it, in the connection's `shown`. */
bool MUST_USE compression_undo(struct troth_conn *c, const struct message *m, const struct ext_set *asked, span *certificate);

#endif
