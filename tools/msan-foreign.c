/* msan-foreign.c - what libraries write that MemorySanitizer does not see written: scripts/msan loads this in front of them.
 *
 * Debian's libcrypto, jansson, libyaml and compressors are not instrumented, so that to MSan their answers are as undefined as the memory they were
 * put into.  Here each function whose answer lands in memory of ours says so after the real one has returned, and their heap counts as
 * written.  Must never declare more than the function wrote: what ours reads behind an answer is still a finding. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#pragma clang diagnostic ignored "-Wdeprecated-declarations"

void __msan_unpoison(const volatile void *, size_t) __attribute__((weak));

static void wrote(const void *p, size_t n)
{
    if (p && n && __msan_unpoison)
        __msan_unpoison(p, n);
}

/* Where their frames will lie, frames of ours may have lain, whose marks are still there. */
static void fresh_stack(void)
{
    enum { DEEP = 64 << 10, OWN = 512 };
    wrote((const char *)__builtin_frame_address(0) - DEEP, DEEP - OWN);
}

/* R f(ARGS): the real one with the arguments CALL, then what is said, which may use the result r. */
#define SAYS(R, f, ARGS, CALL, ...)                                   \
    R f ARGS                                                          \
    {                                                                 \
        static R (*real) ARGS;                                        \
        if (!real)                                                    \
            *(void **)&real = dlsym(RTLD_NEXT, #f);                   \
        fresh_stack();                                                \
        R r = real CALL;                                              \
        __VA_ARGS__;                                                  \
        return r;                                                     \
    }

/* Likewise of one that returns nothing. */
#define TELLS(f, ARGS, CALL, ...)                                     \
    void f ARGS                                                       \
    {                                                                 \
        static void (*real) ARGS;                                     \
        if (!real)                                                    \
            *(void **)&real = dlsym(RTLD_NEXT, #f);                   \
        fresh_stack();                                                \
        real CALL;                                                    \
        __VA_ARGS__;                                                  \
    }

typedef unsigned char u8;

/* ---- looked up by name */
#define FETCHES(T, f) SAYS(T *, f, (OSSL_LIB_CTX * l, const char *name, const char *q), (l, name, q), (void)0)
FETCHES(EVP_MD, EVP_MD_fetch)
FETCHES(EVP_CIPHER, EVP_CIPHER_fetch)
FETCHES(EVP_SIGNATURE, EVP_SIGNATURE_fetch)

/* ---- hashes and randomness */
SAYS(int, SHA1_Init, (SHA_CTX * c), (c), wrote(c, sizeof *c))
SAYS(int, SHA256_Init, (SHA256_CTX * c), (c), wrote(c, sizeof *c))
SAYS(int, SHA384_Init, (SHA512_CTX * c), (c), wrote(c, sizeof *c))
SAYS(int, SHA512_Init, (SHA512_CTX * c), (c), wrote(c, sizeof *c))
SAYS(int, SHA1_Final, (u8 * md, SHA_CTX *c), (md, c), wrote(md, SHA_DIGEST_LENGTH))
SAYS(u8 *, SHA256, (const u8 *p, size_t n, u8 *md), (p, n, md), wrote(r, SHA256_DIGEST_LENGTH))
SAYS(u8 *, SHA384, (const u8 *p, size_t n, u8 *md), (p, n, md), wrote(r, SHA384_DIGEST_LENGTH))
SAYS(u8 *, SHA512, (const u8 *p, size_t n, u8 *md), (p, n, md), wrote(r, SHA512_DIGEST_LENGTH))
#define DIGESTED if (r == 1 && n) wrote(n, sizeof *n), wrote(md, *n)
SAYS(int, EVP_Digest, (const void *p, size_t p_n, u8 *md, unsigned *n, const EVP_MD *t, ENGINE *e), (p, p_n, md, n, t, e), DIGESTED)
SAYS(int, EVP_DigestFinal_ex, (EVP_MD_CTX * c, u8 *md, unsigned *n), (c, md, n), if (r == 1) wrote(md, (size_t)EVP_MD_CTX_get_size(c)); DIGESTED)
SAYS(int, EVP_DigestFinalXOF, (EVP_MD_CTX * c, u8 *md, size_t n), (c, md, n), if (r == 1) wrote(md, n))
SAYS(int, EVP_KDF_derive, (EVP_KDF_CTX * c, u8 *out, size_t n, const OSSL_PARAM *p), (c, out, n, p), if (r == 1) wrote(out, n))
SAYS(u8 *, HMAC, (const EVP_MD *t, const void *k, int k_n, const u8 *p, size_t p_n, u8 *md, unsigned *n), (t, k, k_n, p, p_n, md, n),
     if (r) wrote(r, (size_t)EVP_MD_get_size(t)); if (n) wrote(n, sizeof *n))
SAYS(int, RAND_bytes, (u8 * p, int n), (p, n), if (r == 1) wrote(p, (size_t)n))
SAYS(int, RAND_priv_bytes, (u8 * p, int n), (p, n), if (r == 1) wrote(p, (size_t)n))

/* ---- ciphers */
#define CIPHERED (wrote(n, sizeof *n), wrote(out, r == 1 ? (size_t)*n : 0))
SAYS(int, EVP_EncryptUpdate, (EVP_CIPHER_CTX * c, u8 *out, int *n, const u8 *in, int in_n), (c, out, n, in, in_n), CIPHERED)
SAYS(int, EVP_DecryptUpdate, (EVP_CIPHER_CTX * c, u8 *out, int *n, const u8 *in, int in_n), (c, out, n, in, in_n), CIPHERED)
SAYS(int, EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * c, u8 *out, int *n), (c, out, n), CIPHERED)
SAYS(int, EVP_DecryptFinal_ex, (EVP_CIPHER_CTX * c, u8 *out, int *n), (c, out, n), CIPHERED)
SAYS(int, EVP_CipherUpdate, (EVP_CIPHER_CTX * c, u8 *out, int *n, const u8 *in, int in_n), (c, out, n, in, in_n), CIPHERED)
SAYS(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * c, u8 *out, int *n), (c, out, n), CIPHERED)
SAYS(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * c, int type, int arg, void *p), (c, type, arg, p),
     if (type == EVP_CTRL_AEAD_GET_TAG && r == 1) wrote(p, (size_t)arg))
