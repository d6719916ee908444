/* Revocation in the verdict: CRLs and OCSP responses, soft and hard, must-staple, CRL signers with a path of
 * their own. */
#include "x509/trial_group.h"

static const struct issue_revoked leaf_entry = { .serial = { (const uint8_t *)"\x55", 1 },
                                                 .when = MK_NOW - 3600,
                                                 .reason = 1 };

static void crl(struct issue_crl spec)
{
    t->crls[t->n_crls++] = mk_crl(t->m, &spec);
}

static struct issue_crl of(const struct issue *by, bool revokes)
{
    struct issue_crl s = mk_crl_spec(by);
    s.revoked = revokes ? &leaf_entry : NULL;
    s.n_revoked = revokes;
    return s;
}

static void crl_with_aki(const struct issue *by)
{
    struct issue_crl s = of(by, false);
    s.aki = SPAN_TEXT("somebody else");
    crl(s);
}

#define LEAF_55 t->leaf.serial = SPAN_TEXT("\x55")

static void lists(void **state)
{
    (void)state;
    CASE("ok", LEAF_55, crl(of(&t->mid, false)), crl(of(&t->root, false)));
    CASE("cert.revoked", LEAF_55, crl(of(&t->mid, true)), crl(of(&t->root, false)));
    SEEN("keyCompromise");
    CASE("cert.revoked", t->mid.serial = SPAN_TEXT("\x55"), crl(of(&t->mid, false)), crl(of(&t->root, true)));
    SEEN("Test Intermediate");
    CASE("crl.none", LEAF_55, crl(of(&t->root, false)));
    CASE("ok", LEAF_55, crl(of(&t->root, false)), t->revocation = TROTH_REVOCATION_SOFT);
    CASE("cert.revoked", LEAF_55, crl(of(&t->mid, true)), t->revocation = TROTH_REVOCATION_SOFT);
    CASE("ok", LEAF_55, crl(of(&t->mid, true)), t->revocation = TROTH_REVOCATION_OFF);
    CASE("revocation.unknown", t->revocation = TROTH_REVOCATION_HARD);
    struct issue_crl s;
    CASE("crl.stale", LEAF_55, s = of(&t->mid, false), s.next_update = MK_NOW - 1, crl(s),
         crl(of(&t->root, false)));
    CASE("config.gibberish",
         t->crls[t->n_crls++] =
             span_slice(mk_crl(t->m, &(struct issue_crl){ .by = &t->root, .this_update = MK_NOW }), 0, 50));
}

/* noRevAvail (RFC 9608): nothing need be known of a certificate whose issuer publishes nothing; what is known counts all the same. */
static void none_published(void **state)
{
    (void)state;
    static const uint8_t null[] = { 5, 0 }, not_null[] = { 1, 1, 255 };
    static const struct issue_ext none = { "2.5.29.56", false, SPAN_OF(null) }, critical = { "2.5.29.56", true, SPAN_OF(null) },
                                  odd = { "2.5.29.56", false, SPAN_OF(not_null) };
    static const char *const where[] = { "URI:http://crl.example/", NULL };
    static const struct issue_dp dp = { .names = where };
#define WITH(who, which) t->who.extra = &which, t->who.n_extra = 1
#define HARD             t->revocation = TROTH_REVOCATION_HARD, LEAF_55
    CASE("revocation.unknown", HARD, t->no_mid = true);
    CASE("ok", HARD, t->no_mid = true, WITH(leaf, none));
    CASE("ok", HARD, WITH(leaf, none), crl(of(&t->root, false)));
    CASE("cert.revoked", HARD, WITH(leaf, none), crl(of(&t->root, false)), crl(of(&t->mid, true)));
    CASE("ok", HARD, t->no_mid = true, WITH(leaf, critical), t->purpose = TROTH_PURPOSE_ANY);
    CASE("cert.profile", HARD, WITH(leaf, critical), crl(of(&t->root, false)));
    SEEN("critical");
    CASE("cert.malformed-ext", HARD, WITH(leaf, odd), crl(of(&t->root, false)));
    /* an authority's revocation is always to be known */
    CASE("crl.none", HARD, WITH(leaf, none), WITH(mid, none), crl(of(&t->mid, false)), t->purpose = TROTH_PURPOSE_ANY);
    CASE("cert.profile", WITH(mid, none));
    SEEN("authority");
    /* and so it is where the certificate says where to ask */
    CASE("crl.none", HARD, WITH(leaf, none), t->leaf.cdp = &dp, t->leaf.n_cdp = 1, crl(of(&t->root, false)), t->purpose = TROTH_PURPOSE_ANY);
    CASE("crl.none", HARD, WITH(leaf, none), t->leaf.freshest = &dp, t->leaf.n_freshest = 1, crl(of(&t->root, false)),
         t->purpose = TROTH_PURPOSE_ANY);
    CASE("crl.none", HARD, WITH(leaf, none), t->leaf.aia = TEXTS("ocsp=http://o.example/"), crl(of(&t->root, false)),
         t->purpose = TROTH_PURPOSE_ANY);
    CASE("ok", HARD, WITH(leaf, none), t->leaf.aia = TEXTS("caIssuers=http://o.example/"), crl(of(&t->root, false)));
    CASE("cert.profile", WITH(leaf, none), t->leaf.cdp = &dp, t->leaf.n_cdp = 1);
    CASE("cert.profile", WITH(leaf, none), t->leaf.freshest = &dp, t->leaf.n_freshest = 1);
    CASE("cert.profile", WITH(leaf, none), t->leaf.aia = TEXTS("ocsp=http://o.example/"));
    SEEN("beside");
}

