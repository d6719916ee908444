/* quic_protect.h - packet protection of QUIC v1 (RFC 9001 5) with libcrypto: what a QUIC library needs beside the secrets of TLS. */
#ifndef TESTS_INTEROP_QUIC_PROTECT_H
#define TESTS_INTEROP_QUIC_PROTECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

enum { QUIC_IV = 12, QUIC_TAG = 16, QUIC_KEY_MAX = 32, QUIC_SECRET_MAX = 48, QUIC_MASK = 5, QUIC_SAMPLE = 16 };

struct quic_suite {
    uint16_t id; /* of TLS */
    const EVP_MD *(*hash)(void);
    const EVP_CIPHER *(*aead)(void), *(*header)(void);
    size_t key_n;
};

/* The suite of Initial packets is TLS_AES_128_GCM_SHA256 (0x1301).  NULL: not known. */
const struct quic_suite *quic_suite(uint16_t id);

struct quic_key {
    const struct quic_suite *suite;
    uint8_t key[QUIC_KEY_MAX], header[QUIC_KEY_MAX], iv[QUIC_IV];
};

/* "quic key", "quic iv", "quic hp" of a secret; "quic ku", the next secret; the secrets of Initial packets. */
bool quic_key_of(struct quic_key *out, const struct quic_suite *s, const uint8_t *secret);
bool quic_next_secret(uint8_t *out, const struct quic_suite *s, const uint8_t *secret);
bool quic_initial_secrets(uint8_t client[32], uint8_t server[32], const uint8_t *dcid, size_t n);

bool quic_seal(const struct quic_key *k, uint8_t *out, const uint8_t *in, size_t n, const uint8_t *nonce, const uint8_t *ad, size_t ad_n);
/* n: with the tag. */
bool quic_open(const struct quic_key *k, uint8_t *out, const uint8_t *in, size_t n, const uint8_t *nonce, const uint8_t *ad, size_t ad_n);
bool quic_mask(const struct quic_key *k, uint8_t mask[QUIC_MASK], const uint8_t sample[QUIC_SAMPLE]);

#endif
