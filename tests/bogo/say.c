/* say.c - what the shim prints, and the small tools of reading.  Failures go to stderr, everything else to stdout: the runner takes any
 * word on stderr for a failure.  Must never print to stderr when all is well. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

bool complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* The code stands in brackets, so that the ErrorMap of config.json can look for exactly one. */
void complain_error(const troth_error *e)
{
    if (!e) {
        complain("[no error]");
        return;
    }
    complain("[%s] %s (%s)", e->code, e->text, e->detail);
    if (e->message)
        complain("  in %s.%s at byte %u", e->message, e->field ? e->field : "", e->at);
    complain("  noticed at %s:%d", e->file ? e->file : "", e->line);
}

/* Allocations of the settings live as long as the program. */
static void *keep(size_t n)
{
    static struct kept {
        struct kept *next;
    } *all;
    struct kept *k = malloc(sizeof *k + n);
    if (!k) {
        complain("memory ran out");
        exit(EXIT_MUST_FAIL);
    }
    k->next = all;
    all = k;
    return k + 1;
}

troth_span file_or_die(const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = path ? fopen(path, "rb") : NULL;
    if (!f) {
        complain("cannot open %s", path ? path : "a file without a name");
        exit(EXIT_MUST_FAIL);
    }
    uint8_t *p = keep(MOST);
    size_t n = fread(p, 1, MOST, f);
    fclose(f);
    return (troth_span){ p, n };
}

bool spans_equal(troth_span a, troth_span b)
{
    return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool from_base64(troth_span *out, const char *text)
{
    uint8_t *p = keep(strlen(text) + 1);
    size_t n = 0;
    uint32_t bits = 0;
    unsigned have = 0;
    for (; *text && *text != '='; text++) {
        int v = base64_value(*text);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            p[n++] = (uint8_t)(bits >> have);
        }
    }
    *out = (troth_span){ p, n };
    return true;
}

bool from_hex(troth_span *out, const char *text)
{
    size_t n = strlen(text) / 2;
    uint8_t *p = keep(n + 1);
    for (size_t i = 0; i < n; i++) {
        char digits[3] = { text[2 * i], text[2 * i + 1], 0 };
        if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
            return false;
        p[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    *out = (troth_span){ p, n };
    return strlen(text) % 2 == 0;
}
