/* client12.c - the client of TLS 1.2, from ServerHello on (RFC 5246 7.3, as a subset: ECDHE, AEAD, extended master secret).
 *
 * The table is the whole graph.  Each handler reads, checks, decides, acts.  Must never go on without the extended master secret, and never
 * send application data before the server's Finished was checked. */
#include "tls/certificate.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/negotiate.h"
#include "tls/offer.h"
#include "tls/peer.h"
#include "tls/tls12.h"
#include "tls/types.h"
#include "tls/versions.h"

static enum state on_certificate(struct troth_conn *, const struct message *);
static enum state on_certificate_status(struct troth_conn *, const struct message *);
static enum state on_server_key_exchange(struct troth_conn *, const struct message *);
static enum state on_certificate_request(struct troth_conn *, const struct message *);
static enum state on_server_hello_done(struct troth_conn *, const struct message *);
static enum state on_verdict(struct troth_conn *, const struct message *);
static enum state on_client(struct troth_conn *, const struct message *);
static enum state on_signature(struct troth_conn *, const struct message *);
static enum state on_new_session_ticket(struct troth_conn *, const struct message *);
static enum state on_finished(struct troth_conn *, const struct message *);
static enum state on_hello_request(struct troth_conn *, const struct message *);

#define TO_REST (TO(WAIT_NST_12) | TO(WAIT_CCS_12))
#define TO_ANSWER (TO(WAIT_CLIENT_12) | TO(WAIT_SIGN_12) | TO_REST)

/* clang-format off */
static const struct step client12[] = {
/*  waiting for          this arrives             do                          and wait for                                            */
  { S_WAIT_CERT_12,      M_CERTIFICATE,           DO(on_certificate),         TO(WAIT_STATUS_12) | TO(WAIT_SKE_12),                 0 },
  { S_WAIT_STATUS_12,    M_CERTIFICATE_STATUS,    DO(on_certificate_status),  TO(WAIT_SKE_12),                                      0 },
  { S_WAIT_STATUS_12,    M_SERVER_KEY_EXCHANGE,   DO(on_server_key_exchange), TO(WAIT_CR_12),                                       0 },
  { S_WAIT_SKE_12,       M_SERVER_KEY_EXCHANGE,   DO(on_server_key_exchange), TO(WAIT_CR_12),                                       0 },
  { S_WAIT_CR_12,        M_CERTIFICATE_REQUEST,   DO(on_certificate_request), TO(WAIT_SHD_12),                                      0 },
  { S_WAIT_CR_12,        M_SERVER_HELLO_DONE,     DO(on_server_hello_done),   TO(WAIT_VERDICT_12) | TO_ANSWER,            ENDS_FLIGHT },
  { S_WAIT_SHD_12,       M_SERVER_HELLO_DONE,     DO(on_server_hello_done),   TO(WAIT_VERDICT_12) | TO_ANSWER,            ENDS_FLIGHT },
  { S_WAIT_VERDICT_12,   A_VERDICT,               DO(on_verdict),             TO_ANSWER,                                            0 },
  { S_WAIT_CLIENT_12,    A_CLIENT,                DO(on_client),              TO(WAIT_SIGN_12) | TO_REST,                           0 },
  { S_WAIT_SIGN_12,      A_SIGNATURE,             DO(on_signature),           TO_REST,                                              0 },
  { S_WAIT_NST_12,       M_NEW_SESSION_TICKET,    DO(on_new_session_ticket),  TO(WAIT_CCS_12),                                      0 },
  { S_WAIT_CCS_12,       M_CHANGE_CIPHER_SPEC,    DO(on_change_cipher_spec),  TO(WAIT_FINISHED_12),                        NOT_HASHED },
  { S_WAIT_FINISHED_12,  M_FINISHED,              DO(on_finished),            TO(CONNECTED_12),             KEEP_BEFORE | ENDS_FLIGHT },
  { S_CONNECTED_12,      M_HELLO_REQUEST,         DO(on_hello_request),       TO(FAILED),                                  NOT_HASHED },
};
/* clang-format on */
const struct step_table steps_client12 = { "client12", false, client12, COUNT_OF(client12) };

static enum state await_server_finish(struct troth_conn *c)
{
    if (c->hs->v12->ticket_follows)
        return S_WAIT_NST_12;
    c->rec.rules.take_ccs = true;
    return S_WAIT_CCS_12;
}

/* ---- ServerHello (RFC 5246 7.4.1.3); called by client.c once the version is known */
static bool check_answers(struct troth_conn *c, const struct server_hello *sh)
{
    if (sh->legacy_compression_method)
        return fail(c, COMPRESSION, "compression_method %u", sh->legacy_compression_method);
    TRY(tls12_check_hello(c, &sh->exts, "ServerHello"));
    return exts_have(&sh->exts, X_RENEGOTIATION_INFO)
        || fail(c, NO_RENEGOTIATION_INFO, "ServerHello without renegotiation_info, which was offered");
}

