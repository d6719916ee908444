/* Every check of the table, passed and failed: one thing changed at a time in a good chain of three. */
/* links: crypto */
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "x509/trial_group.h"

static void good(void **state)
{
    (void)state;
    CASE("ok", (void)0);
    CASE("ok", t->no_mid = true);
    CASE("ok", t->every_check = true);
    CASE("ok", t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->profile = TROTH_PROFILE_LINT);
    CASE("ok", t->host = "SHOP.example.");
}

static void validity(void **state)
{
    (void)state;
    CASE("ok", t->leaf.not_after = MK_NOW);
    CASE("cert.expired", t->leaf.not_after = MK_NOW - 1);
    SEEN("expired 1 second");
    CASE("cert.expired", t->leaf.not_after = MK_NOW - 1, t->leaf.subject = "CN=A Name Of Some Length,O=Of An Organization With Another");
    if (t->seen[strlen(t->seen) - 1] != 'Z') /* the name makes room for what is wrong */
        test_fail("%s", t->seen);
    CASE("ok", t->leaf.not_before = MK_NOW);
    CASE("cert.not-yet-valid", t->leaf.not_before = MK_NOW + 1);
    CASE("cert.expired", t->mid.not_after = MK_NOW - 1);
    SEEN("Test Intermediate");
    CASE("cert.expired", t->root.not_after = MK_NOW - 1);
    assert_int_equal(t->who, TROTH_WHO_YOU);
    SEEN("trust anchor");
    CASE("cert.not-yet-valid", t->root.not_before = MK_NOW + 1);
    CASE("ok", t->leaf.generalized = true);
}

/* The clock is under suspicion only when it is a clock, and everything is out on the same side, or it is
 * older than the library. */
static void clocks(void **state)
{
    (void)state;
    int64_t past = 1000000000, future = 4000000000;
    CASE("cert.expired", t->leaf.not_after = past, t->mid.not_after = past, t->root.not_after = past,
         t->leaf.not_before = t->mid.not_before = t->root.not_before = past - 9);
    CASE("clock.suspect", t->time = 0, t->leaf.not_after = past, t->mid.not_after = past,
         t->root.not_after = past, t->leaf.not_before = t->mid.not_before = t->root.not_before = past - 9);
    CASE("cert.expired", t->time = 0, t->leaf.not_after = past, t->leaf.not_before = past - 9,
         t->mid.not_after = t->root.not_after = future);
    CASE("clock.suspect", t->time = 0, t->leaf.not_before = t->mid.not_before = t->root.not_before = future,
         t->leaf.not_after = t->mid.not_after = t->root.not_after = future + 9);
    SEEN("your clock says");
}

static void authorities(void **state)
{
    (void)state;
    CASE("cert.not-a-ca", t->mid.ca = false, t->mid.not_ca = true, t->mid.key_usage = KU_DIGITAL_SIGNATURE);
    CASE("cert.not-a-ca", t->mid.ca = false);
    assert_int_equal(t->who, TROTH_WHO_PEER);
    CASE("cert.not-a-ca", t->root.ca = false);
    assert_int_equal(t->who, TROTH_WHO_YOU);
    CASE("cert.key-usage", t->mid.key_usage = KU_CRL_SIGN);
    SEEN("its key is for: cRLSign");
    CASE("cert.key-usage", t->root.key_usage = KU_CRL_SIGN);
    CASE("ok", t->mid.key_usage = 0);
    CASE("cert.ca-as-leaf", t->leaf.ca = true, t->leaf.not_ca = false, t->leaf.key_usage |= KU_KEY_CERT_SIGN);
    CASE("ok", t->profile = TROTH_PROFILE_RFC5280, t->leaf.ca = true, t->leaf.not_ca = false,
         t->leaf.key_usage |= KU_KEY_CERT_SIGN);
    CASE("ok", t->purpose = TROTH_PURPOSE_ANY, t->leaf.ca = true, t->leaf.not_ca = false,
         t->leaf.key_usage = KU_KEY_CERT_SIGN);
}

