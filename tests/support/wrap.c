/* wrap.c - see wrap.h. */
#include "support/wrap.h"

#include <stdlib.h>

#include "base/secret.h"
#include "crypto/provider.h"
#include "support/test.h"

enum { ROWS_MAX = 16, NONCE_N = 12 };

struct wrap;

struct wrap_aead {
    troth_aead        row; /* first: the row is the object */
    const troth_aead *inner;
    struct wrap      *w;
};

struct wrap_kem {
    troth_kem        row;
    const troth_kem *inner;
};

struct wrap {
    troth_provider    pub; /* first */
    troth_provider   *inner;
    struct wrap_hooks hooks;
    size_t            owners;
    struct wrap_aead  aead[ROWS_MAX];
    struct wrap_kem   kem[ROWS_MAX];
    const troth_aead *aeads[ROWS_MAX + 1];
    const troth_kem  *kems[ROWS_MAX + 1];
};

static bool allowed(const struct wrap *w, const char *what)
{
    return !w->hooks.allow || w->hooks.allow(w->hooks.ctx, what);
}

static void secret(const struct wrap *w, const char *what, const void *p, size_t n)
{
    if (w->hooks.secret)
        w->hooks.secret(w->hooks.ctx, what, (uint8_t *)(uintptr_t)p, n);
}

static void public(const struct wrap *w, const char *what, const void *p, size_t n)
{
    if (w->hooks.public)
        w->hooks.public(w->hooks.ctx, what, (uint8_t *)(uintptr_t)p, n);
}

/* ---- AEADs */
static const struct wrap_aead *of_aead(const troth_aead *a)
{
    return (const struct wrap_aead *)a;
}

static bool aead_begin(const troth_aead *a, void *state, const uint8_t *key)
{
    const struct wrap_aead *x = of_aead(a);
    uint8_t copy[TROTH_AEAD_KEY_MAX];
    memcpy(copy, key, a->key_n);
    secret(x->w, "AEAD key", copy, a->key_n);
    bool ok = allowed(x->w, "begin") && x->inner->begin(x->inner, state, copy);
    secret_wipe(copy, sizeof copy);
    return ok;
}

/* Made from a key of the schedule, too. */
static const uint8_t *told_nonce(const struct wrap_aead *x, uint8_t copy[NONCE_N], const uint8_t *nonce)
{
    memcpy(copy, nonce, NONCE_N);
    secret(x->w, "AEAD nonce", copy, NONCE_N);
    return copy;
}

static bool aead_seal(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, const span *parts, size_t n_parts)
{
    const struct wrap_aead *x = of_aead(a);
    uint8_t copy[NONCE_N];
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    bool ok = allowed(x->w, "seal") && x->inner->seal(x->inner, state, out, told_nonce(x, copy, nonce), aad, parts, n_parts);
    public(x->w, "sealed", out, n + a->tag_n);
    return ok;
}

static bool aead_open(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    const struct wrap_aead *x = of_aead(a);
    uint8_t copy[NONCE_N];
    bool ok = allowed(x->w, "open") && x->inner->open(x->inner, state, out, told_nonce(x, copy, nonce), aad, in);
    if (ok && x->w->hooks.opened)
        x->w->hooks.opened(x->w->hooks.ctx, aad, out, in.n - a->tag_n);
    return ok;
}

static void aead_end(const troth_aead *a, void *state)
{
    const struct wrap_aead *x = of_aead(a);
    x->inner->end(x->inner, state);
}

static void wrap_aeads(struct wrap *w)
{
    for (size_t i = 0; w->inner->aeads[i]; i++) {
        assert_true(i < ROWS_MAX);
        struct wrap_aead *x = &w->aead[i];
        *x = (struct wrap_aead){ *w->inner->aeads[i], w->inner->aeads[i], w };
        x->row.begin = aead_begin;
        x->row.seal = aead_seal;
        x->row.open = aead_open;
        x->row.end = aead_end;
        w->aeads[i] = &x->row;
    }
    w->pub.aeads = w->aeads;
}

/* ---- key exchange: `self` of a row is the wrapper */
static const troth_kem *inner_of(const troth_kem *k)
{
    return ((const struct wrap_kem *)k)->inner;
}

