/* troth/verify.h - judge a certificate chain, with or without TLS, and see every reason.
 *
 *     policy builder --build--> policy (frozen, shared by any number of threads and connections) --troth_verify--> report
 *
 * A policy says whom to trust and by which rules; a report says which paths were tried, what was checked on each certificate, on which
 * bytes the verdict rests, and what the most telling failure is.
 *
 *     troth_error err;
 *     troth_policy_builder *b = troth_policy_new(troth_libcrypto());
 *     troth_policy_trust_file(b, "roots.pem");
 *     troth_policy_host(b, "shop.example");
 *     troth_policy *p = troth_policy_build(b, &err);
 *     troth_report *r = troth_verify(p, certs, n);
 *     if (!troth_report_ok(r))
 *         puts(troth_report_error(r)->text);
 *
 * A builder, policy or report that is NULL is a valid argument everywhere: it stands for memory that ran out, and is never "ok".  So is
 * NULL where something is to be put that nobody wants.  A report belongs to one thread at a time, also where it is only read. */
#ifndef TROTH_VERIFY_H
#define TROTH_VERIFY_H

#include <troth/provider.h>
#include <troth/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troth_policy_builder troth_policy_builder;

/* What the certificate is to be used for.  BY_NAME: server where a host or address is asked for, email where a mailbox is, else any. */
enum troth_purpose {
    TROTH_PURPOSE_BY_NAME, TROTH_PURPOSE_SERVER, TROTH_PURPOSE_CLIENT, TROTH_PURPOSE_EMAIL, TROTH_PURPOSE_CODE, TROTH_PURPOSE_ANY
};

/* Which rules come on top of path validation (RFC 5280 6), which is always done in full.  They concern certificates of servers; for
 * other purposes path validation stands alone.
 *   WEB      what RFC 5280 4 demands of certificates, and the CA/Browser Forum's profile
 *   RFC5280  RFC 5280 alone: no CA/Browser Forum rules, a CA may stand where the leaf stands, extKeyUsage may be absent
 *   LINT     WEB, and as warnings also what no verifier may enforce
 *   PATH     none: path validation alone
 * WEB is the default, whoever's the authorities are.  The CA/Browser Forum's rules bind public ones; where others are trusted, RFC5280 is a
 * choice, and PATH where they do not keep to RFC 5280 4 either. */
enum troth_profile { TROTH_PROFILE_WEB, TROTH_PROFILE_RFC5280, TROTH_PROFILE_LINT, TROTH_PROFILE_PATH };

/* What to do when nobody knows whether a certificate was revoked.
 *   DEFAULT  HARD once CRLs were given, else SOFT
 *   SOFT     take a known "revoked" as one, and no news as good news (the report says that it was not checked)
 *   HARD     every certificate below the anchor needs a good status from a CRL or an OCSP response
 *   OFF      do not look
 * A stapled response that is no answer to the question is refused whatever else is known (RFC 6066 8; not with OFF): one that is
 * not an OCSP response at all, is about another certificate, or is not signed by who may.  One that is out of date, or says that the
 * responder was busy, or rests on an algorithm that is not accepted, is no news; the report warns of it. */
enum troth_revocation { TROTH_REVOCATION_DEFAULT, TROTH_REVOCATION_SOFT, TROTH_REVOCATION_HARD, TROTH_REVOCATION_OFF };

enum troth_verdict { TROTH_PASS, TROTH_WARN, TROTH_SKIPPED, TROTH_FAIL };

/* ================================================================ policy */

/* Takes one ownership of the provider; NULL is reported by build. */
TROTH_API troth_policy_builder *troth_policy_new(troth_provider *);
TROTH_API void troth_policy_builder_free(troth_policy_builder *);   /* only for a builder that is not going to be built */
/* Consumes the builder, also when it fails: then NULL and *err (err may be NULL). */
TROTH_API TROTH_CHECK troth_policy *troth_policy_build(troth_policy_builder *, troth_error *err);
/* One owner more, one owner less. */
TROTH_API troth_policy *troth_policy_share(troth_policy *);
TROTH_API void troth_policy_free(troth_policy *);

/* -- whom to trust.  Calls add up.  A trust anchor may be any certificate, also one that is not self-signed; it is checked like any
 * certificate (validity, extensions, key strength, constraints), only its signature is not.  One that cannot be read fails the build. */
TROTH_API void troth_policy_trust_pem(troth_policy_builder *, troth_span pem_or_der);  /* PEM: every CERTIFICATE in it */
TROTH_API void troth_policy_trust_file(troth_policy_builder *, const char *path);      /* PEM, DER or PKCS#12          */
/* Asked for the passphrase of PKCS#12 trust stores (RFC 7292) that are added after this call, where the empty one does not fit. */
TROTH_API void troth_policy_passphrase(troth_policy_builder *, troth_passphrase_fn *ask, void *ctx);
/* Every file in the directory that holds PEM or DER certificates; others are passed over.  Otherwise like the system's. */
TROTH_API void troth_policy_trust_dir(troth_policy_builder *, const char *path);
/* What this system trusts: /etc/ssl/certs/ca-certificates.crt or its like.  A root that cannot be read is passed over; and since its
 * keepers have judged these roots, the profile's rules (troth_profile) are not asked of them, only those of path validation. */
