/* hooks.c - the calls of hooks.h for features that are not there: nothing is offered, nothing is accepted.  Each moves to its own
 * file when its feature comes. */
#include "tls/hooks.h"

bool psk_offer(struct troth_conn *c, struct client_hello *ch)
{
    (void)c, (void)ch;
    return true;
}

bool psk_bind(struct troth_conn *c, const struct client_hello *ch, uint8_t *message, size_t n)
{
    (void)c, (void)ch, (void)message, (void)n;
    return true;
}

bool psk_selected(struct troth_conn *c, const struct server_hello *sh)
{
    (void)c, (void)sh; /* pre_shared_key was not offered, so the walker refuses an answer to it */
    return true;
}

bool psk_choose(struct troth_conn *c, const struct client_hello *ch, span raw)
{
    (void)c, (void)ch, (void)raw; /* no PSK is known: a full handshake (RFC 9846 4.3.11) */
    return true;
}

bool early_start(struct troth_conn *c)
{
    (void)c;
    return true;
}

bool early_answer(struct troth_conn *c, bool accepted)
{
    (void)c, (void)accepted;
    return true;
}

bool early_end(struct troth_conn *c)
{
    (void)c;
    return true;
}

bool early_choose(struct troth_conn *c, const struct client_hello *ch, bool *accepted)
{
    (void)c, (void)ch;
    *accepted = false;
    return true;
}

bool tickets_send(struct troth_conn *c)
{
    (void)c;
    return true;
}

/* Read and counted, so that a malformed one or a flood is refused; not kept. */
bool tickets_took(struct troth_conn *c, const struct message *m)
{
    struct new_session_ticket t = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!new_session_ticket_read(&t, &r))
        return fail_read(c, "NewSessionTicket", &r);
    if (++c->tickets_seen > LIMIT_TICKETS_SEEN)
        return fail(c, TICKET_FLOOD, "more than %d", LIMIT_TICKETS_SEEN);
    return true;
}

bool ech_offer(struct troth_conn *c, struct client_hello *ch)
{
    (void)c, (void)ch;
    return true;
}

bool ech_answer(struct troth_conn *c, const struct server_hello *sh, const struct message *m)
{
    (void)c, (void)sh, (void)m;
    return true;
}

bool ech_finish(struct troth_conn *c)
{
    (void)c;
    return true;
}

bool ech_open(struct troth_conn *c, struct client_hello *ch, const struct message *m)
{
    (void)c, (void)ch, (void)m;
    return true;
}

bool ech_confirm(struct troth_conn *c, uint8_t *server_random)
{
    (void)c, (void)server_random;
    return true;
}

bool session12_offer(struct troth_conn *c, struct client_hello *ch)
{
    (void)c;
    (void)ch;
    return true;
}

bool session12_answered(struct troth_conn *c, const struct server_hello *sh)
{
    (void)c;
    (void)sh;
    return true;
}

bool session12_choose(struct troth_conn *c, const struct client_hello *ch)
{
    (void)c;
    (void)ch;
    return true;
}

bool session12_announce(struct troth_conn *c, const struct client_hello *ch, struct server_hello *sh)
{
    (void)c;
    (void)ch;
    (void)sh;
    return true;
}

bool session12_send_ticket(struct troth_conn *c)
{
    return fail(c, BUG, "a session ticket was promised that cannot be made");
}

bool session12_took(struct troth_conn *c, const struct message *m)
{
    struct new_session_ticket12 t = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    return new_session_ticket12_read(&t, &r) || fail_read(c, "NewSessionTicket", &r);
}

bool session12_keep(struct troth_conn *c)
{
    (void)c;
    return true;
}
