/* session.h - what is remembered of a connection so that another can go on from it: as a struct, as bytes, and sealed in a ticket.
 *
 * A session remembers whom it was made with and by which rules that was verified, and is never used for another name, nor under
 * rules that differ (`trust`), nor beyond the certificate's own end (`until`).  A client's session holds its secret in the clear: whoever
 * keeps it keeps a secret.  A server's ticket is sealed with keys that change (RFC 5077 4, RFC 9846 4.7.1). */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include "tls/conn.h"

enum { TRUST_N = 32, TICKET_NAME_N = 16, TICKET_NONCE_N = 12, TICKET_TAG_N = 16, TICKET_KEY_N = 32, SESSION_MAX = 65000 };

struct session {
    bool          of_client;
    uint16_t      version, suite, group;
    struct secret secret;        /* TLS 1.3: the PSK; TLS 1.2: the master secret                          */
    int64_t       issued_us;     /* microseconds since 1970, by the clock of whoever holds it             */
    int64_t       until;         /* not used after: the peer's certificate ends, or its revocation status */
    uint32_t      lifetime;      /* seconds                                                               */
    uint32_t      age_add;       /* of obfuscated_ticket_age                                              */
    uint32_t      max_early_data;
    uint16_t      peer_scheme;
    bool          client_authenticated, raw_key, quic;
    span          alpn;          /* empty: none                                                           */
    span          server_name;   /* as sent                                                               */
    span          host;          /* client: what was verified                                             */
    span          trust;         /* TRUST_N bytes: by which rules; empty: the peer was not verified       */
    span          ticket;        /* client: what the server wants to see again                            */
    span          session_id;    /* TLS 1.2                                                               */
    span          chain;         /* of the peer, list of opaque24; what its report said is not kept       */
    span          staple, scts;
    span          quic_early;    /* server: transport parameters that early data rests on                 */
};

/* Spans point into `bytes`.  False when these are not the bytes of a session. */
bool MUST_USE session_read(struct session *s, span bytes);
/* Was this written by session_write, of whatever version? */
bool MUST_USE session_is(span bytes);
void session_write(struct wr *w, const struct session *s);
/* Into memory of the connection's allocator; the caller frees with session_free_bytes.  False: out of memory, and failed. */
bool MUST_USE session_bytes(struct troth_conn *c, const struct session *s, uint8_t **p, size_t *n);
void session_free_bytes(struct troth_conn *c, uint8_t *p, size_t n);

/* Fills in what the connection knows: everything but secret, lifetime, ticket and ids.  The spans live as long as the connection. */
void session_of(const struct troth_conn *c, struct session *s);
/* May `s` be used now, by this connection?  NULL, or why not. */
const char *session_unfit(const struct troth_conn *c, const struct session *s);
/* The connection goes on from `s`: facts, the peer's identity.  With a policy that wants it the chain is judged again. */
bool MUST_USE session_adopt(struct troth_conn *c, const struct session *s);
/* Client: its spans become copies, which live as long as the handshake; the chain as the connection, if the session is adopted. */
bool MUST_USE session_own(struct troth_conn *c, struct session *s);

/* Server: seals and opens. */
/* The ticket of `s` as far as a writer can say it that leaves room for it: how long it is.  Empty: `s` does not fit one, for the chain of a
 * client can be longer. */
span ticket_room(const struct session *s);
/* And itself, in that room. */
bool MUST_USE ticket_seal(struct troth_conn *c, const struct session *s, uint8_t *p, size_t all);
/* The session of a ticket, empty where it does not open, which is no failure: it is not ours, or too old.  `old`: there is a newer key than
 * its own, so it is time for a new one. */
struct unsealed {
    span bytes;
    bool old;
};
bool MUST_USE ticket_open(struct troth_conn *c, span ticket, struct unsealed *o, struct arena *a);

/* Gives the application a session to keep: TROTH_TICKET.  Whoever calls has no more use for the session of before. */
bool MUST_USE session_offer_to_keep(struct troth_conn *c, const struct session *s);
/* It was given, or nobody will fetch it: wiped. */
void session_forget_ticket(struct troth_conn *c);

#endif
