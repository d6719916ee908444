/* ca.c - troth ca: a small authority for development.  `init` makes a root, `issue` a key and a certificate for names.
 *
 * Must never overwrite a file, never write a key that others can read, and never write a certificate that troth itself would refuse. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <troth/verify.h>
#include <unistd.h>

#include "args.h"
#include "idn.h"
#include "pki_files.h"
#include "tty.h"

enum { PATH_LONG = 4096, DAY = 86400, NAMES_MOST = 1000, DAYS_MOST = 36500, APPLE_DAYS = 825, CN_MOST = 64 };
/* Clocks of other machines are a little behind. */
enum { BACKDATE = 3600 };

struct run {
    const struct args *a;
    troth_pki         *w;
    const char        *dir;
    int64_t            now;
    uint8_t           *ca_file; /* the authority's certificate may point into it */
    char               ascii[NAMES_MOST][256]; /* international names */
};

static int failed(struct run *r)
{
    const troth_error *e = troth_pki_error(r->w);
    return complain_of(r->a, e->who == TROTH_WHO_YOU ? EXIT_USAGE : EXIT_BUG, e, NULL, e->detail);
}

/* What is in a file is not what it should be. */
static int unusable(struct run *r, const char *path)
{
    const troth_error *e = troth_pki_error(r->w);
    return complain_of(r->a, EXIT_FILE, e, path, e->detail);
}

static const char *path_in(const struct run *r, char *out, const char *name)
{
    int n = snprintf(out, PATH_LONG, "%s%s%s", strcmp(r->dir, ".") ? r->dir : "", strcmp(r->dir, ".") ? "/" : "", name);
    return n > 0 && n < PATH_LONG ? out : NULL;
}

/* RFC 4514 2.4: what must be escaped in a value. */
static void dn_value(char *out, size_t cap, const char *text)
{
    size_t n = 0;
    for (const char *s = text; *s && n + 3 < cap; s++) {
        bool edge = (*s == ' ' && (s == text || !s[1])) || (*s == '#' && s == text);
        if (edge || strchr(",+\"\\<>;=", *s))
            out[n++] = '\\';
        out[n++] = *s;
    }
    out[n] = 0;
}

/* What was made, in words or as JSON. */
static void report(struct run *r, const char *what, troth_span cert, const char *cert_path, const char *key_path, const char *advice)
{
    troth_cert_facts f = { .size = sizeof f };
    char until[40];
    if (args_has(r->a, OPT_QUIET) || !troth_pki_cert(r->w, cert, &f))
        return;
    time_words(until, sizeof until, f.not_after);
    if (args_has(r->a, OPT_JSON)) {
        json_t *names = json_array();
        for (size_t i = 0; f.names[i]; i++)
            json_array_append_new(names, json_string(f.names[i]));
        json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "schema", "troth.ca/1", "made", what, "subject", f.subject,
                              "issuer", f.issuer, "names", names, "not_after", until, "certificate", json_text(cert_path), "key", json_text(key_path));
        json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        putchar('\n');
        json_decref(o);
        return;
    }
    printf("made %s \"%s\", valid until %s\n", what, f.title, until);
    for (size_t i = 0; f.names[i]; i++)
        printf("  for          %s\n", f.names[i]);
    printf("  certificate  %s\n  private key  %s   (readable by you alone)\n%s", cert_path, key_path, advice);
}

/* Both files or none; the key first, so that no certificate lies about without its key. */
static int write_pair(struct run *r, const char *cert_path, troth_span cert_pem, const char *key_path, troth_span key_pem)
{
    if (!access(cert_path, F_OK))
        return complain(r->a, EXIT_FILE, "%s is there already, and is not overwritten: move it away, or choose another --out DIR",
                        cert_path);
    if (!file_new(r->a, key_path, 0600, key_pem))
        return EXIT_FILE;
    if (!file_new(r->a, cert_path, 0644, cert_pem)) {
        unlink(key_path);
        return EXIT_FILE;
    }
    return EXIT_OK;
}

/* ---- init */

static const char *authority_name(const struct run *r, char *subject, size_t cap)
{
    char plain[200], escaped[500], host[65] = "";
    if (args_has(r->a, OPT_NAME)) {
        snprintf(plain, sizeof plain, "%s", args_value(r->a, OPT_NAME, ""));
    } else {
        gethostname(host, sizeof host - 1);
        snprintf(plain, sizeof plain, "troth development CA%s%.40s", *host ? " on " : "", host);
    }
    dn_value(escaped, sizeof escaped, plain);
    snprintf(subject, cap, "CN=%s", escaped);
    return subject;
}

