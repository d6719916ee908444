/* ca_issue.c - troth ca issue: a key and a certificate for names, or a certificate for the key in a request (PKCS#10).
 *
 * Must never take from a request what it did not check: its key, which signed it, and its names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "idn.h"
#include "pki_files.h"

enum { NAMES_MOST = 1000, APPLE_DAYS = 825 };

/* What is to be issued. */
struct order {
    bool        client;
    troth_span  request;   /* for the key in it; empty: for a new one */
    bool        must_staple;
    const char *names[NAMES_MOST + 1];
    size_t      n;
    char        ascii[NAMES_MOST][256]; /* international names */
    char        cert_path[CA_PATH], key_path[CA_PATH], file[340];
};

/* "DNS:localhost" -> "localhost" */
static const char *bare(const char *name)
{
    static const char *const kinds[] = { "DNS:", "IP:", "email:", "URI:" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strncmp(name, kinds[i], strlen(kinds[i])))
            return name + strlen(kinds[i]);
    return name;
}

static int take_names(struct ca *r, struct order *o)
{
    int n = r->a->n_operands - 1;
    if (n < 1 && !o->request.n)
        return complain(r->a, EXIT_USAGE, "issue needs a name or an address: troth ca issue localhost 127.0.0.1");
    if (n > NAMES_MOST)
        return complain(r->a, EXIT_USAGE, "%d names are too many: %d at most", n, NAMES_MOST);
    for (; o->n < (size_t)n; o->n++) {
        const char *why = NULL, *given = r->a->operands[o->n + 1];
        o->names[o->n] = idn_ascii(o->ascii[o->n], sizeof o->ascii[o->n], given, &why);
        if (!o->names[o->n])
            return complain(r->a, EXIT_USAGE, "`%s': %s", given, why);
    }
    o->names[o->n] = NULL;
    return EXIT_OK;
}

/* A name as it was shown is the name as it stands there: of a kind that is issued, whole, and without anything that had to be escaped. */
static bool is_plain(const char *name)
{
    return bare(name) != name && *bare(name) && strlen(name) < 1024 && !strchr(name, '\\');
}

static int request_names(struct ca *r, struct order *o, const char *path, const troth_cert_facts *f)
{
    if (f->ca)
        return complain(r->a, EXIT_USAGE, "%s: it asks for the certificate of an authority, which issue does not give", path);
    if (r->a->n_operands > 1) /* others are given */
        return EXIT_OK;
    for (o->n = 0; f->names[o->n]; o->n++) {
        const char *name = f->names[o->n];
        if (o->n == NAMES_MOST)
            return complain(r->a, EXIT_USAGE, "%s: it asks for more than %d names", path, NAMES_MOST);
        if (!is_plain(name))
            return complain(r->a, EXIT_USAGE, "%s: it asks for a name that is not issued here: %.200s; DNS names, addresses, mailboxes and URIs are", path, name);
        o->names[o->n] = name;
    }
    if (!o->n)
        return complain(r->a, EXIT_USAGE, "%s: it asks for no name (subjectAltName; its subject is \"%.200s\"): say for which, as in troth ca issue --csr FILE localhost",
                        path, f->subject);
    return EXIT_OK;
}

static int take_request(struct ca *r, struct order *o)
{
    const char *path = args_value(r->a, OPT_CSR, "-"), *about = strcmp(path, "-") ? path : "standard input";
    const troth_object *list;
    troth_span bytes;
    troth_cert_facts f = { .size = sizeof f };
    int status = ca_hold(r, path, &bytes);
    if (status != EXIT_OK)
        return status;
    if (!troth_pki_read(r->w, bytes, &list))
        return ca_unusable(r, about);
    if (strcmp(list[0].kind, "certificate-request") != 0)
        return complain(r->a, EXIT_FILE, "%s: this is %s, not a certificate request", about, list[0].what);
    if (!troth_pki_asked(r->w, list[0].der, &f))
        return ca_unusable(r, about);
    o->request = list[0].der;
    o->must_staple = f.must_staple;
    return request_names(r, o, about, &f);
}

