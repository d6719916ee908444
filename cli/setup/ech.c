/* ech.c - troth ech keygen: a key for Encrypted Client Hello (RFC 9849); and the options that use one.  Must never overwrite a file, nor
 * write a key that others can read. */
#include "setup/ech.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/pki_files.h"
#include "setup/setup.h"

enum { ECH_MOST = 1 << 20 };

int verb_ECH(const struct args *a)
{
    troth_ech_pair pair;
    troth_error why;
    char pem[2048];
    const char *name = args_value(a, OPT_PUBLIC_NAME, NULL), *path = args_value(a, OPT_OUTPUT, NULL);
    if (strcmp(a->operands[0], "keygen") != 0)
        return complain(a, EXIT_USAGE, "`%s' is not something to do; write: troth ech keygen --public-name NAME", a->operands[0]);
    if (!name)
        return complain(a, EXIT_USAGE, "--public-name is missing: the name that everybody may see, and that the server has a certificate for");
    troth_provider *crypto = troth_libcrypto();
    bool ok = troth_ech_make(crypto, name, 0, &pair, &why);
    troth_provider_free(crypto);
    const char *colon = ok ? NULL : strstr(why.detail, ": ");
    if (!ok && why.reason == TROTH_R_BAD_ARGUMENT)
        return complain(a, EXIT_USAGE, "--public-name: %s", colon ? colon + 2 : why.detail);
    if (!ok)
        return complain(a, EXIT_BUG, "%s [%s]", why.detail, why.code);
    size_t n = troth_ech_pem(&pair, pem, sizeof pem);
    if (path && strcmp(path, "-") != 0)
        ok = file_new(a, path, 0600, (troth_span){ (const uint8_t *)pem, n });
    else
        ok = fwrite(pem, 1, n, stdout) == n && !fflush(stdout);
    explicit_bzero(&pair, sizeof pair);
    explicit_bzero(pem, sizeof pem);
    return ok && n ? EXIT_OK : EXIT_FILE;
}

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* Base64 as it stands in DNS becomes a PEM block, which the library reads. */
static void give_base64(troth_builder *b, const char *text, size_t n)
{
    static const char begin[] = "-----BEGIN ECHCONFIG-----\n", end[] = "\n-----END ECHCONFIG-----\n";
    char *pem = malloc(sizeof begin + n + sizeof end);
    if (!pem)
        return;
    memcpy(pem, begin, sizeof begin - 1);
    memcpy(pem + sizeof begin - 1, text, n);
    memcpy(pem + sizeof begin - 1 + n, end, sizeof end - 1);
    troth_ech_configs(b, (troth_span){ (const uint8_t *)pem, sizeof begin - 1 + n + sizeof end - 1 });
    free(pem);
}

bool ech_client_options(const struct args *a, troth_builder *b)
{
    const char *config = args_value(a, OPT_ECH_CONFIG, NULL);
    size_t n;
    if (args_has(a, OPT_ECH_GREASE))
        troth_ech_grease(b);
    if (!config)
        return true;
    if (access(config, F_OK) && strcmp(config, "-") != 0) {
        if (config[0] != 'A' || config[strspn(config, BASE64)]) {
            complain(a, EXIT_FILE, "--ech-config: %s: %s, and it is no ECHConfigList in base64 either", config, strerror(errno));
            return false;
        }
        give_base64(b, config, strlen(config));
        return !setup_mistake(a, b, "--ech-config");
    }
    uint8_t *p = file_whole(a, config, ECH_MOST, &n);
    if (!p)
        return false;
    if (n && p[0] == 'A') /* a length of less than 16 KB in base64 */
        give_base64(b, (const char *)p, n);
    else
        troth_ech_configs(b, (troth_span){ p, n });
    free(p);
    return !setup_mistake(a, b, config);
}

bool ech_server_options(const struct args *a, troth_builder *b)
{
    const char *path;
    for (size_t i = 0; (path = args_nth(a, OPT_ECH_KEY, i)); i++) {
        size_t n;
        uint8_t *p = file_whole(a, path, ECH_MOST, &n);
        if (!p)
            return false;
        troth_ech_key_pem(b, (troth_span){ p, n }, true);
        explicit_bzero(p, n);
        free(p);
        if (setup_mistake(a, b, path))
            return false;
    }
    return true;
}
