/* QUIC in memory (RFC 9001): handshakes under every split, with every detour; resumption and early data; and what does not exist there. */
#include <troth/explain.h>

#include "fake/fake.h"
#include "support/quic.h"
#include "support/test.h"
#include "tls/config.h"
#include "wire/registry.h"

struct plan {
    struct world *w;
    bool          server, auth, retry, ask, verdict, early, shared, stream;
    bool          psk;
    uint16_t      suite;
    const troth_ech_pair *ech;
    const char   *public_name; /* of it */
};

static const troth_ticket_key shared_keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };

static int64_t now;
static int64_t moving_clock(void *ctx)
{
    return test_clock(ctx) + now;
}

static void tweak_ech(troth_builder *b, const struct plan *p)
{
    uint8_t list[2 + sizeof p->ech->config];
    span config = span_of(p->ech->config, p->ech->config_n), chain, key;
    struct wr w = wr_into(list, sizeof list);
    wr_opaque(&w, 2, config);
    if (!p->server) {
        troth_ech_configs(b, wr_done(&w));
        return;
    }
    world_identity(p->w, TROTH_KEY_P256, p->public_name, &chain, &key);
    troth_identity_pem(b, chain, key);
    troth_ech_key(b, config, SPAN_OF(p->ech->private_key), true);
}

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t x25519[] = { GROUP_x25519, GROUP_secp256r1 }, p256[] = { GROUP_secp256r1 };
    static const char *const names[] = { "h3" };
    const struct plan *p = ctx;
    if (p->stream)
        troth_alpn(b, names, 1);
    else
        quic_tweak(b);
    if (p->shared && p->server)
        troth_ticket_keys(b, shared_keys, 1);
    troth_clock(b, moving_clock, NULL);
    if (p->auth && p->server)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (p->auth && !p->server)
        tweak_client_identity(b, p->w);
    if (p->retry && p->server)
        troth_groups(b, p256, 1);
    else
        troth_groups(b, x25519, 2);
    if (p->ask && p->server)
        troth_ask_server(b);
    if (p->verdict)
        troth_ask_verdict(b);
    if (p->early)
        troth_early_data(b, 1);
    if (p->suite)
        troth_suites(b, &p->suite, 1);
    if (p->psk)
        troth_psk(b, TROTH_TEXT("a client"), TROTH_TEXT("0123456789abcdef0123456789abcdef"), TROTH_SHA256);
    if (p->ech)
        tweak_ech(b, p);
}

struct two {
    troth_client *client;
    troth_server *server;
};

static struct two make(struct plan plan)
{
    struct plan theirs = plan;
    theirs.server = true;
    return (struct two){ world_client(plan.w, tweak, &plan), world_server(plan.w, tweak, &theirs) };
}

static void again(struct quic_pair *p, const struct two *t, const char *early)
{
    quic_pair_again(p, t->client, t->server, early, SPAN_NONE);
}

static void done(struct two *t)
{
    troth_client_free(t->client);
    troth_server_free(t->server);
}

static bool say_yes(struct quic_pair *p, struct quic_end *e, const troth_event *ev)
{
    if (ev->kind == TROTH_ASK_SERVER) {
        assert_true(span_equal(troth_what(e->c).peer_quic_parameters, TROTH_TEXT(CLIENT_PARAMETERS)));
        troth_answer_server(e->c, p->ctx);
    }
    if (ev->kind == TROTH_ASK_VERDICT)
        troth_answer_verdict(e->c, true, NULL);
    return true;
}

static void run(struct two *t, size_t most, size_t cut)
{
    struct quic_pair p;
    again(&p, t, NULL);
    p.most = most;
    p.cut = cut;
    p.answer = say_yes;
    p.ctx = t->server;
    quic_run(&p);
    assert_quic_ready(&p);
    assert_int_equal(p.client.n_ticket, 2);
    assert_false(p.client.ticket_early);
    quic_pair_free(&p);
}

