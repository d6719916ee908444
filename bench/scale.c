/* Many connections in one process: what 2,500 to 20,000 idle ones take from the allocator, handshakes per second on one thread and on two
 * that share one frozen configuration, and what a server's handshake takes when several are answered at once.  usage: scale FOLDER [quick]; FOLDER as made by bench/credentials
 * links: crypto pthread */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <troth/troth.h>

#include "quiet.h"

enum { MOST = 20000, STEP = 2500, THREADS = 2 };

static atomic_long held;

static void *take(void *ctx, size_t n)
{
    (void)ctx;
    atomic_fetch_add_explicit(&held, (long)n, memory_order_relaxed);
    return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
    (void)ctx;
    atomic_fetch_sub_explicit(&held, p ? (long)n : 0, memory_order_relaxed);
    free(p);
}

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "scale: %s: %s\n", what, detail);
    exit(1);
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return time(NULL);
}

struct world { troth_client *client; troth_server *server; };

/* Its own allocator counts; for rates it is malloc itself, as counting would be shared between the threads. */
static void world_make(struct world *w, const char *folder, const troth_allocator *memory, bool ask)
{
    static const uint16_t x25519 = 0x001d, aes = 0x1301;
    char root[512], chain[512], key[512];
    troth_libcrypto_options o = { .size = sizeof o, .memory = memory };
    troth_error e = { 0 };
    snprintf(root, sizeof root, "%s/root.pem", folder);
    snprintf(chain, sizeof chain, "%s/ecdsa.pem", folder);
    snprintf(key, sizeof key, "%s/ecdsa.key", folder);
    troth_provider *p = troth_libcrypto_with(&o);
    troth_builder *b = troth_server_builder(troth_provider_share(p));
    troth_identity_files(b, chain, key);
    troth_tickets(b, 0, 86400);
    troth_groups(b, &x25519, 1);
    troth_suites(b, &aes, 1);
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_clock(b, now, NULL);
    if (ask)
        troth_ask_server(b);
    if (!(w->server = troth_build_server(b, &e)))
        die(e.text, e.detail);
    b = troth_client_builder(p);
    troth_trust_file(b, root);
    troth_groups(b, &x25519, 1);
    troth_suites(b, &aes, 1);
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_clock(b, now, NULL);
    if (!(w->client = troth_build_client(b, &e)))
        die(e.text, e.detail);
}

static void world_free(struct world *w)
{
    troth_client_free(w->client);
    troth_server_free(w->server);
}

/* ---- one handshake */
struct wire { uint8_t p[16384]; size_t at, end; };

static bool run(troth_conn *c, struct wire *in, struct wire *out, bool *ready)
{
    for (;;) {
        troth_event e = troth_next(c);
        if (e.kind == TROTH_SEND) {
            if (e.data.n > sizeof out->p - out->end)
                return false;
            memcpy(out->p + out->end, e.data.p, e.data.n);
            out->end += e.data.n;
            troth_sent(c, e.data.n);
        } else if (e.kind == TROTH_RECV) {
            size_t n = in->end - in->at < e.room.n ? in->end - in->at : e.room.n;
            if (!n)
                return true;
            memcpy(e.room.p, in->p + in->at, n);
            in->at += n;
            troth_received(c, n);
        } else if (e.kind == TROTH_READY) {
            *ready = true;
        } else {
            return false;
        }
    }
}

static void connect_pair(const struct world *w, troth_conn **client, troth_conn **server)
{
    struct wire up = { .at = 0, .end = 0 }, down = { .at = 0, .end = 0 };
    bool ready[2] = { false, false };
    *client = troth_connect(w->client, "bench.test");
    *server = troth_accept(w->server);
    for (int i = 0; i < 4 && !(ready[0] && ready[1]); i++)
        if (!run(*client, &down, &up, &ready[0]) || !run(*server, &up, &down, &ready[1]))
            die("handshake", troth_why(*client) ? troth_why(*client)->detail : troth_why(*server) ? troth_why(*server)->detail : "");
}

/* ---- idle ones: only the servers' ends are kept */
static void idle(const char *folder, unsigned most)
{
    static troth_conn *kept[MOST];
    troth_allocator memory = { take, give, NULL };
    struct world w;
    world_make(&w, folder, &memory, false);
    long before = atomic_load(&held);
    for (unsigned i = 0; i < most; i++) {
        troth_conn *client;
        connect_pair(&w, &client, &kept[i]);
        troth_rest(kept[i]);
        troth_free(client);
        if ((i + 1) % STEP == 0)
            printf("%u idle server connections: %ld bytes, %ld each\n", i + 1, atomic_load(&held) - before,
                   (atomic_load(&held) - before) / (long)(i + 1));
    }
    printf("a million, at that: %.2f GB\n", (double)(atomic_load(&held) - before) / most * 1e6 / 1e9);
    for (unsigned i = 0; i < most; i++)
        troth_free(kept[i]);
    printf("left when all are freed: %ld bytes\n", atomic_load(&held) - before);
    world_free(&w);
}

/* ---- rates */
struct worker { const struct world *w; double seconds; unsigned long done; pthread_t thread; };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* On a machine shared with others the processor's time of a thread is what counts. */
static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *work(void *arg)
{
    struct worker *me = arg;
    double from = thread_seconds(), until = seconds() + me->seconds;
    while (seconds() < until) {
        troth_conn *client, *server;
        connect_pair(me->w, &client, &server);
        troth_free(client);
        troth_free(server);
        me->done++;
    }
    me->seconds = thread_seconds() - from;
    return NULL;
}

