/* describe_cert.c - certificates and requests in plain words. */
#include "base/text.h"
#include "x509/crl.h"
#include "x509/csr.h"
#include "x509/describe.h"
#include "x509/oid.h"
#include "x509/sct.h"

enum { LINE_MAX = 2048 };

/* ---- dates */

static void describe_validity(struct facts *f, const struct cert *c)
{
    char text[64];
    struct text t = TEXT_IN(text);
    fact_open(f, TROTH_FACT_GROUP, "validity", "valid");
    troth_fact *from = fact_time(f, "not_before", "from", c->not_before);
    if (f->now < c->not_before) {
        text_distance(&t, f->now, c->not_before);
        fact_note(f, from, true, "not yet: in %s", text);
    }
    troth_fact *to = fact_time(f, "not_after", "until", c->not_after);
    t = TEXT_IN(text);
    if (c->not_after < f->now) {
        text_distance(&t, c->not_after, f->now);
        fact_note(f, to, true, "expired %s ago", text);
    } else {
        text_distance(&t, f->now, c->not_after);
        fact_note(f, to, c->not_after - f->now < 14 * 86400, "%s left", text);
    }
    fact_close(f);
}

/* ---- extensions with a shape of their own; each is given the certificate */

static void names_list(struct facts *f, const char *key, const char *label, span names)
{
    struct general_name_item g;
    fact_open(f, TROTH_FACT_LIST, key, label);
    while (general_names_next(&names, &g)) {
        char text[LINE_MAX];
        struct text t = TEXT_IN(text);
        general_name_show(&t, &g);
        fact_text(f, NULL, NULL, "%s", text);
    }
    fact_close(f);
}

static void describe_san(struct facts *f, const struct cert *c)
{
    names_list(f, "names", "for", c->san);
}

static void describe_ian(struct facts *f, const struct cert *c)
{
    names_list(f, "issuer_names", "issuer's other names", sequence_in(c->ext[CX_ISSUER_ALT_NAME]));
}

static void describe_basic(struct facts *f, const struct cert *c)
{
    troth_fact *row = fact_bool(f, "ca", "is a CA", c->is_ca);
    if (c->is_ca && c->has_path_len)
        fact_note(f, row, false, c->path_len ? "at most %u more below it" : "none below it", (unsigned)c->path_len);
    if (c->has_path_len)
        fact_number(f, "path_length", "path length", c->path_len);
}

static void describe_key_usage(struct facts *f, const struct cert *c)
{
    static const char *const names[] = { "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                                         "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly" };
    static const char *const words[] = { "signatures", "signatures that bind", "encrypting keys", "encrypting data", "key agreement",
                                         "signing certificates", "signing CRLs", "only encrypting", "only decrypting" };
    fact_open(f, TROTH_FACT_LIST, "key_usage", "the key may be used for");
    for (unsigned i = 0; i < COUNT_OF(names); i++)
        if (c->key_usage & BIT(i))
            fact_note(f, fact_text(f, NULL, NULL, "%s", names[i]), false, "%s", words[i]);
    fact_close(f);
}

/* A SEQUENCE OF OBJECT IDENTIFIER. */
static void describe_eku(struct facts *f, const struct cert *c)
{
    span list = sequence_in(c->ext[CX_EXT_KEY_USAGE]);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    struct rd r = rd_init(&ctx, list);
    fact_open(f, TROTH_FACT_LIST, "purposes", "purposes");
    while (rd_more(&r)) {
        span oid = der_oid(&r, "KeyPurposeId");
        char text[200];
        struct text t = TEXT_IN(text);
        oid_show(&t, oid);
        troth_fact *row = rd_ok(&r) ? fact_text(f, NULL, NULL, "%s", text) : NULL;
        if (oid_find(oid) != OID_NONE)
            fact_note(f, row, false, "%s", oid_words(oid_find(oid)));
    }
    fact_close(f);
}

static void subtrees_list(struct facts *f, const char *key, const char *label, span list)
{
    if (!list.n)
        return;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    struct rd r = rd_init(&ctx, list);
    fact_open(f, TROTH_FACT_LIST, key, label);
    while (rd_more(&r)) {
        span subtree = der_value(&r, "GeneralSubtree", DER_SEQUENCE);
        struct general_name_item g;
        char text[LINE_MAX];
        struct text t = TEXT_IN(text);
        if (!rd_ok(&r) || !general_names_next(&subtree, &g))
            break;
        general_name_show(&t, &g);
        fact_text(f, NULL, NULL, "%s", text);
    }
    fact_close(f);
}

static void describe_constraints(struct facts *f, const struct cert *c)
{
    fact_open(f, TROTH_FACT_GROUP, "name_constraints", "may only certify");
    subtrees_list(f, "permitted", "permitted", c->nc_permitted);
    subtrees_list(f, "excluded", "excluded", c->nc_excluded);
    fact_close(f);
}

/* certificatePolicies: the OID of each, and the address of its practice statement. */
static void describe_policies(struct facts *f, const struct cert *c)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, c->policies, NULL);
    struct rd r = rd_init(&ctx, c->policies);
    fact_open(f, TROTH_FACT_LIST, "policies", "policies");
    while (rd_more(&r)) {
        struct rd one = der_open(&r, "PolicyInformation", DER_SEQUENCE);
        span oid = der_oid(&one, "policyIdentifier");
        char text[300];
        struct text t = TEXT_IN(text);
        oid_dotted(&t, oid);
        if (!rd_ok(&r))
            break;
        troth_fact *row = fact_text(f, NULL, NULL, "%s", text);
        if (oid_find(oid) != OID_NONE)
            fact_note(f, row, false, "%s", oid_words(oid_find(oid)));
    }
    fact_close(f);
}

