/* ca_files.c - the files that an authority gives out: their names, and how they are written.
 *
 * Must never overwrite a file, and never leave a key that others can read. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca.h"
#include "pki_files.h"

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
    snprintf(cert, cap, "%s%s.pem", stem, client ? "-client" : "");
    snprintf(key, cap, "%s%s-key.pem", stem, client ? "-client" : "");
}

const char *ca_own_file(const struct ca *r, const char *path)
{
    size_t n = strlen(r->dir);
    const char *name = !strncmp(path, r->dir, n) && path[n] == '/' ? path + n + 1 : strcmp(r->dir, ".") ? NULL : path;
    return name && !strchr(name, '/') ? name : NULL;
}

int ca_write_pair(struct ca *r, const char *cert_path, troth_span cert_pem, const char *key_path, troth_span key_pem)
{
    if (key_path && !file_new(r->a, key_path, 0600, key_pem))
        return EXIT_FILE;
    if (!file_new(r->a, cert_path, 0644, cert_pem)) {
        if (key_path)
            unlink(key_path);
        return EXIT_FILE;
    }
    return EXIT_OK;
}
