/* driver.c - measures one library: reads a command a line from stdin, answers with a line of figures.
 *
 *      handshake KIND TIMES      server_us client_us server_us_least client_us_least quiet taken
 *      bulk SUITE BYTES TIMES    seal_MB_s open_MB_s quiet taken
 *      memory KIND               idle_s idle_c peak_s peak_c allocations_s allocations_c      (bytes of heap, as malloc rounds them)
 *      floor NAME TIMES          us quiet taken
 * "none" where the library cannot.  Both ends are in this process and are timed apart: making the object, handshake, freeing it. */
#include <malloc.h>
#include <stdio.h>

#include "../quiet.h"
#include "peer.h"

enum { TIMES_MAX = 4000, PIPE = 1 << 18, BATCH_BYTES = 1 << 16, RECORD = 16384 };

static const char *const kind_names[KINDS] = { "ecdsa", "known-chain", "rsa", "hybrid", "retry", "client-auth", "resumed", "tls12", "tls12-resumed" };
static const char *const suite_names[SUITES] = { "aes128gcm", "aes256gcm", "chacha20poly1305" };

/* ---- heap: malloc is ours, so that every library's calls are seen */
struct meter { long now, peak; unsigned long calls; };
static struct meter meters[3], *meter = &meters[2]; /* server, client, the rest */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static void *taken(void *p)
{
    if (p) {
        meter->calls++;
        meter->now += (long)malloc_usable_size(p) + 8;
        meter->peak = meter->now > meter->peak ? meter->now : meter->peak;
    }
    return p;
}

#define SEEN_BY_ALL __attribute__((visibility("default")))
SEEN_BY_ALL void *malloc(size_t n) { return taken(__libc_malloc(n)); }
SEEN_BY_ALL void *calloc(size_t n, size_t size) { return taken(__libc_calloc(n, size)); }
SEEN_BY_ALL void *memalign(size_t align, size_t n) { return taken(__libc_memalign(align, n)); }
SEEN_BY_ALL void *aligned_alloc(size_t align, size_t n) { return taken(__libc_memalign(align, n)); }

SEEN_BY_ALL int posix_memalign(void **p, size_t align, size_t n)
{
    *p = taken(__libc_memalign(align, n));
    return *p ? 0 : 12;
}

SEEN_BY_ALL void free(void *p)
{
    if (p)
        meter->now -= (long)malloc_usable_size(p) + 8;
    __libc_free(p);
}

SEEN_BY_ALL void *realloc(void *p, size_t n)
{
    long before = p ? (long)malloc_usable_size(p) + 8 : 0;
    void *q = __libc_realloc(p, n);
    if (q || !n)
        meter->now -= before;
    return taken(q);
}

/* ---- two ends */
struct wire { struct pipe to_server, to_client; };
struct pair { void *end[2]; double us[2]; struct wire *wire; unsigned noise; struct quiet *q; };
enum { SERVER, CLIENT };

static struct setup setup;
static struct wire wire;
static uint8_t room[1 << 17];

static void noise_of(struct pair *p)
{
    uint64_t t = quiet_spin();
    p->q->fastest = t < p->q->fastest ? t : p->q->fastest;
    unsigned noise = (unsigned)(t * 100 / p->q->fastest);
    p->noise = noise > p->noise ? noise : p->noise;
}

static void pair_begin(struct pair *p, struct quiet *q)
{
    *p = (struct pair){ .wire = &wire, .q = q };
    wire.to_server = (struct pipe){ .p = wire.to_server.p, .cap = PIPE };
    wire.to_client = (struct pipe){ .p = wire.to_client.p, .cap = PIPE };
    for (int side = 0; side < 2; side++) {
        noise_of(p);
        meter = &meters[side];
        uint64_t from = quiet_ns();
        p->end[side] = peer_begin(side == SERVER, side == SERVER ? &wire.to_server : &wire.to_client,
                                  side == SERVER ? &wire.to_client : &wire.to_server);
        p->us[side] += (double)(quiet_ns() - from) / 1000;
        meter = &meters[2];
    }
}

static bool pair_handshake(struct pair *p)
{
    int done[2] = { 0, 0 };
    for (int turns = 0; turns < 24 && (!done[SERVER] || !done[CLIENT]); turns++) {
        int side = turns % 2 ? SERVER : CLIENT;
        if (done[side])
            continue;
        noise_of(p);
        meter = &meters[side];
        uint64_t from = quiet_ns();
        done[side] = peer_step(p->end[side]);
        p->us[side] += (double)(quiet_ns() - from) / 1000;
        meter = &meters[2];
        if (done[side] < 0)
            return false;
    }
    if (wire.to_client.end > wire.to_client.at) { /* tickets */
        meter = &meters[CLIENT];
        uint64_t from = quiet_ns();
        (void)peer_read(p->end[CLIENT], room, sizeof room);
        p->us[CLIENT] += (double)(quiet_ns() - from) / 1000;
        meter = &meters[2];
    }
    return done[SERVER] && done[CLIENT];
}

