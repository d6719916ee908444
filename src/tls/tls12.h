/* tls12.h - what both roles of TLS 1.2 share: keys, change_cipher_spec, Finished, and the signatures over raw messages.
 *
 * TLS 1.2 is a frozen subset (RFC 9325, RFC 9851; ADR 0008): ECDHE, AEAD suites, extended master secret, no renegotiation. */
#ifndef TLS_TLS12_H
#define TLS_TLS12_H

#include "tls/conn.h"

/* Enters the version: rules of the record layer, hs->v12. */
bool MUST_USE tls12_enter(struct troth_conn *c);
/* What TLS 1.2, as we speak it, demands of a hello from either side: extended_master_secret; nothing renegotiated; uncompressed points. */
bool MUST_USE tls12_check_hello(struct troth_conn *c, const struct exts *e, const char *hello);
/* The handshake's messages, kept as bytes, because CertificateVerify signs them with a hash of its own (RFC 5246 7.4.8).  Off unless a
 * client certificate may be shown. */
void log12_begin(struct troth_conn *c);
bool MUST_USE log12_add(struct troth_conn *c, span message, bool lives);  /* lives: as long as the handshake; else it is copied */
void log12_end(struct troth_conn *c);

/* Premaster secret, and the session's hash of now -> master secret; the premaster is wiped. */
void tls12_master(struct troth_conn *c, uint8_t *premaster, size_t n);
/* Keys of one direction, from the master secret. */
bool MUST_USE conn_keys12(struct troth_conn *c, enum way way);
/* change_cipher_spec and Finished, ours. */
bool MUST_USE tls12_send_finished(struct troth_conn *c);
/* The peer's change_cipher_spec: its keys from here on. */
enum state on_change_cipher_spec(struct troth_conn *c, const struct message *m);
/* The peer's Finished, over hs->before. */
bool MUST_USE tls12_check_finished(struct troth_conn *c, const struct message *m);
/* The handshake is over. */
void tls12_ready(struct troth_conn *c);

/* Does a suite that authenticates this way go with a key of this type? */
bool suite_fits_key(enum suite_auth auth, enum troth_key_type key);
/* A group that can be used with ECDHE in TLS 1.2; NULL: not one of ours. */
const troth_kem *tls12_group(const struct config *cfg, uint16_t group);

/* Signs `parts` with our identity; an external key: asks (they are joined for it), *asked is true. */
bool MUST_USE tls12_sign(struct troth_conn *c, const span *parts, size_t n, uint8_t *signature, size_t *signature_n, bool *asked);
/* The peer's signature over `parts`.  `good`: the arithmetic was done, along with the chain's, and says yes. */
bool MUST_USE tls12_verify(struct troth_conn *c, uint16_t algorithm, const span *parts, size_t n, span signature, bool good);
/* CertificateVerify, ours (`signature` was made over the log) and the peer's. */
bool MUST_USE tls12_put_verify(struct troth_conn *c, span signature);
bool MUST_USE tls12_check_verify(struct troth_conn *c, const struct message *m);

#endif
