/* crl.h - certificate revocation lists: read once, asked often (RFC 5280 5, 6.3).
 *
 * crl_parse reads strict DER, every entry too, and decides nothing.  crl_status decides: is this certificate revoked, by the rules of
 * RFC 5280 6.3.3 in full (distribution points, reasons, indirect and delta CRLs, who may sign).  Nothing here fetches or reads a clock. */
#ifndef X509_CRL_H
#define X509_CRL_H

#include "x509/cert.h"

/* ReasonFlags (RFC 5280 4.2.1.13): bit 0 is unused, 1 keyCompromise ... 8 aACompromise. */
enum { REASONS_ALL = 0x1fe };
/* CRLReason (RFC 5280 5.3.1). */
enum crl_reason {
    CRL_UNSPECIFIED, CRL_KEY_COMPROMISE, CRL_CA_COMPROMISE, CRL_AFFILIATION_CHANGED, CRL_SUPERSEDED, CRL_CESSATION, CRL_HOLD,
    CRL_REMOVE = 8, CRL_PRIVILEGE_WITHDRAWN, CRL_AA_COMPROMISE, CRL_REASON_NONE = 255 /* no reason given */
};
/* "keyCompromise"; "" for none or one that does not exist. */
const char *crl_reason_name(unsigned reason);

/* DistributionPointName. */
struct dp_name {
    bool present, relative;
    span names; /* fullName: GeneralNames' content; relative: the RDN's content */
};

/* DistributionPoint of a certificate. */
struct dist_point {
    struct dp_name name;
    bool           has_reasons;
    uint32_t       reasons;    /* ReasonFlags */
    span           crl_issuer; /* GeneralNames' content; empty: absent */
};

struct crl {
    span     raw, tbs, issuer, sig_alg, tbs_sig_alg, sig_oid, signature;
    uint64_t issuer_hash;
    uint8_t  sig;              /* enum troth_sig */
    uint16_t sig_salt_n;
    uint8_t  version;          /* 1, 2 */
    int64_t  this_update, next_update;
    bool     has_next_update;
    span     revoked;          /* content of revokedCertificates */
    uint32_t n_revoked;
    span     extensions;       /* SEQUENCE OF Extension's content */
    bool     has_aki, has_number, number_critical, has_idp, is_delta;
    span     aki_key;          /* keyIdentifier */
    span     number, base;     /* content of the INTEGERs; base: BaseCRLNumber of a delta CRL */
    span     idp_raw;          /* value of issuingDistributionPoint */
    struct dp_name idp_name;
    bool     only_user, only_ca, only_attribute, indirect, has_only_reasons;
    uint32_t only_reasons;
    span     freshest;         /* value of freshestCRL */
    span     unknown_critical; /* OID of the first critical extension that we do not know, of the list or of any entry */
    bool     entry_critical;   /* it was an entry's */
    bool     entries_name_issuers; /* some entry has a certificateIssuer */
};

struct crl_entry {
    span     serial, raw;
    int64_t  when, invalid_since;
    uint8_t  reason;           /* enum crl_reason */
    bool     has_invalid_since;
    span     cert_issuer;      /* certificateIssuer: GeneralNames' content; empty: absent */
};

/* All of `der`.  False and *error (message "CertificateList") when it is not a CRL; then *c is of no use.  `witness` may be NULL; it
 * is told every entry. */
bool MUST_USE crl_parse(struct crl *c, span der, const struct witness *witness, troth_error *error);
/* The entries of a CRL that was parsed, one at a time; *list starts as c->revoked. */
bool crl_entry_next(span *list, struct crl_entry *e);
/* For qsort: the newest first, by thisUpdate and then by number.  In this order a list that was superseded is seldom looked at. */
int crl_newest_first(const void *a, const void *b);
/* A certificate's distribution points (extnValue of cRLDistributionPoints or freshestCRL), one at a time: *list starts as what
 * dist_points_open makes of the value.  False at the end, and when malformed (*bad). */
bool dist_points_open(span value, span *list);
bool dist_point_next(span *list, struct dist_point *dp, bool *bad);

/* ---- status */

enum rev_status { REV_UNKNOWN, REV_GOOD, REV_REVOKED };

/* The answer of a CRL or of an OCSP response. */
struct rev_answer {
    enum rev_status   status;
    enum troth_reason why;        /* of UNKNOWN: the most telling reason; of REVOKED: CERT_REVOKED */
    int64_t           when;       /* of REVOKED */
    uint8_t           reason;     /* of REVOKED: enum crl_reason */
    int64_t           this_update;
    int64_t           until;      /* the answer holds no longer than this: earliest nextUpdate; INT64_MAX when it has none */
    bool              by_issuer;  /* of REVOKED: signed with the key of the certificate's own issuer */
    unsigned          signatures; /* that were verified for it */
    char              evidence[200];
};

/* Signatures that were already verified for one verdict: a CRL is hashed once, however many certificates and paths ask. */
enum { REV_MEMORY = 64 };
struct rev_memory {
    struct {
        const uint8_t *object; /* start of what was signed */
        const uint8_t *key;    /* start of the signer's SubjectPublicKeyInfo */
        bool           good;
    } row[REV_MEMORY];
    unsigned n;
};

struct crl_question {
    const troth_provider    *crypto;
    const struct cert       *cert, *issuer; /* the certificate and the one above it in its path */
    const struct crl        *crls;
    size_t                   n_crls;
    int64_t                  now;
    struct rev_memory       *memory;         /* one for the whole verdict, zeroed at first; may be NULL */
    unsigned                 max_signatures; /* at most so many more; then UNKNOWN with CHAIN_BUDGET */
    /* CRL issuers other than `issuer` (indirect CRLs, a CA that signs CRLs with another key): where their certificates may be, and who
     * validates one of them: a path from it to the same trust anchor as the certificate's.  NULL: only `issuer` may sign. */
    const struct cert *const *pool;
    size_t                   n_pool;
    bool                   (*trusted)(void *ctx, const struct cert *crl_issuer);
    void                    *ctx;
};

/* RFC 5280 6.3.3.  GOOD only when CRLs for all reasons were found and none has it. */
void crl_status(struct rev_answer *a, const struct crl_question *q);

/* ---- parts that OCSP shares */

/* Is there an extension `oid` among those of `list` that end at `upto`? */
bool extension_seen(span list, const uint8_t *upto, span oid);

/* Is `signature` by this key over `message`?  Looks in and adds to the memory; false without verifying when the budget is spent. */
struct rev_signed {
    span message, signature;
    enum troth_sig sig;
    uint16_t salt_n;
};
/* Can it be looked at at all: is the algorithm known, strong enough, and one of this key? */
bool rev_can_verify(const troth_provider *crypto, const struct rev_signed *s, const struct cert *by);
bool rev_verify(const troth_provider *crypto, struct rev_memory *memory, const struct rev_signed *s, const struct cert *by,
                unsigned *left, unsigned *used);
/* Two GeneralName items are the same name (directoryName by RFC 5280 7.1, host of others without regard to case in DNS only). */
bool general_name_equal(const struct general_name_item *a, const struct general_name_item *b);

#endif
