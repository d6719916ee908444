/* server13.c - the server of TLS 1.3, from the decision for that version on (RFC 9846 A.2).
 *
 * The table is the whole graph.  Each handler reads, checks, decides, acts.  Must never read application data with application keys
 * before the client's Finished was checked. */
#include "tls/auth.h"
#include "tls/batch.h"
#include "tls/certificate.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/late.h"
#include "tls/late_auth.h"
#include "tls/negotiate.h"
#include "tls/peer.h"
#include "tls/psk.h"
#include "tls/quic.h"
#include "tls/retry.h"
#include "tls/server.h"
#include "tls/types.h"
#include "tls/versions.h"

static enum state on_hello_again(struct troth_conn *, const struct message *);
static enum state on_signature(struct troth_conn *, const struct message *);
static enum state on_end_of_early_data(struct troth_conn *, const struct message *);
static enum state on_certificate(struct troth_conn *, const struct message *);
static enum state on_compressed(struct troth_conn *, const struct message *);
static enum state on_certificate_verify(struct troth_conn *, const struct message *);
static enum state on_verdict(struct troth_conn *, const struct message *);
static enum state on_finished(struct troth_conn *, const struct message *);

/* clang-format off */
static const struct step server13[] = {
/*  waiting for       this arrives             do                         and wait for                                                 */
  { S_WAIT_CH_AGAIN,  M_CLIENT_HELLO,          DO(on_hello_again),        TO(WAIT_SIGN) | TO(WAIT_CERT) | TO(WAIT_FINISHED) | TO(WAIT_VERDICT), ENDS_FLIGHT },
  { S_WAIT_SIGN,      A_SIGNATURE,             DO(on_signature),          TO(WAIT_EOED) | TO(WAIT_CERT) | TO(WAIT_FINISHED),         0 },
  { S_WAIT_EOED,      M_END_OF_EARLY_DATA,     DO(on_end_of_early_data),  TO(WAIT_CERT) | TO(WAIT_FINISHED) | TO(WAIT_VERDICT),      0 },
  { S_WAIT_CERT,      M_CERTIFICATE,           DO(on_certificate),        TO(WAIT_CV) | TO(WAIT_FINISHED),                           0 },
  { S_WAIT_CERT,      M_COMPRESSED_CERTIFICATE, DO(on_compressed),        TO(WAIT_CV) | TO(WAIT_FINISHED),                           0 },
  { S_WAIT_CV,        M_CERTIFICATE_VERIFY,    DO(on_certificate_verify), TO(WAIT_FINISHED) | TO(WAIT_VERDICT),            KEEP_BEFORE },
  { S_WAIT_VERDICT,   A_VERDICT,               DO(on_verdict),            TO(WAIT_FINISHED),                                         0 },
  { S_WAIT_FINISHED,  M_FINISHED,              DO(on_finished),           TO(CONNECTED),                                   KEEP_BEFORE },
  { S_CONNECTED,      M_KEY_UPDATE,            DO(on_key_update),         TO(CONNECTED),                                    NOT_HASHED },
  { S_WAIT_LATE_CERT, M_CERTIFICATE,           DO(on_late_certificate),   TO(WAIT_LATE_CV) | TO(WAIT_LATE_FINISHED),                 0 },
  { S_WAIT_LATE_CERT, M_COMPRESSED_CERTIFICATE, DO(on_late_compressed),   TO(WAIT_LATE_CV) | TO(WAIT_LATE_FINISHED),                 0 },
  { S_WAIT_LATE_CERT, M_KEY_UPDATE,            DO(on_key_update),         TO(WAIT_LATE_CERT),                               NOT_HASHED },
  { S_WAIT_LATE_CV,   M_CERTIFICATE_VERIFY,    DO(on_late_verify),        TO(WAIT_LATE_FINISHED) | TO(WAIT_LATE_VERDICT),  KEEP_BEFORE },
  { S_WAIT_LATE_VERDICT, A_VERDICT,            DO(on_late_verdict),       TO(WAIT_LATE_FINISHED),                                    0 },
  { S_WAIT_LATE_FINISHED, M_FINISHED,          DO(on_late_finished),      TO(CONNECTED),                                   KEEP_BEFORE },
};
/* clang-format on */
const struct step_table steps_server13 = { "server13", true, server13, COUNT_OF(server13) };

