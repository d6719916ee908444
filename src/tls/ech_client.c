/* ech_client.c - Encrypted Client Hello, the client (RFC 9849 6): an inner hello that says what we mean, sealed in an outer one that
 * anybody may read.
 *
 * The inner hello is made from the outer: what both say is referred to, what differs is named here and nowhere else.  Until the server
 * answers, transcript, random and PSKs are those of the inner hello; if it was refused they become those of the outer, and the handshake
 * goes on only to learn from the holder of the public name which configuration to use.  Must never let anything of the inner hello that
 * differs into the outer, nor take a refusal for a connection. */
#include "base/secret.h"
#include "tls/ech.h"
#include "tls/flight.h"
#include "tls/hooks.h"
#include "tls/offer.h"
#include "tls/psk.h"

/* ---- the configuration (RFC 9849 6.1) */
static bool usable(const troth_provider *p, const struct ech_config *cfg, uint16_t *aead)
{
    if (cfg->version != ECH_VERSION || cfg->has_mandatory || !ech_public_name_ok(cfg->public_name) || cfg->public_key.n != HPKE_KEY_N)
        return false;
    for (size_t i = 0; i + 1 < u16s_count(cfg->cipher_suites); i += 2) {
        *aead = u16s_at(cfg->cipher_suites, i + 1);
        if (hpke_has(p, cfg->kem_id, u16s_at(cfg->cipher_suites, i), *aead))
            return true;
    }
    return false;
}

/* The first of the list that we can use; its order is the server's preference. */
static bool choose(struct troth_conn *c, struct hs_ech *ech)
{
    struct ech_config_list list;
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, c->cfg->ech_configs, NULL);
    struct rd r = rd_init(&ctx, c->cfg->ech_configs);
    TRY(ech_config_list_read(&list, &r));
    for (size_t i = 0; i < list.n; i++)
        if (usable(c->cfg->provider, &list.configs[i], &ech->aead)) {
            ech->config = list.configs[i];
            return true;
        }
    return false;
}

static bool begin_hpke(struct troth_conn *c, struct hs_ech *ech)
{
    span config = ech->config.raw;
    uint8_t *info = arena_alloc(&c->hs->arena, 8 + config.n);
    if (!info)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", config.n);
    struct wr w = wr_into(info, 8 + config.n);
    ech_info_write(&w, config);
    return hpke_seal_begin(&ech->hpke, c->cfg->provider, ech->aead, ech->enc, ech->config.public_key, wr_done(&w))
        || fail(c, ECH_BAD_KEY, "for the public name %.*s", (int)ech->config.public_name.n, (const char *)ech->config.public_name.p);
}

/* GREASE: a configuration that nobody has (RFC 9849 6.2.1). */
static bool begin_grease(struct troth_conn *c, struct hs_ech *ech)
{
    static const uint16_t aeads[] = { HPKE_AES_128_GCM, HPKE_CHACHA20_POLY1305 };
    uint8_t private[HPKE_KEY_N], any[2];
    bool ok = hpke_make_key(c->cfg->provider, private, ech->enc);
    secret_wipe(private, sizeof private);
    TRY(ok || fail(c, CRYPTO_FAILED, "making an HPKE key"));
    TRY(conn_random(c, any, sizeof any));
    ech->stage = ECH_GREASE;
    ech->config.config_id = any[0];
    ech->aead = aeads[any[1] % COUNT_OF(aeads)];
    c->facts.ech = TROTH_ECH_GREASED;
    tell_choice_text(c, "ECH", "no configuration of the server is known (RFC 9849 6.2)", SPAN_NONE, SPAN_NONE, SPAN_TEXT("GREASE: a decoy"));
    return true;
}

