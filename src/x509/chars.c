/* chars.c - see chars.h.
 *
 * RFC 4518 step by step: transcode (2.1), map (2.2: case, what is nothing, what is a space), normalise (2.3), insignificant spaces
 * (2.6).  Case and normalisation are one table for the alphabets that have upper and lower case, and Hangul by rule; characters of other
 * scripts stand for themselves.  Composition is taken away instead of made: strings are equal then in the same cases.  Must never
 * allocate, and takes a long run of combining marks in pieces. */
#include "x509/chars.h"

/* clang-format off */
static const struct prepared { uint16_t c, to[4]; } prepared[] = {
#define PREPARED(c, ...) { c, { __VA_ARGS__ } },
#define CLASS(first, last, k)
#include "x509/unicode.def"
#undef PREPARED
#undef CLASS
};

static const struct marks { uint16_t first, last; uint8_t k; } marks[] = {
#define PREPARED(c, ...)
#define CLASS(first, last, k) { first, last, k },
#include "x509/unicode.def"
#undef PREPARED
#undef CLASS
};
/* clang-format on */

enum { MARKS_FIRST = 0x300, ALPHABETS_FIRST = 0xa0 };

bool is_string_type(uint8_t tag)
{
    return tag == DER_UTF8 || tag == DER_PRINTABLE || tag == DER_IA5 || tag == DER_TELETEX || tag == DER_BMP || tag == DER_UNIVERSAL ||
           tag == DER_NUMERIC || tag == DER_VISIBLE;
}

/* ---- transcode */

static int32_t utf8_next(struct chars *c)
{
    uint8_t b = *c->at++;
    unsigned more = b < 0xc2 ? 0 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : b < 0xf5 ? 3 : 0;
    if (b >= 0x80 && !more)
        return CHAR_BROKEN + b;
    int32_t v = more ? b & (0x3f >> more) : b;
    for (; more; more--) {
        if (c->at == c->end || (*c->at & 0xc0) != 0x80)
            return CHAR_BROKEN + b;
        v = v << 6 | (*c->at++ & 0x3f);
    }
    return v;
}

int32_t chars_raw(struct chars *c)
{
    if (c->at == c->end)
        return CHAR_END;
    if (c->tag == DER_UTF8)
        return *c->at < 0x80 ? *c->at++ : utf8_next(c);
    size_t width = c->tag == DER_BMP ? 2 : c->tag == DER_UNIVERSAL ? 4 : 1;
    if ((size_t)(c->end - c->at) < width)
        return CHAR_BROKEN + *c->at++;
    uint32_t v = 0;
    for (size_t i = 0; i < width; i++)
        v = v << 8 | *c->at++;
    return v < CHAR_BROKEN ? (int32_t)v : CHAR_BROKEN + (int32_t)(v & 0xff);
}

