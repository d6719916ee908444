/* Keccak-f[1600] on four states at once, one in each 64-bit lane of a ymm register: with AVX2, and with the rotations and
 * three-input logic of AVX-512VL; and on twice four in zmm registers. No branch depends on a state. */
#include "crypto/kernel/keccak.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANE         __m256i
#define ROUND_KEY(i) _mm256_set1_epi64x((long long)keccak_round[i])
#define IN(name, n)  x##name = _mm256_loadu_si256((const __m256i *)a[n]);
#define OUT(name, n) _mm256_storeu_si256((__m256i *)a[n], x##name);

#define XOR(a, b)           _mm256_xor_si256(a, b)
#define XOR5(a, b, c, d, e) XOR(XOR(XOR(a, b), XOR(c, d)), e)
#define ROL(x, n)           _mm256_or_si256(_mm256_slli_epi64(x, n), _mm256_srli_epi64(x, 64 - (n)))
#define CHI(a, b, c)        XOR(a, _mm256_andnot_si256(b, c))
#include "crypto/kernel/keccak_rounds.h"

__attribute__((target("avx2"))) static void avx2_x4(uint64_t a[25][4])
{
    KECCAK_PERMUTE(IN, OUT)
}

void keccak_avx2_fours(uint64_t a[][25][4], unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        avx2_x4(a[i]);
}

#undef XOR5
#undef ROL
#undef CHI
#define XOR3(a, b, c)       _mm256_ternarylogic_epi64(a, b, c, 0x96)
#define XOR5(a, b, c, d, e) XOR3(XOR3(a, b, c), d, e)
#define ROL(x, n)           _mm256_rol_epi64(x, n)
#define CHI(a, b, c)        _mm256_ternarylogic_epi64(a, b, c, 0xd2)        /* a ^ (~b & c) */

__attribute__((target("avx512f,avx512vl"))) static void avx512_x4(uint64_t a[25][4])
{
    KECCAK_PERMUTE(IN, OUT)
}

#undef LANE
#undef ROUND_KEY
#undef IN
#undef OUT
#undef XOR
#undef XOR3
#undef ROL
#undef CHI
#define LANE         __m512i
#define ROUND_KEY(i) _mm512_set1_epi64((long long)keccak_round[i])
#define HALF(i, n)   ((__m256i *)a[i][n])
#define IN(name, n) \
    x##name = _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(HALF(0, n))), _mm256_loadu_si256(HALF(1, n)), 1);
#define OUT(name, n) \
    _mm256_storeu_si256(HALF(0, n), _mm512_castsi512_si256(x##name)); \
    _mm256_storeu_si256(HALF(1, n), _mm512_extracti64x4_epi64(x##name, 1));

#define XOR(a, b)     _mm512_xor_si512(a, b)
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define ROL(x, n)     _mm512_rol_epi64(x, n)
#define CHI(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, 0xd2)

/* eight take half as long again as four */
__attribute__((target("avx512f,avx512vl"))) static void avx512_x8(uint64_t a[2][25][4])
{
    KECCAK_PERMUTE(IN, OUT)
}

void keccak_avx512_fours(uint64_t a[][25][4], unsigned n)
{
    if (n == 2)
        avx512_x8(a);
    else
        avx512_x4(a[0]);
}

#endif
