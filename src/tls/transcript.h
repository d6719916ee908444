/* transcript.h - the running hash of the handshake messages (RFC 9846 4.1).
 *
 * Until ServerHello picks the hash the messages (the ClientHello, and the ServerHello while it is being handled) are kept as borrowed
 * spans; after that the state goes on and digests are taken with transcript_peek.  A transcript is a value: copying it is a snapshot. */
#ifndef TLS_TRANSCRIPT_H
#define TLS_TRANSCRIPT_H

#include "base/arena.h"
#include "crypto/provider.h"

struct digest {
    uint8_t b[TROTH_DIGEST_MAX];
    uint8_t n;
};

static inline span digest_span(const struct digest *d)
{
    return (span){ d->b, d->n };
}

struct transcript {
    const troth_hash *hash;  /* NULL until it is known                                                            */
    span              early[2]; /* messages before that; borrowed: whoever lets one wait must keep its bytes alive */
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
};

/* The hash is known: what waited is hashed. */
void transcript_begin(struct transcript *t, const troth_hash *hash);
/* False only when more than two messages wait, which cannot happen in an order that the step tables allow. */
bool MUST_USE transcript_add(struct transcript *t, span message);
/* The digest of all messages so far.  The hash must be known. */
void transcript_peek(const struct transcript *t, struct digest *out);
/* ClientHello1 becomes message_hash (RFC 9846 4.1); to be called with the hash known and only ClientHello1 in it. */
void transcript_retry(struct transcript *t);
/* A stateless server: begin with the digest of a ClientHello1 that it has forgotten (from its cookie). */
void transcript_resume(struct transcript *t, const troth_hash *hash, span client_hello1_digest);

#endif
