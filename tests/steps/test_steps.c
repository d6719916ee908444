/* The step tables are the whole graph: every pair (state, input) of every role is either a row or refused, and every row is taken by
 * some handshake. */
#include "tls/conn.h"

/* hs_take, watched: step.c is part of this test. */
#define hs_take unwatched_hs_take
#include "../../src/tls/step.c"
#undef hs_take

#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

static bool taken[2][STATE_COUNT][INPUT_COUNT];

bool hs_take(struct troth_conn *c, enum input on, const struct message *m)
{
    taken[c->cfg->is_server][c->state][on] = true;
    return unwatched_hs_take(c, on, m);
}

/* ---- what has no row is refused */
static void refuse_all(struct troth_conn *c, bool server, size_t *refused, size_t *rows)
{
    for (unsigned s = S_START; s < STATE_COUNT; s++)
        for (unsigned on = 0; on < INPUT_COUNT; on++) {
            if (step_find(server, s, on)) {
                ++*rows;
                continue;
            }
            struct message m = { .type = 77, .raw = SPAN_TEXT("not looked at") };
            trouble_free(&c->error);
            c->state = (uint8_t)s;
            assert_false(unwatched_hs_take(c, on, &m));
            assert_int_equal(c->error.e->reason, TROTH_R_UNEXPECTED_MESSAGE);
            assert_int_equal(c->state, s);
            ++*refused;
        }
}

static void test_every_pair(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct pair p;
    size_t refused = 0, rows = 0, in_tables = 0;
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
    refuse_all(p.client.c, false, &refused, &rows);
    refuse_all(p.server.c, true, &refused, &rows);
    for (size_t t = 0; step_tables[t]; t++)
        in_tables += step_tables[t]->n;
    assert_int_equal(rows, in_tables); /* so no pair has two rows either */
    print_message("%zu pairs taken, %zu refused\n", rows, refused);
    pair_free(&p);
    world_free(w);
}

static void test_rows_are_sane(void **state)
{
    (void)state;
    for (size_t t = 0; step_tables[t]; t++)
        for (size_t i = 0; i < step_tables[t]->n; i++) {
            const struct step *s = &step_tables[t]->rows[i];
            assert_true(s->act && s->to && !(s->to & TO(START)));
            assert_true(s->to == TO(FAILED) || !(s->to & TO(FAILED))); /* only a row that always refuses may lead there */
            assert_true(s->in != S_FAILED && s->on != M_UNKNOWN);
        }
}

/* ---- a handler may not lead where its row does not */
static enum state stray(struct troth_conn *c, const struct message *m)
{
    (void)c, (void)m;
    return S_CONNECTED;
}

static void test_straying_is_caught(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct pair p;
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, NULL, NULL), NULL);
    const struct step row = { S_START, A_START, stray, "stray", TO(WAIT_SH), 0 };
    struct message nothing = { .raw = SPAN_NONE };
    assert_false(step_do(p.client.c, &row, A_START, &nothing));
    assert_int_equal(p.client.c->error.e->reason, TROTH_R_BUG);
    pair_free(&p);
    world_free(w);
}

/* ---- every row is taken */
static bool older; /* the handshakes that follow are of TLS 1.2 */

static bool plain; /* servers neither compress nor expand certificates */

static void tweak_version(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_versions(b, older ? TROTH_TLS12 : TROTH_TLS13, older ? TROTH_TLS12 : TROTH_TLS13);
    if (plain)
        troth_compressors(b, NULL, 0);
}

static void tweak_everything(troth_builder *b, void *ctx)
{
    tweak_version(b, NULL);
    if (ctx)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    troth_ask_verdict(b);
}

static void tweak_staple(troth_builder *b, void *ctx)
{
    tweak_version(b, ctx);
    troth_identity_staple(b, TROTH_TEXT("no OCSP response, but one is sent"));
}

