/* An answer comes before an end knows that its own bytes left: they wait where they lie, however many come behind them, and the hello and
 * what it was made of go only when they are not needed.  Every feature of a handshake. */
#include "fake/fake.h"
#include "support/flavour.h"
#include "support/test.h"

static void test_every_flavour(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_flavours; i++) {
        struct world *w = world_new(fake_provider(1));
        struct scene *s = scene_new(&flavours[i], w);
        struct pair p;
        assert_true(scene_build(s, fake_provider(2), fake_provider(3)));
        scene_open(s, &p);
        p.late_ack = true;
        if (!scene_talk(s, &p))
            test_fail("%s", flavours[i].name);
        scene_assert_kind(s, &p);
        scene_check(s, &p);
        scene_close(s, &p);
        scene_free(s);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_flavour) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
