/* late.c - KeyUpdate.  Must never answer a flood with a flood: requests that come while one answer waits are one request. */
#include "tls/late.h"

#include "tls/carrier.h"
#include "tls/flight.h"
#include "tls/hooks.h"

static bool next_keys(struct troth_conn *c, enum way way)
{
    bool client_sends = c->cfg->is_server == (way == READ);
    struct secret *traffic = client_sends ? &c->keys.client : &c->keys.server;
    struct told told = told_of(c);
    ks_update(c->keys.hash, traffic);
    tell_secret(&told, NULL, "traffic upd", client_sends ? "c ap traffic" : "s ap traffic", c->keys.hash, SPAN_NONE,
                secret_span(traffic));
    return conn_keys13(c, way, EPOCH_APPLICATION, traffic);
}

static bool update(struct troth_conn *c, bool ask)
{
    struct key_update k = { ask ? KEY_UPDATE_update_requested : KEY_UPDATE_update_not_requested };
    TRY(flight_post(c, HS_key_update, body_key_update, &k));
    c->update_asked = c->update_asked || ask;
    c->peer_wants_update = c->peer_wants_update && ask; /* a question is no answer (RFC 9846 4.7.3) */
    return next_keys(c, WRITE);
}

bool late_update_keys(struct troth_conn *c, bool peer_too)
{
    if (!carrier_of(c)->late)
        return fail(c, WRONG_TIME, "troth_update_keys: QUIC updates its keys itself (RFC 9001 6)");
    bool ask = peer_too && !c->update_asked; /* no second question before the peer said something (likewise) */
    TRY(!ask || !c->peer_wants_update || update(c, false));
    return update(c, ask);
}

bool late_before_write(struct troth_conn *c)
{
    if (c->facts.version != TROTH_TLS13)
        return true;
    if (c->peer_wants_update || protect_wants_update(&c->rec.write))
        return late_update_keys(c, false);
    return true;
}

enum state on_key_update(struct troth_conn *c, const struct message *m)
{
    struct key_update k = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!carrier_of(c)->late) {
        (void)fail(c, UNEXPECTED_MESSAGE, "KeyUpdate, and QUIC updates its keys itself (RFC 9001 6)");
        return S_FAILED;
    }
    if (!key_update_read(&k, &r)) {
        (void)fail_read(c, "KeyUpdate", &r);
        return S_FAILED;
    }
    if (!c->update_asked && ++c->key_updates > LIMIT_KEY_UPDATES) {
        (void)fail(c, KEY_UPDATE_FLOOD, "%u in a row without application data", c->key_updates);
        return S_FAILED;
    }
    c->update_asked = false; /* it may be the answer, or have crossed our question: either way we may ask again */
    if (k.request_update == KEY_UPDATE_update_requested)
        c->peer_wants_update = true;
    return next_keys(c, READ) ? (enum state)c->state : S_FAILED;
}

enum state on_new_session_ticket(struct troth_conn *c, const struct message *m)
{
    return tickets_took(c, m) ? S_CONNECTED : S_FAILED;
}
