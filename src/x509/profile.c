/* profile.c - what certificates must look like beyond path validation: RFC 5280 4 and the CA/Browser Forum's
 * profile.
 *
 * Each of these rules was broken by somebody once and accepted by most verifiers.  They bind authorities; a
 * verifier that lets them slip lets the next mistake slip too.  `lint` rules are reported and never refuse.
 */
#include "x509/judge.h"
#include "x509/names.h"
#include "x509/oid.h"

#define NOWHERE ((struct range){ 0, 0 })

static struct range ext_range(const struct cert *c, enum cert_ext x)
{
    return cert_range(c, c->ext[x]);
}

static enum troth_verdict breaks(struct judge *j, struct finding *f, struct range at, const char *how)
{
    return found(j, f, TROTH_FAIL, TROTH_R_CERT_PROFILE, at, "%s", how);
}

enum troth_verdict check_serial(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    span s = c->serial;
    const char *wrong = NULL;
    span value = s.n > 1 && s.p[0] == 0 ? span_slice(s, 1, s.n) : s;
    if (s.p[0] & 0x80)
        wrong = "negative";
    else if (value.n > 20)
        wrong = "longer than 20 bytes";
    else if (value.n == 1 && value.p[0] == 0 && !is_anchor(j, cert)) /* real roots have it */
        wrong = "zero";
    if (wrong)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_SERIAL, cert_range(c, s), "the serial number is %s",
                     wrong);
    return passed(j, f, cert_range(c, s), "positive, %zu bytes", value.n);
}

/* basicConstraints, keyUsage and what they may say about each other (RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.10). */
enum troth_verdict check_std_ca(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    bool signs = !cert_has(c, CX_KEY_USAGE) || c->key_usage & KU_KEY_CERT_SIGN;
    if (c->is_ca && !(c->critical & BIT(CX_BASIC_CONSTRAINTS)))
        return breaks(j, f, ext_range(c, CX_BASIC_CONSTRAINTS),
                      "basicConstraints of an authority is not critical (RFC 5280 4.2.1.9)");
    if (c->has_path_len && !(c->is_ca && signs))
        return breaks(j, f, ext_range(c, CX_BASIC_CONSTRAINTS),
                      "it has a pathLenConstraint and may not sign certificates (RFC 5280 4.2.1.9)");
    if (cert_has(c, CX_KEY_USAGE) && c->key_usage & KU_KEY_CERT_SIGN && !c->is_ca)
        return breaks(j, f, ext_range(c, CX_KEY_USAGE),
                      "keyCertSign is set and cA is not (RFC 5280 4.2.1.9)");
    if (cert_has(c, CX_KEY_USAGE) && c->key_usage == 0)
        return breaks(j, f, ext_range(c, CX_KEY_USAGE), "keyUsage without one bit (RFC 5280 4.2.1.3)");
    if (cert_has(c, CX_NAME_CONSTRAINTS) && !c->is_ca)
        return breaks(j, f, ext_range(c, CX_NAME_CONSTRAINTS),
                      "name constraints in a certificate that is no authority's (RFC 5280 4.2.1.10)");
    return passed(j, f, ext_range(c, CX_BASIC_CONSTRAINTS), "consistent");
}

enum troth_verdict check_std_criticality(struct judge *j, unsigned cert, struct finding *f)
{
    /* clang-format off */
    static const struct { enum cert_ext x; bool must; const char *rule; } rows[] = {
        { CX_AUTHORITY_KEY_ID,   false, "RFC 5280 4.2.1.1" },  { CX_SUBJECT_KEY_ID,     false, "RFC 5280 4.2.1.2" },
        { CX_POLICY_CONSTRAINTS, true,  "RFC 5280 4.2.1.11" }, { CX_INHIBIT_ANY_POLICY, true,  "RFC 5280 4.2.1.14" },
        { CX_FRESHEST_CRL,       false, "RFC 5280 4.2.1.15" }, { CX_AUTHORITY_INFO,     false, "RFC 5280 4.2.2.1" },
        { CX_SUBJECT_INFO,       false, "RFC 5280 4.2.2.2" },  { CX_SUBJECT_DIRECTORY,  false, "RFC 5280 4.2.1.8" },
    };
    /* clang-format on */
    const struct cert *c = cert_at(j, cert);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool critical = c->critical & BIT(rows[i].x);
        if (cert_has(c, rows[i].x) && critical != rows[i].must)
            return found(j, f, TROTH_FAIL, TROTH_R_CERT_PROFILE, ext_range(c, rows[i].x),
                         "%s is %scritical (%s)", ext_name(rows[i].x), critical ? "" : "not ", rows[i].rule);
    }
    /* the CA/Browser Forum lets name constraints be not critical (7.1.2.5.2) */
    if (!j->web && cert_has(c, CX_NAME_CONSTRAINTS) && !(c->critical & BIT(CX_NAME_CONSTRAINTS)))
        return breaks(j, f, ext_range(c, CX_NAME_CONSTRAINTS),
                      "nameConstraints is not critical (RFC 5280 4.2.1.10)");
    return passed(j, f, NOWHERE, "as RFC 5280 wants it");
}

