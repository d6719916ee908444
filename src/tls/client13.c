/* client13.c - the client of TLS 1.3, from ServerHello on (RFC 9846 A.1).
 *
 * The table is the whole graph.  Each handler reads, checks, decides, acts.  Must never send application data, or believe any, before
 * the server's Finished was checked. */
#include "base/alerts.h"
#include "tls/auth.h"
#include "tls/certificate.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/late.h"
#include "tls/late_auth.h"
#include "tls/negotiate.h"
#include "tls/offer.h"
#include "tls/peer.h"
#include "tls/quic.h"
#include "tls/types.h"
#include "tls/versions.h"

static enum state on_encrypted_extensions(struct troth_conn *, const struct message *);
static enum state on_certificate_request(struct troth_conn *, const struct message *);
static enum state on_certificate(struct troth_conn *, const struct message *);
static enum state on_compressed(struct troth_conn *, const struct message *);
static enum state on_certificate_verify(struct troth_conn *, const struct message *);
static enum state on_verdict(struct troth_conn *, const struct message *);
static enum state on_finished(struct troth_conn *, const struct message *);
static enum state on_client(struct troth_conn *, const struct message *);
static enum state on_signature(struct troth_conn *, const struct message *);

/* clang-format off */
static const struct step client13[] = {
/*  waiting for       this arrives              do                           and wait for                                           */
  { S_WAIT_EE,        M_ENCRYPTED_EXTENSIONS,   DO(on_encrypted_extensions), TO(WAIT_CERT_CR) | TO(WAIT_FINISHED) | TO(WAIT_VERDICT), 0 },
  { S_WAIT_CERT_CR,   M_CERTIFICATE_REQUEST,    DO(on_certificate_request),  TO(WAIT_CERT),                                     0 },
  { S_WAIT_CERT_CR,   M_CERTIFICATE,            DO(on_certificate),          TO(WAIT_CV),                                       0 },
  { S_WAIT_CERT_CR,   M_COMPRESSED_CERTIFICATE, DO(on_compressed),           TO(WAIT_CV),                                       0 },
  { S_WAIT_CERT,      M_CERTIFICATE,            DO(on_certificate),          TO(WAIT_CV),                                       0 },
  { S_WAIT_CERT,      M_COMPRESSED_CERTIFICATE, DO(on_compressed),           TO(WAIT_CV),                                       0 },
  { S_WAIT_CV,        M_CERTIFICATE_VERIFY,     DO(on_certificate_verify),   TO(WAIT_FINISHED) | TO(WAIT_VERDICT),    KEEP_BEFORE },
  { S_WAIT_VERDICT,   A_VERDICT,                DO(on_verdict),              TO(WAIT_FINISHED),                                 0 },
  { S_WAIT_FINISHED,  M_FINISHED,               DO(on_finished),             TO(CONNECTED) | TO(WAIT_CLIENT) | TO(WAIT_SIGN), KEEP_BEFORE },
  { S_WAIT_CLIENT,    A_CLIENT,                 DO(on_client),               TO(CONNECTED) | TO(WAIT_SIGN),                     0 },
  { S_WAIT_SIGN,      A_SIGNATURE,              DO(on_signature),            TO(CONNECTED),                                     0 },
  { S_CONNECTED,      M_NEW_SESSION_TICKET,     DO(on_new_session_ticket),   TO(CONNECTED),                            NOT_HASHED },
  { S_CONNECTED,      M_CERTIFICATE_REQUEST,    DO(on_late_request),         TO(CONNECTED) | TO(WAIT_LATE_CLIENT) | TO(WAIT_LATE_SIGN), NOT_HASHED },
  { S_WAIT_LATE_CLIENT, A_CLIENT,               DO(on_late_client),          TO(CONNECTED) | TO(WAIT_LATE_SIGN),                0 },
  { S_WAIT_LATE_SIGN, A_SIGNATURE,              DO(on_late_signature),       TO(CONNECTED),                                     0 },
  { S_CONNECTED,      M_KEY_UPDATE,             DO(on_key_update),           TO(CONNECTED),                            NOT_HASHED },
};
/* clang-format on */
const struct step_table steps_client13 = { "client13", false, client13, COUNT_OF(client13) };

