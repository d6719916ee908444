/* mbedtls.c - Mbed TLS 2.28: TLS 1.2 alone.  links: mbedtls */
#include <stdio.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>

#include "peer.h"

const char peer_name[] = "MbedTLS";

struct end { mbedtls_ssl_context s; struct pipe *in, *out; bool resumed; };

static mbedtls_ssl_config configs[2]; /* server, client */
static mbedtls_x509_crt chain, roots;
static mbedtls_pk_context key;
static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;
static mbedtls_ssl_ticket_context tickets;
static mbedtls_ssl_session session;
static enum kind kind;
static bool have_session;

const char *peer_version(void)
{
    return MBEDTLS_VERSION_STRING;
}

/* ---- the wire */
static int wire_send(void *ctx, const unsigned char *p, size_t n)
{
    return pipe_put(((struct end *)ctx)->out, p, n) ? (int)n : -1;
}

static int wire_recv(void *ctx, unsigned char *p, size_t n)
{
    size_t got = pipe_take(((struct end *)ctx)->in, p, n);
    return got ? (int)got : MBEDTLS_ERR_SSL_WANT_READ;
}

/* ---- configuration */
static bool common(mbedtls_ssl_config *c, bool server, const struct setup *s)
{
    static const int suites[SUITES][2] = { { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 },
                                           { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 },
                                           { MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 } };
    static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE };
    mbedtls_ssl_config_init(c);
    if (mbedtls_ssl_config_defaults(c, server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT))
        return false;
    mbedtls_ssl_conf_rng(c, mbedtls_ctr_drbg_random, &random_source);
    mbedtls_ssl_conf_ca_chain(c, &roots, NULL);
    mbedtls_ssl_conf_ciphersuites(c, suites[s->suite]);
    mbedtls_ssl_conf_curves(c, groups);
    mbedtls_ssl_conf_authmode(c, server ? MBEDTLS_SSL_VERIFY_NONE : MBEDTLS_SSL_VERIFY_REQUIRED);
    return true;
}

/* Bulk is measured on TLS 1.2 too: it has nothing else. */
bool peer_open(const struct setup *s)
{
    char root[512];
    kind = s->kind;
    have_session = false;
    if (!kind_is_12(kind) && !(kind == FULL_ECDSA && s->bulk))
        return false;
    snprintf(root, sizeof root, "%s/root.pem", s->folder);
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&roots);
    mbedtls_pk_init(&key);
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_source);
    mbedtls_ssl_session_init(&session);
    mbedtls_ssl_ticket_init(&tickets);
    if (mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0) || mbedtls_x509_crt_parse_file(&chain, s->chain)
        || mbedtls_x509_crt_parse_file(&roots, root) || mbedtls_pk_parse_keyfile(&key, s->key, NULL) || !common(&configs[0], true, s)
        || !common(&configs[1], false, s) || mbedtls_ssl_conf_own_cert(&configs[0], &chain, &key))
        return false;
    mbedtls_ssl_conf_session_tickets(&configs[1],
                                     kind == RESUMED_12 ? MBEDTLS_SSL_SESSION_TICKETS_ENABLED : MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    if (kind != RESUMED_12)
        return true;
    mbedtls_ssl_conf_session_tickets_cb(&configs[0], mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &tickets);
    return !mbedtls_ssl_ticket_setup(&tickets, mbedtls_ctr_drbg_random, &random_source, MBEDTLS_CIPHER_AES_256_GCM, 86400);
}

void peer_close(void)
{
    mbedtls_ssl_config_free(&configs[0]);
    mbedtls_ssl_config_free(&configs[1]);
    mbedtls_ssl_session_free(&session);
    mbedtls_ssl_ticket_free(&tickets);
    mbedtls_x509_crt_free(&chain);
    mbedtls_x509_crt_free(&roots);
    mbedtls_pk_free(&key);
    mbedtls_ctr_drbg_free(&random_source);
    mbedtls_entropy_free(&entropy);
}

/* ---- connections */
void *peer_begin(bool server, struct pipe *in, struct pipe *out)
{
    static struct end ends[2];
    struct end *e = &ends[server];
    e->in = in;
    e->out = out;
    mbedtls_ssl_init(&e->s);
    if (mbedtls_ssl_setup(&e->s, &configs[!server]))
        return e;
    mbedtls_ssl_set_bio(&e->s, e, wire_send, wire_recv, NULL);
    e->resumed = !server && have_session;
    if (!server)
        mbedtls_ssl_set_hostname(&e->s, PEER_HOST);
    if (e->resumed)
        mbedtls_ssl_set_session(&e->s, &session);
    return e;
}

int peer_step(void *end)
{
    struct end *e = end;
    int got = mbedtls_ssl_handshake(&e->s);
    if (got == MBEDTLS_ERR_SSL_WANT_READ)
        return 0;
    if (got)
        fprintf(stderr, "mbedtls: -0x%x\n", -got);
    return got ? -1 : 1;
}

bool peer_write(void *end, const uint8_t *p, size_t n)
{
    return mbedtls_ssl_write(&((struct end *)end)->s, p, n) == (int)n;
}

size_t peer_read(void *end, uint8_t *p, size_t cap)
{
    int got = mbedtls_ssl_read(&((struct end *)end)->s, p, cap);
    return got > 0 ? (size_t)got : 0;
}

void peer_rest(void *end)
{
    (void)end;
}

/* It does not tell; a resumed handshake has no certificate of the server's. */
bool peer_resumed(void *end)
{
    struct end *e = end;
    return e->resumed;
}

bool peer_remember(void *client)
{
    struct end *e = client;
    have_session = !mbedtls_ssl_get_session(&e->s, &session);
    return have_session;
}

void peer_end(void *end)
{
    mbedtls_ssl_free(&((struct end *)end)->s);
}

bool peer_floor(const char *what)
{
    (void)what;
    return false;
}
