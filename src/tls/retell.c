/* retell.c - reading what we wrote, as the peer will: for the witness, and in debug builds as a check on our writers.
 *
 * "We understand everything we say" is an invariant.  Must never change anything. */
#include "tls/flight.h"

#include "tls/certificate.h"

#ifdef TROTH_DEBUG
enum { ALWAYS = 1 };
#else
enum { ALWAYS = 0 };
#endif

/* The peer's view: what it asked for, so what we may answer. */
static struct ext_set asked_by_peer(const struct troth_conn *c, const struct hs *hs)
{
    struct ext_set set = { { 0 } };
    if (!hs)
        return set;
    if (c->cfg->is_server)
        return hs->hello.has;
    if (hs->wanted.staple)
        ext_set_add(&set, X_STATUS_REQUEST);
    if (hs->wanted.scts)
        ext_set_add(&set, X_SIGNED_CERTIFICATE_TIMESTAMP);
    if (hs->wanted.delegated.n)
        ext_set_add(&set, X_DELEGATED_CREDENTIAL);
    return set;
}

static bool read_server_hello(struct rd *r, const struct ext_set *asked)
{
    struct server_hello sh = { 0 };
    TRY(server_hello_read(&sh, r));
    return exts_read(&sh.exts, r, server_hello_is_retry(&sh) ? IN_HRR : IN_SH, server_hello_version(&sh), asked);
}

static bool read_back(struct troth_conn *c, uint8_t type, struct rd *r)
{
    const struct hs *hs = c->hs;
    struct ext_set asked = asked_by_peer(c, hs);
    union {
        struct client_hello ch;
        struct encrypted_extensions ee;
        struct certificate_request cr;
        struct certificate ct;
        struct compressed_certificate cc;
        struct certificate_verify cv;
        struct finished f;
        struct new_session_ticket t;
        struct key_update k;
    } u;
    memset(&u, 0, sizeof u);
    switch (type) {
    case HS_client_hello: return client_hello_read_all(&u.ch, r);
    case HS_server_hello: return read_server_hello(r, &asked);
    case HS_encrypted_extensions: return encrypted_extensions_read(&u.ee, r, &asked);
    case HS_certificate_request: return certificate_request_read(&u.cr, r);
    case HS_certificate: return certificate_read(&u.ct, r, &asked);
    case HS_compressed_certificate: return compressed_certificate_read(&u.cc, r);
    case HS_certificate_verify: return certificate_verify_read(&u.cv, r);
    case HS_finished: return finished_read(&u.f, r, hs ? hs->hash->n : 0);
    case HS_new_session_ticket: return new_session_ticket_read(&u.t, r);
    case HS_key_update: return key_update_read(&u.k, r);
    case HS_end_of_early_data: return empty_message_read(r, "EndOfEarlyData");
    default: return true; /* a form of another version: its file reads it */
    }
}

/* The forms that only TLS 1.2 has; ServerHello and the rest are the same readers. */
static bool read_back12(struct troth_conn *c, uint8_t type, struct rd *r)
{
    union {
        struct certificate_request12 cr;
        struct certificate ct;
        struct certificate_status cs;
        struct server_key_exchange12 ske;
        struct client_key_exchange12 cke;
        struct new_session_ticket12 t;
        struct finished f;
    } u;
    bool is_raw = c->own_type == TROTH_RAW_PUBLIC_KEY;
    memset(&u, 0, sizeof u);
    switch (type) {
    case HS_certificate_request: return certificate_request12_read(&u.cr, r);
    case HS_certificate: return is_raw ? raw_public_key12_read(&u.ct, r) : certificate12_read(&u.ct, r);
    case HS_certificate_status: return certificate_status_read(&u.cs, r);
    case HS_server_key_exchange: return server_key_exchange12_read(&u.ske, r);
    case HS_client_key_exchange: return client_key_exchange12_read(&u.cke, r);
    case HS_new_session_ticket: return new_session_ticket12_read(&u.t, r);
    case HS_server_hello_done: return empty_message_read(r, "ServerHelloDone");
    case HS_finished: return finished_read(&u.f, r, VERIFY_DATA_12_N);
    default: return read_back(c, type, r);
    }
}

static void tell_as(const struct troth_conn *c, span raw, bool ours, const char *name)
{
    const struct witness *w = c->witness;
    if (LIKELY(!w || !w->message))
        return;
    struct saw_message m = { .type = name,
                             .from = ours ? our_side(c) : peer_side(c),
                             .ours = ours,
                             .raw = raw,
                             .version = c->facts.version == TROTH_TLS13 ? 13 : c->facts.version == TROTH_TLS12 ? 12 : 0,
                             .epoch = ours ? c->rec.write.epoch : c->rec.read.epoch };
    w->message(w->self, &m);
}

void tell_message(const struct troth_conn *c, span raw, bool ours)
{
    bool retry = input_of(raw.p[0], raw) == M_HELLO_RETRY_REQUEST;
    tell_as(c, raw, ours, retry ? "HelloRetryRequest" : message_name(raw.p[0]));
}

void tell_inner_hello(const struct troth_conn *c, span raw, bool ours)
{
    tell_as(c, raw, ours, "ClientHelloInner");
}

static bool reread(struct troth_conn *c, span message)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, message, c->witness);
    struct rd whole = rd_init(&ctx, message);
    uint8_t type;
    struct rd r = message_open(&whole, &type);
    if (c->facts.version == TROTH_TLS12 ? read_back12(c, type, &r) : read_back(c, type, &r))
        return true;
    return fail(c, BUG, "our own %s cannot be read: %s at %u", message_name(type), ctx.bad ? ctx.bad : "?", (unsigned)ctx.bad_at);
}

bool retell(struct troth_conn *c, span message)
{
    if (LIKELY(!c->witness && !ALWAYS))
        return true;
    tell_message(c, message, true);
    return reread(c, message);
}

bool retell_inner_hello(struct troth_conn *c, span message)
{
    if (LIKELY(!c->witness && !ALWAYS))
        return true;
    tell_inner_hello(c, message, true);
    return reread(c, message);
}

/* clang-format off */
static const char *const names[256] = {
    [HS_hello_request]          = "HelloRequest",
    [HS_client_hello]           = "ClientHello",
    [HS_server_hello]           = "ServerHello",
    [HS_new_session_ticket]     = "NewSessionTicket",
    [HS_end_of_early_data]      = "EndOfEarlyData",
    [HS_encrypted_extensions]   = "EncryptedExtensions",
    [HS_certificate]            = "Certificate",
    [HS_server_key_exchange]    = "ServerKeyExchange",
    [HS_certificate_request]    = "CertificateRequest",
    [HS_server_hello_done]      = "ServerHelloDone",
    [HS_certificate_verify]     = "CertificateVerify",
    [HS_client_key_exchange]    = "ClientKeyExchange",
    [HS_finished]               = "Finished",
    [HS_certificate_status]     = "CertificateStatus",
    [HS_key_update]             = "KeyUpdate",
    [HS_compressed_certificate] = "CompressedCertificate",
};
/* clang-format on */

const char *message_name(uint8_t type)
{
    return names[type] ? names[type] : "unknown message";
}