static double rate(const struct world *w, unsigned threads, double for_seconds)
{
    struct worker workers[THREADS];
    double sum = 0;
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){ .w = w, .seconds = for_seconds };
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
            die("pthread_create", "");
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += (double)workers[i].done / workers[i].seconds;
    }
    return sum;
}

/* ---- several servers answered at once: their ends alone are timed, from the hello's arrival to READY and freeing */
enum { BATCH_MOST = 16 };

struct batch { troth_conn *client[BATCH_MOST], *server[BATCH_MOST]; struct wire up[BATCH_MOST], down[BATCH_MOST]; };

/* Until it wants bytes that are not there, or asks. */
static void go(troth_conn *c, struct wire *in, struct wire *out, bool *ready)
{
    for (;;) {
        troth_event e = troth_next(c);
        if (e.kind == TROTH_SEND) {
            memcpy(out->p + out->end, e.data.p, e.data.n);
            out->end += e.data.n;
            troth_sent(c, e.data.n);
        } else if (e.kind == TROTH_RECV) {
            size_t n = in->end - in->at < e.room.n ? in->end - in->at : e.room.n;
            if (!n)
                return;
            memcpy(e.room.p, in->p + in->at, n);
            in->at += n;
            troth_received(c, n);
        } else if (e.kind == TROTH_READY) {
            *ready = true;
        } else {
            return;
        }
    }
}

/* Microseconds of one server's handshake in a batch of n; n 0: one, that is not asked. */
static double batch_once(const struct world *w, struct batch *b, size_t n, bool ask, unsigned *noise, struct quiet *q)
{
    const troth_server *us[BATCH_MOST];
    bool ready[BATCH_MOST] = { false }, done;
    double took = 0;
    *noise = 0;
    for (size_t i = 0; i < n; i++) {
        us[i] = w->server;
        b->up[i].at = b->up[i].end = b->down[i].at = b->down[i].end = 0;
        b->client[i] = troth_connect(w->client, "bench.test");
        go(b->client[i], &b->down[i], &b->up[i], &done);
    }
    for (int part = 0; part < 2; part++) {
        uint64_t spin = quiet_spin(), from = quiet_ns();
        for (size_t i = 0; i < n; i++) {
            if (!part)
                b->server[i] = troth_accept(w->server);
            go(b->server[i], &b->up[i], &b->down[i], &ready[i]);
        }
        if (ask && !part) {
            troth_answer_servers(b->server, us, n);
            for (size_t i = 0; i < n; i++)
                go(b->server[i], &b->up[i], &b->down[i], &ready[i]);
        }
        for (size_t i = 0; part && i < n; i++) {
            if (!ready[i])
                die("batch", troth_why(b->server[i]) ? troth_why(b->server[i])->detail : "not ready");
            troth_free(b->server[i]);
        }
        took += (double)(quiet_ns() - from) / 1000;
        q->fastest = spin < q->fastest ? spin : q->fastest;
        unsigned percent = (unsigned)(spin * 100 / q->fastest);
        *noise = percent > *noise ? percent : *noise;
        for (size_t i = 0; !part && i < n; i++)
            go(b->client[i], &b->down[i], &b->up[i], &done);
    }
    for (size_t i = 0; i < n; i++)
        troth_free(b->client[i]);
    return took / (double)n;
}

static void batches(const char *folder, unsigned rounds)
{
    enum { ROUNDS = 400, SIZES = 6 };
    static const size_t sizes[SIZES] = { 1, 1, 2, 4, 8, 16 }; /* the first: one that is not asked */
    static struct quiet_sample samples[SIZES][ROUNDS];
    static struct batch b;
    struct quiet q;
    struct world alone, asked;
    unsigned kept;
    double one = 0;
    world_make(&alone, folder, NULL, false);
    world_make(&asked, folder, NULL, true);
    quiet_start(&q);
    for (unsigned r = 0; r < rounds && r < ROUNDS; r++)
        for (int i = 0; i < SIZES; i++)
            samples[i][r].us = batch_once(i ? &asked : &alone, &b, sizes[i], i > 0, &samples[i][r].noise, &q);
    for (int i = 0; i < SIZES; i++) {
        double us = quiet_median(samples[i], rounds, &kept);
        one = i ? one : us;
        if (i)
            printf("server's full handshake, %zu answered at once: %.1f us, %.2f x the rate of one at a time\n", sizes[i], us, one / us);
        else
            printf("server's full handshake, one at a time: %.1f us\n", us);
    }
    world_free(&alone);
    world_free(&asked);
}

int main(int argc, char **argv)
{
    struct world w;
    if (argc < 2)
        die("usage", "scale FOLDER [quick]");
    bool quick = argc > 2 && !strcmp(argv[2], "quick");
    idle(argv[1], quick ? STEP : MOST);
    world_make(&w, argv[1], NULL, false);
    double one = rate(&w, 1, quick ? 0.5 : 3), two = rate(&w, 2, quick ? 0.5 : 3);
    printf("full handshakes, both ends, 1 thread: %.0f per second of its processor\n", one);
    printf("full handshakes, both ends, 2 threads: %.0f per second of theirs, %.2f x\n", two, two / one);
    world_free(&w);
    batches(argv[1], quick ? 60 : 300);
    return 0;
}
