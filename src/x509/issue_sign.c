/* issue_sign.c - what every signed object needs: algorithm identifiers, public keys, digests, the signature around it.
 *
 * Must never sign with a kind of signature that does not fit the key. */
#include "crypto/provider.h"
#include "x509/issue.h"

bool write_out(struct pki_ctx *p, issue_write_fn *write, const void *spec, const char *what, span *out)
{
    struct wr w = wr_measure();
    write(&w, spec);
    if (!wr_ok(&w))
        return fail(p, ISSUE_REFUSED, "a name, identifier or time in the %s cannot be written", what);
    uint8_t *room = arena_alloc(p->arena, w.n);
    if (!room)
        return fail(p, OUT_OF_MEMORY, "%s of %zu bytes", what, w.n);
    struct wr real = wr_into(room, w.n);
    write(&real, spec);
    *out = wr_done(&real);
    return wr_ok(&real) || fail(p, BUG, "%s: measured %zu bytes, wrote more", what, w.n);
}

static void write_oid_null(struct wr *w, enum oid id)
{
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid(w, id);
    dw_null(w);
    dw_close(w, m);
}

static void write_explicit(struct wr *w, unsigned n, void (*write)(struct wr *, enum oid), enum oid hash)
{
    size_t m = dw_open(w, W_CONSTRUCTED(n));
    write(w, hash);
    dw_close(w, m);
}

static void write_mgf1(struct wr *w, enum oid hash)
{
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid(w, OID_MGF1);
    write_oid_null(w, hash);
    dw_close(w, m);
}

/* RSASSA-PSS-params (RFC 4055 3.1), salt as long as the hash. */
static void write_pss(struct wr *w, enum oid hash, int salt)
{
    size_t m = dw_open(w, W_SEQUENCE);
    dw_oid(w, OID_KEY_RSA_PSS);
    size_t params = dw_open(w, W_SEQUENCE);
    write_explicit(w, 0, write_oid_null, hash);
    write_explicit(w, 1, write_mgf1, hash);
    size_t length = dw_open(w, W_CONSTRUCTED(2));
    dw_int(w, W_INTEGER, salt);
    dw_close(w, length);
    dw_close(w, params);
    dw_close(w, m);
}

/* The parameters are absent, NULL, or those of PSS. */
static const struct {
    enum oid oid, pss_hash;
    bool     null;
    int      salt;
} sig_algs[TROTH_SIG_COUNT] = {
    /* clang-format off */
    [TROTH_SIG_RSA_PKCS1_SHA1]   = { OID_SIG_RSA_SHA1,     OID_NONE, true, 0 },
    [TROTH_SIG_RSA_PKCS1_SHA256] = { OID_SIG_RSA_SHA256,   OID_NONE, true, 0 },
    [TROTH_SIG_RSA_PKCS1_SHA384] = { OID_SIG_RSA_SHA384,   OID_NONE, true, 0 },
    [TROTH_SIG_RSA_PKCS1_SHA512] = { OID_SIG_RSA_SHA512,   OID_NONE, true, 0 },
    [TROTH_SIG_RSA_PSS_SHA256]   = { OID_NONE, OID_HASH_SHA256, false, 32 },
    [TROTH_SIG_RSA_PSS_SHA384]   = { OID_NONE, OID_HASH_SHA384, false, 48 },
    [TROTH_SIG_RSA_PSS_SHA512]   = { OID_NONE, OID_HASH_SHA512, false, 64 },
    [TROTH_SIG_ECDSA_SHA1]       = { OID_SIG_ECDSA_SHA1,   OID_NONE, false, 0 },
    [TROTH_SIG_ECDSA_SHA256]     = { OID_SIG_ECDSA_SHA256, OID_NONE, false, 0 },
    [TROTH_SIG_ECDSA_SHA384]     = { OID_SIG_ECDSA_SHA384, OID_NONE, false, 0 },
    [TROTH_SIG_ECDSA_SHA512]     = { OID_SIG_ECDSA_SHA512, OID_NONE, false, 0 },
    [TROTH_SIG_ED25519]          = { OID_KEY_ED25519,      OID_NONE, false, 0 },
    [TROTH_SIG_ED448]            = { OID_KEY_ED448,        OID_NONE, false, 0 },
    [TROTH_SIG_MLDSA44]          = { OID_KEY_MLDSA44,      OID_NONE, false, 0 },
    [TROTH_SIG_MLDSA65]          = { OID_KEY_MLDSA65,      OID_NONE, false, 0 },
    [TROTH_SIG_MLDSA87]          = { OID_KEY_MLDSA87,      OID_NONE, false, 0 },
    /* clang-format on */
};

void sig_alg_write(struct wr *w, enum troth_sig sig)
{
    if ((unsigned)sig >= TROTH_SIG_COUNT || (!sig_algs[sig].oid && !sig_algs[sig].pss_hash)) {
        w->bad = true;
    } else if (sig_algs[sig].pss_hash) {
        write_pss(w, sig_algs[sig].pss_hash, sig_algs[sig].salt);
    } else if (sig_algs[sig].null) {
        write_oid_null(w, sig_algs[sig].oid);
    } else {
        size_t m = dw_open(w, W_SEQUENCE);
        dw_oid(w, sig_algs[sig].oid);
        dw_close(w, m);
    }
}

