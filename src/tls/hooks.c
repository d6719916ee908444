/* hooks.c - the calls of hooks.h for features that are not there: nothing is offered, nothing is accepted.  Each moves to its own
 * file when its feature comes. */
#include "tls/hooks.h"

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
