/* Encrypted Client Hello in memory: accepted, refused with what to try next, across a retry, with sessions and early data, as GREASE;
 * and what the wire shows of it. */
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "wire/registry.h"

#define SECRET_NAME "secret.a.example"
#define PUBLIC_NAME "public.example"

/* ---- the world: a certificate for each of the two names */
static struct world *w;
static span secret_chain, secret_key, public_chain, public_key;

static int set_up(void **state)
{
    (void)state;
    w = world_new(troth_libcrypto()); /* the fake one does not hide anything */
    world_identity(w, TROTH_KEY_P256, SECRET_NAME, &secret_chain, &secret_key);
    world_identity(w, TROTH_KEY_P256, PUBLIC_NAME, &public_chain, &public_key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free(w);
    return 0;
}

static troth_ech_pair new_key(void)
{
    troth_ech_pair pair;
    troth_error why;
    if (!troth_ech_make(w->mk->crypto, PUBLIC_NAME, 32, &pair, &why))
        test_fail("%s: %s", why.code, why.detail);
    return pair;
}

/* ---- what the two ends are made like */
struct wish {
    bool is_server, grease, retry, tls12, tls12_too, early, identity, no_public_identity, ask_client, psk;
    const troth_ech_pair *key, *second;  /* client: to encrypt to; server: its own */
    span configs;                        /* client: instead of key's */
    bool no_retry_configs;
};

static span list_of(const troth_ech_pair *key, uint8_t room[1024])
{
    struct wr wr = wr_into(room, 1024);
    wr_opaque(&wr, 2, span_of(key->config, key->config_n));
    return wr_done(&wr);
}

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t client_groups[] = { GROUP_x25519, GROUP_secp256r1 }, server_groups[] = { GROUP_secp256r1 };
    const struct wish *wish = ctx;
    uint8_t room[1024];
    if (wish->tls12)
        troth_versions(b, TROTH_TLS12, TROTH_TLS12);
    else if (!wish->tls12_too)
        troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    if (wish->retry)
        troth_groups(b, wish->is_server ? server_groups : client_groups, wish->is_server ? 1 : 2);
    if (wish->early)
        troth_early_data(b, 1000);
    if (wish->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    if (wish->psk && !wish->is_server)
        troth_no_tickets(b);
    if (wish->grease)
        troth_ech_grease(b);
    if (!wish->is_server) {
        if (wish->configs.n)
            troth_ech_configs(b, wish->configs);
        else if (wish->key)
            troth_ech_configs(b, list_of(wish->key, room));
        if (wish->identity)
            tweak_client_identity(b, w);
        return;
    }
    troth_identity_pem(b, secret_chain, secret_key);
    if (!wish->no_public_identity)
        troth_identity_pem(b, public_chain, public_key);
    for (int i = 0; i < 2; i++) {
        const troth_ech_pair *key = i ? wish->second : wish->key;
        if (key)
            troth_ech_key(b, span_of(key->config, key->config_n), SPAN_OF(key->private_key), !wish->no_retry_configs);
    }
    if (wish->ask_client)
        troth_ask_client_auth(b, TROTH_AUTH_OPTIONAL);
}

static void begin(struct pair *p, struct wish client, struct wish server)
{
    server.is_server = true;
    pair_new(p, world_client(w, tweak, &client), world_server(w, tweak, &server), SECRET_NAME);
}

static void run(struct pair *p, struct wish client, struct wish server)
{
    begin(p, client, server);
    pair_run(p);
}

static bool shows(const struct pipe *pipe, const char *text)
{
    size_t n = strlen(text);
    for (size_t i = 0; i + n <= pipe->n; i++)
        if (!memcmp(pipe->p + i, text, n))
            return true;
    return false;
}

static void assert_accepted(struct pair *p)
{
    assert_ready(p);
    troth_facts f = troth_what(p->client.c), g = troth_what(p->server.c);
    assert_int_equal(f.ech, TROTH_ECH_ACCEPTED);
    assert_int_equal(g.ech, TROTH_ECH_ACCEPTED);
    assert_memory_equal(f.client_random.p, g.client_random.p, 32);
    assert_memory_equal(f.server_random.p, g.server_random.p, 32);
    assert_true(span_equal(g.server_name, SPAN_TEXT(SECRET_NAME)));
    assert_false(shows(&p->to_server, SECRET_NAME));
    assert_true(shows(&p->to_server, PUBLIC_NAME));
    assert_false(memcmp(p->to_server.p + 5 + 4 + 2, f.client_random.p, 32) == 0); /* the outer random is another */
    assert_true(pair_write(&p->client, "question"));
    pair_run(p);
    assert_int_equal(p->server.n_got, 8);
}

/* ---- accepted */
static void test_accepted(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key(), other = new_key();
    for (unsigned i = 0; i < 8; i++) {
        struct wish client = { .key = &key, .retry = i & 1, .tls12_too = i & 2, .identity = i & 4 };
        struct wish server = { .key = &other, .second = &key, .retry = i & 1, .tls12_too = i & 2, .ask_client = i & 4 };
        struct pair p;
        run(&p, client, server);
        assert_accepted(&p);
        assert_int_equal(troth_what(p.client.c).hello_retry, i & 1);
        assert_int_equal(troth_what(p.server.c).client_authenticated, i & 4 ? 1 : 0);
        pair_free(&p);
    }
}

/* The first in the list that can be used; others are passed over. */
static void test_choice(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    enum { KEM_AT = 5, NAME_AT = 4 + 1 + 2 + 2 + 32 + 2 + 12 + 1 + 1, SUITES_AT = 4 + 1 + 2 + 2 + 32 + 2 };
    for (int i = 0; i < 6; i++) {
        troth_ech_pair bad = new_key();
        uint8_t room[1024];
        if (i == 0)
            bad.config[1]--; /* another version */
        else if (i == 1)
            bad.config[KEM_AT] = 0x77;
        else if (i == 2)
            bad.config[NAME_AT] = '.';
        else if (i == 3)
            for (int s = 0; s < 3; s++)
                bad.config[SUITES_AT + 4 * s] = 0x77; /* KDFs that nobody has */
        else if (i == 4) { /* a mandatory extension */
            static const uint8_t mandatory[] = { 0x8a, 0x8a, 0, 0 };
            memcpy(bad.config + bad.config_n, mandatory, 4);
            bad.config[bad.config_n - 1] = 4;
            bad.config[3] = (uint8_t)(bad.config[3] + 4);
            bad.config_n += 4;
        } else
            memcpy(bad.config + bad.config_n - 2 - 7, "0.0.0.1", 7); /* public....1: ends in a number */
        struct wr wr = wr_into(room, sizeof room);
        size_t list = wr_open(&wr, 2);
        wr_raw(&wr, bad.config, bad.config_n);
        size_t one = wr.n;
        wr_raw(&wr, key.config, key.config_n);
        wr_close(&wr, list, 2);
        struct pair p;
        run(&p, (struct wish){ .configs = wr_done(&wr) }, (struct wish){ .key = &key });
        assert_accepted(&p);
        pair_free(&p);
        /* alone: nothing is encrypted, or it looks as if */
        struct wr alone = wr_into(room, one);
        list = wr_open(&alone, 2);
        alone.n = one;
        wr_close(&alone, list, 2);
        for (int grease = 0; grease < 2; grease++) {
            run(&p, (struct wish){ .configs = wr_done(&alone), .grease = grease }, (struct wish){ .key = &key });
            assert_ready(&p);
            assert_int_equal(troth_what(p.client.c).ech, grease ? TROTH_ECH_GREASED : TROTH_ECH_NOT_TRIED);
            assert_true(shows(&p.to_server, SECRET_NAME));
            pair_free(&p);
        }
    }
}

/* Names of different lengths look alike. */
static void test_padding(void **state)
{
    (void)state;
    static const char *const hosts[] = { "a.example", "c.a.example", "much-longer.a.example", "192.0.2.1" };
    const troth_ech_pair key = new_key();
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct wish client = { .key = &key };
        struct pair p;
        pair_new(&p, world_client(w, tweak, &client), world_server(w, NULL, NULL), hosts[i]);
        pair_step(&p, &p.client);
        assert_true(!n || n == p.to_server.n);
        n = p.to_server.n;
        assert_false(shows(&p.to_server, hosts[i]));
        pair_free(&p);
    }
}

