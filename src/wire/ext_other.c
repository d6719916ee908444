/* ext_other.c - the small and the passed on: heartbeat (RFC 6520 2), ticket_request (RFC 9149 3), tls_flags, and what others read:
 * quic_transport_parameters (RFC 9001 8.2), trust_anchors. */
#include "wire/ext_rows.h"

void ext_heartbeat_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->heartbeat_mode = rd_u8(r, "mode", &names_heartbeat);
}

void ext_heartbeat_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_u8(w, e->heartbeat_mode);
}

void ext_ticket_count_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CH) {
        e->new_session_count = rd_u8(r, "new_session_count", NULL);
        e->resumption_count = rd_u8(r, "resumption_count", NULL);
    } else {
        e->expected_count = rd_u8(r, "expected_count", NULL);
    }
}

void ext_ticket_count_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & IN_CH) {
        wr_u8(w, e->new_session_count);
        wr_u8(w, e->resumption_count);
    } else {
        wr_u8(w, e->expected_count);
    }
}

void ext_flags_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->tls_flags = rd_opaque8(r, "flags", 1, 255);
    if (rd_ok(r) && !e->tls_flags.p[e->tls_flags.n - 1])
        rd_refuse(r, "flags", TROTH_R_FLAGS_NOT_MINIMAL);
}

void ext_flags_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_opaque(w, 1, e->tls_flags);
}

void ext_quic_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->quic_transport_parameters = rd_rest(r, "TransportParameters");
}

void ext_quic_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_span(w, e->quic_transport_parameters);
}

void ext_anchors_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->trust_anchors = rd_rest(r, "trust_anchors");
}

void ext_anchors_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_span(w, e->trust_anchors);
}