/* libipsec-mb works through pointers that cannot be stood in front of: go without it. */
void *alloc_mb_mgr(uint64_t flags)
{
    (void)flags;
    return NULL;
}

/* ---- keys, shares, signatures */
#define GAVE(p) wrote(p, sizeof *(p))
TELLS(RSA_get0_key, (const RSA *k, const BIGNUM **n, const BIGNUM **e, const BIGNUM **d), (k, n, e, d), GAVE(n); GAVE(e); GAVE(d))
TELLS(RSA_get0_factors, (const RSA *k, const BIGNUM **p, const BIGNUM **q), (k, p, q), GAVE(p); GAVE(q))
TELLS(RSA_get0_crt_params, (const RSA *k, const BIGNUM **dp, const BIGNUM **dq, const BIGNUM **q), (k, dp, dq, q), GAVE(dp); GAVE(dq); GAVE(q))
SAYS(int, BN_bn2binpad, (const BIGNUM *b, u8 *to, int n), (b, to, n), if (r > 0) wrote(to, (size_t)r))
SAYS(int, BN_bn2lebinpad, (const BIGNUM *b, u8 *to, int n), (b, to, n), if (r > 0) wrote(to, (size_t)r))
SAYS(int, BN_bn2bin, (const BIGNUM *b, u8 *to), (b, to), if (r > 0) wrote(to, (size_t)r))
SAYS(size_t, EC_POINT_point2oct, (const EC_GROUP *g, const EC_POINT *p, point_conversion_form_t f, u8 *out, size_t n, BN_CTX *c),
     (g, p, f, out, n, c), wrote(out, r))
SAYS(int, EVP_PKEY_derive, (EVP_PKEY_CTX * c, u8 *out, size_t *n), (c, out, n), if (r == 1) wrote(out, *n))
SAYS(int, EVP_PKEY_get_raw_public_key, (const EVP_PKEY *k, u8 *out, size_t *n), (k, out, n), if (r == 1) wrote(out, *n))
SAYS(int, EVP_PKEY_get_raw_private_key, (const EVP_PKEY *k, u8 *out, size_t *n), (k, out, n), if (r == 1) wrote(out, *n))
SAYS(int, EVP_PKEY_get_utf8_string_param, (const EVP_PKEY *k, const char *name, char *out, size_t cap, size_t *n), (k, name, out, cap, n),
     wrote(n, n ? sizeof *n : 0); if (r == 1) wrote(out, n ? *n + 1 : cap))
SAYS(int, EVP_PKEY_get_int_param, (const EVP_PKEY *k, const char *name, int *out), (k, name, out), if (r == 1) GAVE(out))
#define BEGINS(f)                                                                                                                 \
    SAYS(int, f, (EVP_MD_CTX * c, EVP_PKEY_CTX **k, const char *md, OSSL_LIB_CTX *l, const char *q, EVP_PKEY *p, const OSSL_PARAM *o), \
         (c, k, md, l, q, p, o), (void)0)