/* ---- refused */
static void assert_refused(struct pair *p, const troth_ech_pair *next)
{
    uint8_t room[1024];
    assert_false(p->client.ready);
    assert_failed(&p->client, ECH_REJECTED);
    assert_failed(&p->server, ALERT_ECH_REQUIRED);
    troth_facts f = troth_what(p->client.c), g = troth_what(p->server.c);
    assert_int_equal(f.ech, TROTH_ECH_REJECTED);
    assert_memory_equal(f.client_random.p, g.client_random.p, 32);
    assert_true(span_equal(g.server_name, SPAN_TEXT(PUBLIC_NAME)));
    assert_false(shows(&p->to_server, SECRET_NAME));
    assert_true(span_equal(f.ech_retry_configs, next ? list_of(next, room) : SPAN_NONE));
}

static void test_refused(void **state)
{
    (void)state;
    const troth_ech_pair old = new_key(), key = new_key();
    for (unsigned i = 0; i < 32; i++) {
        struct wish client = { .key = &old, .retry = i & 1, .tls12_too = i & 2, .identity = i & 4 };
        struct wish server = { .key = i & 8 ? NULL : &key, .retry = i & 1, .tls12_too = i & 2, .ask_client = i & 4, .no_retry_configs = i & 16 };
        struct pair p;
        run(&p, client, server);
        assert_refused(&p, i & (8 | 16) ? NULL : &key);
        assert_false(troth_what(p.server.c).client_authenticated);
        pair_free(&p);
    }
}

