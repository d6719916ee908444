/* setup.c - from flags to configurations of troth.  What BoringSSL has on or off by default and the tests take for granted is set here,
 * once; everything else is troth's own default. */
#include "setup.h"

#include <stdlib.h>
#include <string.h>

/* BoringSSL's defaults. */
static const uint16_t default_groups[] = { 0x11ec, 0x001d, 0x0017, 0x0018 };
static const uint16_t default_verify[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601 };

/* ---- what cannot be done */
static bool known_cipher_string(const char *cipher)
{
    return !cipher || !strcmp(cipher, "ALL:3DES") || !strcmp(cipher, "DEFAULT:!AES");
}

bool setup_can(const struct settings *s)
{
    if (s->quic_use_legacy_codepoint)
        return complain("-quic-use-legacy-codepoint: a draft's");
    if (!known_cipher_string(s->cipher))
        return complain("-cipher %s", s->cipher);
    if (s->max_version && s->max_version < TROTH_TLS12)
        return complain("-max-version %x", (unsigned)s->max_version);
    return true;
}

/* ---- the parts of a configuration */
static int64_t frozen_clock_us(void *ctx)
{
    return ((const struct run *)ctx)->now * 1000000;
}

static void speak(troth_builder *b, struct run *r, const struct settings *s)
{
    static const uint16_t chacha[] = { 0x1303, 0xcca8, 0xcca9 };
    uint16_t least = s->min_version > TROTH_TLS12 ? (uint16_t)s->min_version : TROTH_TLS12;
    uint16_t most = s->max_version ? (uint16_t)s->max_version : TROTH_TLS13;
    if (s->no_tls13 && most > TROTH_TLS12)
        most = TROTH_TLS12;
    if (s->no_tls12 && least < TROTH_TLS13)
        least = TROTH_TLS13;
    troth_versions(b, least, most);
    troth_groups(b, s->curves.n ? s->curves.id : default_groups, s->curves.n ? s->curves.n : sizeof default_groups / 2);
    troth_verify_schemes(b, s->verify_prefs.n ? s->verify_prefs.id : default_verify,
                         s->verify_prefs.n ? s->verify_prefs.n : sizeof default_verify / 2);
    if (s->cipher && !strcmp(s->cipher, "DEFAULT:!AES"))
        troth_suites(b, chacha, sizeof chacha / 2);
    if (s->max_send_fragment)
        troth_max_fragment(b, (uint16_t)s->max_send_fragment);
    if (s->max_cert_list)
        troth_max_certificate(b, (uint32_t)s->max_cert_list);
    if (s->quic)
        troth_quic(b);
    troth_clock_us(b, frozen_clock_us, r);
}

/* The runner's certificates break rules that troth keeps (an empty subject beside a subjectAltName that is not critical, RFC 5280
 * 4.1.2.6), so the handshake takes anyone and asks: setup_judge is the answer. */
static void trust(troth_builder *b, const struct settings *s)
{
    if (s->reverify_on_resume)
        troth_reverify(b);
    troth_danger_trust_anyone(b, "the shim judges for itself, by path validation alone");
    troth_ask_verdict(b);
}

/* Path validation (RFC 5280 6) to the runner's root, with the small keys that its tests use; true where the runner names no root. */
bool setup_judge(const struct run *r, const struct settings *s, const troth_report *shown)
{
    troth_error why;
    const troth_span *certs;
    size_t n = troth_report_given(shown, &certs);
    if (!s->trust_cert || !*s->trust_cert || !n)
        return true;
    troth_policy_builder *b = troth_policy_new(troth_provider_share(r->provider));
    troth_policy_trust_file(b, s->trust_cert);
    troth_policy_purpose(b, TROTH_PURPOSE_ANY);
    troth_policy_min_rsa(b, 1024);
    troth_policy_revocation(b, TROTH_REVOCATION_OFF);
    troth_policy *policy = troth_policy_build(b, &why);
    if (!policy)
        complain_error(&why);
    troth_question q = { .size = sizeof q, .certs = certs, .n = n, .purpose = TROTH_PURPOSE_ANY, .time = r->now };
    troth_report *report = troth_ask(policy, &q);
    bool ok = troth_report_ok(report);
    if (!ok)
        complain_error(troth_report_error(report));
    troth_report_free(report);
    troth_policy_free(policy);
    return ok;
}

/* With -async the key is elsewhere: signatures are asked for. */
static void external(troth_builder *b, struct run *r, const struct credential *c)
{
    enum troth_reason why = TROTH_R_NONE;
    if (r->n_keys == sizeof r->keys / sizeof r->keys[0])
        for (r->n_keys = 0; r->n_keys < sizeof r->keys / sizeof r->keys[0]; r->n_keys++)
            r->provider->key_free(r->keys[r->n_keys]);
    troth_key *key = r->provider->key_load(r->provider->self, file_or_die(c->key_file), NULL, NULL, &why);
    if (!key)
        complain("[%s] %s", troth_reason_code(why), c->key_file);
    else
        troth_identity_external(b, file_or_die(c->cert_file), r->keys[r->n_keys++] = key);
}

