/* keys.c - private keys: read from whatever holds them, made, written.
 *
 * What is not a private key is named for what it is, so that the person who mixed up two files learns so in one line.  Must never ask for
 * a passphrase by itself: libcrypto's own prompt is always replaced. */
#include "crypto/openssl/lib.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/core_names.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 16384, PASSPHRASE_MAX = 1024 };

/* One attempt to load: who is asked for the passphrase, and what went wrong so far. */
struct load {
    troth_passphrase_fn *ask;
    void                *ctx;
    bool                 asked, answered;
    enum troth_reason    why;
};

static int on_passphrase(char *buf, int size, int writing, void *load)
{
    (void)writing;
    struct load *ld = load;
    ld->asked = true;
    size_t n = ld->ask && size > 0 ? ld->ask(ld->ctx, buf, (size_t)size) : 0;
    if (!n || n > (size_t)size)
        return -1; /* an error, not an empty passphrase */
    ld->answered = true;
    return (int)n;
}

static void *refuse(struct load *ld, enum troth_reason why)
{
    if (ld->why == TROTH_R_NONE)
        ld->why = why;
    return NULL;
}

/* ---- from DER */
static EVP_PKEY *from_info(struct load *ld, PKCS8_PRIV_KEY_INFO *info)
{
    EVP_PKEY *pkey = EVP_PKCS82PKEY_ex(info, NULL, NULL);
    return pkey ? pkey : refuse(ld, TROTH_R_KEY_UNSUPPORTED);
}

/* PKCS#8 (RFC 5958), in the clear. */
static EVP_PKEY *from_pkcs8(struct load *ld, span der)
{
    const uint8_t *p = der.p;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.n);
    EVP_PKEY *pkey = info && p == der.p + der.n ? from_info(ld, info) : refuse(ld, TROTH_R_KEY_MALFORMED);
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

/* EncryptedPrivateKeyInfo (RFC 5958 3) under PBES2, or the older schemes that libcrypto still opens. */
static EVP_PKEY *from_encrypted(struct load *ld, span der)
{
    const uint8_t *p = der.p;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &p, (long)der.n);
    if (!sealed)
        return refuse(ld, TROTH_R_KEY_MALFORMED);
    char pass[PASSPHRASE_MAX];
    int n = on_passphrase(pass, sizeof pass, 0, ld);
    PKCS8_PRIV_KEY_INFO *info = n > 0 ? PKCS8_decrypt_ex(sealed, pass, n, NULL, NULL) : NULL;
    EVP_PKEY *pkey = info ? from_info(ld, info) : refuse(ld, n > 0 ? TROTH_R_KEY_WRONG_PASSPHRASE : TROTH_R_KEY_ENCRYPTED);
    secret_wipe(pass, sizeof pass);
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return pkey;
}

/* SEC1 (RFC 5915) and PKCS#1 (RFC 8017 A.1.2). */
static EVP_PKEY *from_old(struct load *ld, span der, int type)
{
    const uint8_t *p = der.p;
    EVP_PKEY *pkey = d2i_PrivateKey_ex(type, NULL, &p, (long)der.n, NULL, NULL);
    if (pkey && p == der.p + der.n)
        return pkey;
    EVP_PKEY_free(pkey);
    return refuse(ld, TROTH_R_KEY_MALFORMED);
}

/* What is this DER?  By the shape of its first elements; a public thing is named for what it is. */
static enum troth_reason what_else(span der)
{
    const uint8_t *p = der.p;
    long n = (long)der.n;
    enum troth_reason why = TROTH_R_KEY_IS_OTHER;
    X509 *cert = d2i_X509(NULL, &p, n);
    X509_REQ *req = cert ? NULL : d2i_X509_REQ(NULL, (p = der.p, &p), n);
    EVP_PKEY *spki = cert || req ? NULL : d2i_PUBKEY(NULL, (p = der.p, &p), n);
    PKCS12 *bundle = cert || req || spki ? NULL : d2i_PKCS12(NULL, (p = der.p, &p), n);
    if (cert)
        why = TROTH_R_KEY_IS_CERTIFICATE;
    else if (req)
        why = TROTH_R_KEY_IS_REQUEST;
    else if (spki)
        why = TROTH_R_KEY_IS_PUBLIC;
    else if (bundle)
        why = TROTH_R_KEY_IS_PKCS12;
    X509_free(cert);
    X509_REQ_free(req);
    EVP_PKEY_free(spki);
    PKCS12_free(bundle);
    return why;
}

