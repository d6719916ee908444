/* child.h - another program, run to its end: what it is told is its arguments alone, what it says is kept. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct child {
    int    status;  /* its exit status; 128 and more: a signal ended it   */
    char  *said;    /* on standard output and error, as it came; a zero ends it */
    size_t n;
};

/* `argv' ends with NULL; the program is looked for in PATH.  False with errno set: it did not run.  Then, too, child_free. */
bool child_run(struct child *, const char *const argv[]);
void child_free(struct child *);

#endif
