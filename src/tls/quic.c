/* quic.c - what QUIC asks of a handshake (RFC 9001 4, 8): transport parameters, an application protocol, tickets for early data.
 *
 * Must never let a connection of QUIC be made without the peer's transport parameters, nor let any other connection have them. */
#include "tls/quic.h"

#include "tls/carrier.h"
#include "tls/session.h"

enum { EARLY_DATA_SIZE = -1 }; /* as uint32_t: the only max_early_data_size that a ticket of QUIC may have (RFC 9001 4.6.1) */

/* ---- quic_transport_parameters (RFC 9001 8.2) */
bool quic_put(struct troth_conn *c, struct exts *e)
{
    if (!c->quic)
        return true;
    if (!c->quic->has_parameters)
        return fail(c, WRONG_TIME, "troth_quic_parameters was not called");
    e->quic_transport_parameters = c->quic->parameters;
    exts_add(e, X_QUIC_TRANSPORT_PARAMETERS);
    return true;
}

static bool take_parameters(struct troth_conn *c, const struct exts *e, const char *message)
{
    if (!exts_have(e, X_QUIC_TRANSPORT_PARAMETERS))
        return fail(c, QUIC_NO_PARAMETERS, "in %s", message);
    struct rare *rare = conn_rare(c);
    return rare && conn_keep(c, &rare->quic_parameters, e->quic_transport_parameters);
}

bool quic_hello(struct troth_conn *c, const struct client_hello *ch)
{
    const struct exts *e = &ch->exts;
    if (!c->quic)
        return !exts_have(e, X_QUIC_TRANSPORT_PARAMETERS) || fail(c, QUIC_PARAMETERS_HERE, "%zu bytes", e->quic_transport_parameters.n);
    if (ch->legacy_session_id.n)
        return fail(c, QUIC_SESSION_ID, "%zu bytes", ch->legacy_session_id.n);
    if (!exts_have(e, X_ALPN))
        return fail(c, QUIC_NO_ALPN, "the client offers none");
    if (c->hs->hello.retried && !span_equal(c->rare->quic_parameters, e->quic_transport_parameters))
        return fail(c, HELLO_CHANGED, "the transport parameters are not those of the first");
    return take_parameters(c, e, "ClientHello");
}

bool quic_answer(struct troth_conn *c, const struct exts *e)
{
    if (!c->quic)
        return true;
    if (!c->facts.alpn.n)
        return fail(c, QUIC_NO_ALPN, "the server chose none");
    return take_parameters(c, e, "EncryptedExtensions");
}

/* ---- early data (RFC 9001 4.6) */
bool quic_ticket(struct troth_conn *c, const struct new_session_ticket *t)
{
    if (!c->quic || !exts_have(&t->exts, X_EARLY_DATA) || t->exts.max_early_data_size == (uint32_t)EARLY_DATA_SIZE)
        return true;
    return fail(c, QUIC_EARLY_DATA_SIZE, "max_early_data_size %u", (unsigned)t->exts.max_early_data_size);
}

span quic_early(const struct troth_conn *c)
{
    return c->quic ? c->quic->early : SPAN_NONE;
}

const char *quic_early_unfit(const struct troth_conn *c, const struct session *s)
{
    if (!c->quic)
        return NULL;
    if (!c->quic->early.n)
        return "troth_quic_parameters was not told what early data rests on";
    return span_equal(c->quic->early, s->quic_early) ? NULL : "it rests on other transport parameters than those of now (RFC 9000 7.4.1)";
}

/* ---- the number that CONNECTION_CLOSE carries (RFC 9000 20.1) */
uint64_t quic_error(const troth_error *e)
{
    enum { NO_ERROR = 0, INTERNAL_ERROR = 1, PROTOCOL_VIOLATION = 0xa, CRYPTO_BUFFER_EXCEEDED = 0xd, CRYPTO_ERROR = 0x100 };
    static const struct { uint16_t reason, number; } own[] = {
        { TROTH_R_NONE, NO_ERROR },
        { TROTH_R_QUIC_LEVEL, PROTOCOL_VIOLATION },           /* RFC 9001 4.1.3 */
        { TROTH_R_MESSAGE_LEFTOVER, PROTOCOL_VIOLATION },     /* likewise       */
        { TROTH_R_QUIC_LATE_REQUEST, PROTOCOL_VIOLATION },    /* RFC 9001 4.4   */
        { TROTH_R_QUIC_EARLY_DATA_SIZE, PROTOCOL_VIOLATION }, /* RFC 9001 4.6.1 */
        { TROTH_R_QUIC_SESSION_ID, PROTOCOL_VIOLATION },      /* RFC 9001 8.4   */
        { TROTH_R_QUIC_TOO_MUCH, CRYPTO_BUFFER_EXCEEDED },
    };
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (own[i].reason == e->reason)
            return own[i].number;
    return e->alert == ALERT_NONE_BELONGS ? INTERNAL_ERROR : CRYPTO_ERROR + e->alert;
}