enum troth_sig sig_for_key(const troth_provider *crypto, const troth_key *key)
{
    static const enum troth_sig by_type[] = {
        [TROTH_KEY_NONE] = TROTH_SIG_NONE,          [TROTH_KEY_RSA] = TROTH_SIG_RSA_PKCS1_SHA256,
        [TROTH_KEY_RSA_PSS] = TROTH_SIG_RSA_PSS_SHA256, [TROTH_KEY_P256] = TROTH_SIG_ECDSA_SHA256,
        [TROTH_KEY_P384] = TROTH_SIG_ECDSA_SHA384,  [TROTH_KEY_P521] = TROTH_SIG_ECDSA_SHA512,
        [TROTH_KEY_ED25519] = TROTH_SIG_ED25519,    [TROTH_KEY_ED448] = TROTH_SIG_ED448,
        [TROTH_KEY_MLDSA44] = TROTH_SIG_MLDSA44,    [TROTH_KEY_MLDSA65] = TROTH_SIG_MLDSA65,
        [TROTH_KEY_MLDSA87] = TROTH_SIG_MLDSA87,
    };
    if (!key)
        return TROTH_SIG_NONE;
    enum troth_sig sig = by_type[crypto->key_type(key)];
    for (int s = 1; s < TROTH_SIG_COUNT && !crypto->key_can(key, sig); s++) /* a PSS key limited to another hash */
        sig = (enum troth_sig)s;
    return sig;
}

bool key_spki(struct pki_ctx *p, const troth_key *key, span *spki)
{
    enum { ROOM = 4096 };
    if (!key)
        return fail(p, ISSUE_REFUSED, "there is no key");
    uint8_t *room = arena_alloc(p->arena, ROOM);
    if (!room)
        return fail(p, OUT_OF_MEMORY, "public key");
    size_t n = p->crypto->key_public(key, room, ROOM);
    *spki = span_of(room, n);
    return n || fail(p, CRYPTO_FAILED, "the public half of a key cannot be had");
}

span spki_key_bits(span spki)
{
    struct rd_ctx c;
    rd_ctx_init(&c, spki, NULL);
    struct rd all = rd_init(&c, spki), in = der_open(&all, "SubjectPublicKeyInfo", DER_SEQUENCE);
    der_value(&in, "algorithm", DER_SEQUENCE);
    span bits = der_bit_string(&in, "subjectPublicKey", DER_BIT_STRING).bytes;
    return rd_ok(&in) ? bits : SPAN_NONE;
}

bool digest_of(struct pki_ctx *p, enum troth_hash_id id, const span *parts, size_t n, span *digest)
{
    const troth_hash *h = provider_hash(p->crypto, id);
    if (!h)
        return fail(p, CRYPTO_FAILED, "the provider lacks a hash (%d)", (int)id);
    uint8_t *out = arena_alloc(p->arena, TROTH_DIGEST_MAX);
    if (!out)
        return fail(p, OUT_OF_MEMORY, "digest");
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    h->begin(state);
    for (size_t i = 0; i < n; i++)
        h->add(state, parts[i].p, parts[i].n);
    h->peek(state, out);
    *digest = span_of(out, h->n);
    return true;
}

bool key_identifier(struct pki_ctx *p, span spki, span *id)
{
    span bits = spki_key_bits(spki);
    TRY(digest_of(p, TROTH_SHA256, &bits, 1, id));
    id->n = 20;
    return true;
}

/* ---- the signature */

struct signed_parts {
    span           tbs, outer, signature, tail;
    enum troth_sig sig;
};

static void write_signed(struct wr *w, const void *spec)
{
    const struct signed_parts *s = spec;
    size_t m = dw_open(w, W_SEQUENCE);
    wr_span(w, s->tbs);
    if (s->outer.n)
        wr_span(w, s->outer);
    else
        sig_alg_write(w, s->sig);
    dw_bits(w, W_BITS, s->signature);
    wr_span(w, s->tail);
    dw_close(w, m);
}

bool sign_object(struct pki_ctx *p, span tbs, const struct signing *how, span *der)
{
    struct signed_parts s = { .tbs = tbs, .outer = how->outer, .sig = how->sig, .signature = how->signature, .tail = how->tail };
    uint8_t *room = NULL;
    if (!s.signature.p) {
        if (!how->key || !p->crypto->key_can(how->key, how->sig))
            return fail(p, ISSUE_REFUSED, "the signing key cannot make this kind of signature (%d)", (int)how->sig);
        room = arena_alloc(p->arena, TROTH_SIGNATURE_MAX);
        if (!room)
            return fail(p, OUT_OF_MEMORY, "signature");
        size_t n = 0;
        if (!p->crypto->sign(p->crypto->self, how->key, how->sig, &tbs, 1, room, &n) || !n)
            return fail(p, CRYPTO_FAILED, "signing");
        s.signature = span_of(room, n);
        if (how->bad)
            room[n - 1] ^= 1;
    }
    return write_out(p, write_signed, &s, "signed object", der);
}
