/* wire_fuzz.c - see wire_fuzz.h. */
#include "fuzz/wire_fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

uint8_t *fuzz_exact(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    fuzz_require(exact != NULL, "no memory");
    if (size)
        memcpy(exact, data, size);
    return exact;
}

static void see(void *self, const struct sighting *s)
{
    struct fuzz_bounds *b = self;
    fuzz_require(s->name && s->at <= b->n && s->n <= b->n - s->at && s->prefix <= s->n, "a sighting is outside the message");
    b->seen++;
}

struct witness fuzz_witness(struct fuzz_bounds *b)
{
    return (struct witness){ .self = b, .field = see };
}

static void check(const struct wire_kind *k, span msg)
{
    static uint8_t once[1 << 18], twice[1 << 18];
    struct fuzz_bounds bounds = { .n = msg.n };
    struct witness witness = fuzz_witness(&bounds);
    struct rd_ctx ctx, seen_ctx;
    struct wr w = wr_into(once, sizeof once), seen = wr_into(twice, sizeof twice);
    bool ok = wire_copy(k, msg, &w, &ctx, NULL);
    bool seen_ok = wire_copy(k, msg, &seen, &seen_ctx, &witness);
    fuzz_require(ok == seen_ok && ctx.why == seen_ctx.why && ctx.bad_at == seen_ctx.bad_at, "a witness changed the outcome");
    fuzz_require(ctx.bad_at <= msg.n, "the failure is outside the message");
    if (!ok)
        return;
    fuzz_require(!ctx.bad, "understood, and yet refused");
    struct wr again = wr_into(twice, sizeof twice);
    fuzz_require(wire_copy(k, wr_done(&w), &again, &ctx, NULL), "what was written is not understood");
    fuzz_require(w.n == again.n && !memcmp(once, twice, w.n), "written twice, it differs");
}

int fuzz_kinds(const char *const *kinds, size_t n, const uint8_t *data, size_t size)
{
    if (!size || size > LIMIT_MESSAGE)
        return 0;
    const struct wire_kind *k = wire_kind_named(kinds[data[0] % n]);
    size_t header = k->msg_type < 0 ? 0 : 4, whole = header + size - 1;
    uint8_t *msg = malloc(whole ? whole : 1);
    fuzz_require(msg != NULL, "no memory");
    if (header) {
        struct wr w = wr_into(msg, header);
        wr_u8(&w, (uint8_t)k->msg_type);
        wr_u24(&w, (uint32_t)size - 1);
    }
    if (size > 1)
        memcpy(msg + header, data + 1, size - 1);
    check(k, span_of(msg, whole));
    free(msg);
    return 0;
}
