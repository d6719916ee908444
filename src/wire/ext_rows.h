/* ext_rows.h - the readers and writers of single extensions, one pair per row of ext.def: used by ext.c alone.
 *
 * A reader gets the body and need not check that it was used up; a writer writes the body. */
#ifndef WIRE_EXT_ROWS_H
#define WIRE_EXT_ROWS_H

#include "wire/ext.h"

#define EXT(row, name, functions, in13, in12)                                    \
    void ext_##functions##_read(struct rd *r, struct exts *e, enum ext_in in); \
    void ext_##functions##_write(struct wr *w, const struct exts *e, enum ext_in in);
#include "wire/ext.def"

/* A list in wire format behind a length. */
static inline void wr_list(struct wr *w, size_t prefix, span list)
{
    wr_opaque(w, prefix, list);
}

#endif
