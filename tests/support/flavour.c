/* flavour.c - see flavour.h. */
#include "support/flavour.h"

#include "base/secret.h"
#include "crypto/provider.h"
#include "fake/fake.h"
#include "support/test.h"
#include "tls/config.h"
#include "wire/registry.h"

#define HIDDEN_NAME "hidden.example"
#define PUBLIC_NAME "public.example"

/* clang-format off */
const struct flavour flavours[] = {
    { "basic",                 0 },
    { "hybrid",                F_HYBRID },
    { "retry and cookie",      F_RETRY },
    { "client certificate",    F_AUTH },
    { "plain certificates",    F_PLAIN_CERT | F_AUTH },
    { "resumption",            F_RESUME },
    { "resumption, AES-256",   F_RESUME | F_256 },
    { "resumption, judged again", F_RESUME | F_AUTH | F_REVERIFY },
    { "resumption refused",    F_RESUME | F_REFUSED },
    { "resumption, retry",     F_RESUME | F_RETRY },
    { "early data",            F_RESUME | F_EARLY },
    { "early data refused",    F_RESUME | F_EARLY | F_REFUSED },
    { "TLS 1.2",               F_12 },
    { "TLS 1.2, client certificate", F_12 | F_AUTH },
    { "TLS 1.2, ticket",       F_12 | F_RESUME },
    { "TLS 1.2, ticket refused", F_12 | F_RESUME | F_REFUSED },
    { "TLS 1.2, session id",   F_12 | F_RESUME | F_IDS },
    { "TLS 1.2, raw keys",     F_12 | F_RAW },
    { "TLS 1.2, staple",       F_12 | F_STAPLE },
    { "ECH",                   F_ECH },
    { "ECH, retry",            F_ECH | F_RETRY },
    { "ECH, resumption, early data", F_ECH | F_RESUME | F_EARLY },
    { "ECH refused",           F_ECH | F_REFUSED },
    { "raw keys",              F_RAW },
    { "delegated credential",  F_DELEGATED },
    { "late certificate",      F_LATE },
    { "external PSK",          F_PSK },
    { "imported PSK",          F_IMPORT },
    { "staple",                F_STAPLE },
    { "several names",         F_NAMES },
    { "ALPN and limits",       F_ALPN | F_LIMITS },
    { "questions",             F_ASK },
    { "questions, TLS 1.2",    F_ASK | F_12 },
    { "filters and authorities", F_WISHES | F_AUTH },
    { "key log",               F_LOG },
    { "key log, TLS 1.2",      F_LOG | F_12 },
    { "story",                 F_STORY | F_AUTH },
    { "story, TLS 1.2",        F_STORY | F_12 },
    { "delegated credentials of both", F_DELEGATED | F_AUTH },
    /* those behind n_flavours */
    { "a server that forgets", F_RETRY | F_FORGET },
    { "a server that forgets, resumption", F_RETRY | F_FORGET | F_RESUME },
};
/* clang-format on */
const size_t n_flavours = COUNT_OF(flavours) - 2, n_flavours_all = COUNT_OF(flavours);

const struct flavour *flavour_of(const char *name)
{
    for (size_t i = 0; i < n_flavours_all; i++)
        if (!strcmp(flavours[i].name, name))
            return &flavours[i];
    test_fail("no flavour %s", name);
    return NULL;
}

static bool has(const struct scene *s, uint32_t bit)
{
    return (s->f->bits & bit) != 0;
}

/* ---- what both ends need */
enum { SESSION_AGE = 5 }; /* seconds, when it is used */

static int64_t scene_clock(void *ctx)
{
    return MK_NOW + ((struct scene *)ctx)->now;
}

static void on_line(void *ctx, const char *line)
{
    assert_true(strlen(line) > 64 + 1 + 64);
    ((struct scene *)ctx)->log_lines++;
}

static void cache_put(void *ctx, troth_span id, troth_span state)
{
    struct scene *s = ctx;
    assert_true(id.n == sizeof s->cached_id && state.n <= sizeof s->cached);
    memcpy(s->cached_id, id.p, id.n);
    memcpy(s->cached, state.p, state.n);
    s->cached_n = state.n;
}

