/* url.c - see url.h.  Must never let a blank or a control character through into a request. */
#include "url.h"

#include <stdio.h>
#include <string.h>

static bool has_scheme(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return n && s[n] == ':';
}

/* RFC 3986 5.2.4, where it stands: "/a/./b/../c" -> "/a/c".  What comes behind ? or # stays. */
static void remove_dots(char *path)
{
    char *in = path, *out = path, *end = path + strcspn(path, "?#");
    while (in < end) {
        size_t n = 1 + strcspn(in + 1, "/?#"); /* "/segment" */
        bool last = in + n >= end;
        if ((n == 2 && in[1] == '.') || (n == 3 && in[1] == '.' && in[2] == '.')) {
            while (n == 3 && out > path && *--out != '/')
                ;
            if (last)
                *out++ = '/';
        } else {
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    memmove(out, end, strlen(end) + 1);
}

bool url_resolve(char *out, size_t cap, const struct target *base, const char *reference)
{
    const char *bracket = strchr(base->host, ':') ? "[]" : "";
    bool whole = has_scheme(reference) || !strncmp(reference, "//", 2), same = !*reference || *reference == '#';
    size_t path = strcspn(base->rest, "?"), dir = path;
    int authority = snprintf(out, cap, "https://%.1s%s%s:%s", bracket, base->host, *bracket ? "]" : "", base->port), n;
    if (authority < 0 || (size_t)authority >= cap)
        return false;
    while (dir && base->rest[dir - 1] != '/')
        dir--;
    size_t kept = same ? strlen(base->rest) : *reference == '?' ? path : *reference == '/' ? 0 : dir; /* of the base's path and query */
    if (whole)
        n = snprintf(out, cap, "%s%s", has_scheme(reference) ? "" : "https:", reference);
    else
        n = authority + snprintf(out + authority, cap - (size_t)authority, "%.*s%s", (int)kept, base->rest, same ? "" : reference);
    if (n < 0 || (size_t)n >= cap)
        return false;
    if (!whole)
        remove_dots(out + authority);
    return true;
}

size_t url_request_path(char *out, size_t cap, const char *path)
{
    size_t n = 0;
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        bool bad = c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c);
        char coded[4];
        size_t k = (size_t)snprintf(coded, sizeof coded, bad ? "%%%02X" : "%c", c);
        if (n + k < cap)
            memcpy(out + n, coded, k + 1);
        n += k;
    }
    return n;
}
