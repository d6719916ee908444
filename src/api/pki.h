/* pki.h - the workshop of troth/pki.h, seen from inside. */
#ifndef API_PKI_H
#define API_PKI_H

#include <troth/pki.h>

#include "x509/ctx.h"

enum { PKI_KEYS_MAX = 4096 };

struct pki_key {
    troth_key      *key;
    struct pki_key *next;
};

struct troth_pki {
    struct pki_ctx  p;       /* points at the arena and the provider below */
    struct arena    arena;
    troth_provider *provider;
    struct pki_key *keys;
};

/* Nothing failed so far. */
static inline bool pki_well(const troth_pki *w)
{
    return w && w->p.error.reason == TROTH_R_NONE;
}

#endif
