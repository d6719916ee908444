/* ext_versions.c - supported_versions (RFC 9846 4.3.1).  Must not choose. */
#include "wire/ext_rows.h"

void ext_versions_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CH)
        e->supported_versions = rd_u16s(r, "versions", "version", &names_version, 1, 2, 254);
    else
        e->selected_version = rd_u16(r, "selected_version", &names_version);
}

void ext_versions_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & IN_CH)
        wr_list(w, 1, e->supported_versions);
    else
        wr_u16(w, e->selected_version);
}