static void until(void **state)
{
    (void)state;
    trial_fresh(t);
    struct issue_crl s = of(&t->mid, false);
    s.next_update = MK_NOW + 1000;
    crl(s);
    crl(of(&t->root, false));
    troth_error none;
    enum troth_reason why;
    troth_report *r = trial_judge(t, &none);
    assert_true(troth_report_ok(r));
    assert_int_equal(troth_report_until(r, &why), MK_NOW + 1000);
    assert_int_equal(why, TROTH_R_REVOCATION_UNKNOWN);
    troth_report_free(r);
}

/* The intermediate signs its CRLs with another key, whose certificate stands among those given. */
static void signers(void **state)
{
    (void)state;
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256);
    struct issue s, other;
#define SIGNER s = mk_sub_ca(&t->root, t->mid.subject, key), s.key_usage = KU_CRL_SIGN, s.ca = false
#define GIVE   t->given[t->n_given++] = mk_cert(t->m, &s)
    CASE("ok", LEAF_55, SIGNER, GIVE, crl(of(&s, false)), crl(of(&t->root, false)));
    CASE("cert.revoked", LEAF_55, SIGNER, GIVE, crl(of(&s, true)), crl(of(&t->root, false)));
    CASE("crl.issuer", LEAF_55, SIGNER, crl(of(&s, false)),
         crl(of(&t->root, false))); /* nobody gave its certificate */
    CASE("crl.issuer", LEAF_55, SIGNER, s.key_usage = KU_DIGITAL_SIGNATURE, GIVE, crl(of(&s, false)),
         crl(of(&t->root, false)));
    CASE("crl.signature", LEAF_55, SIGNER, s.not_after = MK_NOW - 1, GIVE, crl(of(&s, false)),
         crl(of(&t->root, false)));
    CASE("crl.signature", LEAF_55, SIGNER, s.serial = SPAN_TEXT("\x55"), GIVE, crl(of(&s, false)),
         crl(of(&t->root, true)), LEAF_55); /* revoked itself */
    /* it leads to another anchor than the certificate: RFC 5280 6.3.3 (f) */
    CASE("crl.signature", LEAF_55, other = mk_ca("CN=Other", key),
         t->anchors[t->n_anchors++] = mk_cert(t->m, &other), SIGNER, s.by = &other, GIVE, crl(of(&s, false)),
         crl(of(&t->root, false)));
    /* certified by the intermediate itself, under its own name: its CRL vouches for it */
    CASE("ok", LEAF_55, SIGNER, s.by = &t->mid, GIVE, crl(of(&s, false)), crl(of(&t->root, false)));
    /* a wrong key identifier in the list is no reason to distrust the signature */
    CASE("ok", LEAF_55, SIGNER, GIVE, crl_with_aki(&s), crl(of(&t->root, false)));
    /* two steps to the anchor: nobody says whether the first was revoked - too little where all must be known, enough where not */
