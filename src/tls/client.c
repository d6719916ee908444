/* client.c - the client until the version is decided: our ClientHello, the server's ServerHello or HelloRetryRequest.
 *
 * Must never take an answer to something that was not offered. */
#include "base/alerts.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/offer.h"
#include "tls/versions.h"

static enum state on_start(struct troth_conn *, const struct message *);
static enum state on_server_hello(struct troth_conn *, const struct message *);
static enum state on_hello_retry(struct troth_conn *, const struct message *);

/* clang-format off */
static const struct step client[] = {
/*  waiting for      this arrives             do                    and wait for                                 */
  { S_START,         A_START,                 DO(on_start),         TO(WAIT_SH),                               0 },
  { S_WAIT_SH,       M_SERVER_HELLO,          DO(on_server_hello),  TO(WAIT_EE) | TO(WAIT_CERT_12) | TO(WAIT_NST_12) | TO(WAIT_CCS_12) | TO(WAIT_VERDICT_12), 0 },
  { S_WAIT_SH,       M_HELLO_RETRY_REQUEST,   DO(on_hello_retry),   TO(WAIT_SH_AGAIN),  NOT_HASHED | ENDS_FLIGHT },
  { S_WAIT_SH_AGAIN, M_SERVER_HELLO,          DO(on_server_hello),  TO(WAIT_EE),                               0 },
};
/* clang-format on */
const struct step_table steps_client = { "client", false, client, COUNT_OF(client) };

static enum state on_start(struct troth_conn *c, const struct message *m)
{
    (void)m;
    struct client_hello ch;
    bool ok = (c->hs || hs_begin(c, 0)) /* a session that was given is in it */
           && offer_prepare(c)
           && ech_prepare(c)
           && psk_prepare(c)
           && offer_build(c, &ch)
           && offer_send(c, &ch)
           && early_start(c);
    return ok ? S_WAIT_SH : S_FAILED;
}

static bool check_offered(struct troth_conn *c, const struct server_hello *sh, uint16_t version)
{
    const struct offer *o = &c->hs->offer;
    bool unsaid = version == TROTH_TLS13 && !exts_have(&sh->exts, X_SUPPORTED_VERSIONS);
    if (version < TROTH_TLS12)
        return fail(c, NO_SHARED_VERSION, "the server chose %s (%04x)", name_of(&names_version, version), version);
    if (version < o->least || version > o->most || unsaid)
        return fail(c, VERSION_NOT_OFFERED, "the server chose %s (%04x)", name_of(&names_version, version), version);
    return true;
}

/* Always false.  A server that writes supported_versions had ours to choose from (RFC 9846 4.3.1): then its choice is not one that it cannot
 * help. */
static bool refuse_version(struct troth_conn *c, const struct server_hello *sh)
{
    if (exts_have(&sh->exts, X_SUPPORTED_VERSIONS))
        trouble_alert(&c->error, ALERT_illegal_parameter);
    return false;
}

/* The version must be one that we offered; an older one, when we offered TLS 1.3, must not carry the mark of a TLS 1.3 server that was
 * made to choose it (RFC 9846 4.2.3). */
static bool check_version(struct troth_conn *c, const struct server_hello *sh, uint16_t version)
{
    const struct offer *o = &c->hs->offer;
    if (o->again && version != TROTH_TLS13)
        return fail(c, RETRY_CHANGED_VERSION, "%s (%04x) after a HelloRetryRequest", name_of(&names_version, version), version);
    if (o->early && version < TROTH_TLS13) { /* who speaks that has no keys to read an alert under */
        TRY(early_withdraw(c, "the server speaks an older version"));
        return fail(c, VERSION_AFTER_EARLY_DATA, "the server chose %s (%04x)", name_of(&names_version, version), version);
    }
    if (!check_offered(c, sh, version))
        return refuse_version(c, sh);
    span mark = span_slice(sh->random, 24, 8);
    if (o->most >= TROTH_TLS13 && version < TROTH_TLS13
        && (span_equal(mark, span_of(downgrade_tls12, 8)) || span_equal(mark, span_of(downgrade_tls11, 8))))
        return fail(c, DOWNGRADE, "the server can do TLS 1.3, and chose %s", name_of(&names_version, version));
    return true;
}

