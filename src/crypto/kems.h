/* kems.h - key exchanges of troth's own: X25519 and ML-KEM from crypto/kernel/, and the hybrids of ML-KEM with any classical one.
 *
 * Rows are filled in for a provider, which lends the randomness and keeps row and `struct own_kem` as long as it lives. */
#ifndef CRYPTO_KEMS_H
#define CRYPTO_KEMS_H

#include "crypto/kernel/mlkem.h"
#include "crypto/kernel/x25519.h"
#include "crypto/provider.h"

/* What a row stands on: its `self`. */
struct own_kem {
    const troth_provider *provider;
    const struct x25519  *x25519;
    const struct mlkem   *mlkem;
    const troth_kem      *classic;  /* hybrids: the other half, the row's `tail`              */
    size_t                classic_private_at, mlkem_private_at;
    size_t                classic_share_at, mlkem_share_at, classic_reply_at, mlkem_reply_at;
    size_t                classic_secret_at, mlkem_secret_at;
};

void kem_x25519(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct x25519 *x);
/* draft-ietf-tls-mlkem: ML-KEM alone. */
void kem_mlkem(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct mlkem *m, uint16_t group, const char *name);
/* draft-ietf-tls-ecdhe-mlkem: shares and secrets of both, one behind the other; X25519MLKEM768 has ML-KEM in front, the NIST curves have
 * themselves in front. */
void kem_hybrid(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct mlkem *m, const troth_kem *classic,
                bool classic_first, uint16_t group, const char *name);

#endif
