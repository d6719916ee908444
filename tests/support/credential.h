/* credential.h - delegated credentials (RFC 9345) and certificates that may delegate, good ones and bad, for tests. */
#ifndef TESTS_SUPPORT_CREDENTIAL_H
#define TESTS_SUPPORT_CREDENTIAL_H

#include "support/pair.h"

struct recipe {
    bool     may_not, no_usage, bad_signature, of_client, of_other_role;
    uint32_t valid;                   /* seconds from now */
    uint16_t scheme;                  /* of its key       */
};

/* PEM of the chain, the credential's bytes, PEM of its key: they live as long as the world. */
struct credential {
    span chain, credential, key;
};
struct credential credential_make(struct world *, struct recipe);

#endif
