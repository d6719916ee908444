/* Fragments become messages: any split gives the same messages, lengths are bounded, nothing crosses a change of keys. */
#include "record/records.h"

static struct counted mem;

static int fresh(void **state)
{
    (void)state;
    counted_init(&mem);
    return 0;
}

static int empty(void **state)
{
    (void)state;
    return (int)mem.blocks;
}

static size_t put_message(uint8_t *to, uint8_t type, size_t n)
{
    to[0] = type;
    to[1] = (uint8_t)(n >> 16);
    to[2] = (uint8_t)(n >> 8);
    to[3] = (uint8_t)n;
    noise(to + 4, n, (uint32_t)(type + n));
    return n + 4;
}

static const struct { uint8_t type; size_t n; } sent[] = { { 2, 90 }, { 8, 0 }, { 11, 3000 }, { 15, 70 }, { 20, 32 }, { 4, 1 } };

/* Takes all that is there; returns how many whole messages, checking them against `sent` from `seen` on. */
static size_t take_all(struct messages *m, troth_error *e, size_t seen)
{
    struct message msg;
    enum messages_answer a;
    uint8_t type;
    uint32_t n;
    bool known = messages_peek(m, &type, &n);
    while ((a = messages_next(m, e, &msg)) == MESSAGE_WHOLE) {
        assert_true(known);
        assert_int_equal(type, msg.type);
        assert_int_equal(n, msg.body.n);
        assert_int_equal(msg.type, sent[seen].type);
        assert_int_equal(msg.body.n, sent[seen].n);
        assert_int_equal(msg.raw.n, msg.body.n + 4);
        uint8_t want[3000];
        noise(want, sent[seen].n, (uint32_t)(sent[seen].type + sent[seen].n));
        assert_memory_equal(msg.body.p, want, msg.body.n);
        seen++;
        known = messages_peek(m, &type, &n);
    }
    assert_int_equal(a, MESSAGE_MORE);
    assert_int_equal(m->rest.n, 0);
    return seen;
}

static size_t all_sent(uint8_t *wire)
{
    size_t total = 0;
    for (size_t i = 0; i < COUNT_OF(sent); i++)
        total += put_message(wire + total, sent[i].type, sent[i].n);
    return total;
}

static void splits_do_not_matter(void **state)
{
    (void)state;
    uint8_t wire[4000];
    size_t total = all_sent(wire);
    for (size_t step = 1; step <= total; step += step < 300 ? 1 : 97) {
        struct messages m;
        troth_error e = { 0 };
        size_t seen = 0;
        messages_init(&m, &mem.memory);
        for (size_t at = 0; at < total; at += step) {
            size_t n = step < total - at ? step : total - at;
            uint8_t *fragment = malloc(n); /* its own memory, gone once used up: nothing may point into it afterwards */
            memcpy(fragment, wire + at, n);
            assert_true(messages_add(&m, &e, span_of(fragment, n)));
            seen = take_all(&m, &e, seen);
            free(fragment);
        }
        assert_int_equal(seen, COUNT_OF(sent));
        assert_false(messages_left(&m));
        assert_true(messages_aligned(&m, &e));
        messages_rest(&m);
        assert_int_equal(mem.blocks, 0);
        messages_free(&m);
    }
}

static void whole_messages_are_not_copied(void **state)
{
    (void)state;
    uint8_t wire[4000];
    size_t total = all_sent(wire);
    struct messages m;
    struct message msg;
    troth_error e = { 0 };
    messages_init(&m, &mem.memory);
    mem.fail_in = 1;
    assert_true(messages_add(&m, &e, span_of(wire, total)));
    assert_int_equal(messages_next(&m, &e, &msg), MESSAGE_WHOLE);
    assert_ptr_equal(msg.raw.p, wire);
    assert_true(messages_left(&m));
    assert_false(messages_midway(&m));
    assert_false(messages_aligned(&m, &e));
    assert_reason(&e, MESSAGE_LEFTOVER);
    assert_int_equal(take_all(&m, &e, 1), COUNT_OF(sent));
    assert_int_equal(mem.peak, 0);
    messages_free(&m);
}

