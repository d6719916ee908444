/* issue.c - troth ca issue: a key and a certificate for names, or a certificate for the key in a request (PKCS#10).
 *
 * Must never take from a request what it did not check: its key, which signed it, and its names. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ca/ca.h"
#include "common/idn.h"
#include "common/pki_files.h"
#include "common/target.h"

enum { APPLE_DAYS = 825, ISSUE_DAYS = 30 };

const char *bare_name(const char *name)
{
    static const char *const kinds[] = { "DNS:", "IP:", "email:", "URI:" };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strncmp(name, kinds[i], strlen(kinds[i])))
            return name + strlen(kinds[i]);
    return name;
}

/* Something before one '@', and a host behind it. */
static bool is_mailbox(const char *name)
{
    const char *at = strchr(name, '@');
    size_t host = at ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") : 0;
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
            return false;
    return at != name && host && !at[1 + host] && at[1] != '.' && at[host] != '.';
}

/* Of the kinds that are issued here; NULL, or what it is not. */
static const char *not_issued(const char *name)
{
    uint8_t ip[16];
    const char *bare = bare_name(name);
    bool uri = strstr(bare, "://") || !strncmp(name, "URI:", 4);
    if (bare == name && strchr(name, ':') && !uri && inet_pton(AF_INET6, name, ip) != 1)
        return "only DNS names, addresses, mailboxes and URIs are issued here";
    if (!uri && strchr(bare, '@') && !is_mailbox(bare))
        return "this is no mailbox";
    return !strncmp(bare, "*.", 2) && target_is_address(bare + 2) ? "there are no names below an address" : NULL;
}

/* Once, however often it comes. */
static int order_add(struct ca *r, struct order *o, const char *name)
{
    const char *why = not_issued(name);
    bool cased = strchr(name, '@') || strstr(name, ":/");
    if (why)
        return complain(r->a, EXIT_USAGE, "`%s': %s", name, why);
    for (size_t i = 0; i < o->n; i++)
        if (cased ? !strcmp(o->names[i], name) : !strcasecmp(o->names[i], name))
            return EXIT_OK;
    if (o->n == ORDER_NAMES)
        return complain(r->a, EXIT_USAGE, "it has more than %d names", ORDER_NAMES);
    o->names[o->n++] = name;
    o->names[o->n] = NULL;
    return EXIT_OK;
}

