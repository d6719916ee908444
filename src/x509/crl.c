/* crl.c - a CRL's bytes -> struct crl (RFC 5280 5.1-5.3).
 *
 * Reads every entry once, so that a malformed one is found whether it is asked for or not.  Must never allocate, and must never take a
 * list with a critical extension it does not know for one without. */
#include "x509/crl.h"

#include "base/limits.h"
#include "x509/oid.h"

static const char *const reason_names[] = {
    "unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
    "certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise",
};

const char *crl_reason_name(unsigned reason)
{
    return reason < COUNT_OF(reason_names) ? reason_names[reason] : "";
}

/* ---- distribution points */

/* GeneralNames that somebody will be looked for among: one that cannot be read is no name, and nobody's. */
static void names_check(struct rd *r, const char *field, span names)
{
    enum troth_reason why = rd_ok(r) ? general_names_fault(names, LIMIT_DP_NAMES) : TROTH_R_NONE;
    if (why != TROTH_R_NONE)
        rd_fail(r, field, why);
}

static void dp_name_read(struct rd *r, struct dp_name *n)
{
    *n = (struct dp_name){ 0 };
    if (!der_next_is(r, DER_CONTEXT_CONS(0)))
        return;
    struct rd choice = der_open(r, "distributionPoint", DER_CONTEXT_CONS(0));
    n->present = true;
    n->relative = der_next_is(&choice, DER_CONTEXT_CONS(1));
    n->names = n->relative ? der_value(&choice, "nameRelativeToCRLIssuer", DER_CONTEXT_CONS(1))
                           : der_value(&choice, "fullName", DER_CONTEXT_CONS(0));
    der_end(&choice, "distributionPoint");
    if (!n->relative)
        names_check(r, "fullName", n->names);
    else if (rd_ok(r) && !rdn_ok(n->names))
        rd_fail(r, "nameRelativeToCRLIssuer", n->names.n ? TROTH_R_DER_VALUE : TROTH_R_DER_EMPTY);
}

bool dist_points_open(span value, span *list)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, value, NULL);
    struct rd all = rd_init(&ctx, value);
    *list = der_value(&all, "CRLDistributionPoints", DER_SEQUENCE);
    der_end(&all, "CRLDistributionPoints");
    return rd_ok(&all) && list->n;
}

bool dist_point_next(span *list, struct dist_point *dp, bool *bad)
{
    if (!list->n)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd all = rd_init(&ctx, *list), r = der_open(&all, "DistributionPoint", DER_SEQUENCE);
    *dp = (struct dist_point){ 0 };
    dp_name_read(&r, &dp->name);
    dp->has_reasons = der_next_is(&r, DER_CONTEXT(1));
    if (dp->has_reasons)
        dp->reasons = der_named_bits(&r, "reasons", DER_CONTEXT(1));
    if (der_next_is(&r, DER_CONTEXT_CONS(2))) {
        dp->crl_issuer = der_value(&r, "cRLIssuer", DER_CONTEXT_CONS(2));
        names_check(&r, "cRLIssuer", dp->crl_issuer);
    }
    der_end(&r, "DistributionPoint");
    *list = rd_peek(&all);
    *bad = !rd_ok(&all) || (!dp->name.present && !dp->crl_issuer.n); /* RFC 5280 4.2.1.13: never reasons alone */
    return !*bad;
}

/* ---- extensions of the list */

static void aki_read(struct crl *c, struct rd *r)
{
    struct rd aki = der_open(r, "AuthorityKeyIdentifier", DER_SEQUENCE);
    c->has_aki = true;
    if (der_next_is(&aki, DER_CONTEXT(0)))
        c->aki_key = der_value(&aki, "keyIdentifier", DER_CONTEXT(0));
    if (der_next_is(&aki, DER_CONTEXT_CONS(1)))
        der_value(&aki, "authorityCertIssuer", DER_CONTEXT_CONS(1));
    if (der_next_is(&aki, DER_CONTEXT(2)))
        der_integer(&aki, "authorityCertSerialNumber", DER_CONTEXT(2));
    der_end(&aki, "AuthorityKeyIdentifier");
}