static void path_length(void **state)
{
    (void)state;
    struct issue low;
    CASE("ok", t->mid.has_path_len = true);
    CASE("ok", t->root.has_path_len = true, t->root.path_len = 1);
    CASE("cert.pathlen", t->root.has_path_len = true);
    SEEN("allows 0 authorities");
    CASE("cert.pathlen", t->mid.has_path_len = true, low = mk_sub_ca(&t->mid, "CN=Low", t->leaf_key),
         t->leaf.by = &low, t->given[t->n_given++] = mk_cert(t->m, &low));
    CASE("ok", t->mid.has_path_len = true, t->mid.path_len = 1,
         low = mk_sub_ca(&t->mid, "CN=Low", t->leaf_key), t->leaf.by = &low,
         t->given[t->n_given++] = mk_cert(t->m, &low));
    /* self-issued certificates do not count: neither for the path length, nor for the depth */
    CASE("ok", t->mid.has_path_len = true, low = mk_sub_ca(&t->mid, t->mid.subject, t->leaf_key),
         t->leaf.by = &low, t->given[t->n_given++] = mk_cert(t->m, &low));
    CASE("ok", t->max_depth = 1, low = mk_sub_ca(&t->mid, t->mid.subject, t->leaf_key), t->leaf.by = &low,
         t->given[t->n_given++] = mk_cert(t->m, &low));
    CASE("chain.too-deep", t->max_depth = 1, low = mk_sub_ca(&t->mid, "CN=Low", t->leaf_key),
         t->leaf.by = &low, t->given[t->n_given++] = mk_cert(t->m, &low));
    CASE("chain.too-deep", t->max_depth = 0);
    CASE("ok", t->max_depth = 0, t->no_mid = true);
    CASE("ok", t->max_depth = 1);
    /* the leaf's own limit says nothing about itself */
    CASE("ok", t->purpose = TROTH_PURPOSE_ANY, t->leaf.ca = true, t->leaf.not_ca = false,
         t->leaf.has_path_len = true, t->leaf.key_usage = KU_KEY_CERT_SIGN);
}

static void purposes(void **state)
{
    (void)state;
    CASE("cert.wrong-eku", t->leaf.eku = TEXTS("clientAuth"));
    SEEN("clientAuth");
    CASE("ok", t->purpose = TROTH_PURPOSE_CLIENT, t->leaf.eku = TEXTS("clientAuth"));
    CASE("cert.wrong-eku", t->purpose = TROTH_PURPOSE_CLIENT);
    CASE("cert.wrong-eku", t->purpose = TROTH_PURPOSE_CODE);
    CASE("ok", t->purpose = TROTH_PURPOSE_CODE, t->leaf.eku = TEXTS("codeSigning"));
    CASE("ok", t->purpose = TROTH_PURPOSE_ANY, t->leaf.eku = TEXTS("timeStamping"));
    CASE("cert.wrong-eku", t->mid.eku = TEXTS("clientAuth"));
    CASE("ok", t->mid.eku = TEXTS("clientAuth", "serverAuth"));
    CASE("ok", t->mid.eku = TEXTS("anyExtendedKeyUsage"));
    CASE("cert.wrong-eku", t->root.eku = TEXTS("emailProtection"));
    CASE("cert.profile", t->root.eku = TEXTS("serverAuth"));
    CASE("cert.profile", t->leaf.eku = NULL);
    CASE("ok", t->leaf.eku = NULL, t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->leaf.eku = NULL, t->purpose = TROTH_PURPOSE_CLIENT);
    CASE("cert.profile", t->leaf.eku = TEXTS("anyExtendedKeyUsage"));
    CASE("ok", t->leaf.eku = TEXTS("anyExtendedKeyUsage"), t->profile = TROTH_PROFILE_RFC5280);
    CASE("cert.profile", t->leaf.flip = IX_EKU);
    CASE("cert.key-usage", t->leaf.key_usage = KU_CRL_SIGN | KU_DATA_ENCIPHERMENT);
    SEEN("wanted for TLS servers; its key is for: dataEncipherment, cRLSign");
    CASE("ok", t->leaf.key_usage = KU_KEY_AGREEMENT);
    CASE("ok", t->leaf.key_usage = 0);
}

