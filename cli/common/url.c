/* url.c - see url.h.  Must never let a blank or a control character through into a request. */
#include "common/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* RFC 3986 2: it may stand there as it is. */
static bool is_url_text(unsigned char c)
{
    return c > 0x20 && c < 0x7f && !strchr("\"<>\\^`{|}", c);
}

size_t url_request_path(char *out, size_t cap, const char *path)
{
    size_t n = 0;
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        char coded[4];
        size_t k = (size_t)snprintf(coded, sizeof coded, is_url_text(c) ? "%c" : "%%%02X", c);
        if (n + k < cap)
            memcpy(out + n, coded, k + 1);
        n += k;
    }
    return n;
}

/* What stands behind the scheme. */
static bool leads_to(struct target *t, const char *rest)
{
    char place[sizeof t->host + sizeof t->rest + 32];
    int n = snprintf(place, sizeof place, "https://%s", rest);
    bool ok = n > 0 && (size_t)n < sizeof place && target_parse(t, NULL, place, "80");
    t->typed = rest;
    return ok;
}

bool url_http(struct target *t, const char *url)
{
    return !strncasecmp(url, "http://", 7) && leads_to(t, url + 7);
}

const char *url_unfit(const char *url)
{
    struct target t;
    struct in6_addr ip;
    const char *scheme = target_scheme(url), *rest = scheme ? scheme + 3 : url;
    size_t n = strcspn(rest, "/?#");
    for (const char *c = url; *c; c++)
        if (!is_url_text((unsigned char)*c) || (*c == '%' && (!isxdigit((unsigned char)c[1]) || !isxdigit((unsigned char)c[2]))))
            return "it has a character that no URL has: such are written as %20, and international names of hosts as xn--";
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return "it does not begin with http://";
    if (strchr(rest, '#'))
        return "# is for a place within something, which no server is asked for";
    if (memchr(rest, '@', n))
        return "names and passwords do not belong into what everybody can read";
    bool ok = leads_to(&t, rest);
    if (ok && *rest == '[')
        ok = inet_pton(AF_INET6, t.host, &ip) == 1;
    else if (ok)
        ok = !t.host[strspn(t.host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] && *t.host != '.' && !strstr(t.host, "..");
    return ok ? NULL : "after http:// belongs the name or the address of a host, perhaps with :PORT";
}
