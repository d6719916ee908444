/* builder.c - the setters.  They remember the first mistake and say nothing; build reports it.  Must never touch a builder that
 * already failed. */
#include "api/api.h"

#include "tls/oid_filter.h"
#include "wire/registry.h"
#include "x509/oid.h"

static troth_builder *new_builder(troth_provider *p, bool is_server)
{
    if (!p || !p->memory || !p->memory->alloc || !p->memory->free)
        return NULL;
    const char *fault = provider_fault(p);
    troth_builder *b = p->memory->alloc(p->memory->ctx, sizeof *b);
    if (!b) {
        troth_provider_free(p);
        return NULL;
    }
    memset(b, 0, sizeof *b);
    b->config.is_server = is_server;
    b->config.provider = p;
    b->config.memory = p->memory;
    arena_init(&b->config.arena, p->memory, 4096);
    defaults(b);
    if (fault)
        mistake(b, BAD_ARGUMENT, "the provider is not usable: %s", fault);
    return b;
}

troth_builder *troth_client_builder(troth_provider *p)
{
    return new_builder(p, false);
}

troth_builder *troth_server_builder(troth_provider *p)
{
    return new_builder(p, true);
}

void troth_builder_free(troth_builder *b)
{
    if (!b)
        return;
    const troth_allocator *memory = b->config.memory;
    troth_provider *provider = b->config.provider;
    for (size_t i = 0; i < b->config.n_identities; i++)
        identity_free_keys(provider, &b->config.identities[i]);
    troth_policy_builder_free(b->trust);
    troth_policy_free(b->config.policy);
    arena_free(&b->config.arena);
    secret_wipe(b, sizeof *b);
    memory->free(memory->ctx, b, sizeof *b);
    troth_provider_free(provider);
}

const troth_error *troth_mistake(const troth_builder *b)
{
    return b && error_is_set(&b->error) ? &b->error : NULL;
}

/* Is the setter for this role? */
bool builder_role(troth_builder *b, bool server, const char *setter)
{
    if (!builder_ok(b))
        return false;
    if (b->config.is_server == server)
        return true;
    mistake(b, WRONG_ROLE, "%s is for %s", setter, server ? "servers" : "clients");
    return false;
}

/* ---- memory */
static bool keep_text(troth_builder *b, const char **out, const char *s)
{
    *out = arena_string(&b->config.arena, span_of(s, strlen(s)));
    return *out || fail(b, OUT_OF_MEMORY, "%zu bytes", strlen(s));
}

/* A list of numbers becomes one in wire format. */
bool builder_given(troth_builder *b, const void *p, size_t n, const char *setter)
{
    if (builder_ok(b) && !p && n)
        mistake(b, BAD_ARGUMENT, "%s: NULL", setter);
    return builder_ok(b);
}

static void keep_list(troth_builder *b, span *out, const uint16_t *ids, size_t n, const char *setter)
{
    uint8_t *p = n <= LIMIT_LIST ? arena_array(&b->config.arena, n, 2) : NULL;
    if (n > LIMIT_LIST)
        mistake(b, BAD_ARGUMENT, "%s: %zu numbers; at most %d", setter, n, LIMIT_LIST);
    else if (!p)
        mistake(b, OUT_OF_MEMORY, "%s: %zu numbers", setter, n);
    if (!p)
        return;
    struct wr w = wr_into(p, 2 * n);
    for (size_t i = 0; i < n; i++)
        wr_u16(&w, ids[i]);
    *out = span_of(p, 2 * n);
}

/* ---- trust */
static bool has_trust(troth_builder *b, const char *setter)
{
    if (!builder_ok(b))
        return false;
    if (b->config.trust_anyone || b->config.policy) {
        mistake(b, BAD_ARGUMENT, "%s: another kind of trust was chosen before", setter);
        return false;
    }
    if (!b->trust)
        b->trust = troth_policy_new(troth_provider_share(b->config.provider));
    if (!b->trust)
        mistake(b, OUT_OF_MEMORY, "%s", setter);
    return b->trust != NULL;
}

/* What is wrong with it is the builder's mistake at once. */
static void trusted(troth_builder *b)
{
    const troth_error *e = policy_mistake(b->trust);
    if (e)
        b->error = *e;
}

void troth_trust_system(troth_builder *b)
{
    if (!has_trust(b, "troth_trust_system"))
        return;
    troth_policy_trust_system(b->trust);
    trusted(b);
}

