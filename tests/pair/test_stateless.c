/* HelloRetryRequest by a server that forgets (RFC 9846 4.3.2): the cookie takes its place.  Who may come back with it, and who may not. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "wire/registry.h"

struct setting {
    struct world *w;
    bool     is_server, other_group, always, early, auth, own_key, no_group;
    int64_t *clock;
};

static int64_t moving_clock(void *ctx)
{
    return *(const int64_t *)ctx;
}

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t both[] = { GROUP_x25519, GROUP_secp256r1 }, one[] = { GROUP_secp256r1 };
    static const uint8_t key[32] = { 1, 2, 3 };
    const struct setting *s = ctx;
    if (s->other_group)
        troth_groups(b, s->no_group ? both : s->is_server ? one : both, s->is_server ? 1 : 2);
    if (s->early)
        troth_early_data(b, 1000);
    if (s->clock)
        troth_clock(b, moving_clock, s->clock);
    if (s->is_server && s->own_key)
        troth_retry_cookie(b);
    else if (s->is_server)
        troth_cookie_key(b, key);
    if (s->is_server && s->always)
        troth_always_retry(b);
    if (s->is_server && s->auth)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (!s->is_server && s->auth)
        tweak_client_identity(b, s->w);
}

static troth_server *server_of(struct setting s)
{
    s.is_server = true;
    return world_server(s.w, tweak, &s);
}

static troth_client *client_of(struct setting s)
{
    return world_client(s.w, tweak, &s);
}

/* The first ClientHello and its answer; then the server is gone, and `next` takes its place. */
static void forget(struct pair *p, struct setting s, troth_server *next, troth_span from, troth_span then)
{
    pair_new(p, client_of(s), server_of(s), NULL);
    troth_bind_cookie(p->server.c, from);
    assert_true(pair_step(p, &p->client) && pair_step(p, &p->server));
    assert_true(troth_what(p->server.c).hello_retry);
    troth_free(p->server.c);
    p->server.c = troth_accept(next);
    troth_server_free(next);
    troth_bind_cookie(p->server.c, then);
}

static const troth_span nobody;

static void exchange(struct pair *p)
{
    assert_ready(p);
    assert_true(pair_write(&p->client, "question") && pair_write(&p->server, "answer"));
    pair_run(p);
    assert_int_equal(p->server.n_got, 8);
    assert_int_equal(p->client.n_got, 6);
    troth_facts f = troth_what(p->server.c);
    assert_true(f.hello_retry && f.group == troth_what(p->client.c).group);
}

/* ---- it goes on */
static void test_goes_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        struct world *w = world_new(i & 1 ? troth_libcrypto() : fake_provider(1));
        struct setting s = { .w = w, .other_group = i & 2, .always = !(i & 2), .auth = i & 4 };
        troth_span from = i & 8 ? TROTH_TEXT("192.0.2.1:4433") : nobody;
        struct pair p;
        forget(&p, s, server_of(s), from, from);
        pair_run(&p);
        exchange(&p);
        assert_int_equal(troth_what(p.server.c).client_authenticated, s.auth);
        pair_free(&p);
        world_free(w);
    }
}

/* The one that listens need not know of cookies: who is chosen when the hello came does.  In front of it change_cipher_spec comes. */
static void tweak_listens(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_ask_server(b);
}

static bool choose(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    (void)p;
    if (ev->kind != TROTH_ASK_SERVER)
        return false;
    troth_answer_server(e->c, ctx);
    return true;
}

static void test_chosen_server(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(8));
    struct setting s = { .w = w, .always = true };
    troth_server *listens = world_server(w, tweak_listens, NULL), *chosen = server_of(s);
    struct pair p;
    (void)config_share((const struct config *)listens);
    pair_new(&p, client_of(s), listens, NULL);
    p.on_event = choose;
    p.ctx = chosen;
    assert_true(pair_step(&p, &p.client) && pair_step(&p, &p.server));
    assert_true(troth_what(p.server.c).hello_retry);
    troth_free(p.server.c);
    p.server.c = troth_accept(listens);
    pair_run(&p);
    exchange(&p);
    pair_free(&p);
    troth_server_free(listens);
    troth_server_free(chosen);
    world_free(w);
}

/* A connection whose client has answered a HelloRetryRequest, which nobody has read yet; where its second flight begins. */
static size_t second_hello(struct pair *p, struct setting s)
{
    pair_new(p, client_of(s), server_of(s), NULL);
    assert_true(pair_step(p, &p->client));
    size_t first = p->to_server.n;
    pair_step(p, &p->server);
    pair_step(p, &p->client);
    return first;
}

