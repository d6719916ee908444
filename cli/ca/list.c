/* list.c - troth ca list: what was issued, as a table or as JSON.  Must never need the authority's key, nor change anything. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "common/idn.h"
#include "common/tty.h"

struct listing {
    struct ca *r;
    json_t    *rows; /* NULL: a table is printed */
    size_t     n;
};

/* As of now. */
static const char *state_of(const struct record *c, int64_t now)
{
    return c->revoked ? "revoked" : c->not_after < now ? "expired" : c->not_before > now ? "early" : "valid";
}

static json_t *json_hex(troth_span bytes)
{
    char text[CA_HEX];
    return json_string(ca_hex(text, bytes));
}

static json_t *json_time(int64_t t)
{
    char text[40];
    return json_string(time_words(text, sizeof text, t));
}

json_t *ca_record_json(const struct record *c, int64_t now)
{
    const char *why = record_reason(c->reason);
    json_t *names = json_loads(c->names, 0, NULL);
    json_t *revoked = c->revoked ? json_pack("{s:o, s:o}", "when", json_time(c->revoked), "reason", why ? json_string(why) : json_null()) : json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "serial", json_hex(c->serial), "state",
                     json_string(state_of(c, now)), "subject", json_text(c->subject), "names", names ? names : json_array(), "for", c->kind,
                     "not_before", json_time(c->not_before), "not_after", json_time(c->not_after), "made", json_time(c->made), "revoked",
                     revoked, "file", c->file ? json_text(c->file) : json_null(), "sha256", json_hex(c->sha256), "spki_sha256",
                     json_hex(c->spki_sha256));
}

/* "localhost, 127.0.0.1"; its subject, where it has no name. */
static void print_names(FILE *to, const struct record *c)
{
    json_t *names = json_loads(c->names, 0, NULL), *one;
    size_t i;
    json_array_foreach(names, i, one) {
        const char *name = json_is_string(one) ? json_string_value(one) : "";
        bool plain = !strncmp(name, "DNS:", 4) || !strncmp(name, "IP:", 3);
        fputs(i ? ", " : "", to);
        print_safely(to, plain ? strchr(name, ':') + 1 : name);
    }
    if (!json_array_size(names))
        print_safely(to, c->subject);
    json_decref(names);
}

void ca_print_record(FILE *to, const struct record *c, int64_t now)
{
    char text[CA_HEX], until[40];
    time_words(until, sizeof until, c->not_after);
    fprintf(to, "%-20s  %-7s  %-9s  %-32s  ", until, state_of(c, now), c->kind, ca_hex(text, c->serial));
    print_names(to, c);
    if (c->revoked) {
        const char *why = record_reason(c->reason);
        fprintf(to, "   (revoked %s%s%s)", time_words(until, sizeof until, c->revoked), why ? ": " : "", why ? why : "");
    }
    fputc('\n', to);
}

static int list_one(void *ctx, const struct record *c)
{
    struct listing *l = ctx;
    if (l->rows)
        return json_array_append_new(l->rows, ca_record_json(c, l->r->now)) ? complain(l->r->a, EXIT_BUG, "memory ran out") : EXIT_OK;
    if (!l->n++)
        printf("%-20s  %-7s  %-9s  %-32s  %s\n", "UNTIL", "STATE", "FOR", "SERIAL", "NAMES");
    ca_print_record(stdout, c, l->r->now);
    return EXIT_OK;
}

/* The names on the command line as a JSON array. */
static int take_patterns(const struct ca *r, char **patterns)
{
    json_t *list = json_array();
    int status = EXIT_OK;
    for (int i = 1; status == EXIT_OK && i < r->a->n_operands; i++) {
        char ascii[256];
        const char *why = NULL, *name = idn_ascii(ascii, sizeof ascii, r->a->operands[i], &why);
        if (name)
            json_array_append_new(list, json_text(name));
        else
            status = complain(r->a, EXIT_USAGE, "`%s': %s", r->a->operands[i], why);
    }
    *patterns = r->a->n_operands > 1 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return status;
}

static int print_list(struct ca *r, const struct record_query *q)
{
    struct listing l = { .r = r, .rows = args_has(r->a, OPT_JSON) ? json_array() : NULL };
    int status = records_each(r->records, q, list_one, &l);
    if (status == EXIT_OK && l.rows) {
        json_t *o = json_pack("{s:s, s:O}", "schema", "troth.ca-list/1", "certificates", l.rows);
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
    } else if (status == EXIT_OK && !l.n) {
        fputs("troth ca: no such certificate was issued\n", stderr); /* what takes the table for data finds no row */
    }
    json_decref(l.rows);
    return status;
}

bool ca_ending(struct ca *r, struct record_query *q)
{
    long days;
    if (!args_number(r->a, OPT_EXPIRING, 0, CA_DAYS_MOST, 0, &days))
        return false;
    if (args_has(r->a, OPT_EXPIRING)) {
        q->now = r->now - days * CA_DAY;
        q->expiring = r->now + days * CA_DAY;
    }
    return true;
}

int ca_list(struct ca *r)
{
    char path[CA_PATH];
    struct record_query q = { .revoked = args_has(r->a, OPT_REVOKED), .now = r->now };
    if (!ca_ending(r, &q))
        return EXIT_USAGE;
    int status = ca_path(r, path, "ca.pem") ? ca_open_records(r, false) : EXIT_USAGE;
    if (status == EXIT_OK && !r->records && !authority_is_there(r, path))
        status = EXIT_FILE;
    char *patterns = NULL;
    if (status == EXIT_OK)
        status = take_patterns(r, &patterns);
    q.patterns = patterns;
    if (status == EXIT_OK && !args_has(r->a, OPT_QUIET))
        status = print_list(r, &q);
    free(patterns);
    return status;
}
