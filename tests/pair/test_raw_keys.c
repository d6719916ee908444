/* Raw public keys (RFC 7250), both versions, both directions: what is negotiated, who is believed, what is refused. */
#include "crypto/provider.h"
#include "fake/fake.h"
#include "support/pair.h"

#include "support/test.h"
#include "tls/conn.h"
#include "wire/registry.h"

/* ---- what each side is told to do */
struct side {
    struct world *world;
    uint16_t      version;
    span          raw_key;       /* an identity by raw key                             */
    bool          x509;          /* client: an identity with a chain, behind the raw one */
    bool          only_raw;      /* server: no chain at all                            */
    uint8_t       peer[2];
    size_t        n_peer;
    const uint8_t *pin;
    bool          verdict, anyone, ask, is_server, uncompressed, psk;
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    troth_versions(b, s->version, s->version);
    if (s->raw_key.n)
        troth_identity_raw_key(b, s->raw_key);
    if (s->x509)
        troth_identity_pem(b, s->world->client_chain_pem, s->world->client_key_pem);
    if (s->n_peer)
        troth_peer_types(b, s->peer, s->n_peer);
    if (s->pin)
        troth_trust_pin(b, s->pin);
    if (s->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    if (s->uncompressed)
        troth_compressors(b, NULL, 0);
    if (s->verdict)
        troth_ask_verdict(b);
    if (s->ask)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

/* world_client and world_server trust the root; here nothing is trusted that the test does not name. */
static troth_client *client(struct side *s)
{
    troth_error why;
    troth_builder *b = troth_client_builder(troth_provider_share(s->world->mk->crypto));
    troth_clock(b, test_clock, NULL);
    tweak(b, s);
    troth_client *us = troth_build_client(b, &why);
    if (!us)
        test_fail("client: %s: %s", why.code, why.detail);
    return us;
}

static troth_server *server(struct side *s)
{
    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(s->world->mk->crypto));
    troth_clock(b, test_clock, NULL);
    if (!s->only_raw)
        troth_identity_pem(b, s->world->chain_pem, s->world->key_pem);
    s->is_server = true;
    tweak(b, s);
    troth_server *us = troth_build_server(b, &why);
    if (!us)
        test_fail("server: %s: %s", why.code, why.detail);
    return us;
}

static void pin_of(struct world *w, const troth_key *key, uint8_t pin[32], span *spki)
{
    const troth_provider *p = w->mk->crypto;
    uint8_t *der = arena_alloc(&w->mk->arena, 1024);
    const troth_hash *h = provider_hash(p, TROTH_SHA256);
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    uint8_t digest[TROTH_DIGEST_MAX];
    *spki = span_of(der, p->key_public(key, der, 1024));
    assert_true(spki->n > 0);
    h->begin(state);
    h->add(state, spki->p, spki->n);
    h->peek(state, digest);
    memcpy(pin, digest, 32);
}

static bool say(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    const bool *accept = ctx;
    (void)p;
    if (ev->kind != TROTH_ASK_VERDICT)
        return false;
    e->n_ask++;
    assert_true(troth_what(e->c).peer_raw_key.n > 0);
    troth_answer_verdict(e->c, *accept, "as the test says");
    return true;
}

static void run(struct pair *p, struct side *c, struct side *s, bool *verdict)
{
    pair_new(p, client(c), server(s), NULL);
    p->on_event = say;
    p->ctx = verdict;
    pair_run(p);
}

static const uint16_t versions[] = { TROTH_TLS13, TROTH_TLS12 };

/* ---- the server shows a raw key */
static void test_server(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        struct world *w = world_new(fake_provider(1 + v));
        uint8_t pin[32];
        span spki;
        struct pair p;
        bool yes = true;
        pin_of(w, w->leaf_key, pin, &spki);
        struct side c = { .world = w, .version = versions[v], .peer = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 }, .n_peer = 2, .pin = pin };
        struct side s = { .world = w, .version = versions[v], .raw_key = w->key_pem, .only_raw = true };
        run(&p, &c, &s, &yes);
        assert_ready(&p);
        troth_facts f = troth_what(p.client.c), g = troth_what(p.server.c);
        assert_int_equal(f.peer_type, TROTH_RAW_PUBLIC_KEY);
        assert_int_equal(g.own_type, TROTH_RAW_PUBLIC_KEY);
        assert_true(span_equal(f.peer_raw_key, spki));
        assert_null(troth_peer(p.client.c));
        assert_true(f.peer_scheme && f.peer_scheme == g.own_scheme);
        assert_int_equal(g.own_identity, 0);
        assert_true(pair_write(&p.client, "hello"));
        pair_run(&p);
        assert_int_equal(p.server.n_got, 5);
        pair_free(&p);
        world_free(w);
    }
}

