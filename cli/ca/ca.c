/* ca.c - troth ca: a small authority.  The table of its verbs, and what they share. */
#include "ca/ca.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pki_files.h"
#include "common/tty.h"

/* ---- what the verbs share */

int ca_failed(struct ca *r)
{
    const troth_error *e = troth_pki_error(r->w);
    return complain_of(r->a, e->who == TROTH_WHO_YOU ? EXIT_USAGE : EXIT_BUG, e, NULL, e->detail);
}

int ca_unusable(struct ca *r, const char *path)
{
    const troth_error *e = troth_pki_error(r->w);
    return complain_of(r->a, EXIT_FILE, e, path, e->detail);
}

bool ca_path(struct ca *r, char out[CA_PATH], const char *name)
{
    bool here = !strcmp(r->dir, ".");
    int n = snprintf(out, CA_PATH, "%s%s%s", here ? "" : r->dir, here ? "" : "/", name);
    if (n > 0 && n < CA_PATH)
        return true;
    complain(r->a, EXIT_USAGE, "the path is too long");
    return false;
}

bool ca_is_new(struct ca *r, const char *path)
{
    bool there = !access(path, F_OK);
    if (there)
        complain(r->a, EXIT_FILE, "%s is there already, and is not overwritten: move it away, or choose another --out DIR", path);
    return !there;
}

int ca_hold(struct ca *r, const char *path, troth_span *bytes)
{
    size_t n = 0;
    uint8_t *p = r->n_held < CA_HELD ? file_whole(r->a, path, FILE_MOST, &n) : NULL;
    if (!p)
        return EXIT_FILE;
    r->held[r->n_held++] = p;
    *bytes = (troth_span){ p, n };
    return EXIT_OK;
}

int ca_read_cert(struct ca *r, const char *path, troth_span *der, troth_cert_facts *f)
{
    const troth_object *list;
    troth_span bytes;
    int status = ca_hold(r, path, &bytes);
    if (status != EXIT_OK)
        return status;
    if (!troth_pki_read(r->w, bytes, &list))
        return ca_unusable(r, path);
    if (strcmp(list[0].kind, "certificate") != 0)
        return complain(r->a, EXIT_FILE, "%s: this is %s, not a certificate", path, list[0].what);
    *der = list[0].der;
    *f = (troth_cert_facts){ .size = sizeof *f };
    return troth_pki_cert(r->w, *der, f) ? EXIT_OK : ca_unusable(r, path);
}

void ca_common_name(char *out, size_t cap, const char *text)
{
    size_t n = (size_t)snprintf(out, cap, "CN=");
    for (const char *s = text; *s && n + 3 < cap; s++) {
        bool edge = (*s == ' ' && (s == text || !s[1])) || (*s == '#' && s == text);
        if (edge || strchr(",+\"\\<>;=", *s)) /* RFC 4514 2.4 */
            out[n++] = '\\';
        out[n++] = *s;
    }
    out[n] = 0;
}

int ca_dates(struct ca *r, long days_otherwise, long *days, int64_t *from, int64_t *until)
{
    *from = r->now - CA_BACKDATE;
    if (!args_number(r->a, OPT_DAYS, 1, CA_DAYS_MOST, days_otherwise, days) || (args_has(r->a, OPT_STARTS) && !args_time(r->a, OPT_STARTS, from)))
        return EXIT_USAGE;
    *until = (args_has(r->a, OPT_STARTS) ? *from : r->now) + *days * CA_DAY;
    if (*until > CA_LATEST)
        return complain(r->a, EXIT_USAGE, "--not-before, --days: certificates cannot say more than the year 9999");
    return EXIT_OK;
}

int ca_open_records(struct ca *r, bool write)
{
    char path[CA_PATH];
    return ca_path(r, path, "ca.db") ? records_open(&r->records, r->a, path, write) : EXIT_USAGE;
}

const char *ca_hex(char out[CA_HEX], troth_span bytes)
{
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < bytes.n && n + 2 < CA_HEX; i++)
        n += (size_t)snprintf(out + n, 3, "%02x", bytes.p[i]);
    return out;
}

static json_t *json_path(const char *path)
{
    return path ? json_text(path) : json_null();
}

static void report_json(const struct made *m, const troth_cert_facts *f, const char *until)
{
    json_t *names = json_array();
    for (size_t i = 0; f->names[i]; i++)
        json_array_append_new(names, json_string(f->names[i]));
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "schema", "troth.ca/1", "made", m->what, "subject", f->subject,
                          "issuer", f->issuer, "serial", f->serial, "names", names, "not_after", until, "certificate", json_path(m->cert_path), "key",
                          json_path(m->key_path), "root", json_path(m->root_path), "root_key", json_path(m->root_key_path), "replaced", json_path(m->kept_path));
    json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(o);
}

