/* Keccak-f[1600] and the functions of FIPS 202 that ML-KEM needs. Must never be given a secret length. */
#ifndef TROTH_KERNEL_KECCAK_H
#define TROTH_KERNEL_KECCAK_H

#include <stddef.h>
#include <stdint.h>

enum { SHAKE128_RATE = 168, SHAKE256_RATE = 136, SHA3_256_RATE = 136, SHA3_512_RATE = 72 };
enum { PAD_SHA3 = 0x06, PAD_SHAKE = 0x1f };                     /* FIPS 202 6.1, 6.2, with the first bit of pad10*1 */

/* a permutation of the 25 lanes; the forms differ in speed alone */
typedef void keccak_fn(uint64_t a[25]);
keccak_fn keccak_portable;
#if defined(__x86_64__)
keccak_fn keccak_bmi;                                           /* needs CPU_AVX2, which implies BMI */
/* n times four states, each four lane by lane; n is 1 or 2 */
typedef void keccak_fours_fn(uint64_t a[][25][4], unsigned n);
keccak_fours_fn keccak_avx2_fours, keccak_avx512_fours;         /* the latter needs CPU_AVX512 */
#endif

extern const uint64_t keccak_round[24];

struct sponge {
    uint64_t a[25];
    keccak_fn *permute;
    unsigned rate, at;
};

void sponge_start(struct sponge *s, keccak_fn *permute, unsigned rate);
void sponge_absorb(struct sponge *s, const uint8_t *in, size_t n);
void sponge_pad(struct sponge *s, uint8_t pad);
void sponge_squeeze(struct sponge *s, uint8_t *out, size_t n);

/* out = H(a || b) */
void sponge_hash(keccak_fn *permute, unsigned rate, uint8_t pad, uint8_t *out, size_t out_n,
                 const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n);

#endif
