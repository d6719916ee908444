/* names.h - numbers that have names: what a table of names looks like, and how it is searched.
 *
 * The tables themselves (suites, groups, alerts, ...) are made from wire/registry.def. */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/compiler.h"

struct name {
    uint32_t    id;
    const char *name; /* as its registry writes it: "TLS_AES_128_GCM_SHA256" */
    const char *rfc;  /* where it is defined: "RFC 9846 B.4"                 */
};

struct names {
    const char        *kind; /* "cipher suite" */
    const struct name *rows;
    size_t             n;
};

/* The name of `id`, or NULL.  Tables are short and this is never on the hot path: a linear search. */
static inline const struct name *name_find(const struct names *t, uint64_t id)
{
    for (size_t i = 0; t && i < t->n; i++)
        if (t->rows[i].id == id)
            return &t->rows[i];
    return NULL;
}

/* The name of `id`, "unknown" when it has none (print the number beside it). */
static inline const char *name_of(const struct names *t, uint64_t id)
{
    const struct name *row = name_find(t, id);
    return row ? row->name : "unknown";
}

#endif
