/* ext.c - certificate extensions: one row, one extension; the walker; GeneralNames.
 *
 * A malformed extension does not make the certificate unreadable: it is noted in `flaw`, and the check of
 * that name refuses any path that the certificate is in.  Must never allocate. */
#include "x509/cert.h"
#include "x509/crl.h"
#include "x509/oid.h"

enum { NAMES_MAX_LISTED = 65535 };

/* ---- GeneralName (RFC 5280 4.2.1.6) */

/* the tag each kind must have; directoryName is EXPLICIT because Name is a CHOICE */
static const uint8_t general_tags[GN_COUNT] = {
    [GN_OTHER] = DER_CONTEXT_CONS(0),
    [GN_EMAIL] = DER_CONTEXT(1),
    [GN_DNS] = DER_CONTEXT(2),
    [GN_X400] = DER_CONTEXT_CONS(3),
    [GN_DIRECTORY] = DER_CONTEXT_CONS(4),
    [GN_EDI] = DER_CONTEXT_CONS(5),
    [GN_URI] = DER_CONTEXT(6),
    [GN_IP] = DER_CONTEXT(7),
    [GN_REGISTERED_ID] = DER_CONTEXT(8),
};

static const char *const general_names[GN_COUNT] = {
    "otherName",
    "rfc822Name",
    "dNSName",
    "x400Address",
    "directoryName",
    "ediPartyName",
    "uniformResourceIdentifier",
    "iPAddress",
    "registeredID",
};

/* Where it stands decides how long an iPAddress may be: an address, or an address and a mask. */
enum gn_place { IN_NAMES, IN_CONSTRAINT };

static bool general_value_ok(enum general_name kind, span value, enum gn_place place)
{
    switch (kind) {
    case GN_EMAIL:
    case GN_DNS:
    case GN_URI: return der_string_ok(DER_IA5, value);
    case GN_IP: return place == IN_NAMES ? value.n == 4 || value.n == 16 : value.n == 8 || value.n == 32;
    case GN_REGISTERED_ID: return der_oid_ok(value);
    case GN_OTHER:
    case GN_X400:
    case GN_DIRECTORY:
    case GN_EDI:
    case GN_COUNT: break;
    }
    return true;
}

/* What an otherName's type says it is: one value, whatever it is. */
static bool other_value_ok(span explicit)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, explicit, NULL);
    struct rd r = rd_init(&ctx, explicit), value = der_open(&r, "value", DER_CONTEXT_CONS(0));
    der_any(&value, "value");
    der_end(&value, "value");
    return rd_ok(&r);
}

/* One GeneralName; its kind, GN_COUNT after a failure. */
static enum general_name general_name_read(struct rd *r, enum gn_place place)
{
    uint8_t tag = rd_more(r) ? r->at[0] : 0;
    unsigned kind = tag & 0x1fu;
    if ((tag & 0xc0) != 0x80 || kind >= GN_COUNT || tag != general_tags[kind]) {
        rd_fail(r, "GeneralName", TROTH_R_DER_TAG);
        return GN_COUNT;
    }
    if (kind == GN_DIRECTORY) {
        uint64_t hash;
        struct rd x = der_open(r, general_names[kind], tag);
        name_read(&x, "directoryName", &hash);
        der_end(&x, "directoryName");
    } else if (kind == GN_OTHER) {
        struct rd x = der_open(r, general_names[kind], tag);
        der_oid(&x, "type-id");
        span value = der_whole(&x, "value", DER_CONTEXT_CONS(0));
        if (rd_ok(&x) && !other_value_ok(value))
            rd_fail(&x, "value", TROTH_R_DER_VALUE);
        der_end(&x, "otherName");
    } else {
        const uint8_t *at = r->at;
        span value = der_value(r, general_names[kind], tag);
        if (rd_ok(r) && !general_value_ok((enum general_name)kind, value, place))
            rd_fail_at(r, general_names[kind],
                       place == IN_NAMES ? TROTH_R_CERT_NAME_MALFORMED : TROTH_R_CERT_CONSTRAINT_MALFORMED,
                       (uint32_t)(at - r->ctx->base));
    }
    return (enum general_name)kind;
}

