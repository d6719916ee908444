/* conn.c - connections as applications see them: NULL is a valid argument everywhere, and stands for memory that ran out. */
#include "api/api.h"
#include "base/alerts.h"
#include "base/text.h"
#include "explain/story.h"
#include "tls/carrier.h"
#include "tls/batch.h"
#include "tls/certificate.h"
#include "tls/engine.h"
#include "tls/late.h"
#include "tls/late_auth.h"
#include "tls/peer.h"
#include "tls/psk.h"
#include "tls/quic.h"
#include "tls/server.h"
#include "tls/session.h"
#include "x509/names.h"

static const troth_error *no_memory(void)
{
    static const troth_error e = { .reason = TROTH_R_OUT_OF_MEMORY,
                                   .alert = ALERT_NONE_BELONGS,
                                   .who = TROTH_WHO_YOU,
                                   .code = "local.out-of-memory",
                                   .text = "memory ran out",
                                   .hint = "free memory, or raise the limit this program runs under",
                                   .detail = "there is no connection: memory ran out, or its configuration could not be built" };
    return &e;
}

/* ---- begin and end */
/* What of a configuration is looked at where there is none. */
static void use_limits(troth_conn *c)
{
    c->rec.messages.most_certificate = c->cfg->most_certificate;
    c->rec.write.most = c->cfg->max_fragment;
    conn_padding(c);
}

/* A server's connection has room behind it for the first facts that it keeps, the name it was asked for among them; a client's for its second
 * flight, and the host's name. */
enum { KEEP_AT = (sizeof(troth_conn) + 15) / 16 * 16, KEEP_ROOM = 48 };

static troth_conn *new_conn(const struct config *cfg, span host)
{
    if (!cfg)
        return NULL;
    const troth_allocator *memory = cfg->memory;
    size_t size = cfg->is_server ? KEEP_AT + KEEP_ROOM : sizeof(troth_conn) + OUTQ_HOME + (host.n ? host.n + 1 : 0);
    troth_conn *c = memory->alloc(memory->ctx, size);
    if (!c)
        return NULL;
    memset(c, 0, size);
    c->size = size;
    c->error.memory = memory;
    uint8_t *behind = (uint8_t *)c + sizeof *c;
    if (host.n)
        c->host = memcpy(behind + OUTQ_HOME, host.p, host.n);
    c->cfg = config_share(cfg);
    c->memory = memory;
    c->state = S_START;
    if (cfg->is_server)
        arena_init_at(&c->keep, memory, 64, (uint8_t *)c + KEEP_AT, KEEP_ROOM);
    else
        arena_init(&c->keep, memory, 64);
    enum direction us = cfg->is_server ? FROM_SERVER : FROM_CLIENT, them = cfg->is_server ? FROM_CLIENT : FROM_SERVER;
    inbuf_init(&c->rec.in, memory);
    outq_init(&c->rec.out, memory, cfg->is_server ? NULL : behind);
    protect_init(&c->rec.read, memory, them);
    protect_init(&c->rec.write, memory, us);
    messages_init(&c->rec.messages, memory);
    if (cfg->quic && !(c->quic = arena_alloc(&c->keep, sizeof *c->quic)))
        (void)fail(c, OUT_OF_MEMORY, "for a connection of QUIC");
    use_limits(c);
    return c;
}

/* What could stand in a server_name: A-labels, and no way to mislead who reads it. */
static bool could_be_name(const char *s, size_t n)
{
    bool ok = n <= LIMIT_HOST_NAME;
    for (size_t i = 0; ok && i < n; i++)
        ok = s[i] > 0x20 && s[i] < 0x7f;
    return ok;
}

/* Nothing else is ever in a certificate: a URL or "host:port" would be looked for in vain. */
static bool could_be_host(const char *s, size_t n)
{
    uint8_t ip[16];
    size_t dot = n && s[n - 1] == '.';
    return could_be_name(s, n) && (ip_read(ip, span_of(s, n)) || dns_ok(span_of(s, n - dot)));
}

troth_conn *troth_connect(const troth_client *us, const char *host)
{
    size_t n = host ? strlen(host) : 0;
    bool ok = n && could_be_host(host, n);
    troth_conn *c = new_conn(us ? &us->config : NULL, ok ? span_of(host, n) : SPAN_NONE);
    if (c && !ok && could_be_name(host, n))
        (void)fail(c, BAD_ARGUMENT, "troth_connect: \"%.100s\" is neither a DNS name nor an address", n ? host : "");
    else if (c && !ok)
        (void)fail(c, BAD_ARGUMENT, "troth_connect: the host name is %s", n > LIMIT_HOST_NAME ? "too long" : "not in printable ASCII (A-labels)");
    return c;
}

