/* http1.c - the reader of answers.  Must never take a length from two places, nor a header it has not bounded. */
#include "net/http1.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { INTERIM_MOST = 32 }; /* of 1xx: nobody needs more than a few */
enum step { IN_HEAD, IN_BODY, IN_SIZE, IN_CHUNK, IN_CHUNK_END, IN_TRAILER };

static bool wrong(struct http1 *h, const char *why)
{
    h->error = why;
    return false;
}

bool http1_header(const struct http1 *h, const char *name, char *out, size_t cap)
{
    size_t n = strlen(name);
    for (const char *line = strchr(h->head, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
        if (strncasecmp(line + 1, name, n) != 0 || line[1 + n] != ':')
            continue;
        const char *v = line + 2 + n;
        v += strspn(v, " \t");
        size_t k = strcspn(v, "\n");
        while (k && (v[k - 1] == ' ' || v[k - 1] == '\t'))
            k--;
        if (k >= cap)
            return false;
        memcpy(out, v, k);
        out[k] = 0;
        return true;
    }
    return false;
}

size_t http1_count(const struct http1 *h, const char *name)
{
    size_t n = strlen(name), count = 0;
    for (const char *line = strchr(h->head, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
        count += !strncasecmp(line + 1, name, n) && line[1 + n] == ':';
    return count;
}

/* "Content-Length : 5" is no header to some and one to others. */
static bool names_ok(const struct http1 *h)
{
    for (const char *line = strchr(h->head, '\n'); line && line[1] != '\n'; line = strchr(line + 1, '\n')) {
        size_t n = strcspn(line + 1, ": \t\n");
        if (!n || line[1 + n] != ':')
            return false;
    }
    return true;
}

/* The head is complete: how long is the body? */
static bool begin_body(struct http1 *h)
{
    char text[64];
    h->step = IN_BODY;
    if (!names_ok(h))
        return wrong(h, "a line among the headers that is none");
    if (h->tunnel && h->status / 100 == 2)
        return h->done = true;
    h->has_length = http1_count(h, "Content-Length") > 0;
    if (http1_count(h, "Content-Length") > 1 || (h->has_length && http1_count(h, "Transfer-Encoding")))
        return wrong(h, "two lengths for one body");
    if (h->has_length) {
        char *end;
        if (!http1_header(h, "Content-Length", text, sizeof text) || !*text || text[strspn(text, "0123456789")] || strlen(text) > 18)
            return wrong(h, "a Content-Length that is no number");
        h->left = strtoull(text, &end, 10);
    } else if (http1_count(h, "Transfer-Encoding")) {
        if (http1_count(h, "Transfer-Encoding") > 1 || !http1_header(h, "Transfer-Encoding", text, sizeof text) || strcasecmp(text, "chunked") != 0)
            return wrong(h, "a Transfer-Encoding that is not spoken here");
        h->chunked = true;
        h->step = IN_SIZE;
    }
    if (h->head_only || h->status == 204 || h->status == 304 || (h->has_length && !h->left))
        h->done = true;
    return true;
}

static bool parse_status(struct http1 *h)
{
    const char *s = h->head;
    if (strncmp(s, "HTTP/1.", 7) != 0 || (s[7] != '0' && s[7] != '1') || s[8] != ' ' || strspn(s + 9, "0123456789") != 3 || s[9] == '0' ||
        (s[12] != ' ' && s[12] != '\n'))
        return wrong(h, "no HTTP/1 status line");
    h->status = atoi(s + 9);
    return true;
}

/* One byte of the head; carriage returns are dropped before a line feed. */
static bool take_head(struct http1 *h, char c)
{
    if (h->head_n == HTTP1_HEAD_MAX)
        return wrong(h, "more than 64 kB of headers");
    if (!c)
        return wrong(h, "a zero byte among the headers");
    if (h->head_n == 4 && strncmp(h->head, "HTTP", 4) != 0)
        return wrong(h, "no HTTP/1 status line");
    if (c == '\n' && h->head_n && h->head[h->head_n - 1] == '\r')
        h->head_n--;
    if ((c == ' ' || c == '\t') && h->head_n && h->head[h->head_n - 1] == '\n') /* a folded line (RFC 9112 5.2) */
        h->head[h->head_n - 1] = ' ';
    h->head[h->head_n++] = c;
    h->head[h->head_n] = 0;
    if (c != '\n' || (h->head_n > 1 && h->head[h->head_n - 2] != '\n'))
        return true;
    if (!parse_status(h))
        return false;
    if (h->status >= 100 && h->status < 200 && h->status != 101) { /* an interim answer: the real one follows */
        if (++h->interim > INTERIM_MOST)
            return wrong(h, "interim answers without end");
        h->status = 0;
        h->head_n = 0;
        return true;
    }
    return begin_body(h);
}

/* One byte of a size line or trailer.  True in *whole: the line is complete. */
static bool take_line(struct http1 *h, char c, bool *whole)
{
    if (h->line_n + 1 == sizeof h->line)
        return wrong(h, "a chunk line that does not end");
    h->line[h->line_n++] = c;
    *whole = c == '\n';
    if (!*whole)
        return true;
    h->line_n -= h->line_n > 1 && h->line[h->line_n - 2] == '\r' ? 2 : 1;
    h->line[h->line_n] = 0;
    return true;
}

static bool line_complete(struct http1 *h)
{
    size_t digits = strspn(h->line, "0123456789abcdefABCDEF");
    size_t n = h->line_n;
    h->line_n = 0;
    switch (h->step) {
    case IN_SIZE:
        if (!digits || digits > 15 || (h->line[digits] && !strchr("; \t", h->line[digits])))
            return wrong(h, "a chunk size that is no number");
        h->left = strtoull(h->line, NULL, 16);
        h->step = h->left ? IN_CHUNK : IN_TRAILER;
        return true;
    case IN_CHUNK_END:
        h->step = IN_SIZE;
        return n == 0 || wrong(h, "bytes behind a chunk");
    default:
        h->done = n == 0;
        return true;
    }
}

static bool take_body(struct http1 *h, const uint8_t *p, size_t n, size_t *used)
{
    *used = n;
    if ((h->has_length || h->chunked) && n > h->left)
        *used = (size_t)h->left;
    if (h->body && !h->body(h->ctx, p, *used))
        return wrong(h, "the body could not be written");
    if (!h->has_length && !h->chunked)
        return true;
    h->left -= *used;
    if (!h->left && h->chunked)
        h->step = IN_CHUNK_END;
    else
        h->done = !h->left;
    return true;
}

bool http1_feed(struct http1 *h, const uint8_t *p, size_t n)
{
    while (n && !h->done) {
        size_t used = 1;
        bool whole = false;
        if (h->step == IN_HEAD) {
            if (!take_head(h, (char)*p))
                return false;
        } else if (h->step == IN_BODY || h->step == IN_CHUNK) {
            if (!take_body(h, p, n, &used))
                return false;
        } else if (!take_line(h, (char)*p, &whole) || (whole && !line_complete(h))) {
            return false;
        }
        p += used;
        n -= used;
    }
    return true;
}

bool http1_end(struct http1 *h)
{
    if (h->done || (h->step == IN_BODY && !h->has_length))
        return h->done = true;
    return wrong(h, h->step == IN_HEAD ? "the answer ended before its headers did" : "the body is shorter than it should be");
}
