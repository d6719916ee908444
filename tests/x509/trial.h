/* trial.h - one judgement in one line: a root, an intermediate and a leaf that are good, one thing changed, the code expected.
 *
 *     CASE("cert.expired", t->leaf.not_after = MK_NOW - 1);
 *
 * Everything a judgement depends on is in struct trial; fresh() makes it good again. */
#ifndef TESTS_X509_TRIAL_H
#define TESTS_X509_TRIAL_H

#include <troth/verify.h>

#include "support/mkpki.h"
#include "support/test.h"

enum { TRIAL_CERTS = 160 };

struct trial {
    struct mk         *m;
    const troth_key   *root_key, *mid_key, *leaf_key;
    struct issue       root, mid, leaf;
    bool               no_mid;             /* the leaf is issued by the root, and no intermediate is given */
    bool               hide_mid;           /* it is issued by the intermediate, which is not given         */
    span               anchors[TRIAL_CERTS], given[TRIAL_CERTS]; /* beside root, and beside leaf and mid   */
    size_t             n_anchors, n_given;
    bool               no_root, no_chain;  /* only what is in the lists                                    */
    const char        *host, *ip, *email;
    enum troth_purpose purpose;
    enum troth_profile profile;
    enum troth_revocation revocation;
    int64_t            time;               /* 0: this machine's clock                                      */
    int                max_depth;          /* -1: default                                                  */
    const char *const *policies;
    bool               require_explicit, inhibit_mapping, inhibit_any, every_check, any_order, asked_staple;
    span               crls[16], ocsp[16], staple, scts;
    size_t             n_crls, n_ocsp;
    const troth_anchor *limited;           /* instead of the root's own row: its certificate is filled in  */
    bool             (*is_suffix)(void *, const char *);
    void             (*more)(struct trial *, troth_policy_builder *);
    char               seen[400];          /* the detail of the error                                      */
    uint8_t            who;                /* enum troth_who: that is to mend it                           */
    troth_work         work;
};

struct trial *trial_new(void);
void trial_free(struct trial *);
void trial_fresh(struct trial *);
/* The report; free it. */
troth_report *trial_judge(struct trial *, troth_error *unbuilt);
/* Judges, and fails the test at this line unless the code is this one. */
void trial_expect(struct trial *, const char *code, const char *file, int line);

/* `t` is made good, changed, judged. */
#define CASE(code, ...)                             \
    do {                                            \
        trial_fresh(t);                             \
        __VA_ARGS__;                                \
        trial_expect(t, code, __FILE__, __LINE__);  \
    } while (0)
#define SEEN(words) (strstr(t->seen, words) ? (void)0 : (void)test_fail("line %d: \"%s\" is not in \"%s\"", __LINE__, words, t->seen))

#endif
