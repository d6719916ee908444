#include "fuzz/pki_fuzz.h"

#include <stdlib.h>

#include "support/memory.h"

static struct arena arena;
static struct pki_ctx ctx;
static troth_provider *provider;

static void close_provider(void)
{
    troth_provider_free(provider);
    provider = NULL;
}

struct pki_ctx *pki_fuzz_begin(void)
{
    if (!provider) {
        provider = troth_libcrypto();
        pki_fuzz_must(provider != NULL);
        atexit(close_provider);
    }
    arena_init(&arena, &test_memory, 4096);
    ctx = (struct pki_ctx){ .arena = &arena, .crypto = provider };
    return &ctx;
}

void pki_fuzz_end(void)
{
    arena_free(&arena);
}

void pki_fuzz_must(bool ok)
{
    if (!ok)
        abort();
}

void pki_fuzz_describe(void (*describe)(struct facts *, span), span der)
{
    struct facts f;
    facts_init(&f, &ctx, 1790000000);
    describe(&f, der);
    pki_fuzz_must(f.depth == 0 && !f.lost);
    for (size_t i = 0; i < f.n; i++) {
        pki_fuzz_must(f.v[i].text && f.v[i].label);
        pki_fuzz_must(f.v[i].depth <= (i ? f.v[i - 1].depth + 1 : 0));
        for (const char *s = f.v[i].text; *s; s++)
            pki_fuzz_must((unsigned char)*s >= 0x20 && *s != 0x7f);
    }
}
