/* fuzz_exts.c - a block of extensions in any place, for either version, with any set asked for. */
#include "fuzz/wire_fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* place, version, 10 bytes of set, the block */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEAD = 12 };
    static const uint8_t places[] = { IN_CH, IN_SH, IN_HRR, IN_EE, IN_CR, IN_CT, IN_NST, IN_CH | IN_INNER };
    static uint8_t out[1 << 17];
    if (size < HEAD || size > LIMIT_MESSAGE)
        return 0;
    enum ext_in in = (enum ext_in)places[data[0] % sizeof places];
    uint16_t version = data[1] % 3 == 0 ? VERSION_TLS_1_3 : data[1] % 3 == 1 ? VERSION_TLS_1_2 : 0;
    struct ext_set asked = { { 0, 0 } };
    memcpy(&asked, data + 2, 10);
    uint8_t *block = fuzz_exact(data + HEAD, size - HEAD);
    struct fuzz_bounds bounds = { .n = size - HEAD };
    struct witness witness = fuzz_witness(&bounds);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, span_of(block, size - HEAD), &witness);
    struct rd r = rd_init(&ctx, span_of(block, size - HEAD));
    struct exts e = { .n_seen = 0 };
    exts_gather(&r, &e, in);
    rd_end(&r, "block");
    bool ok = exts_read(&e, &r, in, version, &asked);
    fuzz_require(ok == !ctx.bad && ctx.bad_at <= size - HEAD, "failed without a place");
    if (ok) {
        struct wr w = wr_into(out, sizeof out);
        exts_write(&w, &e, in);
        fuzz_require(wr_ok(&w), "what was understood cannot be written");
    }
    free(block);
    return 0;
}
