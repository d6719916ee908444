/* out.h - the send queue: whatever we have to say, sealed and in order, until the transport took it.
 *
 * Records are sealed straight into the queue from the caller's pieces.  Must never hold a plaintext byte of application data. */
#ifndef RECORD_OUT_H
#define RECORD_OUT_H

#include "record/protect.h"

struct outq {
    const troth_allocator *memory;
    uint8_t *p;       /* NULL while there is no buffer         */
    size_t   cap;
    size_t   at, end; /* the bytes the transport has not taken */
    size_t   least;   /* the smallest buffer that is taken */
};

enum {
    OUTQ_SMALL = 512, /* a ClientHello, or a Finished    */
    OUTQ_FLIGHT = 1376 /* the first flight of most servers, but for a key share */
};

void outq_init(struct outq *q, const troth_allocator *memory);

/* Seals the pieces, as if they were one, into as many records as they need (at least one: an empty application data record is legal).
 * `version` as in protect_seal.  Either everything is queued or nothing. */
bool MUST_USE outq_put(struct outq *q, troth_error *e, struct protect *p, uint8_t type, uint16_t version, const span *parts,
                       size_t n_parts);
/* A record in the clear whatever the keys: the change_cipher_spec of TLS 1.3's compatibility mode (RFC 9846 D.4). */
bool MUST_USE outq_put_clear(struct outq *q, troth_error *e, uint8_t type, uint16_t version, span content);

/* What to send; valid until the next outq_ call that adds, takes or rests. */
span outq_span(const struct outq *q);
/* The transport took the first `n` bytes (n <= outq_span().n). */
void outq_sent(struct outq *q, size_t n);

static inline bool outq_empty(const struct outq *q)
{
    return q->at == q->end;
}

/* Forgets what was not sent yet. */
void outq_drop(struct outq *q);
/* Gives the buffer back when it is empty; call it before a wait that may be long. */
void outq_rest(struct outq *q);
void outq_free(struct outq *q);

#endif
