/* judge.h - one verdict in the making: the certificates at hand, the path being tried, the budget, what was found.
 *
 * Internal to path building and checks; everybody else sees verify.h.  A judge lives in its report's arena. */
#ifndef X509_JUDGE_H
#define X509_JUDGE_H

#include "base/text.h"
#include "x509/crl.h"
#include "x509/ocsp.h"
#include "x509/verify.h"

enum {
    PATH_MAX_CERTS = 32, /* self-issued ones included; the depth limit is lower and counts without them */
    PATHS_KEPT = 64,     /* paths kept for the report; more are tried, and counted                      */
    EVIDENCE_MAX = 400   /* bytes of evidence of one finding                                            */
};

/* A certificate that a path can be made of. */
struct node {
    const struct cert   *cert;
    const struct anchor *anchor;      /* it is one of the policy's                                   */
    int                  given;       /* index among the certificates given; -1: none of them        */
    uint32_t             key_id;      /* the same for nodes with the same key; 0: not yet known      */
    uint16_t             reach;       /* steps to an anchor by names alone; 0: none can be reached   */
    bool                 judged;      /* `sound` is known                                            */
    bool                 sound;       /* passed as an issuer all checks that depend on nothing else  */
    enum troth_reason    unsound_why;
};

/* Does a path end with it?  A certificate given that is an anchor as well has a node for each: it may also lead to another anchor. */
static inline bool node_ends(const struct node *n)
{
    return n->anchor && n->given < 0;
}

struct finding {
    uint8_t     check;                /* row of the table         */
    uint8_t     cert;                 /* index in the path        */
    uint8_t     verdict;              /* enum troth_verdict       */
    uint16_t    reason;               /* enum troth_reason        */
    uint32_t    at, n;                /* in that certificate      */
    const char *evidence;             /* in the arena; NULL: none */
};

struct path {
    struct node    *node[PATH_MAX_CERTS]; /* leaf first */
    unsigned        n;
    bool            complete, accepted;
    struct finding *findings;
    unsigned        n_findings, cap;
    enum troth_reason reason;         /* of the first failure */
    int64_t           until;          /* what is known of revocation holds so long; 0: nothing is known */
    unsigned        failed;           /* its finding          */
};

/* An index of the pool by the hash of a name. */
struct keyed {
    uint64_t     hash;
    struct node *node;
    bool         done;                /* of the first of a run: all of the run were seen to */
};

/* Signatures that were verified for one verdict: this certificate, by this key. */
struct link {
    const struct cert *child;
    uint32_t           key_id;
    bool               good;
    bool               revoked;       /* the key's owner says so: no way over it is good */
};

/* What is known about a CRL's signer that needed a path of its own. */
struct signer {
    const struct cert   *cert;
    const struct anchor *anchor;
    bool                 done, trusted; /* not done: being looked at right now */
    bool                 assumed;       /* while it was, somebody else's verdict was built on it */
};

enum { SIGNERS_MAX = 32, SIGNER_DEPTH = 4 };

/* Shared by a judge and those it starts for CRL signers. */
struct known {
    struct link      *links;
    size_t            n_links, cap_links;
    span             *keys;             /* SubjectPublicKeyInfos; key_id is the index and one */
    uint32_t          n_keys, cap_keys;
    struct signer     signers[SIGNERS_MAX];
    unsigned          n_signers;
    struct rev_memory *revocation;      /* signatures of CRLs and OCSP responses, once there are any */
    struct ocsp      *ocsp;             /* the policy's, parsed when first needed             */
    size_t            n_ocsp;
    bool              ocsp_read;
};

