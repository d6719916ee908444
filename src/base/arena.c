/* arena.c - chunks from the allocator; freed and wiped whole.  Must never hand out the same byte twice. */
#include "base/arena.h"

#include "base/secret.h"

struct arena_chunk {
    struct arena_chunk *next;
    size_t              size; /* of the chunk, this header included */
};

enum { ALIGN = 16, HEADER = (sizeof(struct arena_chunk) + ALIGN - 1) / ALIGN * ALIGN };

void arena_init(struct arena *a, const troth_allocator *mem, size_t first)
{
    *a = (struct arena){ .mem = mem, .next = first < 64 ? 64 : first };
}

void arena_init_at(struct arena *a, const troth_allocator *mem, size_t next, void *chunk, size_t n)
{
    arena_init(a, mem, next);
    a->at = chunk;
    a->end = a->at + n;
}

size_t arena_size(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static bool grow(struct arena *a, size_t n)
{
    size_t size = a->next > n + HEADER ? a->next : n + HEADER;
    struct arena_chunk *c = a->mem->alloc(a->mem->ctx, size);
    if (!c)
        return false;
    *c = (struct arena_chunk){ a->chunks, size };
    a->chunks = c;
    a->at = (uint8_t *)c + HEADER;
    a->end = (uint8_t *)c + size;
    a->total += size;
    return true;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    n = n ? arena_size(n) : ALIGN; /* NULL means that there is no memory, so nothing has an address too */
    if ((size_t)(a->end - a->at) < n && !grow(a, n))
        return NULL;
    void *p = a->at;
    a->at += n;
    memset(p, 0, n);
    return p;
}

bool arena_reserve(struct arena *a, size_t n)
{
    return (size_t)(a->end - a->at) >= n || grow(a, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    return size && count > SIZE_MAX / 2 / size ? NULL : arena_alloc(a, count * size);
}

bool arena_copy(struct arena *a, span *out, span s)
{
    *out = (span){ s.p, 0 };
    if (!s.n)
        return true;
    uint8_t *p = arena_alloc(a, s.n);
    TRY(p);
    memcpy(p, s.p, s.n);
    *out = (span){ p, s.n };
    return true;
}

char *arena_string(struct arena *a, span s)
{
    char *p = arena_alloc(a, s.n + 1);
    if (p && s.n)
        memcpy(p, s.p, s.n);
    return p;
}

void arena_free(struct arena *a)
{
    for (struct arena_chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        size_t size = c->size;
        secret_wipe(c, size);
        a->mem->free(a->mem->ctx, c, size);
    }
    *a = (struct arena){ .mem = a->mem, .next = a->next };
}
