/* OCSP: what is read, who may answer, which answer counts; and that our requests are understood. */
#include "support/mkpki.h"
#include "support/test.h"
#include "x509/ocsp.h"

static struct mk *m;
static struct issue root, other, leaf, responder;
static struct cert root_cert, leaf_cert;
static span responder_der;

static void parsed(struct cert *c, const struct issue *s)
{
    troth_error e = { 0 };
    if (!cert_parse(c, mk_cert(m, s), NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
}

static struct issue_single good(void)
{
    return (struct issue_single){ .ca = &root, .serial = leaf.serial, .reason = -1, .this_update = MK_NOW - 3600,
                                  .next_update = MK_NOW + MK_DAY };
}

static struct issue_ocsp by(const struct issue *who, const struct issue_single *s, size_t n)
{
    return (struct issue_ocsp){ .by = who, .produced = MK_NOW - 3600, .singles = s, .n_singles = n };
}

static struct ocsp_found found;
static span nonce;
static bool need_nonce;

static struct rev_answer ask(span der)
{
    struct ocsp o;
    troth_error e = { 0 };
    struct rev_answer a;
    if (!ocsp_parse(&o, der, NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
    struct ocsp_question q = { .crypto = m->crypto, .cert = &leaf_cert, .issuer = &root_cert, .response = &o, .now = MK_NOW,
                               .max_signatures = 10, .nonce = nonce, .need_nonce = need_nonce };
    ocsp_status(&a, &found, &q);
    return a;
}

static void says_bytes(span der, enum rev_status status, enum troth_reason why, const char *evidence)
{
    struct rev_answer a = ask(der);
    if (a.status != status || a.why != why || !strstr(a.evidence, evidence))
        test_fail("status %d, %s, \"%s\"; wanted %d, %s, \"%s\"", a.status, troth_reason_code(a.why), a.evidence, status,
                  troth_reason_code(why), evidence);
}

static void says(const struct issue_ocsp *s, enum rev_status status, enum troth_reason why, const char *evidence)
{
    says_bytes(mk_ocsp(m, s), status, why, evidence);
}

static void by_the_issuer(void **state)
{
    (void)state;
    static const enum troth_hash_id hashes[] = { TROTH_SHA1, TROTH_SHA256, TROTH_SHA384, TROTH_SHA512 };
    for (size_t i = 0; i < COUNT_OF(hashes); i++)
        for (int by_key = 0; by_key < 2; by_key++) {
            struct issue_single one = good();
            one.hash = hashes[i];
            struct issue_ocsp s = by(&root, &one, 1);
            s.by_key = by_key;
            says(&s, REV_GOOD, TROTH_R_NONE, "good, says the OCSP response from 2026-09-21T13:13:20Z, valid until");
            assert_false(found.delegated);
            one.status = OCSP_REVOKED;
            one.revoked = MK_NOW - 7200;
            one.reason = 4;
            says(&s, REV_REVOKED, TROTH_R_CERT_REVOKED, "revoked 2026-09-21T12:13:20Z (superseded)");
            one.status = OCSP_UNKNOWN;
            says(&s, REV_UNKNOWN, TROTH_R_OCSP_UNKNOWN, "unknown");
            s.bad_signature = true;
            says(&s, REV_UNKNOWN, TROTH_R_OCSP_SIGNATURE, "wrong");
        }
}

static void by_a_delegate(void **state)
{
    (void)state;
    struct issue_single one = good();
    struct issue_ocsp s = by(&responder, &one, 1);
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_RESPONDER, "not in it");
    s.certs = &responder_der;
    s.n_certs = 1;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    assert_true(found.delegated && !found.no_check);
    s.by_key = true;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    s.bad_signature = true;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_SIGNATURE, "");
    s.bad_signature = false;

    struct issue r = responder;
    span der;
    s.by = &r;
    s.certs = &der;
    r.ocsp_no_check = true;
    der = mk_cert(m, &r);
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    assert_true(found.no_check);
    static const struct {
        const char       *what;
        enum troth_reason why;
    } rows[] = {
        { "signing OCSP responses", TROTH_R_OCSP_RESPONDER }, { "signing OCSP responses", TROTH_R_OCSP_RESPONDER },
        { "own issuer", TROTH_R_OCSP_RESPONDER },             { "key usage", TROTH_R_OCSP_RESPONDER },
        { "out of date", TROTH_R_OCSP_STALE },                { "not valid yet", TROTH_R_OCSP_NOT_YET },
        { "cannot be used", TROTH_R_OCSP_RESPONDER },         { "not signed by", TROTH_R_OCSP_RESPONDER },
        { "not signed by", TROTH_R_OCSP_RESPONDER },
    };
    static const char *const any_purpose[] = { "anyExtendedKeyUsage", "serverAuth", NULL };
    struct issue impostor = root;
    impostor.key = other.key;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct issue_ext x = { "1.2.3", true, SPAN_TEXT("\5\0") };
        r = responder;
        if (i == 0)
            r.eku = NULL;
        if (i == 1)
            r.eku = any_purpose; /* RFC 6960: the purpose itself must be there */
        if (i == 2)
            r.by = &other;
        if (i == 3)
            r.key_usage = KU_KEY_ENCIPHERMENT;
        if (i == 4)
            r.not_after = MK_NOW - 1;
        if (i == 5)
            r.not_before = MK_NOW + 1;
        if (i == 6) {
            r.extra = &x;
            r.n_extra = 1;
        }
        if (i == 7)
            r.bad_signature = true;
        if (i == 8)
            r.by = &impostor; /* the right name, another key */
        der = mk_cert(m, &r);
        says(&s, REV_UNKNOWN, rows[i].why, rows[i].what);
    }
    span two[] = { der, responder_der }; /* the right one behind a wrong one */
    s.certs = two;
    s.n_certs = 2;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
}

static void freshness(void **state)
{
    (void)state;
    struct issue_single one = good();
    struct issue_ocsp s = by(&root, &one, 1);
    one.next_update = MK_NOW;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    one.next_update = MK_NOW - 1;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_STALE, "2026-09-21T14:13:19Z");
    one = good();
    one.this_update = MK_NOW + 299;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    one.this_update = MK_NOW + 301;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_NOT_YET, "from 2026");
    one = good();
    s.produced = MK_NOW + 301;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_NOT_YET, "from 2026");
    s.produced = MK_NOW;
    one.next_update = 0;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    one.this_update = MK_NOW - MK_DAY - 1;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_STALE, "without nextUpdate");
}

