/* trust.h - whom to trust, from the options: the same in every verb. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include <troth/verify.h>

#include "common/args.h"

/* Every --ca and --roots; the system's where there is none.  EXIT_OK, or the exit status after a message. */
int trust_roots(const struct args *a, troth_policy_builder *b);
/* Every --crl and --crls, --ct-logs, --revocation. */
int trust_evidence(const struct args *a, troth_policy_builder *b);
/* By which rules certificates are judged (enum troth_profile); -1 after a message.  The CA/Browser Forum's bind public authorities: without
 * --profile they are asked of the system's, and not of those that are given - but by troth verify, which judges certificates as such. */
int trust_profile(const struct args *a);
/* Are there anchors of the system's, or given ones? */
enum { TRUST_SYSTEM = 1, TRUST_GIVEN = 2 };
unsigned trust_kinds(const struct args *a);
/* -1: none is called so. */
int trust_profile_named(const char *name);
/* By enum troth_profile; NULL behind the last. */
extern const char *const trust_profiles[];
/* SSL_CERT_FILE, SSL_CERT_DIR, else where the distribution keeps it. */
void trust_system(troth_policy_builder *b);
/* The i-th file or folder that it may be in; NULL past the last. */
const char *trust_system_place(size_t i);
/* The public suffix list, where it was built in: a wildcard directly under a suffix is for nobody.  Whoever connects goes by the suffixes of
 * registries (co.uk).  Under the others (github.io) wildcards are issued to those who run them and hold all names below, and are in daily use
 * (CA/Browser Forum 3.2.2.6); but from a certificate alone nobody can tell who holds it. */
enum suffixes { SUFFIXES_OF_REGISTRIES, SUFFIXES_ALL };
void trust_suffixes(troth_policy_builder *b, enum suffixes which);

#endif
