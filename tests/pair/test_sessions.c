/* Sessions in memory: tickets of both versions, ids, external PSKs, early data; and when they must not be used. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "tls/psk.h"
#include "wire/registry.h"

/* ---- what a client and a server are made like */
struct wish {
    bool     is_server, tls12, early, cache, no_tickets, auth, psk, import, reverify, asks, fine, retries;
    const char *alpn, *or_alpn;
    struct world *w;
    const troth_session_cache *cache_to_use;
    const troth_ticket_key *keys;
    uint16_t suite, or_suite, record_limit;
    uint32_t takes; /* bytes of early data; 0: 1000 */
};

static int64_t now = 0;
static int64_t moving_clock(void *ctx)
{
    return test_clock(ctx) + now;
}

static int64_t now_us = 0; /* of the clocks that know it, and in whole seconds of those that do not */
static int64_t fine_clock(void *ctx)
{
    return test_clock(ctx) * SECOND_US + now_us;
}

static void tweak(troth_builder *b, void *ctx)
{
    const struct wish *w = ctx;
    if (w->fine)
        troth_clock_us(b, fine_clock, NULL);
    else
        troth_clock(b, moving_clock, NULL);
    if (w->tls12)
        troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    if (w->early)
        troth_early_data(b, w->takes ? w->takes : 1000);
    if (w->record_limit)
        troth_record_size_limit(b, w->record_limit);
    if (w->is_server && w->no_tickets)
        troth_tickets(b, 0, 3600);
    if (w->is_server && w->cache_to_use)
        troth_cache(b, w->cache_to_use);
    if (w->is_server && w->retries)
        troth_always_retry(b);
    if (w->is_server && w->keys)
        troth_ticket_keys(b, w->keys, 1);
    if (w->alpn)
        troth_alpn(b, &w->alpn, w->or_alpn ? 2 : 1);
    if (w->suite)
        troth_suites(b, (uint16_t[]){ w->suite, w->or_suite }, w->or_suite ? 2 : 1);
    if (w->reverify)
        troth_reverify(b);
    if (w->asks && w->is_server)
        troth_ask_verdict(b);
    if (w->auth && w->is_server) {
        troth_trust_pem(b, w->w->root_pem);
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    }
    if (w->auth && !w->is_server)
        tweak_client_identity(b, w->w);
    if (w->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_SHA256);
    if (w->import)
        troth_psk_import(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_TEXT("ctx"), TROTH_SHA256);
}

/* ---- keeping what TROTH_TICKET gives */
struct kept {
    uint8_t  p[8192];
    size_t   n;
    unsigned count, early, refused;
    const char *write_early;
    size_t   piece; /* of early data, as much as may be written */
};

static void write_in_pieces(struct pair_end *e, size_t piece)
{
    static const uint8_t zeros[40000];
    for (size_t left = troth_what(e->c).early_left, n; left; left -= n) {
        n = left < piece ? left : piece;
        assert_true(troth_write(e->c, &(troth_span){ zeros, n }, 1));
    }
}

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct kept *k = ctx;
    if (ev->kind == TROTH_TICKET) {
        assert_true(ev->data.n <= sizeof k->p);
        memcpy(k->p, ev->data.p, ev->data.n);
        k->n = ev->data.n;
        k->count++;
        return true;
    }
    if (ev->kind == TROTH_EARLY && e == &p->client) {
        k->early++;
        if (k->write_early)
            assert_true(pair_write(e, k->write_early));
        if (k->piece)
            write_in_pieces(e, k->piece);
        return true;
    }
    if (ev->kind == TROTH_EARLY || ev->kind == TROTH_EARLY_REFUSED) {
        k->refused += ev->kind == TROTH_EARLY_REFUSED;
        return true;
    }
    if (ev->kind == TROTH_ASK_VERDICT)
        troth_answer_verdict(e->c, true, NULL);
    return ev->kind == TROTH_ASK_VERDICT;
}

/* One configuration of each, used for several connections. */
struct two {
    troth_client *client;
    troth_server *server;
    const struct config *hold_client, *hold_server;
    struct kept   kept;
};

static void connect_once(struct pair *p, struct two *t, const char *host, size_t most)
{
    (void)config_share((const struct config *)t->client);
    (void)config_share((const struct config *)t->server);
    pair_new(p, t->client, t->server, host);
    p->most = most;
    p->on_event = on_event;
    p->ctx = &t->kept;
    if (t->kept.n)
        troth_resume(p->client.c, span_of(t->kept.p, t->kept.n));
    pair_run(p);
}

