/* What an application decides, and what it is told of choices: ending a connection, which identity was shown, going without one; and that
 * nothing may lie behind the last message of a flight. */
#include "base/alerts.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "wire/registry.h"

struct plan {
    struct world *w;
    bool          server, tls12, ask, two, auth, never, retry;
    span          chain, key; /* of a second identity, for two.example */
};

static void tweak(troth_builder *b, void *ctx)
{
    const struct plan *p = ctx;
    static const uint16_t only = SCHEME_rsa_pss_rsae_sha256;
    uint16_t v = p->tls12 ? TROTH_TLS12 : TROTH_TLS13;
    troth_versions(b, v, v);
    if (p->server && p->ask)
        troth_ask_server(b);
    if (p->server && p->two)
        troth_identity_pem(b, p->chain, p->key);
    if (p->server && p->auth) {
        troth_trust_pem(b, p->w->root_pem);
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
        troth_verify_schemes(b, &only, 1);
    }
    if (!p->server && p->auth)
        tweak_client_identity(b, p->w);
    if (!p->server && p->never)
        troth_never_anonymous(b);
    if (!p->server && p->retry)
        troth_key_shares(b, NULL, 0);
}

static void begin(struct pair *p, struct plan plan, const char *host)
{
    struct plan theirs = plan;
    theirs.server = true;
    pair_new(p, world_client(plan.w, tweak, &plan), world_server(plan.w, tweak, &theirs), host);
}

/* ---- an application that gives up */
static bool give_up(struct pair *p, struct pair_end *end, const troth_event *e, void *ctx)
{
    (void)p, (void)ctx;
    if (e->kind != TROTH_ASK_SERVER)
        return false;
    troth_abort(end->c, ALERT_internal_error, "too many of you");
    return true;
}

static void test_abort(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair p;
        begin(&p, (struct plan){ .w = w, .ask = true, .tls12 = tls12 }, NULL);
        p.on_event = give_up;
        pair_run(&p);
        assert_failed(&p.server, APP_ABORTED);
        assert_string_equal(troth_why(p.server.c)->detail, "too many of you");
        assert_failed(&p.client, ALERT_INTERNAL_ERROR);
        troth_abort(p.server.c, ALERT_internal_error, "again"); /* the first failure stays */
        assert_string_equal(troth_why(p.server.c)->detail, "too many of you");
        pair_free(&p);
    }
    struct pair p;
    begin(&p, (struct plan){ .w = w }, NULL);
    pair_run(&p);
    assert_ready(&p);
    troth_abort(p.client.c, ALERT_user_canceled, NULL);
    pair_run(&p);
    assert_failed(&p.client, APP_ABORTED);
    assert_true(p.server.closed && !p.server.failed); /* close_notify follows (RFC 9846 6.1) */
    pair_free(&p);
    for (int tls12 = 0; tls12 < 2; tls12++) {
        begin(&p, (struct plan){ .w = w, .tls12 = tls12 }, NULL);
        (void)pair_step(&p, &p.client);
        troth_abort(p.client.c, ALERT_user_canceled, "changed my mind");
        pair_run(&p);
        assert_failed(&p.client, APP_ABORTED);
        assert_failed(&p.server, ALERT_USER_CANCELED);
        pair_free(&p);
    }
    troth_abort(NULL, ALERT_internal_error, "nobody");
    world_free(w);
}

/* ---- identities */
static void test_own_identity(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct plan plan = { .w = w, .two = true };
    world_identity(w, TROTH_KEY_P256, "two.example", &plan.chain, &plan.key);
    for (int i = 0; i < 4; i++) {
        struct pair p;
        plan.tls12 = i / 2;
        begin(&p, plan, i % 2 ? "two.example" : "a.example");
        pair_run(&p);
        assert_ready(&p);
        assert_int_equal(troth_what(p.server.c).own_identity, i % 2);
        assert_int_equal(troth_what(p.client.c).own_identity, -1);
        pair_free(&p);
    }
    world_free(w);
}

