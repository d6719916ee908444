/* flags.c - one row per flag: its name, what its value is, which setting it makes.  A flag without a row ends the program with 89, by
 * which the runner knows that the test is not for us.  Must never take a flag that nothing looks at. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum kind {
    ON,        /* no value: a bool becomes true                                   */
    NUMBER,    /* int                                                             */
    TEXT,      /* const char *, which may be ""                                   */
    BASE64,    /* troth_span                                                      */
    LIST,      /* struct list: one more number                                    */
    C_TEXT,    /* like the above, of the credential that was opened last          */
    C_BASE64,
    C_LIST,
    C_ON,
    NEW,       /* opens a credential of a kind                                    */
    ECH_CONFIG,
    ECH_KEY
};

struct flag {
    const char *name;
    enum kind   kind;
    size_t      at;
};

#define S(member) offsetof(struct settings, member)
#define C(member) offsetof(struct credential, member)

/* clang-format off */
static const struct flag flags[] = {
    /* the run */
    { "port",                             NUMBER,     S(port) },
    { "shim-id",                          NUMBER,     S(shim_id) },
    { "ipv6",                             ON,         S(ipv6) },
    { "server",                           ON,         S(server) },
    { "async",                            ON,         S(async) },
    { "implicit-handshake",               ON,         S(implicit_handshake) },
    { "is-handshaker-supported",          ON,         S(is_handshaker_supported) },
    { "resume-count",                     NUMBER,     S(resume_count) },
    { "resumption-delay",                 NUMBER,     S(resumption_delay) },

    /* QUIC */
    { "quic",                             ON,         S(quic) },
    { "quic-transport-params",            BASE64,     S(quic_transport_params) },
    { "expect-quic-transport-params",     BASE64,     S(expect_quic_transport_params) },
    { "quic-use-legacy-codepoint",        NUMBER,     S(quic_use_legacy_codepoint) },
    { "quic-early-data-context",          TEXT,       S(quic_early_data_context) },

    /* what to speak */
    { "min-version",                      NUMBER,     S(min_version) },
    { "max-version",                      NUMBER,     S(max_version) },
    { "no-tls1",                          ON,         S(no_tls1) },
    { "no-tls11",                         ON,         S(no_tls11) },
    { "no-tls12",                         ON,         S(no_tls12) },
    { "no-tls13",                         ON,         S(no_tls13) },
    { "max-send-fragment",                NUMBER,     S(max_send_fragment) },
    { "fallback-scsv",                    ON,         S(fallback_scsv) },
    { "max-cert-list",                    NUMBER,     S(max_cert_list) },
    { "no-server-name-ack",               ON,         S(no_server_name_ack) },
    { "no-ticket",                        ON,         S(no_ticket) },
    { "no-key-shares",                    ON,         S(no_key_shares) },
    { "enable-grease",                    ON,         S(enable_grease) },
    { "enable-early-data",                ON,         S(enable_early_data) },
    { "curves",                           LIST,       S(curves) },
    { "curves-flags",                     LIST,       S(curves_flags) },
    { "key-shares",                       LIST,       S(key_shares) },
    { "server-supported-groups-hint",     LIST,       S(groups_hint) },
    { "verify-prefs",                     LIST,       S(verify_prefs) },
    { "cipher",                           TEXT,       S(cipher) },
    { "host-name",                        TEXT,       S(host_name) },
    { "advertise-alpn",                   TEXT,       S(advertise_alpn) },
    { "select-alpn",                      TEXT,       S(select_alpn) },
    { "decline-alpn",                     ON,         S(decline_alpn) },
    { "reject-alpn",                      ON,         S(reject_alpn) },
    { "select-empty-alpn",                ON,         S(select_empty_alpn) },

    /* certificates */
    { "cert-file",                        C_TEXT,     C(cert_file) },
    { "key-file",                         C_TEXT,     C(key_file) },
    { "ocsp-response",                    C_BASE64,   C(ocsp_response) },
    { "signed-cert-timestamps",           C_BASE64,   C(scts) },
    { "delegated-credential",             C_BASE64,   C(delegated) },
    { "signing-prefs",                    C_LIST,     C(schemes) },
    { "must-match-issuer",                C_ON,       C(must_match_issuer) },
    { "new-x509-credential",              NEW,        CREDENTIAL_X509 },
    { "new-rpk-credential",               NEW,        CREDENTIAL_RAW_KEY },
    { "new-delegated-credential",         NEW,        CREDENTIAL_DELEGATED },
    { "trust-cert",                       TEXT,       S(trust_cert) },
    { "use-client-ca-list",               TEXT,       S(client_ca_list) },
    { "verify-peer",                      ON,         S(verify_peer) },
    { "verify-fail",                      ON,         S(verify_fail) },
    { "require-any-client-certificate",   ON,         S(require_any_client_certificate) },
    { "use-custom-verify-callback",       ON,         S(use_custom_verify_callback) },
    { "reverify-on-resume",               ON,         S(reverify_on_resume) },
    { "enable-ocsp-stapling",             ON,         S(enable_ocsp_stapling) },
    { "enable-signed-cert-timestamps",    ON,         S(enable_signed_cert_timestamps) },
    { "accepted-peer-cert-types",         LIST,       S(accepted_peer_cert_types) },
    { "available-client-cert-types",      LIST,       S(available_client_cert_types) },
    { "install-cert-compression-algs",    ON,         S(install_cert_compression_algs) },
    { "install-one-cert-compression-alg", NUMBER,     S(install_one_cert_compression_alg) },

    /* callbacks */
    { "use-early-callback",               ON,         S(use_early_callback) },
    { "fail-early-callback-ech-rewind",   ON,         S(fail_early_callback_ech_rewind) },
    { "fail-early-callback",              ON,         S(fail_early_callback) },
    { "install-ddos-callback",            ON,         S(install_ddos_callback) },
    { "fail-ddos-callback",               ON,         S(fail_ddos_callback) },
    { "fail-cert-callback",               ON,         S(fail_cert_callback) },
    { "use-ocsp-callback",                ON,         S(use_ocsp_callback) },
    { "decline-ocsp-callback",            ON,         S(decline_ocsp_callback) },
    { "fail-ocsp-callback",               ON,         S(fail_ocsp_callback) },
    { "set-ocsp-in-callback",             ON,         S(set_ocsp_in_callback) },
    { "use-ticket-callback",              ON,         S(use_ticket_callback) },
    { "use-ticket-aead-callback",         ON,         S(use_ticket_aead_callback) },
    { "renew-ticket",                     ON,         S(renew_ticket) },
    { "skip-ticket",                      ON,         S(skip_ticket) },
    { "use-old-client-cert-callback",     ON,         S(use_old_client_cert_callback) },

    /* ECH */
    { "ech-config-list",                  BASE64,     S(ech_config_list) },
    { "reject-unusable-ech-config",       ON,         S(reject_unusable_ech_config) },
    { "enable-ech-grease",                ON,         S(enable_ech_grease) },
    { "ech-server-config",                ECH_CONFIG, 0 },
    { "ech-server-key",                   ECH_KEY,    0 },
    { "ech-is-retry-config",              LIST,       S(ech_is_retry_config) },

    /* once connected */
    { "shim-writes-first",                ON,         S(shim_writes_first) },
    { "shim-initial-write",               TEXT,       S(shim_initial_write) },
    { "repeat-shim-initial-write",        NUMBER,     S(repeat_shim_initial_write) },
    { "shim-shuts-down",                  ON,         S(shim_shuts_down) },
    { "check-close-notify",               ON,         S(check_close_notify) },
    { "send-alert",                       ON,         S(send_alert) },
    { "key-update",                       ON,         S(key_update) },
    { "read-size",                        NUMBER,     S(read_size) },
    { "read-with-unfinished-write",       ON,         S(read_with_unfinished_write) },
    { "peek-then-read",                   ON,         S(peek_then_read) },
    { "no-op-extra-handshake",            ON,         S(no_op_extra_handshake) },
    { "export-keying-material",           NUMBER,     S(export_keying_material) },
    { "export-label",                     TEXT,       S(export_label) },
    { "export-context",                   TEXT,       S(export_context) },
    { "use-export-context",               ON,         S(use_export_context) },
    { "export-traffic-secrets",           ON,         S(export_traffic_secrets) },
    { "early-write-after-message",        NUMBER,     S(early_write_after_message) },

    /* what must have come of it */
    { "expect-version",                   NUMBER,     S(expect_version) },
    { "expect-cipher",                    NUMBER,     S(expect_cipher) },
    { "expect-cipher-aes",                NUMBER,     S(expect_cipher_aes) },
    { "expect-cipher-no-aes",             NUMBER,     S(expect_cipher_no_aes) },
    { "expect-curve-id",                  NUMBER,     S(expect_curve_id) },
    { "expect-peer-signature-algorithm",  NUMBER,     S(expect_peer_signature_algorithm) },
    { "expect-selected-credential",       NUMBER,     S(expect_selected_credential) },
    { "expect-peer-certificate-type",     NUMBER,     S(expect_peer_certificate_type) },
    { "expect-ticket-age-skew",           NUMBER,     S(expect_ticket_age_skew) },
    { "expect-hrr",                       ON,         S(expect_hrr) },
    { "expect-no-hrr",                    ON,         S(expect_no_hrr) },
    { "expect-session-miss",              ON,         S(expect_session_miss) },
    { "expect-no-session",                ON,         S(expect_no_session) },
    { "expect-session-id",                ON,         S(expect_session_id) },
    { "expect-no-session-id",             ON,         S(expect_no_session_id) },
    { "expect-extended-master-secret",    ON,         S(expect_extended_master_secret) },
    { "expect-secure-renegotiation",      ON,         S(expect_secure_renegotiation) },
    { "expect-ticket-renewal",            ON,         S(expect_ticket_renewal) },
    { "expect-ticket-supports-early-data", ON,        S(expect_ticket_supports_early_data) },
    { "expect-accept-early-data",         ON,         S(expect_accept_early_data) },
    { "expect-reject-early-data",         ON,         S(expect_reject_early_data) },
    { "expect-no-offer-early-data",       ON,         S(expect_no_offer_early_data) },
    { "expect-early-data-reason",         TEXT,       S(expect_early_data_reason) },
    { "expect-verify-result",             ON,         S(expect_verify_result) },
    { "expect-alpn",                      TEXT,       S(expect_alpn) },
    { "expect-advertised-alpn",           TEXT,       S(expect_advertised_alpn) },
    { "expect-server-name",               TEXT,       S(expect_server_name) },
    { "expect-no-server-name",            ON,         S(expect_no_server_name) },
    { "expect-peer-cert-file",            TEXT,       S(expect_peer_cert_file) },
    { "expect-peer-rpk-sha256",           BASE64,     S(expect_peer_rpk_sha256) },
    { "expect-client-ca-list",            TEXT,       S(expect_client_ca_list) },
    { "expect-certificate-types",         BASE64,     S(expect_certificate_types) },
    { "expect-peer-verify-pref",          LIST,       S(expect_peer_verify_pref) },
    { "expect-ocsp-response",             BASE64,     S(expect_ocsp_response) },
    { "expect-signed-cert-timestamps",    BASE64,     S(expect_signed_cert_timestamps) },
    { "expect-msg-callback",              TEXT,       S(expect_msg_callback) },
    { "expect-ech-accept",                ON,         S(expect_ech_accept) },
    { "expect-ech-retry-configs",         BASE64,     S(expect_ech_retry_configs) },
    { "expect-no-ech-retry-configs",      ON,         S(expect_no_ech_retry_configs) },
    { "expect-ech-name-override",         TEXT,       S(expect_ech_name_override) },
    { "expect-no-ech-name-override",      ON,         S(expect_no_ech_name_override) },
};
/* clang-format on */