void ca_report(struct ca *r, const struct made *m)
{
    troth_cert_facts f = { .size = sizeof f };
    char until[40];
    if (args_has(r->a, OPT_QUIET) || !troth_pki_cert(r->w, m->cert, &f))
        return;
    time_words(until, sizeof until, f.not_after);
    if (args_has(r->a, OPT_JSON)) {
        report_json(m, &f, until);
        return;
    }
    printf("made %s \"%s\", valid until %s\n", m->what, f.title, until);
    for (size_t i = 0; f.names[i]; i++)
        printf("  for          %s\n", f.names[i]);
    printf("  certificate  %s\n", m->cert_path);
    if (m->key_path)
        printf("  private key  %s   (readable by you alone)\n", m->key_path);
    if (m->root_path)
        printf("  root         %s\n  its key      %s   (needed only for other intermediates: keep it offline)\n", m->root_path, m->root_key_path);
    if (m->kept_path)
        printf("  replaced     %s\n", m->kept_path);
    printf("%s", m->advice ? m->advice : "");
}

/* ---- the verbs */

static const struct ca_verb {
    const char *name;
    int       (*run)(struct ca *);
} verbs[] = { { "init", ca_init }, { "issue", ca_issue }, { "list", ca_list }, { "revoke", ca_revoke }, { "crl", ca_crl }, { "renew", ca_renew }, { "ocsp", ca_ocsp }, { "urls", ca_urls },
            { "trust", ca_trust }, { "distrust", ca_distrust }, { "request", ca_request } };
enum { VERBS = sizeof verbs / sizeof verbs[0] };
enum { INIT = 1 << 0, ISSUE = 1 << 1, LIST = 1 << 2, REVOKE = 1 << 3, CRL = 1 << 4, RENEW = 1 << 5, OCSP = 1 << 6, URLS = 1 << 7, TRUST = 1 << 8, REQUEST = 1 << 10 }; /* in the order of the table */

/* Options that not all of them understand.  What a configuration file says to one verb, the others pass over. */
static const struct {
    enum opt opt;
    unsigned verbs;
} only[] = {
    { OPT_CONSTRAIN, INIT },
    { OPT_NAME, INIT },
    { OPT_INTERMEDIATE, INIT },
    { OPT_CLIENT, ISSUE | RENEW | OCSP },
    { OPT_CSR, ISSUE | RENEW },
    { OPT_KEY_TYPE, INIT | ISSUE | RENEW | REQUEST },
    { OPT_SAME_KEY, RENEW },
    { OPT_PASS_FILE, INIT | ISSUE | REVOKE | CRL | RENEW | OCSP },
    { OPT_DAYS, INIT | ISSUE | REVOKE | CRL | RENEW | OCSP },
    { OPT_STARTS, INIT | ISSUE | RENEW },
    { OPT_EXPIRING, LIST | RENEW },
    { OPT_REVOKED, LIST },
    { OPT_REASON, REVOKE },
    { OPT_CRL_URL, INIT | URLS },
    { OPT_OCSP_URL, INIT | URLS },
    { OPT_ISSUER_URL, INIT | URLS },
    { OPT_ROOT_CRL_URL, INIT | URLS },
    { OPT_ROOT_OCSP_URL, INIT | URLS },
    { OPT_ROOT_ISSUER_URL, INIT | URLS },
    { OPT_STATUS, TRUST },
};

/* "init, issue or list", of those in the set. */
static const char *named(char *out, size_t cap, unsigned set)
{
    size_t n = 0;
    *out = 0;
    for (unsigned i = 0; i < VERBS; i++)
        if (set & 1u << i) {
            const char *join = !n ? "" : set >> (i + 1) ? ", " : " or ";
            n += (size_t)snprintf(out + n, cap - n, "%s%s", join, verbs[i].name);
        }
    return out;
}

static bool fits(const struct args *a, unsigned verb)
{
    char text[100];
    for (size_t i = 0; i < sizeof only / sizeof only[0]; i++)
        if (args_has(a, only[i].opt) && !a->line[only[i].opt] && !(only[i].verbs & verb)) {
            complain(a, EXIT_USAGE, "--%s goes with troth ca %s", opt_name(only[i].opt), named(text, sizeof text, only[i].verbs));
            return false;
        }
    if (args_has(a, OPT_KEY_TYPE) && !a->line[OPT_KEY_TYPE] && (args_has(a, OPT_CSR) || args_has(a, OPT_SAME_KEY))) {
        complain(a, EXIT_USAGE, "--key-type is for new keys: --csr and --same-key bring one");
        return false;
    }
    return true;
}

int verb_CA(const struct args *a)
{
    struct ca r = { .a = a, .dir = args_value(a, OPT_OUT, "."), .now = (int64_t)time(NULL) };
    char text[100];
    size_t v = 0;
    while (v < VERBS && strcmp(verbs[v].name, a->operands[0]) != 0)
        v++;
    if (v == VERBS)
        return complain(a, EXIT_USAGE, "\"%s\" is none of its verbs: %s", a->operands[0], named(text, sizeof text, (1u << VERBS) - 1));
    if (!fits(a, 1u << v))
        return EXIT_USAGE;
    r.w = troth_pki_new(troth_libcrypto());
    if (!r.w)
        return complain(a, EXIT_BUG, "libcrypto cannot be used, or memory ran out");
    int status = verbs[v].run(&r);
    records_close(r.records);
    troth_pki_free(r.w);
    for (size_t i = 0; i < r.n_held; i++)
        free(r.held[i]);
    return status;
}
