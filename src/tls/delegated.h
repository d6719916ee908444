/* delegated.h - delegated credentials (RFC 9345), of servers and of clients. */
#ifndef TLS_DELEGATED_H
#define TLS_DELEGATED_H

#include "tls/conn.h"

enum { DELEGATED_LONGEST = 7 * 86400 }; /* seconds that a credential may still be valid (RFC 9345 4.1.3) */

/* May a credential's key sign with this (RFC 9345 4)?  RSA keys with rsaEncryption may not be delegated to. */
bool delegated_scheme_ok(uint16_t scheme);

/* Reads a DelegatedCredential, alone and whole. */
bool MUST_USE delegated_read(struct delegated_credential *dc, span bytes);
/* What the certificate's key signs, in parts; `lead` has DELEGATED_LEAD bytes.  A server's credential is none of a client. */
enum { DELEGATED_LEAD = 64 + 34, DELEGATED_PARTS = 3 };
void delegated_content(span parts[DELEGATED_PARTS], uint8_t *lead, bool of_server, const struct cert *leaf,
                       const struct delegated_credential *dc);
/* The certificate has the extension that allows it to delegate (RFC 9345 4.2). */
bool delegated_allowed(const struct cert *leaf);

/* Says that credentials are taken, where they are: in a ClientHello or a CertificateRequest. */
bool MUST_USE delegated_offer(struct troth_conn *c, struct exts *e);
/* A certificate that was accepted came with a credential: checks it, and its key becomes the one to verify with. */
bool MUST_USE delegated_take(struct troth_conn *c, const struct cert *leaf, const struct delegated_credential *dc);

#endif