static void describe_mappings(struct facts *f, const struct cert *c)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, c->mappings, NULL);
    struct rd r = rd_init(&ctx, c->mappings);
    fact_open(f, TROTH_FACT_LIST, "policy_mappings", "policies taken as equal");
    while (rd_more(&r)) {
        struct rd one = der_open(&r, "mapping", DER_SEQUENCE);
        span left = der_oid(&one, "issuerDomainPolicy"), right = der_oid(&one, "subjectDomainPolicy");
        char text[300];
        struct text t = TEXT_IN(text);
        oid_dotted(&t, left);
        text_add(&t, " = ");
        oid_dotted(&t, right);
        if (rd_ok(&r))
            fact_text(f, NULL, NULL, "%s", text);
    }
    fact_close(f);
}

static void describe_policy_constraints(struct facts *f, const struct cert *c)
{
    fact_open(f, TROTH_FACT_GROUP, "policy_constraints", "what policies must hold below");
    if (c->has_require_explicit)
        fact_number(f, "require_explicit", "an explicit policy is needed after", c->require_explicit);
    if (c->has_inhibit_mapping)
        fact_number(f, "inhibit_mapping", "no mapping after", c->inhibit_mapping);
    fact_close(f);
}

static void describe_inhibit_any(struct facts *f, const struct cert *c)
{
    fact_number(f, "inhibit_any_policy", "anyPolicy counts no more after", c->inhibit_any);
}

static void points_list(struct facts *f, const char *key, const char *label, span value)
{
    span list;
    struct dist_point dp;
    bool bad = false;
    if (!dist_points_open(value, &list))
        return;
    fact_open(f, TROTH_FACT_LIST, key, label);
    while (dist_point_next(&list, &dp, &bad)) {
        struct general_name_item g;
        char text[LINE_MAX];
        struct text t = TEXT_IN(text);
        span names = dp.name.relative ? SPAN_NONE : dp.name.names;
        for (bool first = true; general_names_next(&names, &g); first = false) {
            text_add(&t, first ? "" : ", ");
            general_name_show(&t, &g);
        }
        if (dp.name.relative)
            text_add(&t, "(relative to the issuer's name)");
        names = dp.crl_issuer;
        if (names.n && general_names_next(&names, &g)) {
            text_add(&t, " by ");
            general_name_show(&t, &g);
        }
        fact_text(f, NULL, NULL, "%s", text);
    }
    fact_close(f);
}

static void describe_cdp(struct facts *f, const struct cert *c)
{
    points_list(f, "crl_points", "its CRL is at", c->ext[CX_CRL_POINTS]);
}

static void describe_freshest(struct facts *f, const struct cert *c)
{
    points_list(f, "freshest_crl_points", "its delta CRL is at", c->ext[CX_FRESHEST_CRL]);
}

static void access_list(struct facts *f, const char *key, const char *label, span value)
{
    span list = sequence_in(value);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    struct rd r = rd_init(&ctx, list);
    fact_open(f, TROTH_FACT_LIST, key, label);
    while (rd_more(&r)) {
        struct rd one = der_open(&r, "AccessDescription", DER_SEQUENCE);
        span method = der_oid(&one, "accessMethod"), rest = rd_peek(&one);
        struct general_name_item g;
        char text[LINE_MAX];
        struct text t = TEXT_IN(text);
        if (!rd_ok(&r) || !general_names_next(&rest, &g))
            break;
        oid_show(&t, method);
        text_add(&t, " ");
        general_name_show(&t, &g);
        troth_fact *row = fact_text(f, NULL, NULL, "%s", text);
        if (oid_find(method) != OID_NONE)
            fact_note(f, row, false, "%s", oid_words(oid_find(method)));
    }
    fact_close(f);
}

