/* The AVX-512 that the IFMA kernels use, in plain C, so that valgrind, which knows none of it, can follow secrets through
 * them. Included before a kernel's .c file. A permutation by a secret index is constant time in the machine, and is a masked
 * sum here. */
#ifndef TESTS_CT_IFMA_EMULATION_H
#define TESTS_CT_IFMA_EMULATION_H

#include <immintrin.h>                      /* now, so that a kernel's own #include of it finds nothing to do */
#include <stdint.h>
#include <string.h>

#define IFMA                                /* no target */
#define INLINE static __attribute__((unused, noinline))

struct e128 { uint64_t q[2]; };
struct e256 { uint64_t q[4]; };
struct e512 { uint64_t q[8]; };
#define __m128i struct e128
#define __m256i struct e256
#define __m512i struct e512
#define __mmask8 uint8_t

__extension__ typedef unsigned __int128 e_wide;

static inline uint64_t e_nonzero(uint64_t x)
{
    uint64_t bit = (x | (0 - x)) >> 63;
    __asm__("" : "+r"(bit));                /* or clang makes branches of the masks that come of it */
    return bit;
}
static inline uint64_t e_lane(unsigned k, unsigned i) { return 0 - (uint64_t)(k >> i & 1); }
static inline uint64_t e_sra(uint64_t x, unsigned n) { return (uint64_t)((int64_t)x >> n); }
static inline uint64_t e_mul(uint64_t a, uint64_t b, unsigned high)
{
    const uint64_t m = (UINT64_C(1) << 52) - 1;
    e_wide p = (e_wide)(a & m) * (b & m);
    return (uint64_t)(high ? p >> 52 : p) & m;
}
static inline uint64_t e_pick(const uint64_t *v, unsigned n, uint64_t index)
{
    uint64_t r = 0;
    for (unsigned j = 0; j < n; j++)
        r |= v[j] & (e_nonzero((index & (n - 1)) ^ j) - 1);
    return r;
}
/* dword i of a or, where bit i of k is set, of b */
static inline uint64_t e_blend(uint64_t a, uint64_t b, unsigned k)
{
    uint64_t m = (k & 1 ? UINT64_C(0xffffffff) : 0) | (k & 2 ? UINT64_C(0xffffffff) << 32 : 0);
    return (a & ~m) | (b & m);
}

/* T name(parameters) whose lane i, of n, is `expression` */
#define E_OP(T, n, name, parameters, expression) \
    static __attribute__((unused)) T e##name parameters \
    { \
        T r; \
        for (unsigned i = 0; i < (n); i++) \
            r.q[i] = (expression); \
        return r; \
    }
