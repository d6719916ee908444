/* What the writer makes is what OpenSSL reads: every kind of key, every extension, CRLs, OCSP responses, requests. */
#include <arpa/inet.h>

#include "support/mkpki.h"
#include "support/test.h"

static struct mk *m;

/* Runs and expects success, with every one of the texts in its output. */
static void runs(const char *const *want, const char *cmd)
{
    const char *out;
    int status = mk_run(m, &out, "%s", cmd);
    if (status)
        test_fail("%s: exit %d\n%s", cmd, status, out);
    for (; *want; want++)
        if (!strstr(out, *want))
            test_fail("%s: no \"%s\" in\n%s", cmd, *want, out);
}

static void every_key(void **state)
{
    (void)state;
    static const struct {
        enum troth_key_type type;
        enum troth_sig      sig;
        const char         *text;
    } rows[] = {
        /* clang-format off */
        { TROTH_KEY_RSA,     TROTH_SIG_NONE,             "sha256WithRSAEncryption" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PKCS1_SHA384, "sha384WithRSAEncryption" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PKCS1_SHA512, "sha512WithRSAEncryption" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PKCS1_SHA1,   "sha1WithRSAEncryption" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PSS_SHA256,   "rsassaPss" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PSS_SHA384,   "sha384" },
        { TROTH_KEY_RSA,     TROTH_SIG_RSA_PSS_SHA512,   "sha512" },
        { TROTH_KEY_P256,    TROTH_SIG_NONE,             "ecdsa-with-SHA256" },
        { TROTH_KEY_P256,    TROTH_SIG_ECDSA_SHA384,     "ecdsa-with-SHA384" },
        { TROTH_KEY_P384,    TROTH_SIG_NONE,             "ecdsa-with-SHA384" },
        { TROTH_KEY_P521,    TROTH_SIG_NONE,             "ecdsa-with-SHA512" },
        { TROTH_KEY_ED25519, TROTH_SIG_NONE,             "ED25519" },
        { TROTH_KEY_ED448,   TROTH_SIG_NONE,             "ED448" },
        /* clang-format on */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct issue root = mk_ca("CN=Root,O=Troth,C=DE", mk_key(m, rows[i].type));
        root.sig = rows[i].sig;
        span der = mk_cert(m, &root);
        const char *pem = mk_pem(m, "CERTIFICATE", &der, 1);
        mk_file(m, "root.pem", span_of(pem, strlen(pem)));
        runs(TEXTS(rows[i].text, "C = DE, O = Troth, CN = Root"), "openssl x509 -in root.pem -noout -text");
        runs(TEXTS("OK"), "openssl verify -auth_level 0 -check_ss_sig -CAfile root.pem root.pem");
        root.bad_signature = true;
        der = mk_cert(m, &root);
        mk_file(m, "bad.der", der);
        const char *out;
        assert_int_not_equal(mk_run(m, &out, "openssl verify -auth_level 0 -check_ss_sig -CAfile bad.der bad.der"), 0);
    }
}

