/* defaults.c - what a builder starts with.  One place, so that it can be read as a policy:
 *
 * TLS 1.3 and 1.2; AEAD suites only; (EC)DHE or hybrid key exchange only, post-quantum first; no signature with
 * SHA-1; no compression of data; no renegotiation; no 0-RTT.  What is not here needs no flag. */
#include "api/api.h"
#include "wire/registry.h"

/* clang-format off */
static const uint16_t groups[] = {
    GROUP_X25519MLKEM768, GROUP_x25519, GROUP_secp256r1, GROUP_secp384r1, GROUP_secp521r1,
    GROUP_SecP256r1MLKEM768, GROUP_SecP384r1MLKEM1024, GROUP_MLKEM1024, 0
};
/* clang-format on */

uint16_t default_group(size_t i)
{
    return groups[i];
}

void defaults(struct troth_builder *b)
{
    struct config *c = &b->config;
    c->least = TROTH_TLS12;
    c->most = TROTH_TLS13;
    c->request_ocsp = !c->is_server;
    c->tickets = 2;
    c->ticket_lifetime = 86400;
    c->max_fragment = LIMIT_PLAINTEXT;
    c->grease = true;
    c->compressors = compressors_built_in(&c->n_compressors);
    c->middlebox = true;
    c->most_certificate = LIMIT_CERTIFICATE_MESSAGE;
    c->name_authorities = c->is_server;
    c->padding = TROTH_PAD_NONE;
}
