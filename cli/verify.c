/* verify.c - troth verify: judge a certificate chain from files, say why, connect nowhere.
 *
 * Exit status 0: accepted; 1: rejected (also what cannot be read as a certificate); 2: usage; 8: a file that
 * cannot be opened. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <troth/pki.h>
#include <troth/verify.h>

#include "client/revoke.h"
#include "common/idn.h"
#include "common/pki_files.h"
#include "setup/trust.h"
#include "verify_show.h"

enum { FILES_MAX = 4096, BREAKS_MAX = 200 };

struct files {
    troth_span *list;
    char      **paths; /* of each */
    size_t n, cap;
};

/* ---- files */

static bool files_grow(struct files *fs)
{
    size_t cap = fs->cap ? 2 * fs->cap : 16;
    troth_span *list = realloc(fs->list, cap * sizeof *list);
    if (!list)
        return false;
    fs->list = list;
    char **paths = realloc(fs->paths, cap * sizeof *paths);
    if (!paths)
        return false;
    fs->paths = paths;
    fs->cap = cap;
    return true;
}

/* Owns `p` from here on. */
static bool files_add(struct files *fs, uint8_t *p, size_t n, const char *path)
{
    char *name = fs->n < fs->cap || files_grow(fs) ? strdup(strcmp(path, "-") ? path : "standard input") : NULL;
    if (!name) {
        free(p);
        return false;
    }
    fs->paths[fs->n] = name;
    fs->list[fs->n++] = (troth_span){ p, n };
    return true;
}

static void files_drop_last(struct files *fs)
{
    fs->n--;
    free((void *)(uintptr_t)fs->list[fs->n].p);
    free(fs->paths[fs->n]);
}

static void files_free(struct files *fs)
{
    while (fs->n)
        files_drop_last(fs);
    free(fs->list);
    free(fs->paths);
}

/* One file, "-" for standard input.  EXIT_OK or what to exit with, after a message. */
static int file_take(const struct args *a, struct files *fs, const char *path)
{
    size_t n;
    uint8_t *p = file_whole(a, path, FILE_MOST, &n);
    if (!p)
        return EXIT_FILE;
    return files_add(fs, p, n, path) ? EXIT_OK : complain(a, EXIT_BUG, "memory ran out");
}

/* Is a certificate in it?  Directories hold keys, revocation lists and READMEs too. */
static bool has_certificate(troth_span s)
{
    if (s.n && memmem(s.p, s.n, "-----BEGIN CERTIFICATE-----", 27))
        return true;
    const troth_object *objects;
    troth_pki *pki = s.n && s.p[0] == 0x30 ? troth_pki_new(troth_libcrypto()) : NULL;
    bool yes = pki && troth_pki_read(pki, s, &objects) && !strcmp(objects[0].kind, "certificate");
    troth_pki_free(pki);
    return yes;
}

static int found_take(void *files, const struct args *a, const char *path)
{
    struct files *fs = files;
    int status = file_take(a, fs, path);
    if (status == EXIT_OK && !has_certificate(fs->list[fs->n - 1]))
        files_drop_last(fs);
    return status;
}

static int path_take(const struct args *a, struct files *fs, const char *path)
{
    return strcmp(path, "-") != 0 && is_dir(path) ? dir_walk(a, path, found_take, fs) : file_take(a, fs, path);
}

/* ---- the policy */

static int ocsp_use(const struct args *a, troth_policy_builder *b)
{
    struct files fs = { 0 };
    int status = EXIT_OK;
    for (size_t i = 0; status == EXIT_OK && args_nth(a, OPT_OCSP_FILE, i); i++)
        status = file_take(a, &fs, args_nth(a, OPT_OCSP_FILE, i));
    for (size_t i = 0; i < fs.n; i++)
        troth_policy_ocsp(b, fs.list[i]);
    files_free(&fs);
    return status;
}

/* A name in A-labels.  One that has none is asked for as it stands: no certificate is for it, which is an answer. */
static const char *in_a_labels(const struct args *a, char *ascii, size_t cap, const char *option, const char *host)
{
    const char *why, *name = idn_ascii(ascii, cap, host, &why);
    if (!name)
        (void)complain(a, EXIT_FINDING, "%s %s: %s", option, host, why);
    return name ? name : host;
}

static void host_use(const struct args *a, troth_policy_builder *b)
{
    char ascii[256];
    const char *host = args_value(a, OPT_HOST, NULL);
    if (host)
        troth_policy_host(b, in_a_labels(a, ascii, sizeof ascii, "--host", host));
}

/* The host behind the last "@" is compared in A-labels, what is before it as it stands (RFC 9598 5). */
static void email_use(const struct args *a, troth_policy_builder *b)
{
    char ascii[256], mailbox[600];
    const char *email = args_value(a, OPT_EMAIL, NULL), *at = email ? strrchr(email, '@') : NULL;
    const char *host = at ? in_a_labels(a, ascii, sizeof ascii, "--email", at + 1) : NULL;
    if (!email)
        return;
    int n = at ? snprintf(mailbox, sizeof mailbox, "%.*s%s", (int)(at + 1 - email), email, host) : -1;
    troth_policy_email(b, n > 0 && (size_t)n < sizeof mailbox ? mailbox : email);
}