#define E_BOTH(op, parameters_of, expression) \
    E_OP(struct e256, 4, _mm256_##op, parameters_of(struct e256), expression) \
    E_OP(struct e512, 8, _mm512_##op, parameters_of(struct e512), expression)
#define E_AB(T)  (T a, T b)
#define E_ABC(T) (T a, T b, T c)
#define E_AN(T)  (T a, unsigned n)

E_BOTH(add_epi64, E_AB, a.q[i] + b.q[i])
E_BOTH(sub_epi64, E_AB, a.q[i] - b.q[i])
E_BOTH(and, E_AB, a.q[i] & b.q[i])
E_BOTH(or, E_AB, a.q[i] | b.q[i])
E_BOTH(xor, E_AB, a.q[i] ^ b.q[i])
E_BOTH(slli_epi64, E_AN, a.q[i] << n)
E_BOTH(srli_epi64, E_AN, a.q[i] >> n)
E_BOTH(madd52lo_epu64, E_ABC, a.q[i] + e_mul(b.q[i], c.q[i], 0))
E_BOTH(madd52hi_epu64, E_ABC, a.q[i] + e_mul(b.q[i], c.q[i], 1))
E_BOTH(permutexvar_epi64, E_AB, e_pick(b.q, sizeof b.q / 8, a.q[i]))
E_OP(struct e512, 8, _mm512_srai_epi64, (struct e512 a, unsigned n), e_sra(a.q[i], n))
E_OP(struct e512, 8, _mm512_abs_epi64, (struct e512 a), (a.q[i] ^ e_sra(a.q[i], 63)) - e_sra(a.q[i], 63))
E_OP(struct e512, 8, _mm512_set1_epi64, (long long x), (uint64_t)x)
E_OP(struct e256, 4, _mm256_set1_epi64x, (long long x), (uint64_t)x)
E_OP(struct e512, 8, _mm512_mask_mov_epi64, (struct e512 a, unsigned k, struct e512 b),
     (b.q[i] & e_lane(k, i)) | (a.q[i] & ~e_lane(k, i)))
E_OP(struct e512, 8, _mm512_mask_sub_epi64, (struct e512 s, unsigned k, struct e512 a, struct e512 b),
     ((a.q[i] - b.q[i]) & e_lane(k, i)) | (s.q[i] & ~e_lane(k, i)))
E_OP(struct e256, 4, _mm256_mask_sub_epi64, (struct e256 s, unsigned k, struct e256 a, struct e256 b),
     ((a.q[i] - b.q[i]) & e_lane(k, i)) | (s.q[i] & ~e_lane(k, i)))
E_OP(struct e512, 8, _mm512_mask_permutexvar_epi64, (struct e512 s, unsigned k, struct e512 x, struct e512 a),
     (e_pick(a.q, 8, x.q[i]) & e_lane(k, i)) | (s.q[i] & ~e_lane(k, i)))
E_OP(struct e512, 8, _mm512_maskz_permutexvar_epi64, (unsigned k, struct e512 x, struct e512 a),
     e_pick(a.q, 8, x.q[i]) & e_lane(k, i))
E_OP(struct e512, 8, _mm512_movm_epi64, (unsigned k), e_lane(k, i))
E_OP(struct e256, 4, _mm256_andnot_si256, (struct e256 a, struct e256 b), ~a.q[i] & b.q[i])
E_OP(struct e256, 4, _mm256_unpacklo_epi64, (struct e256 a, struct e256 b), i % 2 ? b.q[i - 1] : a.q[i])
E_OP(struct e256, 4, _mm256_unpackhi_epi64, (struct e256 a, struct e256 b), i % 2 ? b.q[i] : a.q[i + 1])
E_OP(struct e256, 4, _mm256_maskz_unpacklo_epi64, (unsigned k, struct e256 a, struct e256 b),
     (i % 2 ? b.q[i - 1] : a.q[i]) & e_lane(k, i))
E_OP(struct e256, 4, _mm256_blend_epi32, (struct e256 a, struct e256 b, unsigned k), e_blend(a.q[i], b.q[i], k >> 2 * i))
E_OP(struct e256, 4, _mm256_permute4x64_epi64, (struct e256 a, unsigned k), a.q[k >> 2 * i & 3])
E_OP(struct e256, 4, _mm256_permutex2var_epi64, (struct e256 a, struct e256 x, struct e256 b),
     (e_pick(a.q, 4, x.q[i]) & ((x.q[i] >> 2 & 1) - 1)) | (e_pick(b.q, 4, x.q[i]) & (0 - (x.q[i] >> 2 & 1))))
E_OP(struct e512, 8, _mm512_cvtepi8_epi64, (struct e128 a), (uint64_t)(int64_t)(int8_t)(a.q[0] >> 8 * i))

E_OP(struct e512, 8, _mm512_alignr_epi64, (struct e512 a, struct e512 b, unsigned n), i + n < 8 ? b.q[i + n] : a.q[i + n - 8])
E_OP(struct e512, 8, _mm512_broadcast_i64x2, (struct e128 a), a.q[i % 2])
E_OP(struct e512, 8, _mm512_mask_set1_epi64, (struct e512 s, unsigned k, long long x),
     ((uint64_t)x & e_lane(k, i)) | (s.q[i] & ~e_lane(k, i)))

static inline struct e256 e_mm256_setzero_si256(void) { return (struct e256){ { 0 } }; }
static inline struct e512 e_mm512_setzero_si512(void) { return (struct e512){ { 0 } }; }
static inline struct e256 e_mm256_set_epi64x(long long d, long long c, long long b, long long a)
{
    return (struct e256){ { (uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d } };
}
static inline struct e512 e_mm512_set_epi64(long long h, long long g, long long f, long long e, long long d, long long c,
                                            long long b, long long a)
{
    return (struct e512){ { (uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e, (uint64_t)f, (uint64_t)g,
                            (uint64_t)h } };
}
static inline struct e512 e_mm512_load_si512(const void *p) { struct e512 r; memcpy(&r, p, sizeof r); return r; }
static inline struct e256 e_mm256_load_si256(const void *p) { struct e256 r; memcpy(&r, p, sizeof r); return r; }
static inline struct e128 e_mm_loadl_epi64(const void *p) { struct e128 r = { { 0 } }; memcpy(&r, p, 8); return r; }
static inline struct e128 e_mm_loadu_si128(const void *p) { struct e128 r; memcpy(&r, p, sizeof r); return r; }
static inline void e_mm512_store_si512(void *p, struct e512 a) { memcpy(p, &a, sizeof a); }
static inline long long e_mm256_extract_epi64(struct e256 a, unsigned i) { return (long long)a.q[i]; }
static inline uint8_t e_mm512_movepi64_mask(struct e512 a)
{
    unsigned k = 0;
    for (unsigned i = 0; i < 8; i++)
        k |= (unsigned)(a.q[i] >> 63) << i;
    return (uint8_t)k;
}
static inline uint8_t e_mm512_test_epi64_mask(struct e512 a, struct e512 b)
{
    unsigned k = 0;
    for (unsigned i = 0; i < 8; i++)
        k |= (unsigned)e_nonzero(a.q[i] & b.q[i]) << i;
    return (uint8_t)k;
}
static inline uint8_t e_mm512_testn_epi64_mask(struct e512 a, struct e512 b)
{
    return (uint8_t)~e_mm512_test_epi64_mask(a, b);
}
static inline uint8_t e_mm512_cmpeq_epu64_mask(struct e512 a, struct e512 b)
{
    unsigned k = 0;
    for (unsigned i = 0; i < 8; i++)
        k |= (unsigned)(1 - e_nonzero(a.q[i] ^ b.q[i])) << i;
    return (uint8_t)k;
}
/* of numbers below 2^63 */
static inline uint8_t e_mm512_cmpgt_epu64_mask(struct e512 a, struct e512 b)
{
    unsigned k = 0;
    for (unsigned i = 0; i < 8; i++)
        k |= (unsigned)((b.q[i] - a.q[i]) >> 63) << i;
    return (uint8_t)k;
}

/* and by these names the kernels find them */
#undef _mm256_add_epi64
#define _mm256_add_epi64 e_mm256_add_epi64
#undef _mm256_and_si256
#define _mm256_and_si256 e_mm256_and
#undef _mm256_andnot_si256
#define _mm256_andnot_si256 e_mm256_andnot_si256
#undef _mm256_blend_epi32
#define _mm256_blend_epi32 e_mm256_blend_epi32
#undef _mm256_extract_epi64
#define _mm256_extract_epi64 e_mm256_extract_epi64
#undef _mm256_load_si256
#define _mm256_load_si256 e_mm256_load_si256
#undef _mm256_madd52hi_epu64
#define _mm256_madd52hi_epu64 e_mm256_madd52hi_epu64
#undef _mm256_madd52lo_epu64
#define _mm256_madd52lo_epu64 e_mm256_madd52lo_epu64
#undef _mm256_mask_sub_epi64
#define _mm256_mask_sub_epi64 e_mm256_mask_sub_epi64
#undef _mm256_maskz_unpacklo_epi64
#define _mm256_maskz_unpacklo_epi64 e_mm256_maskz_unpacklo_epi64
#undef _mm256_or_si256
#define _mm256_or_si256 e_mm256_or
#undef _mm256_permute4x64_epi64
#define _mm256_permute4x64_epi64 e_mm256_permute4x64_epi64
#undef _mm256_permutex2var_epi64
#define _mm256_permutex2var_epi64 e_mm256_permutex2var_epi64
#undef _mm256_permutexvar_epi64
#define _mm256_permutexvar_epi64 e_mm256_permutexvar_epi64
#undef _mm256_set1_epi64x
#define _mm256_set1_epi64x e_mm256_set1_epi64x
#undef _mm256_set_epi64x
#define _mm256_set_epi64x e_mm256_set_epi64x
#undef _mm256_setzero_si256
#define _mm256_setzero_si256 e_mm256_setzero_si256
#undef _mm256_slli_epi64
#define _mm256_slli_epi64 e_mm256_slli_epi64
#undef _mm256_srli_epi64
#define _mm256_srli_epi64 e_mm256_srli_epi64
#undef _mm256_sub_epi64
#define _mm256_sub_epi64 e_mm256_sub_epi64
#undef _mm256_unpackhi_epi64
#define _mm256_unpackhi_epi64 e_mm256_unpackhi_epi64
#undef _mm256_unpacklo_epi64
#define _mm256_unpacklo_epi64 e_mm256_unpacklo_epi64
#undef _mm256_xor_si256
#define _mm256_xor_si256 e_mm256_xor
#undef _mm256_zeroupper
#define _mm256_zeroupper() ((void)0)
#undef _mm512_abs_epi64
#define _mm512_abs_epi64 e_mm512_abs_epi64
#undef _mm512_add_epi64
#define _mm512_add_epi64 e_mm512_add_epi64
#undef _mm512_alignr_epi64
#define _mm512_alignr_epi64 e_mm512_alignr_epi64
#undef _mm512_and_si512
#define _mm512_and_si512 e_mm512_and
#undef _mm512_broadcast_i64x2
#define _mm512_broadcast_i64x2 e_mm512_broadcast_i64x2
#undef _mm512_cmpeq_epu64_mask
#define _mm512_cmpeq_epu64_mask e_mm512_cmpeq_epu64_mask
#undef _mm512_cmpgt_epu64_mask
#define _mm512_cmpgt_epu64_mask e_mm512_cmpgt_epu64_mask
#undef _mm512_cvtepi8_epi64
#define _mm512_cvtepi8_epi64 e_mm512_cvtepi8_epi64
#undef _mm512_load_si512
#define _mm512_load_si512 e_mm512_load_si512
#undef _mm512_loadu_si512
#define _mm512_loadu_si512 e_mm512_load_si512
#undef _mm512_madd52hi_epu64
#define _mm512_madd52hi_epu64 e_mm512_madd52hi_epu64
#undef _mm512_madd52lo_epu64
#define _mm512_madd52lo_epu64 e_mm512_madd52lo_epu64
#undef _mm512_mask_mov_epi64
#define _mm512_mask_mov_epi64 e_mm512_mask_mov_epi64
#undef _mm512_mask_permutexvar_epi64
#define _mm512_mask_permutexvar_epi64 e_mm512_mask_permutexvar_epi64
#undef _mm512_mask_set1_epi64
#define _mm512_mask_set1_epi64 e_mm512_mask_set1_epi64
#undef _mm512_mask_sub_epi64
#define _mm512_mask_sub_epi64 e_mm512_mask_sub_epi64
#undef _mm512_maskz_permutexvar_epi64
#define _mm512_maskz_permutexvar_epi64 e_mm512_maskz_permutexvar_epi64
#undef _mm512_movepi64_mask
#define _mm512_movepi64_mask e_mm512_movepi64_mask
#undef _mm512_movm_epi64
#define _mm512_movm_epi64 e_mm512_movm_epi64
#undef _mm512_or_si512
#define _mm512_or_si512 e_mm512_or
#undef _mm512_permutexvar_epi64
#define _mm512_permutexvar_epi64 e_mm512_permutexvar_epi64
#undef _mm512_set1_epi64
#define _mm512_set1_epi64 e_mm512_set1_epi64
#undef _mm512_set_epi64
#define _mm512_set_epi64 e_mm512_set_epi64
#undef _mm512_setzero_si512
#define _mm512_setzero_si512 e_mm512_setzero_si512
#undef _mm512_slli_epi64
#define _mm512_slli_epi64 e_mm512_slli_epi64
#undef _mm512_srai_epi64
#define _mm512_srai_epi64 e_mm512_srai_epi64
#undef _mm512_srli_epi64
#define _mm512_srli_epi64 e_mm512_srli_epi64
#undef _mm512_store_si512
#define _mm512_store_si512 e_mm512_store_si512
#undef _mm512_storeu_si512
#define _mm512_storeu_si512 e_mm512_store_si512
#undef _mm512_sub_epi64
#define _mm512_sub_epi64 e_mm512_sub_epi64
#undef _mm512_test_epi64_mask
#define _mm512_test_epi64_mask e_mm512_test_epi64_mask
#undef _mm512_testn_epi64_mask
#define _mm512_testn_epi64_mask e_mm512_testn_epi64_mask
#undef _mm512_xor_si512
#define _mm512_xor_si512 e_mm512_xor
#undef _mm_loadl_epi64
#define _mm_loadl_epi64 e_mm_loadl_epi64
#undef _mm_loadu_si128
#define _mm_loadu_si128 e_mm_loadu_si128

#endif
