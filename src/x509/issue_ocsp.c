/* issue_ocsp.c - OCSP responses (RFC 6960 4.2) and SCTs (RFC 6962 3.2): what a responder and a log would sign. */
#include "crypto/provider.h"
#include "x509/issue.h"

/* A single answer with its CertID worked out. */
struct single {
    const struct issue_single *spec;
    span                       name_hash, key_hash;
};

struct parts {
    const struct issue_ocsp *spec;
    span                     responder; /* Name, or key hash */
    struct single           *singles;
};

static enum oid hash_oid(enum troth_hash_id h)
{
    switch (h) {
    case TROTH_SHA256: return OID_HASH_SHA256;
    case TROTH_SHA384: return OID_HASH_SHA384;
    case TROTH_SHA512: return OID_HASH_SHA512;
    case TROTH_SHA1:
    default: return OID_HASH_SHA1;
    }
}

void ocsp_cert_id_write(struct wr *w, enum troth_hash_id hash, span name_hash, span key_hash, span serial)
{
    size_t m = dw_open(w, W_SEQUENCE), alg = dw_open(w, W_SEQUENCE);
    dw_oid(w, hash_oid(hash));
    dw_null(w);
    dw_close(w, alg);
    dw_tlv(w, W_OCTETS, name_hash);
    dw_tlv(w, W_OCTETS, key_hash);
    dw_unsigned(w, W_INTEGER, serial);
    dw_close(w, m);
}

static void write_extensions(struct wr *w, unsigned n, span nonce, const struct issue_ext *extra, size_t n_extra)
{
    if (!nonce.n && !n_extra)
        return;
    size_t m = dw_open(w, W_CONSTRUCTED(n)), all = dw_open(w, W_SEQUENCE);
    if (nonce.n) {
        size_t x = dw_open(w, W_SEQUENCE);
        dw_oid(w, OID_OCSP_NONCE);
        size_t value = dw_open(w, W_OCTETS);
        dw_tlv(w, W_OCTETS, nonce); /* RFC 9654 2.1 */
        dw_close(w, value);
        dw_close(w, x);
    }
    for (size_t i = 0; i < n_extra; i++)
        extension_write(w, extra[i].oid, extra[i].critical, extra[i].value);
    dw_close(w, all);
    dw_close(w, m);
}

static void write_single(struct wr *w, const struct single *s)
{
    const struct issue_single *q = s->spec;
    size_t m = dw_open(w, W_SEQUENCE);
    ocsp_cert_id_write(w, q->hash ? q->hash : TROTH_SHA1, s->name_hash, s->key_hash, q->serial);
    if (q->status == OCSP_REVOKED) {
        size_t info = dw_open(w, W_CONSTRUCTED(1));
        dw_generalized_time(w, W_GENERALIZED_TIME, q->revoked);
        if (q->reason >= 0) {
            size_t reason = dw_open(w, W_CONSTRUCTED(0));
            dw_int(w, W_ENUMERATED, q->reason);
            dw_close(w, reason);
        }
        dw_close(w, info);
    } else {
        dw_tlv(w, W_CONTEXT(q->status), SPAN_NONE);
    }
    dw_generalized_time(w, W_GENERALIZED_TIME, q->this_update);
    if (q->next_update) {
        size_t next = dw_open(w, W_CONSTRUCTED(0));
        dw_generalized_time(w, W_GENERALIZED_TIME, q->next_update);
        dw_close(w, next);
    }
    write_extensions(w, 1, SPAN_NONE, q->extra, q->n_extra);
    dw_close(w, m);
}

static void write_data(struct wr *w, const void *parts)
{
    const struct parts *s = parts;
    size_t m = dw_open(w, W_SEQUENCE);
    size_t id = dw_open(w, s->spec->by_key ? W_CONSTRUCTED(2) : W_CONSTRUCTED(1));
    if (s->spec->by_key)
        dw_tlv(w, W_OCTETS, s->responder);
    else
        wr_span(w, s->responder);
    dw_close(w, id);
    dw_generalized_time(w, W_GENERALIZED_TIME, s->spec->produced);
    size_t all = dw_open(w, W_SEQUENCE);
    for (size_t i = 0; i < s->spec->n_singles; i++)
        write_single(w, &s->singles[i]);
    dw_close(w, all);
    write_extensions(w, 1, s->spec->nonce, s->spec->extra, s->spec->n_extra);
    dw_close(w, m);
}

static void write_certs(struct wr *w, const void *spec)
{
    const struct issue_ocsp *s = spec;
    if (!s->n_certs)
        return;
    size_t m = dw_open(w, W_CONSTRUCTED(0)), all = dw_open(w, W_SEQUENCE);
    for (size_t i = 0; i < s->n_certs; i++)
        wr_span(w, s->certs[i]);
    dw_close(w, all);
    dw_close(w, m);
}

struct outer {
    int  status;
    span basic;
};