/* Offered but not had: the server has a chain, and the client takes that too. */
static void test_falls_back(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        struct world *w = world_new(fake_provider(3 + v));
        uint8_t pin[32];
        span spki;
        struct pair p;
        pin_of(w, w->leaf_key, pin, &spki);
        struct side c = { .world = w, .version = versions[v], .peer = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 }, .n_peer = 2, .pin = pin };
        struct side s = { .world = w, .version = versions[v] };
        run(&p, &c, &s, NULL);
        assert_ready(&p);
        assert_int_equal(troth_what(p.client.c).peer_type, TROTH_X509);
        assert_int_equal(troth_what(p.client.c).peer_raw_key.n, 0);
        pair_free(&p);

        c.n_peer = 1; /* raw keys alone: nothing in common */
        run(&p, &c, &s, NULL);
        assert_failed(&p.server, NO_SHARED_CERT_TYPE);
        assert_int_equal(troth_why(p.client.c)->alert, 43); /* unsupported_certificate (RFC 7250 4.2) */
        pair_free(&p);
        world_free(w);
    }
}

/* A client that knows nothing of raw keys, and a server that has nothing else. */
static void test_not_asked(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(5));
    struct pair p;
    struct side s = { .world = w, .version = TROTH_TLS13, .raw_key = w->key_pem, .only_raw = true };
    pair_new(&p, world_client(w, NULL, NULL), server(&s), NULL);
    pair_run(&p);
    assert_failed(&p.server, NO_SHARED_CERT_TYPE);
    pair_free(&p);
    world_free(w);
}

/* ---- trust */
static void test_trust(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++) {
        struct world *w = world_new(fake_provider(6 + v));
        uint8_t other[32];
        span spki;
        struct pair p;
        bool verdict = true;
        pin_of(w, w->client_key, other, &spki);
        struct side c = { .world = w, .version = versions[v], .peer = { TROTH_RAW_PUBLIC_KEY }, .n_peer = 1, .pin = other };
        struct side s = { .world = w, .version = versions[v], .raw_key = w->key_pem, .only_raw = true };
        run(&p, &c, &s, &verdict);
        assert_failed(&p.client, PIN_MISMATCH);
        pair_free(&p);

        c.verdict = true; /* a verdict does not outweigh a pin */
        run(&p, &c, &s, &verdict);
        assert_failed(&p.client, PIN_MISMATCH);
        assert_int_equal(p.client.n_ask, 0);
        pair_free(&p);

        c.pin = NULL;
        run(&p, &c, &s, &verdict);
        assert_ready(&p);
        assert_int_equal(p.client.n_ask, 1);
        pair_free(&p);

        verdict = false;
        run(&p, &c, &s, &verdict);
        assert_failed(&p.client, APP_REFUSED);
        pair_free(&p);
        world_free(w);
    }
}

