/* error.c - the table of reasons, and how an error is filled in from it.  Must never allocate, but for a trouble's first error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alerts.h"
#include "base/text.h"

static const struct reason_row {
    const char *code, *what, *hint;
    uint8_t     alert, who;
} reasons[TROTH_REASON_COUNT] = {
#define R(number, name, alert, code, what, who, hint) [TROTH_R_##name] = { code, what, hint, ALERT_##alert, TROTH_WHO_##who },
#include <troth/reasons.def>
#undef R
};

static bool fill(troth_error *e, enum troth_reason why, const char *file, int line)
{
    if (error_is_set(e))
        return false; /* an echo */
    const struct reason_row *row = &reasons[why];
    *e = (troth_error){ .reason = (uint16_t)why,
                        .alert = row->alert,
                        .who = row->who,
                        .code = row->code,
                        .text = row->what,
                        .hint = row->hint,
                        .file = file,
                        .line = line };
    return true;
}

/* Evidence may hold a peer's bytes: nothing that a terminal would obey gets through. */
static void make_printable(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

COLD bool error_set(troth_error *e, enum troth_reason why, const char *file, int line, const char *fmt, ...)
{
    if (fill(e, why, file, line)) {
        struct text detail = TEXT_IN(e->detail);
        va_list ap;
        va_start(ap, fmt);
        text_vadd(&detail, fmt, ap);
        va_end(ap);
        make_printable(e->detail);
    }
    return false;
}

COLD bool error_from_rd(troth_error *e, const char *file, int line, const char *message, const struct rd *r)
{
    const struct rd_ctx *ctx = r->ctx;
    if (fill(e, ctx->bad ? ctx->why : TROTH_R_BUG, file, line)) {
        e->message = message;
        e->field = ctx->bad;
        e->at = ctx->bad_at;
        if (ctx->has_value)
            snprintf(e->detail, sizeof e->detail, "%s.%s is %llu (0x%llx) at byte %u", message, ctx->bad ? ctx->bad : "?",
                     (unsigned long long)ctx->value, (unsigned long long)ctx->value, (unsigned)ctx->bad_at);
        else
            snprintf(e->detail, sizeof e->detail, "%s.%s at byte %u", message, ctx->bad ? ctx->bad : "?",
                     (unsigned)ctx->bad_at);
    }
    return false;
}

COLD bool error_from_peer(troth_error *e, enum troth_reason why, uint8_t alert, const char *file, int line)
{
    if (fill(e, why, file, line)) {
        e->alert = alert;
        e->from_peer = true;
    }
    return false;
}

enum troth_reason troth_reason_by_code(const char *code)
{
    for (int i = 0; code && i < TROTH_REASON_COUNT; i++)
        if (!strcmp(reasons[i].code, code))
            return (enum troth_reason)i;
    return TROTH_R_NONE;
}

static const struct reason_row *row_of(enum troth_reason why)
{
    return &reasons[(unsigned)why < TROTH_REASON_COUNT ? why : TROTH_R_NONE];
}

const char *troth_reason_code(enum troth_reason why)
{
    return row_of(why)->code;
}

const char *troth_reason_text(enum troth_reason why)
{
    return row_of(why)->what;
}

const char *troth_reason_hint(enum troth_reason why)
{
    return row_of(why)->hint;
}

enum troth_who troth_reason_who(enum troth_reason why)
{
    return (enum troth_who)row_of(why)->who;
}

uint8_t troth_reason_alert(enum troth_reason why)
{
    return row_of(why)->alert;
}

/* ---- an error that has memory only once there is one */

static const troth_error no_room = { .reason = TROTH_R_OUT_OF_MEMORY,
                                     .alert = ALERT_internal_error,
                                     .who = TROTH_WHO_YOU,
                                     .code = "local.out-of-memory",
                                     .text = "memory ran out",
                                     .hint = "free memory, or raise the limit this program runs under",
                                     .file = __FILE__,
                                     .line = __LINE__,
                                     .detail = "for an error" };

COLD troth_error *trouble_room(void *trouble)
{
    struct trouble *t = trouble;
    if (t->e)
        return t->e;
    t->e = t->memory->alloc(t->memory->ctx, sizeof *t->e);
    if (t->e)
        *t->e = (troth_error){ .reason = TROTH_R_NONE };
    else
        t->e = (troth_error *)(uintptr_t)&no_room; /* it is set: nobody writes to it again */
    return t->e;
}

COLD void trouble_alert(struct trouble *t, uint8_t alert)
{
    if (t->e && t->e != &no_room)
        t->e->alert = alert;
}

COLD bool trouble_take(struct trouble *t, const troth_error *e)
{
    if (e->reason == TROTH_R_NONE)
        return false;
    troth_error *to = trouble_room(t);
    if (!error_is_set(to))
        *to = *e;
    return false;
}

void trouble_free(struct trouble *t)
{
    if (t->e && t->e != &no_room)
        t->memory->free(t->memory->ctx, t->e, sizeof *t->e);
    t->e = NULL;
}
