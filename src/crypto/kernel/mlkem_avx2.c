/* ML-KEM's arithmetic with AVX2 (FIPS 203 4.2 - 4.3), sixteen coefficients to a register, in natural order. What
 * packs is in mlkem_avx2_pack.c, what samples in mlkem_avx2_sample.c. No branch or address depends on a coefficient. */
#include "crypto/kernel/mlkem_avx2.h"

#if defined(__x86_64__)

#include "crypto/kernel/ct.h"

enum { Q = MLKEM_Q, Q_INVERSE = -3327 };
enum { MONT_SQUARED = 1353, MONT_SQUARED_128TH = 1441 };        /* 2^32 and 2^32 / 128 mod q */

#define WORDS(x) _mm256_set1_epi16((short)(x))
#define EVENS    0x55
#define ODDS     0xaa

/* a * z * 2^-16, small: the high halves of a * z and of (a * z / q mod 2^16) * q, whose low halves are the same. `zq` is
 * z / q mod 2^16. */
AVX2 mul(__m256i a, __m256i z, __m256i zq)
{
    return _mm256_sub_epi16(_mm256_mulhi_epi16(a, z), _mm256_mulhi_epi16(_mm256_mullo_epi16(a, zq), WORDS(Q)));
}

AVX2 over_q(__m256i z)
{
    return _mm256_mullo_epi16(z, WORDS(Q_INVERSE));
}

/* any word to a small one: 10 / 2^15 is 1 / q and less than 0.16 / 2^15 more, so the rounded quotient is at most 0.66 off */
AVX2 barrett(__m256i x)
{
    return _mm256_sub_epi16(x, _mm256_mullo_epi16(_mm256_mulhrs_epi16(x, WORDS(10)), WORDS(Q)));
}

AVX2 load(const struct poly *p, unsigned i)
{
    return _mm256_load_si256((const __m256i *)(p->c + 16 * i));
}

AVX2_VOID store(struct poly *p, unsigned i, __m256i v)
{
    _mm256_store_si256((__m256i *)(p->c + 16 * i), v);
}

/* ---- the NTT. A pair of registers x, y holds both halves of its butterflies. */

AVX2_VOID butterfly(__m256i *x, __m256i *y, __m256i z)
{
    __m256i t = mul(*y, z, over_q(z));
    *y = _mm256_sub_epi16(*x, t);
    *x = _mm256_add_epi16(*x, t);
}

AVX2_VOID butterfly_inverse(__m256i *x, __m256i *y, __m256i z)
{
    __m256i d = _mm256_sub_epi16(*y, *x);
    *x = _mm256_add_epi16(*x, *y);
    *y = mul(d, z, over_q(z));
}

/* Exchanges of halves between x and y, each its own inverse. Coefficients 0..15 and 16..31 become, 8 apart, 0-7 16-23 and
 * 8-15 24-31; then, 4 apart, 0-3 8-11 16-19 24-27 and the rest; then, 2 apart, 0 1 4 5 8 9 ... and 2 3 6 7 10 11 .... */
AVX2_VOID exchange8(__m256i *x, __m256i *y)
{
    __m256i lo = _mm256_permute2x128_si256(*x, *y, 0x20), hi = _mm256_permute2x128_si256(*x, *y, 0x31);
    *x = lo, *y = hi;
}

AVX2_VOID exchange4(__m256i *x, __m256i *y)
{
    __m256i lo = _mm256_unpacklo_epi64(*x, *y), hi = _mm256_unpackhi_epi64(*x, *y);
    *x = lo, *y = hi;
}

AVX2_VOID exchange2(__m256i *x, __m256i *y)
{
    __m256i lo = _mm256_blend_epi32(*x, _mm256_slli_epi64(*y, 32), ODDS);
    __m256i hi = _mm256_blend_epi32(_mm256_srli_epi64(*x, 32), *y, ODDS);
    *x = lo, *y = hi;
}

/* a byte shuffle that takes words a b c d (of a quarter register each) from one register half, e f g h from the other */
#define SHUFFLE(a, b, c, d, e, f, g, h) _mm256_setr_epi8( \
    2 * (a), 2 * (a) + 1, 2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (b), 2 * (b) + 1, \
    2 * (c), 2 * (c) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1, 2 * (d), 2 * (d) + 1, \
    2 * (e), 2 * (e) + 1, 2 * (e), 2 * (e) + 1, 2 * (f), 2 * (f) + 1, 2 * (f), 2 * (f) + 1, \
    2 * (g), 2 * (g) + 1, 2 * (g), 2 * (g) + 1, 2 * (h), 2 * (h) + 1, 2 * (h), 2 * (h) + 1)

/* zetas for butterflies 8, 4 and 2 apart, laid out as the exchanges lay out their blocks */
AVX2 zetas2(const int16_t *z, __m256i shuffle)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)z)), shuffle);
}

AVX2 zetas4(const int16_t *z, __m256i shuffle)
{
    long long w;
    memcpy(&w, z, 8);
    return _mm256_shuffle_epi8(_mm256_set1_epi64x(w), shuffle);
}