struct judge {
    const struct troth_policy *policy;
    const struct verify_input *in;
    struct arena              *arena;
    struct troth_report       *report;
    enum troth_purpose         purpose;   /* resolved: never BY_NAME                       */
    bool                       web, std, lint; /* which rules of certificates apply        */
    bool                       words;     /* evidence also for what passed                 */
    bool                       out_of_memory;
    const char                *host, *email; /* what is asked for; NULL: nothing           */
    uint8_t                    ip[16];
    size_t                     ip_n;      /* 0, 4, 16                                      */
    struct node               *pool;      /* certificates given                            */
    size_t                     n_pool;
    struct keyed              *by_subject, *by_issuer; /* the pool, sorted by the hash of that name */
    struct node              **anchors;   /* nodes of anchors met so far                   */
    size_t                     n_anchors, cap_anchors;
    struct node               *leaf;
    struct known              *known;
    unsigned                   signer_depth; /* this judge works for a CRL's signer        */
    const struct anchor       *only_anchor;  /* and its path must end here                 */
    troth_work                 work;
    bool                       spent;     /* the budget is                                 */
    bool                       too_deep;  /* a path was cut off for its length             */
    bool                       hopeless;  /* the leaf itself fails: no other path can help */
    bool                       sorted;    /* the second look: only what may be an issuer has a `reach` */
    bool                       futile;    /* it came to its end, and there is nothing good */
    bool                       aside;     /* a certificate is looked at beside the path: no witness is told */
    bool                       staple_asked; /* of this path's leaf; then `staple` is what it said */
    struct rev_answer          staple;
    struct path                now;       /* being tried                                   */
};

struct troth_report {
    const troth_allocator *memory;
    struct arena           arena;
    troth_error            error;
    bool                   ok;
    bool                   borrows;       /* the certificates and the first chunk of memory */
    const struct troth_policy *policy;    /* shared: anchors in paths point into it */
    const span            *given;
    troth_origin          *origins;       /* of each */
    size_t                 n_given;
    troth_origin           error_origin;
    const struct anchor   *error_anchor;  /* that the error is about; the policy's */
    const struct cert     *leaf;
    struct path          **paths;
    size_t                 n_paths, n_tried;
    size_t                 accepted;      /* SIZE_MAX: none */
    int64_t                until;
    enum troth_reason      until_why;
    troth_work             work;
    bool                   app_said, app_accepts;
    const char            *app_because;
};

/* ---- the table (checks.c) */

enum looks_at { LEAF = 1, ISSUERS = 2, ANCHOR = 4, EVERY = 7, BELOW_ANCHOR = 3, ONCE = 8 };
enum rules { ALWAYS, STD, WEB, LINT }; /* STD: RFC 5280 4; WEB: CA/Browser Forum; LINT: as a warning only */

struct check {
    const char *name, *rule;
    enum troth_verdict (*look)(struct judge *, unsigned cert, struct finding *);
    uint16_t    reason; /* enum troth_reason, unless the check says otherwise */
    uint8_t     where;  /* enum looks_at                                      */
    uint8_t     rules;  /* enum rules                                         */
    bool        alone;  /* depends on the certificate and its place alone, not on the rest of the path */
};

extern const struct check checks[];
extern const unsigned n_checks, check_of_trust; /* the row that no path runs: its finding says that there is no path */

/* Runs the whole table over `j->now`: true when the path is accepted. */
bool path_judge(struct judge *);
/* May this node stand as an issuer (as far as that depends on nothing else)?  Remembered; the first failure is a finding of j->now. */
bool node_is_sound(struct judge *, unsigned cert);
/* Instead of the path's certificate `at`, and of the same issuer: what is wrong with this one, as far as that holds for whatever use and
 * is not about its key, its signature or its dates.  NULL: nothing. */
const char *beside_fault(struct judge *, unsigned at, const struct cert *);
/* May it be an issuer of what is below it in the path: by its limits of length and names?  A failure is a finding of j->now. */
bool node_fits(struct judge *, unsigned cert);

/* ---- for the checks */
static inline const struct cert *cert_at(const struct judge *j, unsigned i)
{
    return j->now.node[i]->cert;
}

static inline bool is_anchor(const struct judge *j, unsigned i)
{
    return j->now.complete && i + 1 == j->now.n;
}

