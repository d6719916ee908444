/* fake.c - see fake.h.  Must never be linked into anything that is installed. */
#include "fake/fake.h"

#include <stdlib.h>

#include "base/secret.h"
#include "base/text.h"
#include "crypto/provider.h"
#include "fake/fake_keys.h"
#include "support/memory.h"

/* ---- mixing: FNV-1a over bytes, splitmix64 to draw from it.  Good enough to notice accidents; nothing here resists anyone. */
void mix_begin(struct mix *m)
{
    *m = (struct mix){ 0xcbf29ce484222325u, 0 };
}

void mix_add(struct mix *m, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        m->h = (m->h ^ p[i]) * 0x100000001b3u;
    m->n += n;
}

void mix_int(struct mix *m, uint64_t v)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (uint8_t)(v >> (8 * i));
    mix_add(m, b, sizeof b);
}

static uint64_t draw(uint64_t *s)
{
    uint64_t z = *s += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void draw_bytes(uint64_t *s, uint8_t *out, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++, v >>= 8) {
        if (i % 8 == 0)
            v = draw(s);
        out[i] = (uint8_t)v;
    }
}

void mix_draw(const struct mix *m, uint8_t *out, size_t n)
{
    uint64_t s = m->h ^ m->n << 32;
    draw_bytes(&s, out, n);
}

/* ---- failing on demand */
bool fake_works(struct fake *f)
{
    f->calls++;
    return !f->fail_in || --f->fail_in;
}

uint64_t fake_calls(const troth_provider *p)
{
    return ((const struct fake *)p)->calls;
}

void fake_fail_in(troth_provider *p, uint64_t n)
{
    ((struct fake *)p)->fail_in = n;
}

void fake_reseed(troth_provider *p, uint64_t seed)
{
    ((struct fake *)p)->random = seed;
}

bool fake_random(void *self, uint8_t *out, size_t n)
{
    struct fake *f = self;
    if (!fake_works(f))
        return false;
    draw_bytes(&f->random, out, n);
    return true;
}

/* ---- hashes */
static void hash_begin(void *state)
{
    mix_begin(state);
}

static void hash_add(void *state, const uint8_t *p, size_t n)
{
    mix_add(state, p, n);
}

static void peek_n(const void *state, uint8_t *digest, size_t n)
{
    struct mix m = *(const struct mix *)state;
    mix_int(&m, n);
    mix_draw(&m, digest, n);
}

static void peek_20(const void *state, uint8_t *digest)
{
    peek_n(state, digest, 20);
}

static void peek_32(const void *state, uint8_t *digest)
{
    peek_n(state, digest, 32);
}

static void peek_48(const void *state, uint8_t *digest)
{
    peek_n(state, digest, 48);
}

static void peek_64(const void *state, uint8_t *digest)
{
    peek_n(state, digest, 64);
}

/* clang-format off */
static const troth_hash hash_rows[] = {
    { TROTH_SHA256, "fake SHA-256", 32,  64, sizeof(struct mix), hash_begin, hash_add, peek_32 },
    { TROTH_SHA384, "fake SHA-384", 48, 128, sizeof(struct mix), hash_begin, hash_add, peek_48 },
    { TROTH_SHA512, "fake SHA-512", 64, 128, sizeof(struct mix), hash_begin, hash_add, peek_64 },
    { TROTH_SHA1,   "fake SHA-1",   20,  64, sizeof(struct mix), hash_begin, hash_add, peek_20 },
};
/* clang-format on */

/* ---- AEADs: the text stays, the tag is a digest of key, nonce, additional data and text */
struct aead_state {
    uint8_t key[32];
    bool    begun;
};

static struct fake *owner_of(const troth_aead *a)
{
    return ((const struct fake_aead *)a)->owner;
}

static bool aead_begin(const troth_aead *a, void *state, const uint8_t *key)
{
    struct aead_state *s = state;
    memset(s, 0, sizeof *s);
    memcpy(s->key, key, a->key_n);
    return s->begun = fake_works(owner_of(a));
}

static void aead_end(const troth_aead *a, void *state)
{
    (void)a;
    memset(state, 0, sizeof(struct aead_state));
}

static void aead_tag(const troth_aead *a, const struct aead_state *s, uint8_t tag[16], const uint8_t *nonce, span aad, span text)
{
    struct mix m;
    mix_begin(&m);
    mix_int(&m, a->id);
    mix_add(&m, s->key, sizeof s->key);
    mix_add(&m, nonce, 12);
    mix_int(&m, aad.n);
    mix_add(&m, aad.p, aad.n);
    mix_add(&m, text.p, text.n);
    mix_draw(&m, tag, 16);
}