BEGINS(EVP_DigestSignInit_ex)
BEGINS(EVP_DigestVerifyInit_ex)
SAYS(int, EVP_DigestSign, (EVP_MD_CTX * c, u8 *sig, size_t *n, const u8 *p, size_t p_n), (c, sig, n, p, p_n), if (r == 1) wrote(sig, *n))
SAYS(int, EVP_PKEY_sign, (EVP_PKEY_CTX * c, u8 *sig, size_t *n, const u8 *p, size_t p_n), (c, sig, n, p, p_n), if (r == 1) wrote(sig, *n))
#define SIGNED if (r == 1) wrote(n, sizeof *n), wrote(sig, *n)
SAYS(int, ECDSA_sign, (int t, const u8 *d, int d_n, u8 *sig, unsigned *n, EC_KEY *k), (t, d, d_n, sig, n, k), SIGNED)
SAYS(int, RSA_sign, (int t, const u8 *d, unsigned d_n, u8 *sig, unsigned *n, RSA *k), (t, d, d_n, sig, n, k), SIGNED)
SAYS(int, RSA_private_encrypt, (int n, const u8 *in, u8 *out, RSA *k, int pad), (n, in, out, k, pad), if (r > 0) wrote(out, (size_t)r))
SAYS(int, RSA_public_decrypt, (int n, const u8 *in, u8 *out, RSA *k, int pad), (n, in, out, k, pad), if (r > 0) wrote(out, (size_t)r))
SAYS(int, RSA_padding_add_PKCS1_PSS_mgf1, (RSA * k, u8 *em, const u8 *h, const EVP_MD *md, const EVP_MD *mgf, int salt),
     (k, em, h, md, mgf, salt), if (r == 1) wrote(em, (size_t)RSA_size(k)))

/* ---- objects.  An i2d function writes behind *out, or allocates there. */
#define I2D(f, T)                                                                                                  \
    int f(const T *x, u8 **out)                                                                                    \
    {                                                                                                              \
        static int (*real)(const T *, u8 **);                                                                      \
        if (!real)                                                                                                 \
            *(void **)&real = dlsym(RTLD_NEXT, #f);                                                                \
        u8 *before = out ? *out : NULL;                                                                            \
        fresh_stack();                                                                                             \
        int r = real(x, out);                                                                                      \
        if (before && r > 0)                                                                                       \
            wrote(before, (size_t)r);                                                                              \
        return r;                                                                                                  \
    }
I2D(i2d_PUBKEY, EVP_PKEY)
I2D(i2d_PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO)
I2D(i2d_X509, X509)
I2D(i2d_PrivateKey, EVP_PKEY)
SAYS(int, ASN1_INTEGER_get_int64, (int64_t * out, const ASN1_INTEGER *a), (out, a), wrote(out, sizeof *out))
SAYS(int, PEM_read_bio, (BIO * b, char **name, char **head, u8 **data, long *n), (b, name, head, data, n),
     if (r == 1) wrote(name, sizeof *name), wrote(head, sizeof *head), wrote(data, sizeof *data), wrote(n, sizeof *n))
SAYS(EVP_PKEY *, d2i_PrivateKey_ex, (int t, EVP_PKEY **k, const u8 **p, long n, OSSL_LIB_CTX *l, const char *q), (t, k, p, n, l, q), (void)0)
SAYS(PKCS8_PRIV_KEY_INFO *, PKCS8_decrypt_ex, (const X509_SIG *s, const char *pw, int n, OSSL_LIB_CTX *l, const char *q), (s, pw, n, l, q), (void)0)
SAYS(int, PEM_do_header, (EVP_CIPHER_INFO * c, u8 *p, long *n, pem_password_cb *cb, void *ctx), (c, p, n, cb, ctx), (void)0)
SAYS(int, PEM_write_bio_PKCS8_PRIV_KEY_INFO, (BIO * b, const PKCS8_PRIV_KEY_INFO *k), (b, k), (void)0)
SAYS(int, PEM_write_bio_PrivateKey_traditional,
     (BIO * b, const EVP_PKEY *k, const EVP_CIPHER *c, const u8 *pw, int n, pem_password_cb *cb, void *ctx), (b, k, c, pw, n, cb, ctx), (void)0)
SAYS(int, PEM_get_EVP_CIPHER_INFO, (char *head, EVP_CIPHER_INFO *c), (head, c), wrote(c, sizeof *c))

/* Those that return nothing. */
void X509_SIG_get0(const X509_SIG *s, const X509_ALGOR **a, const ASN1_OCTET_STRING **d)
{
    static void (*real)(const X509_SIG *, const X509_ALGOR **, const ASN1_OCTET_STRING **);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "X509_SIG_get0");
    real(s, a, d);
    wrote(a, a ? sizeof *a : 0);
    wrote(d, d ? sizeof *d : 0);
}