TROTH_API void troth_policy_trust_system(troth_policy_builder *);
/* An anchor with limits of its own.  Lists may be NULL.  Names are DNS domains: "example.com" stands for itself and all below it. */
typedef struct troth_anchor {
    size_t             size;             /* sizeof this struct                                                   */
    troth_span         certificate;      /* PEM or DER, one                                                      */
    const char *const *permitted;        /* leaf names must lie in one of these, and none be asked for by address;
                                          * n_permitted 0: no limit                                              */
    size_t             n_permitted;
    const char *const *excluded;         /* and in none of these                                                 */
    size_t             n_excluded;
    unsigned           purposes;         /* bits 1u << enum troth_purpose; 0: all                                */
    int64_t            distrust_after;   /* leaves issued (notBefore) later than this are refused; 0: no date    */
} troth_anchor;
TROTH_API void troth_policy_trust_anchor(troth_policy_builder *, const troth_anchor *);

/* -- what is asked for.  All of these can also be given with each question (troth_question). */
TROTH_API void troth_policy_purpose(troth_policy_builder *, enum troth_purpose);
TROTH_API void troth_policy_host(troth_policy_builder *, const char *dns_name);   /* A-labels; an IP address is taken as one */
TROTH_API void troth_policy_ip(troth_policy_builder *, const char *address);
TROTH_API void troth_policy_email(troth_policy_builder *, const char *mailbox);   /* host in A-labels; also of RFC 9598        */
TROTH_API void troth_policy_time(troth_policy_builder *, int64_t unix_seconds);   /* instead of this machine's clock         */

/* -- by which rules */
TROTH_API void troth_policy_profile(troth_policy_builder *, enum troth_profile);
/* Certificates between leaf and anchor, self-issued ones not counted; default 12. */
TROTH_API void troth_policy_max_depth(troth_policy_builder *, unsigned);
/* The least RSA modulus in bits; default 2048. */
TROTH_API void troth_policy_min_rsa(troth_policy_builder *, unsigned bits);
/* Certificate policies (RFC 5280 6.1.1 c, e, f, g).  Each call adds an OID ("2.16.840.1.101.3.2.1.48.1") to the initial policy set;
 * none: any policy. */
TROTH_API void troth_policy_add_policy(troth_policy_builder *, const char *oid);
TROTH_API void troth_policy_require_explicit(troth_policy_builder *);
TROTH_API void troth_policy_inhibit_mapping(troth_policy_builder *);
TROTH_API void troth_policy_inhibit_any(troth_policy_builder *);
/* Is this domain (lower case, A-labels, no trailing dot) a public suffix, under which a wildcard stands for everybody?  Without a hook
 * only single labels ("com") are taken for public suffixes.  Must be safe to call from any thread. */
TROTH_API void troth_policy_public_suffix(troth_policy_builder *, bool (*is_suffix)(void *ctx, const char *domain), void *ctx);
/* Run all checks on every path instead of stopping a path at its first failure, and keep the evidence of passed ones too. */
TROTH_API void troth_policy_every_check(troth_policy_builder *);

/* -- revocation and transparency */
TROTH_API void troth_policy_revocation(troth_policy_builder *, enum troth_revocation);
TROTH_API void troth_policy_crls(troth_policy_builder *, troth_span pem_or_der);  /* PEM: every X509 CRL in it; unreadable ones fail the build */
TROTH_API void troth_policy_crl_file(troth_policy_builder *, const char *path);
/* Every file in the directory that holds CRLs; others are passed over.  A directory without any CRL fails the build. */
TROTH_API void troth_policy_crl_dir(troth_policy_builder *, const char *path);
/* OCSP responses beside those that a peer staples; DER. */
TROTH_API void troth_policy_ocsp(troth_policy_builder *, troth_span response);
/* Certificate Transparency: a log's public key (SubjectPublicKeyInfo, DER) and its name; and how many logs must have vouched. */
TROTH_API void troth_policy_ct_log(troth_policy_builder *, troth_span key, const char *name);
TROTH_API void troth_policy_require_scts(troth_policy_builder *, unsigned how_many);

/* ================================================================ question and report */

/* One question to a policy.  Zeroed members mean: as the policy says; host, ip and email are one in this: where any of them is given,
 * none of the policy's counts. */
typedef struct troth_question {
    size_t             size;       /* sizeof this struct                                                                     */
    const troth_span  *certs;      /* each is DER, or PEM with any number of certificates; the first certificate is the one
                                    * to judge, the rest are untrusted helpers in any order                                  */
    size_t             n;
    bool               any_order;  /* the first need not be the leaf: look for the one that issued none of the others        */
    const char        *host;
    const char        *ip;
    const char        *email;
    enum troth_purpose purpose;
    int64_t            time;
    troth_span         ocsp;       /* stapled response for the leaf                                                          */
    troth_span         scts;       /* SignedCertificateTimestampList from TLS (RFC 6962 3.3)                                 */
    bool               asked_staple; /* a staple was asked for, so that must-staple can be enforced                          */
} troth_question;

