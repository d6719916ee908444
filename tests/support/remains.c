/* remains.c - see remains.h.  Reads poisoned memory on purpose, byte by byte, without the sanitizers' help. */
#include "support/remains.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__clang__)
#define BLIND __attribute__((noinline, no_sanitize("address", "memory", "undefined")))
#else
#define BLIND __attribute__((noinline, no_sanitize_address, no_sanitize_undefined))
#endif

enum { NEEDLE_MAX = 64, NEEDLE_LEAST = 16, NEEDLES_MAX = 4096, SLOTS = 1 << 14, STACK = 160 * 1024, MASK = 0x5a };

struct needle {
    char       name[48];
    uint8_t    masked[NEEDLE_MAX];
    size_t     n;
    enum until until;
    int        next; /* of those that begin alike */
};

/* In front of each block. */
struct block {
    struct block *next, *prev;
    size_t        n, number;
    bool          dead;
    const char   *file; /* of libcrypto: where it was asked for; NULL: the library's own */
    _Alignas(16) uint8_t p[];
};

static struct needle needles[NEEDLES_MAX];
static int           slots[SLOTS];
static size_t        n_needles, n_blocks, in_libcrypto;
static struct block  blocks = { .next = &blocks, .prev = &blocks };

/* ---- blocks */
static void *take(size_t n, const char *file)
{
    struct block *b = calloc(1, sizeof *b + n);
    if (!b)
        return NULL;
    b->n = n;
    b->file = file;
    b->number = ++n_blocks;
    b->next = blocks.next;
    b->prev = &blocks;
    b->next->prev = blocks.next = b;
    return b->p;
}

static struct block *block_of(void *p)
{
    return (struct block *)((uint8_t *)p - offsetof(struct block, p));
}

static void *take_ours(void *ctx, size_t n)
{
    (void)ctx;
    return take(n, NULL);
}

static void give(void *ctx, void *p, size_t n)
{
    (void)ctx, (void)n;
    if (p)
        block_of(p)->dead = true;
}

const troth_allocator remains_memory = { take_ours, give, NULL };

static void *lib_malloc(size_t n, const char *file, int line)
{
    (void)line;
    return n ? take(n, file ? file : "?") : NULL;
}

static void lib_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    give(NULL, p, 0);
}

static void *lib_realloc(void *p, size_t n, const char *file, int line)
{
    if (!p)
        return lib_malloc(n, file, line);
    void *q = n ? take(n, file ? file : "?") : NULL;
    if (q)
        memcpy(q, p, n < block_of(p)->n ? n : block_of(p)->n);
    if (q || !n)
        lib_free(p, file, line);
    return q;
}

bool remains_take_libcrypto(void)
{
    return CRYPTO_set_mem_functions(lib_malloc, lib_realloc, lib_free) == 1;
}

void remains_bury(void)
{
    for (struct block *b = blocks.next, *next; b != &blocks; b = next) {
        next = b->next;
        if (!b->dead)
            continue;
        b->prev->next = b->next;
        b->next->prev = b->prev;
        free(b);
    }
}

