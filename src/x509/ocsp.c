/* ocsp.c - an OCSP response's bytes -> struct ocsp (RFC 6960 4.2.1), and requests.
 *
 * Must never allocate (requests go into the caller's arena) and decides nothing. */
#include "x509/ocsp.h"

#include "base/limits.h"
#include "x509/issue.h"

static const char *const response_status_names[] = { "successful",   "malformedRequest", "internalError", "tryLater",
                                                     "",             "sigRequired",      "unauthorized" };

const char *ocsp_response_status_name(unsigned status)
{
    return status < COUNT_OF(response_status_names) ? response_status_names[status] : "";
}

static enum troth_hash_id hash_by_oid(span oid)
{
    return oid_is(oid, OID_HASH_SHA1)     ? TROTH_SHA1
           : oid_is(oid, OID_HASH_SHA256) ? TROTH_SHA256
           : oid_is(oid, OID_HASH_SHA384) ? TROTH_SHA384
           : oid_is(oid, OID_HASH_SHA512) ? TROTH_SHA512
                                          : (enum troth_hash_id)0;
}

/* ---- extensions.  `found` is told each; whether it knew it. */

typedef bool extension_fn(void *into, span oid, struct rd *value);

static void extensions_read(struct rd *r, const char *name, uint8_t tag, extension_fn *found, void *into, bool *unknown_critical)
{
    if (!der_next_is(r, tag))
        return;
    struct rd x = der_open(r, name, tag), list = der_open(&x, "Extensions", DER_SEQUENCE);
    span all = rd_peek(&list);
    if (!rd_more(&list))
        rd_fail(&list, name, TROTH_R_DER_EMPTY); /* SIZE (1..MAX) */
    for (unsigned n = 0; rd_more(&list); n++) {
        const uint8_t *at = list.at;
        struct rd one = der_open(&list, "Extension", DER_SEQUENCE);
        span oid = der_oid(&one, "extnID");
        bool critical = der_boolean_default_false(&one, "critical", DER_BOOLEAN);
        struct rd value = der_open_octets(&one, "extnValue");
        der_end(&one, "Extension");
        if (rd_ok(&list) && n == LIMIT_EXTENSIONS)
            rd_fail(&list, name, TROTH_R_TOO_MANY);
        if (rd_ok(&list) && extension_seen(all, at, oid))
            rd_fail(&list, name, TROTH_R_CERT_EXT_DUPLICATE);
        if (!rd_ok(&list))
            break;
        if (!found(into, oid, &value)) {
            *unknown_critical = *unknown_critical || critical;
            rd_rest(&value, "extnValue");
        }
        der_end(&value, "extnValue");
    }
    der_end(&x, name);
}

static bool single_extension(void *into, span oid, struct rd *value)
{
    struct ocsp_single *s = into;
    if (!oid_is(oid, OID_CT_OCSP_SCTS)) {
        bool known = oid_is(oid, OID_OCSP_CRL) || oid_is(oid, OID_OCSP_ARCHIVE) || oid_is(oid, OID_CE_REASON) ||
                     oid_is(oid, OID_CE_INVALIDITY);
        if (known)
            rd_rest(value, "extnValue");
        return known;
    }
    s->scts = der_octets(value, "SignedCertificateTimestampList");
    return true;
}

static bool response_extension(void *into, span oid, struct rd *value)
{
    struct ocsp *o = into;
    if (oid_is(oid, OID_OCSP_NONCE)) {
        o->has_nonce = true;
        /* RFC 9654 wants an OCTET STRING inside; older responders put the bytes there as they are */
        span all = rd_rest(value, "Nonce");
        bool wrapped = all.n >= 2 && all.p[0] == DER_OCTET_STRING && (size_t)all.p[1] + 2 == all.n;
        o->nonce = wrapped ? span_slice(all, 2, all.n) : all;
        return true;
    }
    if (!oid_is(oid, OID_OCSP_EXTENDED_REVOKE))
        return false;
    rd_rest(value, "extnValue");
    return true;
}

/* ---- one answer */

static void cert_id_read(struct ocsp_single *s, struct rd *r)
{
    struct rd id = der_open(r, "certID", DER_SEQUENCE), alg = der_open(&id, "hashAlgorithm", DER_SEQUENCE);
    s->hash_oid = der_oid(&alg, "algorithm");
    if (der_next_is(&alg, DER_NULL))
        der_null(&alg, "parameters");
    der_end(&alg, "hashAlgorithm");
    s->hash = rd_ok(&id) ? hash_by_oid(s->hash_oid) : (enum troth_hash_id)0;
    s->name_hash = der_octets(&id, "issuerNameHash");
    s->key_hash = der_octets(&id, "issuerKeyHash");
    s->serial = der_integer(&id, "serialNumber", DER_INTEGER);
    der_end(&id, "certID");
}

