/* Certificates after the handshake (RFC 9846 4.7.2): shown, not had, refused; key updates in between; questions to the application. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"
#include "tls/flight.h"
#include "wire/registry.h"

struct side {
    struct world *world;
    bool          offers, has, external, verdict, at_once, psk; /* at_once: the server asks in the handshake too */
    bool          raw, takes_raw;    /* what the client has is a raw key; the server accepts one, rather than a certificate */
    const troth_key *key;
    bool          accept;
};

static void tweak_client(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    if (s->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    if (s->offers)
        troth_post_handshake_auth(b);
    if (s->raw)
        troth_identity_raw_key(b, s->world->client_key_pem);
    if (s->has && s->external)
        troth_identity_external(b, s->world->client_chain_pem, ctx);
    else if (s->has)
        tweak_client_identity(b, s->world);
}

static void tweak_server(troth_builder *b, void *ctx)
{
    const struct side *s = ctx;
    if (s->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef"), TROTH_SHA256);
    static const uint8_t types[] = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 };
    if (s->takes_raw)
        troth_peer_types(b, types, COUNT_OF(types));
    if (s->verdict)
        troth_ask_verdict(b);
    if (s->at_once)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

/* What happened after READY. */
struct log {
    struct side *side;
    unsigned     auths, signs, verdicts;
    bool         waits; /* signatures wait until the test gives them */
    uint16_t     scheme;
    span         to_sign;
    uint8_t      bytes[512];
};

static void give_signature(struct pair_end *e, struct log *log)
{
    const troth_provider *p = log->side->world->mk->crypto;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n = 0;
    assert_true(p->sign(p->self, log->side->world->client_key, TROTH_SIG_ECDSA_SHA256, &log->to_sign, 1, signature, &n));
    troth_answer_sign(e->c, span_of(signature, n));
}

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct log *log = ctx;
    (void)p;
    if (ev->kind == TROTH_CLIENT_AUTH)
        log->auths++;
    else if (ev->kind == TROTH_ASK_VERDICT) {
        log->verdicts++;
        assert_false(troth_what(e->c).client_authenticated);
        troth_answer_verdict(e->c, log->side->accept, "as the test says");
    } else if (ev->kind == TROTH_ASK_SIGN) {
        assert_int_equal(ev->number, SCHEME_ecdsa_secp256r1_sha256);
        assert_true(ev->data.n <= sizeof log->bytes);
        memcpy(log->bytes, ev->data.p, ev->data.n);
        log->to_sign = span_of(log->bytes, ev->data.n);
        log->signs++;
        if (log->waits)
            return false;
        give_signature(e, log);
    } else
        return false;
    return true;
}

static void begin(struct pair *p, struct side *s, struct log *log)
{
    log->side = s;
    pair_new(p, world_client(s->world, tweak_client, s), world_server(s->world, tweak_server, s), NULL);
    p->on_event = on_event;
    p->ctx = log;
    pair_run(p);
    assert_ready(p);
    assert_int_equal(troth_what(p->server.c).client_authenticated, s->at_once);
}

static void talk(struct pair *p)
{
    size_t a = p->client.n_got, b = p->server.n_got;
    assert_true(pair_write(&p->server, "data") && pair_write(&p->client, "more data"));
    pair_run(p);
    assert_int_equal(p->client.n_got, a + 4);
    assert_int_equal(p->server.n_got, b + 9);
}

/* ---- shown: again and again, with keys that change */
static void test_shown(void **state)
{
    (void)state;
    for (int real = 0; real < 2; real++) {
        struct world *w = world_new(real ? troth_libcrypto() : fake_provider(1));
        struct side s = { .world = w, .offers = true, .has = true };
        struct log log = { 0 };
        struct pair p;
        begin(&p, &s, &log);
        talk(&p);
        for (unsigned i = 1; i <= 3; i++) {
            assert_true(troth_ask_again(p.server.c));
            pair_run(&p);
            assert_int_equal(log.auths, i);
            troth_facts f = troth_what(p.server.c);
            assert_true(f.client_authenticated && f.peer_scheme == SCHEME_ecdsa_secp256r1_sha256);
            assert_non_null(troth_peer(p.server.c));
            assert_true(troth_update_keys(i & 1 ? p.client.c : p.server.c, true));
            talk(&p);
        }
        pair_free(&p);
        world_free(w);
    }
}

/* Data and new keys on their way while the request is: the client's answer is made with the keys of then. */
static void test_crossing(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    struct side s = { .world = w, .offers = true, .has = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    assert_true(pair_write(&p.client, "before"));
    assert_true(troth_update_keys(p.client.c, false));
    assert_true(pair_write(&p.client, "between"));
    assert_true(troth_ask_again(p.server.c));
    assert_true(pair_write(&p.server, "still here"));
    pair_run(&p);
    assert_int_equal(log.auths, 1);
    assert_true(troth_what(p.server.c).client_authenticated);
    assert_int_equal(p.server.n_got, 13);
    talk(&p);
    pair_free(&p);
    world_free(w);
}

/* What was stapled to the certificate before, or said of its key, does not count for the next one. */
static void test_staple_of_before(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(10));
    struct side s = { .world = w, .offers = true, .has = true, .at_once = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    struct rare *rare = conn_rare(p.server.c);
    assert_non_null(rare);
    rare->peer_staple = rare->peer_scts = TROTH_TEXT("of before");
    p.server.c->facts.peer_delegated = true;
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_int_equal(log.auths, 1);
    troth_facts f = troth_what(p.server.c);
    assert_true(f.client_authenticated && !f.peer_staple.n && !f.peer_scts.n && !f.peer_delegated);
    pair_free(&p);
    world_free(w);
}

/* A server that asks on and on does not make the client remember more and more. */
static void test_again_and_again(void **state)
{
    enum { TIMES = 50 };
    (void)state;
    struct world *w = world_new(fake_provider(12));
    struct side s = { .world = w, .offers = true, .has = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    size_t client = 0, server = 0;
    for (unsigned i = 1; i <= TIMES; i++) {
        assert_true(troth_ask_again(p.server.c));
        pair_run(&p);
        assert_int_equal(log.auths, i);
        assert_true(troth_what(p.client.c).acceptable_authorities.n > 0);
        assert_true(i == 1 || (client == p.client.c->keep.total && server == p.server.c->keep.total));
        client = p.client.c->keep.total;
        server = p.server.c->keep.total;
    }
    talk(&p);
    pair_free(&p);
    world_free(w);
}

/* ---- none is had */
static void test_none(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    struct side s = { .world = w, .offers = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_int_equal(log.auths, 1);
    assert_false(troth_what(p.server.c).client_authenticated);
    talk(&p);
    pair_free(&p);
    world_free(w);
}

/* ---- the application is asked: the answer leaves as a whole, whatever is written meanwhile */
static void test_questions(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(4));
    struct side s = { .world = w, .offers = true, .has = true, .external = true, .verdict = true, .accept = true };
    struct log log = { .waits = true };
    struct pair p;
    begin(&p, &s, &log);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_true(log.signs >= 1 && log.auths == 0);
    assert_true(pair_write(&p.client, "while it signs"));
    assert_true(troth_update_keys(p.client.c, false));
    pair_run(&p);
    assert_int_equal(p.server.n_got, 14);
    give_signature(&p.client, &log);
    pair_run(&p);
    assert_int_equal(log.verdicts, 1);
    assert_int_equal(log.auths, 1);
    assert_true(troth_what(p.server.c).client_authenticated);
    talk(&p);
    pair_free(&p);

    s.external = false;
    s.accept = false;
    log = (struct log){ 0 };
    begin(&p, &s, &log);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_failed(&p.server, APP_REFUSED);
    pair_free(&p);
    world_free(w);
}

/* ---- not to be asked */
static void test_refused(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(5));
    struct side s = { .world = w, .has = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    assert_false(troth_ask_again(p.server.c)); /* the client did not offer it, which is its good right */
    assert_null(troth_why(p.server.c));
    pair_exchange_and_close(&p);
    pair_free(&p);

    s.offers = s.psk = true; /* an external PSK and certificates do not mix (RFC 9846 4.4.2) */
    begin(&p, &s, &log);
    assert_true(troth_what(p.server.c).psk_external);
    assert_false(troth_ask_again(p.server.c));
    assert_null(troth_why(p.server.c));
    pair_exchange_and_close(&p);
    pair_free(&p);

    s.psk = false;
    begin(&p, &s, &log);
    assert_true(troth_ask_again(p.server.c));
    assert_false(troth_ask_again(p.server.c)); /* one at a time */
    pair_free(&p);

    begin(&p, &s, &log);
    assert_false(troth_ask_again(p.client.c));
    pair_free(&p);
    world_free(w);
}

/* Or not any more: the client had closed when the request came, and says nothing behind that. */
static void test_after_close(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(9));
    struct side s = { .world = w, .offers = true, .has = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    p.no_close = true;
    troth_close(p.client.c);
    pair_step(&p, &p.client);
    size_t said = p.to_server.n;
    assert_true(troth_ask_again(p.server.c));
    assert_true(pair_write(&p.server, "and more"));
    pair_run(&p);
    assert_int_equal(p.to_server.n, said);
    assert_int_equal(p.client.n_got, 8);
    assert_true(p.server.closed && !log.auths);
    troth_close(p.server.c);
    pair_run(&p);
    assert_true(p.client.done && p.server.done);
    pair_free(&p);
    world_free(w);
}

/* Closed while the application signs: the signature comes too late, in the handshake and behind it. */
static void test_closed_while_signing(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct world *w = world_new(fake_provider(11));
        struct side s = { .world = w, .offers = true, .has = true, .external = true, .at_once = !late };
        struct log log = { .side = &s, .waits = true };
        struct pair p;
        if (late) {
            begin(&p, &s, &log);
            assert_true(troth_ask_again(p.server.c));
        } else {
            pair_new(&p, world_client(w, tweak_client, &s), world_server(w, tweak_server, &s), NULL);
            p.on_event = on_event;
            p.ctx = &log;
        }
        pair_run(&p);
        assert_true(log.signs && !p.client.c->close_sent);
        p.no_close = true;
        troth_close(p.client.c);
        give_signature(&p.client, &log);
        size_t before = p.to_server.n;
        pair_step(&p, &p.client);
        assert_int_equal(p.to_server.n, before + 5 + 2 + 1 + 16); /* close_notify alone */
        if (late) {
            assert_true(pair_write(&p.server, "still heard"));
            pair_run(&p);
            assert_int_equal(p.client.n_got, 11);
            assert_true(p.server.closed && !log.auths);
            troth_close(p.server.c);
        }
        pair_run(&p);
        assert_true(p.client.done);
        pair_free(&p);
        world_free(w);
    }
}

/* ---- the wire, changed on its way: the answer to another request */
static void on_message(void *self, const struct saw_message *m)
{
    bool *done = self;
    if (*done || !m->ours || strcmp(m->type, "CertificateRequest"))
        return;
    ((uint8_t *)(uintptr_t)m->raw.p)[4 + 1] ^= 1; /* behind header and length: the context */
    *done = true;
}

static void test_context(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(6));
    struct side s = { .world = w, .offers = true, .has = true };
    struct log log = { 0 };
    bool done = false;
    struct witness witness = { .self = &done, .message = on_message };
    struct pair p;
    begin(&p, &s, &log);
    conn_watch(p.server.c, &witness);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_true(done);
    assert_failed(&p.server, CERTIFICATE_CONTEXT);
    assert_false(troth_what(p.server.c).client_authenticated);
    pair_free(&p);
    world_free(w);
}

/* A request without a context, which only one within the handshake may be: its 16 bytes become an extension that nobody knows. */
static void without_context(void *self, const struct saw_message *m)
{
    enum { AT = 4, CONTEXT = 16 };
    bool *done = self;
    uint8_t *p = (uint8_t *)(uintptr_t)m->raw.p + AT;
    if (*done || !m->ours || strcmp(m->type, "CertificateRequest"))
        return;
    assert_int_equal(p[0], CONTEXT);
    unsigned rest = (unsigned)(p[1 + CONTEXT] << 8 | p[1 + CONTEXT + 1]) + CONTEXT;
    const uint8_t head[] = { 0, (uint8_t)(rest >> 8), (uint8_t)rest, 0xab, 0xab, 0, CONTEXT - 4 };
    memcpy(p, head, sizeof head);
    memset(p + sizeof head, 0, 1 + CONTEXT + 2 - sizeof head);
    *done = true;
}

static void test_without_context(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(7));
    struct side s = { .world = w, .offers = true, .has = true };
    struct log log = { 0 };
    bool done = false;
    struct witness witness = { .self = &done, .message = without_context };
    struct pair p;
    begin(&p, &s, &log);
    conn_watch(p.server.c, &witness);
    assert_true(troth_ask_again(p.server.c));
    pair_run(&p);
    assert_true(done);
    assert_failed(&p.client, LATE_CONTEXT);
    pair_free(&p);
    world_free(w);
}

