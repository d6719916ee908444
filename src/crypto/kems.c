/* kems.c - X25519, ML-KEM and hybrids in the shape of provider.h.
 *
 * The private state of ML-KEM is its 64-byte seed: expanding it again costs six microseconds and saves 2400 bytes per handshake.  Must never
 * leave half a secret behind when the other half fails. */
#include "crypto/kems.h"

#include "base/secret.h"

enum { X25519_N = 32 };

static const struct own_kem *self_of(const troth_kem *k)
{
    return k->self;
}

static bool random_for(const troth_kem *k, uint8_t *out, size_t n)
{
    const troth_provider *p = self_of(k)->provider;
    return p->random(p->self, out, n);
}

/* ---- X25519 (RFC 7748) */
static bool x25519_make(const troth_kem *k, void *state, uint8_t *share)
{
    TRY(random_for(k, state, X25519_N));
    x25519_base(self_of(k)->x25519, share, state);
    return true;
}

/* An all-zero result is refused (RFC 9846 7.4.2).  That it was, the peer learns. */
static bool refuse_zero(bool good)
{
    ct_public(&good, sizeof good);
    return good;
}

static bool x25519_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    *broken = false;
    return reply.n == X25519_N && refuse_zero(x25519_shared(self_of(k)->x25519, secret, state, reply.p));
}

static bool x25519_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    uint8_t mine[X25519_N];
    *broken = false;
    TRY(share.n == X25519_N);
    *broken = !random_for(k, mine, sizeof mine);
    bool ok = !*broken && refuse_zero(x25519_both(self_of(k)->x25519, reply, secret, mine, share.p));
    secret_wipe(mine, sizeof mine);
    return ok;
}

/* The kernels take eight; what is not asked for is a copy of the first.  An all-zero result is refused here too. */
static void x25519_reply_many(const troth_kem *k, const span *shares, uint8_t *const *replies, uint8_t *const *secrets, bool *good, size_t n)
{
    enum { LANES = 8 };
    uint8_t mine[LANES][X25519_N], theirs[LANES][X25519_N], out[LANES][X25519_N], secret[LANES][X25519_N];
    bool drawn = n && n <= LANES && random_for(k, mine[0], n * X25519_N);
    for (size_t i = 0; i < n; i++)
        good[i] = drawn && shares[i].n == X25519_N;
    for (size_t i = 0; drawn && i < LANES; i++) {
        memcpy(theirs[i], i < n && good[i] ? shares[i].p : mine[0], X25519_N);
        if (i >= n)
            memcpy(mine[i], mine[0], X25519_N);
    }
    if (drawn) {
        const struct x25519 *x = self_of(k)->x25519;
        x->base_x8(out, mine);
        uint8_t fine = x->shared_x8(secret, mine, theirs);
        for (size_t i = 0; i < n; i++) {
            good[i] = good[i] && fine >> i & 1;
            memcpy(replies[i], out[i], X25519_N);
            memcpy(secrets[i], secret[i], X25519_N);
        }
    }
    secret_wipe(mine, sizeof mine);
    secret_wipe(secret, sizeof secret);
}

void kem_x25519(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct x25519 *x)
{
    *self = (struct own_kem){ .provider = p, .x25519 = x };
    *row = (troth_kem){ 29, "x25519", X25519_N, X25519_N, X25519_N, X25519_N, NULL, 0, 0, self, x25519_make, x25519_reply,
                        x25519_finish, x == &x25519_portable ? NULL : x25519_reply_many };
}

/* ---- ML-KEM (FIPS 203) */
static bool mlkem_make(const troth_kem *k, void *state, uint8_t *share)
{
    TRY(random_for(k, state, MLKEM_SEED));
    mlkem_keygen(self_of(k)->mlkem, share, NULL, state);
    return true;
}

static bool mlkem_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    uint8_t message[MLKEM_MESSAGE];
    *broken = !random_for(k, message, sizeof message);
    bool ok = !*broken && mlkem_encaps(self_of(k)->mlkem, reply, secret, share.p, share.n, message);
    secret_wipe(message, sizeof message);
    return ok;
}

static bool mlkem_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    *broken = false;
    return mlkem_decaps_seed(self_of(k)->mlkem, secret, reply.p, reply.n, state);
}

void kem_mlkem(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct mlkem *m, uint16_t group, const char *name)
{
    *self = (struct own_kem){ .provider = p, .mlkem = m };
    *row = (troth_kem){ group, name, MLKEM_SEED, m->ek_n, m->ct_n, MLKEM_SECRET, NULL, 0, 0, self, mlkem_make, mlkem_reply,
                        mlkem_finish, NULL };
}

/* ---- hybrids */
static bool hybrid_make(const troth_kem *k, void *state, uint8_t *share)
{
    const struct own_kem *s = self_of(k);
    uint8_t *private = state;
    TRY(mlkem_make(k, private + s->mlkem_private_at, share + s->mlkem_share_at));
    return s->classic->make(s->classic, private + s->classic_private_at, share + s->classic_share_at);
}

static bool hybrid_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    const struct own_kem *s = self_of(k);
    *broken = false;
    TRY(share.n == k->share_n);
    span ek = span_of(share.p + s->mlkem_share_at, s->mlkem->ek_n);
    span point = span_of(share.p + s->classic_share_at, s->classic->share_n);
    bool ok = mlkem_reply(k, ek, reply + s->mlkem_reply_at, secret + s->mlkem_secret_at, broken) &&
              s->classic->reply(s->classic, point, reply + s->classic_reply_at, secret + s->classic_secret_at, broken);
    if (!ok)
        secret_wipe(secret, k->secret_n);
    return ok;
}

static bool hybrid_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    const struct own_kem *s = self_of(k);
    const uint8_t *private = state;
    *broken = false;
    TRY(reply.n == k->reply_n);
    span ct = span_of(reply.p + s->mlkem_reply_at, s->mlkem->ct_n);
    span point = span_of(reply.p + s->classic_reply_at, s->classic->reply_n);
    bool ok = mlkem_finish(k, private + s->mlkem_private_at, ct, secret + s->mlkem_secret_at, broken) &&
              s->classic->finish(s->classic, private + s->classic_private_at, point, secret + s->classic_secret_at, broken);
    if (!ok)
        secret_wipe(secret, k->secret_n);
    return ok;
}

void kem_hybrid(troth_kem *row, struct own_kem *self, const troth_provider *p, const struct mlkem *m, const troth_kem *classic,
                bool classic_first, uint16_t group, const char *name)
{
    const troth_kem *c = classic;
    *self = (struct own_kem){ .provider = p, .mlkem = m, .classic = c };
    if (classic_first) {
        self->mlkem_share_at = c->share_n;
        self->mlkem_reply_at = c->reply_n;
        self->mlkem_secret_at = c->secret_n;
    } else {
        self->classic_share_at = m->ek_n;
        self->classic_reply_at = m->ct_n;
        self->classic_secret_at = MLKEM_SECRET;
    }
    self->classic_private_at = MLKEM_SEED;
    *row = (troth_kem){ group, name, MLKEM_SEED + c->private_n, m->ek_n + c->share_n, m->ct_n + c->reply_n, MLKEM_SECRET + c->secret_n,
                        c, self->classic_private_at, self->classic_share_at, self, hybrid_make, hybrid_reply, hybrid_finish,
                        NULL };
}