static size_t cache_take(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    struct scene *s = ctx;
    if (id.n != sizeof s->cached_id || memcmp(id.p, s->cached_id, id.n) || cap < s->cached_n)
        return 0;
    memcpy(out, s->cached, s->cached_n);
    return s->cached_n;
}

static void pin_of(struct world *w, const troth_key *key, uint8_t pin[32])
{
    const troth_provider *p = w->mk->crypto;
    uint8_t der[1024], digest[TROTH_DIGEST_MAX];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    const troth_hash *h = provider_hash(p, TROTH_SHA256);
    h->begin(state);
    h->add(state, der, p->key_public(key, der, sizeof der));
    h->peek(state, digest);
    memcpy(pin, digest, 32);
}

static span good_staple(struct world *w, span *chain_pem)
{
    struct issue leaf = w->leaf;
    leaf.serial = SPAN_TEXT("\x55");
    span der = mk_cert(w->mk, &leaf);
    const char *pem = mk_pem(w->mk, "CERTIFICATE", &der, 1);
    *chain_pem = span_of(pem, strlen(pem));
    struct issue_single one = { .ca = &w->root, .serial = leaf.serial, .this_update = MK_NOW - 3600, .next_update = MK_NOW + MK_DAY };
    struct issue_ocsp o = { .by = &w->root, .produced = MK_NOW - 3600, .singles = &one, .n_singles = 1 };
    return mk_ocsp(w->mk, &o);
}

static void prepare(struct scene *s)
{
    struct world *w = s->w;
    s->host = "a.example";
    s->cache = (troth_session_cache){ s, cache_put, cache_take };
    if (has(s, F_DELEGATED))
        s->credential = credential_make(w, (struct recipe){ .valid = MK_DAY });
    if (has(s, F_DELEGATED) && has(s, F_AUTH))
        s->client_credential = credential_make(w, (struct recipe){ .valid = MK_DAY, .of_client = true });
    if (has(s, F_STAPLE))
        s->staple = good_staple(w, &s->chain[0]);
    if (has(s, F_RAW)) {
        pin_of(w, w->leaf_key, s->pin[0]);
        pin_of(w, w->client_key, s->pin[1]);
    }
    if (has(s, F_NAMES | F_ECH)) {
        world_identity(w, TROTH_KEY_P256, has(s, F_ECH) ? HIDDEN_NAME : "*.b.example", &s->chain[0], &s->key[0]);
        world_identity(w, TROTH_KEY_RSA, has(s, F_ECH) ? PUBLIC_NAME : "c.example", &s->chain[1], &s->key[1]);
        s->host = has(s, F_ECH) ? HIDDEN_NAME : "x.b.example";
    }
    if (has(s, F_ECH)) {
        troth_error why;
        assert_true(troth_ech_make(w->mk->crypto, PUBLIC_NAME, 32, &s->ech, &why));
        assert_true(troth_ech_make(w->mk->crypto, PUBLIC_NAME, 32, &s->old_ech, &why));
    }
}

static bool always_first(void *ctx, const uint8_t mark[32], int64_t expires)
{
    (void)ctx, (void)mark, (void)expires;
    return true;
}

/* ---- the two builders */
static void tweak_both(struct scene *s, troth_builder *b, bool server)
{
    static const uint16_t two[] = { GROUP_x25519, GROUP_secp256r1 }, longer[] = { SUITE_TLS_AES_256_GCM_SHA384 };
    static const char *const names[] = { "h2", "http/1.1" };
    uint16_t version = has(s, F_12) ? TROTH_TLS12 : TROTH_TLS13;
    troth_clock(b, scene_clock, s);
    troth_versions(b, version, version);
    if (!has(s, F_HYBRID))
        troth_groups(b, has(s, F_RETRY) && server ? two + 1 : two, has(s, F_RETRY) && server ? 1 : 2);
    if (has(s, F_256))
        troth_suites(b, longer, 1);
    if (has(s, F_ALPN))
        troth_alpn(b, names + server, 2 - (size_t)server);
    if (has(s, F_LIMITS)) {
        troth_record_size_limit(b, 300);
        troth_max_fragment(b, 200);
        troth_pad(b, TROTH_PAD_BLOCK, 64);
    }
    if (has(s, F_EARLY) && !(server && has(s, F_REFUSED) && s->session_n))
        troth_early_data(b, 1000);
    if (server && has(s, F_EARLY) && s->any_replay)
        troth_anti_replay(b, always_first, NULL);
    if (has(s, F_PLAIN_CERT))
        troth_compressors(b, NULL, 0);
    if (has(s, F_REVERIFY))
        troth_reverify(b);
    if (has(s, F_LOG))
        troth_danger_key_log(b, on_line, s);
    if (has(s, F_PSK))
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_SHA256);
    if (has(s, F_IMPORT))
        troth_psk_import(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_TEXT("ctx"), TROTH_SHA256);
    if (has(s, F_ASK))
        troth_ask_verdict(b);
    if (has(s, F_WISHES)) {
        static const uint16_t schemes[] = { SCHEME_ecdsa_secp256r1_sha256 };
        troth_cert_schemes(b, schemes, 1);
        troth_name_authorities(b, true);
    }
    if (has(s, F_RAW)) {
        static const uint8_t raw[] = { TROTH_RAW_PUBLIC_KEY };
        troth_peer_types(b, raw, 1);
        troth_trust_pin(b, s->pin[server]);
    } else {
        troth_trust_pem(b, s->w->root_pem);
    }
}