troth_conn *troth_accept(const troth_server *us)
{
    return new_conn(us ? &us->config : NULL, SPAN_NONE);
}

void troth_free(troth_conn *c)
{
    if (!c)
        return;
    const troth_allocator *memory = c->memory;
    const struct config *cfg = c->cfg, *shows = c->rare ? c->rare->shows : NULL;
    hs_end(c);
    session_forget_ticket(c);
    messages_free(&c->rec.messages);
    carrier_of(c)->forget(c, true);
    troth_report_free(c->report);
    conn_shown_free(c);
    trouble_free(&c->error);
    arena_free(&c->keep);
    size_t size = c->size;
    secret_wipe(c, size);
    memory->free(memory->ctx, c, size);
    config_free(cfg);
    config_free(shows);
}

/* ---- before the first troth_next */
static bool early_enough(troth_conn *c, const char *call)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    return c->state == S_START || fail(c, WRONG_TIME, "%s after the first troth_next", call);
}

void troth_send_name(troth_conn *c, const char *sni)
{
    if (!early_enough(c, "troth_send_name"))
        return;
    size_t n = sni ? strlen(sni) : 0;
    if (c->cfg->is_server || !could_be_name(sni, n))
        (void)fail(c, BAD_ARGUMENT, "troth_send_name: %s", c->cfg->is_server ? "for clients" : n > LIMIT_HOST_NAME ? "too long" : "not printable ASCII");
    else if (!(c->sni = arena_string(&c->keep, span_of(sni ? sni : "", n))))
        (void)fail(c, OUT_OF_MEMORY, "for a server name");
}

void troth_bind_cookie(troth_conn *c, troth_span address)
{
    if (!early_enough(c, "troth_bind_cookie"))
        return;
    if (!c->cfg->is_server)
        (void)fail(c, WRONG_ROLE, "troth_bind_cookie: for servers");
    else if (conn_rare(c))
        (void)!conn_keep(c, &c->rare->address, address);
}

void troth_tell(troth_conn *c, troth_story *s)
{
    if (!s || !early_enough(c, "troth_tell"))
        return;
    c->witness = story_witness(s);
    c->rec.read.witness = c->rec.write.witness = c->witness;
    if (c->cfg->is_server)
        troth_story_as_server(s);
}

bool troth_is_ticket(troth_span bytes)
{
    return session_is(bytes);
}

void troth_resume(troth_conn *c, troth_span ticket)
{
    if (!early_enough(c, "troth_resume") || !ticket.n)
        return;
    if (c->cfg->is_server) {
        (void)fail(c, WRONG_ROLE, "troth_resume: for clients");
        return;
    }
    (void)!psk_given(c, ticket);
}

/* ---- run */
troth_event troth_next(troth_conn *c)
{
    return c ? engine_next(c) : (troth_event){ .kind = TROTH_FAILED };
}

void troth_sent(troth_conn *c, size_t n)
{
    if (c)
        engine_sent(c, n);
}

void troth_received(troth_conn *c, size_t n)
{
    if (c && c->quic && n && !trouble_is_set(&c->error))
        (void)fail(c, WRONG_TIME, "troth_received: with QUIC it is troth_quic_received");
    else if (c)
        engine_received(c, n);
}

bool troth_write(troth_conn *c, const troth_span *parts, size_t n_parts)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    if (!parts && n_parts)
        return fail(c, BAD_ARGUMENT, "troth_write: %zu parts at NULL", n_parts);
    for (size_t i = 0; i < n_parts; i++) /* what read() says of a failure is no length */
        if ((!parts[i].p && parts[i].n) || parts[i].n > PTRDIFF_MAX)
            return fail(c, BAD_ARGUMENT, "troth_write: part %zu is %zu bytes%s", i, parts[i].n, parts[i].p ? "" : " at NULL");
    return engine_write(c, parts, n_parts);
}

size_t troth_pending(const troth_conn *c)
{
    return c ? outq_span(&c->rec.out).n : 0;
}

bool troth_update_keys(troth_conn *c, bool peer_too)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    if (!c->ready || c->close_sent || c->facts.version != TROTH_TLS13)
        return fail(c, WRONG_TIME, "troth_update_keys %s", c->ready ? "where there is no KeyUpdate" : "before TROTH_READY");
    return late_update_keys(c, peer_too);
}

bool troth_ask_again(troth_conn *c)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    if (!c->cfg->is_server || !c->ready || c->close_sent)
        return fail(c, WRONG_TIME, "troth_ask_again %s", !c->cfg->is_server ? "is for servers" : c->ready ? "after troth_close" : "before TROTH_READY");
    return late_ask(c);
}

