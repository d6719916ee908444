/* reload.c - a configuration is read again, options and all, while the old one serves.  Must never leave a service without one, nor with half
 * of another. */
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "serve/confine.h"
#include "serve/service.h"

/* What was complained of, in one line: it never grows. */
static void one_line(char *text)
{
    char *out = text;
    for (const char *p = text; *p; p++) {
        bool ends = *p == '\n';
        *out++ = ends ? ';' : *p;
        if (ends && p[1] == ' ') {
            p += strspn(p + 1, " ");
            *out++ = ' ';
        }
    }
    *out = 0;
}

static void tell_fixed(void *ctx, enum opt o)
{
    const struct service *s = ctx;
    log_line(&s->log, "warn", "reload", "option", opt_name(o), "what", "stays as it was: only a start reads it", NULL);
}

/* All numbers, or none of them. */
static bool take_limits(struct service *s, const struct args *a)
{
    if (!service_limits(s, a))
        return false;
    if (!s->own || s->own(s, a))
        return true;
    service_limits(s, s->args);
    return false;
}

/* As they were. */
static void put_back(struct service *s)
{
    service_limits(s, s->args);
    if (s->settle)
        s->settle(s, false);
    else if (s->own)
        (void)s->own(s, s->args);
}

static bool read_again(struct service *s, struct args *a, char *heard)
{
    int status;
    if (!args_again(a, s->first, heard, &status) || !args_keep(a, s->first, tell_fixed, s) || !confine_reaches(a, s->keeper ? READER_FRONT : READER) || !take_limits(s, a))
        return false;
    if (!service_configure(s, a, s->client != NULL, &status)) {
        put_back(s);
        return false;
    }
    if (s->settle)
        s->settle(s, true);
    return true;
}

bool service_reload(struct service *s)
{
    char heard[ARG_HEARD_MAX] = "";
    struct args *a = calloc(1, sizeof *a);
    bool ok = a && read_again(s, a, heard);
    one_line(heard);
    log_line(&s->log, ok ? "info" : "error", "reload", "result", ok ? "ok" : "kept the old configuration", "file", ok ? config_file(a) : NULL,
             ok ? "saw" : "why", *heard ? heard : NULL, NULL);
    struct args *old = ok ? s->again : a;
    if (ok) {
        a->heard = NULL; /* from here on standard error */
        s->again = a;
    }
    if (old)
        args_free(old);
    free(old);
    return ok;
}
