/* gnutls.c - GnuTLS.  links: gnutls */
#include <stdio.h>
#include <stdlib.h>

#include <gnutls/gnutls.h>

#include "peer.h"

const char peer_name[] = "GnuTLS";

struct end { gnutls_session_t s; struct pipe *in, *out; };

static gnutls_certificate_credentials_t credentials[2]; /* server, client */
static gnutls_priority_t priorities[2];
static gnutls_datum_t ticket_key, session;
static enum kind kind;
static bool resuming;

const char *peer_version(void)
{
    return gnutls_check_version(NULL);
}

/* ---- the wire */
static ssize_t push(gnutls_transport_ptr_t t, const void *p, size_t n)
{
    return pipe_put(((struct end *)t)->out, p, n) ? (ssize_t)n : -1;
}

static ssize_t pull(gnutls_transport_ptr_t t, void *p, size_t n)
{
    struct end *e = t;
    size_t got = pipe_take(e->in, p, n);
    if (got)
        return (ssize_t)got;
    gnutls_transport_set_errno(e->s, 11 /* EAGAIN */);
    return -1;
}

static int pull_timeout(gnutls_transport_ptr_t t, unsigned ms)
{
    (void)ms;
    return ((struct end *)t)->in->end > ((struct end *)t)->in->at;
}

/* ---- configuration */
bool peer_open(const struct setup *s)
{
    static const char *const ciphers[] = { "AES-128-GCM", "AES-256-GCM", "CHACHA20-POLY1305" };
    char text[300], root[512], chain[512], key[512];
    if (s->kind == HYBRID)
        return false;
    kind = s->kind;
    resuming = false;
    snprintf(root, sizeof root, "%s/root.pem", s->folder);
    snprintf(chain, sizeof chain, "%s/client.pem", s->folder);
    snprintf(key, sizeof key, "%s/client.key", s->folder);
    for (int side = 0; side < 2; side++) {
        const char *groups = side && s->kind == RETRY ? "+GROUP-SECP256R1:+GROUP-X25519"
                             : kind_is_12(s->kind)    ? "+GROUP-X25519:+GROUP-SECP256R1"
                                                      : "+GROUP-X25519";
        snprintf(text, sizeof text, "NORMAL:-VERS-ALL:+VERS-TLS1.%d:-CIPHER-ALL:+%s:-GROUP-ALL:%s:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA",
                 kind_is_12(s->kind) ? 2 : 3, ciphers[s->suite], groups);
        if (gnutls_priority_init(&priorities[side], text, NULL) || gnutls_certificate_allocate_credentials(&credentials[side])
            || gnutls_certificate_set_x509_trust_file(credentials[side], root, GNUTLS_X509_FMT_PEM) <= 0)
            return false;
    }
    if (gnutls_certificate_set_x509_key_file(credentials[0], s->chain, s->key, GNUTLS_X509_FMT_PEM)
        || (s->kind == CLIENT_AUTH && gnutls_certificate_set_x509_key_file(credentials[1], chain, key, GNUTLS_X509_FMT_PEM)))
        return false;
    return gnutls_session_ticket_key_generate(&ticket_key) == 0;
}

void peer_close(void)
{
    for (int side = 0; side < 2; side++) {
        gnutls_priority_deinit(priorities[side]);
        gnutls_certificate_free_credentials(credentials[side]);
    }
    gnutls_free(ticket_key.data);
    gnutls_free(session.data);
    session.data = NULL;
}

/* ---- connections */
void *peer_begin(bool server, struct pipe *in, struct pipe *out)
{
    static struct end ends[2];
    struct end *e = &ends[server];
    *e = (struct end){ NULL, in, out };
    unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | (kind == RETRY ? GNUTLS_KEY_SHARE_TOP : 0u);
    flags |= kind_is_resumed(kind) ? 0u : GNUTLS_NO_TICKETS | GNUTLS_NO_AUTO_SEND_TICKET;
    if (gnutls_init(&e->s, (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | flags))
        return e;
    gnutls_priority_set(e->s, priorities[!server]);
    gnutls_credentials_set(e->s, GNUTLS_CRD_CERTIFICATE, credentials[!server]);
    gnutls_transport_set_ptr(e->s, e);
    gnutls_transport_set_push_function(e->s, push);
    gnutls_transport_set_pull_function(e->s, pull);
    gnutls_transport_set_pull_timeout_function(e->s, pull_timeout);
    gnutls_handshake_set_timeout(e->s, GNUTLS_INDEFINITE_TIMEOUT);
    if (server) {
        if (kind_is_resumed(kind))
            gnutls_session_ticket_enable_server(e->s, &ticket_key);
        if (kind == CLIENT_AUTH) {
            gnutls_certificate_server_set_request(e->s, GNUTLS_CERT_REQUIRE);
            gnutls_session_set_verify_cert(e->s, NULL, 0);
        }
        return e;
    }
    gnutls_server_name_set(e->s, GNUTLS_NAME_DNS, PEER_HOST, strlen(PEER_HOST));
    gnutls_session_set_verify_cert(e->s, PEER_HOST, 0);
    if (resuming)
        gnutls_session_set_data(e->s, session.data, session.size);
    return e;
}

int peer_step(void *end)
{
    struct end *e = end;
    int got = gnutls_handshake(e->s);
    if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
        return 0;
    if (got)
        fprintf(stderr, "gnutls: %s\n", gnutls_strerror(got));
    return got ? -1 : 1;
}

bool peer_write(void *end, const uint8_t *p, size_t n)
{
    return gnutls_record_send(((struct end *)end)->s, p, n) == (ssize_t)n;
}

size_t peer_read(void *end, uint8_t *p, size_t cap)
{
    ssize_t got = gnutls_record_recv(((struct end *)end)->s, p, cap);
    return got > 0 ? (size_t)got : 0;
}

void peer_rest(void *end)
{
    (void)end;
}

bool peer_resumed(void *end)
{
    return gnutls_session_is_resumed(((struct end *)end)->s);
}

bool peer_remember(void *client)
{
    gnutls_free(session.data);
    session.data = NULL;
    resuming = gnutls_session_get_data2(((struct end *)client)->s, &session) == 0;
    return resuming;
}

void peer_end(void *end)
{
    gnutls_deinit(((struct end *)end)->s);
}

bool peer_floor(const char *what)
{
    (void)what;
    return false;
}
