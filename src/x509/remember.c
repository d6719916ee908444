/* remember.c - tags of verified signatures.  Must never remember one that was not verified, nor wait for anybody. */
#include "x509/remember.h"

#include "base/secret.h"

bool remembered_init(struct remembered *m, const troth_provider *crypto)
{
    memset(m, 0, sizeof *m);
    return crypto->random(crypto->self, m->key, sizeof m->key);
}

/* Its length goes before each part, so that no two lists of parts are the same bytes. */
static void add_part(const troth_hash *h, void *state, span part)
{
    uint8_t n[4] = { (uint8_t)(part.n >> 24), (uint8_t)(part.n >> 16), (uint8_t)(part.n >> 8), (uint8_t)part.n };
    h->add(state, n, sizeof n);
    h->add(state, part.p, part.n);
}

bool remembered_tag(const struct remembered *m, struct remembered_tag *t, const troth_provider *crypto, const struct cert *child,
                    const struct cert *issuer)
{
    const troth_hash *h = provider_hash(crypto, TROTH_SHA256);
    TRY(h);
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    uint8_t digest[TROTH_DIGEST_MAX], how[3] = { child->sig, (uint8_t)(child->sig_salt_n >> 8), (uint8_t)child->sig_salt_n };
    h->begin(state);
    h->add(state, m->key, sizeof m->key);
    add_part(h, state, SPAN_OF(how));
    add_part(h, state, issuer->spki);
    add_part(h, state, child->tbs);
    add_part(h, state, child->signature);
    h->peek(state, digest);
    memcpy(&t->a, digest, 8);
    memcpy(&t->b, digest + 8, 8);
    t->a |= (uint64_t)!(t->a | t->b); /* no tag is an empty row */
    secret_wipe(state, sizeof state);
    return true;
}

bool remembered_has(const struct remembered *m, const struct remembered_tag *t)
{
    const struct remembered_row *r = &m->row[t->a % REMEMBERED];
    return atomic_load_explicit(&r->a, memory_order_relaxed) == t->a && atomic_load_explicit(&r->b, memory_order_relaxed) == t->b;
}

void remembered_add(struct remembered *m, const struct remembered_tag *t)
{
    struct remembered_row *r = &m->row[t->a % REMEMBERED];
    atomic_store_explicit(&r->a, t->a, memory_order_relaxed);
    atomic_store_explicit(&r->b, t->b, memory_order_relaxed);
}
