/* secret.h - bytes that nobody else may learn: wiped when done, compared in constant time.
 *
 * struct secret lives only inside the stage structs of the key schedules (tls/keys13.c, keys12.c, psk.c, tickets.c). */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/span.h"

enum { SECRET_MAX = 48 }; /* the longest hash of a TLS suite: SHA-384 */

struct secret {
    uint8_t b[SECRET_MAX];
    uint8_t n;
};

/* Overwrites; the compiler may not leave it out. */
void secret_wipe(void *p, size_t n);
/* Time depends on `n` alone. */
bool MUST_USE bytes_equal_ct(const void *a, const void *b, size_t n);

static inline span secret_span(const struct secret *s)
{
    return (span){ s->b, s->n };
}

#endif
