/* ext_cookie.c - cookie (RFC 9846 4.3.2): the server's, returned as it is. */
#include "wire/ext_rows.h"

void ext_cookie_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->cookie = rd_opaque16(r, "cookie", 1, 0xffff);
}

void ext_cookie_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_opaque(w, 2, e->cookie);
}
