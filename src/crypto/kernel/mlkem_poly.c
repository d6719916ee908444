/* ML-KEM's arithmetic for any machine (FIPS 203 4.2 - 4.3), and the pieces the vector forms share. No branch, index or
 * division depends on a coefficient, except in mlkem_reject, which works on public bytes.
 *
 * Products are reduced after Montgomery with 2^16: reduce(x) = x * 2^-16 mod q, small for |x| < 2^15 * q. */
#include "crypto/kernel/mlkem_ops.h"

#include "crypto/kernel/ct.h"

enum { Q = MLKEM_Q, Q_INVERSE = -3327 };                        /* q * -3327 = 1 mod 2^16 */
enum { MONT_SQUARED = 1353, MONT_SQUARED_128TH = 1441 };        /* 2^32 and 2^32 / 128 mod q */

/* clang-format off */
const int16_t mlkem_zeta[128] = {
    -1044,  -758,  -359, -1517,  1493,  1422,   287,   202,  -171,   622,  1577,   182,   962, -1202, -1474,  1468,
      573, -1325,   264,   383,  -829,  1458, -1602,  -130,  -681,  1017,   732,   608, -1542,   411,  -205, -1571,
     1223,   652,  -552,  1015, -1293,  1491,  -282, -1544,   516,    -8,  -320,  -666, -1618, -1162,   126,  1469,
     -853,   -90,  -271,   830,   107, -1421,  -247,  -951,  -398,   961, -1508,  -725,   448, -1065,   677, -1275,
    -1103,   430,   555,   843, -1251,   871,  1550,   105,   422,   587,   177,  -235,  -291,  -460,  1574,  1653,
     -246,   778,  1159,  -147,  -777,  1483,  -602,  1119, -1590,   644,  -872,   349,   418,   329,  -156,   -75,
      817,  1097,   603,   610,  1322, -1285, -1465,   384, -1215,  -136,  1218, -1335,  -874,   220, -1187, -1659,
    -1185, -1530, -1278,   794, -1510,  -854,  -870,   478,  -108,  -308,   996,   991,   958, -1460,  1522,  1628,
};
/* clang-format on */

/* x - t * q has 16 low zero bits; |x| < 2^15 q and |t q| <= 2^15 q, so the quotient by 2^16 is small */
ALWAYS_INLINE int16_t reduce(int32_t x)
{
    int16_t t = (int16_t)((int16_t)x * Q_INVERSE);
    return (int16_t)((x - (int32_t)t * Q) >> 16);
}

ALWAYS_INLINE int16_t mul(int16_t a, int16_t b)
{
    return reduce((int32_t)a * b);
}

/* any 16-bit value to -q/2 .. q/2: 20159 is 2^26 / q rounded, and x * 20159 / 2^26 is off by less than 1/2 + 2^-10 */
ALWAYS_INLINE int16_t barrett(int16_t x)
{
    int16_t t = (int16_t)(((int32_t)20159 * x + (1 << 25)) >> 26);
    return (int16_t)(x - t * Q);
}

/* small to 0 .. q-1 */
ALWAYS_INLINE uint16_t freeze(int16_t x)
{
    return (uint16_t)(x + ((x >> 15) & Q));
}

/* FIPS 203 algorithm 9. Each of seven layers adds less than q: from small to below 8q = 26632. */
static void ntt(struct poly *p)
{
    unsigned i = 1;
    for (unsigned len = 128; len >= 2; len /= 2) {
        for (unsigned start = 0; start < 256; start += 2 * len) {
            int16_t zeta = mlkem_zeta[i++];
            for (unsigned j = start; j < start + len; j++) {
                int16_t t = mul(zeta, p->c[j + len]);
                p->c[j + len] = (int16_t)(p->c[j] - t);
                p->c[j] = (int16_t)(p->c[j] + t);
            }
        }
    }
    for (unsigned j = 0; j < 256; j++)
        p->c[j] = barrett(p->c[j]);
}

/* FIPS 203 algorithm 10, times 2^16: sums are reduced at once, differences of two small ones (below 2q) by the product. */
static void ntt_inverse(struct poly *p)
{
    unsigned i = 127;
    for (unsigned len = 2; len <= 128; len *= 2) {
        for (unsigned start = 0; start < 256; start += 2 * len) {
            int16_t zeta = mlkem_zeta[i--];
            for (unsigned j = start; j < start + len; j++) {
                int16_t t = p->c[j];
                p->c[j] = barrett((int16_t)(t + p->c[j + len]));
                p->c[j + len] = mul(zeta, (int16_t)(p->c[j + len] - t));
            }
        }
    }
    for (unsigned j = 0; j < 256; j++)
        p->c[j] = mul(p->c[j], MONT_SQUARED_128TH);
}

