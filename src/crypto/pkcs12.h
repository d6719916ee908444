/* pkcs12.h - what is in a PKCS#12 file (RFC 7292): certificates and a key.  Decryption is libcrypto's; used when files are loaded, never
 * on what a peer sends. */
#ifndef CRYPTO_PKCS12_H
#define CRYPTO_PKCS12_H

#include <troth/provider.h>

#include "base/arena.h"

struct pkcs12 {
    span       *certs;    /* DER, in the order of the file; the one of the key first */
    const char **titles;  /* friendlyName of each, "" where it has none              */
    size_t      n_certs;
    span        key;      /* PKCS#8, in the clear; empty: none.  Wiped with the arena */
};

enum { PKCS12_CERTS_MAX = 4096 };

/* Everything in `bytes`, copied into the arena.  False: *why is PKCS12_MALFORMED, _PASSWORD, _ALGORITHM or OUT_OF_MEMORY.  The empty
 * password is tried before `ask` is called (NULL: nobody to ask). */
bool MUST_USE pkcs12_open(struct pkcs12 *out, struct arena *a, span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why);

#endif
