/* links: crypto */
/* troth/pki.h: making, reading, describing, PKCS#12; and troth/verify.h agrees with what was made. */
#include <troth/pki.h>
#include <troth/verify.h>

#include "support/mkpki.h"
#include "support/test.h"
#include "x509/csr.h"
#include "x509/dn_text.h"

static struct mk *m;
static troth_pki *w;

static void well(troth_span s)
{
    if (!s.n)
        test_fail("%s: %s", troth_pki_error(w)->code, troth_pki_error(w)->detail);
}

static void refused(troth_span s, enum troth_reason why, const char *detail)
{
    const troth_error *e = troth_pki_error(w);
    if (s.n || e->reason != why || !strstr(e->detail, detail))
        test_fail("%s: %s; wanted %s: %s", e->code, e->detail, troth_reason_code(why), detail);
    troth_pki_go_on(w);
}

static const troth_key *ca_key;
static troth_span ca_cert;
static const char *const ca_permitted[] = { "example", "10.0.0.0/8", NULL };
static const troth_pki_spec ca_spec = { .size = sizeof(troth_pki_spec), .subject = "CN=Shop CA,O=Shop", .not_before = MK_NOW - 100,
                                        .not_after = MK_NOW + MK_YEAR, .ca = true, .permitted = ca_permitted };

static const troth_fact *find(const troth_fact *f, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (f[i].key && !strcmp(f[i].key, key))
            return &f[i];
    test_fail("no fact \"%s\" among %zu", key, n);
    return NULL;
}

/* All facts as one text: "label=text (note)\n". */
static char all_text[65536];

static const char *described(troth_span file, const char *kind, troth_passphrase_fn *pass)
{
    const troth_object *o;
    const troth_fact *f;
    size_t at = 0;
    if (!troth_pki_read(w, file, &o))
        test_fail("%s: %s", troth_pki_error(w)->code, troth_pki_error(w)->detail);
    assert_string_equal(o->kind, kind);
    size_t n = troth_pki_describe(w, o, MK_NOW, pass, NULL, &f);
    assert_int_equal(troth_pki_error(w)->reason, TROTH_R_NONE);
    for (size_t i = 0; i < n && at < sizeof all_text - 4096; i++)
        at += (size_t)snprintf(all_text + at, sizeof all_text - at, "%s=%s (%s)\n", f[i].key ? f[i].key : "-", f[i].text,
                               f[i].note ? f[i].note : "");
    return all_text;
}

static void has(const char *text, const char *const *want)
{
    for (; *want; want++)
        if (!strstr(text, *want))
            test_fail("no \"%s\" in\n%s", *want, text);
}

static void chain(void **state)
{
    (void)state;
    const char *names[] = { "a.example", "10.1.2.3", "*.b.example", NULL };
    troth_pki_spec s = { .size = sizeof s, .subject = "CN=a.example", .names = names, .not_before = MK_NOW - 10,
                         .not_after = MK_NOW + MK_DAY, .uses = TROTH_USE_SERVER, .ocsp_url = "http://o.example/",
                         .issuer_url = "http://i.example/", .crl_url = "http://c.example/", .must_staple = true };
    const troth_key *key = troth_pki_make_key(w, TROTH_KEY_P256, 0);
    troth_span cert = troth_pki_issue(w, &s, key, ca_cert, ca_key);
    well(cert);
    troth_cert_facts f = { .size = sizeof f };
    assert_true(troth_pki_cert(w, cert, &f));
    assert_string_equal(f.subject, "CN=a.example");
    assert_string_equal(f.issuer, "CN=Shop CA,O=Shop");
    assert_string_equal(f.names[0], "DNS:a.example");
    assert_string_equal(f.names[1], "IP:10.1.2.3");
    assert_null(f.names[3]);
    assert_string_equal(f.ocsp_urls[0], "http://o.example/");
    assert_null(f.ocsp_urls[1]);
    assert_string_equal(f.issuer_urls[0], "http://i.example/");
    assert_string_equal(f.crl_urls[0], "http://c.example/");
    assert_true(f.must_staple && !f.ca && !f.self_issued);
    assert_string_equal(f.key, "P-256");
    assert_string_equal(f.signature, "ECDSA with SHA-256");
    /* accepted by the judge for its names, refused for another */
    troth_error e;
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, ca_cert);
    troth_policy *p = troth_policy_build(b, &e);
    assert_non_null(p);
    troth_question q = { .size = sizeof q, .certs = &cert, .n = 1, .host = "x.b.example", .time = MK_NOW };
    troth_report *r = troth_ask(p, &q);
    if (!troth_report_ok(r))
        test_fail("%s", troth_report_error(r)->detail);
    troth_report_free(r);
    q.host = "c.example";
    r = troth_ask(p, &q);
    assert_int_equal(troth_report_error(r)->reason, TROTH_R_CERT_NAME_MISMATCH);
    troth_report_free(r);
    troth_policy_free(p);
    has(described(cert, "certificate", NULL),
        TEXTS("subject=CN=a.example ()", "-=DNS:a.example ()", "not_after=2026-09-22T14:13:20Z (1 day left)", "type=P-256 ()",
              "-=serverAuth (TLS servers)", "must_staple=yes (", "-=ocsp URI:http://o.example/ (OCSP responder)",
              "-=URI:http://c.example/ ()", "signature_algorithm=ECDSA with SHA-256 ()", "ca=no ()"));
    has(described(ca_cert, "certificate", NULL), TEXTS("-=DNS:example ()", "-=IP:10.0.0.0/8 ()", "ca=yes ("));
}

