/* key.c - troth ca: keys, new ones of a kind that can be chosen, and those in files.  Must never leave what a file held in memory. */
#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "common/pki_files.h"

/* clang-format off */
static const struct {
    enum troth_key_type type;
    unsigned            rsa_bits;
} kinds[] = { { TROTH_KEY_P256, 0 }, { TROTH_KEY_P384, 0 }, { TROTH_KEY_P521, 0 }, { TROTH_KEY_ED25519, 0 },
              { TROTH_KEY_RSA, 2048 }, { TROTH_KEY_RSA, 3072 }, { TROTH_KEY_RSA, 4096 } };
/* clang-format on */

const troth_key *ca_new_key(struct ca *r, enum troth_key_type type, unsigned rsa_bits)
{
    static const char *const words[] = { "p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072", "rsa4096", NULL }; /* in the order of the table */
    int which = args_word(r->a, OPT_KEY_TYPE, words, -1);
    if (which < 0 && args_has(r->a, OPT_KEY_TYPE))
        return NULL;
    if (which >= 0) {
        type = kinds[which].type;
        rsa_bits = kinds[which].rsa_bits;
    }
    const troth_key *key = troth_pki_make_key(r->w, type ? type : TROTH_KEY_P256, rsa_bits);
    if (!key)
        (void)ca_failed(r);
    return key;
}

bool ca_is_key_of(struct ca *r, const troth_key *key, const troth_cert_facts *f)
{
    troth_span spki = troth_pki_public(r->w, key);
    return spki.n == f->spki.n && !memcmp(spki.p, f->spki.p, spki.n);
}

int ca_load_key(struct ca *r, const char *path, const troth_key **key)
{
    size_t n = 0;
    uint8_t *bytes = file_whole(r->a, path, FILE_MOST, &n);
    if (!bytes)
        return EXIT_FILE;
    *key = troth_pki_load_key(r->w, (troth_span){ bytes, n }, passphrase_from_file, (void *)(uintptr_t)r->a);
    explicit_bzero(bytes, n);
    free(bytes);
    return *key ? EXIT_OK : ca_unusable(r, path);
}
