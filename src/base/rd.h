/* rd.h - the named, sticky reader: the only way bytes of a peer become values.
 *
 * A read names its field as the RFC does, so the parser is also the explanation (ADR 0001).  A reader that failed is empty and
 * yields zeros (ADR 0002): write straight-line code that looks like the RFC's grammar, and check rd_ok once at the end, before any
 * value is used or branched on.  Readers never allocate and know no connection. */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/witness.h"

/* Shared by a reader and all its sub-readers: where offsets count from, who is told, and the first failure. */
struct rd_ctx {
    const uint8_t        *base;
    const struct witness *witness;
    const char           *bad;    /* field; NULL while all is well */
    enum troth_reason     why;
    uint32_t              bad_at;
    bool                  has_value;
    uint64_t              value;  /* the value refused, where it was a number */
};

struct rd {
    const uint8_t *at, *end;
    struct rd_ctx *ctx;
};

static inline void rd_ctx_init(struct rd_ctx *ctx, span whole, const struct witness *witness)
{
    *ctx = (struct rd_ctx){ .base = whole.p, .witness = witness };
}

static inline struct rd rd_init(struct rd_ctx *ctx, span s)
{
    return (struct rd){ s.p, s.p ? s.p + s.n : NULL, ctx };
}

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->at);
}

/* More to read?  False once anything failed, so every loop over a reader ends. */
static inline bool rd_more(const struct rd *r)
{
    return r->at != r->end;
}

/* Nothing failed so far, in this reader or in any that shares its context. */
static inline bool MUST_USE rd_ok(const struct rd *r)
{
    return !r->ctx->bad;
}

static inline uint32_t rd_offset(const struct rd *r)
{
    return r->ctx->base ? (uint32_t)(r->at - r->ctx->base) : 0;
}

/* What is left, without reading or telling it. */
static inline span rd_peek(const struct rd *r)
{
    return (span){ r->at, rd_left(r) };
}

/* The first failure sticks; the reader becomes empty either way. */
void rd_fail(struct rd *r, const char *name, enum troth_reason why);
void rd_fail_at(struct rd *r, const char *name, enum troth_reason why, uint32_t at);
/* A value that may be read but not accepted. */
void rd_refuse(struct rd *r, const char *name, enum troth_reason why);
void rd_refuse_value(struct rd *r, const char *name, enum troth_reason why, uint64_t value);
/* Tell the witness of a range; the readers below call it, and frameworks that group (extensions, DER). */
void rd_saw(struct rd *r, const char *name, const struct names *as, const uint8_t *from, size_t n, uint64_t value,
            enum shape shape, uint8_t prefix);

static inline uint64_t rd_uint(struct rd *r, const char *name, const struct names *as, size_t n)
{
    if (UNLIKELY(rd_left(r) < n)) {
        rd_fail(r, name, TROTH_R_SHORT);
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | r->at[i];
    if (UNLIKELY(r->ctx->witness))
        rd_saw(r, name, as, r->at, n, v, SHAPE_UINT, 0);
    r->at += n;
    return v;
}

static inline uint8_t rd_u8(struct rd *r, const char *name, const struct names *as)
{
    return (uint8_t)rd_uint(r, name, as, 1);
}

static inline uint16_t rd_u16(struct rd *r, const char *name, const struct names *as)
{
    return (uint16_t)rd_uint(r, name, as, 2);
}

static inline uint32_t rd_u24(struct rd *r, const char *name)
{
    return (uint32_t)rd_uint(r, name, NULL, 3);
}

static inline uint32_t rd_u32(struct rd *r, const char *name)
{
    return (uint32_t)rd_uint(r, name, NULL, 4);
}

static inline uint64_t rd_u64(struct rd *r, const char *name)
{
    return rd_uint(r, name, NULL, 8);
}

/* `n` bytes as they are. */
span rd_bytes(struct rd *r, const char *name, size_t n);
/* The rest as bytes; may be empty (an empty rest is not told). */
span rd_rest(struct rd *r, const char *name);
/* opaque name<min..max> with a length of 1, 2 or 3 bytes. */
span rd_opaque(struct rd *r, const char *name, size_t prefix, size_t min, size_t max);
/* A vector whose elements the caller reads from the returned reader.  After a failure it is empty. */
struct rd rd_vec(struct rd *r, const char *name, size_t prefix, size_t min, size_t max);
/* A list of u16: checked to be whole, each element told under `element`; returned in wire format. */
span rd_u16s(struct rd *r, const char *name, const char *element, const struct names *as, size_t prefix, size_t min, size_t max);
/* A list of bytes that are numbers (compression methods, modes); likewise. */
span rd_u8s(struct rd *r, const char *name, const char *element, const struct names *as, size_t prefix, size_t min, size_t max);
/* A range without a length of its own (a struct inside a list): open before its fields, close behind them. */
const uint8_t *rd_group_open(const struct rd *r);
void rd_group_close(struct rd *r, const char *name, const uint8_t *from);
/* Nothing may be left. */
void rd_end(struct rd *r, const char *name);

static inline span rd_opaque8(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 1, min, max);
}

static inline span rd_opaque16(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 2, min, max);
}

static inline span rd_opaque24(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_opaque(r, name, 3, min, max);
}

static inline struct rd rd_vec8(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 1, min, max);
}

static inline struct rd rd_vec16(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 2, min, max);
}

static inline struct rd rd_vec24(struct rd *r, const char *name, size_t min, size_t max)
{
    return rd_vec(r, name, 3, min, max);
}

#endif