/* What cannot be looked at is told apart from what is wrong. */
static void unknown_algorithms(void **state)
{
    (void)state;
    static const struct {
        const char *oid, *other, *evidence;
        size_t      n;
    } rows[] = {
        { "\x2b\x0e\x03\x02\x1a", "\x2b\x0e\x03\x02\x1b", "the hash that names", 5 },                                     /* CertID */
        { "\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x03\x09", "signature's algorithm", 8 }, /* of all */
    };
    struct issue_single one = good();
    struct issue_ocsp s = by(&root, &one, 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        span whole = mk_ocsp(m, &s);
        uint8_t *bytes = malloc(whole.n);
        assert_non_null(bytes);
        memcpy(bytes, whole.p, whole.n);
        uint8_t *at = memmem(bytes, whole.n, rows[i].oid, rows[i].n);
        assert_non_null(at);
        memcpy(at, rows[i].other, rows[i].n);
        says_bytes(span_of(bytes, whole.n), REV_UNKNOWN, TROTH_R_OCSP_ALGORITHM, rows[i].evidence);
        free(bytes);
    }
}

static void which_answer(void **state)
{
    (void)state;
    struct issue_single all[4] = { good(), good(), good(), good() };
    struct issue_ocsp s = by(&root, all, 1);
    all[0].serial = MK_SERIAL(1);
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_OTHER_CERT, "none of its 1 answers");
    all[0] = good();
    all[0].ca = &other;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_OTHER_CERT, "");
    all[1].serial = MK_SERIAL(1);
    all[1].status = OCSP_REVOKED;
    all[2].this_update -= 60; /* older than the last */
    all[2].status = OCSP_REVOKED;
    s.n_singles = 4;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    all[2].this_update += 60; /* as new as the last: the worse news, wherever it stands */
    says(&s, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    all[3] = all[2];
    all[2] = good();
    says(&s, REV_REVOKED, TROTH_R_CERT_REVOKED, "");
    struct issue_ocsp busy = { .failure = 3 };
    says(&busy, REV_UNKNOWN, TROTH_R_OCSP_NOT_SUCCESSFUL, "tryLater");
    busy.failure = 6;
    says(&busy, REV_UNKNOWN, TROTH_R_OCSP_NOT_SUCCESSFUL, "unauthorized");
}

