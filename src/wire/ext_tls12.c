/* ext_tls12.c - what only TLS 1.2 needs: renegotiation_info (RFC 5746 3.2), session_ticket (RFC 5077 3.2), and those whose presence is
 * all they say (extended_master_secret, encrypt_then_mac; in TLS 1.3 post_handshake_auth). */
#include "wire/ext_rows.h"

void ext_empty_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)r, (void)e, (void)in; /* the walker refuses any body */
}

void ext_empty_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)w, (void)e, (void)in;
}

void ext_renego_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->renegotiated_connection = rd_opaque8(r, "renegotiated_connection", 0, 255);
}

void ext_renego_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_opaque(w, 1, e->renegotiated_connection);
}

void ext_ticket_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CH)
        e->session_ticket = rd_rest(r, "ticket");
}

void ext_ticket_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & IN_CH)
        wr_span(w, e->session_ticket);
}