static void tweak_client(struct scene *s, troth_builder *b)
{
    uint8_t room[1024];
    tweak_both(s, b, false);
    if (s->client_credential.credential.n) {
        troth_identity_pem(b, s->client_credential.chain, s->w->client_key_pem);
        troth_identity_delegated(b, s->client_credential.credential, s->client_credential.key);
    } else if (has(s, F_AUTH | F_LATE)) {
        tweak_client_identity(b, s->w);
    }
    if (has(s, F_ASK))
        troth_identity_external(b, s->w->client_chain_pem, s);
    if (has(s, F_ASK))
        troth_ask_client(b);
    if (has(s, F_RAW))
        troth_identity_raw_key(b, s->w->client_key_pem);
    if (has(s, F_LATE))
        troth_post_handshake_auth(b);
    if (has(s, F_DELEGATED))
        troth_accept_delegated(b);
    if (has(s, F_ECH)) {
        const troth_ech_pair *to = has(s, F_REFUSED) ? &s->old_ech : &s->ech;
        struct wr wr = wr_into(room, sizeof room);
        wr_opaque(&wr, 2, span_of(to->config, to->config_n));
        troth_ech_configs(b, wr_done(&wr));
    }
}

static void tweak_server(struct scene *s, troth_builder *b)
{
    static const troth_ticket_key ticket_key = { "a name of a key", "thirty-two bytes of key, or so.." };
    struct world *w = s->w;
    tweak_both(s, b, true);
    if (has(s, F_DELEGATED)) {
        troth_identity_pem(b, s->credential.chain, w->key_pem);
        troth_identity_delegated(b, s->credential.credential, s->credential.key);
    } else if (has(s, F_RAW)) {
        troth_identity_raw_key(b, w->key_pem);
    } else {
        troth_identity_pem(b, has(s, F_STAPLE) ? s->chain[0] : w->chain_pem, w->key_pem);
    }
    if (has(s, F_STAPLE))
        troth_identity_staple(b, s->staple);
    for (int i = 0; has(s, F_NAMES | F_ECH) && i < 2; i++)
        troth_identity_pem(b, s->chain[i], s->key[i]);
    if (has(s, F_ECH))
        troth_ech_key(b, span_of(s->ech.config, s->ech.config_n), SPAN_OF(s->ech.private_key), true);
    if (has(s, F_RETRY))
        troth_retry_cookie(b);
    if (has(s, F_WISHES)) {
        troth_oid_filter(b, SPAN_TEXT("\x55\x1d\x0f"), SPAN_TEXT("\x03\x02\x07\x80")); /* keyUsage: digitalSignature */
        troth_oid_filter(b, SPAN_TEXT("\x55\x1d\x25"), SPAN_NONE);
    }
    if (has(s, F_AUTH | F_RAW | F_ASK))
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (s->client_credential.credential.n)
        troth_accept_delegated(b);
    if (has(s, F_ASK))
        troth_ask_server(b);
    if (has(s, F_RESUME) && !(has(s, F_REFUSED) && !has(s, F_EARLY) && s->session_n)) /* refused: its own keys, of which this is none */
        troth_ticket_keys(b, &ticket_key, 1);
    if (has(s, F_IDS)) {
        troth_tickets(b, 0, 3600);
        troth_cache(b, &s->cache);
    }
}

