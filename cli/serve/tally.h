/* tally.h - what a service counts while it serves: handshakes by how they ended and what was agreed, how long they took, bytes, reloads.
 *
 * Of fixed size whatever strangers do: where a table is full, the rest is counted as one.  One loop counts, so there is nothing to lock. */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include <troth/troth.h>

enum { TALLY_ROWS = 256, TALLY_BUCKETS = 13 };

struct tally_row {
    uint64_t          n;      /* 0: a row that is free          */
    enum troth_reason reason; /* TROTH_R_NONE: it succeeded     */
    uint16_t          version, group, suite; /* 0: not agreed   */
    bool              resumed;
    uint8_t           named;  /* enum troth_named               */
};

struct tally {
    struct {
        struct tally_row rows[TALLY_ROWS];
        uint64_t         rest; /* that no row was free for */
    } handshakes[2];           /* that failed, that succeeded: neither takes the other's room */
    uint64_t buckets[TALLY_BUCKETS + 1], us; /* of those that succeeded: how long they took; the last bucket has no end */
    uint64_t accepted, in, out;
    uint64_t reloads_failed;
};

/* The ends of the buckets, in microseconds. */
extern const uint32_t tally_bounds[TALLY_BUCKETS];

/* A handshake ended, well or not (troth_why), after so long. */
void tally_handshake(struct tally *, const troth_conn *, uint64_t us);
/* -- pure */
void tally_add(struct tally *, const struct tally_row *what, uint64_t us);

#endif
