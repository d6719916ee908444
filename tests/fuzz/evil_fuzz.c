#define OPENSSL_SUPPRESS_DEPRECATED
#include "fuzz/evil_fuzz.h"

#include <openssl/rand.h>

#include "fake/fake.h"
#include "support/test.h"
#include "support/victim.h"

enum { REAL = 128, FLAVOURS_MAX = 64, HEAD = 2 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* ---- libcrypto with random numbers from a seed */
static uint64_t lib_random = 1;

static int draw_bytes(unsigned char *p, int n)
{
    for (int i = 0; i < n; i++) {
        lib_random = lib_random * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(lib_random >> 56);
    }
    return 1;
}

static int ready(void)
{
    return 1;
}

static const RAND_METHOD seeded = { NULL, draw_bytes, NULL, NULL, draw_bytes, ready };

/* ---- a stage for each flavour, built when it is first wanted */
struct stage {
    struct world   *w;
    struct scene   *s;
    troth_provider *providers[2];
};

static struct stage stages[2][FLAVOURS_MAX];

troth_provider *evil_provider(bool real)
{
    if (real && RAND_get_rand_method() != &seeded)
        RAND_set_rand_method(&seeded);
    return real ? troth_libcrypto() : fake_provider(2);
}

void evil_reseed(troth_provider *p, bool real, unsigned seed)
{
    if (real)
        lib_random = seed;
    else
        fake_reseed(p, seed);
}

static struct stage *stage_of(bool real, size_t i)
{
    struct stage *t = &stages[real][i];
    if (t->s)
        return t;
    t->w = world_new(evil_provider(real));
    t->s = scene_new(&flavours[i], t->w);
    t->s->any_replay = true;
    for (int k = 0; k < 2; k++)
        t->providers[k] = evil_provider(real);
    if (!scene_build(t->s, troth_provider_share(t->providers[0]), troth_provider_share(t->providers[1])))
        abort();
    return t;
}

int evil_fuzz(bool evil_server, const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    bool real = data[0] >= REAL;
    struct stage *t = stage_of(real, data[0] % REAL % (evil_server ? n_flavours : n_flavours_all)); /* a server may forget its client */
    for (unsigned k = 2; k--;)
        evil_reseed(t->providers[k], real, data[1] + 256u * k);
    struct scene before = *t->s; /* its session and its cache */
    (void)victim_run(t->s, evil_server, span_of(data + HEAD, size - HEAD));
    *t->s = before;
    return 0;
}

/* Half the time an operation is put in, taken out or moved, which shifts no other; else whatever libFuzzer likes. */
size_t evil_mutate(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (size < HEAD + 1 || seed & 1)
        return LLVMFuzzerMutate(data, size, max);
    size_t at = HEAD + (seed >> 8) % (size - HEAD);
    uint8_t op = (uint8_t)((seed >> 4) % EVIL_OPS);
    switch (seed >> 1 & 3) {
    case 0: data[at] = op; return size;
    case 1: data[0] = (uint8_t)(seed >> 8); return size;
    case 2: memmove(data + at, data + at + 1, size - at - 1); return size - 1;
    default:
        if (size == max)
            return size;
        memmove(data + at + 1, data + at, size - at);
        data[at] = op;
        return size + 1;
    }
}