static void identity(troth_builder *b, struct run *r, const struct settings *s, const struct credential *c, bool staple)
{
    if (c->kind == CREDENTIAL_RAW_KEY)
        troth_identity_raw_key(b, file_or_die(c->key_file));
    else if (c->kind == CREDENTIAL_DELEGATED)
        troth_identity_external(b, file_or_die(c->cert_file), NULL);
    else if (s->async)
        external(b, r, c);
    else
        troth_identity_files(b, c->cert_file, c->key_file);
    if (c->kind == CREDENTIAL_DELEGATED)
        troth_identity_delegated(b, c->delegated, file_or_die(c->key_file));
    if (c->schemes.n)
        troth_identity_schemes(b, c->schemes.id, c->schemes.n);
    if (c->ocsp_response.n && staple)
        troth_identity_staple(b, c->ocsp_response);
    if (c->scts.n)
        troth_identity_scts(b, c->scts);
    if (c->must_match_issuer)
        troth_identity_must_match_issuer(b);
}

/* Those of -new-...-credential come first, the one without such a flag last. */
static void identities(troth_builder *b, struct run *r, const struct settings *s, bool staple)
{
    for (size_t i = 0; i < r->n_keys; i++)
        r->provider->key_free(r->keys[i]);
    r->n_keys = 0;
    for (size_t i = 0; i < s->n_more; i++)
        identity(b, r, s, &s->more[i], staple);
    if (s->has_legacy && s->legacy.key_file)
        identity(b, r, s, &s->legacy, staple);
}

static void bytes_of(uint8_t *out, const struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        out[i] = (uint8_t)l->id[i];
}

static void certificate_types(troth_builder *b, const struct settings *s)
{
    uint8_t types[LIST_MAX];
    bytes_of(types, &s->accepted_peer_cert_types);
    if (s->accepted_peer_cert_types.n)
        troth_peer_types(b, types, s->accepted_peer_cert_types.n);
    bytes_of(types, &s->available_client_cert_types);
    if (s->available_client_cert_types.n)
        troth_own_types(b, types, s->available_client_cert_types.n);
}

/* "\3foo\3bar" */
static void advertise(troth_builder *b, const char *raw)
{
    char names[8][256];
    const char *list[8];
    size_t n = 0;
    for (; *raw && n < 8; n++) {
        size_t len = (uint8_t)*raw;
        memcpy(names[n], raw + 1, len);
        names[n][len] = 0;
        list[n] = names[n];
        raw += 1 + len;
    }
    troth_alpn(b, list, n);
}

static void compress(troth_builder *b, const struct settings *s)
{
    const troth_compressor *one = compressor_by_id(s->install_one_cert_compression_alg);
    if (s->install_cert_compression_algs)
        troth_compressors(b, compressors, COMPRESSORS);
    else
        troth_compressors(b, one, one ? 1 : 0);
}

/* ---- client */
static bool is_quantum(uint16_t group)
{
    return group == 0x11ec || group == 0x0202 || group == 0x11eb || group == 0x11ed;
}


/* BoringSSL's choice: the first group, and the first of the other kind (hybrid or not). */
static size_t first_of_both(const struct list *groups, uint16_t out[2])
{
    size_t n = 0;
    for (size_t i = 0; i < groups->n && n < 2; i++)
        if (!n || is_quantum(groups->id[i]) != is_quantum(out[0]))
            out[n++] = groups->id[i];
    return n;
}

/* Groups that the server is known to have: the first of ours among them gets the share. */
static void shares(troth_builder *b, const struct settings *s)
{
    uint16_t both[2];
    for (size_t i = 0; i < s->curves.n; i++)
        for (size_t j = 0; j < s->groups_hint.n; j++)
            if (s->curves.id[i] == s->groups_hint.id[j]) {
                troth_key_shares(b, &s->curves.id[i], 1);
                return;
            }
    if (s->key_shares.n || s->no_key_shares)
        troth_key_shares(b, s->key_shares.id, s->key_shares.n);
    else if (s->curves.n)
        troth_key_shares(b, both, first_of_both(&s->curves, both));
}

troth_client *setup_client(struct run *r, const struct settings *s, troth_error *why)
{
    troth_builder *b = troth_client_builder(troth_provider_share(r->provider));
    speak(b, r, s);
    shares(b, s);
    trust(b, s);
    identities(b, r, s, true);
    troth_never_anonymous(b); /* as BoringSSL */
    certificate_types(b, s);
    if (s->async || s->fail_cert_callback || s->use_old_client_cert_callback)
        troth_ask_client(b);
    if (s->fallback_scsv)
        troth_fallback_scsv(b);
    if (s->no_ticket)
        troth_no_tickets(b);
    if (s->reject_unusable_ech_config)
        troth_ech_required(b);
    if (s->advertise_alpn)
        advertise(b, s->advertise_alpn);
    troth_request_ocsp(b, s->enable_ocsp_stapling);
    troth_request_scts(b, s->enable_signed_cert_timestamps);
    troth_grease(b, s->enable_grease);
    compress(b, s);
    if (s->enable_early_data)
        troth_early_data(b, 1);
    if (s->ech_config_list.n)
        troth_ech_configs(b, s->ech_config_list);
    if (s->enable_ech_grease)
        troth_ech_grease(b);
    return troth_build_client(b, why);
}

