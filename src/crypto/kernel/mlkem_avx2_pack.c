/* Coefficients to bytes and back with AVX2 (FIPS 203 4.2.1). No branch or address depends on a coefficient. */
#include "crypto/kernel/mlkem_avx2.h"

#if defined(__x86_64__)

#include <string.h>

#include "base/secret.h"

enum { Q = MLKEM_Q };

#define WORDS(x) _mm256_set1_epi16((short)(x))
#define SIXTEEN(...) _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))
#define NONE (-1)

AVX2 load(const struct poly *p, unsigned i)
{
    return _mm256_load_si256((const __m256i *)(p->c + 16 * i));
}

AVX2_VOID store(struct poly *p, unsigned i, __m256i v)
{
    _mm256_store_si256((__m256i *)(p->c + 16 * i), v);
}

/* small to 0 .. q-1 */
AVX2 freeze(__m256i x)
{
    return _mm256_add_epi16(x, _mm256_and_si256(_mm256_srai_epi16(x, 15), WORDS(Q)));
}

/* the first n bytes of either half of v */
AVX2_VOID store_halves(uint8_t *out, __m256i v, unsigned n)
{
    uint8_t b[32] __attribute__((aligned(32)));
    _mm256_store_si256((__m256i *)b, v);
    memcpy(out, b, n);
    memcpy(out + n, b + 16, n);
}

/* either half from its own 16 bytes */
AVX2 load_halves(const uint8_t *low, const uint8_t *high)
{
    __m128i l = _mm_loadu_si128((const __m128i *)low), h = _mm_loadu_si128((const __m128i *)high);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(l), h, 1);
}

__attribute__((target("avx2"))) void mlkem_avx2_encode12(uint8_t out[384], const struct poly *p)
{
    const __m256i pack = SIXTEEN(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, NONE, NONE, NONE, NONE);
    for (unsigned i = 0; i < 16; i++) {
        __m256i v = _mm256_madd_epi16(freeze(load(p, i)), _mm256_set1_epi32(4096 << 16 | 1));   /* 24 bits of 32 */
        store_halves(out + 24 * i, _mm256_shuffle_epi8(v, pack), 12);
    }
}

/* three bytes to two words, the second shifted into place */
__attribute__((target("avx2"))) void mlkem_avx2_decode12(struct poly *p, const uint8_t in[384])
{
    const __m256i first = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11,
                                           0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t b[32];
        memcpy(b, in + 24 * i, 24);
        memset(b + 24, 0, 8);
        __m256i v = _mm256_shuffle_epi8(load_halves(b, b + 12), first);
        v = _mm256_blend_epi16(v, _mm256_srli_epi16(v, 4), 0xaa);
        store(p, i, _mm256_and_si256(v, WORDS(0xfff)));
    }
}

/* Compress_d: round(2^d x / q) mod 2^d. An estimate from below, (16 x) * floor(2^(12 + d) / q) / 2^16: it loses less than
 * 53248 / 2^16 to the floored factor and less than 1 to its own flooring, so it is the floor of 2^d x / q or one less; the
 * remainder, below 2q, is exact in 16 bits; every (q + 1) / 2 = 1665 and 1665 + q it reaches adds one. */
AVX2 compressed(__m256i x, unsigned d)
{
    x = freeze(x);
    __m256i y = _mm256_mulhi_epu16(_mm256_slli_epi16(x, 4), WORDS((1u << (12 + d)) / Q));
    __m256i r = _mm256_sub_epi16(_mm256_slli_epi16(x, (int)d), _mm256_mullo_epi16(y, WORDS(Q)));
    y = _mm256_sub_epi16(y, _mm256_cmpgt_epi16(r, WORDS(1664)));
    y = _mm256_sub_epi16(y, _mm256_cmpgt_epi16(r, WORDS(1664 + Q)));
    return _mm256_and_si256(y, WORDS((1u << d) - 1));
}

