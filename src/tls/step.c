/* step.c - looking up a row and taking its step.  Must never let a handler lead where its row does not. */
#include "tls/tls12.h"

/* clang-format off */
const struct step_table *const step_tables[] = {
    &steps_client, &steps_client13, &steps_client12, &steps_server, &steps_server13, &steps_server12, NULL
};

static const char *const state_names[STATE_COUNT] = {
#define S(name) #name,
    STATES(S)
#undef S
};

static const char *const input_names[INPUT_COUNT] = {
#define I(name) #name,
    INPUTS(I)
#undef I
};

/* HandshakeType -> input (RFC 9846 B.3). */
static const uint8_t inputs[256] = {
    [HS_hello_request]          = M_HELLO_REQUEST,
    [HS_client_hello]           = M_CLIENT_HELLO,
    [HS_server_hello]           = M_SERVER_HELLO,
    [HS_new_session_ticket]     = M_NEW_SESSION_TICKET,
    [HS_end_of_early_data]      = M_END_OF_EARLY_DATA,
    [HS_encrypted_extensions]   = M_ENCRYPTED_EXTENSIONS,
    [HS_certificate]            = M_CERTIFICATE,
    [HS_server_key_exchange]    = M_SERVER_KEY_EXCHANGE,
    [HS_certificate_request]    = M_CERTIFICATE_REQUEST,
    [HS_server_hello_done]      = M_SERVER_HELLO_DONE,
    [HS_certificate_verify]     = M_CERTIFICATE_VERIFY,
    [HS_client_key_exchange]    = M_CLIENT_KEY_EXCHANGE,
    [HS_finished]               = M_FINISHED,
    [HS_certificate_status]     = M_CERTIFICATE_STATUS,
    [HS_key_update]             = M_KEY_UPDATE,
    [HS_compressed_certificate] = M_COMPRESSED_CERTIFICATE,
};
/* clang-format on */

const char *state_name(enum state s)
{
    return (unsigned)s < STATE_COUNT ? state_names[s] : "?";
}

const char *input_name(enum input i)
{
    return (unsigned)i < INPUT_COUNT ? input_names[i] : "?";
}

enum input input_of(uint8_t handshake_type, span raw)
{
    enum { RANDOM_AT = 4 + 2, RANDOM_N = 32 };
    if (handshake_type == HS_server_hello
        && span_equal(span_slice(raw, RANDOM_AT, RANDOM_N), span_of(hello_retry_random, RANDOM_N)))
        return M_HELLO_RETRY_REQUEST;
    return inputs[handshake_type];
}

const struct step *step_find(bool server, enum state in, enum input on)
{
    for (size_t t = 0; step_tables[t]; t++)
        for (size_t i = 0; step_tables[t]->server == server && i < step_tables[t]->n; i++)
            if (step_tables[t]->rows[i].in == in && step_tables[t]->rows[i].on == on)
                return &step_tables[t]->rows[i];
    return NULL;
}

static bool step_do(struct troth_conn *c, const struct step *s, enum input on, const struct message *m)
{
    if (s->flags & ENDS_FLIGHT)
        TRY(conn_aligned(c));
    struct hs *hs = c->hs;
    if (hs && s->flags & KEEP_BEFORE)
        transcript_peek(&hs->transcript, &hs->before);
    if (hs && on < A_START && !(s->flags & NOT_HASHED) && !transcript_add(&hs->transcript, m->raw))
        return fail(c, BUG, "three messages wait for a hash");
    if (hs && hs->v12 && on < A_START && !(s->flags & NOT_HASHED))
        TRY(log12_add(c, m->raw, false));
    enum state next = s->act(c, m);
    if (next == S_FAILED)
        return trouble_is_set(&c->error) ? false : fail(c, BUG, "%s failed without a reason", s->name);
    if (!(s->to >> next & 1))
        return fail(c, BUG, "%s may not lead from %s to %s", s->name, state_name(s->in), state_name(next));
    c->state = (uint8_t)next;
    return true;
}

bool hs_take(struct troth_conn *c, enum input on, const struct message *m)
{
    const struct step *s = step_find(c->cfg->is_server, c->state, on);
    if (!s)
        return fail(c, UNEXPECTED_MESSAGE, "%s (%u) in state %s", input_name(on), m->type, state_name((enum state)c->state));
    return step_do(c, s, on, m);
}