static void every_extension(void **state)
{
    (void)state;
    const troth_key *k = mk_key(m, TROTH_KEY_P256);
    struct issue root = mk_ca("CN=Root", k);
    root.has_path_len = true;
    root.path_len = 3;
    root.permitted = TEXTS("DNS:example", "IP:10.0.0.0/8", "IP:2001:db8::/33", "email:example", "dir:O=Troth", "URI:.example");
    root.excluded = TEXTS("DNS:bad.example");
    root.policies = TEXTS("1.2.3.4", "anyPolicy", "2.23.140.1.2.1 cps=https://cps.example/");
    root.mappings = TEXTS("1.2.3=1.2.5");
    root.has_require_explicit = root.has_inhibit_mapping = root.has_inhibit_any = true;
    root.inhibit_mapping = 2;
    root.inhibit_any = 200;
    mk_file(m, "ca.der", mk_cert(m, &root));
    runs(TEXTS("CA:TRUE, pathlen:3", "IP:10.0.0.0/255.0.0.0", "IP:2001:DB8:0:0:0:0:0:0/FFFF:FFFF:8000:0:0:0:0:0", "DirName:O = Troth",
               "URI:.example", "Excluded", "DNS:bad.example", "Policy: 1.2.3.4", "X509v3 Any Policy", "CPS: https://cps.example/",
               "1.2.3:1.2.5", "Require Explicit Policy:0, Inhibit Policy Mapping:2", "X509v3 Inhibit Any Policy: critical",
               "Certificate Sign, CRL Sign"),
         "openssl x509 -in ca.der -noout -text");

    static const char *const dp_names[] = { "URI:http://crl.example/1", NULL }, *const dp_issuer[] = { "dir:CN=CRL", NULL };
    const struct issue_dp dps[] = { { .names = dp_names }, { .relative = "CN=part", .reasons = BIT(1) | BIT(4), .crl_issuer = dp_issuer } };
    const struct issue_ext extra[] = { { "1.2.3.4.5", true, SPAN_TEXT("\x05\x00") } };
    struct issue leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P384), NULL);
    leaf.subject = "CN=a\\, b+serialNumber=7,O/printable=Printable,DC=example,emailAddress=x@example";
    leaf.san = TEXTS("DNS:a.example", "DNS:*.b.example", "IP:192.0.2.1", "IP:2001:db8::1", "email:x@example", "URI:https://a.example/",
                     "dir:CN=x", "RID:1.2.3.4", "other:1.3.6.1.4.1.311.20.2.3:0c0161", "DNS#:6162");
    leaf.ian = TEXTS("DNS:issuer.example");
    leaf.eku = TEXTS("serverAuth", "clientAuth", "1.2.3.4");
    leaf.key_usage = 0x1ff;
    leaf.aia = TEXTS("ocsp=http://ocsp.example/", "caIssuers=http://ca.example/ca.der");
    leaf.cdp = dps;
    leaf.n_cdp = 2;
    leaf.freshest = dps;
    leaf.n_freshest = 1;
    leaf.must_staple = leaf.ocsp_no_check = true;
    leaf.aki_issuer = TEXTS("dir:CN=Root");
    leaf.aki_serial = MK_SERIAL(0x81);
    leaf.serial = MK_SERIAL(0, 0, 0xff, 1);
    leaf.extra = extra;
    leaf.n_extra = 1;
    mk_file(m, "leaf.der", mk_cert(m, &leaf));
    runs(TEXTS("emailAddress = x@example, DC = example, O = Printable, serialNumber = 7 + CN = \"a, b\"", "DNS:*.b.example",
               "IP Address:192.0.2.1", "IP Address:2001:DB8:0:0:0:0:0:1", "DirName:/CN=x", "Registered ID:1.2.3.4",
               "UPN::a, DNS:ab", "DNS:issuer.example", "TLS Web Client Authentication, 1.2.3.4", "Encipher Only, Decipher Only",
               "OCSP - URI:http://ocsp.example/", "CA Issuers - URI:http://ca.example/ca.der", "URI:http://crl.example/1",
               "Relative Name", "Key Compromise, Superseded", "DirName:CN = CRL", "X509v3 Freshest CRL", "status_request",
               "OCSP No Check", "serial:81", "(0xff01)", "1.2.3.4.5: critical"),
         "openssl x509 -in leaf.der -noout -text -serial");
}

