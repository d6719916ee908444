/* pkcs12.c - opens PKCS#12 files with libcrypto and takes out what is in them: trust bags too, which PKCS12_parse would reorder.
 *
 * Must never ask for a password by itself, and leaves nothing in libcrypto's queue of errors. */
#include "crypto/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/secret.h"

/* A file may ask for any number of iterations; ten million take seconds, and nobody asks for more. */
enum { PASSWORD_MAX = 1024, NESTING_MAX = 4, ITERATIONS_MAX = 10000000 };

struct job {
    struct pkcs12    *out;
    struct arena     *a;
    size_t            cap;
    char              pass[PASSWORD_MAX];
    int               pass_n;      /* -1: no password at all, which is not the empty one */
    uint8_t           key_id[64];
    size_t            key_id_n;
    size_t            own;         /* certificate with the key's localKeyId; SIZE_MAX: none */
    enum troth_reason why;
};

static bool refuse(struct job *j, enum troth_reason why)
{
    if (j->why == TROTH_R_NONE)
        j->why = why;
    return false;
}

/* libcrypto says that it lacks an algorithm: RC2 and the like live in its legacy provider. */
static enum troth_reason decrypt_trouble(void)
{
    for (unsigned long e; (e = ERR_get_error());)
        if (ERR_GET_REASON(e) == ERR_R_UNSUPPORTED ||
            (ERR_GET_LIB(e) == ERR_LIB_EVP &&
             (ERR_GET_REASON(e) == EVP_R_UNSUPPORTED_ALGORITHM || ERR_GET_REASON(e) == EVP_R_UNKNOWN_CIPHER)))
            return TROTH_R_PKCS12_ALGORITHM;
    return TROTH_R_PKCS12_MALFORMED;
}

static const char *pass_of(const struct job *j)
{
    return j->pass_n < 0 ? NULL : j->pass;
}

static int pass_length(const struct job *j)
{
    return j->pass_n < 0 ? 0 : j->pass_n;
}

/* ---- how much work the password is made into: RFC 8018, RFC 7292 C */

static bool few_enough(const ASN1_INTEGER *iterations)
{
    int64_t n = 0;
    return !iterations || (ASN1_INTEGER_get_int64(&n, iterations) && n >= 0 && n <= ITERATIONS_MAX);
}

static bool pbes2_affordable(const ASN1_TYPE *parameter)
{
    PBE2PARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), parameter);
    bool is_pbkdf2 = pbe && OBJ_obj2nid(pbe->keyfunc->algorithm) == NID_id_pbkdf2;
    PBKDF2PARAM *kdf = is_pbkdf2 ? ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), pbe->keyfunc->parameter) : NULL;
    bool ok = kdf && few_enough(kdf->iter);
    PBKDF2PARAM_free(kdf);
    PBE2PARAM_free(pbe);
    return ok; /* scrypt is refused with the rest: its memory is the file's choice too */
}

static bool affordable(struct job *j, const X509_ALGOR *a)
{
    bool ok = false;
    if (a && OBJ_obj2nid(a->algorithm) == NID_pbes2) {
        ok = pbes2_affordable(a->parameter);
    } else if (a) {
        PBEPARAM *pbe = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBEPARAM), a->parameter);
        ok = pbe && few_enough(pbe->iter);
        PBEPARAM_free(pbe);
    }
    return ok || refuse(j, TROTH_R_PKCS12_ALGORITHM);
}

static bool mac_affordable(struct job *j, const PKCS12 *p12)
{
    const ASN1_INTEGER *iterations = NULL;
    PKCS12_get0_mac(NULL, NULL, NULL, &iterations, p12);
    return few_enough(iterations) || refuse(j, TROTH_R_PKCS12_ALGORITHM);
}

/* ---- bags */

static span local_id(const PKCS12_SAFEBAG *bag)
{
    const ASN1_TYPE *t = PKCS12_SAFEBAG_get0_attr(bag, NID_localKeyID);
    if (!t || t->type != V_ASN1_OCTET_STRING)
        return SPAN_NONE;
    return span_of(ASN1_STRING_get0_data(t->value.octet_string), (size_t)ASN1_STRING_length(t->value.octet_string));
}

