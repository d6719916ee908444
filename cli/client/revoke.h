/* revoke.h - --ocsp and --crl-fetch: asks the authorities about a chain that was accepted, and judges it again with their answers. */
#ifndef CLI_REVOKE_H
#define CLI_REVOKE_H

#include "client/session.h"

struct inquiry {
    const struct args    *a;
    int                   timeout_ms;
    troth_policy_builder *policy; /* gets the answers, and wants a good status of every certificate */
    unsigned              answers;
    char                  why[300]; /* the last thing that went wrong */
};

/* Were --ocsp or --crl-fetch given? */
bool revoke_wanted(const struct args *);
/* Asks about every certificate of the accepted path, but the anchor. */
void revoke_ask(struct inquiry *, const troth_report *);
/* Nobody answered: the error to tell. */
troth_error revoke_unknown(const struct inquiry *);

/* For connections.  False: revoked, or no certain answer; s->error says so. */
bool revoke_check(struct session *s);

#endif
