/* get.c - troth get: one https URL; the body, and nothing else, to standard output.
 *
 * Must never follow a redirect out of https, nor take a body that was cut short for a whole one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http1.h"
#include "revoke.h"
#include "session.h"
#include "setup.h"
#include "story_out.h"

enum { REDIRECTS_MAX = 10, REQUEST_MAX = 16384 };

struct get {
    const struct args *args;
    FILE              *to;
    const char        *path;      /* of --output; NULL: standard output */
    struct http1       answer;
    int                broke;     /* errno of what could not be written */
};

static bool take(void *ctx, const uint8_t *p, size_t n)
{
    struct get *g = ctx;
    char where[16];
    if (args_has(g->args, OPT_FOLLOW) && g->answer.status / 100 == 3 && http1_header(&g->answer, "Location", where, sizeof where))
        return true;
    if (args_has(g->args, OPT_FAIL) && g->answer.status >= 400)
        return true;
    if (fwrite(p, 1, n, g->to) == n)
        return true;
    g->broke = errno;
    return false;
}

static int write_request(const struct args *a, const struct target *t, char *out, size_t cap)
{
    bool v6 = strchr(t->host, ':') != NULL, other_port = strcmp(t->port, "443") != 0 && t->port[0];
    int n = snprintf(out, cap, "%s %s HTTP/1.1\r\nHost: %s%s%s%s%s\r\nUser-Agent: troth\r\nAccept: */*\r\nConnection: close\r\n",
                     args_has(a, OPT_HEAD) ? "HEAD" : "GET", t->rest, v6 ? "[" : "", *t->host ? t->host : "localhost", v6 ? "]" : "",
                     other_port ? ":" : "", other_port ? t->port : "");
    const char *line;
    for (size_t i = 0; n > 0 && (size_t)n < cap && (line = args_nth(a, OPT_HEADER, i)); i++) {
        if (!strchr(line, ':') || line[strcspn(line, "\r\n")]) {
            complain(a, EXIT_USAGE, "--header: `%s' is not of the form Name: value", line);
            return -1;
        }
        n += snprintf(out + n, cap - (size_t)n, "%s\r\n", line);
    }
    if (n > 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n, "\r\n");
    if ((size_t)n < cap)
        return n;
    complain(a, EXIT_USAGE, "the request is too long");
    return -1;
}

static int http_failed(const struct get *g, const char *url, const char *why)
{
    if (g->broke)
        return EXIT_FILE; /* told when the output is closed */
    return complain(g->args, EXIT_PROTOCOL, "%s: the answer is not valid HTTP: %s", url, why);
}

/* Request out, answer in. */
static int converse(struct get *g, struct session *s)
{
    char request[REQUEST_MAX];
    int n = write_request(g->args, &s->target, request, sizeof request);
    if (n < 0)
        return EXIT_USAGE;
    g->answer = (struct http1){ .head_only = args_has(g->args, OPT_HEAD), .body = take, .ctx = g };
    s->link.deadline_us = now_us() + (uint64_t)s->timeout_ms * 1000u;
    if (!session_write(s, request, (size_t)n)) {
        s->error = *troth_why(s->conn);
        return exit_code_of(&s->error);
    }
    for (troth_event ev; !g->answer.done;) {
        session_next(s, &ev, -1);
        s->link.deadline_us = now_us() + (uint64_t)s->timeout_ms * 1000u;
        if (ev.kind == TROTH_DATA && !http1_feed(&g->answer, ev.data.p, ev.data.n))
            return http_failed(g, s->target.typed, g->answer.error);
        if ((ev.kind == TROTH_CLOSED || ev.kind == TROTH_DONE) && !http1_end(&g->answer))
            return http_failed(g, s->target.typed, g->answer.error);
        if (ev.kind == TROTH_FAILED)
            return exit_code_of(&s->error);
    }
    return EXIT_OK;
}

static bool open_output(struct get *g)
{
    g->path = args_value(g->args, OPT_OUTPUT, NULL);
    g->to = g->path ? fopen(g->path, "w") : stdout;
    if (!g->to)
        complain(g->args, EXIT_FILE, "%s: %s", g->path, strerror(errno));
    return g->to != NULL;
}

/* Standard output is main()'s to end. */
static int close_output(struct get *g, int status)
{
    if (!g->path)
        return status;
    if (fclose(g->to) && !g->broke)
        g->broke = errno;
    return g->broke ? complain(g->args, EXIT_FILE, "%s: %s", g->path, strerror(g->broke)) : status;
}

static void print_json(const struct get *g, const struct session *s)
{
    fprintf(stderr, "{\"schema\":\"troth.get/1\",\"code\":\"%s\",\"status\":%d}\n",
            s->error.reason == TROTH_R_NONE ? "ok" : s->error.code, g->answer.status);
}

/* A Location is a URL or a path of the same server. */
static void resolve(char *next, size_t cap, const struct target *t, const char *where)
{
    if (where[0] == '/' && where[1] != '/')
        snprintf(next, cap, "https://%s:%s%s", t->host, t->port, where);
    else
        snprintf(next, cap, "%s", where);
}

/* One exchange.  *next: where a redirect leads, else empty. */
static int fetch(struct get *g, const char *url, char *next, size_t cap)
{
    struct session s;
    int status;
    *next = 0;
    if (!session_init(&s, g->args, url, args_has(g->args, OPT_VERBOSE), &status))
        return status;
    status = session_open(&s) && revoke_check(&s) ? converse(g, &s) : exit_code_of(&s.error);
    session_tell_failure(&s, stderr);
    if (!story_out(&s, stderr) && status == EXIT_OK)
        status = EXIT_FILE;
    if (args_has(g->args, OPT_JSON))
        print_json(g, &s);
    if (status == EXIT_OK && args_has(g->args, OPT_HEAD))
        fputs(g->answer.head, g->to);
    char where[2048];
    if (status == EXIT_OK && args_has(g->args, OPT_FOLLOW) && g->answer.status / 100 == 3 &&
        http1_header(&g->answer, "Location", where, sizeof where))
        resolve(next, cap, &s.target, where);
    return session_end(&s) || status != EXIT_OK ? status : EXIT_FILE;
}

int verb_GET(const struct args *a)
{
    struct get *g = calloc(1, sizeof *g);
    char url[4096], next[4096];
    if (!g)
        return complain(a, EXIT_BUG, "no memory");
    g->args = a;
    snprintf(url, sizeof url, "%s%s", strstr(a->operands[0], "://") ? "" : "https://", a->operands[0]);
    int status = open_output(g) ? EXIT_OK : EXIT_FILE;
    for (int i = 0; status == EXIT_OK; i++) {
        status = fetch(g, url, next, sizeof next);
        if (status != EXIT_OK || !*next)
            break;
        if (i == REDIRECTS_MAX || strncasecmp(next, "https://", 8) != 0)
            status = complain(a, EXIT_PROTOCOL, i == REDIRECTS_MAX ? "%s: too many redirects" : "%s: a redirect that leaves https is not followed", next);
        memcpy(url, next, sizeof url);
    }
    if (status == EXIT_OK && args_has(a, OPT_FAIL) && g->answer.status >= 400)
        status = complain(a, EXIT_HTTP, "%s: the server answered %d", url, g->answer.status);
    if (g->to)
        status = close_output(g, status);
    free(g);
    return status;
}