static void make(struct two *t, struct world *w, struct wish client, struct wish server)
{
    server.is_server = true;
    client.w = server.w = w;
    memset(t, 0, sizeof *t);
    t->client = world_client(w, tweak, &client);
    t->server = world_server(w, tweak, &server);
}

static void finish(struct two *t)
{
    troth_client_free(t->client);
    troth_server_free(t->server);
}

/* The first is a full handshake, the second and third resume; each gives new tickets. */
static void resumes(struct wish wish, enum troth_key_type key, size_t most)
{
    struct world *w = world_new_with(troth_libcrypto(), key, TROTH_KEY_P256);
    struct two t;
    now = 0;
    make(&t, w, wish, wish);
    for (int i = 0; i < 3; i++) {
        struct pair p;
        connect_once(&p, &t, NULL, most);
        pair_exchange(&p);
        assert_int_equal(troth_what(p.client.c).resumed, i > 0);
        assert_int_equal(troth_what(p.server.c).resumed, i > 0);
        assert_int_equal(troth_what(p.server.c).client_authenticated, wish.auth);
        assert_true(!wish.reverify || troth_report_ok(troth_peer(p.client.c)));
        pair_free(&p);
        now += 10;
    }
    assert_true(t.kept.n > 0);
    finish(&t);
    world_free(w);
}

static void test_tickets(void **state)
{
    (void)state;
    resumes((struct wish){ 0 }, TROTH_KEY_P256, 0);
    resumes((struct wish){ .reverify = true }, TROTH_KEY_RSA, 0);
    resumes((struct wish){ .auth = true }, TROTH_KEY_P256, 0);
    resumes((struct wish){ .suite = SUITE_TLS_AES_256_GCM_SHA384 }, TROTH_KEY_ED25519, 0);
    resumes((struct wish){ .alpn = "h2" }, TROTH_KEY_P256, 7);
}

static void test_tickets12(void **state)
{
    (void)state;
    resumes((struct wish){ .tls12 = true }, TROTH_KEY_P256, 0);
    resumes((struct wish){ .tls12 = true, .auth = true, .reverify = true }, TROTH_KEY_RSA, 0);
    resumes((struct wish){ .tls12 = true, .alpn = "h2" }, TROTH_KEY_P256, 1);
}

/* Keys change each half lifetime: the one before still opens.  TLS 1.2 gives a new ticket then, and only then; TLS 1.3 gives them always. */
static void test_ticket_keys_change(void **state)
{
    (void)state;
    enum { LIFETIME = 86400, PERIOD = LIFETIME / 2 + 1 };
    static const struct { int64_t later; unsigned given12; bool resumed; } steps[] = {
        { 0, 1, false }, { 10, 0, true }, { PERIOD, 1, true }, { 10, 0, true }, { 3 * PERIOD, 1, false }, { -2 * PERIOD, 1, false },
    };
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct world *w = world_new(troth_libcrypto());
        struct two t;
        now = 0;
        make(&t, w, (struct wish){ .tls12 = tls12 }, (struct wish){ .tls12 = tls12 });
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            struct pair p;
            now += steps[i].later;
            t.kept.count = 0;
            connect_once(&p, &t, NULL, 0);
            pair_exchange(&p);
            assert_int_equal(troth_what(p.server.c).resumed, steps[i].resumed);
            assert_int_equal(t.kept.count, tls12 ? steps[i].given12 : 2);
            pair_free(&p);
        }
        finish(&t);
        world_free(w);
    }
    now = 0;
}

/* A client whose chain, which a session must have, does not fit a ticket: there is none, and all else is well. */
static void lengthen_chain(struct world *w)
{
    enum { NAMES = 1500, CERTS = 3 };
    static char names[NAMES][32];
    static const char *san[NAMES + 1];
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(names[i], sizeof names[i], "DNS:name-number-%zu.example", i);
        san[i] = names[i];
    }
    span certs[CERTS] = { mk_cert(w->mk, &w->client_leaf) };
    for (size_t i = 1; i < CERTS; i++) {
        struct issue long_one = mk_leaf(&w->root, w->client_key, NULL);
        long_one.san = san;
        certs[i] = mk_cert(w->mk, &long_one);
    }
    const char *pem = mk_pem(w->mk, "CERTIFICATE", certs, CERTS);
    w->client_chain_pem = span_of(pem, strlen(pem));
}

