/* ctest: timeout=600 */
/* The n-th allocation fails, for every n until a run gets through; every request to an arena likewise, and every call to the provider: for
 * every feature and each end.  One reason, no leak, no crash, no half-open door. */
#include "base/arena.h"

/* Arenas that can be told to fail: arena.c is part of this test. */
#define arena_alloc sound_arena_alloc
#define arena_array sound_arena_array
#define arena_copy sound_arena_copy
#define arena_string sound_arena_string
void *sound_arena_alloc(struct arena *, size_t);
void *sound_arena_array(struct arena *, size_t, size_t);
bool MUST_USE sound_arena_copy(struct arena *, span *, span);
char *sound_arena_string(struct arena *, span);
#include "../../src/base/arena.c"
#undef arena_alloc
#undef arena_array
#undef arena_copy
#undef arena_string

#include "fake/fake.h"
#include "support/flavour.h"
#include "support/memory.h"
#include "support/test.h"
#include "support/wrap.h"

static struct scarce arenas;

void *arena_alloc(struct arena *a, size_t n)
{
    return scarce_refuses(&arenas) ? NULL : sound_arena_alloc(a, n);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    return scarce_refuses(&arenas) ? NULL : sound_arena_array(a, count, size);
}

bool arena_copy(struct arena *a, span *out, span s)
{
    return !(s.n && scarce_refuses(&arenas)) && sound_arena_copy(a, out, s);
}

char *arena_string(struct arena *a, span s)
{
    return scarce_refuses(&arenas) ? NULL : sound_arena_string(a, s);
}

/* ---- one feature, one end, one kind of fault */
enum end { CLIENT, SERVER, ENDS };
enum { TRIES_MAX = 3000 };

struct case_of {
    struct scene   *s;
    struct scarce   scarce;
    troth_allocator memory;
    troth_provider *faulty, *sound; /* owned while the test runs */
    enum end        end;
};

struct count {
    size_t failed, survived;
};

static bool build(struct case_of *c)
{
    troth_provider *a = c->end == CLIENT ? c->faulty : c->sound, *b = c->end == CLIENT ? c->sound : c->faulty;
    return scene_build(c->s, troth_provider_share(a), troth_provider_share(b));
}

static void begin(struct case_of *c, const struct flavour *f, struct world *w, enum end end)
{
    *c = (struct case_of){ .end = end };
    c->memory = scarce_memory(&c->scarce);
    c->s = scene_new(f, w);
    c->faulty = fake_provider_with(7, &c->memory);
    c->sound = fake_provider(8);
    c->s->story_memory = &c->memory;
}

static void end(struct case_of *c)
{
    scene_free(c->s);
    troth_provider_free(c->faulty);
    troth_provider_free(c->sound);
    assert_int_equal(c->scarce.alive, 0);
}

static bool is_memory(const troth_error *why)
{
    return why && why->reason == TROTH_R_OUT_OF_MEMORY;
}

static void assert_reason_is_memory(const struct case_of *c, const struct pair *p)
{
    const troth_error *a = troth_why(p->client.c), *b = troth_why(p->server.c);
    if (!is_memory(a) && !is_memory(b))
        test_fail("%s: not out of memory: %s (%s) / %s (%s)", c->s->f->name, a ? a->code : "-", a ? a->detail : "", b ? b->code : "-",
                  b ? b->detail : "");
}

/* The n-th request to `s` fails. */
static struct count memory_fails_at(struct case_of *c, struct scarce *s)
{
    struct count n = { 0 };
    struct pair p;
    assert_true(build(c));
    size_t alive = c->scarce.alive;
    for (size_t i = 1;; i++) {
        assert_true(i < TRIES_MAX);
        s->left = i;
        s->failed = false;
        scene_open(c->s, &p);
        bool through = scene_talk(c->s, &p), failed = s->failed;
        if (!through)
            assert_reason_is_memory(c, &p);
        if (!failed)
            scene_assert_kind(c->s, &p);
        scene_check(c->s, &p);
        scene_close(c->s, &p);
        assert_int_equal(c->scarce.alive, alive);
        assert_true(failed || through);
        if (!s->failed)
            break;
        n.failed++;
        n.survived += through;
    }
    s->left = 0;
    scene_unbuild(c->s);
    return n;
}

static struct count building_fails_at(struct case_of *c, struct scarce *s)
{
    struct count n = { 0 };
    size_t alive = c->scarce.alive;
    for (size_t i = 1;; i++) {
        assert_true(i < TRIES_MAX);
        s->left = i;
        s->failed = false;
        bool through = build(c);
        s->left = 0;
        scene_unbuild(c->s);
        assert_int_equal(c->scarce.alive, alive);
        assert_true(through || s->failed);
        if (!s->failed)
            break;
        n.failed++;
        n.survived += through;
    }
    return n;
}

static struct count memory_fails(struct case_of *c)
{
    return memory_fails_at(c, &c->scarce);
}

static struct count arena_fails(struct case_of *c)
{
    return memory_fails_at(c, &arenas);
}

static struct count building_fails(struct case_of *c)
{
    return building_fails_at(c, &c->scarce);
}

