/* Sampling and hashing for ML-KEM with AVX2 and more: four or eight Keccak states side by side, twelve-bit rejection and the
 * binomial distribution in vectors. The matrix comes from a public seed and may branch on it; noise never does. */
#include "crypto/kernel/mlkem_avx2.h"

#if defined(__x86_64__)

#include <string.h>

#include "base/secret.h"

/* SampleNTT (FIPS 203 algorithm 7) over one block: how many of the 256 there are then */
typedef unsigned reject_fn(int16_t *out, unsigned n, const uint8_t in[SHAKE128_RATE + 8]);

/* One block of each lane, lane after lane, `words` (a multiple of four, at most 24) of them each: transposed by fours. */
struct blocks { uint8_t b[4][24 * 8] __attribute__((aligned(32))); };

AVX2_VOID squeeze(struct blocks *out, uint64_t a[25][4], unsigned words)
{
    for (unsigned j = 0; j < words; j += 4) {
        __m256i r0 = _mm256_loadu_si256((const __m256i *)a[j]), r1 = _mm256_loadu_si256((const __m256i *)a[j + 1]);
        __m256i r2 = _mm256_loadu_si256((const __m256i *)a[j + 2]), r3 = _mm256_loadu_si256((const __m256i *)a[j + 3]);
        __m256i t0 = _mm256_unpacklo_epi64(r0, r1), t1 = _mm256_unpackhi_epi64(r0, r1);
        __m256i t2 = _mm256_unpacklo_epi64(r2, r3), t3 = _mm256_unpackhi_epi64(r2, r3);
        _mm256_store_si256((__m256i *)(out->b[0] + 8 * j), _mm256_permute2x128_si256(t0, t2, 0x20));
        _mm256_store_si256((__m256i *)(out->b[1] + 8 * j), _mm256_permute2x128_si256(t1, t3, 0x20));
        _mm256_store_si256((__m256i *)(out->b[2] + 8 * j), _mm256_permute2x128_si256(t0, t2, 0x31));
        _mm256_store_si256((__m256i *)(out->b[3] + 8 * j), _mm256_permute2x128_si256(t1, t3, 0x31));
    }
}

static uint64_t word(const uint8_t *in, size_t i)
{
    uint64_t w;
    memcpy(&w, in + 8 * i, 8);
    return w;
}

/* seed || tail[i] with SHAKE's padding in lane i; tail holds the bytes after the 32 of the seed and the first of the padding */
AVX2_VOID absorb(uint64_t a[25][4], const uint8_t seed[32], const uint64_t tail[4], unsigned rate)
{
    memset(a, 0, 25 * sizeof *a);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned n = 0; n < 4; n++)
            a[i][n] = word(seed, i);
        a[4][i] = tail[i];
        a[rate / 8 - 1][i] = UINT64_C(1) << 63;
    }
}

/* The words of v whose bit in `mask` (one per word) is set, moved together: their indices are extracted from 0..7. */
__attribute__((target("avx2,bmi2"))) static inline __m128i squash(__m128i v, unsigned mask)
{
    uint64_t bytes = _pdep_u64(mask, 0x0101010101010101) * 0xff;
    __m128i at = _mm_cvtsi64_si128((long long)_pext_u64(0x0e0c0a0806040200, bytes));
    at = _mm_unpacklo_epi8(at, _mm_add_epi8(at, _mm_set1_epi8(1)));
    return _mm_shuffle_epi8(v, at);
}

