/* cert.c - a certificate's bytes -> struct cert (RFC 5280 4.1).
 *
 * Must never allocate and never decide whether a certificate is good: only whether it is one. */
#include "x509/cert.h"

static void version_read(struct cert *c, struct rd *tbs)
{
    c->version = 1;
    if (!der_next_is(tbs, DER_CONTEXT_CONS(0)))
        return;
    struct rd x = der_open(tbs, "version", DER_CONTEXT_CONS(0));
    uint64_t v = der_small(&x, "version", DER_INTEGER, 2);
    der_end(&x, "version");
    if (rd_ok(tbs) && v == 0)
        rd_fail(tbs, "version", TROTH_R_DER_VALUE); /* v1 is the default and may not be written */
    c->version = (uint8_t)(v + 1);
}

static int64_t time_member(struct cert *c, struct rd *validity, const char *name)
{
    bool generalized = der_next_is(validity, DER_GENERALIZED_TIME);
    int64_t t = der_time(validity, name, false);
    if (generalized && t < INT64_C(2524608000)) /* 2050-01-01 */
        c->generalized_too_early = true;
    return t;
}

static void validity_read(struct cert *c, struct rd *tbs)
{
    struct rd v = der_open(tbs, "validity", DER_SEQUENCE);
    c->not_before = time_member(c, &v, "notBefore");
    c->not_after = time_member(c, &v, "notAfter");
    der_end(&v, "validity");
}

/* A key that we cannot read is no reason to refuse to read the rest: it has a reader of its own. */
static void key_read(struct cert *c, struct rd *tbs)
{
    c->spki = der_skip(tbs, "subjectPublicKeyInfo", DER_SEQUENCE);
    if (!rd_ok(tbs))
        return;
    struct spki k;
    c->key_malformed = !spki_read(&k, c->spki, tbs->ctx->base, tbs->ctx->witness) && k.malformed;
    c->key = k.key;
    c->key_oid = k.oid;
    c->curve_oid = k.curve_oid;
    c->explicit_curve = k.explicit_curve;
    c->spki_bits = k.bits;
    c->key_pss = k.pss;
}

static void unique_id_read(struct cert *c, struct rd *tbs, const char *name, uint8_t tag)
{
    if (!der_next_is(tbs, tag))
        return;
    der_bit_string(tbs, name, tag);
    c->has_unique_id = true;
}

static void extensions_read(struct cert *c, struct rd *tbs)
{
    if (!der_next_is(tbs, DER_CONTEXT_CONS(3)))
        return;
    c->has_extensions = true;
    struct rd x = der_open(tbs, "extensions", DER_CONTEXT_CONS(3));
    struct rd list = der_open(&x, "Extensions", DER_SEQUENCE);
    c->extensions = rd_peek(&list);
    if (!rd_more(&list))
        rd_fail(&list, "Extensions", TROTH_R_DER_EMPTY); /* SIZE (1..MAX) */
    cert_read_extensions(c, &list);
    der_end(&x, "extensions");
}

static void tbs_read(struct cert *c, struct rd *cert)
{
    struct rd tbs = der_open_raw(cert, "tbsCertificate", DER_SEQUENCE, &c->tbs);
    version_read(c, &tbs);
    c->serial = der_integer(&tbs, "serialNumber", DER_INTEGER);
    c->tbs_sig_alg = der_whole(&tbs, "signature", DER_SEQUENCE);
    c->issuer = name_read(&tbs, "issuer", &c->issuer_hash);
    validity_read(c, &tbs);
    c->subject = name_read(&tbs, "subject", &c->subject_hash);
    key_read(c, &tbs);
    unique_id_read(c, &tbs, "issuerUniqueID", DER_CONTEXT(1));
    unique_id_read(c, &tbs, "subjectUniqueID", DER_CONTEXT(2));
    extensions_read(c, &tbs);
    der_end(&tbs, "tbsCertificate");
}

bool cert_parse(struct cert *c, span der, const struct witness *witness, troth_error *error)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, der, witness);
    struct rd r = rd_init(&ctx, der);
    memset(c, 0, sizeof *c);
    c->raw = der;
    if (der.n > LIMIT_CERTIFICATE)
        rd_fail(&r, "Certificate", TROTH_R_DER_RANGE);
    struct rd seq = der_open(&r, "Certificate", DER_SEQUENCE);
    tbs_read(c, &seq);
    c->sig_alg = der_whole(&seq, "signatureAlgorithm", DER_SEQUENCE);
    struct der_bits bits = der_bit_string(&seq, "signature", DER_BIT_STRING);
    if (bits.unused)
        rd_fail(&seq, "signature", TROTH_R_DER_VALUE);
    c->signature = bits.bytes;
    der_end(&seq, "Certificate");
    der_end(&r, "Certificate");
    if (!rd_ok(&r))
        return error ? error_from_rd(error, __FILE__, __LINE__, "Certificate", &r) : false;
    c->sig = (uint8_t)sig_alg_read(c->sig_alg, &c->sig_oid, &c->sig_salt_n);
    c->self_issued = c->subject_hash == c->issuer_hash && name_equal(c->subject, c->issuer);
    return true;
}
