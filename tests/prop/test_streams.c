/* How bytes are cut on their way makes no difference: one byte at a time, all at once, and every single cut give the same handshake.
 * Neither does a witness. */
#include "base/witness.h"
#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/conn.h"

struct outcome {
    uint8_t to_server[16384], to_client[16384];
    size_t  n_server, n_client;
    uint8_t exported[32];
};

enum { MODES = 3 };

static void tweak_mode(troth_builder *b, void *ctx)
{
    static const uint16_t both[] = { 0x001d, 0x0017 }, one[] = { 0x0017 };
    const int *mode = ctx; /* [0] which, [1] server? */
    if (mode[0] == 1)
        troth_groups(b, mode[1] ? one : both, mode[1] ? 1 : 2);
    if (mode[0] == 2 && mode[1])
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
}

struct tweak_both {
    struct world *w;
    int mode[2];
};

static void tweak_client(troth_builder *b, void *ctx)
{
    struct tweak_both *t = ctx;
    tweak_mode(b, t->mode);
    if (t->mode[0] == 2)
        tweak_client_identity(b, t->w);
}

/* A handshake and a word each way; everything about it that can be seen from outside.  Random numbers come from `seed` alone. */
static void run(struct outcome *o, uint64_t seed, int mode, size_t most, size_t cut_server, size_t cut_client, const struct witness *witness)
{
    struct world *w = world_new(fake_provider(seed));
    struct tweak_both t = { w, { mode, 0 } };
    int server[2] = { mode, 1 };
    struct pair p;
    pair_new(&p, world_client(w, tweak_client, &t), world_server(w, tweak_mode, server), NULL);
    p.most = most;
    p.cut_server = cut_server;
    p.cut_client = cut_client;
    conn_watch(p.client.c, witness);
    conn_watch(p.server.c, witness);
    pair_run(&p);
    assert_ready(&p);
    assert_true(pair_write(&p.client, "ping") && pair_write(&p.server, "pong!"));
    pair_run(&p);
    assert_int_equal(p.server.n_got, 4);
    assert_int_equal(p.client.n_got, 5);
    troth_close(p.client.c);
    pair_run(&p);
    assert_true(p.client.done && p.server.done);
    memset(o, 0, sizeof *o);
    assert_true(p.to_server.n <= sizeof o->to_server && p.to_client.n <= sizeof o->to_client);
    memcpy(o->to_server, p.to_server.p, o->n_server = p.to_server.n);
    memcpy(o->to_client, p.to_client.p, o->n_client = p.to_client.n);
    assert_true(troth_export(p.client.c, "EXPORTER-x", TROTH_TEXT(""), o->exported, 32));
    pair_free(&p);
    world_free(w);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->n_server, b->n_server);
    assert_int_equal(a->n_client, b->n_client);
    assert_memory_equal(a, b, sizeof *a);
}

static void test_sizes_of_reads(void **state)
{
    (void)state;
    static struct outcome whole, other;
    for (int mode = 0; mode < MODES; mode++) {
        run(&whole, 1, mode, 0, 0, 0, NULL);
        for (size_t most = 1; most < 40; most += most < 8 ? 1 : 7) {
            run(&other, 1, mode, most, 0, 0, NULL);
            assert_same(&whole, &other);
        }
    }
}

static void test_every_single_cut(void **state)
{
    (void)state;
    static struct outcome whole, other;
    run(&whole, 1, 0, 0, 0, 0, NULL);
    size_t runs = 0;
    for (size_t at = 1; at < whole.n_server || at < whole.n_client; at++, runs++) {
        run(&other, 1, 0, 0, at, at, NULL);
        assert_same(&whole, &other);
    }
    print_message("%zu cuts of both streams\n", runs);
}

/* ---- a witness that listens to everything and does nothing */
struct count {
    size_t messages, fields, decisions, checks, keys, records, flights, failures;
};

static void on_message(void *self, const struct saw_message *m)
{
    (void)m;
    ((struct count *)self)->messages++;
}

static void on_field(void *self, const struct sighting *s)
{
    (void)s;
    ((struct count *)self)->fields++;
}

static void on_decision(void *self, const struct saw_decision *d)
{
    assert_non_null(d->rule);
    ((struct count *)self)->decisions++;
}

static void on_check(void *self, const struct saw_check *k)
{
    (void)k;
    ((struct count *)self)->checks++;
}

static void on_key(void *self, const struct saw_key *k)
{
    assert_non_null(k->label);
    ((struct count *)self)->keys++;
}

static void on_record(void *self, const struct saw_record *r)
{
    (void)r;
    ((struct count *)self)->records++;
}

static void on_flight(void *self, enum direction from, size_t bytes)
{
    (void)from, (void)bytes;
    ((struct count *)self)->flights++;
}

static void on_failure(void *self, const troth_error *e)
{
    (void)e;
    ((struct count *)self)->failures++;
}

static void test_a_witness_changes_nothing(void **state)
{
    (void)state;
    static struct outcome without, with;
    for (int mode = 0; mode < MODES; mode++) {
        struct count n = { 0 };
        struct witness w = { &n, on_message, on_field, on_decision, on_check, on_key, on_record, on_flight, on_failure };
        run(&without, 1, mode, 0, 0, 0, NULL);
        run(&with, 1, mode, 0, 0, 0, &w);
        assert_same(&without, &with);
        print_message("told: %zu messages, %zu fields, %zu decisions, %zu checks, %zu keys, %zu records, %zu flights\n", n.messages,
                      n.fields, n.decisions, n.checks, n.keys, n.records, n.flights);
        assert_true(n.messages >= 14 && n.fields > 200 && n.decisions >= 7 && n.checks > 5 && n.keys >= 20 && n.records >= 8 && n.flights > 4);
        assert_int_equal(n.failures, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_of_reads),
        cmocka_unit_test(test_every_single_cut),
        cmocka_unit_test(test_a_witness_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