bool ech_prepare(struct troth_conn *c)
{
    const struct config *cfg = c->cfg;
    if (cfg->ech_required && (c->hs->offer.most < TROTH_TLS13 || !cfg->ech_configs.n))
        return fail(c, ECH_UNUSABLE, "%s", cfg->ech_configs.n ? "TLS 1.3 is not offered" : "none was given");
    if (c->hs->offer.most < TROTH_TLS13 || (!cfg->ech_configs.n && !cfg->ech_grease))
        return true;
    struct hs_ech *ech = hs_ech(c);
    TRY(ech);
    if (!cfg->ech_configs.n || !choose(c, ech)) {
        if (cfg->ech_configs.n)
            tell_choice_text(c, "ECH", "none of the configurations can be used here (RFC 9849 6.1)", SPAN_NONE, SPAN_NONE,
                             SPAN_TEXT("not offered"));
        if (cfg->ech_required)
            return fail(c, ECH_UNUSABLE, "none of those given can be used");
        return !cfg->ech_grease || begin_grease(c, ech);
    }
    ech->stage = ECH_OFFERED;
    tell_choice_text(c, "ECH", "the first configuration that can be used here; its public name is what everybody may see (RFC 9849 6.1)",
                     SPAN_NONE, SPAN_NONE, ech->config.public_name);
    return conn_random(c, ech->outer_random, 32) && begin_hpke(c, ech) && ech_log(c, ech->outer_random, ech->config.raw);
}

/* ---- the outer hello's own parts; called while it is built, before its extensions are shuffled */
bool ech_offer(struct troth_conn *c, struct client_hello *ch)
{
    enum ech_stage stage = ech_stage(c);
    if (stage == ECH_OFF)
        return true;
    struct hs_ech *ech = c->hs->ech;
    struct exts *e = &ch->exts;
    exts_add(e, X_ENCRYPTED_CLIENT_HELLO);
    e->ech = (struct ech_client_hello){ .type = ECH_TYPE_outer, .kdf_id = HPKE_KDF_SHA256, .aead_id = ech->aead,
                                        .config_id = ech->config.config_id, .enc = SPAN_OF(ech->enc) };
    if (c->hs->offer.again && stage == ECH_ACCEPTED)
        e->ech.enc = SPAN_NONE; /* the context goes on (RFC 9849 6.1.5) */
    else if (c->hs->offer.again)
        e->ech = ech->sent;
    if (stage == ECH_GREASE)
        return true;
    ech->inner_name = exts_have(e, X_SERVER_NAME) ? e->server_name : SPAN_NONE;
    ch->random = SPAN_OF(ech->outer_random);
    e->server_name = ech->config.public_name;
    exts_add(e, X_SERVER_NAME);
    return true;
}

/* ---- the inner hello */