enum troth_verdict check_std_identifiers(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    if (c->is_ca && !cert_has(c, CX_SUBJECT_KEY_ID))
        return breaks(j, f, NOWHERE, "an authority without subjectKeyIdentifier (RFC 5280 4.2.1.2)");
    if (c->aki_has_issuer != c->aki_has_serial)
        return breaks(j, f, ext_range(c, CX_AUTHORITY_KEY_ID),
                      "authorityCertIssuer and authorityCertSerialNumber go together (RFC 5280 4.2.1.1)");
    if (c->aki_key.n)
        return passed(j, f, ext_range(c, CX_AUTHORITY_KEY_ID), "present");
    if (node_is_self_signed(j, j->now.node[cert]) || (is_anchor(j, cert) && c->self_issued)) /* a root's own signature is no matter */
        return passed(j, f, NOWHERE, "self-signed: needs no authorityKeyIdentifier");
    return breaks(j, f, ext_range(c, CX_AUTHORITY_KEY_ID),
                  "no keyIdentifier of its authority (RFC 5280 4.2.1.1)");
}

enum troth_verdict check_std_names(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    bool no_subject = name_is_empty(c->subject);
    if (name_is_empty(c->issuer))
        return breaks(j, f, cert_range(c, c->issuer), "the issuer's name is empty (RFC 5280 4.1.2.4)");
    if (no_subject && c->is_ca)
        return breaks(j, f, cert_range(c, c->subject), "an authority without a name (RFC 5280 4.1.2.6)");
    if (no_subject && !(c->critical & BIT(CX_SUBJECT_ALT_NAME)))
        return breaks(j, f, cert_range(c, c->subject),
                      "the subject is empty and subjectAltName is not critical (RFC 5280 4.1.2.6)");
    return passed(j, f, cert_range(c, c->subject), "present");
}

/* Who says that nothing will be published of its revocation must not say where it is. */
enum troth_verdict check_std_no_rev_avail(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = ext_range(c, CX_NO_REV_AVAIL);
    if (!cert_has(c, CX_NO_REV_AVAIL))
        return passed(j, f, at, "nothing said");
    if (c->is_ca)
        return breaks(j, f, at, "an authority with noRevAvail (RFC 9608 2)");
    if (cert_names_revocation(c))
        return breaks(j, f, at, "noRevAvail beside where CRLs or OCSP responses are (RFC 9608 3)");
    if (c->critical & BIT(CX_NO_REV_AVAIL))
        return breaks(j, f, at, "noRevAvail is critical (RFC 9608 2)");
    return passed(j, f, at, "its issuer publishes nothing");
}

/* The content of a TLS feature extension, which was checked when it was read: has it this one? */
static bool has_feature(span list, uint64_t feature)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, list, NULL);
    for (struct rd r = rd_init(&ctx, list); rd_more(&r);)
        if (der_small(&r, "Feature", DER_INTEGER, UINT16_MAX) == feature && rd_ok(&r))
            return true;
    return false;
}

/* What an authority has in its TLS feature extension, it asks of every certificate below it. */
enum troth_verdict check_std_features(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = ext_range(c, CX_TLS_FEATURE);
    if (cert + 1 == j->now.n || !cert_has(cert_at(j, cert + 1), CX_TLS_FEATURE))
        return passed(j, f, at, "its issuer asks for none");
    span asked = sequence_in(cert_at(j, cert + 1)->ext[CX_TLS_FEATURE]), own = sequence_in(c->ext[CX_TLS_FEATURE]);
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, asked, NULL);
    for (struct rd r = rd_init(&ctx, asked); rd_more(&r);) {
        uint64_t want = der_small(&r, "Feature", DER_INTEGER, UINT16_MAX);
        if (!spend_names(j, name_cost(own)))
            return found(j, f, TROTH_FAIL, TROTH_R_CHAIN_BUDGET, at, "too many TLS features");
        if (rd_ok(&r) && !has_feature(own, want))
            return found(j, f, TROTH_FAIL, TROTH_R_CERT_PROFILE, at,
                         "its issuer's TLS feature extension has %u, its own has not (RFC 7633 4.2.2)", (unsigned)want);
    }
    return passed(j, f, at, "all that its issuer has");
}

