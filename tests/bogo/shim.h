/* shim.h - what the files of the shim share: the settings that flags make, the tools that every file needs.
 *
 * The shim is the program that BoringSSL's protocol test runner drives (README.md).  It is a user of the public API; where it looks
 * inside, inside.c does it, and says why.  Must never pass a test for a flag that it does not check. */
#ifndef BOGO_SHIM_H
#define BOGO_SHIM_H

#include <troth/quic.h>
#include <troth/troth.h>
#include <troth/verify.h>

enum { EXIT_PASSED = 0, EXIT_FAILED = 1, EXIT_UNIMPLEMENTED = 89, EXIT_MUST_FAIL = 90 };
enum { LIST_MAX = 24, CREDENTIALS_MAX = 8, ECH_KEYS_MAX = 4 };

struct list {
    uint16_t id[LIST_MAX];
    size_t   n;
};

/* Which connections of a run a flag speaks of. */
enum turn { TURN_INITIAL, TURN_RESUME, TURN_RETRY, TURN_COUNT };

enum credential_kind { CREDENTIAL_X509, CREDENTIAL_RAW_KEY, CREDENTIAL_DELEGATED };

struct credential {
    enum credential_kind kind;
    const char *cert_file, *key_file;
    troth_span  ocsp_response, scts, delegated;
    struct list schemes;
    bool        must_match_issuer;
};

/* One turn's settings, each named like its flag. */
struct settings {
    int port, shim_id, resume_count, resumption_delay;
    bool ipv6, server, async, implicit_handshake, is_handshaker_supported;

    /* QUIC */
    bool        quic;
    int         quic_use_legacy_codepoint;
    troth_span  quic_transport_params, expect_quic_transport_params;
    const char *quic_early_data_context;

    /* what to speak */
    int min_version, max_version, max_send_fragment;
    bool fallback_scsv, no_server_name_ack;
    int  max_cert_list;
    bool no_tls1, no_tls11, no_tls12, no_tls13, no_ticket, no_key_shares, enable_grease, enable_early_data;
    struct list curves, curves_flags, key_shares, groups_hint, verify_prefs;
    const char *cipher, *host_name, *advertise_alpn, *select_alpn;
    bool decline_alpn, reject_alpn, select_empty_alpn;

    /* certificates */
    struct credential legacy, more[CREDENTIALS_MAX];
    bool has_legacy;
    size_t n_more;
    const char *trust_cert, *client_ca_list;
    bool verify_peer, verify_fail, require_any_client_certificate, use_custom_verify_callback, reverify_on_resume;
    bool enable_ocsp_stapling, enable_signed_cert_timestamps;
    struct list accepted_peer_cert_types, available_client_cert_types;
    bool install_cert_compression_algs;
    int  install_one_cert_compression_alg;

    /* callbacks: questions of troth_next(), and answers to them */
    bool use_early_callback, fail_early_callback, fail_early_callback_ech_rewind, install_ddos_callback, fail_ddos_callback, fail_cert_callback;
    bool use_ocsp_callback, decline_ocsp_callback, fail_ocsp_callback, set_ocsp_in_callback;
    bool use_ticket_callback, use_ticket_aead_callback, renew_ticket, skip_ticket, use_old_client_cert_callback;

    /* ECH */
    troth_span  ech_config_list;
    bool        enable_ech_grease, reject_unusable_ech_config;
    troth_span  ech_server_config[ECH_KEYS_MAX], ech_server_key[ECH_KEYS_MAX];
    size_t      n_ech_configs, n_ech_keys;
    struct list ech_is_retry_config;

    /* what to do once connected */
    bool shim_writes_first, shim_shuts_down, check_close_notify, send_alert, key_update, read_with_unfinished_write;
    bool peek_then_read, no_op_extra_handshake, export_traffic_secrets, use_export_context;
    int  repeat_shim_initial_write, read_size, export_keying_material, early_write_after_message;
    const char *shim_initial_write, *export_label, *export_context;

    /* what must have come of it */
    int  expect_version, expect_cipher, expect_cipher_aes, expect_cipher_no_aes, expect_curve_id;
    int  expect_peer_signature_algorithm, expect_selected_credential, expect_peer_certificate_type, expect_ticket_age_skew;
    bool expect_hrr, expect_no_hrr, expect_session_miss, expect_no_session, expect_session_id, expect_no_session_id;
    bool expect_extended_master_secret, expect_secure_renegotiation, expect_ticket_renewal, expect_ticket_supports_early_data;
    bool expect_accept_early_data, expect_reject_early_data, expect_no_offer_early_data, expect_verify_result;
    bool expect_ech_accept, expect_no_ech_retry_configs, expect_no_ech_name_override, expect_no_server_name;
    const char *expect_alpn, *expect_advertised_alpn, *expect_server_name, *expect_early_data_reason, *expect_peer_cert_file;
    const char *expect_client_ca_list, *expect_msg_callback, *expect_ech_name_override;
    troth_span  expect_ocsp_response, expect_signed_cert_timestamps, expect_peer_rpk_sha256, expect_certificate_types;
    troth_span  expect_ech_retry_configs;
    struct list expect_peer_verify_pref;
};

enum { CREDENTIAL_NOT_ASKED = -2, CREDENTIAL_LEGACY = -1, TYPE_NOT_ASKED = -1 };

/* ---- flags.c: fills in the settings of all turns; false: a flag that the shim does not know (EXIT_UNIMPLEMENTED) */
bool flags_read(struct settings all[TURN_COUNT], int argc, char **argv);

/* ---- say.c */
/* On stderr: why the test failed.  Always false, so that `return complain(...)` reads well. */
bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* On stdout, which the runner does not judge. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void complain_error(const troth_error *e);
/* Reads a whole file; exits when it cannot. */
troth_span file_or_die(const char *path);
bool spans_equal(troth_span a, troth_span b);
static inline troth_span text_span(const char *s)
{
    size_t n = 0;
    while (s && s[n])
        n++;
    return (troth_span){ (const uint8_t *)s, n };
}
/* Decodes base64 or hex into memory that lives as long as the program; false when it is not that. */
bool from_base64(troth_span *out, const char *text);
bool from_hex(troth_span *out, const char *text);

/* ---- link.c: the TCP connection to the runner, whole or one byte at a time */
struct link {
    int     fd;
    size_t  step;           /* most bytes in one read or write                                       */
    bool    hold;           /* send one byte, keep the rest: a write that is not finished            */
    uint8_t kept[1 << 16];
    size_t  kept_n;
    bool    got;            /* something came since                                                  */
};
bool link_open(struct link *l, const struct settings *s);
void link_send(struct link *l, troth_conn *c, troth_span data);
void link_let_go(struct link *l);
void link_receive(struct link *l, troth_conn *c, uint8_t *room, size_t n);
/* Ends our direction, takes what is still coming, closes: an alert of ours is not lost to a reset. */
void link_close(struct link *l);

#endif