/* Options that break rules reach the bytes. */
static void what_no_ca_should(void **state)
{
    (void)state;
    struct issue root = mk_ca("", mk_key(m, TROTH_KEY_P256));
    root.san = TEXTS("DNS:a");
    mk_file(m, "x.der", mk_cert(m, &root));
    runs(TEXTS("Subject: \n", "X509v3 Subject Alternative Name: critical"), "openssl x509 -in x.der -noout -text");
    root.flip = IX_BASIC | IX_SAN;
    root.omit = IX_SKI | IX_AKI;
    root.serial = MK_SERIAL(0x80, 1);
    root.serial_as_is = true;
    root.generalized = true;
    mk_file(m, "x.der", mk_cert(m, &root));
    runs(TEXTS("X509v3 Basic Constraints: \n", "Alternative Name: \n", "-32767"), "openssl x509 -in x.der -noout -text");
    const char *out;
    assert_int_not_equal(mk_run(m, &out, "openssl x509 -in x.der -noout -text | grep Identifier"), 0);
    assert_int_equal(mk_run(m, &out, "openssl asn1parse -inform DER -in x.der | grep -c GENERALIZEDTIME"), 0);
    assert_string_equal(out, "2\n");
    root.version = 1;
    mk_file(m, "x.der", mk_cert(m, &root));
    runs(TEXTS("Version: 1"), "openssl x509 -in x.der -noout -text");
    root.subject = "no equals sign";
    span der;
    assert_false(issue_cert(&m->p, &root, &der));
    assert_int_equal(m->p.error.reason, TROTH_R_ISSUE_REFUSED);
    m->p.error.reason = 0;
    root.subject = "CN=x";
    root.sig = TROTH_SIG_ED25519; /* with a P-256 key */
    assert_false(issue_cert(&m->p, &root, &der));
    assert_int_equal(m->p.error.reason, TROTH_R_ISSUE_REFUSED);
    m->p.error.reason = 0;
}

static void requests(void **state)
{
    (void)state;
    struct issue want = { .subject = "CN=a.example", .key = mk_key(m, TROTH_KEY_P256), .san = TEXTS("DNS:a.example", "IP:::1") };
    span der;
    assert_true(issue_csr(&m->p, &want, &der));
    mk_file(m, "a.csr", der);
    runs(TEXTS("verify OK", "DNS:a.example", "CN = a.example"), "openssl req -inform DER -in a.csr -noout -text -verify");
    want.bad_signature = true;
    assert_true(issue_csr(&m->p, &want, &der));
    mk_file(m, "a.csr", der);
    const char *out;
    mk_run(m, &out, "openssl req -inform DER -in a.csr -noout -verify");
    assert_null(strstr(out, "verify OK"));
}

static void revocation_lists(void **state)
{
    (void)state;
    struct issue root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    span der = mk_cert(m, &root);
    const char *pem = mk_pem(m, "CERTIFICATE", &der, 1);
    mk_file(m, "ca.pem", span_of(pem, strlen(pem)));
    const struct issue_revoked rows[] = {
        { .serial = MK_SERIAL(5), .when = MK_NOW, .reason = 1, .invalid_since = MK_NOW - MK_DAY },
        { .serial = MK_SERIAL(0x80), .when = MK_NOW, .reason = -1, .issuer = TEXTS("dir:CN=Other") },
    };
    struct issue_crl crl = mk_crl_spec(&root);
    crl.revoked = rows;
    crl.n_revoked = 2;
    crl.number = MK_SERIAL(1, 2);
    crl.delta_base = MK_SERIAL(7);
    crl.idp = crl.indirect = crl.only_user = true;
    crl.dp = (struct issue_dp){ .names = TEXTS("URI:http://x/"), .reasons = BIT(1) };
    mk_file(m, "c.crl", mk_crl(m, &crl));
    runs(TEXTS("verify OK", "Key Compromise", "Invalidity Date", "DirName:/CN=Other", "258", "Delta CRL Indicator: critical",
               "Only User Certificates", "Indirect CRL", "URI:http://x/", "Serial Number: 80"),
         "openssl crl -inform DER -in c.crl -noout -text -CAfile ca.pem");
    crl = mk_crl_spec(&root);
    crl.version = 1;
    crl.next_update = 0;
    mk_file(m, "c.crl", mk_crl(m, &crl));
    runs(TEXTS("verify OK", "Version 1", "No Revoked Certificates", "Next Update: NONE"),
         "openssl crl -inform DER -in c.crl -noout -text -CAfile ca.pem");
    crl.bad_signature = true;
    mk_file(m, "c.crl", mk_crl(m, &crl));
    const char *out;
    mk_run(m, &out, "openssl crl -inform DER -in c.crl -noout -CAfile ca.pem");
    assert_null(strstr(out, "verify OK"));
}