static bool aead_seal(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, const span *parts, size_t n_parts)
{
    const struct aead_state *s = state;
    size_t n = 0;
    if (!s->begun || !fake_works(owner_of(a)))
        return false;
    for (size_t i = 0; i < n_parts; i++) {
        if (parts[i].n)
            memmove(out + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    aead_tag(a, s, out + n, nonce, aad, span_of(out, n));
    return true;
}

static bool aead_open(const troth_aead *a, void *state, uint8_t *out, const uint8_t *nonce, span aad, span in)
{
    const struct aead_state *s = state;
    uint8_t tag[16];
    if (!s->begun || in.n < 16)
        return false;
    span text = { in.p, in.n - 16 };
    aead_tag(a, s, tag, nonce, aad, text);
    if (!bytes_equal_ct(tag, in.p + text.n, 16))
        return false;
    memmove(out, text.p, text.n);
    return true;
}

static void open_aeads(struct fake *f)
{
    static const struct { enum troth_aead_id id; const char *name; size_t key_n; uint64_t limit; } rows[FAKE_AEADS] = {
        { TROTH_AES_128_GCM, "fake AES-128-GCM", 16, 23726566 },
        { TROTH_AES_256_GCM, "fake AES-256-GCM", 32, 23726566 },
        { TROTH_CHACHA20_POLY1305, "fake ChaCha20-Poly1305", 32, UINT64_MAX },
    };
    for (size_t i = 0; i < FAKE_AEADS; i++) {
        f->aead[i].row = (troth_aead){ rows[i].id, rows[i].name, rows[i].key_n, 12, 16, sizeof(struct aead_state), rows[i].limit,
                                       aead_begin, aead_seal, aead_open, aead_end };
        f->aead[i].owner = f;
        f->aeads[i] = &f->aead[i].row;
    }
    f->pub.aeads = f->aeads;
}

/* ---- key exchange: shares are drawn from the private bytes, the secret from both shares.  A share of zeros is not valid, nor is an EC
 * point that is not uncompressed. */
static bool is_ec(const troth_kem *k)
{
    return k->group >= 23 && k->group <= 25;
}

static void share_of(const troth_kem *k, const uint8_t private[32], uint8_t *share, size_t n, uint64_t side)
{
    struct mix m;
    mix_begin(&m);
    mix_int(&m, k->group);
    mix_int(&m, side);
    mix_add(&m, private, 32);
    mix_draw(&m, share, n);
    if (is_ec(k))
        share[0] = 4;
}

static bool share_ok(const troth_kem *k, span share, size_t n)
{
    bool zero = true;
    for (size_t i = 0; i < share.n; i++)
        zero = zero && !share.p[i];
    return share.n == n && !zero && (!is_ec(k) || share.p[0] == 4);
}

static void secret_of(const troth_kem *k, span share, span reply, uint8_t *secret)
{
    struct mix m;
    mix_begin(&m);
    mix_int(&m, k->group);
    mix_add(&m, share.p, share.n);
    mix_add(&m, reply.p, reply.n);
    mix_draw(&m, secret, k->secret_n);
}

static bool simple_make(const troth_kem *k, void *state, uint8_t *share)
{
    if (!fake_random(k->self, state, 32))
        return false;
    share_of(k, state, share, k->share_n, 0);
    return true;
}

static bool simple_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    uint8_t private[32];
    *broken = false;
    if (!share_ok(k, share, k->share_n))
        return false;
    *broken = !fake_random(k->self, private, 32);
    share_of(k, private, reply, k->reply_n, 1);
    secret_of(k, share, span_of(reply, k->reply_n), secret);
    return !*broken;
}

static bool simple_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    uint8_t share[TROTH_KEM_SHARE_MAX];
    *broken = false;
    if (!share_ok(k, reply, k->reply_n))
        return false;
    *broken = !fake_works(k->self);
    share_of(k, state, share, k->share_n, 0);
    secret_of(k, span_of(share, k->share_n), reply, secret);
    return !*broken;
}

/* Hybrids of two simple ones, laid out as the real ones are: the classical half in front or behind. */
static const troth_kem *lattice_of(const troth_kem *k)
{
    return provider_kem((const troth_provider *)k->self, k->group == 4589 ? 514 : 513);
}

/* Where the halves are: the classical one at the front (NIST curves) or behind (X25519). */
static size_t classic_at(const troth_kem *k, size_t lattice_n)
{
    return k->group == 4588 ? lattice_n : 0;
}

static size_t lattice_at(const troth_kem *k, size_t classic_n)
{
    return k->group == 4588 ? 0 : classic_n;
}

