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
