/* The extended Euclidean algorithm on n and a number, stopped half way. Every remainder a it comes by is +-va u mod n, and as the
 * remainders fall the va grow: va times the remainder before is at most n. So the first remainder below 2^128 has a va below 2^128. */
#include "crypto/kernel/p256_halve.h"

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 signed_wide;

enum { WORDS = 4, ESTIMATE = 63 };                      /* an estimate is made from so many bits */

static bool less(const struct scalar *a, const struct scalar *b)
{
    unsigned i = WORDS - 1;
    while (i && a->w[i] == b->w[i])
        i--;
    return a->w[i] < b->w[i];
}

/* The place above the highest bit. a has more than 128. */
static unsigned length(const struct scalar *a)
{
    unsigned top = a->w[3] ? 3 : 2;
    return 64 * (top + 1) - (unsigned)__builtin_clzll(a->w[top]);
}

/* a / 2^at, of at most 63 bits */
static uint64_t above(const struct scalar *a, unsigned at)
{
    unsigned word = at / 64, shift = at % 64;
    uint64_t got = a->w[word] >> shift;
    return (shift && word + 1 < WORDS ? got | a->w[word + 1] << (64 - shift) : got) & (UINT64_MAX >> 1);
}

/* a - q b, which is not negative */
static void take_off(struct scalar *a, uint64_t q, const struct scalar *b)
{
    uint64_t owed = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        wide t = (wide)q * b->w[i] + owed;
        owed = (uint64_t)(t >> 64) + (a->w[i] < (uint64_t)t);
        a->w[i] -= (uint64_t)t;
    }
}

/* Where the algorithm is: a = +-va u and b = -+vb u, both modulo n; `negative` is said of b. */
struct euclid { struct scalar a, b; wide va, vb; bool negative; };

/* One step by the whole numbers. The estimate of the quotient is never too large, and seldom too small; false when it is none, as b is
 * too small. */
static bool step(struct euclid *e)
{
    const struct scalar b = e->b;
    const wide vb = e->vb;
    while (!less(&e->a, &b)) {
        unsigned at = length(&e->a) - ESTIMATE;
        uint64_t most = above(&b, at), q = above(&e->a, at) / (most + 1);
        TRY(most);
        q += !q;
        take_off(&e->a, q, &b);
        e->va += q * vb;
    }
    e->b = e->a, e->vb = e->va;
    e->a = b, e->va = vb;
    e->negative = !e->negative;
    return true;
}

/* Several steps made one: a becomes p a - q b and b becomes s b - r a, or their opposites when the steps are odd in number. s is the
 * largest, and below 2^32: it is at most y, and y times it at most the first x. */
struct steps { uint64_t p, q, r, s; bool odd; };

/* As many as the leading words x and y can tell (Lehmer 1938): a quotient of these is one of the whole numbers while the next y is not
 * below the next s, nor what it lacks to the last below their growth (Jebelean 1995). The numbers stay above 2^128. */
static struct steps lead(const struct euclid *e)
{
    const unsigned at = length(&e->a) - ESTIMATE;
    const uint64_t least = at < 128 ? UINT64_C(1) << (128 - at) : 0;
    uint64_t x = above(&e->a, at), y = above(&e->b, at);
    struct steps m = { 1, 0, 0, 1, false };
    while (y) {
        const uint64_t quotient = x / y, next = x % y, r = m.p + quotient * m.r, s = m.q + quotient * m.s;
        if (next < least + s || y - next < s + m.s)
            break;
        x = y, y = next;
        m = (struct steps){ m.r, m.s, r, s, !m.odd };
    }
    return m;
}

/* p a - q b, or q b - p a when that is the positive one */
static struct scalar difference(uint64_t p, const struct scalar *a, uint64_t q, const struct scalar *b, bool opposite)
{
    struct scalar r;
    signed_wide sum = 0;
    for (unsigned i = 0; i < WORDS; i++) {
        signed_wide d = (signed_wide)((wide)p * a->w[i]) - (signed_wide)((wide)q * b->w[i]);
        sum += opposite ? -d : d;
        r.w[i] = (uint64_t)sum;
        sum >>= 64;
    }
    return r;
}

static void take_steps(struct euclid *e, const struct steps *m)
{
    const struct euclid was = *e;
    e->a = difference(m->p, &was.a, m->q, &was.b, m->odd);
    e->b = difference(m->s, &was.b, m->r, &was.a, m->odd);
    e->va = m->p * was.va + m->q * was.vb;
    e->vb = m->r * was.va + m->s * was.vb;
    e->negative ^= m->odd;
}

bool scalar_halve(struct scalar_halves *h, const struct scalar *u)
{
    struct euclid e = { scalar_order, *u, 0, 1, false };
    while (e.b.w[3] | e.b.w[2]) {
        const struct steps m = lead(&e);
        if (m.r)
            take_steps(&e, &m);
        else
            TRY(step(&e));
    }
    *h = (struct scalar_halves){ { e.b.w[0], e.b.w[1] }, { (uint64_t)e.vb, (uint64_t)(e.vb >> 64) }, e.negative };
    return true;
}