int order_operands(struct ca *r, struct order *o)
{
    int n = r->a->n_operands - 1;
    if (n < 1 && !o->request.n)
        return complain(r->a, EXIT_USAGE, "%s needs a name or an address: troth ca %s localhost 127.0.0.1", r->a->operands[0], r->a->operands[0]);
    if (n > ORDER_NAMES)
        return complain(r->a, EXIT_USAGE, "%d names are too many: %d at most", n, ORDER_NAMES);
    if (n > 0)
        o->n = 0; /* they stand instead of the request's */
    for (int i = 0, status; i < n; i++) {
        const char *why = NULL, *given = r->a->operands[i + 1], *name = idn_ascii(o->ascii[i], sizeof o->ascii[i], given, &why);
        if (!name)
            return complain(r->a, EXIT_USAGE, "`%s': %s", given, why);
        if ((status = order_add(r, o, name)) != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}

/* A name as it was shown is the name as it stands there: of a kind that is issued, whole, and without anything that had to be escaped. */
static bool is_plain(const char *name)
{
    return bare_name(name) != name && *bare_name(name) && strlen(name) < 1024 && !strchr(name, '\\');
}

int order_names(struct ca *r, struct order *o, const char *path, const troth_cert_facts *f)
{
    o->n = 0;
    for (int i = 0, status; f->names[i]; i++) {
        if (!is_plain(f->names[i]))
            return complain(r->a, EXIT_USAGE, "%s: it has a name that is not issued here: %.200s; DNS names, addresses, mailboxes and URIs are", path, f->names[i]);
        if ((status = order_add(r, o, f->names[i])) != EXIT_OK)
            return status;
    }
    if (!o->n)
        return complain(r->a, EXIT_USAGE, "%s: it has no name (subjectAltName; its subject is \"%.200s\"): say for which, as in troth ca issue --csr FILE localhost",
                        path, f->subject);
    return EXIT_OK;
}

int order_request(struct ca *r, struct order *o, bool names_too)
{
    const char *path = args_value(r->a, OPT_CSR, "-"), *about = strcmp(path, "-") ? path : "standard input";
    const troth_object *list;
    troth_span bytes;
    troth_cert_facts f = { .size = sizeof f };
    int status = ca_hold(r, path, &bytes);
    if (status != EXIT_OK)
        return status;
    size_t n = troth_pki_read(r->w, bytes, &list);
    if (!n)
        return ca_unusable(r, about);
    if (strcmp(list[0].kind, "certificate-request") != 0)
        return complain(r->a, EXIT_FILE, "%s: this is %s, not a certificate request", about, list[0].what);
    for (size_t i = 1; i < n; i++)
        if (!strcmp(list[i].kind, list[0].kind))
            return complain(r->a, EXIT_FILE, "%s: it holds more than one request: each needs a file of its own", about);
    if (!troth_pki_asked(r->w, list[0].der, &f))
        return ca_unusable(r, about);
    o->request = list[0].der;
    if (f.ca)
        return complain(r->a, EXIT_USAGE, "%s: it asks for the certificate of an authority, which is not given here", about);
    o->must_staple = f.must_staple;
    return names_too ? order_names(r, o, about, &f) : EXIT_OK;
}

int order_dates(struct ca *r, const struct authority *ca, struct order *o, long days_otherwise)
{
    char begins[40];
    long days;
    int status = ca_dates(r, days_otherwise, &days, &o->not_before, &o->not_after);
    if (status != EXIT_OK)
        return status;
    if (days > APPLE_DAYS && !o->client && !args_has(r->a, OPT_QUIET))
        complain(r->a, 0, "%ld days are long: Apple's systems take no server's certificate of more than %d, whoever issued it", days, APPLE_DAYS);
    if (ca->f.not_after < r->now)
        return complain(r->a, EXIT_USAGE, "the authority has expired; make another one");
    if (o->not_after > ca->f.not_after) {
        o->not_after = ca->f.not_after;
        if (!args_has(r->a, OPT_QUIET))
            complain(r->a, 0, "the authority ends before that: so does the certificate");
    }
    if (o->not_before < ca->f.not_before && args_has(r->a, OPT_STARTS)) {
        time_words(begins, sizeof begins, ca->f.not_before);
        return complain(r->a, EXIT_USAGE, "--not-before: the authority itself is valid from %s on; give a later time, or make an authority with "
                        "troth ca init --not-before", begins);
    }
    if (o->not_before < ca->f.not_before)
        o->not_before = ca->f.not_before;
    return o->not_after > o->not_before
               ? EXIT_OK
               : complain(r->a, EXIT_USAGE, "nothing is left of these dates within the authority's own");
}

int order_make(struct ca *r, const struct authority *ca, struct order *o)
{
    char subject[200];
    struct record_urls urls;
    const char *first = bare_name(o->names[0]);
    int status = urls_of(r, ca, false, &urls);
    if (status != EXIT_OK)
        return status;
    troth_pki_spec spec = { .size = sizeof spec, .names = o->names, .not_before = o->not_before, .not_after = o->not_after,
                            .uses = o->client ? TROTH_USE_CLIENT : TROTH_USE_SERVER, .must_staple = o->must_staple };
    urls_say(&spec, &urls);
    if (strlen(first) <= CA_CN_MOST) {
        ca_common_name(subject, sizeof subject, first);
        spec.subject = subject;
    }
    if (o->request.n) {
        o->cert = troth_pki_issue_for(r->w, &spec, o->request, ca->cert, ca->key);
    } else {
        const troth_key *key = o->key ? o->key : ca_new_key(r, o->key_type, o->rsa_bits);
        if (!key)
            return EXIT_USAGE;
        o->cert = troth_pki_issue(r->w, &spec, key, ca->cert, ca->key);
        o->key_pem = troth_pki_key_pem(r->w, key);
    }
    troth_cert_facts f = { .size = sizeof f };
    if (troth_pki_error(r->w)->reason != TROTH_R_NONE || !troth_pki_cert(r->w, o->cert, &f))
        return ca_failed(r);
    if (!memcmp(f.spki_sha256, ca->f.spki_sha256, sizeof f.spki_sha256))
        return complain(r->a, EXIT_USAGE, "the key is the authority's own, which is for nothing else");
    int64_t at = o->not_before > r->now || o->not_after < r->now ? o->not_before : r->now;
    for (size_t i = 0; i < o->n; i++)
        if (!authority_may(r, ca, o->cert, bare_name(o->names[i]), at, o->client))
            return EXIT_USAGE;
    return EXIT_OK;
}

struct paths {
    char cert[CA_PATH], key[CA_PATH], file[340];
};

static int take_paths(struct ca *r, const struct order *o, struct paths *p)
{
    char key[sizeof p->file];
    ca_file_names(bare_name(o->names[0]), o->client, p->file, key, sizeof key);
    if (!ca_path(r, p->cert, p->file) || !ca_path(r, p->key, key))
        return EXIT_USAGE;
    return ca_is_new(r, p->cert) && (o->request.n || ca_is_new(r, p->key)) ? EXIT_OK : EXIT_FILE;
}

/* First into the records, then into files: nobody has a certificate that the authority does not know. */
static int hand_out(struct ca *r, const struct authority *ca, const struct order *o, const struct paths *p)
{
    struct record c;
    troth_cert_facts f;
    char *names;
    int status = record_from(r, ca, o->cert, &c, &names, &f);
    c.kind = o->client ? "client" : "server";
    c.file = p->file;
    if (status == EXIT_OK)
        status = records_add(r->records, &c);
    free(names);
    if (status != EXIT_OK)
        return status;
    struct made m = { .what = o->client ? "a client certificate" : "a server certificate", .cert = o->cert, .cert_path = p->cert,
                      .key_path = o->request.n ? NULL : p->key };
    status = ca_write_pair(r, m.cert_path, authority_chain(r, ca, o->cert), m.key_path, o->key_pem);
    if (status != EXIT_OK)
        (void)records_drop(r->records, c.issuer, c.serial);
    else
        ca_report(r, &m);
    return status;
}

int ca_issue(struct ca *r)
{
    struct authority ca;
    struct paths paths;
    struct order *o = calloc(1, sizeof *o);
    if (!o)
        return complain(r->a, EXIT_BUG, "memory ran out");
    o->client = args_has(r->a, OPT_CLIENT);
    int status = args_has(r->a, OPT_CSR) ? order_request(r, o, r->a->n_operands == 1) : EXIT_OK;
    if (status == EXIT_OK)
        status = order_operands(r, o);
    if (status == EXIT_OK)
        status = authority_load(r, &ca, true);
    if (status == EXIT_OK)
        status = order_dates(r, &ca, o, ISSUE_DAYS);
    if (status == EXIT_OK)
        status = take_paths(r, o, &paths);
    if (status == EXIT_OK)
        status = ca_open_records(r, true);
    if (status == EXIT_OK)
        status = order_make(r, &ca, o);
    if (status == EXIT_OK)
        status = hand_out(r, &ca, o, &paths);
    free(o);
    return status;
}