#define FAR other = mk_sub_ca(&t->root, "CN=Far", t->root_key), t->given[t->n_given++] = mk_cert(t->m, &other)
    CASE("crl.signature", LEAF_55, FAR, SIGNER, s.by = &other, GIVE, crl(of(&s, false)), crl(of(&t->root, false)));
    CASE("ok", LEAF_55, FAR, SIGNER, s.by = &other, GIVE, crl(of(&s, false)), crl(of(&t->root, false)), crl(of(&other, false)));
    CASE("crl.signature", LEAF_55, FAR, SIGNER, s.by = &other, s.serial = SPAN_TEXT("\x55"), GIVE, crl(of(&s, false)),
         crl(of(&t->root, false)), crl(of(&other, true)));
    CASE("cert.revoked", LEAF_55, FAR, SIGNER, s.by = &other, GIVE, crl(of(&s, true)), crl(of(&t->root, false)),
         t->revocation = TROTH_REVOCATION_SOFT);
}

static void only_long_keys(struct trial *x, troth_policy_builder *b)
{
    (void)x;
    troth_policy_min_rsa(b, 3072);
}

static span staple(enum ocsp_cert_status status, int64_t next_update)
{
    struct issue_single one = { .ca = &t->mid,
                                .serial = SPAN_TEXT("\x55"),
                                .status = status,
                                .revoked = MK_NOW - 60,
                                .reason = 1,
                                .this_update = MK_NOW - 3600,
                                .next_update = next_update };
    struct issue_ocsp o = { .by = &t->mid, .produced = MK_NOW - 3600, .singles = &one, .n_singles = 1 };
    return mk_ocsp(t->m, &o);
}

static void ocsp(void **state)
{
    (void)state;
    int64_t next = MK_NOW + 3600;
    CASE("ok", LEAF_55, t->staple = staple(OCSP_GOOD, next));
    CASE("cert.revoked", LEAF_55, t->staple = staple(OCSP_REVOKED, next));
    CASE("ok", LEAF_55, t->staple = staple(OCSP_REVOKED, next), t->revocation = TROTH_REVOCATION_OFF);
    CASE("ok", LEAF_55, t->staple = staple(OCSP_GOOD, MK_NOW - 1));
    CASE("revocation.unknown", LEAF_55, t->revocation = TROTH_REVOCATION_HARD,
         t->staple = staple(OCSP_GOOD, next)); /* the intermediate */
    CASE("ok", LEAF_55, t->revocation = TROTH_REVOCATION_HARD, t->staple = staple(OCSP_GOOD, next),
         crl(of(&t->root, false)));
    CASE("cert.revoked", LEAF_55, t->staple = staple(OCSP_GOOD, next), crl(of(&t->mid, true)),
         crl(of(&t->root, false)));
    CASE("cert.revoked", LEAF_55, t->ocsp[t->n_ocsp++] = staple(OCSP_REVOKED, next));
    CASE("ok", LEAF_55, t->ocsp[t->n_ocsp++] = staple(OCSP_GOOD, next));
    CASE("der.unexpected-tag", LEAF_55, t->ocsp[t->n_ocsp++] = SPAN_TEXT("nonsense"));
    CASE("ocsp.stale", LEAF_55, t->revocation = TROTH_REVOCATION_HARD, crl(of(&t->root, false)),
         t->ocsp[t->n_ocsp++] = staple(OCSP_GOOD, MK_NOW - 1)); /* says more than that there is no CRL */
    CASE("crl.none", t->revocation = TROTH_REVOCATION_HARD, crl(of(&t->root, false)),
         t->ocsp[t->n_ocsp++] = staple(OCSP_GOOD, next)); /* ... and that more than an answer about another certificate */
    CASE("revocation.unknown", t->revocation = TROTH_REVOCATION_HARD, t->ocsp[t->n_ocsp++] = staple(OCSP_GOOD, next));
    assert_non_null(strstr(t->seen, "none of its 1 answers is about this certificate"));
    CASE("ok", t->leaf.must_staple = true);
    CASE("staple.missing-but-required", t->leaf.must_staple = true, t->asked_staple = true);
    CASE("ok", LEAF_55, t->leaf.must_staple = true, t->asked_staple = true,
         t->staple = staple(OCSP_GOOD, next));
    CASE("staple.stale", LEAF_55, t->leaf.must_staple = true, t->asked_staple = true,
         t->staple = staple(OCSP_GOOD, MK_NOW - 1));
    CASE("staple.bad", LEAF_55, t->leaf.must_staple = true, t->asked_staple = true,
         t->staple = SPAN_TEXT("nonsense"));
    CASE("cert.revoked", LEAF_55, t->leaf.must_staple = true, t->asked_staple = true,
         t->staple = staple(OCSP_REVOKED, next));
}