/* A PSK went with the inner hello, and its modes are said in the second hello too, though it is gone (RFC 9846 4.2.2). */
static void test_refused_with_psk(void **state)
{
    (void)state;
    const troth_ech_pair old = new_key(), key = new_key();
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;
        run(&p, (struct wish){ .key = &old, .retry = i, .psk = true }, (struct wish){ .key = &key, .retry = i, .psk = true });
        assert_refused(&p, &key);
        assert_int_equal(troth_what(p.server.c).hello_retry, i);
        pair_free(&p);
        run(&p, (struct wish){ .key = &key, .retry = i, .psk = true }, (struct wish){ .key = &key, .retry = i, .psk = true });
        assert_accepted(&p);
        assert_true(troth_what(p.client.c).psk_external && troth_what(p.server.c).psk_external);
        pair_free(&p);
    }
}

/* What a refusal says leads to a connection that is accepted. */
static void test_refused_then_retried(void **state)
{
    (void)state;
    const troth_ech_pair old = new_key(), key = new_key();
    struct pair p, q;
    run(&p, (struct wish){ .key = &old }, (struct wish){ .key = &key });
    run(&q, (struct wish){ .configs = troth_what(p.client.c).ech_retry_configs }, (struct wish){ .key = &key });
    assert_accepted(&q);
    pair_free(&p);
    pair_free(&q);
}

static void test_refused_by_tls12(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;
        run(&p, (struct wish){ .key = &key, .tls12_too = true, .identity = i }, (struct wish){ .tls12 = true, .ask_client = i });
        assert_refused(&p, NULL);
        pair_free(&p);
    }
}

/* The certificate must be that of the public name, and only then is anything believed. */
static void test_refused_by_whom(void **state)
{
    (void)state;
    const troth_ech_pair old = new_key(), key = new_key();
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;
        run(&p, (struct wish){ .key = &old, .tls12_too = i }, (struct wish){ .key = &key, .tls12 = i, .no_public_identity = true });
        assert_failed(&p.client, CERT_NAME_MISMATCH);
        assert_int_equal(troth_what(p.client.c).ech_retry_configs.n, 0);
        assert_false(p.client.ready);
        pair_free(&p);
    }
}