static void refusals(void **state)
{
    (void)state;
    const char *names[] = { "a..example", NULL };
    troth_pki_spec s = { .size = sizeof s, .subject = "CN=x", .names = names, .not_before = MK_NOW, .not_after = MK_NOW + 1 };
    refused(troth_pki_self_sign(w, &s, ca_key), TROTH_R_ISSUE_REFUSED, "a..example");
    names[0] = "-x.example";
    refused(troth_pki_self_sign(w, &s, ca_key), TROTH_R_ISSUE_REFUSED, "-x.example");
    names[0] = "b\xc3\xbc" "cher.example";
    refused(troth_pki_self_sign(w, &s, ca_key), TROTH_R_ISSUE_REFUSED, "xn--");
    names[0] = "x.example";
    s.subject = "nonsense";
    refused(troth_pki_self_sign(w, &s, ca_key), TROTH_R_ISSUE_REFUSED, "");
    s.subject = "CN=x";
    s.not_after = MK_NOW - 1;
    refused(troth_pki_self_sign(w, &s, ca_key), TROTH_R_ISSUE_REFUSED, "end before");
    s.not_after = MK_NOW + 1;
    const troth_key *other = troth_pki_make_key(w, TROTH_KEY_P256, 0);
    refused(troth_pki_issue(w, &s, other, ca_cert, other), TROTH_R_ISSUE_REFUSED, "does not belong");
    troth_span leaf = troth_pki_issue(w, &s, other, ca_cert, ca_key);
    well(leaf);
    refused(troth_pki_issue(w, &s, ca_key, leaf, other), TROTH_R_ISSUE_REFUSED, "not a CA");
    refused(troth_pki_self_sign(w, &s, NULL), TROTH_R_ISSUE_REFUSED, "no key");
    refused(troth_pki_issue(w, &s, other, TROTH_TEXT("x"), ca_key), TROTH_R_DER_TAG, "");
    assert_int_equal(troth_pki_error(NULL)->reason, TROTH_R_OUT_OF_MEMORY);
    assert_int_equal(troth_pki_self_sign(NULL, &s, other).n, 0);
    troth_pki_free(NULL);
    const troth_object *o;
    assert_int_equal(troth_pki_read(w, TROTH_TEXT(""), &o), 0);
    assert_int_equal(troth_pki_error(w)->reason, TROTH_R_CONFIG_EMPTY);
    assert_int_equal(troth_pki_read(w, ca_cert, &o), 0); /* the failure sticks */
    troth_pki_go_on(w);
    assert_int_equal(troth_pki_read(w, ca_cert, &o), 1);
}

