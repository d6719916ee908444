/* peer.c - judging the peer's certificate.  Must never let a handshake go on with a chain that neither the policy, nor a pin, nor an
 * explicit troth_danger_trust_anyone accepts, or with a raw public key that neither a pin, nor that, nor the application will answer for. */
#include "tls/peer.h"

#include "tls/auth.h"
#include "tls/compressed.h"
#include "tls/delegated.h"
#include "tls/oid_filter.h"

bool chain_next(span *list, span *certificate)
{
    enum { LENGTH = 3 };
    TRY(list->n > LENGTH);
    size_t n = (size_t)list->p[0] << 16 | (size_t)list->p[1] << 8 | list->p[2];
    *certificate = span_slice(*list, LENGTH, n);
    *list = span_slice(*list, LENGTH + n, list->n);
    return true;
}

/* ---- pins */
static bool pin_of(const struct config *cfg, span spki, uint8_t digest[TROTH_DIGEST_MAX])
{
    const troth_hash *h = provider_hash(cfg->provider, TROTH_SHA256);
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    TRY(h && spki.n);
    h->begin(state);
    h->add(state, spki.p, spki.n);
    h->peek(state, digest);
    return true;
}

/* The key that the peer showed now, or when the session that is resumed was made. */
bool peer_pin(const struct troth_conn *c, uint8_t digest[TROTH_DIGEST_MAX])
{
    struct cert leaf;
    troth_error ignored = { .reason = TROTH_R_NONE }; /* it was read before, when it was judged */
    const struct cert *seen = c->report ? report_leaf(c->report) : NULL;
    if (seen)
        return pin_of(c->cfg, seen->spki, digest);
    span first, chain = conn_chain(c); /* nobody asked for a report yet */
    if (!chain.n && c->rare && c->rare->peer_raw_key.n)
        return pin_of(c->cfg, c->rare->peer_raw_key, digest);
    return chain_next(&chain, &first) && cert_parse(&leaf, first, NULL, &ignored) && pin_of(c->cfg, leaf.spki, digest);
}

static bool pinned(const struct troth_conn *c, span spki)
{
    const struct config *cfg = c->cfg;
    uint8_t digest[TROTH_DIGEST_MAX];
    TRY(pin_of(cfg, spki, digest));
    for (size_t i = 0; i < cfg->n_pins; i++)
        if (!memcmp(cfg->pins[i], digest, 32))
            return true;
    return false;
}

/* ---- the chain */

/* The list goes where it stays: behind the struct's head, in place where a decompressor put the message there.  The certificates of
 * *cert are in it afterwards.  Their extensions are gone, unless `was` is asked for: it is what they are in, and the caller's to free. */
static bool show(struct troth_conn *c, struct certificate *cert, struct shown **was)
{
    struct shown *s = c->shown;
    size_t all = 0;
    for (size_t i = 0; i < cert->n; i++)
        all += 3 + cert->entries[i].cert_data.n;
    const uint8_t *first = cert->entries[0].cert_data.p;
    bool there = s && first >= s->bytes && first < (uint8_t *)s + s->size;
    if (there && was) {
        *was = s;
        c->shown = NULL;
    }
    if (!there || was)
        s = conn_shown(c, all);
    for (size_t i = 0, at = 0; s && i < cert->n; i++) {
        span *data = &cert->entries[i].cert_data;
        memmove(s->bytes + at + 3, data->p, data->n); /* it only ever moves to the front */
        s->bytes[at] = (uint8_t)(data->n >> 16);
        s->bytes[at + 1] = (uint8_t)(data->n >> 8);
        s->bytes[at + 2] = (uint8_t)data->n;
        *data = span_of(s->bytes + at + 3, data->n);
        at += 3 + data->n;
    }
    if (s)
        *s = (struct shown){ .size = s->size, .n = (uint32_t)all, .until = INT64_MAX };
    return s != NULL;
}