/* ---- GREASE */
static void test_grease(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    for (unsigned i = 0; i < 8; i++) {
        struct pair p;
        run(&p, (struct wish){ .grease = true, .retry = i & 1, .tls12_too = i & 2 },
            (struct wish){ .key = i & 4 ? &key : NULL, .retry = i & 1, .tls12_too = i & 2 });
        assert_ready(&p);
        assert_int_equal(troth_what(p.client.c).ech, TROTH_ECH_GREASED);
        assert_int_equal(troth_what(p.server.c).ech, i & 4 ? TROTH_ECH_REJECTED : TROTH_ECH_NOT_TRIED);
        assert_int_equal(troth_what(p.client.c).ech_retry_configs.n, 0);
        pair_free(&p);
    }
}

/* ---- sessions */
struct kept {
    uint8_t  p[8192];
    size_t   n;
    unsigned early, refused;
    bool     write;
};

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct kept *k = ctx;
    if (ev->kind == TROTH_TICKET) {
        memcpy(k->p, ev->data.p, k->n = ev->data.n);
        return true;
    }
    if (ev->kind == TROTH_EARLY && e == &p->client) {
        k->early++;
        return k->write ? pair_write(e, "early") : true;
    }
    k->refused += ev->kind == TROTH_EARLY_REFUSED;
    return false;
}

static void run_with(struct pair *p, struct kept *k, struct wish client, struct wish server)
{
    static const troth_ticket_key ticket_key = { { 1 }, { 2 } };
    server.is_server = true;
    client.early = server.early = true;
    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    troth_trust_pem(b, w->root_pem);
    troth_ticket_keys(b, &ticket_key, 1);
    tweak(b, &server);
    troth_server *s = troth_build_server(b, &why);
    assert_non_null(s);
    pair_new(p, world_client(w, tweak, &client), s, SECRET_NAME);
    p->on_event = on_event;
    p->ctx = k;
    if (k->n)
        troth_resume(p->client.c, span_of(k->p, k->n));
    k->early = k->refused = 0;
    pair_run(p);
}

static void test_sessions(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key(), other = new_key();
    struct kept k = { .n = 0 };
    struct pair p;
    run_with(&p, &k, (struct wish){ .key = &key }, (struct wish){ .key = &key });
    assert_accepted(&p);
    assert_false(troth_what(p.client.c).resumed);
    assert_true(k.n > 0);
    pair_free(&p);
    const struct kept first = k;
    for (unsigned i = 0; i < 4; i++) { /* resumed, with early data unless a retry comes between */
        k = first;
        k.write = i & 2;
        run_with(&p, &k, (struct wish){ .key = &key, .retry = i & 1 }, (struct wish){ .key = &key, .retry = i & 1 });
        assert_ready(&p);
        troth_facts f = troth_what(p.client.c);
        assert_true(f.resumed && troth_what(p.server.c).resumed);
        assert_int_equal(f.ech, TROTH_ECH_ACCEPTED);
        assert_int_equal(k.early, 1);
        assert_int_equal(f.early, i & 1 ? TROTH_EARLY_REJECTED : TROTH_EARLY_ACCEPTED);
        assert_int_equal(p.server.n_got, i == 2 ? 5 : 0);
        assert_false(shows(&p.to_server, SECRET_NAME));
        pair_free(&p);
    }
    for (unsigned i = 0; i < 4; i++) { /* refused: the session is not used, early data is passed over */
        k = first;
        k.write = i & 2;
        run_with(&p, &k, (struct wish){ .key = &other, .retry = i & 1 }, (struct wish){ .key = &key, .retry = i & 1 });
        assert_refused(&p, &key);
        assert_int_equal(k.early, 1);
        assert_false(troth_what(p.server.c).resumed);
        assert_int_equal(p.server.n_got, 0);
        pair_free(&p);
    }
}

/* A session of TLS 1.2 is not shown to anybody. */
static void test_old_session(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    struct kept k = { .n = 0 };
    struct pair p;
    run_with(&p, &k, (struct wish){ .tls12 = true }, (struct wish){ .tls12 = true });
    assert_ready(&p);
    assert_true(k.n > 0);
    pair_free(&p);
    run_with(&p, &k, (struct wish){ .key = &key, .tls12_too = true }, (struct wish){ .key = &key, .tls12_too = true });
    assert_accepted(&p);
    assert_false(troth_what(p.client.c).resumed);
    pair_free(&p);
}