static void test_too_long_for_a_ticket(void **state)
{
    (void)state;
    for (int v = 0; v < 2; v++) {
        struct world *w = world_new(fake_provider(12));
        struct wish wish = { .auth = true, .tls12 = v };
        struct two t;
        struct pair p;
        lengthen_chain(w);
        now = 0;
        make(&t, w, wish, wish);
        connect_once(&p, &t, NULL, 0);
        pair_exchange(&p);
        assert_true(troth_what(p.server.c).client_authenticated);
        assert_true(conn_chain(p.server.c).n > 65536);
        assert_int_equal(t.kept.n, 0);
        pair_free(&p);
        finish(&t);
        world_free(w);
    }
}

/* ---- a cache of ids */
struct cache {
    uint8_t id[32], p[8192];
    size_t  n;
};

static void put(void *ctx, troth_span id, troth_span session)
{
    struct cache *c = ctx;
    assert_true(id.n == 32 && session.n <= sizeof c->p);
    memcpy(c->id, id.p, 32);
    memcpy(c->p, session.p, session.n);
    c->n = session.n;
}

static size_t take(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    struct cache *c = ctx;
    if (id.n != 32 || memcmp(id.p, c->id, 32) || cap < c->n)
        return 0;
    memcpy(out, c->p, c->n);
    return c->n;
}

static void test_session_ids(void **state)
{
    (void)state;
    struct cache c = { .n = 0 };
    troth_session_cache cache = { &c, put, take };
    resumes((struct wish){ .tls12 = true, .no_tickets = true, .cache_to_use = &cache }, TROTH_KEY_P256, 0);
    assert_true(c.n > 0);
}

/* ---- external PSKs */
static void test_external_psk(void **state)
{
    (void)state;
    for (int import = 0; import < 2; import++) {
        struct world *w = world_new(troth_libcrypto());
        struct two t;
        struct wish wish = { .psk = !import, .import = import, .suite = import ? SUITE_TLS_AES_256_GCM_SHA384 : 0 };
        make(&t, w, wish, wish);
        struct pair p;
        connect_once(&p, &t, NULL, 0);
        pair_exchange(&p);
        assert_true(troth_what(p.client.c).psk_external && troth_what(p.server.c).psk_external);
        assert_false(troth_what(p.client.c).resumed);
        pair_free(&p);
        finish(&t);
        world_free(w);
    }
}

/* No certificates anywhere: the PSK's hash decides what is spoken, and nothing else will do. */
static void test_psk_alone(void **state)
{
    (void)state;
    static const struct { const char *client; enum troth_hash_id hash; bool certificate; enum troth_reason ends; } rows[] = {
        { "a client", TROTH_SHA256, false, TROTH_R_NONE },
        { "a client", TROTH_SHA384, false, TROTH_R_NONE },
        { "another", TROTH_SHA384, false, TROTH_R_NO_SHARED_PSK },
        { "another", TROTH_SHA256, true, TROTH_R_TRUST_STORE_EMPTY }, /* the server shows its certificate instead */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(troth_libcrypto());
        static const span key = { (const uint8_t *)"0123456789abcdef0123456789abcdef", 32 };
        troth_builder *client = troth_client_builder(troth_libcrypto()), *server = troth_server_builder(troth_libcrypto());
        troth_psk(client, span_of(rows[i].client, strlen(rows[i].client)), key, rows[i].hash);
        troth_psk(server, TROTH_TEXT("a client"), key, rows[i].hash);
        if (rows[i].certificate)
            troth_identity_pem(server, w->chain_pem, w->key_pem);
        struct pair p;
        pair_new(&p, troth_build_client(client, NULL), troth_build_server(server, NULL), NULL);
        pair_run(&p);
        if (rows[i].ends == TROTH_R_NONE) {
            pair_exchange(&p);
            assert_true(troth_what(p.client.c).psk_external && troth_what(p.server.c).psk_external);
        } else {
            assert_failed_at(rows[i].certificate ? &p.client : &p.server, rows[i].ends, __FILE__, __LINE__);
            assert_int_equal(troth_why(p.client.c)->reason, rows[i].certificate ? rows[i].ends : TROTH_R_ALERT_UNKNOWN_PSK_IDENTITY);
        }
        pair_free(&p);
        world_free(w);
    }
}