static void write_response(struct wr *w, const void *spec)
{
    const struct outer *o = spec;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_int(w, W_ENUMERATED, o->status);
    if (o->basic.n) {
        size_t tag = dw_open(w, W_CONSTRUCTED(0)), bytes = dw_open(w, W_SEQUENCE);
        dw_oid(w, OID_OCSP_BASIC);
        dw_tlv(w, W_OCTETS, o->basic);
        dw_close(w, bytes);
        dw_close(w, tag);
    }
    dw_close(w, m);
}

static bool work_out(struct pki_ctx *p, const struct issue_ocsp *s, struct parts *parts)
{
    span spki, bits;
    *parts = (struct parts){ .spec = s, .singles = arena_array(p->arena, s->n_singles ? s->n_singles : 1, sizeof *parts->singles) };
    if (!parts->singles)
        return fail(p, OUT_OF_MEMORY, "OCSP response");
    for (size_t i = 0; i < s->n_singles; i++) {
        const struct issue_single *q = &s->singles[i];
        enum troth_hash_id hash = q->hash ? q->hash : TROTH_SHA1;
        span name;
        parts->singles[i].spec = q;
        TRY(issue_subject(p, q->ca, &name) && issue_spki(p, q->ca, &spki));
        bits = spki_key_bits(spki);
        TRY(digest_of(p, hash, &name, 1, &parts->singles[i].name_hash));
        TRY(digest_of(p, hash, &bits, 1, &parts->singles[i].key_hash));
    }
    if (!s->by_key)
        return issue_subject(p, s->by, &parts->responder);
    TRY(issue_spki(p, s->by, &spki));
    bits = spki_key_bits(spki);
    return digest_of(p, TROTH_SHA1, &bits, 1, &parts->responder);
}

bool issue_ocsp(struct pki_ctx *p, const struct issue_ocsp *s, span *der)
{
    struct outer o = { .status = s->failure };
    if (!s->failure) {
        struct parts parts;
        span data;
        if (!s->by)
            return fail(p, ISSUE_REFUSED, "an OCSP response needs a responder");
        struct signing how = { .key = s->by->key, .sig = s->sig ? s->sig : sig_for_key(p->crypto, s->by->key),
                               .bad = s->bad_signature };
        TRY(work_out(p, s, &parts) && write_out(p, write_data, &parts, "OCSP response", &data));
        TRY(write_out(p, write_certs, s, "OCSP response", &how.tail));
        TRY(sign_object(p, data, &how, &o.basic));
    }
    return write_out(p, write_response, &o, "OCSP response", der);
}

/* ---- SCTs */

struct sct_parts {
    const struct issue_sct *spec;
    span                    log_id, key_hash, signature;
    uint8_t                 hash_alg, sig_alg;
};

/* digitally-signed struct of RFC 6962 3.2. */
static void write_sct_input(struct wr *w, const void *parts)
{
    const struct sct_parts *s = parts;
    wr_u8(w, 0); /* v1                    */
    wr_u8(w, 0); /* certificate_timestamp */
    wr_uint(w, s->spec->milliseconds, 8);
    wr_u16(w, s->spec->tbs.n ? 1 : 0);
    if (s->spec->tbs.n) {
        wr_span(w, s->key_hash);
        wr_opaque(w, 3, s->spec->tbs);
    } else {
        wr_opaque(w, 3, s->spec->cert);
    }
    wr_u16(w, 0); /* no extensions */
}

static void write_sct(struct wr *w, const void *parts)
{
    const struct sct_parts *s = parts;
    wr_u8(w, 0);
    wr_span(w, s->log_id);
    wr_uint(w, s->spec->milliseconds, 8);
    wr_u16(w, 0);
    wr_u8(w, s->hash_alg);
    wr_u8(w, s->sig_alg);
    wr_opaque(w, 2, s->signature);
}

bool issue_sct(struct pki_ctx *p, const struct issue_sct *spec, span *sct)
{
    struct sct_parts s = { .spec = spec, .hash_alg = 4 /* sha256 */ };
    span spki, input;
    TRY(key_spki(p, spec->log, &spki) && digest_of(p, TROTH_SHA256, &spki, 1, &s.log_id));
    if (spec->tbs.n)
        TRY(digest_of(p, TROTH_SHA256, &spec->issuer_spki, 1, &s.key_hash));
    TRY(write_out(p, write_sct_input, &s, "SCT", &input));
    bool rsa = p->crypto->key_type(spec->log) == TROTH_KEY_RSA;
    s.sig_alg = rsa ? 1 : 3;
    uint8_t *room = arena_alloc(p->arena, TROTH_SIGNATURE_MAX);
    size_t n = 0;
    if (!room)
        return fail(p, OUT_OF_MEMORY, "SCT");
    if (!p->crypto->sign(p->crypto->self, spec->log, rsa ? TROTH_SIG_RSA_PKCS1_SHA256 : TROTH_SIG_ECDSA_SHA256, &input, 1, room,
                         &n))
        return fail(p, CRYPTO_FAILED, "signing an SCT");
    if (spec->bad_signature)
        room[n - 1] ^= 1;
    s.signature = span_of(room, n);
    return write_out(p, write_sct, &s, "SCT", sct);
}
