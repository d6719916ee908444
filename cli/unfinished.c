/* unfinished.c - verbs that are still being written say so.  Each definition here is weak: the real one replaces it.  Must be gone
 * before a release. */
#include "args.h"

#define VERB(id, name, operands, least, most, line, about)                                     \
    __attribute__((weak)) int verb_##id(const struct args *a);                                 \
    int verb_##id(const struct args *a)                                                        \
    {                                                                                          \
        return complain(a, EXIT_BUG, "this verb is not built into this version");              \
    }
#include "verbs.def"
#undef VERB