static void tweak_trusting(troth_builder *b, void *ctx)
{
    tweak_version(b, ctx);
    troth_ask_verdict(b);
}

static void tweak_asking(troth_builder *b, void *ctx)
{
    tweak_version(b, ctx);
    troth_ask_server(b);
}

static void tweak_external(troth_builder *b, void *ctx)
{
    struct world *w = ctx;
    tweak_version(b, NULL);
    troth_identity_external(b, w->client_chain_pem, w);
    troth_ask_verdict(b);
    troth_ask_client(b);
}

/* Answers every question: the verdict with yes, the signature with the key that the test has, the server with another. */
struct answers {
    struct world *w;
    troth_server *server;
    const troth_key *key;
};

static bool answer(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct answers *a = ctx;
    (void)p;
    if (ev->kind == TROTH_ASK_VERDICT)
        troth_answer_verdict(e->c, true, "the test says so");
    else if (ev->kind == TROTH_ASK_SERVER)
        troth_answer_server(e->c, a->server);
    else if (ev->kind == TROTH_ASK_CLIENT) {
        troth_client *us = world_client(a->w, tweak_external, a->w);
        troth_answer_client(e->c, us);
        troth_client_free(us);
    }
    else if (ev->kind == TROTH_ASK_SIGN) {
        const troth_provider *crypto = a->w->mk->crypto;
        uint8_t signature[TROTH_SIGNATURE_MAX];
        size_t n;
        assert_true(crypto->sign(crypto->self, a->key, scheme_by_id(ev->number)->sig, &ev->data, 1, signature, &n));
        troth_answer_sign(e->c, (troth_span){ signature, n });
    } else
        return false;
    return true;
}

static void run(struct world *w, troth_client *us, troth_server *them, struct answers *a)
{
    struct pair p;
    pair_new(&p, us, them, NULL);
    p.on_event = answer;
    p.ctx = a;
    a->w = w;
    pair_run(&p);
    assert_ready(&p);
    if (troth_what(p.client.c).version == TROTH_TLS13)
        assert_true(troth_update_keys(p.client.c, true));
    assert_true(pair_write(&p.client, "x"));
    pair_run(&p);
    assert_true(pair_write(&p.server, "y"));
    pair_run(&p);
    assert_int_equal(p.client.n_got, 1);
    pair_free(&p);
}

static void tweak_p384(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_x25519, GROUP_secp384r1 };
    tweak_version(b, NULL);
    troth_groups(b, ctx ? groups + 1 : groups, ctx ? 1 : 2);
}

static void tweak_server_external(troth_builder *b, void *ctx)
{
    struct answers *a = ctx;
    const troth_key *k = mk_key(a->w->mk, TROTH_KEY_ED25519);
    struct issue leaf = mk_leaf(&a->w->root, k, "a.example");
    span der = mk_cert(a->w->mk, &leaf);
    const char *pem = mk_pem(a->w->mk, "CERTIFICATE", &der, 1);
    static const uint16_t ed25519 = SCHEME_ed25519;
    troth_identity_external(b, (troth_span){ (const uint8_t *)pem, strlen(pem) }, a);
    troth_identity_schemes(b, &ed25519, 1);
    troth_ask_client_auth(b, TROTH_AUTH_NONE);
    a->key = k;
}

static void tweak_ed25519_only(troth_builder *b, void *ctx)
{
    static const uint16_t schemes[] = { SCHEME_ed25519, SCHEME_ecdsa_secp256r1_sha256 };
    (void)ctx;
    troth_verify_schemes(b, schemes, 2);
}