/* ---- ClientHello: what TLS 1.3 demands of it (RFC 9846 4.2.2, 9.2) */
static bool check_hello(struct troth_conn *c, const struct client_hello *ch)
{
    const struct exts *e = &ch->exts;
    if (ch->legacy_version != TROTH_TLS12)
        return fail(c, LEGACY_VERSION, "legacy_version %04x", ch->legacy_version);
    if (ch->legacy_compression_methods.n != 1)
        return fail(c, COMPRESSION, "%zu compression methods", ch->legacy_compression_methods.n);
    if (exts_have(e, X_PRE_SHARED_KEY) && !exts_have(e, X_PSK_KEY_EXCHANGE_MODES))
        return fail(c, NO_PSK_MODES, "pre_shared_key without psk_key_exchange_modes");
    if (exts_have(e, X_SUPPORTED_GROUPS) != exts_have(e, X_KEY_SHARE))
        return fail(c, NO_KEY_SHARE, "%s is missing", exts_have(e, X_KEY_SHARE) ? "supported_groups" : "key_share");
    if (!exts_have(e, X_PRE_SHARED_KEY) && !exts_have(e, X_KEY_SHARE))
        return fail(c, NO_KEY_SHARE, "neither key_share nor pre_shared_key");
    for (size_t i = 0, n = e->n_shares; i < n; i++)
        if (!u16s_has(e->supported_groups, e->shares[i].group))
            return fail(c, SHARE_NOT_SUPPORTED, "%s", name_of(&names_group, e->shares[i].group));
    return true;
}

static bool decide_suite(struct troth_conn *c, const struct client_hello *ch)
{
    struct choice s = choose_suite(c->cfg, TROTH_TLS13, ch->cipher_suites, TROTH_KEY_NONE);
    tell_decision(c, "cipher suite", s.rule, &names_suite, c->cfg->suites, ch->cipher_suites, s.id);
    if (!s.found)
        return fail(c, NO_SHARED_SUITE, "the client offers %zu suites", u16s_count(ch->cipher_suites));
    return hs_use_suite(c, s.id);
}

static bool decide_group(struct troth_conn *c, const struct client_hello *ch, bool *has_share)
{
    const struct config *cfg = c->cfg;
    struct choice g = cfg->strict_groups ? choose_group_strictly(cfg->groups, cfg->equal_groups, &ch->exts, has_share)
                                         : choose_group(cfg->groups, &ch->exts, has_share);
    tell_decision(c, "group", g.rule, &names_group, c->cfg->groups, ch->exts.supported_groups, g.id);
    if (!g.found)
        return fail(c, NO_SHARED_GROUP, "the client offers %zu groups", u16s_count(ch->exts.supported_groups));
    c->facts.group = g.id;
    return true;
}

static bool decide_alpn(struct troth_conn *c, const struct client_hello *ch)
{
    if (!exts_have(&ch->exts, X_ALPN))
        return true;
    struct choice_text a = choose_alpn(c->cfg->alpn, ch->exts.alpn, c->cfg->alpn_optional);
    tell_choice_text(c, "ALPN", a.rule, c->cfg->alpn, ch->exts.alpn, a.name);
    if (!a.found)
        return fail(c, NO_SHARED_ALPN, "%s", a.rule);
    return conn_alpn(c, a.name);
}

/* ---- ServerHello and the keys of the handshake */
static bool wants_client_certificate(const struct troth_conn *c)
{
    return c->cfg->client_auth != TROTH_AUTH_NONE && !c->facts.resumed && !c->facts.psk_external;
}