/* --policy takes object identifiers, and the name of a profile for those who call that a policy. */
static void policies_use(const struct args *a, troth_policy_builder *b)
{
    const char *word;
    for (size_t i = 0; (word = args_nth(a, OPT_POLICY, i)) != NULL; i++) {
        int profile = trust_profile_named(word);
        if (profile >= 0)
            troth_policy_profile(b, (enum troth_profile)profile);
        else
            troth_policy_add_policy(b, word);
    }
}

/* --time or --at; *at stays where neither was given.  False after a message. */
static bool time_take(const struct args *a, int64_t *at)
{
    enum opt when = args_has(a, OPT_AT) ? OPT_AT : OPT_TIME;
    return !args_has(a, when) || args_time(a, when, at);
}

static int rules_use(const struct args *a, troth_policy_builder *b)
{
    static const char *const purposes[] = { "", "server", "client", "email", "code", "any", NULL };
    long depth;
    int64_t at = 0;
    int purpose = args_word(a, OPT_PURPOSE, purposes, 0), profile = trust_profile(a);
    if (!time_take(a, &at))
        return EXIT_USAGE;
    if (args_has(a, OPT_AT) || args_has(a, OPT_TIME))
        troth_policy_time(b, at);
    if (purpose < 0 || profile < 0 || !args_number(a, OPT_MAX_DEPTH, 0, 30, -1, &depth))
        return EXIT_USAGE;
    host_use(a, b);
    email_use(a, b);
    troth_policy_purpose(b, (enum troth_purpose)purpose);
    troth_policy_profile(b, (enum troth_profile)profile);
    if (depth >= 0)
        troth_policy_max_depth(b, (unsigned)depth);
    if (args_has(a, OPT_IP))
        troth_policy_ip(b, args_value(a, OPT_IP, NULL));
    policies_use(a, b);
    if (args_has(a, OPT_EXPLICIT))
        troth_policy_require_explicit(b);
    if (args_has(a, OPT_NO_MAPPING))
        troth_policy_inhibit_mapping(b);
    if (args_has(a, OPT_NO_ANY))
        troth_policy_inhibit_any(b);
    if (args_has(a, OPT_EXPLAIN_PATHS) || args_has(a, OPT_VERBOSE))
        troth_policy_every_check(b);
    trust_suffixes(b, SUFFIXES_ALL);
    return EXIT_OK;
}

/* What a policy that could not be built means for the exit status: bytes that are no certificates are a
 * rejection. */
static int refuse(const struct args *a, const troth_error *e)
{
    static const enum troth_reason usage[] = { TROTH_R_BAD_ARGUMENT };
    int status = EXIT_FINDING;
    for (size_t i = 0; i < sizeof usage / sizeof *usage; i++)
        status = e->reason == usage[i] ? EXIT_USAGE : status;
    if (e->reason == TROTH_R_TRUST_UNREADABLE)
        status = EXIT_FILE;
    if (status != EXIT_FINDING)
        return complain(a, status, "%s: %s", e->text, e->detail);
    show_error(a, e);
    return status;
}

static troth_policy_builder *policy_begin(const struct args *a, int *status)
{
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    *status = trust_roots(a, b);
    if (*status == EXIT_OK)
        *status = trust_evidence(a, b);
    if (*status == EXIT_OK)
        *status = ocsp_use(a, b);
    if (*status == EXIT_OK)
        *status = rules_use(a, b);
    if (*status == EXIT_OK)
        return b;
    troth_policy_builder_free(b);
    return NULL;
}

static troth_policy *policy_end(const struct args *a, troth_policy_builder *b, int *status)
{
    troth_error err;
    troth_policy *p = b ? troth_policy_build(b, &err) : NULL;
    if (b && !p)
        *status = refuse(a, &err);
    return p;
}

/* ---- the question */

static bool is_bundle(const struct files *fs, int n_operands)
{
    if (n_operands > 1)
        return true;
    if (!fs->n)
        return false;
    const uint8_t *at = fs->list[0].p, *end = at + fs->list[0].n;
    unsigned n = 0;
    while (at < end && (at = memmem(at, (size_t)(end - at), "-----BEGIN CERTIFICATE-----", 27)) != NULL)
        n++, at += 27;
    return n > 1;
}

static int certs_take(const struct args *a, struct files *fs)
{
    static const enum opt which[] = { OPT_INTERMEDIATES, OPT_UNTRUSTED };
    int status = EXIT_OK;
    for (int i = 0; status == EXIT_OK && i < a->n_operands; i++)
        status = file_take(a, fs, a->operands[i]);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; status == EXIT_OK && args_nth(a, which[k], i); i++)
            status = path_take(a, fs, args_nth(a, which[k], i));
    return status;
}

