/* tape.c - the provider between a connection and its cryptography: a stenographer, or a player of what was written down.
 *
 * Everything that follows from its inputs alone (hashes, AEADs, the verifying of signatures) goes straight through.  Must never keep a
 * shared secret unless tape_danger_keep_secrets was called. */
#include "setup/tape.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEMS_MAX = 32, REEL_MOST = 128 << 10 };

struct tape {
    troth_provider   pub;
    troth_provider  *inner;
    unsigned         owners;
    bool             plays, keeps;
    struct tape_secrets secrets;
    struct reel     *now;
    troth_kem        kems[KEMS_MAX];
    const troth_kem *list[KEMS_MAX + 1];
    const troth_kem *real[KEMS_MAX];
    struct tape_key  keys[TAPE_KEYS_MAX]; /* a ring of the newest */
    size_t           n_keys;
};

/* ---- reels */

bool reel_add(struct reel *r, enum cut_kind kind, bool ok, const uint8_t *bytes, size_t n)
{
    struct cut *c = r->kept + n + sizeof *c <= REEL_MOST ? malloc(sizeof *c + n) : NULL;
    if (!c) {
        r->full = true;
        return false;
    }
    *c = (struct cut){ .kind = kind, .ok = ok, .known = bytes, .n = n };
    if (bytes)
        memcpy(c->bytes, bytes, n);
    r->kept += sizeof *c + n;
    if (r->last)
        r->last->next = c;
    else
        r->first = r->at = c;
    r->last = c;
    return true;
}

const struct cut *reel_next(struct reel *r, enum cut_kind kind)
{
    struct cut *c = r->at;
    if (!c || c->kind != kind) {
        r->strayed = true;
        return NULL;
    }
    r->at = c->next;
    return c;
}

void reel_clear(struct reel *r)
{
    for (struct cut *c = r->first, *next; c; c = next) {
        next = c->next;
        explicit_bzero(c->bytes, c->known ? c->n : 0);
        free(c);
    }
    if (r->keys)
        explicit_bzero(r->keys, r->keys_n);
    free(r->keys);
    *r = (struct reel){ .full = r->full };
}

/* What is written down of an answer: all of it, or, of a secret, that there was one. */
static void keep(struct tape *t, enum cut_kind kind, bool ok, const uint8_t *bytes, size_t n)
{
    if (t->now)
        reel_add(t->now, kind, ok, !ok || ((kind == CUT_SECRET || kind == CUT_SESSION) && !t->keeps) ? NULL : bytes, n);
}

/* The answer of then; zeros stand in for what was not kept, and for what was not asked for then. */
static bool play(struct tape *t, enum cut_kind kind, uint8_t *out, size_t n)
{
    const struct cut *c = t->now ? reel_next(t->now, kind) : NULL;
    memset(out, 0, n);
    if (!c)
        return !t->now; /* not a connection's: the configuration's own */
    if (c->n != n)
        t->now->strayed = true;
    else if (c->known)
        memcpy(out, c->bytes, n);
    else if (c->ok)
        t->now->lacks = true;
    return c->ok;
}

/* ---- the provider's functions */

static bool tape_random(void *self, uint8_t *out, size_t n)
{
    struct tape *t = self;
    if (t->plays && t->now)
        return play(t, CUT_RANDOM, out, n);
    bool ok = t->inner->random(t->inner->self, out, n);
    keep(t, CUT_RANDOM, ok, out, n);
    return ok;
}

static bool tape_can_verify(void *self, enum troth_key_type type, enum troth_sig sig)
{
    const struct tape *t = self;
    return t->inner->can_verify(t->inner->self, type, sig);
}

static void tape_verify(void *self, troth_verify_job *jobs, size_t n)
{
    const struct tape *t = self;
    t->inner->verify(t->inner->self, jobs, n);
}

/* ---- private keys: what is needed of one to do without it */

const struct tape_key *tape_key(const struct tape *t, size_t i)
{
    size_t there = t->n_keys < TAPE_KEYS_MAX ? t->n_keys : TAPE_KEYS_MAX;
    return i < there ? &t->keys[(t->n_keys - 1 - i) % TAPE_KEYS_MAX] : NULL;
}

void tape_add_key(struct tape *t, const struct tape_key *key)
{
    t->keys[t->n_keys++ % TAPE_KEYS_MAX] = *key;
}

static void remember(struct tape *t, const troth_key *key)
{
    struct tape_key k = { .type = t->inner->key_type(key) };
    k.n = t->inner->key_public(key, k.spki, sizeof k.spki);
    for (int sig = TROTH_SIG_NONE + 1; sig < TROTH_SIG_COUNT; sig++)
        if (t->inner->key_can(key, (enum troth_sig)sig))
            k.can |= 1u << sig;
    if (k.n)
        tape_add_key(t, &k);
}

static troth_key *stand_in(const struct tape_key *key)
{
    struct tape_key *k = malloc(sizeof *k);
    if (k)
        *k = *key;
    return (troth_key *)(void *)k;
}

