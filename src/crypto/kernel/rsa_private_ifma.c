/* RSA-2048's private operation with AVX-512 IFMA: both halves of the Chinese remainder side by side.  Must never branch on, or take an
 * address from, anything but the size: the base, the exponents, the primes and the blinding are all secret.
 *
 * A number is twenty 52-bit limbs, one modulo p and one modulo q, limb by limb in turn: limb i of p's is l[2 i], of q's l[2 i + 1].  So
 * twenty of both fill five vectors, a limb of both is broadcast by one load, and a shift by one limb is a shift by two lanes.
 *
 * Bounds.  Primes are below 2^1024 = R / 2^16, with R = 2^1040.  multiply() gives (a b + m n) / R < a b / R + n: below 1.001 n for any a, b
 * below 6 n, and below 2 n for a below R and b below n.  So nothing is subtracted until the end, and the sum of two results is a factor
 * again.  A limb of the accumulator gets four numbers below 2^52 in each of twenty rounds at most: below 2^59. */
#include "crypto/kernel/rsa.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "crypto/kernel/ct.h"
#include "crypto/kernel/rsa_words.h"

#if !defined(IFMA) /* tests/ct compiles this for an emulation */
#define IFMA   VECTOR_ONLY __attribute__((target("avx512f,avx512vl,avx512dq,avx512ifma,bmi2")))
#define INLINE static inline __attribute__((always_inline)) IFMA
#endif

/* always unrolled: the vectors are registers */
#define EACH_VECTOR _Pragma("GCC unroll 5") for (int i = 0; i < VECTORS; i++)

/* Kept from becoming shuffles, which would compete with the shifts. */
#define VIA_MEMORY(x) __asm__("" : "+m"(x))

enum { LIMB = 52, UP = 64 - LIMB, LIMBS = 20, R_BITS = LIMB * LIMBS, VECTORS = 5, WORDS = 16, WINDOW = 4, ENTRIES = 1 << WINDOW,
       PRIME = RSA_PRIME_BYTES };

static const uint64_t mask = ((uint64_t)1 << LIMB) - 1;

/* All that is secret in memory, wiped as one. */
struct work {
    _Alignas(64) uint64_t low[2 * LIMBS], next[2 * LIMBS], seen[8], x[2 * LIMBS], y[2 * LIMBS], z[2 * LIMBS], table[ENTRIES][2 * LIMBS];
    uint64_t c[2 * WORDS], sp[WORDS], sq[WORDS], s[2 * WORDS];
};

/* ---- numbers in words */
/* The sixteen words as limbs of one half. */
static void limbs_of(uint64_t *l, const uint64_t *w)
{
    for (unsigned i = 0; i < LIMBS; i++) {
        unsigned at = LIMB * i / 64, off = LIMB * i % 64;
        uint64_t v = w[at] >> off;
        if (off > 64 - LIMB && at + 1 < WORDS)
            v |= w[at + 1] << (64 - off);
        l[2 * i] = v & mask;
    }
}

static void words_of(uint64_t *w, const uint64_t *l)
{
    memset(w, 0, WORDS * sizeof *w);
    for (unsigned i = 0; i < LIMBS; i++) {
        unsigned at = LIMB * i / 64, off = LIMB * i % 64;
        w[at] |= l[2 * i] << off;
        if (off > 64 - LIMB && at + 1 < WORDS)
            w[at + 1] |= l[2 * i] >> (64 - off);
    }
}

