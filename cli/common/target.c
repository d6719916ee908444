/* target.c - parsing places.  Must never resolve or connect. */
#include "common/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/idn.h"

static bool refuse(const struct args *a, const char *typed, const char *why)
{
    if (a)
        complain(a, EXIT_USAGE, "`%s' is no place to connect to: %s; write HOST, HOST:PORT, [ADDRESS]:PORT, https://HOST/ or unix:/PATH",
             typed, why);
    return false;
}

static bool copy(char *out, size_t cap, const char *from, size_t n)
{
    if (n >= cap)
        return false;
    memcpy(out, from, n);
    out[n] = 0;
    return true;
}

static bool port_ok(const char *p)
{
    if (!*p || p[strspn(p, "0123456789")] || strlen(p) > 5)
        return false;
    return atoi(p) <= 65535;
}

const char *target_scheme(const char *typed)
{
    const char *colon = typed + strcspn(typed, ":/?#");
    return !strncmp(colon, "://", 3) ? colon : NULL;
}

bool target_parse(struct target *t, const struct args *a, const char *typed, const char *default_port)
{
    *t = (struct target){ .typed = typed, .rest = "/" };
    const char *p = typed, *scheme = target_scheme(typed);
    for (const char *c = typed; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return refuse(a, typed, "it has a control character");
    if (!strncmp(p, "unix:", 5)) {
        if (!p[5] || !copy(t->path, sizeof t->path, p + 5, strlen(p + 5)))
            return refuse(a, typed, "the path of the socket is empty or too long");
        return true;
    }
    if (scheme) {
        if ((size_t)(scheme - p) != 5 || strncasecmp(p, "https", 5) != 0)
            return refuse(a, typed, "only https:// is spoken here");
        p = scheme + 3;
    }
    size_t n = strcspn(p, "/?#");
    if (p[n] && !scheme)
        return refuse(a, typed, "a path needs https:// in front");
    if (p[n] && !copy(t->rest + (p[n] != '/'), sizeof t->rest - 1, p + n, strcspn(p + n, "#")))
        return refuse(a, typed, "the path is too long");
    if (memchr(p, '@', n))
        return refuse(a, typed, "names and passwords do not belong into it");
    const char *colon = NULL, *host = p;
    size_t host_n = n;
    if (*p == '[') {
        const char *close = memchr(p, ']', n);
        if (!close)
            return refuse(a, typed, "a ] is missing");
        host = p + 1;
        host_n = (size_t)(close - host);
        if (close + 1 < p + n)
            colon = close[1] == ':' ? close + 1 : NULL;
        if (close + 1 < p + n && !colon)
            return refuse(a, typed, "after ] only :PORT may follow");
    } else if ((colon = memchr(p, ':', n))) {
        if (memchr(colon + 1, ':', (size_t)(p + n - colon - 1)))
            colon = NULL; /* a bare IPv6 address */
        else
            host_n = (size_t)(colon - p);
    }
    if (!host_n || !copy(t->host, sizeof t->host, host, host_n))
        return refuse(a, typed, host_n ? "the host name is too long" : "the host name is empty");
    if (t->host[strcspn(t->host, " \t\r\n%\\\"'<>")])
        return refuse(a, typed, "the host name has a character that no host name has");
    char ascii[sizeof t->host];
    const char *why, *name = idn_ascii(ascii, sizeof ascii, t->host, &why);
    if (!name)
        return refuse(a, typed, why);
    if (name == ascii)
        memcpy(t->host, ascii, sizeof ascii);
    if (!copy(t->port, sizeof t->port, colon ? colon + 1 : default_port, colon ? (size_t)(p + n - colon - 1) : strlen(default_port)) ||
        !port_ok(t->port))
        return refuse(a, typed, "the port is not a number from 0 to 65535");
    return true;
}

const char *target_http_host(char out[TARGET_HOST_MAX], const struct target *t, const char *usual_port)
{
    bool v6 = strchr(t->host, ':') != NULL, other = t->port[0] && strcmp(t->port, usual_port) != 0;
    snprintf(out, TARGET_HOST_MAX, "%s%s%s%s%s", v6 ? "[" : "", *t->host ? t->host : "localhost", v6 ? "]" : "", other ? ":" : "", other ? t->port : "");
    return out;
}

bool target_is_address(const char *host)
{
    return strchr(host, ':') || !host[strspn(host, "0123456789.")];
}
