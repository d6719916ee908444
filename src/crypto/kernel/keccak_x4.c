/* Keccak-f[1600] on four states at once, one in each 64-bit lane of a ymm register: with AVX2, and with the rotations and
 * three-input logic of AVX-512VL. No branch depends on a state. */
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

__attribute__((target("avx2"))) void keccak_avx2_x4(uint64_t a[25][4])
{
    KECCAK_PERMUTE(IN, OUT)
}

#undef XOR5
#undef ROL
#undef CHI
#define XOR3(a, b, c)       _mm256_ternarylogic_epi64(a, b, c, 0x96)
#define XOR5(a, b, c, d, e) XOR3(XOR3(a, b, c), d, e)
#define ROL(x, n)           _mm256_rol_epi64(x, n)
#define CHI(a, b, c)        _mm256_ternarylogic_epi64(a, b, c, 0xd2)        /* a ^ (~b & c) */

__attribute__((target("avx512f,avx512vl"))) void keccak_avx512_x4(uint64_t a[25][4])
{
    KECCAK_PERMUTE(IN, OUT)
}

#endif
