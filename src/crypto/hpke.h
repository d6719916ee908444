/* hpke.h - hybrid public key encryption in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, and the AEADs of TLS 1.3.
 *
 * The key pair is that of the provider's x25519.  A context keeps raw keys only; it is as secret as they are: hpke_end wipes it.  Must never
 * use a sequence number twice. */
#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

#include "crypto/provider.h"

enum hpke_id {
    HPKE_KEM_X25519_SHA256 = 0x0020,
    HPKE_KDF_SHA256 = 0x0001,
    HPKE_AES_128_GCM = 0x0001,
    HPKE_AES_256_GCM = 0x0002,
    HPKE_CHACHA20_POLY1305 = 0x0003
};
enum { HPKE_KEY_N = 32, HPKE_ENC_N = 32, HPKE_TAG_N = 16 };

struct hpke {
    const troth_provider *p;
    const troth_hash     *hash;
    const troth_aead     *aead;
    uint8_t  suite[10]; /* "HPKE", and the three numbers */
    uint8_t  key[TROTH_AEAD_KEY_MAX], base_nonce[12], exporter[32];
    uint8_t  shared[32]; /* of the KEM: what a key log has (RFC 9850) */
    uint64_t seq;       /* of the next message */
};

/* Can this provider do it with these numbers? */
bool hpke_has(const troth_provider *p, uint16_t kem, uint16_t kdf, uint16_t aead);
bool MUST_USE hpke_make_key(const troth_provider *p, uint8_t private[HPKE_KEY_N], uint8_t public[HPKE_KEY_N]);

/* A context to seal to the owner of `public`; `enc` goes to them.  False when the key is not one, or the provider failed or lacks it. */
bool MUST_USE hpke_seal_begin(struct hpke *h, const troth_provider *p, uint16_t aead, uint8_t enc[HPKE_ENC_N], span public, span info);
/* A context to open what was sealed to us. */
bool MUST_USE hpke_open_begin(struct hpke *h, const troth_provider *p, uint16_t aead, span enc, const uint8_t private[HPKE_KEY_N],
                              const uint8_t public[HPKE_KEY_N], span info);

/* The next message: out has room for text.n + HPKE_TAG_N bytes; it may be text.p. */
bool MUST_USE hpke_seal(struct hpke *h, uint8_t *out, span aad, span text);
/* Likewise for sealed.n - HPKE_TAG_N bytes.  After a wrong one the same message may be tried again. */
bool MUST_USE hpke_open(struct hpke *h, uint8_t *out, span aad, span sealed);
/* The context goes on with another provider, the one it was begun with being gone.  False when that lacks something. */
bool MUST_USE hpke_move(struct hpke *h, const troth_provider *p);
bool MUST_USE hpke_export(const struct hpke *h, uint8_t *out, size_t n, span context);
void hpke_end(struct hpke *h);

#endif