static void requests(void **state)
{
    (void)state;
    const char *names[] = { "a.example", NULL };
    troth_pki_spec s = { .size = sizeof s, .subject = "CN=a.example", .names = names, .not_before = MK_NOW, .not_after = MK_NOW + 1 };
    const troth_key *key = troth_pki_make_key(w, TROTH_KEY_ED25519, 0);
    troth_span csr = troth_pki_request(w, &s, key);
    well(csr);
    has(described(csr, "certificate-request", NULL), TEXTS("-=DNS:a.example", "signature_valid=yes (", "type=Ed25519"));
    troth_span cert = troth_pki_issue_for(w, &s, csr, ca_cert, ca_key);
    well(cert);
    troth_cert_facts f = { .size = sizeof f };
    assert_true(troth_pki_cert(w, cert, &f));
    assert_int_equal(f.key_type, TROTH_KEY_ED25519);
    assert_true(troth_pki_asked(w, csr, &f));
    assert_string_equal(f.subject, "CN=a.example");
    assert_string_equal(f.names[0], "DNS:a.example");
    assert_true(!f.names[1] && !f.ca && !*f.issuer && !*f.serial && f.key_type == TROTH_KEY_ED25519 && f.spki.n);
    uint8_t changed[2048];
    memcpy(changed, csr.p, csr.n);
    changed[csr.n - 1] ^= 1;
    refused((troth_span){ NULL, troth_pki_asked(w, span_of(changed, csr.n), &f) }, TROTH_R_CSR_SIGNATURE, "");
    refused((troth_span){ NULL, troth_pki_asked(w, cert, &f) }, TROTH_R_DER_TAG, "");
    refused(troth_pki_issue_for(w, &s, span_of(changed, csr.n), ca_cert, ca_key), TROTH_R_CSR_SIGNATURE, "");
    has(described(span_of(changed, csr.n), "certificate-request", NULL), TEXTS("signature_valid=no ("));
    for (size_t n = 0; n < csr.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        struct csr c;
        troth_error e = { 0 };
        memcpy(exact, csr.p, n);
        assert_false(csr_parse(&c, span_of(exact, n), NULL, &e));
        free(exact);
    }
    /* OpenSSL's, with attributes of its own */
    const char *out;
    if (mk_run(m, &out, "openssl req -new -newkey rsa:2048 -nodes -keyout k.pem -subj /CN=o.example/O=Ossl -addext "
                        "subjectAltName=DNS:o.example,IP:::1 -out o.csr 2>/dev/null && cat o.csr"))
        test_fail("%s", out);
    has(described(span_of(out, strlen(out)), "certificate-request", NULL),
        TEXTS("subject=O=Ossl,CN=o.example", "-=IP:::1", "signature_valid=yes", "type=RSA 2048"));
    const troth_object *o;
    assert_int_equal(troth_pki_read(w, span_of(out, strlen(out)), &o), 1);
    assert_true(troth_pki_asked(w, o->der, &f));
    assert_string_equal(f.names[1], "IP:::1");
    /* names that are none */
    if (mk_run(m, &out, "openssl req -new -key k.pem -subj /CN=o.example -addext subjectAltName=DER:3000 -out o.csr 2>/dev/null && cat o.csr"))
        test_fail("%s", out);
    assert_int_equal(troth_pki_read(w, span_of(out, strlen(out)), &o), 1);
    refused((troth_span){ NULL, troth_pki_asked(w, o->der, &f) }, TROTH_R_DER_EMPTY, "GeneralNames");
}

static void lists(void **state)
{
    (void)state;
    const troth_pki_revoked rows[] = { { TROTH_TEXT("\x12\x34"), MK_NOW - 60, 1 }, { TROTH_TEXT("\x56"), MK_NOW - 60, -1 } };
    troth_span crl = troth_pki_crl(w, ca_cert, ca_key, rows, 2, 7, MK_NOW - 10, MK_NOW + MK_DAY);
    well(crl);
    has(described(crl, "crl", NULL), TEXTS("issuer=CN=Shop CA,O=Shop", "count=2", "serial=1234", "reason=keyCompromise", "number=07",
                                           "next_update=2026-09-22T14:13:20Z (1 day left)"));
    mk_file(m, "c.der", crl);
    mk_file(m, "ca.der", ca_cert);
    const char *out;
    assert_int_equal(mk_run(m, &out, "openssl x509 -in ca.der -out ca.pem && openssl crl -in c.der -noout -CAfile ca.pem"), 0);
    assert_non_null(strstr(out, "verify OK"));
}

/* What a responder says, believed by the rules that judge what a server staples. */
static void answers(void **state)
{
    (void)state;
    const char *names[] = { "a.example", NULL };
    troth_pki_spec s = { .size = sizeof s, .names = names, .not_before = MK_NOW - 10, .not_after = MK_NOW + MK_DAY, .uses = TROTH_USE_SERVER };
    troth_span cert = troth_pki_issue(w, &s, troth_pki_make_key(w, TROTH_KEY_P256, 0), ca_cert, ca_key);
    const troth_pki_revoked lost = { .when = MK_NOW - 5, .reason = 1 };
    troth_error e;
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, ca_cert);
    troth_policy_revocation(b, TROTH_REVOCATION_HARD);
    troth_policy *p = troth_policy_build(b, &e);
    for (int revoked = 0; revoked < 2; revoked++) {
        troth_span answer = troth_pki_ocsp(w, cert, ca_cert, ca_key, revoked ? &lost : NULL, MK_NOW - 10, MK_NOW + MK_DAY);
        well(answer);
        troth_question q = { .size = sizeof q, .certs = &cert, .n = 1, .host = "a.example", .time = MK_NOW, .ocsp = answer };
        troth_report *r = troth_ask(p, &q);
        assert_int_equal(troth_report_error(r)->reason, revoked ? TROTH_R_CERT_REVOKED : TROTH_R_NONE);
        troth_report_free(r);
    }
    troth_policy_free(p);
    refused(troth_pki_ocsp(w, cert, ca_cert, troth_pki_make_key(w, TROTH_KEY_P256, 0), NULL, MK_NOW, MK_NOW + 1), TROTH_R_ISSUE_REFUSED, "does not belong");
    const troth_key *other = troth_pki_make_key(w, TROTH_KEY_P256, 0);
    troth_pki_spec strange = ca_spec;
    strange.subject = "CN=Other";
    refused(troth_pki_ocsp(w, cert, troth_pki_self_sign(w, &strange, other), other, NULL, MK_NOW, MK_NOW + 1), TROTH_R_ISSUE_REFUSED, "somebody else");
}

