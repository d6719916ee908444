/* get.c - troth get: one https URL; the body, and nothing else, to standard output.
 *
 * Must never follow a redirect out of https, nor take a body that was cut short for a whole one. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/revoke.h"
#include "client/session.h"
#include "client/story_out.h"
#include "common/outfile.h"
#include "common/tty.h"
#include "common/url.h"
#include "net/http1.h"
#include "setup/setup.h"

enum { REDIRECTS_MAX = 10, REQUEST_MAX = 16384 };

/* What can go wrong above TLS: codes of this verb alone, beside those of the connection. */
enum trouble { NO_TROUBLE, ANSWER, REDIRECT, STATUS, OUTPUT };
static const struct {
    const char *code, *text, *who, *act;
    int         status;
} troubles[] = {
    [ANSWER] = { "get.answer", "the answer is not valid HTTP", "peer", "look into the server's log, and whether this port is for HTTP", EXIT_PROTOCOL },
    [REDIRECT] = { "get.redirect", "the redirect is not followed", "peer", "ask for the right address at once; only https is followed, ten times at most", EXIT_PROTOCOL },
    [STATUS] = { "get.status", "the server answers with an error", "peer", "the body and the server's log say more", EXIT_HTTP },
    [OUTPUT] = { "get.output", "what came could not be written", "you", "make room, or write to another place", EXIT_FILE },
};

struct get {
    const struct args *args;
    FILE              *to;
    struct outfile     file;       /* of --output                                      */
    const char        *path;       /* of --output; NULL: standard output               */
    struct http1       answer;
    uint64_t           bytes;      /* of the body, written                             */
    unsigned           redirects;  /* followed                                         */
    bool               asked;      /* there was a configuration and a target           */
    int                broke;      /* errno of what could not be written               */
    troth_error        error;      /* of the connection; reason TROTH_R_NONE: none     */
    enum trouble       trouble;
    char               detail[200];
    char               hs[17];     /* what servers call the last connection            */
};

static int fail(struct get *g, enum trouble what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct get *g, enum trouble what, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    g->trouble = what;
    vsnprintf(g->detail, sizeof g->detail, fmt, ap);
    va_end(ap);
    return troubles[what].status;
}

static bool is_redirect(const struct get *g)
{
    return args_has(g->args, OPT_FOLLOW) && g->answer.status / 100 == 3 && http1_count(&g->answer, "Location");
}

static bool take(void *ctx, const uint8_t *p, size_t n)
{
    struct get *g = ctx;
    if (is_redirect(g))
        return true;
    if (args_has(g->args, OPT_FAIL) && g->answer.status >= 400)
        return true;
    if (fwrite(p, 1, n, g->to) == n) {
        g->bytes += n;
        return true;
    }
    g->broke = errno;
    return false;
}

/* Does a --header have the name of this line? */
static bool header_given(const struct args *a, const char *ours)
{
    const char *line;
    for (size_t i = 0; (line = args_nth(a, OPT_HEADER, i)); i++)
        if (!strncasecmp(line, ours, strcspn(ours, ":") + 1))
            return true;
    return false;
}

static int write_request(const struct args *a, const struct target *t, char *out, size_t cap)
{
    static const char *const ours[] = { "User-Agent: troth", "Accept: */*", "Connection: close" };
    char path[3 * sizeof t->rest], host[TARGET_HOST_MAX];
    url_request_path(path, sizeof path, t->rest);
    int n = snprintf(out, cap, "%s %s HTTP/1.1\r\n", args_has(a, OPT_HEAD) ? "HEAD" : "GET", path);
    if (!header_given(a, "Host:"))
        n += snprintf(out + n, cap - (size_t)n, "Host: %s\r\n", target_http_host(host, t, "443"));
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (!header_given(a, ours[i]))
            n += snprintf(out + n, cap - (size_t)n, "%s\r\n", ours[i]);
    const char *line;
    for (size_t i = 0; n > 0 && (size_t)n < cap && (line = args_nth(a, OPT_HEADER, i)); i++)
        n += snprintf(out + n, cap - (size_t)n, "%s\r\n", line);
    if (n > 0 && (size_t)n < cap)
        n += snprintf(out + n, cap - (size_t)n, "\r\n");
    if ((size_t)n < cap)
        return n;
    complain(a, EXIT_USAGE, "the request is too long");
    return -1;
}

/* "Name: value": a token, and nothing that ends a line or steers a terminal (RFC 9110 5.1, 5.5). */
static bool header_ok(const char *line)
{
    size_t n = strspn(line, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (!n || line[n] != ':')
        return false;
    for (line += n; *line; line++)
        if (((unsigned char)*line < 0x20 && *line != '\t') || *line == 0x7f)
            return false;
    return true;
}

static bool headers_ok(const struct args *a)
{
    const char *line;
    for (size_t i = 0; (line = args_nth(a, OPT_HEADER, i)); i++)
        if (!header_ok(line))
            return complain(a, EXIT_USAGE, "--header: `%s' is not of the form Name: value", line), false;
    return true;
}

static int http_failed(struct get *g)
{
    return g->broke ? EXIT_FILE : fail(g, ANSWER, "%s", g->answer.error); /* the former is told when the output is closed */
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
            return http_failed(g);
        if ((ev.kind == TROTH_CLOSED || ev.kind == TROTH_DONE) && !http1_end(&g->answer))
            return http_failed(g);
        if (ev.kind == TROTH_FAILED)
            return exit_code_of(&s->error);
    }
    return EXIT_OK;
}