static void extensions(void **state)
{
    (void)state;
    struct issue_ext unknown = { "1.2.3.4.5", true, SPAN_TEXT("\x05\x00") }, twice[] = { unknown, unknown };
    CASE("cert.critical-ext", t->leaf.extra = &unknown, t->leaf.n_extra = 1);
    SEEN("1.2.3.4.5");
    CASE("cert.critical-ext", t->mid.extra = &unknown, t->mid.n_extra = 1);
    CASE("cert.critical-ext", t->root.extra = &unknown, t->root.n_extra = 1);
    CASE("cert.duplicate-ext", t->leaf.extra = twice, t->leaf.n_extra = 2);
    unknown.critical = false;
    CASE("ok", t->leaf.extra = &unknown, t->leaf.n_extra = 1);
    struct issue_ext again = { "subjectKeyIdentifier", false, SPAN_TEXT("\x04\x01\x01") };
    CASE("cert.duplicate-ext", t->leaf.extra = &again, t->leaf.n_extra = 1);
    struct issue_ext broken = { "keyUsage", true, SPAN_TEXT("\x03\x02\x08\x80") };
    CASE("cert.malformed-ext", t->leaf.omit = IX_KEY_USAGE, t->leaf.extra = &broken, t->leaf.n_extra = 1);
    SEEN("keyUsage");
    CASE("cert.malformed-ext", t->mid.omit = IX_KEY_USAGE, t->mid.extra = &broken, t->mid.n_extra = 1);
    CASE("cert.precertificate", t->leaf.ct_poison = true);
    struct issue_ext no_scts = { "1.3.6.1.4.1.11129.2.4.2", true, SPAN_TEXT("\x04\x03\x00\x02\x00") };
    CASE("cert.critical-ext", t->leaf.extra = &no_scts, t->leaf.n_extra = 1);
    no_scts.critical = false;
    CASE("ok", t->leaf.extra = &no_scts, t->leaf.n_extra = 1);
    struct issue_ext false_written = { "basicConstraints", true, SPAN_TEXT("\x30\x03\x01\x01\x00") };
    CASE("cert.malformed-ext", t->leaf.omit = IX_BASIC, t->leaf.extra = &false_written, t->leaf.n_extra = 1);
}

/* Extensions that are known and may all the same not be critical: nobody does with them what being critical asks for. */
static void critical_and_known(void **state)
{
    (void)state;
    /* certificatePolicies with a qualifier of a kind 1.2.3; with a CPS; with something behind it; twice anyPolicy */
    static const uint8_t strange[] = "\x30\x11\x30\x0f\x06\x03\x2a\x03\x04\x30\x08\x30\x06\x06\x02\x2a\x03\x05\x00",
                         cps[] = "\x30\x18\x30\x16\x06\x03\x2a\x03\x04\x30\x0f\x30\x0d\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x01\x16\x01"
                                 "a",
                         more[] = "\x30\x13\x30\x11\x06\x03\x2a\x03\x04\x30\x0a\x30\x08\x06\x02\x2a\x03\x05\x00\x05\x00",
                         twice[] = "\x30\x10\x30\x06\x06\x04\x55\x1d\x20\x00\x30\x06\x06\x04\x55\x1d\x20\x00",
                         no_oid[] = "\x30\x0d\x30\x0b\x06\x03\x2a\x03\x04\x30\x04\x30\x02\x05\x00",
                         reasons[] = "\x30\x06\x30\x04\x81\x02\x01\x06", /* a point of reasons alone */
                         two_names[] = "\x30\x0f\x30\x0d\xa0\x05\xa0\x03\x86\x01"
                                       "a\xa2\x00\xa2\x00\xa0\x00",
                         point[] = "\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01"
                                   "a",
                         period[] = "\x30\x11\x80\x0f"
                                    "20200101000000Z";
    static const struct {
        const char *oid;
        bool        critical;
        const uint8_t *value;
        size_t      n;
        const char *code;
    } rows[] = {
        { "certificatePolicies", true, strange, sizeof strange - 1, "cert.critical-ext" },
        { "certificatePolicies", false, strange, sizeof strange - 1, "ok" },
        { "certificatePolicies", true, cps, sizeof cps - 1, "ok" },
        { "certificatePolicies", false, more, sizeof more - 1, "cert.malformed-ext" },
        { "certificatePolicies", false, twice, sizeof twice - 1, "cert.malformed-ext" },
        { "certificatePolicies", false, no_oid, sizeof no_oid - 1, "cert.malformed-ext" },
        { "2.5.29.16", true, period, sizeof period - 1, "cert.critical-ext" },
        { "2.5.29.16", false, period, sizeof period - 1, "ok" },
        { "cRLDistributionPoints", false, reasons, sizeof reasons - 1, "cert.malformed-ext" },
        { "cRLDistributionPoints", false, two_names, sizeof two_names - 1, "cert.malformed-ext" },
        { "cRLDistributionPoints", false, point, sizeof point - 1, "ok" },
        { "freshestCRL", false, reasons, sizeof reasons - 1, "cert.malformed-ext" },
        { "2.5.29.9", true, strange, sizeof strange - 1, "cert.critical-ext" },
        { "2.5.29.9", false, strange, sizeof strange - 1, "ok" },
    };
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        struct issue_ext x = { rows[i / 2].oid, rows[i / 2].critical, span_of(rows[i / 2].value, rows[i / 2].n) };
        trial_fresh(t);
        struct issue *who = i % 2 ? &t->mid : &t->leaf;
        who->extra = &x;
        who->n_extra = 1;
        t->purpose = TROTH_PURPOSE_ANY; /* path validation alone */
        fprintf(stderr, "%zu\n", i);
        trial_expect(t, rows[i / 2].code, __FILE__, __LINE__);
    }
}

