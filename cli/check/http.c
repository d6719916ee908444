/* http.c - what a web server tells browsers: whether they are to come by https from now on (RFC 6797), and where the answer leads.
 *
 * Must never follow what it says, nor take silence for a fault: not every server is for the web. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check/check.h"
#include "net/hsts.h"
#include "net/http1.h"

enum { HALF_A_YEAR = 182 * 86400 };

static bool pass_over(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
    return true;
}

/* Browsers neither keep such rules for addresses (RFC 6797 8.1.1) nor need them for their own machine (RFC 6761 6.3). */
static bool has_rules(const char *host)
{
    size_t n = strlen(host);
    return n && !target_is_address(host) && strcasecmp(host, "localhost") != 0 && !(n > 10 && !strcasecmp(host + n - 10, ".localhost"));
}

/* Was a web protocol chosen?  Without ALPN: is it the port of the web? */
static bool is_web(const struct check *c)
{
    troth_span chosen = troth_what(c->first.conn).alpn;
    if (args_has(c->args, OPT_STARTTLS) || args_has(c->args, OPT_CERT))
        return false; /* another protocol comes first; what is shown to whoever has that certificate is not for browsers */
    if (!chosen.n)
        return !strcmp(c->first.target.port, "443");
    return (chosen.n == 2 && !memcmp(chosen.p, "h2", 2)) || (chosen.n == 8 && !memcmp(chosen.p, "http/1.1", 8));
}

static bool ask(struct session *s, struct http1 *answer)
{
    char request[600], host[TARGET_HOST_MAX];
    struct target t = s->target;
    snprintf(t.host, sizeof t.host, "%s", session_name(s)); /* of a socket file: whom --sni names */
    int n = snprintf(request, sizeof request, "HEAD / HTTP/1.1\r\nHost: %s\r\nUser-Agent: troth\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                     target_http_host(host, &t, "443"));
    s->link.deadline_us = now_us() + (uint64_t)s->timeout_ms * 1000u;
    if (!session_write(s, request, (size_t)n))
        return false;
    for (troth_event ev; !answer->done;) {
        if (session_next(s, &ev, -1) != LINK_EVENT || ev.kind == TROTH_FAILED)
            return false;
        if (ev.kind == TROTH_DATA && !http1_feed(answer, ev.data.p, ev.data.n))
            return false;
        if ((ev.kind == TROTH_CLOSED || ev.kind == TROTH_DONE) && !http1_end(answer))
            return false;
    }
    return true;
}

static void look_at(struct check *c, const struct http1 *answer, char *value, size_t cap)
{
    char saw[240];
    bool has = http1_header(answer, "Strict-Transport-Security", value, cap); /* of several the first counts (RFC 6797 8.1) */
    long long age = has ? hsts_max_age(value) : -1;
    snprintf(saw, sizeof saw, "the answer to HEAD /, status %d, has %s%.120s", answer->status, has ? "Strict-Transport-Security: " : "no Strict-Transport-Security",
             has ? value : "");
    if (age <= 0) /* 0: forget it */
        check_find(c, FOUND_NO_HSTS, saw);
    else if (age < HALF_A_YEAR)
        check_find(c, FOUND_SHORT_HSTS, saw);
    if (answer->status / 100 != 3 || !http1_header(answer, "Location", value, cap) || strncasecmp(value, "http:", 5) != 0)
        return;
    snprintf(saw, sizeof saw, "status %d, Location: %.160s", answer->status, value);
    check_find(c, FOUND_TO_HTTP, saw);
}

void check_http(struct check *c)
{
    struct args web = check_args(c, OPT_ALPN, "http/1.1", OPT_QUIET, "");
    struct session s;
    struct http1 *answer = calloc(1, sizeof *answer);
    char *value = malloc(HTTP1_HEAD_MAX); /* any header fits */
    int status;
    if (answer && value && is_web(c) && has_rules(session_name(&c->first)) && session_init(&s, &web, c->args->operands[0], false, &status)) {
        answer->head_only = true;
        answer->body = pass_over;
        c->connections++;
        if (session_open(&s) && ask(&s, answer))
            look_at(c, answer, value, HTTP1_HEAD_MAX);
        session_end(&s);
    }
    free(value);
    free(answer);
}