/* GeneralNames, SIZE (1..MAX), from a reader of its content: kinds and count. */
static void general_names_read(struct rd *list, uint16_t *kinds, uint16_t *n)
{
    unsigned seen = 0, count = 0;
    if (!rd_more(list))
        rd_fail(list, "GeneralNames", TROTH_R_DER_EMPTY);
    for (; rd_more(list); count++)
        seen |= BIT(general_name_read(list, IN_NAMES));
    *kinds = (uint16_t)(seen & (BIT(GN_COUNT) - 1));
    *n = (uint16_t)(count < NAMES_MAX_LISTED ? count : NAMES_MAX_LISTED);
}

enum troth_reason general_names_fault(span names, size_t most)
{
    uint16_t kinds, n;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, names, NULL);
    struct rd list = rd_init(&ctx, names);
    general_names_read(&list, &kinds, &n);
    return !rd_ok(&list) ? ctx.why : n > most ? TROTH_R_TOO_MANY : TROTH_R_NONE;
}

span sequence_in(span value)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, value, NULL);
    struct rd r = rd_init(&ctx, value);
    return der_value(&r, "value", DER_SEQUENCE);
}

/* Tag, length, value of a list that was checked when it was read: lenient here, but never out of bounds. */
static bool element_next(span *list, struct der_tlv *e)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    if (!rd_more(&r))
        return false;
    *e = der_any(&r, "element");
    *list = rd_peek(&r);
    return rd_ok(&r);
}

bool general_names_next(span *list, struct general_name_item *g)
{
    struct der_tlv e;
    TRY(element_next(list, &e));
    *g = (struct general_name_item){ (uint8_t)(e.tag & 0x1f), e.value, e.raw };
    return g->kind < GN_COUNT;
}

/* ---- one reader per extension; the reader stands in front of the extension's value */

static void read_ski(struct cert *c, struct rd *r)
{
    c->ski = der_octets(r, "keyIdentifier");
}

static void read_key_usage(struct cert *c, struct rd *r)
{
    c->key_usage = (uint16_t)der_named_bits(r, "KeyUsage", DER_BIT_STRING);
}

static void read_san(struct cert *c, struct rd *r)
{
    struct rd list = der_open(r, "GeneralNames", DER_SEQUENCE);
    c->san = rd_peek(&list);
    general_names_read(&list, &c->san_kinds, &c->n_san);
}

static void read_names(struct cert *c, struct rd *r)
{
    uint16_t kinds, n;
    (void)c;
    struct rd list = der_open(r, "GeneralNames", DER_SEQUENCE);
    general_names_read(&list, &kinds, &n);
}

static void read_basic_constraints(struct cert *c, struct rd *r)
{
    struct rd seq = der_open(r, "BasicConstraints", DER_SEQUENCE);
    c->is_ca = der_boolean_default_false(&seq, "cA", DER_BOOLEAN);
    if (rd_more(&seq)) {
        c->path_len = der_count(&seq, "pathLenConstraint", DER_INTEGER);
        c->has_path_len = true;
    }
    der_end(&seq, "BasicConstraints");
}

static span read_subtrees(struct rd *nc, const char *name, uint8_t tag, uint16_t *kinds)
{
    if (!der_next_is(nc, tag))
        return SPAN_NONE;
    struct rd list = der_open(nc, name, tag);
    span all = rd_peek(&list);
    unsigned seen = 0;
    if (!rd_more(&list))
        rd_fail(&list, name, TROTH_R_CERT_CONSTRAINT_MALFORMED); /* GeneralSubtrees is SIZE (1..MAX) */
    while (rd_more(&list)) {
        struct rd tree = der_open(&list, "GeneralSubtree", DER_SEQUENCE);
        seen |= BIT(general_name_read(&tree, IN_CONSTRAINT));
        if (rd_more(&tree)) /* minimum other than 0, or maximum: RFC 5280 4.2.1.10 has neither */
            rd_fail(&tree, "minimum", TROTH_R_CERT_CONSTRAINT_MALFORMED);
    }
    *kinds = (uint16_t)(seen & (BIT(GN_COUNT) - 1));
    return all;
}

