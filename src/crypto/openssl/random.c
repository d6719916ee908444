/* random.c - random bytes (docs/adr/0027).
 *
 * They are libcrypto's.  A draw costs it 0.6 to 2 us, however short it is, as it asks the kernel each time whether the process has been forked.
 * So a page of them is drawn at once and handed out in pieces; in a child the kernel empties that page (MADV_WIPEONFORK).  Where it cannot, or
 * the application has a generator of its own, there is no page, and each draw is libcrypto's.
 *
 * Must never hand out a byte twice, nor keep one that was handed out, nor wait for another thread. */
#include "crypto/openssl/lib.h"

#include <openssl/rand.h>
#include <stddef.h>
#include <sys/mman.h>

enum { RESERVE = 4096, PIECE_MOST = 256 };

struct reserve {
    atomic_bool busy; /* somebody is at it: others draw for themselves */
    uint32_t    left; /* the first so many were not handed out         */
    uint8_t     bytes[RESERVE - 8];
};
_Static_assert(offsetof(struct reserve, bytes) == 8 && sizeof(struct reserve) == RESERVE, "a page, as most processors have it");

static bool draw(uint8_t *out, size_t n)
{
    while (n) {
        int some = n > 1 << 20 ? 1 << 20 : (int)n;
        if (RAND_bytes(out, some) != 1) {
            lib_quiet();
            return false;
        }
        out += some;
        n -= (size_t)some;
    }
    return true;
}

static bool fill(struct reserve *r)
{
    r->left = draw(r->bytes, sizeof r->bytes) ? sizeof r->bytes : 0;
    return r->left;
}

/* False: not from here. */
static bool take(struct reserve *r, uint8_t *out, size_t n)
{
    if (!r || n > PIECE_MOST || atomic_exchange_explicit(&r->busy, true, memory_order_acquire))
        return false;
    bool ok = r->left >= n || fill(r);
    if (ok) {
        uint8_t *from = r->bytes + r->left - n;
        memcpy(out, from, n);
        secret_wipe(from, n);
        r->left -= (uint32_t)n;
    }
    atomic_store_explicit(&r->busy, false, memory_order_release);
    return ok;
}

static bool random_bytes(void *self, uint8_t *out, size_t n)
{
    const struct lib *l = self;
    return take(l->reserve, out, n) || draw(out, n);
}

void lib_open_random(struct lib *l)
{
    l->pub.random = random_bytes;
    if (RAND_get_rand_method() != RAND_OpenSSL())
        return;
    void *page = mmap(NULL, RESERVE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    if (madvise(page, RESERVE, MADV_WIPEONFORK) == 0) {
        (void)madvise(page, RESERVE, MADV_DONTDUMP);
        l->reserve = page;
    } else {
        (void)munmap(page, RESERVE);
    }
}

void lib_close_random(struct lib *l)
{
    if (!l->reserve)
        return;
    secret_wipe(l->reserve, RESERVE);
    (void)munmap(l->reserve, RESERVE);
}