/* How many bytes the longest of all flights has. */
static size_t longest(struct two *t)
{
    struct quic_pair p;
    size_t n = 0;
    again(&p, t, NULL);
    p.answer = say_yes;
    p.ctx = t->server;
    quic_run(&p);
    assert_quic_ready(&p);
    for (int l = 0; l < LEVELS; l++) {
        n = p.client.out[l].n > n ? p.client.out[l].n : n;
        n = p.server.out[l].n > n ? p.server.out[l].n : n;
    }
    quic_pair_free(&p);
    return n;
}

static void test_every_split(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    const struct plan plans[] = {
        { .w = w }, { .w = w, .auth = true }, { .w = w, .retry = true }, { .w = w, .ask = true, .verdict = true },
        { .w = w, .suite = SUITE_TLS_AES_256_GCM_SHA384 }, { .w = w, .suite = SUITE_TLS_CHACHA20_POLY1305_SHA256 },
    };
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        struct two t = make(plans[i]);
        size_t n = longest(&t), step = i ? 17 : 1;
        assert_true(n > 300);
        for (size_t most = 1; most < 9; most++)
            run(&t, most, 0);
        for (size_t cut = 1; cut < n; cut += step)
            run(&t, 0, cut);
        done(&t);
    }
    world_free(w);
}

static void test_real(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct two t = make((struct plan){ .w = w, .auth = true });
    run(&t, 0, 0);
    done(&t);
    world_free(w);
}

/* Both hellos of Encrypted Client Hello have the parameters; an external PSK needs no certificate. */
static void test_beside(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    troth_ech_pair ech;
    troth_error why;
    struct quic_pair p;
    assert_true(troth_ech_make(w->mk->crypto, "public.example", 32, &ech, &why));
    for (int retry = 0; retry < 2; retry++) {
        struct two t = make((struct plan){ .w = w, .ech = &ech, .public_name = "public.example", .retry = retry });
        again(&p, &t, NULL);
        quic_run(&p);
        assert_quic_ready(&p);
        assert_int_equal(troth_what(p.client.c).ech, TROTH_ECH_ACCEPTED);
        assert_int_equal(troth_what(p.server.c).ech, TROTH_ECH_ACCEPTED);
        quic_pair_free(&p);
        done(&t);
    }
    struct two t = make((struct plan){ .w = w, .psk = true });
    again(&p, &t, NULL);
    quic_run(&p);
    assert_quic_ready(&p);
    assert_true(troth_what(p.server.c).psk_external);
    quic_pair_free(&p);
    done(&t);
    world_free(w);
}

/* ---- the order of events, which QUIC libraries rest on */
static void test_order(void **state)
{
    static const struct { enum troth_event_kind kind; int level, ours; } expected[] = {
        { TROTH_SEND, TROTH_LEVEL_INITIAL, -1 },     { TROTH_KEYS, TROTH_LEVEL_HANDSHAKE, 1 },   { TROTH_KEYS, TROTH_LEVEL_HANDSHAKE, 0 },
        { TROTH_SEND, TROTH_LEVEL_HANDSHAKE, -1 },   { TROTH_KEYS, TROTH_LEVEL_APPLICATION, 1 }, { TROTH_RECV, 0, -1 },
    };
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct two t = make((struct plan){ .w = w });
    struct quic_pair p;
    again(&p, &t, NULL);
    quic_listen(&p, &p.client);
    assert_true(troth_quic_received(p.server.c, TROTH_LEVEL_INITIAL, span_of(p.client.out[0].p, p.client.out[0].n)));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        troth_event ev = troth_next(p.server.c);
        assert_int_equal(ev.kind, expected[i].kind);
        assert_int_equal(ev.level, expected[i].level);
        assert_true(expected[i].ours < 0 || ev.ours == (expected[i].ours == 1));
        if (ev.kind == TROTH_SEND) {
            troth_sent(p.server.c, 1); /* part of it: the rest comes again */
            troth_event rest = troth_next(p.server.c);
            assert_true(rest.kind == TROTH_SEND && rest.data.n == ev.data.n - 1 && rest.level == ev.level);
            troth_sent(p.server.c, rest.data.n);
        }
    }
    quic_pair_free(&p);
    done(&t);
    world_free(w);
}

