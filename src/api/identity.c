/* identity.c - from a chain and a key, as people have them in files, to an identity.
 *
 * The certificate that belongs to the key is found wherever it stands in the file, and the others are put in order behind it.  Must never
 * let through a certificate whose key is not the one given. */
#include "api/api.h"

#include "base/text.h"
#include "crypto/pkcs12.h"
#include "tls/certificate.h"
#include "tls/compressed.h"
#include "tls/delegated.h"
#include "wire/registry.h"
#include "x509/pem.h"

static struct identity *new_identity(struct troth_builder *b)
{
    struct config *c = &b->config;
    if (c->n_identities == b->cap_identities) {
        size_t cap = b->cap_identities ? 2 * b->cap_identities : 2;
        struct identity *more = arena_array(&c->arena, cap, sizeof *more);
        if (!more)
            return NULL;
        if (c->n_identities)
            memcpy(more, c->identities, c->n_identities * sizeof *more);
        c->identities = more;
        b->cap_identities = cap;
    }
    struct identity *id = &c->identities[c->n_identities];
    memset(id, 0, sizeof *id);
    return id;
}

static bool copy_error(struct troth_builder *b, const troth_error *e, const char *setter)
{
    if (error_is_set(&b->error))
        return false;
    b->error = *e;
    struct text t = TEXT_IN(b->error.detail);
    text_add(&t, "%s", setter);
    if (e->detail[0])
        text_add(&t, ": %s", e->detail);
    return false;
}

void identity_free_keys(const troth_provider *p, struct identity *id)
{
    if (id->key)
        p->key_free(id->key);
    if (id->dc_key)
        p->key_free(id->dc_key);
}

/* ---- PKCS#12: chain and key in one file, which may be given for both */
static bool is_pkcs12(span bytes)
{
    return object_kind_of_der(bytes) == OBJECT_PKCS12;
}

static bool open_pkcs12(struct troth_builder *b, struct pkcs12 *p12, const char *setter, span bytes)
{
    enum troth_reason why;
    return pkcs12_open(p12, &b->config.arena, bytes, b->passphrase, b->passphrase_ctx, &why) || fail_as(b, why, "%s", setter);
}

/* ---- the chain */
static bool add_to_chain(struct troth_builder *b, struct identity *id, struct cert *certs, const char *setter, span der)
{
    troth_error why = { .reason = TROTH_R_NONE };
    if (id->n == LIMIT_CHAIN)
        return fail(b, TOO_MANY, "%s: more than %d certificates", setter, LIMIT_CHAIN);
    if (!cert_parse(&certs[id->n], der, NULL, &why))
        return copy_error(b, &why, setter);
    id->chain[id->n++] = der;
    return true;
}

static bool read_pkcs12_chain(struct troth_builder *b, struct identity *id, struct cert *certs, const char *setter, span bytes)
{
    struct pkcs12 p12;
    TRY(open_pkcs12(b, &p12, setter, bytes));
    for (size_t i = 0; i < p12.n_certs; i++)
        TRY(add_to_chain(b, id, certs, setter, p12.certs[i]));
    return id->n || fail(b, PKCS12_NOTHING, "%s: no certificate in it", setter);
}

static bool read_chain(struct troth_builder *b, struct identity *id, struct cert *certs, const char *setter, span chain)
{
    struct arena *a = &b->config.arena;
    struct pki_ctx pki = { .arena = a };
    struct object *list;
    size_t n;
    span bytes;
    if (is_pkcs12(chain))
        return read_pkcs12_chain(b, id, certs, setter, chain);
    if (!arena_copy(a, &bytes, chain))
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    if (!objects_read(&pki, bytes, &list, &n))
        return copy_error(b, &pki.error, setter);
    for (size_t i = 0; i < n; i++) {
        if (list[i].kind == OBJECT_CERTIFICATE)
            TRY(add_to_chain(b, id, certs, setter, list[i].der));
    }
    if (!id->n)
        return objects_wanted(&pki, OBJECT_CERTIFICATE, n ? &list[0] : NULL), copy_error(b, &pki.error, setter);
    return true;
}

