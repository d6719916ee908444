/* s^e mod n with AVX-512 IFMA: Montgomery multiplication of 52-bit limbs, one limb of the multiplier at a time, the whole
 * multiplicand in 5 to 10 vectors.
 *
 * Bounds. With k limbs and R = 2^(52 k), n < 2^(52 k - 32): a product of values below 2 n gives (a b + m n) / R < n + 4 n^2 / R < 2 n, so
 * nothing is subtracted until the end. A limb of the accumulator gets at most four 52-bit numbers in each of at most 80 rounds before it
 * is shifted out: below 2^61. */
#include "crypto/kernel/rsa.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "crypto/kernel/rsa_words.h"

#define RSA_IFMA   __attribute__((target("avx512f,avx512vl,avx512dq,avx512ifma,bmi2")))
#define RSA_INLINE static inline __attribute__((always_inline)) RSA_IFMA

/* always unrolled: the vectors are registers */
#define EACH_VECTOR _Pragma("GCC unroll 10") for (int i = 0; i < vectors; i++)

enum { LIMB = 52, LIMBS_MAX = 80, WORDS_MAX = RSA_BYTES_MAX / 8 };

static const uint64_t mask = ((uint64_t)1 << LIMB) - 1;

struct modulus {
    _Alignas(64) uint64_t n[LIMBS_MAX]; /* limbs                          */
    uint64_t w[WORDS_MAX];              /* 64-bit words                   */
    unsigned words, rounds;             /* how many words; limbs that are multiplied with */
    uint64_t k0;                        /* -1 / n mod 2^52                */
};

/* ---- numbers */
static void limbs_of(uint64_t *l, const uint64_t *w, unsigned words)
{
    memset(l, 0, LIMBS_MAX * sizeof *l);
    for (unsigned i = 0, bit = 0; bit < 64 * words; i++, bit += LIMB) {
        unsigned at = bit / 64, off = bit % 64;
        uint64_t v = w[at] >> off;
        if (off > 64 - LIMB && at + 1 < words)
            v |= w[at + 1] << (64 - off);
        l[i] = v & mask;
    }
}

static void words_of(uint64_t *w, const uint64_t *l, unsigned words)
{
    memset(w, 0, words * sizeof *w);
    for (unsigned i = 0, bit = 0; bit < 64 * words; i++, bit += LIMB) {
        unsigned at = bit / 64, off = bit % 64;
        w[at] |= l[i] << off;
        if (off > 64 - LIMB && at + 1 < words)
            w[at + 1] |= l[i] >> (64 - off);
    }
}