/* The row of the table about the staple, in the verdict on the good chain. */
static enum troth_verdict staple_row(const char **code)
{
    troth_error none;
    troth_report *r = trial_judge(t, &none);
    size_t i = 0;
    while (strcmp(troth_report_check(r, 0, i).name, "stapled response"))
        i++;
    troth_path_check k = troth_report_check(r, 0, i);
    enum troth_verdict v = k.verdict;
    *code = troth_reason_code(k.reason);
    troth_report_free(r);
    return v;
}

static span answer(struct issue_ocsp how, span serial)
{
    struct issue_single one = { .ca = &t->mid, .serial = serial, .reason = -1, .this_update = MK_NOW - 3600, .next_update = MK_NOW + 3600 };
    how.by = how.by ? how.by : &t->mid;
    how.produced = MK_NOW - 3600;
    how.singles = &one;
    how.n_singles = 1;
    return mk_ocsp(t->m, &how);
}

/* A stapled response has to be an answer, also where no news is good news: RFC 6066 8. */
static void staples(void **state)
{
    (void)state;
    const span serial = SPAN_TEXT("\x55");
    const char *code;
    struct issue stranger = mk_ca("CN=Stranger", mk_key(t->m, TROTH_KEY_P256));
#define NO_ANSWER(reason, ...)                                                                                   \
    CASE(reason, LEAF_55, t->staple = __VA_ARGS__);                                                              \
    CASE("ok", LEAF_55, t->staple = __VA_ARGS__, t->revocation = TROTH_REVOCATION_OFF);                          \
    CASE(reason, LEAF_55, t->staple = __VA_ARGS__, crl(of(&t->root, false)), crl(of(&t->mid, false)))
    NO_ANSWER("staple.bad", SPAN_TEXT("nonsense"));
    SEEN("the stapled response");
    NO_ANSWER("staple.bad", span_slice(answer((struct issue_ocsp){ 0 }, serial), 0, 60));
    NO_ANSWER("ocsp.other-certificate", answer((struct issue_ocsp){ 0 }, SPAN_TEXT("\x56")));
    NO_ANSWER("ocsp.signature", answer((struct issue_ocsp){ .bad_signature = true }, serial));
    NO_ANSWER("ocsp.responder", answer((struct issue_ocsp){ .by = &stranger }, serial));
#define NO_NEWS(reason, ...)                                                                                     \
    CASE("ok", LEAF_55, t->staple = __VA_ARGS__);                                                                \
    assert_int_equal(staple_row(&code), TROTH_WARN);                                                             \
    assert_string_equal(code, reason);                                                                           \
    CASE("ok", LEAF_55, t->staple = __VA_ARGS__, crl(of(&t->root, false)), crl(of(&t->mid, false)));             \
    CASE("ok", LEAF_55, t->staple = __VA_ARGS__, t->revocation = TROTH_REVOCATION_OFF)
    NO_NEWS("staple.stale", staple(OCSP_GOOD, MK_NOW - 1));
    NO_NEWS("ocsp.not-successful", answer((struct issue_ocsp){ .failure = 3 }, serial)); /* tryLater, which servers make themselves */
    NO_NEWS("ocsp.unknown", staple(OCSP_UNKNOWN, MK_NOW + 3600));
    CASE("ok", LEAF_55, t->staple = answer((struct issue_ocsp){ 0 }, serial));
    assert_int_equal(staple_row(&code), TROTH_PASS);
    CASE("ok");
    assert_int_equal(staple_row(&code), TROTH_PASS);
}

