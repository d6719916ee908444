/* fuzz_ech.c - ECHConfigList, and an inner ClientHello expanded from an outer one. */
#include "fuzz/wire_fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* length of the outer hello (2 bytes), outer, inner */
static void expand(const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 18];
    size_t n = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
    if (size < 2 || n > size - 2)
        return;
    uint8_t *outer = fuzz_exact(data + 2, n), *inner = fuzz_exact(data + 2 + n, size - 2 - n);
    struct fuzz_bounds bounds = { .n = size - 2 - n };
    struct witness witness = fuzz_witness(&bounds);
    struct rd_ctx outer_ctx, ctx;
    rd_ctx_init(&outer_ctx, span_of(outer, n), NULL);
    rd_ctx_init(&ctx, span_of(inner, size - 2 - n), &witness);
    struct rd r = rd_init(&outer_ctx, span_of(outer, n)), ri = rd_init(&ctx, span_of(inner, size - 2 - n));
    struct client_hello ch;
    if (client_hello_read(&ch, &r)) {
        struct wr w = wr_into(out, sizeof out);
        bool ok = ech_inner_expand(&w, &ri, &ch);
        fuzz_require(!ok || w.n <= size, "expansion amplifies");
        fuzz_require(ok == !ctx.bad || w.bad, "failed without a reason");
    }
    free(outer);
    free(inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kinds[] = { "ech_config_list" };
    if (size > LIMIT_MESSAGE || !size)
        return 0;
    if (data[0] & 1)
        expand(data + 1, size - 1);
    else
        fuzz_kinds(kinds, 1, data, size);
    if (data[0] & 1)
        return 0;
    if (size > 1) /* any bytes may stand where a name is expected */
        (void)ech_public_name_ok(span_of(data + 1, size - 1));
    return 0;
}
