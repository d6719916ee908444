/* check.h - what troth check found out, and how it is told.  check.c asks, chain.c and http.c look at what came,
 * find.c keeps what is found, lines.c knows servers' settings, tell.c tells; what there is to find is in check.def. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "client/session.h"

enum severity { INFO, LOW, MEDIUM, HIGH, CRITICAL, SEVERITIES };
enum { FINDINGS_MAX = 64, NAMES_MAX = 16 };
enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_MD, CHECK_SARIF, CHECK_JUNIT };
enum { WEB_SERVERS = 3 };

enum finding_id {
#define FINDING(id, code, severity, what, remedy) FOUND_##id,
#include "check/check.def"
#undef FINDING
    FINDINGS_COUNT
};

struct finding {
    enum severity severity;
    const char   *code, *what, *remedy; /* constant texts, or of the error below */
    const char   *line;                 /* that does it, in the settings of --for; NULL: none is known */
    char          saw[240];
};

struct names {
    const char *name[NAMES_MAX];
    size_t      n;
};

struct check {
    const struct args *args;
    enum severity      limit;      /* --fail-on */
    int                server;     /* --for; -1: nobody's settings */
    struct finding     findings[FINDINGS_MAX];
    size_t             n;
    struct names       versions, suites, groups;
    struct session     first;      /* with our own defaults; kept to the end */
    bool               small;      /* no large hello is answered */
    bool               no_ems;     /* TLS 1.2 is spoken without extended master secret */
    bool               hybrid;     /* a group was that no quantum computer breaks */
    unsigned           connections;
    unsigned           unanswered; /* the newest of them, in a row: nobody was there, or kept silent */
};

/* `saw`: what it rests on, whoever wrote it; NULL: nothing more can be said.  Where there are too many, the gravest stay. */
void check_find(struct check *, enum finding_id, const char *saw);
/* Of the library, under its own code. */
void check_find_reason(struct check *, enum severity, const char *code, const char *what, const char *remedy, const char *saw);
/* The arguments of the first connection with two options set: what one more connection differs in. */
struct args check_args(const struct check *, enum opt o1, const char *v1, enum opt o2, const char *v2);

/* The certificates that came with the first connection, and the path that was accepted. */
void check_chain(struct check *);
/* What a web server says over one more connection; nothing where it is none. */
void check_http(struct check *);
/* The line of a server's settings against that finding, constant; NULL: none is known, or server is -1. */
const char *check_lines(int server, const char *code);
/* "ok": the first connection took the server's certificate; else the code of what was wrong, with it or before it came. */
const char *check_certificate(const struct check *);

/* By severity; NULL behind the last. */
extern const char *const severity_names[SEVERITIES + 1];
extern const char *const web_servers[WEB_SERVERS + 1];
/* On standard output.  `reached`: there was somebody to assess.  Where not, the failure is the answer, and text and md have none. */
void check_tell(const struct check *, enum check_format, bool reached, int status);

#endif
