/* server12.c - the server of TLS 1.2, from the decision for that version on (RFC 5246 7.3, as a subset: ECDHE, AEAD, extended master
 * secret).
 *
 * The table is the whole graph.  Each handler reads, checks, decides, acts.  Must never go on without the extended master secret. */
#include "base/alerts.h"
#include "tls/certificate.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/negotiate.h"
#include "tls/peer.h"
#include "tls/tls12.h"
#include "tls/types.h"
#include "tls/versions.h"

static enum state on_signature(struct troth_conn *, const struct message *);
static enum state on_certificate(struct troth_conn *, const struct message *);
static enum state on_client_key_exchange(struct troth_conn *, const struct message *);
static enum state on_certificate_verify(struct troth_conn *, const struct message *);
static enum state on_verdict(struct troth_conn *, const struct message *);
static enum state on_finished(struct troth_conn *, const struct message *);
static enum state on_hello_again(struct troth_conn *, const struct message *);

/* clang-format off */
static const struct step server12[] = {
/*  waiting for             this arrives             do                          and wait for                                         */
  { S_WAIT_SIGN_SKE_12,     A_SIGNATURE,             DO(on_signature),           TO(WAIT_CLIENT_CERT_12) | TO(WAIT_CKE_12),         0 },
  { S_WAIT_CLIENT_CERT_12,  M_CERTIFICATE,           DO(on_certificate),         TO(WAIT_CKE_12),                                   0 },
  { S_WAIT_CKE_12,          M_CLIENT_KEY_EXCHANGE,   DO(on_client_key_exchange), TO(WAIT_CV_12) | TO(WAIT_CCS_12),                  0 },
  { S_WAIT_CV_12,           M_CERTIFICATE_VERIFY,    DO(on_certificate_verify),  TO(WAIT_VERDICT_12) | TO(WAIT_CCS_12),             0 },
  { S_WAIT_VERDICT_12,      A_VERDICT,               DO(on_verdict),             TO(WAIT_CCS_12),                                   0 },
  { S_WAIT_CCS_12,          M_CHANGE_CIPHER_SPEC,    DO(on_change_cipher_spec),  TO(WAIT_FINISHED_12),                     NOT_HASHED },
  { S_WAIT_FINISHED_12,     M_FINISHED,              DO(on_finished),            TO(CONNECTED_12),          KEEP_BEFORE | ENDS_FLIGHT },
  { S_CONNECTED_12,         M_CLIENT_HELLO,          DO(on_hello_again),         TO(FAILED),                               NOT_HASHED },
};
/* clang-format on */
const struct step_table steps_server12 = { "server12", true, server12, COUNT_OF(server12) };

static enum state await_ccs(struct troth_conn *c)
{
    c->rec.rules.take_ccs = true;
    return S_WAIT_CCS_12;
}

/* ---- ClientHello */
static bool decide_suite(struct troth_conn *c, const struct client_hello *ch)
{
    struct choice s = choose_suite(c->cfg, TROTH_TLS12, ch->cipher_suites, c->hs->identity->key_type);
    tell_decision(c, "cipher suite", s.rule, &names_suite, c->cfg->suites, ch->cipher_suites, s.id);
    if (!s.found)
        return fail(c, NO_SHARED_SUITE, "the client offers %zu suites", u16s_count(ch->cipher_suites));
    return hs_use_suite(c, s.id);
}

/* Without supported_groups a client takes any (RFC 8422 4). */
static bool decide_group(struct troth_conn *c, const struct client_hello *ch)
{
    const struct config *cfg = c->cfg;
    bool any = !exts_have(&ch->exts, X_SUPPORTED_GROUPS);
    for (size_t i = 0; i < u16s_count(cfg->groups); i++) {
        uint16_t id = u16s_at(cfg->groups, i);
        const troth_kem *kem = tls12_group(cfg, id);
        if (!kem || (any ? id != GROUP_secp256r1 : !u16s_has(ch->exts.supported_groups, id)))
            continue;
        c->hs->v12->kem = kem;
        c->facts.group = id;
        tell_decision(c, "group", any ? "the client does not say; every client has this one (RFC 8422 4)"
                                      : "the first of ours that the client supports (RFC 8422 5.1)",
                      &names_group, cfg->groups, ch->exts.supported_groups, id);
        return true;
    }
    return fail(c, NO_SHARED_GROUP, "the client offers %zu groups", u16s_count(ch->exts.supported_groups));
}

static bool decide_alpn(struct troth_conn *c, const struct client_hello *ch)
{
    if (!exts_have(&ch->exts, X_ALPN))
        return true;
    struct choice_text a = choose_alpn(c->cfg->alpn, ch->exts.alpn, c->cfg->alpn_optional);
    tell_choice_text(c, "ALPN", a.rule, c->cfg->alpn, ch->exts.alpn, a.name);
    return a.found ? conn_alpn(c, a.name) : fail(c, NO_SHARED_ALPN, "%s", a.rule);
}

/* ---- ServerHello */

