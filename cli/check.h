/* check.h - what troth check found out, and how it is told: by check.c and check_tell.c. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "session.h"

enum severity { INFO, LOW, MEDIUM, HIGH, CRITICAL, SEVERITIES };
enum { FINDINGS_MAX = 24, NAMES_MAX = 16 };
enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_MD, CHECK_SARIF, CHECK_JUNIT };

struct finding {
    enum severity severity;
    const char   *code, *what, *remedy; /* constant texts, or of the error below */
    char          saw[240];
};

struct names {
    const char *name[NAMES_MAX];
    size_t      n;
};

struct check {
    const struct args *args;
    enum severity      limit;      /* --fail-on */
    struct finding     findings[FINDINGS_MAX];
    size_t             n;
    struct names       versions, suites, groups;
    struct session     first;      /* with our own defaults; kept to the end */
    unsigned           connections;
};

/* By severity; NULL behind the last. */
extern const char *const severity_names[SEVERITIES + 1];
/* On standard output.  `reached`: there was somebody to assess.  Where not, the failure is the answer, and text and md have none. */
void check_tell(const struct check *, enum check_format, bool reached, int status);

#endif