/* A copy of a list of u16 without those that belong to older versions. */
static bool only_new(struct troth_conn *c, span *list, bool (*old)(uint16_t))
{
    uint8_t *p = arena_alloc(&c->hs->arena, list->n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", list->n);
    struct wr w = wr_into(p, list->n);
    for (size_t i = 0; i < u16s_count(*list); i++)
        if (!old(u16s_at(*list, i)))
            wr_u16(&w, u16s_at(*list, i));
    *list = wr_done(&w);
    return true;
}

static bool old_suite(uint16_t id)
{
    const struct suite *s = suite_by_id(id);
    return s && s->version < TROTH_TLS13;
}

static bool old_version(uint16_t v)
{
    return v <= TROTH_TLS12;
}

/* What stands in the inner hello alone comes first, then in one run what the outer says too, in its order. */
static bool make_inner(struct troth_conn *c, struct client_hello *inner, const struct client_hello *outer, struct ext_set *from_outer)
{
    const struct hs_ech *ech = c->hs->ech;
    struct exts *e = &inner->exts;
    *inner = *outer;
    e->have = *from_outer = (struct ext_set){ { 0 } };
    e->n_seen = 0;
    inner->random = SPAN_OF(c->facts.client_random);
    e->server_name = ech->inner_name;
    e->ech = (struct ech_client_hello){ .type = ECH_TYPE_inner };
    for (size_t i = 0; i < outer->exts.n_seen; i++)
        if (outer->exts.seen[i].row == X_UNKNOWN)
            e->seen[e->n_seen++] = outer->exts.seen[i];
    if (ech->inner_name.n)
        exts_add(e, X_SERVER_NAME);
    exts_add(e, X_ENCRYPTED_CLIENT_HELLO);
    if (c->hs->offer.least < TROTH_TLS13)
        exts_add(e, X_SUPPORTED_VERSIONS);
    for (size_t i = 0; i < outer->exts.n_seen; i++) {
        enum ext_row x = (enum ext_row)outer->exts.seen[i].row;
        bool shared = x != X_UNKNOWN && x != X_SERVER_NAME && x != X_PRE_SHARED_KEY && ext_row(x)->in13 & IN_CH && !exts_have(e, x);
        if (!shared)
            continue;
        exts_add(e, x);
        ext_set_add(from_outer, x);
    }
    if (exts_have(&outer->exts, X_PRE_SHARED_KEY))
        exts_add(e, X_PRE_SHARED_KEY);
    return only_new(c, &inner->cipher_suites, old_suite) && only_new(c, &e->supported_versions, old_version);
}

/* RFC 9849 6.1.3: the name as long as the longest that the server has, and all of it a multiple of 32. */
static size_t padding_for(const struct hs_ech *ech, size_t n)
{
    enum { BLOCK = 32, NAME_EXTENSION = 9 };
    size_t most = ech->config.maximum_name_length, name = ech->inner_name.n;
    size_t padding = name ? (most > name ? most - name : 0) : most + NAME_EXTENSION;
    return padding + (BLOCK - 1) - (n + padding - 1) % BLOCK;
}

static size_t encoded_length(const struct hs_ech *ech, const struct client_hello *inner, const struct ext_set *from_outer)
{
    struct wr w = wr_measure();
    ech_inner_encode(&w, inner, from_outer, 0);
    return w.n + padding_for(ech, w.n);
}

static bool encode(struct troth_conn *c, const struct client_hello *inner, const struct ext_set *from_outer, span *out)
{
    const struct hs_ech *ech = c->hs->ech;
    size_t n = encoded_length(ech, inner, from_outer);
    struct wr measure = wr_measure();
    ech_inner_encode(&measure, inner, from_outer, 0);
    uint8_t *p = arena_alloc(&c->hs->arena, n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes for the inner ClientHello", n);
    struct wr w = wr_into(p, n);
    ech_inner_encode(&w, inner, from_outer, n - measure.n);
    *out = wr_done(&w);
    return wr_ok(&w) || fail(c, BUG, "the inner ClientHello does not fit its own lengths");
}

/* Whole, with its binders, which the encoded form repeats. */
static bool write_inner(struct troth_conn *c, struct client_hello *inner, span *message)
{
    uint8_t *p;
    size_t n, binders = 0;
    TRY(flight_write(c, HS_client_hello, body_client_hello, inner, &p, &n));
    TRY(psk_bind(c, inner, p, n));
    *message = span_of(p, n);
    if (!exts_have(&inner->exts, X_PRE_SHARED_KEY))
        return true;
    for (size_t i = 0; i < inner->exts.n_psks; i++)
        binders += 1 + inner->exts.psks[i].binder.n;
    uint8_t *at = p + n - binders;
    for (size_t i = 0; i < inner->exts.n_psks; i++) {
        struct psk_identity *psk = &inner->exts.psks[i];
        psk->binder.p = at + 1;
        at += 1 + psk->binder.n;
    }
    return true;
}

/* ---- the outer hello, whole */
static bool random_bytes(struct troth_conn *c, span *out, size_t n)
{
    uint8_t *p = arena_alloc(&c->hs->arena, n);
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", n);
    *out = span_of(p, n);
    return conn_random(c, p, n);
}

/* As many PSKs as the inner hello has, of the same lengths, and none of them real (RFC 9849 6.1.2). */
static bool fake_psks(struct troth_conn *c, struct exts *e)
{
    struct hs_ech *ech = c->hs->ech;
    for (size_t i = 0; i < e->n_psks; i++) {
        struct psk_identity *fake = &ech->fake[i];
        uint8_t age[4];
        if (fake->identity.n != e->psks[i].identity.n)
            TRY(random_bytes(c, &fake->identity, e->psks[i].identity.n));
        TRY(random_bytes(c, &fake->binder, e->psks[i].binder.n) && conn_random(c, age, sizeof age));
        fake->obfuscated_ticket_age = (uint32_t)age[0] << 24 | (uint32_t)age[1] << 16 | (uint32_t)age[2] << 8 | age[3];
        e->psks[i] = *fake;
    }
    return true;
}

/* Where the payload stands in the message that was written. */
static uint8_t *find_payload(uint8_t *message, size_t n, size_t payload_n)
{
    struct client_hello ch = { 0 };
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, span_of(message, n), NULL);
    struct rd whole = rd_init(&ctx, span_of(message, n));
    uint8_t type;
    struct rd r = message_open(&whole, &type);
    if (!client_hello_read(&ch, &r))
        return NULL;
    span body = exts_body(&ch.exts, X_ENCRYPTED_CLIENT_HELLO);
    return body.n >= payload_n ? message + (body.p - message) + body.n - payload_n : NULL;
}

/* RFC 9849 6.1.1: written with zeros, which is what is authenticated; then the ciphertext takes their place. */
static bool write_outer(struct troth_conn *c, struct client_hello *outer, span encoded, span *message)
{
    struct hs_ech *ech = c->hs->ech;
    size_t n, sealed_n = encoded.n + HPKE_TAG_N;
    uint8_t *p, *sealed = arena_alloc(&c->hs->arena, sealed_n);
    if (!sealed)
        return fail(c, OUT_OF_MEMORY, "%zu bytes", sealed_n);
    outer->exts.ech.payload = span_of(sealed, sealed_n); /* zeros so far */
    TRY(fake_psks(c, &outer->exts));
    TRY(flight_write(c, HS_client_hello, body_client_hello, outer, &p, &n));
    uint8_t *payload = find_payload(p, n, sealed_n);
    if (!payload)
        return fail(c, BUG, "our own ClientHello cannot be read");
    if (!hpke_seal(&ech->hpke, sealed, span_of(p + 4, n - 4), encoded))
        return fail(c, CRYPTO_FAILED, "sealing the inner ClientHello");
    memcpy(payload, sealed, sealed_n);
    *message = span_of(p, n);
    return true;
}

/* After HelloRetryRequest ServerHello has to confirm again: what precedes it is kept. */
static bool remember(struct troth_conn *c, span inner, span outer, const struct client_hello *ch)
{
    struct hs_ech *ech = c->hs->ech;
    if (!c->hs->offer.again) {
        ech->inner = inner;
        ech->outer = outer;
        ech->sent = ch->exts.ech;
        return true;
    }
    ech->before = arena_alloc(&c->hs->arena, sizeof *ech->before);
    if (!ech->before)
        return fail(c, OUT_OF_MEMORY, "for a transcript");
    *ech->before = c->hs->transcript;
    return true;
}

static bool send_both(struct troth_conn *c, struct client_hello *outer)
{
    struct hs_ech *ech = c->hs->ech;
    struct client_hello inner;
    struct ext_set from_outer;
    span inner_message, outer_message, encoded;
    TRY(make_inner(c, &inner, outer, &from_outer));
    TRY(write_inner(c, &inner, &inner_message));
    TRY(encode(c, &inner, &from_outer, &encoded));
    TRY(write_outer(c, outer, encoded, &outer_message));
    ech->inner_asked = inner.exts.have;
    return retell_inner_hello(c, inner_message) && flight_add_instead(c, inner_message, outer_message)
        && remember(c, inner_message, outer_message, outer);
}

/* As long as a real one would be (RFC 9849 6.2.1). */
static bool fill_grease(struct troth_conn *c, struct client_hello *ch)
{
    struct hs_ech *ech = c->hs->ech;
    struct client_hello inner;
    struct ext_set from_outer;
    if (c->hs->offer.again)
        return true;
    ech->inner_name = exts_have(&ch->exts, X_SERVER_NAME) ? ch->exts.server_name : SPAN_NONE;
    TRY(make_inner(c, &inner, ch, &from_outer));
    TRY(random_bytes(c, &ch->exts.ech.payload, encoded_length(ech, &inner, &from_outer) + HPKE_TAG_N));
    ech->sent = ch->exts.ech;
    return true;
}

bool ech_send(struct troth_conn *c, struct client_hello *ch, bool *sent)
{
    enum ech_stage stage = ech_stage(c);
    *sent = stage == ECH_OFFERED || stage == ECH_ACCEPTED;
    if (stage == ECH_GREASE)
        return fill_grease(c, ch);
    return !*sent || send_both(c, ch);
}

/* ---- the answer (RFC 9849 6.1.4) */
static void accept(struct troth_conn *c, bool retry)
{
    struct hs_ech *ech = c->hs->ech;
    ech->stage = ECH_ACCEPTED;
    c->facts.ech = TROTH_ECH_ACCEPTED;
    conn_padding(c);
    tell_choice_text(c, "ECH", "the server confirms that it opened the inner ClientHello (RFC 9849 6.1.4)", SPAN_NONE, SPAN_NONE,
                     SPAN_TEXT("accepted"));
    if (retry)
        return;
    c->hs->offer.asked = ech->inner_asked;
    ext_set_remove(&c->hs->offer.asked, X_ENCRYPTED_CLIENT_HELLO); /* retry_configs would answer the outer hello (RFC 9849 5) */
}

/* From here on the handshake is one with the public name (RFC 9849 6.1.6).  Whoever calls this sees to the transcript. */
static bool reject(struct troth_conn *c)
{
    struct hs_ech *ech = c->hs->ech;
    const char *name = arena_string(&c->keep, ech->config.public_name);
    if (!name)
        return fail(c, OUT_OF_MEMORY, "for the public name");
    ech->stage = ECH_REJECTED;
    c->facts.ech = TROTH_ECH_REJECTED;
    c->sni = c->sni ? c->sni : c->host; /* a second hello is built in the order of the first; ech_offer puts the public name in */
    c->host = name;
    memcpy(c->facts.client_random, ech->outer_random, 32);
    if (c->hs->psk)
        c->hs->psk->n = 0; /* those of the outer hello are none */
    tell_choice_text(c, "ECH", "the server does not confirm that it opened the inner ClientHello (RFC 9849 6.1.4)", SPAN_NONE, SPAN_NONE,
                     SPAN_TEXT("rejected"));
    return true;
}

static void begin_transcript(const struct troth_conn *c, struct transcript *t, span hello, bool retry)
{
    memset(t, 0, sizeof *t);
    t->early[0] = hello;
    transcript_begin(t, c->hs->hash);
    if (retry)
        transcript_retry(t);
}

static bool confirmed(struct troth_conn *c, const struct server_hello *sh, const struct message *m, const struct transcript *before)
{
    bool retry = server_hello_is_retry(sh);
    uint8_t right[ECH_CONFIRMATION_N];
    span got = retry ? sh->exts.ech_confirmation : span_slice(sh->random, 24, ECH_CONFIRMATION_N);
    size_t at = (size_t)(got.p - m->raw.p);
    ech_confirmation(right, before, m->raw, at, c->facts.client_random, retry ? ech_retry_label : ech_accept_label);
    return bytes_equal_ct(got.p, right, sizeof right);
}

bool ech_answer(struct troth_conn *c, const struct server_hello *sh, const struct message *m)
{
    enum ech_stage stage = ech_stage(c);
    struct hs_ech *ech = c->hs->ech;
    bool retry = server_hello_is_retry(sh);
    struct transcript t;
    if (stage == ECH_ACCEPTED) {
        if (!confirmed(c, sh, m, ech->before))
            return fail(c, ECH_INCONSISTENT, "HelloRetryRequest confirmed it, ServerHello does not");
        accept(c, false);
        return true;
    }
    if (stage != ECH_OFFERED)
        return true;
    begin_transcript(c, &t, ech->inner, retry);
    if ((!retry || exts_have(&sh->exts, X_ENCRYPTED_CLIENT_HELLO)) && confirmed(c, sh, m, &t)) {
        accept(c, retry);
        return true;
    }
    TRY(reject(c));
    begin_transcript(c, &c->hs->transcript, ech->outer, retry);
    return transcript_add(&c->hs->transcript, m->raw) || fail(c, BUG, "a message cannot be hashed");
}

bool ech_answer_older(struct troth_conn *c)
{
    if (ech_stage(c) != ECH_OFFERED)
        return true;
    c->hs->transcript.early[0] = c->hs->ech->outer; /* its hash is not known yet */
    return reject(c);
}

/* ---- retry configurations: kept when they come, believed once the handshake is complete and genuine */
bool ech_take_retry(struct troth_conn *c, const struct exts *e)
{
    return ech_stage(c) != ECH_REJECTED || hs_keep(c, &c->hs->ech->retry_configs, e->ech_retry_configs);
}

bool ech_finish(struct troth_conn *c)
{
    if (ech_stage(c) != ECH_REJECTED)
        return true;
    span configs = c->hs->ech->retry_configs;
    struct rare *rare = conn_rare(c);
    TRY(rare && conn_keep(c, &rare->ech_retry_configs, configs));
    return fail(c, ECH_REJECTED, "%s proved who it is, and %s", c->host, configs.n ? "names what to encrypt to instead" : "names no configuration: it does without");
}
