/* X25519 with AVX-512 IFMA, one result at a time: four field elements side by side in the 64-bit lanes of ymm registers.
 * The ladder step and the Edwards addition both come out as products of four independent pairs. Must never be entered
 * on a processor without CPU_IFMA, and holds no scalar-dependent branch or address.
 *
 * Bounds. Radix 2^51, five limbs. vpmadd52 reads the low 52 bits of each operand, so every operand limb must be below
 * 2^52; that is checked here by argument:
 *   - f4_raw: with operand limbs < 2^52 each half product is < 2^52. Column k has n_k low halves, n = 1 2 3 4 5 4 3 2 1,
 *     and twice n_(k-1) high halves (radix 2^51: a high half weighs 2^52 = 2 * 2^51). So z_0..z_9 are below 2^52 times
 *     1 4 7 10 13 14 11 8 5 2, and with 2^255 = 19 the sums z_k + 19 z_(k+5) below 2^52 times 267 213 159 105 51. An element
 *     with such limbs, each below 267 * 2^52, is called raw.
 *   - f4_carry of limbs < 2^62: below 2^11 leaves each, so limbs come out below 2^51 + 19 * 2^11 < 2^51 + 2^16. That is called
 *     tight, and may be an operand.
 *   - f4_pairs of raw elements: sums are below 534 * 2^52 and differences plus 1024 p, whose limbs 512 * (2^52 - 38) and
 *     512 * (2^52 - 2) are above any raw limb, below 779 * 2^52 < 2^62; carried, they are tight. */
#include "crypto/kernel/x25519.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "crypto/kernel/x25519_ifma.h"
#include "crypto/kernel/x25519_parts.h"

#if !defined(IFMA)                      /* tests/ct compiles this for an emulation */
#define IFMA   VECTOR_ONLY __attribute__((target("avx512f,avx512vl,avx512dq,avx512ifma,bmi2")))
#define INLINE static inline __attribute__((always_inline)) IFMA
#endif

struct f4 { __m256i l[5]; };

INLINE __m256i times19(__m256i a)
{
    return _mm256_add_epi64(_mm256_add_epi64(a, _mm256_slli_epi64(a, 1)), _mm256_slli_epi64(a, 4));
}

INLINE struct f4 f4_carry(struct f4 a)
{
    const __m256i m = _mm256_set1_epi64x((long long)FE_MASK);
    __m256i c0 = _mm256_srli_epi64(a.l[0], 51), c1 = _mm256_srli_epi64(a.l[1], 51), c2 = _mm256_srli_epi64(a.l[2], 51);
    __m256i c3 = _mm256_srli_epi64(a.l[3], 51), c4 = _mm256_srli_epi64(a.l[4], 51);
    struct f4 r;
    r.l[0] = _mm256_madd52lo_epu64(_mm256_and_si256(a.l[0], m), c4, _mm256_set1_epi64x(19));
    r.l[1] = _mm256_add_epi64(_mm256_and_si256(a.l[1], m), c0);
    r.l[2] = _mm256_add_epi64(_mm256_and_si256(a.l[2], m), c1);
    r.l[3] = _mm256_add_epi64(_mm256_and_si256(a.l[3], m), c2);
    r.l[4] = _mm256_add_epi64(_mm256_and_si256(a.l[4], m), c3);
    return r;
}

/* Written out, for at -O2 gcc would keep the arrays of a loop in memory; and in this order, for each sum waits four cycles
 * for its last term: no column twice in eight terms, and first the columns that have further to go (times 19). */
