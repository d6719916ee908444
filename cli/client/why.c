/* why.c - finds the smallest change that makes a failed connection work.  Must never weaken what is checked of a certificate. */
#include "client/why.h"

#include <stdio.h>
#include <string.h>

/* One change to the options; false where it would change nothing. */
static bool set(struct args *a, enum opt o, const char *value)
{
    if (args_has(a, o) && !strcmp(a->value[o] ? a->value[o] : "", value))
        return false;
    a->given[o] = 1;
    a->line[o] = 0;
    a->value[o] = value;
    return true;
}

static bool no_post_quantum(struct args *a)
{
    return !args_has(a, OPT_GROUPS) && set(a, OPT_GROUPS, "x25519,secp256r1,secp384r1,secp521r1");
}

static bool tls12(struct args *a)
{
    a->given[OPT_MIN] = 0;
    return set(a, OPT_MAX, "1.2");
}

static bool tls13(struct args *a)
{
    a->given[OPT_MAX] = 0;
    return set(a, OPT_MIN, "1.3");
}

static bool no_alpn(struct args *a)
{
    if (!args_has(a, OPT_ALPN))
        return false;
    a->given[OPT_ALPN] = 0;
    return true;
}

static bool no_name(struct args *a)
{
    return set(a, OPT_SNI, "");
}

static bool only_p256(struct args *a)
{
    return set(a, OPT_GROUPS, "secp256r1");
}

static bool ipv4(struct args *a)
{
    a->given[OPT_IPV6] = 0;
    return set(a, OPT_IPV4, "");
}

static bool ipv6(struct args *a)
{
    a->given[OPT_IPV4] = 0;
    return set(a, OPT_IPV6, "");
}

static const struct change {
    const char *what;
    bool (*make)(struct args *);
} changes[] = {
    { "without the post-quantum share", no_post_quantum }, { "without ALPN", no_alpn },          { "TLS 1.3 only", tls13 },
    { "TLS 1.2 only", tls12 },                             { "with group secp256r1", only_p256 }, { "without a server name", no_name },
    { "over IPv4", ipv4 },                                 { "over IPv6", ipv6 },
};

void why_retry(struct session *s)
{
    size_t n = 0;
    bool works = false;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0] && !works && n + 96 < sizeof s->retried; i++) {
        struct args changed = *s->args;
        struct session again;
        int status;
        if (!changes[i].make(&changed) || !session_init(&again, &changed, s->target.typed, false, &status))
            continue;
        again.timeout_ms = again.timeout_ms < 5000 ? again.timeout_ms : 5000;
        works = session_open(&again);
        if (works || strcmp(again.error.code, s->error.code) != 0)
            n += (size_t)snprintf(s->retried + n, sizeof s->retried - n, "%s%s it %s%s%s", n ? "; " : "", changes[i].what,
                                  works ? "works" : "fails otherwise (", works ? "" : again.error.code, works ? "" : ")");
        session_end(&again);
    }
    if (!works && n + 64 < sizeof s->retried)
        snprintf(s->retried + n, sizeof s->retried - n, "%sno single change of ours makes it work", n ? "; " : "");
}