static void pair_end(struct pair *p)
{
    for (int side = 0; side < 2; side++) {
        noise_of(p);
        meter = &meters[side];
        uint64_t from = quiet_ns();
        peer_end(p->end[side]);
        p->us[side] += (double)(quiet_ns() - from) / 1000;
        meter = &meters[2];
    }
}

/* The setup for a kind is kept until another is asked for: commands come in turn for all libraries. */
static bool set_up(enum kind kind, enum suite suite, bool for_bulk)
{
    static bool open, can;
    static enum kind was;
    static enum suite had;
    if (open && was == kind && had == suite && setup.bulk == for_bulk)
        return can;
    if (open && can)
        peer_close();
    static char chain[512], key[512];
    snprintf(chain, sizeof chain, "%s/%s.pem", setup.folder, kind == FULL_RSA ? "rsa" : "ecdsa");
    snprintf(key, sizeof key, "%s/%s.key", setup.folder, kind == FULL_RSA ? "rsa" : "ecdsa");
    setup = (struct setup){ kind, suite, for_bulk, setup.folder, chain, key };
    open = true;
    was = kind;
    had = suite;
    can = peer_open(&setup);
    if (can && kind_is_resumed(kind)) {
        struct quiet q = { UINT64_MAX };
        struct pair p;
        pair_begin(&p, &q);
        if (!pair_handshake(&p) || !peer_remember(p.end[CLIENT])) {
            peer_close();
            can = false;
        }
        pair_end(&p);
    }
    return can;
}

/* ---- commands */
static double median(const double *us, const unsigned *noise, unsigned n, unsigned *kept, double *least)
{
    static struct quiet_sample s[TIMES_MAX];
    *least = 1e12;
    for (unsigned i = 0; i < n; i++) {
        s[i] = (struct quiet_sample){ us[i], noise[i] };
        *least = us[i] < *least ? us[i] : *least;
    }
    return quiet_median(s, n, kept);
}

static void handshakes(struct quiet *q, enum kind kind, unsigned times)
{
    static double us[2][TIMES_MAX];
    static unsigned noise[TIMES_MAX];
    unsigned kept;
    double mid[2], least[2];
    if (!set_up(kind, AES_128_GCM, false)) {
        puts("none");
        return;
    }
    for (unsigned i = 0; i < times; i++) {
        struct pair p;
        pair_begin(&p, q);
        if (!pair_handshake(&p)) {
            puts("failed");
            return;
        }
        bool as_wanted = peer_resumed(p.end[CLIENT]) == kind_is_resumed(kind);
        if (kind == RESUMED && as_wanted)
            as_wanted = peer_remember(p.end[CLIENT]);
        pair_end(&p);
        if (!as_wanted) {
            puts(kind_is_resumed(kind) ? "failed: not resumed" : "failed: resumed");
            return;
        }
        us[SERVER][i] = p.us[SERVER];
        us[CLIENT][i] = p.us[CLIENT];
        noise[i] = p.noise;
    }
    for (int side = 0; side < 2; side++)
        mid[side] = median(us[side], noise, times, &kept, &least[side]);
    printf("%.2f %.2f %.2f %.2f %u %u\n", mid[SERVER], mid[CLIENT], least[SERVER], least[CLIENT], kept, times);
}

static void memory(struct quiet *q, enum kind kind)
{
    struct pair p;
    if (!set_up(kind, AES_128_GCM, false)) {
        puts("none");
        return;
    }
    for (int warm = 0; warm < 3; warm++) {
        struct meter before[2];
        unsigned long own[2] = { 0, 0 };
        for (int side = 0; side < 2; side++) {
            meters[side].peak = meters[side].now;
            meters[side].calls = 0;
            before[side] = meters[side];
            own[side] = peer_own_calls ? peer_own_calls(side == SERVER) : 0;
        }
        pair_begin(&p, q);
        if (!pair_handshake(&p)) {
            puts("failed");
            return;
        }
        unsigned long calls[2] = { meters[SERVER].calls, meters[CLIENT].calls };
        for (int side = 0; side < 2; side++)
            own[side] = peer_own_calls ? peer_own_calls(side == SERVER) - own[side] : 0;
        for (int side = 0; side < 2; side++) {
            meter = &meters[side];
            peer_rest(p.end[side]);
        }
        meter = &meters[2];
        if (warm == 2)
            printf("%ld %ld %ld %ld %lu %lu %lu %lu\n", meters[0].now - before[0].now, meters[1].now - before[1].now,
                   meters[0].peak - before[0].now, meters[1].peak - before[1].now, calls[0], calls[1], own[0], own[1]);
        pair_end(&p);
    }
}

