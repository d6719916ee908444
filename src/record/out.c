/* out.c - the send queue.  Must never reorder or lose a record. */
#include "record/out.h"

#include "base/secret.h"

void outq_init(struct outq *q, const troth_allocator *memory, uint8_t *home)
{
    *q = (struct outq){ .memory = memory, .p = home, .cap = home ? OUTQ_HOME : 0, .least = OUTQ_SMALL, .home = home };
}

void outq_free(struct outq *q)
{
    size_t least = q->least;
    if (q->cap && q->p != q->home)
        q->memory->free(q->memory->ctx, q->p, q->cap);
    outq_init(q, q->memory, q->home);
    q->least = least;
}

/* A buffer of `cap` bytes, with what waits at its front. */
static bool move(struct outq *q, size_t cap)
{
    size_t waits = q->end - q->at;
    uint8_t *p = q->memory->alloc(q->memory->ctx, cap);
    TRY(p);
    if (waits)
        memcpy(p, q->p + q->at, waits);
    outq_free(q);
    q->p = p;
    q->cap = cap;
    q->end = waits;
    return true;
}

/* Room for `n` more bytes behind what waits. */
static bool room(struct outq *q, troth_error *e, size_t n)
{
    size_t waits = q->end - q->at;
    if (!waits)
        q->at = q->end = 0;
    if (q->cap >= n && q->cap - n >= q->end)
        return true;
    if (q->cap >= n && q->cap - n >= waits && waits <= q->at) { /* half or more was sent: moving is cheap */
        memcpy(q->p, q->p + q->at, waits);
        q->at = 0;
        q->end = waits;
        return true;
    }
    size_t cap = waits + n < q->least ? q->least : waits ? waits + n + (waits + n) / 2 : n;
    return (n < SIZE_MAX / 4 && waits < SIZE_MAX / 4 && move(q, cap)) || fail_to(e, OUT_OF_MEMORY, "%zu bytes to send", n);
}

static bool count(const span *parts, size_t n_parts, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < n_parts; i++) {
        TRY(parts[i].n <= SIZE_MAX / 4 - *n);
        *n += parts[i].n;
    }
    return true;
}

bool outq_put(struct outq *q, troth_error *e, struct protect *p, uint8_t type, uint16_t version, const span *parts, size_t n_parts)
{
    size_t n;
    if (!count(parts, n_parts, &n))
        return fail_to(e, OUT_OF_MEMORY, "more bytes to send than there are");
    size_t full = n / p->most, last = n % p->most;
    TRY(room(q, e, full * protect_sealed_n(p, p->most) + (last || !full ? protect_sealed_n(p, last) : 0)));
    struct pieces from = { parts, n_parts, 0 };
    size_t before = q->end;
    do {
        size_t some = n < p->most ? n : p->most;
        if (!protect_seal(p, e, q->p + q->end, type, version, &from, some)) {
            secret_wipe(q->p + before, q->cap - before); /* pieces may have been copied there */
            q->end = before;
            return false;
        }
        q->end += protect_sealed_n(p, some);
        n -= some;
    } while (n);
    return true;
}

bool outq_put_clear(struct outq *q, troth_error *e, uint8_t type, uint16_t version, span content)
{
    struct protect clear;
    protect_init(&clear, q->memory, FROM_CLIENT);
    return outq_put(q, e, &clear, type, version, &content, 1);
}

uint8_t *outq_place(struct outq *q, size_t n)
{
    troth_error ignored;
    error_none(&ignored);
    return room(q, &ignored, LIMIT_RECORD_HEADER + n) ? q->p + q->end + LIMIT_RECORD_HEADER : NULL;
}

bool outq_lend(struct outq *q, troth_error *e, struct protect *p, uint8_t type, uint16_t version, uint8_t *content, size_t n)
{
    span all = span_of(content, n);
    struct pieces from = { &all, 1, 0 };
    if (!outq_empty(q) || protect_on(p) || n > p->most)
        return outq_put(q, e, p, type, version, &all, 1);
    TRY(protect_seal(p, e, content - LIMIT_RECORD_HEADER, type, version, &from, n));
    outq_free(q);
    q->p = content - LIMIT_RECORD_HEADER;
    q->cap = 0;
    q->end = LIMIT_RECORD_HEADER + n;
    return true;
}

bool outq_own(struct outq *q)
{
    if (q->cap || outq_empty(q) || move(q, q->end - q->at))
        return true;
    outq_free(q);
    return false;
}

span outq_span(const struct outq *q)
{
    return q->p ? span_of(q->p + q->at, q->end - q->at) : SPAN_NONE;
}

void outq_sent(struct outq *q, size_t n)
{
    q->at += n < q->end - q->at ? n : q->end - q->at;
    if (q->at == q->end)
        outq_drop(q);
}

void outq_drop(struct outq *q)
{
    q->at = q->end = 0;
    if (!q->cap)
        outq_free(q); /* what was lent is not ours any more */
}

void outq_rest(struct outq *q)
{
    if (outq_empty(q))
        outq_free(q);
}
