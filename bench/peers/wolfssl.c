/* wolfssl.c - wolfSSL.  links: wolfssl */
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>

#include "peer.h"

const char peer_name[] = "wolfSSL";

struct end { WOLFSSL *s; struct pipe *in, *out; bool server; };

static WOLFSSL_CTX *contexts[2]; /* server, client */
static WOLFSSL_SESSION *session;
static enum kind kind;

const char *peer_version(void)
{
    return LIBWOLFSSL_VERSION_STRING;
}

/* ---- the wire */
static int wire_send(WOLFSSL *s, char *p, int n, void *ctx)
{
    (void)s;
    return pipe_put(((struct end *)ctx)->out, p, (size_t)n) ? n : WOLFSSL_CBIO_ERR_GENERAL;
}

static int wire_recv(WOLFSSL *s, char *p, int n, void *ctx)
{
    (void)s;
    size_t got = pipe_take(((struct end *)ctx)->in, p, (size_t)n);
    return got ? (int)got : WOLFSSL_CBIO_ERR_WANT_READ;
}

/* ---- configuration */
static bool common(WOLFSSL_CTX *ctx, const struct setup *s)
{
    static const char *const suites[] = { "TLS13-AES128-GCM-SHA256", "TLS13-AES256-GCM-SHA384", "TLS13-CHACHA20-POLY1305-SHA256" };
    char root[512];
    snprintf(root, sizeof root, "%s/root.pem", s->folder);
    wolfSSL_CTX_SetIOSend(ctx, wire_send);
    wolfSSL_CTX_SetIORecv(ctx, wire_recv);
    return wolfSSL_CTX_set_cipher_list(ctx, kind_is_12(s->kind) ? "ECDHE-ECDSA-AES128-GCM-SHA256" : suites[s->suite]) == WOLFSSL_SUCCESS
        && wolfSSL_CTX_load_verify_locations(ctx, root, NULL) == WOLFSSL_SUCCESS;
}

static bool identity(WOLFSSL_CTX *ctx, const char *chain, const char *key)
{
    return wolfSSL_CTX_use_certificate_chain_file(ctx, chain) == WOLFSSL_SUCCESS
        && wolfSSL_CTX_use_PrivateKey_file(ctx, key, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
}

bool peer_open(const struct setup *s)
{
    char chain[512], key[512];
    static bool once;
    if (s->kind == HYBRID)
        return false;
    if (!once)
        wolfSSL_Init();
    once = true;
    kind = s->kind;
    snprintf(chain, sizeof chain, "%s/client.pem", s->folder);
    snprintf(key, sizeof key, "%s/client.key", s->folder);
    contexts[0] = wolfSSL_CTX_new(kind_is_12(kind) ? wolfTLSv1_2_server_method() : wolfTLSv1_3_server_method());
    contexts[1] = wolfSSL_CTX_new(kind_is_12(kind) ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
    if (!contexts[0] || !contexts[1] || !common(contexts[0], s) || !common(contexts[1], s) || !identity(contexts[0], s->chain, s->key)
        || (kind == CLIENT_AUTH && !identity(contexts[1], chain, key))) {
        peer_close();
        return false;
    }
    if (kind == CLIENT_AUTH)
        wolfSSL_CTX_set_verify(contexts[0], WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    wolfSSL_CTX_set_verify(contexts[1], WOLFSSL_VERIFY_PEER, NULL);
    if (kind_is_resumed(kind))
        wolfSSL_CTX_UseSessionTicket(contexts[1]);
    else
        wolfSSL_CTX_no_ticket_TLSv13(contexts[0]);
    return true;
}

void peer_close(void)
{
    wolfSSL_SESSION_free(session);
    session = NULL;
    wolfSSL_CTX_free(contexts[0]);
    wolfSSL_CTX_free(contexts[1]);
}

/* ---- connections */
void *peer_begin(bool server, struct pipe *in, struct pipe *out)
{
    static struct end ends[2];
    struct end *e = &ends[server];
    *e = (struct end){ wolfSSL_new(contexts[!server]), in, out, server };
    wolfSSL_SetIOReadCtx(e->s, e);
    wolfSSL_SetIOWriteCtx(e->s, e);
    if (server) {
        int only[] = { WOLFSSL_ECC_X25519 };
        if (kind == RETRY)
            wolfSSL_set_groups(e->s, only, 1);
        return e;
    }
    wolfSSL_UseSNI(e->s, WOLFSSL_SNI_HOST_NAME, PEER_HOST, sizeof PEER_HOST - 1);
    wolfSSL_check_domain_name(e->s, PEER_HOST);
    if (!kind_is_12(kind) && kind != RETRY)
        wolfSSL_UseKeyShare(e->s, WOLFSSL_ECC_X25519);
    if (kind == RETRY) {
        int both[] = { WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_X25519 };
        wolfSSL_set_groups(e->s, both, 2);
        wolfSSL_UseKeyShare(e->s, WOLFSSL_ECC_SECP256R1);
    }
    if (kind_is_12(kind)) {
        wolfSSL_UseSupportedCurve(e->s, WOLFSSL_ECC_X25519);
        wolfSSL_UseSupportedCurve(e->s, WOLFSSL_ECC_SECP256R1);
    }
    if (kind_is_resumed(kind) && session)
        wolfSSL_set_session(e->s, session);
    return e;
}

int peer_step(void *end)
{
    struct end *e = end;
    int got = e->server ? wolfSSL_accept(e->s) : wolfSSL_connect(e->s);
    if (got == WOLFSSL_SUCCESS)
        return 1;
    int why = wolfSSL_get_error(e->s, got);
    if (why == WOLFSSL_ERROR_WANT_READ)
        return 0;
    fprintf(stderr, "wolfssl: error %d\n", why);
    return -1;
}

bool peer_write(void *end, const uint8_t *p, size_t n)
{
    return wolfSSL_write(((struct end *)end)->s, p, (int)n) == (int)n;
}

size_t peer_read(void *end, uint8_t *p, size_t cap)
{
    int got = wolfSSL_read(((struct end *)end)->s, p, (int)cap);
    return got > 0 ? (size_t)got : 0;
}

void peer_rest(void *end)
{
    (void)end;
}

bool peer_resumed(void *end)
{
    return wolfSSL_session_reused(((struct end *)end)->s);
}

bool peer_remember(void *client)
{
    wolfSSL_SESSION_free(session);
    session = wolfSSL_get1_session(((struct end *)client)->s);
    return session;
}

void peer_end(void *end)
{
    wolfSSL_free(((struct end *)end)->s);
}

bool peer_floor(const char *what)
{
    (void)what;
    return false;
}