#define LO(i, j) lo[(i) + (j)] = _mm256_madd52lo_epu64(lo[(i) + (j)], a.l[i], b.l[j]);
#define HI(i, j) hi[(i) + (j)] = _mm256_madd52hi_epu64(hi[(i) + (j)], a.l[i], b.l[j]);
#define TERMS \
    HI(0, 4) LO(1, 4) HI(1, 4) LO(2, 4) HI(2, 4) LO(0, 4) LO(3, 4) HI(3, 4) \
    HI(1, 3) LO(2, 3) HI(2, 3) LO(3, 3) HI(3, 3) LO(1, 3) LO(4, 3) HI(4, 3) \
    HI(2, 2) LO(3, 2) HI(3, 2) LO(4, 2) HI(4, 2) LO(2, 2) LO(4, 4) HI(4, 4) \
    HI(3, 1) LO(4, 1) HI(4, 1) LO(3, 1) HI(0, 3) LO(0, 3) HI(0, 2) LO(0, 2) \
    HI(4, 0) LO(4, 0) HI(1, 2) LO(1, 2) HI(1, 1) LO(1, 1) HI(0, 1) LO(0, 1) \
    HI(2, 1) LO(2, 1) HI(2, 0) LO(2, 0) HI(1, 0) LO(1, 0) LO(0, 0) HI(0, 0) \
    HI(3, 0) LO(3, 0)

#define COLUMN(k) _mm256_add_epi64(lo[k], _mm256_add_epi64(hi[(k) - 1], hi[(k) - 1]))

/* a * b of tight elements, raw */
INLINE struct f4 f4_raw(struct f4 a, struct f4 b)
{
    const __m256i z = _mm256_setzero_si256();
    __m256i lo[9] = { z, z, z, z, z, z, z, z, z }, hi[9] = { z, z, z, z, z, z, z, z, z };
    TERMS
    struct f4 r;
    r.l[0] = _mm256_add_epi64(lo[0], times19(COLUMN(5)));
    r.l[1] = _mm256_add_epi64(COLUMN(1), times19(COLUMN(6)));
    r.l[2] = _mm256_add_epi64(COLUMN(2), times19(COLUMN(7)));
    r.l[3] = _mm256_add_epi64(COLUMN(3), times19(COLUMN(8)));
    r.l[4] = _mm256_add_epi64(COLUMN(4), times19(_mm256_add_epi64(hi[8], hi[8])));
    return r;
}

/* x and y, limb by limb, to (x + y, x - y, x + y, x - y) */
INLINE __m256i pair_limb(__m256i x, __m256i y, __m256i bias)
{
    x = _mm256_add_epi64(x, bias);
    return _mm256_mask_sub_epi64(_mm256_add_epi64(x, y), 0xa, x, y);
}

/* 1024 p, where something is taken away */
#define P1024_0 (1024 * (FE_MASK - 18))
#define P1024   (1024 * FE_MASK)
#define BIAS_0  _mm256_set_epi64x(P1024_0, 0, P1024_0, 0)
#define BIAS    _mm256_set_epi64x(P1024, 0, P1024, 0)

/* raw (a, b, c, d) to tight (a + b, a - b, c + d, c - d) */
INLINE struct f4 f4_pairs(struct f4 v)
{
    struct f4 r;
#define LIMB(i, bias) \
    r.l[i] = pair_limb(_mm256_unpacklo_epi64(v.l[i], v.l[i]), _mm256_unpackhi_epi64(v.l[i], v.l[i]), bias)
    LIMB(0, BIAS_0);
    LIMB(1, BIAS);
    LIMB(2, BIAS);
    LIMB(3, BIAS);
    LIMB(4, BIAS);
#undef LIMB
    return f4_carry(r);
}

/* the same of (a, b, c, d) permuted: x takes the lanes `ix` and y the lanes `iy` */
INLINE struct f4 f4_pairs_of(struct f4 v, __m256i ix, __m256i iy)
{
    struct f4 r;
#define LIMB(i, bias) \
    r.l[i] = pair_limb(_mm256_permutexvar_epi64(ix, v.l[i]), _mm256_permutexvar_epi64(iy, v.l[i]), bias)
    LIMB(0, BIAS_0);
    LIMB(1, BIAS);
    LIMB(2, BIAS);
    LIMB(3, BIAS);
    LIMB(4, BIAS);
#undef LIMB
    return f4_carry(r);
}