size_t char_utf8(uint8_t out[4], int32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (c >= CHAR_BROKEN) {
        out[0] = 0xff;
        return 1;
    }
    for (size_t i = n - 1; i; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(n == 1 ? c : (0xf00 >> n & 0xff) | c);
    return n;
}

/* ---- map */

bool char_is_nothing(int32_t c)
{
    return c < 0x09 || (c >= 0x0e && c < 0x20) || (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0xad || c == 0x34f || c == 0x6dd ||
           c == 0x70f || (c >= 0x1806 && c <= 0x180e && c != 0x1807 && c != 0x1808 && c != 0x1809 && c != 0x180a) ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2063) ||
           (c >= 0x206a && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

static bool is_space(int32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* ---- normalise */

static unsigned class_of(int32_t c)
{
    size_t lo = 0, hi = COUNT_OF(marks);
    if (c < MARKS_FIRST)
        return 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c < marks[mid].first)
            hi = mid;
        else if (c > marks[mid].last)
            lo = mid + 1;
        else
            return marks[mid].k;
    }
    return 0;
}

static const struct prepared *row_of(int32_t c)
{
    size_t lo = 0, hi = COUNT_OF(prepared);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (prepared[mid].c < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < COUNT_OF(prepared) && prepared[lo].c == c ? &prepared[lo] : NULL;
}

/* Hangul syllables are leading consonant, vowel, and perhaps trailing consonant (Unicode 3.12). */
static unsigned hangul(int32_t c, int32_t out[4])
{
    int32_t s = c - 0xac00;
    out[0] = 0x1100 + s / 588;
    out[1] = 0x1161 + s % 588 / 28;
    out[2] = 0x11a7 + s % 28;
    return s % 28 ? 3 : 2;
}

/* What one character becomes: up to four. */
static unsigned expand(int32_t c, int32_t out[4])
{
    unsigned n = 1;
    if (c >= 0xff01 && c <= 0xff5e) /* full-width forms */
        c -= 0xfee0;
    out[0] = c >= 'A' && c <= 'Z' ? c + 32 : is_space(c) ? ' ' : c;
    if (c < ALPHABETS_FIRST || out[0] == ' ')
        return 1;
    if (c >= 0xac00 && c <= 0xd7a3)
        return hangul(c, out);
    const struct prepared *row = c <= UINT16_MAX ? row_of(c) : NULL;
    for (n = 0; row && n < 4 && row->to[n]; n++)
        out[n] = row->to[n];
    return row ? n : 1;
}

/* Marks behind one letter stand in the order of their classes. */
static void marks_sort(struct chars *c)
{
    for (unsigned i = 1; i < c->n; i++) {
        int32_t v = c->ahead[i];
        unsigned k = class_of(v), at = i;
        for (; k && at > 0 && class_of(c->ahead[at - 1]) > k; at--)
            c->ahead[at] = c->ahead[at - 1];
        c->ahead[at] = v;
    }
}

/* The next character and the marks on it. */
static bool look_ahead(struct chars *c)
{
    int32_t out[4];
    c->from = c->n = 0;
    while (c->n + 4u <= CHARS_AHEAD) {
        const uint8_t *before = c->at;
        int32_t v = chars_raw(c);
        if (v == CHAR_END)
            break;
        if (char_is_nothing(v))
            continue;
        unsigned n = expand(v, out);
        if (c->n && !class_of(out[0])) {
            c->at = before;
            break;
        }
        for (unsigned i = 0; i < n; i++)
            c->ahead[c->n++] = out[i];
    }
    if (c->n > 1)
        marks_sort(c);
    return c->n;
}

static int32_t prepared_next(struct chars *c)
{
    while (c->from == c->n) {
        /* ASCII before ASCII, as nearly all of it is, needs no looking ahead */
        bool plain = c->at < c->end && *c->at < 0x7f && *c->at >= ' ' && c->tag != DER_BMP && c->tag != DER_UNIVERSAL &&
                     (c->at + 1 == c->end || c->at[1] < 0x80 || c->tag != DER_UTF8);
        if (plain) {
            int32_t v = *c->at++;
            return v >= 'A' && v <= 'Z' ? v + 32 : v;
        }
        if (!look_ahead(c))
            return CHAR_END;
    }
    return c->ahead[c->from++];
}

struct chars chars_of(uint8_t tag, span value)
{
    struct chars c;
    c.at = value.p;
    c.end = value.p + value.n;
    c.tag = tag;
    c.calm = c.started = c.held = false;
    c.from = c.n = 0;
    return c;
}

/* ---- insignificant spaces */

static int32_t spaced_next(struct chars *c)
{
    if (c->held) {
        c->held = false;
        return c->next;
    }
    int32_t v = prepared_next(c);
    bool space = false;
    for (; v == ' '; v = prepared_next(c))
        space = true;
    if (space && c->started && v != CHAR_END) {
        c->held = true;
        c->next = v;
        return ' ';
    }
    c->started = true;
    return v;
}

int32_t chars_next_slowly(struct chars *c)
{
    int32_t v = spaced_next(c);
    c->calm = c->started && !c->held && c->from == c->n && c->tag != DER_BMP && c->tag != DER_UNIVERSAL;
    return v;
}