void troth_trust_file(troth_builder *b, const char *path)
{
    if (!has_trust(b, "troth_trust_file"))
        return;
    troth_policy_trust_file(b->trust, path);
    trusted(b);
}

void troth_trust_pem(troth_builder *b, troth_span pem)
{
    if (!has_trust(b, "troth_trust_pem"))
        return;
    troth_policy_trust_pem(b->trust, pem);
    trusted(b);
}

void troth_trust_policy(troth_builder *b, troth_policy *policy)
{
    if (builder_ok(b) && !b->trust && !b->config.policy && !b->config.trust_anyone && policy) {
        b->config.policy = policy;
        return;
    }
    if (builder_ok(b))
        mistake(b, BAD_ARGUMENT, "troth_trust_policy: %s", policy ? "another kind of trust was chosen before" : "there is no policy");
    troth_policy_free(policy);
}

void troth_trust_pin(troth_builder *b, const uint8_t spki_sha256[32])
{
    if (!builder_given(b, spki_sha256, 1, "troth_trust_pin"))
        return;
    struct config *c = &b->config;
    if (c->n_pins == b->cap_pins) {
        size_t cap = b->cap_pins ? 2 * b->cap_pins : 4;
        uint8_t(*more)[32] = arena_array(&c->arena, cap, 32);
        if (!more) {
            mistake(b, OUT_OF_MEMORY, "troth_trust_pin");
            return;
        }
        if (c->n_pins)
            memcpy(more, c->pins, 32 * c->n_pins);
        c->pins = more;
        b->cap_pins = cap;
    }
    memcpy(c->pins[c->n_pins++], spki_sha256, 32);
}

void troth_danger_trust_anyone(troth_builder *b, const char *because)
{
    if (!builder_ok(b))
        return;
    if (b->trust || b->config.policy)
        mistake(b, BAD_ARGUMENT, "troth_danger_trust_anyone: another kind of trust was chosen before");
    else if (!because || !*because)
        mistake(b, BAD_ARGUMENT, "troth_danger_trust_anyone: say why");
    else
        (void)!keep_text(b, &b->config.trust_anyone, because);
}

void troth_ask_verdict(troth_builder *b)
{
    if (builder_ok(b))
        b->config.ask_verdict = true;
}

/* ---- identities */
void troth_identity_pem(troth_builder *b, troth_span chain, troth_span key)
{
    if (builder_ok(b))
        (void)!identity_from_pem(b, "troth_identity_pem", chain, &key, NULL);
}

void troth_identity_external(troth_builder *b, troth_span chain, void *tag)
{
    if (builder_ok(b))
        (void)!identity_from_pem(b, "troth_identity_external", chain, NULL, tag);
}

void troth_key_elsewhere(troth_builder *b, troth_span spki, uint32_t can, void *tag)
{
    if (builder_ok(b))
        identity_elsewhere(b, "troth_key_elsewhere", &(struct elsewhere){ .spki = spki, .can = can, .tag = tag });
}

void troth_identity_files(troth_builder *b, const char *chain_path, const char *key_path)
{
    if (!builder_ok(b))
        return;
    const troth_allocator *memory = b->config.memory;
    span chain = SPAN_NONE, key = SPAN_NONE;
    if (file_read(&b->error, memory, chain_path, &chain) && file_read(&b->error, memory, key_path, &key)) {
        char files[sizeof b->error.detail]; /* what a message names: who gave several looks for the one that is wrong */
        struct text t = TEXT_IN(files);
        text_add(&t, "%s", chain_path);
        if (strcmp(chain_path, key_path) != 0)
            text_add(&t, " with %s", key_path);
        (void)!identity_from_pem(b, files, chain, &key, NULL);
    }
    file_free(memory, chain);
    file_free(memory, key);
}

void troth_passphrase(troth_builder *b, troth_passphrase_fn *ask, void *ctx)
{
    if (!builder_ok(b))
        return;
    b->passphrase = ask;
    b->passphrase_ctx = ctx;
}

struct identity *last_identity(troth_builder *b, const char *setter)
{
    if (!builder_ok(b))
        return NULL;
    if (b->config.n_identities)
        return &b->config.identities[b->config.n_identities - 1];
    mistake(b, WRONG_TIME, "%s: add an identity first", setter);
    return NULL;
}

static void keep_bytes(troth_builder *b, span *out, span s, const char *setter)
{
    if (!arena_copy(&b->config.arena, out, s))
        mistake(b, OUT_OF_MEMORY, "%s", setter);
}

