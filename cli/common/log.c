/* log.c - log lines.  Must never write a control character, nor more than one line per event. */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/tty.h"

bool log_init(struct log *l, const struct args *a)
{
    static const char *const forms[] = { "logfmt", "json", "journald", NULL };
    int form = args_word(a, OPT_LOG, forms, args_has(a, OPT_JSON));
    *l = (struct log){ .json = form == 1, .journal = form == 2, .quiet = args_has(a, OPT_QUIET), .verbose = args_has(a, OPT_VERBOSE) };
    return form >= 0;
}

static size_t quoted(char *out, size_t cap, const char *value)
{
    size_t n = 0;
    out[n++] = '"';
    for (size_t k; *value && n + 8 < cap; value += k ? k : 1) {
        unsigned char c = (unsigned char)*value;
        k = char_printable(value);
        if (c == '"' || c == '\\')
            out[n++] = '\\';
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(out + n, cap - n, "\\u%04x", c);
        else if (!k) /* no UTF-8, or a control character of its own */
            n += (size_t)snprintf(out + n, cap - n, "\\\\x%02x", c);
        else
            n += (size_t)snprintf(out + n, cap - n, "%.*s", (int)k, value);
    }
    out[n++] = '"';
    out[n] = 0;
    return n;
}

/* A word of logfmt: visible ASCII, without what has a meaning there. */
static bool is_bare(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '=' || *p == '\\')
            return false;
    return true;
}

static void pair(const struct log *l, char *line, size_t cap, const char *key, const char *value)
{
    size_t n = strlen(line);
    if (!value || n + 64 > cap)
        return;
    if (l->json)
        n += (size_t)snprintf(line + n, cap - n, "%s\"%s\":", n > 1 ? "," : "", key);
    else
        n += (size_t)snprintf(line + n, cap - n, "%s%s=", n ? " " : "", key);
    if (l->json || !*value || !is_bare(value))
        quoted(line + n, cap - n, value);
    else
        snprintf(line + n, cap - n, "%s", value);
}

/* What the journal takes for the priority of a line (sd-daemon(3), syslog(3)), and takes off it. */
static const char *priority_of(const char *level)
{
    return !strcmp(level, "error") ? "<3>" : !strcmp(level, "warn") ? "<4>" : !strcmp(level, "notice") ? "<5>" : "<6>";
}

void log_line(const struct log *l, const char *level, const char *event, ...)
{
    char line[2048] = "", when[32];
    struct timespec now;
    struct tm tm;
    if (l->quiet && !strcmp(level, "info"))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(when + n, sizeof when - n, ".%03ldZ", now.tv_nsec / 1000000);
    if (l->json)
        strcpy(line, "{");
    if (!l->journal) /* which has its own, of the same moment */
        pair(l, line, sizeof line, "time", when);
    pair(l, line, sizeof line, "level", level);
    pair(l, line, sizeof line, "event", event);
    va_list ap;
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *));)
        pair(l, line, sizeof line, key, va_arg(ap, const char *));
    va_end(ap);
    fprintf(stderr, "%s%s%s\n", l->journal ? priority_of(level) : "", line, l->json ? "}" : "");
}

/* What to do about a certificate that a client showed, where the catalogue speaks of servers; NULL: that will do. */
static const char *about_client(const troth_error *why)
{
    static const char renew[] = "the client must renew its certificate; if that date looks wrong to you, check the clock of this machine",
                      issue[] = "the client needs a certificate of an authority in --client-ca, and must send the intermediate certificates along; or add its authority there";
    static const struct {
        enum troth_reason reason;
        const char       *action;
    } rows[] = { { TROTH_R_CERT_EXPIRED, renew }, { TROTH_R_CERT_MISSING_INTERMEDIATE, issue }, { TROTH_R_CHAIN_UNTRUSTED_ROOT, issue },
                 { TROTH_R_CERT_SELF_SIGNED, issue } };
    for (size_t i = 0; !why->from_peer && i < sizeof rows / sizeof rows[0]; i++)
        if (why->reason == rows[i].reason)
            return rows[i].action;
    return NULL;
}

void log_handshake(const struct log *l, const char *peer, const troth_conn *c, bool with_client)
{
    troth_facts f = troth_what(c);
    const troth_error *why = troth_why(c);
    char hs[17], name[256] = "", alpn[256] = "";
    (void)troth_hello_name(hs, &f);
    snprintf(name, sizeof name, "%.*s", (int)f.server_name.n, (const char *)f.server_name.p);
    snprintf(alpn, sizeof alpn, "%.*s", (int)f.alpn.n, (const char *)f.alpn.p);
    const char *clients = why && with_client ? about_client(why) : NULL;
    bool ours = why && !clients && (why->who == TROTH_WHO_YOU || why->who == TROTH_WHO_PROGRAMMER);
    if (why)
        log_line(l, ours ? "error" : "warn", "handshake", "code", why->code, "hs",
                 *hs ? hs : NULL, "peer", peer, "sni", *name ? name : NULL, "what", why->text, "saw", *why->detail ? why->detail : NULL,
                 "action", clients ? clients : why->hint, NULL);
    else if (l->verbose)
        log_line(l, "info", "handshake", "code", "ok", "hs", hs, "peer", peer, "sni", *name ? name : NULL, "version",
                 troth_version_name(f.version), "suite", troth_suite_name(f.suite), "group", troth_group_name(f.group), "alpn",
                 *alpn ? alpn : NULL, "resumed", f.resumed ? "yes" : NULL, NULL);
}
