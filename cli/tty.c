/* tty.c - what the terminal, the environment and the options say about how to print. */
#include "tty.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool sink_file(void *file, const char *p, size_t n)
{
    return fwrite(p, 1, n, file) == n;
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