AVX2 zetas8(const int16_t *z, __m256i shuffle)
{
    int w;
    memcpy(&w, z, 4);
    return _mm256_shuffle_epi8(_mm256_set1_epi32(w), shuffle);
}

/* Butterflies 128, 64 and 32 apart on the registers of one parity, then 16, 8, 4 and 2 apart on each pair. Seven layers
 * add less than q each: below 8q before the reduction. */
__attribute__((target("avx2"))) static void ntt(struct poly *p)
{
    for (unsigned odd = 0; odd < 2; odd++) {
        __m256i v0 = load(p, odd), v1 = load(p, odd + 2), v2 = load(p, odd + 4), v3 = load(p, odd + 6);
        __m256i v4 = load(p, odd + 8), v5 = load(p, odd + 10), v6 = load(p, odd + 12), v7 = load(p, odd + 14);
        __m256i z = WORDS(mlkem_zeta[1]);
        butterfly(&v0, &v4, z), butterfly(&v1, &v5, z), butterfly(&v2, &v6, z), butterfly(&v3, &v7, z);
        z = WORDS(mlkem_zeta[2]);
        butterfly(&v0, &v2, z), butterfly(&v1, &v3, z);
        z = WORDS(mlkem_zeta[3]);
        butterfly(&v4, &v6, z), butterfly(&v5, &v7, z);
        butterfly(&v0, &v1, WORDS(mlkem_zeta[4])), butterfly(&v2, &v3, WORDS(mlkem_zeta[5]));
        butterfly(&v4, &v5, WORDS(mlkem_zeta[6])), butterfly(&v6, &v7, WORDS(mlkem_zeta[7]));
        store(p, odd, v0), store(p, odd + 2, v1), store(p, odd + 4, v2), store(p, odd + 6, v3);
        store(p, odd + 8, v4), store(p, odd + 10, v5), store(p, odd + 12, v6), store(p, odd + 14, v7);
    }
    for (unsigned i = 0; i < 8; i++) {
        __m256i x = load(p, 2 * i), y = load(p, 2 * i + 1);
        butterfly(&x, &y, WORDS(mlkem_zeta[8 + i]));
        exchange8(&x, &y);
        butterfly(&x, &y, zetas8(mlkem_zeta + 16 + 2 * i, SHUFFLE(0, 0, 0, 0, 1, 1, 1, 1)));
        exchange4(&x, &y);
        butterfly(&x, &y, zetas4(mlkem_zeta + 32 + 4 * i, SHUFFLE(0, 0, 1, 1, 2, 2, 3, 3)));
        exchange2(&x, &y);
        butterfly(&x, &y, zetas2(mlkem_zeta + 64 + 8 * i, SHUFFLE(0, 1, 2, 3, 4, 5, 6, 7)));
        x = barrett(x), y = barrett(y);
        exchange2(&x, &y);
        exchange4(&x, &y);
        exchange8(&x, &y);
        store(p, 2 * i, x), store(p, 2 * i + 1, y);
    }
}

/* The same backwards. Sums double at each layer and are reduced after the third and the sixth, at 8q. */
__attribute__((target("avx2"))) static void ntt_inverse(struct poly *p)
{
    for (unsigned i = 0; i < 8; i++) {
        __m256i x = load(p, 2 * i), y = load(p, 2 * i + 1);
        exchange8(&x, &y);
        exchange4(&x, &y);
        exchange2(&x, &y);
        butterfly_inverse(&x, &y, zetas2(mlkem_zeta + 120 - 8 * i, SHUFFLE(7, 6, 5, 4, 3, 2, 1, 0)));
        exchange2(&x, &y);
        butterfly_inverse(&x, &y, zetas4(mlkem_zeta + 60 - 4 * i, SHUFFLE(3, 3, 2, 2, 1, 1, 0, 0)));
        exchange4(&x, &y);
        butterfly_inverse(&x, &y, zetas8(mlkem_zeta + 30 - 2 * i, SHUFFLE(1, 1, 1, 1, 0, 0, 0, 0)));
        x = barrett(x);
        exchange8(&x, &y);
        butterfly_inverse(&x, &y, WORDS(mlkem_zeta[15 - i]));
        store(p, 2 * i, x), store(p, 2 * i + 1, y);
    }
    const __m256i f = WORDS(MONT_SQUARED_128TH), fq = over_q(f);
    for (unsigned odd = 0; odd < 2; odd++) {
        __m256i v0 = load(p, odd), v1 = load(p, odd + 2), v2 = load(p, odd + 4), v3 = load(p, odd + 6);
        __m256i v4 = load(p, odd + 8), v5 = load(p, odd + 10), v6 = load(p, odd + 12), v7 = load(p, odd + 14);
        butterfly_inverse(&v0, &v1, WORDS(mlkem_zeta[7])), butterfly_inverse(&v2, &v3, WORDS(mlkem_zeta[6]));
        butterfly_inverse(&v4, &v5, WORDS(mlkem_zeta[5])), butterfly_inverse(&v6, &v7, WORDS(mlkem_zeta[4]));
        __m256i z = WORDS(mlkem_zeta[3]);
        butterfly_inverse(&v0, &v2, z), butterfly_inverse(&v1, &v3, z);
        z = WORDS(mlkem_zeta[2]);
        butterfly_inverse(&v4, &v6, z), butterfly_inverse(&v5, &v7, z);
        v0 = barrett(v0), v1 = barrett(v1), v4 = barrett(v4), v5 = barrett(v5);
        z = WORDS(mlkem_zeta[1]);
        butterfly_inverse(&v0, &v4, z), butterfly_inverse(&v1, &v5, z);
        butterfly_inverse(&v2, &v6, z), butterfly_inverse(&v3, &v7, z);
        store(p, odd, mul(v0, f, fq)), store(p, odd + 2, mul(v1, f, fq)), store(p, odd + 4, mul(v2, f, fq));
        store(p, odd + 6, mul(v3, f, fq)), store(p, odd + 8, mul(v4, f, fq)), store(p, odd + 10, mul(v5, f, fq));
        store(p, odd + 12, mul(v6, f, fq)), store(p, odd + 14, mul(v7, f, fq));
    }
}