enum shape { SHAPE_NOT_DER, SHAPE_PKCS8, SHAPE_ENCRYPTED, SHAPE_SEC1, SHAPE_PKCS1, SHAPE_OTHER };

/* Tag and length of the element at *at; moves *at to its content. */
static bool element(span der, size_t *at, uint8_t *tag, size_t *len)
{
    TRY(der.n - *at >= 2);
    *tag = der.p[*at];
    size_t n = der.p[*at + 1], more = n & 0x80 ? n & 0x7f : 0;
    *at += 2;
    if (n & 0x80) {
        TRY(more >= 1 && more <= 4 && der.n - *at >= more);
        for (n = 0; more; more--)
            n = n << 8 | der.p[(*at)++];
    }
    *len = n;
    return n <= der.n - *at;
}

/* SEQUENCE { INTEGER v, ... }: the version and what follows tell the three formats in the clear apart; SEQUENCE { SEQUENCE { OID ...},
 * OCTET STRING } is an encrypted one. */
static enum shape shape_of(span der)
{
    size_t at = 0, n, inner_at;
    uint8_t tag, second;
    if (!element(der, &at, &tag, &n) || tag != 0x30 || at + n != der.n)
        return SHAPE_NOT_DER;
    if (!element(der, &at, &tag, &n) || (tag != 0x02 && tag != 0x30))
        return SHAPE_OTHER;
    inner_at = at;
    at += n;
    size_t second_n;
    if (!element(der, &at, &second, &second_n))
        return SHAPE_OTHER;
    if (tag == 0x30)
        return second == 0x04 && at + second_n == der.n && n && der.p[inner_at] == 0x06 ? SHAPE_ENCRYPTED : SHAPE_OTHER;
    if (n != 1)
        return SHAPE_OTHER;
    uint8_t version = der.p[inner_at];
    if (second == 0x30 && version <= 1)
        return SHAPE_PKCS8;
    if (second == 0x04 && version == 1)
        return SHAPE_SEC1;
    return second == 0x02 && version <= 1 ? SHAPE_PKCS1 : SHAPE_OTHER;
}

static EVP_PKEY *from_der(struct load *ld, span der)
{
    switch (shape_of(der)) {
    case SHAPE_PKCS8: return from_pkcs8(ld, der);
    case SHAPE_ENCRYPTED: return from_encrypted(ld, der);
    case SHAPE_SEC1: return from_old(ld, der, EVP_PKEY_EC);
    case SHAPE_PKCS1: return from_old(ld, der, EVP_PKEY_RSA);
    case SHAPE_OTHER: return refuse(ld, what_else(der));
    case SHAPE_NOT_DER: break;
    }
    return refuse(ld, TROTH_R_KEY_IS_OTHER);
}

/* ---- from PEM */
/* clang-format off */
static const struct label { const char *text; bool is_key; enum troth_reason why; } labels[] = {
    { "PRIVATE KEY",           true,  TROTH_R_NONE },
    { "ENCRYPTED PRIVATE KEY", true,  TROTH_R_NONE },
    { "EC PRIVATE KEY",        true,  TROTH_R_NONE },
    { "RSA PRIVATE KEY",       true,  TROTH_R_NONE },
    { "DSA PRIVATE KEY",       false, TROTH_R_KEY_UNSUPPORTED },
    { "OPENSSH PRIVATE KEY",   false, TROTH_R_KEY_UNSUPPORTED },
    { "CERTIFICATE",           false, TROTH_R_KEY_IS_CERTIFICATE },
    { "X509 CERTIFICATE",      false, TROTH_R_KEY_IS_CERTIFICATE },
    { "TRUSTED CERTIFICATE",   false, TROTH_R_KEY_IS_CERTIFICATE },
    { "CERTIFICATE REQUEST",   false, TROTH_R_KEY_IS_REQUEST },
    { "NEW CERTIFICATE REQUEST", false, TROTH_R_KEY_IS_REQUEST },
    { "PUBLIC KEY",            false, TROTH_R_KEY_IS_PUBLIC },
    { "RSA PUBLIC KEY",        false, TROTH_R_KEY_IS_PUBLIC },
};
/* clang-format on */

