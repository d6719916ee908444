/* session.c - sessions as bytes, and when one may be used.  Must never let a session cross a name, an ALPN or a policy. */
#include "tls/session.h"

#include "tls/peer.h"
#include "tls/types.h"

enum { FORMAT = 3, FLAG_CLIENT = 1, FLAG_AUTHENTICATED = 2, FLAG_RAW_KEY = 4, FLAG_QUIC = 8 };

/* ---- bytes */
/* `raw`: what stands for the chain is one SubjectPublicKeyInfo. */
static void read_spans(struct session *s, struct rd *r, bool raw)
{
    s->alpn = rd_opaque8(r, "alpn", 0, 255);
    s->server_name = rd_opaque8(r, "server_name", 0, LIMIT_HOST_NAME);
    s->host = rd_opaque8(r, "host", 0, LIMIT_HOST_NAME);
    s->trust = rd_opaque8(r, "trust", 0, TRUST_N);
    s->ticket = rd_opaque16(r, "ticket", 0, 0xffff);
    s->session_id = rd_opaque8(r, "session_id", 0, 32);
    struct rd chain = rd_vec24(r, "chain", 0, LIMIT_CERTIFICATE_MESSAGE);
    s->chain = rd_peek(&chain);
    while (!raw && rd_more(&chain))
        rd_opaque24(&chain, "certificate", 1, LIMIT_CERTIFICATE);
    s->staple = rd_opaque24(r, "staple", 0, LIMIT_CERTIFICATE_MESSAGE);
    s->scts = rd_opaque16(r, "scts", 0, 0xffff);
    s->quic_early = rd_opaque16(r, "quic_early", 0, LIMIT_QUIC_PARAMETERS);
    rd_end(r, "session");
}

bool session_read(struct session *s, span bytes)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, bytes, NULL);
    struct rd r = rd_init(&ctx, bytes);
    *s = (struct session){ 0 };
    uint8_t format = rd_u8(&r, "format", NULL), flags = rd_u8(&r, "flags", NULL);
    s->version = rd_u16(&r, "version", NULL);
    s->suite = rd_u16(&r, "suite", NULL);
    s->group = rd_u16(&r, "group", NULL);
    s->peer_scheme = rd_u16(&r, "peer_scheme", NULL);
    s->issued_us = (int64_t)rd_u64(&r, "issued");
    s->until = (int64_t)rd_u64(&r, "until");
    s->lifetime = rd_u32(&r, "lifetime");
    s->age_add = rd_u32(&r, "age_add");
    s->max_early_data = rd_u32(&r, "max_early_data");
    span secret = rd_opaque8(&r, "secret", 1, SECRET_MAX);
    read_spans(s, &r, flags & FLAG_RAW_KEY);
    TRY(rd_ok(&r) && format == FORMAT && s->issued_us >= 0 && s->issued_us < INT64_MAX / 2); /* so that ages do not overflow */
    s->of_client = flags & FLAG_CLIENT;
    s->client_authenticated = flags & FLAG_AUTHENTICATED;
    s->raw_key = flags & FLAG_RAW_KEY;
    s->quic = flags & FLAG_QUIC;
    s->secret.n = (uint8_t)secret.n;
    memcpy(s->secret.b, secret.p, secret.n);
    return true;
}

bool session_is(span bytes)
{
    enum { FORMATS = 32 }; /* more than there will be; a text begins with a greater byte */
    TRY(bytes.n > 4 && bytes.p[0] && bytes.p[0] < FORMATS);
    uint16_t version = u16s_at(bytes, 1);
    return version == TROTH_TLS13 || version == TROTH_TLS12;
}

void session_write(struct wr *w, const struct session *s)
{
    wr_u8(w, FORMAT);
    wr_u8(w, (uint8_t)((s->of_client ? FLAG_CLIENT : 0) | (s->client_authenticated ? FLAG_AUTHENTICATED : 0) |
                       (s->raw_key ? FLAG_RAW_KEY : 0) | (s->quic ? FLAG_QUIC : 0)));
    wr_u16(w, s->version);
    wr_u16(w, s->suite);
    wr_u16(w, s->group);
    wr_u16(w, s->peer_scheme);
    wr_uint(w, (uint64_t)s->issued_us, 8);
    wr_uint(w, (uint64_t)s->until, 8);
    wr_u32(w, s->lifetime);
    wr_u32(w, s->age_add);
    wr_u32(w, s->max_early_data);
    wr_opaque(w, 1, secret_span(&s->secret));
    wr_opaque(w, 1, s->alpn);
    wr_opaque(w, 1, s->server_name);
    wr_opaque(w, 1, s->host);
    wr_opaque(w, 1, s->trust);
    wr_opaque(w, 2, s->ticket);
    wr_opaque(w, 1, s->session_id);
    wr_opaque(w, 3, s->chain);
    wr_opaque(w, 3, s->staple);
    wr_opaque(w, 2, s->scts);
    wr_opaque(w, 2, s->quic_early);
}

