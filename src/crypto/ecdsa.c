/* ecdsa.c - r and s in and out of DER.  Must never take a second encoding of the same numbers. */
#include "crypto/ecdsa.h"

enum { N = 32, TAG_SEQUENCE = 0x30, TAG_INTEGER = 0x02 };

/* One INTEGER from the front of *rest: minimal, not negative, at most 32 bytes of value. */
static bool read_number(span *rest, uint8_t out[N])
{
    TRY(rest->n >= 3 && rest->p[0] == TAG_INTEGER);
    size_t n = rest->p[1];
    const uint8_t *p = rest->p + 2;
    TRY(n >= 1 && n <= N + 1 && n <= rest->n - 2 && !(p[0] & 0x80));
    TRY(n == 1 || p[0] || (p[1] & 0x80));
    *rest = span_slice(*rest, 2 + n, rest->n);
    if (!p[0]) {
        p++;
        n--;
    }
    TRY(n <= N);
    memset(out, 0, N - n);
    memcpy(out + N - n, p, n);
    return true;
}

bool ecdsa_read_256(span der, uint8_t r[32], uint8_t s[32])
{
    TRY(der.n >= 2 && der.p[0] == TAG_SEQUENCE && der.p[1] == der.n - 2 && der.n - 2 < 0x80);
    span rest = span_slice(der, 2, der.n - 2);
    return read_number(&rest, r) && read_number(&rest, s) && !rest.n;
}

static uint8_t *write_number(uint8_t *to, const uint8_t v[N])
{
    size_t skip = 0;
    while (skip < N - 1 && !v[skip])
        skip++;
    bool pad = v[skip] & 0x80;
    *to++ = TAG_INTEGER;
    *to++ = (uint8_t)(N - skip + pad);
    if (pad)
        *to++ = 0;
    memcpy(to, v + skip, N - skip);
    return to + N - skip;
}

size_t ecdsa_write_256(uint8_t der[72], const uint8_t r[32], const uint8_t s[32])
{
    uint8_t *end = write_number(write_number(der + 2, r), s);
    der[0] = TAG_SEQUENCE;
    der[1] = (uint8_t)(end - der - 2);
    return (size_t)(end - der);
}