/* ---- when a session must not be used */
static void test_not_resumed(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto()), *other = world_new(troth_libcrypto());
    struct two t, u;
    struct pair p;
    now = 0;
    make(&t, w, (struct wish){ 0 }, (struct wish){ 0 });
    connect_once(&p, &t, NULL, 0);
    pair_exchange(&p);
    pair_free(&p);
    struct kept good = t.kept;

    now = 2 * 86400; /* too old */
    connect_once(&p, &t, NULL, 0);
    pair_exchange(&p);
    assert_false(troth_what(p.client.c).resumed);
    pair_free(&p);
    now = 0;

    t.kept = good; /* another server, with other keys */
    make(&u, w, (struct wish){ 0 }, (struct wish){ 0 });
    u.kept = good;
    connect_once(&p, &u, NULL, 0);
    pair_exchange(&p);
    assert_false(troth_what(p.client.c).resumed);
    pair_free(&p);
    finish(&u);

    for (size_t i = 0; i < good.n; i += 5) { /* any byte of it changed: a full handshake or a failure, never a crash */
        t.kept = good;
        t.kept.p[i] ^= 0x40;
        connect_once(&p, &t, NULL, 0);
        pair_free(&p);
    }

    make(&u, other, (struct wish){ 0 }, (struct wish){ 0 }); /* other roots: the session is not even offered */
    u.kept = good;
    connect_once(&p, &u, NULL, 0);
    pair_exchange(&p);
    assert_false(troth_what(p.client.c).resumed);
    pair_free(&p);
    finish(&u);
    finish(&t);
    world_free(w);
    world_free(other);
}

static void test_shared_keys(void **state)
{
    static const troth_ticket_key keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t, u;
    struct pair p;
    now = 0;
    make(&t, w, (struct wish){ 0 }, (struct wish){ .keys = keys });
    make(&u, w, (struct wish){ 0 }, (struct wish){ .keys = keys });
    connect_once(&p, &t, NULL, 0);
    pair_exchange(&p);
    pair_free(&p);
    u.kept = t.kept;
    connect_once(&p, &u, NULL, 0);
    pair_exchange(&p);
    assert_true(troth_what(p.client.c).resumed);
    pair_free(&p);
    finish(&t);
    finish(&u);
    world_free(w);
}

/* ---- the age of a ticket, as the client tells it */
static uint32_t age_told(struct two *t)
{
    (void)config_share((const struct config *)t->client);
    troth_conn *c = troth_connect(t->client, "a.example");
    config_free((const struct config *)t->client);
    troth_resume(c, span_of(t->kept.p, t->kept.n));
    assert_int_equal(troth_next(c).kind, TROTH_SEND);
    const struct hs_psk *k = hs_psk(c);
    assert_int_equal(k->n, 1);
    uint32_t age = k->offered[0].age - k->session.age_add;
    troth_free(c);
    return age;
}

/* Whatever the clock and wherever its seconds begin: never more than it was. */
static void test_ticket_age(void **state)
{
    (void)state;
    static const int64_t starts[] = { 0, 1, 499500, 999001, 999999 };
    static const int64_t waits[] = { 0, 1, 999, 1000, 1001, 999999, 1000000, 1000999, 10000000 };
    struct world *w = world_new(troth_libcrypto());
    for (int fine = 0; fine < 2; fine++)
        for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
            struct two t;
            struct pair p;
            now_us = starts[i];
            now = 0;
            make(&t, w, (struct wish){ .fine = fine }, (struct wish){ .fine = true });
            connect_once(&p, &t, NULL, 0);
            pair_exchange(&p);
            pair_free(&p);
            for (size_t j = 0; j < sizeof waits / sizeof *waits; j++) {
                now_us = starts[i] + waits[j];
                now = now_us / SECOND_US;
                int64_t told = age_told(&t), was = waits[j] / 1000;
                assert_true(told <= was && told >= was - 2000);
                assert_true(!fine || told == was);
            }
            finish(&t);
        }
    now = now_us = 0;
    world_free(w);
}

/* ---- early data */
static void begin_early(struct two *t, struct world *w, struct wish client, struct wish server)
{
    struct pair p;
    now = 0;
    make(t, w, client, server);
    connect_once(&p, t, NULL, 0);
    pair_exchange(&p);
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_NOT_TRIED);
    pair_free(&p);
    now = 5;
}

