/* Trust by a pin of the peer's key: alone, beside authorities, several, of clients; on first use; and which sessions it lets pass. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"

/* ---- who trusts whom, how */
struct trust {
    struct world *w;
    bool          tls12, anchors, anyone, second;
    size_t        n_pins;
    uint8_t       pins[2][32];
};

static troth_client *client(const struct trust *t)
{
    troth_error why;
    troth_builder *b = troth_client_builder(troth_provider_share(t->w->mk->crypto));
    uint16_t v = t->tls12 ? TROTH_TLS12 : TROTH_TLS13;
    troth_clock(b, test_clock, NULL);
    troth_versions(b, v, v);
    if (t->anchors)
        troth_trust_pem(b, t->w->root_pem);
    for (size_t i = 0; i < t->n_pins; i++)
        troth_trust_pin(b, t->pins[i]);
    if (t->anyone) {
        troth_danger_trust_anyone(b, "the first time");
        troth_ask_verdict(b);
    }
    troth_client *us = troth_build_client(b, &why);
    assert_non_null(us);
    return us;
}

/* `second`: the same name, another key. */
static troth_server *server(const struct trust *t)
{
    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(t->w->mk->crypto));
    span chain = t->w->chain_pem, key = t->w->key_pem;
    troth_clock(b, test_clock, NULL);
    if (t->second)
        world_identity(t->w, TROTH_KEY_P256, "a.example", &chain, &key);
    troth_identity_pem(b, chain, key);
    troth_server *us = troth_build_server(b, &why);
    assert_non_null(us);
    return us;
}

/* ---- a store of pins, as an application has one */
struct store {
    bool     known;
    uint8_t  pin[32];
    unsigned asked;
    uint8_t  ticket[8192];
    size_t   ticket_n;
};

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct store *s = ctx;
    if (ev->kind == TROTH_TICKET)
        memcpy(s->ticket, ev->data.p, s->ticket_n = ev->data.n);
    if (ev->kind != TROTH_ASK_VERDICT || e != &p->client)
        return false;
    s->asked++;
    assert_true(troth_peer_pin(e->c, s->pin));
    s->known = true;
    troth_answer_verdict(e->c, true, "the user compared it");
    return true;
}

static void run(struct pair *p, const struct trust *t, struct store *s)
{
    pair_new(p, client(t), server(t), NULL);
    p->on_event = s ? on_event : NULL;
    p->ctx = s;
    if (s && s->ticket_n)
        troth_resume(p->client.c, span_of(s->ticket, s->ticket_n));
    pair_run(p);
}

/* The pin of the world's server, learned the safe way. */
static void pin_of(struct world *w, uint8_t pin[32])
{
    struct trust t = { .w = w, .anchors = true };
    struct pair p;
    run(&p, &t, NULL);
    assert_ready(&p);
    assert_true(troth_peer_pin(p.client.c, pin));
    assert_false(troth_peer_pin(p.server.c, pin)); /* the client showed nothing */
    pair_free(&p);
}

static void test_pins(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1)), *other = world_new(fake_provider(2));
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct trust t = { .w = w, .tls12 = tls12, .n_pins = 1 };
        struct pair p;
        pin_of(w, t.pins[0]);
        run(&p, &t, NULL); /* alone, no authority at all */
        assert_ready(&p);
        assert_false(troth_report_ok(troth_peer(p.client.c))); /* the report does not pretend otherwise */
        pair_free(&p);
        t.anchors = true; /* on top of authorities */
        run(&p, &t, NULL);
        assert_ready(&p);
        pair_free(&p);
        t.second = true; /* a certificate that the authority issued, and another key */
        run(&p, &t, NULL);
        assert_failed(&p.client, PIN_MISMATCH);
        assert_true(p.server.failed);
        uint8_t shown[32];
        assert_true(troth_peer_pin(p.client.c, shown)); /* whose it is can be said */
        assert_memory_not_equal(shown, t.pins[0], 32);
        pair_free(&p);
        memcpy(t.pins[1], t.pins[0], 32); /* one of several is enough */
        t.pins[0][3] ^= 1;
        t.n_pins = 2;
        t.second = false;
        run(&p, &t, NULL);
        assert_ready(&p);
        pair_free(&p);
        for (size_t i = 0; i < 32; i++) { /* every bit of a pin counts */
            struct trust near = { .w = w, .tls12 = tls12, .n_pins = 1 };
            memcpy(near.pins[0], t.pins[1], 32);
            near.pins[0][i] ^= (uint8_t)(1 << i % 8);
            run(&p, &near, NULL);
            assert_failed(&p.client, PIN_MISMATCH);
            pair_free(&p);
        }
    }
    world_free(w);
    world_free(other);
}