/* Our only certificate has a key whose signatures the server does not want. */
static void test_never_anonymous(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int i = 0; i < 4; i++) {
        struct pair p;
        begin(&p, (struct plan){ .w = w, .auth = true, .never = i % 2, .tls12 = i / 2 }, NULL);
        pair_run(&p);
        if (i % 2) {
            assert_failed(&p.client, NO_SHARED_SCHEME);
            assert_failed(&p.server, ALERT_HANDSHAKE_FAILURE);
        } else {
            assert_failed(&p.server, NO_CLIENT_CERTIFICATE);
        }
        pair_free(&p);
    }
    world_free(w);
}

/* ---- flights end where it is the other's turn */

/* The first record that waits gets bytes more, which are the beginning of another message. */
static void lengthen(struct pipe *pipe, const char *more, size_t n)
{
    uint8_t *p = pipe->p + pipe->taken;
    size_t waits = pipe->n - pipe->taken, content = (size_t)(p[3] << 8 | p[4]), rest = waits - 5 - content;
    uint8_t copy[4096];
    assert_true(p[0] == 22 && rest <= sizeof copy);
    memcpy(copy, p + 5 + content, rest);
    pipe->n -= rest;
    content += n;
    p[3] = (uint8_t)(content >> 8);
    p[4] = (uint8_t)content;
    pipe_put(pipe, (const uint8_t *)more, n);
    pipe_put(pipe, copy, rest);
}

static void test_nothing_behind_a_flight(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (int tls12 = 0; tls12 < 2; tls12++) {
        struct pair p;
        begin(&p, (struct plan){ .w = w, .tls12 = tls12 }, NULL);
        pair_step(&p, &p.client);
        lengthen(&p.to_server, "\x10\0\0", 3);
        pair_run(&p);
        assert_failed(&p.server, MESSAGE_LEFTOVER);
        pair_free(&p);
    }
    struct pair p; /* behind HelloRetryRequest */
    begin(&p, (struct plan){ .w = w, .retry = true }, NULL);
    pair_step(&p, &p.client);
    pair_step(&p, &p.server);
    lengthen(&p.to_client, "\2\0\0", 3);
    pair_run(&p);
    assert_failed(&p.client, MESSAGE_LEFTOVER);
    pair_free(&p);
    world_free(w);
}

/* change_cipher_spec comes with HelloRetryRequest, not with what follows it (RFC 9846 E.4). */
static void test_ccs_behind_a_retry(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(1));
    struct pair p;
    begin(&p, (struct plan){ .w = w, .retry = true }, NULL);
    pair_step(&p, &p.client);
    pair_step(&p, &p.server);
    const struct pipe *pipe = &p.to_client;
    assert_true(pipe->n > 6 && pipe->p[0] == 22);
    assert_memory_equal(pipe->p + pipe->n - 6, "\x14\x03\x03\0\1\1", 6);
    pair_run(&p);
    assert_ready(&p);
    pair_free(&p);
    world_free(w);
}

/* ---- what a builder refuses */
static void test_sct_lists(void **state)
{
    static const struct { const char *list; size_t n; bool good; } rows[] = {
        { "\0\6\0\4abcd", 8, true },  { "\0\0", 2, false },          { "", 0, false },         { "\0\2\0\0", 4, false },
        { "\0\6\0\4abc", 7, false },  { "\0\6\0\5abcd", 8, false },  { "\0\7\0\4abcd\0", 9, false },
    };
    (void)state;
    struct world *w = world_new(fake_provider(1));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        span list = span_of(rows[i].list, rows[i].n);
        troth_error why;
        troth_builder *b = troth_server_builder(troth_provider_share(w->mk->crypto));
        troth_identity_pem(b, w->chain_pem, w->key_pem);
        troth_identity_scts(b, list);
        troth_server *us = troth_build_server(b, &why);
        assert_int_equal(us != NULL, rows[i].good);
        if (!us)
            assert_int_equal(why.reason, TROTH_R_BAD_ARGUMENT);
        troth_server_free(us);
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_own_identity),
        cmocka_unit_test(test_never_anonymous),
        cmocka_unit_test(test_nothing_behind_a_flight),
        cmocka_unit_test(test_ccs_behind_a_retry),
        cmocka_unit_test(test_sct_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
