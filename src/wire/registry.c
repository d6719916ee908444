/* registry.c - the tables of names, made from registry.def.  Must hold nothing that is not there. */
#include "wire/registry.h"

/* clang-format off */
#define ROW(id, name, rfc) { (id), #name, (rfc) },
static const struct name suites[] = {
#define SUITE ROW
#include "wire/registry.def"
};
static const struct name groups[] = {
#define GROUP ROW
#include "wire/registry.def"
};
static const struct name schemes[] = {
#define SCHEME ROW
#include "wire/registry.def"
};
static const struct name alerts[] = {
#define ALERT ROW
#include "wire/registry.def"
};
static const struct name extensions[] = {
#define EXTENSION ROW
#include "wire/registry.def"
};
static const struct name handshakes[] = {
#define HANDSHAKE ROW
#include "wire/registry.def"
};
static const struct name contents[] = {
#define CONTENT ROW
#include "wire/registry.def"
};
static const struct name compressions[] = {
#define COMPRESSION ROW
#include "wire/registry.def"
};
static const struct name psk_modes[] = {
#define PSK_MODE ROW
#include "wire/registry.def"
};
static const struct name ech_types[] = {
#define ECH_TYPE ROW
#include "wire/registry.def"
};
static const struct name cert_comps[] = {
#define CERT_COMP ROW
#include "wire/registry.def"
};
static const struct name status_types[] = {
#define STATUS_TYPE ROW
#include "wire/registry.def"
};
static const struct name key_updates[] = {
#define KEY_UPDATE ROW
#include "wire/registry.def"
};
static const struct name curve_types[] = {
#define CURVE_TYPE ROW
#include "wire/registry.def"
};
static const struct name point_formats[] = {
#define POINT_FORMAT ROW
#include "wire/registry.def"
};
static const struct name name_types[] = {
#define NAME_TYPE ROW
#include "wire/registry.def"
};
static const struct name client_certs[] = {
#define CLIENT_CERT ROW
#include "wire/registry.def"
};
static const struct name alert_levels[] = {
#define ALERT_LEVEL ROW
#include "wire/registry.def"
};
static const struct name fragments[] = {
#define FRAGMENT ROW
#include "wire/registry.def"
};
static const struct name heartbeats[] = {
#define HEARTBEAT ROW
#include "wire/registry.def"
};
static const struct name cert_types[] = {
#define CERT_TYPE ROW
#include "wire/registry.def"
};
static const struct name kems[] = {
#define HPKE_KEM ROW
#include "wire/registry.def"
};
static const struct name kdfs[] = {
#define HPKE_KDF ROW
#include "wire/registry.def"
};
static const struct name aeads[] = {
#define HPKE_AEAD ROW
#include "wire/registry.def"
};
/* Names that people know, where the registry has none. */
static const struct name versions[] = {
#define VERSION(id, name, text, rfc) { (id), (text), (rfc) },
#include "wire/registry.def"
};

#define TABLE(table, kind, rows) const struct names table = { kind, rows, COUNT_OF(rows) }
TABLE(names_suite,        "cipher suite",                   suites);
TABLE(names_group,        "group",                          groups);
TABLE(names_scheme,       "signature scheme",               schemes);
TABLE(names_alert,        "alert",                          alerts);
TABLE(names_extension,    "extension",                      extensions);
TABLE(names_handshake,    "handshake message",              handshakes);
TABLE(names_content,      "content type",                   contents);
TABLE(names_version,      "protocol version",               versions);
TABLE(names_compression,  "compression method",             compressions);
TABLE(names_cert_type,    "certificate type",               cert_types);
TABLE(names_psk_mode,     "PSK key exchange mode",          psk_modes);
TABLE(names_hpke_kem,     "HPKE KEM",                       kems);
TABLE(names_hpke_kdf,     "HPKE KDF",                       kdfs);
TABLE(names_hpke_aead,    "HPKE AEAD",                      aeads);
TABLE(names_ech_type,     "ECHClientHello type",            ech_types);
TABLE(names_cert_comp,    "certificate compression",        cert_comps);
TABLE(names_status_type,  "certificate status type",        status_types);
TABLE(names_key_update,   "KeyUpdateRequest",               key_updates);
TABLE(names_curve_type,   "curve type",                     curve_types);
TABLE(names_point_format, "point format",                   point_formats);
TABLE(names_name_type,    "name type",                      name_types);
TABLE(names_client_cert,  "client certificate type",        client_certs);
TABLE(names_alert_level,  "alert level",                    alert_levels);
TABLE(names_fragment,     "maximum fragment length",        fragments);
TABLE(names_heartbeat,    "heartbeat mode",                 heartbeats);
/* clang-format on */
