/* What the two AVX2 files of ML-KEM share. Internal to them. */
#ifndef TROTH_KERNEL_MLKEM_AVX2_H
#define TROTH_KERNEL_MLKEM_AVX2_H

#include "crypto/kernel/mlkem_ops.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2      static inline __attribute__((always_inline, target("avx2"))) __m256i
#define AVX2_VOID static inline __attribute__((always_inline, target("avx2"))) void

void mlkem_avx2_encode12(uint8_t out[384], const struct poly *p);
void mlkem_avx2_decode12(struct poly *p, const uint8_t in[384]);
void mlkem_avx2_compress(uint8_t *out, const struct poly *p, unsigned d);
void mlkem_avx2_decompress(struct poly *p, const uint8_t *in, unsigned d);
void mlkem_avx2_matrix(struct poly *a, unsigned k, const uint8_t rho[32]);
void mlkem_avx512_matrix(struct poly *a, unsigned k, const uint8_t rho[32]);
void mlkem_vbmi2_matrix(struct poly *a, unsigned k, const uint8_t rho[32]);
void mlkem_avx2_noise(struct poly *p, unsigned count, unsigned eta, const uint8_t seed[32], uint8_t nonce);
void mlkem_avx512_noise(struct poly *p, unsigned count, unsigned eta, const uint8_t seed[32], uint8_t nonce);
void mlkem_avx512_h_and_j(const struct mlkem *m, uint8_t h[32], uint8_t j[32], const uint8_t *ek, const uint8_t z[32],
                          const uint8_t *ct);

#endif
#endif