/* 7 times 24 bytes, 16 candidates each; in may be read up to 8 bytes further */
__attribute__((target("avx2,bmi2"))) static unsigned reject_avx2(int16_t *out, unsigned n, const uint8_t in[SHAKE128_RATE + 8])
{
    const __m256i words = _mm256_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11,
                                           4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
    for (unsigned i = 0; i < SHAKE128_RATE; i += 24) {
        if (n > 256 - 16)
            return n + mlkem_reject(out + n, 256 - n, in + i, SHAKE128_RATE - i);
        __m256i v = _mm256_permute4x64_epi64(_mm256_loadu_si256((const __m256i *)(in + i)), 0x94);
        v = _mm256_shuffle_epi8(v, words);
        v = _mm256_and_si256(_mm256_blend_epi16(v, _mm256_srli_epi16(v, 4), 0xaa), _mm256_set1_epi16(0xfff));
        __m256i good = _mm256_cmpgt_epi16(_mm256_set1_epi16(MLKEM_Q), v);
        unsigned mask = (unsigned)_mm256_movemask_epi8(_mm256_packs_epi16(good, _mm256_setzero_si256()));
        unsigned low = mask & 0xff, high = mask >> 16 & 0xff;
        _mm_storeu_si128((__m128i *)(out + n), squash(_mm256_castsi256_si128(v), low));
        n += (unsigned)__builtin_popcount(low);
        _mm_storeu_si128((__m128i *)(out + n), squash(_mm256_extracti128_si256(v, 1), high));
        n += (unsigned)__builtin_popcount(high);
    }
    return n;
}

/* 48 bytes at a time, 32 candidates: those below q are moved together by one instruction */
__attribute__((target("avx2,bmi2,popcnt,avx512bw,avx512vbmi,avx512vbmi2"))) static unsigned
reject_vbmi2(int16_t *out, unsigned n, const uint8_t in[SHAKE128_RATE + 8])
{
    static const uint8_t words[64] __attribute__((aligned(64))) = {
        0,  1,  1,  2,  3,  4,  4,  5,  6,  7,  7,  8,  9,  10, 10, 11, 12, 13, 13, 14, 15, 16, 16, 17, 18, 19, 19, 20, 21, 22, 22, 23,
        24, 25, 25, 26, 27, 28, 28, 29, 30, 31, 31, 32, 33, 34, 34, 35, 36, 37, 37, 38, 39, 40, 40, 41, 42, 43, 43, 44, 45, 46, 46, 47
    };
    const __m512i at = _mm512_load_si512(words);
    for (unsigned i = 0; i < SHAKE128_RATE && n < 256; i += 48) {
        unsigned bytes = SHAKE128_RATE - i < 48 ? SHAKE128_RATE - i : 48;
        __m512i v = _mm512_permutexvar_epi8(at, _mm512_maskz_loadu_epi8(((__mmask64)1 << bytes) - 1, in + i));
        v = _mm512_and_si512(_mm512_mask_srli_epi16(v, 0xaaaaaaaa, v, 4), _mm512_set1_epi16(0xfff));
        __mmask32 good = _mm512_mask_cmplt_epu16_mask(_bzhi_u32(UINT32_MAX, bytes / 3 * 2), v, _mm512_set1_epi16(MLKEM_Q));
        unsigned found = (unsigned)_mm_popcnt_u32(good), room = 256 - n;
        found = found < room ? found : room;
        _mm512_mask_storeu_epi16(out + n, _bzhi_u32(UINT32_MAX, found), _mm512_maskz_compress_epi16(good, v));
        n += found;
    }
    return n;
}

/* entries `from` .. of the matrix, eight at most */
AVX2_VOID matrix_some(struct poly *a, unsigned from, unsigned count, unsigned k, const uint8_t rho[32], keccak_fours_fn *permute,
                      reject_fn *reject)
{
    uint64_t state[2][25][4], tail[4];
    unsigned n[8] = { 0 }, fours = (count + 3) / 4;
    struct blocks blocks;
    for (unsigned f = 0; f < fours; f++) {
        for (unsigned i = 0, at = from + 4 * f; i < 4; i++, at++)
            tail[i] = at % k | (uint64_t)(at / k) << 8 | (uint64_t)PAD_SHAKE << 16;
        absorb(state[f], rho, tail, SHAKE128_RATE);
    }
    for (bool more = true; more;) {
        permute(state, fours);
        more = false;
        for (unsigned i = 0; i < count; i++) {
            if (i % 4 == 0)
                squeeze(&blocks, state[i / 4], 24);
            if (n[i] < 256)
                n[i] = reject(a[from + i].c, n[i], blocks.b[i % 4]);
            more |= n[i] < 256;
        }
    }
}

