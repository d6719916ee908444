/* herald.h - the PROXY header that a backend gets before anything else: whom the connection comes from, and what was agreed with him. */
#ifndef CLI_HERALD_H
#define CLI_HERALD_H

#include <troth/troth.h>

#include "serve/visitor.h"
#include "setup/identities.h"

struct herald {
    struct ends              ends;
    const struct visitor    *visitor;    /* NULL: the peer announced nobody      */
    const troth_conn        *conn;       /* with the client; NULL: in the clear  */
    const struct identities *identities; /* of its configuration; NULL: unknown  */
    const char              *name, *hs;  /* without `conn`: what a hello that is passed on asks for, and what the log calls it; NULL: nothing */
};

/* Its length.  Version 1 has room for the addresses alone. */
size_t herald_words(uint8_t out[ANNOUNCE_WRITE_MAX], int version, const struct herald *);

/* -- pure */
/* "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" as libcrypto's friends write it: ECDHE-RSA-AES128-GCM-SHA256.  Those of TLS 1.3 stay. */
void cipher_name(char *out, size_t cap, const char *iana);

#endif