const char *setup_host(const struct settings *s)
{
    return s->ech_config_list.n && s->host_name ? s->host_name : "test";
}

/* ---- server */
static void cache_put(void *ctx, troth_span id, troth_span state)
{
    struct run *r = ctx;
    if (id.n > sizeof r->cached_id || state.n > sizeof r->cached)
        return;
    r->cache_puts++;
    memcpy(r->cached_id, id.p, r->cached_id_n = id.n);
    memcpy(r->cached, state.p, r->cached_n = state.n);
}

static size_t cache_take(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    const struct run *r = ctx;
    if (!spans_equal(id, (troth_span){ r->cached_id, r->cached_id_n }) || r->cached_n > cap)
        return 0;
    memcpy(out, r->cached, r->cached_n);
    return r->cached_n;
}

/* To BoringSSL what was seen is its caller's to know; the runner plays nothing again. */
static bool first_time(void *ctx, const uint8_t mark[32], int64_t expires)
{
    (void)ctx;
    (void)mark;
    (void)expires;
    return true;
}

/* One key for all connections of a run.  -renew-ticket: tickets are opened with the older of two, and so are renewed; -skip-ticket and
 * -no-ticket: none are made, and the key of those that were is gone. */
static void tickets(troth_builder *b, struct run *r, const struct settings *s, enum turn turn)
{
    enum { EARLY_MOST = 14336 };
    troth_ticket_key keys[2] = { { { 1 }, { 1 } }, { { 2 }, { 2 } } };
    const troth_session_cache cache = { r, cache_put, cache_take };
    bool later = turn != TURN_INITIAL;
    if (s->skip_ticket || s->no_ticket)
        keys[0].name[0] = keys[0].key[0] = (uint8_t)(later ? 4 : 3);
    if (s->renew_ticket && later)
        keys[0] = keys[1], keys[1] = (troth_ticket_key){ { 1 }, { 1 } };
    troth_ticket_keys(b, keys, s->renew_ticket && later ? 2 : 1);
    if ((s->no_ticket || s->skip_ticket))
        troth_tickets(b, 0, 86400);
    troth_cache(b, &cache);
    if (s->enable_early_data)
        troth_early_data(b, EARLY_MOST);
    troth_anti_replay(b, first_time, NULL);
}

bool setup_asks(const struct settings *s)
{
    return s->async || s->use_early_callback || s->fail_early_callback || s->fail_early_callback_ech_rewind || s->install_ddos_callback || s->fail_cert_callback
        || s->use_ocsp_callback || s->expect_server_name || s->expect_advertised_alpn || s->select_empty_alpn;
}

static void select_alpn(troth_builder *b, const struct settings *s, bool answer)
{
    static const char *const nobodys[] = { "troth/nobody's" };
    const char *one[1] = { s->select_alpn ? s->select_alpn : "" };
    if (*one[0] || (s->select_empty_alpn && answer))
        troth_alpn(b, one, 1);
    else if (s->reject_alpn || s->quic) /* where there must be a protocol there is one */
        troth_alpn(b, nobodys, 1);
    else if (s->decline_alpn)
        troth_alpn_optional(b);
}

/* BoringSSL's servers keep to their order; -curves-flags 1: as good as the next. */
static void order(troth_builder *b, const struct settings *s)
{
    bool equal[LIST_MAX];
    for (size_t i = 0; i < s->curves_flags.n; i++)
        equal[i] = s->curves_flags.id[i] == 1;
    troth_strict_groups(b, equal, s->curves_flags.n);
}

troth_server *setup_server(struct run *r, const struct settings *s, enum turn turn, bool answer, troth_error *why)
{
    troth_builder *b = troth_server_builder(troth_provider_share(r->provider));
    bool judges = s->verify_peer || s->require_any_client_certificate;
    speak(b, r, s);
    order(b, s);
    identities(b, r, s, !s->use_ocsp_callback || (answer && !s->decline_ocsp_callback));
    certificate_types(b, s);
    select_alpn(b, s, answer);
    tickets(b, r, s, turn);
    compress(b, s);
    if (s->no_server_name_ack)
        troth_ignore_names(b);
    if (judges) {
        trust(b, s);
        troth_ask_client_auth(b, s->require_any_client_certificate ? TROTH_AUTH_REQUIRED : TROTH_AUTH_OPTIONAL);
    }
    if (setup_asks(s) && !answer)
        troth_ask_server(b);
    for (size_t i = 0; i < s->n_ech_configs && i < s->n_ech_keys; i++)
        troth_ech_key(b, s->ech_server_config[i], s->ech_server_key[i], i < s->ech_is_retry_config.n && s->ech_is_retry_config.id[i]);
    return troth_build_server(b, why);
}

void setup_end(struct run *r)
{
    for (size_t i = 0; i < r->n_keys; i++)
        r->provider->key_free(r->keys[i]);
    r->n_keys = 0;
    troth_provider_free(r->provider);
}
