/* Timing on a machine shared with strangers. A busy hyperthread sibling slows throughput-bound code by up to a half, in
 * bursts, while the clock stays the same. So a short spin that saturates the execution ports runs before and after
 * each sample: when either spin was slow, someone else was there, and the sample is dropped. The median of the rest counts. */
#ifndef BENCH_QUIET_H
#define BENCH_QUIET_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { QUIET_PERCENT = 108, QUIET_LEAST = 12 };

struct quiet { uint64_t fastest; };                             /* the shortest spin seen, in ns * 16 */
struct quiet_sample { double us; unsigned noise; };             /* noise: the worse spin in percent of the fastest */

static inline uint64_t quiet_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline uint64_t quiet_spin(void)
{
    uint64_t a = 3, b = 5, c = 7, d = 9, e = 11, f = 13;
    uint64_t from = quiet_ns();
    for (int i = 0; i < 500; i++) {
        a += a << 1, b += b << 1, c ^= c << 1, d += 3, e ^= d, f += e;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
    }
    return quiet_ns() - from;
}

static inline void quiet_start(struct quiet *q)
{
    q->fastest = UINT64_MAX;
    for (int i = 0; i < 4000; i++) {
        uint64_t t = quiet_spin();
        q->fastest = t < q->fastest ? t : q->fastest;
    }
}

/* `times` calls of run(arg) as one sample */
static inline struct quiet_sample quiet_take(struct quiet *q, void (*run)(void *), void *arg, unsigned times)
{
    uint64_t before = quiet_spin(), from = quiet_ns();
    for (unsigned i = 0; i < times; i++)
        run(arg);
    uint64_t took = quiet_ns() - from, after = quiet_spin();
    q->fastest = before < q->fastest ? before : q->fastest;
    q->fastest = after < q->fastest ? after : q->fastest;
    uint64_t worse = before > after ? before : after;
    return (struct quiet_sample){ (double)took / 1000 / times, (unsigned)(worse * 100 / q->fastest) };
}

static inline int quiet_by_noise(const void *a, const void *b)
{
    const struct quiet_sample *x = a, *y = b;
    return (x->noise > y->noise) - (x->noise < y->noise);
}

static inline int quiet_by_time(const void *a, const void *b)
{
    const struct quiet_sample *x = a, *y = b;
    return (x->us > y->us) - (x->us < y->us);
}

/* The median of the quiet samples; *kept says how many those were. With too few of them, the quietest tenth. */
static inline double quiet_median(struct quiet_sample *s, unsigned n, unsigned *kept)
{
    unsigned k = 0;
    qsort(s, n, sizeof *s, quiet_by_noise);
    while (k < n && s[k].noise <= QUIET_PERCENT)
        k++;
    *kept = k;
    if (k < QUIET_LEAST)
        k = n / 10 > QUIET_LEAST ? n / 10 : (n < QUIET_LEAST ? n : QUIET_LEAST);
    qsort(s, k, sizeof *s, quiet_by_time);
    return s[k / 2].us;
}

#endif
