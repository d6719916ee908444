/* alert.c - what a peer's alert means.  An alert is one byte; what it is about depends on what we had sent.
 *
 * Must never claim more than the alert says: the reason of a row is the likeliest, its hint names the others. */
#include "tls/alert.h"

#include "base/alerts.h"
#include "base/text.h"
#include "tls/flight.h"

/* clang-format off */
/* One reason per alert, for want of anything better. */
static const struct plain { uint8_t alert; uint16_t reason; } plain[] = {
    { ALERT_close_notify,           TROTH_R_PEER_CLOSED },
    { ALERT_unexpected_message,     TROTH_R_ALERT_UNEXPECTED_MESSAGE },
    { ALERT_bad_record_mac,         TROTH_R_ALERT_BAD_RECORD_MAC },
    { ALERT_record_overflow,        TROTH_R_ALERT_RECORD_OVERFLOW },
    { ALERT_handshake_failure,      TROTH_R_ALERT_HANDSHAKE_FAILURE },
    { ALERT_bad_certificate,        TROTH_R_ALERT_BAD_CERTIFICATE },
    { ALERT_unsupported_certificate, TROTH_R_ALERT_UNSUPPORTED_CERTIFICATE },
    { ALERT_certificate_revoked,    TROTH_R_ALERT_CERTIFICATE_REVOKED },
    { ALERT_certificate_expired,    TROTH_R_ALERT_CERTIFICATE_EXPIRED },
    { ALERT_certificate_unknown,    TROTH_R_ALERT_CERTIFICATE_UNKNOWN },
    { ALERT_illegal_parameter,      TROTH_R_ALERT_ILLEGAL_PARAMETER },
    { ALERT_unknown_ca,             TROTH_R_ALERT_UNKNOWN_CA },
    { ALERT_access_denied,          TROTH_R_ALERT_ACCESS_DENIED },
    { ALERT_decode_error,           TROTH_R_ALERT_DECODE_ERROR },
    { ALERT_decrypt_error,          TROTH_R_ALERT_DECRYPT_ERROR },
    { ALERT_protocol_version,       TROTH_R_ALERT_PROTOCOL_VERSION },
    { ALERT_insufficient_security,  TROTH_R_ALERT_INSUFFICIENT_SECURITY },
    { ALERT_internal_error,         TROTH_R_ALERT_INTERNAL_ERROR },
    { ALERT_inappropriate_fallback, TROTH_R_ALERT_INAPPROPRIATE_FALLBACK },
    { ALERT_user_canceled,          TROTH_R_ALERT_USER_CANCELED },
    { ALERT_no_renegotiation,       TROTH_R_ALERT_NO_RENEGOTIATION },
    { ALERT_missing_extension,      TROTH_R_ALERT_MISSING_EXTENSION },
    { ALERT_unsupported_extension,  TROTH_R_ALERT_UNSUPPORTED_EXTENSION },
    { ALERT_unrecognized_name,      TROTH_R_ALERT_UNRECOGNIZED_NAME },
    { ALERT_bad_certificate_status_response, TROTH_R_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE },
    { ALERT_unknown_psk_identity,   TROTH_R_ALERT_UNKNOWN_PSK_IDENTITY },
    { ALERT_certificate_required,   TROTH_R_ALERT_CERTIFICATE_REQUIRED },
    { ALERT_general_error,          TROTH_R_ALERT_GENERAL_ERROR },
    { ALERT_no_application_protocol, TROTH_R_ALERT_NO_APPLICATION_PROTOCOL },
    { ALERT_ech_required,           TROTH_R_ALERT_ECH_REQUIRED },
};

/* Client, in answer to our hello, before anything else came. */
static const struct plain on_hello[] = {
    { ALERT_protocol_version,        TROTH_R_NO_SHARED_VERSION },
    { ALERT_no_application_protocol, TROTH_R_NO_SHARED_ALPN },
    { ALERT_unrecognized_name,       TROTH_R_UNRECOGNIZED_NAME },
};

/* Client, after the server had asked for our certificate. */
static const struct plain on_certificate[] = {
    { ALERT_unknown_ca,              TROTH_R_CLIENT_CERT_UNKNOWN_CA },
    { ALERT_certificate_expired,     TROTH_R_CLIENT_CERT_EXPIRED },
    { ALERT_certificate_revoked,     TROTH_R_CLIENT_CERT_REVOKED },
    { ALERT_unsupported_certificate, TROTH_R_CLIENT_CERT_BAD_EKU },
    { ALERT_bad_certificate,         TROTH_R_CLIENT_CERT_REFUSED },
    { ALERT_certificate_unknown,     TROTH_R_CLIENT_CERT_REFUSED },
    { ALERT_decrypt_error,           TROTH_R_CLIENT_CERT_REFUSED },
};
/* clang-format on */

