/* Whole handshakes under valgrind with their secrets undefined: what a branch, an address or a length depends on is not one of them.
 *
 * Undefined are: what X25519 and ML-KEM draw, their private states and shared secrets; by that the key schedule, Finished, binders, session
 * tickets' secrets, HPKE; external PSKs, a server's ECH key, the secret inside of a ticket that was opened.  Known again, because the
 * protocol sends it or because libcrypto's code is not ours to judge: shares, sealed records, the key at the door of an AEAD, a message that
 * was opened, and whether two values that were compared are the same. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/rand.h>
#include <stdio.h>
#include <valgrind/memcheck.h>

#include "crypto/provider.h"
#include "support/flavour.h"
#include "support/test.h"
#include "support/wrap.h"
#include "tls/config.h"
#include "tls/session.h"

static size_t marked;
static bool   marking, was_marking; /* what libcrypto draws is secret: not while it signs, as the nonce is then its own affair */

static void hide(const void *p, size_t n)
{
    VALGRIND_MAKE_MEM_UNDEFINED((void *)(uintptr_t)p, n);
    marked++;
}

static void show(const void *p, size_t n)
{
    VALGRIND_MAKE_MEM_DEFINED((void *)(uintptr_t)p, n);
}

/* ---- random numbers of libcrypto and of our kernels */
static uint64_t drawn = 1;

static void draw(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        p[i] = (uint8_t)(drawn >> 56);
    }
}

static int draw_secret(unsigned char *p, int n)
{
    draw(p, (size_t)n);
    if (marking)
        hide(p, (size_t)n);
    return 1;
}

static int ready(void)
{
    return 1;
}

/* Randoms of hellos, nonces of tickets: sent in the clear. */
static bool draw_public(void *ctx, uint8_t *p, size_t n)
{
    (void)ctx;
    draw(p, n);
    return true;
}

/* ---- at the provider's door */
static void on_secret(void *ctx, const char *what, uint8_t *p, size_t n)
{
    (void)ctx;
    if (!strncmp(what, "AEAD", 4))
        show(p, n);
    else
        hide(p, n);
}

static void on_public(void *ctx, const char *what, uint8_t *p, size_t n)
{
    (void)ctx;
    show(p, n);
    if (!strcmp(what, "signature"))
        marking = was_marking;
}

static bool on_call(void *ctx, const char *what)
{
    (void)ctx;
    if (!strcmp(what, "sign")) {
        was_marking = marking;
        marking = false;
    }
    return true;
}

/* session_write: the secret of a session stands behind its numbers and its own length. */
static void hide_session(uint8_t *p, size_t n)
{
    enum { SECRET_AT = 1 + 1 + 2 + 2 + 2 + 2 + 8 + 8 + 4 + 4 + 4 };
    if (n > SECRET_AT + 1 + SECRET_MAX)
        hide(p + SECRET_AT + 1, p[SECRET_AT]);
}

static void on_opened(void *ctx, troth_span aad, uint8_t *p, size_t n)
{
    (void)ctx;
    show(p, n);
    if (aad.n == TICKET_NAME_N)
        hide_session(p, n);
}

static troth_provider *watched(void)
{
    struct wrap_hooks hooks = { .allow = on_call, .secret = on_secret, .public = on_public, .random = draw_public, .opened = on_opened };
    return wrap_provider(troth_libcrypto(), &hooks);
}

/* ---- one handshake */
static void hide_configuration(const struct scene *s)
{
    const struct config *both[2] = { &s->server->config, &s->client->config };
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < both[k]->n_psks; i++)
            hide(both[k]->psks[i].key.p, both[k]->psks[i].key.n);
        for (size_t i = 0; i < both[k]->n_ech_keys; i++)
            hide(both[k]->ech_keys[i].private_key.p, both[k]->ech_keys[i].private_key.n);
    }
    hide(both[0]->ticket_secret.inner, 32); /* its digested halves begin with SHA-256's eight words; how much was digested is behind them */
    hide(both[0]->ticket_secret.outer, 32);
}

static void show_all(struct scene *s)
{
    show(s->session, sizeof s->session);
    show(s->cached, sizeof s->cached);
}

static void run(const struct flavour *f)
{
    struct world *w = world_new(troth_libcrypto());
    struct scene *s = scene_new(f, w);
    struct pair p;
    assert_true(scene_build(s, watched(), watched()));
    hide_configuration(s);
    marked = 0;
    marking = true;
    hide_session(s->session, s->session_n);
    hide_session(s->cached, s->cached_n);
    scene_open(s, &p);
    bool through = scene_talk(s, &p);
    marking = false;
    show(&p, sizeof p);
    if (!through)
        test_fail("%s did not go through: %s / %s", f->name, troth_why(p.client.c) ? troth_why(p.client.c)->detail : "",
                  troth_why(p.server.c) ? troth_why(p.server.c)->detail : "");
    show_all(s);
    printf("%s: %zu secrets\n", f->name, marked);
    fflush(stdout);
    assert_true(marked >= ((f->bits & F_12) && (f->bits & F_RESUME) ? 2 : 4)); /* a resumption of TLS 1.2 agrees on nothing new */
    scene_close(s, &p);
    scene_free(s);
    world_free(w);
}

/* A share that was tampered with: another secret comes of it, by the same steps (FIPS 203 6.3). */
static void implicit_rejection(uint16_t group)
{
    troth_provider *crypto = troth_libcrypto();
    const troth_kem *k = provider_kem(crypto, group);
    uint8_t state[TROTH_KEM_PRIVATE_MAX], share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], ours[TROTH_KEM_SECRET_MAX],
        theirs[TROTH_KEM_SECRET_MAX];
    bool broken = false;
    marking = true;
    assert_true(k && k->make(k, state, share));
    hide(state, k->private_n);
    show(share, k->share_n);
    assert_true(k->reply(k, span_of(share, k->share_n), reply, theirs, &broken));
    show(reply, k->reply_n);
    reply[100] ^= 1;
    assert_true(k->finish(k, state, span_of(reply, k->reply_n), ours, &broken) && !broken);
    marking = false;
    show(ours, sizeof ours);
    show(theirs, sizeof theirs);
    assert_true(memcmp(ours, theirs, k->secret_n) != 0);
    printf("%s: a wrong ciphertext is rejected implicitly\n", k->name);
    troth_provider_free(crypto);
}

int main(void)
{
    static const RAND_METHOD method = { NULL, draw_secret, NULL, NULL, draw_secret, ready };
    static const char *const names[] = { "basic", "hybrid", "client certificate", "resumption", "resumption, AES-256", "early data",
                                         "resumption refused", "TLS 1.2", "TLS 1.2, client certificate", "TLS 1.2, ticket",
                                         "TLS 1.2, session id", "ECH", "external PSK", "imported PSK", "raw keys", "late certificate" };
    RAND_set_rand_method(&method);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        run(flavour_of(names[i]));
    implicit_rejection(4588);
    implicit_rejection(513);
    return 0;
}