static bool grow(struct job *j)
{
    struct pkcs12 *o = j->out;
    if (o->n_certs < j->cap)
        return true;
    size_t cap = j->cap ? 2 * j->cap : 16;
    span *certs = arena_array(j->a, cap, sizeof *certs);
    const char **titles = arena_array(j->a, cap, sizeof *titles);
    if (!certs || !titles)
        return refuse(j, TROTH_R_OUT_OF_MEMORY);
    if (o->n_certs) {
        memcpy(certs, o->certs, o->n_certs * sizeof *certs);
        memcpy(titles, o->titles, o->n_certs * sizeof *titles);
    }
    o->certs = certs;
    o->titles = titles;
    j->cap = cap;
    return true;
}

static bool take_cert(struct job *j, const PKCS12_SAFEBAG *bag)
{
    struct pkcs12 *o = j->out;
    if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
        return true; /* an SDSI certificate: nothing for us */
    X509 *x = PKCS12_SAFEBAG_get1_cert(bag);
    if (!x)
        return refuse(j, TROTH_R_PKCS12_MALFORMED);
    uint8_t *der = NULL;
    int n = i2d_X509(x, &der);
    X509_free(x);
    bool ok = n > 0 && (o->n_certs < PKCS12_CERTS_MAX || refuse(j, TROTH_R_PKCS12_MALFORMED)) && grow(j);
    if (ok && !arena_copy(j->a, &o->certs[o->n_certs], span_of(der, (size_t)n)))
        ok = refuse(j, TROTH_R_OUT_OF_MEMORY);
    OPENSSL_free(der);
    if (!ok)
        return refuse(j, TROTH_R_PKCS12_MALFORMED);
    char *name = PKCS12_get_friendlyname((PKCS12_SAFEBAG *)(uintptr_t)bag);
    o->titles[o->n_certs] = name ? arena_string(j->a, span_of(name, strlen(name))) : "";
    OPENSSL_free(name);
    span id = local_id(bag);
    if (id.n && id.n == j->key_id_n && !CRYPTO_memcmp(id.p, j->key_id, id.n) && j->own == SIZE_MAX)
        j->own = o->n_certs;
    o->n_certs++;
    return o->titles[o->n_certs - 1] || refuse(j, TROTH_R_OUT_OF_MEMORY);
}

static bool take_key(struct job *j, const PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO *info)
{
    uint8_t *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    bool ok = n > 0 || refuse(j, decrypt_trouble());
    if (ok && !j->out->key.n) { /* the first one */
        span id = local_id(bag);
        if (id.n <= sizeof j->key_id) {
            memcpy(j->key_id, id.n ? id.p : (const uint8_t *)"", id.n);
            j->key_id_n = id.n;
        }
        ok = arena_copy(j->a, &j->out->key, span_of(der, (size_t)n)) || refuse(j, TROTH_R_OUT_OF_MEMORY);
    }
    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    return ok;
}

static bool take_bags(struct job *j, const STACK_OF(PKCS12_SAFEBAG) *bags, bool keys, unsigned depth);

static bool take_bag(struct job *j, const PKCS12_SAFEBAG *bag, bool keys, unsigned depth)
{
    int nid = PKCS12_SAFEBAG_get_nid(bag);
    if (nid == NID_safeContentsBag)
        return depth < NESTING_MAX ? take_bags(j, PKCS12_SAFEBAG_get0_safes(bag), keys, depth + 1)
                                   : refuse(j, TROTH_R_PKCS12_MALFORMED);
    if (nid == NID_certBag)
        return keys || take_cert(j, bag);
    if (!keys)
        return true;
    if (nid == NID_keyBag)
        return take_key(j, bag, PKCS12_SAFEBAG_get0_p8inf(bag));
    if (nid != NID_pkcs8ShroudedKeyBag)
        return true;
    const X509_ALGOR *alg = NULL;
    const X509_SIG *sealed = PKCS12_SAFEBAG_get0_pkcs8(bag);
    if (sealed)
        X509_SIG_get0(sealed, &alg, NULL);
    if (!affordable(j, alg))
        return false;
    PKCS8_PRIV_KEY_INFO *info = PKCS12_decrypt_skey(bag, pass_of(j), pass_length(j));
    bool ok = take_key(j, bag, info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return ok;
}

static bool take_bags(struct job *j, const STACK_OF(PKCS12_SAFEBAG) *bags, bool keys, unsigned depth)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++)
        if (!take_bag(j, sk_PKCS12_SAFEBAG_value(bags, i), keys, depth))
            return false;
    return true;
}

