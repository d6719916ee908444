/* compress.c - the runner's own ways of "compressing" a certificate: one takes off two zero bytes, one puts four bytes in front, one puts
 * a byte in front that is different each time.  They test what surrounds compression, not compression. */
#include <string.h>

#include "setup.h"

static const uint8_t two[] = { 0, 0 }, four[] = { 1, 2, 3, 4 };

static size_t put(uint8_t *out, size_t cap, const uint8_t *front, size_t n, troth_span in)
{
    if (n + in.n > cap)
        return 0;
    memcpy(out, front, n);
    memcpy(out + n, in.p, in.n);
    return n + in.n;
}

static size_t strip(uint8_t *out, size_t cap, const uint8_t *front, size_t n, troth_span in)
{
    if (in.n < n || (front && memcmp(in.p, front, n)) || in.n - n > cap)
        return 0;
    memcpy(out, in.p + n, in.n - n);
    return in.n - n;
}

static size_t shrink(uint8_t *out, size_t cap, troth_span in)
{
    return strip(out, cap, two, sizeof two, in);
}

static size_t unshrink(uint8_t *out, size_t cap, troth_span in)
{
    return put(out, cap, two, sizeof two, in);
}

static size_t grow(uint8_t *out, size_t cap, troth_span in)
{
    return put(out, cap, four, sizeof four, in);
}

static size_t ungrow(uint8_t *out, size_t cap, troth_span in)
{
    return strip(out, cap, four, sizeof four, in);
}

static size_t vary(uint8_t *out, size_t cap, troth_span in)
{
    static uint8_t calls;
    calls++;
    return put(out, cap, &calls, 1, in);
}

static size_t unvary(uint8_t *out, size_t cap, troth_span in)
{
    return strip(out, cap, NULL, 1, in);
}

/* In order of preference. */
const troth_compressor compressors[COMPRESSORS] = { { 0xff02, grow, ungrow }, { 0xff01, shrink, unshrink }, { 0xff03, vary, unvary } };

const troth_compressor *compressor_by_id(int id)
{
    for (size_t i = 0; i < COMPRESSORS; i++)
        if (compressors[i].id == id)
            return &compressors[i];
    return NULL;
}
