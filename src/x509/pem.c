/* pem.c - PEM blocks in any text (RFC 7468, laxly: that is how files are), and all objects of a file.
 *
 * Must never take part of a broken block for a whole one: a block without its end, with another's end or with bytes that are not
 * base64 is a failure that names its line. */
#include "x509/pem.h"

#include <stdio.h>

#include "base/text.h"

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ", dashes[] = "-----";

static bool starts(span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p, with, n);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static span trim(span s)
{
    while (s.n && is_blank(s.p[0]))
        s = span_slice(s, 1, s.n - 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line without its end; *text is moved behind it.  Ends are LF, CRLF or a lone CR. */
static span take_line(span *text)
{
    const uint8_t *nl = memchr(text->p, '\n', text->n);
    size_t n = nl ? (size_t)(nl - text->p) : text->n, step = nl ? n + 1 : n;
    const uint8_t *cr = memchr(text->p, '\r', n);
    if (cr && cr + 1 != nl) { /* a lone CR in the middle */
        n = (size_t)(cr - text->p);
        step = n + 1;
    } else if (cr) {
        n--;
    }
    span line = { text->p, n };
    *text = (span){ text->p + step, text->n - step };
    return line;
}

/* The label of "-----BEGIN label-----" (`mark` without the label); empty and *whole false when the line does not end as it should. */
static span label_of(span line, const char *mark, bool *whole)
{
    span rest = trim(line);
    rest = span_slice(rest, strlen(mark), rest.n);
    *whole = rest.n >= 5 && !memcmp(rest.p + rest.n - 5, dashes, 5);
    if (*whole)
        rest.n -= 5;
    for (size_t i = 0; i < rest.n && *whole; i++)
        *whole = rest.p[i] >= 0x20 && rest.p[i] < 0x7f && !(rest.p[i] == '-' && i + 1 < rest.n && rest.p[i + 1] == '-');
    return *whole ? rest : SPAN_NONE;
}

struct holder {
    troth_error error;
};

static bool broken(troth_error *e, uint32_t line, const char *what)
{
    struct holder h = { *e };
    bool no = fail(&h, CONFIG_PEM_BROKEN, "line %u: %s", (unsigned)line, what);
    *e = h.error;
    return no;
}

/* Headers inside a block (RFC 1421 4.6): lines with a colon up to an empty line.  Moves *body behind them. */
static void skip_headers(struct pem_block *b, span body)
{
    span look = body;
    span first = take_line(&look);
    if (memchr(first.p, ':', first.n)) {
        for (span rest = body; rest.n;) {
            span line = trim(take_line(&rest));
            if (starts(line, "Proc-Type:") && line.n >= 9 && !memcmp(line.p + line.n - 9, "ENCRYPTED", 9))
                b->encrypted = true;
            body = rest;
            if (!line.n)
                break;
        }
    }
    b->body = body;
}

/* *text stands behind the BEGIN line: finds the END line that belongs to it. */
static bool take_body(span *text, uint32_t *line, struct pem_block *b, troth_error *e)
{
    const uint8_t *from = text->p;
    while (text->n) {
        const uint8_t *at = text->p;
        span l = trim(take_line(text));
        ++*line;
        if (!l.n || l.p[0] != '-')
            continue;
        if (starts(l, begin_mark))
            return broken(e, b->line, "the block has no END line before the next BEGIN");
        if (!starts(l, end_mark))
            continue; /* not base64: decoding will say so */
        bool whole;
        span label = label_of(l, end_mark, &whole);
        if (!whole || !span_equal(label, b->label))
            return broken(e, *line, "this END line does not belong to the BEGIN line above it");
        skip_headers(b, span_of(from, (size_t)(at - from)));
        b->whole.n = (size_t)(text->p - b->whole.p);
        return true;
    }
    return broken(e, b->line, "the block has no END line: the file is cut off");
}

bool pem_next(span *text, uint32_t *line, struct pem_block *b, troth_error *e)
{
    const uint8_t *before = text->p;
    while (text->n) {
        const uint8_t *at = text->p;
        span l = take_line(text);
        ++*line;
        if (at == before && starts(l, "\xef\xbb\xbf"))
            l = span_slice(l, 3, l.n); /* byte order mark */
        span trimmed = trim(l);
        if (!starts(trimmed, begin_mark))
            continue;
        bool whole;
        span label = label_of(l, begin_mark, &whole);
        *b = (struct pem_block){ .label = label, .line = *line, .before = span_of(before, (size_t)(at - before)),
                                 .whole = span_of(trimmed.p, 0) };
        if (!whole)
            return broken(e, *line, "the BEGIN line must stand alone and end in five dashes");
        return take_body(text, line, b, e);
    }
    return false;
}

bool pem_decode(struct pki_ctx *p, const struct pem_block *b, span *der)
{
    size_t cap = b->body.n / 4 * 3 + 3;
    uint8_t *out = arena_alloc(p->arena, cap);
    if (!out)
        return fail(p, OUT_OF_MEMORY, "PEM block of %zu bytes", b->body.n);
    size_t n;
    if (!base64_decode(out, cap, &n, b->body) || !n)
        return fail(p, CONFIG_PEM_BASE64, "the %.*s block that begins in line %u", (int)(b->label.n < 40 ? b->label.n : 40),
                    (const char *)b->label.p, (unsigned)b->line);
    *der = span_of(out, n);
    return true;
}

/* ---- a whole file */

struct list {
    struct object *v;
    size_t         n, cap;
};

static bool list_add(struct pki_ctx *p, struct list *l, const struct object *o)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 4;
        struct object *v = arena_array(p->arena, cap, sizeof *v);
        if (!v)
            return fail(p, OUT_OF_MEMORY, "%zu objects in a file", cap);
        if (l->n)
            memcpy(v, l->v, l->n * sizeof *v);
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = *o;
    return true;
}

static bool read_blocks(struct pki_ctx *p, span file, struct list *l)
{
    uint32_t line = 0;
    for (struct pem_block b; pem_next(&file, &line, &b, &p->error);) {
        struct object o = { .kind = object_kind_by_label(b.label), .label = b.label, .comment = b.before, .line = b.line,
                            .encrypted = b.encrypted, .pem = b.whole };
        if (!b.body.n && o.kind != OBJECT_UNKNOWN)
            return fail(p, CONFIG_PEM_BASE64, "the block in line %u is empty", (unsigned)b.line);
        if (o.kind != OBJECT_PGP) /* has a checksum behind its base64, and nothing for us */
            TRY(pem_decode(p, &b, &o.der));
        TRY(list_add(p, l, &o));
    }
    return !error_is_set(&p->error);
}

/* The length of the DER element at the start of `s`; 0 when that is none or it reaches past the end. */
static size_t der_length(span s)
{
    if (s.n < 2 || s.p[1] == 0x80)
        return s.n;
    size_t n = s.p[1], head = 2;
    if (n > 0x80) {
        size_t bytes = n & 0x7f;
        if (bytes > 4 || s.n < 2 + bytes)
            return 0;
        for (n = 0; head < 2 + bytes; head++)
            n = n << 8 | s.p[head];
    }
    return n <= s.n - head ? head + n : 0;
}

static bool read_der(struct pki_ctx *p, span file, struct list *l)
{
    while (file.n) {
        size_t n = der_length(file);
        struct object o = { .der = span_slice(file, 0, n ? n : file.n) };
        o.kind = object_kind_of_der(o.der);
        if (l->n && (!n || o.kind == OBJECT_UNKNOWN)) { /* bytes behind an object: they belong to it, its parser will refuse them */
            l->v[l->n - 1].der.n += file.n;
            return true;
        }
        TRY(list_add(p, l, &o));
        file = span_slice(file, o.der.n, file.n);
    }
    return true;
}

bool objects_read(struct pki_ctx *p, span file, struct object **list, size_t *n)
{
    struct list l = { 0 };
    bool ok = read_blocks(p, file, &l);
    if (ok && !l.n) {
        enum object_kind kind = object_kind_of_file(file);
        struct object o = { .kind = kind, .der = file };
        ok = kind >= OBJECT_DER && kind != OBJECT_SSH_PUBLIC_KEY ? read_der(p, file, &l) : objects_wanted(p, OBJECT_UNKNOWN, &o);
    }
    *list = l.v;
    *n = l.n;
    return ok;
}

size_t pem_write(char *out, size_t cap, const char *label, span der)
{
    size_t text = (der.n + 2) / 3 * 4, need = 2 * strlen(label) + text + (text + 63) / 64 + 32;
    if (!out || cap <= need)
        return out ? 0 : need;
    int head = snprintf(out, cap, "-----BEGIN %s-----\n", label);
    size_t at = (size_t)head;
    for (size_t i = 0; i < der.n; i += 48) {
        at += base64_encode(out + at, cap - at, span_slice(der, i, 48));
        out[at++] = '\n';
    }
    int tail = snprintf(out + at, cap - at, "-----END %s-----\n", label);
    return at + (size_t)tail;
}
