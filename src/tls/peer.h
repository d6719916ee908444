/* peer.h - the peer's certificate: from the message to a judged chain and a key to verify with. */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "tls/conn.h"

/* Reads a TLS 1.3 Certificate.  `asked`: the extensions of our ClientHello or CertificateRequest.  *empty: it holds no certificate, which
 * the caller judges.  Otherwise the chain is verified, and hs->peer_key is set. */
bool MUST_USE peer_certificate13(struct troth_conn *c, const struct message *m, const struct ext_set *asked, bool *empty);

/* Likewise a CompressedCertificate (RFC 8879). */
bool MUST_USE peer_compressed13(struct troth_conn *c, const struct message *m, const struct ext_set *asked, bool *empty);

/* Reads a TLS 1.2 Certificate in the form that was agreed: a chain, or a raw public key (RFC 7250). */
bool MUST_USE peer_certificate12_read(const struct troth_conn *c, struct certificate *cert, struct rd *r);

/* Judges a chain or a raw key that was read, in either version, and takes its key.  *cert is used up.  The chain stays with the connection, also on failure. */
bool MUST_USE peer_judge(struct troth_conn *c, struct certificate *cert);
/* Likewise; `also` as in struct verify_input, or NULL. */
bool MUST_USE peer_judge_with(struct troth_conn *c, struct certificate *cert, troth_verify_job *also);

/* Likewise what is kept of a session's peer. */
bool MUST_USE peer_judge_again(struct troth_conn *c);

/* Server: the client's Finished was checked, and with it that what it showed, if anything, is its own.  Not before: until then a client that
 * shows something is nobody. */
void peer_proved(struct troth_conn *c);

/* The report on the chain that was judged last, made of it by the same rules and the same time when it is first asked for: whoever does
 * not ask does not pay.  NULL: there was none, or memory ran out.  It lives as long as the connection, or until another chain comes. */
const troth_report *peer_report(struct troth_conn *c);

/* The next certificate of a list of opaque24, as chains are kept; false at its end. */
bool MUST_USE chain_next(span *list, span *certificate);

/* SHA-256 of the peer's SubjectPublicKeyInfo, as pins are.  False: it showed none. */
bool MUST_USE peer_pin(const struct troth_conn *c, uint8_t digest[TROTH_DIGEST_MAX]);

/* Does the application want a word, now that the peer has proved to have the key?  Then it is asked. */
bool peer_ask_verdict(struct troth_conn *c);
/* Likewise for the chain of a session that is resumed, where it is judged again (troth_reverify). */
bool peer_ask_verdict_again(struct troth_conn *c);
/* Its answer. */
bool MUST_USE peer_take_verdict(struct troth_conn *c);

#endif