/* Does this key belong to that certificate?  It signs, the certificate verifies. */
static bool belongs(const struct config *c, const troth_key *key, const struct cert *cert)
{
    static const uint8_t text[] = "does this key belong to this certificate?";
    const troth_provider *p = c->provider;
    uint8_t signature[TROTH_SIGNATURE_MAX];
    size_t n = 0;
    span part = SPAN_OF(text);
    if (cert->key.type != p->key_type(key))
        return false;
    for (size_t i = 0; scheme_at(i); i++) {
        enum troth_sig sig = scheme_at(i)->sig;
        if (!p->key_can(key, sig) || !p->can_verify(p->self, cert->key.type, sig))
            continue;
        if (!p->sign(p->self, key, sig, &part, 1, signature, &n))
            return false;
        troth_verify_job job = { .sig = sig, .key = &cert->key, .parts = &part, .n_parts = 1, .signature = span_of(signature, n) };
        p->verify(p->self, &job, 1);
        return job.good;
    }
    return false;
}

static void swap(struct identity *id, struct cert *certs, size_t i, size_t j)
{
    span s = id->chain[i];
    id->chain[i] = id->chain[j];
    id->chain[j] = s;
    struct cert c = certs[i];
    certs[i] = certs[j];
    certs[j] = c;
}

/* The leaf goes first; behind each certificate the one that issued it, as far as there is one. */
static bool put_in_order(struct identity *id, struct cert *certs, size_t leaf)
{
    bool moved = leaf != 0;
    if (leaf)
        swap(id, certs, 0, leaf);
    for (size_t i = 0; i + 2 < id->n; i++)
        for (size_t j = i + 1; j < id->n; j++) {
            if (certs[i].issuer_hash != certs[j].subject_hash || !name_equal(certs[i].issuer, certs[j].subject))
                continue;
            moved |= j != i + 1;
            swap(id, certs, i + 1, j);
            break;
        }
    return moved;
}

bool identity_warn(struct troth_builder *b, enum troth_reason why, const char *detail)
{
    enum { MOST = 16 };
    struct config *c = &b->config;
    if (!c->warnings)
        c->warnings = arena_array(&c->arena, MOST, sizeof *c->warnings);
    if (!c->warnings)
        return fail(b, OUT_OF_MEMORY, "for a warning");
    if (c->n_warnings < MOST)
        (void)error_set(&c->warnings[c->n_warnings++], why, __FILE__, __LINE__, "%s", detail);
    return true;
}

/* ---- the key */
void identity_elsewhere(struct troth_builder *b, const char *setter, const struct elsewhere *key)
{
    struct arena *a = &b->config.arena;
    struct elsewhere *e = arena_alloc(a, sizeof *e);
    struct spki s;
    span copy;
    if (!e || !arena_copy(a, &copy, key->spki)) {
        mistake(b, OUT_OF_MEMORY, "%s", setter);
        return;
    }
    if (!spki_read(&s, copy, NULL, NULL) || s.key.type == TROTH_KEY_NONE) {
        mistake(b, BAD_ARGUMENT, "%s: not a SubjectPublicKeyInfo, or of an unknown kind", setter);
        return;
    }
    *e = (struct elsewhere){ .next = b->elsewhere, .spki = copy, .type = s.key.type, .can = key->can, .tag = key->tag };
    b->elsewhere = e;
}

/* Are these bytes, given for a key, the public half of one that is elsewhere?  NULL: no. */
static const struct elsewhere *is_elsewhere(const struct troth_builder *b, span key)
{
    const struct elsewhere *e = b->elsewhere;
    while (e && !span_equal(e->spki, key))
        e = e->next;
    return e;
}

static bool load_key(struct troth_builder *b, struct identity *id, const char *setter, span key)
{
    const troth_provider *p = b->config.provider;
    const struct elsewhere *e = is_elsewhere(b, key);
    enum troth_reason why = TROTH_R_KEY_MALFORMED;
    struct pkcs12 p12;
    if (e) {
        id->tag = e->tag;
        id->can = e->can;
        id->spki = e->spki;
        id->key_type = e->type;
        return true;
    }
    if (is_pkcs12(key)) {
        TRY(open_pkcs12(b, &p12, setter, key));
        if (!p12.key.n)
            return fail(b, PKCS12_NOTHING, "%s: no private key in it", setter);
        key = p12.key;
    }
    id->key = p->key_load(p->self, key, b->passphrase, b->passphrase_ctx, &why);
    if (!id->key)
        return fail_as(b, why, "%s", setter);
    id->key_type = p->key_type(id->key);
    return true;
}

/* Is that its certificate?  Of an external key of which nothing is known, the first one is. */
static bool is_certified(const struct config *c, const struct identity *id, const struct cert *cert)
{
    if (id->key)
        return belongs(c, id->key, cert);
    return !id->spki.n || span_equal(id->spki, cert->spki);
}