static const struct label *label_of(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(labels); i++)
        if (!strcmp(labels[i].text, name))
            return &labels[i];
    return NULL;
}

/* The old encryption of PEM itself ("Proc-Type: 4,ENCRYPTED"), undone in place. */
static bool undo_pem_cipher(struct load *ld, char *header, uint8_t *data, long *n)
{
    EVP_CIPHER_INFO cipher;
    if (!PEM_get_EVP_CIPHER_INFO(header, &cipher)) {
        refuse(ld, TROTH_R_KEY_MALFORMED);
        return false;
    }
    if (PEM_do_header(&cipher, data, n, on_passphrase, ld) == 1)
        return true;
    refuse(ld, ld->answered ? TROTH_R_KEY_WRONG_PASSPHRASE : TROTH_R_KEY_ENCRYPTED);
    return false;
}

static EVP_PKEY *from_block(struct load *ld, const char *name, char *header, uint8_t *data, long n)
{
    const struct label *label = label_of(name);
    if (!label)
        return refuse(ld, !strcmp(name, "EC PARAMETERS") ? TROTH_R_NONE : TROTH_R_KEY_IS_OTHER);
    if (!label->is_key)
        return refuse(ld, label->why);
    ld->why = TROTH_R_NONE; /* what came before the key does not matter */
    bool sealed = header && *header;
    if (!undo_pem_cipher(ld, header, data, &n))
        return NULL;
    EVP_PKEY *pkey = from_der(ld, span_of(data, (size_t)n));
    if (!pkey && sealed && ld->answered) /* decrypted to nonsense: one wrong passphrase in 256 passes the padding */
        ld->why = TROTH_R_KEY_WRONG_PASSPHRASE;
    return pkey;
}

/* The first private key in the file; other blocks around it are passed over. */
static EVP_PKEY *from_pem(struct load *ld, BIO *bio)
{
    char *name, *header;
    uint8_t *data;
    long n;
    EVP_PKEY *pkey = NULL;
    bool key_seen = false;
    while (!pkey && !key_seen && PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
        const struct label *label = label_of(name);
        key_seen = label && label->is_key;
        pkey = from_block(ld, name, header, data, n);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)n);
    }
    return pkey ? pkey : refuse(ld, TROTH_R_KEY_MALFORMED);
}

static EVP_PKEY *load_any(struct load *ld, span bytes)
{
    if (!bytes.n)
        return refuse(ld, TROTH_R_KEY_EMPTY);
    if (bytes.n > INT_MAX)
        return refuse(ld, TROTH_R_KEY_IS_OTHER);
    if (!span_holds(bytes, SPAN_TEXT("-----BEGIN ")))
        return from_der(ld, bytes);
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    EVP_PKEY *pkey = bio ? from_pem(ld, bio) : refuse(ld, TROTH_R_OUT_OF_MEMORY);
    BIO_free(bio);
    return pkey;
}

