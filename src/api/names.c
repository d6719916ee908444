/* names.c - numbers to names and back, for applications.  Must never invent a name. */
#include <strings.h>
#include <troth/troth.h>

#include "base/rd.h"
#include "base/text.h"
#include "tls/suite.h"
#include "wire/registry.h"
#include "x509/cert.h"

static const char *find(const struct names *t, uint32_t id)
{
    const struct name *row = name_find(t, id);
    return row ? row->name : NULL;
}

static uint16_t find_id(const struct names *t, const char *name)
{
    for (size_t i = 0; name && i < t->n; i++)
        if (!strcasecmp(t->rows[i].name, name))
            return (uint16_t)t->rows[i].id;
    return 0;
}

const char *troth_suite_name(uint16_t id)
{
    return find(&names_suite, id);
}

const char *troth_group_name(uint16_t id)
{
    return find(&names_group, id);
}

const char *troth_scheme_name(uint16_t id)
{
    return find(&names_scheme, id);
}

const char *troth_version_name(uint16_t id)
{
    return find(&names_version, id);
}

const char *troth_alert_name(uint8_t id)
{
    return find(&names_alert, id);
}

uint16_t troth_suite_by_name(const char *name)
{
    return find_id(&names_suite, name);
}

uint16_t troth_group_by_name(const char *name)
{
    return find_id(&names_group, name);
}

uint16_t troth_scheme_by_name(const char *name)
{
    return find_id(&names_scheme, name);
}

enum troth_sig troth_scheme_sig(uint16_t id)
{
    const struct scheme *s = scheme_by_id(id);
    return s ? s->sig : TROTH_SIG_NONE;
}

bool troth_authority_next(troth_span *rest, troth_span *name)
{
    struct rd_ctx ctx;
    if (!rest || !name)
        return false;
    rd_ctx_init(&ctx, *rest, NULL);
    struct rd r = rd_init(&ctx, *rest);
    *name = rd_opaque16(&r, "DistinguishedName", 1, 0xffff);
    *rest = rd_peek(&r);
    return rd_ok(&r);
}

const char *troth_name_text(char *out, size_t n, troth_span name)
{
    if (!out || !n)
        return "";
    struct text t = text_in(out, n);
    name_text(&t, name);
    return out;
}