/* r = a - b; what is borrowed: 0 or 1 */
static uint64_t words_sub(uint64_t *r, const uint64_t *a, const uint64_t *b)
{
    uint64_t borrow = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        unsigned __int128 d = (unsigned __int128)a[i] - b[i] - borrow;
        r[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    return borrow;
}

/* r += b where m */
static void words_add_masked(uint64_t *r, const uint64_t *b, uint64_t m)
{
    unsigned __int128 carry = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        carry += (unsigned __int128)r[i] + (b[i] & m);
        r[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* r, and `above` more times 2^1024, is below 2 n: mod n */
static void words_reduce(uint64_t *r, uint64_t above, const uint64_t *n)
{
    uint64_t borrow = words_sub(r, r, n);
    words_add_masked(r, n, ct_mask(borrow & ~above & 1));
}

/* r = 2^bits mod n: n is above 2^1023 */
static void words_power_of_2(uint64_t *r, const uint64_t *n, unsigned bits)
{
    static const uint64_t zero[WORDS];
    (void)words_sub(r, zero, n); /* 2^1024 - n */
    for (unsigned at = 64 * WORDS; at < bits; at++) {
        uint64_t above = r[WORDS - 1] >> 63;
        for (unsigned i = WORDS - 1; i > 0; i--)
            r[i] = r[i] << 1 | r[i - 1] >> 63;
        r[0] <<= 1;
        words_reduce(r, above, n);
    }
}

/* ---- Montgomery multiplication */
INLINE __m512i pair_at(const uint64_t *two)
{
    return _mm512_broadcast_i64x2(_mm_loadu_si128((const __m128i *)two));
}

/* A bit for each lane: which get one more, when those of `over` carry, and those of `full` would if they got one.  The carries run in an
 * addition of integers, for each half through the other's bits, which are set for that. */
INLINE uint64_t ripple(uint64_t over, uint64_t full)
{
    const uint64_t even = 0x5555555555, odd = 0xaaaaaaaaaa, p = (full & even) | odd, q = (full & odd) | even;
    over <<= 2;
    return ((((over & even) + p) ^ p) & even) | ((((over & odd) + q) ^ q) & odd);
}

/* Limbs below 2^60 to limbs below 2^52, both values below R. */
INLINE void settle(uint64_t *out, const __m512i acc[VECTORS])
{
    const __m512i vmask = _mm512_set1_epi64((long long)mask);
    __m512i up[VECTORS], v[VECTORS];
    uint64_t over = 0, full = 0;
    EACH_VECTOR up[i] = _mm512_srli_epi64(acc[i], LIMB);
    EACH_VECTOR v[i] = _mm512_add_epi64(_mm512_and_si512(acc[i], vmask),
                                        _mm512_alignr_epi64(up[i], i ? up[i - 1] : _mm512_setzero_si512(), 6));
    EACH_VECTOR over |= (uint64_t)_mm512_cmpgt_epu64_mask(v[i], vmask) << 8 * i;
    EACH_VECTOR full |= (uint64_t)_mm512_cmpeq_epu64_mask(v[i], vmask) << 8 * i;
    uint64_t one_more = ripple(over, full);
    EACH_VECTOR v[i] = _mm512_mask_sub_epi64(v[i], (__mmask8)(one_more >> 8 * i), v[i], _mm512_set1_epi64(-1));
    EACH_VECTOR _mm512_storeu_si512(out + 8 * i, _mm512_and_si512(v[i], vmask));
}

/* The lowest limb of one half, followed in scalars ahead of the vectors, so that the quotient of the next round does not wait for them. */
struct lowest { uint64_t first, k0, n0, n1; };

INLINE struct lowest lowest_of(const struct rsa_private *k, unsigned half)
{
    return (struct lowest){ 0, k->k0[half] << UP, k->n[half], k->n[half + 2] };
}

/* The quotient's limb y; then what its round leaves in the limb that comes next, of which `next` is known.  y is 12 bits up, so that 52-bit
 * halves of products are 64-bit ones; first + y n0 is a multiple of 2^52: its upper part needs no product.  What is late comes last, and
 * the barriers keep that order, and the numbers out of the vectors' way. */
INLINE uint64_t lowest_step(struct lowest *h, uint64_t low, uint64_t next)
{
    uint64_t t = ct_hide(h->first + low), y = ct_hide(t * h->k0);
    next = ct_hide(next + ((t + mask) >> LIMB));
    next = ct_hide(next + (uint64_t)((unsigned __int128)y * h->n0 >> 64));
    h->first = ct_hide(next + (y * h->n1 >> UP));
    return y >> UP;
}

/* out = a b / R */
static IFMA void multiply(struct work *w, uint64_t *out, const uint64_t *a, const uint64_t *b, const struct rsa_private *k)
{
    __m512i acc[VECTORS], vb[VECTORS], vn[VECTORS];
    struct lowest p = lowest_of(k, 0), q = lowest_of(k, 1);
    const __m512i zero = _mm512_setzero_si512(), b0 = pair_at(b), b1 = pair_at(b + 2);
    EACH_VECTOR {
        __m512i va = _mm512_loadu_si512(a + 8 * i);
        acc[i] = zero;
        vb[i] = _mm512_loadu_si512(b + 8 * i);
        vn[i] = _mm512_loadu_si512(k->n + 8 * i);
        _mm512_store_si512(w->low + 8 * i, _mm512_madd52lo_epu64(zero, va, b0));
        _mm512_store_si512(w->next + 8 * i, _mm512_madd52lo_epu64(_mm512_madd52hi_epu64(zero, va, b0), va, b1));
    }
    _mm512_store_si512(w->seen, zero);
    for (unsigned at = 0; at < 2 * LIMBS; at += 2) {
        uint64_t yp = lowest_step(&p, w->low[at], w->next[at] + w->seen[2]);
        uint64_t yq = lowest_step(&q, w->low[at + 1], w->next[at + 1] + w->seen[3]);
        const __m512i va = pair_at(a + at), vy = _mm512_mask_set1_epi64(_mm512_set1_epi64((long long)yp), 0xaa, (long long)yq);
        __m512i high[VECTORS];
        EACH_VECTOR high[i] = _mm512_madd52hi_epu64(zero, va, vb[i]);
        EACH_VECTOR acc[i] = _mm512_madd52lo_epu64(acc[i], va, vb[i]);
        EACH_VECTOR high[i] = _mm512_madd52hi_epu64(high[i], vy, vn[i]);
        EACH_VECTOR acc[i] = _mm512_madd52lo_epu64(acc[i], vy, vn[i]);
        EACH_VECTOR acc[i] = _mm512_add_epi64(high[i], _mm512_alignr_epi64(i + 1 < VECTORS ? acc[i + 1] : zero, acc[i], 2));
        _mm512_store_si512(w->seen, acc[0]);
        VIA_MEMORY(w->seen);
    }
    acc[0] = _mm512_mask_set1_epi64(_mm512_mask_set1_epi64(acc[0], 1, (long long)p.first), 2, (long long)q.first);
    settle(out, acc);
}

/* out = a + b */
static IFMA void add(uint64_t *out, const uint64_t *a, const uint64_t *b)
{
    __m512i sum[VECTORS];
    EACH_VECTOR sum[i] = _mm512_add_epi64(_mm512_loadu_si512(a + 8 * i), _mm512_loadu_si512(b + 8 * i));
    settle(out, sum);
}

/* Entry `p` of the table for p's half, `q` for q's: all are read. */
static IFMA void look_up(uint64_t *out, const uint64_t (*table)[2 * LIMBS], unsigned p, unsigned q)
{
    const __m512i wanted = _mm512_mask_set1_epi64(_mm512_set1_epi64(p), 0xaa, q);
    __m512i v[VECTORS];
    EACH_VECTOR v[i] = _mm512_setzero_si512();
    for (unsigned e = 0; e < ENTRIES; e++) {
        __mmask8 here = _mm512_cmpeq_epu64_mask(wanted, _mm512_set1_epi64(e));
        EACH_VECTOR v[i] = _mm512_mask_mov_epi64(v[i], here, _mm512_loadu_si512(table[e] + 8 * i));
    }
    EACH_VECTOR _mm512_storeu_si512(out + 8 * i, v[i]);
}

/* ---- powers */
static unsigned digit(const uint8_t *exponent, unsigned i)
{
    return exponent[i / 2] >> (i % 2 ? 0 : 4) & 15;
}

/* w->x = w->x^d, in Montgomery form */
static void power(struct work *w, const struct rsa_private *k)
{
    memcpy(w->table[0], k->one, sizeof w->table[0]);
    memcpy(w->table[1], w->x, sizeof w->x);
    for (unsigned i = 2; i < ENTRIES; i++)
        multiply(w, w->table[i], w->table[i - 1], w->x, k);
    look_up(w->x, w->table, digit(k->dp, 0), digit(k->dq, 0));
    for (unsigned i = 1; i < 2 * PRIME; i++) {
        for (unsigned j = 0; j < WINDOW; j++)
            multiply(w, w->x, w->x, w->x, k);
        look_up(w->y, w->table, digit(k->dp, i), digit(k->dq, i));
        multiply(w, w->x, w->x, w->y, k);
    }
}

/* w->x times b^t, of which the comb is given: t is four teeth of eight bits */
static void times_comb(struct work *w, const uint64_t (*comb)[2 * LIMBS], const uint8_t t[RSA_BLIND_BYTES], const struct rsa_private *k)
{
    memcpy(w->y, k->one, sizeof w->y);
    for (unsigned bit = 8; bit-- > 0;) {
        unsigned d = 0;
        for (unsigned tooth = 0; tooth < WINDOW; tooth++)
            d |= ((unsigned)t[tooth] >> bit & 1) << tooth;
        multiply(w, w->y, w->y, w->y, k);
        look_up(w->z, comb, d, d);
        multiply(w, w->y, w->y, w->z, k);
    }
    multiply(w, w->x, w->x, w->y, k);
}

/* ---- into and out of the two halves */

/* w->x = the 2048-bit number mod p and mod q, in Montgomery form */
static void split(struct work *w, const uint8_t *number, const struct rsa_private *k)
{
    words_load(w->c, number, 2 * WORDS);
    for (unsigned half = 0; half < 2; half++) {
        limbs_of(w->x + half, w->c);
        limbs_of(w->y + half, w->c + WORDS);
    }
    multiply(w, w->x, w->x, k->r2, k);
    multiply(w, w->y, w->y, k->r3, k);
    add(w->x, w->x, w->y);
}

/* w->x out of Montgomery form, which leaves a prime at most; below it in w->sp and w->sq */
static void leave(struct work *w, const struct rsa_private *k)
{
    memset(w->y, 0, sizeof w->y);
    w->y[0] = w->y[1] = 1;
    multiply(w, w->x, w->x, w->y, k);
    words_of(w->sp, w->x);
    words_of(w->sq, w->x + 1);
    words_reduce(w->sp, 0, k->p);
    words_reduce(w->sq, 0, k->q);
}

/* w->s = sq + q ((sp - sq) / q mod p) (RFC 8017 5.1.2) */
static void join(struct work *w, const struct rsa_private *k)
{
    uint64_t *h = w->sp, carry = 0;
    memcpy(w->s, w->sq, sizeof w->sq);
    words_reduce(w->s, 0, k->p);
    words_add_masked(h, k->p, ct_mask(words_sub(h, h, w->s)));
    memset(w->x, 0, sizeof w->x);
    limbs_of(w->x, h);
    multiply(w, w->x, w->x, k->q_inverse, k);
    words_of(h, w->x);
    words_reduce(h, 0, k->p);
    memcpy(w->s, w->sq, sizeof w->sq);
    memset(w->s + WORDS, 0, sizeof w->sq);
    for (unsigned i = 0; i < WORDS; i++, carry = 0) {
        for (unsigned j = 0; j < WORDS; j++) {
            unsigned __int128 v = (unsigned __int128)h[i] * k->q[j] + w->s[i + j] + carry;
            w->s[i + j] = (uint64_t)v;
            carry = (uint64_t)(v >> 64);
        }
        w->s[i + WORDS] = carry;
    }
}

bool rsa_private(uint8_t *out, const struct rsa_private *k, const uint8_t *in, const uint8_t random[RSA_BLIND_BYTES])
{
    struct work w;
    uint8_t back[2 * PRIME];
    bool out_of_range;
    split(&w, in, k);
    times_comb(&w, k->blind, random, k);
    power(&w, k);
    times_comb(&w, k->unblind, random, k);
    leave(&w, k);
    join(&w, k);
    words_store(out, w.s, 2 * WORDS);
    secret_wipe(&w, sizeof w);
    bool right = rsa_public(back, k->modulus, sizeof k->modulus, k->e, out, &out_of_range) && bytes_equal_ct(back, in, sizeof back);
    if (!right)
        secret_wipe(out, 2 * PRIME); /* what a fault left would give the primes away */
    return right;
}

/* ---- keys */
static void comb_make(uint64_t (*comb)[2 * LIMBS], struct work *w, const uint8_t *base, const struct rsa_private *k)
{
    split(w, base, k);
    memcpy(comb[0], k->one, sizeof comb[0]);
    for (unsigned tooth = 0; tooth < WINDOW; tooth++) {
        memcpy(comb[1u << tooth], w->x, sizeof comb[0]);
        for (unsigned i = 1; i < 1u << tooth; i++)
            multiply(w, comb[(1u << tooth) + i], comb[i], w->x, k);
        for (unsigned i = 0; i < 8; i++)
            multiply(w, w->x, w->x, w->x, k);
    }
}

/* One half: its prime, what depends on it alone, and its exponent. */
static void half_load(struct rsa_private *k, unsigned half, const uint8_t *prime)
{
    uint64_t *n = half ? k->q : k->p, w[WORDS], inverse;
    words_load(n, prime, WORDS);
    limbs_of(k->n + half, n);
    inverse = n[0]; /* right to 3 bits; each step doubles them */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - n[0] * inverse;
    k->k0[half] = -inverse & mask;
    words_power_of_2(w, n, R_BITS);
    limbs_of(k->one + half, w);
    words_power_of_2(w, n, 2 * R_BITS);
    limbs_of(k->r2 + half, w);
    words_power_of_2(w, n, 2 * R_BITS + 64 * WORDS);
    limbs_of(k->r3 + half, w);
    secret_wipe(w, sizeof w);
}

bool rsa_private_load(struct rsa_private *k, const struct rsa_parts *parts)
{
    struct work w;
    uint64_t inverse[WORDS];
    TRY(parts->p[0] & parts->q[0] & 0x80 && parts->p[PRIME - 1] & parts->q[PRIME - 1] & 1);
    memset(k, 0, sizeof *k);
    memcpy(k->modulus, parts->n, sizeof k->modulus);
    memcpy(k->dp, parts->dp, sizeof k->dp);
    memcpy(k->dq, parts->dq, sizeof k->dq);
    k->e = parts->e;
    half_load(k, 0, parts->p);
    half_load(k, 1, parts->q);
    words_load(inverse, parts->q_inverse, WORDS);
    limbs_of(k->q_inverse, inverse);
    multiply(&w, k->q_inverse, k->q_inverse, k->r2, k);
    comb_make(k->blind, &w, parts->blind, k);
    comb_make(k->unblind, &w, parts->unblind, k);
    secret_wipe(&w, sizeof w);
    secret_wipe(inverse, sizeof inverse);
    return true;
}

#endif