static void number_read(struct rd *r, const char *name, bool *has, span *number)
{
    *number = der_integer(r, name, DER_INTEGER);
    *has = true;
    if (rd_ok(r) && (number->p[0] & 0x80 || number->n > 21))
        rd_fail(r, name, TROTH_R_DER_RANGE); /* RFC 5280 5.2.3: not negative, at most 20 bytes */
}

static void idp_read(struct crl *c, struct rd *r)
{
    c->idp_raw = rd_peek(r);
    c->has_idp = true;
    struct rd idp = der_open(r, "IssuingDistributionPoint", DER_SEQUENCE);
    if (rd_ok(&idp) && !rd_more(&idp))
        rd_fail(&idp, "IssuingDistributionPoint", TROTH_R_DER_EMPTY); /* RFC 5280 5.2.5: not empty */
    dp_name_read(&idp, &c->idp_name);
    c->only_user = der_boolean_default_false(&idp, "onlyContainsUserCerts", DER_CONTEXT(1));
    c->only_ca = der_boolean_default_false(&idp, "onlyContainsCACerts", DER_CONTEXT(2));
    c->has_only_reasons = der_next_is(&idp, DER_CONTEXT(3));
    if (c->has_only_reasons)
        c->only_reasons = der_named_bits(&idp, "onlySomeReasons", DER_CONTEXT(3));
    c->indirect = der_boolean_default_false(&idp, "indirectCRL", DER_CONTEXT(4));
    c->only_attribute = der_boolean_default_false(&idp, "onlyContainsAttributeCerts", DER_CONTEXT(5));
    der_end(&idp, "IssuingDistributionPoint");
    if (rd_ok(r) && c->only_user + c->only_ca + c->only_attribute > 1)
        rd_fail(r, "IssuingDistributionPoint", TROTH_R_CRL_MALFORMED); /* RFC 5280 5.2.5: at most one of them */
}

static void value_read(struct crl *c, enum oid id, span oid, bool critical, struct rd *v)
{
    if (id == OID_CE_AKI) {
        aki_read(c, v);
    } else if (id == OID_CE_CRL_NUMBER) {
        number_read(v, "CRLNumber", &c->has_number, &c->number);
        c->number_critical = critical;
    } else if (id == OID_CE_DELTA) {
        number_read(v, "BaseCRLNumber", &c->is_delta, &c->base);
    } else if (id == OID_CE_IDP) {
        idp_read(c, v);
    } else { /* RFC 5280 5.2: where it is critical it had to be processed; nobody here goes by an issuer's other names, or fetches */
        if (critical && !c->unknown_critical.n)
            c->unknown_critical = oid;
        span value = rd_rest(v, id == OID_CE_FRESHEST ? "FreshestCRL" : "extnValue");
        if (id == OID_CE_FRESHEST)
            c->freshest = value;
    }
    der_end(v, "extnValue");
}

bool extension_seen(span list, const uint8_t *upto, span oid)
{
    struct extension x;
    bool bad = false;
    list.n = (size_t)(upto - list.p);
    while (extension_next(&list, &x, &bad))
        if (span_equal(x.oid, oid))
            return true;
    return false;
}

