/* ext_limits.c - how much may be sent at once: record_size_limit (RFC 8449 4), max_fragment_length (RFC 6066 4), padding (RFC 7685). */
#include "wire/ext_rows.h"

void ext_record_limit_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->record_size_limit = rd_u16(r, "RecordSizeLimit", NULL);
    if (rd_ok(r) && e->record_size_limit < 64)
        rd_refuse_value(r, "RecordSizeLimit", TROTH_R_RECORD_LIMIT_SMALL, e->record_size_limit);
}

void ext_record_limit_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_u16(w, e->record_size_limit);
}

void ext_fragment_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->max_fragment_length = rd_u8(r, "MaxFragmentLength", &names_fragment);
    if (exts_have(e, X_RECORD_SIZE_LIMIT)) /* then this one does not count (RFC 8449 5) */
        return;
    if (rd_ok(r) && !name_find(&names_fragment, e->max_fragment_length))
        rd_refuse_value(r, "MaxFragmentLength", TROTH_R_FRAGMENT_LENGTH, e->max_fragment_length);
}

void ext_fragment_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_u8(w, e->max_fragment_length);
}

void ext_padding_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->padding = (uint16_t)rd_left(r);
    rd_rest(r, "PaddingExtension");
}

void ext_padding_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    uint8_t *room = wr_room(w, e->padding);
    if (room)
        memset(room, 0, e->padding);
}
