/* again.c - see again.h.  Must never compare what a client may change, nor extensions that we do not know: their documents may allow it. */
#include "tls/again.h"

#include "tls/hooks.h"

struct first_hello {
    span           suites, compression;
    struct ext_set have;
    span           bodies[X_COUNT];
};

/* A share where one was asked for, early data, a cookie, tickets and their binders, padding; and what is sealed anew in each hello. */
static bool may_change(const struct troth_conn *c, unsigned x)
{
    if (x == X_KEY_SHARE)
        return c->hs->hello.retry_group;
    return x == X_EARLY_DATA || x == X_COOKIE || x == X_PRE_SHARED_KEY || x == X_PADDING || x == X_ENCRYPTED_CLIENT_HELLO ||
           x == X_ECH_OUTER_EXTENSIONS;
}

bool again_keep(struct troth_conn *c, const struct client_hello *first)
{
    struct arena *arena = &c->hs->arena;
    struct first_hello *f = arena_alloc(arena, sizeof *f);
    if (!f)
        return fail(c, OUT_OF_MEMORY, "for the first hello");
    f->have = first->exts.have;
    bool ok = arena_copy(arena, &f->suites, first->cipher_suites) && arena_copy(arena, &f->compression, first->legacy_compression_methods);
    for (unsigned x = 0; ok && x < X_COUNT; x++)
        ok = may_change(c, x) || arena_copy(arena, &f->bodies[x], exts_body(&first->exts, x));
    c->hs->hello.first = f;
    return ok || fail(c, OUT_OF_MEMORY, "for the first hello");
}

bool again_check(struct troth_conn *c, const struct client_hello *second)
{
    const struct first_hello *f = c->hs->hello.first;
    if (!f) /* another connection saw it */
        return true;
    if (!span_equal(f->suites, second->cipher_suites) || !span_equal(f->compression, second->legacy_compression_methods))
        return fail(c, HELLO_CHANGED, "cipher suites or compression methods are not those of the first");
    for (unsigned x = 0; x < X_COUNT; x++)
        if (!may_change(c, x) && (ext_set_has(&f->have, x) != exts_have(&second->exts, x) || !span_equal(f->bodies[x], exts_body(&second->exts, x))))
            return fail(c, HELLO_CHANGED, "%s is not that of the first", ext_row(x)->name);
    if (exts_have(&second->exts, X_PRE_SHARED_KEY) && !ext_set_has(&f->have, X_PRE_SHARED_KEY))
        return fail(c, HELLO_CHANGED, "a pre_shared_key, and the first had none");
    if (!c->hs->hello.cookie.n && exts_have(&second->exts, X_COOKIE) && !ext_set_has(&f->have, X_COOKIE))
        return fail(c, HELLO_CHANGED, "a cookie that nobody gave");
    return true;
}