static void extensions_read(struct crl *c, struct rd *tbs)
{
    if (!der_next_is(tbs, DER_CONTEXT_CONS(0)))
        return;
    struct rd x = der_open(tbs, "crlExtensions", DER_CONTEXT_CONS(0)), list = der_open(&x, "Extensions", DER_SEQUENCE);
    c->extensions = rd_peek(&list);
    if (!rd_more(&list))
        rd_fail(&list, "crlExtensions", TROTH_R_DER_EMPTY); /* SIZE (1..MAX) */
    for (size_t n = 0; rd_more(&list); n++) {
        const uint8_t *at = list.at;
        if (n == LIMIT_CRL_EXTENSIONS) {
            rd_fail(&list, "crlExtensions", TROTH_R_TOO_MANY);
            break;
        }
        struct rd one = der_open(&list, "Extension", DER_SEQUENCE);
        span oid = der_oid(&one, "extnID");
        bool critical = der_boolean_default_false(&one, "critical", DER_BOOLEAN);
        struct rd value = der_open_octets(&one, "extnValue");
        der_end(&one, "Extension");
        if (!rd_ok(&list))
            break;
        if (extension_seen(c->extensions, at, oid))
            rd_fail(&list, "Extension", TROTH_R_CERT_EXT_DUPLICATE);
        value_read(c, oid_find(oid), oid, critical, &value);
    }
    der_end(&x, "crlExtensions");
    if (rd_ok(tbs) && c->version == 1)
        rd_fail(tbs, "crlExtensions", TROTH_R_CRL_MALFORMED); /* RFC 5280 5.1.2.1 */
}

/* ---- entries */

static void entry_extension_read(struct crl_entry *e, struct rd *list, span *unknown, uint8_t *seen)
{
    struct rd one = der_open(list, "Extension", DER_SEQUENCE);
    span oid = der_oid(&one, "extnID");
    bool critical = der_boolean_default_false(&one, "critical", DER_BOOLEAN);
    struct rd value = der_open_octets(&one, "extnValue");
    der_end(&one, "Extension");
    if (!rd_ok(list))
        return;
    uint8_t bit = 0;
    if (oid_is(oid, OID_CE_REASON)) {
        bit = 1;
        e->reason = (uint8_t)der_small(&value, "CRLReason", DER_ENUMERATED, 10);
        if (rd_ok(&value) && !*crl_reason_name(e->reason))
            rd_fail(&value, "CRLReason", TROTH_R_DER_RANGE);
    } else if (oid_is(oid, OID_CE_INVALIDITY)) {
        bit = 2;
        e->invalid_since = der_generalized_time(&value, "InvalidityDate", DER_GENERALIZED_TIME);
        e->has_invalid_since = true;
    } else if (oid_is(oid, OID_CE_CERT_ISSUER)) {
        bit = 4;
        e->cert_issuer = der_value(&value, "CertificateIssuer", DER_SEQUENCE);
        names_check(&value, "CertificateIssuer", e->cert_issuer);
    } else {
        if (critical && unknown && !unknown->n)
            *unknown = oid;
        rd_rest(&value, "extnValue");
    }
    der_end(&value, "extnValue");
    if (*seen & bit)
        rd_fail(list, "Extension", TROTH_R_CERT_EXT_DUPLICATE);
    *seen |= bit;
}

static void entry_read(struct crl_entry *e, struct rd *list, span *unknown)
{
    *e = (struct crl_entry){ .reason = CRL_REASON_NONE };
    struct rd r = der_open_raw(list, "revokedCertificate", DER_SEQUENCE, &e->raw);
    e->serial = der_integer(&r, "userCertificate", DER_INTEGER);
    e->when = der_time(&r, "revocationDate", false);
    if (rd_more(&r)) {
        struct rd x = der_open(&r, "crlEntryExtensions", DER_SEQUENCE);
        uint8_t seen = 0;
        if (!rd_more(&x))
            rd_fail(&x, "crlEntryExtensions", TROTH_R_DER_EMPTY);
        while (rd_more(&x))
            entry_extension_read(e, &x, unknown, &seen);
    }
    der_end(&r, "revokedCertificate");
}

bool crl_entry_next(span *list, struct crl_entry *e)
{
    if (!list->n)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    entry_read(e, &r, NULL);
    *list = rd_peek(&r);
    return rd_ok(&r);
}

