/* keys13.h - the key schedule of TLS 1.3 (RFC 9846 7.1) as stages that cannot be confused.
 *
 * Each arrow takes the stage before it and wipes it: there is no way back, and no function can be handed the wrong secret, because
 * the stages are different types.  Every secret that is made is told to the witness and, where RFC 9850 says so, to the key log. */
#ifndef TLS_KEYS13_H
#define TLS_KEYS13_H

#include "base/secret.h"
#include "base/witness.h"
#include "tls/transcript.h"

/* Who is told about secrets.  Both may be absent. */
struct told {
    const struct witness *witness;
    void (*key_log)(void *ctx, const char *line);
    void                 *key_log_ctx;
    const uint8_t        *client_random; /* 32 bytes */
};

/* Before any Diffie-Hellman: from a PSK, or from zeros. */
struct ks_early {
    const troth_hash *hash;
    struct secret     early;
};
/* 0-RTT, derived from the stage above without ending it. */
struct ks_early_data {
    const troth_hash *hash;
    struct secret     client, exporter;
};
struct ks_handshake {
    const troth_hash *hash;
    struct secret     handshake, client, server;
};
/* What remains once the handshake is over.  `main` is only there until `resumption` is derived, with the client's Finished: that then
 * takes its place. */
struct ks_main {
    const troth_hash *hash;
    union {
        struct secret main, resumption;
    };
    struct secret client, server, exporter;
};

/* psk empty: none. */
void ks_begin(struct ks_early *out, const troth_hash *hash, span psk, const struct told *told);
/* binder_key -> its finished key, for one binder (RFC 9846 4.3.11.2). */
void ks_binder(uint8_t *binder, const struct ks_early *from, bool external, const char *label, const struct digest *truncated_hello);
void ks_early_data(struct ks_early_data *out, const struct ks_early *from, const struct digest *client_hello, const struct told *told);
void ks_enter_handshake(struct ks_handshake *out, struct ks_early *from, span shared, const struct digest *upto_server_hello,
                        const struct told *told);
/* verify_data of Finished, with the secret of whoever sends it. */
void ks_finished(uint8_t *verify_data, const struct ks_handshake *from, bool of_client, const struct digest *transcript);
/* The handshake stage stays: the client's Finished is still to come.  ks_leave_handshake ends it. */
void ks_enter_main(struct ks_main *out, const struct ks_handshake *from, const struct digest *upto_server_finished,
                   const struct told *told);
void ks_leave_handshake(struct ks_handshake *from);
/* Derives `resumption` and wipes `main`. */
void ks_resumption(struct ks_main *stage, const struct digest *upto_client_finished, const struct told *told);
/* The PSK of one ticket (RFC 9846 4.7.1): hash->n bytes. */
void ks_ticket_psk(uint8_t *psk, const struct ks_main *from, span ticket_nonce);
/* The next generation of a traffic secret (RFC 9846 7.2). */
void ks_update(const troth_hash *hash, struct secret *traffic);
/* RFC 9846 7.5 */
bool MUST_USE ks_export(const troth_hash *hash, const struct secret *exporter, const char *label, span context, uint8_t *out, size_t n);

/* One more secret for the key log and the witness. */
void tell_secret(const struct told *told, const char *log_label, const char *label, const char *from, const troth_hash *hash,
                 span context, span value);

#endif