static void matrix_one(struct poly *a, unsigned at, unsigned k, const uint8_t rho[32], reject_fn *reject)
{
    struct sponge s;
    uint8_t tail[2] = { (uint8_t)(at % k), (uint8_t)(at / k) }, block[SHAKE128_RATE + 8] = { 0 };
    sponge_start(&s, keccak_bmi, SHAKE128_RATE);
    sponge_absorb(&s, rho, 32);
    sponge_absorb(&s, tail, 2);
    sponge_pad(&s, PAD_SHAKE);
    for (unsigned n = 0; n < 256;) {
        sponge_squeeze(&s, block, SHAKE128_RATE);
        n = reject(a[at].c, n, block);
    }
}

AVX2_VOID matrix(struct poly *a, unsigned k, const uint8_t rho[32], keccak_fours_fn *permute, reject_fn *reject)
{
    switch (k) {
    case 2: matrix_some(a, 0, 4, 2, rho, permute, reject); break;
    case 3: matrix_some(a, 0, 8, 3, rho, permute, reject), matrix_one(a, 8, 3, rho, reject); break;
    default: matrix_some(a, 0, 8, 4, rho, permute, reject), matrix_some(a, 8, 8, 4, rho, permute, reject); break;
    }
}

/* FIPS 203 algorithm 8 with eta = 2: a nibble is two bits less two bits, so pairs are added, then 3 + a - b is made in each
 * nibble, and 3 taken away in bytes. */
AVX2_VOID cbd2(struct poly *p, const uint8_t in[128])
{
    const __m256i m5 = _mm256_set1_epi8(0x55), m3 = _mm256_set1_epi8(0x33), three = _mm256_set1_epi8(3);
    const __m256i mf = _mm256_set1_epi8(0x0f);
    for (unsigned i = 0; i < 4; i++) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(in + 32 * i));
        v = _mm256_add_epi8(_mm256_and_si256(v, m5), _mm256_and_si256(_mm256_srli_epi16(v, 1), m5));
        __m256i b = _mm256_and_si256(_mm256_srli_epi16(v, 2), m3);
        v = _mm256_sub_epi8(_mm256_add_epi8(_mm256_and_si256(v, m3), m3), b);
        __m256i even = _mm256_sub_epi8(_mm256_and_si256(v, mf), three);
        __m256i odd = _mm256_sub_epi8(_mm256_and_si256(_mm256_srli_epi16(v, 4), mf), three);
        __m256i lo = _mm256_unpacklo_epi8(even, odd), hi = _mm256_unpackhi_epi8(even, odd);
        __m256i *to = (__m256i *)(p->c + 64 * i);
        _mm256_store_si256(to, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(lo)));
        _mm256_store_si256(to + 1, _mm256_cvtepi8_epi16(_mm256_castsi256_si128(hi)));
        _mm256_store_si256(to + 2, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(lo, 1)));
        _mm256_store_si256(to + 3, _mm256_cvtepi8_epi16(_mm256_extracti128_si256(hi, 1)));
    }
}

/* polynomials of eta = 2, which take 128 bytes each, within one block: eight at most */
AVX2_VOID noise2(struct poly *p, unsigned count, const uint8_t seed[32], uint8_t nonce, keccak_fours_fn *permute)
{
    uint64_t state[2][25][4], tail[4];
    struct blocks blocks;
    unsigned fours = (count + 3) / 4;
    for (unsigned f = 0; f < fours; f++) {
        for (unsigned i = 0; i < 4; i++)
            tail[i] = (uint8_t)(nonce + 4 * f + i) | (uint64_t)PAD_SHAKE << 8;
        absorb(state[f], seed, tail, SHAKE256_RATE);
    }
    permute(state, fours);
    for (unsigned i = 0; i < count; i++) {
        if (i % 4 == 0)
            squeeze(&blocks, state[i / 4], 20);
        cbd2(&p[i], blocks.b[i % 4]);
    }
    secret_wipe(state, sizeof state);
    secret_wipe(&blocks, sizeof blocks);
}

