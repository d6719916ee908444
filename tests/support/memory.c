#include "support/memory.h"

#include <stdlib.h>

static void *take(void *ctx, size_t n)
{
    (void)ctx;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    free(p);
}

const troth_allocator test_memory = { take, give, NULL };

/* ---- that runs out */
bool scarce_refuses(struct scarce *s)
{
    if (s->failed && s->for_good)
        return true;
    if (!s->left || --s->left)
        return false;
    return s->failed = true;
}

static void *take_scarce(void *ctx, size_t n)
{
    struct scarce *s = ctx;
    if (scarce_refuses(s))
        return NULL;
    s->alive++;
    return malloc(n);
}

static void give_scarce(void *ctx, void *p, size_t n)
{
    struct scarce *s = ctx;
    (void)n;
    s->alive -= p != NULL;
    free(p);
}

troth_allocator scarce_memory(struct scarce *s)
{
    return (troth_allocator){ take_scarce, give_scarce, s };
}