static void cache(struct poly *c, const struct poly *b)
{
    *c = *b;
    for (unsigned i = 0; i < 64; i++) {
        c->c[4 * i + 1] = mul(b->c[4 * i + 1], mlkem_zeta[64 + i]);
        c->c[4 * i + 3] = mul(b->c[4 * i + 3], (int16_t)-mlkem_zeta[64 + i]);
    }
}

/* FIPS 203 algorithms 11 and 12. Two products per coefficient and i: at most 2 * 4 * 4095 * q < 2^15 q. */
static void dot(struct poly *r, const struct poly *a, unsigned stride, const struct poly *b, const struct poly *b_cache,
                unsigned k)
{
    for (unsigned j = 0; j < 128; j++) {
        int32_t even = 0, odd = 0;
        for (unsigned i = 0; i < k; i++) {
            int32_t a0 = a[i * stride].c[2 * j], a1 = a[i * stride].c[2 * j + 1];
            even += a0 * b_cache[i].c[2 * j] + a1 * b_cache[i].c[2 * j + 1];
            odd += a0 * b[i].c[2 * j + 1] + a1 * b[i].c[2 * j];
        }
        r->c[2 * j] = reduce(even);
        r->c[2 * j + 1] = reduce(odd);
    }
}

static void to_mont(struct poly *p)
{
    for (unsigned j = 0; j < 256; j++)
        p->c[j] = mul(p->c[j], MONT_SQUARED);
}

static void add(struct poly *r, const struct poly *a)
{
    for (unsigned j = 0; j < 256; j++)
        r->c[j] = barrett((int16_t)(r->c[j] + a->c[j]));
}

static void sub(struct poly *r, const struct poly *a)
{
    for (unsigned j = 0; j < 256; j++)
        r->c[j] = barrett((int16_t)(a->c[j] - r->c[j]));
}

static void encode12(uint8_t out[384], const struct poly *p)
{
    for (unsigned j = 0; j < 128; j++) {
        unsigned a = freeze(p->c[2 * j]), b = freeze(p->c[2 * j + 1]);
        out[3 * j] = (uint8_t)a;
        out[3 * j + 1] = (uint8_t)(a >> 8 | b << 4);
        out[3 * j + 2] = (uint8_t)(b >> 4);
    }
}

static void decode12(struct poly *p, const uint8_t in[384])
{
    for (unsigned j = 0; j < 128; j++) {
        unsigned x = in[3 * j], y = in[3 * j + 1], z = in[3 * j + 2];
        p->c[2 * j] = (int16_t)(x | (y & 15) << 8);
        p->c[2 * j + 1] = (int16_t)(y >> 4 | z << 4);
    }
}

/* FIPS 203 4.2.1: round(2^d / q * x) mod 2^d. q is odd, so nothing lies half way, and that is (2^d x + 1664) / q;
 * 10321340 * q is 2^35 + 2492, so the multiplication is exact for numerators below 2^35 / 2492 > 2^11 * q. */
ALWAYS_INLINE uint32_t compressed(int16_t x, unsigned d)
{
    return (uint32_t)((((uint64_t)freeze(x) << d) + 1664) * 10321340 >> 35) & ((1u << d) - 1);
}

ALWAYS_INLINE void compress_d(uint8_t *out, const struct poly *p, unsigned d)
{
    uint64_t bits = 0;
    unsigned n = 0;
    for (unsigned j = 0; j < 256; j++) {
        bits |= (uint64_t)compressed(p->c[j], d) << n;
        for (n += d; n >= 8; n -= 8, bits >>= 8)
            *out++ = (uint8_t)bits;
    }
}

void mlkem_compress(uint8_t *out, const struct poly *p, unsigned d)
{
    switch (d) {                                                /* d is a constant in each: the loops unroll */
    case 1:  compress_d(out, p, 1); break;
    case 4:  compress_d(out, p, 4); break;
    case 5:  compress_d(out, p, 5); break;
    case 10: compress_d(out, p, 10); break;
    default: compress_d(out, p, 11); break;
    }
}