/* ---- what TLS on a stream has for its own sake is not there (RFC 9001 8.3, 8.4) */
static void test_absent(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct two t = make((struct plan){ .w = w });
    struct quic_pair p;
    again(&p, &t, NULL);
    quic_run(&p);
    assert_quic_ready(&p);
    assert_int_equal(p.client.out[0].p[4 + 2 + 32], 0); /* legacy_session_id of ClientHello */
    assert_int_equal(p.client.out[0].p[0], HS_client_hello);
    assert_int_equal(p.client.out[2].p[0], HS_finished); /* first and last of the client's */
    assert_int_equal(p.client.out[2].n, 4 + 32);
    assert_int_equal(p.client.out[3].n, 0);
    troth_close(p.client.c);
    quic_listen(&p, &p.client);
    assert_int_equal(p.client.n_done, 1);
    assert_int_equal(p.client.out[3].n, 0); /* no close_notify */
    troth_received(p.server.c, 0);
    quic_listen(&p, &p.server);
    assert_quic_failed(&p.server, TRUNCATED);
    quic_pair_free(&p);
    done(&t);
    world_free(w);
}

/* ---- sessions and early data */
static void remember(struct quic_pair *p, struct quic_end *from, uint8_t *ticket, size_t *n)
{
    (void)p;
    memcpy(ticket, from->ticket, *n = from->ticket_n);
}

/* Connects with a ticket of a connection before; `before`, `after`: what the server's early data rests on. */
static void resume(struct plan plan, struct plan then, const char *before, const char *after, struct quic_pair *p)
{
    uint8_t ticket[8192];
    size_t n;
    now = 0;
    struct two t = make(plan);
    again(p, &t, before);
    quic_run(p);
    assert_quic_ready(p);
    remember(p, &p->client, ticket, &n);
    assert_int_equal(p->client.ticket_early, plan.early && before);
    quic_pair_free(p);
    if (then.retry) { /* only the first of two servers would not have asked again; they share the ticket's key */
        troth_server_free(t.server);
        then.server = true;
        t.server = world_server(then.w, tweak, &then);
    }
    now = 5;
    again(p, &t, after);
    troth_resume(p->client.c, span_of(ticket, n));
    quic_run(p);
    assert_quic_ready(p);
    done(&t);
}

static void test_resumed(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct plan plan = { .w = w };
    struct quic_pair p;
    resume(plan, plan, NULL, NULL, &p);
    assert_true(troth_what(p.client.c).resumed && troth_what(p.server.c).resumed);
    assert_false(quic_has(&p.client, TROTH_LEVEL_EARLY, true));
    quic_pair_free(&p);
    world_free(w);
}

static void test_early(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct plan plan = { .w = w, .early = true };
    struct quic_pair p;
    resume(plan, plan, "limits", "limits", &p);
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_ACCEPTED);
    assert_int_equal(troth_what(p.server.c).early, TROTH_EARLY_ACCEPTED);
    const struct quic_secret *ours = &p.client.secrets[TROTH_LEVEL_EARLY][1], *theirs = &p.server.secrets[TROTH_LEVEL_EARLY][0];
    assert_true(ours->n && ours->n == theirs->n && ours->suite == theirs->suite);
    assert_memory_equal(ours->p, theirs->p, ours->n);
    assert_false(quic_has(&p.client, TROTH_LEVEL_EARLY, false) || quic_has(&p.server, TROTH_LEVEL_EARLY, true));
    assert_int_equal(p.client.n_early + p.server.n_early, 2);
    assert_int_equal(p.client.out[2].p[0], HS_finished); /* and no EndOfEarlyData before it */
    assert_int_equal(p.client.out[1].n, 0);
    quic_pair_free(&p);
    world_free(w);
}

