/* quic.h - what a connection of QUIC has instead of records, and what QUIC asks of a handshake (RFC 9001).
 *
 * over_quic.c carries bytes and secrets, quic.c knows the rules.  In a connection that is not QUIC the calls of quic.c do nothing, or
 * refuse what only QUIC may say. */
#ifndef TLS_QUIC_H
#define TLS_QUIC_H

#include <troth/quic.h>

#include "tls/conn.h"

/* Handshake bytes or one secret, in the order in which they came or are to be handed out. */
struct quic_chunk {
    struct quic_chunk *next;
    uint32_t           n;
    uint16_t           suite; /* of a secret                                  */
    uint8_t            level; /* enum troth_level                             */
    bool               secret, ours;
    uint8_t            bytes[];
};

struct quic_queue {
    struct quic_chunk *first, *last;
    size_t             n; /* bytes in all of them */
};

struct quic {
    struct quic_queue in, out;
    size_t            sent;       /* of out.first, bytes that went                                      */
    bool              told;       /* out.first is a secret that was handed out: it goes with the next call */
    bool              taken;      /* in.first is what the messages lie in                                */
    bool              has_parameters;
    span              parameters; /* ours; in `keep`                                                     */
    span              early;      /* server: what early data rests on; empty: there is none              */
};

/* ---- over_quic.c: handshake bytes of the peer.  False: out of memory or too many, and failed. */
bool MUST_USE quic_received(struct troth_conn *c, uint8_t level, span bytes);

/* ---- quic.c.  Our transport parameters, into ClientHello or EncryptedExtensions. */
bool MUST_USE quic_put(struct troth_conn *c, struct exts *e);
/* Server: a ClientHello came, the first or the second. */
bool MUST_USE quic_hello(struct troth_conn *c, const struct client_hello *ch);
/* Client: EncryptedExtensions came, ALPN is decided. */
bool MUST_USE quic_answer(struct troth_conn *c, const struct exts *e);
/* Client: a ticket came. */
bool MUST_USE quic_ticket(struct troth_conn *c, const struct new_session_ticket *t);
/* What early data rests on, for a session that is made (server); may there be early data at all? */
span quic_early(const struct troth_conn *c);
/* Why early data of session `s` is not possible here; NULL: it is. */
struct session;
const char *quic_early_unfit(const struct troth_conn *c, const struct session *s);
/* RFC 9000 20.1 */
uint64_t quic_error(const troth_error *e);

#endif