/* ---- edited on the way: each byte of the first hello in turn.  A change is noticed, and never leads to a connection. */
static void test_tampered(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    size_t n = 0;
    for (size_t at = 5; at == 5 || at < n; at += 3) {
        struct pair p;
        begin(&p, (struct wish){ .key = &key }, (struct wish){ .key = &key });
        pair_step(&p, &p.client);
        n = p.to_server.n;
        p.to_server.p[at] ^= 0x40;
        pair_run(&p);
        assert_false(p.client.ready || p.server.ready);
        assert_false(shows(&p.to_server, SECRET_NAME));
        pair_free(&p);
    }
}

/* ---- asked which configuration to go on with: it sees the inner name, and the retry goes on with the first one's key */
static bool answer(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    assert_true(span_equal(troth_what(e->c).server_name, SPAN_TEXT(SECRET_NAME)));
    troth_answer_server(e->c, ctx);
    return true;
}

static void tweak_asking(troth_builder *b, void *ctx)
{
    tweak(b, ctx);
    troth_ask_server(b);
}

static void test_other_configuration(void **state)
{
    (void)state;
    const troth_ech_pair key = new_key();
    for (unsigned i = 0; i < 2; i++) {
        struct wish client = { .key = &key, .retry = i }, server = { .key = &key, .retry = i, .is_server = true };
        struct wish without = { .retry = i, .is_server = true };
        struct pair p;
        troth_server *second = world_server(w, tweak, &without);
        pair_new(&p, world_client(w, tweak, &client), world_server(w, tweak_asking, &server), SECRET_NAME);
        p.on_event = answer;
        p.ctx = second;
        pair_run(&p);
        assert_accepted(&p);
        pair_free(&p);
        troth_server_free(second);
    }
}

/* ---- keys */
static void test_keys(void **state)
{
    (void)state;
    troth_ech_pair key = new_key(), other = new_key();
    troth_error why;
    char pem[2048];
    assert_false(troth_ech_make(w->mk->crypto, "192.0.2.1", 0, &other, &why));
    assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
    other = new_key();
    size_t n = troth_ech_pem(&key, pem, sizeof pem);
    assert_true(n > 0 && troth_ech_pem(&key, NULL, 0) >= n && troth_ech_pem(&key, pem, 100) == 0);
    n = troth_ech_pem(&key, pem, sizeof pem);
    static const enum troth_reason reasons[] = { TROTH_R_NO_IDENTITY, TROTH_R_ECH_KEY_MISMATCH, TROTH_R_ECH_KEY_MISMATCH, TROTH_R_ECH_CONFIG_INVALID,
                                                 TROTH_R_NO_IDENTITY, TROTH_R_ECH_CONFIG_INVALID };
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
        span config = span_of(key.config, key.config_n), private_key = SPAN_OF(key.private_key);
        if (i == 1)
            private_key = SPAN_OF(other.private_key);
        if (i == 2)
            private_key.n--;
        if (i == 3)
            config.n--;
        if (i < 4)
            troth_ech_key(b, config, private_key, true);
        else
            troth_ech_key_pem(b, span_of(pem, i == 4 ? n : 130), true);
        assert_null(troth_build_server(b, &why));
        assert_int_equal(why.reason, reasons[i]); /* the right ones lack a certificate and nothing else */
    }
    /* the same file is what a client reads */
    struct pair p;
    run(&p, (struct wish){ .configs = span_of(pem, n) }, (struct wish){ .key = &key });
    assert_accepted(&p);
    pair_free(&p);
}

