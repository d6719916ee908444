/* The library's own register of early data that was seen (RFC 9846 8.2): each mark once, as long as it counts. */
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"

static int64_t now = 0;
static int64_t moving_clock(void *ctx)
{
    return test_clock(ctx) + now;
}

static void tweak(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_clock(b, moving_clock, NULL);
    troth_early_data(b, 1000);
}

/* `tag` and `where` are what it goes by. */
static bool seen_first(const troth_server *server, uint8_t tag, uint8_t where, int64_t lives)
{
    const struct config *cfg = &server->config;
    uint8_t mark[32] = { [4] = tag, [15] = where };
    return cfg->first_time(cfg->first_time_ctx, mark, config_now(cfg) + lives);
}

/* What was noted behind another mark is found also when that one's time is over; and no time is over for ever. */
static void test_register(void **state)
{
    enum { WAYS = 16, QUARTER = 90 * 86400 };
    (void)state;
    struct world *w = world_new(fake_provider(13));
    troth_server *server = world_server(w, tweak, NULL);
    for (uint8_t i = 0; i < WAYS; i++) { /* each behind the one before, which ends earlier */
        assert_true(seen_first(server, (uint8_t)(i + 1), 7, 60));
        now++;
    }
    now = 70; /* what was noted in the first 10 seconds is over, the rest is not */
    for (int again = 0; again < 3; again++)
        for (uint8_t i = 10; i < WAYS; i++)
            assert_false(seen_first(server, (uint8_t)(i + 1), 7, 60));
    assert_true(seen_first(server, 100, 7, 60));
    assert_false(seen_first(server, 100, 7, 60));
    for (uint8_t i = 0; i < WAYS; i++) /* a flood: then it is full, and takes nothing */
        (void)seen_first(server, (uint8_t)(i + 101), 7, 60);
    assert_false(seen_first(server, 200, 7, 60));
    for (int i = 0; i < 9; i++) {
        now += QUARTER;
        assert_true(seen_first(server, (uint8_t)(210 + i), 8, 60));
        if (i % 2)
            assert_true(seen_first(server, (uint8_t)(230 + i), 7, 60));
    }
    troth_server_free(server);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_register) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
