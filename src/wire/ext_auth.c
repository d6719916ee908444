/* ext_auth.c - which certificates the peer wants: certificate_authorities (RFC 9846 4.3.4), oid_filters (4.3.5), client and
 * server_certificate_type (RFC 7250 3), compress_certificate (RFC 8879 3).  Names and OIDs are bytes here. */
#include "wire/ext_rows.h"

void ext_authorities_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    struct rd list = rd_vec16(r, "authorities", 3, 0xffff);
    e->certificate_authorities = rd_peek(&list);
    while (rd_more(&list))
        rd_opaque16(&list, "DistinguishedName", 1, 0xffff);
}

void ext_authorities_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->certificate_authorities);
}

void ext_oid_filters_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    struct rd list = rd_vec16(r, "filters", 0, 0xffff);
    e->oid_filters = rd_peek(&list);
    while (rd_more(&list)) {
        const uint8_t *from = rd_group_open(&list);
        rd_opaque8(&list, "certificate_extension_oid", 1, 255);
        rd_opaque16(&list, "certificate_extension_values", 0, 0xffff);
        rd_group_close(&list, "OIDFilter", from);
    }
}

void ext_oid_filters_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->oid_filters);
}

/* A list from the client, one type from the server.  An empty list is a wrong value rather than a wrong form: it says that nothing
 * is accepted. */
static span types_read(struct rd *r, enum ext_in in, const char *list, const char *one)
{
    if (!(in & IN_CH)) {
        span chosen = rd_peek(r);
        rd_u8(r, one, &names_cert_type);
        return span_slice(chosen, 0, 1);
    }
    span types = rd_u8s(r, list, "CertificateType", &names_cert_type, 1, 0, 255);
    if (rd_ok(r) && !types.n)
        rd_refuse(r, list, TROTH_R_CERT_TYPES);
    return types;
}

static void types_write(struct wr *w, enum ext_in in, span types)
{
    if (in & IN_CH)
        wr_list(w, 1, types);
    else
        wr_span(w, types);
}

void ext_client_type_read(struct rd *r, struct exts *e, enum ext_in in)
{
    e->client_certificate_types = types_read(r, in, "client_certificate_types", "client_certificate_type");
}

void ext_client_type_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    types_write(w, in, e->client_certificate_types);
}

void ext_server_type_read(struct rd *r, struct exts *e, enum ext_in in)
{
    e->server_certificate_types = types_read(r, in, "server_certificate_types", "server_certificate_type");
}

void ext_server_type_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    types_write(w, in, e->server_certificate_types);
}

void ext_compress_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->cert_compression = rd_u16s(r, "algorithms", "CertificateCompressionAlgorithm", &names_cert_comp, 1, 2, 254);
    for (size_t i = 1; rd_ok(r) && i < u16s_count(e->cert_compression); i++)
        if (u16s_has(span_slice(e->cert_compression, 0, 2 * i), u16s_at(e->cert_compression, i)))
            rd_refuse(r, "algorithms", TROTH_R_COMPRESSION_TWICE);
}

void ext_compress_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 1, e->cert_compression);
}