/* Somebody else lists what the intermediate revokes: an indirect CRL, whose signer the intermediate certified (RFC 5280 6.3.3 b, f). */
static void indirect_signers(void **state)
{
    (void)state;
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256);
    static const char *const where[] = { "URI:http://lists.example/", NULL }, *const who[] = { "dir:CN=Lister", NULL },
                             *const ours[] = { "dir:CN=Test Intermediate,O=Troth Test", NULL };
    static const struct issue_dp point = { .names = where, .crl_issuer = who }, nameless = { .crl_issuer = who };
    static const struct issue_revoked gone = { .serial = { (const uint8_t *)"\x55", 1 }, .when = MK_NOW - 60, .reason = 1, .issuer = ours },
                                      lister_gone = { .serial = { (const uint8_t *)"\x66", 1 }, .when = MK_NOW - 60, .reason = 1, .issuer = ours };
    struct issue lister;
    struct issue_crl list;
#define LISTED                                                                                                                 \
    LEAF_55, t->leaf.cdp = &point, t->leaf.n_cdp = 1, lister = mk_sub_ca(&t->mid, "CN=Lister", key), lister.ca = false,        \
             lister.serial = SPAN_TEXT("\x66"), lister.key_usage = KU_CRL_SIGN, lister.cdp = &point, lister.n_cdp = 1,         \
             list = mk_crl_spec(&lister), list.idp = list.indirect = true, list.dp.names = where, crl(of(&t->root, false))
#define GIVEN t->given[t->n_given++] = mk_cert(t->m, &lister), crl(list)
    CASE("ok", LISTED, GIVEN); /* its list vouches for itself */
    CASE("cert.revoked", LISTED, list.revoked = &gone, list.n_revoked = 1, GIVEN);
    CASE("crl.signature", LISTED, list.revoked = &lister_gone, list.n_revoked = 1, GIVEN); /* or against itself */
    CASE("crl.signature", LISTED, lister.n_cdp = 0, GIVEN); /* nobody vouches for it */
    CASE("ok", LISTED, t->leaf.cdp = lister.cdp = &nameless, list.dp.names = who, GIVEN);
    CASE("crl.scope", LISTED, list.dp.names = ours, GIVEN);
    CASE("crl.issuer", LISTED, list.indirect = false, list.revoked = NULL, GIVEN);
    CASE("crl.issuer", LISTED, lister.key_usage = KU_DIGITAL_SIGNATURE, GIVEN);
    CASE("crl.signature", LISTED, lister.not_after = MK_NOW - 1, GIVEN);
    CASE("ok", LISTED, lister.by = &t->root, lister.n_cdp = 0, GIVEN); /* certified by the root, whose list vouches for it */
}

/* An authority changes its key: certificates of one name for both keys, one of them made with the other key; lists by either key
 * (RFC 4210 4.4; RFC 5280 6.3.3 f). */
static void key_rollover(void **state)
{
    (void)state;
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256);
    for (int by_new = 0; by_new < 2; by_new++)
        for (int list_new = 0; list_new < 2; list_new++)
            for (int revoked = 0; revoked < 2; revoked++) {
                struct issue crossed, leaf;
                trial_fresh(t);
                /* `mid` is what the root certified; `crossed` is the other key under the same name, certified with mid's */
                crossed = mk_sub_ca(&t->mid, t->mid.subject, key);
                t->given[t->n_given++] = mk_cert(t->m, &crossed);
                leaf = t->leaf;
                leaf.by = by_new ? &crossed : &t->mid;
                leaf.serial = SPAN_TEXT("\x55");
                t->leaf = leaf;
                crl(of(&t->root, false));
                crl(of(list_new ? &crossed : &t->mid, revoked));
                trial_expect(t, revoked ? "cert.revoked" : "ok", __FILE__, __LINE__);
                /* the other way round: what is crossed is itself on the list */
                if (!by_new || revoked)
                    continue;
                trial_fresh(t);
                crossed = mk_sub_ca(&t->mid, t->mid.subject, key);
                crossed.serial = SPAN_TEXT("\x55");
                t->given[t->n_given++] = mk_cert(t->m, &crossed);
                t->leaf.by = &crossed;
                crl(of(&t->root, false));
                crl(of(&t->mid, true));
                trial_expect(t, "cert.revoked", __FILE__, __LINE__);
            }
}