static void nonces_and_extensions(void **state)
{
    (void)state;
    struct issue_single one = good();
    struct issue_ocsp s = by(&root, &one, 1);
    nonce = SPAN_TEXT("0123456789abcdef0123456789abcdef");
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    need_nonce = true;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_NONCE, "no nonce");
    s.nonce = nonce;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    s.nonce = SPAN_TEXT("another");
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_NONCE, "another nonce");
    nonce = SPAN_NONE;
    need_nonce = false;
    const struct issue_ext x = { "1.2.3", true, SPAN_TEXT("\5\0") }, scts = { "ocspSCTList", false, SPAN_TEXT("\4\3abc") };
    s = by(&root, &one, 1);
    s.extra = &x;
    s.n_extra = 1;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_CRITICAL, "critical");
    s.n_extra = 0;
    one.extra = &x;
    one.n_extra = 1;
    says(&s, REV_UNKNOWN, TROTH_R_OCSP_CRITICAL, "critical");
    one.extra = &scts;
    says(&s, REV_GOOD, TROTH_R_NONE, "");
    assert_true(span_equal(found.single.scts, SPAN_TEXT("abc")));
}

static void malformed(void **state)
{
    (void)state;
    struct issue_single one = good();
    one.status = OCSP_REVOKED;
    one.revoked = MK_NOW;
    one.reason = 1;
    struct issue_ocsp s = by(&responder, &one, 1);
    s.certs = &responder_der;
    s.n_certs = 1;
    s.nonce = SPAN_TEXT("12345678");
    span der = mk_ocsp(m, &s);
    struct ocsp o;
    for (size_t n = 0; n < der.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, der.p, n);
        troth_error e = { 0 };
        assert_false(ocsp_parse(&o, span_of(exact, n), NULL, &e));
        assert_int_not_equal(e.reason, TROTH_R_NONE);
        free(exact);
    }
    one.reason = 7;
    troth_error e = { 0 };
    assert_false(ocsp_parse(&o, mk_ocsp(m, &s), NULL, &e));
    assert_int_equal(e.reason, TROTH_R_DER_RANGE);
    assert_false(ocsp_parse(&o, SPAN_TEXT("\x30\x03\x0a\x01\x04"), NULL, &e)); /* status 4 does not exist */
    assert_false(ocsp_parse(&o, SPAN_TEXT("\x30\x05\x0a\x01\x03\xa0\x00"), NULL, &e));
}

