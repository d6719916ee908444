/* verify_show.c - what troth verify prints.  Everything from certificates was escaped by the library. */
#include "verify_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/report_json.h"
#include "common/tty.h"

static const char ANY_POLICY[] = "2.5.29.32.0";
static const char *const who_names[] = { "nobody",        "you",         "the operator",
                                         "the authority", "the network", "the programmer" };
static const char *const who_codes[] = { "nobody", "you", "peer", "ca", "network", "programmer" };

/* ---- for people */

/* The word that matters, in green or red where colours are wanted; it says the same without. */
static void verdict_print(const struct args *a, bool good, const char *word)
{
    if (want_colour(a, STDOUT_FILENO))
        printf("\033[1;%dm%s\033[0m", good ? 32 : 31, word);
    else
        printf("%s", word);
}

/* Where the certificate lies that the error is about, and where in it the error is. */
static void place_print(const troth_error *e, const troth_report *r, const char *const *files)
{
    troth_origin from = troth_report_error_origin(r);
    const char *anchor = troth_report_error_anchor(r);
    if (e->field)
        printf("  field   %s, at byte %" PRIu32 "%s%s\n", e->field, e->at, e->message ? " of the " : "", e->message ? e->message : "");
    if (anchor)
        printf("  file    %s, among those trusted\n", anchor);
    if (from.certs == SIZE_MAX || !files)
        return;
    printf("  file    %s", files[from.certs]);
    printf(from.nth == SIZE_MAX ? "\n" : ", certificate %zu in it\n", from.nth + 1);
}

/* `r`: whose error it is; NULL: of none. */
static void error_print(const struct args *a, const troth_error *e, const troth_report *r, const char *const *files)
{
    verdict_print(a, false, "rejected");
    printf(": %s   [%s]\n", e->text, e->code);
    if (e->detail[0])
        printf("  saw     %s\n", e->detail);
    place_print(e, r, files);
    printf("  who     %s: %s\n", who_names[e->who <= 5 ? e->who : 0], e->hint);
}

static void path_print(const struct args *a, const troth_report *r, size_t path, bool all, const char *const *files)
{
    troth_path p = troth_report_path(r, path);
    char from[40], to[40];
    printf("path %zu: ", path + 1);
    verdict_print(a, p.accepted, p.accepted ? "accepted" : troth_reason_text(p.reason));
    printf("%s\n", p.complete ? "" : " (does not lead to a trusted root)");
    for (size_t i = 0; i < p.n_certs; i++) {
        troth_path_cert c = troth_report_cert(r, path, i);
        troth_origin at = troth_report_origin(r, c.given);
        bool trusted = p.complete && i + 1 == p.n_certs, given = !trusted && at.certs != SIZE_MAX;
        printf("  %zu  %s  (%s .. %s)  %s%s\n", i + 1, c.title, time_words(from, sizeof from, c.not_before),
               time_words(to, sizeof to, c.not_after), trusted ? "trusted" : given ? "given in " : "", given ? files[at.certs] : "");
    }
    for (size_t i = 0; i < p.n_checks; i++) {
        troth_path_check k = troth_report_check(r, path, i);
        if (!all && k.verdict == TROTH_PASS)
            continue;
        printf("    %-7s  %zu  %-24s %s%s%s", verdict_word(k.verdict), k.cert + 1, k.name, k.evidence,
               k.evidence[0] ? "  " : "", k.rule);
        if (k.n)
            printf("  bytes %" PRIu32 "..%" PRIu32, k.at, k.at + k.n - 1);
        printf("\n");
    }
}

static void skipped_print(const troth_report *r, size_t path)
{
    const char *last = "";
    bool any = false;
    for (size_t i = 0; i < troth_report_path(r, path).n_checks; i++) {
        troth_path_check k = troth_report_check(r, path, i);
        if (k.verdict != TROTH_SKIPPED || !strcmp(k.name, last))
            continue;
        printf(any ? ", %s" : "  not checked: %s", k.name);
        any = true;
        last = k.name;
    }
    if (any)
        printf("\n");
}

static void warnings_print(const troth_report *r, size_t path)
{
    for (size_t i = 0; i < troth_report_path(r, path).n_checks; i++) {
        troth_path_check k = troth_report_check(r, path, i);
        if (k.verdict == TROTH_WARN)
            printf("  warning: certificate %zu: %s (%s)\n", k.cert + 1, k.evidence, k.rule);
    }
}

/* Where somebody asked about policies, or about everything. */
static bool wants_policies(const struct args *a)
{
    static const enum opt asked[] = { OPT_POLICY, OPT_EXPLICIT, OPT_NO_MAPPING, OPT_NO_ANY, OPT_VERBOSE, OPT_EXPLAIN_PATHS };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (args_has(a, asked[i]))
            return true;
    return false;
}