static const char *no_memory_or_fail(const char *who, const troth_error *why)
{
    if (why->reason != TROTH_R_OUT_OF_MEMORY && why->reason != TROTH_R_RANDOM_FAILED)
        test_fail("%s: %s: %s", who, why->code, why->detail);
    return why->code;
}

bool scene_build(struct scene *s, troth_provider *client, troth_provider *server)
{
    troth_error why = { 0 };
    troth_builder *b = troth_client_builder(client);
    tweak_client(s, b);
    s->client = troth_build_client(b, &why);
    assert_true(s->client || no_memory_or_fail("client", &why));
    int64_t since = s->session_n ? SESSION_AGE + 1 : 0; /* it gave the session as well, and knows what it saw since then */
    b = troth_server_builder(server);
    tweak_server(s, b);
    s->now -= since;
    s->server = troth_build_server(b, &why);
    s->now += since;
    assert_true(s->server || no_memory_or_fail("server", &why));
    if (!s->client || !s->server)
        scene_unbuild(s);
    return s->client != NULL;
}

void scene_unbuild(struct scene *s)
{
    troth_client_free(s->client);
    troth_server_free(s->server);
    s->client = NULL;
    s->server = NULL;
}

/* ---- events */
static void sign_outside(struct scene *s, struct pair_end *e, const troth_event *ev)
{
    const troth_provider *crypto = s->w->mk->crypto;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n;
    assert_true(crypto->sign(crypto->self, s->w->client_key, scheme_by_id(ev->number)->sig, &ev->data, 1, signature, &n));
    troth_answer_sign(e->c, (troth_span){ signature, n });
}

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct scene *s = ctx;
    (void)p;
    switch ((int)ev->kind) {
    case TROTH_TICKET:
        assert_true(ev->data.n <= sizeof s->session);
        if (!s->session_n) { /* one is enough, so that every run resumes the same */
            memcpy(s->session, ev->data.p, ev->data.n);
            s->session_n = ev->data.n;
        }
        return true;
    case TROTH_EARLY:
        if (e == &p->client && !pair_write(e, s->early))
            assert_true(troth_why(e->c) != NULL);
        return true;
    case TROTH_ASK_VERDICT: troth_answer_verdict(e->c, true, "the test says so"); return true;
    case TROTH_ASK_SERVER: troth_answer_server(e->c, s->server); return true;
    case TROTH_ASK_CLIENT: troth_answer_client(e->c, s->client); return true;
    case TROTH_ASK_SIGN: sign_outside(s, e, ev); return true;
    case TROTH_CLIENT_AUTH: s->late++; return true;
    default: return false;
    }
}

/* ---- one connection */

/* Once HelloRetryRequest is out the server is gone; another one gets what the client says next. */
static void forget(struct scene *s, struct pair *p)
{
    static const span address = { (const uint8_t *)"192.0.2.1", 9 };
    troth_bind_cookie(p->server.c, address);
    pair_step(p, &p->client);
    pair_step(p, &p->server);
    if (!troth_what(p->server.c).hello_retry || p->server.failed)
        return;
    troth_free(p->server.c);
    p->server.c = troth_accept(s->server);
    troth_bind_cookie(p->server.c, address);
}

void scene_open(struct scene *s, struct pair *p)
{
    if (s->client)
        (void)config_share((const struct config *)s->client);
    if (s->server)
        (void)config_share((const struct config *)s->server);
    pair_new(p, s->client, s->server, s->host);
    p->on_event = on_event;
    p->ctx = s;
    s->late = 0;
    s->offered = has(s, F_RESUME) && s->session_n;
    if (s->offered)
        troth_resume(p->client.c, span_of(s->session, s->session_n));
    if (has(s, F_FORGET))
        forget(s, p);
    if (has(s, F_STORY)) {
        s->story[0] = troth_story_new(s->story_memory);
        s->story[1] = troth_story_new(s->story_memory);
        troth_tell(p->client.c, s->story[0]);
        troth_tell(p->server.c, s->story[1]);
    }
}

