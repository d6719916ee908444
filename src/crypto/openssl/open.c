/* open.c - opening the provider on libcrypto, sharing it, closing it.
 *
 * Everything that is looked up by name is looked up here, once.  Owners are counted atomically: one provider serves many threads. */
#include "crypto/openssl/lib.h"

#include <stdlib.h>

static void *malloc_alloc(void *ctx, size_t n)
{
    (void)ctx;
    return malloc(n);
}

static void malloc_free(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    free(p);
}

static const troth_allocator malloc_memory = { malloc_alloc, malloc_free, NULL };

static void share(troth_provider *p)
{
    lib_share((struct lib *)p);
}

static void give_up(troth_provider *p)
{
    lib_free((struct lib *)p);
}

void lib_share(struct lib *l)
{
    atomic_fetch_add_explicit(&l->owners, 1, memory_order_relaxed);
}

static void close_all(struct lib *l)
{
    troth_allocator memory = l->memory;
    lib_close_hashes(l);
    lib_close_aeads(l);
    lib_close_curves(l);
    lib_close_random(l);
    memory.free(memory.ctx, l, sizeof *l);
}

void lib_free(struct lib *l)
{
    if (atomic_fetch_sub_explicit(&l->owners, 1, memory_order_acq_rel) == 1)
        close_all(l);
}

troth_provider *troth_libcrypto_with(const troth_libcrypto_options *options)
{
    troth_libcrypto_options o = { sizeof o, NULL, false, false };
    if (options && !options->size)
        return NULL; /* forgotten: nothing of it would count */
    if (options)
        memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    const troth_allocator *memory = o.memory ? o.memory : &malloc_memory;
    struct lib *l = memory->alloc(memory->ctx, sizeof *l);
    if (!l)
        return NULL;
    memset(l, 0, sizeof *l);
    atomic_init(&l->owners, 1);
    l->memory = *memory;
    l->pub = (troth_provider){
        .size = sizeof l->pub, .name = "libcrypto", .self = l, .memory = &l->memory, .share = share, .free = give_up
    };
    lib_open_random(l);
    lib_open_signatures(l);
    lib_open_keys(l);
    l->has_p256 = !o.libcrypto_only;
    l->has_lanes = lib_has_lanes(&o);
    l->pub.sign_many = l->has_lanes ? lib_sign_many : NULL;
    l->pub.know = l->has_lanes ? lib_know : NULL;
    l->pub.known_n = l->has_lanes ? TROTH_KNOWN_MAX : 0;
    if (lib_open_hashes(l) && lib_open_aeads(l, &o) && lib_open_curves(l)) {
        lib_open_kems(l, &o);
        return &l->pub;
    }
    lib_quiet();
    close_all(l);
    return NULL;
}

troth_provider *troth_libcrypto(void)
{
    return troth_libcrypto_with(NULL);
}
