/* tls12.c - the messages that only TLS 1.2 has, as far as ECDHE needs them (RFC 5246 7.4, RFC 8422 5.4 to 5.7, RFC 6066 8, RFC 5077 3.3). */
#include "wire/msg.h"

bool certificate_request12_read(struct certificate_request12 *cr, struct rd *r)
{
    cr->certificate_types = rd_u8s(r, "certificate_types", "ClientCertificateType", &names_client_cert, 1, 1, 255);
    cr->supported_signature_algorithms =
        rd_u16s(r, "supported_signature_algorithms", "SignatureScheme", &names_scheme, 2, 2, 0xfffe);
    struct rd list = rd_vec16(r, "certificate_authorities", 0, 0xffff);
    cr->certificate_authorities = rd_peek(&list);
    while (rd_more(&list))
        rd_opaque16(&list, "DistinguishedName", 1, 0xffff);
    rd_end(r, "CertificateRequest");
    return rd_ok(r);
}

void certificate_request12_write(struct wr *w, const struct certificate_request12 *cr)
{
    wr_opaque(w, 1, cr->certificate_types);
    wr_opaque(w, 2, cr->supported_signature_algorithms);
    wr_opaque(w, 2, cr->certificate_authorities);
}

bool server_key_exchange12_read(struct server_key_exchange12 *k, struct rd *r)
{
    *k = (struct server_key_exchange12){ 0 };
    span from = rd_peek(r);
    const uint8_t *group = rd_group_open(r);
    k->curve_type = rd_u8(r, "curve_type", &names_curve_type);
    if (rd_ok(r) && k->curve_type != CURVE_TYPE_named_curve)
        rd_refuse_value(r, "curve_type", TROTH_R_CURVE_NOT_NAMED, k->curve_type);
    k->named_curve = rd_u16(r, "namedcurve", &names_group);
    k->point = rd_opaque8(r, "point", 1, 255);
    rd_group_close(r, "params", group);
    k->params = span_slice(from, 0, from.n - rd_left(r));
    k->algorithm = rd_u16(r, "algorithm", &names_scheme);
    k->signature = rd_opaque16(r, "signature", 0, 0xffff);
    rd_end(r, "ServerKeyExchange");
    return rd_ok(r);
}

void server_ecdh_params_write(struct wr *w, const struct server_key_exchange12 *k)
{
    wr_u8(w, CURVE_TYPE_named_curve);
    wr_u16(w, k->named_curve);
    wr_opaque(w, 1, k->point);
}

void server_key_exchange12_write(struct wr *w, const struct server_key_exchange12 *k)
{
    server_ecdh_params_write(w, k);
    wr_u16(w, k->algorithm);
    wr_opaque(w, 2, k->signature);
}

bool client_key_exchange12_read(struct client_key_exchange12 *k, struct rd *r)
{
    k->point = rd_opaque8(r, "ecdh_Yc", 1, 255);
    rd_end(r, "ClientKeyExchange");
    return rd_ok(r);
}

void client_key_exchange12_write(struct wr *w, const struct client_key_exchange12 *k)
{
    wr_opaque(w, 1, k->point);
}

bool certificate_status_read(struct certificate_status *s, struct rd *r)
{
    s->status_type = rd_u8(r, "status_type", &names_status_type);
    if (rd_ok(r) && s->status_type != STATUS_TYPE_ocsp)
        rd_refuse_value(r, "status_type", TROTH_R_STATUS_TYPE_UNKNOWN, s->status_type);
    s->response = rd_opaque24(r, "response", 1, 0xffffff);
    rd_end(r, "CertificateStatus");
    return rd_ok(r);
}

void certificate_status_write(struct wr *w, const struct certificate_status *s)
{
    wr_u8(w, s->status_type);
    wr_opaque(w, 3, s->response);
}

bool new_session_ticket12_read(struct new_session_ticket12 *t, struct rd *r)
{
    t->ticket_lifetime_hint = rd_u32(r, "ticket_lifetime_hint");
    t->ticket = rd_opaque16(r, "ticket", 0, 0xffff);
    rd_end(r, "NewSessionTicket");
    return rd_ok(r);
}

void new_session_ticket12_write(struct wr *w, const struct new_session_ticket12 *t)
{
    wr_u32(w, t->ticket_lifetime_hint);
    wr_opaque(w, 2, t->ticket);
}