static void test_early_data(void **state)
{
    (void)state;
    for (size_t most = 0; most < 60; most = most * 3 + 1) {
        struct world *w = world_new(troth_libcrypto());
        struct two t;
        struct pair p;
        uint8_t a[32], b[32];
        begin_early(&t, w, (struct wish){ .early = true, .alpn = "h2" }, (struct wish){ .early = true, .alpn = "h2" });
        t.kept.write_early = "early bird";
        connect_once(&p, &t, NULL, most);
        assert_int_equal(p.server.n_got, 10);
        assert_memory_equal(p.server.got, "early bird", 10);
        assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_ACCEPTED);
        assert_int_equal(troth_what(p.server.c).early, TROTH_EARLY_ACCEPTED);
        assert_true(troth_export_early(p.client.c, "EXPORTER-early", TROTH_TEXT("x"), a, sizeof a));
        assert_true(troth_export_early(p.server.c, "EXPORTER-early", TROTH_TEXT("x"), b, sizeof b));
        assert_memory_equal(a, b, sizeof a);
        pair_exchange(&p);
        pair_free(&p);
        finish(&t);
        world_free(w);
    }
}

/* Its records were written before the server could say how long they may be (RFC 8449 4); what comes behind them is bound. */
static void test_early_before_limit(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(9));
    struct two t;
    struct pair p;
    char text[901] = { 0 };
    memset(text, 'a', 900);
    begin_early(&t, w, (struct wish){ .early = true, .record_limit = 16385 }, (struct wish){ .early = true, .record_limit = 300 });
    t.kept.write_early = text;
    connect_once(&p, &t, NULL, 0);
    assert_int_equal(p.server.n_got, 900);
    assert_int_equal(troth_what(p.server.c).early, TROTH_EARLY_ACCEPTED);
    assert_int_equal(p.server.c->rec.read.most, 299);
    assert_int_equal(p.client.c->rec.write.most, 299);
    pair_exchange(&p);
    pair_free(&p);
    finish(&t);
    world_free(w);
}

/* Or, a server that answers early data and closes: no ticket comes behind close_notify. */
static bool answer_and_close(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    if (ev->kind == TROTH_EARLY && e == &p->server) {
        assert_true(pair_write(e, "answer"));
        troth_close(e->c);
    }
    return on_event(p, e, ev, ctx);
}

static void test_early_and_close(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(11));
    struct two t;
    struct pair p;
    begin_early(&t, w, (struct wish){ .early = true }, (struct wish){ .early = true });
    t.kept.write_early = "early bird";
    (void)config_share((const struct config *)t.client);
    (void)config_share((const struct config *)t.server);
    pair_new(&p, t.client, t.server, NULL);
    p.on_event = answer_and_close;
    p.ctx = &t.kept;
    troth_resume(p.client.c, span_of(t.kept.p, t.kept.n));
    pair_step(&p, &p.client);
    pair_step(&p, &p.server);
    size_t said = p.to_client.n;
    pair_run(&p);
    assert_int_equal(p.to_client.n, said);
    assert_int_equal(p.client.n_got, 6);
    assert_int_equal(p.server.n_got, 10);
    assert_true(p.client.done && p.server.done && p.server.ready);
    pair_free(&p);
    finish(&t);
    world_free(w);
}

/* As much as a ticket promises, in one record and in many, to a server that does not take it: all of it is passed over. */
static void test_all_early_refused(void **state)
{
    (void)state;
    static const struct { uint32_t promised; size_t piece; } rows[] = {
        { 16384, 16384 }, { 16384, 400 }, { 40000, 40000 }, { 40000, 1000 }, { 1, 1 },
    };
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(10));
        struct wish wish = { .early = true, .takes = rows[i / 2].promised }, then = wish;
        struct two t, u; /* the second server cannot open the ticket, or asks for another hello */
        struct pair p;
        then.retries = i & 1;
        begin_early(&t, w, wish, wish);
        make(&u, w, wish, then);
        u.kept = t.kept;
        u.kept.piece = rows[i / 2].piece;
        connect_once(&p, &u, NULL, 0);
        assert_int_equal(u.kept.refused, 1);
        assert_int_equal(p.server.n_got, 0);
        assert_ready(&p);
        pair_exchange(&p);
        pair_free(&p);
        finish(&t);
        finish(&u);
        world_free(w);
    }
}

