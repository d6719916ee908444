/* story.h - the log of one connection, as its witness heard it, and what the writers of text, JSON and HTML need of it.
 *
 * Everything is copied when it is told: a story outlives its connection.  Memory is the story's own and bounded; when it runs out the
 * story is `cut` and says so, and the connection never notices. */
#ifndef EXPLAIN_STORY_H
#define EXPLAIN_STORY_H

#include <troth/explain.h>
#include <troth/provider.h>

#include "base/secret.h"
#include "base/witness.h"

enum story_limits {
    STORY_MEMORY = 32 << 20,  /* bytes of one story by default: a handshake needs about 200 kB      */
    STORY_DATA_KEPT = 2048,   /* bytes of application data kept from each direction                 */
    STORY_RECORDS = 4096      /* records told one by one; further ones are only counted             */
};

/* A growing array of one type of row. */
struct rows {
    void  *p;
    size_t n, cap;
};

enum item_kind { ITEM_MESSAGE, ITEM_DECISION, ITEM_CHECK, ITEM_KEY, ITEM_RECORD, ITEM_FLIGHT, ITEM_FAILURE, ITEM_MARK, ITEM_DATA };

/* One line of the log: what, which row of its array, and when. */
struct item {
    int64_t  at;      /* microseconds since the story began; 0 without a clock */
    uint32_t row;
    uint8_t  kind;
};

struct told_message {
    const char *type;
    span        raw;
    size_t      first, n;  /* its sightings */
    int64_t     at;
    uint8_t     from, version, epoch;
    bool        ours;
};

struct told_decision {
    const char         *what, *rule;
    const struct names *as;
    span                ours, theirs;
    uint64_t            chosen;
    const char         *text;
    size_t              after;   /* messages told before it */
};

struct told_check {
    const char *name, *rule, *evidence;
    int         path, cert;
    uint32_t    at, n;
    uint8_t     verdict;
};

enum recomputed { NOT_RECOMPUTED, RECOMPUTED_EQUAL, RECOMPUTED_DIFFERENT };

struct told_key {
    const char *label, *from, *hash;
    span        context, value;  /* value: empty unless kept on purpose */
    size_t      length;          /* of the value, always known          */
    size_t      after;           /* messages told before it             */
    uint8_t     recomputed;
};

struct told_record {
    uint64_t seq;
    uint32_t length, content;
    uint8_t  from, type, inner, epoch;
    size_t   after;
};

struct told_flight {
    int64_t  at;
    uint64_t bytes;
    uint8_t  from;
    size_t   after;
};

struct told_mark {
    int64_t     at;
    const char *what;
};

struct told_data {
    span    bytes;     /* what was kept of it */
    size_t  total;
    int64_t at;
    uint8_t from;
};

struct troth_story {
    struct witness         witness;
    const troth_allocator *mem;
    size_t                 used, limit;
    bool                   cut;            /* something did not fit */
    bool                   keep_secrets;
    bool                   we_are_server;
    bool                   blind;          /* read from a capture, without all of its keys */
    int64_t (*clock)(void *ctx);
    void                  *clock_ctx;
    int64_t                began;
    bool                   has_began, timed; /* there are times */
    int64_t                now;            /* unix seconds when it happened; 0: unknown */
    const char            *peer;           /* what the user typed; NULL: unknown        */
    troth_provider        *provider;       /* to recompute secrets with; NULL: do not   */
    struct rows            texts;          /* owned copies: struct owned                */
    struct rows            sightings, items, messages, decisions, checks, keys, records, flights, marks, data, secrets;
    struct rows            notes;          /* const char *                              */
    size_t                 data_kept[2];
    uint64_t               records_uncounted;
    troth_error            failure;
};

/* Typed access. */
#define ROWS(story, member, type) ((const type *)(story)->member.p)

const struct witness *story_witness(troth_story *);
/* A copy that lives as long as the story; SPAN_NONE and `cut` when it does not fit. */
span story_keep(troth_story *, span);
/* The clock is gone; the times stay. */
void story_clock_stop(troth_story *);
const char *story_keep_text(troth_story *, const char *);

/* schedule.c: computes a secret of the TLS 1.3 key schedule again from its parent, with HMAC alone. */
struct told_secret {
    const char *label, *from;
    size_t      n;
    uint8_t     b[TROTH_KEM_SECRET_MAX];
};
uint8_t schedule_recompute(const troth_story *, const struct saw_key *);

/* malloc and free, for those who brought nothing else. */
const troth_allocator *plain_memory(void);

#endif