void troth_close(troth_conn *c)
{
    if (c && !trouble_is_set(&c->error))
        engine_close(c);
}

void troth_broken(troth_conn *c, enum troth_reason why, const char *detail)
{
    if (!c)
        return;
    bool over = trouble_is_set(&c->error) || engine_is_over(c);
    outq_drop(&c->rec.out); /* there is no way left to tell the peer, not even of a failure that came before */
    if (over)
        return;
    if ((unsigned)why < TROTH_REASON_COUNT && why)
        (void)fail_as(c, why, "%s", detail ? detail : "");
    else
        (void)fail(c, BAD_ARGUMENT, "troth_broken: %u is no reason", (unsigned)why);
    trouble_alert(&c->error, ALERT_NONE_BELONGS);
    engine_fail(c);
}

void troth_abort(troth_conn *c, uint8_t alert, const char *because)
{
    if (!c || trouble_is_set(&c->error) || engine_is_over(c))
        return;
    bool ends = alert == ALERT_close_notify; /* who gets that thinks that all was said */
    if (ends)
        (void)fail(c, BAD_ARGUMENT, "troth_abort: close_notify is no error; troth_close says it");
    else
        (void)fail(c, APP_ABORTED, "%s", because ? because : "no reason was given");
    trouble_alert(&c->error, ends ? ALERT_internal_error : alert);
    engine_fail(c);
}

void troth_rest(troth_conn *c)
{
    if (c)
        engine_rest(c);
}

/* ---- answers */
/* Is it asking, and does the answer let it go on?  Then it goes on with it. */
static bool take_server(troth_conn *c, const troth_server *us)
{
    if (!c || c->question != ASK_SERVER || trouble_is_set(&c->error))
        return false;
    if (!us)
        return name_unknown(c);
    if (us->config.quic != c->cfg->quic)
        return fail(c, BAD_ARGUMENT, "troth_answer_server: a configuration %s", us->config.quic ? "of QUIC" : "without QUIC");
    if (&us->config != c->cfg) {
        const struct config *before = c->cfg;
        c->cfg = config_share(&us->config);
        config_free(before);
        use_limits(c);
    }
    return true;
}

bool troth_offered_protocol(const troth_conn *c, size_t i, troth_span *name)
{
    struct client_hello ch;
    struct rd_ctx ctx;
    struct rd r;
    if (!c || c->question != ASK_SERVER || !server_hello_again(&ch, &r, &ctx, c->hs->hello.raw))
        return false;
    span one, rest = exts_have(&ch.exts, X_ALPN) ? ch.exts.alpn : SPAN_NONE;
    while (alpn_next(&rest, &one))
        if (!i--) {
            if (name)
                *name = one;
            return true;
        }
    return false;
}

void troth_answer_server(troth_conn *c, const troth_server *us)
{
    if (take_server(c, us))
        engine_answer(c, ASK_SERVER, SPAN_NONE);
}

void troth_answer_servers(troth_conn *const *conns, const troth_server *const *us, size_t n)
{
    struct troth_conn *ready[BATCH_MAX];
    for (size_t i = 0; conns && i < n;) {
        size_t k = 0;
        for (; i < n && k < BATCH_MAX; i++) {
            bool twice = false;
            for (size_t j = 0; j < k; j++)
                twice |= ready[j] == conns[i];
            if (!twice && take_server(conns[i], us ? us[i] : NULL))
                ready[k++] = conns[i];
        }
        batch_answer(ready, k);
    }
}

void troth_refuse_ech(troth_conn *c)
{
    if (!c || c->question != ASK_SERVER)
        return;
    if (c->facts.ech != TROTH_ECH_ACCEPTED) {
        (void)fail(c, WRONG_TIME, "troth_refuse_ech where nothing was encrypted, or is not ours to refuse");
        return;
    }
    c->hs->hello.refuse_ech = true;
    engine_answer(c, ASK_SERVER, SPAN_NONE);
}

void troth_answer_client(troth_conn *c, const troth_client *us)
{
    if (!c || c->question != ASK_CLIENT || !c->hs)
        return;
    struct rare *rare = conn_rare(c);
    if (!rare)
        return;
    const struct config *before = rare->shows;
    rare->shows = us ? config_share(&us->config) : NULL;
    c->hs->wanted.show_none = !us;
    config_free(before);
    engine_answer(c, ASK_CLIENT, SPAN_NONE);
}

void troth_answer_sign(troth_conn *c, troth_span signature)
{
    if (c)
        engine_answer(c, ASK_SIGN, signature);
}

