/* ech.c - setters and key making for Encrypted Client Hello (RFC 9849).
 *
 * A key as a file is what others use too: PEM, "PRIVATE KEY" (PKCS#8, X25519) and "ECHCONFIG" (an ECHConfigList).  Must never take a key
 * that does not open what its configuration seals. */
#include "api/api.h"
#include "base/secret.h"
#include "crypto/hpke.h"
#include "wire/ech.h"
#include "x509/pem.h"

/* PKCS#8 of an X25519 key up to its 32 bytes (RFC 8410 7). */
static const uint8_t pkcs8[] = { 0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20 };

static bool read_list(troth_builder *b, const char *setter, span bytes, struct ech_config_list *list)
{
    struct rd_ctx ctx;
    rd_ctx_init(&ctx, bytes, NULL);
    struct rd r = rd_init(&ctx, bytes);
    return ech_config_list_read(list, &r) || fail(b, ECH_CONFIG_INVALID, "%s: at byte %u: %s", setter, (unsigned)ctx.bad_at, ctx.bad);
}

/* ---- PEM */
static bool objects(troth_builder *b, const char *setter, span pem, struct object **list, size_t *n)
{
    struct pki_ctx p = { .arena = &b->config.arena };
    if (objects_read(&p, pem, list, n))
        return true;
    return fail_as(b, p.error.reason, "%s: %s", setter, p.error.detail);
}

static const struct object *find(const struct object *list, size_t n, enum object_kind kind)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].kind == kind)
            return &list[i];
    return NULL;
}

/* ---- client */
void troth_ech_configs(troth_builder *b, troth_span config_list)
{
    static const char setter[] = "troth_ech_configs";
    struct ech_config_list list;
    if (!builder_role(b, false, setter))
        return;
    if (span_holds(config_list, SPAN_TEXT("-----BEGIN "))) {
        struct object *o;
        size_t n;
        if (!objects(b, setter, config_list, &o, &n))
            return;
        const struct object *found = find(o, n, OBJECT_ECH_CONFIG);
        config_list = found ? found->der : SPAN_NONE;
    }
    if (!read_list(b, setter, config_list, &list))
        return;
    if (!arena_copy(&b->config.arena, &b->config.ech_configs, config_list))
        mistake(b, OUT_OF_MEMORY, "%s", setter);
}

void troth_ech_required(troth_builder *b)
{
    if (builder_role(b, false, "troth_ech_required"))
        b->config.ech_required = true;
}

void troth_ech_grease(troth_builder *b)
{
    if (builder_role(b, false, "troth_ech_grease"))
        b->config.ech_grease = true;
}

/* ---- server */

/* What is sealed to the public key opens with the private one, in every suite that the configuration names. */
static bool belongs(troth_builder *b, const struct ech_config *config, const uint8_t *private_key, uint16_t aead)
{
    const troth_provider *p = b->config.provider;
    struct hpke seal, open;
    uint8_t enc[HPKE_ENC_N], sealed[HPKE_TAG_N], nothing[1];
    bool ok = hpke_seal_begin(&seal, p, aead, enc, config->public_key, SPAN_NONE) && hpke_seal(&seal, sealed, SPAN_NONE, SPAN_NONE)
           && hpke_open_begin(&open, p, aead, SPAN_OF(enc), private_key, config->public_key.p, SPAN_NONE)
           && hpke_open(&open, nothing, SPAN_NONE, SPAN_OF(sealed));
    hpke_end(&seal);
    hpke_end(&open);
    return ok;
}

static bool check_key(troth_builder *b, const char *setter, const struct ech_config *config, span private_key)
{
    if (config->version != ECH_VERSION || config->public_key.n != HPKE_KEY_N)
        return fail(b, ECH_CONFIG_INVALID, "%s: version %04x with a key of %zu bytes", setter, config->version, config->public_key.n);
    if (private_key.n != HPKE_KEY_N)
        return fail(b, ECH_KEY_MISMATCH, "%s: a private key of %zu bytes; %d are needed", setter, private_key.n, HPKE_KEY_N);
    size_t n = u16s_count(config->cipher_suites);
    for (size_t i = 0; i + 1 < n; i += 2) {
        uint16_t kdf = u16s_at(config->cipher_suites, i), aead = u16s_at(config->cipher_suites, i + 1);
        if (hpke_has(b->config.provider, config->kem_id, kdf, aead))
            return belongs(b, config, private_key.p, aead) || fail(b, ECH_KEY_MISMATCH, "%s", setter);
    }
    return fail(b, ECH_CONFIG_INVALID, "%s: KEM %04x with %zu suites, none of which the provider has", setter, config->kem_id,
                u16s_count(config->cipher_suites) / 2);
}

