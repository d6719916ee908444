/* CRLs: what is read, what is refused, and the status of RFC 5280 6.3.3, each rule both ways. */
#include "support/mkpki.h"
#include "support/test.h"
#include "x509/crl.h"

static struct mk *m;
static struct issue root, other, leaf, sub;
static struct cert root_cert, other_cert, leaf_cert, sub_cert;

static void parsed(struct cert *c, const struct issue *s)
{
    troth_error e = { 0 };
    if (!cert_parse(c, mk_cert(m, s), NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
}

static struct crl read_crl(const struct issue_crl *s)
{
    struct crl c;
    troth_error e = { 0 };
    if (!crl_parse(&c, mk_crl(m, s), NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
    return c;
}

static struct rev_answer ask_of(const struct cert *cert, const struct crl *crls, size_t n)
{
    struct rev_memory memory = { 0 };
    struct rev_answer a;
    struct crl_question q = { .crypto = m->crypto, .cert = cert, .issuer = &root_cert, .crls = crls, .n_crls = n, .now = MK_NOW,
                              .memory = &memory, .max_signatures = 20 };
    crl_status(&a, &q);
    return a;
}

static void expect(const struct rev_answer *a, enum rev_status status, enum troth_reason why, const char *evidence)
{
    if (a->status != status || a->why != why || !strstr(a->evidence, evidence))
        test_fail("status %d, %s, \"%s\"; wanted %d, %s, \"%s\"", a->status, troth_reason_code(a->why), a->evidence, status,
                  troth_reason_code(why), evidence);
}

/* The status of the leaf by one CRL. */
static void says(const struct issue_crl *s, enum rev_status status, enum troth_reason why, const char *evidence)
{
    struct crl c = read_crl(s);
    struct rev_answer a = ask_of(&leaf_cert, &c, 1);
    expect(&a, status, why, evidence);
}

static void refuses(const struct issue_crl *s, enum troth_reason why)
{
    struct crl c;
    troth_error e = { 0 };
    assert_false(crl_parse(&c, mk_crl(m, s), NULL, &e));
    if (e.reason != why)
        test_fail("%s (%s), wanted %s", e.code, e.detail, troth_reason_code(why));
}

static const struct issue_revoked leaf_entry = { .serial = { (const uint8_t *)"\x55", 1 }, .when = MK_NOW - 3600, .reason = 1 };
static const struct issue_revoked other_entry = { .serial = { (const uint8_t *)"\x56", 1 }, .when = MK_NOW - 3600, .reason = -1 };

static void complete(void **state)
{
    (void)state;
    struct issue_crl s = mk_crl_spec(&root);
    says(&s, REV_GOOD, TROTH_R_NONE, "not on the CRL from 2026-09-20");
    s.revoked = &other_entry;
    s.n_revoked = 1;
    says(&s, REV_GOOD, TROTH_R_NONE, "not on");
    s.revoked = &leaf_entry;
    says(&s, REV_REVOKED, TROTH_R_CERT_REVOKED, "revoked 2026-09-21T13:13:20Z (keyCompromise) by the CRL of CN=Root");
    struct crl c = read_crl(&s);
    struct rev_answer a = ask_of(&leaf_cert, &c, 1);
    assert_int_equal(a.when, MK_NOW - 3600);
    assert_int_equal(a.reason, CRL_KEY_COMPROMISE);
    assert_int_equal(a.signatures, 1);
    s.version = 1; /* RFC 5280 5: to be processed as well */
    s.revoked = &(struct issue_revoked){ .serial = leaf_entry.serial, .when = leaf_entry.when, .reason = -1 };
    says(&s, REV_REVOKED, TROTH_R_CERT_REVOKED, "revoked 2026-09-21T13:13:20Z by the CRL of CN=Root");
    s.revoked = &other_entry;
    says(&s, REV_GOOD, TROTH_R_NONE, "not on");
    s = mk_crl_spec(&root);
    s.revoked = &leaf_entry;
    s.this_update = MK_NOW;
    s.next_update = MK_NOW; /* both ends belong to it */
    s.n_revoked = 0;
    says(&s, REV_GOOD, TROTH_R_NONE, "not on");
    a = ask_of(&leaf_cert, NULL, 0);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_NONE, "no CRL of CN=Root among the 0 given");
}

static void of_no_use(void **state)
{
    (void)state;
    struct issue_crl s = mk_crl_spec(&root);
    s.next_update = MK_NOW - 1;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_STALE, "2026-09-21T14:13:19Z");
    s = mk_crl_spec(&root);
    s.this_update = MK_NOW + 1;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_NOT_YET, "thisUpdate");
    s = mk_crl_spec(&root);
    s.bad_signature = true;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SIGNATURE, "signature");
    s = mk_crl_spec(&other); /* another CA's */
    says(&s, REV_UNKNOWN, TROTH_R_CRL_NONE, "no CRL of");
    s.issuer = "CN=Root"; /* by another's key */
    says(&s, REV_UNKNOWN, TROTH_R_CRL_ISSUER, "no certificate of its issuer");
    s.omit = IX_AKI;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SIGNATURE, "wrong");
    s = mk_crl_spec(&root);
    s.next_update = 0;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_MALFORMED, "no nextUpdate");
    s = mk_crl_spec(&root);
    s.bad_signature = true;
    s.sig = TROTH_SIG_ECDSA_SHA1;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SIGNATURE, "not accepted");
    s = mk_crl_spec(&root);
    s.omit = IX_CRL_NUMBER;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_MALFORMED, "no number");
    s = mk_crl_spec(&root);
    s.flip = IX_CRL_NUMBER;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_MALFORMED, "critical");
    const struct issue_ext x = { "1.2.3.4", true, SPAN_TEXT("\5\0") }, harmless = { "1.2.3.4", false, SPAN_TEXT("\5\0") };
    s = mk_crl_spec(&root);
    s.extra = &x;
    s.n_extra = 1;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_CRITICAL, "unknown critical extension");
    s.extra = &harmless;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    struct issue_revoked entry = other_entry; /* RFC 5280 5.3: makes the whole list unusable */
    entry.extra = &x;
    entry.n_extra = 1;
    s = mk_crl_spec(&root);
    s.revoked = &entry;
    s.n_revoked = 1;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_CRITICAL, "of an entry");
    s = mk_crl_spec(&root);
    s.omit = IX_AKI;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    s.aki = SPAN_TEXT("somebody else"); /* the signature decides */
    s.omit = 0;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
}

