/* quic.c - what QUIC libraries call: NULL is a valid argument here too. */
#include "api/api.h"
#include "tls/alert.h"
#include "tls/engine.h"
#include "tls/quic.h"

void troth_quic(troth_builder *b)
{
    if (builder_ok(b))
        b->config.quic = true;
}

bool quic_fits(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (!c->quic)
        return true;
    const struct { bool bad; const char *what; } no[] = {
        { !c->alpn.n, "troth_alpn is needed (RFC 9001 8.1)" },
        { c->alpn_optional, "troth_alpn_optional: there must be a protocol (RFC 9001 8.1)" },
        { c->most < TROTH_TLS13, "troth_versions: TLS 1.3 is needed (RFC 9001 4.2)" },
        { c->post_handshake_auth, "troth_post_handshake_auth: not after the handshake (RFC 9001 4.4)" },
        { c->record_size_limit || c->max_fragment != LIMIT_PLAINTEXT || c->padding != TROTH_PAD_NONE, "there are no records to shape" },
    };
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (no[i].bad)
            return fail(b, BAD_ARGUMENT, "troth_quic: %s", no[i].what);
    c->least = TROTH_TLS13;
    c->middlebox = false; /* RFC 9001 8.4 */
    if (c->early_data)
        c->early_data = UINT32_MAX; /* RFC 9001 4.6.1 */
    return true;
}

/* A connection of QUIC that may still be spoken to. */
static bool is_quic(troth_conn *c, const char *call)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    return c->quic || fail(c, WRONG_ROLE, "%s: the configuration was built without troth_quic", call);
}

void troth_quic_parameters(troth_conn *c, troth_span parameters, troth_span early)
{
    if (!is_quic(c, "troth_quic_parameters"))
        return;
    struct quic *q = c->quic;
    if (c->state != S_START && c->question != ASK_SERVER)
        (void)fail(c, WRONG_TIME, "troth_quic_parameters: too late");
    else if (early.n && !c->cfg->is_server)
        (void)fail(c, WRONG_ROLE, "troth_quic_parameters: what early data rests on is for servers to say");
    else if (parameters.n > LIMIT_QUIC_PARAMETERS || early.n > LIMIT_QUIC_PARAMETERS)
        (void)fail(c, BAD_ARGUMENT, "troth_quic_parameters: %zu and %zu bytes", parameters.n, early.n);
    else
        q->has_parameters = conn_keep(c, &q->parameters, parameters) && conn_keep(c, &q->early, early);
}

bool troth_quic_received(troth_conn *c, enum troth_level level, troth_span crypto)
{
    if (!is_quic(c, "troth_quic_received"))
        return false;
    if (!crypto.n)
        return true;
    c->bytes_in += crypto.n;
    if (c->witness && c->witness->flight)
        c->witness->flight(c->witness->self, peer_side(c), crypto.n);
    return quic_received(c, (uint8_t)level, crypto);
}

enum troth_level troth_quic_read_level(const troth_conn *c)
{
    return c ? (enum troth_level)c->rec.read.epoch : TROTH_LEVEL_INITIAL;
}

enum troth_level troth_quic_write_level(const troth_conn *c)
{
    return c ? (enum troth_level)c->rec.write.epoch : TROTH_LEVEL_INITIAL;
}

uint64_t troth_quic_error(const troth_conn *c)
{
    static const troth_error none = { .reason = TROTH_R_NONE };
    return quic_error(troth_why(c) ? troth_why(c) : &none);
}

void troth_quic_closed(troth_conn *c, uint64_t code)
{
    enum { CRYPTO_ERROR = 0x100, LAST_ALERT = 0x1ff };
    if (!is_quic(c, "troth_quic_closed"))
        return;
    if (code >= CRYPTO_ERROR && code <= LAST_ALERT) {
        alert_tell_received(c, 2, (uint8_t)code, false);
        (void)alert_received(c, (uint8_t)code);
    } else {
        (void)fail(c, QUIC_CLOSED, "with error 0x%llx", (unsigned long long)code);
    }
    engine_fail(c);
}