/* ---- ServerHello (RFC 9846 4.2.3); called by client.c once the version is known */
static bool check_answers(struct troth_conn *c, const struct server_hello *sh)
{
    const struct offer *o = &c->hs->offer;
    if (sh->legacy_version != TROTH_TLS12)
        return fail(c, LEGACY_VERSION, "legacy_version %04x", sh->legacy_version);
    if (!span_equal(sh->legacy_session_id_echo, span_of(o->session_id, o->session_id_n)))
        return fail(c, SESSION_ID_ECHO, "legacy_session_id_echo of %zu bytes", sh->legacy_session_id_echo.n);
    if (sh->legacy_compression_method)
        return fail(c, COMPRESSION, "legacy_compression_method %u", sh->legacy_compression_method);
    if (o->again && sh->cipher_suite != o->retry_suite)
        return fail(c, RETRY_CHANGED_SUITE, "%s, after a HelloRetryRequest with %s", name_of(&names_suite, sh->cipher_suite),
                    name_of(&names_suite, o->retry_suite));
    return true;
}

static bool agree(struct troth_conn *c, const struct key_share *theirs, uint8_t *secret, size_t *n)
{
    const struct offer *o = &c->hs->offer;
    for (size_t i = 0; i < o->n_shares; i++) {
        const troth_kem *kem = o->shares[i].kem;
        if (kem->group != theirs->group)
            continue;
        bool broken = false;
        *n = kem->secret_n;
        c->facts.group = kem->group;
        if (kem->finish(kem, o->shares[i].key, theirs->key_exchange, secret, &broken))
            return true;
        return broken ? fail(c, CRYPTO_FAILED, "key exchange with %s", kem->name)
                      : fail(c, BAD_KEY_SHARE, "the server's share for %s", kem->name);
    }
    if (o->retry_group)
        return fail(c, RETRY_CHANGED_GROUP, "%s, after a HelloRetryRequest for %s", name_of(&names_group, theirs->group),
                    name_of(&names_group, o->retry_group));
    return fail(c, GROUP_NOT_OFFERED, "key share for %s (%04x)", name_of(&names_group, theirs->group), theirs->group);
}

/* The shared secret, from the one share that answers one of ours; none with psk_ke. */
static bool take_share(struct troth_conn *c, const struct server_hello *sh, uint8_t *secret, size_t *n)
{
    *n = 0;
    if (exts_have(&sh->exts, X_KEY_SHARE))
        return agree(c, &sh->exts.shares[0], secret, n);
    (void)fail(c, NO_KEY_SHARE, "ServerHello without key_share");
    if (exts_have(&sh->exts, X_PRE_SHARED_KEY))
        trouble_alert(&c->error, ALERT_illegal_parameter); /* we said that a PSK alone will not do (RFC 9846 4.3.11) */
    return false;
}

static bool enter_handshake(struct troth_conn *c, const struct server_hello *sh)
{
    struct hs *hs = c->hs;
    uint8_t secret[TROTH_KEM_SECRET_MAX];
    size_t n;
    TRY(take_share(c, sh, secret, &n));
    struct digest upto;
    struct told told = told_of(c);
    transcript_peek(&hs->transcript, &upto);
    if (hs->stage != KS_EARLY)
        ks_begin(&hs->ks.early, hs->hash, SPAN_NONE, &told);
    struct ks_early early = hs->ks.early;
    ks_enter_handshake(&hs->ks.handshake, &early, span_of(secret, n), &upto, &told);
    hs->stage = KS_HANDSHAKE;
    secret_wipe(secret, sizeof secret);
    TRY(conn_keys13(c, READ, EPOCH_HANDSHAKE, &hs->ks.handshake.server));
    /* from here on even an alert can be protected; not while early data flows under keys of its own (RFC 9846 A.1) */
    return early_has_keys(c) || (flight_ccs(c) && conn_keys13(c, WRITE, EPOCH_HANDSHAKE, &hs->ks.handshake.client));
}

enum state client13_server_hello(struct troth_conn *c, struct server_hello *sh, struct rd *r, const struct message *m)
{
    if (!exts_read(&sh->exts, r, IN_SH, TROTH_TLS13, &c->hs->offer.asked)) {
        (void)fail_read(c, "ServerHello", r);
        return S_FAILED;
    }
    c->rec.rules.tls13 = true;
    bool ok = check_answers(c, sh)
           && hs_use_suite(c, sh->cipher_suite)
           && ech_answer(c, sh, m)
           && psk_selected(c, sh)
           && enter_handshake(c, sh)
           && offer_forget(c);
    return ok ? S_WAIT_EE : S_FAILED;
}

/* ---- EncryptedExtensions (RFC 9846 4.4.1) */
static bool take_alpn(struct troth_conn *c, const struct exts *e)
{
    if (!exts_have(e, X_ALPN)) {
        c->facts.alpn = SPAN_NONE; /* of a session that early data was sent by: it does not count any more */
        return true;
    }
    span name, answer = e->alpn;
    if (!alpn_next(&answer, &name) || !alpn_has(c->cfg->alpn, name))
        return fail(c, ALPN_NOT_OFFERED, "%.*s", (int)name.n, (const char *)name.p);
    tell_choice_text(c, "ALPN", "chosen by the server among those we offered (RFC 7301 3.2)", c->cfg->alpn, answer, name);
    return conn_alpn(c, name);
}