/* ---- no connection rather than one in the clear */
static void required(uint16_t most, span configs, bool ok)
{
    troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
    const troth_ech_pair key = new_key();
    uint8_t room[1024];
    struct pair p;
    troth_clock(b, test_clock, NULL);
    troth_trust_pem(b, w->root_pem);
    troth_versions(b, TROTH_TLS12, most);
    troth_ech_required(b);
    if (ok || most == TROTH_TLS12)
        troth_ech_configs(b, list_of(&key, room));
    else if (configs.n)
        troth_ech_configs(b, configs);
    struct wish theirs = { .key = &key, .is_server = true, .tls12_too = true };
    pair_new(&p, troth_build_client(b, NULL), world_server(w, tweak, &theirs), SECRET_NAME);
    pair_run(&p);
    if (ok)
        assert_accepted(&p);
    else {
        assert_failed(&p.client, ECH_UNUSABLE);
        assert_int_equal(p.to_server.n, 0);
    }
    pair_free(&p);
}

static void test_required(void **state)
{
    (void)state;
    static const uint8_t newer[] = { 0, 6, 0xfe, 0x0f, 0, 2, 1, 2 }; /* a version that nobody knows */
    required(TROTH_TLS13, SPAN_NONE, true);
    required(TROTH_TLS13, SPAN_NONE, false);
    required(TROTH_TLS13, SPAN_OF(newer), false);
    required(TROTH_TLS12, SPAN_NONE, false);
}

/* ---- a server that opened it and does not want it */
struct unwanted {
    troth_server *us;
    unsigned asked;
    bool     twice;
};

static bool put_back(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct unwanted *u = ctx;
    (void)p;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    troth_facts f = troth_what(e->c);
    u->asked++;
    assert_int_equal(f.ech, u->asked == 1 ? TROTH_ECH_ACCEPTED : TROTH_ECH_REJECTED);
    assert_true(span_equal(f.server_name, u->asked == 1 ? SPAN_TEXT(SECRET_NAME) : SPAN_TEXT(PUBLIC_NAME)));
    if (u->asked == 1 || u->twice)
        troth_refuse_ech(e->c);
    else
        troth_answer_server(e->c, u->us);
    return true;
}

static void test_put_back(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const troth_ech_pair key = new_key();
        struct wish ours = { .key = &key, .retry = i == 1 }, theirs = { .key = &key, .is_server = true, .retry = i == 1 };
        struct unwanted u = { .us = world_server(w, tweak, &theirs), .twice = i == 2 };
        struct pair p;
        pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak_asking, &theirs), SECRET_NAME);
        p.on_event = put_back;
        p.ctx = &u;
        pair_run(&p);
        assert_int_equal(u.asked, 2);
        if (u.twice) /* there is nothing left to refuse */
            assert_failed(&p.server, WRONG_TIME);
        else { /* genuine for the public name, and tells of no key: come back in the clear */
            assert_failed(&p.client, ECH_REJECTED);
            assert_int_equal(troth_what(p.client.c).ech_retry_configs.n, 0);
        }
        troth_server_free(u.us);
        pair_free(&p);
    }
}

/* ---- a cookie that answers an encrypted hello is of use to its maker alone, who has the key of the second one (RFC 9849 7.1.1) */
static void tweak_cookie(troth_builder *b, void *ctx)
{
    tweak(b, ctx);
    troth_cookie_key(b, (const uint8_t[32]){ 5 });
}

static void test_cookie(void **state)
{
    (void)state;
    for (int same = 0; same < 2; same++) {
        const troth_ech_pair key = new_key();
        struct wish ours = { .key = &key, .retry = true }, theirs = { .key = &key, .is_server = true, .retry = true };
        struct pair p;
        pair_new(&p, world_client(w, tweak, &ours), world_server(w, tweak_cookie, &theirs), SECRET_NAME);
        assert_true(pair_step(&p, &p.client) && pair_step(&p, &p.server));
        if (!same) {
            troth_server *another = world_server(w, tweak_cookie, &theirs);
            troth_free(p.server.c);
            p.server.c = troth_accept(another);
            troth_server_free(another);
        }
        pair_run(&p);
        if (same)
            assert_accepted(&p);
        else
            assert_failed(&p.server, BAD_COOKIE);
        pair_free(&p);
    }
}

/* ---- the key log (RFC 9850): both ends have the same two lines more, under the outer random */
struct lines {
    char     secret[256], config[2048];
    unsigned n;
};