static bool is_title(const char *text)
{
    for (size_t n, i = 0; text[i]; i += n)
        if (!(n = char_printable(text + i)) || text[i] == '\n')
            return false;
    return *text != 0;
}

static int init(struct run *r)
{
    char subject[600], cert_path[PATH_LONG], key_path[PATH_LONG], advice[PATH_LONG + 300];
    const char *constraints[ARG_VALUES_MAX + 1] = { NULL };
    long days;
    if (r->a->n_operands > 1)
        return complain(r->a, EXIT_USAGE, "init takes no names: they come with issue (to limit the authority: --constrain NAME)");
    if (!args_number(r->a, OPT_DAYS, 1, DAYS_MOST, 3650, &days))
        return EXIT_USAGE;
    int64_t from = r->now - BACKDATE;
    if (args_has(r->a, OPT_STARTS) && !args_time(r->a, OPT_STARTS, &from))
        return EXIT_USAGE;
    for (size_t i = 0; args_nth(r->a, OPT_CONSTRAIN, i); i++)
        if (*(constraints[i] = args_nth(r->a, OPT_CONSTRAIN, i)) == '.' || *constraints[i] == '*')
            return complain(r->a, EXIT_USAGE, "--constrain: `%s': without %s in front: the name itself and all below it are meant", constraints[i],
                            *constraints[i] == '.' ? "the dot" : "a star");
    const char *name = args_value(r->a, OPT_NAME, "name");
    if (!is_title(name))
        return complain(r->a, EXIT_USAGE, "--name: `%s' is empty, or not all of it can be read", name);
    if (strlen(name) > CN_MOST)
        return complain(r->a, EXIT_USAGE, "--name: %zu bytes are too long: %d at most", strlen(name), CN_MOST); /* RFC 5280 A.1, ub-common-name */
    if (!path_in(r, cert_path, "ca.pem") || !path_in(r, key_path, "ca-key.pem"))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    troth_pki_spec spec = { .size = sizeof spec, .subject = authority_name(r, subject, sizeof subject), .not_before = from,
                            .not_after = (args_has(r->a, OPT_STARTS) ? from : r->now) + days * DAY, .ca = true, .has_path_len = true,
                            .permitted = constraints[0] ? constraints : NULL };
    const troth_key *key = troth_pki_make_key(r->w, TROTH_KEY_P256, 0);
    troth_span cert = troth_pki_self_sign(r->w, &spec, key), key_pem = troth_pki_key_pem(r->w, key);
    troth_span cert_pem = troth_pki_pem(r->w, "CERTIFICATE", cert);
    if (!cert_pem.n || !key_pem.n)
        return failed(r);
    if (mkdir(r->dir, 0777) && errno != EEXIST)
        return complain(r->a, EXIT_FILE, "%s: %s", r->dir, strerror(errno));
    int status = write_pair(r, cert_path, cert_pem, key_path, key_pem);
    bool here = !strcmp(r->dir, ".");
    snprintf(advice, sizeof advice,
             "next: trust that certificate where you test (troth connect --ca FILE, curl --cacert FILE), and make one for a server:\n"
             "  troth ca issue localhost 127.0.0.1 ::1%s%s\n", here ? "" : " --out ", here ? "" : r->dir);
    if (status == EXIT_OK)
        report(r, "the authority", cert, cert_path, key_path, advice);
    return status;
}

/* ---- issue */

struct authority {
    troth_span       cert;
    const troth_key *key;
    int64_t          not_before, not_after;
};

