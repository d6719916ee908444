/* tls12.c - what both roles of TLS 1.2 share.  Must never accept a handshake without the extended master secret, nor data before the
 * peer's Finished. */
#include "tls/tls12.h"

#include "crypto/known.h"
#include "tls/auth.h"
#include "tls/flight.h"
#include "tls/keys12.h"

bool tls12_enter(struct troth_conn *c)
{
    c->rec.rules.tls13 = false;
    c->rec.rules.drop_ccs = false;
    c->rec.rules.take_ccs = false;
    c->hs->v12 = arena_alloc(&c->hs->arena, sizeof *c->hs->v12);
    return c->hs->v12 || fail(c, OUT_OF_MEMORY, "for a TLS 1.2 handshake");
}

bool tls12_check_hello(struct troth_conn *c, const struct exts *e, const char *hello)
{
    if (!exts_have(e, X_EXTENDED_MASTER_SECRET))
        return fail(c, NO_EXTENDED_MASTER_SECRET, "%s without extended_master_secret", hello);
    if (exts_have(e, X_RENEGOTIATION_INFO) && e->renegotiated_connection.n)
        return fail(c, BAD_RENEGOTIATION_INFO, "renegotiated_connection of %zu bytes in a first handshake", e->renegotiated_connection.n);
    if (exts_have(e, X_EC_POINT_FORMATS) && !bytes_have(e->ec_point_formats, 0))
        return fail(c, NO_UNCOMPRESSED_POINTS, "ec_point_formats without uncompressed");
    return true;
}

/* ---- messages as bytes */
void log12_begin(struct troth_conn *c)
{
    c->hs->v12->log_on = true;
}

bool log12_add(struct troth_conn *c, span message, bool lives)
{
    struct hs12 *v = c->hs->v12;
    if (!v->log_on)
        return true;
    if (v->n_log == LOG12_MAX)
        return fail(c, BUG, "more messages than a TLS 1.2 handshake has");
    span kept = message;
    TRY(lives || hs_keep(c, &kept, message));
    v->log[v->n_log++] = kept;
    return true;
}

void log12_end(struct troth_conn *c)
{
    c->hs->v12->log_on = false; /* its memory goes with the arena */
    c->hs->v12->n_log = 0;
}

/* ---- keys */
static struct randoms randoms_of(const struct troth_conn *c)
{
    return (struct randoms){ c->facts.client_random, c->facts.server_random };
}

void tls12_master(struct troth_conn *c, uint8_t *premaster, size_t n)
{
    struct hs *hs = c->hs;
    struct digest session;
    struct told told = told_of(c);
    transcript_peek(&hs->transcript, &session);
    ks12_master(&hs->ks.tls12, hs->hash, span_of(premaster, n), &session, &told);
    hs->stage = KS_12;
    c->facts.extended_master_secret = true;
    secret_wipe(premaster, n);
}

static void tell_write_key(const struct troth_conn *c, bool of_client, const uint8_t *key)
{
    struct told told = told_of(c);
    struct randoms r = randoms_of(c);
    uint8_t seed[64];
    if (LIKELY(!told.witness))
        return;
    memcpy(seed, r.server, 32);
    memcpy(seed + 32, r.client, 32);
    tell_secret(&told, NULL, of_client ? "client write key" : "server write key", "master secret", c->hs->ks.tls12.hash, SPAN_OF(seed),
                span_of(key, c->hs->aead->key_n));
}

bool conn_keys12(struct troth_conn *c, enum way way)
{
    struct hs *hs = c->hs;
    uint8_t key[TROTH_AEAD_KEY_MAX], iv[IV_MAX];
    bool of_client = c->cfg->is_server == (way == READ);
    size_t iv_n = protect_iv_n(FORM_12, hs->aead);
    TRY(way == READ ? conn_aligned(c) : flight_flush(c));
    ks12_traffic(key, hs->aead->key_n, iv, iv_n, &hs->ks.tls12, randoms_of(c), of_client);
    tell_write_key(c, of_client, key);
    protect_set(way == READ ? &c->rec.read : &c->rec.write, FORM_12, hs->aead, key, iv, EPOCH_APPLICATION);
    secret_wipe(key, sizeof key);
    secret_wipe(iv, sizeof iv);
    return true;
}

bool tls12_send_finished(struct troth_conn *c)
{
    uint8_t verify_data[VERIFY_DATA_12_N];
    struct digest transcript;
    TRY(flight_flush(c));
    protect_tell_clear(&c->rec.write, CONTENT_CHANGE_CIPHER_SPEC, 1);
    TRY(flight_put_ccs(c));
    TRY(conn_keys12(c, WRITE));
    transcript_peek(&c->hs->transcript, &transcript);
    ks12_finished(verify_data, &c->hs->ks.tls12, !c->cfg->is_server, &transcript);
    ct_public(verify_data, sizeof verify_data); /* the peer gets it */
    struct finished f = { SPAN_OF(verify_data) };
    return flight_add(c, HS_finished, body_finished, &f);
}

