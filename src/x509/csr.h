/* csr.h - certificate requests (PKCS#10, RFC 2986): reading, and whether whoever asks has the key. */
#ifndef X509_CSR_H
#define X509_CSR_H

#include "x509/cert.h"

struct csr {
    span        raw, info;    /* info: certificationRequestInfo, what is signed            */
    span        subject, spki, sig_alg, sig_oid, signature;
    struct spki key;
    uint8_t     sig;          /* enum troth_sig */
    uint16_t    sig_salt_n;
    bool        has_challenge; /* a challengePassword is in it */
    uint16_t    n_attributes;
    struct cert asked;        /* its extension members alone: what was asked for           */
};

/* All of `der`.  False and *error (message "CertificationRequest") when it is not one. */
bool MUST_USE csr_parse(struct csr *c, span der, const struct witness *witness, troth_error *error);
/* Signed by the key in it: one signature is verified. */
bool MUST_USE csr_verify(const struct csr *c, const troth_provider *crypto, troth_error *error);

#endif
