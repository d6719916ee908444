/* urls.c - troth ca urls: where those who judge certificates of an issuer find its revocation list, its OCSP responder and its own
 * certificate (RFC 5280 4.2.1.13, 4.2.2.1).  The records know it, and each certificate says it of who issued it.
 *
 * Must never put into a certificate what cannot be an address. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "ca/ca.h"
#include "common/tty.h"
#include "common/url.h"

static const struct {
    enum opt    of[2];      /* the authority, its root */
    const char *key, *what;
} kinds[URL_KINDS] = {
    [URL_CRL]    = { { OPT_CRL_URL, OPT_ROOT_CRL_URL }, "crl_url", "revocation list" },
    [URL_OCSP]   = { { OPT_OCSP_URL, OPT_ROOT_OCSP_URL }, "ocsp_url", "OCSP responder" },
    [URL_ISSUER] = { { OPT_ISSUER_URL, OPT_ROOT_ISSUER_URL }, "issuer_url", "its certificate" },
};

static int check_one(const struct args *a, enum opt o)
{
    const char *url = args_value(a, o, ""), *why = *url ? url_unfit(url) : NULL;
    if (strlen(url) > URL_MOST)
        return complain(a, EXIT_USAGE, "--%s: %zu characters are too long: %d at most", opt_name(o), strlen(url), URL_MOST);
    if (why)
        return complain(a, EXIT_USAGE, "--%s: `%s': %s", opt_name(o), url, why);
    if (!strncmp(url, "https:", 6) && !args_has(a, OPT_QUIET))
        complain(a, 0, "--%s: few fetch over https what they need to judge certificates with (RFC 5280 8): http:// is usual, and safe, as what lies there is signed",
                 opt_name(o));
    return EXIT_OK;
}

int urls_check(const struct args *a)
{
    int status = EXIT_OK;
    for (int i = 0; status == EXIT_OK && i < URL_KINDS; i++) {
        enum opt own = kinds[i].of[0], root = kinds[i].of[1];
        if (i != URL_OCSP && *args_value(a, own, "") && !strcmp(args_value(a, own, ""), args_value(a, root, "")))
            return complain(a, EXIT_USAGE, "--%s, --%s: there is one thing at an address (RFC 5280 4.2): each needs its own", opt_name(own), opt_name(root));
        status = check_one(a, own);
        if (status == EXIT_OK)
            status = check_one(a, root);
    }
    return status;
}

bool urls_given(const struct args *a, bool root)
{
    bool given = false;
    for (int i = 0; i < URL_KINDS; i++)
        given |= args_has(a, kinds[i].of[root]);
    return given;
}

int urls_of(struct ca *r, const struct authority *by, bool root, struct record_urls *urls)
{
    troth_span issuer = { by->f.spki_sha256, 32 };
    bool given = urls_given(r->a, root);
    int status = given ? records_begin(r->records) : EXIT_OK;
    if (status == EXIT_OK)
        status = records_urls(r->records, issuer, urls);
    for (int i = 0; status == EXIT_OK && i < URL_KINDS; i++) {
        enum opt o = kinds[i].of[root];
        char *url = urls->url[i];
        if (args_has(r->a, o))
            snprintf(url, sizeof urls->url[i], "%s", args_value(r->a, o, ""));
        const char *why = *url ? url_unfit(url) : NULL;
        if (why)
            status = complain(r->a, EXIT_FILE, "ca.db has `%s' for --%s: %s: set it anew with troth ca urls", url, opt_name(o), why);
    }
    if (status == EXIT_OK && given)
        status = records_urls_keep(r->records, issuer, urls);
    return status == EXIT_OK && given ? records_commit(r->records) : status;
}

void urls_say(troth_pki_spec *spec, const struct record_urls *urls)
{
    const char **where[URL_KINDS] = { [URL_CRL] = &spec->crl_url, [URL_OCSP] = &spec->ocsp_url, [URL_ISSUER] = &spec->issuer_url };
    for (int i = 0; i < URL_KINDS; i++)
        *where[i] = urls->url[i][0] ? urls->url[i] : NULL;
}

/* ---- what is said */

static json_t *json_urls(const struct authority *by, const struct record_urls *urls)
{
    json_t *o = json_pack("{s:o}", "subject", json_text(by->f.subject));
    for (int i = 0; i < URL_KINDS; i++)
        json_object_set_new(o, kinds[i].key, urls->url[i][0] ? json_text(urls->url[i]) : json_null());
    return o;
}

static void print_urls(const struct authority *by, const struct record_urls *urls)
{
    printf("what \"%s\" issues says where to find\n", by->f.title);
    for (int i = 0; i < URL_KINDS; i++) {
        printf("  %-15s  ", kinds[i].what);
        print_safely(stdout, urls->url[i][0] ? urls->url[i] : "-");
        putchar('\n');
    }
}

static void tell(const struct ca *r, const struct issuers *by, const struct record_urls *urls)
{
    if (args_has(r->a, OPT_QUIET))
        return;
    if (args_has(r->a, OPT_JSON)) {
        json_t *o = json_pack("{s:s, s:o, s:o}", "schema", "troth.ca-urls/1", "authority", json_urls(&by->all[0], &urls[0]), "root",
                              by->n > 1 ? json_urls(&by->all[1], &urls[1]) : json_null());
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
        return;
    }
    for (size_t i = 0; i < by->n; i++)
        print_urls(&by->all[i], &urls[i]);
}

int ca_urls(struct ca *r)
{
    struct issuers by;
    struct record_urls urls[2] = { 0 }; /* analysers do not see records_urls fill them */
    bool of_root = urls_given(r->a, true);
    if (r->a->n_operands > 1)
        return complain(r->a, EXIT_USAGE, "urls takes no names: which address is which is said with --crl-url, --ocsp-url and --issuer-url");
    int status = urls_check(r->a);
    if (status == EXIT_OK)
        status = authority_load_all(r, &by, false);
    if (status == EXIT_OK && of_root && by.n < 2)
        status = complain(r->a, EXIT_USAGE, "there is no root here, root.pem, that issued this authority's certificate: what is for a root has nowhere to go");
    if (status == EXIT_OK)
        status = ca_open_records(r, of_root || urls_given(r->a, false));
    for (size_t i = 0; status == EXIT_OK && i < by.n; i++)
        status = urls_of(r, &by.all[i], i > 0, &urls[i]);
    if (status == EXIT_OK)
        tell(r, &by, urls);
    return status;
}