static bool sink(void *ctx, const char *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return true;
}

void scene_close(struct scene *s, struct pair *p)
{
    size_t written = 0;
    pair_free(p);
    for (int i = 0; i < 2; i++) {
        if (s->story[i] && !troth_story_write(s->story[i], NULL, sink, &written))
            written = 0;
        troth_story_free(s->story[i]);
        s->story[i] = NULL;
    }
}

void scene_assert_kind(const struct scene *s, const struct pair *p)
{
    if (has(s, F_ECH) && has(s, F_REFUSED))
        return;
    troth_facts f = troth_what(p->client.c), g = troth_what(p->server.c);
    bool resumed = s->offered && !(has(s, F_REFUSED) && !has(s, F_EARLY));
    assert_true(f.resumed == resumed && g.resumed == resumed);
    assert_int_equal(f.version, has(s, F_12) ? TROTH_TLS12 : TROTH_TLS13);
    assert_true(has(s, F_12) || f.hello_retry == has(s, F_RETRY));
    assert_true(!has(s, F_AUTH | F_RAW | F_ASK) || g.client_authenticated);
    assert_true(!has(s, F_EARLY) || !resumed || f.early == (has(s, F_REFUSED) ? TROTH_EARLY_REJECTED : TROTH_EARLY_ACCEPTED));
    assert_true(!has(s, F_ECH) || (f.ech == TROTH_ECH_ACCEPTED && g.ech == TROTH_ECH_ACCEPTED));
    assert_true(f.peer_delegated == has(s, F_DELEGATED) && g.own_delegated == f.peer_delegated && f.psk_external == has(s, F_PSK | F_IMPORT));
    assert_true(g.peer_delegated == (s->client_credential.credential.n > 0) && f.own_delegated == g.peer_delegated);
    assert_true(!has(s, F_RAW) || (f.peer_type == TROTH_RAW_PUBLIC_KEY && g.peer_type == TROTH_RAW_PUBLIC_KEY));
    assert_true(!has(s, F_STAPLE) || f.peer_staple.n);
    assert_true(!has(s, F_NAMES) || g.own_identity == 1);
    assert_true(!has(s, F_ALPN) || f.alpn.n == 8);
    assert_true(!has(s, F_256) || f.suite == SUITE_TLS_AES_256_GCM_SHA384);
}

static bool came(const struct pair_end *e, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= e->n_got; i++)
        if (!memcmp(e->got + i, text, n))
            return true;
    return false;
}

static bool late_certificate(struct scene *s, struct pair *p)
{
    if (!has(s, F_LATE))
        return true;
    unsigned before = s->late;
    TRY(troth_ask_again(p->server.c));
    pair_run(p);
    return s->late == before + 1 && troth_what(p->server.c).client_authenticated;
}

bool scene_talk(struct scene *s, struct pair *p)
{
    pair_run(p);
    if (has(s, F_ECH) && has(s, F_REFUSED)) {
        const troth_error *why = troth_why(p->client.c);
        return !p->client.ready && why && why->reason == TROTH_R_ECH_REJECTED && troth_what(p->client.c).ech_retry_configs.n;
    }
    TRY(p->client.ready && p->server.ready);
    bool early = has(s, F_EARLY) && troth_what(p->client.c).early == TROTH_EARLY_ACCEPTED;
    TRY(pair_write(&p->client, s->question));
    pair_run(p);
    TRY(late_certificate(s, p) && pair_write(&p->server, s->answer));
    pair_run(p);
    TRY(came(&p->server, s->question) && came(&p->client, s->answer) && (!early || came(&p->server, s->early)));
    if (!has(s, F_12)) {
        TRY(troth_update_keys(p->client.c, true) && pair_write(&p->client, s->question));
        pair_run(p);
        TRY(pair_write(&p->server, s->answer));
        pair_run(p);
        TRY(p->client.n_got == 2 * SCENE_TEXT);
    }
    uint8_t a[32], b[32];
    TRY(troth_export(p->client.c, "EXPORTER-test", TROTH_TEXT("context"), a, sizeof a));
    TRY(troth_export(p->server.c, "EXPORTER-test", TROTH_TEXT("context"), b, sizeof b));
    assert_true(bytes_equal_ct(a, b, sizeof a));
    troth_close(p->client.c);
    pair_run(p);
    return p->client.done && p->server.done;
}

