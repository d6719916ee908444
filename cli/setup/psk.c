/* psk.c - a file of keys, one a line: IDENTITY:KEY, the key in hexadecimal, as GnuTLS writes them.  Must never leave a key in memory that it
 * handed on, nor show one in a message. */
#include "setup/psk.h"

#include <stdlib.h>
#include <string.h>

#include "common/digits.h"
#include "common/pki_files.h"
#include "setup/setup.h"

enum { PSK_FILE_MOST = 1 << 20, KEY_MOST = 255, KEY_LEAST = 16 };

/* Length; 0: it is none. */
static size_t key_of(const char *hex, size_t digits, uint8_t key[KEY_MOST])
{
    if (digits % 2 || digits > 2 * KEY_MOST || digits < 2 * KEY_LEAST)
        return 0;
    return hex_bytes(key, hex, digits / 2) ? digits / 2 : 0;
}

static bool add(const struct args *a, troth_builder *b, const char *line, size_t n, enum troth_hash_id hash)
{
    const char *colon = memrchr(line, ':', n), *context = args_value(a, OPT_PSK_IMPORT, NULL);
    uint8_t key[KEY_MOST];
    size_t identity_n = colon ? (size_t)(colon - line) : 0, key_n = colon ? key_of(colon + 1, n - identity_n - 1, key) : 0;
    troth_span identity = { (const uint8_t *)line, identity_n };
    bool ok = identity_n && key_n;
    if (ok && context)
        troth_psk_import(b, identity, (troth_span){ key, key_n }, (troth_span){ (const uint8_t *)context, strlen(context) }, hash);
    else if (ok)
        troth_psk(b, identity, (troth_span){ key, key_n }, hash);
    explicit_bzero(key, sizeof key);
    return ok;
}

static int hash_of(const struct args *a)
{
    static const char *const words[] = { "sha256", "sha384", NULL };
    return args_word(a, OPT_PSK_HASH, words, 0);
}

bool psk_text(const struct args *a, troth_builder *b, char *text, size_t n, const char *path)
{
    size_t number = 0, found = 0;
    int hash = hash_of(a);
    for (char *p = text, *end = text + n; p < end;) {
        char *eol = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((eol ? eol : end) - p);
        size_t bare = length && p[length - 1] == '\r' ? length - 1 : length;
        number++;
        if (bare && *p != '#' && !add(a, b, p, bare, hash == 1 ? TROTH_SHA384 : TROTH_SHA256)) {
            complain(a, EXIT_FILE, "--psk: line %zu of %s is not IDENTITY:KEY with a key of %d to %d bytes in hexadecimal", number, path, KEY_LEAST, KEY_MOST);
            return false;
        }
        found += bare && *p != '#';
        p += length + 1;
    }
    return found || complain(a, EXIT_FILE, "--psk: %s has no key: write a line IDENTITY:KEY, the key in hexadecimal", path) == EXIT_OK;
}

bool psk_options(const struct args *a, troth_builder *b, int *status)
{
    const char *path = args_value(a, OPT_PSK, NULL);
    int hash = hash_of(a);
    size_t n;
    *status = hash < 0 ? EXIT_USAGE : EXIT_FILE;
    if (hash < 0 || !path)
        return hash >= 0;
    uint8_t *file = file_whole(a, path, PSK_FILE_MOST, &n);
    bool ok = file && psk_text(a, b, (char *)file, n, path);
    if (file)
        explicit_bzero(file, n);
    free(file);
    return ok && !setup_mistake(a, b, path);
}
