/* error.h - a failure is one statement: return fail(x, REASON, "values", ...);
 *
 * The alert, the code, the text and the hint come from reasons.def; file and line from the macro.  The first failure wins and sticks;
 * later ones are its echo.  `x` is anything with a member `error`;
 * fail_to is for the layers that are given the error alone. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/rd.h"

enum { ALERT_NONE_BELONGS = 255 };

/* Where a layer below is to put its error: the rest is not looked at while there is none, and clearing it would cost more. */
static inline void error_none(troth_error *e)
{
    e->reason = TROTH_R_NONE;
}

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

/* An error that has memory only once there is one, for what lives long and seldom fails: 16 bytes instead of more than 200. */
struct trouble {
    troth_error           *e; /* NULL: all is well */
    const troth_allocator *memory;
};

/* Where its error is to be set; `t` is a struct trouble.  Never NULL: without memory it is one that says so, and is not to be changed. */
troth_error *trouble_room(void *t);
/* The alert of an error that is set. */
void trouble_alert(struct trouble *t, uint8_t alert);
/* What a layer below said becomes the error, if it said anything.  Always false. */
bool trouble_take(struct trouble *t, const troth_error *e);
void trouble_free(struct trouble *t);

static inline bool trouble_is_set(const struct trouble *t)
{
    return t->e != NULL;
}

static inline troth_error *error_itself(void *e)
{
    return e;
}

/* Of anything with a member `error`, which is a troth_error or a struct trouble. */
#define ERROR_OF(x) _Generic((x)->error, struct trouble: trouble_room, default: error_itself)((void *)&(x)->error)

#define fail(x, reason, ...)      always_false(error_set(ERROR_OF(x), TROTH_R_##reason, __FILE__, __LINE__, __VA_ARGS__))
#define fail_to(e, reason, ...)   always_false(error_set((e), TROTH_R_##reason, __FILE__, __LINE__, __VA_ARGS__))
#define fail_as(x, why, ...)      always_false(error_set(ERROR_OF(x), (why), __FILE__, __LINE__, __VA_ARGS__))
#define fail_read(x, message, r)  always_false(error_from_rd(ERROR_OF(x), __FILE__, __LINE__, (message), (r)))

static inline bool error_is_set(const troth_error *e)
{
    return e->reason != TROTH_R_NONE;
}

#endif