/* ---- invariants */
void scene_check_end(struct scene *s, struct pair_end *e)
{
    if (!e->c)
        return;
    bool server = !strcmp(e->name, "server");
    troth_facts f = troth_what(e->c);
    const troth_error *why = troth_why(e->c);
    assert_true(e->n_ready <= 1 && e->ready == (e->n_ready == 1) && (!e->ready || f.ready));
    assert_true(!e->failed || why);
    assert_true(!why || (why->reason > TROTH_R_NONE && why->reason < TROTH_REASON_COUNT && why->code));
    assert_true(!(e->failed && e->done));
    if (e->ready && !server && !f.resumed && !f.psk_external && !has(s, F_RAW)) {
        const troth_report *r = troth_peer(e->c);
        r = r ? r : troth_peer(e->c); /* made when it is asked for: the request that fails may be its own */
        assert_true(troth_report_ok(r));
    }
    if (e->ready && server && has(s, F_AUTH | F_RAW | F_ASK))
        assert_true(f.client_authenticated);
    if (e->ready && has(s, F_RAW))
        assert_int_equal(f.peer_type, TROTH_RAW_PUBLIC_KEY);
    if (!e->failed)
        return;
    enum troth_reason reason = why->reason;
    uint8_t secret[32];
    span one = SPAN_TEXT("x");
    assert_false(troth_write(e->c, &one, 1) || troth_export(e->c, "EXPORTER-x", SPAN_NONE, secret, sizeof secret));
    assert_false(troth_update_keys(e->c, true) || troth_ask_again(e->c));
    for (int i = 0; i < 3; i++)
        assert_int_equal(troth_next(e->c).kind, TROTH_FAILED);
    assert_int_equal(troth_why(e->c)->reason, reason);
}

/* What came is what was written, from its beginning. */
static void check_data(struct scene *s, const struct pair_end *e, const char *text, bool early)
{
    size_t at = 0, n = strlen(text);
    if (early && e->n_got && !memcmp(e->got, s->early, e->n_got < n ? e->n_got : n))
        at = n;
    for (size_t i = at; i < e->n_got; i++)
        assert_int_equal(e->got[i], text[(i - at) % n]);
}

void scene_check(struct scene *s, struct pair *p)
{
    scene_check_end(s, &p->client);
    scene_check_end(s, &p->server);
    check_data(s, &p->server, s->question, has(s, F_EARLY));
    check_data(s, &p->client, s->answer, false);
    if (p->client.ready && p->server.ready && !p->client.failed && !p->server.failed) {
        uint8_t a[32], b[32];
        if (troth_export(p->client.c, "EXPORTER-y", SPAN_NONE, a, 32) && troth_export(p->server.c, "EXPORTER-y", SPAN_NONE, b, 32))
            assert_true(bytes_equal_ct(a, b, 32));
    }
}

/* ---- begin and end */
static void fill(char text[SCENE_TEXT + 1], const char *with)
{
    snprintf(text, SCENE_TEXT + 1, "%-*s", SCENE_TEXT, with);
}

/* The session that the flavour resumes: from configurations that have the same ticket key. */
static void get_session(struct scene *s)
{
    struct pair p;
    assert_true(scene_build(s, troth_provider_share(s->w->mk->crypto), troth_provider_share(s->w->mk->crypto)));
    scene_open(s, &p);
    if (!scene_talk(s, &p)) {
        const troth_error *a = troth_why(p.client.c), *b = troth_why(p.server.c);
        test_fail("%s: no session: %s / %s", s->f->name, a ? a->detail : "-", b ? b->detail : "-");
    }
    scene_assert_kind(s, &p);
    assert_true(s->session_n > 0);
    scene_close(s, &p);
    scene_unbuild(s);
    s->now += SESSION_AGE;
}

struct scene *scene_new(const struct flavour *f, struct world *w)
{
    struct scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->f = f;
    s->w = w;
    fill(s->question, "the question of a client");
    fill(s->answer, "what the server has to say");
    fill(s->early, "an early bird");
    prepare(s);
    if (has(s, F_RESUME))
        get_session(s);
    return s;
}

void scene_free(struct scene *s)
{
    scene_unbuild(s);
    free(s);
}
