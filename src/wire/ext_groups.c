/* ext_groups.c - supported_groups (RFC 9846 4.3.7) and ec_point_formats (RFC 8422 5.1.2): lists, and nothing more. */
#include "wire/ext_rows.h"

void ext_groups_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->supported_groups = rd_u16s(r, "named_group_list", "NamedGroup", &names_group, 2, 2, 0xffff);
}

void ext_groups_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 2, e->supported_groups);
}

void ext_points_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->ec_point_formats = rd_u8s(r, "ec_point_format_list", "ECPointFormat", &names_point_format, 1, 1, 0xff);
}

void ext_points_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 1, e->ec_point_formats);
}