static bool take_alpn(struct troth_conn *c, const struct exts *e)
{
    span name, answer = e->alpn;
    if (!exts_have(e, X_ALPN))
        return true;
    if (!alpn_next(&answer, &name) || !alpn_has(c->cfg->alpn, name))
        return fail(c, ALPN_NOT_OFFERED, "%.*s", (int)name.n, (const char *)name.p);
    tell_choice_text(c, "ALPN", "chosen by the server among those we offered (RFC 7301 3.2)", c->cfg->alpn, answer, name);
    return conn_alpn(c, name);
}

static bool take_exts(struct troth_conn *c, const struct exts *e)
{
    struct hs12 *v = c->hs->v12;
    v->staple_follows = exts_have(e, X_STATUS_REQUEST);
    v->ticket_follows = exts_have(e, X_SESSION_TICKET);
    return take_alpn(c, e) && conn_record_limit(c, e->record_size_limit) && hs_keep(c, &v->scts, e->sct_list);
}

/* A client that can show a certificate may have to sign all messages from the first on. */
static bool begin_log(struct troth_conn *c, const struct message *m)
{
    if (!c->cfg->n_identities && !c->cfg->ask_client)
        return true;
    log12_begin(c);
    return log12_add(c, c->hs->transcript.early[0], false) && log12_add(c, m->raw, false);
}

enum state client12_server_hello(struct troth_conn *c, struct server_hello *sh, struct rd *r, const struct message *m)
{
    if (!exts_read(&sh->exts, r, IN_SH, TROTH_TLS12, &c->hs->offer.asked)) {
        (void)fail_read(c, "ServerHello", r);
        return S_FAILED;
    }
    bool ok = check_answers(c, sh)
           && tls12_enter(c)
           && begin_log(c, m)
           && hs_use_suite(c, sh->cipher_suite)
           && take_exts(c, &sh->exts)
           && session12_answered(c, sh)
           && types_answered(c, &sh->exts)
           && offer_forget(c);
    if (!ok)
        return S_FAILED;
    if (peer_ask_verdict_again(c))
        return S_WAIT_VERDICT_12;
    return c->facts.resumed ? await_server_finish(c) : S_WAIT_CERT_12;
}

/* ---- Certificate, CertificateStatus */
static enum state on_certificate(struct troth_conn *c, const struct message *m)
{
    struct certificate cert = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!peer_certificate12_read(c, &cert, &r)) {
        (void)fail_read(c, "Certificate", &r);
        return S_FAILED;
    }
    if (!cert.n) {
        (void)fail(c, SERVER_NO_CERTIFICATE, "certificate_list is empty");
        return S_FAILED;
    }
    if (!hs_keep(c, &c->hs->v12->certificate, m->body))
        return S_FAILED;
    return c->hs->v12->staple_follows ? S_WAIT_STATUS_12 : S_WAIT_SKE_12;
}

static enum state on_certificate_status(struct troth_conn *c, const struct message *m)
{
    struct certificate_status cs = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_status_read(&cs, &r)) {
        (void)fail_read(c, "CertificateStatus", &r);
        return S_FAILED;
    }
    return hs_keep(c, &c->hs->v12->staple, cs.response) ? S_WAIT_SKE_12 : S_FAILED;
}

/* The chain, now that whatever was stapled to it is here. */
static bool judge(struct troth_conn *c, troth_verify_job *also)
{
    const struct hs12 *v = c->hs->v12;
    struct certificate cert = { 0 };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, v->certificate, NULL); /* the witness was told when it came */
    struct rd r = rd_init(&ctx, v->certificate);
    if (!peer_certificate12_read(c, &cert, &r))
        return fail(c, BUG, "a Certificate that was read cannot be read again");
    cert.entries[0].ocsp_response = v->staple;
    cert.entries[0].sct_list = v->scts;
    TRY(peer_judge_with(c, &cert, also));
    uint16_t curve = key_curve(c->hs->peer_key.type);
    if (curve && !u16s_has(c->cfg->groups, curve)) /* RFC 8422 2.2: with ECDSA the curves offered bind the certificate too */
        return fail(c, PEER_KEY_UNSUPPORTED, "its key is on %s, which was not offered", name_of(&names_group, curve));
    return suite_fits_key(c->hs->suite->auth, c->hs->peer_key.type)
        || fail(c, SUITE_WRONG_KEY, "%s with a certificate that has another kind of key", name_of(&names_suite, c->hs->suite->id));
}

/* ---- ServerKeyExchange (RFC 8422 5.4) */
static bool check_params(struct troth_conn *c, const struct server_key_exchange12 *k)
{
    struct hs12 *v = c->hs->v12;
    v->kem = tls12_group(c->cfg, k->named_curve);
    if (!v->kem)
        return fail(c, GROUP_NOT_OFFERED, "%s (%04x)", name_of(&names_group, k->named_curve), k->named_curve);
    c->facts.group = k->named_curve;
    tell_decision(c, "group", "chosen by the server among those we offered (RFC 8422 5.4)", &names_group, c->cfg->groups, SPAN_NONE,
                  k->named_curve);
    return hs_keep(c, &v->point, k->point);
}