/* The second hello is the first one again, but for the cookie, also in its GREASE. */
static void test_same_shares(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(2));
    struct setting s = { .w = w, .always = true };
    struct pair p;
    size_t first = second_hello(&p, s);
    uint8_t *hello1 = p.to_server.p, *hello2 = p.to_server.p + first + 6; /* behind change_cipher_spec */
    size_t n1 = (size_t)(hello1[3] << 8 | hello1[4]), n2 = (size_t)(hello2[3] << 8 | hello2[4]);
    assert_int_equal(hello2[0], CONTENT_handshake);
    assert_int_equal(n2 - n1, 4 + 2 + 13 + 32 + 32); /* the extension cookie, with a digest of SHA-256 */
    pair_run(&p);
    exchange(&p);
    pair_free(&p);
    world_free(w);
}

/* Where nothing but a cookie was asked for, the shares are those of the first hello (RFC 9846 4.2.2). */
static void test_other_share(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(7));
    struct setting s = { .w = w, .always = true };
    struct pair p;
    size_t before = second_hello(&p, s);
    uint8_t *share = NULL;
    for (uint8_t *q = p.to_server.p + before; q + 10 <= p.to_server.p + p.to_server.n; q++)
        if (q[0] == 0 && q[1] == EXT_key_share && (q[2] << 8 | q[3]) == (q[4] << 8 | q[5]) + 2)
            share = q + 3 + (q[2] << 8 | q[3]); /* the last byte */
    assert_non_null(share);
    *share ^= 1;
    pair_run(&p);
    assert_failed(&p.server, HELLO_CHANGED);
    pair_free(&p);
    world_free(w);
}

/* Binders are over the transcript that the cookie brings back.  Both ends of every connection have the same configurations. */
static void resume(struct setting s, bool ask_again, enum troth_reason why)
{
    struct kept_ticket t = { .n = 0 };
    struct pair p;
    struct setting plain = s;
    plain.always = false;
    plain.is_server = true;
    uint8_t name[16] = { 7 };
    troth_ticket_key key = { .key = { 9 } };
    memcpy(key.name, name, sizeof name);
    troth_client *client = client_of(s);
    troth_server *servers[2];
    for (int i = 0; i < 2; i++) {
        troth_builder *b = troth_server_builder(troth_provider_share(s.w->mk->crypto));
        troth_clock(b, test_clock, NULL);
        troth_trust_pem(b, s.w->root_pem);
        troth_identity_pem(b, s.w->chain_pem, s.w->key_pem);
        troth_ticket_keys(b, &key, 1);
        plain.always = i;
        tweak(b, &plain);
        servers[i] = troth_build_server(b, NULL);
        assert_non_null(servers[i]);
    }
    (void)config_share((const struct config *)client);
    pair_new(&p, client, servers[0], NULL);
    p.on_event = pair_keep_ticket;
    p.ctx = &t;
    pair_run(&p);
    assert_ready(&p);
    assert_true(t.n > 0);
    pair_free(&p);

    (void)config_share((const struct config *)servers[1]);
    pair_new(&p, client, servers[1], NULL);
    troth_resume(p.client.c, span_of(t.p, t.n));
    assert_true(pair_step(&p, &p.client) && pair_step(&p, &p.server));
    if (ask_again) {
        troth_free(p.server.c);
        p.server.c = troth_accept(servers[1]);
    }
    pair_run(&p);
    if (why == TROTH_R_NONE) {
        assert_ready(&p);
        assert_true(troth_what(p.server.c).resumed && troth_what(p.client.c).resumed && troth_what(p.client.c).hello_retry);
    } else {
        assert_failed_at(&p.server, why, __FILE__, __LINE__);
    }
    pair_free(&p);
    troth_server_free(servers[1]);
}

static void test_resumed(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    resume((struct setting){ .w = w }, false, TROTH_R_NONE);
    resume((struct setting){ .w = w }, true, TROTH_R_NONE);
    resume((struct setting){ .w = w, .early = true }, false, TROTH_R_NONE);
    resume((struct setting){ .w = w, .early = true }, true, TROTH_R_BAD_COOKIE); /* it skips what only its maker knows of */
    world_free(w);
}

/* ---- it does not */
static void refused(struct pair *p, enum troth_reason why)
{
    pair_run(p);
    assert_failed_at(&p->server, why, __FILE__, __LINE__);
    assert_true(troth_why(p->client.c)->from_peer);
    pair_free(p);
}