static void refuses(void **state)
{
    (void)state;
    struct messages m;
    struct message msg;
    troth_error e = { 0 };
    messages_init(&m, &mem.memory);
    assert_false(messages_add(&m, &e, SPAN_NONE));
    assert_reason(&e, RECORD_EMPTY);

    e = (troth_error){ 0 };
    assert_true(messages_add(&m, &e, SPAN_TEXT("\x0b\x02\x00\x00"))); /* the longest Certificate */
    assert_int_equal(messages_next(&m, &e, &msg), MESSAGE_MORE);
    assert_true(mem.bytes <= 1024); /* what a length promises is not believed */
    assert_true(messages_midway(&m));
    assert_false(messages_aligned(&m, &e));
    assert_reason(&e, MESSAGE_LEFTOVER);
    messages_free(&m);

    static const struct { const char *header; bool ok; } lengths[] = {
        { "\x0b\x02\x00\x01", false }, { "\x19\x02\x00\x00", true }, { "\x19\x02\x00\x01", false }, { "\x01\x02\x01\x44", true },
        { "\x01\x02\x01\x45", false }, { "\x01\xff\xff\xff", false },
    };
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        for (size_t cut = 1; cut <= 4; cut++) {
            e = (troth_error){ 0 };
            assert_true(messages_add(&m, &e, span_of(lengths[i].header, cut)));
            enum messages_answer a = messages_next(&m, &e, &msg);
            if (cut < 4) {
                assert_int_equal(a, MESSAGE_MORE);
                assert_true(messages_add(&m, &e, span_of(lengths[i].header + cut, 4 - cut)));
                a = messages_next(&m, &e, &msg);
            }
            assert_int_equal(a, lengths[i].ok ? MESSAGE_MORE : MESSAGE_BAD);
            if (!lengths[i].ok)
                assert_reason(&e, MESSAGE_TOO_LONG);
            messages_free(&m);
        }
}

static void survives_want_of_memory(void **state)
{
    (void)state;
    uint8_t wire[4000];
    size_t total = all_sent(wire), done = 0;
    for (int fail_in = 1; !done; fail_in++) {
        struct messages m;
        struct message msg;
        troth_error e = { 0 };
        messages_init(&m, &mem.memory);
        mem.fail_in = fail_in;
        bool ok = true;
        for (size_t at = 0; ok && at < total; at += 41) {
            enum messages_answer a = MESSAGE_BAD;
            ok = messages_add(&m, &e, span_of(wire + at, total - at < 41 ? total - at : 41));
            while (ok && (a = messages_next(&m, &e, &msg)) == MESSAGE_WHOLE)
                ;
            ok = ok && a == MESSAGE_MORE;
        }
        if (ok)
            done = (size_t)fail_in;
        else
            assert_reason(&e, OUT_OF_MEMORY);
        messages_free(&m);
        assert_int_equal(mem.blocks, 0);
    }
    assert_true(done > 3);
    mem.fail_in = 0;
}

static void refuses_what_was_not_taken(void **state)
{
    (void)state;
    struct messages m;
    troth_error e = { 0 };
    messages_init(&m, &mem.memory);
    assert_true(messages_add(&m, &e, SPAN_TEXT("\x14\x00\x00\x00")));
    assert_false(messages_add(&m, &e, SPAN_TEXT("\x14\x00\x00\x00")));
    assert_reason(&e, BUG);
    messages_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(splits_do_not_matter, fresh, empty),
        cmocka_unit_test_setup_teardown(whole_messages_are_not_copied, fresh, empty),
        cmocka_unit_test_setup_teardown(refuses, fresh, empty),
        cmocka_unit_test_setup_teardown(survives_want_of_memory, fresh, empty),
        cmocka_unit_test_setup_teardown(refuses_what_was_not_taken, fresh, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
