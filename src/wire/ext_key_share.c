/* ext_key_share.c - key_share (RFC 9846 4.3.8): a list from the client, one entry from the server, a group when it wants another.
 *
 * Whether a key exchange value fits its group is for whoever uses it. */
#include "wire/ext_rows.h"

static struct key_share entry_read(struct rd *r)
{
    const uint8_t *from = rd_group_open(r);
    struct key_share s = { 0 };
    s.group = rd_u16(r, "group", &names_group);
    s.key_exchange = rd_opaque16(r, "key_exchange", 1, 0xffff);
    rd_group_close(r, "KeyShareEntry", from);
    return s;
}

/* In a list that is too long, strangers make room for a group that could be chosen: a server that overlooks a share asks for one that was
 * sent, which its client may not stand (RFC 9846 4.3.8). */
static void make_room(struct exts *e, const struct key_share *s)
{
    for (unsigned i = 0; i < e->n_shares && name_find(&names_group, s->group); i++)
        if (!name_find(&names_group, e->shares[i].group)) {
            e->shares[i] = *s;
            return;
        }
}

static void client_shares_read(struct rd *r, struct exts *e)
{
    struct rd list = rd_vec16(r, "client_shares", 0, 0xffff);
    while (rd_more(&list)) {
        struct key_share s = entry_read(&list);
        if (!rd_ok(&list))
            return;
        if (share_for(e, s.group))
            rd_refuse_value(&list, "group", TROTH_R_KEY_SHARE_TWICE, s.group);
        else if (e->n_shares < LIMIT_KEY_SHARES)
            e->shares[e->n_shares++] = s;
        else
            make_room(e, &s);
    }
}

void ext_share_read(struct rd *r, struct exts *e, enum ext_in in)
{
    if (in & IN_CH) {
        client_shares_read(r, e);
    } else if (in & IN_HRR) {
        e->selected_group = rd_u16(r, "selected_group", &names_group);
    } else {
        e->shares[0] = entry_read(r);
        e->n_shares = 1;
    }
}

static void entry_write(struct wr *w, const struct key_share *s)
{
    wr_u16(w, s->group);
    wr_opaque(w, 2, s->key_exchange);
}

void ext_share_write(struct wr *w, const struct exts *e, enum ext_in in)
{
    if (in & IN_CH) {
        size_t list = wr_open(w, 2);
        for (unsigned i = 0; i < e->n_shares; i++) {
            entry_write(w, &e->shares[i]);
            if (e->share_at)
                e->share_at[i] = w->n - e->shares[i].key_exchange.n;
        }
        wr_close(w, list, 2);
    } else if (in & IN_HRR) {
        wr_u16(w, e->selected_group);
    } else {
        entry_write(w, &e->shares[0]);
    }
}