static enum state on_encrypted_extensions(struct troth_conn *c, const struct message *m)
{
    struct encrypted_extensions ee = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!encrypted_extensions_read(&ee, &r, &c->hs->offer.asked)) {
        (void)fail_read(c, "EncryptedExtensions", &r);
        return S_FAILED;
    }
    bool ok = take_alpn(c, &ee.exts)
           && conn_record_limit(c, ee.exts.record_size_limit)
           && ech_take_retry(c, &ee.exts)
           && types_answered(c, &ee.exts)
           && quic_answer(c, &ee.exts)
           && early_answer(c, exts_have(&ee.exts, X_EARLY_DATA));
    if (!ok)
        return S_FAILED;
    if (peer_ask_verdict_again(c))
        return S_WAIT_VERDICT;
    return c->facts.resumed || c->facts.psk_external ? S_WAIT_FINISHED : S_WAIT_CERT_CR;
}

/* ---- CertificateRequest (RFC 9846 4.4.2) */
static enum state on_certificate_request(struct troth_conn *c, const struct message *m)
{
    struct certificate_request cr = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_request_read(&cr, &r)) {
        (void)fail_read(c, "CertificateRequest", &r);
        return S_FAILED;
    }
    if (cr.certificate_request_context.n) {
        (void)fail(c, REQUEST_CONTEXT, "certificate_request_context of %zu bytes", cr.certificate_request_context.n);
        return S_FAILED;
    }
    return types_asked(c) && wanted_from_request(c, &cr) ? S_WAIT_CERT : S_FAILED;
}

/* ---- Certificate, CertificateVerify */
static bool not_empty(struct troth_conn *c, bool empty)
{
    return !empty || fail(c, SERVER_NO_CERTIFICATE, "certificate_list is empty");
}

static enum state on_certificate(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    return peer_certificate13(c, m, &c->hs->offer.asked, &empty) && not_empty(c, empty) ? S_WAIT_CV : S_FAILED;
}

static enum state on_compressed(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    return peer_compressed13(c, m, &c->hs->offer.asked, &empty) && not_empty(c, empty) ? S_WAIT_CV : S_FAILED;
}

static enum state on_certificate_verify(struct troth_conn *c, const struct message *m)
{
    if (!auth_verify(c, m))
        return S_FAILED;
    return peer_ask_verdict(c) ? S_WAIT_VERDICT : S_WAIT_FINISHED;
}

static enum state on_verdict(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return peer_take_verdict(c) ? S_WAIT_FINISHED : S_FAILED;
}

/* ---- Finished, and our second flight */
static enum state finish(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    struct told told = told_of(c);
    struct digest upto;
    if (!auth_send_finished(c))
        return S_FAILED;
    transcript_peek(&hs->transcript, &upto);
    bool ok = conn_keys13(c, WRITE, EPOCH_APPLICATION, &c->keys.client)
           && conn_keys13(c, READ, EPOCH_APPLICATION, &c->keys.server)
           && ech_finish(c)
           && late_keep(c);
    ks_resumption(&c->keys, &upto, &told);
    ks_leave_handshake(&hs->ks.handshake);
    if (!ok)
        return S_FAILED;
    conn_ready(c);
    return S_CONNECTED;
}

/* Our certificate, if one was asked for (an empty one if none fits), and its proof. */
static enum state answer_request(struct troth_conn *c)
{
    bool asked = false;
    if (!certificate_answer(c))
        return S_FAILED;
    if (!c->hs->identity)
        return finish(c);
    if (!auth_sign(c, &asked))
        return S_FAILED;
    return asked ? S_WAIT_SIGN : finish(c);
}

static enum state on_finished(struct troth_conn *c, const struct message *m)
{
    struct hs *hs = c->hs;
    if (!auth_check_finished(c, m))
        return S_FAILED;
    struct digest upto;
    struct told told = told_of(c);
    transcript_peek(&hs->transcript, &upto);
    ks_enter_main(&c->keys, &hs->ks.handshake, &upto, &told);
    if (hs->offer.early && !early_end(c))
        return S_FAILED;
    if (!hs->wanted.asked)
        return finish(c);
    return certificate_ask(c) ? S_WAIT_CLIENT : answer_request(c);
}

static enum state on_client(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return answer_request(c);
}

static enum state on_signature(struct troth_conn *c, const struct message *m)
{
    return auth_answered(c, m->raw) ? finish(c) : S_FAILED;
}
