/* published.c - the list that is there already, in crl.pem: does it know more than the records?
 *
 * Must never let records that were lost, or are an old copy, take back what was revoked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "common/pki_files.h"

/* The first row of that name; "": there is none. */
static const char *row(const troth_fact *f, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (f[i].key && !strcmp(f[i].key, key) && f[i].text)
            return f[i].text;
    return "";
}

/* Whoever signed: who is called so, and has that key where both say it. */
static bool is_by(struct ca *r, const struct authority *by, const troth_fact *crl, size_t n)
{
    const troth_object *cert;
    const troth_fact *f;
    if (strcmp(row(crl, n, "issuer"), by->f.subject) != 0 || !troth_pki_read(r->w, by->cert, &cert))
        return false;
    size_t m = troth_pki_describe(r->w, cert, r->now, NULL, NULL, &f);
    const char *key = row(f, m, "subject_key_id"), *its_key = row(crl, n, "authority_key_id");
    return !*key || !*its_key || !strcmp(key, its_key);
}

/* Hexadecimal, as many as 20 bytes (RFC 5280 5.2.3), of which ours take 8. */
static uint64_t number_in(const char *text)
{
    text += strspn(text, "0");
    return strlen(text) > 16 ? UINT64_MAX : strtoull(text, NULL, 16);
}

static int compare(struct ca *r, const struct authority *by, const troth_object *list, const char *path)
{
    const troth_fact *f;
    int64_t next;
    size_t n = troth_pki_describe(r->w, list, r->now, NULL, NULL, &f);
    if (!is_by(r, by, f, n))
        return EXIT_OK;
    int status = records_crl_number(r->records, (troth_span){ by->f.spki_sha256, 32 }, &next);
    uint64_t number = number_in(row(f, n, "number"));
    if (status != EXIT_OK || number < (uint64_t)next)
        return status;
    return complain(r->a, EXIT_FILE, "%s: it is number %llu, and the records, ca.db, know of %lld: they were lost, or are an old copy, and do not have all that it "
                    "revokes.  Bring the newest ca.db back; or move this list away, and revoke again what it has (troth inspect)", path,
                    (unsigned long long)number, (long long)next - 1);
}

int crl_not_behind(struct ca *r, const struct authority *by, size_t n)
{
    char path[CA_PATH];
    const troth_object *list;
    troth_span bytes;
    if (!ca_path(r, path, "crl.pem"))
        return EXIT_USAGE;
    if (!ca_is_file(path))
        return EXIT_OK;
    int status = ca_hold(r, path, &bytes);
    size_t lists = status == EXIT_OK ? troth_pki_read(r->w, bytes, &list) : 0;
    if (!lists)
        troth_pki_go_on(r->w); /* what cannot be read is replaced */
    for (size_t i = 0; status == EXIT_OK && i < lists; i++) {
        if (strcmp(list[i].kind, "crl") != 0 && list[i].pem.n)
            return complain(r->a, EXIT_FILE, "%s: this is %s, which is not overwritten by a revocation list: move it away", path, list[i].what);
        for (size_t k = 0; status == EXIT_OK && k < n && !strcmp(list[i].kind, "crl"); k++)
            status = compare(r, &by[k], &list[i], path);
    }
    return status;
}
