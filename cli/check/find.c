/* find.c - the findings of troth check.
 *
 * Must never keep what a peer wrote as it is, nor let many small ones crowd out a grave one. */
#include "check/check.h"

static const struct {
    enum severity severity;
    const char   *code, *what, *remedy;
} known[FINDINGS_COUNT] = {
#define FINDING(id, code, severity, what, remedy) [FOUND_##id] = { severity, code, what, remedy },
#include "check/check.def"
#undef FINDING
};

/* The last of those that matter least; NULL: there is room. */
static struct finding *least(struct check *c)
{
    struct finding *f = c->n < FINDINGS_MAX ? NULL : c->findings;
    for (size_t i = 1; f && i < c->n; i++)
        if (c->findings[i].severity <= f->severity)
            f = &c->findings[i];
    return f;
}

void check_find_reason(struct check *c, enum severity severity, const char *code, const char *what, const char *remedy, const char *saw)
{
    struct finding *f = least(c);
    if (f && f->severity >= severity)
        return;
    if (!f)
        f = &c->findings[c->n++];
    *f = (struct finding){ .severity = severity, .code = code, .what = what, .remedy = remedy, .line = check_lines(c->server, code) };
    copy_safely(f->saw, sizeof f->saw, saw ? saw : "");
}

void check_find(struct check *c, enum finding_id id, const char *saw)
{
    check_find_reason(c, known[id].severity, known[id].code, known[id].what, known[id].remedy, saw);
}
