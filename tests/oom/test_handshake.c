/* The n-th allocation fails, for every n until a run gets through: one reason, no leak, no crash, no half-open door. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"

struct scarce {
    size_t left, taken, alive; /* allocations until one fails; how often it was asked; how many are out */
    bool   failed;
};

static void *take(void *ctx, size_t n)
{
    struct scarce *s = ctx;
    s->taken++;
    if (s->left && !--s->left) {
        s->failed = true;
        return NULL;
    }
    s->alive++;
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    (void)n;
    ((struct scarce *)ctx)->alive -= p != NULL;
    free(p);
}

static void tweak_retry(troth_builder *b, void *ctx)
{
    static const uint16_t both[] = { 0x001d, 0x0017 }, one[] = { 0x0017 };
    troth_groups(b, ctx ? one : both, ctx ? 1 : 2);
    if (ctx) {
        troth_retry_cookie(b);
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
    }
}

static void tweak_retry_client(troth_builder *b, void *ctx)
{
    tweak_retry(b, NULL);
    tweak_client_identity(b, ctx);
}

/* True when nothing failed. */
static bool run(struct world *w, bool retry)
{
    struct pair p;
    bool wrote = false;
    pair_new(&p, world_client(w, retry ? tweak_retry_client : NULL, w), world_server(w, retry ? tweak_retry : NULL, w), NULL);
    pair_run(&p);
    if (p.client.ready && p.server.ready) {
        wrote = pair_write(&p.client, "x") && troth_update_keys(p.client.c, true) && pair_write(&p.client, "y");
        pair_run(&p);
        wrote = wrote && p.server.n_got == 2 && pair_write(&p.server, "z");
        pair_run(&p);
        wrote = wrote && p.client.n_got == 1;
    }
    if (!wrote) { /* then at least one end knows why, and nobody was told that all is well who should not */
        assert_true(p.client.last == TROTH_FAILED || p.server.last == TROTH_FAILED);
        const troth_error *a = troth_why(p.client.c), *b = troth_why(p.server.c);
        assert_true((a && a->reason == TROTH_R_OUT_OF_MEMORY) || (b && b->reason == TROTH_R_OUT_OF_MEMORY));
    }
    pair_free(&p);
    return wrote;
}

static void fail_each(bool retry)
{
    struct scarce s = { 0 };
    troth_allocator memory = { take, give, &s };
    struct world *w = world_new(fake_provider_with(1, &memory));
    size_t alive = s.alive, n = 1;
    for (; n < 2000; n++) {
        s.left = n;
        s.failed = false;
        bool through = run(w, retry);
        assert_int_equal(s.alive, alive);
        if (!s.failed) {
            assert_true(through);
            break;
        }
    }
    print_message("%zu allocations failed, one after the other\n", n - 1);
    assert_true(n > 20 && n < 2000);
    s.left = 0;
    world_free(w);
    assert_int_equal(s.alive, 0);
}

static void test_plain(void **state)
{
    (void)state;
    fail_each(false);
}

static void test_retry_and_client_certificate(void **state)
{
    (void)state;
    fail_each(true);
}

/* Every call to the provider that may fail, likewise. */
static void test_provider_fails(void **state)
{
    (void)state;
    troth_provider *crypto = fake_provider(1);
    struct world *w = world_new(troth_provider_share(crypto));
    size_t n = 1, failures = 0, survived = 0;
    for (; n < 500; n++) {
        struct pair p;
        pair_new(&p, world_client(w, tweak_retry_client, w), world_server(w, tweak_retry, w), NULL);
        uint64_t before = fake_calls(crypto);
        fake_fail_in(crypto, n);
        pair_run(&p);
        bool through = p.client.ready && p.server.ready;
        uint64_t calls = fake_calls(crypto) - before;
        fake_fail_in(crypto, 0);
        failures += !through;
        if (!through)
            assert_true(p.client.failed || p.server.failed);
        pair_free(&p);
        if (calls < n) {
            assert_true(through);
            break;
        }
        survived += through; /* a session ticket that could not be sealed is not missed */
    }
    assert_true(survived <= 2);
    print_message("%zu calls to the provider failed, one after the other\n", failures);
    assert_true(failures > 10);
    world_free(w);
    troth_provider_free(crypto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_retry_and_client_certificate),
        cmocka_unit_test(test_provider_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