/* 16 words of d bits to 4 quadwords of 4d bits: pairs by multiplication, then the upper pair moved down to the lower */
AVX2 gather(__m256i v, int d)
{
    v = _mm256_madd_epi16(v, _mm256_set1_epi32(1 << (16 + d) | 1));
    v = _mm256_sllv_epi32(v, _mm256_set1_epi64x(32 - 2 * d));
    return _mm256_srli_epi64(v, 32 - 2 * d);
}

/* two quadwords of n bits to one half of 2n bits */
AVX2 join(__m256i v, int n)
{
    __m256i low = _mm256_or_si256(v, _mm256_slli_epi64(_mm256_bsrli_epi128(v, 8), n));
    return _mm256_blend_epi32(low, _mm256_srli_epi64(v, 64 - n), 0xcc);
}

__attribute__((target("avx2"))) static void compress10(uint8_t *out, const struct poly *p)
{
    const __m256i pack = SIXTEEN(0, 1, 2, 3, 4, 8, 9, 10, 11, 12, NONE, NONE, NONE, NONE, NONE, NONE);
    for (unsigned i = 0; i < 16; i++)
        store_halves(out + 20 * i, _mm256_shuffle_epi8(gather(compressed(load(p, i), 10), 10), pack), 10);
}

__attribute__((target("avx2"))) static void compress11(uint8_t *out, const struct poly *p)
{
    for (unsigned i = 0; i < 16; i++)
        store_halves(out + 22 * i, join(gather(compressed(load(p, i), 11), 11), 44), 11);
}

__attribute__((target("avx2"))) static void compress5(uint8_t *out, const struct poly *p)
{
    for (unsigned i = 0; i < 16; i++)
        store_halves(out + 10 * i, join(gather(compressed(load(p, i), 5), 5), 20), 5);
}

__attribute__((target("avx2"))) static void compress4(uint8_t *out, const struct poly *p)
{
    const __m256i pack = SIXTEEN(0, 1, 8, 9, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE);
    for (unsigned i = 0; i < 16; i++)
        store_halves(out + 8 * i, _mm256_shuffle_epi8(gather(compressed(load(p, i), 4), 4), pack), 4);
}

__attribute__((target("avx2"))) static void compress1(uint8_t *out, const struct poly *p)
{
    for (unsigned i = 0; i < 8; i++) {
        __m256i v = _mm256_packs_epi16(compressed(load(p, 2 * i), 1), compressed(load(p, 2 * i + 1), 1));
        v = _mm256_slli_epi16(_mm256_permute4x64_epi64(v, 0xd8), 7);
        uint32_t bits = (uint32_t)_mm256_movemask_epi8(v);
        memcpy(out + 4 * i, &bits, 4);
    }
}

void mlkem_avx2_compress(uint8_t *out, const struct poly *p, unsigned d)
{
    switch (d) {
    case 1:  compress1(out, p); break;
    case 4:  compress4(out, p); break;
    case 5:  compress5(out, p); break;
    case 10: compress10(out, p); break;
    default: compress11(out, p); break;
    }
}

/* Decompress_d: round(q y / 2^d), as mulhrs rounds (2^(15 - d) y * q) / 2^15 */
AVX2 decompressed(__m256i shifted)
{
    return _mm256_mulhrs_epi16(shifted, WORDS(Q));
}

enum { PADDED = 32 * 11 + 16 };

__attribute__((target("avx2"))) static void decompress10(struct poly *p, const uint8_t *b)
{
    const __m256i window = SIXTEEN(0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 8, 8, 9);     /* bits at 0, 2, 4, 6 of a word */
    const __m256i up = _mm256_set1_epi64x(0x0001000400100040);                          /* ... are brought to 6 */
    for (unsigned i = 0; i < 16; i++) {
        __m256i v = _mm256_shuffle_epi8(load_halves(b + 20 * i, b + 20 * i + 10), window);
        v = _mm256_srli_epi16(_mm256_mullo_epi16(v, up), 1);
        store(p, i, decompressed(_mm256_and_si256(v, WORDS(0x3ff << 5))));
    }
}

