/* wire_kinds.h - every message that the wire layer knows, as one function each: read it, write it again. */
#ifndef TESTS_SUPPORT_WIRE_KINDS_H
#define TESTS_SUPPORT_WIRE_KINDS_H

#include "wire/ech.h"

struct wire_kind {
    const char *name;     /* how files of the corpus begin                                          */
    int         msg_type; /* -1: no handshake message, there is no header                           */
    bool      (*copy)(struct rd *r, struct wr *w); /* reads a body from `r`, writes it to `w`       */
};

extern const struct wire_kind wire_kinds[];
extern const size_t wire_kinds_n;

const struct wire_kind *wire_kind_named(const char *name);
/* Reads the whole of `msg` and writes what was understood; false when it was refused (ctx says why) or could not be written. */
bool wire_copy(const struct wire_kind *k, span msg, struct wr *w, struct rd_ctx *ctx, const struct witness *witness);
/* A set with every row in it: whatever the peer answers was asked for. */
struct ext_set wire_asked_all(void);

#endif
