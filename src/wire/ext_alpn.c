/* ext_alpn.c - application_layer_protocol_negotiation (RFC 7301 3.1): all that the wire layer knows about it. */
#include "wire/ext_rows.h"

void ext_alpn_read(struct rd *r, struct exts *e, enum ext_in in)
{
    struct rd list = rd_vec16(r, "protocol_name_list", 2, 0xffff);
    e->alpn = rd_peek(&list);
    size_t n = 0;
    for (; rd_more(&list); n++)
        rd_opaque8(&list, "ProtocolName", 1, 255);
    if (rd_ok(r) && !(in & IN_CH) && n != 1)
        rd_refuse_value(r, "protocol_name_list", TROTH_R_ALPN_ANSWER_NOT_ONE, n);
}

void ext_alpn_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->alpn);
}
