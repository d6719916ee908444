/* What an implementation of ML-KEM's arithmetic provides: polynomials of 256 coefficients modulo q = 3329, in the natural
 * order of FIPS 203 whatever the implementation. A coefficient is "small" when it is in -q+1 .. q-1; everything takes and
 * gives small coefficients unless it says otherwise. Internal to mlkem*.c. */
#ifndef TROTH_KERNEL_MLKEM_OPS_H
#define TROTH_KERNEL_MLKEM_OPS_H

#include "crypto/kernel/keccak.h"
#include "crypto/kernel/mlkem.h"

enum { MLKEM_Q = 3329, MLKEM_K_MAX = 4 };

struct poly { int16_t c[256] __attribute__((aligned(64))); };

struct mlkem_ops {
    const char *name;
    keccak_fn *permute;
    /* FIPS 203 5.1, K-PKE.KeyGen lines 3-7: a[i * k + j] = SampleNTT(rho || j || i) */
    void (*matrix)(struct poly *a, unsigned k, const uint8_t rho[32]);
    /* p[i] = SamplePolyCBD_eta(PRF_eta(seed, nonce + i)) */
    void (*noise)(struct poly *p, unsigned count, unsigned eta, const uint8_t seed[32], uint8_t nonce);
    /* FIPS 203 4.1: h = H(ek) and j = J(z || ct), the two long hashes of a decapsulation that starts at the seed */
    void (*h_and_j)(const struct mlkem *m, uint8_t h[32], uint8_t j[32], const uint8_t *ek, const uint8_t z[32],
                    const uint8_t *ct);
    void (*ntt)(struct poly *p);
    /* the inverse, times 2^16 (which undoes the 2^-16 of dot) */
    void (*ntt_inverse)(struct poly *p);
    /* c[2i] = b[2i], c[2i + 1] = zeta_i * b[2i + 1]: what dot needs of b beside b itself, made once for all rows */
    void (*cache)(struct poly *c, const struct poly *b);
    /* r = 2^-16 * sum of a[i * stride] * b[i] in the NTT domain, i < k. Decoded coefficients of a may be up to 4095. */
    void (*dot)(struct poly *r, const struct poly *a, unsigned stride, const struct poly *b, const struct poly *b_cache,
                unsigned k);
    /* p * 2^16 */
    void (*to_mont)(struct poly *p);
    void (*add)(struct poly *r, const struct poly *a);          /* r + a: small again */
    void (*sub)(struct poly *r, const struct poly *a);          /* a - r: small again */
    void (*encode12)(uint8_t out[384], const struct poly *p);
    /* coefficients 0 .. 4095, as they are; they are below q when the bytes passed check12 */
    void (*decode12)(struct poly *p, const uint8_t in[384]);
    /* d = 1, 4, 5, 10, 11: ByteEncode_d(Compress_d(p)) and Decompress_d(ByteDecode_d(in)), 32 * d bytes */
    void (*compress)(uint8_t *out, const struct poly *p, unsigned d);
    void (*decompress)(struct poly *p, const uint8_t *in, unsigned d);
};

extern const struct mlkem_ops mlkem_portable;
#if defined(__x86_64__)
extern const struct mlkem_ops mlkem_avx2, mlkem_avx512, mlkem_vbmi2;
#endif

/* shared with the vector forms */
void mlkem_h_and_j(const struct mlkem *m, uint8_t h[32], uint8_t j[32], const uint8_t *ek, const uint8_t z[32],
                   const uint8_t *ct);          /* one after the other */
extern const int16_t mlkem_zeta[128];       /* 2^16 * 17^bitrev7(i), centered */
unsigned mlkem_reject(int16_t *out, unsigned room, const uint8_t *in, unsigned n);
void mlkem_cbd(struct poly *p, const uint8_t *in, unsigned eta);
void mlkem_compress(uint8_t *out, const struct poly *p, unsigned d);
void mlkem_decompress(struct poly *p, const uint8_t *in, unsigned d);

#endif