static enum state on_server_hello(struct troth_conn *c, const struct message *m)
{
    struct server_hello sh = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!server_hello_read(&sh, &r)) {
        (void)fail_read(c, "ServerHello", &r);
        return S_FAILED;
    }
    uint16_t version = server_hello_version(&sh);
    if (!check_version(c, &sh, version))
        return S_FAILED;
    c->facts.version = version;
    memcpy(c->facts.server_random, sh.random.p, 32);
    tell_decision(c, "version", "chosen by the server among those we offered (RFC 9846 4.3.1)", &names_version, SPAN_NONE, SPAN_NONE,
                  version);
    if (version == TROTH_TLS13)
        return client13_server_hello(c, &sh, &r, m);
    return ech_answer_older(c) ? client12_server_hello(c, &sh, &r, m) : S_FAILED;
}

/* ---- HelloRetryRequest (RFC 9846 4.2.4): only TLS 1.3 has it */
static bool check_retry(struct troth_conn *c, const struct server_hello *sh)
{
    const struct offer *o = &c->hs->offer;
    const struct exts *e = &sh->exts;
    if (sh->legacy_version != TROTH_TLS12)
        return fail(c, LEGACY_VERSION, "legacy_version %04x", sh->legacy_version);
    if (!span_equal(sh->legacy_session_id_echo, span_of(o->session_id, o->session_id_n)))
        return fail(c, SESSION_ID_ECHO, "in HelloRetryRequest");
    if (sh->legacy_compression_method)
        return fail(c, COMPRESSION, "legacy_compression_method %u in HelloRetryRequest", sh->legacy_compression_method);
    if (!exts_have(e, X_KEY_SHARE) && !exts_have(e, X_COOKIE))
        return fail(c, RETRY_CHANGES_NOTHING, "neither a group nor a cookie");
    if (!exts_have(e, X_KEY_SHARE))
        return true;
    if (!u16s_has(c->cfg->groups, e->selected_group))
        return fail(c, GROUP_NOT_OFFERED, "HelloRetryRequest for %s (%04x)", name_of(&names_group, e->selected_group),
                    e->selected_group);
    for (size_t i = 0; i < o->n_shares; i++)
        if (o->shares[i].kem->group == e->selected_group)
            return fail(c, RETRY_SAME_GROUP, "%s", name_of(&names_group, e->selected_group));
    return true;
}

static bool read_retry(struct troth_conn *c, struct server_hello *sh, const struct message *m)
{
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!server_hello_read(sh, &r))
        return fail_read(c, "HelloRetryRequest", &r);
    uint16_t version = server_hello_version(sh);
    if (version != TROTH_TLS13 || c->hs->offer.most < TROTH_TLS13)
        return fail(c, VERSION_NOT_OFFERED, "HelloRetryRequest with %04x", version) || refuse_version(c, sh);
    if (!exts_read(&sh->exts, &r, IN_HRR, TROTH_TLS13, &c->hs->offer.asked))
        return fail_read(c, "HelloRetryRequest", &r);
    return true;
}

/* The suite is decided here, and with it the hash; ClientHello1 shrinks to its digest. */
static bool take_retry(struct troth_conn *c, const struct server_hello *sh, const struct message *m)
{
    struct offer *o = &c->hs->offer;
    c->facts.version = TROTH_TLS13;
    TRY(hs_use_suite(c, sh->cipher_suite));
    transcript_retry(&c->hs->transcript);
    TRY(transcript_add(&c->hs->transcript, m->raw));
    o->again = true;
    o->retry_suite = sh->cipher_suite;
    c->facts.hello_retry = true;
    TRY(hs_keep(c, &o->cookie, sh->exts.cookie));
    if (!exts_have(&sh->exts, X_KEY_SHARE))
        return true;
    o->retry_group = sh->exts.selected_group;
    tell_decision(c, "group", "demanded by HelloRetryRequest; we offered it without a share (RFC 9846 4.2.4)", &names_group,
                  c->cfg->groups, SPAN_NONE, o->retry_group);
    return offer_retry_share(c, o->retry_group);
}

static enum state on_hello_retry(struct troth_conn *c, const struct message *m)
{
    struct server_hello sh = { 0 };
    struct client_hello ch;
    bool ok = read_retry(c, &sh, m)
           && check_retry(c, &sh)
           && take_retry(c, &sh, m)
           && ech_answer(c, &sh, m)
           && early_withdraw(c, "the server asked for another ClientHello (RFC 9846 4.3.10)")
           && flight_ccs(c)
           && offer_build(c, &ch)
           && offer_send(c, &ch);
    return ok ? S_WAIT_SH_AGAIN : S_FAILED;
}