#define EACH_LIMB(stmt) do { { enum { i = 0 }; stmt; } { enum { i = 1 }; stmt; } { enum { i = 2 }; stmt; } \
                             { enum { i = 3 }; stmt; } { enum { i = 4 }; stmt; } } while (0)
#define PERMUTE(v, d, c, b, a) _mm256_permute4x64_epi64(v, _MM_SHUFFLE(d, c, b, a))     /* new lane 0 is old lane a */

/* One step on v = (X2, Z2, X3, Z3), RFC 7748 5, with the swap done by the permutation that starts it:
 *   h = (A, B, C, D);  m = (AA, BB, DA, CB);  n = (., E, DA + CB, DA - CB)
 *   w = (., AA + 121665 E, (DA + CB)^2, (DA - CB)^2);  v = (AA * BB, E * w1, w2 * 1, w3 * X1)
 * Three multiplications deep. Every operand is tight, or a constant below 2^52; v is raw. */
INLINE struct f4 ladder_step(struct f4 v, __m256i swap, struct f4 one_x1)
{
    const __m256i ix = _mm256_xor_si256(_mm256_set_epi64x(2, 2, 0, 0), swap);
    const __m256i iy = _mm256_xor_si256(_mm256_set_epi64x(3, 3, 1, 1), swap);
    const __m256i zero = _mm256_setzero_si256(), a24 = _mm256_set_epi64x(0, 0, 121665, 0);
    struct f4 x, y, aa, h = f4_pairs_of(v, ix, iy);
    EACH_LIMB(x.l[i] = PERMUTE(h.l[i], 1, 0, 1, 0));                    /* A B A B */
    EACH_LIMB(y.l[i] = PERMUTE(h.l[i], 2, 3, 1, 0));                    /* A B D C */
    struct f4 m = f4_raw(x, y);
    struct f4 n = f4_pairs(m);
    EACH_LIMB(aa.l[i] = _mm256_maskz_unpacklo_epi64(0x2, m.l[i], m.l[i]));
    EACH_LIMB(y.l[i] = _mm256_blend_epi32(i == 0 ? a24 : zero, n.l[i], 0xf0));
    struct f4 w = f4_raw(n, y);
    EACH_LIMB(w.l[i] = _mm256_add_epi64(w.l[i], aa.l[i]));              /* twice raw is below 2^62 */
    w = f4_carry(w);
    m = f4_carry(m);
    EACH_LIMB(x.l[i] = _mm256_blend_epi32(_mm256_blend_epi32(m.l[i], n.l[i], 0x0c), w.l[i], 0xf0));
    EACH_LIMB(y.l[i] = _mm256_unpackhi_epi64(m.l[i], m.l[i]));          /* BB . . . */
    EACH_LIMB(y.l[i] = _mm256_blend_epi32(_mm256_blend_epi32(y.l[i], w.l[i], 0x0c), one_x1.l[i], 0xf0));
    return f4_raw(x, y);
}

INLINE __m256i lanes(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return _mm256_set_epi64x((long long)d, (long long)c, (long long)b, (long long)a);
}

/* lane 0 and lane 1 as scalar field elements */
INLINE void f4_split(struct fe *a, struct fe *b, struct f4 v)
{
    EACH_LIMB(a->l[i] = (uint64_t)_mm256_extract_epi64(v.l[i], 0); b->l[i] = (uint64_t)_mm256_extract_epi64(v.l[i], 1));
}