/* ---- what kind of key it is, and whether we can use it */
static bool learn_ec(troth_key *k)
{
    k->ec = EVP_PKEY_get0_EC_KEY(k->pkey);
    TRY(k->ec && !EC_KEY_decoded_from_explicit_params(k->ec) && EC_KEY_get0_private_key(k->ec));
    int nid = EC_GROUP_get_curve_name(EC_KEY_get0_group(k->ec));
    for (size_t i = 0; i < LIB_CURVES; i++)
        if (k->lib->curve[i].nid == nid)
            k->type = k->lib->curve[i].type;
    k->in_lanes = k->type == TROTH_KEY_P256 && k->lib->has_lanes
               && BN_bn2binpad(EC_KEY_get0_private_key(k->ec), k->d, sizeof k->d) == sizeof k->d;
    return k->type != TROTH_KEY_NONE;
}

/* An RSA-PSS key may be tied to one hash, in the mask too, and to a shortest salt (RFC 4055 3.1); ours is as long as the hash.
 * libcrypto tells the salt of every tied key, and of the hashes only what is not SHA-1. */
static bool learn_pss(troth_key *k)
{
    char hash[32], mask[32];
    int salt;
    k->type = TROTH_KEY_RSA_PSS;
    if (EVP_PKEY_get_int_param(k->pkey, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt) != 1)
        return true;
    TRY(EVP_PKEY_get_utf8_string_param(k->pkey, OSSL_PKEY_PARAM_RSA_DIGEST, hash, sizeof hash, NULL) == 1);
    TRY(EVP_PKEY_get_utf8_string_param(k->pkey, OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, mask, sizeof mask, NULL) == 1);
    for (int id = TROTH_SHA256; id <= TROTH_SHA512; id++) {
        const EVP_MD *md = k->lib->md[id];
        if (EVP_MD_is_a(md, hash) && EVP_MD_is_a(md, mask) && salt <= EVP_MD_get_size(md))
            k->only_hash = (enum troth_hash_id)id;
    }
    return k->only_hash != 0;
}

static bool learn_rsa(troth_key *k, bool pss)
{
    k->rsa = EVP_PKEY_get0_RSA(k->pkey);
    k->type = TROTH_KEY_RSA;
    TRY(k->rsa && RSA_bits(k->rsa) >= RSA_BITS_MIN && RSA_bits(k->rsa) <= RSA_BITS_MAX);
    return !pss || learn_pss(k);
}

static const struct { enum troth_key_type type; const char *name; } raw_types[] = {
    { TROTH_KEY_ED25519, "ED25519" },    { TROTH_KEY_ED448, "ED448" },        { TROTH_KEY_MLDSA44, "ML-DSA-44" },
    { TROTH_KEY_MLDSA65, "ML-DSA-65" }, { TROTH_KEY_MLDSA87, "ML-DSA-87" },
};

static bool learn(troth_key *k)
{
    if (EVP_PKEY_is_a(k->pkey, "EC"))
        return learn_ec(k);
    if (EVP_PKEY_is_a(k->pkey, "RSA") || EVP_PKEY_is_a(k->pkey, "RSA-PSS"))
        return learn_rsa(k, EVP_PKEY_is_a(k->pkey, "RSA-PSS"));
    for (size_t i = 0; i < COUNT_OF(raw_types); i++)
        if (EVP_PKEY_is_a(k->pkey, raw_types[i].name))
            k->type = raw_types[i].type;
    return k->type != TROTH_KEY_NONE;
}

/* Raw RSA there and back: do the halves belong together? */
static bool rsa_pairs(const RSA *rsa)
{
    uint8_t text[RSA_BITS_MAX / 8], back[RSA_BITS_MAX / 8];
    int n = RSA_size(rsa);
    memset(text, 0x5a, (size_t)n);
    text[0] = 0;
    return RSA_private_encrypt(n, text, back, (RSA *)rsa, RSA_NO_PADDING) == n &&
           RSA_public_decrypt(n, back, back, (RSA *)rsa, RSA_NO_PADDING) == n && span_equal(span_of(text, (size_t)n), span_of(back, (size_t)n));
}

/* A damaged key must not be found out by the first peer.  The other types derive their public half. */
static bool is_whole(const troth_key *k)
{
    return k->ec ? EC_KEY_check_key(k->ec) == 1 : k->rsa ? rsa_pairs(k->rsa) : true;
}

