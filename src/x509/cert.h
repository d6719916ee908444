/* cert.h - a certificate as bytes and what they say: parsed once, borrowed for ever after.
 *
 * cert_parse reads strict DER, allocates nothing and decides nothing: a certificate that is DER but breaks a rule (an extension that
 * is malformed, a serial number that is negative, an algorithm that nobody knows) is parsed, and the rule's check says so.  All
 * spans point into the DER that was parsed and die with it. */
#ifndef X509_CERT_H
#define X509_CERT_H

#include <troth/provider.h>

#include "base/error.h"
#include "base/limits.h"
#include "x509/der.h"

/* ---- extensions: one row in ext.c each; CX_UNKNOWN is every other one */
enum cert_ext {
    CX_SUBJECT_KEY_ID, CX_KEY_USAGE, CX_PRIVATE_KEY_PERIOD, CX_SUBJECT_ALT_NAME, CX_ISSUER_ALT_NAME, CX_BASIC_CONSTRAINTS,
    CX_NAME_CONSTRAINTS, CX_CRL_POINTS, CX_POLICIES, CX_POLICY_MAPPINGS, CX_AUTHORITY_KEY_ID, CX_POLICY_CONSTRAINTS,
    CX_EXT_KEY_USAGE, CX_FRESHEST_CRL, CX_INHIBIT_ANY_POLICY, CX_AUTHORITY_INFO, CX_SUBJECT_INFO, CX_TLS_FEATURE, CX_SCT_LIST,
    CX_CT_POISON, CX_OCSP_NO_CHECK, CX_SUBJECT_DIRECTORY, CX_NO_REV_AVAIL,
    CX_COUNT, CX_UNKNOWN = CX_COUNT
};

/* ---- keyUsage bits as in RFC 5280 4.2.1.3 */
enum key_usage {
    KU_DIGITAL_SIGNATURE = BIT(0), KU_NON_REPUDIATION = BIT(1), KU_KEY_ENCIPHERMENT = BIT(2), KU_DATA_ENCIPHERMENT = BIT(3),
    KU_KEY_AGREEMENT = BIT(4), KU_KEY_CERT_SIGN = BIT(5), KU_CRL_SIGN = BIT(6), KU_ENCIPHER_ONLY = BIT(7), KU_DECIPHER_ONLY = BIT(8)
};

/* ---- extKeyUsage purposes seen (the raw list is in `eku`) */
enum ext_key_usage {
    EKU_ANY = BIT(0), EKU_SERVER = BIT(1), EKU_CLIENT = BIT(2), EKU_CODE = BIT(3), EKU_EMAIL = BIT(4), EKU_TIME = BIT(5),
    EKU_OCSP = BIT(6), EKU_OTHER = BIT(7)
};

/* ---- kinds of GeneralName by their tag number (RFC 5280 4.2.1.6) */
enum general_name { GN_OTHER, GN_EMAIL, GN_DNS, GN_X400, GN_DIRECTORY, GN_EDI, GN_URI, GN_IP, GN_REGISTERED_ID, GN_COUNT };

/* A byte range of the certificate. */
struct range {
    uint32_t at, n;
};

/* What is wrong with a part of a certificate that is DER as a whole.  `why` is TROTH_R_NONE when nothing is. */
struct cert_flaw {
    enum troth_reason why;
    const char       *field; /* of which the reader says so */
    uint32_t          at;    /* in the certificate          */
    uint8_t           ext;   /* enum cert_ext               */
};

/* An RSA-PSS key may be limited to one hash and to salts of some length or more (RFC 4055 3.1). */
struct pss_limit {
    uint8_t  sig;                       /* enum troth_sig; NONE: not limited                                      */
    uint16_t salt_n;                    /* then: the shortest salt of its signatures, as salt_n of troth_public_key */
};

struct cert {
    /* as bytes */
    span raw;                  /* the whole certificate                                                           */
    span tbs;                  /* tbsCertificate, tag and length included: what is signed                         */
    span serial;               /* content of the INTEGER; may be negative                                         */
    span issuer, subject;      /* Name, tag and length included                                                   */
    span spki;                 /* SubjectPublicKeyInfo, tag and length included                                   */
    span spki_bits;            /* subjectPublicKey's bytes: what OCSP hashes                                      */
    span key_oid;              /* algorithm of the key, also when it is not one that we know                      */
    span curve_oid;            /* namedCurve; empty: not EC, or an explicit curve                                 */
    span sig_alg;              /* signatureAlgorithm (outer), tag and length included                             */
    span tbs_sig_alg;          /* signature (inner); must be the same bytes                                       */
    span sig_oid;              /* its algorithm                                                                   */
    span signature;            /* the signature's bytes (unused bits are zero, and that was checked)              */

