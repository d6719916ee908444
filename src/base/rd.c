/* rd.c - the out-of-line part of the reader: vectors, lists and failures.
 *
 * Must never read past `end`, and must leave a failed reader empty. */
#include "base/rd.h"

COLD void rd_fail_at(struct rd *r, const char *name, enum troth_reason why, uint32_t at)
{
    if (!r->ctx->bad) {
        r->ctx->bad = name;
        r->ctx->why = why;
        r->ctx->bad_at = at;
    }
    r->at = r->end;
}

COLD void rd_fail(struct rd *r, const char *name, enum troth_reason why)
{
    rd_fail_at(r, name, why, rd_offset(r));
}

COLD void rd_refuse(struct rd *r, const char *name, enum troth_reason why)
{
    rd_fail(r, name, why);
}

COLD void rd_refuse_value(struct rd *r, const char *name, enum troth_reason why, uint64_t value)
{
    if (!r->ctx->bad) {
        r->ctx->has_value = true;
        r->ctx->value = value;
    }
    rd_fail(r, name, why);
}

COLD void rd_saw(struct rd *r, const char *name, const struct names *as, const uint8_t *from, size_t n, uint64_t value,
                 enum shape shape, uint8_t prefix)
{
    const struct witness *w = r->ctx->witness;
    if (!w || !w->field || r->ctx->bad)
        return;
    struct sighting s = { name, as, (uint32_t)(from - r->ctx->base), (uint32_t)n, value, (uint8_t)shape, prefix };
    w->field(w->self, &s);
}

span rd_bytes(struct rd *r, const char *name, size_t n)
{
    if (rd_left(r) < n) {
        rd_fail(r, name, TROTH_R_SHORT);
        return SPAN_NONE;
    }
    span s = { r->at, n };
    if (r->ctx->witness)
        rd_saw(r, name, NULL, r->at, n, 0, SHAPE_BYTES, 0);
    r->at += n;
    return s;
}

span rd_rest(struct rd *r, const char *name)
{
    return rd_more(r) ? rd_bytes(r, name, rd_left(r)) : (span){ r->at, 0 };
}

/* The body of a vector, bounds checked; steps over it.  Told as `shape` once it is known to be whole. */
static span take_vector(struct rd *r, const char *name, size_t prefix, size_t min, size_t max, enum shape shape)
{
    if (rd_left(r) < prefix) {
        rd_fail(r, name, TROTH_R_SHORT);
        return SPAN_NONE;
    }
    size_t n = 0;
    for (size_t i = 0; i < prefix; i++)
        n = n << 8 | r->at[i];
    if (rd_left(r) - prefix < n) {
        rd_fail(r, name, TROTH_R_SHORT);
        return SPAN_NONE;
    }
    if (n < min || n > max) {
        rd_refuse_value(r, name, TROTH_R_LENGTH_BOUNDS, n);
        return SPAN_NONE;
    }
    if (r->ctx->witness)
        rd_saw(r, name, NULL, r->at, prefix + n, n, shape, (uint8_t)prefix);
    span body = { r->at + prefix, n };
    r->at += prefix + n;
    return body;
}

span rd_opaque(struct rd *r, const char *name, size_t prefix, size_t min, size_t max)
{
    return take_vector(r, name, prefix, min, max, SHAPE_BYTES);
}

struct rd rd_vec(struct rd *r, const char *name, size_t prefix, size_t min, size_t max)
{
    span body = take_vector(r, name, prefix, min, max, SHAPE_GROUP);
    if (!body.p)
        return (struct rd){ r->end, r->end, r->ctx };
    return rd_init(r->ctx, body);
}

span rd_u16s(struct rd *r, const char *name, const char *element, const struct names *as, size_t prefix, size_t min, size_t max)
{
    struct rd list = rd_vec(r, name, prefix, min, max);
    span all = rd_peek(&list);
    if (all.n % 2) {
        rd_fail(r, name, TROTH_R_SHORT);
        return SPAN_NONE;
    }
    for (; UNLIKELY(r->ctx->witness) && rd_more(&list);)
        rd_u16(&list, element, as);
    return all;
}

span rd_u8s(struct rd *r, const char *name, const char *element, const struct names *as, size_t prefix, size_t min, size_t max)
{
    struct rd list = rd_vec(r, name, prefix, min, max);
    span all = rd_peek(&list);
    for (; UNLIKELY(r->ctx->witness) && rd_more(&list);)
        rd_u8(&list, element, as);
    return all;
}

const uint8_t *rd_group_open(const struct rd *r)
{
    return r->at;
}

void rd_group_close(struct rd *r, const char *name, const uint8_t *from)
{
    if (UNLIKELY(r->ctx->witness))
        rd_saw(r, name, NULL, from, (size_t)(r->at - from), 0, SHAPE_GROUP, 0);
}

void rd_end(struct rd *r, const char *name)
{
    if (UNLIKELY(rd_more(r)))
        rd_fail(r, name, TROTH_R_TRAILING);
}