static void on_line(void *ctx, const char *line)
{
    struct lines *l = ctx;
    bool secret = !strncmp(line, "ECH_SECRET ", 11);
    if (!secret && strncmp(line, "ECH_CONFIG ", 11) != 0)
        return;
    l->n++;
    strncpy(secret ? l->secret : l->config, line, (secret ? sizeof l->secret : sizeof l->config) - 1);
}

struct logged {
    struct wish  wish;
    struct lines *lines;
};

static void tweak_logged(troth_builder *b, void *ctx)
{
    struct logged *l = ctx;
    tweak(b, &l->wish);
    troth_danger_key_log(b, on_line, l->lines);
}

static void hex(char *out, span s)
{
    for (size_t i = 0; i < s.n; i++, out += 2)
        (void)snprintf(out, 3, "%02x", s.p[i]);
}

static void test_key_log(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) { /* accepted, accepted after a retry, refused, GREASE */
        const troth_ech_pair key = new_key(), other = new_key();
        struct lines lines[2] = { { .n = 0 } };
        struct logged ours = { { .key = i == 3 ? NULL : &key, .grease = i == 3, .retry = i == 1 }, &lines[0] };
        struct logged theirs = { { .key = i < 2 ? &key : &other, .is_server = true, .retry = i == 1 }, &lines[1] };
        struct pair p;
        char want[2048];
        pair_new(&p, world_client(w, tweak_logged, &ours), world_server(w, tweak_logged, &theirs), SECRET_NAME);
        pair_run(&p);
        assert_int_equal(lines[0].n, i == 3 ? 0 : 2);
        assert_int_equal(lines[1].n, i < 2 ? 2 : 0);
        if (i < 2) {
            assert_string_equal(lines[0].secret, lines[1].secret);
            assert_string_equal(lines[0].config, lines[1].config);
        }
        if (i < 3) {
            hex(want, span_of(p.to_server.p + 5 + 4 + 2, 32)); /* as it went over the wire */
            assert_memory_equal(lines[0].secret + 11, want, 64);
            assert_int_equal(strlen(lines[0].secret), 11 + 64 + 1 + 64);
            hex(want, span_of(key.config, key.config_n));
            assert_string_equal(lines[0].config + 11 + 64 + 1, want);
        }
        pair_free(&p);
    }
}

/* ---- what follows the hello is padded too, as the lengths of names and certificates tell; what follows the handshake is not */
static void test_handshake_padding(void **state)
{
    (void)state;
    enum { HEADER = 5, OVERHEAD = 1 + 16, PAD_TO = 1024 };
    const troth_ech_pair key = new_key();
    for (int hidden = 0; hidden < 2; hidden++) {
        struct pair p;
        size_t padded = 0, records = 0;
        run(&p, (struct wish){ .key = hidden ? &key : NULL, .identity = true }, (struct wish){ .key = &key, .ask_client = true });
        assert_ready(&p);
        for (int to_client = 0; to_client < 2; to_client++) {
            const struct pipe *pipe = to_client ? &p.to_client : &p.to_server;
            for (size_t at = 0, n; at < pipe->n; at += HEADER + n) {
                n = (size_t)(pipe->p[at + 3] << 8 | pipe->p[at + 4]);
                if (pipe->p[at] != CONTENT_application_data)
                    continue;
                records++;
                padded += (n - OVERHEAD) % PAD_TO == 0;
            }
        }
        assert_true(records >= 3);
        assert_int_equal(padded, hidden ? records : 0);
        size_t before = p.to_server.n;
        assert_true(pair_write(&p.client, "question"));
        pair_run(&p);
        assert_int_equal(p.to_server.n - before, HEADER + OVERHEAD + 8);
        pair_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_choice),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_with_psk), cmocka_unit_test(test_refused_then_retried),
        cmocka_unit_test(test_refused_by_tls12),
        cmocka_unit_test(test_refused_by_whom),
        cmocka_unit_test(test_grease),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_old_session),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_other_configuration),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_required),
        cmocka_unit_test(test_put_back),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_key_log),
        cmocka_unit_test(test_handshake_padding),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