static enum troth_reason find(const struct plain *rows, size_t n, uint8_t alert)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].alert == alert)
            return (enum troth_reason)rows[i].reason;
    return TROTH_R_NONE;
}

/* A server that refuses our hello without saying why: the suites, as most often, or the groups, where we offer fewer than usual of these alone.
 * Of both less than usual: who knows. */
static enum troth_reason blame_offer(const struct troth_conn *c)
{
    enum { USUAL = 3 };
    bool few = u16s_count(c->cfg->groups) < USUAL;
    return !few ? TROTH_R_NO_SHARED_SUITE : c->cfg->suites_given ? TROTH_R_NONE : TROTH_R_NO_SHARED_GROUP;
}

static bool is_guess(enum troth_reason why, uint8_t alert)
{
    return alert == ALERT_handshake_failure && (why == TROTH_R_NO_SHARED_SUITE || why == TROTH_R_NO_SHARED_GROUP);
}

static enum troth_reason meaning(const struct troth_conn *c, uint8_t alert)
{
    enum troth_reason why = TROTH_R_NONE;
    bool answers_hello = c->state == S_WAIT_SH || c->state == S_WAIT_SH_AGAIN;
    if (!c->cfg->is_server && answers_hello)
        why = alert == ALERT_handshake_failure ? blame_offer(c) : find(on_hello, COUNT_OF(on_hello), alert);
    if (!c->cfg->is_server && c->cert_shown)
        why = find(on_certificate, COUNT_OF(on_certificate), alert);
    bool no_certificate = alert == ALERT_certificate_required
                       || (c->cert_asked && !c->cert_shown && (alert == ALERT_handshake_failure || alert == ALERT_bad_certificate));
    if (!c->cfg->is_server && no_certificate) /* none shown although there were some: none was fit to be */
        why = c->cert_asked && c->cfg->n_identities ? TROTH_R_CLIENT_CERT_WITHHELD : TROTH_R_CLIENT_CERT_REQUIRED;
    if (why == TROTH_R_NONE)
        why = find(plain, COUNT_OF(plain), alert);
    return why == TROTH_R_NONE ? TROTH_R_ALERT_UNKNOWN : why;
}

bool alert_received(struct troth_conn *c, uint8_t alert)
{
    if (!trouble_is_set(&c->error)) {
        troth_error e;
        error_none(&e);
        (void)error_from_peer(&e, meaning(c, alert), alert, __FILE__, __LINE__);
        struct text t = TEXT_IN(e.detail);
        text_add(&t, "alert %s (%u) in state %s", name_of(&names_alert, alert), alert, state_name((enum state)c->state));
        if (is_guess(e.reason, alert))
            text_add(&t, "; it does not say what did not fit: most often that, else signature algorithms, or a name it does not know");
        (void)trouble_take(&c->error, &e);
    }
    return false;
}

static void tell(const struct troth_conn *c, span content, bool ours, uint8_t epoch)
{
    const struct witness *w = c->witness;
    if (LIKELY(!w || !w->message))
        return;
    struct alert_message a;
    struct saw_message m = { .type = "Alert", .from = ours ? our_side(c) : peer_side(c), .ours = ours, .raw = content,
                             .version = c->facts.version == TROTH_TLS13 ? 13 : c->facts.version == TROTH_TLS12 ? 12 : 0,
                             .epoch = epoch };
    struct rd_ctx ctx;
    w->message(w->self, &m);
    rd_ctx_init(&ctx, content, w);
    struct rd r = rd_init(&ctx, content);
    bool read = alert_read(&a, &r);
    (void)read; /* its bytes were checked where it arrived */
}

void alert_tell_received(const struct troth_conn *c, uint8_t level, uint8_t alert, bool clear)
{
    uint8_t bytes[2] = { level, alert };
    tell(c, SPAN_OF(bytes), false, clear ? EPOCH_PLAIN : c->rec.read.epoch);
}

void alert_send(struct troth_conn *c, uint8_t level, uint8_t alert)
{
    uint8_t bytes[2] = { level, alert };
    span content = SPAN_OF(bytes);
    tell(c, content, true, c->rec.write.epoch);
    bool sent = flight_put(c, CONTENT_ALERT, &content, 1);
    (void)sent; /* there is nobody left to tell that it could not be sent */
}