void troth_identity_staple(troth_builder *b, troth_span ocsp_response)
{
    struct identity *id = last_identity(b, "troth_identity_staple");
    if (id)
        keep_bytes(b, &id->staple, ocsp_response, "troth_identity_staple");
}

/* RFC 6962 3.3: at least one, none of them empty. */
static bool is_sct_list(span list)
{
    span sct, rest = span_slice(list, 2, list.n);
    bool any = false;
    if (list.n < 2 || u16s_at(list, 0) != rest.n)
        return false;
    for (; opaque16_next(&rest, &sct); any = true)
        if (!sct.n)
            return false;
    return any && !rest.n;
}

void troth_identity_scts(troth_builder *b, troth_span sct_list)
{
    struct identity *id = last_identity(b, "troth_identity_scts");
    if (!id)
        return;
    if (!is_sct_list(sct_list))
        mistake(b, BAD_ARGUMENT, "troth_identity_scts: not a SignedCertificateTimestampList");
    else
        keep_bytes(b, &id->scts, sct_list, "troth_identity_scts");
}

void troth_identity_schemes(troth_builder *b, const uint16_t *schemes, size_t n)
{
    struct identity *id = last_identity(b, "troth_identity_schemes");
    if (id && builder_given(b, schemes, n, "troth_identity_schemes"))
        keep_list(b, &id->schemes, schemes, n, "troth_identity_schemes");
}

void troth_identity_must_match_issuer(troth_builder *b)
{
    struct identity *id = last_identity(b, "troth_identity_must_match_issuer");
    if (id)
        id->must_match_issuer = true;
}

/* ---- what to speak */
void troth_versions(troth_builder *b, uint16_t least, uint16_t most)
{
    if (!builder_ok(b))
        return;
    bool known = (least == TROTH_TLS12 || least == TROTH_TLS13) && (most == TROTH_TLS12 || most == TROTH_TLS13);
    if (!known || least > most) {
        mistake(b, BAD_ARGUMENT, "troth_versions: from %04x to %04x", least, most);
        return;
    }
    b->config.least = least;
    b->config.most = most;
}

void troth_suites(troth_builder *b, const uint16_t *ids, size_t n)
{
    if (!builder_given(b, ids, n, "troth_suites"))
        return;
    for (size_t i = 0; i < n; i++)
        if (!suite_by_id(ids[i]))
            mistake(b, BAD_ARGUMENT, "troth_suites: %s (%04x) is not one that troth speaks", name_of(&names_suite, ids[i]), ids[i]);
    keep_list(b, &b->config.suites, ids, n, "troth_suites");
    b->config.suites_given = true;
}

static bool named_before(const uint16_t *ids, size_t i)
{
    bool before = false;
    for (size_t j = 0; j < i; j++)
        before |= ids[j] == ids[i];
    return before;
}

void troth_groups(troth_builder *b, const uint16_t *ids, size_t n)
{
    if (!builder_given(b, ids, n, "troth_groups"))
        return;
    for (size_t i = 0; i < n; i++)
        if (!provider_kem(b->config.provider, ids[i]))
            mistake(b, BAD_ARGUMENT, "troth_groups: the provider does not have %s (%04x)", name_of(&names_group, ids[i]), ids[i]);
        else if (named_before(ids, i)) /* RFC 9846 4.3.7 */
            mistake(b, BAD_ARGUMENT, "troth_groups: %s twice", name_of(&names_group, ids[i]));
    keep_list(b, &b->config.groups, ids, n, "troth_groups");
}