static struct verify_input question(const struct troth_conn *c, const span *certs, size_t n)
{
    return (struct verify_input){
        .policy = c->cfg->policy,
        .certs = certs,
        .n = n,
        .host = c->host,
        .purpose = c->cfg->is_server ? TROTH_PURPOSE_CLIENT : TROTH_PURPOSE_SERVER,
        .now = c->shown->now,
        .clock = !c->cfg->clock_given,
        .ocsp = c->rare ? c->rare->peer_staple : SPAN_NONE,
        .scts = c->rare ? c->rare->peer_scts : SPAN_NONE,
        .asked_staple = c->cfg->request_ocsp,
    };
}

static size_t list_spans(const struct troth_conn *c, span *certs)
{
    size_t n = 0;
    for (span left = conn_chain(c); n < LIMIT_CHAIN && chain_next(&left, &certs[n]); n++)
        ;
    return n;
}

const troth_report *peer_report(struct troth_conn *c)
{
    const struct shown *s = c->shown;
    span certs[LIMIT_CHAIN];
    if (c->report || !s || !s->judged)
        return c->report;
    struct verify_input in = question(c, certs, list_spans(c, certs));
    in.words = c->witness && c->witness->check;
    c->report = verify_chain(&in);
    if (s->said)
        troth_report_verdict(c->report, s->accepts, s->because);
    return c->report;
}

/* By which word is it accepted?  Fails with the report's reason, or the pin's. */
static bool accept(struct troth_conn *c, const troth_report *r, const struct cert *leaf)
{
    const struct config *cfg = c->cfg;
    if (cfg->trust_anyone)
        return true;
    if (!cfg->pins_alone && !troth_report_ok(r))
        return trouble_take(&c->error, troth_report_error(r));
    if (cfg->n_pins && !pinned(c, leaf->spki))
        return fail(c, PIN_MISMATCH, "the peer's key is none of the %zu that are pinned", cfg->n_pins);
    return true;
}

/* The certificate's key must be one that signatures can be verified with, and be meant for that (RFC 9846 4.5.1.2). */
static bool take_key(struct troth_conn *c, const struct cert *leaf)
{
    if (leaf->key.type == TROTH_KEY_NONE)
        return fail(c, PEER_KEY_UNSUPPORTED, "%s", leaf->key_malformed ? "its public key is malformed" : "its algorithm is unknown");
    if (cert_has(leaf, CX_KEY_USAGE) && !(leaf->key_usage & KU_DIGITAL_SIGNATURE))
        return fail(c, CERT_KEY_USAGE, "keyUsage lacks digitalSignature, which CertificateVerify needs");
    c->hs->peer_key = leaf->key;
    c->hs->peer_key_pss = leaf->key_pss;
    c->hs->peer_showed = true;
    c->facts.peer_type = TROTH_X509;
    return true;
}

/* What was stapled, for the application; a failure to keep it is one to go on. */
static bool keep_staples(struct troth_conn *c, const struct certificate_entry *leaf)
{
    if (c->rare)
        c->rare->peer_staple = c->rare->peer_scts = SPAN_NONE; /* of another certificate, which came earlier */
    if (!leaf->ocsp_response.n && !leaf->sct_list.n)
        return true;
    struct rare *rare = conn_rare(c);
    return rare && conn_keep(c, &rare->peer_staple, leaf->ocsp_response) && conn_keep(c, &rare->peer_scts, leaf->sct_list);
}

/* A server's or client's raw key that came where a certificate was agreed is told apart from a certificate that is broken. */
static bool no_certificate(struct troth_conn *c, const troth_report *r, span cert_data)
{
    struct spki key;
    if (spki_read(&key, cert_data, NULL, NULL))
        return fail(c, RAW_KEY_UNASKED, "%zu bytes", cert_data.n);
    return trouble_take(&c->error, troth_report_error(r));
}

