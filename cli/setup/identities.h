/* identities.h - what there is to know of the certificates that a service has loaded, which may be others than stand in the files by now.
 *
 * In the order of --cert, and behind them --raw-key; each followed by those of its issuers that are sent along.  Must never hold anything
 * secret, nor read a file. */
#ifndef CLI_IDENTITIES_H
#define CLI_IDENTITIES_H

#include <troth/troth.h>

#include "common/args.h"

enum { IDENTITY_NAMES = 1024 };

struct identity_facts {
    const char *file;
    size_t      identity, pos;       /* whose chain it is in, and where; 0: its own             */
    bool        certificate;         /* else a raw public key, and nothing of the following is known */
    char        subject[256], names[IDENTITY_NAMES]; /* "DNS:shop.example,IP:192.0.2.1"       */
    int64_t     not_before, not_after;
    char        key[24], signature[48]; /* as libcrypto calls them: "RSA2048", "ecdsa-with-SHA256" */
};

struct identities {
    struct identity_facts *all;
    size_t                 n;
};

/* Of one of the two, the other NULL.  What was there before is freed; without memory there is nothing to know. */
void identities_read(struct identities *, const struct args *, const troth_server *, const troth_client *);
/* The i-th identity itself; NULL: there is none. */
const struct identity_facts *identities_own(const struct identities *, size_t i);
/* Does one of ours speak for this DNS name ("*.example" too)?  True where that is not known for sure. */
bool identities_have(const struct identities *, const char *name);
void identities_free(struct identities *);

#endif
