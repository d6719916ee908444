/* ML-KEM (FIPS 203): key encapsulation over module lattices, in three sizes. All randomness is the caller's: the seed
 * d || z of a key pair, the message m of an encapsulation. Constant time in all that is secret; the matrix, sampled by
 * rejection from the public seed, is not. Wipes what it leaves behind. */
#ifndef TROTH_KERNEL_MLKEM_H
#define TROTH_KERNEL_MLKEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum { MLKEM_SEED = 64, MLKEM_MESSAGE = 32, MLKEM_SECRET = 32 };
enum { MLKEM_EK_MAX = 1568, MLKEM_DK_MAX = 3168, MLKEM_CT_MAX = 1568 };

struct mlkem_ops;

struct mlkem {
    const char *name;
    const struct mlkem_ops *ops;
    uint16_t ek_n, dk_n, ct_n;              /* FIPS 203 table 3 */
    uint8_t k, eta1, du, dv;                /* FIPS 203 table 2; eta2 is 2 */
};

enum mlkem_size { MLKEM_512, MLKEM_768, MLKEM_1024 };

/* the best for a cpu_features() mask */
const struct mlkem *mlkem_pick(enum mlkem_size size, uint32_t cpu);

/* FIPS 203 7.1, from the seed d || z. dk may be NULL: the seed is the shorter key, see mlkem_decaps_seed. */
void mlkem_keygen(const struct mlkem *m, uint8_t *ek, uint8_t *dk, const uint8_t seed[MLKEM_SEED]);

/* FIPS 203 7.2 with its input checks: false when the length is wrong or a coefficient of ek is not below q */
bool MUST_USE mlkem_encaps(const struct mlkem *m, uint8_t *ct, uint8_t ss[MLKEM_SECRET], const uint8_t *ek, size_t ek_n,
                           const uint8_t msg[MLKEM_MESSAGE]);

/* FIPS 203 7.3: false when a length is wrong. A ciphertext of the right length always gives a secret: a wrong one a
 * secret nobody knows. A dk that was not made here is to be checked once with mlkem_check_dk. */
bool MUST_USE mlkem_decaps(const struct mlkem *m, uint8_t ss[MLKEM_SECRET], const uint8_t *ct, size_t ct_n,
                           const uint8_t *dk, size_t dk_n);
/* the same with the 64 bytes the key pair came from: key generation again, but the matrix is made once for both */
bool MUST_USE mlkem_decaps_seed(const struct mlkem *m, uint8_t ss[MLKEM_SECRET], const uint8_t *ct, size_t ct_n,
                                const uint8_t seed[MLKEM_SEED]);

/* the input checks alone */
bool MUST_USE mlkem_check_ek(const struct mlkem *m, const uint8_t *ek, size_t ek_n);
bool MUST_USE mlkem_check_dk(const struct mlkem *m, const uint8_t *dk, size_t dk_n);

#endif