static IFMA void ifma_shared(struct x25519_ratio *r, const uint8_t scalar[32], const uint8_t point[32])
{
    uint8_t k[32];
    struct fe x1;
    struct f4 v, one_x1;
    x25519_clamp(k, scalar);
    fe_load(&x1, point);
    EACH_LIMB(v.l[i] = lanes(i == 0, 0, x1.l[i], i == 0));
    EACH_LIMB(one_x1.l[i] = lanes(0, 0, i == 0, x1.l[i]));
    uint64_t before = 0;
    for (int bit = 254; bit >= 0; bit--) {
        uint64_t now = (uint64_t)(k[bit >> 3] >> (bit & 7)) & 1;
        __m256i swap = _mm256_set1_epi64x((long long)((now ^ before) << 1));    /* lane index 2 apart: X2, Z2 <-> X3, Z3 */
        before = now;
        v = ladder_step(v, swap, one_x1);
    }
    /* the lowest bit of a clamped scalar is 0: nothing left to swap back */
    v = f4_carry(v);
    f4_split(&r->over, &r->under, v);
    secret_wipe(&v, sizeof v);
    secret_wipe(k, sizeof k);
    _mm256_zeroupper();
}

/* ---- the base point */

/* The table entry for a digit as the lanes (y + x, y - x, 2, 2dxy), limbs below 2^51; a negative digit exchanges the first
 * two and takes 2p - 2dxy, limbs below 2^52. vpermi2q reads all eight entries of a word and puts the chosen one in every
 * lane; digit 0 is masked to the neutral (1, 1, 2, 0). No zmm registers here: while they are in use Intel's cores give
 * only two of three ports to ymm work. */
INLINE struct f4 table_pick(const uint64_t *position, int8_t digit)
{
    uint64_t negative = ct_mask((uint64_t)(uint8_t)digit >> 7);
    uint64_t size = ((uint64_t)(int64_t)digit ^ negative) - negative;
    uint64_t none = ct_is_zero(size);
    const __m256i index = _mm256_set1_epi64x((long long)((size - 1) & 7));
    const __m256i there = _mm256_set1_epi64x((long long)~none), minus = _mm256_set1_epi64x((long long)negative);
    const __m256i flip = _mm256_xor_si256(_mm256_set_epi64x(3, 2, 1, 0), _mm256_and_si256(minus, lanes(1, 1, 0, 0)));
    __m256i w[4];
    const __m256i *row = (const __m256i *)position;
#define WORD(j) _mm256_permutex2var_epi64(_mm256_load_si256(row + 2 * (j)), index, _mm256_load_si256(row + 2 * (j) + 1))
#define WORDS(i) \
    w[i] = _mm256_blend_epi32(_mm256_blend_epi32(WORD(i), WORD(4 + (i)), 0x0c), WORD(8 + (i)), 0xf0); \
    w[i] = _mm256_permutexvar_epi64(flip, _mm256_and_si256(w[i], there));
    WORDS(0)
    WORDS(1)
    WORDS(2)
    WORDS(3)
#undef WORDS
#undef WORD
    const __m256i m = _mm256_set1_epi64x((long long)FE_MASK);
    w[0] = _mm256_or_si256(w[0], _mm256_andnot_si256(there, lanes(1, 1, 0, 0)));
    struct f4 r;
    r.l[0] = _mm256_and_si256(w[0], m);
    r.l[1] = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w[0], 51), _mm256_slli_epi64(w[1], 13)), m);
    r.l[2] = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w[1], 38), _mm256_slli_epi64(w[2], 26)), m);
    r.l[3] = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w[2], 25), _mm256_slli_epi64(w[3], 39)), m);
    r.l[4] = _mm256_srli_epi64(w[3], 12);
    const __m256i last = _mm256_and_si256(minus, lanes(0, 0, 0, UINT64_MAX));
    const __m256i p2_0 = _mm256_and_si256(last, lanes(0, 0, 0, 2 * FE_MASK - 36));
    const __m256i p2 = _mm256_and_si256(last, lanes(0, 0, 0, 2 * FE_MASK));
    EACH_LIMB(r.l[i] = _mm256_add_epi64(_mm256_sub_epi64(_mm256_xor_si256(r.l[i], last), last), i == 0 ? p2_0 : p2));
    EACH_LIMB(r.l[i] = _mm256_blend_epi32(r.l[i], i == 0 ? lanes(0, 0, 2, 0) : _mm256_setzero_si256(), 0x30));
    return r;
}

