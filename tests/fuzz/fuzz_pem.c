/* Files: every object found lies within the file or the arena, has a line that exists, and can be written and read again. */
#include "fuzz/pki_fuzz.h"
#include "x509/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pki_ctx *p = pki_fuzz_begin();
    struct object *list = NULL;
    size_t n = 0;
    bool ok = objects_read(p, span_of(data, size), &list, &n);
    pki_fuzz_must(ok == (p->error.reason == TROTH_R_NONE));
    pki_fuzz_must(!ok || n > 0);
    for (size_t i = 0; i < n && i < 8; i++) {
        const struct object *o = &list[i];
        pki_fuzz_must(o->line <= size + 1);
        if (!o->line || !o->der.n || o->kind == OBJECT_UNKNOWN || o->kind == OBJECT_PGP)
            continue;
        size_t cap = pem_write(NULL, 0, "CERTIFICATE", o->der) + 1, count = 0;
        char *text = arena_alloc(p->arena, cap);
        struct object *again = NULL;
        struct pki_ctx q = { .arena = p->arena };
        pki_fuzz_must(text && objects_read(&q, span_of(text, pem_write(text, cap, "CERTIFICATE", o->der)), &again, &count));
        pki_fuzz_must(count == 1 && span_equal(again->der, o->der));
    }
    pki_fuzz_end();
    return 0;
}
