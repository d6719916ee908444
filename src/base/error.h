/* error.h - a failure is one statement: return fail(x, REASON, "values", ...);
 *
 * The alert, the code, the text and the hint come from reasons.def; file and line from the macro.  The first failure wins and sticks;
 * later ones are its echo.  `x` is anything with a member `error`;
 * fail_to is for the layers that are given the error alone. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/rd.h"

enum { ALERT_NONE_BELONGS = 255 };

/* Always false. */
bool error_set(troth_error *e, enum troth_reason why, const char *file, int line, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The failure of a reader, in message `message`.  Always false. */
bool error_from_rd(troth_error *e, const char *file, int line, const char *message, const struct rd *r);
/* The peer's verdict: an alert that it sent.  Always false. */
bool error_from_peer(troth_error *e, enum troth_reason why, uint8_t alert, const char *file, int line);

/* Says to whoever reads the code without error.c (the optimiser, the analysers) what those return. */
static inline bool always_false(bool failed)
{
    (void)failed;
    return false;
}

#define fail(x, reason, ...)      always_false(error_set(&(x)->error, TROTH_R_##reason, __FILE__, __LINE__, __VA_ARGS__))
#define fail_to(e, reason, ...)   always_false(error_set((e), TROTH_R_##reason, __FILE__, __LINE__, __VA_ARGS__))
#define fail_as(x, why, ...)      always_false(error_set(&(x)->error, (why), __FILE__, __LINE__, __VA_ARGS__))
#define fail_read(x, message, r)  always_false(error_from_rd(&(x)->error, __FILE__, __LINE__, (message), (r)))

static inline bool error_is_set(const troth_error *e)
{
    return e->reason != TROTH_R_NONE;
}

#endif
