/* trust.h - whom to trust, from the options: the same in every verb. */
#ifndef CLI_TRUST_H
#define CLI_TRUST_H

#include <troth/verify.h>

#include "args.h"

/* Every --ca and --roots; the system's where there is none.  EXIT_OK, or the exit status after a message. */
int trust_roots(const struct args *a, troth_policy_builder *b);
/* Every --crl and --crls, --ct-logs, --revocation. */
int trust_evidence(const struct args *a, troth_policy_builder *b);
/* SSL_CERT_FILE, SSL_CERT_DIR, else where the distribution keeps it. */
void trust_system(troth_policy_builder *b);
/* The i-th file or folder that it may be in; NULL past the last. */
const char *trust_system_place(size_t i);
/* The public suffix list, where it was built in. */
void trust_suffixes(troth_policy_builder *b);

#endif
