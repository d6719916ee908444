/* csr.c - a request's bytes -> struct csr.  Must never allocate, and decides nothing but whether the signature is right. */
#include "x509/csr.h"

#include "base/limits.h"
#include "x509/oid.h"

/* extensionRequest: SET OF with exactly one Extensions. */
static void extensions_read(struct csr *c, struct rd *values, bool again)
{
    struct rd list = der_open(values, "Extensions", DER_SEQUENCE);
    if (rd_ok(&list) && (again || !rd_more(&list)))
        rd_fail(&list, "extensionRequest", TROTH_R_DER_VALUE);
    c->asked.has_extensions = true;
    c->asked.extensions = rd_peek(&list);
    cert_read_extensions(&c->asked, &list);
}

static void attribute_read(struct csr *c, struct rd *list)
{
    struct rd r = der_open(list, "Attribute", DER_SEQUENCE);
    span type = der_oid(&r, "type");
    struct rd values = der_open(&r, "values", DER_SET);
    if (rd_ok(&r) && (oid_is(type, OID_REQ_EXTENSIONS) || oid_is(type, OID_REQ_MS_EXTENSIONS)))
        extensions_read(c, &values, c->asked.has_extensions);
    else
        while (rd_more(&values))
            der_any(&values, "value");
    c->has_challenge = c->has_challenge || oid_is(type, OID_REQ_CHALLENGE);
    der_end(&values, "values");
    der_end(&r, "Attribute");
    if (rd_ok(list) && c->n_attributes++ == LIMIT_EXTENSIONS)
        rd_fail(list, "attributes", TROTH_R_TOO_MANY);
}

static void info_read(struct csr *c, struct rd *request)
{
    struct rd r = der_open_raw(request, "certificationRequestInfo", DER_SEQUENCE, &c->info);
    uint64_t hash;
    der_small(&r, "version", DER_INTEGER, 0);
    c->subject = name_read(&r, "subject", &hash);
    c->spki = der_skip(&r, "subjectPKInfo", DER_SEQUENCE);
    if (rd_ok(&r))
        (void)!spki_read(&c->key, c->spki, r.ctx->base, r.ctx->witness);
    if (der_next_is(&r, DER_CONTEXT_CONS(0))) { /* RFC 2986 wants it even when it is empty; many leave it out */
        struct rd list = der_open(&r, "attributes", DER_CONTEXT_CONS(0));
        while (rd_more(&list))
            attribute_read(c, &list);
    }
    der_end(&r, "certificationRequestInfo");
}

bool csr_parse(struct csr *c, span der, const struct witness *witness, troth_error *error)
{
    *c = (struct csr){ .raw = der };
    c->asked.raw = der;
    struct holder {
        troth_error error;
    } h = { { 0 } };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, der, witness);
    struct rd all = rd_init(&ctx, der), r = der_open(&all, "CertificationRequest", DER_SEQUENCE);
    info_read(c, &r);
    c->sig_alg = der_whole(&r, "signatureAlgorithm", DER_SEQUENCE);
    struct der_bits bits = der_bit_string(&r, "signature", DER_BIT_STRING);
    der_end(&r, "CertificationRequest");
    der_end(&all, "CertificationRequest");
    if (rd_ok(&all) && bits.unused)
        rd_fail(&all, "signature", TROTH_R_DER_VALUE);
    if (!rd_ok(&all)) {
        fail_read(&h, "CertificationRequest", &all);
        *error = h.error;
        return false;
    }
    c->signature = bits.bytes;
    c->sig = (uint8_t)sig_alg_read(c->sig_alg, &c->sig_oid, &c->sig_salt_n);
    return true;
}

bool csr_verify(const struct csr *c, const troth_provider *crypto, troth_error *error)
{
    struct holder {
        troth_error error;
    } h = { { 0 } };
    enum troth_sig sig = (enum troth_sig)c->sig;
    bool ok = sig && c->key.key.type && crypto->can_verify(crypto->self, c->key.key.type, sig);
    if (!ok) {
        fail(&h, CERT_UNKNOWN_ALGORITHM, "signature or key of the request");
    } else {
        troth_public_key key = c->key.key;
        key.salt_n = c->sig_salt_n;
        troth_verify_job job = { .sig = sig, .key = &key, .parts = &c->info, .n_parts = 1, .signature = c->signature };
        crypto->verify(crypto->self, &job, 1);
        ok = job.good || fail(&h, CSR_SIGNATURE, "the signature is wrong");
    }
    if (!ok)
        *error = h.error;
    return ok;
}