static void issuer_key_usage(void **state)
{
    (void)state;
    struct issue ca = root;
    ca.key_usage = KU_KEY_CERT_SIGN;
    struct cert c, keep = root_cert;
    parsed(&c, &ca);
    root_cert = c;
    struct issue_crl s = mk_crl_spec(&root);
    says(&s, REV_UNKNOWN, TROTH_R_CRL_ISSUER, "key usage");
    ca.key_usage = 0;
    parsed(&c, &ca);
    root_cert = c;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    root_cert = keep;
}

static void scope(void **state)
{
    (void)state;
    struct issue_crl s = mk_crl_spec(&root);
    s.idp = s.only_user = true;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    struct crl c = read_crl(&s);
    struct rev_answer a = ask_of(&sub_cert, &c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "a CA's");
    s.only_user = false;
    s.only_ca = true;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "this is none");
    c = read_crl(&s);
    a = ask_of(&sub_cert, &c, 1);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    s.only_ca = false;
    s.only_attribute = true;
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "attribute");
    s = mk_crl_spec(&root);
    s.idp = true;
    s.dp.names = TEXTS("dir:CN=root"); /* the assumed point: the issuer's name */
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    s.dp.names = TEXTS("URI:http://a/");
    says(&s, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "another distribution point");
}

/* A leaf with these points, and the CRLs. */
static struct rev_answer with_points(const struct issue_dp *dps, size_t n_dps, const struct crl *crls, size_t n)
{
    struct issue l = leaf;
    struct cert c;
    l.cdp = dps;
    l.n_cdp = n_dps;
    parsed(&c, &l);
    return ask_of(&c, crls, n);
}

static void points(void **state)
{
    (void)state;
    const struct issue_dp a_dp[] = { { .names = TEXTS("URI:http://a/", "URI:http://a2/") } };
    struct issue_crl s = mk_crl_spec(&root);
    s.idp = true;
    s.dp.names = TEXTS("URI:http://x/", "URI:http://a2/");
    struct crl c[3] = { read_crl(&s) };
    struct rev_answer a = with_points(a_dp, 1, c, 1);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    s.dp.names = TEXTS("URI:http://b/");
    c[0] = read_crl(&s);
    a = with_points(a_dp, 1, c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "another");
    const struct issue_dp relative[] = { { .relative = "OU=part 1" } };
    s.dp = relative[0];
    c[0] = read_crl(&s);
    a = with_points(relative, 1, c, 1);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    const struct issue_dp full[] = { { .names = TEXTS("dir:OU=part 1,CN=Root") } }, wrong[] = { { .relative = "OU=part 2" } };
    a = with_points(full, 1, c, 1);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    a = with_points(wrong, 1, c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "another");
}