static void read_name_constraints(struct cert *c, struct rd *r)
{
    struct rd seq = der_open(r, "NameConstraints", DER_SEQUENCE);
    if (!rd_more(&seq))
        rd_fail(&seq, "NameConstraints",
                TROTH_R_CERT_CONSTRAINT_MALFORMED); /* must not be an empty sequence */
    c->nc_permitted = read_subtrees(&seq, "permittedSubtrees", DER_CONTEXT_CONS(0), &c->nc_permitted_kinds);
    c->nc_excluded = read_subtrees(&seq, "excludedSubtrees", DER_CONTEXT_CONS(1), &c->nc_excluded_kinds);
    der_end(&seq, "NameConstraints");
}

/* SEQUENCE SIZE (1..MAX) OF SEQUENCE: what is in each is its user's business (crl.c). */
static void read_sequences(struct cert *c, struct rd *r)
{
    (void)c;
    struct rd list = der_open(r, "SEQUENCE", DER_SEQUENCE);
    if (!rd_more(&list))
        rd_fail(&list, "SEQUENCE", TROTH_R_DER_EMPTY);
    while (rd_more(&list))
        der_whole(&list, "SEQUENCE", DER_SEQUENCE);
}

/* CRLDistributionPoints: each with a name or an issuer, and nothing that is not one (RFC 5280 4.2.1.13). */
static void read_points(struct cert *c, struct rd *r)
{
    span value = rd_peek(r), list;
    struct dist_point dp;
    bool bad = false;
    read_sequences(c, r);
    if (!rd_ok(r) || !dist_points_open(value, &list))
        return;
    while (dist_point_next(&list, &dp, &bad))
        ;
    if (bad)
        rd_fail(r, "DistributionPoint", TROTH_R_CERT_EXT_MALFORMED);
}

/* Is one of them OCSP's? */
static bool access_read(struct rd *r)
{
    bool ocsp = false;
    struct rd list = der_open(r, "AccessDescriptions", DER_SEQUENCE);
    if (!rd_more(&list))
        rd_fail(&list, "AccessDescriptions", TROTH_R_DER_EMPTY);
    while (rd_more(&list)) {
        struct rd one = der_open(&list, "AccessDescription", DER_SEQUENCE);
        ocsp |= oid_is(der_oid(&one, "accessMethod"), OID_AD_OCSP);
        general_name_read(&one, IN_NAMES);
        der_end(&one, "AccessDescription");
    }
    return ocsp;
}

static void read_aia(struct cert *c, struct rd *r)
{
    c->ocsp_named = access_read(r);
}

static void read_sia(struct cert *c, struct rd *r)
{
    (void)c;
    (void)access_read(r);
}

/* PolicyQualifierInfo (RFC 5280 4.2.1.4): what is in it is for people. */
static void qualifiers_read(struct cert *c, struct rd *info)
{
    struct rd quals = der_open(info, "policyQualifiers", DER_SEQUENCE);
    if (!rd_more(&quals))
        rd_fail(&quals, "policyQualifiers", TROTH_R_DER_EMPTY);
    while (rd_more(&quals)) {
        struct rd one = der_open(&quals, "PolicyQualifierInfo", DER_SEQUENCE);
        span id = der_oid(&one, "policyQualifierId");
        der_any(&one, "qualifier");
        der_end(&one, "PolicyQualifierInfo");
        c->unknown_qualifier |= !oid_is(id, OID_QT_CPS) && !oid_is(id, OID_QT_NOTICE);
    }
}