/* Takes pkey, whatever happens. */
static troth_key *own(struct lib *l, EVP_PKEY *pkey, enum troth_reason *why)
{
    troth_key *k = l->memory.alloc(l->memory.ctx, sizeof *k);
    if (!k) {
        EVP_PKEY_free(pkey);
        *why = TROTH_R_OUT_OF_MEMORY;
        return NULL;
    }
    *k = (troth_key){ .lib = l, .pkey = pkey };
    lib_share(l);
    bool known = learn(k);
    if (known && is_whole(k)) {
        lib_own_rsa(l, k);
        return k;
    }
    l->pub.key_free(k);
    *why = known ? TROTH_R_KEY_MALFORMED : TROTH_R_KEY_UNSUPPORTED;
    return NULL;
}

/* ---- the provider's functions */
static troth_key *key_load(void *self, span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why)
{
    struct load ld = { ask, ctx, false, false, TROTH_R_NONE };
    EVP_PKEY *pkey = load_any(&ld, bytes);
    *why = pkey ? TROTH_R_NONE : ld.why;
    troth_key *k = pkey ? own(lib_of(self), pkey, why) : NULL;
    lib_quiet();
    return k;
}

static EVP_PKEY *make_pkey(enum troth_key_type type, unsigned rsa_bits)
{
    switch (type) {
    case TROTH_KEY_RSA: return rsa_bits >= 2048 && rsa_bits <= RSA_BITS_MAX ? EVP_RSA_gen(rsa_bits) : NULL;
    case TROTH_KEY_P256: return EVP_EC_gen("P-256");
    case TROTH_KEY_P384: return EVP_EC_gen("P-384");
    case TROTH_KEY_P521: return EVP_EC_gen("P-521");
    case TROTH_KEY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case TROTH_KEY_ED448: return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    case TROTH_KEY_MLDSA44: return EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-44");
    case TROTH_KEY_MLDSA65: return EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
    case TROTH_KEY_MLDSA87: return EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-87");
    case TROTH_KEY_RSA_PSS: /* an RSA key makes PSS signatures too */
    case TROTH_KEY_NONE: break;
    }
    return NULL;
}

static troth_key *key_make(void *self, enum troth_key_type type, unsigned rsa_bits)
{
    enum troth_reason why;
    EVP_PKEY *pkey = make_pkey(type, rsa_bits);
    troth_key *k = pkey ? own(lib_of(self), pkey, &why) : NULL;
    lib_quiet();
    return k;
}

static enum troth_key_type key_type(const troth_key *k)
{
    return k->type;
}

static size_t key_public(const troth_key *k, uint8_t *spki, size_t cap)
{
    int n = i2d_PUBKEY(k->pkey, NULL);
    if (n <= 0 || (size_t)n > cap)
        n = 0;
    else
        n = i2d_PUBKEY(k->pkey, &spki);
    lib_quiet();
    return n > 0 ? (size_t)n : 0;
}

static size_t key_private(const troth_key *k, uint8_t *pkcs8, size_t cap)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(k->pkey);
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : 0;
    if (n <= 0 || (size_t)n > cap)
        n = 0;
    else
        n = i2d_PKCS8_PRIV_KEY_INFO(info, &pkcs8);
    PKCS8_PRIV_KEY_INFO_free(info);
    lib_quiet();
    return n > 0 ? (size_t)n : 0;
}

static void key_free(troth_key *k)
{
    if (!k)
        return;
    struct lib *l = k->lib;
    EVP_PKEY_free(k->pkey);
    lib_own_rsa_free(l, k);
    secret_wipe(k, sizeof *k);
    l->memory.free(l->memory.ctx, k, sizeof *k);
    lib_free(l);
}

void lib_open_keys(struct lib *l)
{
    l->pub.key_load = key_load;
    l->pub.key_make = key_make;
    l->pub.key_type = key_type;
    l->pub.key_public = key_public;
    l->pub.key_private = key_private;
    l->pub.key_free = key_free;
}