static bool add_key(troth_builder *b, const char *setter, span raw, span private_key, bool retry)
{
    struct config *c = &b->config;
    struct ech_server_key *more = arena_array(&c->arena, c->n_ech_keys + 1, sizeof *more);
    struct ech_config *parsed = arena_alloc(&c->arena, sizeof *parsed);
    uint8_t *listed = arena_alloc(&c->arena, 2 + raw.n);
    struct ech_config_list list;
    if (!more || !parsed || !listed)
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    struct wr w = wr_into(listed, 2 + raw.n);
    wr_opaque(&w, 2, raw);
    TRY(read_list(b, setter, wr_done(&w), &list));
    if (list.n != 1)
        return fail(b, ECH_CONFIG_INVALID, "%s: %u configurations; one goes with a key", setter, list.n);
    *parsed = list.configs[0];
    TRY(check_key(b, setter, parsed, private_key));
    if (c->n_ech_keys)
        memcpy(more, c->ech_keys, c->n_ech_keys * sizeof *more);
    struct ech_server_key *key = &more[c->n_ech_keys];
    *key = (struct ech_server_key){ .config = parsed->raw, .parsed = parsed, .retry = retry };
    if (!arena_copy(&c->arena, &key->private_key, private_key))
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    c->ech_keys = more;
    c->n_ech_keys++;
    return true;
}

void troth_ech_key(troth_builder *b, troth_span config, troth_span private_key, bool retry)
{
    static const char setter[] = "troth_ech_key";
    if (builder_role(b, true, setter))
        (void)!add_key(b, setter, config, private_key, retry);
}

static bool key_from_pem(troth_builder *b, const char *setter, span pem, bool retry)
{
    struct object *o;
    size_t n;
    TRY(objects(b, setter, pem, &o, &n));
    const struct object *key = find(o, n, OBJECT_PRIVATE_KEY), *config = find(o, n, OBJECT_ECH_CONFIG);
    if (!key || !config)
        return fail(b, ECH_CONFIG_INVALID, "%s: no %s in it", setter, key ? "ECHCONFIG" : "PRIVATE KEY");
    if (key->der.n != sizeof pkcs8 + HPKE_KEY_N || memcmp(key->der.p, pkcs8, sizeof pkcs8) != 0)
        return fail(b, ECH_KEY_MISMATCH, "%s: the private key is not one for X25519", setter);
    return add_key(b, setter, span_slice(config->der, 2, config->der.n), span_slice(key->der, sizeof pkcs8, HPKE_KEY_N), retry);
}

void troth_ech_key_pem(troth_builder *b, troth_span pem, bool retry)
{
    static const char setter[] = "troth_ech_key_pem";
    if (builder_role(b, true, setter))
        (void)!key_from_pem(b, setter, pem, retry);
}

/* ---- making keys */
struct failure {
    troth_error error;
};

static bool make(const troth_provider *p, const char *public_name, uint8_t longest_name, troth_ech_pair *out, struct failure *f)
{
    static const uint8_t suites[] = { 0, HPKE_KDF_SHA256, 0, HPKE_AES_128_GCM, 0, HPKE_KDF_SHA256, 0, HPKE_CHACHA20_POLY1305,
                                      0, HPKE_KDF_SHA256, 0, HPKE_AES_256_GCM };
    span name = span_of(public_name, strlen(public_name));
    uint8_t public_key[HPKE_KEY_N], id;
    if (!ech_public_name_ok(name))
        return fail(f, BAD_ARGUMENT, "troth_ech_make: `%s' is not a DNS name", public_name);
    if (!p->random(p->self, &id, 1))
        return fail(f, RANDOM_FAILED, "for a config_id");
    if (!hpke_make_key(p, out->private_key, public_key))
        return fail(f, CRYPTO_FAILED, "making an HPKE key");
    const struct ech_config config = {
        .config_id = id,
        .kem_id = HPKE_KEM_X25519_SHA256,
        .public_key = SPAN_OF(public_key),
        .cipher_suites = SPAN_OF(suites),
        .maximum_name_length = longest_name,
        .public_name = name,
    };
    struct wr w = wr_into(out->config, sizeof out->config);
    ech_config_write(&w, &config);
    out->config_n = w.n;
    return wr_ok(&w) || fail(f, BUG, "an ECHConfig of %zu bytes", w.n);
}

bool troth_ech_make(const troth_provider *p, const char *public_name, uint8_t longest_name, troth_ech_pair *out, troth_error *why)
{
    struct failure f = { { .reason = TROTH_R_NONE } };
    if (out)
        memset(out, 0, sizeof *out);
    bool ok = p && public_name && out ? make(p, public_name, longest_name, out, &f) : fail(&f, BAD_ARGUMENT, "troth_ech_make: NULL");
    if (!ok && out)
        secret_wipe(out, sizeof *out);
    if (!ok && why)
        *why = f.error;
    return ok;
}

size_t troth_ech_pem(const troth_ech_pair *pair, char *out, size_t cap)
{
    uint8_t key[sizeof pkcs8 + HPKE_KEY_N], list[2 + sizeof pair->config];
    if (!pair || pair->config_n > sizeof pair->config)
        return 0;
    memcpy(key, pkcs8, sizeof pkcs8);
    memcpy(key + sizeof pkcs8, pair->private_key, HPKE_KEY_N);
    struct wr w = wr_into(list, sizeof list);
    wr_opaque(&w, 2, span_of(pair->config, pair->config_n));
    size_t n = pem_write(out, cap, "PRIVATE KEY", SPAN_OF(key)), m = 0;
    if (n || !cap)
        m = pem_write(cap ? out + n : NULL, cap ? cap - n : 0, "ECHCONFIG", wr_done(&w));
    secret_wipe(key, sizeof key);
    return n && m && (!cap || n + m < cap) ? n + m : 0;
}
