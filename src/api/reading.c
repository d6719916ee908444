/* reading.c - one message told to a witness by the reader that would have handled it.  Decides nothing. */
#include "api/api.h"
#include "api/dissect.h"
#include "explain/story.h"
#include "x509/cert.h"

static const char *type_name(uint8_t type, bool retry)
{
    switch (type) {
    case HS_hello_request: return "HelloRequest";
    case HS_client_hello: return "ClientHello";
    case HS_server_hello: return retry ? "HelloRetryRequest" : "ServerHello";
    case HS_new_session_ticket: return "NewSessionTicket";
    case HS_end_of_early_data: return "EndOfEarlyData";
    case HS_encrypted_extensions: return "EncryptedExtensions";
    case HS_certificate: return "Certificate";
    case HS_server_key_exchange: return "ServerKeyExchange";
    case HS_certificate_request: return "CertificateRequest";
    case HS_server_hello_done: return "ServerHelloDone";
    case HS_certificate_verify: return "CertificateVerify";
    case HS_client_key_exchange: return "ClientKeyExchange";
    case HS_finished: return "Finished";
    case HS_certificate_status: return "CertificateStatus";
    case HS_key_update: return "KeyUpdate";
    case HS_compressed_certificate: return "CompressedCertificate";
    default: return "unknown message";
    }
}

bool reading_certificate(const struct witness *w, enum direction from, span der, troth_error *e)
{
    struct cert c;
    w->message(w->self, &(struct saw_message){ .type = "X.509 certificate", .from = from, .raw = der });
    return cert_parse(&c, der, w, e);
}

static void certificates(const struct reading *r, const struct certificate *c)
{
    for (unsigned i = 0; i < c->n; i++) {
        troth_error ignored = { 0 }; /* a certificate that cannot be read is shown as far as it can */
        if (!reading_certificate(r->witness, r->from, c->entries[i].cert_data, &ignored))
            continue;
    }
}

/* What is inside a compressed message, as far as it can be expanded: shown as it would be without. */
static void expanded(const struct reading *x, const struct compressed_certificate *cc)
{
    enum { MOST = 1 << 18 };
    const troth_allocator *mem = plain_memory();
    size_t n = cc->uncompressed_length;
    const troth_compressor *how = compressor_built_in(cc->algorithm);
    uint8_t *p = how && n && n <= MOST ? mem->alloc(mem->ctx, n) : NULL;
    if (p && how->expand(p, n, cc->compressed_certificate_message) == n) {
        struct certificate c;
        struct rd_ctx ctx;
        rd_ctx_init(&ctx, span_of(p, n), NULL);
        struct rd r = rd_init(&ctx, span_of(p, n));
        if (certificate_read(&c, &r, NULL))
            certificates(x, &c);
    }
    if (p)
        mem->free(mem->ctx, p, n);
}

static bool hello(struct reading *x, struct rd *r)
{
    struct client_hello ch;
    TRY(client_hello_read_all(&ch, r));
    memcpy(x->random, ch.random.p, sizeof x->random);
    x->early = exts_have(&ch.exts, X_EARLY_DATA);
    x->ech = exts_have(&ch.exts, X_ENCRYPTED_CLIENT_HELLO);
    return true;
}

static bool answer(struct reading *x, struct rd *r)
{
    struct server_hello sh;
    TRY(server_hello_read(&sh, r));
    x->version = server_hello_version(&sh);
    x->suite = sh.cipher_suite;
    x->retry = server_hello_is_retry(&sh);
    memcpy(x->random, sh.random.p, sizeof x->random);
    TRY(exts_read(&sh.exts, r, x->retry ? IN_HRR : IN_SH, x->version == VERSION_TLS_1_3 ? x->version : VERSION_TLS_1_2, NULL));
    x->ems = exts_have(&sh.exts, X_EXTENDED_MASTER_SECRET);
    return true;
}

/* Messages that an older version has in another form, or another key exchange; false: it is none. */
static bool is_older(const struct reading *x, uint8_t type)
{
    bool keys = type == HS_server_key_exchange || type == HS_client_key_exchange;
    bool changed = type == HS_certificate_request || type == HS_certificate_verify || type == HS_server_key_exchange;
    return (keys && !key_exchange_is_ours(x->suite, x->version) && x->suite) || (changed && x->version < VERSION_TLS_1_2);
}