static void read_policies(struct cert *c, struct rd *r)
{
    struct rd list = der_open(r, "certificatePolicies", DER_SEQUENCE);
    size_t n = 0;
    c->policies = rd_peek(&list);
    if (!rd_more(&list))
        rd_fail(&list, "certificatePolicies", TROTH_R_DER_EMPTY);
    for (; rd_more(&list); n++) {
        struct rd info = der_open(&list, "PolicyInformation", DER_SEQUENCE);
        if (oid_is(der_oid(&info, "policyIdentifier"), OID_POLICY_ANY)) {
            if (c->has_any_policy)
                rd_fail(&info, "policyIdentifier", TROTH_R_CERT_EXT_MALFORMED); /* RFC 5280 4.2.1.4: no policy twice */
            c->has_any_policy = true;
        }
        if (rd_more(&info))
            qualifiers_read(c, &info);
        der_end(&info, "PolicyInformation");
    }
    if (n > LIMIT_POLICIES)
        rd_fail(&list, "certificatePolicies", TROTH_R_TOO_MANY);
}

static void read_mappings(struct cert *c, struct rd *r)
{
    struct rd list = der_open(r, "policyMappings", DER_SEQUENCE);
    size_t n = 0;
    c->mappings = rd_peek(&list);
    if (!rd_more(&list))
        rd_fail(&list, "policyMappings", TROTH_R_DER_EMPTY);
    for (; rd_more(&list); n++) {
        struct rd pair = der_open(&list, "mapping", DER_SEQUENCE);
        der_oid(&pair, "issuerDomainPolicy");
        der_oid(&pair, "subjectDomainPolicy");
        der_end(&pair, "mapping");
    }
    if (n > LIMIT_POLICIES)
        rd_fail(&list, "policyMappings", TROTH_R_TOO_MANY);
}

static void read_aki(struct cert *c, struct rd *r)
{
    struct rd seq = der_open(r, "AuthorityKeyIdentifier", DER_SEQUENCE);
    if (der_next_is(&seq, DER_CONTEXT(0)))
        c->aki_key = der_value(&seq, "keyIdentifier", DER_CONTEXT(0));
    if (der_next_is(&seq, DER_CONTEXT_CONS(1))) {
        uint16_t kinds, n;
        struct rd names = der_open(&seq, "authorityCertIssuer", DER_CONTEXT_CONS(1));
        c->aki_has_issuer = true;
        c->aki_issuer = rd_peek(&names);
        general_names_read(&names, &kinds, &n);
    }
    if (der_next_is(&seq, DER_CONTEXT(2))) {
        c->aki_has_serial = true;
        c->aki_serial = der_integer(&seq, "authorityCertSerialNumber", DER_CONTEXT(2));
    }
    der_end(&seq, "AuthorityKeyIdentifier");
}

static void read_policy_constraints(struct cert *c, struct rd *r)
{
    struct rd seq = der_open(r, "PolicyConstraints", DER_SEQUENCE);
    if (!rd_more(&seq))
        rd_fail(&seq, "PolicyConstraints", TROTH_R_DER_EMPTY); /* must not be empty: RFC 5280 4.2.1.11 */
    if (der_next_is(&seq, DER_CONTEXT(0))) {
        c->has_require_explicit = true;
        c->require_explicit = der_count(&seq, "requireExplicitPolicy", DER_CONTEXT(0));
    }
    if (der_next_is(&seq, DER_CONTEXT(1))) {
        c->has_inhibit_mapping = true;
        c->inhibit_mapping = der_count(&seq, "inhibitPolicyMapping", DER_CONTEXT(1));
    }
    der_end(&seq, "PolicyConstraints");
}

static void read_eku(struct cert *c, struct rd *r)
{
    static const struct {
        enum oid oid;
        uint16_t bit;
    } rows[] = {
        { OID_KP_SERVER, EKU_SERVER },
        { OID_KP_CLIENT, EKU_CLIENT },
        { OID_KP_CODE, EKU_CODE },
        { OID_KP_EMAIL, EKU_EMAIL },
        { OID_KP_TIME, EKU_TIME },
        { OID_KP_OCSP, EKU_OCSP },
        { OID_KP_ANY, EKU_ANY },
    };
    struct rd list = der_open(r, "ExtKeyUsageSyntax", DER_SEQUENCE);
    if (!rd_more(&list))
        rd_fail(&list, "ExtKeyUsageSyntax", TROTH_R_DER_EMPTY);
    while (rd_more(&list)) {
        span oid = der_oid(&list, "KeyPurposeId");
        uint16_t bit = EKU_OTHER;
        for (size_t i = 0; i < COUNT_OF(rows); i++)
            if (oid_is(oid, rows[i].oid))
                bit = rows[i].bit;
        c->eku |= bit;
    }
}