static bool accept_chain(struct troth_conn *c, const troth_report *r, const struct certificate_entry *first)
{
    const struct cert *leaf = report_leaf(r);
    if (!leaf)
        return no_certificate(c, r, first->cert_data);
    TRY(accept(c, r, leaf) && take_key(c, leaf));
    if (!oid_filters_match(leaf, c->cfg->oid_filters) && c->facts.version == TROTH_TLS13)
        return fail(c, OID_FILTER, "keyUsage or extKeyUsage is not what was asked for");
    return !ext_set_has(&first->have, X_DELEGATED_CREDENTIAL) || delegated_take(c, leaf, &first->dc);
}

/* What was shown.  Its report is not kept: it is longer than the chain, and few ask for it. */
static bool judge_shown(struct troth_conn *c, const struct certificate_entry *leaf, troth_verify_job *also)
{
    struct verify_room room;
    span certs[LIMIT_CHAIN];
    c->shown->judged = true;
    c->shown->now = config_now(c->cfg);
    struct verify_input in = question(c, certs, list_spans(c, certs));
    in.also = also;
    in.remembered = c->cfg->remembered;
    in.witness = c->witness;
    in.room = &room;
    troth_report *r = verify_chain(&in);
    if (!r)
        return fail(c, OUT_OF_MEMORY, "for the peer's certificates");
    c->shown->accepted = troth_report_ok(r);
    if (c->shown->accepted)
        c->shown->until = troth_report_until(r, NULL);
    bool ok = accept_chain(c, r, leaf);
    troth_report_free(r);
    return ok;
}

static bool judge_chain(struct troth_conn *c, struct certificate *cert, troth_verify_job *also)
{
    struct shown *was = NULL;
    bool extensions_matter = ext_set_has(&cert->entries[0].have, X_DELEGATED_CREDENTIAL);
    TRY(keep_staples(c, &cert->entries[0]));
    troth_report_free(c->report);
    c->report = NULL;
    bool ok = show(c, cert, extensions_matter ? &was : NULL) && judge_shown(c, &cert->entries[0], also);
    if (was)
        c->memory->free(c->memory->ctx, was, was->size);
    return ok;
}

/* ---- raw public keys (RFC 7250): no issuer speaks for one, so a pin must, or the application, or nobody by explicit wish. */
static bool accept_raw(struct troth_conn *c, span spki)
{
    const struct config *cfg = c->cfg;
    if (cfg->trust_anyone)
        return true;
    if (cfg->n_pins && !pinned(c, spki))
        return fail(c, PIN_MISMATCH, "the peer's raw public key is none of the %zu that are pinned", cfg->n_pins);
    return cfg->n_pins || cfg->ask_verdict || fail(c, RAW_KEY_UNTRUSTED, "no pin, and the application is not asked");
}

static bool judge_raw(struct troth_conn *c, const struct certificate *cert)
{
    struct spki key;
    struct rare *rare = conn_rare(c);
    if (cert->n != 1)
        return fail(c, RAW_KEY, "%u entries", cert->n);
    TRY(rare && conn_keep(c, &rare->peer_raw_key, cert->entries[0].cert_data));
    if (!spki_read(&key, rare->peer_raw_key, NULL, NULL))
        return key.malformed ? fail(c, RAW_KEY, "%zu bytes", rare->peer_raw_key.n)
                             : fail(c, PEER_KEY_UNSUPPORTED, "a raw public key of an algorithm that is not known");
    TRY(accept_raw(c, rare->peer_raw_key));
    c->hs->peer_key = key.key;
    c->hs->peer_key_pss = key.pss;
    c->hs->peer_showed = true;
    c->facts.peer_type = TROTH_RAW_PUBLIC_KEY;
    return true;
}

/* Anybody can show anybody's: until it is proved, whoever showed another before is nobody. */
bool peer_judge_with(struct troth_conn *c, struct certificate *cert, troth_verify_job *also)
{
    c->facts.client_authenticated = c->facts.peer_delegated = false;
    return c->peer_type == TROTH_RAW_PUBLIC_KEY ? judge_raw(c, cert) : judge_chain(c, cert, also);
}

bool peer_judge(struct troth_conn *c, struct certificate *cert)
{
    return peer_judge_with(c, cert, NULL);
}