/* ---- on first use, and from then on */
static void test_first_use(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct store s = { .known = false };
        struct trust first = { .w = w, .tls12 = tls12, .anyone = true }, then = { .w = w, .tls12 = tls12, .n_pins = 1 };
        struct pair p;
        run(&p, &first, &s);
        assert_ready(&p);
        assert_true(s.known && s.asked == 1);
        pair_free(&p);
        memcpy(then.pins[0], s.pin, 32);
        s.ticket_n = 0;
        run(&p, &then, &s);
        assert_ready(&p);
        assert_int_equal(s.asked, 1);
        pair_free(&p);
        then.second = true; /* somebody else answers by the same name */
        run(&p, &then, &s);
        assert_failed(&p.client, PIN_MISMATCH);
        assert_false(p.client.ready);
        pair_free(&p);
    }
    world_free(w);
}

/* ---- a session is only as good as the pin it was made under */
static void test_sessions(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct store s = { .known = false };
        struct trust t = { .w = w, .tls12 = tls12, .n_pins = 1 };
        struct pair p;
        uint8_t pin[32];
        troth_span der, ours;
        pin_of(w, t.pins[0]);
        troth_server *same = server(&t);
        for (int i = 0; i < 3; i++) {
            if (i == 2) { /* another pin beside it: other rules */
                memset(t.pins[1], 7, 32);
                t.n_pins = 2;
            }
            (void)config_share((const struct config *)same);
            pair_new(&p, client(&t), same, NULL);
            p.on_event = on_event;
            p.ctx = &s;
            if (s.ticket_n)
                troth_resume(p.client.c, span_of(s.ticket, s.ticket_n));
            pair_run(&p);
            assert_ready(&p);
            assert_int_equal(troth_what(p.client.c).resumed, i == 1);
            assert_true(troth_peer_pin(p.client.c, pin));
            assert_memory_equal(pin, t.pins[0], 32);
            assert_true(troth_peer_certificate(p.client.c, &der)); /* so can which one it was, also of the session that is resumed */
            assert_true(troth_server_certificate(same, 0, &ours));
            assert_int_equal(der.n, ours.n);
            assert_memory_equal(der.p, ours.p, der.n);
            assert_false(troth_peer_certificate(p.server.c, &der));
            pair_free(&p);
        }
        troth_server_free(same);
    }
    world_free(w);
}

/* ---- servers may pin clients */
static void tweak_pin(troth_builder *b, void *ctx)
{
    troth_trust_pin(b, ctx);
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void tweak_auth(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

static void test_clients(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct pair p;
    uint8_t pin[32];
    pair_new(&p, world_client(w, tweak_client_identity, w), world_server(w, tweak_auth, NULL), NULL);
    pair_run(&p);
    assert_ready(&p);
    assert_true(troth_peer_pin(p.server.c, pin));
    pair_free(&p);
    for (int wrong = 0; wrong < 2; wrong++) {
        pin[31] ^= (uint8_t)wrong;
        pair_new(&p, world_client(w, tweak_client_identity, w), world_server(w, tweak_pin, pin), NULL);
        pair_run(&p);
        if (wrong)
            assert_failed(&p.server, PIN_MISMATCH);
        else
            assert_ready(&p);
        pair_free(&p);
    }
    assert_false(troth_peer_pin(NULL, pin));
    assert_false(troth_peer_certificate(NULL, &(troth_span){ 0 }));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_first_use),
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