static enum state on_server_key_exchange(struct troth_conn *c, const struct message *m)
{
    struct server_key_exchange12 k = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!server_key_exchange12_read(&k, &r)) {
        (void)fail_read(c, "ServerKeyExchange", &r);
        return S_FAILED;
    }
    const span signed_parts[] = { SPAN_OF(c->facts.client_random), SPAN_OF(c->facts.server_random), k.params };
    const struct scheme *s = scheme_by_id(k.algorithm);
    troth_verify_job also = { .sig = s ? s->sig : TROTH_SIG_NONE, .parts = signed_parts, .n_parts = COUNT_OF(signed_parts),
                              .signature = k.signature };
    bool ok = judge(c, &also)
           && check_params(c, &k)
           && tls12_verify(c, k.algorithm, signed_parts, COUNT_OF(signed_parts), k.signature, also.good);
    return ok ? S_WAIT_CR_12 : S_FAILED;
}

/* ---- CertificateRequest (RFC 5246 7.4.4) */
static enum state on_certificate_request(struct troth_conn *c, const struct message *m)
{
    struct certificate_request12 cr = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_request12_read(&cr, &r)) {
        (void)fail_read(c, "CertificateRequest", &r);
        return S_FAILED;
    }
    return types_asked(c) && wanted_from_request12(c, &cr) ? S_WAIT_SHD_12 : S_FAILED;
}

/* ---- ServerHelloDone, and our flight */
static enum state finish(struct troth_conn *c)
{
    return tls12_send_finished(c) ? await_server_finish(c) : S_FAILED;
}

static bool send_key_exchange(struct troth_conn *c)
{
    const struct hs12 *v = c->hs->v12;
    uint8_t share[TROTH_KEM_SHARE_MAX], secret[TROTH_KEM_SECRET_MAX];
    bool broken = false;
    if (!v->kem->reply(v->kem, v->point, share, secret, &broken))
        return broken ? fail(c, CRYPTO_FAILED, "key exchange with %s", v->kem->name)
                      : fail(c, BAD_KEY_SHARE, "the server's share for %s", v->kem->name);
    struct client_key_exchange12 k = { span_of(share, v->kem->reply_n) };
    bool ok = flight_add(c, HS_client_key_exchange, body_client_key_exchange12, &k);
    if (ok)
        tls12_master(c, secret, v->kem->secret_n);
    secret_wipe(secret, sizeof secret);
    return ok;
}

static enum state send_flight(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n = 0;
    bool asked = false;
    if (hs->wanted.asked && !certificate_answer12(c))
        return S_FAILED;
    if (!send_key_exchange(c))
        return S_FAILED;
    if (!hs->wanted.asked || !hs->identity)
        return finish(c);
    if (!tls12_sign(c, hs->v12->log, hs->v12->n_log, signature, &n, &asked))
        return S_FAILED;
    if (asked)
        return S_WAIT_SIGN_12;
    return tls12_put_verify(c, span_of(signature, n)) ? finish(c) : S_FAILED;
}

static enum state answer(struct troth_conn *c)
{
    return c->hs->wanted.asked && certificate_ask(c) ? S_WAIT_CLIENT_12 : send_flight(c);
}

static enum state on_server_hello_done(struct troth_conn *c, const struct message *m)
{
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!empty_message_read(&r, "ServerHelloDone")) {
        (void)fail_read(c, "ServerHelloDone", &r);
        return S_FAILED;
    }
    return peer_ask_verdict(c) ? S_WAIT_VERDICT_12 : answer(c);
}

static enum state on_client(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return send_flight(c);
}

static enum state on_verdict(struct troth_conn *c, const struct message *m)
{
    (void)m;
    if (!peer_take_verdict(c))
        return S_FAILED;
    return c->facts.resumed ? await_server_finish(c) : answer(c);
}

static enum state on_signature(struct troth_conn *c, const struct message *m)
{
    return tls12_put_verify(c, m->raw) ? finish(c) : S_FAILED;
}

/* ---- the end */
static enum state on_new_session_ticket(struct troth_conn *c, const struct message *m)
{
    if (!session12_took(c, m))
        return S_FAILED;
    c->rec.rules.take_ccs = true;
    return S_WAIT_CCS_12;
}

static enum state on_finished(struct troth_conn *c, const struct message *m)
{
    if (!tls12_check_finished(c, m))
        return S_FAILED;
    if (c->facts.resumed && !tls12_send_finished(c)) /* in a resumption the server finishes first */
        return S_FAILED;
    if (!flight_flush(c) || !ech_finish(c) || !session12_keep(c))
        return S_FAILED;
    tls12_ready(c);
    return S_CONNECTED_12;
}

static enum state on_hello_request(struct troth_conn *c, const struct message *m)
{
    (void)m;
    (void)fail(c, NO_RENEGOTIATION, "HelloRequest");
    return S_FAILED;
}
