/* meddle.h - somebody on the path between two ends of a pair: changes, drops, repeats, delays or swaps whole records.
 *
 *     struct meddle m = { .from_client = true, .nth = 3, .how = MEDDLE_DROP };
 *     meddle_with(&p, &m);
 *     pair_run(&p);  m.done: there was such a record */
#ifndef TESTS_SUPPORT_MEDDLE_H
#define TESTS_SUPPORT_MEDDLE_H

#include "base/witness.h"
#include "support/pair.h"

enum meddle_how {
    MEDDLE_NOTHING,
    MEDDLE_FLIP,    /* a bit of the record, `arg`: which, counted from its end         */
    MEDDLE_DROP,
    MEDDLE_REPEAT,
    MEDDLE_SWAP,    /* with the next one of the same flight                            */
    MEDDLE_DELAY,   /* until more comes from the same end                              */
    MEDDLE_LATER,   /* comes now, and again after the next flight                      */
    MEDDLE_CUT,     /* the stream ends in front of it                                  */
    MEDDLE_KINDS
};

struct meddle {
    bool            from_client;
    unsigned        nth;       /* record, counted from 1 */
    enum meddle_how how;
    size_t          arg;
    bool            done;
    bool            wrapped;   /* arg is beyond the record's length: it was taken modulo that */
    /* private */
    unsigned        seen;
    size_t          passed;    /* of the stream, bytes that were looked at */
    uint8_t        *held;
    size_t          held_n;
};

void meddle_with(struct pair *, struct meddle *);
/* Before the pair is freed, or after. */
void meddle_end(struct meddle *);
extern const char *const meddle_names[MEDDLE_KINDS];

/* Or a field, in a message that is on its way out: the first one of that name in the first such message gets these bytes.
 *
 *     struct overwrite o = { .message = "Certificate", .field = "valid_time", .bytes = { 0, 1, 0x80, 0 }, .n = 4 };
 *     struct witness w = overwrite_witness(&o);
 *     conn_watch(conn, &w);      o.done: there was such a field */
struct overwrite {
    const char *message, *field;
    uint8_t     bytes[8];
    size_t      n;
    bool        done;
    /* private */
    span        raw;
    bool        here;
};
struct witness overwrite_witness(struct overwrite *);

#endif