enum state on_change_cipher_spec(struct troth_conn *c, const struct message *m)
{
    (void)m;
    c->rec.rules.take_ccs = false;
    return conn_keys12(c, READ) ? S_WAIT_FINISHED_12 : S_FAILED;
}

bool tls12_check_finished(struct troth_conn *c, const struct message *m)
{
    uint8_t expected[VERIFY_DATA_12_N];
    struct finished f = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!finished_read(&f, &r, VERIFY_DATA_12_N))
        return fail_read(c, "Finished", &r);
    ks12_finished(expected, &c->hs->ks.tls12, c->cfg->is_server, &c->hs->before);
    if (!bytes_equal_ct(expected, f.verify_data.p, VERIFY_DATA_12_N))
        return fail(c, BAD_FINISHED, "verify_data is not that of the transcript we saw");
    return true;
}

void tls12_ready(struct troth_conn *c)
{
    c->keys.hash = c->hs->hash;
    c->keys.exporter = c->hs->ks.tls12.master;
    secret_wipe(&c->hs->ks, sizeof c->hs->ks);
    conn_ready(c);
}

/* ---- suites, groups, signatures */
bool suite_fits_key(enum suite_auth auth, enum troth_key_type key)
{
    bool rsa = key == TROTH_KEY_RSA || key == TROTH_KEY_RSA_PSS;
    return auth == SUITE_RSA ? rsa : auth == SUITE_ECDSA && !rsa && key != TROTH_KEY_NONE;
}

const troth_kem *tls12_group(const struct config *cfg, uint16_t group)
{
    bool classical = group == GROUP_x25519 || group == GROUP_secp256r1 || group == GROUP_secp384r1 || group == GROUP_secp521r1;
    return classical && u16s_has(cfg->groups, group) ? provider_kem(cfg->provider, group) : NULL;
}

static bool ask_to_sign(struct troth_conn *c, const span *parts, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    uint8_t *p = arena_alloc(&c->hs->arena, total);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes to sign", total);
    struct wr w = wr_into(p, total);
    for (size_t i = 0; i < n; i++)
        wr_span(&w, parts[i]);
    c->hs->to_sign = wr_done(&w);
    conn_ask(c, ASK_SIGN);
    return true;
}

bool tls12_sign(struct troth_conn *c, const span *parts, size_t n, uint8_t *signature, size_t *signature_n, bool *asked)
{
    const struct hs *hs = c->hs;
    const troth_provider *p = shown_by(c)->provider;
    *asked = !hs->identity->key;
    if (*asked)
        return ask_to_sign(c, parts, n);
    if (!p->sign(p->self, hs->identity->key, hs->scheme->sig, parts, n, signature, signature_n))
        return fail(c, CRYPTO_FAILED, "signing with %s", name_of(&names_scheme, hs->scheme->id));
    return true;
}

bool tls12_verify(struct troth_conn *c, uint16_t algorithm, const span *parts, size_t n, span signature, bool good)
{
    const struct scheme *s = scheme_by_id(algorithm);
    if (!s || !u16s_has(c->cfg->verify_schemes, algorithm))
        return fail(c, SCHEME_NOT_OFFERED, "%s (%04x)", name_of(&names_scheme, algorithm), algorithm);
    TRY(auth_fits_key(c, s, TROTH_TLS12));
    troth_verify_job job = { .sig = s->sig, .key = &c->hs->peer_key, .parts = parts, .n_parts = n, .signature = signature };
    if (!good)
        known_verify(c->cfg->known_keys, c->cfg->provider, &job);
    if (!good && !job.good)
        return fail(c, BAD_SIGNATURE, "by %s", name_of(&names_scheme, algorithm));
    c->facts.peer_scheme = algorithm;
    tell_decision(c, "signature", "the peer's scheme is one that was offered and fits its key (RFC 5246 7.4.3)", &names_scheme,
                  c->cfg->verify_schemes, SPAN_NONE, algorithm);
    return true;
}

bool tls12_put_verify(struct troth_conn *c, span signature)
{
    struct certificate_verify cv = { c->hs->scheme->id, signature };
    if (!signature.n)
        return fail(c, SIGNATURE_NOT_MADE, "for %s", name_of(&names_scheme, c->hs->scheme->id));
    c->facts.own_scheme = cv.algorithm;
    log12_end(c);
    return flight_add(c, HS_certificate_verify, body_certificate_verify, &cv);
}

bool tls12_check_verify(struct troth_conn *c, const struct message *m)
{
    struct certificate_verify cv = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_verify_read(&cv, &r))
        return fail_read(c, "CertificateVerify", &r);
    const struct hs12 *v = c->hs->v12;
    if (!v->n_log)
        return fail(c, BUG, "no log of the messages that were signed");
    TRY(tls12_verify(c, cv.algorithm, v->log, v->n_log - 1u, cv.signature, false)); /* the last is this message itself */
    log12_end(c);
    return true;
}
