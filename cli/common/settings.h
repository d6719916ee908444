/* settings.h - a file of settings, in the little of YAML that they need: `name: value`, a list of values, or a mapping of them, and no more.
 *
 * Whoever wrote the file may mean ill: it is bounded, nothing in it stands for anything else in it (no anchors, aliases, tags, merges),
 * and every problem says in which line. */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTINGS_FILE_MOST = 256 << 10, SETTINGS_MOST = 256, SETTINGS_PROBLEMS = 16 };

struct setting {
    char    *name, *value;
    unsigned line;   /* of the value                                         */
    bool     plain;  /* written without quotes: true and false are no words  */
    bool     listed; /* one of a list                                        */
    bool     mapped; /* one of a mapping: the value is KEY=VALUE             */
};

struct settings {
    struct setting *all;
    size_t          n;
    struct { unsigned line; char text[480]; } problems[SETTINGS_PROBLEMS];
    size_t          n_problems;
};

/* Reads them all, in their order.  False: there are problems, as many as could be found (and some settings, perhaps). */
bool settings_read(struct settings *, const uint8_t *text, size_t n);
/* Tells a problem of whoever makes sense of them; what is more than there is room for is not told. */
void settings_problem(struct settings *, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void settings_free(struct settings *);

#endif