/* A public key of a size that no provider of ours would make. */
static span rsa_spki(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    span copy = SPAN_NONE;
    assert_true(n > 0 && arena_copy(&t->m->arena, &copy, span_of(der, (size_t)n)));
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return copy;
}

static void strengths(void **state)
{
    (void)state;
    const troth_key *rsa = mk_rsa(t->m, 2048);
    CASE("cert.weak-key", t->leaf.spki = rsa_spki(1024));
    SEEN("RSA with 1024 bits of 2048: fewer than are needed");
    CASE("cert.weak-key", t->leaf.spki = rsa_spki(2050));
    CASE("ok", t->leaf.spki = rsa_spki(2056));
    CASE("ok", t->leaf.key = rsa);
    CASE("cert.weak-key", t->mid.spki = rsa_spki(1024));
    CASE("cert.weak-key", t->root.spki = rsa_spki(1024));
    CASE("ok", t->root.key = rsa);
    CASE("ok", t->root.key = rsa, t->mid.sig = TROTH_SIG_RSA_PSS_SHA384);
    CASE("cert.weak-signature", t->leaf.sig = TROTH_SIG_ECDSA_SHA1);
    CASE("cert.weak-signature", t->root.key = rsa, t->mid.sig = TROTH_SIG_RSA_PKCS1_SHA1);
    CASE("ok", t->root.key = rsa, t->root.sig = TROTH_SIG_RSA_PKCS1_SHA1,
         t->leaf.sig = TROTH_SIG_ECDSA_SHA384);
    CASE("cert.bad-signature", t->leaf.bad_signature = true);
    CASE("cert.bad-signature", t->mid.bad_signature = true);
    CASE("cert.algorithm-mismatch",
         t->leaf.sig_alg_outer = SPAN_TEXT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"));
    CASE("ok", t->leaf.key = mk_key(t->m, TROTH_KEY_ED25519));
    CASE("ok", t->mid.key = mk_key(t->m, TROTH_KEY_ED448));
    CASE("ok", t->mid.key = mk_key(t->m, TROTH_KEY_P521), t->root.key = mk_key(t->m, TROTH_KEY_P384));
}

static void profile(void **state)
{
    (void)state;
    CASE("cert.serial", t->leaf.serial = SPAN_TEXT("\xff"), t->leaf.serial_as_is = true);
    CASE("cert.serial", t->leaf.serial = SPAN_TEXT("\0"), t->leaf.serial_as_is = true);
    CASE("ok", t->root.serial = SPAN_TEXT("\0"), t->root.serial_as_is = true);
    CASE("cert.serial", t->leaf.serial = SPAN_TEXT("aaaaaaaaaaaaaaaaaaaaa"));
    CASE("ok", t->leaf.serial = SPAN_TEXT("aaaaaaaaaaaaaaaaaaaa"));
    CASE("cert.profile", t->root.flip = IX_BASIC);
    CASE("ok", t->root.flip = IX_BASIC, t->purpose = TROTH_PURPOSE_ANY);
    CASE("cert.profile", t->mid.flip = IX_SKI);
    CASE("cert.profile", t->mid.flip = IX_AKI);
    CASE("cert.profile", t->root.omit = IX_SKI);
    CASE("cert.profile", t->mid.omit = IX_AKI);
    CASE("cert.profile", t->leaf.omit = IX_AKI);
    CASE("cert.profile", t->leaf.omit = IX_AKI, t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->leaf.omit = IX_AKI, t->profile = TROTH_PROFILE_PATH);
    CASE("ok", t->leaf.omit = IX_AKI, t->leaf.eku = NULL, t->profile = TROTH_PROFILE_PATH);
    CASE("cert.expired", t->leaf.omit = IX_AKI, t->leaf.not_after = MK_NOW - 1, t->profile = TROTH_PROFILE_PATH);
    CASE("ok", t->root.omit = IX_AKI);
    CASE("ok", t->leaf.omit = IX_SKI);
    CASE("ok", t->leaf.aia = TEXTS("ocsp=http://o.example"));
    CASE("cert.critical-ext", t->leaf.aia = TEXTS("ocsp=http://o.example"), t->leaf.flip = IX_AIA);
    SEEN("authorityInfoAccess is critical");
    CASE("cert.profile", t->leaf.key_usage |= KU_KEY_CERT_SIGN);
    CASE("cert.profile", t->leaf.subject = NULL, t->leaf.flip = t->leaf.flip | IX_SAN);
    CASE("ok", t->leaf.subject = NULL);
    CASE("cert.profile", t->mid.subject = NULL);
    CASE("cert.version", t->leaf.version = 1, t->leaf.no_extensions = true);
    CASE("cert.version", t->leaf.version = 2);
    /* a UTF8String that is none */
    CASE("der.string", t->leaf.subject_der = SPAN_TEXT("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02\xc3\x28"));
    CASE("cert.profile", t->mid.aki_issuer = TEXTS("dir:CN=Test Root,O=Troth Test"),
         t->mid.aki_serial = SPAN_TEXT("\1"));
    CASE("cert.profile", t->mid.has_require_explicit = true, t->mid.require_explicit = 9,
         t->mid.flip = IX_POLICY_CONSTRAINTS);
}

static void nowhere(struct trial *x, troth_policy_builder *b)
{
    (void)x;
    troth_policy_trust_file(b, "/nowhere/roots.pem");
}

/* A folder with the root's certificate and what is none. */
static void folder_with(struct trial *x, troth_policy_builder *b, const char *name)
{
    const char *out;
    char folder[300];
    span der = mk_cert(x->m, &x->root);
    assert_int_equal(mk_run(x->m, &out, "rm -rf roots && mkdir -p roots/folder && echo rubbish >roots/rubbish && : >roots/empty && ln -s gone roots/gone"), 0);
    const char *pem = mk_pem(x->m, "CERTIFICATE", &der, 1), *path = mk_file(x->m, name, span_of(pem, strlen(pem)));
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    troth_policy_trust_dir(b, folder);
}

static void in_sight(struct trial *x, troth_policy_builder *b)
{
    folder_with(x, b, "roots/root.pem");
}

static void hidden(struct trial *x, troth_policy_builder *b)
{
    folder_with(x, b, "roots/.root.pem");
}

static void folders(void **state)
{
    (void)state;
    CASE("ok", t->no_root = true, t->more = in_sight);
    CASE("trust.store-empty", t->no_root = true, t->more = hidden);
}

static void unreadable(void **state)
{
    (void)state;
    CASE("cert.malformed", t->leaf.not_before = MK_NOW + 1, t->leaf.not_after = MK_NOW - 1);
    CASE("cert.idna", t->leaf.san = TEXTS("DNS:shop.example", "DNS#:62c3bc2e6465"));
    CASE("der.string", t->leaf.subject = "CN=#0c01ff");
    CASE("trust.unreadable", t->more = nowhere);
    SEEN("/nowhere/roots.pem");
}

static void more_profile(void **state)
{
    (void)state;
    CASE("cert.profile", t->leaf.flip = IX_SAN);
    CASE("ok", t->leaf.flip = IX_SAN, t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->mid.permitted = TEXTS("DNS:example"), t->mid.flip = IX_NAME_CONSTRAINTS);
    CASE("cert.profile", t->mid.permitted = TEXTS("DNS:example"), t->mid.flip = IX_NAME_CONSTRAINTS,
         t->profile = TROTH_PROFILE_RFC5280);
    CASE("cert.profile", t->root.aki = SPAN_TEXT("another"));
    CASE("cert.unknown-algorithm",
         t->root.sig_alg_inner = t->root.sig_alg_outer = SPAN_TEXT("\x30\x05\x06\x03\x2a\x03\x04"));
    CASE("cert.weak-signature", t->root.sig_alg_inner = t->root.sig_alg_outer = SPAN_TEXT(
                                    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00"));
    CASE("cert.unknown-algorithm",
         t->leaf.sig_alg_inner = t->leaf.sig_alg_outer = SPAN_TEXT("\x30\x05\x06\x03\x2a\x03\x04"));
}

/* What the CA/Browser Forum forbids and RFC 5280 does not is refused by the one profile and not by the other; what RFC 5280 forbids, by
 * both; and for other purposes than servers path validation stands alone. */
static void profiles(void **state)
{
    (void)state;
#define WEB_ONLY(code, ...)                                          \
    CASE(code, __VA_ARGS__);                                         \
    CASE(code, __VA_ARGS__, t->profile = TROTH_PROFILE_LINT);        \
    CASE("ok", __VA_ARGS__, t->profile = TROTH_PROFILE_RFC5280);     \
    CASE("ok", __VA_ARGS__, t->purpose = TROTH_PURPOSE_ANY)
#define BOTH(code, ...)                                              \
    CASE(code, __VA_ARGS__);                                         \
    CASE(code, __VA_ARGS__, t->profile = TROTH_PROFILE_RFC5280);     \
    CASE("ok", __VA_ARGS__, t->purpose = TROTH_PURPOSE_ANY)
    WEB_ONLY("cert.profile", t->leaf.eku = NULL);
    WEB_ONLY("cert.profile", t->leaf.flip = IX_EKU);
    WEB_ONLY("cert.profile", t->leaf.eku = TEXTS("anyExtendedKeyUsage", "serverAuth"));
    WEB_ONLY("cert.profile", t->leaf.eku = TEXTS("serverAuth", "OCSPSigning"));
    WEB_ONLY("cert.profile", t->root.eku = TEXTS("serverAuth"));
    WEB_ONLY("cert.profile", t->mid.aki_issuer = TEXTS("dir:CN=Test Root,O=Troth Test"), t->mid.aki_serial = SPAN_TEXT("\1"));
    WEB_ONLY("cert.profile", t->root.aki = SPAN_TEXT("another"));
    WEB_ONLY("cert.profile", t->leaf.flip = IX_SAN);
    WEB_ONLY("cert.profile", t->leaf.san = NULL, t->host = NULL, t->purpose = TROTH_PURPOSE_SERVER);
    WEB_ONLY("cert.ca-as-leaf", t->leaf.ca = true, t->leaf.not_ca = false, t->leaf.key_usage |= KU_KEY_CERT_SIGN);
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:a..example"));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:a b.example"));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:*"));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:f*.example"));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:a.*.example"));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:a.example."));
    WEB_ONLY("cert.malformed-name", t->leaf.san = TEXTS("DNS:shop.example", "DNS:192.0.2.1"));
    WEB_ONLY("cert.unknown-algorithm", t->root.sig_alg_inner = t->root.sig_alg_outer = SPAN_TEXT("\x30\x05\x06\x03\x2a\x03\x04"));
    BOTH("cert.profile", t->mid.omit = IX_SKI);
    BOTH("cert.profile", t->leaf.omit = IX_AKI);
    BOTH("cert.profile", t->mid.flip = IX_BASIC);
    BOTH("cert.profile", t->mid.flip = IX_SKI);
    BOTH("cert.profile", t->leaf.key_usage |= KU_KEY_CERT_SIGN);
    BOTH("cert.profile", t->leaf.has_path_len = true);
    BOTH("cert.profile", t->leaf.permitted = TEXTS("DNS:shop.example"));
    BOTH("cert.profile", t->leaf.subject = NULL, t->leaf.flip = IX_SAN);
    BOTH("cert.serial", t->mid.serial = SPAN_TEXT("\x80"), t->mid.serial_as_is = true);
    BOTH("cert.serial", t->leaf.serial = SPAN_TEXT("aaaaaaaaaaaaaaaaaaaaa"));
}