static bool kem_make(const troth_kem *k, void *state, uint8_t *share)
{
    const troth_kem *inner = inner_of(k);
    if (!allowed(k->self, "make") || !inner->make(inner, state, share))
        return false;
    secret(k->self, "private state", state, k->private_n);
    public(k->self, "share", share, k->share_n);
    return true;
}

static bool kem_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *out, bool *broken)
{
    const troth_kem *inner = inner_of(k);
    *broken = !allowed(k->self, "reply");
    if (*broken || !inner->reply(inner, share, reply, out, broken))
        return false;
    secret(k->self, "shared secret", out, k->secret_n);
    public(k->self, "reply", reply, k->reply_n);
    return true;
}

static bool kem_finish(const troth_kem *k, const void *state, span reply, uint8_t *out, bool *broken)
{
    const troth_kem *inner = inner_of(k);
    *broken = !allowed(k->self, "finish");
    if (*broken || !inner->finish(inner, state, reply, out, broken))
        return false;
    secret(k->self, "shared secret", out, k->secret_n);
    return true;
}

static void wrap_kems(struct wrap *w)
{
    size_t n = 0;
    for (; w->inner->kems[n]; n++) {
        assert_true(n < ROWS_MAX);
        struct wrap_kem *x = &w->kem[n];
        *x = (struct wrap_kem){ *w->inner->kems[n], w->inner->kems[n] };
        x->row.self = w;
        x->row.make = kem_make;
        x->row.reply = kem_reply;
        x->row.finish = kem_finish;
        w->kems[n] = &x->row;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (w->kem[i].inner->tail == w->kem[j].inner)
                w->kem[i].row.tail = &w->kem[j].row;
    w->pub.kems = w->kems;
}

/* ---- the rest: `self` of the provider is the wrapper too */
static struct wrap *of(void *self)
{
    return self;
}

static bool wrap_random(void *self, uint8_t *out, size_t n)
{
    struct wrap *w = of(self);
    if (!allowed(w, "random"))
        return false;
    return w->hooks.random ? w->hooks.random(w->hooks.ctx, out, n) : w->inner->random(w->inner->self, out, n);
}

static bool wrap_can_verify(void *self, enum troth_key_type type, enum troth_sig sig)
{
    return of(self)->inner->can_verify(of(self)->inner->self, type, sig);
}

static void wrap_verify(void *self, troth_verify_job *jobs, size_t n)
{
    of(self)->inner->verify(of(self)->inner->self, jobs, n);
}

static troth_key *wrap_key_load(void *self, span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why)
{
    return of(self)->inner->key_load(of(self)->inner->self, bytes, ask, ctx, why);
}

static troth_key *wrap_key_make(void *self, enum troth_key_type type, unsigned bits)
{
    return allowed(of(self), "key") ? of(self)->inner->key_make(of(self)->inner->self, type, bits) : NULL;
}

static bool wrap_sign(void *self, const troth_key *k, enum troth_sig sig, const span *parts, size_t n_parts, uint8_t *signature, size_t *n)
{
    struct wrap *w = of(self);
    if (!allowed(w, "sign") || !w->inner->sign(w->inner->self, k, sig, parts, n_parts, signature, n))
        return false;
    public(w, "signature", signature, *n);
    return true;
}

static void wrap_share(troth_provider *p)
{
    ((struct wrap *)p)->owners++;
}

static void wrap_free(troth_provider *p)
{
    struct wrap *w = (struct wrap *)p;
    if (--w->owners)
        return;
    troth_provider_free(w->inner);
    free(w);
}

troth_provider *wrap_provider(troth_provider *inner, const struct wrap_hooks *hooks)
{
    struct wrap *w = calloc(1, sizeof *w);
    assert_true(w && inner);
    w->pub = *inner;
    w->inner = inner;
    w->hooks = *hooks;
    w->owners = 1;
    w->pub.self = w;
    w->pub.random = wrap_random;
    w->pub.can_verify = wrap_can_verify;
    w->pub.verify = wrap_verify;
    w->pub.key_load = wrap_key_load;
    w->pub.key_make = wrap_key_make;
    w->pub.sign = wrap_sign;
    w->pub.share = wrap_share;
    w->pub.free = wrap_free;
    wrap_aeads(w);
    wrap_kems(w);
    return &w->pub;
}

struct wrap_hooks *wrap_hooks_of(troth_provider *p)
{
    return &((struct wrap *)p)->hooks;
}