/* Within the authority's own dates. */
static int take_dates(struct ca *r, const struct authority *ca, const struct order *o, troth_pki_spec *s)
{
    char begins[40];
    long days;
    int status = ca_dates(r, 30, &days, &s->not_before, &s->not_after);
    if (status != EXIT_OK)
        return status;
    if (days > APPLE_DAYS && !o->client && !args_has(r->a, OPT_QUIET))
        complain(r->a, 0, "%ld days are long: Apple's systems take no server's certificate of more than %d, whoever issued it", days, APPLE_DAYS);
    if (ca->f.not_after < r->now)
        return complain(r->a, EXIT_USAGE, "the authority has expired; make another one");
    if (s->not_after > ca->f.not_after) {
        s->not_after = ca->f.not_after;
        if (!args_has(r->a, OPT_QUIET))
            complain(r->a, 0, "the authority ends before that: so does the certificate");
    }
    if (s->not_before < ca->f.not_before && args_has(r->a, OPT_STARTS)) {
        time_words(begins, sizeof begins, ca->f.not_before);
        return complain(r->a, EXIT_USAGE, "--not-before: the authority itself is valid from %s on; give a later time, or make an authority with "
                        "troth ca init --not-before", begins);
    }
    if (s->not_before < ca->f.not_before)
        s->not_before = ca->f.not_before;
    return s->not_after > s->not_before
               ? EXIT_OK
               : complain(r->a, EXIT_USAGE, "nothing is left of these dates within the authority's own");
}

static int take_paths(struct ca *r, struct order *o)
{
    char key[sizeof o->file];
    ca_file_names(bare(o->names[0]), o->client, o->file, key, sizeof key);
    if (!ca_path(r, o->cert_path, o->file) || !ca_path(r, o->key_path, key))
        return EXIT_USAGE;
    return ca_is_new(r, o->cert_path) && (o->request.n || ca_is_new(r, o->key_path)) ? EXIT_OK : EXIT_FILE;
}

/* First into the records, then into files: nobody has a certificate that the authority does not know. */
static int hand_out(struct ca *r, const struct authority *ca, const struct order *o, troth_span cert, troth_span key_pem)
{
    const char *key_path = o->request.n ? NULL : o->key_path;
    struct record c;
    troth_cert_facts f;
    char *names;
    int status = record_from(r, ca, cert, &c, &names, &f);
    c.kind = o->client ? "client" : "server";
    c.file = o->file;
    if (status == EXIT_OK)
        status = records_add(r->records, &c);
    free(names);
    if (status != EXIT_OK)
        return status;
    status = ca_write_pair(r, o->cert_path, troth_pki_pem(r->w, "CERTIFICATE", cert), key_path, key_pem);
    if (status != EXIT_OK)
        (void)records_drop(r->records, c.issuer, c.serial);
    else
        ca_report(r, o->client ? "a client certificate" : "a server certificate", cert, o->cert_path, key_path, "");
    return status;
}

static int make(struct ca *r, const struct authority *ca, const struct order *o, troth_pki_spec *spec)
{
    char subject[200];
    troth_span cert, key_pem = { NULL, 0 };
    const char *first = bare(o->names[0]);
    if (strlen(first) <= CA_CN_MOST) {
        ca_common_name(subject, sizeof subject, first);
        spec->subject = subject;
    }
    spec->must_staple = o->must_staple;
    if (o->request.n) {
        cert = troth_pki_issue_for(r->w, spec, o->request, ca->cert, ca->key);
    } else {
        const troth_key *key = troth_pki_make_key(r->w, TROTH_KEY_P256, 0);
        cert = troth_pki_issue(r->w, spec, key, ca->cert, ca->key);
        key_pem = troth_pki_key_pem(r->w, key);
    }
    if (!cert.n || troth_pki_error(r->w)->reason != TROTH_R_NONE)
        return ca_failed(r);
    int64_t at = spec->not_before > r->now || spec->not_after < r->now ? spec->not_before : r->now;
    for (size_t i = 0; i < o->n; i++)
        if (!authority_may(r, ca, cert, bare(o->names[i]), at, o->client))
            return EXIT_USAGE;
    return hand_out(r, ca, o, cert, key_pem);
}

int ca_issue(struct ca *r)
{
    struct authority ca;
    struct order *o = calloc(1, sizeof *o);
    if (!o)
        return complain(r->a, EXIT_BUG, "memory ran out");
    o->client = args_has(r->a, OPT_CLIENT);
    troth_pki_spec spec = { .size = sizeof spec, .names = o->names, .uses = o->client ? TROTH_USE_CLIENT : TROTH_USE_SERVER };
    int status = args_has(r->a, OPT_CSR) ? take_request(r, o) : EXIT_OK;
    if (status == EXIT_OK)
        status = take_names(r, o);
    if (status == EXIT_OK)
        status = authority_load(r, &ca);
    if (status == EXIT_OK)
        status = take_dates(r, &ca, o, &spec);
    if (status == EXIT_OK)
        status = take_paths(r, o);
    if (status == EXIT_OK)
        status = ca_open_records(r, true);
    if (status == EXIT_OK)
        status = make(r, &ca, o, &spec);
    free(o);
    return status;
}
