/* files.c - the files that an authority gives out: their names, and how they are written.
 *
 * Must never overwrite a file that cannot be made again, and never leave a key that others can read. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/ca.h"
#include "common/idn.h"
#include "common/pki_files.h"

/* The authority's own files are nobody's certificate. */
static bool is_own(const char *stem)
{
    static const char *const own[] = { "ca", "ca-key", "root", "root-key", "crl" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (!strcasecmp(stem, own[i]))
            return true;
    return false;
}

void ca_file_names(const char *name, bool client, char *cert, char *key, size_t cap)
{
    char stem[300] = "";
    size_t n = 0;
    if (!strncmp(name, "*.", 2)) {
        n = (size_t)snprintf(stem, sizeof stem, "_wildcard");
        name++;
    }
    for (; *name && n + 20 < sizeof stem; name++) {
        bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9') || *name == '-' ||
                     (*name == '.' && n);
        stem[n++] = plain ? *name : '_';
    }
    const char *apart = !client && is_own(stem) ? "_" : "", *use = client ? "-client" : "";
    snprintf(cert, cap, "%s%s%s.pem", apart, stem, use);
    snprintf(key, cap, "%s%s%s-key.pem", apart, stem, use);
}

bool ca_is_file(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool ca_beside(char out[CA_PATH], const char *path, const char *ending)
{
    size_t n = strlen(path);
    bool pem = n > 4 && !strcmp(path + n - 4, ".pem");
    int m = snprintf(out, CA_PATH, "%.*s%s", (int)(pem ? n - 4 : n), path, ending);
    return m > 0 && m < CA_PATH;
}

int ca_find_cert(struct ca *r, char path[CA_PATH])
{
    char cert[340], key[340], ascii[256];
    const char *what = r->a->operands[1], *why = NULL;
    if (ca_is_file(what)) {
        snprintf(path, CA_PATH, "%s", what);
        return EXIT_OK;
    }
    const char *name = idn_ascii(ascii, sizeof ascii, bare_name(what), &why);
    if (!name)
        return complain(r->a, EXIT_USAGE, "`%s': %s", what, why);
    for (int client = args_has(r->a, OPT_CLIENT); client < 2; client++) {
        ca_file_names(name, client, cert, key, sizeof cert);
        if (!ca_path(r, path, cert))
            return EXIT_USAGE;
        if (ca_is_file(path))
            return EXIT_OK;
    }
    return complain(r->a, EXIT_FILE, "`%s' is no file, nor a name whose certificate lies in %s; see troth ca list", what, r->dir);
}

const char *ca_own_file(const struct ca *r, const char *path)
{
    char folder[CA_PATH];
    struct stat its, own;
    const char *slash = strrchr(path, '/');
    outfile_folder(folder, sizeof folder, path);
    bool same = !stat(folder, &its) && !stat(r->dir, &own) && its.st_dev == own.st_dev && its.st_ino == own.st_ino;
    return !same ? NULL : slash ? slash + 1 : path;
}

bool ca_replace(const char *path, troth_span bytes)
{
    struct outfile f;
    bool ok = outfile_open(&f, path, 0644) && outfile_put(&f, bytes.p, bytes.n);
    return outfile_close(&f, ok) && ok;
}

int ca_write_pair(struct ca *r, const char *cert_path, troth_span cert_pem, const char *key_path, troth_span key_pem)
{
    struct outfile cert, key = { .to = NULL };
    if (!cert_pem.n || (key_path && !key_pem.n))
        return ca_failed(r);
    if (key_path && !file_begin(r->a, &key, key_path, 0600, key_pem))
        return EXIT_FILE;
    bool ok = file_begin(r->a, &cert, cert_path, 0644, cert_pem);
    if (!ok || (key_path && !file_end(r->a, &key))) {
        (void)!outfile_close(&key, false);
        if (ok)
            (void)!outfile_close(&cert, false);
        return EXIT_FILE;
    }
    if (file_end(r->a, &cert))
        return EXIT_OK;
    if (key_path)
        unlink(key_path);
    return EXIT_FILE;
}
