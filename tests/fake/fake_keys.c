/* fake_keys.c - keys and signatures of the fake provider.
 *
 * A private key is a type and 32 bytes; its public key is drawn from them in the shape of the real one, and a signature is drawn from the
 * public key, its kind and the message, so that anyone can make one, and a change of any bit is noticed. */
#include "fake/fake_keys.h"

#include "base/text.h"
#include "x509/der_wr.h"

enum { POINT_MAX = 2600, N_MAX = 2048 };

struct troth_key {
    struct fake        *owner;
    enum troth_key_type type;
    unsigned            rsa_bits;
    uint8_t             seed[32];
};

/* clang-format off */
static const struct key_row { const char *oid, *curve; size_t public_n, signature_n; } key_rows[] = {
    [TROTH_KEY_RSA]     = { "1.2.840.113549.1.1.1",  NULL,                  0,    0    },
    [TROTH_KEY_RSA_PSS] = { "1.2.840.113549.1.1.10", NULL,                  0,    0    },
    [TROTH_KEY_P256]    = { "1.2.840.10045.2.1",     "1.2.840.10045.3.1.7", 65,   70   },
    [TROTH_KEY_P384]    = { "1.2.840.10045.2.1",     "1.3.132.0.34",        97,   102  },
    [TROTH_KEY_P521]    = { "1.2.840.10045.2.1",     "1.3.132.0.35",        133,  137  },
    [TROTH_KEY_ED25519] = { "1.3.101.112",           NULL,                  32,   64   },
    [TROTH_KEY_ED448]   = { "1.3.101.113",           NULL,                  57,   114  },
    [TROTH_KEY_MLDSA44] = { "2.16.840.1.101.3.4.3.17", NULL,                1312, 2420 },
    [TROTH_KEY_MLDSA65] = { "2.16.840.1.101.3.4.3.18", NULL,                1952, 3309 },
    [TROTH_KEY_MLDSA87] = { "2.16.840.1.101.3.4.3.19", NULL,                2592, 4627 },
};
/* clang-format on */

static bool is_rsa(enum troth_key_type type)
{
    return type == TROTH_KEY_RSA || type == TROTH_KEY_RSA_PSS;
}

/* The point, the raw key, or the modulus. */
static size_t public_of(const troth_key *k, uint8_t *out)
{
    struct mix m;
    size_t n = is_rsa(k->type) ? k->rsa_bits / 8 : key_rows[k->type].public_n;
    mix_begin(&m);
    mix_int(&m, k->type);
    mix_add(&m, k->seed, sizeof k->seed);
    mix_draw(&m, out, n);
    if (is_rsa(k->type)) {
        out[0] |= 0x80;
        out[n - 1] |= 1;
    }
    if (key_rows[k->type].curve)
        out[0] = 4;
    return n;
}

static void signature_of(enum troth_sig sig, span public, const span *parts, size_t n_parts, uint8_t *out, size_t n)
{
    struct mix m;
    mix_begin(&m);
    mix_int(&m, sig);
    mix_add(&m, public.p, public.n);
    for (size_t i = 0; i < n_parts; i++)
        mix_add(&m, parts[i].p, parts[i].n);
    mix_draw(&m, out, n);
}

/* ---- verifying and signing */
static bool can_verify(void *self, enum troth_key_type type, enum troth_sig sig)
{
    (void)self;
    return sig_fits_key(sig, type);
}

static bool verify_one(const troth_verify_job *job)
{
    const troth_public_key *k = job->key;
    span public = is_rsa(k->type) ? k->n : k->point;
    uint8_t want[TROTH_SIGNATURE_MAX];
    if (!sig_fits_key(job->sig, k->type))
        return false;
    size_t n = is_rsa(k->type) ? public.n : key_rows[k->type].signature_n;
    if (n > sizeof want || job->signature.n != n)
        return false;
    signature_of(job->sig, public, job->parts, job->n_parts, want, n);
    return span_equal(job->signature, span_of(want, n));
}

static void verify(void *self, troth_verify_job *jobs, size_t n)
{
    (void)self;
    for (size_t i = 0; i < n; i++)
        jobs[i].good = verify_one(&jobs[i]);
}

static bool key_can(const troth_key *k, enum troth_sig sig)
{
    return sig_fits_key(sig, k->type);
}

static bool sign(void *self, const troth_key *k, enum troth_sig sig, const span *parts, size_t n_parts, uint8_t *signature, size_t *n)
{
    uint8_t public[POINT_MAX];
    if (!key_can(k, sig) || !fake_works(self))
        return false;
    size_t public_n = public_of(k, public);
    *n = is_rsa(k->type) ? public_n : key_rows[k->type].signature_n;
    signature_of(sig, span_of(public, public_n), parts, n_parts, signature, *n);
    return true;
}

/* ---- reading and writing */
static void put_algorithm(struct wr *w, const troth_key *k)
{
    size_t seq = dw_open(w, W_SEQUENCE);
    dw_oid_text(w, key_rows[k->type].oid);
    if (key_rows[k->type].curve)
        dw_oid_text(w, key_rows[k->type].curve);
    if (k->type == TROTH_KEY_RSA)
        dw_null(w);
    dw_close(w, seq);
}

