/* chars.h - the characters of a directory string, one at a time, prepared for comparing (RFC 5280 7.1, RFC 4518).
 *
 * Two strings are the same when they give the same characters: string type, case, composition of accents, compatibility forms and
 * insignificant white space make no difference. */
#ifndef X509_CHARS_H
#define X509_CHARS_H

#include "x509/der.h"

enum { CHAR_END = -1, CHAR_BROKEN = 0x110000 }; /* CHAR_BROKEN and more: a byte that is no character */
enum { CHARS_AHEAD = 24 };                      /* marks on one letter that are put in order          */

struct chars {
    const uint8_t *at, *end;
    uint8_t        tag;
    bool           calm;                 /* the next may be looked at as it stands there                                      */
    bool           started, held;        /* something was given out; a character was read before its turn, after white space  */
    int32_t        next;                 /* that character                                                                    */
    uint8_t        from, n;              /* of `ahead`                                                                        */
    int32_t        ahead[CHARS_AHEAD];   /* prepared, to be given out first                                                   */
};

/* Is this the tag of a string type that has characters? */
bool is_string_type(uint8_t tag);
struct chars chars_of(uint8_t tag, span value);
/* As it stands there; CHAR_END at the end. */
int32_t chars_raw(struct chars *);
/* As UTF-8, how many bytes; what is no character becomes a byte that is none either. */
size_t char_utf8(uint8_t out[4], int32_t c);
/* Prepared; white space in front and behind is gone, and is one space inside. */
int32_t chars_next_slowly(struct chars *);
static inline int32_t chars_next(struct chars *c)
{
    /* ASCII before ASCII, as nearly all of it is */
    if (UNLIKELY(!c->calm || c->end - c->at < 2 || c->at[0] <= ' ' || c->at[0] >= 0x7f || c->at[1] >= 0x80))
        return chars_next_slowly(c);
    uint8_t v = *c->at++;
    return v >= 'A' && v <= 'Z' ? v + 32 : v;
}
/* Does it stand for nothing (controls, marks of direction, soft hyphens)? */
bool char_is_nothing(int32_t);

#endif
