/* ext_sni.c - server_name (RFC 6066 3).
 *
 * Whether the name is a host name that we serve is decided elsewhere; here only what could not be one is refused. */
#include "wire/ext_rows.h"

static void host_name_read(struct rd *list, struct exts *e)
{
    span name = rd_opaque16(list, "HostName", 1, 0xffff);
    if (!rd_ok(list))
        return;
    bool ascii = true; /* a host name is in A-labels: what is beyond that could only mislead whoever reads a log */
    for (size_t i = 0; i < name.n; i++)
        ascii &= name.p[i] > 0x20 && name.p[i] < 0x7f;
    if (e->server_name.n || name.n > 255 || !ascii)
        rd_refuse_value(list, "HostName", TROTH_R_SNI_NAME, name.n);
    e->server_name = name;
}

void ext_sni_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (!(in & (IN_CH | IN_CR)))
        return; /* an answer says only that the name was used */
    struct rd list = rd_vec16(r, "server_name_list", 1, 0xffff);
    while (rd_more(&list)) {
        const uint8_t *from = rd_group_open(&list);
        uint8_t type = rd_u8(&list, "name_type", &names_name_type);
        if (type == NAME_TYPE_host_name)
            host_name_read(&list, e);
        else
            rd_opaque16(&list, "name", 0, 0xffff); /* RFC 6066 3: further types begin with a length of two bytes */
        rd_group_close(&list, "ServerName", from);
    }
    if (rd_ok(r) && !e->server_name.n)
        rd_refuse(r, "server_name_list", TROTH_R_SNI_NAME);
}

void ext_sni_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (!(in & (IN_CH | IN_CR)))
        return;
    size_t list = wr_open(w, 2);
    wr_u8(w, NAME_TYPE_host_name);
    wr_opaque(w, 2, e->server_name);
    wr_close(w, list, 2);
}
