/* compress.c - the ways of compressing certificates that are built in (RFC 8879 3): brotli, zstd, zlib, as far as they were there when
 * troth was built.
 *
 * Must never write more than it was given room for: what expands comes from the peer. */
#include "api/api.h"

#include "wire/registry.h"

#ifdef TROTH_HAVE_BROTLI
#include <brotli/decode.h>
#include <brotli/encode.h>

static size_t brotli_pack(uint8_t *out, size_t cap, troth_span in)
{
    size_t n = cap;
    bool ok = BrotliEncoderCompress(BROTLI_MAX_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, in.n, in.p, &n, out);
    return ok ? n : 0;
}

static size_t brotli_expand(uint8_t *out, size_t cap, troth_span in)
{
    size_t n = cap;
    return BrotliDecoderDecompress(in.n, in.p, &n, out) == BROTLI_DECODER_RESULT_SUCCESS ? n : 0;
}

#define BROTLI_ROW { CERT_COMP_brotli, brotli_pack, brotli_expand },
#else
#define BROTLI_ROW
#endif

#ifdef TROTH_HAVE_ZSTD
#include <zstd.h>

static size_t zstd_pack(uint8_t *out, size_t cap, troth_span in)
{
    enum { LEVEL = 19 };
    size_t n = ZSTD_compress(out, cap, in.p, in.n, LEVEL);
    return ZSTD_isError(n) ? 0 : n;
}

static size_t zstd_expand(uint8_t *out, size_t cap, troth_span in)
{
    size_t n = ZSTD_decompress(out, cap, in.p, in.n);
    return ZSTD_isError(n) ? 0 : n;
}

#define ZSTD_ROW { CERT_COMP_zstd, zstd_pack, zstd_expand },
#else
#define ZSTD_ROW
#endif

#ifdef TROTH_HAVE_ZLIB
#include <zlib.h>

static size_t zlib_pack(uint8_t *out, size_t cap, troth_span in)
{
    uLongf n = cap;
    return compress2(out, &n, in.p, in.n, Z_BEST_COMPRESSION) == Z_OK ? n : 0;
}

static size_t zlib_expand(uint8_t *out, size_t cap, troth_span in)
{
    uLongf n = cap;
    uLong used = in.n;
    return uncompress2(out, &n, in.p, &used) == Z_OK && used == in.n ? n : 0;
}

#define ZLIB_ROW { CERT_COMP_zlib, zlib_pack, zlib_expand },
#else
#define ZLIB_ROW
#endif

/* In order of preference: what makes certificates smallest goes first, as it is done once and sent many times. */
/* clang-format off */
static const troth_compressor built_in[] = {
    BROTLI_ROW
    ZSTD_ROW
    ZLIB_ROW
    { 0, NULL, NULL }
};
/* clang-format on */

const troth_compressor *compressors_built_in(size_t *n)
{
    *n = COUNT_OF(built_in) - 1;
    return built_in;
}

const troth_compressor *compressor_built_in(uint16_t id)
{
    size_t i = 0;
    while (built_in[i].id && built_in[i].id != id)
        i++;
    return built_in[i].id ? &built_in[i] : NULL;
}
