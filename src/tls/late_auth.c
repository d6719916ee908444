/* late_auth.c - post-handshake client authentication (RFC 9846 4.7.2).
 *
 * A small handshake of its own: it begins with the transcript as it was at the end of the first one, and lives as long as the exchange.
 * Must never call a client authenticated before its Finished was checked, and never let anything come between the messages of an answer. */
#include "tls/late_auth.h"

#include "tls/auth.h"
#include "tls/carrier.h"
#include "tls/certificate.h"
#include "tls/flight.h"
#include "tls/peer.h"
#include "tls/types.h"

enum { CONTEXT_N = 16 };

static bool trusts(const struct config *cfg)
{
    return cfg->policy || cfg->n_pins || cfg->trust_anyone;
}

bool late_may_ask(const struct troth_conn *c)
{
    bool asks = trusts(c->cfg) && !c->facts.psk_external; /* RFC 9846 4.4.2 */
    return asks && carrier_of(c)->late && ext_set_has(&c->hs->hello.has, X_POST_HANDSHAKE_AUTH);
}

bool late_keep(struct troth_conn *c)
{
    const struct hs *hs = c->hs;
    const struct config *cfg = c->cfg;
    if (cfg->is_server ? !late_may_ask(c) || !types_agreed(c) : !cfg->post_handshake_auth || !carrier_of(c)->late)
        return true;
    struct rare *rare = conn_rare(c);
    struct late *late = rare ? arena_alloc(&c->keep, sizeof *late) : NULL;
    if (!late)
        return fail(c, OUT_OF_MEMORY, "for a transcript");
    *late = (struct late){ .transcript = hs->transcript, .suite = hs->suite, .hash = hs->hash };
    rare->late = late;
    return cfg->is_server || conn_keep(c, &late->types_offered, hs->types_offered);
}

static const struct late *kept(const struct troth_conn *c)
{
    return c->rare ? c->rare->late : NULL;
}

static bool begin(struct troth_conn *c, const struct late *late)
{
    TRY(hs_begin(c, 0));
    struct hs *hs = c->hs;
    hs->transcript = late->transcript;
    hs->suite = late->suite;
    hs->hash = late->hash;
    hs->types_offered = late->types_offered;
    hs->first_sent = true;
    conn_padding(c);
    return true;
}

/* Finished is made with the client's traffic secret of now (RFC 9846 4.5). */
static void use_secret(struct troth_conn *c)
{
    struct ks_handshake *ks = &c->hs->ks.handshake;
    ks->hash = c->hs->hash;
    ks->client = c->keys.client;
    c->hs->stage = KS_HANDSHAKE;
}

/* ---- client */
static enum state finish(struct troth_conn *c)
{
    use_secret(c);
    c->hs->flight.held = false;
    return auth_send_finished(c) ? S_CONNECTED : S_FAILED;
}

static bool read_request(struct troth_conn *c, const struct message *m)
{
    struct certificate_request cr = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_request_read(&cr, &r))
        return fail_read(c, "CertificateRequest", &r);
    if (!cr.certificate_request_context.n)
        return fail(c, LATE_CONTEXT, "certificate_request_context is empty");
    return types_asked(c) && wanted_from_request(c, &cr);
}

static enum state answer(struct troth_conn *c)
{
    bool asked = false;
    c->hs->flight.held = true; /* an answer goes out as a whole, also when its signature takes time */
    if (!certificate_answer(c))
        return S_FAILED;
    if (!c->hs->identity)
        return finish(c);
    if (!auth_sign(c, &asked))
        return S_FAILED;
    return asked ? S_WAIT_LATE_SIGN : finish(c);
}

enum state on_late_request(struct troth_conn *c, const struct message *m)
{
    if (!carrier_of(c)->late) {
        (void)fail(c, QUIC_LATE_REQUEST, "CertificateRequest");
        return S_FAILED;
    }
    const struct late *late = kept(c);
    if (!late) {
        (void)fail(c, UNEXPECTED_MESSAGE, "CertificateRequest, and post_handshake_auth was not offered");
        return S_FAILED;
    }
    if (c->close_sent) /* nothing is said any more */
        return S_CONNECTED;
    if (!begin(c, late) || !transcript_add(&c->hs->transcript, m->raw) || !read_request(c, m))
        return S_FAILED;
    return certificate_ask(c) ? S_WAIT_LATE_CLIENT : answer(c);
}

/* Whoever closed while the application was asked says nothing any more. */
enum state on_late_client(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return c->close_sent ? S_CONNECTED : answer(c);
}

enum state on_late_signature(struct troth_conn *c, const struct message *m)
{
    if (c->close_sent)
        return S_CONNECTED;
    return auth_answered(c, m->raw) ? finish(c) : S_FAILED;
}

/* ---- server */
bool late_ask(struct troth_conn *c)
{
    uint8_t context[CONTEXT_N];
    const struct late *late = kept(c);
    if (!late && trusts(c->cfg) && carrier_of(c)->late)
        return false; /* it is the client's to offer: no reason to fail */
    if (!late || c->state != S_CONNECTED)
        return fail(c, WRONG_TIME, "troth_ask_again %s", late                 ? "while the client is asked already"
                                                      : carrier_of(c)->late ? "where nobody is trusted"
                                                                            : "with QUIC (RFC 9001 4.4)");
    TRY(begin(c, late) && conn_random(c, context, sizeof context) && hs_keep(c, &c->hs->wanted.context, SPAN_OF(context)));
    TRY(certificate_request_send(c) && flight_flush(c));
    c->state = S_WAIT_LATE_CERT;
    return true;
}

/* The rest of the answer comes next, not even data before it: whose would it be? */
static enum state took(struct troth_conn *c, bool ok, bool empty)
{
    c->rec.rules.take_data = false;
    return !ok ? S_FAILED : empty ? S_WAIT_LATE_FINISHED : S_WAIT_LATE_CV;
}

enum state on_late_certificate(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    struct ext_set asked = certificate_request_asks(c->cfg);
    bool ok = peer_certificate13(c, m, &asked, &empty);
    return took(c, ok, empty);
}

enum state on_late_compressed(struct troth_conn *c, const struct message *m)
{
    bool empty = false;
    struct ext_set asked = certificate_request_asks(c->cfg);
    bool ok = peer_compressed13(c, m, &asked, &empty);
    return took(c, ok, empty);
}

enum state on_late_verify(struct troth_conn *c, const struct message *m)
{
    if (!auth_verify(c, m))
        return S_FAILED;
    return peer_ask_verdict(c) ? S_WAIT_LATE_VERDICT : S_WAIT_LATE_FINISHED;
}

enum state on_late_verdict(struct troth_conn *c, const struct message *m)
{
    (void)m;
    return peer_take_verdict(c) ? S_WAIT_LATE_FINISHED : S_FAILED;
}

enum state on_late_finished(struct troth_conn *c, const struct message *m)
{
    use_secret(c);
    if (!auth_check_finished(c, m))
        return S_FAILED;
    peer_proved(c);
    c->rec.rules.take_data = true;
    c->events |= WAITS_CLIENT_AUTH;
    return S_CONNECTED;
}
