/* peer.h - what one TLS library must offer to be measured by driver.c: both ends of a connection, in memory.
 *
 * Each library is a program of its own (their symbols clash), driven over stdin by bench/run, which interleaves them.  A peer must never
 * do more than a careful application would: configurations are made once, before anything is timed. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum kind { FULL_ECDSA, KNOWN_CHAIN, FULL_RSA, HYBRID, RETRY, CLIENT_AUTH, RESUMED, FULL_12, RESUMED_12, KINDS };
/* KNOWN_CHAIN: a client may use what it remembers of the server's certificates, sessions aside; in all other full handshakes it may not. */
enum suite { AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, SUITES };

/* What one direction of the wire holds.  `sink`: what is written is taken and forgotten, as send(2) would. */
struct pipe {
    uint8_t *p;
    size_t   at, end, cap;
    bool     sink;
    size_t   taken;
};

struct setup {
    enum kind   kind;
    enum suite  suite;
    bool        bulk;          /* not a handshake is measured, but records after it */
    const char *folder;        /* root.pem, ecdsa.pem, ecdsa.key, rsa.pem, rsa.key, client.pem, client.key */
    const char *chain, *key;   /* of the server */
};

#define PEER_HOST "bench.test"

static inline bool pipe_put(struct pipe *to, const void *p, size_t n)
{
    to->taken += n;
    if (to->sink)
        return true;
    if (to->at == to->end)
        to->at = to->end = 0;
    if (n > to->cap - to->end)
        return false;
    memcpy(to->p + to->end, p, n);
    to->end += n;
    return true;
}

static inline size_t pipe_take(struct pipe *from, void *p, size_t most)
{
    size_t n = from->end - from->at < most ? from->end - from->at : most;
    memcpy(p, from->p + from->at, n);
    from->at += n;
    return n;
}

static inline bool kind_is_12(enum kind k)
{
    return k == FULL_12 || k == RESUMED_12;
}

static inline bool kind_is_resumed(enum kind k)
{
    return k == RESUMED || k == RESUMED_12;
}

/* ---- given by each library */
extern const char peer_name[];
const char *peer_version(void);
bool  peer_open(const struct setup *);               /* false: this library cannot do that */
void  peer_close(void);
void *peer_begin(bool server, struct pipe *in, struct pipe *out);
int   peer_step(void *);                              /* 1: the handshake is done; 0: it waits for bytes; -1: it failed */
bool  peer_write(void *, const uint8_t *p, size_t n); /* one record */
size_t peer_read(void *, uint8_t *p, size_t cap);     /* 0: nothing there */
void  peer_rest(void *);                              /* what an application does with a connection that idles */
bool  peer_resumed(void *);
bool  peer_remember(void *client);                    /* keep its session; later clients of this setup resume it */
void  peer_end(void *);
bool  peer_floor(const char *what);                   /* troth's program: a primitive of the provider, or several ("a+b") in turn; false: unknown */
/* Troth's program alone: calls of its allocator so far by that side, libcrypto's own not counted. */
__attribute__((weak)) unsigned long peer_own_calls(bool server);

#endif