static void test_early_refused(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct plan plan = { .w = w, .early = true };
    static const struct { const char *before, *after, *why; } rows[] = {
        { "limits", "less", "transport parameters" },
        { "limits", NULL, "troth_quic_parameters" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quic_pair p;
        resume(plan, plan, rows[i].before, rows[i].after, &p);
        assert_true(troth_what(p.client.c).resumed);
        assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_REJECTED);
        assert_non_null(strstr(troth_what(p.server.c).early_why, rows[i].why));
        assert_int_equal(p.client.n_refused, 1);
        assert_true(quic_has(&p.client, TROTH_LEVEL_EARLY, true)); /* it had to be offered */
        assert_false(quic_has(&p.server, TROTH_LEVEL_EARLY, false));
        quic_pair_free(&p);
    }
    struct plan other = plan;
    other.retry = true; /* another server, that asks for another hello and cannot open the ticket */
    struct quic_pair p;
    resume(plan, other, "limits", "limits", &p);
    assert_true(troth_what(p.client.c).hello_retry);
    assert_int_equal(troth_what(p.client.c).early, TROTH_EARLY_REJECTED);
    assert_int_equal(p.client.n_refused, 1);
    quic_pair_free(&p);
    world_free(w);
}

/* A session of TLS on a stream is none of QUIC, and the other way around. */
static bool keep_ticket(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p, (void)e;
    struct quic_end *into = ctx;
    if (ev->kind != TROTH_TICKET)
        return false;
    memcpy(into->ticket, ev->data.p, into->ticket_n = ev->data.n);
    return true;
}

/* One connection over a stream, with servers that share the key of tickets with those of QUIC. */
static bool over_stream(struct world *w, struct quic_end *kept)
{
    struct plan client = { .w = w, .stream = true, .shared = true }, server = client;
    struct pair p;
    server.server = true;
    pair_new(&p, world_client(w, tweak, &client), world_server(w, tweak, &server), NULL);
    p.on_event = keep_ticket;
    p.ctx = kept;
    if (kept->ticket_n)
        troth_resume(p.client.c, span_of(kept->ticket, kept->ticket_n));
    pair_run(&p);
    assert_ready(&p);
    bool resumed = troth_what(p.server.c).resumed;
    pair_free(&p);
    return resumed;
}

static bool over_quic(struct world *w, struct quic_end *kept)
{
    struct two t = make((struct plan){ .w = w, .shared = true });
    struct quic_pair p;
    again(&p, &t, NULL);
    if (kept->ticket_n)
        troth_resume(p.client.c, span_of(kept->ticket, kept->ticket_n));
    quic_run(&p);
    assert_quic_ready(&p);
    memcpy(kept->ticket, p.client.ticket, kept->ticket_n = p.client.ticket_n);
    bool resumed = troth_what(p.server.c).resumed;
    quic_pair_free(&p);
    done(&t);
    return resumed;
}

static void test_other_sessions(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct quic_end kept = { .ticket_n = 0 };
    now = 0;
    assert_false(over_stream(w, &kept));
    assert_true(over_stream(w, &kept));
    assert_false(over_quic(w, &kept));
    assert_true(over_quic(w, &kept));
    assert_false(over_stream(w, &kept));
    world_free(w);
}

/* ---- explained like any other handshake */
static bool write_text(void *ctx, const char *p, size_t n)
{
    pipe_put(ctx, (const uint8_t *)p, n);
    return true;
}

static void test_story(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct two t = make((struct plan){ .w = w });
    for (uint8_t form = TROTH_STORY_TEXT; form <= TROTH_STORY_HTML; form++) {
        troth_story_options o = { .size = sizeof o, .form = form, .depth = TROTH_DEPTH_FIELDS };
        struct quic_pair p;
        struct pipe text = { 0 };
        again(&p, &t, NULL);
        troth_story *s = troth_story_new(NULL);
        troth_tell(p.client.c, s);
        quic_run(&p);
        assert_quic_ready(&p);
        assert_true(troth_story_write(s, &o, write_text, &text));
        pipe_put(&text, (const uint8_t *)"", 1);
        assert_non_null(strstr((const char *)text.p, "quic_transport_parameters"));
        free(text.p);
        quic_pair_free(&p);
        troth_story_free(s);
    }
    done(&t);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside), cmocka_unit_test(test_every_split), cmocka_unit_test(test_real),          cmocka_unit_test(test_order),
        cmocka_unit_test(test_absent),      cmocka_unit_test(test_resumed),       cmocka_unit_test(test_early),
        cmocka_unit_test(test_early_refused), cmocka_unit_test(test_other_sessions), cmocka_unit_test(test_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
