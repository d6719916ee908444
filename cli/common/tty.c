/* tty.c - what the terminal, the environment and the options say about how to print. */
#include "common/tty.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool sink_file(void *file, const char *p, size_t n)
{
    return fwrite(p, 1, n, file) == n;
}

size_t char_text(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    if (*p < 0x80)
        return (*p >= 0x20 && *p != 0x7f) || *p == '\n' || *p == '\t';
    size_t n = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xc2 && *p < 0xe0 ? 2 : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (*p == 0xc2 && p[1] < 0xa0) || (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0) || (*p == 0xf0 && p[1] < 0x90) ||
               (*p == 0xf4 && p[1] >= 0x90); /* C1, overlong, surrogates, beyond Unicode */
    return bad ? 0 : n;
}

size_t char_printable(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t n = char_text(text);
    bool marks = n == 3 && *p == 0xe2 && ((p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
                                          (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
    bool turns = marks || (n == 2 && *p == 0xd8 && p[1] == 0x9c); /* what is beside it, or the line */
    return turns ? 0 : n;
}

void print_safely(FILE *to, const char *text)
{
    for (size_t n; *text; text += n ? n : 1) {
        n = char_printable(text);
        if (n)
            fwrite(text, 1, n, to);
        else
            fprintf(to, "\\x%02x", (unsigned char)*text);
    }
}

void copy_safely(char *out, size_t cap, const char *text)
{
    static const char dots[] = "...";
    size_t n = 0, fits = 0; /* fits: the dots go behind here */
    char one[8];
    for (size_t k; *text; text += k ? k : 1) {
        k = (unsigned char)*text < 0x20 ? 0 : char_printable(text);
        int wide = k ? snprintf(one, sizeof one, "%.*s", (int)k, text) : snprintf(one, sizeof one, "\\x%02x", (unsigned char)*text);
        if (n + (size_t)wide >= cap) {
            snprintf(out + fits, cap - fits, "%s", dots);
            return;
        }
        memcpy(out + n, one, (size_t)wide);
        n += (size_t)wide;
        fits = n + sizeof dots <= cap ? n : fits;
    }
    out[n] = 0;
}

json_t *json_text(const char *text)
{
    return json_text_n(text, strlen(text));
}

json_t *json_text_n(const void *text, size_t n)
{
    json_t *o = json_stringn(text, n); /* escapes control characters by itself */
    char *coded = NULL, *end = NULL;
    size_t size;
    FILE *f = o ? NULL : open_memstream(&coded, &size);
    if (f) {
        char *copy = strndup(text, n);
        print_safely(f, copy ? copy : "");
        free(copy);
        end = fclose(f) ? NULL : coded;
    }
    if (!o)
        o = json_string(end ? end : "");
    free(coded);
    return o;
}

bool want_colour(const struct args *a, int fd)
{
    const char *when = args_value(a, OPT_COLOR, "auto"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
    if (!force)
        force = getenv("FORCE_COLOR");
    if (!strcmp(when, "always"))
        return true;
    if (!strcmp(when, "never") || getenv("NO_COLOR"))
        return false;
    if (force && strcmp(force, "0") != 0)
        return true;
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

bool want_unicode(void)
{
    const char *l = getenv("LC_ALL");
    if (!l || !*l)
        l = getenv("LC_CTYPE");
    if (!l || !*l)
        l = getenv("LANG");
    return l && (strcasestr(l, "utf-8") || strcasestr(l, "utf8"));
}

unsigned columns_of(int fd)
{
    enum { LEAST = 40, MOST = 1000, PAGE = 100 };
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w)) /* no terminal: the same everywhere */
        return PAGE;
    const char *set = getenv("COLUMNS");
    long n = set && *set ? strtol(set, NULL, 10) : 0;
    n = n > 0 ? n : w.ws_col ? w.ws_col : PAGE;
    return (unsigned)(n < LEAST ? LEAST : n > MOST ? MOST : n);
}
