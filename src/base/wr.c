/* wr.c - the writer.  Must never write past `cap`. */
#include "base/wr.h"

uint8_t *wr_room(struct wr *w, size_t n)
{
    if (w->bad || w->cap - w->n < n) {
        w->bad = true;
        return NULL;
    }
    uint8_t *at = w->p ? w->p + w->n : NULL;
    w->n += n;
    return at;
}

void wr_uint(struct wr *w, uint64_t v, size_t n)
{
    uint8_t *at = wr_room(w, n);
    if (n < 8 && v >> (8 * n))
        w->bad = true;
    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void wr_raw(struct wr *w, const void *p, size_t n)
{
    uint8_t *at = wr_room(w, n);
    if (at && p)
        memcpy(at, p, n);
}

size_t wr_open(struct wr *w, size_t prefix)
{
    wr_room(w, prefix);
    return w->n;
}

void wr_close(struct wr *w, size_t mark, size_t prefix)
{
    size_t n = w->n - mark;
    if (w->bad || n >> (8 * prefix)) {
        w->bad = true;
        return;
    }
    for (size_t i = 0; w->p && i < prefix; i++)
        w->p[mark - prefix + i] = (uint8_t)(n >> (8 * (prefix - 1 - i)));
}

void wr_opaque(struct wr *w, size_t prefix, span s)
{
    size_t mark = wr_open(w, prefix);
    wr_span(w, s);
    wr_close(w, mark, prefix);
}
