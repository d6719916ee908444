/* suite.h - what troth speaks: the cipher suites and signature schemes it can use, as tables of what they are made of.
 *
 * Everything IANA knows has a name in wire/registry.def; a row here means that troth can do it. */
#ifndef TLS_SUITE_H
#define TLS_SUITE_H

#include "crypto/provider.h"

/* How a TLS 1.2 suite authenticates; TLS 1.3 suites leave it to the signature schemes. */
enum suite_auth { SUITE_ANY_AUTH, SUITE_ECDSA, SUITE_RSA };

struct suite {
    uint16_t           id;
    uint16_t           version; /* the only one it may be used with: TROTH_TLS13 or TROTH_TLS12 */
    enum troth_hash_id hash;    /* of the key schedule and the transcript                       */
    enum troth_aead_id aead;
    enum suite_auth    auth;
};

/* NULL: not one that troth speaks. */
const struct suite *suite_by_id(uint16_t id);
/* The i-th row, in the order of preference where AES is fast; NULL at the end. */
const struct suite *suite_at(size_t i);

/* A SignatureScheme: which signature, and with which keys it may be used in which version (RFC 9846 4.3.3, RFC 5246 7.4.1.4.1). */
struct scheme {
    uint16_t       id;
    enum troth_sig sig;
    uint32_t       keys13; /* BIT(enum troth_key_type); 0: not in TLS 1.3's CertificateVerify */
    uint32_t       keys12; /* likewise in TLS 1.2                                             */
};

const struct scheme *scheme_by_id(uint16_t id);
const struct scheme *scheme_at(size_t i);
/* May CertificateVerify (ServerKeyExchange, in TLS 1.2) use `s` with a key of this type? */
bool scheme_fits(const struct scheme *s, uint16_t version, enum troth_key_type key);

#endif