static bool hybrid_make(const troth_kem *k, void *state, uint8_t *share)
{
    const troth_kem *c = k->tail, *l = lattice_of(k);
    return l->make(l, state, share + lattice_at(k, c->share_n)) && c->make(c, (uint8_t *)state + 32, share + classic_at(k, l->share_n));
}

static bool hybrid_reply(const troth_kem *k, span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    const troth_kem *c = k->tail, *l = lattice_of(k);
    *broken = false;
    return share.n == k->share_n &&
           l->reply(l, span_slice(share, lattice_at(k, c->share_n), l->share_n), reply + lattice_at(k, c->reply_n),
                    secret + lattice_at(k, c->secret_n), broken) &&
           c->reply(c, span_slice(share, classic_at(k, l->share_n), c->share_n), reply + classic_at(k, l->reply_n),
                    secret + classic_at(k, l->secret_n), broken);
}

static bool hybrid_finish(const troth_kem *k, const void *state, span reply, uint8_t *secret, bool *broken)
{
    const troth_kem *c = k->tail, *l = lattice_of(k);
    *broken = false;
    return reply.n == k->reply_n &&
           l->finish(l, state, span_slice(reply, lattice_at(k, c->reply_n), l->reply_n), secret + lattice_at(k, c->secret_n), broken) &&
           c->finish(c, (const uint8_t *)state + 32, span_slice(reply, classic_at(k, l->reply_n), c->reply_n),
                     secret + classic_at(k, l->secret_n), broken);
}

static void open_kems(struct fake *f)
{
    static const struct { uint16_t group; const char *name; uint16_t share_n, reply_n, secret_n, tail; } rows[FAKE_KEMS] = {
        { 4588, "fake X25519MLKEM768", 1216, 1120, 64, 1 },
        { 29, "fake x25519", 32, 32, 32, 0 },
        { 23, "fake secp256r1", 65, 65, 32, 0 },
        { 24, "fake secp384r1", 97, 97, 48, 0 },
        { 4587, "fake SecP256r1MLKEM768", 1249, 1153, 64, 2 },
        { 4589, "fake SecP384r1MLKEM1024", 1665, 1665, 80, 3 },
        { 25, "fake secp521r1", 133, 133, 66, 0 },
        { 513, "fake MLKEM768", 1184, 1088, 32, 0 },
        { 514, "fake MLKEM1024", 1568, 1568, 32, 0 },
        { 512, "fake MLKEM512", 800, 768, 32, 0 },
    };
    for (size_t i = 0; i < FAKE_KEMS; i++) {
        bool hybrid = rows[i].tail != 0;
        troth_kem *k = &f->kem[i];
        *k = (troth_kem){ rows[i].group, rows[i].name, hybrid ? 64 : 32, rows[i].share_n, rows[i].reply_n, rows[i].secret_n, NULL, 0, 0, f,
                          hybrid ? hybrid_make : simple_make, hybrid ? hybrid_reply : simple_reply, hybrid ? hybrid_finish : simple_finish,
                          NULL };
        f->kems[i] = k;
    }
    for (size_t i = 0; i < FAKE_KEMS; i++)
        if (rows[i].tail) {
            troth_kem *k = &f->kem[i];
            k->tail = &f->kem[rows[i].tail];
            k->tail_private_at = 32;
            k->tail_share_at = k->group == 4588 ? k->share_n - k->tail->share_n : 0;
        }
    f->pub.kems = f->kems;
}

/* ---- the provider */
static void share(troth_provider *p)
{
    ((struct fake *)p)->owners++;
}

void fake_give_up(troth_provider *p)
{
    struct fake *f = (struct fake *)p;
    if (!--f->owners)
        f->memory.free(f->memory.ctx, f, sizeof *f);
}

troth_provider *fake_provider_with(uint64_t seed, const troth_allocator *memory)
{
    struct fake *f = memory->alloc(memory->ctx, sizeof *f);
    if (!f)
        return NULL;
    memset(f, 0, sizeof *f);
    f->owners = 1;
    f->random = seed;
    f->memory = *memory;
    f->pub = (troth_provider){ .size = sizeof f->pub, .name = "fake", .self = f, .memory = &f->memory, .random = fake_random,
                               .share = share, .free = fake_give_up };
    for (size_t i = 0; i < COUNT_OF(hash_rows); i++)
        f->hashes[i] = &hash_rows[i];
    f->pub.hashes = f->hashes;
    open_aeads(f);
    open_kems(f);
    fake_open_keys(f);
    return &f->pub;
}

troth_provider *fake_provider(uint64_t seed)
{
    return fake_provider_with(seed, &test_memory);
}
