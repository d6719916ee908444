/* Early data that is played again to the configuration that comes after (RFC 9846 8.2): it has the ticket keys, and not the memory. */
#include "support/pair.h"
#include "support/test.h"

static int64_t now = 0;
static int64_t moving_clock(void *ctx)
{
    return test_clock(ctx) + now;
}

static void tweak(troth_builder *b, void *ctx)
{
    static const troth_ticket_key keys[1] = { { "a name of a key", "thirty-two bytes of key, or so.." } };
    troth_clock(b, moving_clock, NULL);
    troth_early_data(b, 1000);
    if (ctx)
        troth_ticket_keys(b, keys, 1);
}

static bool first_time(void *ctx, const uint8_t mark[32], int64_t expires)
{
    (void)ctx, (void)mark, (void)expires;
    return true;
}

static void tweak_remembering(troth_builder *b, void *ctx)
{
    tweak(b, ctx);
    troth_anti_replay(b, first_time, NULL);
}

static bool write_early(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    if (ev->kind == TROTH_EARLY && e == &p->client)
        assert_true(pair_write(e, "early bird"));
    return ev->kind == TROTH_EARLY || pair_keep_ticket(p, e, ev, ctx);
}

/* With the ticket that is kept, and then with the new one in its place: was early data taken? */
static int connect_with(struct pair *p, troth_client *client, troth_server *server, struct kept_ticket *kept)
{
    pair_new(p, client, server, NULL);
    p->on_event = write_early;
    p->ctx = kept;
    if (kept->n)
        troth_resume(p->client.c, span_of(kept->p, kept->n));
    pair_run(p);
    assert_ready(p);
    return troth_what(p->server.c).early;
}

static int connect_once(struct world *w, tweak_fn *how, struct kept_ticket *kept, int64_t built, int64_t at)
{
    struct pair p;
    now = built;
    troth_client *client = world_client(w, tweak, NULL);
    troth_server *server = world_server(w, how, w);
    now = at;
    int early = connect_with(&p, client, server, kept);
    pair_exchange(&p);
    pair_free(&p);
    return early;
}

/* Until no hello of the time before can be in time any more, early data is taken with younger tickets alone. */
static void test_older_ticket(void **state)
{
    (void)state;
    enum { BUILT = 10, WINDOW = 121 };
    struct world *w = world_new(troth_libcrypto());
    struct kept_ticket old = { .n = 0 }, kept;
    assert_int_equal(connect_once(w, tweak, &old, 0, 0), TROTH_EARLY_NOT_TRIED);
    kept = old;
    assert_int_equal(connect_once(w, tweak, &kept, 0, 5), TROTH_EARLY_ACCEPTED);
    for (int64_t later = 0; later <= WINDOW; later += WINDOW) {
        kept = old;
        assert_int_equal(connect_once(w, tweak, &kept, BUILT, BUILT + later), TROTH_EARLY_REJECTED);
        assert_int_equal(connect_once(w, tweak, &kept, BUILT, BUILT + later), TROTH_EARLY_ACCEPTED);
    }
    kept = old;
    assert_int_equal(connect_once(w, tweak, &kept, BUILT, BUILT + WINDOW + 1), TROTH_EARLY_ACCEPTED);
    kept = old; /* an application that remembers by itself knows what it has seen */
    assert_int_equal(connect_once(w, tweak_remembering, &kept, BUILT, BUILT), TROTH_EARLY_ACCEPTED);
    world_free(w);
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct kept_ticket kept = { .n = 0 };
    struct pair p, q;
    (void)connect_once(w, tweak, &kept, 0, 0);
    troth_server *server = world_server(w, tweak, w);
    now = 5;
    assert_int_equal(connect_with(&p, world_client(w, tweak, NULL), server, &kept), TROTH_EARLY_ACCEPTED);
    now = 6;
    pair_new(&q, world_client(w, tweak, NULL), world_server(w, tweak, w), NULL);
    const struct pipe *said = pair_input(&p, &p.server);
    pipe_put(pair_input(&q, &q.server), said->p, said->n);
    (void)pair_step(&q, &q.server);
    assert_true(troth_what(q.server.c).resumed);
    assert_int_equal(troth_what(q.server.c).early, TROTH_EARLY_REJECTED);
    assert_int_equal(q.server.n_got, 0);
    pair_free(&p);
    pair_free(&q);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_older_ticket), cmocka_unit_test(test_same_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