static bool open_output(struct get *g)
{
    g->path = args_value(g->args, OPT_OUTPUT, NULL);
    if (g->path && !strcmp(g->path, "-"))
        g->path = NULL;
    g->to = !g->path ? stdout : outfile_open(&g->file, g->path, 0666) ? g->file.to : NULL;
    if (!g->to)
        complain(g->args, EXIT_FILE, "%s: %s", g->path, strerror(errno));
    return g->to != NULL;
}

/* What standard output has to say of itself is main()'s to tell, but for the object of --json. */
static int close_output(struct get *g, int status)
{
    if ((g->path ? !outfile_close(&g->file, status == EXIT_OK && !g->broke) : fflush(stdout)) && !g->broke)
        g->broke = errno;
    if (!g->broke || (status != EXIT_OK && status != EXIT_FILE))
        return status;
    if (!g->path && !args_has(g->args, OPT_JSON))
        return EXIT_FILE;
    return fail(g, OUTPUT, "%s: %s", g->path ? g->path : "standard output", strerror(g->broke));
}

static void print_json(const struct get *g, const char *url, int status)
{
    bool broken = g->error.reason != TROTH_R_NONE;
    const char *code = broken ? g->error.code : g->trouble ? troubles[g->trouble].code : "ok";
    json_t *o = json_pack("{s:s, s:s, s:b, s:i, s:o, s:o, s:i, s:i, s:I}", "schema", "troth.get/1", "code", code, "ok", status == EXIT_OK, "exit",
                          status, "target", json_text(g->args->operands[0]), "url", json_text(url), "status", g->answer.status, "redirects", (int)g->redirects, "bytes",
                          (json_int_t)g->bytes);
    json_t *failure = broken       ? failure_json(&g->error)
                      : g->trouble ? json_pack("{s:s, s:s, s:o, s:s, s:s, s:b, s:n}", "code", code, "text", troubles[g->trouble].text, "evidence",
                                               json_text(g->detail), "who", troubles[g->trouble].who, "do", troubles[g->trouble].act, "fromPeer",
                                               g->trouble == STATUS, "alert")
                                   : NULL;
    if (failure)
        json_object_set_new(o, "failure", failure);
    if (*g->hs)
        json_object_set_new(o, "hs", json_string(g->hs));
    json_dumpf(o, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(o);
}

/* Where the answer sends us; an exit status. */
static int redirected(struct get *g, const struct target *here, char *next, size_t cap)
{
    char where[2048];
    struct target there;
    if (!http1_header(&g->answer, "Location", where, sizeof where) || !url_resolve(next, cap, here, where))
        return fail(g, REDIRECT, "its Location is longer than %zu bytes", sizeof where - 1);
    if (strncasecmp(next, "https://", 8) != 0)
        return fail(g, REDIRECT, "%s leaves https", next);
    return target_parse(&there, NULL, next, "443") ? EXIT_OK : fail(g, REDIRECT, "%s is no place to go to", next);
}

/* One exchange.  *next: where a redirect leads, else empty. */
static int fetch(struct get *g, const char *url, char *next, size_t cap)
{
    struct session s;
    int status;
    *next = 0;
    if (!session_init(&s, g->args, url, args_has(g->args, OPT_VERBOSE), &status))
        return status;
    g->asked = true;
    g->answer.status = 0;
    status = session_open(&s) && revoke_check(&s) ? converse(g, &s) : exit_code_of(&s.error);
    g->error = s.error;
    const troth_facts facts = troth_what(s.conn);
    (void)troth_hello_name(g->hs, &facts);
    if (!args_has(g->args, OPT_JSON))
        session_tell_failure(&s, stderr);
    if (!story_out(&s, stderr) && status == EXIT_OK)
        status = EXIT_FILE;
    if (status == EXIT_OK && args_has(g->args, OPT_HEAD))
        print_safely(g->to, g->answer.head);
    if (status == EXIT_OK && is_redirect(g))
        status = redirected(g, &s.target, next, cap);
    if (session_end(&s) || status != EXIT_OK)
        return status;
    return args_has(g->args, OPT_JSON) ? fail(g, OUTPUT, "the session, to be kept in %s", g->args->value[OPT_SESSION]) : EXIT_FILE;
}

static int follow(struct get *g, char *url, size_t cap)
{
    char next[4096];
    for (;; g->redirects++) {
        int status = fetch(g, url, next, sizeof next);
        if (status != EXIT_OK || !*next)
            return status;
        if (g->redirects == REDIRECTS_MAX)
            return fail(g, REDIRECT, "%s would be one too many", next);
        snprintf(url, cap, "%s", next);
    }
}

int verb_GET(const struct args *a)
{
    struct get *g = calloc(1, sizeof *g);
    char url[4096];
    if (!g)
        return complain(a, EXIT_BUG, "no memory");
    g->args = a;
    snprintf(url, sizeof url, "%s%s", target_scheme(a->operands[0]) ? "" : "https://", a->operands[0]);
    int status = !headers_ok(a) ? EXIT_USAGE : open_output(g) ? follow(g, url, sizeof url) : EXIT_FILE;
    if (status == EXIT_OK && args_has(a, OPT_FAIL) && g->answer.status >= 400)
        status = fail(g, STATUS, "%d", g->answer.status);
    if (g->to)
        status = close_output(g, status);
    if (args_has(a, OPT_JSON) && g->asked && status != EXIT_USAGE)
        print_json(g, url, status);
    else if (g->trouble)
        complain(a, status, "%s: %s: %s [%s]", url, troubles[g->trouble].text, g->detail, troubles[g->trouble].code);
    free(g);
    return status;
}
