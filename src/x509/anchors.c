/* anchors.c - the store of trust anchors: filled once, sorted once, shared by everybody.
 *
 * Must never change once frozen, but for one answer per anchor that is computed when somebody first needs it.
 */
#include <stdlib.h>

#include "x509/pem.h"
#include "x509/verify.h"

bool anchors_add_row(struct anchors *a, struct arena *arena, const struct anchor *row)
{
    if (a->n == a->cap) {
        size_t cap = a->cap ? 2 * a->cap : 16;
        struct anchor **more = arena_array(arena, cap, sizeof(struct anchor *));
        TRY(more);
        if (a->n)
            memcpy(more, a->rows, a->n * sizeof *more);
        a->rows = more;
        a->cap = cap;
    }
    struct anchor *copy = arena_alloc(arena, sizeof *copy);
    TRY(copy);
    *copy = *row;
    copy->self_signed = arena_alloc(arena, 1);
    TRY(copy->self_signed);
    *copy->self_signed = -1;
    a->rows[a->n++] = copy;
    return true;
}

/* One certificate, DER, copied.  *bad: it cannot be read (and error says why); false without it: memory ran
 * out. */
static bool add_der(struct anchors *a, struct arena *arena, span der, bool vetted, bool *bad,
                    troth_error *error)
{
    struct anchor row = { .vetted = vetted };
    span copy;
    *bad = false;
    TRY(arena_copy(arena, &copy, der));
    if (!cert_parse(&row.cert, copy, NULL, error)) {
        *bad = true;
        return false;
    }
    return anchors_add_row(a, arena, &row);
}

bool anchors_add(struct anchors *a, struct arena *arena, span bytes, bool vetted, size_t *n,
                 troth_error *error)
{
    struct pki_ctx p = { .arena = arena };
    struct object *list = NULL;
    size_t count = 0;
    *n = 0;
    bool whole = objects_read(&p, bytes, &list, &count);
    if (!whole && !vetted) {
        *error = p.error;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool bad = false;
        troth_error why = { 0 };
        if (list[i].kind != OBJECT_CERTIFICATE)
            continue;
        if (add_der(a, arena, list[i].der, vetted, &bad, &why)) {
            ++*n;
        } else if (!bad) {
            return error_set(error, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "trust anchors");
        } else if (!vetted) {
            *error = why;
            return false;
        }
    }
    if (*n == 0 && !vetted) {
        objects_wanted(&p, OBJECT_CERTIFICATE, count ? &list[0] : NULL);
        *error = p.error;
        return false;
    }
    return true;
}

static int anchor_order(const void *a, const void *b)
{
    const struct anchor *x = *(struct anchor *const *)a, *y = *(struct anchor *const *)b;
    return x->cert.subject_hash < y->cert.subject_hash ? -1 : x->cert.subject_hash > y->cert.subject_hash;
}

bool anchors_freeze(struct anchors *a, struct arena *arena)
{
    (void)arena;
    if (a->n > 1)
        qsort(a->rows, a->n, sizeof(struct anchor *), anchor_order);
    return true;
}

struct anchor *const *anchors_by_subject(const struct anchors *a, uint64_t hash, size_t *n)
{
    size_t lo = 0, hi = a->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (a->rows[mid]->cert.subject_hash < hash)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (hi = lo; hi < a->n && a->rows[hi]->cert.subject_hash == hash;)
        hi++;
    *n = hi - lo;
    return a->rows ? a->rows + lo : NULL;
}

const struct anchor *anchors_find(const struct anchors *a, const struct cert *c)
{
    size_t n;
    struct anchor *const *run = anchors_by_subject(a, c->subject_hash, &n);
    for (size_t i = 0; i < n; i++)
        if (cert_equal(&run[i]->cert, c))
            return run[i];
    return NULL;
}

int anchor_self_signed(const struct anchor *a)
{
    return __atomic_load_n(a->self_signed, __ATOMIC_RELAXED);
}

void anchor_note_self_signed(const struct anchor *a, bool yes)
{
    __atomic_store_n(a->self_signed, (signed char)yes, __ATOMIC_RELAXED);
}