/* OpenSSL's responder understands what we ask, and we its answer. */
static void request(void **state)
{
    (void)state;
    span root_der = mk_cert(m, &root), req, key = SPAN_NONE;
    const char *pem = mk_pem(m, "CERTIFICATE", &root_der, 1), *out;
    mk_file(m, "ca.pem", span_of(pem, strlen(pem)));
    uint8_t room[4096];
    key = span_of(room, m->crypto->key_private(root.key, room, sizeof room));
    pem = mk_pem(m, "PRIVATE KEY", &key, 1);
    mk_file(m, "ca.key", span_of(pem, strlen(pem)));
    mk_file(m, "index.txt", SPAN_TEXT("R\t491231235959Z\t260101000000Z,keyCompromise\t55\tunknown\t/CN=leaf\n"));
    nonce = SPAN_TEXT("0123456789abcdef0123456789abcdef");
    assert_true(ocsp_request(&m->p, &leaf_cert, &root_cert, TROTH_SHA256, nonce, &req));
    mk_file(m, "req.der", req);
    int status = mk_run(m, &out, "openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -reqin req.der -respout r.der "
                                 "-req_text -ndays 3; cat r.der >/dev/null");
    if (status || !strstr(out, "sha256") || !strstr(out, "Nonce"))
        test_fail("openssl: %d\n%s", status, out);
    static uint8_t bytes[8192];
    const char *path = mk_file(m, "x", SPAN_NONE);
    char name[128];
    snprintf(name, sizeof name, "%.*s/r.der", (int)(strlen(path) - 2), path);
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    struct ocsp o;
    troth_error e = { 0 };
    if (!ocsp_parse(&o, span_of(bytes, n), NULL, &e))
        test_fail("%s: %s", e.code, e.detail);
    struct rev_answer a;
    struct ocsp_question q = { .crypto = m->crypto, .cert = &leaf_cert, .issuer = &root_cert, .response = &o, .now = o.produced,
                               .max_signatures = 10, .nonce = nonce, .need_nonce = true };
    ocsp_status(&a, &found, &q);
    if (a.status != REV_REVOKED || a.reason != CRL_KEY_COMPROMISE)
        test_fail("%d %s", a.status, a.evidence);
    nonce = SPAN_NONE;
}

static int setup(void **state)
{
    (void)state;
    m = mk_new();
    root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    other = mk_ca("CN=Other", mk_key(m, TROTH_KEY_P256));
    leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), "a.example");
    static const char *const ocsp_signing[] = { "OCSPSigning", NULL };
    leaf.serial = SPAN_TEXT("\x55");
    responder = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), NULL);
    responder.subject = "CN=OCSP";
    responder.eku = ocsp_signing;
    responder_der = mk_cert(m, &responder);
    parsed(&root_cert, &root);
    parsed(&leaf_cert, &leaf);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mk_free(m);
    return 0;
}

/* No extension twice (RFC 5280 4.2), of one answer or of all. */
static void twice(void **state)
{
    (void)state;
    static const struct issue_ext both[] = { { "1.2.3.4", false, SPAN_TEXT("\x05\x00") }, { "1.2.3.5", false, SPAN_TEXT("\x05\x00") } },
                                  same[] = { { "1.2.3.4", false, SPAN_TEXT("\x05\x00") }, { "1.2.3.4", false, SPAN_TEXT("\x05\x01") } };
    for (int of_one = 0; of_one < 2; of_one++)
        for (int bad = 0; bad < 2; bad++) {
            struct issue_single one = good();
            struct issue_ocsp s = by(&root, &one, 1);
            struct ocsp o;
            troth_error e = { 0 };
            *(of_one ? &one.extra : &s.extra) = bad ? same : both;
            *(of_one ? &one.n_extra : &s.n_extra) = 2;
            assert_int_equal(ocsp_parse(&o, mk_ocsp(m, &s), NULL, &e), !bad);
            assert_int_equal(e.reason, bad ? TROTH_R_CERT_EXT_DUPLICATE : TROTH_R_NONE);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_issuer), cmocka_unit_test(by_a_delegate), cmocka_unit_test(freshness), cmocka_unit_test(which_answer),
        cmocka_unit_test(nonces_and_extensions), cmocka_unit_test(malformed), cmocka_unit_test(request),
        cmocka_unit_test(unknown_algorithms), cmocka_unit_test(twice),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
