/* revoke.h - --ocsp and --crl-fetch: asks the authorities about a chain that was accepted, and judges it again with their answers. */
#ifndef CLI_REVOKE_H
#define CLI_REVOKE_H

#include "session.h"

/* False: revoked, or no certain answer; s->error says so. */
bool revoke_check(struct session *s);

#endif