static int authority_load(struct run *r, struct authority *ca)
{
    char path[PATH_LONG];
    const troth_object *list;
    size_t n = 0;
    troth_cert_facts f = { .size = sizeof f };
    if (!path_in(r, path, "ca.pem"))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    if (access(path, F_OK))
        return complain(r->a, EXIT_FILE, "%s: %s; make an authority first: troth ca init%s%s", path, strerror(errno),
                        args_has(r->a, OPT_OUT) ? " --out " : "", args_has(r->a, OPT_OUT) ? r->dir : "");
    r->ca_file = file_whole(r->a, path, FILE_MOST, &n);
    if (!r->ca_file)
        return EXIT_FILE;
    if (!troth_pki_read(r->w, (troth_span){ r->ca_file, n }, &list))
        return unusable(r, path);
    if (strcmp(list[0].kind, "certificate") != 0)
        return complain(r->a, EXIT_FILE, "%s: this is %s, not a certificate", path, list[0].what);
    ca->cert = list[0].der;
    if (!troth_pki_cert(r->w, ca->cert, &f))
        return unusable(r, path);
    ca->not_before = f.not_before;
    ca->not_after = f.not_after;
    if (!path_in(r, path, "ca-key.pem"))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    uint8_t *bytes = file_whole(r->a, path, FILE_MOST, &n);
    if (!bytes)
        return EXIT_FILE;
    ca->key = troth_pki_load_key(r->w, (troth_span){ bytes, n }, passphrase_from_file, (void *)(uintptr_t)r->a);
    explicit_bzero(bytes, n);
    free(bytes);
    if (!ca->key)
        return unusable(r, path);
    troth_span spki = troth_pki_public(r->w, ca->key);
    if (spki.n == f.spki.n && !memcmp(spki.p, f.spki.p, spki.n))
        return EXIT_OK;
    return complain(r->a, EXIT_FILE, "%s: the key is not that of the certificate beside it, ca.pem: they are from two authorities; bring the right one back, or make "
                    "another authority in another folder", path);
}

/* A name as part of a file's name: "*.example" -> "_wildcard.example", "::1" -> "__1". */
static void file_stem(char *out, size_t cap, const char *name)
{
    size_t n = 0;
    if (!strncmp(name, "*.", 2)) {
        n = (size_t)snprintf(out, cap, "_wildcard");
        name++;
    }
    for (; *name && n + 20 < cap; name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') || *name == '-' ||
                     (*name == '.' && n);
        out[n++] = plain ? *name : '_';
    }
    out[n] = 0;
}

/* Is this certificate accepted for `name`, by troth's own rules? */
static bool acceptable(struct run *r, const struct authority *ca, troth_span cert, const char *name, int64_t at, bool client)
{
    troth_error e;
    char host[300];
    bool ip = strchr(name, ':') || !name[strspn(name, "0123456789.")];
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, troth_pki_pem(r->w, "CERTIFICATE", ca->cert));
    troth_policy *p = troth_policy_build(b, &e);
    troth_question q = { .size = sizeof q, .certs = &cert, .n = 1, .time = at,
                         .purpose = client ? TROTH_PURPOSE_CLIENT : TROTH_PURPOSE_SERVER };
    snprintf(host, sizeof host, "%s%s", !strncmp(name, "*.", 2) ? "x" : "", !strncmp(name, "*.", 2) ? name + 1 : name);
    if (!client && !strchr(name, '@') && !strstr(name, "://")) {
        q.host = ip ? NULL : host;
        q.ip = ip ? host : NULL;
    }
    troth_report *report = p ? troth_ask(p, &q) : NULL;
    bool ok = troth_report_ok(report);
    if (!ok) {
        const troth_error *why = report ? troth_report_error(report) : &e;
        complain(r->a, EXIT_USAGE, "this authority cannot issue for %s: %s: %s   [%s]", name, why->text, why->detail, why->code);
    }
    troth_report_free(report);
    troth_policy_free(p);
    return ok;
}

static int dates(struct run *r, const struct authority *ca, troth_pki_spec *s)
{
    char begins[40];
    long days = 0; /* gcc does not see that args_number always sets it */
    int64_t from = r->now - BACKDATE;
    if (!args_number(r->a, OPT_DAYS, 1, DAYS_MOST, 30, &days) || (args_has(r->a, OPT_STARTS) && !args_time(r->a, OPT_STARTS, &from)))
        return EXIT_USAGE;
    s->not_before = from;
    s->not_after = (args_has(r->a, OPT_STARTS) ? from : r->now) + days * DAY;
    if (days > APPLE_DAYS && !args_has(r->a, OPT_CLIENT) && !args_has(r->a, OPT_QUIET))
        complain(r->a, 0, "%ld days are long: Apple's systems take no server's certificate of more than %d, whoever issued it", days, APPLE_DAYS);
    if (ca->not_after < r->now)
        return complain(r->a, EXIT_USAGE, "the authority has expired; make another one");
    if (s->not_after > ca->not_after) {
        s->not_after = ca->not_after;
        if (!args_has(r->a, OPT_QUIET))
            complain(r->a, 0, "the authority ends before that: so does the certificate");
    }
    if (s->not_before < ca->not_before && args_has(r->a, OPT_STARTS)) {
        time_words(begins, sizeof begins, ca->not_before);
        return complain(r->a, EXIT_USAGE, "--not-before: the authority itself is valid from %s on; give a later time, or make an authority with "
                        "troth ca init --not-before", begins);
    }
    if (s->not_before < ca->not_before)
        s->not_before = ca->not_before;
    return s->not_after > s->not_before
               ? EXIT_OK
               : complain(r->a, EXIT_USAGE, "nothing is left of these dates within the authority's own");
}

