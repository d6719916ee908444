/* hsts.c - see hsts.h. */
#include "net/hsts.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIRECTIVES_MOST = 32 };

struct part {
    const char *p;
    size_t      n;
};

/* name [= value]; the value without its quotes. */
struct directive {
    struct part name, value;
    bool        has_value;
};

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* RFC 9110 5.6.2 */
static const char *token(const char *p, struct part *out)
{
    *out = (struct part){ p, 0 };
    while (*p && (isalnum((unsigned char)*p) || strchr("!#$%&'*+-.^_`|~", *p)))
        p++;
    out->n = (size_t)(p - out->p);
    return out->n ? p : NULL;
}

/* RFC 9110 5.6.4.  What is escaped stays so: no value that counts has such a thing. */
static const char *quoted(const char *p, struct part *out)
{
    *out = (struct part){ ++p, 0 };
    for (; *p && *p != '"'; p++)
        if (*p == '\\' && !*++p)
            return NULL;
    out->n = (size_t)(p - out->p);
    return *p ? p + 1 : NULL;
}

/* NULL: it is none. */
static const char *directive(const char *p, struct directive *d)
{
    *d = (struct directive){ .has_value = false };
    if (!(p = token(p, &d->name)))
        return NULL;
    const char *equals = skip_blanks(p);
    if (*equals != '=')
        return p;
    d->has_value = true;
    p = skip_blanks(equals + 1);
    return *p == '"' ? quoted(p, &d->value) : token(p, &d->value);
}

static bool is(const struct part *part, const char *name)
{
    return part->n == strlen(name) && !strncasecmp(part->p, name, part->n);
}

static long long seconds(const struct directive *d)
{
    for (size_t i = 0; i < d->value.n; i++)
        if (!isdigit((unsigned char)d->value.p[i]))
            return -1;
    return d->value.n ? strtoll(d->value.p, NULL, 10) : -1; /* more than fits is the most there is */
}

static bool came_before(const struct directive *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].name.n == all[n].name.n && !strncasecmp(all[i].name.p, all[n].name.p, all[n].name.n))
            return true;
    return false;
}

long long hsts_max_age(const char *value)
{
    struct directive all[DIRECTIVES_MOST];
    size_t n = 0;
    long long age = -1;
    for (const char *p = skip_blanks(value); *p; p = skip_blanks(p)) {
        if (*p == ';') {
            p++;
            continue;
        }
        if (n == DIRECTIVES_MOST || !(p = directive(p, &all[n])) || came_before(all, n))
            return -1;
        p = skip_blanks(p);
        if (*p && *p != ';')
            return -1;
        if (is(&all[n].name, "max-age") && (age = seconds(&all[n])) < 0)
            return -1;
        if (is(&all[n].name, "includeSubDomains") && all[n].has_value)
            return -1;
        n++;
    }
    return age;
}
