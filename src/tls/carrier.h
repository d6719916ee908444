/* carrier.h - what carries a handshake: records on a stream (over_records.c), or the CRYPTO frames of QUIC (over_quic.c).
 *
 * The one seam between the protocol and its bytes (ADR 0016).  Above it nobody asks which of the two it is: messages go to put(), secrets
 * to keys(), and what comes is taken with take().  What TLS over the one has and over the other has not is a fact of the row. */
#ifndef TLS_CARRIER_H
#define TLS_CARRIER_H

#include "tls/conn.h"

enum took {
    TOOK,      /* something happened, or c->error is set   */
    TOOK_DATA, /* application data                         */
    TOOK_CCS,  /* TLS 1.2: the peer's change_cipher_spec   */
    NEED_MORE
};

struct carrier {
    /* ---- out.  Content of one type (enum content) under the keys of now, queued whole or not at all. */
    bool (*put)(struct troth_conn *c, uint8_t type, const span *parts, size_t n);
    /* Room for a message that put() is given next, alone, so that it need not be copied; NULL: where it lies is all the same. */
    uint8_t *(*place)(struct troth_conn *c, size_t n);
    /* Likewise put() for a message in the clear that stays as it is until it was sent, or until own(): LIMIT_RECORD_HEADER bytes before it are
     * the carrier's.  own(): what was not sent of it is copied; false: failed. */
    bool (*lend)(struct troth_conn *c, uint8_t *message, size_t n);
    bool (*own)(struct troth_conn *c);
    /* What is to be handed to the application next (TROTH_SEND, TROTH_KEYS); false: nothing waits. */
    bool (*say)(struct troth_conn *c, troth_event *e);
    /* The transport took up to n bytes of it; how many those were. */
    size_t (*sent)(struct troth_conn *c, size_t n);

    /* ---- in.  Called when the messages of what it gave before are used up. */
    enum took (*take)(struct troth_conn *c, span *data);
    /* Completes a TROTH_RECV.  False: failed. */
    bool (*room)(struct troth_conn *c, troth_event *e);

    /* ---- keys of TLS 1.3.  `epoch` changes with them. */
    bool (*keys)(struct troth_conn *c, enum way way, uint8_t epoch, const struct secret *traffic);
    /* It is over: every secret and every byte that came is wiped; what was queued before stays, unless `all` goes. */
    void (*forget)(struct troth_conn *c, bool all);

    /* ---- what it has */
    bool level_keys; /* each level has keys of its own, side by side; otherwise each key takes the place of the one before, and a message
                      * (EndOfEarlyData) says when                                                                                    */
    bool late;       /* KeyUpdate, and certificates after the handshake                                                               */
    bool closes;     /* close_notify ends each direction                                                                              */
};

extern const struct carrier over_records, over_quic;

static inline const struct carrier *carrier_of(const struct troth_conn *c)
{
    return c->cfg->quic ? &over_quic : &over_records;
}

#endif