void peer_proved(struct troth_conn *c)
{
    c->facts.client_authenticated |= c->cfg->is_server && c->hs->peer_showed;
}

bool peer_judge_again(struct troth_conn *c)
{
    struct certificate cert = { .n = 1 };
    span chain = conn_chain(c);
    if (c->facts.peer_type != TROTH_RAW_PUBLIC_KEY)
        return !chain_next(&chain, &cert.entries[0].cert_data) || judge_shown(c, &cert.entries[0], NULL);
    cert.entries[0].cert_data = c->rare->peer_raw_key;
    return judge_raw(c, &cert);
}

bool peer_certificate12_read(const struct troth_conn *c, struct certificate *cert, struct rd *r)
{
    return c->peer_type == TROTH_RAW_PUBLIC_KEY ? raw_public_key12_read(cert, r) : certificate12_read(cert, r);
}

static bool take_certificate13(struct troth_conn *c, struct rd *r, const struct ext_set *asked, bool *empty)
{
    struct certificate cert = { 0 };
    if (!certificate_read(&cert, r, asked))
        return fail_read(c, "Certificate", r);
    if (!span_equal(cert.certificate_request_context, c->cfg->is_server ? c->hs->wanted.context : SPAN_NONE))
        return fail(c, CERTIFICATE_CONTEXT, "certificate_request_context is not that of the request");
    *empty = cert.n == 0;
    if (*empty)
        return true;
    struct auth_ahead ahead; /* by the leaf's key; a raw key is alone, and a delegated credential has another */
    bool by_leaf = c->peer_type == TROTH_X509 && !ext_set_has(&cert.entries[0].have, X_DELEGATED_CREDENTIAL);
    bool is = by_leaf && auth_look_ahead(c, &ahead);
    return peer_judge_with(c, &cert, is ? &ahead.job : NULL) && (!is || auth_note_ahead(c, &ahead));
}

bool peer_certificate13(struct troth_conn *c, const struct message *m, const struct ext_set *asked, bool *empty)
{
    struct rd_ctx ctx;
    struct rd r = message_reader(c, &ctx, m);
    return take_certificate13(c, &r, asked, empty);
}

bool peer_compressed13(struct troth_conn *c, const struct message *m, const struct ext_set *asked, bool *empty)
{
    struct rd_ctx ctx;
    span body;
    TRY(compression_undo(c, m, asked, &body));
    rd_ctx_init(&ctx, body, NULL); /* the witness saw what was on the wire */
    struct rd r = rd_init(&ctx, body);
    bool ok = take_certificate13(c, &r, asked, empty);
    if (c->shown && !c->shown->n)
        conn_shown_free(c); /* it was no chain */
    return ok;
}

/* ---- the application's word */
bool peer_ask_verdict(struct troth_conn *c)
{
    if (!c->cfg->ask_verdict)
        return false;
    conn_ask(c, ASK_VERDICT);
    return true;
}

bool peer_ask_verdict_again(struct troth_conn *c)
{
    bool showed = !c->cfg->is_server || c->facts.client_authenticated;
    return c->facts.resumed && showed && c->cfg->reverify && peer_ask_verdict(c);
}

bool peer_take_verdict(struct troth_conn *c)
{
    const struct hs *hs = c->hs;
    if (c->shown && c->shown->judged) { /* a raw key is not */
        const char *why = hs->verdict_why ? hs->verdict_why : "";
        c->shown->said = true;
        c->shown->accepts = hs->verdict_accept;
        c->shown->because = arena_string(&c->keep, span_of(why, strlen(why))); /* NULL: without words */
        troth_report_verdict(c->report, hs->verdict_accept, hs->verdict_why);
    }
    const char *words = hs->verdict_why ? hs->verdict_why : "no reason was given";
    return hs->verdict_accept || (hs->verdict_denies ? fail(c, ACCESS_DENIED, "%s", words) : fail(c, APP_REFUSED, "%s", words));
}