static bool less(const uint64_t *a, const uint64_t *b, unsigned words)
{
    for (unsigned i = words; i-- > 0;)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

/* a -= q b; what is borrowed from above it */
static uint64_t sub_times(uint64_t *a, const uint64_t *b, uint64_t q, unsigned words)
{
    unsigned __int128 carry = 0;
    for (unsigned i = 0; i < words; i++) {
        carry += (unsigned __int128)q * b[i];
        uint64_t low = (uint64_t)carry;
        carry >>= 64;
        carry += a[i] < low;
        a[i] -= low;
    }
    return (uint64_t)carry;
}

static uint64_t add(uint64_t *a, const uint64_t *b, unsigned words)
{
    unsigned __int128 carry = 0;
    for (unsigned i = 0; i < words; i++) {
        carry += (unsigned __int128)a[i] + b[i];
        a[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)carry;
}

/* r = 2 r mod n */
static void twice(uint64_t *r, const struct modulus *m)
{
    uint64_t top = r[m->words - 1] >> 63;
    for (unsigned i = m->words - 1; i > 0; i--)
        r[i] = r[i] << 1 | r[i - 1] >> 63;
    r[0] <<= 1;
    if (top || !less(r, m->w, m->words))
        (void)sub_times(r, m->w, 1, m->words);
}

/* r = 2^64 r mod n, as in long division: the top bit of n is set, so a digit is guessed at most 2 too high */
static void shift_word(uint64_t *r, const struct modulus *m)
{
    unsigned top = m->words - 1;
    uint64_t high = r[top];
    unsigned __int128 two = (unsigned __int128)high << 64 | r[top - 1];
    uint64_t q = high >= m->w[top] ? UINT64_MAX : (uint64_t)(two / m->w[top]);
    memmove(r + 1, r, top * sizeof *r);
    r[0] = 0;
    high -= sub_times(r, m->w, q, m->words);
    while (high)
        high += add(r, m->w, m->words);
    if (!less(r, m->w, m->words))
        (void)sub_times(r, m->w, 1, m->words);
}

/* R^2 mod n */
static void square_of_r(uint64_t *limbs, const struct modulus *m)
{
    uint64_t r[WORDS_MAX] = { 0 };
    unsigned bits = 2 * LIMB * m->rounds - 64 * m->words;
    (void)sub_times(r, m->w, 1, m->words); /* 2^(64 words) - n */
    for (; bits % 64; bits--)
        twice(r, m);
    for (; bits; bits -= 64)
        shift_word(r, m);
    limbs_of(limbs, r, m->words);
}

static bool modulus_read(struct modulus *m, const uint8_t *n, size_t n_bytes)
{
    TRY((n_bytes == 256 || n_bytes == 384 || n_bytes == 512) && n[0] & 0x80 && n[n_bytes - 1] & 1);
    m->words = (unsigned)(n_bytes / 8);
    m->rounds = (64 * m->words + 32 + LIMB - 1) / LIMB;
    words_load(m->w, n, m->words);
    limbs_of(m->n, m->w, m->words);
    uint64_t inverse = m->w[0]; /* right to 3 bits; each step doubles them */
    for (int i = 0; i < 5; i++)
        inverse *= 2 - m->w[0] * inverse;
    m->k0 = -inverse & mask;
    return true;
}

/* ---- Montgomery multiplication */

/* Two products of 52-bit numbers, cut in halves like the vectors' are. */
struct halves { uint64_t low, high; };

RSA_INLINE struct halves halves(uint64_t a, uint64_t b)
{
    unsigned __int128 p = (unsigned __int128)a * b;
    return (struct halves){ (uint64_t)p & mask, (uint64_t)(p >> LIMB) };
}

/* The limb that a round ends is followed in scalars, ahead of the vectors: the quotient of the next round does not wait for them. */
RSA_INLINE void multiply(uint64_t *out, const uint64_t *a, const uint64_t *b, const struct modulus *m, const int vectors)
{
    __m512i acc[LIMBS_MAX / 8], vb[LIMBS_MAX / 8], vn[LIMBS_MAX / 8];
    const uint64_t b0 = b[0], b1 = b[1], n0 = m->n[0], n1 = m->n[1], k0 = m->k0;
    uint64_t first = 0, carry = 0;
    EACH_VECTOR {
        acc[i] = _mm512_setzero_si512();
        vb[i] = _mm512_loadu_si512(b + 8 * i);
        vn[i] = _mm512_load_si512(m->n + 8 * i);
    }
    for (unsigned round = 0; round < m->rounds; round++) {
        const uint64_t ai = a[round];
        const uint64_t second = (uint64_t)_mm_extract_epi64(_mm512_castsi512_si128(acc[0]), 1);
        struct halves ab = halves(ai, b0);
        first += ab.low;
        const uint64_t y = first * k0 & mask;
        struct halves yn = halves(y, n0);
        first = second + ((first + yn.low) >> LIMB) + ab.high + yn.high + (ai * b1 & mask) + (y * n1 & mask);
        const __m512i va = _mm512_set1_epi64((long long)ai), vy = _mm512_set1_epi64((long long)y);
        __m512i high[LIMBS_MAX / 8];
        EACH_VECTOR high[i] = _mm512_madd52hi_epu64(_mm512_setzero_si512(), va, vb[i]);
        EACH_VECTOR acc[i] = _mm512_madd52lo_epu64(acc[i], va, vb[i]);
        EACH_VECTOR high[i] = _mm512_madd52hi_epu64(high[i], vy, vn[i]);
        EACH_VECTOR acc[i] = _mm512_madd52lo_epu64(acc[i], vy, vn[i]);
        EACH_VECTOR acc[i] = _mm512_add_epi64(high[i],
                                              _mm512_alignr_epi64(i + 1 < vectors ? acc[i + 1] : _mm512_setzero_si512(), acc[i], 1));
    }
    EACH_VECTOR _mm512_storeu_si512(out + 8 * i, acc[i]);
    out[0] = first;
    for (int i = 0; i < 8 * vectors; i++) {
        carry += out[i];
        out[i] = carry & mask;
        carry >>= LIMB;
    }
}

/* x = s^e mod n or n more: e's bits from the top, each step in Montgomery form but the last, which takes s as it is and so leaves it */
RSA_INLINE void power(uint64_t *x, const uint64_t *s, uint64_t e, const struct modulus *m, const int vectors)
{
    _Alignas(64) uint64_t to[LIMBS_MAX], base[LIMBS_MAX];
    square_of_r(to, m);
    multiply(base, s, to, m, vectors);
    memcpy(x, base, sizeof base);
    for (int bit = 62 - __builtin_clzll(e); bit >= 0; bit--) {
        multiply(x, x, x, m, vectors);
        if (e >> bit & 1)
            multiply(x, x, bit ? base : s, m, vectors);
    }
}

static RSA_IFMA void power_2048(uint64_t *x, const uint64_t *s, uint64_t e, const struct modulus *m)
{
    power(x, s, e, m, 5);
}

static RSA_IFMA void power_larger(uint64_t *x, const uint64_t *s, uint64_t e, const struct modulus *m)
{
    if (m->words == 48)
        power(x, s, e, m, 8);
    else
        power(x, s, e, m, 10);
}

bool rsa_public(uint8_t *out, const uint8_t *n, size_t n_bytes, uint64_t e, const uint8_t *s, bool *out_of_range)
{
    struct modulus m;
    uint64_t w[WORDS_MAX];
    _Alignas(64) uint64_t limbs[LIMBS_MAX], x[LIMBS_MAX];
    *out_of_range = false;
    TRY(e > 1 && e & 1 && modulus_read(&m, n, n_bytes));
    words_load(w, s, m.words);
    *out_of_range = !less(w, m.w, m.words);
    TRY(!*out_of_range);
    limbs_of(limbs, w, m.words);
    (m.words == 32 ? power_2048 : power_larger)(x, limbs, e, &m);
    words_of(w, x, m.words);
    bool above = x[64 * m.words / LIMB] >> (64 * m.words % LIMB); /* below 2 n, which may be one bit more than the words hold */
    if (above || !less(w, m.w, m.words))
        (void)sub_times(w, m.w, 1, m.words);
    for (unsigned i = 0; i < m.words; i++) {
        uint64_t v = __builtin_bswap64(w[m.words - 1 - i]);
        memcpy(out + 8 * i, &v, 8);
    }
    return true;
}

#endif