static size_t say_secret(void *ctx, char *out, size_t cap)
{
    (void)ctx;
    assert_true(cap > 6);
    memcpy(out, "secret", 6);
    return 6;
}

static size_t say_wrong(void *ctx, char *out, size_t cap)
{
    (void)ctx;
    (void)cap;
    memcpy(out, "wrong", 5);
    return 5;
}

static void keys(void **state)
{
    (void)state;
    troth_span pem = troth_pki_key_pem(w, ca_key);
    well(pem);
    const char *text = described(pem, "private-key", NULL);
    has(text, TEXTS("encrypted=no (whoever can read", "type=P-256"));
    const troth_key *again = troth_pki_load_key(w, pem, NULL, NULL);
    assert_non_null(again);
    troth_span a = troth_pki_public(w, ca_key), b = troth_pki_public(w, again);
    assert_true(span_equal(a, b));
    has(described(a, "public-key", NULL), TEXTS("type=P-256"));
    mk_file(m, "k.pem", pem);
    const char *out;
    assert_int_equal(mk_run(m, &out, "openssl pkcs8 -topk8 -in k.pem -passout pass:secret"), 0);
    has(described(span_of(out, strlen(out)), "encrypted-private-key", NULL), TEXTS("encrypted=yes (give its passphrase"));
    has(described(span_of(out, strlen(out)), "encrypted-private-key", say_secret), TEXTS("encrypted=yes", "type=P-256"));
    has(described(span_of(out, strlen(out)), "encrypted-private-key", say_wrong), TEXTS("config.wrong-passphrase"));
}

static span file_bytes(const char *name)
{
    static uint8_t bytes[65536];
    char path[256];
    const char *any = mk_file(m, "x", SPAN_NONE);
    snprintf(path, sizeof path, "%.*s%s", (int)(strlen(any) - 1), any, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return span_of(bytes, n);
}

static void pkcs12(void **state)
{
    (void)state;
    const char *out;
    mk_file(m, "ca.der", ca_cert);
    mk_file(m, "k.pem", troth_pki_key_pem(w, ca_key));
    if (mk_run(m, &out, "openssl x509 -in ca.der -out ca.pem && openssl pkcs12 -export -inkey k.pem -in ca.pem -name me -passout "
                        "pass:secret -out id.p12 && openssl pkcs12 -export -nokeys -in ca.pem -passout pass: -out trust.p12 && openssl "
                        "pkcs12 -export -legacy -inkey k.pem -in ca.pem -passout pass:secret -out old.p12"))
        test_fail("%s", out);
    troth_pkcs12 p;
    assert_true(troth_pki_pkcs12(w, file_bytes("id.p12"), say_secret, NULL, &p));
    assert_int_equal(p.n_certs, 1);
    assert_true(span_equal(p.certs[0], ca_cert));
    assert_string_equal(p.titles[0], "me");
    const troth_key *key = troth_pki_load_key(w, p.key, NULL, NULL);
    assert_true(span_equal(troth_pki_public(w, key), troth_pki_public(w, ca_key)));
    assert_false(troth_pki_pkcs12(w, file_bytes("id.p12"), say_wrong, NULL, &p));
    refused(TROTH_TEXT(""), TROTH_R_PKCS12_PASSWORD, "");
    assert_false(troth_pki_pkcs12(w, file_bytes("id.p12"), NULL, NULL, &p));
    refused(TROTH_TEXT(""), TROTH_R_PKCS12_PASSWORD, "");
    assert_false(troth_pki_pkcs12(w, file_bytes("old.p12"), say_secret, NULL, &p));
    refused(TROTH_TEXT(""), TROTH_R_PKCS12_ALGORITHM, "");
    assert_false(troth_pki_pkcs12(w, TROTH_TEXT("\x30\x03\x02\x01\x03"), NULL, NULL, &p));
    refused(TROTH_TEXT(""), TROTH_R_PKCS12_MALFORMED, "");
    assert_true(troth_pki_pkcs12(w, file_bytes("trust.p12"), NULL, NULL, &p));
    assert_int_equal(p.n_certs, 1);
    assert_int_equal(p.key.n, 0);
    has(described(file_bytes("id.p12"), "pkcs12", say_secret), TEXTS("has_key=yes", "friendly_name=me", "subject=CN=Shop CA,O=Shop"));
    has(described(file_bytes("id.p12"), "pkcs12", say_wrong), TEXTS("pkcs12.password"));
    /* as a trust store */
    troth_error e = { 0 };
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, file_bytes("trust.p12"));
    troth_policy *policy = troth_policy_build(b, &e);
    if (!policy)
        test_fail("%s: %s", e.code, e.detail);
    troth_policy_free(policy);
    b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_pem(b, file_bytes("id.p12"));
    assert_null(troth_policy_build(b, &e));
    assert_int_equal(e.reason, TROTH_R_PKCS12_PASSWORD);
}