static int issue(struct run *r)
{
    struct authority ca = { 0 };
    const char *names[NAMES_MOST + 1] = { NULL };
    char subject[200], escaped[150], stem[300], file[340], cert_path[PATH_LONG], key_path[PATH_LONG];
    bool client = args_has(r->a, OPT_CLIENT);
    int n = r->a->n_operands - 1;
    if (n < 1)
        return complain(r->a, EXIT_USAGE, "issue needs a name or an address: troth ca issue localhost 127.0.0.1");
    if (n > NAMES_MOST)
        return complain(r->a, EXIT_USAGE, "%d names are too many: %d at most", n, NAMES_MOST);
    for (int i = 0; i < n; i++) {
        const char *why = NULL;
        names[i] = idn_ascii(r->ascii[i], sizeof r->ascii[i], r->a->operands[i + 1], &why);
        if (!names[i])
            return complain(r->a, EXIT_USAGE, "`%s': %s", r->a->operands[i + 1], why);
    }
    int status = authority_load(r, &ca);
    troth_pki_spec spec = { .size = sizeof spec, .names = names, .uses = client ? TROTH_USE_CLIENT : TROTH_USE_SERVER };
    if (status == EXIT_OK)
        status = dates(r, &ca, &spec);
    if (status != EXIT_OK)
        return status;
    if (strlen(names[0]) <= CN_MOST) {
        dn_value(escaped, sizeof escaped, names[0]);
        snprintf(subject, sizeof subject, "CN=%s", escaped);
        spec.subject = subject;
    }
    file_stem(stem, sizeof stem, names[0]);
    snprintf(file, sizeof file, "%s%s.pem", stem, client ? "-client" : "");
    bool fits = path_in(r, cert_path, file);
    snprintf(file, sizeof file, "%s%s-key.pem", stem, client ? "-client" : "");
    if (!fits || !path_in(r, key_path, file))
        return complain(r->a, EXIT_USAGE, "the path is too long");
    const troth_key *key = troth_pki_make_key(r->w, TROTH_KEY_P256, 0);
    troth_span cert = troth_pki_issue(r->w, &spec, key, ca.cert, ca.key), key_pem = troth_pki_key_pem(r->w, key);
    troth_span cert_pem = troth_pki_pem(r->w, "CERTIFICATE", cert);
    if (!cert_pem.n || !key_pem.n)
        return failed(r);
    int64_t at = spec.not_before > r->now || spec.not_after < r->now ? spec.not_before : r->now;
    for (int i = 0; i < n; i++)
        if (!acceptable(r, &ca, cert, names[i], at, client))
            return EXIT_USAGE;
    status = write_pair(r, cert_path, cert_pem, key_path, key_pem);
    if (status == EXIT_OK)
        report(r, client ? "a client certificate" : "a server certificate", cert, cert_path, key_path, "");
    return status;
}

/* What only the other one of the two understands. */
static bool fits(const struct args *a, bool is_init)
{
    static const struct {
        enum opt opt;
        bool     init;
    } rows[] = { { OPT_CONSTRAIN, true }, { OPT_NAME, true }, { OPT_CLIENT, false }, { OPT_PASS_FILE, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (args_has(a, rows[i].opt) && rows[i].init != is_init) {
            complain(a, EXIT_USAGE, "--%s goes with troth ca %s", opt_name(rows[i].opt), is_init ? "issue" : "init");
            return false;
        }
    return true;
}

int verb_CA(const struct args *a)
{
    struct run r = { .a = a, .dir = args_value(a, OPT_OUT, "."), .now = (int64_t)time(NULL) };
    const char *verb = a->operands[0];
    bool is_init = !strcmp(verb, "init");
    if (!is_init && strcmp(verb, "issue") != 0)
        return complain(a, EXIT_USAGE, "\"%s\" is neither init nor issue", verb);
    if (!fits(a, is_init))
        return EXIT_USAGE;
    r.w = troth_pki_new(troth_libcrypto());
    if (!r.w)
        return complain(a, EXIT_BUG, "libcrypto cannot be used, or memory ran out");
    int status = is_init ? init(&r) : issue(&r);
    troth_pki_free(r.w);
    free(r.ca_file);
    return status;
}