static void cert_status_read(struct ocsp_single *s, struct rd *r)
{
    s->reason = CRL_REASON_NONE;
    if (der_next_is(r, DER_CONTEXT(0)) || der_next_is(r, DER_CONTEXT(2))) {
        s->status = der_next_is(r, DER_CONTEXT(0)) ? 0 : 2;
        span none = der_value(r, s->status ? "unknown" : "good", DER_CONTEXT(s->status));
        if (none.n)
            rd_fail(r, "certStatus", TROTH_R_DER_VALUE); /* NULL */
        return;
    }
    struct rd info = der_open(r, "revoked", DER_CONTEXT_CONS(1));
    s->status = 1;
    s->revoked = der_generalized_time(&info, "revocationTime", DER_GENERALIZED_TIME);
    if (der_next_is(&info, DER_CONTEXT_CONS(0))) {
        struct rd reason = der_open(&info, "revocationReason", DER_CONTEXT_CONS(0));
        s->reason = (uint8_t)der_small(&reason, "revocationReason", DER_ENUMERATED, 10);
        der_end(&reason, "revocationReason");
        if (rd_ok(&info) && !*crl_reason_name(s->reason))
            rd_fail(&info, "revocationReason", TROTH_R_DER_RANGE);
    }
    der_end(&info, "revoked");
}

static void single_read(struct ocsp_single *s, struct rd *list)
{
    *s = (struct ocsp_single){ 0 };
    struct rd r = der_open_raw(list, "SingleResponse", DER_SEQUENCE, &s->raw);
    cert_id_read(s, &r);
    cert_status_read(s, &r);
    s->this_update = der_generalized_time(&r, "thisUpdate", DER_GENERALIZED_TIME);
    s->has_next_update = der_next_is(&r, DER_CONTEXT_CONS(0));
    if (s->has_next_update) {
        struct rd next = der_open(&r, "nextUpdate", DER_CONTEXT_CONS(0));
        s->next_update = der_generalized_time(&next, "nextUpdate", DER_GENERALIZED_TIME);
        der_end(&next, "nextUpdate");
    }
    extensions_read(&r, "singleExtensions", DER_CONTEXT_CONS(1), single_extension, s, &s->unknown_critical);
    der_end(&r, "SingleResponse");
}

bool ocsp_single_next(span *list, struct ocsp_single *s)
{
    if (!list->n)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    single_read(s, &r);
    *list = rd_peek(&r);
    return rd_ok(&r);
}

bool ocsp_cert_next(span *list, span *der)
{
    if (!list->n)
        return false;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, *list, NULL);
    struct rd r = rd_init(&ctx, *list);
    *der = der_whole(&r, "Certificate", DER_SEQUENCE);
    *list = rd_peek(&r);
    return rd_ok(&r);
}

/* ---- the response */

static void responder_read(struct ocsp *o, struct rd *data)
{
    o->by_key = der_next_is(data, DER_CONTEXT_CONS(2));
    struct rd id = der_open(data, "responderID", o->by_key ? DER_CONTEXT_CONS(2) : DER_CONTEXT_CONS(1));
    uint64_t hash;
    o->responder = o->by_key ? der_octets(&id, "byKey") : name_read(&id, "byName", &hash);
    der_end(&id, "responderID");
    if (rd_ok(data) && o->by_key && o->responder.n != 20)
        rd_fail(data, "byKey", TROTH_R_DER_VALUE); /* SHA-1 */
}

static void data_read(struct ocsp *o, struct rd *basic)
{
    struct rd data = der_open_raw(basic, "tbsResponseData", DER_SEQUENCE, &o->data);
    if (der_next_is(&data, DER_CONTEXT_CONS(0))) { /* DEFAULT v1: may not be written, and there is no other */
        struct rd v = der_open(&data, "version", DER_CONTEXT_CONS(0));
        der_small(&v, "version", DER_INTEGER, 0);
        rd_fail(&v, "version", TROTH_R_DER_VALUE);
    }
    responder_read(o, &data);
    o->produced = der_generalized_time(&data, "producedAt", DER_GENERALIZED_TIME);
    struct rd list = der_open(&data, "responses", DER_SEQUENCE);
    o->singles = rd_peek(&list);
    for (; rd_more(&list); o->n_singles++) {
        struct ocsp_single s;
        single_read(&s, &list);
        if (rd_ok(&list) && o->n_singles == LIMIT_OCSP_RESPONSES)
            rd_fail(&list, "responses", TROTH_R_TOO_MANY);
    }
    extensions_read(&data, "responseExtensions", DER_CONTEXT_CONS(1), response_extension, o, &o->unknown_critical);
    der_end(&data, "tbsResponseData");
}

