/* init.c - troth ca init: makes an authority, a certificate and its key; or a root, and an intermediate that issues under it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/ca.h"
#include "common/tty.h"

enum { INIT_DAYS = 3650 };
#define ISSUING " (issuing)"

/* What is being made. */
struct plan {
    bool           split;                             /* root and intermediate                  */
    const char    *constraints[ARG_VALUES_MAX + 1];
    int64_t        from, until;
    char           cert_path[CA_PATH], key_path[CA_PATH], root_path[CA_PATH], root_key_path[CA_PATH];
    struct authority root;                            /* of another authority: it is there already */
    troth_span     root_key_pem;                      /* empty: it is                           */
};

/* Two that are called the same would be taken for one. */
static void authority_name(const struct ca *r, char *subject, size_t cap, bool issuing)
{
    char plain[300], host[65] = "";
    gethostname(host, sizeof host - 1);
    if (args_has(r->a, OPT_NAME))
        snprintf(plain, sizeof plain, "%s%s", args_value(r->a, OPT_NAME, ""), issuing ? ISSUING : "");
    else
        snprintf(plain, sizeof plain, "troth development CA%s%.25s%s", *host ? " on " : "", host, issuing ? ISSUING : "");
    ca_common_name(subject, cap, plain);
}

static bool is_title(const char *text)
{
    for (size_t n, i = 0; text[i]; i += n)
        if (!(n = char_printable(text + i)) || text[i] == '\n')
            return false;
    return *text != 0;
}

/* What is asked for can be made. */
static int take(struct ca *r, struct plan *p)
{
    const char *name = args_value(r->a, OPT_NAME, "name");
    int most = CA_CN_MOST - (p->split ? (int)sizeof ISSUING - 1 : 0);
    long days;
    if (r->a->n_operands > 1)
        return complain(r->a, EXIT_USAGE, "init takes no names: they come with issue (to limit the authority: --constrain NAME)");
    for (size_t i = 0; args_nth(r->a, OPT_CONSTRAIN, i); i++)
        if (*(p->constraints[i] = args_nth(r->a, OPT_CONSTRAIN, i)) == '.' || *p->constraints[i] == '*')
            return complain(r->a, EXIT_USAGE, "--constrain: `%s': without %s in front: the name itself and all below it are meant", p->constraints[i],
                            *p->constraints[i] == '.' ? "the dot" : "a star");
    if (!is_title(name))
        return complain(r->a, EXIT_USAGE, "--name: `%s' is empty, or not all of it can be read", name);
    if (strlen(name) > (size_t)most)
        return complain(r->a, EXIT_USAGE, "--name: %zu bytes are too long: %d at most", strlen(name), most);
    if (!ca_path(r, p->cert_path, "ca.pem") || !ca_path(r, p->key_path, "ca-key.pem") || !ca_path(r, p->root_path, "root.pem") ||
        !ca_path(r, p->root_key_path, "root-key.pem"))
        return EXIT_USAGE;
    if (!p->split && urls_given(r->a, true))
        return complain(r->a, EXIT_USAGE, "there is no root besides without --intermediate: what this authority issues says --crl-url, --ocsp-url and --issuer-url");
    int status = urls_check(r->a);
    return status == EXIT_OK ? ca_dates(r, INIT_DAYS, &days, &p->from, &p->until) : status;
}

static troth_pki_spec spec_of(const struct plan *p, const char *subject)
{
    return (troth_pki_spec){ .size = sizeof(troth_pki_spec), .subject = subject, .not_before = p->from, .not_after = p->until, .ca = true,
                             .has_path_len = true, .permitted = p->constraints[0] ? p->constraints : NULL };
}

static int make_root(struct ca *r, struct plan *p)
{
    char subject[800];
    authority_name(r, subject, sizeof subject, false);
    troth_pki_spec spec = spec_of(p, subject);
    spec.path_len = p->split;
    p->root.key = ca_new_key(r, TROTH_KEY_NONE, 0);
    if (!p->root.key)
        return EXIT_USAGE;
    p->root.cert = troth_pki_self_sign(r->w, &spec, p->root.key);
    p->root_key_pem = troth_pki_key_pem(r->w, p->root.key);
    return troth_pki_cert(r->w, p->root.cert, &p->root.f) ? EXIT_OK : ca_failed(r);
}

/* The root that is there, or a new one. */
static int find_root(struct ca *r, struct plan *p)
{
    int status = authority_load_root(r, &p->root, true);
    if (status != EXIT_OK || !p->root.cert.n)
        return status == EXIT_OK ? make_root(r, p) : status;
    if (!p->root.key)
        return complain(r->a, EXIT_FILE, "%s: it is not here, and without it no intermediate can be made under %s: bring it back for that", p->root_key_path, p->root_path);
    if (p->root.f.not_after < p->until)
        p->until = p->root.f.not_after;
    if (p->from < p->root.f.not_before)
        p->from = p->root.f.not_before;
    return p->until > p->from ? EXIT_OK : complain(r->a, EXIT_USAGE, "%s: nothing is left of these dates within the root's own", p->root_path);
}