static bool body_older(const struct reading *x, uint8_t type, struct rd *r)
{
    switch (type) {
    case HS_server_key_exchange: return server_key_exchange_older_read(r, x->suite, x->version);
    case HS_client_key_exchange: return client_key_exchange_older_read(r, x->suite);
    case HS_certificate_request: return certificate_request_older_read(r);
    default: return certificate_verify_older_read(r);
    }
}

static bool body12(struct reading *x, uint8_t type, struct rd *r, struct certificate *c)
{
    union {
        struct certificate_request12 cr;
        struct server_key_exchange12 ske;
        struct client_key_exchange12 cke;
        struct certificate_status cs;
        struct new_session_ticket12 t;
        struct finished f;
    } u;
    switch (type) {
    case HS_certificate: return certificate12_read(c, r);
    case HS_certificate_request: return certificate_request12_read(&u.cr, r);
    case HS_server_key_exchange: return server_key_exchange12_read(&u.ske, r);
    case HS_client_key_exchange: return client_key_exchange12_read(&u.cke, r);
    case HS_certificate_status: return certificate_status_read(&u.cs, r);
    case HS_new_session_ticket: return new_session_ticket12_read(&u.t, r);
    case HS_finished: return finished_read(&u.f, r, x->finished_n);
    case HS_server_hello_done: return empty_message_read(r, "ServerHelloDone");
    case HS_hello_request: return empty_message_read(r, "HelloRequest");
    default: rd_rest(r, "unknown"); return rd_ok(r);
    }
}

static bool body13(struct reading *x, uint8_t type, struct rd *r, struct certificate *c)
{
    union {
        struct encrypted_extensions ee;
        struct certificate_request cr;
        struct compressed_certificate cc;
        struct new_session_ticket t;
        struct key_update k;
        struct finished f;
    } u;
    switch (type) {
    case HS_encrypted_extensions: return encrypted_extensions_read(&u.ee, r, NULL);
    case HS_certificate: return certificate_read(c, r, NULL);
    case HS_certificate_request: return certificate_request_read(&u.cr, r);
    case HS_compressed_certificate:
        TRY(compressed_certificate_read(&u.cc, r));
        expanded(x, &u.cc);
        return true;
    case HS_new_session_ticket: return new_session_ticket_read(&u.t, r);
    case HS_key_update: return key_update_read(&u.k, r);
    case HS_end_of_early_data: return empty_message_read(r, "EndOfEarlyData");
    case HS_finished: return finished_read(&u.f, r, x->finished_n);
    default: rd_rest(r, "unknown"); return rd_ok(r);
    }
}

bool reading_message(struct reading *x, span raw, troth_error *e)
{
    bool retry = raw.n >= 38 && raw.p[0] == HS_server_hello && !memcmp(raw.p + 6, hello_retry_random, 32);
    const char *name = type_name(raw.n ? raw.p[0] : 255, retry);
    uint8_t told = x->version == VERSION_TLS_1_3 ? 13 : x->version ? 12 : 0;
    x->witness->message(x->witness->self, &(struct saw_message){ .type = name, .from = x->from, .raw = raw, .version = told, .epoch = x->epoch });
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, raw, x->witness);
    struct rd whole = rd_init(&ctx, raw);
    uint8_t type;
    struct rd r = message_open(&whole, &type);
    struct certificate c = { .n = 0 };
    struct certificate_verify cv;
    bool ok = rd_ok(&r);
    if (ok && type == HS_client_hello)
        ok = hello(x, &r);
    else if (ok && type == HS_server_hello)
        ok = answer(x, &r);
    else if (ok && x->version && x->version != VERSION_TLS_1_3 && is_older(x, type))
        ok = body_older(x, type, &r);
    else if (ok && type == HS_certificate_verify)
        ok = certificate_verify_read(&cv, &r);
    else if (ok)
        ok = x->version == VERSION_TLS_1_3 || !x->version ? body13(x, type, &r, &c) : body12(x, type, &r, &c);
    if (ok && type == HS_certificate)
        certificates(x, &c);
    return ok ? true : error_from_rd(e, __FILE__, __LINE__, name, &r);
}
