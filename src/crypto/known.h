/* known.h - public keys that were met before: what the provider wrote of them, so that the next signature is verified sooner.
 *
 * A fixed number of rows, shared by the threads of a configuration, without a lock: a writer that finds another at work goes without, a
 * reader that was overtaken does too.  Nothing of it is secret, and nothing of it is an opinion: a row says what a key's multiples are,
 * not whom it belongs to, nor whether it may be trusted. */
#ifndef CRYPTO_KNOWN_H
#define CRYPTO_KNOWN_H

#include <stdatomic.h>

#include "crypto/provider.h"

enum { KNOWN_KEYS = 16, KNOWN_NAME = 9, KNOWN_WORDS = TROTH_KNOWN_MAX / 8 };

struct known_keys {
    struct known_row {
        _Atomic uint64_t turn; /* odd: being written; 0: empty */
        _Atomic uint64_t name[KNOWN_NAME], word[KNOWN_WORDS];
    } row[KNOWN_KEYS];
};

/* Can this provider do better with a key that it knows? */
bool known_helps(const troth_provider *p);
void known_init(struct known_keys *all);
/* Verifies one job, with what is known of its key; gets to know a key that made a good signature.  Where
 * `all` is NULL or the provider has no use for it: verifies it, no more. */
void known_verify(struct known_keys *all, const troth_provider *p, troth_verify_job *job);

#endif
