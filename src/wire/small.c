/* small.c - the messages of a line or two: Finished, KeyUpdate, NewSessionTicket, the empty ones, alerts (RFC 9846 4.5.3, 4.6, 4.7, 6). */
#include "wire/msg.h"

bool finished_read(struct finished *f, struct rd *r, size_t n)
{
    if (rd_ok(r) && rd_left(r) > n)
        rd_refuse_value(r, "verify_data", TROTH_R_FINISHED_LENGTH, rd_left(r));
    f->verify_data = rd_bytes(r, "verify_data", n);
    return rd_ok(r);
}

void finished_write(struct wr *w, const struct finished *f)
{
    wr_span(w, f->verify_data);
}

bool empty_message_read(struct rd *r, const char *name)
{
    rd_end(r, name);
    return rd_ok(r);
}

bool new_session_ticket_read(struct new_session_ticket *t, struct rd *r)
{
    *t = (struct new_session_ticket){ 0 };
    t->ticket_lifetime = rd_u32(r, "ticket_lifetime");
    t->ticket_age_add = rd_u32(r, "ticket_age_add");
    t->ticket_nonce = rd_opaque8(r, "ticket_nonce", 0, 255);
    t->ticket = rd_opaque16(r, "ticket", 1, 0xffff);
    exts_gather(r, &t->exts, IN_NST);
    rd_end(r, "NewSessionTicket");
    return exts_read(&t->exts, r, IN_NST, VERSION_TLS_1_3, NULL);
}

void new_session_ticket_write(struct wr *w, const struct new_session_ticket *t)
{
    wr_u32(w, t->ticket_lifetime);
    wr_u32(w, t->ticket_age_add);
    wr_opaque(w, 1, t->ticket_nonce);
    wr_opaque(w, 2, t->ticket);
    exts_write(w, &t->exts, IN_NST);
}

bool key_update_read(struct key_update *k, struct rd *r)
{
    k->request_update = rd_u8(r, "request_update", &names_key_update);
    rd_end(r, "KeyUpdate");
    if (rd_ok(r) && k->request_update > KEY_UPDATE_update_requested)
        rd_refuse_value(r, "request_update", TROTH_R_KEY_UPDATE_VALUE, k->request_update);
    return rd_ok(r);
}

void key_update_write(struct wr *w, const struct key_update *k)
{
    wr_u8(w, k->request_update);
}

bool alert_read(struct alert_message *a, struct rd *r)
{
    a->level = rd_u8(r, "level", &names_alert_level);
    a->description = rd_u8(r, "description", &names_alert);
    rd_end(r, "Alert");
    if (rd_ok(r) && a->level != ALERT_LEVEL_warning && a->level != ALERT_LEVEL_fatal)
        rd_refuse_value(r, "level", TROTH_R_ALERT_LEVEL_UNKNOWN, a->level);
    return rd_ok(r);
}

void alert_write(struct wr *w, const struct alert_message *a)
{
    wr_u8(w, a->level);
    wr_u8(w, a->description);
}
