/* alerts.h - the alert numbers (RFC 9846 6), for the one column of reasons.def that needs them.
 *
 * Their names and texts for people are in wire/registry.def. */
#ifndef BASE_ALERTS_H
#define BASE_ALERTS_H

enum alert {
    ALERT_close_notify = 0,
    ALERT_unexpected_message = 10,
    ALERT_bad_record_mac = 20,
    ALERT_record_overflow = 22,
    ALERT_handshake_failure = 40,
    ALERT_bad_certificate = 42,
    ALERT_unsupported_certificate = 43,
    ALERT_certificate_revoked = 44,
    ALERT_certificate_expired = 45,
    ALERT_certificate_unknown = 46,
    ALERT_illegal_parameter = 47,
    ALERT_unknown_ca = 48,
    ALERT_access_denied = 49,
    ALERT_decode_error = 50,
    ALERT_decrypt_error = 51,
    ALERT_protocol_version = 70,
    ALERT_insufficient_security = 71,
    ALERT_internal_error = 80,
    ALERT_inappropriate_fallback = 86,
    ALERT_user_canceled = 90,
    ALERT_no_renegotiation = 100,
    ALERT_missing_extension = 109,
    ALERT_unsupported_extension = 110,
    ALERT_unrecognized_name = 112,
    ALERT_bad_certificate_status_response = 113,
    ALERT_unknown_psk_identity = 115,
    ALERT_certificate_required = 116,
    ALERT_general_error = 117,
    ALERT_no_application_protocol = 120,
    ALERT_ech_required = 121,
    ALERT_none = 255 /* this reason is nobody else's business */
};

#endif