/* Sets reason, range and words, and returns the verdict. */
enum troth_verdict found(struct judge *, struct finding *, enum troth_verdict, enum troth_reason, struct range, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
/* Likewise for what passed: words only where somebody asked for them. */
enum troth_verdict passed(struct judge *, struct finding *, struct range, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A check that was not made, and why (a constant). */
static inline enum troth_verdict skipped(struct finding *f, const char *why)
{
    f->evidence = why;
    return TROTH_SKIPPED;
}
struct finding *finding_add(struct judge *);
/* "certificate 2 \"CN=R11\"" */
void cert_words(struct text *t, const struct judge *, unsigned cert);
/* How much of a budget there is to spend now. */
static inline uint32_t budget_of(const struct judge *j, uint32_t whole)
{
    return j->sorted ? whole : whole / 5 * 4;
}
/* Comparisons of names: takes n away; false once the budget is spent.  A long name costs more than a short one. */
bool MUST_USE spend_names(struct judge *, uint32_t n);
static inline uint32_t name_cost(span name)
{
    return 1 + (uint32_t)(name.n / 32);
}
/* All checks of all paths, for as long as paths are kept: after that a path ends at its first failure, as it does otherwise. */
static inline bool all_checks(const struct judge *j)
{
    return j->policy->every_check && j->report->n_paths < PATHS_KEPT - 1;
}
bool MUST_USE spend_signatures(struct judge *, uint32_t n);

/* ---- parts with a file of their own */
/* constraints.c */
enum troth_verdict check_constraints_formed(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_constraints(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_constraints_by(struct judge *, unsigned by, unsigned cert, struct finding *);
enum troth_verdict check_anchor_limits(struct judge *, unsigned cert, struct finding *);
/* policy.c */
enum troth_verdict check_policies(struct judge *, unsigned cert, struct finding *);
enum { POLICIES_TOLD = 128 };
/* The policies of the initial set (any: all there are) that j->now, which was accepted, is valid for, as text in the arena; at most
 * POLICIES_TOLD and one.  False: memory or the budget ran out; *n are known then. */
bool MUST_USE policies_valid(struct judge *, const char ***out, size_t *n);
/* names.c */
enum troth_verdict check_name(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_san_formed(struct judge *, unsigned cert, struct finding *);
/* profile.c */
enum troth_verdict check_std_ca(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_std_criticality(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_std_identifiers(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_std_no_rev_avail(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_std_names(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_std_features(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_serial(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_web_leaf(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_web_eku(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_web_aki(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_lint_validity(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_lint_issuer(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_lint_names(struct judge *, unsigned cert, struct finding *);
/* strength.c */
const char *key_fault(const struct cert *, unsigned min_rsa); /* what is wrong with a key; NULL: nothing */
enum troth_verdict check_key_strength(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_signature_strength(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_web_root_sig(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_signature(struct judge *, unsigned cert, struct finding *);
/* revoked.c */
enum troth_verdict check_revocation(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_staple(struct judge *, unsigned cert, struct finding *);
enum troth_verdict check_transparency(struct judge *, unsigned cert, struct finding *);

/* ---- paths (path.c) */
bool MUST_USE paths_search(struct judge *);
/* The node of an anchor; NULL when memory ran out. */
struct node *anchor_node(struct judge *, const struct anchor *);
/* Has this link been verified and found wrong? */
const struct link *link_find(struct judge *, const struct node *child, struct node *issuer);
bool MUST_USE link_add(struct judge *, const struct node *child, struct node *issuer, bool good);
/* The owner of this node's key has revoked `child`: whatever is above them, that stays so. */
void link_revoke(struct judge *, const struct node *child, struct node *issuer);
/* Was `child` signed with this node's key?  Verified, remembered. */
bool link_verify(struct judge *, const struct node *child, struct node *issuer);
/* Is it signed with its own key?  The names do not say: verified, remembered. */
bool node_is_self_signed(struct judge *, struct node *);
/* Copies j->now into the report. */
void path_keep(struct judge *);
/* Certificates given whose subject is this certificate's issuer, from the index: the first of a run whose names need comparing. */
size_t pool_by_subject(const struct judge *, uint64_t hash, const struct keyed **first);

/* Is this CRL signer's certificate good, by a path to the same anchor as the path being judged?  (crl_question's `trusted`) */
bool signer_is_trusted(void *judge, const struct cert *signer);

/* Why was nothing accepted?  Fills the report's error (tell.c). */
void tell_failure(struct judge *);

#endif
