/* certificate.c - Certificate in its forms, CertificateRequest, CompressedCertificate, CertificateVerify (RFC 9846 4.4.2, 4.5; RFC 8879).
 *
 * A certificate is bytes here.  How long a chain may be is limited before anything is kept. */
#include "wire/msg.h"

/* ---- Certificate */

/* The entry that comes next; NULL when there is no room left for it. */
static struct certificate_entry *entry_add(struct certificate *c, struct rd *list)
{
    if (rd_ok(list) && c->n < LIMIT_CHAIN)
        return &c->entries[c->n++];
    rd_refuse_value(list, "certificate_list", TROTH_R_CHAIN_TOO_LONG, c->n);
    return NULL;
}

static void entry_exts_read(struct certificate_entry *one, struct rd *list, const struct ext_set *asked)
{
    struct exts e = { .n_seen = 0 };
    exts_gather(list, &e, IN_CT);
    if (!exts_read(&e, list, IN_CT, VERSION_TLS_1_3, asked))
        return;
    one->have = e.have;
    one->ocsp_response = e.ocsp_response;
    one->sct_list = e.sct_list;
    one->dc = e.dc;
    one->trust_anchors = e.trust_anchors;
}

bool certificate_read(struct certificate *c, struct rd *r, const struct ext_set *asked)
{
    *c = (struct certificate){ .n = 0 };
    c->certificate_request_context = rd_opaque8(r, "certificate_request_context", 0, 255);
    struct rd list = rd_vec24(r, "certificate_list", 0, 0xffffff);
    while (rd_more(&list)) {
        const uint8_t *from = rd_group_open(&list);
        struct certificate_entry *one = entry_add(c, &list);
        if (!one)
            break;
        one->cert_data = rd_opaque24(&list, "cert_data", 1, 0xffffff);
        if (rd_ok(&list))
            entry_exts_read(one, &list, asked);
        rd_group_close(&list, "CertificateEntry", from);
    }
    rd_end(r, "Certificate");
    return rd_ok(r);
}

static void entry_exts_write(struct wr *w, const struct certificate_entry *one)
{
    struct exts e = { .n_seen = 0, .ocsp_response = one->ocsp_response, .sct_list = one->sct_list, .dc = one->dc,
                      .trust_anchors = one->trust_anchors };
    for (unsigned x = 0; x < X_COUNT; x++)
        if (ext_set_has(&one->have, x))
            exts_add(&e, x);
    exts_write(w, &e, IN_CT);
}

void certificate_write(struct wr *w, const struct certificate *c)
{
    wr_opaque(w, 1, c->certificate_request_context);
    size_t list = wr_open(w, 3);
    for (unsigned i = 0; i < c->n; i++) {
        wr_opaque(w, 3, c->entries[i].cert_data);
        entry_exts_write(w, &c->entries[i]);
    }
    wr_close(w, list, 3);
}

bool certificate12_read(struct certificate *c, struct rd *r)
{
    *c = (struct certificate){ .n = 0 };
    struct rd list = rd_vec24(r, "certificate_list", 0, 0xffffff);
    while (rd_more(&list)) {
        struct certificate_entry *one = entry_add(c, &list);
        if (!one)
            break;
        one->cert_data = rd_opaque24(&list, "ASN.1Cert", 1, 0xffffff);
    }
    rd_end(r, "Certificate");
    return rd_ok(r);
}

void certificate12_write(struct wr *w, const struct certificate *c)
{
    size_t list = wr_open(w, 3);
    for (unsigned i = 0; i < c->n; i++)
        wr_opaque(w, 3, c->entries[i].cert_data);
    wr_close(w, list, 3);
}

bool raw_public_key12_read(struct certificate *c, struct rd *r)
{
    *c = (struct certificate){ .n = 0 };
    c->entries[0].cert_data = rd_opaque24(r, "ASN1_subjectPublicKeyInfo", 0, 0xffffff);
    c->n = c->entries[0].cert_data.n != 0;
    rd_end(r, "Certificate");
    return rd_ok(r);
}

void raw_public_key12_write(struct wr *w, const struct certificate *c)
{
    wr_opaque(w, 3, c->n ? c->entries[0].cert_data : SPAN_NONE);
}

/* ---- CertificateRequest */

bool certificate_request_read(struct certificate_request *cr, struct rd *r)
{
    *cr = (struct certificate_request){ 0 };
    cr->certificate_request_context = rd_opaque8(r, "certificate_request_context", 0, 255);
    exts_gather(r, &cr->exts, IN_CR);
    rd_end(r, "CertificateRequest");
    TRY(exts_read(&cr->exts, r, IN_CR, VERSION_TLS_1_3, NULL));
    if (!exts_have(&cr->exts, X_SIGNATURE_ALGORITHMS))
        rd_fail(r, "signature_algorithms", TROTH_R_SIGALGS_MISSING);
    return rd_ok(r);
}

void certificate_request_write(struct wr *w, const struct certificate_request *cr)
{
    wr_opaque(w, 1, cr->certificate_request_context);
    exts_write(w, &cr->exts, IN_CR);
}

/* ---- CompressedCertificate */

bool compressed_certificate_read(struct compressed_certificate *c, struct rd *r)
{
    c->algorithm = rd_u16(r, "algorithm", &names_cert_comp);
    c->uncompressed_length = rd_u24(r, "uncompressed_length");
    if (rd_ok(r) && c->uncompressed_length > LIMIT_CERTIFICATE_MESSAGE)
        rd_refuse_value(r, "uncompressed_length", TROTH_R_COMPRESSED_TOO_LARGE, c->uncompressed_length);
    c->compressed_certificate_message = rd_opaque24(r, "compressed_certificate_message", 1, 0xffffff);
    rd_end(r, "CompressedCertificate");
    return rd_ok(r);
}

void compressed_certificate_write(struct wr *w, const struct compressed_certificate *c)
{
    wr_u16(w, c->algorithm);
    wr_u24(w, c->uncompressed_length);
    wr_opaque(w, 3, c->compressed_certificate_message);
}

/* ---- CertificateVerify */

bool certificate_verify_read(struct certificate_verify *cv, struct rd *r)
{
    cv->algorithm = rd_u16(r, "algorithm", &names_scheme);
    cv->signature = rd_opaque16(r, "signature", 0, 0xffff);
    rd_end(r, "CertificateVerify");
    return rd_ok(r);
}

void certificate_verify_write(struct wr *w, const struct certificate_verify *cv)
{
    wr_u16(w, cv->algorithm);
    wr_opaque(w, 2, cv->signature);
}
