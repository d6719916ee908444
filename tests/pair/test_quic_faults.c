/* QUIC when memory runs out, and when the provider fails: at every request, one after the other.  One reason, no leak, and nothing is handed
 * out of an end that failed. */
#include "fake/fake.h"
#include "support/memory.h"
#include "support/quic.h"
#include "support/test.h"
#include "tls/config.h"
#include "wire/registry.h"

struct plan {
    const char   *name;
    bool          auth, retry, early;
};

static const struct plan plans[] = {
    { "plain", false, false, false },
    { "client certificate", true, false, false },
    { "HelloRetryRequest", false, true, false },
    { "early data", false, false, true },
};

struct made {
    struct world *w;
    const struct plan *plan;
    bool          server;
};

static void tweak(troth_builder *b, void *ctx)
{
    static const uint16_t groups[] = { GROUP_x25519, GROUP_secp256r1 };
    const struct made *m = ctx;
    bool second = m->plan->retry && m->server;
    quic_tweak(b);
    troth_groups(b, groups + second, second ? 1 : 2);
    if (m->plan->auth && m->server)
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    if (m->plan->auth && !m->server)
        tweak_client_identity(b, m->w);
    if (m->plan->early)
        troth_early_data(b, 1);
}

/* ---- both configurations, and a ticket where one is resumed */
struct both {
    struct world *w;
    troth_client *client;
    troth_server *server;
    uint8_t       ticket[8192];
    size_t        ticket_n;
};

static void connect_once(struct both *b, struct quic_pair *p)
{
    quic_pair_again(p, b->client, b->server, "limits", span_of(b->ticket, b->ticket_n));
}

static void both_new(struct both *b, const struct plan *plan, troth_provider *crypto)
{
    memset(b, 0, sizeof *b);
    b->w = world_new(crypto);
    struct made client = { b->w, plan, false }, server = { b->w, plan, true };
    b->client = world_client(b->w, tweak, &client);
    b->server = world_server(b->w, tweak, &server);
    if (!plan->early)
        return;
    struct quic_pair p;
    connect_once(b, &p);
    quic_run(&p);
    assert_quic_ready(&p);
    memcpy(b->ticket, p.client.ticket, b->ticket_n = p.client.ticket_n);
    assert_true(b->ticket_n > 0);
    quic_pair_free(&p);
}

static void both_free(struct both *b)
{
    troth_client_free(b->client);
    troth_server_free(b->server);
    world_free(b->w);
}

/* After its failure an end says nothing more, whatever comes. */
static void assert_silent(struct quic_end *e)
{
    if (!e->failed)
        return;
    assert_non_null(troth_why(e->c));
    assert_false(troth_quic_received(e->c, TROTH_LEVEL_INITIAL, TROTH_TEXT("\1\0\0\0")));
    for (int i = 0; i < 3; i++)
        assert_int_equal(troth_next(e->c).kind, TROTH_FAILED);
    assert_int_not_equal(troth_quic_error(e->c), 0);
}

static bool through(struct quic_pair *p, const struct plan *plan)
{
    bool early = quic_has(&p->server, TROTH_LEVEL_EARLY, false);
    return p->client.n_ready && p->server.n_ready && (!plan->early || early);
}

static bool is_memory(const struct quic_end *e)
{
    const troth_error *why = troth_why(e->c);
    return why && why->reason == TROTH_R_OUT_OF_MEMORY;
}

static void memory_fails(const struct plan *plan)
{
    struct scarce s = { 0 };
    troth_allocator memory = scarce_memory(&s);
    struct both b;
    both_new(&b, plan, fake_provider_with(1, &memory));
    size_t alive = s.alive, n = 1, survived = 0;
    for (;; n++) {
        struct quic_pair p;
        assert_true(n < 2000);
        s.left = n;
        s.failed = false;
        connect_once(&b, &p);
        quic_run(&p);
        bool ok = through(&p, plan), failed = s.failed;
        s.left = 0;
        assert_silent(&p.client);
        assert_silent(&p.server);
        if (!ok)
            assert_true(is_memory(&p.client) || is_memory(&p.server));
        survived += ok && failed;
        quic_pair_free(&p);
        assert_int_equal(s.alive, alive);
        if (!failed) {
            assert_true(ok);
            break;
        }
    }
    print_message("%s: %zu allocations failed, one after the other; %zu were not missed\n", plan->name, n - 1, survived);
    assert_true(n > 15 && survived <= 4); /* a ticket that could not be kept is not missed before the end */
    both_free(&b);
    assert_int_equal(s.alive, 0);
}

static void test_allocations(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++)
        memory_fails(&plans[i]);
}

static void provider_fails(const struct plan *plan)
{
    troth_provider *crypto = fake_provider(1);
    struct both b;
    both_new(&b, plan, troth_provider_share(crypto));
    size_t n = 1, survived = 0;
    for (;; n++) {
        struct quic_pair p;
        assert_true(n < 500);
        connect_once(&b, &p);
        uint64_t before = fake_calls(crypto);
        fake_fail_in(crypto, n);
        quic_run(&p);
        uint64_t calls = fake_calls(crypto) - before;
        fake_fail_in(crypto, 0);
        bool ok = through(&p, plan);
        if (!ok)
            assert_true(p.client.failed || p.server.failed || plan->early);
        assert_silent(&p.client);
        assert_silent(&p.server);
        quic_pair_free(&p);
        survived += ok && calls >= n;
        if (calls < n) {
            assert_true(ok);
            break;
        }
    }
    print_message("%s: %zu calls to the provider failed, one after the other; %zu were not missed\n", plan->name, n - 1, survived);
    assert_true(n > 5 && survived <= 4);
    both_free(&b);
    troth_provider_free(crypto);
}

static void test_provider(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(plans); i++)
        provider_fails(&plans[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
