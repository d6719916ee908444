/* replay.h - a recording run through the engine again: the same configuration, the same bytes, the same answers of the provider.
 *
 * Must say where it stops being the same: what needs keys that the recording lacks is never made up as if it had happened. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "recording/facts.h"

struct replay {
    const struct args *args;
    json_t            *facts;
    troth_story       *story;
    troth_conn        *conn;     /* NULL: it came to none                                   */
    troth_report      *judged;   /* the recorded chain, judged again; NULL: not needed       */
    troth_error        error;    /* of the replay where it came to the end, else the recorded one */
    int64_t            now;
    bool               server;
    uint8_t            first[64];/* the peer's first bytes */
    size_t             first_n;
    troth_story       *told;     /* by the engine, where the wire tells more; NULL: it is `story' */
    char               note[6][240]; /* what the replay came to, in sentences */
    size_t             n_notes;
    struct player     *player;
};

/* `facts` (facts_find) belongs to the replay from now on; `file` must outlive it.  False: *status says how to exit, after a message. */
bool replay_run(struct replay *r, const struct args *a, json_t *facts, const uint8_t *file, size_t n, int *status);
/* What the peer's chain was judged to be: by the engine, or again. */
const troth_report *replay_report(const struct replay *r);
void replay_end(struct replay *r);

#endif