static void policies_print(const troth_report *r)
{
    const char *const *oids;
    size_t n = troth_report_policies(r, &oids);
    printf("  policies: ");
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? ", " : "", strcmp(oids[i], ANY_POLICY) ? oids[i] : "any");
    printf(n ? "\n" : "none\n");
}

static void accepted_print(const struct args *a, const troth_report *r)
{
    size_t path = troth_report_accepted(r);
    troth_path p = troth_report_path(r, path);
    enum troth_reason why;
    char until[40];
    verdict_print(a, true, "accepted");
    printf(": \"%s\" leads to \"%s\" in %zu certificates\n", troth_report_cert(r, path, 0).title,
           troth_report_cert(r, path, p.n_certs - 1).title, p.n_certs);
    printf("  valid until %s\n", time_words(until, sizeof until, troth_report_until(r, &why)));
    if (wants_policies(a))
        policies_print(r);
    skipped_print(r, path);
    warnings_print(r, path);
}

static void breaks_print(const troth_report *later, int64_t when)
{
    char t[40];
    if (when == INT64_MAX) {
        printf("  breaks: never, as far as can be seen\n");
        return;
    }
    const troth_error *e = troth_report_error(later);
    printf("  breaks: %s: %s   [%s]\n          %s\n", time_words(t, sizeof t, when), e->text, e->code,
           e->detail);
}

static void text_print(const struct args *a, const troth_report *r, const troth_report *later, int64_t when, const char *const *files)
{
    bool ok = troth_report_ok(r), all = args_has(a, OPT_EXPLAIN_PATHS), paths = all || args_has(a, OPT_VERBOSE);
    if (!ok)
        error_print(a, troth_report_error(r), r, files);
    else if (!args_has(a, OPT_QUIET) || paths)
        accepted_print(a, r);
    if (later)
        breaks_print(later, when);
    for (size_t i = 0; paths && i < troth_report_paths(r); i++)
        path_print(a, r, i, all, files);
    if (paths) {
        troth_work w = troth_report_work(r);
        printf("work: %" PRIu32 " signatures, %" PRIu32 " steps, %" PRIu32 " names compared\n", w.signatures,
               w.steps, w.names);
    }
}

/* ---- for programs */

static json_t *error_json(const troth_error *e, const troth_report *r, const char *const *files)
{
    const char *anchor = troth_report_error_anchor(r);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "code", e->code ? e->code : "ok", "text",
                     e->text ? e->text : "", "detail", e->detail, "hint", e->hint ? e->hint : "", "who",
                     who_codes[e->who <= 5 ? e->who : 0]);
    if (e->field)
        json_object_set_new(o, "field", json_string(e->field));
    if (anchor)
        json_object_set_new(o, "file", json_string(anchor));
    return json_with_origin(o, troth_report_error_origin(r), files);
}

static void object_print(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    printf("\n");
    json_decref(o);
}

static json_t *policies_json(const troth_report *r)
{
    const char *const *oids;
    json_t *list = json_array();
    for (size_t i = 0, n = troth_report_policies(r, &oids); i < n; i++)
        json_array_append_new(list, json_string(oids[i]));
    return list;
}

static void json_print(const troth_report *r, const troth_report *later, int64_t when, const char *const *files)
{
    bool ok = troth_report_ok(r);
    char t[40];
    troth_work w = troth_report_work(r);
    json_t *o = json_pack("{s:s, s:b, s:o, s:o, s:{s:I, s:I, s:I}}", "schema", "troth.verify/1", "accepted",
                          ok, "error", ok ? json_null() : error_json(troth_report_error(r), r, files), "paths", json_paths(r, files),
                          "work", "signatures", (json_int_t)w.signatures, "steps", (json_int_t)w.steps,
                          "names", (json_int_t)w.names);
    if (ok)
        json_object_set_new(o, "valid_until",
                            json_string(time_words(t, sizeof t, troth_report_until(r, NULL))));
    if (ok)
        json_object_set_new(o, "policies", policies_json(r));
    if (later && when != INT64_MAX)
        json_object_set_new(o, "breaks",
                            json_pack("{s:s, s:o}", "at", time_words(t, sizeof t, when), "error",
                                      error_json(troth_report_error(later), later, files)));
    object_print(o);
}

void show_report(const struct args *a, const troth_report *r, const troth_report *later, int64_t when, const char *const *files)
{
    if (args_has(a, OPT_JSON)) {
        json_print(r, later, when, files);
        return;
    }
    text_print(a, r, later, when, files);
}

void show_error(const struct args *a, const troth_error *e)
{
    if (args_has(a, OPT_JSON)) {
        object_print(json_pack("{s:s, s:b, s:o, s:[]}", "schema", "troth.verify/1", "accepted", 0, "error",
                               error_json(e, NULL, NULL), "paths"));
        return;
    }
    error_print(a, e, NULL, NULL);
}