static void describe_aia(struct facts *f, const struct cert *c)
{
    access_list(f, "authority_info", "its authority is at", c->ext[CX_AUTHORITY_INFO]);
}

static void describe_sia(struct facts *f, const struct cert *c)
{
    access_list(f, "subject_info", "its subject is at", c->ext[CX_SUBJECT_INFO]);
}

static void describe_ski(struct facts *f, const struct cert *c)
{
    fact_bytes(f, "subject_key_id", "key identifier", c->ski);
}

static void describe_aki(struct facts *f, const struct cert *c)
{
    if (c->aki_key.n)
        fact_bytes(f, "authority_key_id", "issuer's key identifier", c->aki_key);
    if (c->aki_has_serial)
        fact_bytes(f, "authority_serial", "issuer's serial number", c->aki_serial);
}

/* RFC 7633: a SEQUENCE OF INTEGER, the numbers of extensions of TLS that a server has to use. */
static void describe_feature(struct facts *f, const struct cert *c)
{
    span list = sequence_in(c->ext[CX_TLS_FEATURE]);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    struct rd r = rd_init(&ctx, list);
    if (c->must_staple)
        fact_note(f, fact_bool(f, "must_staple", "must staple", true), false, "a server has to send an OCSP response with it");
    fact_open(f, TROTH_FACT_LIST, "tls_features", "extensions of TLS it demands");
    while (rd_more(&r)) {
        uint64_t feature = der_small(&r, "Feature", DER_INTEGER, 65535);
        if (rd_ok(&r))
            fact_note(f, fact_number(f, NULL, NULL, (int64_t)feature), false, "%s", feature == 5 ? "status_request" : feature == 17 ? "status_request_v2" : "");
    }
    fact_close(f);
}

static void describe_scts(struct facts *f, const struct cert *c)
{
    span list;
    troth_error e = { 0 };
    fact_open(f, TROTH_FACT_LIST, "scts", "logged (certificate transparency)");
    if (!scts_open(c->sct_list, &list, NULL, &e))
        describe_failure(f, &e);
    else
        for (struct sct s; sct_next(&list, &s);) {
            fact_open(f, TROTH_FACT_GROUP, NULL, NULL);
            fact_bytes(f, "log_id", "log", s.log_id);
            fact_time(f, "time", "at", (int64_t)(s.timestamp / 1000));
            fact_close(f);
        }
    fact_close(f);
}

static void describe_poison(struct facts *f, const struct cert *c)
{
    (void)c;
    fact_note(f, fact_bool(f, "precertificate", "precertificate", true), true, "made for CT logs, never for use");
}

static void describe_no_check(struct facts *f, const struct cert *c)
{
    (void)c;
    fact_note(f, fact_bool(f, "ocsp_no_check", "OCSP no check", true), false, "its own revocation need not be asked for");
}

static void describe_no_rev_avail(struct facts *f, const struct cert *c)
{
    (void)c;
    fact_note(f, fact_bool(f, "no_rev_avail", "no revocation available", true), false, "its issuer publishes no revocation of it (RFC 9608)");
}

/* In the order in which people ask. */
static const struct {
    enum cert_ext x;
    void        (*describe)(struct facts *, const struct cert *);
} rows[] = {
    { CX_SUBJECT_ALT_NAME, describe_san },          { CX_BASIC_CONSTRAINTS, describe_basic },
    { CX_KEY_USAGE, describe_key_usage },           { CX_EXT_KEY_USAGE, describe_eku },
    { CX_NAME_CONSTRAINTS, describe_constraints },  { CX_POLICIES, describe_policies },
    { CX_POLICY_MAPPINGS, describe_mappings },      { CX_POLICY_CONSTRAINTS, describe_policy_constraints },
    { CX_INHIBIT_ANY_POLICY, describe_inhibit_any }, { CX_AUTHORITY_INFO, describe_aia },
    { CX_SUBJECT_INFO, describe_sia },              { CX_CRL_POINTS, describe_cdp },
    { CX_FRESHEST_CRL, describe_freshest },         { CX_TLS_FEATURE, describe_feature },
    { CX_SCT_LIST, describe_scts },                 { CX_CT_POISON, describe_poison },
    { CX_OCSP_NO_CHECK, describe_no_check },        { CX_NO_REV_AVAIL, describe_no_rev_avail },
    { CX_ISSUER_ALT_NAME, describe_ian },
    { CX_SUBJECT_KEY_ID, describe_ski },            { CX_AUTHORITY_KEY_ID, describe_aki },
};

