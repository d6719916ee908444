/* Random walks: a peer with all the keys that leaves out, repeats, swaps, replays, invents and changes messages, by a program drawn from a
 * seed.  The honest end is never ready with a peer that did not prove who it is, and gives one reason. */
#include "fake/fake.h"
#include "support/test.h"
#include "support/victim.h"

enum { PER_FLAVOUR = 160, PROGRAM_MAX = 96 };

static uint64_t seed_state;

static uint8_t draw(void)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (uint8_t)(seed_state >> 56);
}

/* Mostly honest steps, so that walks get far; then anything. */
static size_t draw_program(uint8_t *p)
{
    static const uint8_t order[] = { EVIL_SWALLOW, EVIL_HASH_ONLY, EVIL_SEND_ONLY, EVIL_TWICE, EVIL_HOLD, EVIL_REPLAY, EVIL_FLUSH };
    size_t n = 0, honest = draw() % 5;
    while (n < honest)
        p[n++] = EVIL_PASS;
    p[n++] = draw() & 1 ? order[draw() % COUNT_OF(order)] : (uint8_t)(draw() % EVIL_OPS);
    while (n < PROGRAM_MAX)
        p[n++] = draw() & 3 ? draw() : EVIL_PASS;
    return n;
}

static void test_walks(void **state)
{
    (void)state;
    size_t walks = 0, ready = 0, failed = 0, deeds = 0, reasons = 0;
    static bool seen[TROTH_REASON_COUNT];
    for (size_t i = 0; i < n_flavours; i++) {
        if (flavours[i].bits & (F_STORY | F_LOG))
            continue;
        struct world *w = world_new(fake_provider(1));
        struct scene *s = scene_new(&flavours[i], w);
        s->any_replay = true;
        assert_true(scene_build(s, fake_provider(2), fake_provider(3)));
        for (size_t k = 0; k < PER_FLAVOUR; k++) {
            uint8_t program[PROGRAM_MAX];
            seed_state = i * 1000 + k;
            size_t n = draw_program(program);
            struct victim_end end = victim_run(s, k & 1, span_of(program, n));
            walks++;
            ready += end.ready;
            failed += end.failed;
            deeds += end.deeds.ops;
            reasons += end.failed && !seen[end.reason];
            seen[end.reason] = true;
        }
        scene_free(s);
        world_free(w);
    }
    print_message("%zu walks, %zu deeds: %zu ready all the same, %zu failed for %zu reasons\n", walks, deeds, ready, failed, reasons);
    assert_true(failed > walks / 2 && reasons > 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_walks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