static void reasons(void **state)
{
    (void)state;
    struct issue_crl s = mk_crl_spec(&root);
    s.idp = true;
    s.dp.reasons = BIT(1) | BIT(2); /* keyCompromise, cACompromise */
    struct crl c[2] = { read_crl(&s) };
    struct rev_answer a = ask_of(&leaf_cert, c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "every reason");
    s.dp.reasons = REASONS_ALL & ~(uint32_t)(BIT(1) | BIT(2));
    c[1] = read_crl(&s);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    s.revoked = &leaf_entry;
    s.n_revoked = 1;
    c[1] = read_crl(&s);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    /* revoked in one part is enough */
    c[0] = c[1];
    a = ask_of(&leaf_cert, c, 1);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    /* and reasons in the certificate's points limit what a complete CRL tells */
    s = mk_crl_spec(&root);
    s.idp = true;
    s.dp.names = TEXTS("URI:http://a/");
    c[0] = read_crl(&s);
    const struct issue_dp some[] = { { .names = TEXTS("URI:http://a/"), .reasons = BIT(1) } };
    a = with_points(some, 1, c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_SCOPE, "every reason");
}

static void deltas(void **state)
{
    (void)state;
    struct issue_crl base = mk_crl_spec(&root), delta = mk_crl_spec(&root);
    base.number = MK_SERIAL(5);
    delta.number = MK_SERIAL(6);
    delta.delta_base = MK_SERIAL(4);
    delta.revoked = &leaf_entry;
    delta.n_revoked = 1;
    struct crl c[3] = { read_crl(&base), read_crl(&delta) };
    struct rev_answer a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    a = ask_of(&leaf_cert, c + 1, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_BASE, "only a delta");
    delta.delta_base = MK_SERIAL(6); /* needs a newer base */
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    delta.delta_base = MK_SERIAL(5);
    delta.number = MK_SERIAL(5); /* not newer than the base */
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    delta.number = MK_SERIAL(6);
    delta.next_update = MK_NOW - 1; /* stale */
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    /* RFC 5280 6.3.3 (a)(1): a delta brings a complete one up to date that is out of date itself, if it belongs to it */
    base.next_update = MK_NOW - 1;
    c[0] = read_crl(&base);
    a = ask_of(&leaf_cert, c, 2); /* both are stale */
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_STALE, "newer one");
    delta.next_update = MK_NOW + MK_DAY;
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    delta.n_revoked = 0;
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "good until 2026-09-22");
    delta.bad_signature = true;
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_STALE, "newer one");
    delta.bad_signature = false;
    delta.delta_base = MK_SERIAL(6);
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_STALE, "newer one");
    delta.delta_base = MK_SERIAL(5);
    base.next_update = MK_NOW + MK_DAY;
    delta.n_revoked = 1;
    /* on hold in the complete one, released by the delta; and the newest of two deltas counts */
    struct issue_revoked hold = leaf_entry, release = leaf_entry;
    hold.reason = CRL_HOLD;
    release.reason = CRL_REMOVE;
    base.revoked = &hold;
    base.n_revoked = 1;
    delta.next_update = MK_NOW + MK_DAY;
    delta.revoked = &release;
    c[0] = read_crl(&base);
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 1);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "certificateHold");
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    delta.number = MK_SERIAL(7);
    delta.revoked = &leaf_entry;
    c[2] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 3);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "keyCompromise");
    /* of another scope: not for this base */
    delta.idp = delta.only_user = true;
    c[1] = read_crl(&delta);
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "certificateHold");
}

/* What no issuer should write, and what a folder of old lists has: never "good" for want of looking on. */
static void contradictions(void **state)
{
    (void)state;
    struct issue_revoked twice[2] = { leaf_entry, leaf_entry };
    twice[0].reason = CRL_REMOVE;
    struct issue_crl old = mk_crl_spec(&root), base = old, delta = old;
    base.revoked = twice;
    base.n_revoked = 1;
    says(&base, REV_GOOD, TROTH_R_NONE, ""); /* RFC 5280 6.3.3 (k) */
    base.n_revoked = 2;
    says(&base, REV_REVOKED, TROTH_R_CERT_REVOKED, "keyCompromise");
    /* the newer of two lists is due again, and a delta CRL says so much: the old one, in force by its own date, counts no more */
    old.number = MK_SERIAL(5);
    old.next_update = MK_NOW + MK_YEAR;
    base = mk_crl_spec(&root);
    base.number = MK_SERIAL(6);
    base.this_update = MK_NOW - 7200;
    base.next_update = MK_NOW - 60;
    delta.number = MK_SERIAL(7);
    delta.delta_base = MK_SERIAL(6);
    delta.this_update = MK_NOW - 60;
    delta.revoked = &leaf_entry;
    delta.n_revoked = 1;
    struct crl c[3] = { read_crl(&old), read_crl(&base), read_crl(&delta) };
    struct rev_answer a = ask_of(&leaf_cert, c, 3);
    expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    a = ask_of(&leaf_cert, c, 2);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
}