/* RFC 9846 4.2.3: a server that can do better marks its random, so that a client that can do better notices. */
static bool make_random(struct troth_conn *c)
{
    TRY(conn_random(c, c->facts.server_random, 32));
    if (c->cfg->most >= TROTH_TLS13)
        memcpy(c->facts.server_random + 24, downgrade_tls12, 8);
    return true;
}

static bool sends_staple(const struct troth_conn *c)
{
    return !c->facts.resumed && c->hs->wanted.staple && c->hs->identity->staple.n;
}

static void add_answers(struct troth_conn *c, const struct client_hello *ch, struct exts *e)
{
    static const uint8_t uncompressed[1] = { 0 };
    const struct exts *theirs = &ch->exts;
    exts_add(e, X_EXTENDED_MASTER_SECRET);
    if (ext_set_has(&c->hs->hello.has, X_RENEGOTIATION_INFO))
        exts_add(e, X_RENEGOTIATION_INFO);
    if (exts_have(theirs, X_SERVER_NAME) && !c->facts.resumed && !c->cfg->ignore_names)
        exts_add(e, X_SERVER_NAME);
    if (exts_have(theirs, X_EC_POINT_FORMATS)) {
        e->ec_point_formats = SPAN_OF(uncompressed);
        exts_add(e, X_EC_POINT_FORMATS);
    }
    if (exts_have(theirs, X_RECORD_SIZE_LIMIT)) {
        e->record_size_limit = conn_own_limit(c->cfg, TROTH_TLS12);
        exts_add(e, X_RECORD_SIZE_LIMIT);
    }
    if (sends_staple(c))
        exts_add(e, X_STATUS_REQUEST);
    types_answer(c, e);
    if (!c->facts.resumed && c->hs->wanted.scts && c->hs->identity->scts.n) {
        e->sct_list = c->hs->identity->scts;
        exts_add(e, X_SIGNED_CERTIFICATE_TIMESTAMP);
    }
}

static bool send_server_hello(struct troth_conn *c, const struct client_hello *ch)
{
    struct server_hello sh;
    uint8_t alpn[256];
    struct wr w = wr_into(alpn, sizeof alpn);
    memset(&sh, 0, sizeof sh);
    TRY(make_random(c));
    sh.legacy_version = TROTH_TLS12;
    sh.has_extensions = true;
    sh.random = SPAN_OF(c->facts.server_random);
    sh.cipher_suite = c->hs->suite->id;
    add_answers(c, ch, &sh.exts);
    if (c->facts.alpn.n) {
        wr_opaque(&w, 1, c->facts.alpn);
        sh.exts.alpn = wr_done(&w);
        exts_add(&sh.exts, X_ALPN);
    }
    return session12_announce(c, ch, &sh) && flight_add(c, HS_server_hello, body_server_hello, &sh) && conn_record_limit(c, ch->exts.record_size_limit);
}

/* ---- the rest of our flight */
static bool send_status(struct troth_conn *c)
{
    if (!sends_staple(c))
        return true;
    struct certificate_status cs = { STATUS_TYPE_ocsp, c->hs->identity->staple };
    return flight_add(c, HS_certificate_status, body_certificate_status, &cs);
}

static bool put_key_exchange(struct troth_conn *c, span signature)
{
    const struct hs12 *v = c->hs->v12;
    if (!signature.n)
        return fail(c, SIGNATURE_NOT_MADE, "for %s", name_of(&names_scheme, c->hs->scheme->id));
    struct server_key_exchange12 k = { .curve_type = CURVE_TYPE_named_curve, .named_curve = v->kem->group, .point = v->point,
                                       .algorithm = c->hs->scheme->id, .signature = signature };
    c->facts.own_scheme = k.algorithm;
    return flight_add(c, HS_server_key_exchange, body_server_key_exchange12, &k);
}

static bool make_share(struct troth_conn *c)
{
    struct hs12 *v = c->hs->v12;
    v->key = arena_alloc(&c->hs->arena, v->kem->private_n);
    uint8_t *share = arena_alloc(&c->hs->arena, v->kem->share_n);
    if (!v->key || !share)
        return fail(c, OUT_OF_MEMORY, "for a key share of %s", v->kem->name);
    v->point = span_of(share, v->kem->share_n);
    return v->kem->make(v->kem, v->key, share) || fail(c, CRYPTO_FAILED, "making a key for %s", v->kem->name);
}

static bool sign_share(struct troth_conn *c, bool *asked)
{
    const struct hs12 *v = c->hs->v12;
    uint8_t params[1 + 2 + 1 + 255], signature[TROTH_SIGNATURE_MAX];
    size_t n = 0;
    struct server_key_exchange12 k = { .named_curve = v->kem->group, .point = v->point };
    struct wr w = wr_into(params, sizeof params);
    server_ecdh_params_write(&w, &k);
    const span parts[] = { SPAN_OF(c->facts.client_random), SPAN_OF(c->facts.server_random), wr_done(&w) };
    TRY(tls12_sign(c, parts, COUNT_OF(parts), signature, &n, asked));
    return *asked || put_key_exchange(c, span_of(signature, n));
}