static void entries_read(struct crl *c, struct rd *tbs)
{
    if (!der_next_is(tbs, DER_SEQUENCE))
        return;
    struct rd list = der_open(tbs, "revokedCertificates", DER_SEQUENCE);
    c->revoked = rd_peek(&list);
    bool extended = false, issuers = false;
    for (; rd_more(&list); c->n_revoked++) {
        struct crl_entry e;
        span unknown = SPAN_NONE;
        entry_read(&e, &list, &unknown);
        extended = extended || e.reason != CRL_REASON_NONE || e.has_invalid_since || e.cert_issuer.n;
        issuers = issuers || e.cert_issuer.n;
        if (unknown.n && !c->unknown_critical.n) {
            c->unknown_critical = unknown;
            c->entry_critical = true;
        }
    }
    if (rd_ok(tbs) && extended && c->version == 1)
        rd_fail(tbs, "crlEntryExtensions", TROTH_R_CRL_MALFORMED);
    c->entries_name_issuers = issuers;
}

/* ---- the list */

static void tbs_read(struct crl *c, struct rd *crl)
{
    struct rd tbs = der_open_raw(crl, "tbsCertList", DER_SEQUENCE, &c->tbs);
    c->version = 1;
    if (der_next_is(&tbs, DER_INTEGER)) {
        uint64_t v = der_small(&tbs, "version", DER_INTEGER, 1);
        c->version = 2;
        if (rd_ok(&tbs) && v != 1)
            rd_fail(&tbs, "version", TROTH_R_DER_RANGE);
    }
    c->tbs_sig_alg = der_whole(&tbs, "signature", DER_SEQUENCE);
    c->issuer = name_read(&tbs, "issuer", &c->issuer_hash);
    c->this_update = der_time(&tbs, "thisUpdate", false);
    c->has_next_update = der_next_is(&tbs, DER_UTC_TIME) || der_next_is(&tbs, DER_GENERALIZED_TIME);
    if (c->has_next_update)
        c->next_update = der_time(&tbs, "nextUpdate", false);
    entries_read(c, &tbs);
    extensions_read(c, &tbs);
    der_end(&tbs, "tbsCertList");
    if (rd_ok(crl) && c->entries_name_issuers && !c->indirect)
        rd_fail(crl, "certificateIssuer", TROTH_R_CRL_MALFORMED); /* RFC 5280 5.3.3: of indirect CRLs alone */
    if (rd_ok(crl) && name_is_empty(c->issuer))
        rd_fail(crl, "issuer", TROTH_R_CRL_MALFORMED); /* RFC 5280 5.1.2.3 */
}

bool crl_parse(struct crl *c, span der, const struct witness *witness, troth_error *error)
{
    *c = (struct crl){ .raw = der };
    struct holder {
        troth_error error;
    } h = { { 0 } };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, der, witness);
    struct rd all = rd_init(&ctx, der), crl = der_open(&all, "CertificateList", DER_SEQUENCE);
    tbs_read(c, &crl);
    c->sig_alg = der_whole(&crl, "signatureAlgorithm", DER_SEQUENCE);
    struct der_bits bits = der_bit_string(&crl, "signatureValue", DER_BIT_STRING);
    der_end(&crl, "CertificateList");
    der_end(&all, "CertificateList");
    if (rd_ok(&all) && bits.unused)
        rd_fail(&all, "signatureValue", TROTH_R_DER_VALUE);
    bool ok = rd_ok(&all) || fail_read(&h, "CertificateList", &all);
    if (ok && !span_equal(c->sig_alg, c->tbs_sig_alg))
        ok = fail(&h, CERT_SIG_MISMATCH, "CRL"); /* RFC 5280 5.1.1.2 */
    if (!ok) {
        *error = h.error;
        return false;
    }
    c->signature = bits.bytes;
    c->sig = (uint8_t)sig_alg_read(c->sig_alg, &c->sig_oid, &c->sig_salt_n);
    return true;
}