static bool has_row(enum cert_ext x)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].x == x)
            return true;
    return false;
}

static void describe_others(struct facts *f, const struct cert *c)
{
    struct extension x;
    bool bad = false, any = false;
    for (span list = c->extensions; extension_next(&list, &x, &bad);) {
        enum cert_ext id = ext_by_oid(x.oid);
        if (id != CX_UNKNOWN && has_row(id))
            continue;
        if (!any)
            fact_open(f, TROTH_FACT_LIST, "other_extensions", "other extensions");
        any = true;
        char text[200];
        struct text t = TEXT_IN(text);
        oid_show(&t, x.oid);
        fact_open(f, TROTH_FACT_GROUP, NULL, NULL);
        troth_fact *row = fact_text(f, "oid", "extension", "%s", text);
        if (oid_find(x.oid) != OID_NONE)
            fact_note(f, row, false, "%s", oid_words(oid_find(x.oid)));
        row = fact_bool(f, "critical", "critical", x.critical);
        if (x.critical && id == CX_UNKNOWN)
            fact_note(f, row, true, "whoever does not know it must refuse the certificate");
        fact_bytes(f, "value", "value", x.value);
        fact_close(f);
    }
    if (any)
        fact_close(f);
}

void describe_extensions(struct facts *f, const struct cert *c)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (cert_has(c, rows[i].x))
            rows[i].describe(f, c);
    describe_others(f, c);
    if (c->flaw.why == TROTH_R_NONE)
        return;
    fact_open(f, TROTH_FACT_GROUP, "flaw", "malformed extension");
    fact_text(f, "code", "code", "%s", troth_reason_code(c->flaw.why));
    fact_note(f, fact_text(f, "extension", "extension", "%s", ext_name((enum cert_ext)c->flaw.ext)), true, "%s (%s)",
              troth_reason_text(c->flaw.why), c->flaw.field ? c->flaw.field : "");
    fact_number(f, "at", "at byte", c->flaw.at);
    fact_close(f);
}

void describe_certificate(struct facts *f, span der)
{
    struct cert c;
    troth_error e = { 0 };
    if (!cert_parse(&c, der, NULL, &e)) {
        describe_failure(f, &e);
        return;
    }
    char title[400];
    struct text t = TEXT_IN(title);
    describe_name(f, "subject", "subject", c.subject);
    describe_name(f, "issuer", "issuer", c.issuer);
    fact_bool(f, "self_issued", "issued by itself", c.self_issued);
    describe_validity(f, &c);
    describe_key(f, "key", "key", c.spki);
    describe_extensions(f, &c);
    if (!cert_has(&c, CX_SUBJECT_ALT_NAME) && !c.is_ca && name_attribute(c.subject, oid_der(OID_AT_CN), &t))
        fact_note(f, fact_text(f, "common_name", "common name", "%s", title), true,
                  "there is no subjectAltName: nobody looks at the common name any more");
    fact_bytes(f, "serial", "serial number", c.serial);
    fact_number(f, "version", "version", c.version);
    describe_signature(f, c.sig_alg);
    if (!span_equal(c.sig_alg, c.tbs_sig_alg))
        fact_note(f, fact_bool(f, "algorithm_mismatch", "algorithms differ", true), true,
                  "inside and outside of what is signed another algorithm is named");
    describe_fingerprint(f, "sha256", "SHA-256", c.raw);
}

void describe_request(struct facts *f, span der)
{
    struct csr c;
    troth_error e = { 0 };
    if (!csr_parse(&c, der, NULL, &e)) {
        describe_failure(f, &e);
        return;
    }
    describe_name(f, "subject", "subject", c.subject);
    describe_key(f, "key", "key", c.spki);
    describe_extensions(f, &c.asked);
    if (c.has_challenge)
        fact_note(f, fact_bool(f, "challenge_password", "password for the CA", true), true, "whoever has the file can read it");
    describe_signature(f, c.sig_alg);
    if (f->p->crypto) {
        bool good = csr_verify(&c, f->p->crypto, &e);
        fact_note(f, fact_bool(f, "signature_valid", "signed by its key", good), !good, "%s",
                  good ? "whoever asks has the key" : "it was changed, or whoever asks does not have the key");
    }
    describe_fingerprint(f, "sha256", "SHA-256", c.raw);
}
