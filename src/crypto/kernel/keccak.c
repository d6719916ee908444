/* Keccak-f[1600] on 64-bit lanes and the sponge over it (FIPS 202). No branch depends on what is absorbed. */
#include "crypto/kernel/keccak.h"

#include <string.h>

#include "crypto/kernel/ct.h"

/* FIPS 202 3.2.5 */
const uint64_t keccak_round[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

#define LANE              uint64_t
#define XOR(a, b)         ((a) ^ (b))
#define XOR5(a, b, c, d, e) ((a) ^ (b) ^ (c) ^ (d) ^ (e))
#define ROL(x, n)         ((x) << (n) | (x) >> (-(n) & 63))
#define CHI(a, b, c)      ((a) ^ (~(b) & (c)))
#define ROUND_KEY(i)      keccak_round[i]
#include "crypto/kernel/keccak_rounds.h"

#define IN(name, n)  x##name = a[n];
#define OUT(name, n) a[n] = x##name;

void keccak_portable(uint64_t a[25])
{
    KECCAK_PERMUTE(IN, OUT)
}

#if defined(__x86_64__)
/* the same with andn and rorx */
__attribute__((target("bmi,bmi2"))) void keccak_bmi(uint64_t a[25])
{
    KECCAK_PERMUTE(IN, OUT)
}
#endif

void sponge_start(struct sponge *s, keccak_fn *permute, unsigned rate)
{
    memset(s->a, 0, sizeof s->a);
    s->permute = permute;
    s->rate = rate;
    s->at = 0;
}

static uint64_t lane(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

static void xor_byte(struct sponge *s, unsigned at, uint8_t v)
{
    s->a[at / 8] ^= (uint64_t)v << 8 * (at % 8);
}

void sponge_absorb(struct sponge *s, const uint8_t *in, size_t n)
{
    while (n) {
        if (s->at % 8 == 0 && n >= 8) {
            s->a[s->at / 8] ^= lane(in);
            s->at += 8, in += 8, n -= 8;
        } else {
            xor_byte(s, s->at++, *in++);
            n--;
        }
        if (s->at == s->rate) {
            s->permute(s->a);
            s->at = 0;
        }
    }
}

void sponge_pad(struct sponge *s, uint8_t pad)
{
    xor_byte(s, s->at, pad);
    xor_byte(s, s->rate - 1, 0x80);
    s->at = s->rate;
}

void sponge_squeeze(struct sponge *s, uint8_t *out, size_t n)
{
    while (n) {
        if (s->at == s->rate) {
            s->permute(s->a);
            s->at = 0;
        }
        uint64_t w = s->a[s->at / 8] >> 8 * (s->at % 8);
        if (s->at % 8 == 0 && n >= 8) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
            w = __builtin_bswap64(w);
#endif
            memcpy(out, &w, 8);
            s->at += 8, out += 8, n -= 8;
        } else {
            *out++ = (uint8_t)w;
            s->at++, n--;
        }
    }
}

void sponge_hash(keccak_fn *permute, unsigned rate, uint8_t pad, uint8_t *out, size_t out_n,
                 const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n)
{
    struct sponge s;
    sponge_start(&s, permute, rate);
    sponge_absorb(&s, a, a_n);
    sponge_absorb(&s, b, b_n);
    sponge_pad(&s, pad);
    sponge_squeeze(&s, out, out_n);
    secret_wipe(&s, sizeof s);
}