    /* as values */
    uint64_t subject_hash, issuer_hash; /* of the names, normalised (RFC 5280 7.1): unequal hash, unequal name    */
    int64_t  not_before, not_after;     /* seconds since 1970, both inclusive                                     */
    troth_public_key key;               /* type TROTH_KEY_NONE: not one that we know, or malformed                */
    uint8_t  version;                   /* 1, 2, 3                                                                */
    uint8_t  sig;                       /* enum troth_sig; TROTH_SIG_NONE: not one that we know                   */
    bool     key_malformed;             /* algorithm known, content not right                                     */
    bool     explicit_curve;
    bool     self_issued;               /* issuer and subject are the same name                                   */
    bool     has_unique_id;
    bool     generalized_too_early;     /* a GeneralizedTime before 2050, where RFC 5280 wants UTCTime            */
    uint16_t sig_salt_n;                /* RSA-PSS signature with a salt that is not as long as its hash (troth_public_key); else 0 */
    struct pss_limit key_pss;           /* of the key                                                             */

    /* extensions */
    uint32_t has, critical;             /* BIT(enum cert_ext)                                                     */
    span     ext[CX_COUNT];             /* extnValue's content; empty when absent                                 */
    span     extensions;                /* the SEQUENCE OF Extension's content, for walking                       */
    uint16_t n_extensions;
    bool     has_extensions;            /* the [3] is there                                                       */
    span     unknown_critical;          /* OID of the first critical extension that has no row                    */
    struct cert_flaw flaw;              /* first malformed or duplicate extension                                 */

    /* the small ones, read */
    uint16_t key_usage;                 /* enum key_usage; with BIT(CX_KEY_USAGE) in `has`                        */
    uint16_t eku;                       /* enum ext_key_usage; with BIT(CX_EXT_KEY_USAGE) in `has`                */
    bool     is_ca;
    bool     has_path_len;
    uint32_t path_len;
    span     ski;                       /* keyIdentifier                                                          */
    span     aki_key, aki_issuer, aki_serial; /* authorityKeyIdentifier's fields; issuer: GeneralNames' content   */
    bool     aki_has_issuer, aki_has_serial;
    span     san;                       /* GeneralNames' content; walk with general_names_next                    */
    uint16_t san_kinds;                 /* BIT(enum general_name) of what is in it                                */
    uint16_t n_san;
    span     nc_permitted, nc_excluded; /* GeneralSubtrees' content                                               */
    uint16_t nc_permitted_kinds, nc_excluded_kinds; /* BIT(enum general_name)                                     */
    span     policies;                  /* SEQUENCE OF PolicyInformation's content                                */
    span     mappings;                  /* SEQUENCE OF pairs' content                                             */
    bool     has_any_policy;
    bool     unknown_qualifier;         /* a policy qualifier other than CPS and user notice                      */
    bool     has_require_explicit, has_inhibit_mapping, has_inhibit_any;
    uint32_t require_explicit, inhibit_mapping, inhibit_any; /* skip counts                                       */
    bool     must_staple;               /* TLS feature status_request (5), RFC 7633                               */
    bool     must_staple_v2;            /* status_request_v2 (17)                                                 */
    bool     ocsp_named;                /* authorityInfoAccess says where OCSP is answered                        */
    span     sct_list;                  /* SignedCertificateTimestampList as RFC 6962 3.3: TLS encoding           */
};

/* Reads one certificate: all of `der`, nothing behind it.  False and *error (message "Certificate") when it is not DER of the
 * right shape; then *c is of no use.  `witness` may be NULL. */
bool MUST_USE cert_parse(struct cert *c, span der, const struct witness *witness, troth_error *error);
/* Where a span of `c->raw` is. */
static inline struct range cert_range(const struct cert *c, span part)
{
    if (!part.p || part.p < c->raw.p || part.p + part.n > c->raw.p + c->raw.n)
        return (struct range){ 0, 0 };
    return (struct range){ (uint32_t)(part.p - c->raw.p), (uint32_t)part.n };
}

