/* ctx.h - what everything that makes or judges PKI objects needs: memory, cryptography, and a place for the first failure.
 *
 * Must stay a plain struct on the caller's stack: nothing here owns anything. */
#ifndef X509_CTX_H
#define X509_CTX_H

#include <troth/provider.h>

#include "base/arena.h"
#include "base/error.h"

struct pki_ctx {
    struct arena         *arena;
    const troth_provider *crypto; /* NULL where only bytes are read */
    troth_error           error;
};

#endif