/* Whose order and choice are ours anyway. */
static const char *const always_so[] = { "permute-extensions", "server-preference" };

static const struct flag *flag_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (!strcmp(flags[i].name, name))
            return &flags[i];
    return NULL;
}

static bool is_always_so(const char *name)
{
    for (size_t i = 0; i < sizeof always_so / sizeof always_so[0]; i++)
        if (!strcmp(always_so[i], name))
            return true;
    return false;
}

/* "-on-resume-x" speaks of one turn, "-x" of all: bits of enum turn; *name is what follows. */
static unsigned turns_of(const char *arg, const char **name)
{
    static const char *const prefixes[TURN_COUNT] = { "-on-initial-", "-on-resume-", "-on-retry-" };
    for (unsigned t = 0; t < TURN_COUNT; t++)
        if (!strncmp(arg, prefixes[t], strlen(prefixes[t]))) {
            *name = arg + strlen(prefixes[t]);
            return 1u << t;
        }
    *name = arg + 1;
    return (1u << TURN_COUNT) - 1;
}

static bool takes_value(enum kind k)
{
    return k != ON && k != C_ON && k != NEW;
}

static bool list_add(struct list *l, const char *value)
{
    if (l->n == LIST_MAX)
        return complain("more than %d values", LIST_MAX);
    l->id[l->n++] = (uint16_t)strtoul(value, NULL, 10);
    return true;
}

