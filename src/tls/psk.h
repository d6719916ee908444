/* psk.h - PSKs of one handshake: those a client offers, the one that was chosen. */
#ifndef TLS_PSK_H
#define TLS_PSK_H

#include "tls/session.h"

enum { PSKS_OFFERED_MAX = 5 };

/* One PSK, from a session or from the application. */
struct psk {
    const struct session *session;   /* NULL: external */
    span                  identity;  /* client */
    span                  key;       /* as long as the hash, or what the application gave */
    const troth_hash     *hash;
    uint32_t              age;       /* obfuscated_ticket_age */
    bool                  external, imported;
};

struct hs_psk {
    struct session session;          /* client: to resume; server: that was resumed */
    uint8_t        n;
    bool           has_session;
    uint16_t       selected;
    const char    *unfit;            /* why there is no session to offer */
    struct psk     offered[];        /* client: all; server: the one that was chosen */
};

/* The memory for it, made when it is first needed.  NULL: out of memory, and failed. */
struct hs_psk *hs_psk(struct troth_conn *c);
/* Client, before the handshake: the bytes of a session to resume; what is no session is told, and a full handshake made.  False: out of
 * memory, and failed. */
bool MUST_USE psk_given(struct troth_conn *c, span bytes);

#endif