/* raw p = (Y, X, Z, T) plus a table entry, complete (Hisil et al., 2008, 3.1, a = -1, affine second operand):
 *   s = (Y + X, Y - X, Z, T) * q = (A, B, D, C);  (H, E, G, F) = (A + B, A - B, D + C, D - C);  p = (G*H, E*F, F*G, E*H) */
INLINE struct f4 edwards_add(struct f4 p, struct f4 q)
{
    struct f4 s, x, y;
    EACH_LIMB(const __m256i b = _mm256_set_epi64x(0, 0, i == 0 ? P1024_0 : P1024, 0);
              const __m256i u = _mm256_add_epi64(_mm256_unpacklo_epi64(p.l[i], p.l[i]), b);
              const __m256i v = _mm256_unpackhi_epi64(p.l[i], p.l[i]);
              s.l[i] = _mm256_mask_sub_epi64(_mm256_add_epi64(u, v), 0x2, u, v);
              s.l[i] = _mm256_blend_epi32(s.l[i], p.l[i], 0xf0));
    s = f4_pairs(f4_raw(f4_carry(s), q));
    EACH_LIMB(x.l[i] = PERMUTE(s.l[i], 1, 3, 1, 2));                    /* G E F E */
    EACH_LIMB(y.l[i] = PERMUTE(s.l[i], 0, 2, 3, 0));                    /* H F G H */
    return f4_raw(x, y);
}

INLINE void f4_to_edwards(struct edwards *e, struct f4 p)
{
    p = f4_carry(p);
    EACH_LIMB(e->y.l[i] = (uint64_t)_mm256_extract_epi64(p.l[i], 0); e->x.l[i] = (uint64_t)_mm256_extract_epi64(p.l[i], 1);
              e->z.l[i] = (uint64_t)_mm256_extract_epi64(p.l[i], 2); e->t.l[i] = (uint64_t)_mm256_extract_epi64(p.l[i], 3));
}

INLINE struct f4 f4_of_edwards(const struct edwards *e)
{
    struct f4 p;
    EACH_LIMB(p.l[i] = lanes(e->y.l[i], e->x.l[i], e->z.l[i], e->t.l[i]));
    return p;
}

/* odd digits, times 16, even digits: as the portable form */
static IFMA void ifma_base(struct x25519_ratio *r, const uint8_t scalar[32])
{
    uint8_t k[32];
    int8_t d[64];
    struct edwards e = { .y = { { 1 } }, .z = { { 1 } } };
    x25519_clamp(k, scalar);
    x25519_digits(d, k);
    struct f4 p = f4_of_edwards(&e);
    for (int i = 0; i < 32; i++)
        p = edwards_add(p, table_pick(x25519_table + X25519_POSITION * i, d[2 * i + 1]));
    f4_to_edwards(&e, p);
    for (int i = 0; i < 4; i++)
        edwards_double(&e);
    p = f4_of_edwards(&e);
    for (int i = 0; i < 32; i++)
        p = edwards_add(p, table_pick(x25519_table + X25519_POSITION * i, d[2 * i]));
    f4_to_edwards(&e, p);
    edwards_to_montgomery(r, &e);
    secret_wipe(&p, sizeof p);
    secret_wipe(&e, sizeof e);
    secret_wipe(d, sizeof d);
    secret_wipe(k, sizeof k);
    _mm256_zeroupper();
}

const struct x25519 x25519_ifma = {
    .name      = "ifma",
    .base      = ifma_base,
    .shared    = ifma_shared,
    .base_x8   = x25519_ifma_base_x8,
    .shared_x8 = x25519_ifma_shared_x8,
};

#endif
