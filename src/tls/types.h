/* types.h - which kind of certificate each side shows: X.509 or a raw public key (RFC 7250), in both versions. */
#ifndef TLS_TYPES_H
#define TLS_TYPES_H

#include "tls/conn.h"

/* Client: adds server_certificate_type and client_certificate_type to a hello, where they say more than the default does. */
bool MUST_USE types_offer(struct troth_conn *c, struct exts *e);
/* Client: what EncryptedExtensions, or ServerHello of TLS 1.2, answered. */
bool MUST_USE types_answered(struct troth_conn *c, const struct exts *e);
/* Client: a certificate is asked for.  Fails when it would have to be X.509 by default, and we said that we have none. */
bool MUST_USE types_asked(struct troth_conn *c);

/* Server: what a hello offers is kept for choosing an identity, and the type of the client's certificate is decided. */
bool MUST_USE types_choose(struct troth_conn *c, const struct client_hello *ch, bool asks);
/* Server: no certificate is asked for in this handshake, but may be later: of which type it will be is decided now, if there is one that
 * both have. */
void types_choose_late(struct troth_conn *c, const struct client_hello *ch);
/* Server: can the client, as far as it said, show a certificate of a type that is accepted? */
bool types_agreed(const struct troth_conn *c);
/* Server: adds the answers, once the identity is chosen or a session is resumed. */
void types_answer(struct troth_conn *c, struct exts *e);

static inline bool takes_raw_keys(const struct config *cfg)
{
    return bytes_have(cfg->peer_types, TROTH_RAW_PUBLIC_KEY);
}

#endif