enum troth_verdict check_web_leaf(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    if (c->is_ca)
        return found(j, f, TROTH_FAIL, TROTH_R_CERT_CA_AS_LEAF, ext_range(c, CX_BASIC_CONSTRAINTS),
                     "cA is TRUE");
    if (j->purpose == TROTH_PURPOSE_SERVER && !cert_has(c, CX_SUBJECT_ALT_NAME) && !j->host && !j->ip_n)
        return breaks(j, f, NOWHERE, "a server's certificate without subjectAltName");
    if (!name_is_empty(c->subject) && c->critical & BIT(CX_SUBJECT_ALT_NAME))
        return breaks(j, f, ext_range(c, CX_SUBJECT_ALT_NAME),
                      "subjectAltName is critical beside a subject (CA/Browser Forum 7.1.2.7.12)");
    return passed(j, f, ext_range(c, CX_BASIC_CONSTRAINTS), "not an authority's");
}

enum troth_verdict check_web_eku(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = ext_range(c, CX_EXT_KEY_USAGE);
    if (is_anchor(j, cert) && cert > 0) {
        if (cert_has(c, CX_EXT_KEY_USAGE) && node_is_self_signed(j, j->now.node[cert]))
            return breaks(j, f, at, "a root with extKeyUsage (CA/Browser Forum 7.1.2.1.2)");
        return passed(j, f, NOWHERE, "none, as a root should");
    }
    if (cert > 0)
        return passed(j, f, at, "an authority's own");
    if (j->purpose == TROTH_PURPOSE_SERVER && !cert_has(c, CX_EXT_KEY_USAGE))
        return breaks(j, f, NOWHERE,
                      "a server's certificate without extKeyUsage (CA/Browser Forum 7.1.2.7.6)");
    if (c->eku & EKU_ANY)
        return breaks(j, f, at,
                      "anyExtendedKeyUsage in a subscriber's certificate (CA/Browser Forum 7.1.2.7.10)");
    if (c->eku & EKU_OCSP) /* who has its key could speak for every certificate of its issuer: RFC 6960 4.2.2.2 asks for no more */
        return breaks(j, f, at, "OCSPSigning in a subscriber's certificate (CA/Browser Forum 7.1.2.7.10)");
    if (c->critical & BIT(CX_EXT_KEY_USAGE))
        return breaks(j, f, at, "extKeyUsage is critical (CA/Browser Forum 7.1.2.7.6)");
    return passed(j, f, at, "present, not critical, neither any nor OCSPSigning");
}

enum troth_verdict check_web_aki(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    struct range at = ext_range(c, CX_AUTHORITY_KEY_ID);
    if (!cert_has(c, CX_AUTHORITY_KEY_ID))
        return passed(j, f, at, "absent");
    if (!c->aki_key.n)
        return breaks(j, f, at, "authorityKeyIdentifier without keyIdentifier (CA/Browser Forum 7.1.2.11.1)");
    if (c->aki_has_issuer || c->aki_has_serial)
        return breaks(j, f, at,
                      "authorityKeyIdentifier with issuer and serial number (CA/Browser Forum 7.1.2.11.1)");
    if (is_anchor(j, cert) && c->ski.n && !span_equal(c->aki_key, c->ski) &&
        node_is_self_signed(j, j->now.node[cert]))
        return breaks(j, f, at, "the two key identifiers of a root differ (CA/Browser Forum 7.1.2.1.3)");
    return passed(j, f, at, "keyIdentifier alone");
}

/* ---- lint */

static enum troth_verdict warns(struct judge *j, struct finding *f, struct range at, const char *how)
{
    return found(j, f, TROTH_WARN, TROTH_R_CERT_PROFILE, at, "%s", how);
}