static struct count building_arena_fails(struct case_of *c)
{
    return building_fails_at(c, &arenas);
}

static struct count provider_fails(struct case_of *c)
{
    struct count n = { 0 };
    struct pair p;
    assert_true(build(c));
    for (size_t i = 1;; i++) {
        assert_true(i < TRIES_MAX);
        uint64_t before = fake_calls(c->faulty);
        scene_open(c->s, &p);
        fake_fail_in(c->faulty, i);
        bool through = scene_talk(c->s, &p), failed = fake_calls(c->faulty) - before >= i;
        fake_fail_in(c->faulty, 0);
        if (!through)
            assert_true(troth_why(p.client.c) || troth_why(p.server.c));
        if (!failed)
            scene_assert_kind(c->s, &p);
        scene_check(c->s, &p);
        scene_close(c->s, &p);
        assert_true(failed || through);
        if (!failed)
            break;
        n.failed++;
        n.survived += through; /* a session ticket that could not be sealed is not missed */
    }
    scene_unbuild(c->s);
    return n;
}

typedef struct count fault_fn(struct case_of *);

static void every_feature(fault_fn *fault, const char *what, enum end upto)
{
    struct count all = { 0 };
    for (size_t i = 0; i < n_flavours_all; i++) {
        struct count n[ENDS] = { { 0, 0 } };
        for (enum end e = CLIENT; e < upto; e++) {
            struct world *w = world_new(fake_provider(1));
            struct case_of c;
            begin(&c, &flavours[i], w, e);
            n[e] = fault(&c);
            end(&c);
            world_free(w);
            all.failed += n[e].failed;
            all.survived += n[e].survived;
            assert_true(n[e].failed >= 2);
        }
        print_message("%-30s %4zu (%zu survived)", flavours[i].name, n[CLIENT].failed, n[CLIENT].survived);
        if (upto == ENDS)
            print_message("  server %4zu (%zu survived)", n[SERVER].failed, n[SERVER].survived);
        print_message("\n");
    }
    print_message("%zu %s failed, one after the other; %zu of them were not missed\n", all.failed, what, all.survived);
}

static void test_allocations(void **state)
{
    (void)state;
    every_feature(memory_fails, "allocations of connections", ENDS);
}

static void test_arenas(void **state)
{
    (void)state;
    every_feature(arena_fails, "requests of connections to arenas", SERVER);
}

static void test_building(void **state)
{
    (void)state;
    every_feature(building_fails, "allocations of configurations", ENDS);
}

static void test_building_arenas(void **state)
{
    (void)state;
    every_feature(building_arena_fails, "requests of configurations to arenas", SERVER);
}

static void test_provider(void **state)
{
    (void)state;
    every_feature(provider_fails, "calls to the provider", ENDS);
}

/* ---- libcrypto's provider behind one that refuses the n-th call, opening of records and tickets included */
struct refusal {
    size_t left, calls;
};

static bool allow(void *ctx, const char *what)
{
    struct refusal *r = ctx;
    (void)what;
    r->calls++;
    return !r->left || --r->left;
}

static struct count real_calls_fail(struct scene *s, struct refusal *r)
{
    struct count n = { 0 };
    struct pair p;
    for (size_t i = 1;; i++) {
        assert_true(i < TRIES_MAX);
        scene_open(s, &p);
        *r = (struct refusal){ .left = i };
        bool through = scene_talk(s, &p), failed = r->calls >= i;
        r->left = 0;
        if (!through)
            assert_true(troth_why(p.client.c) || troth_why(p.server.c));
        if (!failed)
            scene_assert_kind(s, &p);
        scene_check(s, &p);
        scene_close(s, &p);
        assert_true(failed || through);
        if (!failed)
            return n;
        n.failed++;
        n.survived += through;
    }
}

static void test_real_provider(void **state)
{
    static const char *const names[] = { "basic", "hybrid", "client certificate", "resumption", "early data", "TLS 1.2", "TLS 1.2, ticket", "ECH" };
    (void)state;
    struct count all = { 0 };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (enum end e = CLIENT; e < ENDS; e++) {
            struct refusal r = { 0, 0 };
            struct world *w = world_new(troth_libcrypto());
            struct scene *s = scene_new(flavour_of(names[i]), w);
            s->any_replay = true;
            troth_provider *faulty = wrap_provider(troth_libcrypto(), &(struct wrap_hooks){ .ctx = &r, .allow = allow });
            troth_provider *sound = troth_libcrypto();
            assert_true(scene_build(s, e == CLIENT ? faulty : sound, e == CLIENT ? sound : faulty));
            struct count n = real_calls_fail(s, &r);
            all.failed += n.failed;
            all.survived += n.survived;
            assert_true(n.failed > 5);
            scene_free(s);
            world_free(w);
        }
    print_message("%zu calls to libcrypto's provider failed; %zu of them were not missed\n", all.failed, all.survived);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocations),          cmocka_unit_test(test_arenas),   cmocka_unit_test(test_building),
        cmocka_unit_test(test_building_arenas), cmocka_unit_test(test_provider), cmocka_unit_test(test_real_provider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
