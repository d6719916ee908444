/* count.c - does one thing N times, for a counter of instructions: with N and 2 N of them the difference is N times the thing.
 * usage: count handshake|record|real-handshake|real-record N */
#include <stdlib.h>

#include "fake/fake.h"
#include "support/pair.h"
#include "support/test.h"
#include "tls/config.h"

static void tweak_plain(troth_builder *b, void *ctx)
{
    static const uint16_t x25519 = 0x001d, aes = 0x1301;
    (void)ctx;
    troth_versions(b, TROTH_TLS13, TROTH_TLS13);
    troth_groups(b, &x25519, 1);
    troth_suites(b, &aes, 1);
}

static void tweak_server(troth_builder *b, void *ctx)
{
    tweak_plain(b, ctx);
    troth_tickets(b, 0, 3600);
}

/* With configurations that are made once. */
static void handshakes(struct world *w, unsigned n)
{
    troth_client *us = world_client(w, tweak_plain, NULL);
    troth_server *them = world_server(w, tweak_server, NULL);
    for (unsigned i = 0; i < n; i++) {
        struct pair p;
        (void)config_share(&us->config); /* the pair takes one */
        (void)config_share(&them->config);
        pair_new(&p, us, them, NULL);
        pair_run(&p);
        assert_ready(&p);
        pair_free(&p);
    }
    troth_client_free(us);
    troth_server_free(them);
}

/* 1000 bytes each, from the client to the server. */
static void records(struct world *w, unsigned n)
{
    static char text[1001];
    struct pair p;
    memset(text, 'x', sizeof text - 1);
    pair_new(&p, world_client(w, tweak_plain, NULL), world_server(w, tweak_server, NULL), NULL);
    pair_run(&p);
    assert_ready(&p);
    for (unsigned i = 0; i < n; i++) {
        assert_true(pair_write(&p.client, text));
        while (pair_step(&p, &p.client) || pair_step(&p, &p.server))
            ;
        p.server.n_got = 0;
    }
    pair_free(&p);
}

int main(int argc, char **argv)
{
    unsigned n = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    bool real = n && !strncmp(argv[1], "real-", 5);
    const char *what = n ? argv[1] + (real ? 5 : 0) : "";
    troth_libcrypto_options o = { .size = sizeof o, .portable_only = true };
    struct world *w = world_new(real ? troth_libcrypto_with(&o) : fake_provider(1));
    if (!strcmp(what, "handshake"))
        handshakes(w, n);
    else if (!strcmp(what, "record"))
        records(w, n);
    else
        return 2;
    world_free(w);
    return 0;
}