/* The first moment at which no path is accepted any more, and the report of that moment; NULL when memory ran
 * out. */
static troth_report *when_it_breaks(const troth_policy *p, troth_question *q, int64_t from, int64_t *when)
{
    int64_t t = from;
    for (int i = 0; i < BREAKS_MAX; i++) {
        q->time = t;
        troth_report *r = troth_ask(p, q);
        if (!troth_report_ok(r)) {
            *when = t;
            return r;
        }
        int64_t until = troth_report_until(r, NULL);
        if (until == INT64_MAX || i + 1 == BREAKS_MAX) {
            *when = INT64_MAX;
            return r;
        }
        troth_report_free(r);
        t = until + 1;
    }
    return NULL;
}

/* --ocsp, --crl-fetch: asks about the path that was accepted, and for a policy with the answers.  NULL: *status. */
static troth_policy *policy_asked(const struct args *a, const troth_report *r, int *status)
{
    long seconds;
    if (!args_number(a, OPT_TIMEOUT, 1, 86400, 10, &seconds)) {
        *status = EXIT_USAGE;
        return NULL;
    }
    struct inquiry q = { .a = a, .timeout_ms = (int)seconds * 1000, .policy = policy_begin(a, status) };
    if (!q.policy)
        return NULL;
    revoke_ask(&q, r);
    if (q.answers || troth_report_path(r, troth_report_accepted(r)).n_certs < 2)
        return policy_end(a, q.policy, status);
    troth_policy_builder_free(q.policy);
    troth_error e = revoke_unknown(&q);
    show_error(a, &e);
    *status = EXIT_FINDING;
    return NULL;
}

/* Judges, with what the authorities say where that is wanted.  Takes the policy.  NULL: *status, after a message. */
static troth_report *judge(const struct args *a, troth_policy **p, troth_question *q, int *status)
{
    troth_report *r = troth_ask(*p, q);
    if (troth_report_ok(r) && revoke_wanted(a)) {
        troth_policy *asked = policy_asked(a, r, status);
        troth_report_free(r);
        if (!asked)
            return NULL;
        troth_policy_free(*p);
        *p = asked;
        r = troth_ask(asked, q);
    }
    if (!r)
        *status = complain(a, EXIT_BUG, "memory ran out");
    return r;
}

/* Several files are one chain.  Whoever gave certificates of several servers would take the verdict on the first for that on all. */
static void warn_left_out(const struct args *a, const troth_report *r)
{
    const troth_span *certs;
    size_t n = troth_report_given(r, &certs), path = troth_report_accepted(r), n_path = troth_report_path(r, path).n_certs;
    troth_pki *w = troth_pki_new(troth_libcrypto());
    for (size_t i = 0; w && i < n; i++) {
        troth_cert_facts f = { .size = sizeof f };
        size_t file = troth_report_origin(r, (int)i).certs;
        bool used = file >= (size_t)a->n_operands;
        for (size_t k = 0; !used && k < n_path; k++) {
            int given = troth_report_cert(r, path, k).given;
            used = given >= 0 && certs[given].n == certs[i].n && !memcmp(certs[given].p, certs[i].p, certs[i].n);
        }
        if (!used && troth_pki_cert(w, certs[i], &f) && !f.ca)
            complain(a, EXIT_OK, "warning: %s: \"%s\" is not judged: several files are one chain, whose first certificate is; for each of several, troth verify once",
                     a->operands[file], f.title);
    }
    troth_pki_free(w);
}

static int question(const struct args *a, troth_policy **p, struct files *fs)
{
    int64_t at = (int64_t)time(NULL), when = INT64_MAX;
    int status = EXIT_OK;
    if (!time_take(a, &at))
        return EXIT_USAGE;
    troth_question q = { .size = sizeof q, .certs = fs->list, .n = fs->n, .any_order = is_bundle(fs, a->n_operands) };
    troth_report *r = judge(a, p, &q, &status), *later = NULL;
    if (!r)
        return status;
    if (troth_report_ok(r) && args_has(a, OPT_UNTIL))
        later = when_it_breaks(*p, &q, at, &when);
    show_report(a, r, later, when, (const char *const *)fs->paths);
    status = troth_report_ok(r) ? EXIT_OK : EXIT_FINDING;
    if (status == EXIT_OK && a->n_operands > 1)
        warn_left_out(a, r);
    troth_report_free(later);
    troth_report_free(r);
    return status;
}

int verb_VERIFY(const struct args *a)
{
    struct files fs = { 0 };
    int status = certs_take(a, &fs);
    troth_policy *p = status == EXIT_OK ? policy_end(a, policy_begin(a, &status), &status) : NULL;
    if (p)
        status = question(a, &p, &fs);
    troth_policy_free(p);
    files_free(&fs);
    return status;
}
