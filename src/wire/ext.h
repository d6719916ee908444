/* ext.h - extensions: one row each in a table, one struct that means the same in both directions.
 *
 * Two phases.  exts_gather, part of reading a message: bounds, duplicates, the raw bodies in order of arrival.  exts_read, once the
 * message is whole and the version is known: which may appear here, which were asked for, what is in them.  Adding an extension is
 * one file ext_*.c and one row in ext.c.  Nothing here decides anything: see tls/negotiate.c. */
#ifndef WIRE_EXT_H
#define WIRE_EXT_H

#include "base/limits.h"
#include "base/rd.h"
#include "base/wr.h"
#include "wire/registry.h"

/* Where a block of extensions stands.  TLS 1.2's ServerHello is IN_SH with version 0x0303. */
enum ext_in {
    IN_CH = 1,    /* ClientHello                       */
    IN_SH = 2,    /* ServerHello                       */
    IN_HRR = 4,   /* HelloRetryRequest                 */
    IN_EE = 8,    /* EncryptedExtensions               */
    IN_CR = 16,   /* CertificateRequest                */
    IN_CT = 32,   /* an entry of Certificate           */
    IN_NST = 64,  /* NewSessionTicket                  */
    IN_INNER = 128/* EncodedClientHelloInner, besides what IN_CH allows */
};

/* Rows of the table: X_SUPPORTED_VERSIONS ... X_PRE_SHARED_KEY, in the order of ext.def, which is the order of reading. */
#define EXT(row, name, functions, in13, in12) X_##row,
#define KNOWN(row, name, in13, in12)          X_##row,
enum ext_row {
#include "wire/ext.def"
    X_COUNT,
    X_UNKNOWN = X_COUNT /* a type that has no row: GREASE, private use, newer than this table */
};

/* A set of rows. */
struct ext_set {
    uint64_t bits[2];
};

static inline bool ext_set_has(const struct ext_set *s, enum ext_row x)
{
    return s->bits[x / 64] >> (x % 64) & 1;
}

static inline void ext_set_add(struct ext_set *s, enum ext_row x)
{
    s->bits[x / 64] |= (uint64_t)1 << (x % 64);
}

static inline void ext_set_remove(struct ext_set *s, enum ext_row x)
{
    s->bits[x / 64] &= ~((uint64_t)1 << (x % 64));
}

/* One extension as it stands in the block: its type, its row, its raw body. */
struct ext_seen {
    uint16_t type;
    uint8_t  row;  /* enum ext_row; X_UNKNOWN */
    span     body; /* without type and length; ignored when writing a row that troth can write */
};

/* KeyShareEntry (RFC 9846 4.3.8). */
struct key_share {
    uint16_t group;
    span     key_exchange;
};

/* PskIdentity with its binder (RFC 9846 4.3.11). */
struct psk_identity {
    span     identity;
    uint32_t obfuscated_ticket_age;
    span     binder;
};

/* CertificateStatusRequest (RFC 6066 8).  For a status_type other than ocsp: `responder_id_list` is the rest as it came. */
struct status_request {
    uint8_t status_type;
    bool    is_empty; /* an empty body, which a CertificateRequest may have (RFC 9846 4.5.1.1) */
    span    responder_id_list, request_extensions; /* without their lengths */
};

/* DelegatedCredential (RFC 9345 4). */
struct delegated_credential {
    uint32_t valid_time;                   /* seconds after notBefore of the certificate that delegates            */
    uint16_t dc_cert_verify_algorithm;     /* scheme that CertificateVerify must use                               */
    span     spki;                         /* ASN1_subjectPublicKeyInfo, DER                                       */
    uint16_t algorithm;                    /* scheme of `signature`                                                */
    span     signature;
    span     cred;                         /* bytes of Credential: what is signed, with `algorithm` behind it ...  */
    span     signed_part;                  /* ... which is this (cred || algorithm)                                */
};

/* ECHClientHello (RFC 9849 5). */
struct ech_client_hello {
    uint8_t  type; /* ECH_TYPE_outer, ECH_TYPE_inner */
    uint16_t kdf_id, aead_id;
    uint8_t  config_id;
    span     enc, payload;
};

/* Every extension of one block, the same struct for reading and for writing.  Lists are spans in wire format without their outer
 * length: u16s_* and bytes_have (base/span.h), alpn_next and friends below.  A member is meaningful when its row is in `have`. */
struct exts {
    struct ext_set  have;
    struct ext_seen seen[LIMIT_EXTENSIONS_KEPT]; /* in order of arrival, or in the order of writing                 */
    uint8_t         n_seen;
    uint8_t         last;                     /* reading: the row of the last one, kept or not                      */