/* round(q / 2^d * y) */
ALWAYS_INLINE void decompress_d(struct poly *p, const uint8_t *in, unsigned d)
{
    uint64_t bits = 0;
    unsigned n = 0;
    for (unsigned j = 0; j < 256; j++) {
        for (; n < d; n += 8)
            bits |= (uint64_t)*in++ << n;
        uint32_t y = (uint32_t)bits & ((1u << d) - 1);
        p->c[j] = (int16_t)((y * Q + (1u << (d - 1))) >> d);
        bits >>= d;
        n -= d;
    }
}

void mlkem_decompress(struct poly *p, const uint8_t *in, unsigned d)
{
    switch (d) {
    case 1:  decompress_d(p, in, 1); break;
    case 4:  decompress_d(p, in, 4); break;
    case 5:  decompress_d(p, in, 5); break;
    case 10: decompress_d(p, in, 10); break;
    default: decompress_d(p, in, 11); break;
    }
}

/* FIPS 203 algorithm 7, lines 4-16: as many coefficients of `in` (n a multiple of 3) as are below q and find room */
unsigned mlkem_reject(int16_t *out, unsigned room, const uint8_t *in, unsigned n)
{
    unsigned count = 0;
    for (unsigned i = 0; i < n && count < room; i += 3) {
        unsigned a = in[i] | (in[i + 1] & 15u) << 8, b = in[i + 1] >> 4 | (unsigned)in[i + 2] << 4;
        if (a < Q)
            out[count++] = (int16_t)a;
        if (b < Q && count < room)
            out[count++] = (int16_t)b;
    }
    return count;
}

static void matrix(struct poly *a, unsigned k, const uint8_t rho[32])
{
    for (unsigned i = 0; i < k * k; i++) {
        struct sponge s;
        uint8_t at[2] = { (uint8_t)(i % k), (uint8_t)(i / k) }, block[SHAKE128_RATE];
        sponge_start(&s, keccak_portable, SHAKE128_RATE);
        sponge_absorb(&s, rho, 32);
        sponge_absorb(&s, at, 2);
        sponge_pad(&s, PAD_SHAKE);
        for (unsigned n = 0; n < 256;) {
            sponge_squeeze(&s, block, sizeof block);
            n += mlkem_reject(a[i].c + n, 256 - n, block, sizeof block);
        }
    }
}

/* FIPS 203 algorithm 8: each coefficient is the number of ones in eta bits minus that in eta more. Bits are added in
 * parallel, 64 or 48 at a time. */
void mlkem_cbd(struct poly *p, const uint8_t *in, unsigned eta)
{
    for (unsigned i = 0; i < 256; i += eta == 2 ? 2 : 4) {
        uint32_t sums = 0;
        if (eta == 2) {
            sums = (in[0] & 0x55u) + (in[0] >> 1 & 0x55u);
            in++;
            p->c[i] = (int16_t)((int)(sums & 3) - (int)(sums >> 2 & 3));
            p->c[i + 1] = (int16_t)((int)(sums >> 4 & 3) - (int)(sums >> 6 & 3));
            continue;
        }
        uint32_t bits = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16;
        in += 3;
        sums = (bits & 0x249249) + (bits >> 1 & 0x249249) + (bits >> 2 & 0x249249);
        for (unsigned j = 0; j < 4; j++)
            p->c[i + j] = (int16_t)((int)(sums >> 6 * j & 7) - (int)(sums >> (6 * j + 3) & 7));
    }
}

static void noise(struct poly *p, unsigned count, unsigned eta, const uint8_t seed[32], uint8_t nonce)
{
    uint8_t bytes[64 * 3];
    for (unsigned i = 0; i < count; i++, nonce++) {
        sponge_hash(keccak_portable, SHAKE256_RATE, PAD_SHAKE, bytes, 64 * eta, seed, 32, &nonce, 1);
        mlkem_cbd(&p[i], bytes, eta);
    }
    secret_wipe(bytes, sizeof bytes);
}

const struct mlkem_ops mlkem_portable = {
    .name = "portable", .permute = keccak_portable, .matrix = matrix, .noise = noise, .h_and_j = mlkem_h_and_j, .ntt = ntt,
    .ntt_inverse = ntt_inverse, .cache = cache, .dot = dot, .to_mont = to_mont, .add = add, .sub = sub,
    .encode12 = encode12, .decode12 = decode12, .compress = mlkem_compress, .decompress = mlkem_decompress,
};