void PKCS12_get0_mac(const ASN1_OCTET_STRING **m, const X509_ALGOR **a, const ASN1_OCTET_STRING **s, const ASN1_INTEGER **i, const PKCS12 *p)
{
    static void (*real)(const ASN1_OCTET_STRING **, const X509_ALGOR **, const ASN1_OCTET_STRING **, const ASN1_INTEGER **, const PKCS12 *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "PKCS12_get0_mac");
    real(m, a, s, i, p);
    wrote(m, m ? sizeof *m : 0);
    wrote(a, a ? sizeof *a : 0);
    wrote(s, s ? sizeof *s : 0);
    wrote(i, i ? sizeof *i : 0);
}

/* ---- what the tests compare with */
SAYS(int, X509_verify_cert, (X509_STORE_CTX * c), (c), (void)0)

/* ---- YAML: an event and the texts that hang on it */
static void wrote_text(const u8 *text)
{
    const volatile u8 *end = text; /* volatile, or it becomes a call of MSan's strlen */
    while (end && *end)
        end++;
    wrote(text, text ? (size_t)(end - text) + 1 : 0);
}

static void wrote_event(const yaml_event_t *e)
{
    GAVE(e);
    if (e->type == YAML_SCALAR_EVENT) {
        wrote(e->data.scalar.value, e->data.scalar.length + 1);
        wrote_text(e->data.scalar.anchor), wrote_text(e->data.scalar.tag);
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        wrote_text(e->data.sequence_start.anchor), wrote_text(e->data.sequence_start.tag);
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        wrote_text(e->data.mapping_start.anchor), wrote_text(e->data.mapping_start.tag);
    }
}
SAYS(int, yaml_parser_initialize, (yaml_parser_t *p), (p), GAVE(p))
SAYS(int, yaml_parser_parse, (yaml_parser_t *p, yaml_event_t *e), (p, e), GAVE(p); wrote_event(e))

/* ---- compressors */
#define PACKED(good) if (good) wrote(n, sizeof *n), wrote(out, *n)
SAYS(int, BrotliEncoderCompress, (int q, int w, int mode, size_t in_n, const u8 *in, size_t *n, u8 *out), (q, w, mode, in_n, in, n, out), PACKED(r))
SAYS(int, BrotliDecoderDecompress, (size_t in_n, const u8 *in, size_t *n, u8 *out), (in_n, in, n, out), PACKED(r == 1))
SAYS(int, compress2, (u8 * out, unsigned long *n, const u8 *in, unsigned long in_n, int level), (out, n, in, in_n, level), PACKED(!r))
SAYS(int, uncompress2, (u8 * out, unsigned long *n, const u8 *in, unsigned long *in_n), (out, n, in, in_n), PACKED(!r))
SAYS(size_t, ZSTD_compress, (void *out, size_t cap, const void *in, size_t n, int level), (out, cap, in, n, level), if (r <= cap) wrote(out, r))
SAYS(size_t, ZSTD_decompress, (void *out, size_t cap, const void *in, size_t n), (out, cap, in, n), if (r <= cap) wrote(out, r))

/* ---- their heaps.  A test may have put functions of its own there. */
static struct {
    CRYPTO_malloc_fn  alloc;
    CRYPTO_realloc_fn grow;
    CRYPTO_free_fn    free;
} below;

static void *alloc(size_t n, const char *file, int line)
{
    void *p = below.alloc ? below.alloc(n, file, line) : malloc(n);
    wrote(p, n);
    return p;
}

static void *grow(void *old, size_t n, const char *file, int line)
{
    void *p = below.grow ? below.grow(old, n, file, line) : realloc(old, n);
    wrote(p, n);
    return p;
}

static void give_back(void *p, const char *file, int line)
{
    below.free ? below.free(p, file, line) : free(p);
}

static int (*set_functions)(CRYPTO_malloc_fn, CRYPTO_realloc_fn, CRYPTO_free_fn);

int CRYPTO_set_mem_functions(CRYPTO_malloc_fn a, CRYPTO_realloc_fn g, CRYPTO_free_fn f)
{
    below.alloc = a;
    below.grow = g;
    below.free = f;
    return set_functions ? set_functions(alloc, grow, give_back) : 0;
}

static void *plain_alloc(size_t n)
{
    void *p = malloc(n);
    wrote(p, n);
    return p;
}

__attribute__((constructor)) static void begin(void)
{
    void (*json)(void *(*)(size_t), void (*)(void *));
    *(void **)&set_functions = dlsym(RTLD_NEXT, "CRYPTO_set_mem_functions");
    *(void **)&json = dlsym(RTLD_NEXT, "json_set_alloc_funcs");
    if (set_functions)
        set_functions(alloc, grow, give_back);
    if (json)
        json(plain_alloc, free);
}