    span     supported_versions;              /* CH: list of u16                                                    */
    uint16_t selected_version;                /* SH, HRR                                                            */
    span     server_name;                     /* CH: HostName; empty in answers                                     */
    span     supported_groups;                /* list of u16                                                        */
    span     signature_algorithms;            /* list of u16                                                        */
    span     signature_algorithms_cert;       /* list of u16                                                        */
    struct key_share shares[LIMIT_KEY_SHARES];/* CH: client_shares; SH: one, server_share                           */
    uint8_t  n_shares;                        /* kept; a client may send more than are looked at                    */
    size_t  *share_at;                        /* CH, written: where each began is noted here; NULL: nowhere         */
    uint16_t selected_group;                  /* HRR                                                                */
    span     alpn;                            /* CH: list of opaque8; answers: list of one                          */
    span     cookie;
    span     psk_modes;                       /* list of u8                                                         */
    struct psk_identity psks[LIMIT_PSKS];     /* CH                                                                 */
    uint8_t  n_psks;                          /* kept                                                               */
    span     binders;                         /* CH: the list of binders with its length in front: the truncated
                                                 transcript hash ends at binders.p (RFC 9846 4.3.11.2)              */
    uint16_t selected_identity;               /* SH                                                                 */
    uint32_t max_early_data_size;             /* NST; elsewhere early_data is empty                                 */
    struct status_request status_request;     /* CH, CR                                                             */
    span     ocsp_response;                   /* CT                                                                 */
    span     sct_list;                        /* CT, 1.2 SH: list of opaque16, its length in front; CH, CR: empty  */
    span     certificate_authorities;         /* list of opaque16 DistinguishedName                                 */
    span     oid_filters;                     /* list of OIDFilter: oid_filter_next                                 */
    span     client_certificate_types;        /* CH: list of u8; answers: exactly one                               */
    span     server_certificate_types;
    span     cert_compression;                /* list of u16                                                        */
    uint16_t record_size_limit;
    uint8_t  max_fragment_length;
    span     dc_schemes;                      /* delegated_credential in CH, CR: list of u16                        */
    struct delegated_credential dc;           /* CT                                                                 */
    span     renegotiated_connection;
    span     ec_point_formats;                /* list of u8                                                         */
    span     session_ticket;                  /* CH: the ticket, may be empty; SH: empty                            */
    uint8_t  heartbeat_mode;
    uint16_t padding;                         /* how many bytes of zeros                                            */
    uint8_t  new_session_count, resumption_count; /* ticket_request in CH                                           */
    uint8_t  expected_count;                  /* in EE                                                              */
    span     quic_transport_parameters;       /* as they are: QUIC reads them                                       */
    span     trust_anchors;                   /* as they are                                                        */
    span     tls_flags;                       /* bits, least significant first                                      */
    struct ech_client_hello ech;              /* CH                                                                 */
    span     ech_retry_configs;               /* EE: ECHConfigList with its length (ech_config_list_read)           */
    span     ech_confirmation;                /* HRR: 8 bytes                                                       */
    span     ech_outer_extensions;            /* EncodedClientHelloInner only: list of u16                          */
};

static inline bool exts_have(const struct exts *e, enum ext_row x)
{
    return ext_set_has(&e->have, x);
}

/* One row: where it may appear in TLS 1.3 (RFC 9846 4.3) and in TLS 1.2, and how it is read and written; NULL: known, not spoken. */
struct ext {
    uint16_t type;
    uint8_t  in13, in12; /* sets of enum ext_in */
    const char *name;
    void (*read)(struct rd *r, struct exts *e, enum ext_in in);
    void (*write)(struct wr *w, const struct exts *e, enum ext_in in);
};

const struct ext *ext_row(enum ext_row x);
enum ext_row ext_row_of(uint16_t type); /* X_UNKNOWN when it has none */

/* ---- reading */

/* Phase one: the block with its length in front.  `e` must be zeroed.  The witness is told each body under the extension's name. */
void exts_gather(struct rd *r, struct exts *e, enum ext_in in);
/* Phase two, on the reader that gathered (its failure cell and witness are used; nothing need be left in it).
 *   version  0x0304 or 0x0303; 0 while it is not known, which only a ClientHello may be: then whatever either allows may appear
 *   asked    what our own message contained, for messages that answer (SH, HRR, EE, CT); NULL for those that ask.  A client that
 *            sent TLS_EMPTY_RENEGOTIATION_INFO_SCSV has asked for renegotiation_info too (RFC 5746 3.4)
 * An answer that was not asked for, or that has no row: unsupported_extension.  A row out of place: illegal_parameter.  In messages
 * that ask (CH, CR, NST) types without a row, and rows that are not spoken, are ignored.  What TLS 1.2 does not have is no answer in a
 * TLS 1.2 ServerHello, and what ServerHello answers is none in EncryptedExtensions: unsupported_extension too. */
bool MUST_USE exts_read(struct exts *e, struct rd *r, enum ext_in in, uint16_t version, const struct ext_set *asked);
/* What exts_gather was given for one row, empty if absent (bodies are known before exts_read). */
span exts_body(const struct exts *e, enum ext_row x);

/* ---- writing: set the members, add the rows in the order they shall have, write. */

/* Appends a row / an extension without a row (GREASE).  Adding a row twice changes nothing. */
void exts_add(struct exts *e, enum ext_row x);
void exts_add_unknown(struct exts *e, uint16_t type, span body);
/* Permutes the order with `random` (4 bytes per extension); GREASE stays where it is and pre_shared_key last (RFC 9846 4.3). */
void exts_shuffle(struct exts *e, span random);
/* The block with its length.  pre_shared_key must have been added last in a ClientHello, else the writer is bad. */
void exts_write(struct wr *w, const struct exts *e, enum ext_in in);

/* ---- lists inside extensions, checked when they were read: each takes the first element off `list`; false at the end */
bool alpn_next(span *list, span *protocol_name);                                    /* also any list of opaque8  */
bool opaque16_next(span *list, span *element);                                      /* CAs, SCTs                 */
bool oid_filter_next(span *list, span *oid, span *values);
/* Does the list of opaque8 `list` have `name`? */
bool alpn_has(span list, span name);
/* The share for `group`; NULL if none was kept. */
const struct key_share *share_for(const struct exts *e, uint16_t group);

#endif
