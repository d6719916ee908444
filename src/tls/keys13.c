/* keys13.c - the key schedule of TLS 1.3.  Must never leave a stage behind that a later one has replaced. */
#include "tls/keys13.h"

#include "base/text.h"
#include "crypto/hkdf.h"

static const uint8_t zeros[TROTH_DIGEST_MAX];

/* "LABEL client_random secret" in hexadecimal (RFC 9850). */
static void log_secret(const struct told *told, const char *log_label, span value)
{
    char line[40 + 2 * 32 + 2 * SECRET_MAX + 4];
    struct text t = TEXT_IN(line);
    text_add(&t, "%s ", log_label);
    text_hex(&t, span_of(told->client_random, 32));
    text_add(&t, " ");
    text_hex(&t, value);
    told->key_log(told->key_log_ctx, line);
    secret_wipe(line, sizeof line);
}

void tell_secret(const struct told *told, const char *log_label, const char *label, const char *from, const troth_hash *hash,
                 span context, span value)
{
    if (UNLIKELY(told->key_log != NULL) && log_label)
        log_secret(told, log_label, value);
    const struct witness *w = told->witness;
    if (LIKELY(!w || !w->key))
        return;
    struct saw_key k = { .label = label, .from = from, .hash = hash->name, .context = context, .value = value };
    w->key(w->self, &k);
}

/* Lengths here are the hash's, so that expand_label cannot refuse them. */
static void expand(const troth_hash *h, uint8_t *out, size_t n, span secret, const char *label, span context)
{
    if (!expand_label(h, out, n, secret, label, context))
        memset(out, 0, n);
}

/* Several labels under one secret: the HMAC key is digested once. */
static void derive(struct secret *out, const struct hmac_key *k, const char *label, const struct digest *transcript)
{
    out->n = (uint8_t)k->h->n;
    if (!expand_label_key(k, out->b, out->n, label, digest_span(transcript)))
        memset(out->b, 0, sizeof out->b);
}

static void digest_nothing(const troth_hash *h, struct digest *out)
{
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    h->begin(state);
    h->peek(state, out->b);
    out->n = (uint8_t)h->n;
}

/* Derive-Secret(., "derived", ""), the salt of the next extraction. */
static void derived(struct secret *out, const troth_hash *h, const struct secret *from)
{
    struct digest nothing;
    digest_nothing(h, &nothing);
    out->n = (uint8_t)h->n;
    expand(h, out->b, out->n, secret_span(from), "derived", digest_span(&nothing));
}

void ks_begin(struct ks_early *out, const troth_hash *hash, span psk, const struct told *told)
{
    out->hash = hash;
    out->early.n = (uint8_t)hash->n;
    hkdf_extract(hash, out->early.b, SPAN_NONE, psk.n ? psk : span_of(zeros, hash->n));
    if (psk.n)
        tell_secret(told, NULL, "PSK", NULL, hash, SPAN_NONE, psk);
    tell_secret(told, NULL, "Early Secret", psk.n ? "PSK" : NULL, hash, SPAN_NONE, secret_span(&out->early));
}

void ks_binder(uint8_t *binder, const struct ks_early *from, bool external, const char *label, const struct digest *truncated_hello)
{
    const troth_hash *h = from->hash;
    struct secret key, finished;
    struct digest nothing;
    digest_nothing(h, &nothing);
    key.n = finished.n = (uint8_t)h->n;
    expand(h, key.b, key.n, secret_span(&from->early), label ? label : external ? "ext binder" : "res binder", digest_span(&nothing));
    expand(h, finished.b, finished.n, secret_span(&key), "finished", SPAN_NONE);
    hmac_once(h, binder, secret_span(&finished), digest_span(truncated_hello));
    secret_wipe(&key, sizeof key);
    secret_wipe(&finished, sizeof finished);
}

void ks_early_data(struct ks_early_data *out, const struct ks_early *from, const struct digest *client_hello, const struct told *told)
{
    struct hmac_key k;
    hmac_key_init(&k, from->hash, secret_span(&from->early));
    out->hash = from->hash;
    derive(&out->client, &k, "c e traffic", client_hello);
    derive(&out->exporter, &k, "e exp master", client_hello);
    hmac_key_wipe(&k);
    tell_secret(told, "CLIENT_EARLY_TRAFFIC_SECRET", "c e traffic", "Early Secret", out->hash, digest_span(client_hello),
                secret_span(&out->client));
    tell_secret(told, "EARLY_EXPORTER_SECRET", "e exp master", "Early Secret", out->hash, digest_span(client_hello),
                secret_span(&out->exporter));
}

