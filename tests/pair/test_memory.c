/* What a connection takes from the allocator: how often, how much at most, and how much when it is idle. */
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"
#include "tls/conn.h"

struct meter {
    size_t calls, now, peak;
};

static void *take(void *ctx, size_t n)
{
    struct meter *m = ctx;
    m->calls++;
    m->now += n;
    m->peak = m->now > m->peak ? m->now : m->peak;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    ((struct meter *)ctx)->now -= p ? n : 0;
    free(p);
}

/* The provider's memory is what connections use; each end has a provider and so a meter of its own. */
static troth_provider *metered(struct troth_allocator *memory, struct meter *m)
{
    *memory = (troth_allocator){ take, give, m };
    troth_libcrypto_options o = { .size = sizeof o, .memory = memory };
    return troth_libcrypto_with(&o);
}

static void tweak_group(troth_builder *b, void *ctx)
{
    troth_groups(b, ctx, 1);
}

static void get_ticket(struct kept_ticket *k, troth_client *us, troth_server *them)
{
    struct pair p;
    (void)config_share(&us->config); /* the pair takes one */
    (void)config_share(&them->config);
    pair_new(&p, us, them, NULL);
    p.on_event = pair_keep_ticket;
    p.ctx = k;
    pair_run(&p);
    assert_true(k->n);
    pair_free(&p);
}

static void measure(const char *what, uint16_t group, bool resumed, struct meter *client, struct meter *server)
{
    struct kept_ticket kept = { .n = 0 };
    troth_allocator memory[2];
    troth_error why;
    struct world *w = world_new(troth_libcrypto());
    struct pair p;
    troth_builder *b = troth_client_builder(metered(&memory[0], client));
    troth_trust_pem(b, w->root_pem);
    troth_clock(b, test_clock, NULL);
    if (group)
        tweak_group(b, &group);
    troth_client *us = troth_build_client(b, &why);
    b = troth_server_builder(metered(&memory[1], server));
    troth_identity_pem(b, w->chain_pem, w->key_pem);
    troth_clock(b, test_clock, NULL);
    troth_server *them = troth_build_server(b, &why);
    if (resumed)
        get_ticket(&kept, us, them);
    size_t base[2] = { client->now, server->now };
    client->calls = server->calls = 0;
    client->peak = client->now;
    server->peak = server->now;
    pair_new(&p, us, them, NULL);
    if (resumed)
        troth_resume(p.client.c, span_of(kept.p, kept.n));
    pair_run(&p);
    assert_ready(&p);
    assert_int_equal(troth_what(p.client.c).resumed, resumed);
    size_t calls[2] = { client->calls, server->calls };
    troth_rest(p.client.c);
    troth_rest(p.server.c);
    client->now -= base[0], client->peak -= base[0];
    server->now -= base[1], server->peak -= base[1];
    print_message("%-16s client: %zu calls, peak %zu, idle %zu; server: %zu calls, peak %zu, idle %zu (connection %zu, handshake %zu)\n",
                  what, calls[0], client->peak, client->now, calls[1], server->peak, server->now, sizeof(struct troth_conn),
                  sizeof(struct hs));
    client->calls = calls[0], server->calls = calls[1];
    client->now += base[0], server->now += base[1];
    size_t idle[2] = { client->now - base[0], server->now - base[1] };
    pair_free(&p);
    world_free(w);
    client->now = idle[0], server->now = idle[1];
}

static void test_memory(void **state)
{
    (void)state;
    struct meter client = { 0 }, server = { 0 };
    measure("x25519", 0x001d, false, &client, &server);
    /* what was reached; it may only become less.  Two calls of a client are tickets, one after the other */
    assert_true(server.calls <= 4 && server.now <= 976 && server.peak <= 6032);
    assert_true(client.calls <= 6 && client.now <= 1536 && client.peak <= 5168);
    client = server = (struct meter){ 0 };
    measure("X25519MLKEM768", 0, false, &client, &server);
    assert_true(server.calls <= 5 && server.now <= 976 && server.peak <= 6096);
    assert_true(client.calls <= 7 && client.now <= 1536 && client.peak <= 6240);
    client = server = (struct meter){ 0 };
    measure("resumed", 0x001d, true, &client, &server);
    assert_true(server.calls <= 5 && server.now <= 976 && server.peak <= 5808);
    assert_true(client.calls <= 6 && client.now <= 1536 && client.peak <= 5248);
    client = server = (struct meter){ 0 };
    measure("resumed, hybrid", 0, true, &client, &server);
    assert_true(server.calls <= 7 && server.now <= 976 && server.peak <= 6320);
    assert_true(client.calls <= 7 && client.now <= 1536 && client.peak <= 7520);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
