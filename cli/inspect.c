/* inspect.c - troth inspect: what is in a certificate, request, key, CRL or OCSP response, in plain words or as JSON.
 *
 * Everything shown comes from the library, escaped there; nothing private is ever shown. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "common/pki_files.h"
#include "common/tty.h"

/* ---- for people */

/* Escaped by the library; but what is beyond ASCII may be a command to a terminal that knows no UTF-8. */
static void text_print(const char *text)
{
    bool all = want_unicode();
    for (; *text; text++)
        if (all || (unsigned char)*text < 0x80)
            putchar(*text);
        else
            printf("\\x%02x", (unsigned char)*text);
}

/* Long hexadecimal is for programs: people get its start, unless they asked for more. */
static void value_print(const troth_fact *f, bool all)
{
    size_t n = strlen(f->text);
    if (f->kind == TROTH_FACT_BYTES && n > 64 && !all)
        printf("%.32s... (%zu bytes)", f->text, n / 2);
    else if (f->kind == TROTH_FACT_BYTES && !n)
        printf("(empty)");
    else
        text_print(f->text);
}

static void fact_print(const troth_fact *f, bool all, bool color)
{
    int indent = 2 + 2 * f->depth, pad = 26 - indent;
    if (f->kind == TROTH_FACT_GROUP || f->kind == TROTH_FACT_LIST) {
        printf("%*s%s\n", indent, "", f->key || *f->label ? f->label : "-");
        return;
    }
    if (f->key)
        printf("%*s%-*s ", indent, "", pad > 0 ? pad : 0, f->label);
    else
        printf("%*s", indent, "");
    value_print(f, all);
    if (f->note && *f->note) {
        const char *on = !color ? "" : f->warn ? "\033[33m" : "\033[2m";
        printf("%s%s", on, f->warn ? "   (!) " : "   - ");
        text_print(f->note);
        printf("%s", *on ? "\033[0m" : "");
    }
    printf("\n");
}

static void object_print(const struct args *a, const char *path, const troth_object *o, size_t i, size_t n, const troth_fact *facts,
                         size_t n_facts)
{
    bool color = want_colour(a, STDOUT_FILENO);
    printf("%s%s", i ? "\n" : "", color ? "\033[1m" : "");
    print_safely(stdout, path);
    if (n > 1)
        printf(" [%zu of %zu]", i + 1, n);
    printf(": %s%s", o->what, color ? "\033[0m" : "");
    if (o->line > 1)
        printf(" (line %u)", (unsigned)o->line);
    printf("\n");
    for (size_t k = 0; k < n_facts; k++)
        fact_print(&facts[k], args_has(a, OPT_VERBOSE), color);
}

/* ---- for programs */

static json_t *value_json(const troth_fact *f)
{
    switch (f->kind) {
    case TROTH_FACT_GROUP: return json_object();
    case TROTH_FACT_LIST: return json_array();
    case TROTH_FACT_NUMBER: return json_integer(f->number);
    case TROTH_FACT_BOOL: return json_boolean(f->number != 0);
    case TROTH_FACT_TEXT:
    case TROTH_FACT_TIME:
    case TROTH_FACT_BYTES:
    default: return json_string(f->text);
    }
}

enum { DEPTH_MAX = 16 };

/* Rows in depth-first order -> a tree: the row above with a lesser depth holds this one. */
static json_t *object_json(const char *path, const troth_object *o, const troth_fact *facts, size_t n)
{
    json_t *at[DEPTH_MAX], *notes = json_array();
    at[0] = json_pack("{s:o, s:s}", "file", json_text(path), "kind", o->kind);
    if (o->line)
        json_object_set_new(at[0], "line", json_integer(o->line));
    for (size_t i = 0; i < n && facts[i].depth + 1 < DEPTH_MAX; i++) {
        json_t *v = value_json(&facts[i]), *in = at[facts[i].depth];
        if (json_is_array(in))
            json_array_append_new(in, v);
        else
            json_object_set_new(in, facts[i].key ? facts[i].key : "value", v);
        at[facts[i].depth + 1] = v;
        if (facts[i].warn && facts[i].note)
            json_array_append_new(notes, json_pack("{s:s, s:s}", "key", facts[i].key ? facts[i].key : "", "text", facts[i].note));
    }
    json_object_set_new(at[0], "warnings", notes);
    return at[0];
}

/* ---- the verb */

struct run {
    const struct args *a;
    troth_pki         *w;
    int64_t            now;
    json_t            *objects;
};

/* Could part of it not be read?  Then it is shown as far as it goes, and the status says so. */
static bool is_damaged(const troth_fact *facts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (facts[i].key && (!strcmp(facts[i].key, "error") || !strcmp(facts[i].key, "flaw")))
            return true;
    return false;
}

static int object_show(struct run *r, const char *path, const troth_object *list, size_t i, size_t n)
{
    const troth_fact *facts;
    troth_passphrase_fn *pass = args_has(r->a, OPT_PASS_FILE) ? passphrase_from_file : NULL;
    size_t n_facts = troth_pki_describe(r->w, &list[i], r->now, pass, (void *)(uintptr_t)r->a, &facts);
    if (r->objects)
        json_array_append_new(r->objects, object_json(path, &list[i], facts, n_facts));
    else if (!args_has(r->a, OPT_QUIET))
        object_print(r->a, path, &list[i], i, n, facts, n_facts);
    return is_damaged(facts, n_facts) ? EXIT_FINDING : EXIT_OK;
}

static int file_show(struct run *r, const char *path)
{
    const troth_object *list;
    size_t bytes_n, n;
    uint8_t *bytes = file_whole(r->a, path, FILE_MOST, &bytes_n);
    if (!bytes)
        return EXIT_FILE;
    const char *name = strcmp(path, "-") ? path : "standard input";
    n = troth_pki_read(r->w, (troth_span){ bytes, bytes_n }, &list);
    int status = EXIT_OK;
    for (size_t i = 0; i < n; i++)
        if (object_show(r, name, list, i, n) != EXIT_OK)
            status = EXIT_FINDING;
    const troth_error *e = troth_pki_error(r->w);
    if (e->reason != TROTH_R_NONE) {
        status = complain_of(r->a, EXIT_FILE, e, name, e->detail);
        troth_pki_go_on(r->w);
    }
    free(bytes);
    return status;
}

int verb_INSPECT(const struct args *a)
{
    struct run r = { .a = a, .w = troth_pki_new(troth_libcrypto()), .now = (int64_t)time(NULL) };
    int status = EXIT_OK;
    if (!r.w)
        return complain(a, EXIT_BUG, "libcrypto cannot be used, or memory ran out");
    r.objects = args_has(a, OPT_JSON) ? json_array() : NULL;
    for (int i = 0; i < a->n_operands; i++) {
        int one = file_show(&r, a->operands[i]);
        status = status == EXIT_OK ? one : status;
    }
    if (r.objects) {
        json_t *o = json_pack("{s:s, s:o}", "schema", "troth.inspect/1", "objects", r.objects);
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
    }
    troth_pki_free(r.w);
    return status;
}
