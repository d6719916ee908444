/* kem.c - key exchange on the curves of libcrypto, in the shape of a KEM: the server's reply is a key of its own.
 *
 * The private state is the scalar, so that it is flat.  A peer's point must be uncompressed, of the right length and on the curve (RFC 9846
 * 4.3.8.2).  Must never let a peer's mistake pass for a failure of the provider, or the other way round. */
#include "crypto/openssl/lib.h"

#include <openssl/err.h>
#include <openssl/rand.h>

enum { SCALAR_MAX = 66, POINT_MAX = 2 * SCALAR_MAX + 1 };

void lib_quiet(void)
{
    ERR_clear_error();
}

/* ---- curves.  What one operation borrows from libcrypto, taken and given back together. */
struct ec_work {
    const struct lib_curve *c;
    BN_CTX   *ctx;
    BIGNUM   *scalar, *x;
    EC_POINT *mine, *theirs;
};

static void work_end(struct ec_work *w)
{
    BN_clear_free(w->scalar);
    BN_clear_free(w->x);
    EC_POINT_clear_free(w->mine);
    EC_POINT_clear_free(w->theirs);
    BN_CTX_free(w->ctx);
    lib_quiet();
}

static bool work_begin(struct ec_work *w, const struct lib_curve *c)
{
    *w = (struct ec_work){ c, BN_CTX_new(), BN_new(), BN_new(), EC_POINT_new(c->group), EC_POINT_new(c->group) };
    if (w->ctx && w->scalar && w->x && w->mine && w->theirs) {
        BN_set_flags(w->scalar, BN_FLG_CONSTTIME);
        return true;
    }
    work_end(w);
    return false;
}

/* A scalar in [1, order), and its point. */
static bool work_make(struct ec_work *w, uint8_t *share)
{
    size_t n = 2 * w->c->n + 1;
    do {
        TRY(BN_priv_rand_range(w->scalar, EC_GROUP_get0_order(w->c->group)) == 1);
    } while (BN_is_zero(w->scalar));
    TRY(EC_POINT_mul(w->c->group, w->mine, w->scalar, NULL, NULL, w->ctx) == 1);
    return EC_POINT_point2oct(w->c->group, w->mine, POINT_CONVERSION_UNCOMPRESSED, share, n, w->ctx) == n;
}

/* *broken: libcrypto had no memory; else the point is not one. */
static bool work_read(struct ec_work *w, span share, bool *broken)
{
    TRY(share.n == 2 * w->c->n + 1 && share.p[0] == POINT_CONVERSION_UNCOMPRESSED);
    if (EC_POINT_oct2point(w->c->group, w->theirs, share.p, share.n, w->ctx) == 1)
        return true;
    *broken = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
    return false;
}

/* The x coordinate of scalar * theirs.  The groups have prime order, so that it is never the point at infinity. */
static bool work_agree(struct ec_work *w, uint8_t *secret)
{
    TRY(EC_POINT_mul(w->c->group, w->mine, NULL, w->theirs, w->scalar, w->ctx) == 1);
    TRY(EC_POINT_get_affine_coordinates(w->c->group, w->mine, w->x, NULL, w->ctx) == 1);
    return BN_bn2binpad(w->x, secret, (int)w->c->n) == (int)w->c->n;
}

static bool curve_make(const troth_kem *k, void *state, uint8_t *share)
{
    struct ec_work w;
    TRY(work_begin(&w, k->self));
    bool ok = work_make(&w, share) && BN_bn2binpad(w.scalar, state, (int)w.c->n) == (int)w.c->n;
    work_end(&w);
    return ok;
}

static bool curve_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    struct ec_work w;
    *broken = !work_begin(&w, k->self);
    TRY(!*broken);
    bool ok = work_read(&w, share, broken);
    if (ok)
        *broken = !(ok = work_make(&w, reply) && work_agree(&w, secret));
    work_end(&w);
    return ok;
}