static void test_config(void **state)
{
    static const uint8_t raw[] = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 }, twice[] = { TROTH_X509, TROTH_X509 }, unknown[] = { 1 };
    static const struct { const uint8_t *types; size_t n; enum troth_reason why; } rows[] = {
        { raw, 2, TROTH_R_NO_TRUST }, { twice, 2, TROTH_R_BAD_ARGUMENT }, { unknown, 1, TROTH_R_BAD_ARGUMENT },
        { raw, 0, TROTH_R_BAD_ARGUMENT },
    };
    (void)state;
    struct world *w = world_new(fake_provider(8));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        troth_error why;
        troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
        troth_trust_pem(b, w->root_pem); /* authorities say nothing about raw keys */
        troth_peer_types(b, rows[i].types, rows[i].n);
        assert_null(troth_build_client(b, &why));
        assert_int_equal(why.reason, rows[i].why);
    }
    world_free(w);
}

/* ---- the client shows one */
static void test_client(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT_OF(versions); v++)
        for (int x509 = 0; x509 < 2; x509++) {
            struct world *w = world_new(fake_provider(9 + v));
            uint8_t pin[32], client_pin[32];
            span spki, client_spki;
            struct pair p;
            pin_of(w, w->leaf_key, pin, &spki);
            pin_of(w, w->client_key, client_pin, &client_spki);
            struct side c = { .world = w, .version = versions[v], .raw_key = w->client_key_pem, .x509 = x509, .pin = pin };
            struct side s = { .world = w, .version = versions[v], .ask = true, .peer = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 }, .n_peer = 2,
                              .pin = client_pin };
            run(&p, &c, &s, NULL);
            assert_ready(&p);
            troth_facts f = troth_what(p.client.c), g = troth_what(p.server.c);
            assert_int_equal(g.peer_type, TROTH_RAW_PUBLIC_KEY);
            assert_int_equal(f.own_type, TROTH_RAW_PUBLIC_KEY);
            assert_int_equal(f.peer_type, TROTH_X509);
            assert_true(g.client_authenticated && span_equal(g.peer_raw_key, client_spki));
            pair_free(&p);

            s.n_peer = 0; /* the server takes chains only */
            run(&p, &c, &s, NULL);
            if (x509)
                assert_ready(&p);
            else
                assert_failed(&p.server, CERT_TYPE_UNSUPPORTED);
            pair_free(&p);
            world_free(w);
        }
}

/* ---- messages that are changed on their way: by the server's witness, before they are hashed */
enum { HEADER = 4, ENTRY = HEADER + 1 + 3 + 3 }; /* where cert_data begins in a Certificate of TLS 1.3 without a context */

struct change {
    const char *message;
    void      (*make)(uint8_t *p, size_t n, span spki);
    span        spki;
    bool        done;
};

static void on_message(void *self, const struct saw_message *m)
{
    struct change *c = self;
    if (c->done || !m->ours || strcmp(m->type, c->message))
        return;
    c->make((uint8_t *)(uintptr_t)m->raw.p, m->raw.n, c->spki);
    c->done = true;
}