static struct credential *credential_at_hand(struct settings *s)
{
    if (s->n_more)
        return &s->more[s->n_more - 1];
    s->has_legacy = true;
    return &s->legacy;
}

static bool new_credential(struct settings *s, enum credential_kind kind)
{
    if (s->n_more == CREDENTIALS_MAX)
        return complain("more than %d credentials", CREDENTIALS_MAX);
    s->more[s->n_more++].kind = kind;
    return true;
}

static bool ech_add(troth_span *list, size_t *n, const char *value)
{
    return *n < ECH_KEYS_MAX ? from_base64(&list[(*n)++], value) : complain("more than %d ECH keys", ECH_KEYS_MAX);
}

static bool apply(struct settings *s, const struct flag *f, const char *value)
{
    bool of_credential = f->kind == C_TEXT || f->kind == C_BASE64 || f->kind == C_LIST || f->kind == C_ON;
    char *at = (char *)(of_credential ? (void *)credential_at_hand(s) : s) + (f->kind == NEW ? 0 : f->at);
    switch (f->kind) {
    case ON:
    case C_ON: *(bool *)at = true; return true;
    case NUMBER: *(int *)(void *)at = (int)strtol(value, NULL, 10); return true;
    case TEXT:
    case C_TEXT: *(const char **)(void *)at = value; return true;
    case BASE64:
    case C_BASE64: return from_base64((troth_span *)(void *)at, value);
    case LIST:
    case C_LIST: return list_add((struct list *)(void *)at, value);
    case NEW: return new_credential(s, (enum credential_kind)f->at);
    case ECH_CONFIG: return ech_add(s->ech_server_config, &s->n_ech_configs, value);
    case ECH_KEY: return ech_add(s->ech_server_key, &s->n_ech_keys, value);
    }
    return false;
}

static void defaults(struct settings *s)
{
    *s = (struct settings){ .repeat_shim_initial_write = 1,
                            .shim_initial_write = "hello",
                            .read_size = 512,
                            .expect_selected_credential = CREDENTIAL_NOT_ASKED,
                            .expect_peer_certificate_type = TYPE_NOT_ASKED };
}

bool flags_read(struct settings all[TURN_COUNT], int argc, char **argv)
{
    for (size_t t = 0; t < TURN_COUNT; t++)
        defaults(&all[t]);
    for (int i = 1; i < argc; i++) {
        const char *name, *value = NULL;
        unsigned turns = turns_of(argv[i], &name);
        const struct flag *f = argv[i][0] == '-' ? flag_by_name(name) : NULL;
        if (!f && argv[i][0] == '-' && is_always_so(name))
            continue;
        if (!f)
            return complain("unknown flag: %s", argv[i]);
        if (takes_value(f->kind) && !(value = argv[++i]))
            return complain("%s needs a value", argv[i - 1]);
        for (unsigned t = 0; t < TURN_COUNT; t++)
            if (turns & 1u << t && !apply(&all[t], f, value))
                return complain("%s: bad value %s", name, value ? value : "");
    }
    return true;
}
