/* auth.c - CertificateVerify and Finished.  Must never accept a signature made for the other side or for something else than this
 * transcript. */
#include "tls/auth.h"

#include "crypto/known.h"
#include "tls/flight.h"

span auth_content(uint8_t *out, bool of_server, const struct digest *transcript)
{
    const char *context = of_server ? "TLS 1.3, server CertificateVerify" : "TLS 1.3, client CertificateVerify";
    struct wr w = wr_into(out, SIGNED_MAX);
    uint8_t *spaces = wr_room(&w, 64);
    if (spaces)
        memset(spaces, 0x20, 64);
    wr_raw(&w, context, strlen(context) + 1); /* its terminating zero is the separator */
    wr_span(&w, digest_span(transcript));
    return wr_done(&w);
}

/* ---- ours */
static bool put_verify(struct troth_conn *c, span signature)
{
    struct certificate_verify cv = { c->hs->scheme->id, signature };
    c->facts.own_scheme = cv.algorithm;
    return flight_add(c, HS_certificate_verify, body_certificate_verify, &cv);
}

const troth_key *auth_own_key(const struct troth_conn *c)
{
    const struct identity *us = c->hs->identity;
    return !us ? NULL : c->hs->delegated ? us->dc_key : us->key;
}

bool auth_sign(struct troth_conn *c, bool *asked)
{
    struct hs *hs = c->hs;
    const troth_provider *p = shown_by(c)->provider;
    uint8_t content[SIGNED_MAX], signature[TROTH_SIGNATURE_MAX];
    struct digest transcript;
    size_t n = 0;
    transcript_peek(&hs->transcript, &transcript);
    span to_sign = auth_content(content, c->cfg->is_server, &transcript);
    const troth_key *key = auth_own_key(c);
    *asked = !key || (c->cfg->is_server && hs->hello.gather); /* the latter: batch.c signs */
    if (*asked) {
        TRY(hs_keep(c, &hs->to_sign, to_sign));
        conn_ask(c, ASK_SIGN);
        return true;
    }
    if (!p->sign(p->self, key, hs->scheme->sig, &to_sign, 1, signature, &n))
        return fail(c, CRYPTO_FAILED, "signing with %s", name_of(&names_scheme, hs->scheme->id));
    return put_verify(c, span_of(signature, n));
}

bool auth_answered(struct troth_conn *c, span signature)
{
    if (!signature.n)
        return fail(c, SIGNATURE_NOT_MADE, "for %s", name_of(&names_scheme, c->hs->scheme->id));
    return put_verify(c, signature);
}

/* ---- the peer's */
bool auth_fits_key(struct troth_conn *c, const struct scheme *s, uint16_t version)
{
    if (!scheme_fits(s, version, c->hs->peer_key.type))
        return fail(c, SCHEME_WRONG_KEY, "%s with another kind of key", name_of(&names_scheme, s->id));
    if (!pss_allows(c->hs->peer_key_pss, s->sig, 0))
        return fail(c, SCHEME_WRONG_KEY, "%s with a key that its parameters limit to something else", name_of(&names_scheme, s->id));
    return true;
}

static bool scheme_allowed(struct troth_conn *c, uint16_t id, const struct scheme **scheme)
{
    const struct scheme *s = *scheme = scheme_by_id(id);
    if (!s || !u16s_has(c->cfg->verify_schemes, id) || (c->hs->peer_scheme && c->hs->peer_scheme != id))
        return fail(c, SCHEME_NOT_OFFERED, "%s (%04x)", name_of(&names_scheme, id), id);
    return auth_fits_key(c, s, TROTH_TLS13);
}

bool auth_look_ahead(struct troth_conn *c, struct auth_ahead *a)
{
    struct certificate_verify cv = { 0 };
    struct message next;
    struct rd_ctx ctx;
    uint8_t type;
    TRY(messages_ahead(&c->rec.messages, &next) && next.type == HS_certificate_verify);
    rd_ctx_init(&ctx, next.raw, NULL); /* a witness is told when its turn comes */
    struct rd whole = rd_init(&ctx, next.raw), r = message_open(&whole, &type);
    TRY(certificate_verify_read(&cv, &r));
    const struct scheme *scheme = scheme_by_id(cv.algorithm);
    TRY(scheme);
    transcript_peek(&c->hs->transcript, &a->upto);
    a->message = next.raw;
    a->part = auth_content(a->content, !c->cfg->is_server, &a->upto);
    a->job = (troth_verify_job){ .sig = scheme->sig, .parts = &a->part, .n_parts = 1, .signature = cv.signature };
    return true;
}

bool auth_note_ahead(struct troth_conn *c, const struct auth_ahead *a)
{
    if (!a->job.good)
        return true;
    struct auth_seen *seen = arena_alloc(&c->hs->arena, sizeof *seen);
    if (!seen)
        return fail(c, OUT_OF_MEMORY, "for a CertificateVerify");
    seen->upto = a->upto;
    c->hs->ahead = seen;
    return hs_keep(c, &seen->message, a->message);
}

static bool verified_ahead(const struct troth_conn *c, const struct message *m)
{
    const struct auth_seen *seen = c->hs->ahead;
    return seen && span_equal(seen->message, m->raw) && span_equal(digest_span(&seen->upto), digest_span(&c->hs->before));
}

bool auth_verify(struct troth_conn *c, const struct message *m)
{
    struct certificate_verify cv = { 0 };
    const struct scheme *scheme;
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!certificate_verify_read(&cv, &r))
        return fail_read(c, "CertificateVerify", &r);
    TRY(scheme_allowed(c, cv.algorithm, &scheme));
    uint8_t content[SIGNED_MAX];
    span signed_bytes = auth_content(content, !c->cfg->is_server, &c->hs->before);
    troth_verify_job job = { .sig = scheme->sig, .key = &c->hs->peer_key, .parts = &signed_bytes, .n_parts = 1,
                             .signature = cv.signature };
    bool good = verified_ahead(c, m);
    if (!good)
        known_verify(c->cfg->known_keys, c->cfg->provider, &job);
    if (!good && !job.good)
        return fail(c, BAD_SIGNATURE, "CertificateVerify by %s", name_of(&names_scheme, cv.algorithm));
    c->facts.peer_scheme = cv.algorithm;
    tell_decision(c, "signature", "the peer's scheme is one that was offered and fits its key (RFC 9846 4.5.2)", &names_scheme,
                  c->cfg->verify_schemes, SPAN_NONE, cv.algorithm);
    return true;
}

/* ---- Finished */
bool auth_send_finished(struct troth_conn *c)
{
    uint8_t verify_data[TROTH_DIGEST_MAX];
    struct digest transcript;
    transcript_peek(&c->hs->transcript, &transcript);
    ks_finished(verify_data, &c->hs->ks.handshake, !c->cfg->is_server, &transcript);
    ct_public(verify_data, sizeof verify_data); /* the peer gets it, and transcripts have it */
    struct finished f = { span_of(verify_data, c->hs->hash->n) };
    return flight_add(c, HS_finished, body_finished, &f);
}

bool auth_check_finished(struct troth_conn *c, const struct message *m)
{
    uint8_t expected[TROTH_DIGEST_MAX];
    struct finished f = { 0 };
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    if (!finished_read(&f, &r, c->hs->hash->n))
        return fail_read(c, "Finished", &r);
    ks_finished(expected, &c->hs->ks.handshake, c->cfg->is_server, &c->hs->before);
    if (!bytes_equal_ct(expected, f.verify_data.p, c->hs->hash->n))
        return fail(c, BAD_FINISHED, "verify_data is not that of the transcript we saw");
    return true;
}
