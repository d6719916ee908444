/* over_records.c - TLS on a stream: content becomes records, and records become content.
 *
 * Must never seal under keys that were not told to it last, nor act on a record that arrive() did not pass. */
#include "base/alerts.h"
#include "base/text.h"
#include "crypto/hkdf.h"
#include "tls/alert.h"
#include "tls/carrier.h"
#include "tls/engine.h"
#include "tls/nottls.h"

enum { LEVEL_WARNING = 1 };

/* ---- out */
static uint16_t version_of(const struct troth_conn *c)
{
    enum { FIRST_VERSION = 0x0301 }; /* of a first ClientHello's record, for old middleboxes (RFC 9846 5.1) */
    return c->hs && !c->cfg->is_server && !c->hs->first_sent ? FIRST_VERSION : TROTH_TLS12;
}

static bool put(struct troth_conn *c, uint8_t type, const span *parts, size_t n)
{
    troth_error e;
    error_none(&e);
    return outq_put(&c->rec.out, &e, &c->rec.write, type, version_of(c), parts, n) || trouble_take(&c->error, &e);
}

static uint8_t *place(struct troth_conn *c, size_t n)
{
    return protect_on(&c->rec.write) || n > c->rec.write.most ? NULL : outq_place(&c->rec.out, n);
}

static bool lend(struct troth_conn *c, uint8_t *message, size_t n)
{
    troth_error e;
    error_none(&e);
    return outq_lend(&c->rec.out, &e, &c->rec.write, CONTENT_HANDSHAKE, version_of(c), message, n) || trouble_take(&c->error, &e);
}

static bool own(struct troth_conn *c)
{
    return outq_own(&c->rec.out) || fail(c, OUT_OF_MEMORY, "for what was not sent yet");
}

static bool say(struct troth_conn *c, troth_event *e)
{
    if (outq_empty(&c->rec.out))
        return false;
    *e = (troth_event){ .kind = TROTH_SEND, .data = outq_span(&c->rec.out) };
    return true;
}

static size_t sent(struct troth_conn *c, size_t n)
{
    size_t waits = outq_span(&c->rec.out).n;
    n = n < waits ? n : waits;
    outq_sent(&c->rec.out, n);
    return n;
}

/* ---- in */
static void take_close(struct troth_conn *c, bool clear)
{
    alert_tell_received(c, LEVEL_WARNING, ALERT_close_notify, clear);
    if (c->ready) {
        c->close_seen = true;
        return;
    }
    engine_close(c); /* whoever closes says so, whatever the other did (RFC 9846 6.1) */
    (void)alert_received(c, c->rec.rules.canceled ? ALERT_user_canceled : ALERT_close_notify);
}

/* An error said as a warning is refused as such; what it said is the reason behind that. */
static void name_warning(troth_error *e, uint8_t alert)
{
    struct text t = TEXT_IN(e->detail);
    text_add(&t, "alert %s (%u)", name_of(&names_alert, alert), alert);
}

static void refuse_input(struct troth_conn *c, troth_error *e, const struct arrived *got)
{
    if (e->reason == TROTH_R_ALERT_WARNING)
        name_warning(e, got->alert);
    if (e->reason == TROTH_R_NOT_TLS)
        (void)not_tls(e, inbuf_left(&c->rec.in), !c->cfg->is_server);
    (void)trouble_take(&c->error, e);
}

/* Before the handshake is complete it is early data, of which there may be only so much (RFC 9846 4.3.10). */
static enum took take_data(struct troth_conn *c, size_t n)
{
    if (c->ready)
        return TOOK_DATA;
    if (n > c->early_left) {
        (void)fail(c, TOO_MUCH_EARLY_DATA, "%zu bytes more, of which %u were allowed", n, (unsigned)c->early_left);
        return TOOK;
    }
    c->early_left -= (uint32_t)n;
    return TOOK_DATA;
}

static enum took take(struct troth_conn *c, span *data)
{
    struct records *r = &c->rec;
    struct arrived got;
    troth_error e;
    error_none(&e);
    switch (arrive(&r->rules, &r->in, &r->read, &r->messages, &e, &got)) {
    case ARRIVED_NOTHING: return NEED_MORE;
    case ARRIVED_DATA:
        c->key_updates = c->tickets_seen = 0;
        r->in.want = INBUF_LARGE; /* data flows: from now on a read can bring in a whole record */
        *data = got.data;
        return take_data(c, got.data.n);
    case ARRIVED_HANDSHAKE: break;
    case ARRIVED_CCS: return TOOK_CCS;
    case ARRIVED_CLOSE: take_close(c, got.alert_clear); break;
    case ARRIVED_ALERT: alert_tell_received(c, got.alert_level, got.alert, got.alert_clear); (void)alert_received(c, got.alert); break;
    case ARRIVED_BAD: refuse_input(c, &e, &got); break;
    }
    return TOOK;
}

static bool room(struct troth_conn *c, troth_event *ev)
{
    troth_error e;
    error_none(&e);
    return inbuf_room(&c->rec.in, &e, &ev->room.p, &ev->room.n) || trouble_take(&c->error, &e);
}

/* ---- keys (RFC 9846 7.3) */
static bool keys(struct troth_conn *c, enum way way, uint8_t epoch, const struct secret *traffic)
{
    struct protect *p = way == READ ? &c->rec.read : &c->rec.write;
    const struct suite *s = suite_by_id(c->facts.suite);
    const troth_hash *h = provider_hash(c->cfg->provider, s->hash);
    const troth_aead *aead = provider_aead(c->cfg->provider, s->aead);
    uint8_t key[TROTH_AEAD_KEY_MAX], iv[IV_MAX];
    struct hmac_key k;
    hmac_key_init(&k, h, secret_span(traffic));
    bool ok = expand_label_key(&k, key, aead->key_n, "key", SPAN_NONE) && expand_label_key(&k, iv, aead->nonce_n, "iv", SPAN_NONE);
    hmac_key_wipe(&k);
    if (ok)
        protect_set(p, FORM_13, aead, key, iv, epoch);
    secret_wipe(key, sizeof key);
    secret_wipe(iv, sizeof iv);
    return ok || fail(c, BUG, "a key of %zu bytes cannot be derived", aead->key_n);
}

static void forget(struct troth_conn *c, bool all)
{
    protect_end(&c->rec.read);
    protect_end(&c->rec.write);
    inbuf_free(&c->rec.in);
    if (all)
        outq_free(&c->rec.out);
}

const struct carrier over_records = {
    .put = put,
    .place = place,
    .lend = lend,
    .own = own,
    .say = say,
    .sent = sent,
    .take = take,
    .room = room,
    .keys = keys,
    .forget = forget,
    .late = true,
    .closes = true,
};
