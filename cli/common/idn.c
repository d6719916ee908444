/* idn.c - see idn.h.  Must never change a name that is ASCII: what it may be is for others to say. */
#include "common/idn.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#ifdef HAVE_IDN2
#include <idn2.h>

static bool convert(char *out, size_t cap, const char *host, const char **why)
{
    char *found = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)host, (uint8_t **)&found, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    bool ok = rc == IDN2_OK && (size_t)snprintf(out, cap, "%s", found) < cap;
    if (!ok)
        *why = rc != IDN2_OK ? idn2_strerror(rc) : "the name is too long";
    idn2_free(found);
    return ok;
}
#else
static bool convert(char *out, size_t cap, const char *host, const char **why)
{
    (void)out, (void)cap, (void)host;
    *why = "international names need libidn2; write the xn-- form";
    return false;
}
#endif

const char *idn_ascii(char *out, size_t cap, const char *host, const char **why)
{
    for (const char *c = host; *c; c++)
        if ((unsigned char)*c >= 0x80)
            return convert(out, cap, host, why) ? out : NULL;
    return host;
}