static void test_refused(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(3));
    struct setting s = { .w = w, .always = true };
    struct pair p;
    forget(&p, s, server_of(s), TROTH_TEXT("192.0.2.1"), TROTH_TEXT("192.0.2.2")); /* another address */
    refused(&p, TROTH_R_BAD_COOKIE);
    forget(&p, s, server_of(s), nobody, TROTH_TEXT("192.0.2.2"));
    refused(&p, TROTH_R_BAD_COOKIE);
    struct setting other = { .w = w, .other_group = true }, none = other; /* a key of many servers, and a group that is not all of theirs */
    none.no_group = true;
    forget(&p, other, server_of(none), nobody, nobody);
    refused(&p, TROTH_R_BAD_COOKIE);
    s.own_key = true; /* each configuration has its own */
    forget(&p, s, server_of(s), nobody, nobody);
    refused(&p, TROTH_R_BAD_COOKIE);
    world_free(w);
}

static void test_time(void **state)
{
    static const struct { int64_t later; enum troth_reason why; } rows[] = {
        { 60, TROTH_R_NONE }, { 61, TROTH_R_COOKIE_STALE }, { -1, TROTH_R_COOKIE_STALE },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *w = world_new(fake_provider(4));
        int64_t now = MK_NOW;
        struct setting s = { .w = w, .always = true, .clock = &now };
        struct pair p;
        forget(&p, s, server_of(s), nobody, nobody);
        now += rows[i].later;
        if (rows[i].why)
            refused(&p, rows[i].why);
        else {
            pair_run(&p);
            exchange(&p);
            pair_free(&p);
        }
        world_free(w);
    }
}

/* Every byte of the cookie, of the random and of the session id: the second hello is not believed. */
static void test_tampered(void **state)
{
    (void)state;
    enum { AT_RANDOM = 5 + 4 + 2, AT_SESSION_ID = AT_RANDOM + 32 + 1, COOKIE_N = 13 + 32 + 32 };
    struct world *w = world_new(fake_provider(5));
    struct setting s = { .w = w, .always = true };
    unsigned tried = 0;
    for (size_t i = 0; i < COOKIE_N + 2; i++) {
        struct pair p;
        forget(&p, s, server_of(s), nobody, nobody);
        size_t before = p.to_server.n;
        pair_step(&p, &p.client);
        uint8_t *hello = p.to_server.p + before + 6, *end = p.to_server.p + p.to_server.n, *at = NULL;
        for (uint8_t *q = hello; q + 6 + COOKIE_N <= end; q++)
            if (q[0] == 0 && q[1] == EXT_cookie && q[2] == 0 && q[3] == COOKIE_N + 2 && q[5] == COOKIE_N)
                at = q + 6;
        assert_non_null(at);
        uint8_t *change = i < COOKIE_N ? at + i : hello + (i == COOKIE_N ? AT_RANDOM : AT_SESSION_ID);
        *change ^= 1;
        pair_run(&p);
        assert_true(p.server.failed);
        assert_int_equal(troth_why(p.server.c)->reason, TROTH_R_BAD_COOKIE);
        tried++;
        pair_free(&p);
    }
    assert_int_equal(tried, COOKIE_N + 2);
    world_free(w);
}

/* ---- what cannot be configured */
static void test_config(void **state)
{
    (void)state;
    struct world *w = world_new(fake_provider(6));
    troth_error why;
    troth_builder *b = troth_client_builder(troth_provider_share(w->mk->crypto));
    troth_cookie_key(b, (const uint8_t[32]){ 1 });
    assert_null(troth_build_client(b, &why));
    assert_int_equal(why.reason, TROTH_R_WRONG_ROLE);
    b = troth_client_builder(troth_provider_share(w->mk->crypto));
    troth_always_retry(b);
    assert_null(troth_build_client(b, &why));
    assert_int_equal(why.reason, TROTH_R_WRONG_ROLE);
    struct setting s = { .w = w };
    struct pair p;
    pair_new(&p, client_of(s), server_of(s), NULL);
    troth_bind_cookie(p.client.c, TROTH_TEXT("x"));
    pair_run(&p);
    assert_failed(&p.client, WRONG_ROLE);
    pair_free(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_goes_on), cmocka_unit_test(test_same_shares), cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_time),        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_config),       cmocka_unit_test(test_other_share),
        cmocka_unit_test(test_chosen_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
