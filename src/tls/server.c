/* server.c - the server until the version is decided: the first ClientHello.
 *
 * Must never act on a hello that was not read as a whole. */
#include "tls/hooks.h"
#include "tls/negotiate.h"
#include "tls/quic.h"
#include "tls/server.h"
#include "tls/versions.h"

static enum state on_start(struct troth_conn *, const struct message *);
static enum state on_client_hello(struct troth_conn *, const struct message *);
static enum state on_server(struct troth_conn *, const struct message *);

#define TO_12 (TO(WAIT_VERDICT) | TO(WAIT_VERDICT_12) | TO(WAIT_SIGN_SKE_12) | TO(WAIT_CLIENT_CERT_12) | TO(WAIT_CKE_12) | TO(WAIT_CCS_12))

/* clang-format off */
static const struct step server[] = {
/*  waiting for     this arrives        do                     and wait for */
  { S_START,        A_START,            DO(on_start),          TO(WAIT_CH),                                                         0 },
  { S_WAIT_CH,      M_CLIENT_HELLO,     DO(on_client_hello),   TO(WAIT_SERVER) | TO(WAIT_CH_AGAIN) | TO(WAIT_SIGN) | TO(WAIT_EOED)
                                                             | TO(WAIT_CERT) | TO(WAIT_FINISHED) | TO_12,                 ENDS_FLIGHT },
  { S_WAIT_SERVER,  A_SERVER,           DO(on_server),         TO(WAIT_SERVER) | TO(WAIT_CH_AGAIN) | TO(WAIT_SIGN) | TO(WAIT_EOED)
                                                             | TO(WAIT_CERT) | TO(WAIT_FINISHED) | TO_12,                           0 },
};
/* clang-format on */
const struct step_table steps_server = { "server", true, server, COUNT_OF(server) };

static enum state on_start(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return hs_begin(c, 0) ? S_WAIT_CH : S_FAILED;
}

/* ---- ClientHello (RFC 9846 4.2.2) */

/* RFC 6066 3: kept for the application and for choosing a certificate. */
static bool take_server_name(struct troth_conn *c, const struct exts *e)
{
    if (!exts_have(e, X_SERVER_NAME) || c->facts.server_name.n)
        return true;
    if (e->server_name.n > LIMIT_HOST_NAME)
        return fail(c, BAD_SERVER_NAME, "%zu bytes", e->server_name.n);
    return conn_keep(c, &c->facts.server_name, e->server_name);
}

static bool take_hello(struct troth_conn *c, const struct client_hello *ch)
{
    struct hello *h = &c->hs->hello;
    h->has = ch->exts.have;
    if (u16s_has(ch->cipher_suites, SUITE_TLS_EMPTY_RENEGOTIATION_INFO_SCSV)) /* says the same as the extension (RFC 5746 3.3) */
        ext_set_add(&h->has, X_RENEGOTIATION_INFO);
    h->session_id_n = (uint8_t)ch->legacy_session_id.n;
    if (h->session_id_n)
        memcpy(h->session_id, ch->legacy_session_id.p, h->session_id_n);
    memcpy(c->facts.client_random, ch->random.p, 32);
    h->record_size_limit = ch->exts.record_size_limit;
    TRY(hs_keep(c, &c->hs->wanted.types, ch->exts.server_certificate_types));
    return quic_hello(c, ch) && take_server_name(c, &ch->exts);
}

static bool decide_version(struct troth_conn *c, const struct client_hello *ch)
{
    bool has = exts_have(&ch->exts, X_SUPPORTED_VERSIONS);
    struct choice v = choose_version(c->cfg->least, c->cfg->most, ch->exts.supported_versions, has, ch->legacy_version);
    span theirs = has ? ch->exts.supported_versions : SPAN_NONE;
    tell_decision(c, "version", v.rule, &names_version, SPAN_NONE, theirs, v.id);
    if (!v.found)
        return fail(c, NO_SHARED_VERSION, "%s", v.rule);
    if (u16s_has(ch->cipher_suites, SUITE_TLS_FALLBACK_SCSV) && v.id < c->cfg->most)
        return fail(c, INAPPROPRIATE_FALLBACK, "TLS_FALLBACK_SCSV, and %s", name_of(&names_version, v.id));
    c->facts.version = v.id;
    return true;
}

bool server_read_hello(struct troth_conn *c, struct client_hello *ch, const struct message *m)
{
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    memset(ch, 0, sizeof *ch);
    return client_hello_read_all(ch, &r) || fail_read(c, "ClientHello", &r);
}

static enum state go_on(struct troth_conn *c, struct client_hello *ch, const struct message *m)
{
    if (!decide_version(c, ch))
        return S_FAILED;
    return c->facts.version == TROTH_TLS13 ? server13_client_hello(c, ch, m) : server12_client_hello(c, ch, m);
}

static enum state on_client_hello(struct troth_conn *c, const struct message *m)
{
    struct client_hello ch;
    c->rec.rules.drop_ccs = true; /* from now on (RFC 9846 5) */
    struct message hello = *m;
    if (!server_read_hello(c, &ch, m) || !ech_open(c, &ch, &hello) || !take_hello(c, &ch))
        return S_FAILED;
    if (!c->cfg->ask_server)
        return go_on(c, &ch, &hello);
    if (!hs_keep(c, &c->hs->hello.raw, hello.raw))
        return S_FAILED;
    c->hs->transcript.early[0] = c->hs->hello.raw;
    conn_ask(c, ASK_SERVER);
    return S_WAIT_SERVER;
}

bool server_hello_again(struct client_hello *ch, struct rd *r, struct rd_ctx *ctx, span raw)
{
    rd_ctx_init(ctx, raw, NULL);
    *r = rd_init(ctx, raw);
    uint8_t type;
    *r = message_open(r, &type);
    memset(ch, 0, sizeof *ch);
    return client_hello_read_all(ch, r);
}

static bool read_again(struct troth_conn *c, struct client_hello *ch, span raw)
{
    struct rd_ctx ctx;
    struct rd r;
    return server_hello_again(ch, &r, &ctx, raw) || fail_read(c, "ClientHello", &r);
}

/* The application chose a configuration; the hello is read again, with it. */
static enum state on_server(struct troth_conn *c, const struct message *m)
{
    (void)m;
    struct hello *h = &c->hs->hello;
    struct message again = { HS_client_hello, h->raw, span_slice(h->raw, 4, h->raw.n) };
    struct client_hello ch;
    if (!h->refuse_ech)
        return read_again(c, &ch, h->raw) && ech_moved(c) ? go_on(c, &ch, &again) : S_FAILED;
    if (!ech_put_back(c, &again) || !read_again(c, &ch, again.raw) || !take_hello(c, &ch))
        return S_FAILED;
    h->raw = again.raw;
    conn_ask(c, ASK_SERVER); /* once more, for the public name */
    return S_WAIT_SERVER;
}
