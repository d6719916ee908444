/* ext_delegated.c - delegated_credential (RFC 9345 4): schemes from who asks, a credential beside the certificate.
 *
 * Whether the certificate may delegate, and whether the signature is right, is for tls/delegated.c. */
#include "wire/ext_rows.h"

static void credential_read(struct rd *r, struct delegated_credential *dc)
{
    span from = rd_peek(r);
    const uint8_t *group = rd_group_open(r);
    dc->valid_time = rd_u32(r, "valid_time");
    dc->dc_cert_verify_algorithm = rd_u16(r, "dc_cert_verify_algorithm", &names_scheme);
    dc->spki = rd_opaque24(r, "ASN1_subjectPublicKeyInfo", 1, 0xffffff);
    rd_group_close(r, "cred", group);
    dc->cred = span_slice(from, 0, from.n - rd_left(r));
    dc->algorithm = rd_u16(r, "algorithm", &names_scheme);
    dc->signed_part = span_slice(from, 0, from.n - rd_left(r));
    dc->signature = rd_opaque16(r, "signature", 1, 0xffff);
}

void ext_delegated_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CT)
        credential_read(r, &e->dc);
    else
        e->dc_schemes = rd_u16s(r, "supported_signature_algorithm", "SignatureScheme", &names_scheme, 2, 2, 0xfffe);
}

void ext_delegated_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    const struct delegated_credential *dc = &e->dc;
    if (!(in & IN_CT)) {
        wr_list(w, 2, e->dc_schemes);
        return;
    }
    wr_u32(w, dc->valid_time);
    wr_u16(w, dc->dc_cert_verify_algorithm);
    wr_opaque(w, 3, dc->spki);
    wr_u16(w, dc->algorithm);
    wr_opaque(w, 2, dc->signature);
}