void troth_answer_verdict(troth_conn *c, bool accept, const char *because)
{
    if (!c || c->question != ASK_VERDICT || !c->hs)
        return;
    c->hs->verdict_accept = accept;
    c->hs->verdict_why = because;
    engine_answer(c, ASK_VERDICT, SPAN_NONE);
}

void troth_answer_denied(troth_conn *c, const char *because)
{
    if (!c || c->question != ASK_VERDICT || !c->hs)
        return;
    c->hs->verdict_denies = true;
    troth_answer_verdict(c, false, because);
}

/* ---- learn */
static void add_rare(troth_facts *f, const struct rare *r)
{
    if (!r)
        return;
    f->session_id = r->session_id;
    f->peer_raw_key = r->peer_raw_key;
    f->peer_staple = r->peer_staple;
    f->peer_scts = r->peer_scts;
    f->ech_retry_configs = r->ech_retry_configs;
    f->acceptable_authorities = r->acceptable_authorities;
    f->peer_quic_parameters = r->quic_parameters;
    f->early_why = r->early_why;
    f->ticket_age_skew = r->ticket_age_skew;
}

troth_facts troth_what(const troth_conn *c)
{
    if (!c)
        return (troth_facts){ 0 };
    const struct facts *k = &c->facts;
    troth_facts f = { .version = k->version,
                      .suite = k->suite,
                      .group = k->group,
                      .peer_scheme = k->peer_scheme,
                      .own_scheme = k->own_scheme,
                      .ready = c->ready,
                      .resumed = k->resumed,
                      .hello_retry = k->hello_retry,
                      .client_authenticated = k->client_authenticated,
                      .extended_master_secret = k->extended_master_secret,
                      .psk_external = k->psk_external,
                      .peer_delegated = k->peer_delegated,
                      .own_delegated = k->own_delegated,
                      .early = k->early,
                      .ech = k->ech,
                      .peer_type = k->peer_type,
                      .own_type = k->own_type,
                      .named = k->named,
                      .own_identity = (int)k->own_identity - 1,
                      .alpn = k->alpn,
                      .server_name = k->server_name,
                      .client_random = SPAN_OF(k->client_random),
                      .server_random = SPAN_OF(k->server_random),
                      .early_left = c->cfg->is_server ? 0 : c->early_left,
                      .bytes_in = c->bytes_in,
                      .bytes_out = c->bytes_out };
    add_rare(&f, c->rare);
    return f;
}

bool troth_hello_name(char out[17], const troth_facts *f)
{
    static const uint8_t none[8];
    struct text t = text_in(out, 17);
    span random = f && f->client_random.n >= sizeof none ? span_of(f->client_random.p, sizeof none) : SPAN_NONE;
    if (random.n && !span_equal(random, SPAN_OF(none)))
        text_hex(&t, random);
    return t.n;
}

const troth_error *troth_why(const troth_conn *c)
{
    if (!c)
        return no_memory();
    return c->error.e;
}

const troth_report *troth_peer(const troth_conn *c)
{
    return c ? peer_report((troth_conn *)(uintptr_t)c) : NULL; /* made when it is first asked for */
}

bool troth_peer_certificate(const troth_conn *c, troth_span *der)
{
    span first, left = c ? conn_chain(c) : SPAN_NONE;
    if (!c || c->facts.peer_type != TROTH_X509 || !chain_next(&left, &first))
        return false;
    if (der)
        *der = first;
    return true;
}

bool troth_peer_pin(const troth_conn *c, uint8_t spki_sha256[32])
{
    uint8_t digest[TROTH_DIGEST_MAX];
    if (!c || !peer_pin(c, digest))
        return false;
    if (spki_sha256)
        memcpy(spki_sha256, digest, 32);
    return true;
}

bool troth_export(const troth_conn *c, const char *label, troth_span context, uint8_t *out, size_t n)
{
    bool half = c && c->cfg->is_server && c->facts.early == TROTH_EARLY_ACCEPTED; /* the server's Finished is out (RFC 9846 7.5) */
    if (!c || !label || (!out && n) || !(c->ready || half) || c->failed || !c->keys.hash)
        return false;
    if (c->facts.version == TROTH_TLS12)
        return ks12_export(c->keys.hash, &c->keys.exporter, (struct randoms){ c->facts.client_random, c->facts.server_random }, label,
                           context, out, n);
    return ks_export(c->keys.hash, &c->keys.exporter, label, context, out, n);
}

bool troth_export_early(const troth_conn *c, const char *label, troth_span context, uint8_t *out, size_t n)
{
    if (!c || !label || (!out && n) || c->failed || !c->rare || !c->rare->early_hash)
        return false;
    return ks_export(c->rare->early_hash, &c->rare->early_exporter, label, context, out, n);
}