static inline bool cert_has(const struct cert *c, enum cert_ext x)
{
    return c->has & BIT(x);
}

/* Does it say where its revocation is published: a CRL, a delta CRL, OCSP? */
static inline bool cert_names_revocation(const struct cert *c)
{
    return cert_has(c, CX_CRL_POINTS) || cert_has(c, CX_FRESHEST_CRL) || c->ocsp_named;
}

/* The bytes are the same. */
static inline bool cert_equal(const struct cert *a, const struct cert *b)
{
    return span_equal(a->raw, b->raw);
}

/* ---- parts that others need too (CRL, OCSP, PKCS#12, CSR) */

/* AlgorithmIdentifier of a signature, tag and length included -> enum troth_sig, NONE if unknown or with wrong parameters.
 * *salt_n: of RSA-PSS when it is not the hash's length, else 0. */
enum troth_sig sig_alg_read(span algorithm, span *oid, uint16_t *salt_n);
/* Is it an algorithm that sig_alg_read knows, with whatever parameters? */
bool sig_oid_known(span oid);
/* SubjectPublicKeyInfo, tag and length included.  False: malformed or unknown (then key->type is NONE). */
struct spki {
    troth_public_key key;
    span             oid, curve_oid, bits;
    bool             explicit_curve, malformed;
    struct pss_limit pss;
};
/* Does the limit allow such a signature?  salt_n as in troth_public_key: 0 for what is no RSA-PSS, and for all of TLS itself. */
bool pss_allows(struct pss_limit limit, enum troth_sig sig, uint16_t salt_n);
/* `base`: where the witness' offsets count from; NULL: from the key itself. */
bool spki_read(struct spki *out, span spki, const uint8_t *base, const struct witness *witness);
/* Extensions: SEQUENCE OF Extension's content.  One at a time; false at the end or when malformed (*bad). */
struct extension {
    span oid, value, raw;
    bool critical;
};
bool extension_next(span *list, struct extension *x, bool *bad);
enum cert_ext ext_by_oid(span oid);
const char *ext_name(enum cert_ext x);   /* "keyUsage"; "" for CX_UNKNOWN */
/* The rows' readers, for lists that are not a certificate's (CSR): fills the members of *c that belong to extensions. */
void cert_read_extensions(struct cert *c, struct rd *list);

/* The content of the SEQUENCE that an extension's value is; empty when it is none. */
span sequence_in(span value);

/* GeneralNames' content, one at a time.  Content of directoryName is the Name, tag and length included; of otherName all behind
 * the [0]; of the others the bytes of the string, address or OID. */
struct general_name_item {
    uint8_t kind; /* enum general_name */
    span    value, raw;
};
bool general_names_next(span *list, struct general_name_item *g);
/* What is wrong with GeneralNames' content that no reader above has read, or that has more than `most`; TROTH_R_NONE: nothing. */
enum troth_reason general_names_fault(span names, size_t most);

/* ---- distinguished names (dn.c) */

/* Content of a RelativeDistinguishedName that no reader has read: is it one? */
bool rdn_ok(span rdn);

/* A Name at the reader: tag and length included, and its hash.  Wrong structure fails the reader. */
span name_read(struct rd *r, const char *field, uint64_t *hash);

/* Hash of a Name by RFC 5280 7.1: case, white space and string type make no difference. */
uint64_t name_hash(span name);
/* The same name by RFC 5280 7.1. */
bool name_equal(span a, span b);
/* `base` is an initial part of `name`, RDN by RDN (a directoryName constraint). */
bool name_within(span name, span base);
/* An empty SEQUENCE. */
static inline bool name_is_empty(span name)
{
    return name.n <= 2;
}
struct text;
/* "CN=R11, O=Let's Encrypt, C=US": the most telling attribute first; for people only.  Escaped; bounded. */
void name_text(struct text *t, span name);
/* Value of the last attribute of this type (OID content), as UTF-8 bytes copied into `out`; false when there is none. */
bool name_attribute(span name, span oid, struct text *out);

/* "example.com", "192.0.2.1", "2001:db8::1", "CN=..." */
void general_name_text(struct text *t, const struct general_name_item *g);
/* What a person would call this certificate: its CN or first SAN or O. */
void cert_title(struct text *t, const struct cert *c);

#endif
