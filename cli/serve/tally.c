/* tally.c - see tally.h. */
#include "serve/tally.h"

const uint32_t tally_bounds[TALLY_BUCKETS] = { 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000 };

static bool is_same(const struct tally_row *a, const struct tally_row *b)
{
    return a->reason == b->reason && a->version == b->version && a->group == b->group && a->suite == b->suite && a->resumed == b->resumed &&
           a->named == b->named;
}

static size_t place_of(const struct tally_row *r)
{
    uint32_t h = (uint32_t)r->reason * 31u + r->version;
    h = (h * 31u + r->group) * 31u + r->suite;
    return ((h * 2u + r->resumed) * 3u + r->named) * 2654435761u >> 24;
}

void tally_add(struct tally *t, const struct tally_row *what, uint64_t us)
{
    bool ok = what->reason == TROTH_R_NONE;
    struct tally_row *rows = t->handshakes[ok].rows;
    size_t at = place_of(what), tries = 0;
    while (rows[at].n && !is_same(&rows[at], what) && ++tries < TALLY_ROWS)
        at = (at + 1) % TALLY_ROWS;
    if (tries == TALLY_ROWS) {
        t->handshakes[ok].rest++;
    } else {
        uint64_t n = rows[at].n;
        rows[at] = *what;
        rows[at].n = n + 1;
    }
    if (!ok)
        return;
    size_t b = 0;
    while (b < TALLY_BUCKETS && us > tally_bounds[b])
        b++;
    t->buckets[b]++;
    t->us += us;
}

void tally_handshake(struct tally *t, const troth_conn *c, uint64_t us)
{
    const troth_error *why = troth_why(c);
    const troth_facts f = troth_what(c);
    const struct tally_row what = { .reason = why ? why->reason : TROTH_R_NONE, .version = f.version, .group = f.group, .suite = f.suite,
                                    .resumed = f.resumed, .named = f.named };
    tally_add(t, &what, us);
}
