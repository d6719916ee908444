/* links: pthread */
/* One frozen configuration of each kind, many threads: full handshakes, resumption of both versions, early data against one register, while
 * the clock moves so that ticket keys change under everybody's hands.  Run it under the thread sanitizer (PRESET=tsan). */
#include <pthread.h>
#include <stdatomic.h>

#include "base/span.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"

enum { THREADS = 6, ROUNDS = 40, SESSION_MAX_N = 8192, LIFETIME = 100, JUMP = 17 };

static atomic_long passed; /* seconds, for every clock */

static int64_t moving_clock(void *ctx)
{
    return test_clock(ctx) + atomic_load_explicit(&passed, memory_order_relaxed);
}

struct shared {
    troth_client *client[2];  /* TLS 1.3, TLS 1.2 */
    troth_server *server;
    /* one ticket that everybody tries to use for early data at once */
    uint8_t       common[SESSION_MAX_N];
    size_t        common_n;
    atomic_size_t full, resumed, early;
};

struct worker {
    struct shared *s;
    pthread_t      thread;
    uint8_t        ticket[2][SESSION_MAX_N];
    size_t         ticket_n[2];
    const char    *wrong;
};

/* ---- one connection; no cmocka in here, as its assertions are the main thread's */
struct link {
    struct worker *w;
    int            version;
    bool           write_early;
};

static bool on_event(struct pair *p, struct pair_end *e, const troth_event *ev, void *ctx)
{
    struct link *l = ctx;
    (void)p;
    if (ev->kind == TROTH_TICKET && ev->data.n <= SESSION_MAX_N) {
        memcpy(l->w->ticket[l->version], ev->data.p, ev->data.n);
        l->w->ticket_n[l->version] = ev->data.n;
        return true;
    }
    if (ev->kind == TROTH_EARLY && !strcmp(e->name, "client") && l->write_early)
        return pair_write(e, "early") || true;
    return false;
}

static bool same_exports(const struct pair *p)
{
    uint8_t a[32], b[32];
    return troth_export(p->client.c, "EXPORTER-t", SPAN_NONE, a, 32) && troth_export(p->server.c, "EXPORTER-t", SPAN_NONE, b, 32) &&
           !memcmp(a, b, 32);
}

static void connect_once(struct worker *w, int version, span session)
{
    struct shared *s = w->s;
    struct pair p;
    struct link l = { w, version, true };
    pair_new(&p, (troth_client *)config_share((const struct config *)s->client[version]),
             (troth_server *)config_share((const struct config *)s->server), NULL);
    p.on_event = on_event;
    p.ctx = &l;
    if (session.n)
        troth_resume(p.client.c, session);
    pair_run(&p);
    if (!p.client.ready || !p.server.ready || !same_exports(&p))
        w->wrong = "a handshake failed";
    else if (!pair_write(&p.client, "question"))
        w->wrong = "nothing could be written";
    pair_run(&p);
    if (p.server.n_got < 8 || memcmp(p.server.got + p.server.n_got - 8, "question", 8))
        w->wrong = "data did not come";
    bool resumed = troth_what(p.client.c).resumed;
    atomic_fetch_add(resumed ? &s->resumed : &s->full, 1);
    atomic_fetch_add(&s->early, troth_what(p.server.c).early == TROTH_EARLY_ACCEPTED);
    troth_close(p.client.c);
    pair_run(&p);
    if (!p.client.done || !p.server.done)
        w->wrong = "it did not close";
    pair_free(&p);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    for (int i = 0; i < ROUNDS && !w->wrong; i++) {
        int version = i % 3 == 2;
        bool common = i % 5 == 1 && !version;
        span session = common ? span_of(w->s->common, w->s->common_n) : span_of(w->ticket[version], i % 7 ? w->ticket_n[version] : 0);
        connect_once(w, version, session);
        if (i % 4 == 3)
            atomic_fetch_add(&passed, JUMP);
    }
    return NULL;
}

/* ---- what they share */
static void tweak_13(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_clock(b, moving_clock, NULL);
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_early_data(b, 1000);
}

static void tweak_12(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_clock(b, moving_clock, NULL);
    troth_versions(b, TROTH_TLS12, TROTH_TLS12);
}

static void tweak_server(troth_builder *b, void *ctx)
{
    (void)ctx;
    troth_clock(b, moving_clock, NULL);
    troth_early_data(b, 1000);
    troth_tickets(b, 2, LIFETIME);
}

