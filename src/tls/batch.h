/* batch.h - several servers' connections answered at once: what is heavy in their handshakes is computed side by side. */
#ifndef TLS_BATCH_H
#define TLS_BATCH_H

#include "tls/conn.h"

enum { BATCH_MAX = 8 }; /* as many as the kernels have lanes */

/* The answer to an X25519 share of the peer's, computed before it is asked for; used once. */
struct ready_share {
    uint8_t theirs[32], reply[32], secret[32];
    bool    is; /* there, and not used */
};

/* engine_answer(A_SERVER) for each of them, at most BATCH_MAX, all of them waiting for it and none twice. */
void batch_answer(struct troth_conn *const *conns, size_t n);
/* The ready answer to this share of X25519, which is gone afterwards; false: there is none. */
bool batch_reply(struct troth_conn *c, const troth_kem *kem, span theirs, uint8_t *reply, uint8_t *secret);

#endif
