/* hkdf.h - key derivation on any provider's hashes: HMAC (RFC 2104), HKDF (RFC 5869), HKDF-Expand-Label (RFC 9846 7.1), and the PRF of
 * TLS 1.2 (RFC 5246 5).
 *
 * Nothing here allocates or fails for lack of anything; intermediate values are wiped.  Must never look at the bytes of a key. */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include "crypto/provider.h"

/* An HMAC key, digested: two compressions are saved on each use.  As secret as the key itself: hmac_key_wipe it. */
struct hmac_key {
    const troth_hash *h;
    _Alignas(16) uint8_t inner[TROTH_HASH_STATE_MAX];
    _Alignas(16) uint8_t outer[TROTH_HASH_STATE_MAX];
};

void hmac_key_init(struct hmac_key *k, const troth_hash *h, span key);
void hmac_key_wipe(struct hmac_key *k);
/* out: h->n bytes; may be one of the parts. */
void hmac(const struct hmac_key *k, uint8_t *out, const span *parts, size_t n_parts);
/* Once, with a key that is not needed again. */
void hmac_once(const troth_hash *h, uint8_t *out, span key, span message);

/* prk: h->n bytes.  An empty salt means h->n zeros, as the RFC says.  prk may be salt.p or ikm.p. */
void hkdf_extract(const troth_hash *h, uint8_t *prk, span salt, span ikm);
/* False when n > 255 * h->n. */
bool MUST_USE hkdf_expand(const troth_hash *h, uint8_t *out, size_t n, span prk, span info);

/* Likewise, ikm and info in pieces (at most HKDF_PARTS of info). */
enum { HKDF_PARTS = 8 };
void hkdf_extract_parts(const troth_hash *h, uint8_t *prk, span salt, const span *ikm, size_t n_parts);
bool MUST_USE hkdf_expand_parts(const troth_hash *h, uint8_t *out, size_t n, span prk, const span *info, size_t n_parts);

/* HKDF-Expand-Label(secret, label, context, n); the "tls13 " in front of the label is added here.  False when a length cannot be written:
 * label over 249, context over 255, n over 65535 or 255 * h->n. */
bool MUST_USE expand_label(const troth_hash *h, uint8_t *out, size_t n, span secret, const char *label, span context);
/* Likewise for several labels under one secret. */
bool MUST_USE expand_label_key(const struct hmac_key *secret, uint8_t *out, size_t n, const char *label, span context);
/* With another prefix instead of "tls13 " (DTLS 1.3: "dtls13"; RFC 9849: labels as they are). */
bool MUST_USE expand_label_as(const struct hmac_key *secret, uint8_t *out, size_t n, const char *prefix, const char *label,
                              span context);

/* PRF(secret, label, seed): P_<hash>(secret, label || seed), the seed in two parts (either may be empty). */
void tls12_prf(const troth_hash *h, uint8_t *out, size_t n, span secret, const char *label, span seed1, span seed2);

#endif