static size_t key_public(const troth_key *k, uint8_t *spki, size_t cap)
{
    uint8_t public[POINT_MAX];
    struct wr w = wr_into(spki, cap);
    span p = span_of(public, public_of(k, public));
    size_t seq = dw_open(&w, W_SEQUENCE);
    put_algorithm(&w, k);
    size_t bits = dw_open_bits(&w);
    if (is_rsa(k->type)) {
        size_t rsa = dw_open(&w, W_SEQUENCE);
        dw_unsigned(&w, W_INTEGER, p);
        dw_int(&w, W_INTEGER, 65537);
        dw_close(&w, rsa);
    } else {
        wr_span(&w, p);
    }
    dw_close(&w, bits);
    dw_close(&w, seq);
    return wr_ok(&w) ? w.n : 0;
}

/* PKCS#8 on the outside; inside a mark, the type, the size and the seed. */
static const char mark[8] = "FAKEKEY!";
enum { INSIDE_N = sizeof mark + 1 + 2 + 32 };

static size_t key_private(const troth_key *k, uint8_t *pkcs8, size_t cap)
{
    struct wr w = wr_into(pkcs8, cap);
    size_t seq = dw_open(&w, W_SEQUENCE);
    dw_int(&w, W_INTEGER, 0);
    put_algorithm(&w, k);
    size_t in = dw_open(&w, W_OCTETS);
    wr_raw(&w, mark, sizeof mark);
    wr_u8(&w, (uint8_t)k->type);
    wr_u16(&w, (uint16_t)k->rsa_bits);
    wr_raw(&w, k->seed, sizeof k->seed);
    dw_close(&w, in);
    dw_close(&w, seq);
    return wr_ok(&w) ? w.n : 0;
}

static troth_key *new_key(struct fake *f)
{
    troth_key *k = f->memory.alloc(f->memory.ctx, sizeof *k);
    if (k) {
        memset(k, 0, sizeof *k);
        k->owner = f;
        f->owners++;
    }
    return k;
}

static void key_free(troth_key *k)
{
    if (!k)
        return;
    struct fake *f = k->owner;
    f->memory.free(f->memory.ctx, k, sizeof *k);
    fake_give_up(&f->pub);
}

/* The base64 between the first pair of PEM lines, if there is one. */
static span undo_pem(span bytes, uint8_t *room, size_t cap)
{
    const span line = SPAN_TEXT("-----");
    size_t ends[4], found = 0, n;
    for (size_t i = 0; i + line.n <= bytes.n && found < 4; i++)
        if (span_equal(span_of(bytes.p + i, line.n), line))
            ends[found++] = i, i += line.n - 1;
    if (found < 3)
        return bytes;
    span text = span_of(bytes.p + ends[1] + line.n, ends[2] - ends[1] - line.n);
    return base64_decode(room, cap, &n, text) ? span_of(room, n) : bytes;
}

static troth_key *key_load(void *self, span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why)
{
    (void)ask;
    (void)ctx;
    uint8_t room[512];
    span der = undo_pem(bytes, room, sizeof room);
    *why = bytes.n ? TROTH_R_KEY_UNSUPPORTED : TROTH_R_KEY_EMPTY;
    if (der.n < INSIDE_N || !span_equal(span_slice(der, der.n - INSIDE_N, sizeof mark), span_of(mark, sizeof mark)))
        return NULL;
    const uint8_t *p = der.p + der.n - INSIDE_N + sizeof mark;
    unsigned bits = (unsigned)(p[1] << 8 | p[2]);
    if (p[0] < TROTH_KEY_RSA || p[0] > TROTH_KEY_MLDSA87 || bits / 8 > N_MAX || (is_rsa((enum troth_key_type)p[0]) && bits < 512))
        return NULL;
    troth_key *k = new_key(self);
    *why = k ? TROTH_R_NONE : TROTH_R_OUT_OF_MEMORY;
    if (!k)
        return NULL;
    k->type = (enum troth_key_type)p[0];
    k->rsa_bits = bits;
    memcpy(k->seed, p + 3, sizeof k->seed);
    return k;
}

static troth_key *key_make(void *self, enum troth_key_type type, unsigned rsa_bits)
{
    if (type < TROTH_KEY_RSA || type > TROTH_KEY_MLDSA87 || (is_rsa(type) && (rsa_bits < 512 || rsa_bits / 8 > N_MAX || rsa_bits % 8)))
        return NULL;
    troth_key *k = new_key(self);
    if (!k)
        return NULL;
    k->type = type;
    k->rsa_bits = is_rsa(type) ? rsa_bits : 0;
    if (fake_random(self, k->seed, sizeof k->seed))
        return k;
    key_free(k);
    return NULL;
}

static enum troth_key_type key_type(const troth_key *k)
{
    return k->type;
}

void fake_open_keys(struct fake *f)
{
    f->pub.can_verify = can_verify;
    f->pub.verify = verify;
    f->pub.key_load = key_load;
    f->pub.key_make = key_make;
    f->pub.key_type = key_type;
    f->pub.key_public = key_public;
    f->pub.key_private = key_private;
    f->pub.key_can = key_can;
    f->pub.sign = sign;
    f->pub.key_free = key_free;
}