static troth_key *tape_key_load(void *self, troth_span bytes, troth_passphrase_fn *ask, void *ctx, enum troth_reason *why)
{
    struct tape *t = self;
    for (size_t i = 0; t->plays && tape_key(t, i); i++)
        if (tape_key(t, i)->n == bytes.n && !memcmp(tape_key(t, i)->spki, bytes.p, bytes.n))
            return stand_in(tape_key(t, i));
    troth_key *key = t->plays ? NULL : t->inner->key_load(t->inner->self, bytes, ask, ctx, why);
    if (key)
        remember(t, key);
    else if (t->plays)
        *why = TROTH_R_OUT_OF_MEMORY;
    return key;
}

static enum troth_key_type played_type(const troth_key *key)
{
    const struct tape_key *k = (const void *)key;
    return k->type;
}

static size_t played_public(const troth_key *key, uint8_t *spki, size_t cap)
{
    const struct tape_key *k = (const void *)key;
    if (k->n > cap)
        return 0;
    memcpy(spki, k->spki, k->n);
    return k->n;
}

static size_t played_private(const troth_key *key, uint8_t *pkcs8, size_t cap)
{
    (void)key;
    (void)pkcs8;
    (void)cap;
    return 0; /* there is none */
}

static bool played_can(const troth_key *key, enum troth_sig sig)
{
    const struct tape_key *k = (const void *)key;
    return k->can >> sig & 1;
}

static void played_free(troth_key *key)
{
    free(key);
}

static bool played_sign(void *self, const troth_key *key, enum troth_sig sig, const troth_span *parts, size_t n_parts, uint8_t *signature, size_t *n)
{
    struct tape *t = self;
    const struct tape_key *k = (const void *)key;
    const struct cut *c = t->now ? reel_next(t->now, CUT_SIGNATURE) : NULL;
    (void)sig;
    (void)parts;
    (void)n_parts;
    if (!t->now) { /* a builder asks whether the key is the certificate's: see played_verify */
        memcpy(signature, k->spki, k->n);
        *n = k->n;
        return true;
    }
    if (!c || !c->ok || !c->known || c->n > TROTH_SIGNATURE_MAX)
        return false;
    memcpy(signature, c->bytes, c->n);
    *n = c->n;
    return true;
}

static troth_key *tape_key_make(void *self, enum troth_key_type type, unsigned rsa_bits)
{
    const struct tape *t = self;
    return t->inner->key_make(t->inner->self, type, rsa_bits);
}

static bool tape_sign(void *self, const troth_key *key, enum troth_sig sig, const troth_span *parts, size_t n_parts, uint8_t *signature, size_t *n)
{
    struct tape *t = self;
    bool ok = t->inner->sign(t->inner->self, key, sig, parts, n_parts, signature, n);
    keep(t, CUT_SIGNATURE, ok, signature, ok ? *n : 0);
    return ok;
}

static void tape_share(struct troth_provider *p)
{
    struct tape *t = p->self;
    __atomic_add_fetch(&t->owners, 1, __ATOMIC_RELAXED);
}

void tape_free(struct tape *t)
{
    if (!t || __atomic_sub_fetch(&t->owners, 1, __ATOMIC_ACQ_REL))
        return;
    troth_provider_free(t->inner);
    explicit_bzero(&t->secrets, sizeof t->secrets);
    free(t);
}

static void tape_release(struct troth_provider *p)
{
    tape_free(p->self);
}

/* What the builder's question is answered with: the public key is the one that the "signature" shows. */
static bool shows(const troth_verify_job *job)
{
    troth_span key = job->key->point.n ? job->key->point : job->key->n;
    return key.n && memmem(job->signature.p, job->signature.n, key.p, key.n);
}

static void played_verify(void *self, troth_verify_job *jobs, size_t n)
{
    const struct tape *t = self;
    if (!t->now && n == 1 && shows(jobs))
        jobs->good = true;
    else
        t->inner->verify(t->inner->self, jobs, n);
}

/* ---- key exchange */

static const troth_kem *real_of(const struct tape *t, const troth_kem *kem)
{
    return t->real[kem - t->kems];
}

static bool tape_make(const troth_kem *kem, void *state, uint8_t *share)
{
    struct tape *t = kem->self;
    if (t->plays && t->now) {
        memset(state, 0, kem->private_n);
        return play(t, CUT_SHARE, share, kem->share_n);
    }
    const troth_kem *real = real_of(t, kem);
    bool ok = real->make(real, state, share);
    keep(t, CUT_SHARE, ok, share, kem->share_n);
    return ok;
}

static bool tape_reply(const troth_kem *kem, troth_span share, uint8_t *reply, uint8_t *secret, bool *broken)
{
    struct tape *t = kem->self;
    if (t->plays) { /* for nobody: a builder that looks whether two halves fit gets the same secret twice */
        bool ok = play(t, CUT_REPLY, reply, kem->reply_n), lacked = t->now && t->now->lacks;
        ok &= play(t, CUT_SECRET, secret, kem->secret_n);
        if (t->now && t->now->lacks && !lacked)
            t->now->lacks_reply = true;
        return ok;
    }
    const troth_kem *real = real_of(t, kem);
    bool ok = real->reply(real, share, reply, secret, broken);
    keep(t, CUT_REPLY, ok, reply, kem->reply_n);
    keep(t, CUT_SECRET, ok, secret, kem->secret_n);
    return ok;
}

