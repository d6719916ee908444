/* args.h - the command line: one table of verbs, one table of options, parsed with getopt_long.
 *
 * Must never prompt, and every mistake is one message that says what was found and what to do; exit status 2. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct troth_error;
struct config;

enum verb {
#define VERB(id, name, operands, least, most, line, about) VERB_##id,
#include "verbs.def"
#undef VERB
    VERB_COUNT
};

enum opt {
#define OPT(id, name, letter, argument, verbs, help) OPT_##id,
#include "options.def"
#undef OPT
    OPT_COUNT
};

/* Exit codes: the table of troth(1). */
enum {
    EXIT_OK = 0,
    EXIT_FINDING = 1,     /* a negative answer: verify says no, check found something  */
    EXIT_USAGE = 2,       /* usage or configuration                                    */
    EXIT_NETWORK = 3,     /* name resolution or TCP                                    */
    EXIT_PROTOCOL = 4,    /* handshake, protocol, alert from the peer                  */
    EXIT_CERTIFICATE = 5, /* we refused the peer's certificate                         */
    EXIT_REFUSED = 6,     /* the peer refused us: client certificate                   */
    EXIT_TIMEOUT = 7,
    EXIT_FILE = 8,        /* local I/O: file, key, permission                          */
    EXIT_HTTP = 9,        /* HTTP status >= 400 with get --fail                        */
    EXIT_BUG = 70
};

enum { ARG_VALUES_MAX = 256, ARG_PATHS_MAX = 8192, ARG_HEARD_MAX = 2048 };

struct args {
    enum verb   verb;
    unsigned    given[OPT_COUNT];  /* how often              */
    const char *value[OPT_COUNT];  /* the last one           */
    unsigned    line[OPT_COUNT];   /* where it stands in the configuration file; 0: on the command line */
    struct { enum opt opt; const char *value; unsigned line; } all[ARG_VALUES_MAX]; /* in order, for those that repeat */
    size_t      n_all;
    char      **operands;
    int         n_operands;
    char        paths[ARG_PATHS_MAX]; /* of credentials.h */
    size_t      paths_n;
    struct config *config;         /* what a file says; NULL: nothing */
    int         argc;              /* the command line       */
    char      **argv;
    char       *heard;             /* ARG_HEARD_MAX bytes for what complain() has to say, instead of standard error; NULL: there */
};

/* Parses the command line and the configuration file, or prints help or a message and returns false with the exit status to use.  Whatever
 * it returns, args_free. */
bool args_parse(struct args *a, int argc, char **argv, int *status);
/* The same once more, as the file may say something else by now.  What is complained of goes to `heard`. */
bool args_again(struct args *a, const struct args *first, char *heard, int *status);
/* What the start said of options that only it reads (opt_is_fixed) stays; calls `changed` for each of which something else is said now.
 * False after a message. */
bool args_keep(struct args *a, const struct args *first, void (*changed)(void *ctx, enum opt), void *ctx);
void args_free(struct args *a);

static inline bool args_has(const struct args *a, enum opt o)
{
    return a->given[o] != 0;
}

/* The value, or `otherwise` when the option was not given. */
static inline const char *args_value(const struct args *a, enum opt o, const char *otherwise)
{
    return a->given[o] ? a->value[o] : otherwise;
}

/* The i-th value of an option that repeats, NULL past the last. */
const char *args_nth(const struct args *a, enum opt o, size_t i);
/* Likewise, of any option: one that does not repeat has one at most. */
const char *args_each(const struct args *a, enum opt o, size_t i);
/* The number of its value in a list that ends with NULL; `otherwise` when it was not given, -1 after a message. */
int args_word(const struct args *a, enum opt o, const char *const *words, int otherwise);
/* A number within bounds; false after a message. */
bool args_number(const struct args *a, enum opt o, long least, long most, long otherwise, long *out);
/* RFC 3339 ("2026-11-24T12:00:00Z", with offset or fraction: floored; a date alone is its midnight UTC) or seconds since 1970. */
bool args_time(const struct args *a, enum opt o, int64_t *out);
bool parse_time(const char *text, int64_t *out);
/* The other way round, in UTC; "never" for INT64_MAX and what no calendar has.  Returns `out`. */
const char *time_words(char *out, size_t cap, int64_t t);

/* What was given goes together: no option without the one that it depends on, none that contradicts another.  Else a message. */
bool args_fit(const struct args *a);

const char *verb_name(enum verb);
const char *opt_name(enum opt);
/* What it wants for a value, NULL: it is a flag. */
const char *opt_argument(enum opt);
const char *opt_help(enum opt);
/* A file or a folder? */
bool opt_is_path(enum opt);
bool opt_repeats(enum opt);
bool opt_is_credential(enum opt);
/* Only the start reads it: a reload changes nothing of it. */
bool opt_is_fixed(enum opt);
bool opt_is_of(enum opt, enum verb);
/* May a file say it to that verb? */
bool opt_is_setting(enum opt, enum verb);
/* By its long name; OPT_COUNT: there is none. */
enum opt opt_find(const char *name);
/* An option of that verb whose name is almost this one; NULL: none is. */
const char *opt_nearest(const char *name, enum verb);
/* Which of the names of 1 to `last` the word is almost; NULL: none.  A number may have no name. */
const char *word_nearest(const char *word, const char *(*name)(uint16_t), uint16_t last);
/* One more value (NULL for a flag), of that line of the file.  False: there are too many. */
bool args_set(struct args *a, enum opt o, const char *value, unsigned line);
/* "troth: connect: " then the message, on standard error.  Returns `status`. */
int complain(const struct args *a, int status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A failure of the library: about which file or other thing (NULL: none), what it is, what was seen, its code, and what to do. */
int complain_of(const struct args *a, int status, const struct troth_error *why, const char *about, const char *saw);

/* Every verb: its whole work; returns the exit status. */
#define VERB(id, name, operands, least, most, line, about) int verb_##id(const struct args *);
#include "verbs.def"
#undef VERB

#endif
