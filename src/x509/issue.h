/* issue.h - making PKI objects: certificates, requests, CRLs, OCSP responses, SCTs, from plain structs.
 *
 *     struct issue root = { .subject = "CN=Root", .key = k1, .not_before = t, .not_after = t + year, .ca = true,
 *                           .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };
 *     struct issue leaf = { .by = &root, .subject = "CN=a.example", .key = k2, .not_before = t, .not_after = t + day,
 *                           .key_usage = KU_DIGITAL_SIGNATURE, .eku = TEXTS("serverAuth"), .san = TEXTS("DNS:a.example") };
 *     issue_cert(p, &leaf, &der)
 *
 * A zeroed member means: absent, or the sensible default that its comment names.  Text forms of names: name_wr.h.  Everything can also
 * be given as bytes, so that what no CA should issue can be issued too: this is what `troth ca` and every test of validation use.
 * Must never read a clock: times come from the caller. */
#ifndef X509_ISSUE_H
#define X509_ISSUE_H

#include "x509/cert.h"
#include "x509/ctx.h"
#include "x509/name_wr.h"
#include "x509/ocsp.h"

/* A list of texts that ends with NULL; it lives as long as the block it stands in. */
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

struct issue_ext {
    const char *oid; /* short name or dotted */
    bool        critical;
    span        value; /* what goes into the OCTET STRING */
};

/* A DistributionPoint (RFC 5280 4.2.1.13); also the name in an IssuingDistributionPoint. */
struct issue_dp {
    const char *const *names;      /* fullName                                        */
    const char        *relative;   /* or nameRelativeToCRLIssuer: one RDN             */
    uint32_t           reasons;    /* BIT(n) of ReasonFlags; 0: absent                */
    const char *const *crl_issuer; /* GeneralNames                                    */
};

/* Extensions whose criticality can be flipped (RFC 5280's choice is the default), or that can be left out. */
enum issue_x {
    IX_BASIC = BIT(0), IX_KEY_USAGE = BIT(1), IX_EKU = BIT(2), IX_SAN = BIT(3), IX_SKI = BIT(4), IX_AKI = BIT(5), IX_POLICIES = BIT(6),
    IX_MAPPINGS = BIT(7), IX_POLICY_CONSTRAINTS = BIT(8), IX_INHIBIT_ANY = BIT(9), IX_NAME_CONSTRAINTS = BIT(10), IX_CDP = BIT(11),
    IX_AIA = BIT(12), IX_TLS_FEATURE = BIT(13), IX_FRESHEST = BIT(14), IX_IAN = BIT(15), IX_IDP = BIT(16), IX_CRL_NUMBER = BIT(17),
    IX_DELTA = BIT(18)
};

struct issue {
    const struct issue *by;     /* who signs: its key, subject and key identifier; NULL: self-signed     */

    const char *subject;        /* NULL or "": empty                                                     */
    span        subject_der;    /* instead                                                               */
    const char *issuer;         /* instead of the issuer's subject                                       */
    span        issuer_der;
    const troth_key *key;       /* the subject's: its public half goes in, and it signs what names this `by` */
    span        spki;           /* instead of the public half                                            */
    enum troth_sig sig;         /* NONE: what fits the signing key                                       */
    span        serial;         /* positive number; empty: 16 random bytes                               */
    bool        serial_as_is;   /* content of the INTEGER as given                                       */
    int         version;        /* 1, 2, 3; 0: 3                                                         */
    int64_t     not_before, not_after;
    bool        generalized;    /* both times as GeneralizedTime whatever the year                       */
    span        validity_der;   /* instead of both: the whole Validity                                   */

