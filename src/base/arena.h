/* arena.h - memory that is given back all at once: one arena per handshake, one per configuration.
 *
 * Allocation only moves a pointer; freeing wipes everything.  NULL when memory ran out: a failure like any other. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena_chunk;

struct arena {
    const troth_allocator *mem;
    struct arena_chunk    *chunks;
    uint8_t               *at, *end;
    size_t                 next;  /* how much to ask the allocator for next time */
    size_t                 total; /* bytes taken from the allocator              */
};

/* `first`: the size of the first chunk, taken when the first allocation is made. */
void arena_init(struct arena *a, const troth_allocator *mem, size_t first);
/* Likewise, but the first chunk is the caller's, which outlives the arena and is not wiped: for what is no secret. */
void arena_init_at(struct arena *a, const troth_allocator *mem, size_t next, void *chunk, size_t n);
/* What `n` bytes take of an arena.  After a reservation, allocations that come to no more than that are made from one chunk. */
size_t arena_size(size_t n);
bool MUST_USE arena_reserve(struct arena *a, size_t n);
/* Zeroed memory, aligned for any type.  NULL when there is none. */
void *arena_alloc(struct arena *a, size_t n);
void *arena_array(struct arena *a, size_t count, size_t size);
/* A copy that lives as long as the arena.  Fails only for lack of memory; an empty span stays empty. */
bool MUST_USE arena_copy(struct arena *a, span *out, span s);
/* A zero-terminated copy of `s`; NULL when there is no memory. */
char *arena_string(struct arena *a, span s);
/* Wipes and frees everything; the arena may be used again. */
void arena_free(struct arena *a);

#endif
