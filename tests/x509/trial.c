/* trial.c - see trial.h. */
#include "x509/trial.h"

struct trial *trial_new(void)
{
    struct trial *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->m = mk_new();
    t->root_key = mk_key(t->m, TROTH_KEY_P256);
    t->mid_key = mk_key(t->m, TROTH_KEY_P256);
    t->leaf_key = mk_key(t->m, TROTH_KEY_P256);
    return t;
}

void trial_free(struct trial *t)
{
    mk_free(t->m);
    free(t);
}

void trial_fresh(struct trial *t)
{
    struct mk *m = t->m;
    const troth_key *r = t->root_key, *i = t->mid_key, *l = t->leaf_key;
    *t = (struct trial){ .m = m, .root_key = r, .mid_key = i, .leaf_key = l };
    static const char *const names[] = { "DNS:shop.example", NULL };
    t->root = mk_ca("CN=Test Root,O=Troth Test", r);
    t->mid = mk_sub_ca(&t->root, "CN=Test Intermediate,O=Troth Test", i);
    t->leaf = mk_leaf(&t->mid, l, NULL);
    t->leaf.san = names;
    t->host = "shop.example";
    t->time = MK_NOW;
    t->max_depth = -1;
}

static void configure(struct trial *t, troth_policy_builder *b)
{
    for (size_t i = 0; i < t->n_anchors; i++)
        troth_policy_trust_pem(b, t->anchors[i]);
    if (t->limited) {
        troth_anchor a = *t->limited;
        a.size = sizeof a;
        a.certificate = mk_cert(t->m, &t->root);
        troth_policy_trust_anchor(b, &a);
    } else if (!t->no_root) {
        troth_policy_trust_pem(b, mk_cert(t->m, &t->root));
    }
    troth_policy_profile(b, t->profile);
    troth_policy_purpose(b, t->purpose);
    troth_policy_revocation(b, t->revocation);
    if (t->time)
        troth_policy_time(b, t->time);
    if (t->max_depth >= 0)
        troth_policy_max_depth(b, (unsigned)t->max_depth);
    for (size_t i = 0; t->policies && t->policies[i]; i++)
        troth_policy_add_policy(b, t->policies[i]);
    if (t->require_explicit)
        troth_policy_require_explicit(b);
    if (t->inhibit_mapping)
        troth_policy_inhibit_mapping(b);
    if (t->inhibit_any)
        troth_policy_inhibit_any(b);
    if (t->every_check)
        troth_policy_every_check(b);
    for (size_t i = 0; i < t->n_crls; i++)
        troth_policy_crls(b, t->crls[i]);
    for (size_t i = 0; i < t->n_ocsp; i++)
        troth_policy_ocsp(b, t->ocsp[i]);
    if (t->is_suffix)
        troth_policy_public_suffix(b, t->is_suffix, NULL);
    if (t->more)
        t->more(t, b);
}

troth_report *trial_judge(struct trial *t, troth_error *unbuilt)
{
    span certs[TRIAL_CERTS + 2];
    size_t n = 0;
    if (t->no_mid)
        t->leaf.by = &t->root;
    if (!t->no_chain)
        certs[n++] = mk_cert(t->m, &t->leaf);
    if (!t->no_chain && !t->no_mid && !t->hide_mid)
        certs[n++] = mk_cert(t->m, &t->mid);
    for (size_t i = 0; i < t->n_given; i++)
        certs[n++] = t->given[i];
    troth_policy_builder *b = troth_policy_new(troth_provider_share(t->m->crypto));
    configure(t, b);
    troth_policy *p = troth_policy_build(b, unbuilt);
    if (!p)
        return NULL;
    troth_question q = { .size = sizeof q,
                         .certs = certs,
                         .n = n,
                         .any_order = t->any_order,
                         .host = t->host,
                         .ip = t->ip,
                         .email = t->email,
                         .ocsp = t->staple,
                         .scts = t->scts,
                         .asked_staple = t->asked_staple };
    troth_report *r = troth_ask(p, &q);
    troth_policy_free(p);
    assert_non_null(r);
    return r;
}

void trial_expect(struct trial *t, const char *code, const char *file, int line)
{
    troth_error unbuilt = { 0 };
    troth_report *r = trial_judge(t, &unbuilt);
    troth_error e = r ? *troth_report_error(r) : unbuilt;
    const char *is = e.reason == TROTH_R_NONE ? "ok" : e.code;
    snprintf(t->seen, sizeof t->seen, "%s", e.detail);
    t->who = e.who;
    t->work = troth_report_work(r);
    bool agree = troth_report_ok(r) == (e.reason == TROTH_R_NONE);
    troth_report_free(r);
    if (strcmp(is, code) || (r && !agree)) {
        fprintf(stderr, "%s:%d: %s (%s), wanted %s\n", file, line, is, e.detail, code);
        _fail(file, line);
    }
}
