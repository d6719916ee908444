/* verify.h - judging a chain, as the rest of the library sees it: policy in, report out.
 *
 * Pure: no clock, no file, no network; the time and all evidence (CRLs, OCSP responses, SCTs) come with the question.  Work is
 * bounded by a budget; memory is the report's own arena, so that a report outlives the handshake that made it. */
#ifndef X509_VERIFY_H
#define X509_VERIFY_H

#include <troth/verify.h>

#include "base/arena.h"
#include "x509/cert.h"

struct crl;       /* crl.h of this folder  */
struct ct_log;    /* sct.h of this folder  */
struct remembered; /* remember.h             */

/* ---- trust anchors (anchors.c) */
struct anchor {
    struct cert cert;
    const span *permitted, *excluded;    /* DNS domains, lower case; of this anchor alone */
    size_t      n_permitted, n_excluded;
    unsigned    purposes;                /* bits 1u << enum troth_purpose; 0: all         */
    int64_t     distrust_after;          /* 0: no date                                    */
    const char *file;                    /* that it came from; NULL: from none            */
    signed char *self_signed;            /* 1, 0; -1: not looked at; atomic               */
    bool        vetted;                  /* from the system's store, whose keepers judged it: only path validation's own rules apply,
                                          * not those of the profile, which old roots break            */
};

struct anchors {
    struct anchor **rows;     /* in order of subject_hash once frozen */
    size_t          n, cap;
};

/* Adds what is in `bytes` (copied into the arena): PEM with any number of certificates, or DER.  `vetted`: it is the system's store:
 * what cannot be read is passed over instead of failing, and see struct anchor.  *n: how many were added. */
bool MUST_USE anchors_add(struct anchors *, struct arena *, span bytes, bool vetted, size_t *n, troth_error *error);
bool MUST_USE anchors_add_row(struct anchors *, struct arena *, const struct anchor *row);
/* Sorts and indexes; no more adding after this. */
bool MUST_USE anchors_freeze(struct anchors *, struct arena *);
/* Is its signature its own key's?  -1: nobody has looked yet.  Remembered in the anchor; safe from many threads. */
int  anchor_self_signed(const struct anchor *);
void anchor_note_self_signed(const struct anchor *, bool yes);
/* The run of anchors with this subject hash; *n 0 if none. */
struct anchor *const *anchors_by_subject(const struct anchors *, uint64_t subject_hash, size_t *n);
/* The anchor that is this very certificate. */
const struct anchor *anchors_find(const struct anchors *, const struct cert *);

/* ---- the policy: frozen, counted */
struct troth_policy {
    troth_provider        *provider;
    const troth_allocator *memory;
    struct arena           arena;        /* everything below lives here */
    unsigned               owners;       /* atomic                      */
    struct anchors         anchors;
    enum troth_profile     profile;
    enum troth_purpose     purpose;
    enum troth_revocation  revocation;
    const char            *host, *ip, *email;
    int64_t                time;
    bool                   has_time, every_check;
    unsigned               max_depth, min_rsa;
    const span            *policies;     /* initial policy set: OID contents; none: any policy */
    size_t                 n_policies;
    bool                   require_explicit, inhibit_mapping, inhibit_any;
    bool                 (*is_suffix)(void *ctx, const char *domain);
    void                  *suffix_ctx;
    const span            *crls;         /* DER, each */
    size_t                 n_crls;
    const struct crl      *parsed_crls;  /* n_crls of them */
    const span            *ocsp;         /* DER, each */
    size_t                 n_ocsp;
    struct ct_log         *ct_logs;
    size_t                 n_ct_logs;
    unsigned               require_scts;
};

/* One owner more, one owner less; the last one frees it. */
const struct troth_policy *policy_share(const struct troth_policy *);
void policy_release(const struct troth_policy *);

/* ---- one question.  Members that are zero: as the policy says (except time, which must be right). */
struct verify_input {
    const struct troth_policy *policy;
    const char                *fault;    /* what is wrong with the question itself; NULL: nothing */
    const span                *certs;    /* DER; copied into the report, but see `room` */
    size_t                     n;
    bool                       bundles;  /* each may also be PEM with any number of certificates */
    bool                       any_order;
    const char                *host, *ip, *email;
    enum troth_purpose         purpose;
    int64_t                    now;      /* seconds since 1970 */
    span                       ocsp;     /* stapled for the leaf; empty: none came */
    span                       scts;
    bool                       asked_staple;
    bool                       clock;    /* `now` is what a clock says, which may be wrong; not a time that somebody chose */
    troth_verify_job          *also;     /* a signature by the leaf's key, to be verified along with the chain's where that is done side by
                                          * side: its `key` is set here.  Not good: it may not have been looked at   */
    const struct witness      *witness;  /* is told fields of every certificate, and every check */
    struct remembered         *remembered; /* signatures on certificates that need not be verified again; NULL: all are */
    bool                       words;    /* evidence of what passed, as a witness of checks would have it */
    struct verify_room        *room;     /* NULL: the report has memory of its own, and copies of the certificates.  Else both are the
                                          * caller's, and outlive the report                     */
};

/* What judging a chain of usual length takes; the allocator is asked for more where it is not enough. */
struct verify_room {
    _Alignas(16) uint8_t b[9216];
};

/* Judges.  NULL only when memory ran out; any other trouble is in the report.  Free with troth_report_free. */
struct troth_report *verify_chain(const struct verify_input *);

/* The judged certificate, also when it was refused; NULL when it could not be read. */
const struct cert *report_leaf(const struct troth_report *);
/* Every certificate given, as given (spans into the report). */
size_t report_given(const struct troth_report *, const span **certs);

/* ---- the host name alone (for SNI: choosing an identity, strict SNI).  `host`: DNS name in A-labels or IP address in text. */
bool cert_matches_host(const struct cert *, const char *host);

#endif
