/* wr.h - the sticky writer: values become bytes, lengths are filled in behind them.
 *
 * Writes into room that the caller gives.  When it does not fit nothing is written past the end and `bad` sticks; check wr_ok once.
 * With p == NULL it only measures: run the same code twice, first to learn the size. */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "base/span.h"

struct wr {
    uint8_t *p;
    size_t   n, cap;
    bool     bad;
};

static inline struct wr wr_into(uint8_t *p, size_t cap)
{
    return (struct wr){ p, 0, cap, false };
}

static inline struct wr wr_measure(void)
{
    return (struct wr){ NULL, 0, SIZE_MAX, false };
}

static inline bool MUST_USE wr_ok(const struct wr *w)
{
    return !w->bad;
}

/* What has been written. */
static inline span wr_done(const struct wr *w)
{
    return (span){ w->p, w->n };
}

void wr_uint(struct wr *w, uint64_t v, size_t n);
/* p == NULL: what is there stays. */
void wr_raw(struct wr *w, const void *p, size_t n);
/* Room for `n` bytes that the caller fills; NULL when measuring or when there is none. */
uint8_t *wr_room(struct wr *w, size_t n);
/* Open a vector with a length of `prefix` bytes; close it with the same prefix.  They nest. */
size_t wr_open(struct wr *w, size_t prefix);
void wr_close(struct wr *w, size_t mark, size_t prefix);
void wr_opaque(struct wr *w, size_t prefix, span s);

static inline void wr_u8(struct wr *w, uint8_t v)
{
    wr_uint(w, v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    wr_uint(w, v, 2);
}

static inline void wr_u24(struct wr *w, uint32_t v)
{
    wr_uint(w, v, 3);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    wr_uint(w, v, 4);
}

static inline void wr_span(struct wr *w, span s)
{
    wr_raw(w, s.p, s.n);
}

#endif
