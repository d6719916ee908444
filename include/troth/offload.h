/* troth/offload.h - hands the records of a connection over to the kernel (kTLS) or to a network card, once the handshake is complete.
 *
 * troth makes the handshake, judges the peer, and then gives away keys, IVs and sequence numbers.  From there on sendfile(2), splice(2) and
 * plain read and write on the socket carry TLS, and troth is out of the way.
 *
 *     if (ready && troth_danger_take_records(c, &read, &write)) {
 *         setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls");
 *         n = troth_danger_kernel_info(&write, info, sizeof info);
 *         setsockopt(fd, SOL_TLS, TLS_TX, info, n);             // and the same with `read` and TLS_RX
 *     }
 *
 * What is given up: KeyUpdate, tickets and certificates after the handshake, padding, and the alert at the end are from then on the
 * application's to handle (the kernel hands it records of other types with a control message).  The kernel of Linux renews no keys by
 * itself: close a connection with AES-GCM after 2^24 records in one direction (RFC 9846 5.5). */
#ifndef TROTH_OFFLOAD_H
#define TROTH_OFFLOAD_H

#include <troth/troth.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One direction.  The nonce of a record is made of salt and iv, in the way of its version:
 *   TLS 1.3, and ChaCha20-Poly1305 in both versions: salt and iv together, twelve bytes, exclusive or with the sequence number
 *   TLS 1.2 with AES-GCM: salt, and eight bytes that stand in the record; iv is the first of those that we would write */
typedef struct troth_record_state {
    uint16_t version, suite;              /* TLS numbers                                    */
    uint8_t  key_n, salt_n, iv_n;
    uint8_t  key[32], salt[4], iv[12];
    uint8_t  sequence[8];                 /* of the next record, most significant byte first */
    uint16_t most;                        /* bytes of content in a record at most: 2^14, or what the peer's record_size_limit says
                                           * (RFC 8449).  The kernel does not know: give it no more at once, without MSG_MORE */
} troth_record_state;

/* Whoever has these reads and writes in the name of both ends: wipe them once they are in the kernel.
 *
 * From READY on.  True: the connection is over as far as troth is concerned - troth_next() says DONE and nothing is sent, no close_notify
 * either - and what it learned (troth_what, troth_peer) stays; for troth_export it is as after any DONE.
 * False, and troth_why() is NULL: not now, because bytes wait to be sent, or some of what was received was not taken yet: go on with
 * troth_next() and try again; where the peer speaks first that is right after READY, before TROTH_RECV was answered.
 * False otherwise: it failed, or there was nothing to hand over (QUIC, no handshake, closed). */
TROTH_API TROTH_CHECK bool troth_danger_take_records(troth_conn *, troth_record_state *read, troth_record_state *write);

/* As struct tls12_crypto_info_aes_gcm_128, _aes_gcm_256 or _chacha20_poly1305 of <linux/tls.h>, which serve TLS 1.3 too.  Length; 0: the
 * kernel has no such struct, or it does not fit (56 bytes are enough for all). */
TROTH_API size_t troth_danger_kernel_info(const troth_record_state *, void *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