static bool match(struct troth_builder *b, struct identity *id, struct cert *certs, const char *setter)
{
    size_t leaf = 0;
    while (leaf < id->n && !is_certified(&b->config, id, &certs[leaf]))
        leaf++;
    if (leaf == id->n) {
        char title[80];
        struct text t = TEXT_IN(title);
        cert_title(&t, &certs[0]);
        return fail(b, KEY_MISMATCH, "%s: the key is not that of %s", setter, title);
    }
    if (put_in_order(id, certs, leaf))
        TRY(identity_warn(b, TROTH_R_CHAIN_ORDER, setter));
    return true;
}

/* ---- all of it */
static bool fill(struct troth_builder *b, struct identity *id, const char *setter, span chain, const span *key)
{
    struct cert *certs = arena_array(&b->config.arena, LIMIT_CHAIN, sizeof *certs);
    if (!certs)
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    TRY(read_chain(b, id, certs, setter, chain));
    TRY(!key || load_key(b, id, setter, *key));
    TRY(match(b, id, certs, setter));
    if (!key)
        id->key_type = certs[0].key.type;
    id->leaf = &certs[0];
    id->spki = certs[0].spki;
    for (size_t i = 0; i < id->n; i++)
        id->issuers[i] = certs[i].issuer;
    return true;
}

bool identity_from_pem(struct troth_builder *b, const char *setter, span chain, const span *key, void *tag)
{
    struct identity *id = new_identity(b);
    if (!id)
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    id->tag = tag;
    bool ok = fill(b, id, setter, chain, key);
    b->config.n_identities++; /* also a broken one: its key must be freed */
    return ok;
}

/* A raw public key is its private key and nothing else (RFC 7250). */
static bool fill_raw(struct troth_builder *b, struct identity *id, const char *setter, span key)
{
    enum { MOST = 4096 };
    struct config *c = &b->config;
    TRY(load_key(b, id, setter, key));
    if (!id->key)
        return true;
    uint8_t *spki = arena_alloc(&c->arena, MOST);
    if (!spki)
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    size_t n = c->provider->key_public(id->key, spki, MOST);
    id->spki = span_of(spki, n);
    return n || fail(b, CRYPTO_FAILED, "%s: the public half of the key", setter);
}

bool identity_from_raw(struct troth_builder *b, const char *setter, span key)
{
    struct identity *id = new_identity(b);
    if (!id)
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    bool ok = fill_raw(b, id, setter, key);
    b->config.n_identities++; /* also a broken one: its key must be freed */
    return ok;
}

/* ---- a delegated credential (RFC 9345) beside a chain */
static bool delegated_signed(const struct config *c, const struct identity *id)
{
    const struct scheme *s = scheme_by_id(id->dc.algorithm);
    uint8_t lead[DELEGATED_LEAD];
    span parts[DELEGATED_PARTS];
    if (!s || !scheme_fits(s, TROTH_TLS13, id->leaf->key.type) || !pss_allows(id->leaf->key_pss, s->sig, 0))
        return false;
    delegated_content(parts, lead, c->is_server, id->leaf, &id->dc);
    troth_verify_job job = { .sig = s->sig, .key = &id->leaf->key, .parts = parts, .n_parts = DELEGATED_PARTS, .signature = id->dc.signature };
    c->provider->verify(c->provider->self, &job, 1);
    return job.good;
}

static bool same_key(const struct config *c, const troth_key *key, span spki)
{
    uint8_t out[4096];
    size_t n = c->provider->key_public(key, out, sizeof out);
    return n && span_equal(span_of(out, n), spki);
}

/* Can the credential's key make what it is for?  Every peer looks (RFC 9345 4.1.3). */
static bool delegated_fits(const struct delegated_credential *dc)
{
    const struct scheme *with = scheme_by_id(dc->dc_cert_verify_algorithm);
    struct spki key;
    return spki_read(&key, dc->spki, NULL, NULL) && scheme_fits(with, TROTH_TLS13, key.key.type) && pss_allows(key.pss, with->sig, 0);
}