static bool trust_it(void *ctx, const struct cert *by)
{
    (void)by;
    return *(bool *)ctx;
}

/* Entries of several CAs in a list signed by somebody else. */
static void indirect(void **state)
{
    (void)state;
    const struct issue_dp dp[] = { { .names = TEXTS("URI:http://i/"), .crl_issuer = TEXTS("dir:CN=Other") } };
    struct issue l = leaf;
    struct cert lc;
    l.cdp = dp;
    l.n_cdp = 1;
    parsed(&lc, &l);
    const struct issue_revoked rows[] = {
        { .serial = leaf_entry.serial, .when = MK_NOW, .reason = -1 }, /* of CN=Other itself */
        { .serial = MK_SERIAL(1), .when = MK_NOW, .reason = -1, .issuer = TEXTS("dir:CN=Root") },
        { .serial = leaf_entry.serial, .when = MK_NOW, .reason = -1 }, /* still CN=Root's */
        { .serial = MK_SERIAL(2), .when = MK_NOW, .reason = -1, .issuer = TEXTS("dir:CN=Third") },
        { .serial = MK_SERIAL(3), .when = MK_NOW, .reason = -1 },
    };
    struct issue_crl s = mk_crl_spec(&other);
    s.idp = s.indirect = true;
    s.dp.names = TEXTS("URI:http://i/");
    s.revoked = rows;
    const struct cert *pool[] = { &root_cert, &other_cert };
    bool trusted = true;
    static const struct {
        size_t          n;
        bool            trusted;
        enum rev_status status;
        enum troth_reason why;
    } cases[] = { { 2, true, REV_GOOD, TROTH_R_NONE },
                  { 5, true, REV_REVOKED, TROTH_R_CERT_REVOKED },
                  { 5, false, REV_UNKNOWN, TROTH_R_CRL_SIGNATURE } };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s.n_revoked = cases[i].n;
        trusted = cases[i].trusted;
        struct crl c = read_crl(&s);
        struct rev_answer a;
        struct crl_question q = { .crypto = m->crypto, .cert = &lc, .issuer = &root_cert, .crls = &c, .n_crls = 1, .now = MK_NOW,
                                  .max_signatures = 9, .pool = pool, .n_pool = 2, .trusted = trust_it, .ctx = &trusted };
        crl_status(&a, &q);
        expect(&a, cases[i].status, cases[i].why, "");
        q.trusted = NULL;
        crl_status(&a, &q);
        expect(&a, REV_UNKNOWN, TROTH_R_CRL_ISSUER, "");
    }
    s.idp = s.indirect = false; /* not indirect: not for others' certificates */
    s.n_revoked = 0;
    struct crl c = read_crl(&s);
    struct rev_answer a = ask_of(&lc, &c, 1);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_ISSUER, "not indirect");
    s.n_revoked = 5;
    refuses(&s, TROTH_R_CRL_MALFORMED); /* certificateIssuer in a list that is not indirect */
}

/* A CA that signs CRLs with a key of its own. */
static void separate_key(void **state)
{
    (void)state;
    struct issue signer = mk_sub_ca(&root, "CN=Root", mk_key(m, TROTH_KEY_P256));
    signer.ca = false;
    signer.key_usage = KU_CRL_SIGN;
    struct cert sc;
    parsed(&sc, &signer);
    const struct cert *pool[] = { &sc };
    bool trusted = true;
    struct issue_crl s = mk_crl_spec(&signer);
    struct crl c = read_crl(&s);
    struct rev_answer a;
    struct crl_question q = { .crypto = m->crypto, .cert = &leaf_cert, .issuer = &root_cert, .crls = &c, .n_crls = 1, .now = MK_NOW,
                              .max_signatures = 9, .pool = pool, .n_pool = 1, .trusted = trust_it, .ctx = &trusted };
    crl_status(&a, &q);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    signer.key_usage = KU_DIGITAL_SIGNATURE;
    parsed(&sc, &signer);
    crl_status(&a, &q);
    expect(&a, REV_UNKNOWN, TROTH_R_CRL_ISSUER, "no certificate of its issuer that may sign");
}