/* ---- a certificate that anybody can show, and then data instead of the proof: it is nobody's, whoever the client was before */
static void test_data_instead_of_proof(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool data = i & 1;
        struct world *w = world_new(fake_provider(8));
        struct side s = { .world = w, .offers = true, .has = true, .external = true, .at_once = i & 2 };
        struct log log = { 0 };
        struct pair p;
        begin(&p, &s, &log);
        log.waits = true;
        assert_true(troth_ask_again(p.server.c));
        pair_run(&p);
        p.client.c->hs->flight.held = false; /* its Certificate goes out alone */
        assert_true(flight_flush(p.client.c));
        pair_run(&p);
        assert_int_equal(p.server.c->state, S_WAIT_LATE_CV);
        assert_false(troth_what(p.server.c).client_authenticated);
        if (data) {
            assert_true(pair_write(&p.client, "obey"));
            pair_run(&p);
            assert_failed(&p.server, DATA_UNEXPECTED);
            assert_int_equal(p.server.n_got, 0);
            assert_false(troth_what(p.server.c).client_authenticated);
        } else {
            give_signature(&p.client, &log);
            pair_run(&p);
            assert_true(troth_what(p.server.c).client_authenticated);
            talk(&p);
        }
        pair_free(&p);
        world_free(w);
    }
}