/* CA/Browser Forum 6.3.2 */
unsigned troth_public_lifetime(int64_t issued)
{
    static const struct {
        int64_t before;
        unsigned days;
    } rows[] = {
        { INT64_C(1773532800), 398 }, /* 2026-03-15 */
        { INT64_C(1805068800), 200 }, /* 2027-03-15 */
        { INT64_C(1868227200), 100 }, /* 2029-03-15 */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (issued < rows[i].before)
            return rows[i].days;
    return 47;
}

enum troth_verdict check_lint_validity(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    int64_t seconds = c->not_after - c->not_before + 1, days = seconds / 86400, most = troth_public_lifetime(c->not_before);
    const char *more = seconds % 86400 ? " and more" : ""; /* a day begun is a day */
    if (c->generalized_too_early)
        return warns(j, f, NOWHERE, "a date before 2050 that is no UTCTime (RFC 5280 4.1.2.5)");
    if (cert == 0 && j->purpose == TROTH_PURPOSE_SERVER && seconds > most * 86400)
        return found(j, f, TROTH_WARN, TROTH_R_CERT_PROFILE, NOWHERE,
                     "valid for %lld days%s; public servers' certificates of that day may be for %lld (CA/Browser Forum 6.3.2)",
                     (long long)days, more, (long long)most);
    return passed(j, f, NOWHERE, "%lld days%s", (long long)days, more);
}

enum troth_verdict check_lint_issuer(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    bool ca = c->is_ca;
    if (cert == 0 && j->purpose == TROTH_PURPOSE_SERVER && c->eku & (EKU_CODE | EKU_EMAIL | EKU_TIME))
        return warns(j, f, ext_range(c, CX_EXT_KEY_USAGE),
                     "codeSigning, emailProtection or timeStamping in a server's certificate (CA/Browser Forum 7.1.2.7.10)");
    if (ca && !cert_has(c, CX_KEY_USAGE))
        return warns(j, f, NOWHERE, "an authority without keyUsage (RFC 5280 4.2.1.3)");
    if (ca && cert_has(c, CX_KEY_USAGE) && !(c->critical & BIT(CX_KEY_USAGE)))
        return warns(j, f, ext_range(c, CX_KEY_USAGE), "keyUsage is not critical (RFC 5280 4.2.1.3)");
    if (cert_has(c, CX_NAME_CONSTRAINTS) && !(c->critical & BIT(CX_NAME_CONSTRAINTS)))
        return warns(j, f, ext_range(c, CX_NAME_CONSTRAINTS),
                     "name constraints are not critical (RFC 5280 4.2.1.10)");
    if (c->has_unique_id)
        return warns(j, f, NOWHERE, "a unique identifier (RFC 5280 4.1.2.8)");
    if (ca && c->self_issued && c->aki_key.n && !span_equal(c->aki_key, c->ski))
        return warns(j, f, ext_range(c, CX_AUTHORITY_KEY_ID),
                     "a self-issued authority whose two key identifiers differ");
    return passed(j, f, NOWHERE, "nothing to say");
}

/* As it stands there: whoever reads the common name for a host is to read no other. */
static bool san_has(const struct cert *c, span host)
{
    span list = c->san;
    char in[48];
    for (struct general_name_item g; general_names_next(&list, &g);) {
        struct text t = TEXT_IN(in);
        if (g.kind == GN_IP)
            ip_text(&t, g.value);
        if (g.kind == GN_IP ? span_equal(span_of(t.p, t.n), host) : g.kind == GN_DNS && dns_equal(g.value, host))
            return true;
    }
    return false;
}

enum troth_verdict check_lint_names(struct judge *j, unsigned cert, struct finding *f)
{
    const struct cert *c = cert_at(j, cert);
    char in[80], cn_in[120];
    struct text t = TEXT_IN(in), cn = TEXT_IN(cn_in);
    span list = c->san;
    for (struct general_name_item g; general_names_next(&list, &g);) {
        if (g.kind == GN_DNS && memchr(g.value.p ? (const char *)g.value.p : "", '_', g.value.n)) {
            text_escaped(&t, span_slice(g.value, 0, 60));
            return found(j, f, TROTH_WARN, TROTH_R_CERT_PROFILE, cert_range(c, g.raw),
                         "an underscore in the dNSName \"%s\"", t.p);
        }
    }
    if (j->purpose == TROTH_PURPOSE_SERVER && name_attribute(c->subject, oid_der(OID_AT_CN), &cn) && !san_has(c, span_of(cn.p, cn.n)))
        return found(j, f, TROTH_WARN, TROTH_R_CERT_PROFILE, cert_range(c, c->subject),
                     "the common name \"%s\" is none of those in the subjectAltName (CA/Browser Forum 7.1.4.3)", cn.p);
    return passed(j, f, ext_range(c, CX_SUBJECT_ALT_NAME), "nothing to say");
}