bool identity_delegate(struct troth_builder *b, struct identity *id, const char *setter, span credential, span key)
{
    const struct config *c = &b->config;
    const struct elsewhere *e = is_elsewhere(b, key);
    enum troth_reason why = TROTH_R_KEY_MALFORMED;
    span copy;
    if (!id->leaf || id->has_dc)
        return fail(b, BAD_ARGUMENT, "%s: the identity added last has %s", setter, id->leaf ? "one already" : "no certificate");
    if (!arena_copy(&b->config.arena, &copy, credential))
        return fail(b, OUT_OF_MEMORY, "%s", setter);
    if (!delegated_read(&id->dc, copy))
        return fail(b, DELEGATED_MALFORMED, "%s: %zu bytes", setter, credential.n);
    if (!delegated_scheme_ok(id->dc.dc_cert_verify_algorithm) || !delegated_fits(&id->dc))
        return fail(b, DELEGATED_BAD_SCHEME, "%s: %s", setter, name_of(&names_scheme, id->dc.dc_cert_verify_algorithm));
    id->dc_tag = e ? e->tag : NULL;
    id->dc_key = e ? NULL : c->provider->key_load(c->provider->self, key, b->passphrase, b->passphrase_ctx, &why);
    id->has_dc = e || id->dc_key;
    if (!id->has_dc)
        return fail_as(b, why, "%s", setter);
    if (e ? !span_equal(e->spki, id->dc.spki) : !same_key(c, id->dc_key, id->dc.spki))
        return fail(b, KEY_MISMATCH, "%s: the key is not that of the credential", setter);
    return delegated_signed(c, id) || identity_warn(b, TROTH_R_DELEGATED_SIGNATURE, setter); /* whether it counts is for peers to say */
}

/* Schemes that the key can make and its public half allows, in the order given or in ours. */
static bool fill_schemes(struct troth_builder *b, struct identity *id)
{
    enum { MOST = 64 };
    const troth_provider *p = b->config.provider;
    span given = id->schemes;
    size_t n = u16s_count(given);
    uint8_t *out = arena_alloc(&b->config.arena, 2 * MOST);
    if (!out)
        return fail(b, OUT_OF_MEMORY, "for signature schemes");
    struct wr w = wr_into(out, 2 * MOST);
    struct spki shown;
    if (!spki_read(&shown, id->spki, NULL, NULL))
        shown.pss = (struct pss_limit){ 0 }; /* a kind of key that only the application knows */
    for (size_t i = 0; i < n || (!n && scheme_at(i)); i++) {
        const struct scheme *s = n ? scheme_by_id(u16s_at(given, i)) : scheme_at(i);
        bool fits = s && (scheme_fits(s, TROTH_TLS13, id->key_type) || scheme_fits(s, TROTH_TLS12, id->key_type));
        if (fits && pss_allows(shown.pss, s->sig, 0) && (id->key ? p->key_can(id->key, s->sig) : !id->can || id->can >> s->sig & 1))
            wr_u16(&w, s->id);
    }
    id->schemes = wr_done(&w);
    return id->schemes.n || fail(b, BAD_ARGUMENT, "an identity's key can make none of the signature schemes%s", n ? " given" : "");
}

/* A warning about the leaf, with the moment that it is about; 0: none. */
static bool warn_of_leaf(struct troth_builder *b, const struct identity *id, enum troth_reason why, const char *what, int64_t when)
{
    char detail[160];
    struct text t = TEXT_IN(detail);
    cert_title(&t, id->leaf);
    text_add(&t, "%s", what);
    if (when)
        text_time(&t, when);
    return identity_warn(b, why, detail);
}

/* Things that will bite soon. */
static bool look_ahead(struct troth_builder *b, const struct identity *id)
{
    enum { SOON = 7 * 86400 };
    if (!id->leaf)
        return true;
    int64_t now = config_now(&b->config), from = id->leaf->not_before, end = id->leaf->not_after;
    if (id->has_dc && !delegated_allowed(id->leaf))
        TRY(warn_of_leaf(b, id, TROTH_R_DELEGATED_NOT_ALLOWED, "", 0));
    TRY(staple_look(b, id));
    if (id->leaf->must_staple && !id->staple.n)
        TRY(warn_of_leaf(b, id, TROTH_R_STAPLE_MISSING, "", 0));
    if (now > end)
        return warn_of_leaf(b, id, TROTH_R_CERT_EXPIRED, ": it ended ", end);
    if (now < from)
        return warn_of_leaf(b, id, TROTH_R_CERT_NOT_YET_VALID, ": it begins ", from);
    TRY(chain_look(b, id));
    return end - now > SOON || warn_of_leaf(b, id, TROTH_R_EXPIRES_SOON, ": it ends ", end);
}

bool identity_finish(struct troth_builder *b, struct identity *id)
{
    TRY(fill_schemes(b, id));
    if (!identity_serialize(id, &b->config.arena))
        return fail(b, OUT_OF_MEMORY, "for a Certificate message");
    if (!identity_compress(id, &b->config, &b->config.arena))
        return fail(b, OUT_OF_MEMORY, "for a CompressedCertificate message");
    return look_ahead(b, id);
}
