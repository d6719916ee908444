/* unfinished.c - verbs that are still being written say so.  Each name here is weak: the real one replaces it.  Must be gone before
 * a release. */
#include "args.h"

int unfinished(const struct args *a);

int unfinished(const struct args *a)
{
    return complain(a, EXIT_BUG, "this verb is not built into this version");
}

#define VERB(id, name, operands, least, most, line, about) \
    int verb_##id(const struct args *) __attribute__((weak, alias("unfinished")));
#include "verbs.def"
#undef VERB