static void several(void **state)
{
    (void)state;
    struct issue_crl old = mk_crl_spec(&root), young = mk_crl_spec(&root);
    old.this_update = MK_NOW - 2 * MK_DAY;
    young.revoked = &leaf_entry;
    young.n_revoked = 1;
    for (int order = 0; order < 2; order++) { /* the newest counts, in whatever order they come */
        struct crl c[2] = { read_crl(order ? &young : &old), read_crl(order ? &old : &young) };
        struct rev_answer a = ask_of(&leaf_cert, c, 2);
        expect(&a, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    }
    young.bad_signature = true; /* but only if it is real */
    young.revoked = &leaf_entry;
    for (int order = 0; order < 2; order++) {
        struct crl c[2] = { read_crl(order ? &young : &old), read_crl(order ? &old : &young) };
        struct rev_answer a = ask_of(&leaf_cert, c, 2);
        expect(&a, REV_GOOD, TROTH_R_NONE, "");
    }
    /* a signature is verified once, and not when the budget is spent */
    struct issue_crl s = mk_crl_spec(&root);
    struct crl c = read_crl(&s);
    struct rev_memory memory = { 0 };
    struct rev_answer a;
    struct crl_question q = { .crypto = m->crypto, .cert = &leaf_cert, .issuer = &root_cert, .crls = &c, .n_crls = 1, .now = MK_NOW,
                              .memory = &memory, .max_signatures = 1 };
    crl_status(&a, &q);
    assert_int_equal(a.signatures, 1);
    crl_status(&a, &q);
    assert_int_equal(a.signatures, 0);
    expect(&a, REV_GOOD, TROTH_R_NONE, "");
    q.memory = NULL;
    q.max_signatures = 0;
    crl_status(&a, &q);
    expect(&a, REV_UNKNOWN, TROTH_R_CHAIN_BUDGET, "");
}

static void malformed(void **state)
{
    (void)state;
    struct issue_crl s = mk_crl_spec(&root);
    const struct issue_ext twice[] = { { "cRLNumber", false, SPAN_TEXT("\2\1\1") } };
    s.extra = twice;
    s.n_extra = 1;
    refuses(&s, TROTH_R_CERT_EXT_DUPLICATE);
    s = mk_crl_spec(&root);
    s.idp = true; /* empty */
    refuses(&s, TROTH_R_DER_EMPTY);
    s.only_ca = s.only_user = true;
    refuses(&s, TROTH_R_CRL_MALFORMED);
    s = mk_crl_spec(&root);
    s.number = SPAN_TEXT("0123456789012345678901234567890");
    refuses(&s, TROTH_R_DER_RANGE);
    s = mk_crl_spec(&root);
    s.issuer = "";
    refuses(&s, TROTH_R_CRL_MALFORMED);
    struct issue_revoked bad = leaf_entry;
    bad.reason = 7;
    s = mk_crl_spec(&root);
    s.revoked = &bad;
    s.n_revoked = 1;
    refuses(&s, TROTH_R_DER_RANGE);
    bad.reason = 11;
    refuses(&s, TROTH_R_DER_RANGE);
    s = mk_crl_spec(&root);
    s.sig_alg_outer = SPAN_TEXT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03");
    refuses(&s, TROTH_R_CERT_SIG_MISMATCH);
    /* every cut and every appended byte is refused */
    s = mk_crl_spec(&root);
    s.revoked = &leaf_entry;
    s.n_revoked = 1;
    span der = mk_crl(m, &s);
    for (size_t n = 0; n < der.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, der.p, n);
        struct crl c;
        troth_error e = { 0 };
        assert_false(crl_parse(&c, span_of(exact, n), NULL, &e));
        assert_int_not_equal(e.reason, TROTH_R_NONE);
        free(exact);
    }
}

static int setup(void **state)
{
    (void)state;
    m = mk_new();
    root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    other = mk_ca("CN=Other", mk_key(m, TROTH_KEY_P256));
    leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), "a.example");
    leaf.serial = leaf_entry.serial;
    sub = mk_sub_ca(&root, "CN=Sub", leaf.key);
    parsed(&root_cert, &root);
    parsed(&other_cert, &other);
    parsed(&leaf_cert, &leaf);
    parsed(&sub_cert, &sub);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(m);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete), cmocka_unit_test(of_no_use), cmocka_unit_test(issuer_key_usage), cmocka_unit_test(scope),
        cmocka_unit_test(points),   cmocka_unit_test(reasons),   cmocka_unit_test(deltas), cmocka_unit_test(contradictions),           cmocka_unit_test(indirect),
        cmocka_unit_test(separate_key), cmocka_unit_test(several), cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