void ks_enter_handshake(struct ks_handshake *out, struct ks_early *from, span shared, const struct digest *upto_server_hello,
                        const struct told *told)
{
    const troth_hash *h = from->hash;
    struct secret salt;
    struct hmac_key k;
    derived(&salt, h, &from->early);
    secret_wipe(from, sizeof *from);
    out->hash = h;
    out->handshake.n = (uint8_t)h->n;
    hkdf_extract(h, out->handshake.b, secret_span(&salt), shared.n ? shared : span_of(zeros, h->n));
    hmac_key_init(&k, h, secret_span(&out->handshake));
    derive(&out->client, &k, "c hs traffic", upto_server_hello);
    derive(&out->server, &k, "s hs traffic", upto_server_hello);
    hmac_key_wipe(&k);
    secret_wipe(&salt, sizeof salt);
    if (shared.n)
        tell_secret(told, NULL, "shared secret", NULL, h, SPAN_NONE, shared);
    tell_secret(told, NULL, "Handshake Secret", shared.n ? "shared secret" : "Early Secret", h, SPAN_NONE,
                secret_span(&out->handshake));
    tell_secret(told, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "c hs traffic", "Handshake Secret", h, digest_span(upto_server_hello),
                secret_span(&out->client));
    tell_secret(told, "SERVER_HANDSHAKE_TRAFFIC_SECRET", "s hs traffic", "Handshake Secret", h, digest_span(upto_server_hello),
                secret_span(&out->server));
}

void ks_finished(uint8_t *verify_data, const struct ks_handshake *from, bool of_client, const struct digest *transcript)
{
    const troth_hash *h = from->hash;
    struct secret key;
    key.n = (uint8_t)h->n;
    expand(h, key.b, key.n, secret_span(of_client ? &from->client : &from->server), "finished", SPAN_NONE);
    hmac_once(h, verify_data, secret_span(&key), digest_span(transcript));
    secret_wipe(&key, sizeof key);
}

void ks_enter_main(struct ks_main *out, const struct ks_handshake *from, const struct digest *upto_server_finished,
                   const struct told *told)
{
    const troth_hash *h = from->hash;
    struct secret salt;
    struct hmac_key k;
    derived(&salt, h, &from->handshake);
    out->hash = h;
    out->main.n = (uint8_t)h->n;
    hkdf_extract(h, out->main.b, secret_span(&salt), span_of(zeros, h->n));
    hmac_key_init(&k, h, secret_span(&out->main));
    derive(&out->client, &k, "c ap traffic", upto_server_finished);
    derive(&out->server, &k, "s ap traffic", upto_server_finished);
    derive(&out->exporter, &k, "exp master", upto_server_finished);
    hmac_key_wipe(&k);
    secret_wipe(&salt, sizeof salt);
    span at = digest_span(upto_server_finished);
    tell_secret(told, NULL, "Main Secret", "Handshake Secret", h, SPAN_NONE, secret_span(&out->main));
    tell_secret(told, "CLIENT_TRAFFIC_SECRET_0", "c ap traffic", "Main Secret", h, at, secret_span(&out->client));
    tell_secret(told, "SERVER_TRAFFIC_SECRET_0", "s ap traffic", "Main Secret", h, at, secret_span(&out->server));
    tell_secret(told, "EXPORTER_SECRET", "exp master", "Main Secret", h, at, secret_span(&out->exporter));
}

void ks_leave_handshake(struct ks_handshake *from)
{
    secret_wipe(from, sizeof *from);
}

void ks_resumption(struct ks_main *stage, const struct digest *upto_client_finished, const struct told *told)
{
    struct secret resumption = { .n = (uint8_t)stage->hash->n };
    expand(stage->hash, resumption.b, resumption.n, secret_span(&stage->main), "res master", digest_span(upto_client_finished));
    secret_wipe(&stage->main, sizeof stage->main);
    stage->resumption = resumption;
    secret_wipe(&resumption, sizeof resumption);
    tell_secret(told, NULL, "res master", "Main Secret", stage->hash, digest_span(upto_client_finished),
                secret_span(&stage->resumption));
}

void ks_ticket_psk(uint8_t *psk, const struct ks_main *from, span ticket_nonce)
{
    expand(from->hash, psk, from->hash->n, secret_span(&from->resumption), "resumption", ticket_nonce);
}

void ks_update(const troth_hash *hash, struct secret *traffic)
{
    struct secret next;
    expand(hash, next.b, hash->n, secret_span(traffic), "traffic upd", SPAN_NONE);
    memcpy(traffic->b, next.b, hash->n);
    secret_wipe(&next, sizeof next);
}

bool ks_export(const troth_hash *hash, const struct secret *exporter, const char *label, span context, uint8_t *out, size_t n)
{
    struct digest nothing, of_context;
    struct secret own;
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    digest_nothing(hash, &nothing);
    hash->begin(state);
    if (context.n)
        hash->add(state, context.p, context.n);
    hash->peek(state, of_context.b);
    of_context.n = own.n = (uint8_t)hash->n;
    bool ok = expand_label(hash, own.b, own.n, secret_span(exporter), label, digest_span(&nothing))
           && expand_label(hash, out, n, secret_span(&own), "exporter", digest_span(&of_context));
    secret_wipe(&own, sizeof own);
    return ok;
}