static void test_shared_configurations(void **state)
{
    (void)state;
    static struct shared s;
    static struct worker workers[THREADS];
    struct world *w = world_new(troth_libcrypto());
    s.client[0] = world_client(w, tweak_13, NULL);
    s.client[1] = world_client(w, tweak_12, NULL);
    s.server = world_server(w, tweak_server, NULL);
    struct worker first = { .s = &s };
    connect_once(&first, 0, SPAN_NONE);
    assert_null(first.wrong);
    memcpy(s.common, first.ticket[0], s.common_n = first.ticket_n[0]);
    assert_true(s.common_n > 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i].s = &s;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        if (workers[i].wrong)
            test_fail("thread %d: %s", i, workers[i].wrong);
    size_t full = atomic_load(&s.full), resumed = atomic_load(&s.resumed), early = atomic_load(&s.early);
    print_message("%d threads: %zu full handshakes, %zu resumed, %zu with early data, %ld seconds passed\n", THREADS, full, resumed, early,
                  atomic_load(&passed));
    assert_int_equal(full + resumed, THREADS * ROUNDS + 1);
    assert_true(resumed > ROUNDS && full > THREADS && early > 5);
    assert_true(atomic_load(&passed) > 2 * LIFETIME);
    troth_client_free(s.client[0]);
    troth_client_free(s.client[1]);
    troth_server_free(s.server);
    world_free(w);
}

/* ---- the very same ClientHello to one server from all threads: its early data is taken once */
struct hello {
    troth_server *server;
    pthread_t     thread;
    const uint8_t *p;
    size_t        n, early;
    pthread_barrier_t *start;
};

static void *replay(void *ctx)
{
    struct hello *h = ctx;
    troth_conn *c = troth_accept(h->server);
    size_t at = 0;
    pthread_barrier_wait(h->start);
    for (int i = 0; i < 1000; i++) {
        troth_event ev = troth_next(c);
        if (ev.kind == TROTH_SEND)
            troth_sent(c, ev.data.n);
        else if (ev.kind == TROTH_DATA)
            h->early += ev.data.n;
        else if (ev.kind == TROTH_RECV && at < h->n) {
            size_t k = h->n - at < ev.room.n ? h->n - at : ev.room.n;
            memcpy(ev.room.p, h->p + at, k);
            at += k;
            troth_received(c, k);
        } else if (ev.kind == TROTH_RECV || ev.kind == TROTH_FAILED || ev.kind == TROTH_DONE)
            break;
    }
    troth_free(c);
    return NULL;
}

static void test_one_replay_wins(void **state)
{
    (void)state;
    struct world *w = world_new(troth_libcrypto());
    struct shared s = { .client = { world_client(w, tweak_13, NULL), NULL }, .server = world_server(w, tweak_server, NULL) };
    for (int round = 0; round < 5; round++) {
        struct worker first = { .s = &s };
        struct hello hellos[THREADS];
        pthread_barrier_t start;
        connect_once(&first, 0, SPAN_NONE);
        /* a hello with early data that no server has seen yet */
        troth_conn *c = troth_connect(s.client[0], "a.example");
        static uint8_t bytes[8192];
        size_t n = 0, all = 0;
        troth_resume(c, span_of(first.ticket[0], first.ticket_n[0]));
        for (int i = 0; i < 20; i++) {
            troth_event ev = troth_next(c);
            span early = SPAN_TEXT("early");
            if (ev.kind == TROTH_EARLY) {
                assert_true(troth_write(c, &early, 1));
            } else if (ev.kind == TROTH_SEND) {
                memcpy(bytes + n, ev.data.p, ev.data.n);
                n += ev.data.n;
                troth_sent(c, ev.data.n);
            } else {
                break;
            }
        }
        troth_free(c);
        assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
        for (int i = 0; i < THREADS; i++) {
            hellos[i] = (struct hello){ .server = s.server, .p = bytes, .n = n, .start = &start };
            assert_int_equal(pthread_create(&hellos[i].thread, NULL, replay, &hellos[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(hellos[i].thread, NULL), 0);
            all += hellos[i].early;
        }
        pthread_barrier_destroy(&start);
        assert_int_equal(all, 5); /* "early", once */
    }
    troth_client_free(s.client[0]);
    troth_server_free(s.server);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shared_configurations), cmocka_unit_test(test_one_replay_wins) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