/* ... of eta = 3, ML-KEM-512's: 192 bytes, two blocks; four at most */
AVX2_VOID noise3(struct poly *p, unsigned count, const uint8_t seed[32], uint8_t nonce, keccak_fours_fn *permute)
{
    uint64_t state[1][25][4], tail[4];
    struct blocks blocks;
    uint8_t bytes[4][SHAKE256_RATE + 64];
    for (unsigned i = 0; i < 4; i++)
        tail[i] = (uint8_t)(nonce + i) | (uint64_t)PAD_SHAKE << 8;
    absorb(state[0], seed, tail, SHAKE256_RATE);
    permute(state, 1);
    squeeze(&blocks, state[0], 20);
    for (unsigned i = 0; i < 4; i++)
        memcpy(bytes[i], blocks.b[i], SHAKE256_RATE);
    permute(state, 1);
    squeeze(&blocks, state[0], 8);
    for (unsigned i = 0; i < count; i++) {
        memcpy(bytes[i] + SHAKE256_RATE, blocks.b[i], 64);
        mlkem_cbd(&p[i], bytes[i], 3);
    }
    secret_wipe(state, sizeof state);
    secret_wipe(&blocks, sizeof blocks);
    secret_wipe(bytes, sizeof bytes);
}

AVX2_VOID noise(struct poly *p, unsigned count, unsigned eta, const uint8_t seed[32], uint8_t nonce, keccak_fours_fn *permute)
{
    const unsigned most = eta == 2 ? 8 : 4;
    for (unsigned from = 0; from < count; from += most) {
        unsigned n = count - from < most ? count - from : most;
        if (eta == 2)
            noise2(p + from, n, seed, (uint8_t)(nonce + from), permute);
        else
            noise3(p + from, n, seed, (uint8_t)(nonce + from), permute);
    }
}

/* H and J have one rate, all that they hash is whole words, and in every set it takes them equally many blocks: so each has a
 * lane. With AVX-512 four states take no longer than one; with AVX2 they take as long as two, and nothing is won. */
__attribute__((target("avx2"))) void mlkem_avx512_h_and_j(const struct mlkem *m, uint8_t h[32], uint8_t j[32], const uint8_t *ek,
                                                          const uint8_t z[32], const uint8_t *ct)
{
    enum { BLOCK = SHA3_256_RATE / 8 };
    uint64_t state[1][25][4] = { 0 }, (*a)[4] = state[0];
    struct blocks blocks;
    const size_t h_n = m->ek_n / 8, j_n = 4 + m->ct_n / 8;
    for (size_t i = 0, at = 0; i < h_n || i < j_n; i++) {
        if (i < h_n)
            a[at][0] ^= word(ek, i);
        if (i < j_n)
            a[at][1] ^= i < 4 ? word(z, i) : word(ct, i - 4);
        if (++at == BLOCK) {
            keccak_avx512_fours(state, 1);
            at = 0;
        }
    }
    a[h_n % BLOCK][0] ^= PAD_SHA3;
    a[j_n % BLOCK][1] ^= PAD_SHAKE;
    a[BLOCK - 1][0] ^= UINT64_C(1) << 63;
    a[BLOCK - 1][1] ^= UINT64_C(1) << 63;
    keccak_avx512_fours(state, 1);
    squeeze(&blocks, a, 4);
    memcpy(h, blocks.b[0], 32);
    memcpy(j, blocks.b[1], 32);
    secret_wipe(state, sizeof state);
    secret_wipe(&blocks, sizeof blocks);
}

#define MATRIX(name, permute, reject) \
    __attribute__((target("avx2"))) void mlkem_##name##_matrix(struct poly *a, unsigned k, const uint8_t rho[32]) \
    { \
        matrix(a, k, rho, permute, reject); \
    }
#define NOISE(name, permute) \
    __attribute__((target("avx2"))) void mlkem_##name##_noise(struct poly *p, unsigned count, unsigned eta, \
                                                              const uint8_t seed[32], uint8_t nonce) \
    { \
        noise(p, count, eta, seed, nonce, permute); \
    }

MATRIX(avx2, keccak_avx2_fours, reject_avx2)
MATRIX(avx512, keccak_avx512_fours, reject_avx2)
MATRIX(vbmi2, keccak_avx512_fours, reject_vbmi2)
NOISE(avx2, keccak_avx2_fours)
NOISE(avx512, keccak_avx512_fours)

#endif
