/* suite.c - the tables of suites and schemes.  Order is the order of preference.  Must never hold a choice: see negotiate.c. */
#include "tls/suite.h"

#include <troth/troth.h>

#include "wire/registry.h"

/* clang-format off */
static const struct suite suites[] = {
    { SUITE_TLS_AES_128_GCM_SHA256,                  TROTH_TLS13, TROTH_SHA256, TROTH_AES_128_GCM,       SUITE_ANY_AUTH },
    { SUITE_TLS_AES_256_GCM_SHA384,                  TROTH_TLS13, TROTH_SHA384, TROTH_AES_256_GCM,       SUITE_ANY_AUTH },
    { SUITE_TLS_CHACHA20_POLY1305_SHA256,            TROTH_TLS13, TROTH_SHA256, TROTH_CHACHA20_POLY1305, SUITE_ANY_AUTH },
    { SUITE_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,       TROTH_TLS12, TROTH_SHA256, TROTH_AES_128_GCM,       SUITE_ECDSA },
    { SUITE_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,         TROTH_TLS12, TROTH_SHA256, TROTH_AES_128_GCM,       SUITE_RSA },
    { SUITE_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,       TROTH_TLS12, TROTH_SHA384, TROTH_AES_256_GCM,       SUITE_ECDSA },
    { SUITE_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,         TROTH_TLS12, TROTH_SHA384, TROTH_AES_256_GCM,       SUITE_RSA },
    { SUITE_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TROTH_TLS12, TROTH_SHA256, TROTH_CHACHA20_POLY1305, SUITE_ECDSA },
    { SUITE_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,   TROTH_TLS12, TROTH_SHA256, TROTH_CHACHA20_POLY1305, SUITE_RSA },
};

#define P256    BIT(TROTH_KEY_P256)
#define P384    BIT(TROTH_KEY_P384)
#define P521    BIT(TROTH_KEY_P521)
#define ANY_EC  (P256 | P384 | P521)
#define RSA     BIT(TROTH_KEY_RSA)
#define PSS     BIT(TROTH_KEY_RSA_PSS)
#define ED25519 BIT(TROTH_KEY_ED25519)
#define ED448   BIT(TROTH_KEY_ED448)

static const struct scheme schemes[] = {
    { SCHEME_ecdsa_secp256r1_sha256, TROTH_SIG_ECDSA_SHA256,     P256,                     ANY_EC  },
    { SCHEME_ed25519,                TROTH_SIG_ED25519,          ED25519,                  ED25519 },
    { SCHEME_rsa_pss_rsae_sha256,    TROTH_SIG_RSA_PSS_SHA256,   RSA,                      RSA     },
    { SCHEME_ecdsa_secp384r1_sha384, TROTH_SIG_ECDSA_SHA384,     P384,                     ANY_EC  },
    { SCHEME_rsa_pss_rsae_sha384,    TROTH_SIG_RSA_PSS_SHA384,   RSA,                      RSA     },
    { SCHEME_ecdsa_secp521r1_sha512, TROTH_SIG_ECDSA_SHA512,     P521,                     ANY_EC  },
    { SCHEME_rsa_pss_rsae_sha512,    TROTH_SIG_RSA_PSS_SHA512,   RSA,                      RSA     },
    { SCHEME_rsa_pss_pss_sha256,     TROTH_SIG_RSA_PSS_SHA256,   PSS,                      PSS     },
    { SCHEME_rsa_pss_pss_sha384,     TROTH_SIG_RSA_PSS_SHA384,   PSS,                      PSS     },
    { SCHEME_rsa_pss_pss_sha512,     TROTH_SIG_RSA_PSS_SHA512,   PSS,                      PSS     },
    { SCHEME_ed448,                  TROTH_SIG_ED448,            ED448,                    ED448   },
    { SCHEME_mldsa44,                TROTH_SIG_MLDSA44,          BIT(TROTH_KEY_MLDSA44),   0       },
    { SCHEME_mldsa65,                TROTH_SIG_MLDSA65,          BIT(TROTH_KEY_MLDSA65),   0       },
    { SCHEME_mldsa87,                TROTH_SIG_MLDSA87,          BIT(TROTH_KEY_MLDSA87),   0       },
    { SCHEME_rsa_pkcs1_sha256,       TROTH_SIG_RSA_PKCS1_SHA256, 0,                        RSA     },
    { SCHEME_rsa_pkcs1_sha384,       TROTH_SIG_RSA_PKCS1_SHA384, 0,                        RSA     },
    { SCHEME_rsa_pkcs1_sha512,       TROTH_SIG_RSA_PKCS1_SHA512, 0,                        RSA     },
};
/* clang-format on */

const struct suite *suite_at(size_t i)
{
    return i < COUNT_OF(suites) ? &suites[i] : NULL;
}

const struct suite *suite_by_id(uint16_t id)
{
    for (size_t i = 0; i < COUNT_OF(suites); i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}

const struct scheme *scheme_at(size_t i)
{
    return i < COUNT_OF(schemes) ? &schemes[i] : NULL;
}

const struct scheme *scheme_by_id(uint16_t id)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (schemes[i].id == id)
            return &schemes[i];
    return NULL;
}

bool scheme_fits(const struct scheme *s, uint16_t version, enum troth_key_type key)
{
    return ((version == TROTH_TLS12 ? s->keys12 : s->keys13) & BIT(key)) != 0;
}
