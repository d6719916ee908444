/* span.h - borrowed bytes: pointer and length, never ownership.
 *
 * If you did not allocate it, it is a span, and it dies with the message that it points into. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <string.h>
#include <troth/types.h>

#include "base/compiler.h"

typedef troth_span span;

#define SPAN_OF(array) ((span){ (array), sizeof(array) })
#define SPAN_TEXT(lit) TROTH_TEXT(lit)
#define SPAN_NONE      ((span){ NULL, 0 })

static inline span span_of(const void *p, size_t n)
{
    return (span){ p, n };
}

/* Not for secrets: leaves as soon as it can.  Secrets: bytes_equal_ct in secret.h. */
static inline bool span_equal(span a, span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Does `part`, which is not empty, stand anywhere in `s`?  For looking at files, not for secrets. */
static inline bool span_holds(span s, span part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (memcmp(s.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

/* The part of `s` from `at`, at most `n` bytes; empty when `at` is past the end. */
static inline span span_slice(span s, size_t at, size_t n)
{
    if (at > s.n)
        return SPAN_NONE;
    return (span){ at ? s.p + at : s.p, n < s.n - at ? n : s.n - at };
}

/* A list of 16-bit numbers in wire format: how many, the i-th, and whether one is in it. */
static inline size_t u16s_count(span list)
{
    return list.n / 2;
}

static inline uint16_t u16s_at(span list, size_t i)
{
    return (uint16_t)(list.p[2 * i] << 8 | list.p[2 * i + 1]);
}

static inline bool u16s_has(span list, uint16_t id)
{
    for (size_t i = 0; i < u16s_count(list); i++)
        if (u16s_at(list, i) == id)
            return true;
    return false;
}

static inline bool bytes_have(span list, uint8_t id)
{
    return list.n && memchr(list.p, id, list.n) != NULL;
}

#endif