/* ---- raw public keys (RFC 7250): the type is agreed in the handshake, for whatever is asked for later */
static void ask_for_raw_key(struct pair *p, struct log *log)
{
    p->on_event = on_event;
    p->ctx = log;
    assert_true(troth_ask_again(p->server.c));
    pair_run(p);
    assert_int_equal(log->auths, 1);
    assert_int_equal(log->verdicts, 1);
    troth_facts f = troth_what(p->server.c);
    assert_true(f.client_authenticated && f.peer_type == TROTH_RAW_PUBLIC_KEY && f.peer_raw_key.n);
    talk(p);
}

static void test_raw_key(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) { /* the client has a certificate as well */
        struct world *w = world_new(fake_provider(21));
        struct kept_ticket kept = { .n = 0 };
        struct side s = { .world = w, .offers = true, .raw = true, .has = both, .takes_raw = true, .verdict = true, .accept = true };
        troth_client *client = world_client(w, tweak_client, &s);
        troth_server *server = world_server(w, tweak_server, &s);
        for (int resumed = 0; resumed < 2; resumed++) {
            struct log log = { .side = &s };
            struct pair p;
            (void)config_share((const struct config *)client);
            (void)config_share((const struct config *)server);
            pair_new(&p, client, server, NULL);
            if (resumed)
                troth_resume(p.client.c, span_of(kept.p, kept.n));
            p.on_event = pair_keep_ticket;
            p.ctx = &kept;
            pair_run(&p);
            assert_ready(&p);
            assert_int_equal(troth_what(p.server.c).resumed, resumed);
            ask_for_raw_key(&p, &log);
            pair_free(&p);
        }
        troth_client_free(client);
        troth_server_free(server);
        world_free(w);
    }
}

/* The client has raw keys alone, the server wants certificates: it is not asked, and nothing breaks. */
static void test_no_type_in_common(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(22));
    struct side s = { .world = w, .offers = true, .raw = true };
    struct log log = { 0 };
    struct pair p;
    begin(&p, &s, &log);
    assert_false(troth_ask_again(p.server.c));
    talk(&p);
    assert_false(troth_what(p.server.c).client_authenticated);
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown),     cmocka_unit_test(test_crossing), cmocka_unit_test(test_none),
        cmocka_unit_test(test_questions), cmocka_unit_test(test_refused),  cmocka_unit_test(test_context),
        cmocka_unit_test(test_without_context), cmocka_unit_test(test_data_instead_of_proof),
        cmocka_unit_test(test_after_close),     cmocka_unit_test(test_staple_of_before),
        cmocka_unit_test(test_closed_while_signing), cmocka_unit_test(test_again_and_again),
        cmocka_unit_test(test_raw_key),         cmocka_unit_test(test_no_type_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