bool session_bytes(struct troth_conn *c, const struct session *s, uint8_t **p, size_t *n)
{
    struct wr measure = wr_measure();
    session_write(&measure, s);
    *n = measure.n;
    *p = c->memory->alloc(c->memory->ctx, *n);
    if (!*p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes for a session", *n);
    struct wr w = wr_into(*p, *n);
    session_write(&w, s);
    if (wr_ok(&w))
        return true;
    session_free_bytes(c, *p, *n);
    *p = NULL;
    return fail(c, BUG, "a session does not fit its own lengths");
}

void session_free_bytes(struct troth_conn *c, uint8_t *p, size_t n)
{
    if (!p)
        return;
    secret_wipe(p, n);
    c->memory->free(c->memory->ctx, p, n);
}

/* ---- from a connection */

void session_of(const struct troth_conn *c, struct session *s)
{
    const struct facts *f = &c->facts;
    bool verified = !c->cfg->is_server || f->client_authenticated;
    *s = (struct session){ .of_client = !c->cfg->is_server, .version = f->version, .suite = f->suite, .group = f->group,
                           .issued_us = config_now_us(c->cfg), .until = INT64_MAX, .peer_scheme = f->peer_scheme,
                           .client_authenticated = f->client_authenticated, .raw_key = f->peer_type == TROTH_RAW_PUBLIC_KEY, .quic = c->quic != NULL,
                           .alpn = f->alpn, .server_name = f->server_name };
    if (c->host)
        s->host = span_of(c->host, strlen(c->host));
    if (verified)
        s->trust = SPAN_OF(c->cfg->trust_id);
    if (c->rare) {
        s->staple = c->rare->peer_staple;
        s->scts = c->rare->peer_scts;
    }
    if (c->shown)
        s->until = c->shown->until;
    if (s->raw_key)
        s->chain = c->rare ? c->rare->peer_raw_key : SPAN_NONE;
    else
        s->chain = conn_chain(c);
}

const char *session_unfit(const struct troth_conn *c, const struct session *s)
{
    const struct config *cfg = c->cfg;
    const struct suite *suite = suite_by_id(s->suite);
    int64_t now = config_now(cfg), issued = s->issued_us / SECOND_US;
    if (s->of_client == cfg->is_server)
        return "it is the other side's";
    if (s->quic != cfg->quic)
        return s->quic ? "it was made over QUIC" : "it was not made over QUIC";
    if (s->version < cfg->least || s->version > cfg->most || !suite || suite->version != s->version || !u16s_has(cfg->suites, s->suite))
        return "its version or suite is not one of ours any more";
    if (now < issued - 60 || now >= issued + (int64_t)s->lifetime || now > s->until)
        return "its time is over";
    if (!cfg->is_server && !span_equal(s->host, span_of(c->host, strlen(c->host))))
        return "it was made with another host";
    if (s->raw_key ? !takes_raw_keys(cfg) : cfg->peer_types.n && !bytes_have(cfg->peer_types, TROTH_X509) && s->chain.n)
        return "its peer showed a kind of certificate that is not accepted any more";
    bool must_be_verified = !cfg->is_server || s->client_authenticated || cfg->client_auth == TROTH_AUTH_REQUIRED;
    if (must_be_verified && !span_equal(s->trust, SPAN_OF(cfg->trust_id)))
        return "its peer was verified by other rules than those of now";
    if (cfg->is_server && s->client_authenticated && cfg->client_auth == TROTH_AUTH_NONE)
        return "it is that of a client with a certificate, which is not asked for here";
    return NULL;
}

/* The chain of a session, where that of the peer belongs; it counts when the session does. */
static bool put_chain(struct troth_conn *c, span chain)
{
    TRY(conn_shown(c, chain.n));
    memcpy(c->shown->bytes, chain.p, chain.n);
    return true;
}

/* What the session says of the peer stays.  Its chain is there already, if we are its client (session_own). */
static bool keep_peer(struct troth_conn *c, const struct session *s)
{
    if (s->staple.n || s->scts.n || s->raw_key) {
        struct rare *rare = conn_rare(c);
        TRY(rare && conn_keep(c, &rare->peer_staple, s->staple) && conn_keep(c, &rare->peer_scts, s->scts));
        if (s->raw_key)
            return conn_keep(c, &rare->peer_raw_key, s->chain);
    }
    if (!s->chain.n)
        return true;
    TRY(!c->cfg->is_server || put_chain(c, s->chain));
    c->shown->n = (uint32_t)s->chain.n;
    c->shown->until = s->until;
    return true;
}

bool session_adopt(struct troth_conn *c, const struct session *s)
{
    c->facts.resumed = true;
    c->facts.client_authenticated = s->client_authenticated;
    c->facts.peer_scheme = s->peer_scheme;
    c->facts.peer_type = s->raw_key ? TROTH_RAW_PUBLIC_KEY : TROTH_X509;
    return keep_peer(c, s) && (!c->cfg->reverify || peer_judge_again(c));
}

bool session_own(struct troth_conn *c, struct session *s)
{
    span *const small[] = { &s->alpn, &s->server_name, &s->host, &s->trust, &s->ticket, &s->session_id, &s->staple, &s->scts, &s->quic_early };
    for (size_t i = 0; i < COUNT_OF(small); i++)
        TRY(hs_keep(c, small[i], *small[i]));
    conn_shown_free(c); /* of one that was given before */
    if (s->raw_key || !s->chain.n)
        return hs_keep(c, &s->chain, s->chain);
    TRY(put_chain(c, s->chain));
    s->chain.p = c->shown->bytes;
    return true;
}

/* ---- to the application */

void session_forget_ticket(struct troth_conn *c)
{
    session_free_bytes(c, c->ticket, c->ticket_n);
    c->ticket = NULL;
    c->ticket_n = 0;
}

bool session_offer_to_keep(struct troth_conn *c, const struct session *s)
{
    session_forget_ticket(c);
    TRY(session_bytes(c, s, &c->ticket, &c->ticket_n));
    c->ticket_early = s->max_early_data != 0;
    c->events |= WAITS_TICKET;
    return true;
}
