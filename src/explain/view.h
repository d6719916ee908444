/* view.h - a story as its writers want it: trees, steps, facts, cards, and plain sentences.  Made once per writing, in an arena. */
#ifndef EXPLAIN_VIEW_H
#define EXPLAIN_VIEW_H

#include <troth/verify.h>

#include "explain/out.h"
#include "explain/story.h"
#include "explain/tree.h"

enum { STEP_HELLO = 1, STEP_ANSWER, STEP_CERTIFICATE, STEP_KEYS, STEP_DATA, STEPS = STEP_DATA };

struct prose;

struct card {
    size_t      message;      /* the "X.509 certificate" message; SIZE_MAX: known from the report only  */
    const char *subject, *issuer, *names, *key, *signature, *serial, *fingerprint, *validity, *distance;
    const char *full, *full_issuer; /* the whole names; not for output */
    int64_t     not_before, not_after;
    bool        expired, early;
    bool        anchor;       /* not sent: one of the trusted roots              */
    bool        clients;      /* sent by the client                              */
    int         position;     /* among its sender's: 0 is the sender's own       */
};

struct fact {
    uint64_t    value;
    const char *name;  /* NULL: not known */
};

struct view {
    const troth_story *s;
    struct arena       mem;
    bool               redact;
    bool               short_of_memory;
    struct tree       *trees;      /* one per message                        */
    uint8_t           *step;       /* of each message                        */
    size_t             n;
    struct fact        version, suite, group, scheme;
    span               alpn, server_name;
    const char        *peer;       /* how to call the peer                   */
    const char        *we;         /* "Your client", "The client"            */
    bool               delegated[2]; /* the client, the server signed with the key of a delegated credential */
    bool               external;   /* resumed from a key given beforehand, not from a session */
    bool               ech_accepted, ech_refused, ech_grease;
    bool               hello_retry, other_share, resumed, early_offered, early_accepted, client_asked, client_sent, ech_offered, finished, tls12;
    bool               answered;   /* EncryptedExtensions could be read: what it does not have was not accepted */
    bool               client_spoke; /* the client's last flight could be read                                  */
    bool               handshake_done, closed[2];
    bool               lone;       /* no connection: single messages, read by themselves */
    unsigned           round_trips;
    uint8_t            reached;    /* the last step that began               */
    uint8_t            broke;      /* the step at which it failed; 0: did not */
    size_t             bad_message;/* SIZE_MAX: none                         */
    uint32_t           bad_node, bad_at;
    struct told_decision *choices; /* what was told, and what the other side chose among our offers */
    size_t             n_choices;
    struct card       *cards;
    size_t             n_cards;
    int64_t            total;      /* microseconds from the first to the last line */
};

/* False only for lack of memory; then view_free all the same. */
bool MUST_USE view_make(struct view *v, const troth_story *s, bool redact);
void view_free(struct view *v);

/* One plain sentence for each step, a heading, a title of the whole. */
void say_title(struct text *t, const struct view *v);
void say_summary(struct text *t, const struct view *v);
void say_step(struct text *t, const struct view *v, int step);
const char *step_name(int step);
/* "not reached", "broke here", or NULL when all is well with the step. */
const char *step_trouble(const struct view *v, int step);
/* A single message has nothing to say of the other steps. */
bool step_is_empty(const struct view *v, int step);

/* What a field's value is, in words.  Redacted values say only how long they are. */
void say_value(struct text *t, const struct view *v, const struct tree *tree, uint32_t node);
/* What to call it: its name; an extension by the name of what it is. */
void say_label(struct text *t, const struct tree *tree, uint32_t node);
/* Why it exists; an extension speaks for what is in it.  NULL: nothing to say, or said there. */
const struct prose *say_why(const struct tree *tree, uint32_t node);
/* Which step a decision, a key belongs to. */
int decision_step(const struct told_decision *d);
/* The choice of a decision. */
void say_choice(struct text *t, const struct told_decision *d);
/* One entry of a list of a decision: numbers in wire format, or names in one (length first) or separated by commas; false at the end. */
bool decision_entry(const struct told_decision *d, span list, size_t *at, span *entry);
void say_entry(struct text *t, const struct told_decision *d, span entry);
bool entry_is_chosen(const struct told_decision *d, span entry);
/* choices.c */
bool MUST_USE choices_make(struct view *v);
/* "3.1 ms", "850 us" */
void say_micros(struct text *t, int64_t us, bool unicode);
/* "1 record", "2 records" */
void say_count(struct text *t, uint64_t n, const char *thing);
const char *version_words(uint64_t version);
const char *direction_name(uint8_t from);
const char *epoch_name(uint8_t epoch);
/* A sentence on a message as a whole. */
const char *message_purpose(const char *type);

/* prose.c: what a field is and why it exists; NULL where nothing is written. */
struct prose {
    const char *path, *rfc, *text;
};
const struct prose *prose_of(const char *parent, const char *name);
const struct prose *prose_rows(size_t *n);
/* cards.c */
bool MUST_USE cards_make(struct view *v);
/* "the server's own certificate" */
const char *card_role(const struct card *c);
bool card_vouches(const struct card *by, const struct card *c);
/* A check of it failed: one of the first path that was tried. */
bool card_refused(const struct view *v, const struct card *c);

/* foreign.c: the codes that its table leads to, one by one; NULL past the last. */
const char *foreign_code(size_t i);

/* The writers. */
void write_json(struct out *o, struct view *v);
void write_text(struct out *o, struct view *v);
void write_html(struct out *o, struct view *v);

#endif