/* A responder that the intermediate certified, and what may be wrong with it. */
static span delegated(const struct issue *by, enum ocsp_cert_status status)
{
    struct issue_single one = { .ca = &t->mid,
                                .serial = SPAN_TEXT("\x55"),
                                .status = status,
                                .revoked = MK_NOW - 60,
                                .reason = 1,
                                .this_update = MK_NOW - 3600,
                                .next_update = MK_NOW + 3600 };
    span cert = mk_cert(t->m, by);
    struct issue_ocsp o = { .by = by, .produced = MK_NOW - 3600, .singles = &one, .n_singles = 1, .certs = &cert, .n_certs = 1 };
    return mk_ocsp(t->m, &o);
}

static void responders(void **state)
{
    (void)state;
    const troth_key *key = mk_key(t->m, TROTH_KEY_P256), *rsa = mk_rsa(t->m, 2048);
    struct issue s;
    struct issue_crl list;
    const struct issue_revoked gone = { .serial = SPAN_TEXT("\x77"), .when = MK_NOW - 60, .reason = 1 };
#define RESPONDER                                                                                                          \
    LEAF_55, s = mk_leaf(&t->mid, key, NULL), s.subject = "CN=Responder", s.eku = TEXTS("OCSPSigning"),                  \
             s.serial = SPAN_TEXT("\x77"), t->revocation = TROTH_REVOCATION_HARD, crl(of(&t->root, false))
#define ANSWER t->staple = delegated(&s, OCSP_GOOD)
    CASE("ok", RESPONDER, ANSWER);
    CASE("cert.revoked", RESPONDER, t->staple = delegated(&s, OCSP_REVOKED));
    CASE("ocsp.responder", RESPONDER, s.eku = TEXTS("serverAuth"), ANSWER);
    /* its certificate is one like any other, and below the same authorities */
    CASE("ocsp.responder", RESPONDER, s.sig_alg_inner = SPAN_TEXT("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"), ANSWER);
    SEEN("signatureAlgorithm and signature differ");
    CASE("ocsp.responder", RESPONDER, s.ct_poison = true, ANSWER);
    CASE("ocsp.responder", RESPONDER, t->mid.excluded = TEXTS("dir:CN=Responder"), ANSWER);
    SEEN("is excluded");
    CASE("ocsp.responder", RESPONDER, t->root.excluded = TEXTS("dir:CN=Responder"), ANSWER);
    CASE("ok", RESPONDER, t->root.excluded = TEXTS("dir:CN=Somebody"), ANSWER);
    /* its key counts like any other's */
    CASE("ok", RESPONDER, s.key = rsa, ANSWER);
    CASE("ocsp.algorithm", RESPONDER, s.key = rsa, t->more = only_long_keys, t->root.key = t->mid.key = t->leaf.key = key, ANSWER);
    /* revoked itself, by a list of its issuer; but not where it says that nobody need ask */
#define GONE list = of(&t->mid, false), list.revoked = &gone, list.n_revoked = 1, list.this_update = MK_NOW - 60, crl(list)
    CASE("cert.revoked", RESPONDER, GONE, t->staple = delegated(&s, OCSP_REVOKED), s.ocsp_no_check = true,
         t->staple = delegated(&s, OCSP_REVOKED));
    CASE("ocsp.responder", RESPONDER, GONE, t->staple = delegated(&s, OCSP_REVOKED)); /* the response is nobody's */
    CASE("ok", RESPONDER, GONE, t->ocsp[t->n_ocsp++] = delegated(&s, OCSP_REVOKED)); /* the list is enough */
}

static void two_scts(struct trial *x, troth_policy_builder *b)
{
    (void)x;
    troth_policy_require_scts(b, 2);
}

static void transparency(void **state)
{
    (void)state;
    CASE("ct.not-enough", t->more = two_scts);
    SEEN("0 of 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists), cmocka_unit_test(none_published), cmocka_unit_test(until),
                                        cmocka_unit_test(signers), cmocka_unit_test(ocsp), cmocka_unit_test(staples),
                                        cmocka_unit_test(responders), cmocka_unit_test(key_rollover), cmocka_unit_test(indirect_signers), cmocka_unit_test(transparency) };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