static void basic_read(struct ocsp *o, struct rd *bytes)
{
    struct rd value = der_open_octets(bytes, "response"), basic = der_open(&value, "BasicOCSPResponse", DER_SEQUENCE);
    data_read(o, &basic);
    o->sig_alg = der_whole(&basic, "signatureAlgorithm", DER_SEQUENCE);
    struct der_bits bits = der_bit_string(&basic, "signature", DER_BIT_STRING);
    if (der_next_is(&basic, DER_CONTEXT_CONS(0))) {
        struct rd certs = der_open(&basic, "certs", DER_CONTEXT_CONS(0));
        o->certs = der_value(&certs, "certs", DER_SEQUENCE);
        der_end(&certs, "certs");
    }
    der_end(&basic, "BasicOCSPResponse");
    der_end(&value, "response");
    if (rd_ok(bytes) && bits.unused)
        rd_fail(bytes, "signature", TROTH_R_DER_VALUE);
    o->signature = bits.bytes;
}

bool ocsp_parse(struct ocsp *o, span der, const struct witness *witness, troth_error *error)
{
    *o = (struct ocsp){ .raw = der };
    struct holder {
        troth_error error;
    } h = { { 0 } };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, der, witness);
    struct rd all = rd_init(&ctx, der), r = der_open(&all, "OCSPResponse", DER_SEQUENCE);
    o->response_status = (uint8_t)der_small(&r, "responseStatus", DER_ENUMERATED, 6);
    if (rd_ok(&r) && !*ocsp_response_status_name(o->response_status))
        rd_fail(&r, "responseStatus", TROTH_R_DER_RANGE);
    if (rd_ok(&r) && o->response_status == 0) {
        struct rd explicit_tag = der_open(&r, "responseBytes", DER_CONTEXT_CONS(0));
        struct rd bytes = der_open(&explicit_tag, "ResponseBytes", DER_SEQUENCE);
        span type = der_oid(&bytes, "responseType");
        if (rd_ok(&bytes) && !oid_is(type, OID_OCSP_BASIC))
            rd_fail(&bytes, "responseType", TROTH_R_DER_VALUE);
        basic_read(o, &bytes);
        der_end(&bytes, "ResponseBytes");
        der_end(&explicit_tag, "responseBytes");
    }
    der_end(&r, "OCSPResponse"); /* RFC 6960 4.2.1: without success there are no responseBytes */
    der_end(&all, "OCSPResponse");
    if (!rd_ok(&all)) {
        fail_read(&h, "OCSPResponse", &all);
        *error = h.error;
        return false;
    }
    if (o->response_status == 0)
        o->sig = (uint8_t)sig_alg_read(o->sig_alg, &o->sig_oid, &o->sig_salt_n);
    return true;
}

/* ---- requests */

struct request {
    enum troth_hash_id hash;
    span               name_hash, key_hash, serial, nonce;
};

static void write_request(struct wr *w, const void *spec)
{
    const struct request *q = spec;
    size_t all = dw_open(w, W_SEQUENCE), tbs = dw_open(w, W_SEQUENCE), list = dw_open(w, W_SEQUENCE), one = dw_open(w, W_SEQUENCE);
    ocsp_cert_id_write(w, q->hash, q->name_hash, q->key_hash, q->serial);
    dw_close(w, one);
    dw_close(w, list);
    if (q->nonce.n) {
        size_t tag = dw_open(w, W_CONSTRUCTED(2)), exts = dw_open(w, W_SEQUENCE), x = dw_open(w, W_SEQUENCE);
        dw_oid(w, OID_OCSP_NONCE);
        size_t value = dw_open(w, W_OCTETS);
        dw_tlv(w, W_OCTETS, q->nonce);
        dw_close(w, value);
        dw_close(w, x);
        dw_close(w, exts);
        dw_close(w, tag);
    }
    dw_close(w, tbs);
    dw_close(w, all);
}

bool ocsp_request(struct pki_ctx *p, const struct cert *cert, const struct cert *issuer, enum troth_hash_id hash, span nonce, span *der)
{
    struct request q = { .hash = hash, .serial = cert->serial, .nonce = nonce };
    TRY(digest_of(p, hash, &cert->issuer, 1, &q.name_hash) && digest_of(p, hash, &issuer->spki_bits, 1, &q.key_hash));
    return write_out(p, write_request, &q, "OCSP request", der);
}
