/* batch.c - X25519 and P-256 of several connections side by side, behind inputs that the step table has anyway.
 *
 * The servers are asked which configuration to go on with (A_SERVER); before they are answered, the shares of all their hellos are replied to
 * together, and agree() of server13.c finds its reply ready, as auth_verify finds a signature that was verified ahead. Then each stops once
 * more where it would sign, as with a key elsewhere (A_SIGNATURE), and all signatures are made together.  So no state, no row and no rule is
 * there for batches; a connection that goes another way (resumed, another group, another key) computes for itself, and what fails for one
 * fails for that one.  Must never give one connection's reply or signature to another. */
#include "tls/batch.h"

#include "tls/auth.h"
#include "tls/engine.h"
#include "tls/flight.h"
#include "tls/negotiate.h"
#include "tls/server.h"

/* ---- key shares */

/* The share in its hello that we could reply to, if it is of X25519; copied, as the hello may go. */
static bool share_of(struct troth_conn *c, const troth_kem *kem, uint8_t theirs[32])
{
    struct client_hello ch;
    struct rd_ctx ctx;
    struct rd r;
    TRY(server_hello_again(&ch, &r, &ctx, c->hs->hello.raw));
    const struct key_share *share = share_for(&ch.exts, kem->group);
    TRY(share && share->key_exchange.n == 32);
    memcpy(theirs, share->key_exchange.p, 32);
    return true;
}

/* For all of the same provider's KEM. */
static void reply_to(struct troth_conn *const *conns, size_t n, const troth_kem *kem)
{
    struct ready_share *ready[BATCH_MAX];
    span shares[BATCH_MAX];
    uint8_t *replies[BATCH_MAX], *secrets[BATCH_MAX];
    bool good[BATCH_MAX];
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        struct troth_conn *c = conns[i];
        if (provider_kem(c->cfg->provider, kem->group) != kem || c->hs->hello.ready)
            continue;
        struct ready_share *s = c->hs->hello.ready = arena_alloc(&c->hs->arena, sizeof *s); /* NULL: it computes for itself */
        if (!s || !share_of(c, kem, s->theirs))
            continue;
        ready[k] = s;
        shares[k] = SPAN_OF(s->theirs);
        replies[k] = s->reply;
        secrets[k++] = s->secret;
    }
    if (k > 1)
        kem->reply_many(kem, shares, replies, secrets, good, k);
    for (size_t i = 0; k > 1 && i < k; i++)
        ready[i]->is = good[i];
}

static void reply_all(struct troth_conn *const *conns, size_t n)
{
    enum { X25519 = 29 };
    for (size_t i = 0; i < n; i++) {
        const troth_kem *kem = provider_kem(conns[i]->cfg->provider, X25519);
        if (kem && kem->reply_many && !conns[i]->hs->hello.ready)
            reply_to(conns + i, n - i, kem);
    }
}

bool batch_reply(struct troth_conn *c, const troth_kem *kem, span theirs, uint8_t *reply, uint8_t *secret)
{
    struct ready_share *s = c->hs->hello.ready;
    TRY(s && s->is && kem->reply_many && kem->reply_n == 32 && span_equal(theirs, SPAN_OF(s->theirs)));
    memcpy(reply, s->reply, 32);
    memcpy(secret, s->secret, 32);
    secret_wipe(s->secret, sizeof s->secret);
    s->is = false;
    return true;
}

/* ---- signatures */
static void answer(struct troth_conn *c, const troth_sign_job *job)
{
    if (job->done) {
        engine_answer(c, ASK_SIGN, span_of(job->signature, job->n));
        return;
    }
    (void)fail(c, CRYPTO_FAILED, "signing with %s", name_of(&names_scheme, c->hs->scheme->id));
    engine_fail(c);
}

static void sign_all(struct troth_conn *const *conns, size_t n)
{
    uint8_t signatures[BATCH_MAX][TROTH_SIGNATURE_MAX];
    troth_sign_job jobs[BATCH_MAX];
    struct troth_conn *whose[BATCH_MAX];
    bool done[BATCH_MAX] = { false };
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        const troth_provider *p = conns[i]->cfg->provider;
        for (size_t j = i; j < n; j++) { /* those with the same provider */
            struct troth_conn *c = conns[j];
            if (done[j] || c->question != ASK_SIGN || c->failed || !c->hs || c->cfg->provider != p || !auth_own_key(c))
                continue;
            jobs[k] = (troth_sign_job){ auth_own_key(c), c->hs->scheme->sig, &c->hs->to_sign, 1, signatures[k], 0, false };
            whose[k++] = c;
            done[j] = true;
        }
        if (k && p->sign_many)
            p->sign_many(p->self, jobs, k);
        for (size_t j = 0; j < k; j++) {
            if (!jobs[j].done)
                jobs[j].done = p->sign(p->self, jobs[j].key, jobs[j].sig, jobs[j].parts, 1, jobs[j].signature, &jobs[j].n);
            answer(whose[j], &jobs[j]);
        }
    }
}

void batch_answer(struct troth_conn *const *conns, size_t n)
{
    reply_all(conns, n);
    for (size_t i = 0; i < n; i++) {
        conns[i]->hs->hello.gather = n > 1;
        engine_answer(conns[i], ASK_SERVER, SPAN_NONE);
        if (conns[i]->hs)
            conns[i]->hs->hello.gather = false;
    }
    sign_all(conns, n);
}
