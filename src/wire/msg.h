/* msg.h - every handshake message as a plain struct, with its reader and its writer.
 *
 * Spans point into the message that was read.  A reader returns rd_ok: use the struct only when it is true.  A reader checks what can
 * be checked from the bytes alone; it never knows a connection and never decides.  Readers get the body, behind message_open;
 * writers write the body, between message_begin and message_end.  TLS 1.2's own forms end in 12. */
#ifndef WIRE_MSG_H
#define WIRE_MSG_H

#include "wire/ext.h"

/* ---- framing (RFC 9846 4).  `whole` is the message with its header; offsets count from its first byte. */

/* Takes the header off `r`: msg_type and length, named.  Returns a reader of the body; the body must be all that is left. */
struct rd message_open(struct rd *r, uint8_t *msg_type);
size_t message_begin(struct wr *w, uint8_t msg_type);
void message_end(struct wr *w, size_t mark);
/* The synthetic message_hash that stands for ClientHello1 after a retry (RFC 9846 4.1): header and digest. */
void message_hash_write(struct wr *w, span client_hello1_digest);

/* ---- ClientHello (RFC 9846 4.2.2) */
struct client_hello {
    uint16_t    legacy_version;
    span        random;                 /* 32 bytes                                                    */
    span        legacy_session_id;      /* 0..32                                                       */
    span        cipher_suites;          /* list of u16                                                 */
    span        legacy_compression_methods; /* list of u8                                              */
    struct exts exts;
    bool        has_extensions;         /* a TLS 1.2 ClientHello may end before the block              */
};
/* Gathers the extensions, does not read them: exts_read(&ch->exts, r, IN_CH, 0, NULL) follows, or client_hello_read_all. */
bool MUST_USE client_hello_read(struct client_hello *ch, struct rd *r);
/* Both phases, and legacy_compression_methods has null. */
bool MUST_USE client_hello_read_all(struct client_hello *ch, struct rd *r);
void client_hello_write(struct wr *w, const struct client_hello *ch);
/* The same, but more may follow: zeros, in what ECH decrypts to (ech_inner_expand in ech.h is what to call). */
bool MUST_USE client_hello_read_prefix(struct client_hello *ch, struct rd *r);

/* ---- ServerHello and HelloRetryRequest (RFC 9846 4.2.3, 4.2.4): one form, told apart by the random */
extern const uint8_t hello_retry_random[32];
extern const uint8_t downgrade_tls12[8], downgrade_tls11[8]; /* the last 8 bytes of random (RFC 9846 4.2.3) */

struct server_hello {
    uint16_t    legacy_version;
    span        random;
    span        legacy_session_id_echo;
    uint16_t    cipher_suite;
    uint8_t     legacy_compression_method;
    struct exts exts;
    bool        has_extensions;
};
/* Gathers only: the version decides what the extensions may be, and server_hello_version says it.  Then
 * exts_read(&sh->exts, r, in, version, &asked), with in = IN_HRR when server_hello_is_retry. */
bool MUST_USE server_hello_read(struct server_hello *sh, struct rd *r);
void server_hello_write(struct wr *w, const struct server_hello *sh, enum ext_in in);
bool server_hello_is_retry(const struct server_hello *sh);
/* selected_version of supported_versions if that is there and whole, else legacy_version. */
uint16_t server_hello_version(const struct server_hello *sh);

/* ---- EncryptedExtensions (RFC 9846 4.4.1) */
struct encrypted_extensions {
    struct exts exts;
};
bool MUST_USE encrypted_extensions_read(struct encrypted_extensions *ee, struct rd *r, const struct ext_set *asked);
void encrypted_extensions_write(struct wr *w, const struct encrypted_extensions *ee);

/* ---- CertificateRequest (RFC 9846 4.4.2; RFC 5246 7.4.4) */
struct certificate_request {
    span        certificate_request_context;
    struct exts exts;                    /* signature_algorithms is there, or the reader failed (missing_extension) */
};
bool MUST_USE certificate_request_read(struct certificate_request *cr, struct rd *r);
void certificate_request_write(struct wr *w, const struct certificate_request *cr);

struct certificate_request12 {
    span certificate_types;              /* list of u8                        */
    span supported_signature_algorithms; /* list of u16                       */
    span certificate_authorities;        /* list of opaque16; may be empty    */
};
bool MUST_USE certificate_request12_read(struct certificate_request12 *cr, struct rd *r);
void certificate_request12_write(struct wr *w, const struct certificate_request12 *cr);

/* ---- Certificate (RFC 9846 4.5.1; RFC 5246 7.4.2; RFC 7250 3) */
struct certificate_entry {
    span           cert_data;            /* X.509 certificate, or SubjectPublicKeyInfo for a raw public key; never empty */
    struct ext_set have;                 /* of those that an entry may carry                                             */
    span           ocsp_response;        /* status_request                                                               */
    span           sct_list;             /* signed_certificate_timestamp: list of opaque16, its length in front           */
    struct delegated_credential dc;      /* delegated_credential                                                         */
    span           trust_anchors;        /* trust_anchors, as it is                                                      */
};
struct certificate {
    span     certificate_request_context;
    struct certificate_entry entries[LIMIT_CHAIN];
    uint8_t  n;                          /* 0: no certificate (a client's, or illegal)                                   */
};
/* `asked`: the extensions of our ClientHello or CertificateRequest. */
bool MUST_USE certificate_read(struct certificate *c, struct rd *r, const struct ext_set *asked);
void certificate_write(struct wr *w, const struct certificate *c);
bool MUST_USE certificate12_read(struct certificate *c, struct rd *r);
void certificate12_write(struct wr *w, const struct certificate *c);
/* RFC 7250 in TLS 1.2: certificate_list is one SubjectPublicKeyInfo with a length of 3 bytes. */
bool MUST_USE raw_public_key12_read(struct certificate *c, struct rd *r);
void raw_public_key12_write(struct wr *w, const struct certificate *c);