static STACK_OF(PKCS12_SAFEBAG) *unpack(struct job *j, PKCS7 *p7)
{
    if (PKCS7_type_is_data(p7))
        return PKCS12_unpack_p7data(p7);
    if (!PKCS7_type_is_encrypted(p7)) {
        refuse(j, TROTH_R_PKCS12_ALGORITHM); /* for the holder of a private key */
        return NULL;
    }
    const PKCS7_ENCRYPT *sealed = p7->d.encrypted;
    if (!sealed || !sealed->enc_data || !affordable(j, sealed->enc_data->algorithm))
        return NULL;
    return PKCS12_unpack_p7encdata(p7, pass_of(j), pass_length(j));
}

/* Twice over all contents: keys first, so that their certificate is known when it comes. */
static bool take_contents(struct job *j, const PKCS12 *p12, bool keys)
{
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    bool ok = safes || refuse(j, TROTH_R_PKCS12_MALFORMED);
    for (int i = 0; ok && i < sk_PKCS7_num(safes); i++) {
        STACK_OF(PKCS12_SAFEBAG) *bags = unpack(j, sk_PKCS7_value(safes, i));
        ok = bags ? take_bags(j, bags, keys, 0) : refuse(j, decrypt_trouble());
        sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    }
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return ok;
}

/* ---- the password: none, empty, or the one that is asked for */

static bool password_fits(struct job *j, PKCS12 *p12, int n)
{
    j->pass_n = n;
    if (n >= 0)
        j->pass[n] = 0;
    return PKCS12_verify_mac(p12, pass_of(j), n < 0 ? 0 : n) == 1;
}

static bool find_password(struct job *j, PKCS12 *p12, troth_passphrase_fn *ask, void *ctx)
{
    bool mac = PKCS12_mac_present(p12);
    if (!mac)
        j->pass_n = -1; /* nothing to compare with; a store of public certificates, as Java makes them */
    if (!mac || password_fits(j, p12, 0) || password_fits(j, p12, -1))
        return true;
    ERR_clear_error();
    size_t n = ask ? ask(ctx, j->pass, sizeof j->pass - 1) : 0;
    return (n && n < sizeof j->pass && password_fits(j, p12, (int)n)) || refuse(j, TROTH_R_PKCS12_PASSWORD);
}

static void own_first(struct job *j)
{
    struct pkcs12 *o = j->out;
    if (j->own == SIZE_MAX)
        return;
    span cert = o->certs[j->own];
    const char *title = o->titles[j->own];
    memmove(o->certs + 1, o->certs, j->own * sizeof *o->certs);
    memmove(o->titles + 1, o->titles, j->own * sizeof *o->titles);
    o->certs[0] = cert;
    o->titles[0] = title;
}

bool pkcs12_open(struct pkcs12 *out, struct arena *a, span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why)
{
    struct job j = { .out = out, .a = a, .own = SIZE_MAX };
    *out = (struct pkcs12){ .n_certs = 0 };
    const uint8_t *p = bytes.p;
    ERR_clear_error();
    PKCS12 *p12 = bytes.n && bytes.n <= INT32_MAX ? d2i_PKCS12(NULL, &p, (long)bytes.n) : NULL;
    bool ok = (p12 && p == bytes.p + bytes.n) || refuse(&j, TROTH_R_PKCS12_MALFORMED);
    ok = ok && mac_affordable(&j, p12) && find_password(&j, p12, ask, ctx) && take_contents(&j, p12, true) && take_contents(&j, p12, false);
    if (ok)
        own_first(&j);
    PKCS12_free(p12);
    secret_wipe(j.pass, sizeof j.pass);
    ERR_clear_error();
    *why = j.why;
    return ok;
}