/* Early data was sent, and the server is one that stops at TLS 1.2: it cannot have read it (RFC 9846 E.3). */
static void test_early_then_older(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t, older;
    struct pair p;
    begin_early(&t, w, (struct wish){ .early = true }, (struct wish){ .early = true });
    make(&older, w, (struct wish){ 0 }, (struct wish){ .tls12 = true });
    troth_client_free(older.client);
    older.client = t.client;
    older.kept = t.kept;
    older.kept.write_early = "early bird";
    connect_once(&p, &older, NULL, 0);
    assert_failed(&p.client, VERSION_AFTER_EARLY_DATA);
    assert_int_equal(p.server.n_got, 0);
    static const uint8_t alert[] = { 21, 3, 3, 0, 2, 2, 70 }; /* fatal protocol_version, in the clear: it could not be read otherwise */
    assert_true(p.to_server.n > sizeof alert);
    assert_memory_equal(p.to_server.p + p.to_server.n - sizeof alert, alert, sizeof alert);
    pair_free(&p);
    t.client = NULL;
    finish(&t);
    finish(&older);
    world_free(w);
}

/* A server that does not take it passes it over, and says so. */
static void test_early_refused(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t;
    struct pair p;
    begin_early(&t, w, (struct wish){ .early = true }, (struct wish){ .early = true });
    t.kept.write_early = "early bird";
    now = 500;
    struct kept good = t.kept;
    connect_once(&p, &t, NULL, 0);
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_ACCEPTED);
    pair_free(&p);

    t.kept = good; /* the same ticket and another hello: not a replay */
    connect_once(&p, &t, NULL, 0);
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_ACCEPTED);
    pair_free(&p);
    finish(&t);

    struct two u;
    make(&u, w, (struct wish){ .early = true }, (struct wish){ 0 });
    u.kept = good;
    connect_once(&p, &u, NULL, 0); /* a server that cannot even open the ticket */
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_REJECTED);
    assert_int_equal(u.kept.refused, 1);
    assert_int_equal(p.server.n_got, 0);
    pair_exchange(&p);
    pair_free(&p);
    finish(&u);
    world_free(w);
}

/* A server with the same ticket keys that would carry on otherwise than the session says: it resumes, without the early data. */
static void test_early_otherwise(void **state)
{
    (void)state;
    static const troth_ticket_key keys[1] = { { "the fleet's name", "the fleet's key, of thirty-two b" } };
    static const struct {
        const char *why;
        struct wish first, then;
    } rows[] = {
        { "early data is not taken here", { .early = true }, { .early = false } },
        { "another ALPN than that of the session (RFC 9846 4.3.10)", { .early = true, .alpn = "h2" }, { .early = true, .alpn = "http/1.1" } },
        { "another ALPN than that of the session (RFC 9846 4.3.10)", { .early = true, .alpn = "h2" }, { .early = true } },
        { "another cipher suite than that of the session (RFC 9846 4.3.10)", { .early = true, .suite = SUITE_TLS_AES_128_GCM_SHA256 },
          { .early = true, .suite = SUITE_TLS_CHACHA20_POLY1305_SHA256, .or_suite = SUITE_TLS_AES_128_GCM_SHA256 } },
        { "whether the client may still come in has yet to be asked", { .early = true, .auth = true, .reverify = true, .asks = true },
          { .early = true, .auth = true, .reverify = true, .asks = true } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(troth_libcrypto());
        struct wish client = { .early = true, .alpn = "h2", .or_alpn = "http/1.1", .auth = rows[i].first.auth }, first = rows[i].first, then = rows[i].then;
        struct two t, u;
        struct pair p;
        first.keys = then.keys = keys;
        begin_early(&t, w, client, first);
        make(&u, w, client, then);
        troth_client_free(u.client);
        u.client = t.client;
        u.kept = t.kept;
        u.kept.write_early = "early bird";
        connect_once(&p, &u, NULL, 0);
        troth_facts f = troth_what(p.server.c);
        assert_true(f.resumed && troth_what(p.client.c).resumed);
        assert_int_equal(f.early, TROTH_EARLY_REJECTED);
        assert_string_equal(f.early_why, rows[i].why);
        assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_REJECTED);
        assert_int_equal(u.kept.early, 1);
        assert_int_equal(u.kept.refused, 1);
        assert_int_equal(p.server.n_got, 0);
        pair_exchange(&p);
        pair_free(&p);
        t.client = NULL;
        finish(&t);
        finish(&u);
        world_free(w);
    }
}