static void tell(struct ca *r, const struct plan *p, troth_span cert)
{
    char advice[3 * CA_PATH + 600];
    const char *out = strcmp(r->dir, ".") ? " --out " : "", *dir = *out ? r->dir : "";
    int n = snprintf(advice, sizeof advice,
                     "next: trust %s where you test, in all programs of this machine (troth ca trust%s%s) or in one\n"
                     "(troth connect --ca FILE, curl --cacert FILE), and make one for a server:\n"
                     "  troth ca issue localhost 127.0.0.1 ::1%s%s\n", p->split ? "the root" : "that certificate", out, dir, out, dir);
    if (urls_given(r->a, false) || urls_given(r->a, true))
        snprintf(advice + n, sizeof advice - (size_t)n, "and, now and in time again, the files that are to be found at those addresses:\n  troth ca crl%s%s\n", out, dir);
    struct made m = { .what = p->split ? "the intermediate" : "the authority", .cert = cert, .cert_path = p->cert_path, .key_path = p->key_path,
                      .root_path = p->split ? p->root_path : NULL, .root_key_path = p->split ? p->root_key_path : NULL, .advice = advice };
    ca_report(r, &m);
}

static int make_folder(struct ca *r, const char *first_file)
{
    if (mkdir(r->dir, 0777) && errno != EEXIST)
        return complain(r->a, EXIT_FILE, "%s: %s", r->dir, strerror(errno));
    return ca_is_new(r, first_file) ? EXIT_OK : EXIT_FILE;
}

/* Before anybody can use the new authority, which nothing is known of yet. */
static int keep_urls(struct ca *r, const struct authority *new)
{
    struct record_urls urls;
    if (!urls_given(r->a, false))
        return EXIT_OK;
    int status = r->records ? EXIT_OK : ca_open_records(r, true);
    return status == EXIT_OK ? urls_of(r, new, false, &urls) : status;
}

static int init_one(struct ca *r, struct plan *p)
{
    int status = make_root(r, p);
    if (status == EXIT_OK)
        status = make_folder(r, p->cert_path);
    if (status == EXIT_OK)
        status = keep_urls(r, &p->root);
    if (status == EXIT_OK)
        status = ca_write_pair(r, p->cert_path, troth_pki_pem(r->w, "CERTIFICATE", p->root.cert), p->key_path, p->root_key_pem);
    if (status == EXIT_OK)
        tell(r, p, p->root.cert);
    return status;
}

/* It says where to find what its root has, which is remembered for the next one. */
static int make_intermediate(struct ca *r, const struct plan *p, troth_span *cert, troth_span *key_pem)
{
    char subject[800];
    struct record_urls urls;
    int status = urls_of(r, &p->root, true, &urls);
    if (status != EXIT_OK)
        return status;
    authority_name(r, subject, sizeof subject, true);
    troth_pki_spec spec = spec_of(p, subject);
    urls_say(&spec, &urls);
    const troth_key *key = ca_new_key(r, TROTH_KEY_NONE, 0);
    if (!key)
        return EXIT_USAGE;
    *cert = troth_pki_issue(r->w, &spec, key, p->root.cert, p->root.key);
    *key_pem = troth_pki_key_pem(r->w, key);
    return cert->n && key_pem->n ? EXIT_OK : ca_failed(r);
}

/* The root knows its intermediate, and has said that it revoked none: its key need not be asked for that. */
static int init_two(struct ca *r, struct plan *p)
{
    struct authority made = { .cert = { NULL, 0 } };
    struct record c;
    troth_span key_pem;
    char *names = NULL;
    int status = find_root(r, p);
    if (status == EXIT_OK)
        status = make_folder(r, p->cert_path);
    if (status == EXIT_OK)
        status = ca_open_records(r, true);
    if (status == EXIT_OK)
        status = make_intermediate(r, p, &made.cert, &key_pem);
    if (status == EXIT_OK && p->root_key_pem.n)
        status = ca_write_pair(r, p->root_path, troth_pki_pem(r->w, "CERTIFICATE", p->root.cert), p->root_key_path, p->root_key_pem);
    if (status == EXIT_OK)
        status = record_from(r, &p->root, made.cert, &c, &names, &made.f);
    c.kind = "authority";
    c.file = "ca.pem";
    if (status == EXIT_OK)
        status = records_add(r->records, &c);
    free(names);
    if (status == EXIT_OK)
        status = crl_root(r, &p->root);
    if (status == EXIT_OK)
        status = keep_urls(r, &made);
    if (status != EXIT_OK)
        return status;
    status = ca_write_pair(r, p->cert_path, troth_pki_pem(r->w, "CERTIFICATE", made.cert), p->key_path, key_pem);
    if (status == EXIT_OK)
        tell(r, p, made.cert);
    else
        (void)records_drop(r->records, c.issuer, c.serial);
    return status;
}

int ca_init(struct ca *r)
{
    struct plan p = { .split = args_has(r->a, OPT_INTERMEDIATE), .root = { .f = { .size = sizeof p.root.f } } };
    int status = take(r, &p);
    if (status != EXIT_OK)
        return status;
    return p.split ? init_two(r, &p) : init_one(r, &p);
}
