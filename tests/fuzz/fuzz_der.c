/* The DER readers, each chosen by a byte of the input: what they accept must read back to itself, and nothing
 * is read past the end. */
#include <stdlib.h>

#include "base/text.h"
#include "x509/der.h"
#include "x509/oid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    span s = span_of(data + 1, size - 1);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, s, NULL);
    struct rd r = rd_init(&ctx, s);
    char in[64];
    struct text t = TEXT_IN(in);
    while (rd_more(&r)) {
        size_t left = rd_left(&r);
        struct der_bits bits;
        switch (data[0] % 12) {
        case 0: der_any(&r, "x"); break;
        case 1: der_boolean(&r, "x"); break;
        case 2: der_integer(&r, "x", DER_INTEGER); break;
        case 3: der_small(&r, "x", DER_INTEGER, 1000); break;
        case 4: der_unsigned(&r, "x"); break;
        case 5: oid_dotted(&t, der_oid(&r, "x")); break;
        case 6:
            bits = der_bit_string(&r, "x", DER_BIT_STRING);
            if (rd_ok(&r) && (bits.unused > 7 || (bits.unused && !bits.bytes.n)))
                abort();
            break;
        case 7: der_named_bits(&r, "x", DER_BIT_STRING); break;
        case 8: der_time(&r, "x", false); break;
        case 9: der_null(&r, "x"); break;
        case 10: r = der_open(&r, "x", DER_SEQUENCE); break;
        default:
            der_boolean_default_false(&r, "x", DER_BOOLEAN);
            der_any(&r, "x");
            break;
        }
        if (rd_left(&r) >= left)
            abort(); /* no progress: a loop over this reader would not end */
    }
    (void)!der_tree_ok(s, 8);
    return 0;
}