/* The very bytes of a hello with early data, played again to the same configuration; its early data that was taken. */
static size_t play_again(struct two *t, span recorded)
{
    (void)config_share((const struct config *)t->server);
    troth_conn *again = troth_accept(t->server);
    config_free((const struct config *)t->server);
    size_t at = 0, early_bytes = 0;
    for (int i = 0; i < 1000; i++) {
        troth_event ev = troth_next(again);
        if (ev.kind == TROTH_SEND)
            troth_sent(again, ev.data.n);
        else if (ev.kind == TROTH_DATA)
            early_bytes += ev.data.n;
        else if (ev.kind == TROTH_RECV && at < recorded.n) {
            size_t k = recorded.n - at < ev.room.n ? recorded.n - at : ev.room.n;
            memcpy(ev.room.p, recorded.p + at, k);
            at += k;
            troth_received(again, k);
        } else if (ev.kind == TROTH_RECV || ev.kind == TROTH_FAILED)
            break;
    }
    assert_int_equal(troth_what(again).early, early_bytes ? TROTH_EARLY_ACCEPTED : TROTH_EARLY_REJECTED);
    troth_free(again);
    return early_bytes;
}

static void test_replay(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t;
    struct pair p;
    begin_early(&t, w, (struct wish){ .early = true }, (struct wish){ .early = true });
    t.kept.write_early = "early bird";
    connect_once(&p, &t, NULL, 0);
    assert_int_equal(troth_what(p.server.c).early, TROTH_EARLY_ACCEPTED);
    const struct pipe *in = pair_input(&p, &p.server);
    assert_int_equal(play_again(&t, span_of(in->p, in->n)), 0);
    pair_free(&p);
    finish(&t);
    world_free(w);
}

/* At any time when the ticket's age is believed, from the earliest to the last; wherever the clock's seconds begin. */
static void test_replay_in_time(void **state)
{
    (void)state;
    enum { AGE = 100, EARLIEST = AGE - 60, LAST = AGE + 61 };
    for (int64_t part = 0; part < SECOND_US; part += SECOND_US / 4) {
        struct world *w = world_new(troth_libcrypto());
        struct two t;
        struct pair p;
        now_us = part;
        make(&t, w, (struct wish){ .early = true, .fine = true }, (struct wish){ .early = true, .fine = true });
        connect_once(&p, &t, NULL, 0);
        pair_exchange(&p);
        pair_free(&p);
        (void)config_share((const struct config *)t.client);
        (void)config_share((const struct config *)t.server);
        pair_new(&p, t.client, t.server, NULL);
        p.on_event = on_event;
        p.ctx = &t.kept;
        t.kept.write_early = "early bird";
        troth_resume(p.client.c, span_of(t.kept.p, t.kept.n));
        now_us = part + (int64_t)AGE * SECOND_US;
        pair_step(&p, &p.client);
        const struct pipe *in = pair_input(&p, &p.server);
        span recorded = span_of(in->p, in->n);
        now_us = part + (int64_t)EARLIEST * SECOND_US; /* the client's clock was fast */
        assert_int_equal(play_again(&t, recorded), 10);
        for (int64_t later = part; later < part + (int64_t)LAST * SECOND_US; later += (int64_t)LAST * SECOND_US / 7 - 1) {
            now_us = later;
            assert_int_equal(play_again(&t, recorded), 0);
        }
        now_us = part + (int64_t)LAST * SECOND_US - 1;
        assert_int_equal(play_again(&t, recorded), 0);
        pair_free(&p);
        finish(&t);
        world_free(w);
    }
    now_us = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tickets),       cmocka_unit_test(test_tickets12), cmocka_unit_test(test_ticket_keys_change),    cmocka_unit_test(test_session_ids),
        cmocka_unit_test(test_external_psk),  cmocka_unit_test(test_psk_alone),  cmocka_unit_test(test_not_resumed),  cmocka_unit_test(test_shared_keys),
        cmocka_unit_test(test_ticket_age),
        cmocka_unit_test(test_early_data), cmocka_unit_test(test_early_then_older),    cmocka_unit_test(test_early_refused), cmocka_unit_test(test_replay),
        cmocka_unit_test(test_early_otherwise), cmocka_unit_test(test_early_before_limit), cmocka_unit_test(test_all_early_refused),
        cmocka_unit_test(test_early_and_close),     cmocka_unit_test(test_replay_in_time),
        cmocka_unit_test(test_too_long_for_a_ticket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