/* Judge certs[0] (DER or PEM, as in troth_question); the rest may be in any order and may be of no use.  A certificate that cannot be
 * read is a rejection, wherever it stands.  NULL when memory ran out. */
TROTH_API TROTH_CHECK troth_report *troth_verify(const troth_policy *, const troth_span *certs, size_t n);
TROTH_API TROTH_CHECK troth_report *troth_ask(const troth_policy *, const troth_question *);
TROTH_API void troth_report_free(troth_report *);

/* Accepted by every rule of the policy, and not refused by the application. */
TROTH_API bool troth_report_ok(const troth_report *);
/* The most telling failure; its reason is TROTH_R_NONE when the chain was accepted. */
TROTH_API const troth_error *troth_report_error(const troth_report *);
/* The application's own verdict.  It can refuse what the rules accept, never the reverse; it stands beside ours in the report. */
TROTH_API void troth_report_verdict(troth_report *, bool accept, const char *because);

/* Every certificate that was given, as it was given; the spans live as long as the report. */
TROTH_API size_t troth_report_given(const troth_report *, const troth_span **certs);

/* Where a certificate came from: which of the question's certs[], and which certificate in there; both from 0.  SIZE_MAX: none; of `nth`:
 * none can be told apart in there. */
typedef struct troth_origin { size_t certs, nth; } troth_origin;
/* Of a certificate given, by its index (troth_path_cert.given). */
TROTH_API troth_origin troth_report_origin(const troth_report *, int given);
/* Of the certificate that the report's error is about: also one that cannot be read. */
TROTH_API troth_origin troth_report_error_origin(const troth_report *);

/* The file of the trust anchor that the report's error is about, as it was named to the policy; NULL: it is about none, or that one came
 * from no file.  Lives as long as the report. */
TROTH_API const char *troth_report_error_anchor(const troth_report *);

/* Paths in the order in which they were tried; the accepted one, if any, is the last tried. */
typedef struct troth_path {
    bool   accepted;
    bool   complete;   /* ends at a trust anchor                                                     */
    size_t n_certs;    /* leaf first, anchor last                                                    */
    size_t n_checks;
    enum troth_reason reason; /* of its first failure; TROTH_R_NONE if there is none                 */
} troth_path;
TROTH_API size_t troth_report_paths(const troth_report *);
TROTH_API troth_path troth_report_path(const troth_report *, size_t path);
/* Which path was accepted; SIZE_MAX if none was. */
TROTH_API size_t troth_report_accepted(const troth_report *);

typedef struct troth_path_cert {
    troth_span  der;
    const char *title;               /* "CN=shop.example", escaped: safe to print                   */
    const char *issuer;              /* likewise, of its issuer                                     */
    int64_t     not_before, not_after;
    int         given;               /* its index among the certificates given; -1: a trust anchor  */
} troth_path_cert;
TROTH_API troth_path_cert troth_report_cert(const troth_report *, size_t path, size_t cert);

typedef struct troth_path_check {
    const char        *name;         /* "validity"                                                  */
    const char        *rule;         /* "RFC 5280 6.1.3(a)(2)"                                      */
    enum troth_verdict verdict;
    enum troth_reason  reason;       /* why it failed or warns                                      */
    size_t             cert;         /* index in the path                                           */
    uint32_t           at, n;        /* bytes of that certificate on which the verdict rests        */
    const char        *evidence;     /* the values, in words, escaped; "" where nobody asked (see troth_policy_every_check) */
} troth_path_check;
TROTH_API troth_path_check troth_report_check(const troth_report *, size_t path, size_t check);

/* The last second at which the accepted path is still accepted: the earliest end of a validity, of a CRL or of an OCSP response in it.
 * *why is the reason that comes next.  INT64_MIN when nothing was accepted. */
TROTH_API int64_t troth_report_until(const troth_report *, enum troth_reason *why);

/* Certificate policies that the accepted path is valid for (RFC 5280 6.1.6; the user-constrained policy set of RFC 9618), as OIDs: of those
 * that were asked for with troth_policy_add_policy, or of all where none was; where certificates map policies, by the names that the trust
 * anchor has for them.  "2.5.29.32.0" among them: any policy.  At most 129; the list lives as long as the report.  0: none, or nothing was
 * accepted. */
TROTH_API size_t troth_report_policies(const troth_report *, const char *const **oids);

/* For how many days a certificate that was issued then may be valid, where it is a server's and its authority a public one (CA/Browser
 * Forum 6.3.2).  TROTH_PROFILE_LINT warns of more. */
TROTH_API unsigned troth_public_lifetime(int64_t issued);

/* Work done: what the budgets are about. */
typedef struct troth_work { uint32_t signatures, steps, names; } troth_work;
TROTH_API troth_work troth_report_work(const troth_report *);

#ifdef __cplusplus
}
#endif
#endif
