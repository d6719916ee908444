/* issue_ext.h - between issue_cert.c and issue_ext.c: a specification with its defaults worked out. */
#ifndef X509_ISSUE_EXT_H
#define X509_ISSUE_EXT_H

#include "x509/issue.h"

struct issue_parts {
    const struct issue *spec;
    span                subject, issuer, spki, serial, ski, aki;
    enum troth_sig      sig;
    bool                request; /* a CSR: no key identifiers */
};

/* Extensions: the whole SEQUENCE. */
void extensions_write(struct wr *w, const struct issue_parts *s);

#endif