    bool        ca;             /* basicConstraints with cA true                                         */
    bool        not_ca;         /* basicConstraints, empty                                               */
    bool        has_path_len;
    uint32_t    path_len;
    uint32_t    key_usage;      /* enum key_usage; 0: absent                                             */
    const char *const *eku;     /* short names or dotted                                                 */
    const char *const *san, *const *ian;
    const char *const *permitted, *const *excluded;
    const char *const *policies; /* "2.23.140.1.2.1" or "1.2.3 cps=https://..."                          */
    const char *const *mappings; /* "1.2.3=1.2.4"                                                        */
    bool        has_require_explicit, has_inhibit_mapping, has_inhibit_any;
    uint32_t    require_explicit, inhibit_mapping, inhibit_any;
    const char *const *aia;     /* "ocsp=http://...", "caIssuers=http://..."                             */
    const struct issue_dp *cdp; /* n_cdp of them                                                         */
    size_t      n_cdp;
    const struct issue_dp *freshest;
    size_t      n_freshest;
    span        ski, aki;       /* instead of the identifier of the key; of the issuer's                 */
    const char *const *aki_issuer; /* authorityCertIssuer and its serial number                          */
    span        aki_serial;
    bool        must_staple, ocsp_no_check, ct_poison;
    span        sct_list;       /* TLS encoding                                                          */
    const struct issue_ext *extra;
    size_t      n_extra;
    uint32_t    flip, omit;     /* enum issue_x                                                          */
    bool        no_extensions;

    span        sig_alg_inner, sig_alg_outer; /* AlgorithmIdentifier, instead of what fits               */
    bool        bad_signature;
    span        signature;      /* instead of one                                                        */
};

/* A certificate; *der is in the arena.  False with p->error set. */
bool MUST_USE issue_cert(struct pki_ctx *p, const struct issue *spec, span *der);
/* Its tbsCertificate alone (what an SCT is about, with ct_poison left out). */
bool MUST_USE issue_tbs(struct pki_ctx *p, const struct issue *spec, span *tbs);
/* A request for it: subject, key, and the extensions as an attribute (SKI and AKI left out). */
bool MUST_USE issue_csr(struct pki_ctx *p, const struct issue *spec, span *der);

/* ---- CRLs */

struct issue_revoked {
    span        serial;
    int64_t     when;
    int         reason;         /* CRLReason; -1: absent (0 is written: "unspecified")                   */
    int64_t     invalid_since;  /* 0: absent                                                             */
    const char *const *issuer;  /* certificateIssuer: critical                                           */
    const struct issue_ext *extra;
    size_t      n_extra;
};

struct issue_crl {
    const struct issue *by;
    const char *issuer;         /* instead of its subject                                                */
    span        issuer_der;
    enum troth_sig sig;
    int         version;        /* 1: no version, no extensions; 0: 2                                    */
    int64_t     this_update, next_update; /* next_update 0: absent                                       */
    const struct issue_revoked *revoked;
    size_t      n_revoked;
    span        number;         /* empty: 1                                                              */
    span        delta_base;     /* a delta CRL                                                           */
    bool        idp;            /* issuingDistributionPoint with these                                   */
    struct issue_dp dp;         /* names and relative; reasons: onlySomeReasons                          */
    bool        only_user, only_ca, only_attribute, indirect;
    const struct issue_dp *freshest;
    size_t      n_freshest;
    span        aki;
    const struct issue_ext *extra;
    size_t      n_extra;
    uint32_t    flip, omit;
    span        sig_alg_inner, sig_alg_outer;
    bool        bad_signature;
};

bool MUST_USE issue_crl(struct pki_ctx *p, const struct issue_crl *spec, span *der);

/* ---- OCSP responses (RFC 6960) */

struct issue_single {
    const struct issue *ca;     /* who issued the certificate asked about                                */
    span        serial;
    enum troth_hash_id hash;    /* of the CertID; 0: SHA-1                                               */
    enum ocsp_cert_status status;
    int64_t     revoked;
    int         reason;         /* -1: absent                                                            */
    int64_t     this_update, next_update; /* next_update 0: absent                                       */
    const struct issue_ext *extra;
    size_t      n_extra;
};

