/* text.h - text into bounded memory: formatting, hexadecimal, base64, times.
 *
 * Never writes past its buffer, always terminates it, and says when something was left out.  Independent of the locale. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/span.h"

struct text {
    char  *p;
    size_t n, cap; /* cap includes the terminating zero */
    bool   cut;    /* something did not fit: it ends in "..." */
};

#define TEXT_IN(array) text_in((array), sizeof(array))

struct text text_in(char *p, size_t cap);
void text_add(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_vadd(struct text *t, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void text_hex(struct text *t, span bytes);
/* Bytes of a peer: control characters, quotes and backslashes become \xNN; valid UTF-8 stays. */
void text_escaped(struct text *t, span bytes);
/* "2026-11-24T06:37:27Z" from seconds since 1970. */
void text_time(struct text *t, int64_t unix_seconds);
/* Between two times: "593 days", "2 hours", "3 minutes", "12 seconds": the largest whole unit. */
void text_distance(struct text *t, int64_t from, int64_t to);

/* Proleptic Gregorian calendar, UTC.  month 1-12, day 1-31; no range checks. */
int64_t time_from_civil(int64_t year, int month, int day, int hour, int minute, int second);

/* Base64 (RFC 4648 4).  Decoding skips white space; false on any other stray character, wrong padding or lack of room. */
bool MUST_USE base64_decode(uint8_t *out, size_t cap, size_t *n, span text);
size_t base64_encode(char *out, size_t cap, span bytes); /* length without the zero; 0 when it does not fit */
bool MUST_USE hex_decode(uint8_t *out, size_t cap, size_t *n, span text);

#endif
