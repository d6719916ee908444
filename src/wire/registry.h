/* registry.h - the numbers of TLS: enums to write code with, tables to explain with.
 *
 * Both are made from registry.def, so a number has one place.  A name in a table says what a peer may mean by a number; it does not
 * say that troth speaks it. */
#ifndef WIRE_REGISTRY_H
#define WIRE_REGISTRY_H

#include "base/names.h"

/* SUITE_TLS_AES_128_GCM_SHA256, GROUP_x25519, SCHEME_ed25519, EXT_server_name, HS_client_hello, CONTENT_handshake, VERSION_TLS_1_3,
 * ... : one enum per section of registry.def.  (Alerts: enum alert in base/alerts.h.) */
#define SUITE(id, name, rfc)       SUITE_##name = (id),
#define GROUP(id, name, rfc)       GROUP_##name = (id),
#define SCHEME(id, name, rfc)      SCHEME_##name = (id),
#define EXTENSION(id, name, rfc)   EXT_##name = (id),
#define HANDSHAKE(id, name, rfc)   HS_##name = (id),
#define CONTENT(id, name, rfc)     CONTENT_##name = (id),
#define VERSION(id, name, text, rfc) VERSION_##name = (id),
#define COMPRESSION(id, name, rfc) COMPRESSION_##name = (id),
#define CERT_TYPE(id, name, rfc)   CERT_TYPE_##name = (id),
#define PSK_MODE(id, name, rfc)    PSK_MODE_##name = (id),
#define HPKE_KEM(id, name, rfc)    HPKE_KEM_##name = (id),
#define HPKE_KDF(id, name, rfc)    HPKE_KDF_##name = (id),
#define HPKE_AEAD(id, name, rfc)   HPKE_AEAD_##name = (id),
#define ECH_TYPE(id, name, rfc)    ECH_TYPE_##name = (id),
#define CERT_COMP(id, name, rfc)   CERT_COMP_##name = (id),
#define STATUS_TYPE(id, name, rfc) STATUS_TYPE_##name = (id),
#define KEY_UPDATE(id, name, rfc)  KEY_UPDATE_##name = (id),
#define CURVE_TYPE(id, name, rfc)  CURVE_TYPE_##name = (id),
#define POINT_FORMAT(id, name, rfc) POINT_FORMAT_##name = (id),
#define NAME_TYPE(id, name, rfc)   NAME_TYPE_##name = (id),
#define CLIENT_CERT(id, name, rfc) CLIENT_CERT_##name = (id),
#define ALERT_LEVEL(id, name, rfc) ALERT_LEVEL_##name = (id),
#define FRAGMENT(id, name, rfc)    FRAGMENT_##name = (id),
#define HEARTBEAT(id, name, rfc)   HEARTBEAT_##name = (id),
enum registered {
#include "wire/registry.def"
    REGISTERED_END = 0x10000
};

extern const struct names names_suite, names_group, names_scheme, names_alert, names_extension, names_handshake, names_content,
    names_version, names_compression, names_cert_type, names_psk_mode, names_hpke_kem, names_hpke_kdf, names_hpke_aead,
    names_ech_type, names_cert_comp, names_status_type, names_key_update, names_curve_type, names_point_format, names_name_type,
    names_client_cert, names_alert_level, names_fragment, names_heartbeat;

/* A value that means nothing, sent so that peers stay tolerant (RFC 8701): 0x0a0a, 0x1a1a, ... 0xfafa. */
static inline bool is_grease(uint16_t id)
{
    return (id & 0x0f0f) == 0x0a0a && id >> 8 == (id & 0xff);
}

/* The same for PskKeyExchangeMode: 0x0b, 0x2a, ... 0xe4 (RFC 8701 2). */
static inline bool is_grease_u8(uint8_t id)
{
    return id % 0x1f == 0x0b;
}

/* Signalling values in the cipher suite list: not suites. */
static inline bool is_scsv(uint16_t id)
{
    return id == SUITE_TLS_EMPTY_RENEGOTIATION_INFO_SCSV || id == SUITE_TLS_FALLBACK_SCSV;
}

#endif