__attribute__((target("avx2"))) static void cache(struct poly *c, const struct poly *b)
{
    const __m256i sign = _mm256_set1_epi64x(-0x0000fffefffeffff);       /* words 1 1 1 -1 */
    for (unsigned i = 0; i < 16; i++) {
        __m256i z = zetas4(mlkem_zeta + 64 + 4 * i, SHUFFLE(0, 0, 1, 1, 2, 2, 3, 3)), v = load(b, i);
        z = _mm256_sign_epi16(z, sign);
        store(c, i, _mm256_blend_epi16(v, mul(v, z, over_q(z)), ODDS));
    }
}

/* Sums of products in 32 bits: at most 2 * 4 * 4095 * (q - 1) < 2^15 q, then one reduction, as in the portable form. */
__attribute__((target("avx2"))) static void dot(struct poly *r, const struct poly *a, unsigned stride, const struct poly *b,
                                                const struct poly *b_cache, unsigned k)
{
    const __m256i swap = _mm256_set_epi64x(0x0d0c0f0e09080b0a, 0x0504070601000302, 0x0d0c0f0e09080b0a, 0x0504070601000302);
    const __m256i low_q = _mm256_set1_epi32(Q);
    for (unsigned j = 0; j < 16; j++) {
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (unsigned i = 0; i < k; i++) {
            __m256i v = load(a + i * stride, j);
            even = _mm256_add_epi32(even, _mm256_madd_epi16(v, load(b_cache + i, j)));
            odd = _mm256_add_epi32(odd, _mm256_madd_epi16(v, _mm256_shuffle_epi8(load(b + i, j), swap)));
        }
        even = _mm256_sub_epi32(even, _mm256_madd_epi16(over_q(even), low_q));
        odd = _mm256_sub_epi32(odd, _mm256_madd_epi16(over_q(odd), low_q));
        store(r, j, _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, ODDS));
    }
}

__attribute__((target("avx2"))) static void to_mont(struct poly *p)
{
    const __m256i f = WORDS(MONT_SQUARED), fq = over_q(f);
    for (unsigned i = 0; i < 16; i++)
        store(p, i, mul(load(p, i), f, fq));
}

__attribute__((target("avx2"))) static void add(struct poly *r, const struct poly *a)
{
    for (unsigned i = 0; i < 16; i++)
        store(r, i, barrett(_mm256_add_epi16(load(r, i), load(a, i))));
}

__attribute__((target("avx2"))) static void sub(struct poly *r, const struct poly *a)
{
    for (unsigned i = 0; i < 16; i++)
        store(r, i, barrett(_mm256_sub_epi16(load(a, i), load(r, i))));
}

#define MLKEM_AVX2_OPS(name_, matrix_, noise_, h_and_j_) { \
    .name = name_, .permute = keccak_bmi, .matrix = matrix_, .noise = noise_, .h_and_j = h_and_j_, \
    .ntt = ntt, .ntt_inverse = ntt_inverse, .cache = cache, .dot = dot, .to_mont = to_mont, .add = add, .sub = sub, .encode12 = mlkem_avx2_encode12, \
    .decode12 = mlkem_avx2_decode12, .compress = mlkem_avx2_compress, .decompress = mlkem_avx2_decompress }

const struct mlkem_ops mlkem_avx2 = MLKEM_AVX2_OPS("avx2", mlkem_avx2_matrix, mlkem_avx2_noise, mlkem_h_and_j);
const struct mlkem_ops mlkem_avx512 =
    MLKEM_AVX2_OPS("avx512", mlkem_avx512_matrix, mlkem_avx512_noise, mlkem_avx512_h_and_j);
const struct mlkem_ops mlkem_vbmi2 =
    MLKEM_AVX2_OPS("vbmi2", mlkem_vbmi2_matrix, mlkem_avx512_noise, mlkem_avx512_h_and_j);

#endif