static void read_inhibit_any(struct cert *c, struct rd *r)
{
    c->has_inhibit_any = true;
    c->inhibit_any = der_count(r, "InhibitAnyPolicy", DER_INTEGER);
}

static void read_tls_feature(struct cert *c, struct rd *r)
{
    struct rd list = der_open(r, "Features", DER_SEQUENCE);
    while (rd_more(&list)) {
        uint64_t feature = der_small(&list, "Feature", DER_INTEGER, 65535);
        c->must_staple |= feature == 5;
        c->must_staple_v2 |= feature == 17;
    }
}

static void read_scts(struct cert *c, struct rd *r)
{
    c->sct_list = der_octets(r, "SignedCertificateTimestampList");
}

static void read_null(struct cert *c, struct rd *r)
{
    (void)c;
    der_null(r, "NULL");
}

static void read_sequence(struct cert *c, struct rd *r)
{
    (void)c;
    der_whole(r, "SEQUENCE", DER_SEQUENCE);
}

/* clang-format off */
static const struct ext_row {
    const char *name;
    void      (*read)(struct cert *, struct rd *);
    enum oid oid;
} rows[CX_COUNT] = {
    [CX_SUBJECT_KEY_ID]     = { "subjectKeyIdentifier",      read_ski,                OID_CE_SKI },
    [CX_KEY_USAGE]          = { "keyUsage",                  read_key_usage,          OID_CE_KEY_USAGE },
    [CX_PRIVATE_KEY_PERIOD] = { "privateKeyUsagePeriod",     read_sequence,           OID_CE_PRIVATE_PERIOD },
    [CX_SUBJECT_ALT_NAME]   = { "subjectAltName",            read_san,                OID_CE_SAN },
    [CX_ISSUER_ALT_NAME]    = { "issuerAltName",             read_names,              OID_CE_IAN },
    [CX_BASIC_CONSTRAINTS]  = { "basicConstraints",          read_basic_constraints,  OID_CE_BASIC },
    [CX_NAME_CONSTRAINTS]   = { "nameConstraints",           read_name_constraints,   OID_CE_NAME_CONSTRAINTS },
    [CX_CRL_POINTS]         = { "cRLDistributionPoints",     read_points,             OID_CE_CDP },
    [CX_POLICIES]           = { "certificatePolicies",       read_policies,           OID_CE_POLICIES },
    [CX_POLICY_MAPPINGS]    = { "policyMappings",            read_mappings,           OID_CE_MAPPINGS },
    [CX_AUTHORITY_KEY_ID]   = { "authorityKeyIdentifier",    read_aki,                OID_CE_AKI },
    [CX_POLICY_CONSTRAINTS] = { "policyConstraints",         read_policy_constraints, OID_CE_POLICY_CONSTRAINTS },
    [CX_EXT_KEY_USAGE]      = { "extKeyUsage",               read_eku,                OID_CE_EKU },
    [CX_FRESHEST_CRL]       = { "freshestCRL",               read_points,             OID_CE_FRESHEST },
    [CX_INHIBIT_ANY_POLICY] = { "inhibitAnyPolicy",          read_inhibit_any,        OID_CE_INHIBIT_ANY },
    [CX_AUTHORITY_INFO]     = { "authorityInfoAccess",       read_aia,                OID_PE_AIA },
    [CX_SUBJECT_INFO]       = { "subjectInfoAccess",         read_sia,                OID_PE_SIA },
    [CX_TLS_FEATURE]        = { "tlsFeature",                read_tls_feature,        OID_PE_TLS_FEATURE },
    [CX_SCT_LIST]           = { "signedCertificateTimestampList", read_scts,          OID_CT_SCTS },
    [CX_CT_POISON]          = { "ctPoison",                  read_null,               OID_CT_POISON },
    [CX_OCSP_NO_CHECK]      = { "ocspNoCheck",               read_null,               OID_OCSP_NO_CHECK },
    [CX_SUBJECT_DIRECTORY]  = { "subjectDirectoryAttributes", read_sequences,         OID_CE_SUBJECT_DIRECTORY },
    [CX_NO_REV_AVAIL]       = { "noRevAvail",                read_null,               OID_CE_NO_REV_AVAIL },
};
/* clang-format on */