static bool agree(struct troth_conn *c, const struct client_hello *ch, struct server_hello *sh, uint8_t *reply, uint8_t *secret,
                  size_t *n)
{
    const troth_kem *kem = provider_kem(c->cfg->provider, c->facts.group);
    const struct key_share *theirs = share_for(&ch->exts, c->facts.group);
    bool broken = false;
    if (!kem || !theirs)
        return fail(c, BUG, "no share to answer");
    if (!batch_reply(c, kem, theirs->key_exchange, reply, secret) && !kem->reply(kem, theirs->key_exchange, reply, secret, &broken))
        return broken ? fail(c, CRYPTO_FAILED, "key exchange with %s", kem->name)
                      : fail(c, BAD_KEY_SHARE, "the client's share for %s", kem->name);
    *n = kem->secret_n;
    sh->exts.shares[0] = (struct key_share){ kem->group, span_of(reply, kem->reply_n) };
    sh->exts.n_shares = 1;
    exts_add(&sh->exts, X_KEY_SHARE);
    return true;
}

/* The hello is not looked at any more.  A hybrid's is as long as the answer, which takes its memory where it gives it back; what comes next
 * is a Finished. */
static void drop_hello(struct troth_conn *c, size_t share_n)
{
    enum { CLASSICAL = 133 };
    c->rec.out.least = (c->facts.resumed || c->facts.psk_external ? OUTQ_SMALL : OUTQ_FLIGHT) + share_n;
    if (share_n <= CLASSICAL)
        return;
    messages_rest(&c->rec.messages);
    inbuf_rest(&c->rec.in);
    if (!wants_client_certificate(c))
        c->rec.in.want = INBUF_SHORT;
}

static bool send_server_hello(struct troth_conn *c, const struct client_hello *ch, uint8_t *secret, size_t *n)
{
    struct hs *hs = c->hs;
    struct server_hello sh;
    uint8_t reply[TROTH_KEM_SHARE_MAX], *message;
    size_t message_n;
    memset(&sh, 0, sizeof sh);
    TRY(conn_random(c, c->facts.server_random, 32));
    sh.legacy_version = TROTH_TLS12;
    sh.has_extensions = true;
    sh.random = SPAN_OF(c->facts.server_random);
    sh.legacy_session_id_echo = span_of(hs->hello.session_id, hs->hello.session_id_n);
    sh.cipher_suite = hs->suite->id;
    sh.exts.selected_version = TROTH_TLS13;
    exts_add(&sh.exts, X_SUPPORTED_VERSIONS);
    TRY(agree(c, ch, &sh, reply, secret, n));
    drop_hello(c, sh.exts.shares[0].key_exchange.n);
    if (hs->hello.psk_chosen) {
        sh.exts.selected_identity = hs->psk->selected;
        exts_add(&sh.exts, X_PRE_SHARED_KEY);
    }
    TRY(flight_write_here(c, HS_server_hello, body_server_hello, &sh, &message, &message_n));
    ech_confirm(c, message, message_n);
    return flight_put_here(c, span_of(message, message_n)) && flight_ccs(c);
}

static bool enter_handshake(struct troth_conn *c, span secret)
{
    struct hs *hs = c->hs;
    struct told told = told_of(c);
    struct digest upto;
    transcript_peek(&hs->transcript, &upto);
    if (hs->stage != KS_EARLY)
        ks_begin(&hs->ks.early, hs->hash, SPAN_NONE, &told);
    struct ks_early early = hs->ks.early;
    ks_enter_handshake(&hs->ks.handshake, &early, secret, &upto, &told);
    hs->stage = KS_HANDSHAKE;
    TRY(conn_keys13(c, WRITE, EPOCH_HANDSHAKE, &hs->ks.handshake.server));
    c->rec.rules.clear_alert = true;
    return early_ends_by_message(c) || conn_keys13(c, READ, EPOCH_HANDSHAKE, &hs->ks.handshake.client);
}

