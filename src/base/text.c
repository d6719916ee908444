/* text.c - text into bounded memory.  Must never depend on locale, clock or environment. */
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text text_in(char *p, size_t cap)
{
    if (cap)
        p[0] = 0;
    return (struct text){ p, 0, cap, false };
}

/* Something did not fit: the text ends in three dots, and not in the middle of a character. */
static void leave_out(struct text *t)
{
    static const char dots[] = "...";
    t->cut = true;
    if (t->cap <= sizeof dots)
        return;
    t->n = t->cap - sizeof dots;
    while (t->n && ((uint8_t)t->p[t->n] & 0xc0) == 0x80)
        t->n--;
    memcpy(t->p + t->n, dots, sizeof dots);
    t->n += sizeof dots - 1;
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
    size_t left = t->cap - t->n;
    if (t->cut)
        return;
    int n = vsnprintf(t->p + t->n, left, fmt, ap);
    if (n < 0 || (size_t)n >= left)
        leave_out(t);
    else
        t->n += (size_t)n;
}

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_vadd(t, fmt, ap);
    va_end(ap);
}

void text_hex(struct text *t, span bytes)
{
    for (size_t i = 0; i < bytes.n && !t->cut; i++)
        text_add(t, "%02x", bytes.p[i]);
}

/* Length of the valid UTF-8 sequence that starts at `p`; 0 where there is none.  ASCII counts as 1. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (!n || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (n == 2 && p[0] == 0xc2 && p[1] < 0xa0)
        return 0; /* C1 control characters */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    if (p[0] == 0xe2 && p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae)))
        return 0; /* invisible and direction-changing characters */
    if (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf)
        return 0;
    static const char *const others[] = { "\xc2\xad", "\xd8\x9c", "\xe1\xa0\x8e", "\xef\xbb\xbf", "\xef\xbf\xb9", "\xef\xbf\xba", "\xef\xbf\xbb",
                                          "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf3\xa0\x80", "\xf3\xa0\x81" }; /* the last two: whole rows of tags */
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (!memcmp(p, others[i], n < 3 ? n : 3) && strlen(others[i]) == (n < 3 ? n : 3))
            return 0;
    return n;
}

void text_escaped(struct text *t, span bytes)
{
    for (size_t i = 0; i < bytes.n && !t->cut;) {
        uint8_t c = bytes.p[i];
        size_t n = utf8_length(bytes.p + i, bytes.n - i);
        if (!n || c < 0x20 || c == 0x7f || c == '\\' || c == '"') {
            text_add(t, "\\x%02x", c);
            i++;
        } else {
            text_add(t, "%.*s", (int)n, (const char *)bytes.p + i);
            i += n;
        }
    }
}

int64_t time_from_civil(int64_t year, int month, int day, int hour, int minute, int second)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    int64_t days = era * 146097 + doe - 719468;
    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

void text_time(struct text *t, int64_t s)
{
    int64_t days = s / 86400, rest = s % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    text_add(t, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02dZ", year, (int)month, (int)day, (int)(rest / 3600),
             (int)(rest / 60 % 60), (int)(rest % 60));
}

void text_distance(struct text *t, int64_t from, int64_t to)
{
    static const struct {
        uint64_t    in_seconds;
        const char *name;
    } units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    uint64_t seconds = from < to ? (uint64_t)to - (uint64_t)from : (uint64_t)from - (uint64_t)to;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (seconds >= units[i].in_seconds || i + 1 == COUNT_OF(units)) {
            uint64_t n = seconds / units[i].in_seconds;
            text_add(t, "%" PRIu64 " %s%s", n, units[i].name, n == 1 ? "" : "s");
            return;
        }
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool base64_decode(uint8_t *out, size_t cap, size_t *n, span text)
{
    uint32_t bits = 0;
    int have = 0, pad = 0;
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (is_space(c))
            continue;
        int v = c == '=' ? 0 : base64_value(c);
        TRY(v >= 0 && (pad == 0 || c == '='));
        pad += c == '=';
        TRY(pad <= 2 && (c != '=' || have >= 2));
        bits = bits << 6 | (uint32_t)v;
        if (++have < 4)
            continue;
        for (int k = 0; k < 3 - pad; k++) {
            TRY(*n < cap);
            out[(*n)++] = (uint8_t)(bits >> (16 - 8 * k));
        }
        have = 0;
        bits = 0;
        if (pad) { /* nothing but space may follow */
            for (i++; i < text.n; i++)
                TRY(is_space(text.p[i]));
        }
    }
    return have == 0;
}

size_t base64_encode(char *out, size_t cap, span b)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = (b.n + 2) / 3 * 4;
    if (n + 1 > cap)
        return 0;
    for (size_t i = 0, o = 0; i < b.n; i += 3, o += 4) {
        uint32_t v = (uint32_t)b.p[i] << 16 | (uint32_t)(i + 1 < b.n ? b.p[i + 1] : 0) << 8 | (i + 2 < b.n ? b.p[i + 2] : 0);
        out[o] = digits[v >> 18];
        out[o + 1] = digits[v >> 12 & 63];
        out[o + 2] = i + 1 < b.n ? digits[v >> 6 & 63] : '=';
        out[o + 3] = i + 2 < b.n ? digits[v & 63] : '=';
    }
    out[n] = 0;
    return n;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(uint8_t *out, size_t cap, size_t *n, span text)
{
    int high = -1;
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (is_space(text.p[i]) || (text.p[i] == ':' && high < 0))
            continue;
        int v = hex_value(text.p[i]);
        TRY(v >= 0);
        if (high < 0) {
            high = v;
        } else {
            TRY(*n < cap);
            out[(*n)++] = (uint8_t)(high << 4 | v);
            high = -1;
        }
    }
    return high < 0;
}