enum cert_ext ext_by_oid(span oid)
{
    for (unsigned i = 0; i < CX_COUNT; i++)
        if (oid_is(oid, rows[i].oid))
            return (enum cert_ext)i;
    return CX_UNKNOWN;
}

const char *ext_name(enum cert_ext x)
{
    return x < CX_COUNT ? rows[x].name : "";
}

/* ---- the walker */

static void flaw(struct cert *c, enum troth_reason why, const char *field, uint32_t at, enum cert_ext x)
{
    if (c->flaw.why == TROTH_R_NONE)
        c->flaw = (struct cert_flaw){ why, field, at, (uint8_t)x };
}

/* Has an extension with this OID been before `upto`?  Only for those without a row: the list is short, and
 * bounded. */
static bool seen_before(span list, const uint8_t *upto, span oid)
{
    struct extension x;
    bool bad = false;
    while (extension_next(&list, &x, &bad) && x.raw.p < upto)
        if (span_equal(x.oid, oid))
            return true;
    return false;
}

/* The value of a known extension, with a reader of its own so that its failure stays its own. */
static void value_read(struct cert *c, struct rd *r, enum cert_ext x, const char *name)
{
    struct rd_ctx ctx = { .base = r->ctx->base, .witness = r->ctx->witness };
    span value = rd_peek(r);
    struct rd v = rd_init(&ctx, value);
    rows[x].read(c, &v);
    der_end(&v, name);
    if (!rd_ok(&v))
        flaw(c, ctx.why, ctx.bad, ctx.bad_at, x);
    c->ext[x] = value;
    r->at = r->end;
}

static void extension_read(struct cert *c, struct rd *list, span all)
{
    const uint8_t *from = list->at;
    struct rd seq = der_open(list, "Extension", DER_SEQUENCE);
    span oid = der_oid(&seq, "extnID");
    bool critical = der_boolean_default_false(&seq, "critical", DER_BOOLEAN);
    enum cert_ext x = ext_by_oid(oid);
    struct rd value =
        x == CX_UNKNOWN ? (struct rd){ seq.end, seq.end, seq.ctx } : der_open_octets(&seq, "extnValue");
    if (x == CX_UNKNOWN)
        der_octets(&seq, "extnValue");
    der_end(&seq, "Extension");
    if (!rd_ok(list))
        return;
    bool twice = x == CX_UNKNOWN ? seen_before(all, from, oid) : cert_has(c, x);
    if (twice)
        flaw(c, TROTH_R_CERT_EXT_DUPLICATE, "extnID", (uint32_t)(from - list->ctx->base), x);
    if (x == CX_UNKNOWN) {
        if (critical && !c->unknown_critical.n)
            c->unknown_critical = oid;
        return;
    }
    c->has |= BIT(x);
    c->critical |= critical ? BIT(x) : 0;
    if (!twice)
        value_read(c, &value, x, rows[x].name);
}

void cert_read_extensions(struct cert *c, struct rd *list)
{
    span all = rd_peek(list);
    for (; rd_more(list); c->n_extensions++) {
        if (c->n_extensions == LIMIT_EXTENSIONS) {
            rd_fail(list, "Extensions", TROTH_R_TOO_MANY);
            return;
        }
        extension_read(c, list, all);
    }
}

bool extension_next(span *list, struct extension *x, bool *bad)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    if (!rd_more(&r))
        return false;
    struct rd seq = der_open_raw(&r, "Extension", DER_SEQUENCE, &x->raw);
    x->oid = der_oid(&seq, "extnID");
    x->critical = der_boolean_default_false(&seq, "critical", DER_BOOLEAN);
    x->value = der_octets(&seq, "extnValue");
    der_end(&seq, "Extension");
    *list = rd_peek(&r);
    *bad = !rd_ok(&r);
    return !*bad;
}