static bool curve_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    struct ec_work w;
    *broken = !work_begin(&w, k->self);
    TRY(!*broken);
    bool ok = work_read(&w, reply, broken);
    if (ok)
        *broken = !(ok = BN_bin2bn(state, (int)w.c->n, w.scalar) && work_agree(&w, secret));
    work_end(&w);
    return ok;
}

/* ---- X25519 by libcrypto: only when none of troth's own kernels may be used */
enum { X25519_N = 32 };

static bool x25519_public(EVP_PKEY *pkey, uint8_t *share)
{
    size_t n = X25519_N;
    return EVP_PKEY_get_raw_public_key(pkey, share, &n) == 1 && n == X25519_N;
}

static bool x25519_make(const troth_kem *k, void *state, uint8_t *share)
{
    (void)k;
    TRY(RAND_priv_bytes(state, X25519_N) == 1);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, state, X25519_N);
    bool ok = pkey && x25519_public(pkey, share);
    EVP_PKEY_free(pkey);
    lib_quiet();
    return ok;
}

/* libcrypto refuses an all-zero result by itself (RFC 7748 6.1). */
static bool x25519_agree(EVP_PKEY *mine, span share, uint8_t *secret, bool *broken)
{
    size_t n = X25519_N;
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, share.p, share.n);
    EVP_PKEY_CTX *ctx = mine ? EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL) : NULL;
    bool ready = theirs && ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1;
    bool ok = ready && EVP_PKEY_derive(ctx, secret, &n) == 1 && n == X25519_N;
    *broken = !ready;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    lib_quiet();
    return ok;
}

static bool x25519_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    (void)k;
    *broken = false;
    TRY(reply.n == X25519_N);
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, state, X25519_N);
    bool ok = x25519_agree(mine, reply, secret, broken);
    EVP_PKEY_free(mine);
    return ok;
}

static bool x25519_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    uint8_t mine[X25519_N];
    *broken = false;
    TRY(share.n == X25519_N);
    *broken = !x25519_make(k, mine, reply);
    bool ok = !*broken && x25519_finish(k, mine, share, secret, broken);
    secret_wipe(mine, sizeof mine);
    return ok;
}

void lib_x25519_kem(troth_kem *row)
{
    *row = (troth_kem){ 29, "x25519", X25519_N, X25519_N, X25519_N, X25519_N, NULL, 0, 0, NULL, x25519_make, x25519_reply,
                        x25519_finish, NULL };
}

/* ---- the curves */
/* clang-format off */
static const struct { enum troth_key_type type; int nid; size_t n; uint16_t group; const char *name; } curves[LIB_CURVES] = {
    { TROTH_KEY_P256, NID_X9_62_prime256v1, 32, 23, "secp256r1" },
    { TROTH_KEY_P384, NID_secp384r1,        48, 24, "secp384r1" },
    { TROTH_KEY_P521, NID_secp521r1,        66, 25, "secp521r1" },
};
/* clang-format on */

bool lib_open_curves(struct lib *l)
{
    for (size_t i = 0; i < LIB_CURVES; i++) {
        l->curve[i] = (struct lib_curve){ curves[i].type, curves[i].nid, curves[i].n, EC_GROUP_new_by_curve_name(curves[i].nid) };
        TRY(l->curve[i].group);
    }
    return true;
}

void lib_close_curves(struct lib *l)
{
    for (size_t i = 0; i < LIB_CURVES; i++)
        EC_GROUP_free(l->curve[i].group);
}

const struct lib_curve *lib_curve_of(const struct lib *l, enum troth_key_type type)
{
    for (size_t i = 0; i < LIB_CURVES; i++)
        if (l->curve[i].type == type)
            return &l->curve[i];
    return NULL;
}

void lib_curve_kem(troth_kem *row, struct lib *l, size_t i)
{
    size_t n = curves[i].n;
    *row = (troth_kem){ curves[i].group, curves[i].name, n, 2 * n + 1, 2 * n + 1, n, NULL, 0, 0, &l->curve[i], curve_make, curve_reply,
                        curve_finish, NULL };
}