/* ---- the rest of our flight */
static bool send_encrypted_extensions(struct troth_conn *c)
{
    const struct hello *h = &c->hs->hello;
    struct encrypted_extensions ee;
    memset(&ee, 0, sizeof ee);
    uint8_t alpn[256];
    struct wr w = wr_into(alpn, sizeof alpn);
    if (ext_set_has(&h->has, X_SERVER_NAME) && !c->facts.resumed && !c->cfg->ignore_names)
        exts_add(&ee.exts, X_SERVER_NAME); /* its name counted; in a session it counted before (RFC 6066 3) */
    if (c->facts.alpn.n) {
        wr_opaque(&w, 1, c->facts.alpn);
        ee.exts.alpn = wr_done(&w);
        exts_add(&ee.exts, X_ALPN);
    }
    if (h->record_size_limit && !c->quic) { /* an answer, even where we have no wish of our own: theirs then counts */
        ee.exts.record_size_limit = conn_own_limit(c->cfg, TROTH_TLS13);
        exts_add(&ee.exts, X_RECORD_SIZE_LIMIT);
    }
    if (h->early_accepted)
        exts_add(&ee.exts, X_EARLY_DATA);
    ech_give_retry(c, &ee.exts);
    types_answer(c, &ee.exts);
    return quic_put(c, &ee.exts) && flight_add(c, HS_encrypted_extensions, body_encrypted_extensions, &ee) && conn_record_limit(c, h->record_size_limit);
}

static enum state after_flight(struct troth_conn *c)
{
    if (peer_ask_verdict_again(c))
        return S_WAIT_VERDICT;
    return wants_client_certificate(c) ? S_WAIT_CERT : S_WAIT_FINISHED;
}

static enum state finish_flight(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    struct told told = told_of(c);
    struct digest upto;
    if (!auth_send_finished(c))
        return S_FAILED;
    transcript_peek(&hs->transcript, &upto);
    ks_enter_main(&c->keys, &hs->ks.handshake, &upto, &told);
    if (!conn_keys13(c, WRITE, EPOCH_APPLICATION, &c->keys.server))
        return S_FAILED;
    return early_ends_by_message(c) ? S_WAIT_EOED : after_flight(c);
}

static enum state send_flight(struct troth_conn *c, const struct client_hello *ch)
{
    uint8_t secret[TROTH_KEM_SECRET_MAX];
    size_t n = 0;
    bool asked = false;
    bool ok = send_server_hello(c, ch, secret, &n)
           && enter_handshake(c, span_of(secret, n))
           && send_encrypted_extensions(c);
    secret_wipe(secret, sizeof secret);
    if (!ok)
        return S_FAILED;
    if (c->facts.resumed || c->facts.psk_external)
        return finish_flight(c);
    if (wants_client_certificate(c) && !certificate_request_send(c))
        return S_FAILED;
    if (!certificate_send(c) || !auth_sign(c, &asked))
        return S_FAILED;
    return asked ? S_WAIT_SIGN : finish_flight(c);
}

static enum state on_signature(struct troth_conn *c, const struct message *m)
{
    return auth_answered(c, m->raw) ? finish_flight(c) : S_FAILED;
}

/* ---- the two hellos */

/* Early data that is not taken is passed over: it comes in records that the handshake's keys do not open (RFC 9846 4.3.10). */
static bool decide_early(struct troth_conn *c, const struct client_hello *ch)
{
    bool *accepted = &c->hs->hello.early_accepted;
    TRY(early_choose(c, ch, accepted));
    if (exts_have(&ch->exts, X_EARLY_DATA) && !*accepted) {
        c->rec.rules.skip = SKIP_UNREADABLE;
        c->rec.rules.skip_left = early_passed_over(c);
    }
    return true;
}

