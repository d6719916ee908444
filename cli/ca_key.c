/* ca_key.c - troth ca: which keys there are to choose from. */
#include "ca.h"

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
