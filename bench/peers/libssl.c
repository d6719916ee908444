/* libssl.c - OpenSSL's libssl.  links: ssl crypto */
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "peer.h"

const char peer_name[] = "libssl";

static SSL_CTX *contexts[2]; /* server, client */
static SSL_SESSION *session;
static BIO_METHOD *method;
static bool resuming;

struct both { struct pipe *in, *out; };

const char *peer_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

/* ---- the wire */
static int wire_write(BIO *b, const char *p, int n)
{
    struct both *w = BIO_get_data(b);
    return pipe_put(w->out, p, (size_t)n) ? n : -1;
}

static int wire_read(BIO *b, char *p, int n)
{
    struct both *w = BIO_get_data(b);
    size_t got = pipe_take(w->in, p, (size_t)n);
    BIO_clear_retry_flags(b);
    if (got)
        return (int)got;
    BIO_set_retry_read(b);
    return -1;
}

static long wire_ctrl(BIO *b, int cmd, long n, void *p)
{
    (void)b, (void)n, (void)p;
    return cmd == BIO_CTRL_FLUSH;
}

static int wire_free(BIO *b)
{
    OPENSSL_free(BIO_get_data(b));
    return 1;
}

/* ---- configuration */
static bool common(SSL_CTX *ctx, const struct setup *s)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256" };
    int version = kind_is_12(s->kind) ? TLS1_2_VERSION : TLS1_3_VERSION;
    return SSL_CTX_set_min_proto_version(ctx, version) && SSL_CTX_set_max_proto_version(ctx, version)
        && SSL_CTX_set_ciphersuites(ctx, suites[s->suite]) && SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
}

static bool root_of(SSL_CTX *ctx, const struct setup *s)
{
    char path[512];
    snprintf(path, sizeof path, "%s/root.pem", s->folder);
    return SSL_CTX_load_verify_file(ctx, path);
}

static bool identity(SSL_CTX *ctx, const char *chain, const char *key)
{
    return SSL_CTX_use_certificate_chain_file(ctx, chain) && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM);
}

static bool server_open(SSL_CTX *ctx, const struct setup *s)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(ctx, s->kind == RESUMED);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (!kind_is_resumed(s->kind))
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (s->kind == CLIENT_AUTH)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return identity(ctx, s->chain, s->key) && SSL_CTX_set1_groups_list(ctx, kind_is_12(s->kind) ? "X25519:P-256" : "X25519") && root_of(ctx, s);
}

static bool client_open(SSL_CTX *ctx, const struct setup *s)
{
    char chain[512], key[512];
    snprintf(chain, sizeof chain, "%s/client.pem", s->folder);
    snprintf(key, sizeof key, "%s/client.key", s->folder);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (s->kind == CLIENT_AUTH && !identity(ctx, chain, key))
        return false;
    return SSL_CTX_set1_groups_list(ctx, s->kind == RETRY ? "P-256:X25519" : kind_is_12(s->kind) ? "X25519:P-256" : "X25519") && root_of(ctx, s);
}

bool peer_open(const struct setup *s)
{
    if (s->kind == HYBRID)
        return false;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pipe");
        BIO_meth_set_write(method, wire_write);
        BIO_meth_set_read(method, wire_read);
        BIO_meth_set_ctrl(method, wire_ctrl);
        BIO_meth_set_destroy(method, wire_free);
    }
    contexts[0] = SSL_CTX_new(TLS_server_method());
    contexts[1] = SSL_CTX_new(TLS_client_method());
    resuming = kind_is_resumed(s->kind);
    if (common(contexts[0], s) && common(contexts[1], s) && server_open(contexts[0], s) && client_open(contexts[1], s))
        return true;
    ERR_print_errors_fp(stderr);
    peer_close();
    return false;
}

void peer_close(void)
{
    SSL_SESSION_free(session);
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    session = NULL;
    contexts[0] = contexts[1] = NULL;
}

/* ---- connections */
void *peer_begin(bool server, struct pipe *in, struct pipe *out)
{
    SSL *s = SSL_new(contexts[!server]);
    BIO *b = BIO_new(method);
    struct both *w = OPENSSL_malloc(sizeof *w);
    *w = (struct both){ in, out };
    BIO_set_data(b, w);
    BIO_set_init(b, 1);
    SSL_set_bio(s, b, b);
    if (server) {
        SSL_set_accept_state(s);
        return s;
    }
    SSL_set_connect_state(s);
    SSL_set_tlsext_host_name(s, PEER_HOST);
    SSL_set1_host(s, PEER_HOST);
    if (resuming && session)
        SSL_set_session(s, session);
    return s;
}

int peer_step(void *end)
{
    int got = SSL_do_handshake(end);
    if (got == 1)
        return 1;
    if (SSL_get_error(end, got) == SSL_ERROR_WANT_READ)
        return 0;
    ERR_print_errors_fp(stderr);
    return -1;
}

bool peer_write(void *end, const uint8_t *p, size_t n)
{
    return SSL_write(end, p, (int)n) == (int)n;
}

size_t peer_read(void *end, uint8_t *p, size_t cap)
{
    int got = SSL_read(end, p, (int)cap);
    return got > 0 ? (size_t)got : 0;
}

void peer_rest(void *end)
{
    (void)end;
}

bool peer_resumed(void *end)
{
    return SSL_session_reused(end);
}

bool peer_remember(void *client)
{
    SSL_SESSION_free(session);
    session = SSL_get1_session(client);
    return session && SSL_SESSION_is_resumable(session);
}

void peer_end(void *end)
{
    SSL_set_quiet_shutdown(end, 1);
    SSL_shutdown(end);
    SSL_free(end);
}

bool peer_floor(const char *what)
{
    (void)what;
    return false;
}