static void put24(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

/* The extension server_certificate_type says OpenPGP. */
static void another_type(uint8_t *p, size_t n, span spki)
{
    static const uint8_t answer[] = { 0, EXT_server_certificate_type, 0, 1 };
    (void)spki;
    for (size_t i = 0; i + sizeof answer < n; i++)
        if (!memcmp(p + i, answer, sizeof answer))
            p[i + sizeof answer] = 1;
}

/* The key is no BIT STRING. */
static void broken_key(uint8_t *p, size_t n, span spki)
{
    (void)spki;
    assert_true(n > ENTRY + 23 && p[ENTRY + 23] == 0x03); /* behind the algorithm of a key on P-256 */
    p[ENTRY + 23] = 0x04;
}

/* Two entries: the key, cut in two. */
static void two_entries(uint8_t *p, size_t n, span spki)
{
    size_t data = n - ENTRY - 2, half = data / 2;
    (void)spki;
    put24(p + ENTRY - 3, half - 5);
    p[ENTRY + half - 5] = p[ENTRY + half - 4] = 0;
    put24(p + ENTRY + half - 3, data - half);
}

/* The certificate is its key alone, and something behind it. */
static void key_alone(uint8_t *p, size_t n, span spki)
{
    size_t rest = n - ENTRY - 2 - spki.n - 5;
    assert_true(n > ENTRY + 2 + spki.n + 5);
    put24(p + ENTRY - 3, spki.n);
    memcpy(p + ENTRY, spki.p, spki.n);
    p[ENTRY + spki.n] = p[ENTRY + spki.n + 1] = 0;
    put24(p + ENTRY + spki.n + 2, rest);
}

static void plain(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_compressors(b, NULL, 0);
}

static void test_changed(void **state)
{
    static const struct { const char *message; void (*make)(uint8_t *, size_t, span); bool raw; enum troth_reason why; } rows[] = {
        { "EncryptedExtensions", another_type, true, TROTH_R_CERT_TYPE_NOT_OFFERED },
        { "Certificate", broken_key, true, TROTH_R_RAW_KEY },
        { "Certificate", two_entries, true, TROTH_R_RAW_KEY },
        { "Certificate", key_alone, false, TROTH_R_RAW_KEY_UNASKED },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(troth_libcrypto());
        struct change change = { .message = rows[i].message, .make = rows[i].make };
        struct witness witness = { .self = &change, .message = on_message };
        uint8_t pin[32];
        struct pair p;
        pin_of(w, w->leaf_key, pin, &change.spki);
        struct side c = { .world = w, .version = TROTH_TLS13, .peer = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 }, .n_peer = 2, .pin = pin };
        struct side s = { .world = w, .version = TROTH_TLS13, .raw_key = w->key_pem, .only_raw = true, .uncompressed = true };
        if (rows[i].raw)
            pair_new(&p, client(&c), server(&s), NULL);
        else
            pair_new(&p, world_client(w, plain, NULL), world_server(w, plain, NULL), NULL);
        conn_watch(p.server.c, &witness);
        pair_run(&p);
        assert_true(change.done);
        assert_failed_at(&p.client, rows[i].why, __FILE__, __LINE__);
        pair_free(&p);
        world_free(w);
    }
}

/* No configuration is built that takes raw keys and names nobody who answers for them; should one come to be, it believes none. */
static void test_untrusted(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(11));
    uint8_t pin[32];
    span spki;
    struct pair p;
    pin_of(w, w->leaf_key, pin, &spki);
    struct side c = { .world = w, .version = TROTH_TLS13, .peer = { TROTH_RAW_PUBLIC_KEY }, .n_peer = 1, .pin = pin };
    struct side s = { .world = w, .version = TROTH_TLS13, .raw_key = w->key_pem, .only_raw = true };
    pair_new(&p, client(&c), server(&s), NULL);
    ((struct config *)(uintptr_t)p.client.c->cfg)->n_pins = 0;
    pair_run(&p);
    assert_failed(&p.client, RAW_KEY_UNTRUSTED);
    pair_free(&p);
    world_free(w);
}

/* Where a PSK speaks for the server no certificate comes, so it does not matter that its kind would be another. */
static void test_psk_instead(void **state)
{
    (void)state;
    for (int psk = 0; psk < 2; psk++) {
        struct world *w = world_new(fake_provider(9));
        uint8_t pin[32];
        span spki;
        pin_of(w, w->leaf_key, pin, &spki);
        struct side c = { .world = w, .version = TROTH_TLS13, .peer = { TROTH_RAW_PUBLIC_KEY }, .n_peer = 1, .pin = pin, .psk = psk };
        struct side s = { .world = w, .version = TROTH_TLS13, .psk = true };
        struct pair p;
        run(&p, &c, &s, NULL);
        if (psk) {
            pair_exchange(&p);
            assert_true(troth_what(p.client.c).psk_external);
        } else {
            assert_failed(&p.server, NO_SHARED_CERT_TYPE);
        }
        pair_free(&p);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server), cmocka_unit_test(test_falls_back), cmocka_unit_test(test_not_asked),
        cmocka_unit_test(test_trust),  cmocka_unit_test(test_config),     cmocka_unit_test(test_client),
        cmocka_unit_test(test_changed), cmocka_unit_test(test_untrusted),
        cmocka_unit_test(test_psk_instead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