static enum state end_flight(struct troth_conn *c)
{
    bool asks = c->cfg->client_auth != TROTH_AUTH_NONE;
    if ((asks && !certificate_request_send12(c)) || !flight_add(c, HS_server_hello_done, body_nothing, NULL))
        return S_FAILED;
    return asks ? S_WAIT_CLIENT_CERT_12 : S_WAIT_CKE_12;
}

static enum state send_flight(struct troth_conn *c, const struct client_hello *ch)
{
    bool asked = false;
    bool ok = send_server_hello(c, ch)
           && certificate_send12(c)
           && send_status(c)
           && make_share(c)
           && sign_share(c, &asked);
    if (!ok)
        return S_FAILED;
    return asked ? S_WAIT_SIGN_SKE_12 : end_flight(c);
}

static enum state on_signature(struct troth_conn *c, const struct message *m)
{
    return put_key_exchange(c, m->raw) ? end_flight(c) : S_FAILED;
}

/* ---- the hello */
static enum state resume(struct troth_conn *c, const struct client_hello *ch)
{
    bool ok = decide_alpn(c, ch)
           && send_server_hello(c, ch)
           && (!c->hs->v12->ticket_follows || session12_send_ticket(c))
           && tls12_send_finished(c);
    if (ok && peer_ask_verdict_again(c))
        return S_WAIT_VERDICT_12;
    return ok ? await_ccs(c) : S_FAILED;
}

enum state server12_client_hello(struct troth_conn *c, const struct client_hello *ch, const struct message *m)
{
    if (!tls12_check_hello(c, &ch->exts, "ClientHello") || !tls12_enter(c))
        return S_FAILED;
    if (c->cfg->client_auth != TROTH_AUTH_NONE) {
        log12_begin(c);
        if (!log12_add(c, m->raw, false))
            return S_FAILED;
    }
    if (!session12_choose(c, ch))
        return S_FAILED;
    if (c->facts.resumed)
        return resume(c, ch);
    bool ok = types_choose(c, ch, c->cfg->client_auth != TROTH_AUTH_NONE)
           && certificate_choose12(c, ch)
           && decide_suite(c, ch)
           && decide_group(c, ch)
           && decide_alpn(c, ch);
    return ok ? send_flight(c, ch) : S_FAILED;
}

/* ---- the client's flight */
static enum state on_certificate(struct troth_conn *c, const struct message *m)
{
    struct certificate cert = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!peer_certificate12_read(c, &cert, &r)) {
        (void)fail_read(c, "Certificate", &r);
        return S_FAILED;
    }
    if (cert.n)
        return peer_judge(c, &cert) ? S_WAIT_CKE_12 : S_FAILED;
    log12_end(c);
    if (c->cfg->client_auth != TROTH_AUTH_REQUIRED)
        return S_WAIT_CKE_12;
    (void)fail(c, NO_CLIENT_CERTIFICATE, "the client showed none");
    trouble_alert(&c->error, ALERT_handshake_failure); /* certificate_required is TLS 1.3's (RFC 5246 7.4.6) */
    return S_FAILED;
}

static bool agree(struct troth_conn *c, span point)
{
    const struct hs12 *v = c->hs->v12;
    uint8_t secret[TROTH_KEM_SECRET_MAX];
    bool broken = false;
    if (!v->kem->finish(v->kem, v->key, point, secret, &broken))
        return broken ? fail(c, CRYPTO_FAILED, "key exchange with %s", v->kem->name)
                      : fail(c, BAD_KEY_SHARE, "the client's share for %s", v->kem->name);
    tls12_master(c, secret, v->kem->secret_n);
    secret_wipe(v->key, v->kem->private_n);
    return true;
}

static enum state on_client_key_exchange(struct troth_conn *c, const struct message *m)
{
    struct client_key_exchange12 k = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!client_key_exchange12_read(&k, &r)) {
        (void)fail_read(c, "ClientKeyExchange", &r);
        return S_FAILED;
    }
    if (!agree(c, k.point))
        return S_FAILED;
    return c->hs->peer_showed ? S_WAIT_CV_12 : await_ccs(c);
}

static enum state on_certificate_verify(struct troth_conn *c, const struct message *m)
{
    if (!tls12_check_verify(c, m))
        return S_FAILED;
    return peer_ask_verdict(c) ? S_WAIT_VERDICT_12 : await_ccs(c);
}

static enum state on_verdict(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return peer_take_verdict(c) ? await_ccs(c) : S_FAILED;
}

static enum state on_finished(struct troth_conn *c, const struct message *m)
{
    if (!tls12_check_finished(c, m))
        return S_FAILED;
    peer_proved(c);
    bool ok = c->facts.resumed || ((!c->hs->v12->ticket_follows || session12_send_ticket(c)) && tls12_send_finished(c));
    if (!ok || !flight_flush(c) || !session12_keep(c))
        return S_FAILED;
    tls12_ready(c);
    return S_CONNECTED_12;
}

/* A ClientHello on a connection that is up asks to renegotiate (RFC 9325 3.5). */
static enum state on_hello_again(struct troth_conn *c, const struct message *m)
{
    (void)m;
    (void)fail(c, NO_RENEGOTIATION, "ClientHello in a connection that is up");
    return S_FAILED;
}