void troth_strict_groups(troth_builder *b, const bool *equal, size_t n)
{
    if (!builder_role(b, true, "troth_strict_groups") || !builder_given(b, equal, n, "troth_strict_groups"))
        return;
    uint8_t *p = arena_alloc(&b->config.arena, n);
    if (!p) {
        mistake(b, OUT_OF_MEMORY, "troth_strict_groups");
        return;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = equal[i];
    b->config.strict_groups = true;
    b->config.equal_groups = span_of(p, n);
}

void troth_key_shares(troth_builder *b, const uint16_t *ids, size_t n)
{
    if (!builder_role(b, false, "troth_key_shares") || !builder_given(b, ids, n, "troth_key_shares"))
        return;
    keep_list(b, &b->config.key_shares, ids, n, "troth_key_shares");
    b->config.key_shares_given = true;
}

void troth_verify_schemes(troth_builder *b, const uint16_t *ids, size_t n)
{
    if (!builder_given(b, ids, n, "troth_verify_schemes"))
        return;
    for (size_t i = 0; i < n; i++)
        if (!scheme_by_id(ids[i]))
            mistake(b, BAD_ARGUMENT, "troth_verify_schemes: %s (%04x) is not one that troth speaks", name_of(&names_scheme, ids[i]),
                    ids[i]);
    keep_list(b, &b->config.verify_schemes, ids, n, "troth_verify_schemes");
}

void troth_alpn(troth_builder *b, const char *const *names, size_t n)
{
    if (!builder_given(b, names, n, "troth_alpn"))
        return;
    size_t all = 0;
    for (size_t i = 0; i < n; i++) {
        size_t len = names[i] ? strlen(names[i]) : 0;
        if (!len || len > 255) {
            mistake(b, BAD_ARGUMENT, "troth_alpn: name %zu has %zu bytes; 1 to 255 are possible", i, len);
            return;
        }
        all += 1 + len;
    }
    uint8_t *p = all <= LIMIT_ALPN ? arena_alloc(&b->config.arena, all) : NULL;
    if (all > LIMIT_ALPN)
        mistake(b, BAD_ARGUMENT, "troth_alpn: %zu bytes of names; at most %d", all, LIMIT_ALPN);
    else if (!p)
        mistake(b, OUT_OF_MEMORY, "troth_alpn: %zu bytes of names", all);
    if (!p)
        return;
    struct wr w = wr_into(p, all);
    for (size_t i = 0; i < n; i++)
        wr_opaque(&w, 1, span_of(names[i], strlen(names[i])));
    b->config.alpn = wr_done(&w);
}

void troth_alpn_optional(troth_builder *b)
{
    if (builder_role(b, true, "troth_alpn_optional"))
        b->config.alpn_optional = true;
}

void troth_strict_sni(troth_builder *b)
{
    if (builder_role(b, true, "troth_strict_sni"))
        b->config.strict_sni = true;
}

void troth_ignore_names(troth_builder *b)
{
    if (builder_role(b, true, "troth_ignore_names"))
        b->config.ignore_names = true;
}

void troth_ask_server(troth_builder *b)
{
    if (builder_role(b, true, "troth_ask_server"))
        b->config.ask_server = true;
}

void troth_ask_client(troth_builder *b)
{
    if (builder_role(b, false, "troth_ask_client"))
        b->config.ask_client = true;
}

void troth_ask_client_auth(troth_builder *b, enum troth_auth auth)
{
    if (!builder_role(b, true, "troth_ask_client_auth"))
        return;
    if ((unsigned)auth > TROTH_AUTH_REQUIRED)
        mistake(b, BAD_ARGUMENT, "troth_ask_client_auth: %u", (unsigned)auth);
    b->config.client_auth = auth;
}

void troth_never_anonymous(troth_builder *b)
{
    if (builder_role(b, false, "troth_never_anonymous"))
        b->config.never_anonymous = true;
}

void troth_fallback_scsv(troth_builder *b)
{
    if (builder_role(b, false, "troth_fallback_scsv"))
        b->config.fallback = true;
}

void troth_request_ocsp(troth_builder *b, bool yes)
{
    if (builder_ok(b))
        b->config.request_ocsp = yes;
}

void troth_request_scts(troth_builder *b, bool yes)
{
    if (builder_role(b, false, "troth_request_scts"))
        b->config.request_scts = yes;
}

/* ---- HelloRetryRequest */
void troth_retry_cookie(troth_builder *b)
{
    if (builder_role(b, true, "troth_retry_cookie"))
        b->config.cookies = true;
}

void troth_cookie_key(troth_builder *b, const uint8_t key[32])
{
    if (!builder_role(b, true, "troth_cookie_key") || !builder_given(b, key, 1, "troth_cookie_key"))
        return;
    b->config.cookies = b->config.cookie_key_given = true;
    memcpy(b->config.cookie_key, key, sizeof b->config.cookie_key);
}

void troth_always_retry(troth_builder *b)
{
    if (builder_role(b, true, "troth_always_retry"))
        b->config.cookies = b->config.always_retry = true;
}

/* ---- which certificates the peer is to show */
void troth_cert_schemes(troth_builder *b, const uint16_t *ids, size_t n)
{
    if (!builder_given(b, ids, n, "troth_cert_schemes"))
        return;
    if (!n)
        mistake(b, BAD_ARGUMENT, "troth_cert_schemes: none is named");
    keep_list(b, &b->config.cert_schemes, ids, n, "troth_cert_schemes");
}

void troth_name_authorities(troth_builder *b, bool yes)
{
    if (builder_ok(b))
        b->config.name_authorities = yes;
}

void troth_max_certificate(troth_builder *b, uint32_t bytes)
{
    if (!builder_ok(b))
        return;
    if (!bytes || bytes > LIMIT_CERTIFICATE_MESSAGE)
        mistake(b, BAD_ARGUMENT, "troth_max_certificate: %u; 1 to %d are possible", (unsigned)bytes, LIMIT_CERTIFICATE_MESSAGE);
    else
        b->config.most_certificate = bytes;
}

static bool filter_ok(troth_builder *b, span oid, span values)
{
    span list = b->config.oid_filters, other, any;
    const char *wrong = !oid_valid(oid) || oid.n > 255 ? "not an object identifier" : values.n > 0xffff ? "too many values" : NULL;
    while (!wrong && oid_filter_next(&list, &other, &any))
        if (span_equal(other, oid))
            wrong = "it was named before";
    if (!wrong && !oid_filter_readable(oid, values))
        wrong = "its values are not in DER, or have anyExtendedKeyUsage";
    return !wrong || fail(b, BAD_ARGUMENT, "troth_oid_filter: %s", wrong);
}

void troth_oid_filter(troth_builder *b, troth_span oid, troth_span values)
{
    if (!builder_role(b, true, "troth_oid_filter") || !filter_ok(b, oid, values))
        return;
    struct config *c = &b->config;
    size_t n = c->oid_filters.n + 1 + oid.n + 2 + values.n;
    uint8_t *p = n <= 0xffff ? arena_alloc(&c->arena, n) : NULL;
    if (!p) {
        mistake(b, OUT_OF_MEMORY, "troth_oid_filter: %zu bytes", n);
        return;
    }
    struct wr w = wr_into(p, n);
    wr_span(&w, c->oid_filters);
    wr_opaque(&w, 1, oid);
    wr_opaque(&w, 2, values);
    c->oid_filters = wr_done(&w);
}

/* ---- records */
void troth_record_size_limit(troth_builder *b, uint16_t bytes)
{
    if (!builder_ok(b))
        return;
    if (bytes < 64 || bytes > LIMIT_PLAINTEXT + 1)
        mistake(b, BAD_ARGUMENT, "troth_record_size_limit: %u; 64 to 16385 are possible", bytes);
    else
        b->config.record_size_limit = bytes;
}

void troth_max_fragment(troth_builder *b, uint16_t bytes)
{
    if (!builder_ok(b))
        return;
    if (!bytes || bytes > LIMIT_PLAINTEXT)
        mistake(b, BAD_ARGUMENT, "troth_max_fragment: %u; 1 to 16384 are possible", bytes);
    else
        b->config.max_fragment = bytes;
}

void troth_pad(troth_builder *b, enum troth_padding padding, uint16_t block)
{
    if (!builder_ok(b))
        return;
    if ((unsigned)padding > TROTH_PAD_FULL || (padding == TROTH_PAD_BLOCK && !block))
        mistake(b, BAD_ARGUMENT, padding == TROTH_PAD_BLOCK ? "troth_pad: a block of 0 bytes" : "troth_pad: no such padding");
    b->config.padding = padding;
    b->config.pad_block = block;
}

void troth_grease(troth_builder *b, bool yes)
{
    if (builder_ok(b))
        b->config.grease = yes;
}

/* ---- time and secrets */
static void set_clock(troth_builder *b, int64_t (*seconds)(void *), int64_t (*microseconds)(void *), void *ctx)
{
    if (!builder_ok(b))
        return;
    b->config.clock = seconds;
    b->config.clock_us = microseconds;
    b->config.clock_given = seconds || microseconds;
    b->config.clock_ctx = ctx;
}

void troth_clock(troth_builder *b, int64_t (*unix_seconds)(void *), void *ctx)
{
    set_clock(b, unix_seconds, NULL, ctx);
}

void troth_clock_us(troth_builder *b, int64_t (*unix_microseconds)(void *), void *ctx)
{
    set_clock(b, NULL, unix_microseconds, ctx);
}

void troth_danger_key_log(troth_builder *b, void (*line)(void *ctx, const char *line), void *ctx)
{
    if (!builder_ok(b))
        return;
    b->config.key_log = line;
    b->config.key_log_ctx = ctx;
}