static bool choose_certificates(struct troth_conn *c, const struct client_hello *ch)
{
    return types_choose(c, ch, wants_client_certificate(c)) && certificate_choose(c, ch);
}

static enum state answer(struct troth_conn *c, const struct client_hello *ch, const struct message *m)
{
    bool ok = psk_choose(c, ch, m->raw)
           && (c->facts.resumed || c->facts.psk_external || choose_certificates(c, ch));
    if (ok && late_may_ask(c))
        types_choose_late(c, ch);
    ok = ok && decide_alpn(c, ch) && decide_early(c, ch);
    return ok ? send_flight(c, ch) : S_FAILED;
}

enum state server13_client_hello(struct troth_conn *c, const struct client_hello *ch, const struct message *m)
{
    bool has_share = false;
    c->rec.rules.tls13 = true;
    if (!check_hello(c, ch))
        return S_FAILED;
    if (c->cfg->cookies && exts_have(&ch->exts, X_COOKIE)) /* another connection asked for it */
        return retry_resume(c, ch, m->raw) && retry_check(c, ch) ? answer(c, ch, m) : S_FAILED;
    if (!decide_suite(c, ch) || !decide_group(c, ch, &has_share))
        return S_FAILED;
    if (has_share && !c->cfg->always_retry)
        return answer(c, ch, m);
    return retry_send(c, ch, !has_share) ? S_WAIT_CH_AGAIN : S_FAILED;
}

static enum state on_hello_again(struct troth_conn *c, const struct message *m)
{
    struct client_hello ch;
    struct message hello = *m;
    if (!server_read_hello(c, &ch, m) || !ech_open(c, &ch, &hello) || !check_hello(c, &ch) || !retry_check(c, &ch)
        || !quic_hello(c, &ch))
        return S_FAILED;
    c->hs->hello.has = ch.exts.have; /* what is answered is this one: a share, a cookie, ECH may have come or gone */
    return answer(c, &ch, &hello);
}

/* ---- the client's second flight */
static enum state on_end_of_early_data(struct troth_conn *c, const struct message *m)
{
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!empty_message_read(&r, "EndOfEarlyData")) {
        (void)fail_read(c, "EndOfEarlyData", &r);
        return S_FAILED;
    }
    if (!conn_keys13(c, READ, EPOCH_HANDSHAKE, &c->hs->ks.handshake.client))
        return S_FAILED;
    c->rec.rules.take_data = false;
    return conn_record_limit(c, c->hs->hello.record_size_limit) ? after_flight(c) : S_FAILED;
}

static enum state after_certificate(struct troth_conn *c, bool empty)
{
    if (!empty)
        return S_WAIT_CV;
    if (c->cfg->client_auth != TROTH_AUTH_REQUIRED)
        return S_WAIT_FINISHED;
    (void)fail(c, NO_CLIENT_CERTIFICATE, "the client showed none");
    return S_FAILED;
}

static enum state on_certificate(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    struct ext_set asked = certificate_request_asks(c->cfg);
    return peer_certificate13(c, m, &asked, &empty) ? after_certificate(c, empty) : S_FAILED;
}

static enum state on_compressed(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    struct ext_set asked = certificate_request_asks(c->cfg);
    return peer_compressed13(c, m, &asked, &empty) ? after_certificate(c, empty) : S_FAILED;
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

static enum state on_finished(struct troth_conn *c, const struct message *m)
{
    struct hs *hs = c->hs;
    struct told told = told_of(c);
    struct digest upto;
    if (!auth_check_finished(c, m) || !conn_keys13(c, READ, EPOCH_APPLICATION, &c->keys.client))
        return S_FAILED;
    peer_proved(c);
    transcript_peek(&hs->transcript, &upto);
    ks_resumption(&c->keys, &upto, &told);
    ks_leave_handshake(&hs->ks.handshake);
    if (!late_keep(c))
        return S_FAILED;
    conn_ready(c);
    return tickets_send(c) ? S_CONNECTED : S_FAILED;
}
