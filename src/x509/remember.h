/* remember.h - certificates whose signature was verified before: the client of one server meets the same chain again and again.
 *
 * Remembered is a tag of 128 bits under a random key of the configuration, over everything the verification depends on: the issuer's key,
 * the algorithm, what is signed, the signature.  Only good ones are.  Validity, names, constraints and revocation have nothing to do with it:
 * they are checked each time.  A fixed number of rows, each two words that are read and written whole and without a lock: a row that is
 * caught half written is somebody else's tag in one half, and fits nothing but by a chance of 2^-64. */
#ifndef X509_REMEMBER_H
#define X509_REMEMBER_H

#include <stdatomic.h>

#include "crypto/provider.h"
#include "x509/cert.h"

enum { REMEMBERED = 64 };

struct remembered {
    uint8_t key[32];
    struct remembered_row {
        _Atomic uint64_t a, b; /* both 0: empty */
    } row[REMEMBERED];
};

struct remembered_tag {
    uint64_t a, b;
};

/* False: no random bytes. */
bool MUST_USE remembered_init(struct remembered *m, const troth_provider *crypto);
/* Of the signature on `child`, by the key of `issuer`.  False where the provider lacks the hash: then nothing is remembered. */
bool MUST_USE remembered_tag(const struct remembered *m, struct remembered_tag *t, const troth_provider *crypto, const struct cert *child,
                             const struct cert *issuer);
bool remembered_has(const struct remembered *m, const struct remembered_tag *t);
void remembered_add(struct remembered *m, const struct remembered_tag *t);

#endif
