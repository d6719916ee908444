/* ca_init.c - troth ca init: makes an authority, a certificate and its key. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca.h"
#include "tty.h"

static void authority_name(const struct ca *r, char *subject, size_t cap)
{
    char plain[200], host[65] = "";
    if (args_has(r->a, OPT_NAME)) {
        ca_common_name(subject, cap, args_value(r->a, OPT_NAME, ""));
        return;
    }
    gethostname(host, sizeof host - 1);
    snprintf(plain, sizeof plain, "troth development CA%s%.40s", *host ? " on " : "", host);
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
static int asked(struct ca *r, const char *constraints[ARG_VALUES_MAX + 1])
{
    const char *name = args_value(r->a, OPT_NAME, "name");
    if (r->a->n_operands > 1)
        return complain(r->a, EXIT_USAGE, "init takes no names: they come with issue (to limit the authority: --constrain NAME)");
    for (size_t i = 0; args_nth(r->a, OPT_CONSTRAIN, i); i++)
        if (*(constraints[i] = args_nth(r->a, OPT_CONSTRAIN, i)) == '.' || *constraints[i] == '*')
            return complain(r->a, EXIT_USAGE, "--constrain: `%s': without %s in front: the name itself and all below it are meant", constraints[i],
                            *constraints[i] == '.' ? "the dot" : "a star");
    if (!is_title(name))
        return complain(r->a, EXIT_USAGE, "--name: `%s' is empty, or not all of it can be read", name);
    if (strlen(name) > CA_CN_MOST)
        return complain(r->a, EXIT_USAGE, "--name: %zu bytes are too long: %d at most", strlen(name), CA_CN_MOST);
    return EXIT_OK;
}

static void tell(struct ca *r, troth_span cert, const char *cert_path, const char *key_path)
{
    char advice[CA_PATH + 300];
    bool here = !strcmp(r->dir, ".");
    snprintf(advice, sizeof advice,
             "next: trust that certificate where you test (troth connect --ca FILE, curl --cacert FILE), and make one for a server:\n"
             "  troth ca issue localhost 127.0.0.1 ::1%s%s\n", here ? "" : " --out ", here ? "" : r->dir);
    ca_report(r, "the authority", cert, cert_path, key_path, advice);
}

int ca_init(struct ca *r)
{
    char subject[600], cert_path[CA_PATH], key_path[CA_PATH];
    const char *constraints[ARG_VALUES_MAX + 1] = { NULL };
    long days;
    int64_t from, until;
    int status = asked(r, constraints);
    if (status == EXIT_OK)
        status = ca_dates(r, 3650, &days, &from, &until);
    if (status != EXIT_OK)
        return status;
    if (!ca_path(r, cert_path, "ca.pem") || !ca_path(r, key_path, "ca-key.pem"))
        return EXIT_USAGE;
    authority_name(r, subject, sizeof subject);
    troth_pki_spec spec = { .size = sizeof spec, .subject = subject, .not_before = from, .not_after = until, .ca = true, .has_path_len = true,
                            .permitted = constraints[0] ? constraints : NULL };
    const troth_key *key = troth_pki_make_key(r->w, TROTH_KEY_P256, 0);
    troth_span cert = troth_pki_self_sign(r->w, &spec, key), key_pem = troth_pki_key_pem(r->w, key);
    troth_span cert_pem = troth_pki_pem(r->w, "CERTIFICATE", cert);
    if (!cert_pem.n || !key_pem.n)
        return ca_failed(r);
    if (mkdir(r->dir, 0777) && errno != EEXIST)
        return complain(r->a, EXIT_FILE, "%s: %s", r->dir, strerror(errno));
    if (!ca_is_new(r, cert_path))
        return EXIT_FILE;
    status = ca_write_pair(r, cert_path, cert_pem, key_path, key_pem);
    if (status == EXIT_OK)
        tell(r, cert, cert_path, key_path);
    return status;
}