/* ---- CompressedCertificate (RFC 8879 4) */
struct compressed_certificate {
    uint16_t algorithm;
    uint32_t uncompressed_length;        /* at most LIMIT_CERTIFICATE_MESSAGE, or the reader failed */
    span     compressed_certificate_message;
};
bool MUST_USE compressed_certificate_read(struct compressed_certificate *c, struct rd *r);
void compressed_certificate_write(struct wr *w, const struct compressed_certificate *c);

/* ---- CertificateVerify (RFC 9846 4.5.2; the same form in RFC 5246 7.4.8) */
struct certificate_verify {
    uint16_t algorithm;
    span     signature;
};
bool MUST_USE certificate_verify_read(struct certificate_verify *cv, struct rd *r);
void certificate_verify_write(struct wr *w, const struct certificate_verify *cv);

/* ---- Finished (RFC 9846 4.5.3; RFC 5246 7.4.9): `n` is the hash length, 12 in TLS 1.2 */
struct finished {
    span verify_data;
};
bool MUST_USE finished_read(struct finished *f, struct rd *r, size_t n);
void finished_write(struct wr *w, const struct finished *f);

/* ---- EndOfEarlyData, HelloRequest, ServerHelloDone: nothing inside.  `name` is the message's. */
bool MUST_USE empty_message_read(struct rd *r, const char *name);

/* ---- NewSessionTicket (RFC 9846 4.7.1; RFC 5077 3.3) */
struct new_session_ticket {
    uint32_t    ticket_lifetime;
    uint32_t    ticket_age_add;
    span        ticket_nonce;            /* 0..255 */
    span        ticket;                  /* 1..2^16-1 */
    struct exts exts;                    /* early_data: max_early_data_size */
};
bool MUST_USE new_session_ticket_read(struct new_session_ticket *t, struct rd *r);
void new_session_ticket_write(struct wr *w, const struct new_session_ticket *t);

struct new_session_ticket12 {
    uint32_t ticket_lifetime_hint;
    span     ticket;                     /* may be empty: no ticket after all */
};
bool MUST_USE new_session_ticket12_read(struct new_session_ticket12 *t, struct rd *r);
void new_session_ticket12_write(struct wr *w, const struct new_session_ticket12 *t);

/* ---- KeyUpdate (RFC 9846 4.7.3) */
struct key_update {
    uint8_t request_update;              /* 0 or 1, or the reader failed */
};
bool MUST_USE key_update_read(struct key_update *k, struct rd *r);
void key_update_write(struct wr *w, const struct key_update *k);

/* ---- TLS 1.2 with ECDHE (RFC 8422 5.4, 5.7; RFC 5246 7.4.3) */
struct server_key_exchange12 {
    uint8_t  curve_type;                 /* named_curve, or the reader failed                            */
    uint16_t named_curve;
    span     point;                      /* ECPoint.point, 1..255; larger keys cannot be had in 1.2      */
    span     params;                     /* ServerECDHParams as bytes: the signed range (RFC 8422 5.4)   */
    uint16_t algorithm;
    span     signature;
};
bool MUST_USE server_key_exchange12_read(struct server_key_exchange12 *k, struct rd *r);
/* Writes params from its parts (`params` is not read); the signed range is what server_ecdh_params_write wrote. */
void server_key_exchange12_write(struct wr *w, const struct server_key_exchange12 *k);
void server_ecdh_params_write(struct wr *w, const struct server_key_exchange12 *k);

struct client_key_exchange12 {
    span point;                          /* ecdh_Yc */
};
bool MUST_USE client_key_exchange12_read(struct client_key_exchange12 *k, struct rd *r);
void client_key_exchange12_write(struct wr *w, const struct client_key_exchange12 *k);

/* ---- CertificateStatus (RFC 6066 8), TLS 1.2 */
struct certificate_status {
    uint8_t status_type;                 /* ocsp, or the reader failed */
    span    response;
};
bool MUST_USE certificate_status_read(struct certificate_status *s, struct rd *r);
void certificate_status_write(struct wr *w, const struct certificate_status *s);

/* ---- older.c: what troth does not speak, read so that a capture can be told */

/* How a suite of TLS 1.2 or older makes its secret. */
struct key_exchange {
    bool known, ec, dh, rsa, psk, anonymous;
};
struct key_exchange MUST_USE key_exchange_of(uint16_t suite);
/* One that the readers above are for. */
bool MUST_USE key_exchange_is_ours(uint16_t suite, uint16_t version);
bool MUST_USE server_key_exchange_older_read(struct rd *r, uint16_t suite, uint16_t version);
bool MUST_USE client_key_exchange_older_read(struct rd *r, uint16_t suite);
/* Of TLS 1.1 and older, which name no signature algorithms. */
bool MUST_USE certificate_request_older_read(struct rd *r);
bool MUST_USE certificate_verify_older_read(struct rd *r);

/* ---- alerts (RFC 9846 6): not a handshake message; the content of a record */
struct alert_message {
    uint8_t level, description;
};
bool MUST_USE alert_read(struct alert_message *a, struct rd *r);
void alert_write(struct wr *w, const struct alert_message *a);

#endif
