/* keys12.h - the key schedule of TLS 1.2 with the extended master secret (RFC 5246 5, 6.3, 8; RFC 7627).
 *
 * One secret, 48 bytes, from which all else comes.  It stays with the connection, as exporters need it (RFC 5705): in ks_main.exporter. */
#ifndef TLS_KEYS12_H
#define TLS_KEYS12_H

#include "tls/keys13.h"

enum { MASTER_SECRET_N = 48, VERIFY_DATA_12_N = 12, KEY_BLOCK_MAX = 2 * (32 + 12) };

struct ks_12 {
    const troth_hash *hash;
    struct secret     master;
    uint8_t           block[KEY_BLOCK_MAX]; /* key_block, once there are block_n bytes of it: the directions take turns */
    size_t            block_n;
};

/* Both randoms, 32 bytes each. */
struct randoms {
    const uint8_t *client, *server;
};

/* From the premaster secret and the hash of the session so far, ClientKeyExchange included (RFC 7627 4). */
void ks12_master(struct ks_12 *out, const troth_hash *hash, span premaster, const struct digest *session, const struct told *told);
/* The master secret of a session that is resumed. */
void ks12_resume(struct ks_12 *out, const troth_hash *hash, span master, const struct told *told);
/* key_block's share of one direction: key and IV, `key_n` and `iv_n` bytes. */
void ks12_traffic(uint8_t *key, size_t key_n, uint8_t *iv, size_t iv_n, struct ks_12 *from, struct randoms r, bool of_client);
/* verify_data of Finished: VERIFY_DATA_12_N bytes. */
void ks12_finished(uint8_t *verify_data, const struct ks_12 *from, bool of_client, const struct digest *transcript);
/* RFC 5705 4.  `context` with p == NULL: none, which is not the same as an empty one.  False: memory, or longer than 65535. */
bool MUST_USE ks12_export(const troth_hash *hash, const struct secret *master, struct randoms r, const char *label, span context,
                          uint8_t *out, size_t n);

#endif