/* ---- needles */
static uint64_t head_of(const uint8_t *p)
{
    uint64_t v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static size_t slot_of(uint64_t head)
{
    return (size_t)((head * 0x9e3779b97f4a7c15u) >> 50) % SLOTS;
}

static uint64_t unmasked_head(const struct needle *s)
{
    return head_of(s->masked) ^ 0x5a5a5a5a5a5a5a5au;
}

static bool boring(const uint8_t *p, size_t n)
{
    size_t same = 0;
    for (size_t i = 1; i < n; i++)
        same += p[i] == p[0];
    return same > n / 2;
}

/* Watched already?  Then what may live longer wins: the key of a ticket is its configuration's. */
static bool known(const uint8_t *p, size_t n)
{
    for (int i = slots[slot_of(head_of(p))]; i; i = needles[i].next) {
        size_t same = 0;
        while (same < n && same < needles[i].n && (p[same] ^ MASK) == needles[i].masked[same])
            same++;
        if (same == n)
            return true;
    }
    return false;
}

void remains_watch(const char *name, const uint8_t *p, size_t n, enum until until)
{
    if (n > NEEDLE_MAX)
        n = NEEDLE_MAX;
    if (n < NEEDLE_LEAST || boring(p, NEEDLE_LEAST) || n_needles + 1 == NEEDLES_MAX || known(p, n))
        return;
    struct needle *s = &needles[++n_needles];
    snprintf(s->name, sizeof s->name, "%s", name);
    s->n = n;
    s->until = until;
    for (size_t i = 0; i < s->n; i++)
        s->masked[i] = p[i] ^ MASK;
    size_t slot = slot_of(unmasked_head(s));
    s->next = slots[slot];
    slots[slot] = (int)n_needles;
}

size_t remains_needles(void)
{
    return n_needles;
}

void remains_forget(void)
{
    memset(slots, 0, sizeof slots);
    memset(needles, 0, sizeof needles);
    n_needles = 0;
    remains_bury();
}

/* ---- searching */
/* The first half is enough: what is left of a secret is often not all of it. */
BLIND static const struct needle *at(const uint8_t *p, size_t left, enum until upto)
{
    uint64_t head = head_of(p);
    for (int i = slots[slot_of(head)]; i; i = needles[i].next) {
        const struct needle *s = &needles[i];
        size_t same = 0, n = s->n / 2;
        while (same < n && same < left && (p[same] ^ MASK) == s->masked[same])
            same++;
        if (same == n && s->until <= upto)
            return s;
    }
    return NULL;
}

BLIND static size_t search(const uint8_t *p, size_t n, enum until upto, const char *when, const char *where, size_t number)
{
    size_t found = 0;
    for (size_t i = 0; i + 8 <= n; i++) {
        const struct needle *s = at(p + i, n - i, upto);
        if (!s)
            continue;
        found++;
        if (when)
            fprintf(stderr, "%s: %s is left in %s %zu, %zu of %zu bytes\n", when, s->name, where, number, i, n);
        if (found == 8)
            break;
    }
    return found;
}

BLIND void remains_clear_stack(void)
{
    volatile uint8_t room[STACK];
    for (size_t i = 0; i < sizeof room; i++)
        room[i] = 0;
}

/* What calls before this one left below. */
BLIND static size_t search_stack(enum until upto, const char *when)
{
    const uint8_t *here = __builtin_frame_address(0);
    enum { OWN = 2048 }; /* this frame, those that it calls, and what the caller's had */
    return search(here - STACK, STACK - OWN, upto, when, "the stack", 0);
}

/* What libcrypto (3.0) leaves behind while it decodes a key file, and nobody can reach: OSSL_DECODER reads the DER into a BUF_MEM for each
 * format that it tries, and d2i_ECPrivateKey frees the octet string of the scalar, both without wiping. */
static bool excused(const char *file)
{
    static const char *const files[] = { "crypto/buffer/buffer.c", "crypto/asn1/asn1_lib.c" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strstr(file, files[i]))
            return true;
    return false;
}

size_t remains_search(enum until upto, const char *when)
{
    size_t found = search_stack(UNTIL_CONFIG, when);
    for (struct block *b = blocks.next; b != &blocks; b = b->next) {
        if (!b->file)
            found += search(b->p, b->n, b->dead ? UNTIL_CONFIG : upto, when, b->dead ? "freed block" : "block", b->number);
        else if (b->dead && excused(b->file))
            in_libcrypto += search(b->p, b->n, UNTIL_CONFIG, NULL, b->file, b->number) != 0;
        else if (b->dead)
            found += search(b->p, b->n, UNTIL_CONFIG, when, b->file, b->number);
    }
    remains_bury();
    return found;
}

size_t remains_in_libcrypto(void)
{
    return in_libcrypto;
}
