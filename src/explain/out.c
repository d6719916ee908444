/* out.c - buffering and escaping.  Nothing of a peer's may leave here unescaped for the form that is being written. */
#include "explain/out.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void out_init(struct out *o, const troth_story_options *options, troth_sink *sink, void *ctx)
{
    troth_story_options use = { 0 };
    if (options)
        memcpy(&use, options, options->size < sizeof use ? options->size : sizeof use);
    *o = (struct out){ .sink = sink, .ctx = ctx, .colour = use.colour, .unicode = use.unicode, .redact = use.redact, .no_verdict = use.no_verdict,
                       .width = use.width ? use.width : 80, .depth = use.depth, .fresh = true };
    if (o->width < 40)
        o->width = 40;
    o->ascii = use.form == TROTH_STORY_TEXT && !use.unicode;
}

/* What is beyond ASCII as \xNN: the bytes of UTF-8 are control characters to some. */
static bool hand_over_ascii(struct out *o)
{
    bool ok = true;
    for (size_t at = 0, n; ok && at < o->n; at += n) {
        char code[8];
        for (n = 0; at + n < o->n && !(o->buffer[at + n] & 0x80); n++)
            ;
        if (n) {
            ok = o->sink(o->ctx, o->buffer + at, n);
            continue;
        }
        n = 1;
        ok = o->sink(o->ctx, code, (size_t)snprintf(code, sizeof code, "\\x%02x", (uint8_t)o->buffer[at]));
    }
    return ok;
}

static void flush(struct out *o)
{
    if (o->n && !o->failed && !(o->ascii ? hand_over_ascii(o) : o->sink(o->ctx, o->buffer, o->n)))
        o->failed = true;
    o->n = 0;
}

bool out_end(struct out *o)
{
    flush(o);
    return !o->failed;
}

void out_raw(struct out *o, const char *p, size_t n)
{
    while (n && !o->failed) {
        size_t room = sizeof o->buffer - o->n, k = n < room ? n : room;
        memcpy(o->buffer + o->n, p, k);
        o->n += k;
        p += k;
        n -= k;
        if (o->n == sizeof o->buffer)
            flush(o);
    }
}

void out_str(struct out *o, const char *s)
{
    if (s)
        out_raw(o, s, strlen(s));
}

void out_fmt(struct out *o, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (n > 0)
        out_raw(o, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

void out_repeat(struct out *o, const char *s, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        out_str(o, s);
}

void out_plain(struct out *o, span s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = out_utf8(s.p + i, s.n - i);
        if (n)
            out_raw(o, (const char *)s.p + i, n);
        else
            out_fmt(o, "\\x%02x", s.p[i]);
        i += n ? n : 1;
    }
}

size_t out_utf8(const uint8_t *p, size_t left)
{
    char room[16];
    struct text t = TEXT_IN(room);
    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > left)
        return 0;
    text_escaped(&t, span_of(p, n)); /* the one place that knows which sequences are harmless */
    return t.n == n && room[0] != '\\' ? n : 0;
}

void out_html(struct out *o, span s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = out_utf8(s.p + i, s.n - i);
        const char *name = s.p[i] == '&' ? "&amp;" : s.p[i] == '<' ? "&lt;" : s.p[i] == '>' ? "&gt;" : s.p[i] == '"' ? "&quot;"
                         : s.p[i] == '\'' ? "&#39;" : NULL;
        if (name)
            out_str(o, name);
        else if (n)
            out_raw(o, (const char *)s.p + i, n);
        else
            out_fmt(o, "\\x%02x", s.p[i]);
        i += n ? n : 1;
    }
}

void out_html_str(struct out *o, const char *s)
{
    if (s)
        out_html(o, span_of(s, strlen(s)));
}

/* ---- JSON */

static void string_body(struct out *o, span s)
{
    out_str(o, "\"");
    for (size_t i = 0; i < s.n;) {
        size_t n = out_utf8(s.p + i, s.n - i);
        if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] < 0x20 || s.p[i] == 0x7f)
            out_fmt(o, "\\u%04x", s.p[i]);
        else if (n)
            out_raw(o, (const char *)s.p + i, n);
        else
            out_fmt(o, "\\\\x%02x", s.p[i]);
        i += n ? n : 1;
    }
    out_str(o, "\"");
}

static void lead(struct out *o, const char *key)
{
    if (!o->fresh)
        out_str(o, ",");
    o->fresh = false;
    if (key)
        out_fmt(o, "\"%s\":", key);
}

void json_open(struct out *o, const char *key, char bracket)
{
    lead(o, key);
    out_raw(o, &bracket, 1);
    o->fresh = true;
}

void json_close(struct out *o, char bracket)
{
    out_raw(o, &bracket, 1);
    o->fresh = false;
}

void json_string(struct out *o, const char *key, span s)
{
    lead(o, key);
    string_body(o, s);
}

void json_text(struct out *o, const char *key, const char *s)
{
    if (s)
        json_string(o, key, span_of(s, strlen(s)));
}

void json_number(struct out *o, const char *key, uint64_t v)
{
    lead(o, key);
    out_fmt(o, "%" PRIu64, v);
}

void json_signed(struct out *o, const char *key, int64_t v)
{
    lead(o, key);
    out_fmt(o, "%" PRId64, v);
}

void json_bool(struct out *o, const char *key, bool v)
{
    lead(o, key);
    out_str(o, v ? "true" : "false");
}

void json_hex(struct out *o, const char *key, span s)
{
    lead(o, key);
    out_str(o, "\"");
    for (size_t i = 0; i < s.n; i++)
        out_fmt(o, "%02x", s.p[i]);
    out_str(o, "\"");
}

/* ---- text */

unsigned out_columns(const char *s)
{
    unsigned n = 0;
    for (bool escape = false; s && *s; s++) {
        if (*s == 0x1b)
            escape = true;
        else if (!escape)
            n += ((uint8_t)*s & 0xc0) != 0x80;
        else if (*s == 'm')
            escape = false;
    }
    return n;
}

void out_wrapped(struct out *o, unsigned indent, unsigned first, const char *s)
{
    unsigned at = first;
    while (s && *s) {
        size_t word = strcspn(s, " ");
        unsigned columns = 0;
        for (size_t i = 0; i < word; i++)
            columns += ((uint8_t)s[i] & 0xc0) != 0x80;
        if (at > indent && at + columns > o->width) {
            out_str(o, "\n");
            out_repeat(o, " ", indent);
            at = indent;
        }
        out_raw(o, s, word);
        s += word;
        at += columns;
        size_t spaces = strspn(s, " ");
        s += spaces;
        if (*s && spaces) { /* the space is dropped when the next word starts a line */
            size_t next = strcspn(s, " ");
            if (at + 1 + next <= o->width) {
                out_str(o, " ");
                at++;
            } else {
                out_str(o, "\n");
                out_repeat(o, " ", indent);
                at = indent;
            }
        }
    }
}

unsigned out_rows(unsigned width, unsigned indent, const char *s)
{
    unsigned rows = s && *s ? 1 : 0, at = indent;
    while (s && *s) {
        size_t word = strcspn(s, " ");
        unsigned columns = 0;
        for (size_t i = 0; i < word; i++)
            columns += ((uint8_t)s[i] & 0xc0) != 0x80;
        unsigned gap = at > indent ? 1 : 0;
        if (at > indent && at + gap + columns > width) {
            rows++;
            at = indent;
            gap = 0;
        }
        at += gap + columns;
        s += word;
        s += strspn(s, " ");
    }
    return rows;
}
