/* id_cache.c - see id_cache.h: a hash table, and a list from the oldest to the newest. */
#include "setup/id_cache.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "setup/tape.h"

enum { ID_MOST = 32, BUCKETS = 4096, BYTES_MOST = 32 << 20, A_DAY = 86400 };

struct kept {
    struct kept *next;       /* of its bucket */
    struct kept *newer;
    int64_t      until;      /* nobody resumes it later */
    size_t       id_n, n;
    uint8_t      id[ID_MOST];
    uint8_t      state[];
};

struct id_cache {
    struct kept *buckets[BUCKETS];
    struct kept *oldest, *newest;
    size_t       most, n, bytes;
    struct tape *tape;
};

struct id_cache *id_cache_new(size_t most, struct tape *tape)
{
    struct id_cache *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct id_cache){ .most = most, .tape = tape };
    return c;
}

/* Ids are random and ours: any of their bytes will do. */
static struct kept **bucket_of(struct id_cache *c, troth_span id)
{
    return &c->buckets[((size_t)id.p[0] << 8 | id.p[id.n - 1]) % BUCKETS];
}

static struct kept **find(struct id_cache *c, troth_span id)
{
    struct kept **at = bucket_of(c, id);
    while (*at && ((*at)->id_n != id.n || memcmp((*at)->id, id.p, id.n) != 0))
        at = &(*at)->next;
    return at;
}

static void forget_oldest(struct id_cache *c)
{
    struct kept *k = c->oldest, **at = find(c, (troth_span){ k->id, k->id_n });
    size_t size = sizeof *k + k->n;
    *at = k->next;
    c->oldest = k->newer;
    if (!c->oldest)
        c->newest = NULL;
    c->n--;
    c->bytes -= size;
    explicit_bzero(k, size);
    free(k);
}

void id_cache_clear(struct id_cache *c)
{
    while (c && c->oldest)
        forget_oldest(c);
}

void id_cache_free(struct id_cache *c)
{
    id_cache_clear(c);
    free(c);
}

static void forget_what_is_over(struct id_cache *c)
{
    int64_t now = time(NULL);
    while (c->oldest && c->oldest->until < now)
        forget_oldest(c);
}

static void put(void *ctx, troth_span id, troth_span state)
{
    struct id_cache *c = ctx;
    size_t size = sizeof(struct kept) + state.n;
    forget_what_is_over(c);
    if (!id.n || id.n > ID_MOST || size > BYTES_MOST || *find(c, id))
        return;
    while (c->n && (c->n >= c->most || c->bytes + size > BYTES_MOST))
        forget_oldest(c);
    struct kept *k = malloc(size), **bucket = bucket_of(c, id);
    if (!k)
        return;
    k->next = *bucket;
    k->newer = NULL;
    k->until = (int64_t)time(NULL) + A_DAY;
    k->id_n = id.n;
    k->n = state.n;
    memcpy(k->id, id.p, id.n);
    memcpy(k->state, state.p, state.n);
    *bucket = k;
    if (c->newest)
        c->newest->newer = k;
    else
        c->oldest = k;
    c->newest = k;
    c->n++;
    c->bytes += size;
}

/* It stays: a client may come back with it more than once. */
static size_t take(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    struct id_cache *c = ctx;
    struct kept *k = id.n && id.n <= ID_MOST ? *find(c, id) : NULL;
    if (k && k->n > cap)
        k = NULL;
    tape_session(c->tape, k ? k->state : NULL, k ? k->n : 0);
    if (!k)
        return 0;
    memcpy(out, k->state, k->n);
    return k->n;
}

troth_session_cache id_cache_interface(struct id_cache *c)
{
    return (troth_session_cache){ .ctx = c, .put = put, .take = take };
}