static bool tape_finish(const troth_kem *kem, const void *state, troth_span reply, uint8_t *secret, bool *broken)
{
    struct tape *t = kem->self;
    if (t->plays) {
        bool lacked = t->now && t->now->lacks, ok = play(t, CUT_SECRET, secret, kem->secret_n);
        if (t->now && t->now->lacks && !lacked)
            t->now->lacks_finish = true;
        return ok;
    }
    const troth_kem *real = real_of(t, kem);
    bool ok = real->finish(real, state, reply, secret, broken);
    keep(t, CUT_SECRET, ok, secret, kem->secret_n);
    return ok;
}

static void wrap_kems(struct tape *t)
{
    size_t n = 0;
    for (; n < KEMS_MAX && t->inner->kems[n]; n++) {
        t->real[n] = t->inner->kems[n];
        t->kems[n] = *t->real[n];
        t->kems[n].self = t;
        t->kems[n].make = tape_make;
        t->kems[n].reply = tape_reply;
        t->kems[n].finish = tape_finish;
        t->list[n] = &t->kems[n];
    }
    for (size_t i = 0; i < n; i++) /* a tail is one of the list */
        for (size_t k = 0; k < n && t->kems[i].tail; k++)
            if (t->real[i]->tail == t->real[k])
                t->kems[i].tail = &t->kems[k];
}

/* ---- one tape */

static struct tape *tape_new(troth_provider *inner, bool plays)
{
    struct tape *t = inner ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        troth_provider_free(inner);
        return NULL;
    }
    t->inner = inner;
    t->owners = 1;
    t->plays = plays;
    t->pub = *inner;
    t->pub.size = sizeof t->pub;
    t->pub.self = t;
    t->pub.random = tape_random;
    t->pub.can_verify = tape_can_verify;
    t->pub.verify = tape_verify;
    t->pub.key_load = tape_key_load;
    t->pub.key_make = tape_key_make;
    t->pub.sign = tape_sign;
    t->pub.share = tape_share;
    t->pub.free = tape_release;
    if (plays) {
        t->pub.key_type = played_type;
        t->pub.key_public = played_public;
        t->pub.key_private = played_private;
        t->pub.key_can = played_can;
        t->pub.key_free = played_free;
        t->pub.sign = played_sign;
        t->pub.verify = played_verify;
    }
    wrap_kems(t);
    t->pub.kems = t->list;
    return t;
}

struct tape *tape_record(troth_provider *inner)
{
    return tape_new(inner, false);
}

struct tape *tape_play(troth_provider *inner)
{
    return tape_new(inner, true);
}

void tape_danger_keep_secrets(struct tape *t)
{
    if (t)
        t->keeps = t->inner->random(t->inner->self, (uint8_t *)&t->secrets, sizeof t->secrets);
}

bool tape_keeps_secrets(const struct tape *t)
{
    return t && t->keeps;
}

const struct tape_secrets *tape_secrets(const struct tape *t)
{
    return tape_keeps_secrets(t) ? &t->secrets : NULL;
}

int64_t tape_clock(void *tape)
{
    const struct tape *t = tape;
    return t->now ? t->now->time : time(NULL);
}

void tape_session(struct tape *t, const uint8_t *state, size_t n)
{
    if (t)
        keep(t, CUT_SESSION, state != NULL, state, n);
}

void tape_signature(struct tape *t, troth_span signature)
{
    if (t)
        keep(t, CUT_SIGNATURE, signature.n != 0, signature.p, signature.n);
}

size_t tape_play_session(struct tape *t, uint8_t *out, size_t cap)
{
    const struct cut *c = t->now ? reel_next(t->now, CUT_SESSION) : NULL;
    if (!c || !c->ok || !c->known || c->n > cap)
        return 0;
    memcpy(out, c->bytes, c->n);
    return c->n;
}

troth_provider *tape_provider(struct tape *t)
{
    if (!t)
        return NULL;
    tape_share(&t->pub);
    return &t->pub;
}

void tape_turn(struct tape *t, struct reel *r)
{
    if (t)
        t->now = r;
    if (r && !r->time)
        r->time = time(NULL);
}

void tape_key_line(struct tape *t, const char *line)
{
    struct reel *r = t && t->keeps ? t->now : NULL;
    size_t n = strlen(line);
    char *p = r && r->keys_n + n + 1 < REEL_MOST ? malloc(r->keys_n + n + 2) : NULL; /* not realloc: it would leave a copy */
    if (!p)
        return;
    if (r->keys) {
        memcpy(p, r->keys, r->keys_n);
        explicit_bzero(r->keys, r->keys_n);
        free(r->keys);
    }
    memcpy(p + r->keys_n, line, n);
    p[r->keys_n + n] = '\n';
    r->keys = p;
    r->keys_n += n + 1;
}