struct issue_ocsp {
    int         failure;        /* OCSPResponseStatus other than successful (0): nothing else is written */
    const struct issue *by;     /* who signs                                                             */
    bool        by_key;         /* responderID is the hash of its key, else its name                     */
    int64_t     produced;
    const struct issue_single *singles;
    size_t      n_singles;
    span        nonce;
    const span *certs;          /* to go along: the responder's                                          */
    size_t      n_certs;
    const struct issue_ext *extra;
    size_t      n_extra;
    enum troth_sig sig;
    bool        bad_signature;
};

bool MUST_USE issue_ocsp(struct pki_ctx *p, const struct issue_ocsp *spec, span *der);

/* CertID (RFC 6960 4.1.1). */
void ocsp_cert_id_write(struct wr *w, enum troth_hash_id hash, span name_hash, span key_hash, span serial);

/* ---- SCTs (RFC 6962 3.2) */

struct issue_sct {
    const troth_key *log;
    uint64_t    milliseconds;
    span        cert;           /* an X509 entry; or                                                     */
    span        tbs;            /* a precertificate: its tbsCertificate without the poison, and          */
    span        issuer_spki;    /* its issuer's key                                                      */
    bool        bad_signature;
};

/* One SCT; join them with sct_list_write (sct.h). */
bool MUST_USE issue_sct(struct pki_ctx *p, const struct issue_sct *spec, span *sct);

/* ---- parts that others need too */

/* The subject, public key and key identifier (empty where it is left out) that a certificate made from this has. */
bool MUST_USE issue_subject(struct pki_ctx *p, const struct issue *spec, span *name);
bool MUST_USE issue_spki(struct pki_ctx *p, const struct issue *spec, span *spki);
bool MUST_USE issue_ski(struct pki_ctx *p, const struct issue *spec, span *ski);
/* The kind of signature that goes with this key by default. */
enum troth_sig sig_for_key(const troth_provider *crypto, const troth_key *key);
/* AlgorithmIdentifier. */
void sig_alg_write(struct wr *w, enum troth_sig sig);
/* SubjectPublicKeyInfo of a key, in the arena. */
bool MUST_USE key_spki(struct pki_ctx *p, const troth_key *key, span *spki);
/* Subject key identifier: the left-most 160 bits of SHA-256 over the key's bits (RFC 7093 2, method 1), in the arena. */
bool MUST_USE key_identifier(struct pki_ctx *p, span spki, span *id);
/* Digest of parts into the arena. */
bool MUST_USE digest_of(struct pki_ctx *p, enum troth_hash_id hash, const span *parts, size_t n, span *digest);
/* The subjectPublicKey's bytes of a SubjectPublicKeyInfo. */
span spki_key_bits(span spki);
/* SEQUENCE { tbs, algorithm, BIT STRING } signed with `key`. */
struct signing {
    const troth_key *key;
    enum troth_sig   sig;
    span             outer;   /* AlgorithmIdentifier, instead of what fits */
    span             tail;    /* more elements behind the signature        */
    bool             bad;
    span             signature;
};
bool MUST_USE sign_object(struct pki_ctx *p, span tbs, const struct signing *how, span *der);

/* Writes one extension: `critical` is written when true. */
void extension_write(struct wr *w, const char *oid, bool critical, span value);
/* DistributionPointName of a DP, [0] EXPLICIT around the CHOICE. */
void dp_name_write(struct wr *w, const struct issue_dp *dp);
/* CRLDistributionPoints. */
void dps_write(struct wr *w, const struct issue_dp *dps, size_t n);

/* Runs `write` twice, to measure and to write, into the arena.  `what` names it where it fails. */
typedef void issue_write_fn(struct wr *w, const void *spec);
bool MUST_USE write_out(struct pki_ctx *p, issue_write_fn *write, const void *spec, const char *what, span *out);

#endif
