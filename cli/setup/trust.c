/* trust.c - whom to trust, from the options: roots, the system's store, CRLs, public suffixes, logs.  The only place of the program that
 * reads SSL_CERT_FILE and SSL_CERT_DIR. */
#include "setup/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#ifdef HAVE_PSL
#include <libpsl.h>
#endif

#include "common/pki_files.h"
#include "setup/ct_logs.h"

#ifdef HAVE_PSL
static bool is_suffix(void *ctx, const char *domain)
{
    return psl_is_public_suffix2(ctx, domain, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

static bool is_registrys(void *ctx, const char *domain)
{
    return psl_is_public_suffix2(ctx, domain, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE);
}
#endif

void trust_suffixes(troth_policy_builder *b, enum suffixes which)
{
#ifdef HAVE_PSL
    const psl_ctx_t *psl = psl_builtin();
    if (psl)
        troth_policy_public_suffix(b, which == SUFFIXES_ALL ? is_suffix : is_registrys, (void *)(uintptr_t)psl);
#else
    (void)b, (void)which;
#endif
}

void trust_system(troth_policy_builder *b)
{
    const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
    if (file && *file)
        troth_policy_trust_file(b, file);
    else if (dir && *dir)
        troth_policy_trust_dir(b, dir);
    else
        troth_policy_trust_system(b);
}

const char *trust_system_place(size_t i)
{
    static const char *const usual[] = { "/etc/ssl/certs", "/etc/pki/tls/certs" };
    const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
    const char *named = file && *file ? file : dir && *dir ? dir : NULL;
    return named ? (i ? NULL : named) : i < sizeof usual / sizeof usual[0] ? usual[i] : NULL;
}

/* A file or a directory, to the setter that takes it; false after a message: there is none. */
static bool path_use(const struct args *a, troth_policy_builder *b, const char *path, void (*file)(troth_policy_builder *, const char *),
                     void (*dir)(troth_policy_builder *, const char *))
{
    struct stat st;
    if (stat(path, &st)) {
        complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
        return false;
    }
    (S_ISDIR(st.st_mode) ? dir : file)(b, path);
    return true;
}

static const enum opt roots[] = { OPT_CA, OPT_ROOTS };
enum { ROOTS = sizeof roots / sizeof roots[0] };

const char *const trust_profiles[] = { "web", "rfc5280", "lint", "path", NULL };

unsigned trust_kinds(const struct args *a)
{
    unsigned kinds = 0;
    for (size_t k = 0; k < ROOTS; k++)
        for (size_t i = 0; args_nth(a, roots[k], i); i++)
            kinds |= strcmp(args_nth(a, roots[k], i), "system") ? TRUST_GIVEN : TRUST_SYSTEM;
    return kinds ? kinds : TRUST_SYSTEM;
}

int trust_profile_named(const char *name)
{
    for (int i = 0; trust_profiles[i]; i++)
        if (!strcmp(trust_profiles[i], name))
            return i;
    return -1;
}

int trust_profile(const struct args *a)
{
    bool own = trust_kinds(a) & TRUST_GIVEN;
    return args_word(a, OPT_PROFILE, trust_profiles, own && a->verb != VERB_VERIFY ? TROTH_PROFILE_RFC5280 : TROTH_PROFILE_WEB);
}

/* Every --ca and --roots; the system's where there is none.  A file that cannot be opened is no verdict. */
int trust_roots(const struct args *a, troth_policy_builder *b)
{
    size_t n = 0;
    if (args_has(a, OPT_PASS_FILE))
        troth_policy_passphrase(b, passphrase_from_file, (void *)(uintptr_t)a);
    for (size_t k = 0; k < ROOTS; k++)
        for (size_t i = 0; args_nth(a, roots[k], i); i++, n++) {
            const char *path = args_nth(a, roots[k], i);
            if (!strcmp(path, "system"))
                trust_system(b);
            else if (!path_use(a, b, path, troth_policy_trust_file, troth_policy_trust_dir))
                return EXIT_FILE;
        }
    if (!n)
        trust_system(b);
    return EXIT_OK;
}

static int crls_use(const struct args *a, troth_policy_builder *b)
{
    static const enum opt which[] = { OPT_CRL, OPT_CRLS };
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; args_nth(a, which[k], i); i++)
            if (!path_use(a, b, args_nth(a, which[k], i), troth_policy_crl_file, troth_policy_crl_dir))
                return EXIT_FILE;
    return EXIT_OK;
}

static int revocation_use(const struct args *a, troth_policy_builder *b)
{
    static const char *const words[] = { "soft", "hard", "off", NULL }; /* in the order of enum troth_revocation, behind its default */
    int how = args_word(a, OPT_REVOCATION, words, -1);
    if (how >= 0)
        troth_policy_revocation(b, (enum troth_revocation)(TROTH_REVOCATION_SOFT + how));
    return how >= 0 || !args_has(a, OPT_REVOCATION) ? EXIT_OK : EXIT_USAGE;
}

int trust_evidence(const struct args *a, troth_policy_builder *b)
{
    int status = revocation_use(a, b);
    if (status == EXIT_OK)
        status = crls_use(a, b);
    return status == EXIT_OK ? ct_logs_use(a, b) : status;
}