/* Rows that no handshake here reaches, and why. */
static const struct { bool server; enum state in; enum input on; const char *why; } unreached[] = {
    { true, S_WAIT_EOED, M_END_OF_EARLY_DATA, "early data is tested with its feature" },
    { false, S_CONNECTED, M_NEW_SESSION_TICKET, "tickets are tested with their feature" },
    { false, S_WAIT_NST_12, M_NEW_SESSION_TICKET, "tickets are tested with their feature" },
    { false, S_CONNECTED, M_CERTIFICATE_REQUEST, "certificates after the handshake are tested with their feature" },
    { false, S_WAIT_LATE_CLIENT, A_CLIENT, "likewise" },
    { false, S_WAIT_LATE_SIGN, A_SIGNATURE, "likewise" },
    { true, S_WAIT_LATE_CERT, M_CERTIFICATE, "likewise" },
    { true, S_WAIT_LATE_CERT, M_COMPRESSED_CERTIFICATE, "likewise" },
    { true, S_WAIT_LATE_CERT, M_KEY_UPDATE, "likewise" },
    { true, S_WAIT_LATE_CV, M_CERTIFICATE_VERIFY, "likewise" },
    { true, S_WAIT_LATE_VERDICT, A_VERDICT, "likewise" },
    { true, S_WAIT_LATE_FINISHED, M_FINISHED, "likewise" },
    { false, S_WAIT_STATUS_12, M_SERVER_KEY_EXCHANGE, "our servers always send the status that they announce" },
    { false, S_CONNECTED_12, M_HELLO_REQUEST, "renegotiation is tested with TLS 1.2" },
    { true, S_CONNECTED_12, M_CLIENT_HELLO, "renegotiation is tested with TLS 1.2" },
};

static bool is_unreached(bool server, const struct step *s)
{
    for (size_t i = 0; i < COUNT_OF(unreached); i++)
        if (unreached[i].server == server && unreached[i].in == s->in && unreached[i].on == s->on)
            return true;
    return false;
}

static void run_all(struct world *w)
{
    struct answers a = { w, NULL, w->client_key };
    run(w, world_client(w, NULL, NULL), world_server(w, tweak_version, NULL), &a);
    run(w, world_client(w, tweak_external, w), world_server(w, tweak_everything, w), &a);
    if (!older) /* HelloRetryRequest */
        run(w, world_client(w, tweak_p384, NULL), world_server(w, tweak_p384, w), &a);
    run(w, world_client(w, tweak_trusting, w), world_server(w, tweak_version, NULL), &a);
    a.server = world_server(w, tweak_version, NULL);
    run(w, world_client(w, NULL, NULL), world_server(w, tweak_asking, NULL), &a);
    troth_server_free(a.server);
    troth_error why;
    troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
    troth_clock(b, test_clock, NULL);
    tweak_version(b, NULL);
    tweak_server_external(b, &a);
    troth_server *external = troth_build_server(b, &why);
    assert_non_null(external);
    run(w, world_client(w, tweak_ed25519_only, NULL), external, &a);
}

/* A server that staples: the staple is none, which the client finds out, but the message has come. */
static void run_staple(struct world *w)
{
    struct pair p;
    pair_new(&p, world_client(w, NULL, NULL), world_server(w, tweak_staple, NULL), NULL);
    pair_run(&p);
    assert_true(p.client.failed || p.client.ready);
    pair_free(&p);
}

static void test_every_row_is_taken(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int v = 0; v < 2; v++) {
        older = v;
        run_all(w);
        run_staple(w);
    }
    older = false;
    plain = true;
    run_all(w);
    size_t not_taken = 0;
    for (size_t t = 0; step_tables[t]; t++)
        for (size_t i = 0; i < step_tables[t]->n; i++) {
            const struct step *s = &step_tables[t]->rows[i];
            if (taken[step_tables[t]->server][s->in][s->on] || is_unreached(step_tables[t]->server, s))
                continue;
            print_message("%s: %s, %s was not taken\n", step_tables[t]->name, state_name(s->in), input_name(s->on));
            not_taken++;
        }
    assert_int_equal(not_taken, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair),
        cmocka_unit_test(test_rows_are_sane),
        cmocka_unit_test(test_straying_is_caught),
        cmocka_unit_test(test_every_row_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
