/* ocsp.c - troth ca ocsp: the answer of an OCSP responder about one certificate, for a server to staple.
 *
 * Must never say "good" of what was revoked, or of what this authority did not issue. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ca/ca.h"

enum { OCSP_DAYS = 7 };

struct answer {
    troth_pki_revoked revoked;
    json_t           *row;
};

static int take_status(void *ctx, const struct record *c)
{
    struct answer *a = ctx;
    a->revoked = (troth_pki_revoked){ .when = c->revoked, .reason = c->reason };
    a->row = ca_record_json(c, c->made);
    return EXIT_OK;
}

static void tell(struct ca *r, const struct answer *a, const char *path, const troth_cert_facts *f, int64_t from, int64_t until)
{
    char begins[40], ends[40];
    const char *status = a->revoked.when ? "revoked" : "good";
    time_words(begins, sizeof begins, from);
    time_words(ends, sizeof ends, until);
    if (args_has(r->a, OPT_JSON)) {
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "schema", "troth.ca-ocsp/1", "response", path, "status", status, "this_update", begins,
                              "next_update", ends, "certificate", a->row);
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
    } else if (!args_has(r->a, OPT_QUIET)) {
        printf("made the OCSP response for \"%s\": %s; the next one is due by %s\n  file         %s   (troth serve --staple)\n", f->title, status, ends, path);
    }
}

static int answer(struct ca *r, const struct authority *ca, struct answer *a)
{
    char cert_path[CA_PATH], path[CA_PATH];
    troth_span cert;
    troth_cert_facts f;
    int64_t id, from = r->now - CA_BACKDATE;
    long days;
    if (!args_number(r->a, OPT_DAYS, 1, CA_DAYS_MOST, OCSP_DAYS, &days))
        return EXIT_USAGE;
    int status = ca_find_cert(r, cert_path);
    if (status == EXIT_OK)
        status = ca_read_cert(r, cert_path, &cert, &f);
    if (status == EXIT_OK)
        status = authority_record(r, ca, cert_path, cert, &id);
    if (status != EXIT_OK)
        return status;
    struct record_query q = { .id = id };
    status = records_begin(r->records);
    if (status == EXIT_OK)
        status = crl_not_behind(r, ca, 1);
    if (status == EXIT_OK)
        status = records_each(r->records, &q, take_status, a);
    if (status == EXIT_OK)
        status = records_commit(r->records);
    if (status != EXIT_OK)
        return status;
    int64_t until = r->now + days * CA_DAY;
    troth_span der = troth_pki_ocsp(r->w, cert, ca->cert, ca->key, a->revoked.when ? &a->revoked : NULL, from, until);
    if (!der.n)
        return ca_failed(r);
    if (!ca_beside(path, cert_path, ".ocsp"))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    if (!ca_replace(path, der))
        return complain(r->a, EXIT_FILE, "%s: %s", path, strerror(errno));
    tell(r, a, path, &f, from, until);
    return EXIT_OK;
}

int ca_ocsp(struct ca *r)
{
    struct authority ca;
    struct answer a = { .row = NULL };
    if (r->a->n_operands != 2)
        return complain(r->a, EXIT_USAGE, "ocsp needs one certificate: its file, or the name that it was issued for");
    int status = authority_load(r, &ca, true);
    if (status == EXIT_OK)
        status = ca_open_records(r, true);
    if (status == EXIT_OK)
        status = answer(r, &ca, &a);
    json_decref(a.row);
    return status;
}