/* One pair seals into nowhere; of the other pair the client seals, untimed, what the server opens. */
static void bulk(struct quiet *q, enum suite suite, size_t n, unsigned times)
{
    static double us[2][TIMES_MAX];
    static unsigned noise[2][TIMES_MAX];
    static uint8_t plain[RECORD];
    struct pair p;
    unsigned each = (unsigned)(BATCH_BYTES / n), kept[2];
    each = each > 128 ? 128 : each;
    if (!set_up(FULL_ECDSA, suite, true)) {
        puts("none");
        return;
    }
    pair_begin(&p, q);
    if (!pair_handshake(&p)) {
        puts("failed");
        return;
    }
    for (unsigned i = 0; i < times; i++) {
        bool ok = true;
        size_t got = 0;
        wire.to_client.sink = true; /* the server seals into nowhere: that direction is never read */
        p.noise = 0;
        noise_of(&p);
        uint64_t from = quiet_ns();
        for (unsigned k = 0; k < each; k++)
            ok &= peer_write(p.end[SERVER], plain, n);
        us[0][i] = (double)(quiet_ns() - from) / 1000;
        noise_of(&p);
        noise[0][i] = p.noise;
        for (unsigned k = 0; k < each; k++)
            ok &= peer_write(p.end[CLIENT], plain, n);
        p.noise = 0;
        noise_of(&p);
        from = quiet_ns();
        while (got < each * n) {
            size_t some = peer_read(p.end[SERVER], room, sizeof room);
            got += some;
            if (!some)
                break;
        }
        us[1][i] = (double)(quiet_ns() - from) / 1000;
        noise_of(&p);
        noise[1][i] = p.noise;
        if (!ok || got != each * n) {
            puts("failed");
            return;
        }
    }
    double least, mid[2];
    for (int way = 0; way < 2; way++)
        mid[way] = (double)(each * n) / median(us[way], noise[way], times, &kept[way], &least);
    printf("%.1f %.1f %u %u\n", mid[0], mid[1], kept[0], times);
    pair_end(&p);
}

static void run_floor(void *what)
{
    (void)peer_floor(what);
}

static void floor_of(struct quiet *q, char *what, unsigned times)
{
    static struct quiet_sample s[TIMES_MAX];
    unsigned kept;
    if (!peer_floor(what)) {
        puts("none");
        return;
    }
    double us = 1e9;
    for (int i = 0; i < 5; i++) {
        double t = quiet_take(q, run_floor, what, 1).us;
        us = t < us ? t : us;
    }
    unsigned each = us > 60 ? 1 : (unsigned)(60 / us);
    for (unsigned i = 0; i < times; i++)
        s[i] = quiet_take(q, run_floor, what, each);
    us = quiet_median(s, times, &kept);
    printf("%.3f %u %u\n", us, kept, times);
}

static int index_of(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

static void obey(struct quiet *q, const char *line)
{
    char what[32] = "", name[128] = "";
    unsigned a = 0, b = 0;
    int given = sscanf(line, "%31s %127s %u %u", what, name, &a, &b), k = index_of(kind_names, KINDS, name),
        s = index_of(suite_names, SUITES, name);
    if (!strcmp(what, "handshake") && k >= 0 && given == 3 && a && a <= TIMES_MAX)
        handshakes(q, (enum kind)k, a);
    else if (!strcmp(what, "memory") && k >= 0)
        memory(q, (enum kind)k);
    else if (!strcmp(what, "bulk") && s >= 0 && given == 4 && a && a <= RECORD && b && b <= TIMES_MAX)
        bulk(q, (enum suite)s, a, b);
    else if (!strcmp(what, "floor") && given == 3 && a && a <= TIMES_MAX)
        floor_of(q, name, a);
    else
        puts("what?");
}

int main(int argc, char **argv)
{
    static struct quiet q;
    static char line[128];
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER, then commands on stdin\n", argv[0]);
        return 2;
    }
    setup.folder = argv[1];
    wire.to_server.p = malloc(PIPE);
    wire.to_client.p = malloc(PIPE);
    quiet_start(&q);
    printf("%s %s\n", peer_name, peer_version());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        obey(&q, line);
        fflush(stdout);
    }
    return 0;
}
