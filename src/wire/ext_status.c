/* ext_status.c - what vouches for a certificate: status_request (RFC 6066 8; RFC 9846 4.5.1.1) and signed_certificate_timestamp
 * (RFC 6962 3.3.1).  OCSP responses and SCTs are bytes here; x509/ reads them. */
#include "wire/ext_rows.h"

static void request_read(struct rd *r, struct status_request *q)
{
    q->status_type = rd_u8(r, "status_type", &names_status_type);
    if (q->status_type != STATUS_TYPE_ocsp) { /* of a type that nobody has defined: its form is not known */
        q->responder_id_list = rd_rest(r, "request");
        return;
    }
    struct rd list = rd_vec16(r, "responder_id_list", 0, 0xffff);
    q->responder_id_list = rd_peek(&list);
    while (rd_more(&list))
        rd_opaque16(&list, "ResponderID", 1, 0xffff);
    q->request_extensions = rd_opaque16(r, "request_extensions", 0, 0xffff);
}

static span response_read(struct rd *r)
{
    uint8_t type = rd_u8(r, "status_type", &names_status_type);
    if (rd_ok(r) && type != STATUS_TYPE_ocsp)
        rd_refuse_value(r, "status_type", TROTH_R_STATUS_TYPE_UNKNOWN, type);
    return rd_opaque24(r, "response", 1, 0xffffff);
}

void ext_status_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CT)
        e->ocsp_response = response_read(r);
    else if (in & IN_CR && !rd_more(r))
        e->status_request.is_empty = true; /* RFC 9846 4.5.1.1 */
    else if (in & (IN_CH | IN_CR))
        request_read(r, &e->status_request);
}

void ext_status_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    const struct status_request *q = &e->status_request;
    if (in & IN_CT) {
        wr_u8(w, STATUS_TYPE_ocsp);
        wr_opaque(w, 3, e->ocsp_response);
    } else if (in & (IN_CH | IN_CR) && !q->is_empty) {
        wr_u8(w, q->status_type);
        if (q->status_type != STATUS_TYPE_ocsp) {
            wr_span(w, q->responder_id_list);
            return;
        }
        wr_opaque(w, 2, q->responder_id_list);
        wr_opaque(w, 2, q->request_extensions);
    }
}

void ext_sct_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (!(in & (IN_CT | IN_SH)))
        return; /* those who ask send nothing */
    e->sct_list = rd_peek(r); /* with its length: as certificates and OCSP responses have it, and as it is judged */
    struct rd list = rd_vec16(r, "sct_list", 1, 0xffff);
    while (rd_more(&list))
        rd_opaque16(&list, "SerializedSCT", 1, 0xffff);
}

void ext_sct_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & (IN_CT | IN_SH))
        wr_span(w, e->sct_list);
}
