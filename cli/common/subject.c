/* subject.c - see subject.h.  Must never hand out half a name, nor one that goes on behind a zero. */
#include "common/subject.h"

#include <string.h>

#include "common/digits.h"

/* One character of a value in RFC 4514's spelling; how many it takes there. */
static size_t unescape(char *out, const char *p)
{
    uint8_t byte;
    if (*p != '\\' || !p[1]) {
        *out = *p;
        return 1;
    }
    if (hex_digit(p[1]) >= 0 && hex_bytes(&byte, p + 1, 1)) {
        *out = (char)byte;
        return 3;
    }
    *out = p[1];
    return 2;
}

void common_name(char *out, size_t cap, const char *dn)
{
    size_t n = 0;
    *out = 0;
    while (*dn && strncmp(dn, "CN=", 3) != 0) { /* on to the next part of the name */
        for (; *dn && *dn != ',' && *dn != '+'; dn++)
            dn += *dn == '\\' && dn[1];
        dn += *dn != 0;
    }
    if (!*dn || dn[3] == '#') /* not text */
        return;
    for (dn += 3; *dn && *dn != ',' && *dn != '+'; n++) {
        if (n + 1 >= cap) {
            n = 0;
            break;
        }
        dn += unescape(out + n, dn);
        if (!out[n]) { /* what ends there for us goes on for others */
            n = 0;
            break;
        }
    }
    out[n] = 0;
}