/* eleven bits at 0 3 6 1 4 7 2 5 of a doubleword, eight at a time */
__attribute__((target("avx2"))) static void decompress11(struct poly *p, const uint8_t *b)
{
    const __m256i window = _mm256_setr_epi8(0, 1, 2, NONE, 1, 2, 3, NONE, 2, 3, 4, NONE, 4, 5, 6, NONE,
                                            5, 6, 7, NONE, 6, 7, 8, NONE, 8, 9, 10, NONE, 9, 10, 11, NONE);
    const __m256i down = _mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5);
    for (unsigned i = 0; i < 16; i++) {
        __m256i lo = _mm256_srlv_epi32(_mm256_shuffle_epi8(load_halves(b + 22 * i, b + 22 * i), window), down);
        __m256i hi = _mm256_srlv_epi32(_mm256_shuffle_epi8(load_halves(b + 22 * i + 11, b + 22 * i + 11), window), down);
        const __m256i m = _mm256_set1_epi32(0x7ff);
        __m256i v = _mm256_packus_epi32(_mm256_and_si256(lo, m), _mm256_and_si256(hi, m));
        v = _mm256_permute4x64_epi64(v, 0xd8);
        store(p, i, decompressed(_mm256_slli_epi16(v, 4)));
    }
}

__attribute__((target("avx2"))) static void decompress5(struct poly *p, const uint8_t *b)
{
    const __m256i window = SIXTEEN(0, 1, 0, 1, 1, 2, 1, 2, 2, 3, 3, 4, 3, 4, 4, 5);     /* at 0 5 2 7 4 1 6 3 */
    const __m256i up = _mm256_broadcastsi128_si256(_mm_setr_epi16(1 << 10, 1 << 5, 1 << 8, 1 << 3, 1 << 6, 1 << 9, 1 << 4,
                                                                  1 << 7));
    for (unsigned i = 0; i < 16; i++) {
        __m256i v = _mm256_shuffle_epi8(load_halves(b + 10 * i, b + 10 * i + 5), window);
        store(p, i, decompressed(_mm256_and_si256(_mm256_mullo_epi16(v, up), WORDS(0x1f << 10))));
    }
}

__attribute__((target("avx2"))) static void decompress4(struct poly *p, const uint8_t *b)
{
    const __m256i window = SIXTEEN(0, NONE, 0, NONE, 1, NONE, 1, NONE, 2, NONE, 2, NONE, 3, NONE, 3, NONE);
    const __m256i up = _mm256_set1_epi32(1 << (16 + 7) | 1 << 11);
    for (unsigned i = 0; i < 16; i++) {
        __m256i v = _mm256_shuffle_epi8(load_halves(b + 8 * i, b + 8 * i + 4), window);
        store(p, i, decompressed(_mm256_and_si256(_mm256_mullo_epi16(v, up), WORDS(0xf << 11))));
    }
}

__attribute__((target("avx2"))) static void decompress1(struct poly *p, const uint8_t *b)
{
    const __m256i bit = _mm256_setr_epi16(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, -32768);
    for (unsigned i = 0; i < 16; i++) {
        __m256i v = _mm256_and_si256(WORDS(b[2 * i] | b[2 * i + 1] << 8), bit);
        store(p, i, _mm256_and_si256(_mm256_cmpeq_epi16(v, bit), WORDS((Q + 1) / 2)));
    }
}

void mlkem_avx2_decompress(struct poly *p, const uint8_t *in, unsigned d)
{
    uint8_t b[PADDED];                  /* the loads of the last coefficients reach beyond the input */
    memcpy(b, in, 32 * d);
    memset(b + 32 * d, 0, 16);
    switch (d) {
    case 1:  decompress1(p, b); break;
    case 4:  decompress4(p, b); break;
    case 5:  decompress5(p, b); break;
    case 10: decompress10(p, b); break;
    default: decompress11(p, b); break;
    }
    secret_wipe(b, 32 * d);
}

#endif
