/* out.h - the send queue: whatever we have to say, sealed and in order, until the transport took it.
 *
 * Records are sealed straight into the queue from the caller's pieces; a message in the clear may be written where it goes, or go from where
 * it lies.  Must never hold a plaintext byte of application data. */
#ifndef RECORD_OUT_H
#define RECORD_OUT_H

#include "record/protect.h"

struct outq {
    const troth_allocator *memory;
    uint8_t *p;       /* NULL while there is no buffer         */
    size_t   cap;     /* 0: `p` was lent, and is only read     */
    size_t   at, end; /* the bytes the transport has not taken */
    size_t   least;   /* the smallest buffer that is taken */
    uint8_t *home;    /* OUTQ_HOME bytes to use while they suffice; NULL: none */
};

enum {
    OUTQ_HOME = 96,   /* a client's second flight        */
    OUTQ_SMALL = 512, /* a ticket                        */
    OUTQ_FLIGHT = 1376 /* the first flight of most servers, but for a key share */
};

/* `home` lives as long as the queue; NULL: every buffer is the allocator's. */
void outq_init(struct outq *q, const troth_allocator *memory, uint8_t *home);

/* Seals the pieces, as if they were one, into as many records as they need (at least one: an empty application data record is legal).
 * `version` as in protect_seal.  Either everything is queued or nothing. */
bool MUST_USE outq_put(struct outq *q, troth_error *e, struct protect *p, uint8_t type, uint16_t version, const span *parts,
                       size_t n_parts);
/* A record in the clear whatever the keys: the change_cipher_spec of TLS 1.3's compatibility mode (RFC 9846 E.4). */
bool MUST_USE outq_put_clear(struct outq *q, troth_error *e, uint8_t type, uint16_t version, span content);

/* Where a message of `n` bytes can be written that outq_put is given next, in the clear and in one record: it is not copied then.  NULL:
 * there is no memory. */
uint8_t *outq_place(struct outq *q, size_t n);
/* As outq_put, for content that stays as it is until it was sent, or until outq_own: it is not copied.  LIMIT_RECORD_HEADER bytes before it
 * are written. */
bool MUST_USE outq_lend(struct outq *q, troth_error *e, struct protect *p, uint8_t type, uint16_t version, uint8_t *content, size_t n);
/* Before what was lent goes: what was not sent of it is copied.  False: there is no memory; it was dropped. */
bool MUST_USE outq_own(struct outq *q);

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
