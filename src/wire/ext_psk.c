/* ext_psk.c - pre_shared_key (RFC 9846 4.3.11), psk_key_exchange_modes (4.3.9) and early_data (4.3.10).
 *
 * Binders cover the ClientHello up to themselves: where they begin is kept.  Whether they are right, and of the length of their hash
 * (never less than 32 bytes), is for tls/psk.c: a server that goes on without the PSK, or with TLS 1.2, does not look at them. */
#include "wire/ext_rows.h"

static size_t identities_read(struct rd *r, struct exts *e)
{
    size_t n = 0;
    struct rd list = rd_vec16(r, "identities", 7, 0xffff);
    for (; rd_more(&list); n++) {
        const uint8_t *from = rd_group_open(&list);
        struct psk_identity p = { 0 };
        p.identity = rd_opaque16(&list, "identity", 1, 0xffff);
        p.obfuscated_ticket_age = rd_u32(&list, "obfuscated_ticket_age");
        rd_group_close(&list, "PskIdentity", from);
        if (n < LIMIT_PSKS)
            e->psks[e->n_psks++] = p;
    }
    return n;
}

static size_t binders_read(struct rd *r, struct exts *e)
{
    size_t n = 0;
    e->binders = rd_peek(r);
    struct rd list = rd_vec16(r, "binders", 2, 0xffff);
    for (; rd_more(&list); n++) {
        span binder = rd_opaque8(&list, "PskBinderEntry", 1, 255);
        if (n < e->n_psks)
            e->psks[n].binder = binder;
    }
    return n;
}

void ext_psk_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (!(in & IN_CH)) {
        e->selected_identity = rd_u16(r, "selected_identity", NULL);
        return;
    }
    size_t identities = identities_read(r, e);
    size_t binders = binders_read(r, e);
    if (rd_ok(r) && binders != identities)
        rd_refuse_value(r, "binders", TROTH_R_PSK_BINDERS, binders);
}

void ext_psk_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (!(in & IN_CH)) {
        wr_u16(w, e->selected_identity);
        return;
    }
    size_t list = wr_open(w, 2);
    for (unsigned i = 0; i < e->n_psks; i++) {
        wr_opaque(w, 2, e->psks[i].identity);
        wr_u32(w, e->psks[i].obfuscated_ticket_age);
    }
    wr_close(w, list, 2);
    list = wr_open(w, 2);
    for (unsigned i = 0; i < e->n_psks; i++)
        wr_opaque(w, 1, e->psks[i].binder);
    wr_close(w, list, 2);
}

void ext_psk_modes_read(struct rd *r, struct exts *e, enum ext_in in)
{
    (void)in;
    e->psk_modes = rd_u8s(r, "ke_modes", "PskKeyExchangeMode", &names_psk_mode, 1, 1, 255);
}

void ext_psk_modes_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    (void)in;
    wr_list(w, 1, e->psk_modes);
}

void ext_early_data_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_NST)
        e->max_early_data_size = rd_u32(r, "max_early_data_size");
}

void ext_early_data_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & IN_NST)
        wr_u32(w, e->max_early_data_size);
}