static void names_as_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "CN=a", "CN=a,O=b,C=DE", "CN=a+serialNumber=1,O=b", "CN=a\\,b\\+c\\\"d\\\\e\\;f\\<g\\>", "CN=\\ a\\ ", "CN=\\#a",
        "1.2.3.4=#0c0161", "CN=b\303\274cher", "CN=\\0a\\1b[31m", "",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint8_t der[512];
        char out[512];
        struct wr wr = wr_into(der, sizeof der);
        struct text t = TEXT_IN(out);
        dn_write(&wr, texts[i]);
        assert_true(wr_ok(&wr));
        dn_text(&t, wr_done(&wr));
        if (!strcmp(texts[i], "CN=a+serialNumber=1,O=b"))
            assert_string_equal(out, "CN=a+serialNumber=1,O=b");
        else
            assert_string_equal(out, texts[i]);
    }
    static const char *const others[][2] = { { "CN/bmp=hi", "CN=hi" }, { "CN/t61=\\e9", "CN=\xc3\xa9" }, { "CN/printable=x", "CN=x" } };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        uint8_t der[512];
        char out[512];
        struct wr wr = wr_into(der, sizeof der);
        struct text t = TEXT_IN(out);
        dn_write(&wr, others[i][0]);
        dn_text(&t, wr_done(&wr));
        assert_string_equal(out, others[i][1]);
    }
}

static void broken_things(void **state)
{
    (void)state;
    uint8_t cut[4096];
    memcpy(cut, ca_cert.p, ca_cert.n);
    cut[ca_cert.n / 2] ^= 0x55;
    troth_object o = { .kind = "certificate", .what = "a certificate", .der = span_of(cut, ca_cert.n - 5) };
    const troth_fact *f;
    size_t n = troth_pki_describe(w, &o, MK_NOW, NULL, NULL, &f);
    assert_string_equal(find(f, n, "code")->text, "der.truncated");
    assert_true(find(f, n, "text")->warn);
    /* every cut of every kind: described somehow, nothing worse */
    static const char *const kinds[] = { "certificate", "certificate-request", "crl", "ocsp-response", "public-key", "pkcs12", "private-key" };
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t len = 0; len < ca_cert.n; len += 13) {
            uint8_t *exact = malloc(len ? len : 1);
            memcpy(exact, ca_cert.p, len);
            o = (troth_object){ .kind = kinds[k], .what = "", .der = span_of(exact, len) };
            n = troth_pki_describe(w, &o, MK_NOW, NULL, NULL, &f);
            assert_true(n > 0);
            assert_int_equal(troth_pki_error(w)->reason, TROTH_R_NONE);
            free(exact);
        }
}

static int setup(void **state)
{
    (void)state;
    m = mk_new();
    w = troth_pki_new(troth_libcrypto());
    ca_key = troth_pki_make_key(w, TROTH_KEY_P256, 0);
    ca_cert = troth_pki_self_sign(w, &ca_spec, ca_key);
    return ca_cert.n ? 0 : 1;
}

static int teardown(void **state)
{
    (void)state;
    troth_pki_free(w);
    mk_free(m);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain), cmocka_unit_test(refusals), cmocka_unit_test(requests),      cmocka_unit_test(lists), cmocka_unit_test(answers),
        cmocka_unit_test(keys),  cmocka_unit_test(pkcs12),   cmocka_unit_test(names_as_text), cmocka_unit_test(broken_things),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