/* A root with a self-signature needs no authorityKeyIdentifier, whatever its names; one signed by another
 * does. */
static void self_signed_by_key(void **state)
{
    (void)state;
    struct issue up;
    CASE("ok", t->root.issuer = "CN=Somebody Else", t->root.omit = IX_AKI);
    CASE("cert.profile", up = mk_ca("CN=Up", t->leaf_key), t->root.by = &up, t->root.omit = IX_AKI);
    CASE("ok", up = mk_ca("CN=Up", t->leaf_key), t->root.by = &up);
    /* what the signature of a trusted root is worth, or made with, says nothing: RFC 5280 6.1 takes no more than name and key of it */
    static const span md5 = SPAN_TEXT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\x00");
    CASE("ok", t->root.omit = IX_AKI, t->root.bad_signature = true);
    CASE("ok", t->root.omit = IX_AKI, t->root.sig_alg_inner = t->root.sig_alg_outer = md5, t->profile = TROTH_PROFILE_RFC5280);
    CASE("cert.weak-signature", t->root.omit = IX_AKI, t->root.sig_alg_inner = t->root.sig_alg_outer = md5);
}

/* The TLS feature extension of an authority (RFC 7633 4.2.2) asks for the same of all below it. */
static void features(void **state)
{
    (void)state;
    struct issue_ext staple = { "tlsfeature", false, SPAN_TEXT("\x30\x03\x02\x01\x05") },
                     both = { "tlsfeature", false, SPAN_TEXT("\x30\x06\x02\x01\x11\x02\x01\x05") };
#define HAS(who, x) t->who.extra = &x, t->who.n_extra = 1
    CASE("cert.profile", HAS(mid, staple));
    SEEN("has 5, its own has not");
    CASE("ok", HAS(mid, staple), HAS(leaf, staple));
    CASE("ok", HAS(mid, staple), HAS(leaf, both));
    CASE("cert.profile", HAS(mid, both), HAS(leaf, staple));
    SEEN("has 17, its own has not");
    CASE("cert.profile", HAS(root, staple), HAS(leaf, staple));
    SEEN("Test Intermediate");
    CASE("ok", HAS(root, staple), HAS(mid, staple), HAS(leaf, staple));
    CASE("cert.profile", HAS(mid, staple), t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", HAS(mid, staple), t->purpose = TROTH_PURPOSE_CLIENT, t->leaf.eku = TEXTS("clientAuth"));
}

/* An algorithm that is known, with what it may not have beside it, is another matter than one that is not. */
static void parameters(void **state)
{
    (void)state;
    CASE("cert.unknown-algorithm", t->leaf.sig_alg_inner = t->leaf.sig_alg_outer = SPAN_TEXT("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00"));
    SEEN("its parameters are none");
    CASE("cert.unknown-algorithm", t->leaf.sig_alg_inner = t->leaf.sig_alg_outer = SPAN_TEXT("\x30\x05\x06\x03\x2a\x03\x04"));
    if (strstr(t->seen, "parameters"))
        test_fail("%s", t->seen);
}

/* How many warnings there are in what is accepted. */
static size_t warnings(void)
{
    t->profile = TROTH_PROFILE_LINT;
    troth_error none;
    troth_report *r = trial_judge(t, &none);
    assert_true(troth_report_ok(r));
    size_t n = 0;
    for (size_t i = 0; i < troth_report_path(r, 0).n_checks; i++)
        n += troth_report_check(r, 0, i).verdict == TROTH_WARN;
    troth_report_free(r);
    return n;
}

/* Of a certificate that was issued then, for so many seconds. */
static size_t warned(int64_t issued, int64_t seconds)
{
    trial_fresh(t);
    t->time = issued + 60;
    t->leaf.subject = "CN=shop.example";
    t->root.not_before = t->mid.not_before = t->leaf.not_before = issued;
    t->root.not_after = t->mid.not_after = issued + 4000 * MK_DAY;
    t->leaf.not_after = issued + seconds - 1; /* both ends belong to it */
    return warnings();
}

/* CA/Browser Forum 6.3.2: fewer days with the years, and a day begun is a day. */
static void lifetimes(void **state)
{
    (void)state;
    static const struct {
        int64_t from, days;
    } rows[] = { { 1700000000, 398 }, { 1773532800, 200 }, { 1805068800, 100 }, { 1868227200, 47 }, { 1900000000, 47 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(troth_public_lifetime(rows[i].from), rows[i].days);
        assert_int_equal(warned(rows[i].from, rows[i].days * MK_DAY), 0);
        assert_int_equal(warned(rows[i].from, rows[i].days * MK_DAY + 1), 1);
    }
    assert_int_equal(troth_public_lifetime(rows[1].from - 1), 398);
    assert_int_equal(troth_public_lifetime(rows[3].from - 1), 100);
}

/* Each a warning that refuses nobody. */
static void lint(void **state)
{
    (void)state;
#define WARNED(n, ...) (trial_fresh(t), t->leaf.subject = "CN=shop.example", __VA_ARGS__, assert_int_equal(warnings(), n))
    WARNED(0, (void)0);
    WARNED(1, t->leaf.generalized = true);
    WARNED(1, t->leaf.san = TEXTS("DNS:shop.example", "DNS:a_b.example"));
    WARNED(1, t->leaf.subject = "CN=other.example");
    WARNED(1, t->leaf.eku = TEXTS("serverAuth", "emailProtection"));
    WARNED(0, t->leaf.eku = TEXTS("serverAuth", "clientAuth"));
    WARNED(1, t->leaf.subject = "CN=Shop");
    WARNED(0, t->leaf.subject = "CN=SHOP.example,O=Shop");
    WARNED(0, t->leaf.subject = "O=Shop");
    WARNED(0, t->leaf.subject = "CN=2001:db8::2", t->leaf.san = TEXTS("DNS:shop.example", "IP:2001:db8::2"));
    WARNED(1, t->leaf.subject = "CN=2001:db8:0::2", t->leaf.san = TEXTS("DNS:shop.example", "IP:2001:db8::2"));
    WARNED(0, t->leaf.subject = "CN=Client", t->purpose = TROTH_PURPOSE_CLIENT, t->leaf.eku = TEXTS("clientAuth"));
}

static void limited_anchors(void **state)
{
    (void)state;
    troth_anchor a = { 0 };
    CASE("ok", t->limited = &a);
    a = (troth_anchor){ .purposes = 1u << TROTH_PURPOSE_CLIENT };
    CASE("chain.anchor-limits", t->limited = &a);
    a.purposes |= 1u << TROTH_PURPOSE_SERVER;
    CASE("ok", t->limited = &a);
    a = (troth_anchor){ .distrust_after = MK_NOW - 2 * MK_DAY };
    CASE("chain.anchor-limits", t->limited = &a);
    a.distrust_after = MK_NOW;
    CASE("ok", t->limited = &a);
    a = (troth_anchor){ .permitted = TEXTS("example"), .n_permitted = 1 };
    CASE("ok", t->limited = &a);
    CASE("chain.anchor-limits", t->limited = &a, t->leaf.san = TEXTS("DNS:shop.example", "DNS:shop.test"));
    CASE("ok", t->limited = &a, t->leaf.san = TEXTS("DNS:shop.example", "IP:192.0.2.1"));
    CASE("chain.anchor-limits", t->limited = &a, t->leaf.san = TEXTS("DNS:shop.example", "IP:192.0.2.1"), t->host = "192.0.2.1");
    CASE("chain.anchor-limits", t->limited = &a, t->leaf.san = TEXTS("IP:192.0.2.1"), t->host = NULL, t->ip = "192.0.2.1");
    a = (troth_anchor){ .excluded = TEXTS("shop.example"), .n_excluded = 1 };
    CASE("chain.anchor-limits", t->limited = &a);
    CASE("chain.anchor-limits", t->limited = &a, t->leaf.san = TEXTS("DNS:*.example"),
         t->profile = TROTH_PROFILE_RFC5280);
    CASE("ok", t->limited = &a, t->leaf.san = TEXTS("DNS:other.example"), t->host = "other.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(validity),
        cmocka_unit_test(clocks),
        cmocka_unit_test(authorities),
        cmocka_unit_test(path_length),
        cmocka_unit_test(purposes),
        cmocka_unit_test(extensions),
        cmocka_unit_test(critical_and_known),
        cmocka_unit_test(strengths),
        cmocka_unit_test(profile),
        cmocka_unit_test(self_signed_by_key),
        cmocka_unit_test(more_profile),
        cmocka_unit_test(profiles),
        cmocka_unit_test(unreadable), cmocka_unit_test(folders),
        cmocka_unit_test(lint), cmocka_unit_test(lifetimes), cmocka_unit_test(features), cmocka_unit_test(parameters),
        cmocka_unit_test(limited_anchors),
    };
    return cmocka_run_group_tests(tests, trial_setup, trial_teardown);
}