static void ocsp_responses(void **state)
{
    (void)state;
    struct issue root = mk_ca("CN=Root", mk_key(m, TROTH_KEY_P256));
    struct issue leaf = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), "a.example");
    struct issue responder = mk_leaf(&root, mk_key(m, TROTH_KEY_P256), NULL);
    leaf.serial = MK_SERIAL(0x91, 2);
    responder.subject = "CN=OCSP";
    responder.eku = TEXTS("OCSPSigning");
    span root_der = mk_cert(m, &root), leaf_der = mk_cert(m, &leaf), responder_der = mk_cert(m, &responder);
    const char *pem = mk_pem(m, "CERTIFICATE", &root_der, 1);
    mk_file(m, "ca.pem", span_of(pem, strlen(pem)));
    pem = mk_pem(m, "CERTIFICATE", &leaf_der, 1);
    mk_file(m, "leaf.pem", span_of(pem, strlen(pem)));
    const struct issue_single singles[] = {
        { .ca = &root, .serial = leaf.serial, .status = OCSP_REVOKED, .revoked = MK_NOW - MK_DAY, .reason = 1,
          .this_update = MK_NOW - 60, .next_update = MK_NOW + MK_DAY },
        { .ca = &root, .serial = MK_SERIAL(3), .hash = TROTH_SHA256, .this_update = MK_NOW },
    };
    struct issue_ocsp spec = { .by = &responder, .produced = MK_NOW, .singles = singles, .n_singles = 2, .certs = &responder_der,
                               .n_certs = 1, .nonce = SPAN_TEXT("12345678") };
    for (int by_key = 0; by_key < 2; by_key++) {
        spec.by_key = by_key;
        mk_file(m, "r.der", mk_ocsp(m, &spec));
        runs(TEXTS("Response verify OK", "leaf.pem: revoked", "keyCompromise", "sha256", "Nonce"),
             "openssl ocsp -issuer ca.pem -cert leaf.pem -respin r.der -CAfile ca.pem -attime 1790000000 -no_nonce -resp_text "
             "-validity_period 999999999");
    }
    spec.bad_signature = true;
    mk_file(m, "r.der", mk_ocsp(m, &spec));
    const char *out;
    mk_run(m, &out, "openssl ocsp -issuer ca.pem -cert leaf.pem -respin r.der -CAfile ca.pem -attime 1790000000");
    assert_null(strstr(out, "verify OK"));
    struct issue_ocsp busy = { .failure = 3 };
    mk_file(m, "r.der", mk_ocsp(m, &busy));
    mk_run(m, &out, "openssl ocsp -respin r.der");
    assert_non_null(strstr(out, "trylater"));
}

/* Against the C library's reading. */
static void addresses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1.2.3.4",  "255.255.255.255", "0.0.0.0",   "1.2.3",      "1.2.3.4.5", "1.2.3.256", "01.2.3.4",     "1..2.3",   "",
        "::",       "::1",             "1::",       "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::8",  "1:::2",
        "1::2::3",  "::ffff:1.2.3.4",  "1.2.3.4::", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "12345::", "g::", ":1",
        "1:",       ":",               "1:2",       "::1:",       "fe80::1%lo", "ABCD::ef", "1:2:3:4:5:6:7:8:9", "1::1.2.3",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint8_t ours[16], theirs[16];
        size_t n = ip_from_text(ours, texts[i], strlen(texts[i]));
        size_t want = inet_pton(AF_INET, texts[i], theirs) == 1 ? 4 : inet_pton(AF_INET6, texts[i], theirs) == 1 ? 16 : 0;
        if (n != want || memcmp(ours, theirs, n))
            test_fail("%s: %zu, not %zu", texts[i], n, want);
    }
}

static int setup(void **state)
{
    (void)state;
    m = mk_new();
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
        cmocka_unit_test(every_key), cmocka_unit_test(every_extension),  cmocka_unit_test(what_no_ca_should),
        cmocka_unit_test(addresses), cmocka_unit_test(requests),  cmocka_unit_test(revocation_lists), cmocka_unit_test(ocsp_responses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
