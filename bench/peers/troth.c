/* troth.c - this library, through its public interface; the primitives of its provider as the floor.  links: crypto */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <troth/troth.h>

#include "peer.h"

const char peer_name[] = "troth";

struct end {
    troth_conn *c;
    struct pipe *in, *out;
    bool ready, server;
    troth_span data;     /* what the last event gave, and was not read yet */
};

static troth_provider *provider, *client_provider;
static troth_client *client;
static troth_server *server;
static uint8_t ticket[4096];
static size_t ticket_n;
static bool resuming;

const char *peer_version(void)
{
    return getenv("TROTH_PORTABLE") ? "portable" : "";
}

/* ---- configuration */
static unsigned long own_calls[2];

unsigned long peer_own_calls(bool is_server)
{
    return own_calls[is_server];
}

static void *take(void *calls, size_t n)
{
    ++*(unsigned long *)calls;
    return malloc(n);
}

static void give(void *calls, void *p, size_t n)
{
    (void)calls, (void)n;
    free(p);
}

static troth_provider *provider_open(bool is_server)
{
    troth_allocator memory = { take, give, &own_calls[is_server] };
    troth_libcrypto_options o = { .size = sizeof o, .memory = &memory, .portable_only = getenv("TROTH_PORTABLE") != NULL };
    return troth_libcrypto_with(&o);
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return time(NULL);
}

static void common(troth_builder *b, const struct setup *s)
{
    static const uint16_t suites[] = { 0x1301, 0x1302, 0x1303 }, suite12[] = { 0xc02b }, x25519[] = { 0x001d, 0x0017 }, hybrid[] = { 0x11ec };
    uint16_t version = kind_is_12(s->kind) ? TROTH_TLS12 : TROTH_TLS13;
    troth_versions(b, version, version);
    troth_suites(b, version == TROTH_TLS12 ? suite12 : &suites[s->suite], 1);
    troth_groups(b, s->kind == HYBRID ? hybrid : x25519, kind_is_12(s->kind) ? 2 : 1); /* TLS 1.2 wants the certificate's curve among them */
    troth_compressors(b, NULL, 0); /* the other libraries compress no certificates */
    troth_clock(b, now, NULL);
}

static troth_server *server_open(const struct setup *s, troth_error *e)
{
    char root[512];
    snprintf(root, sizeof root, "%s/root.pem", s->folder);
    troth_builder *b = troth_server_builder(troth_provider_share(provider));
    common(b, s);
    troth_identity_files(b, s->chain, s->key);
    troth_tickets(b, kind_is_resumed(s->kind), 86400);
    if (s->kind == CLIENT_AUTH) {
        troth_ask_client_auth(b, TROTH_AUTH_REQUIRED);
        troth_trust_file(b, root);
        troth_verify_afresh(b);
    }
    return troth_build_server(b, e);
}

static troth_client *client_open(const struct setup *s, troth_error *e)
{
    static const uint16_t two[] = { 0x0017, 0x001d };
    char root[512], chain[512], key[512];
    snprintf(root, sizeof root, "%s/root.pem", s->folder);
    snprintf(chain, sizeof chain, "%s/client.pem", s->folder);
    snprintf(key, sizeof key, "%s/client.key", s->folder);
    troth_builder *b = troth_client_builder(troth_provider_share(client_provider));
    common(b, s);
    troth_trust_file(b, root);
    if (s->kind != KNOWN_CHAIN)
        troth_verify_afresh(b);
    if (s->kind == CLIENT_AUTH)
        troth_identity_files(b, chain, key);
    if (s->kind == RETRY) {
        troth_groups(b, two, 2);
        troth_key_shares(b, two, 1);
    }
    return troth_build_client(b, e);
}

bool peer_open(const struct setup *s)
{
    troth_error e = { 0 };
    if (!provider)
        provider = provider_open(true);
    if (!client_provider)
        client_provider = provider_open(false);
    resuming = kind_is_resumed(s->kind);
    ticket_n = 0;
    server = server_open(s, &e);
    client = server ? client_open(s, &e) : NULL;
    if (client)
        return true;
    fprintf(stderr, "troth: %s: %s\n", e.text, e.detail);
    peer_close();
    return false;
}

void peer_close(void)
{
    troth_client_free(client);
    troth_server_free(server);
    client = NULL;
    server = NULL;
}

/* ---- connections */
void *peer_begin(bool is_server, struct pipe *in, struct pipe *out)
{
    static struct end ends[2];
    struct end *e = &ends[is_server];
    *e = (struct end){ is_server ? troth_accept(server) : troth_connect(client, PEER_HOST), in, out, false, is_server, { 0 } };
    if (!is_server && resuming && ticket_n)
        troth_resume(e->c, (troth_span){ ticket, ticket_n });
    return e;
}

/* Until it wants bytes that are not there, or has data. */
static int run(struct end *e)
{
    for (;;) {
        troth_event ev = troth_next(e->c);
        size_t got;
        switch (ev.kind) {
        case TROTH_SEND:
            if (!pipe_put(e->out, ev.data.p, ev.data.n))
                return -1;
            troth_sent(e->c, ev.data.n);
            break;
        case TROTH_RECV:
            got = pipe_take(e->in, ev.room.p, ev.room.n);
            if (!got)
                return e->ready;
            troth_received(e->c, got);
            break;
        case TROTH_READY: e->ready = true; break;
        case TROTH_DATA: e->data = ev.data; return 1;
        case TROTH_TICKET:
            ticket_n = ev.data.n <= sizeof ticket ? ev.data.n : 0;
            memcpy(ticket, ev.data.p, ticket_n);
            break;
        case TROTH_EARLY:
        case TROTH_EARLY_REFUSED:
        case TROTH_ASK_SERVER:
        case TROTH_ASK_SIGN:
        case TROTH_ASK_VERDICT:
        case TROTH_ASK_CLIENT:
        case TROTH_CLIENT_AUTH:
        case TROTH_KEYS:
        case TROTH_CLOSED:
        case TROTH_DONE:
        case TROTH_FAILED:
            fprintf(stderr, "troth: event %d: %s\n", (int)ev.kind, troth_why(e->c) ? troth_why(e->c)->detail : "");
            return -1;
        }
    }
}

int peer_step(void *end)
{
    return run(end);
}

bool peer_write(void *end, const uint8_t *p, size_t n)
{
    struct end *e = end;
    troth_span part = { p, n };
    if (!troth_write(e->c, &part, 1))
        return false;
    troth_event ev = troth_next(e->c);
    bool ok = ev.kind == TROTH_SEND && pipe_put(e->out, ev.data.p, ev.data.n);
    troth_sent(e->c, ev.data.n);
    return ok;
}

/* The bytes are read where they lie: an application that wants them elsewhere copies them, as the peers' do inside. */
size_t peer_read(void *end, uint8_t *p, size_t cap)
{
    struct end *e = end;
    (void)p, (void)cap;
    e->data = (troth_span){ 0 };
    return run(e) < 0 ? 0 : e->data.n;
}

void peer_rest(void *end)
{
    troth_rest(((struct end *)end)->c);
}

bool peer_resumed(void *end)
{
    return troth_what(((struct end *)end)->c).resumed;
}

bool peer_remember(void *end)
{
    (void)end;
    return ticket_n != 0;
}

void peer_end(void *end)
{
    troth_free(((struct end *)end)->c);
}

/* ---- the floor */
static const troth_kem *kem_of(uint16_t group)
{
    for (const troth_kem *const *k = provider->kems; *k; k++)
        if ((*k)->group == group)
            return *k;
    return NULL;
}

struct primitives {
    _Alignas(16) uint8_t state[TROTH_KEM_PRIVATE_MAX];
    uint8_t share[TROTH_KEM_SHARE_MAX], reply[TROTH_KEM_SHARE_MAX], secret[TROTH_KEM_SECRET_MAX];
    uint8_t message[145], signature[TROTH_SIGNATURE_MAX], spki[600];
    size_t signature_n;
    troth_key *key;
    troth_public_key pub;
};

static bool primitives_make(struct primitives *m, enum troth_key_type type)
{
    m->key = provider->key_make(provider->self, type, 2048);
    size_t n = m->key ? provider->key_public(m->key, m->spki, sizeof m->spki) : 0;
    m->pub = (troth_public_key){ .type = TROTH_KEY_P256, .point = { m->spki + n - 65, 65 }, .bits = 256 };
    troth_span msg = { m->message, sizeof m->message };
    return n && provider->sign(provider->self, m->key, type == TROTH_KEY_RSA ? TROTH_SIG_RSA_PSS_SHA256 : TROTH_SIG_ECDSA_SHA256, &msg,
                               1, m->signature, &m->signature_n);
}

static bool kem_floor(struct primitives *m, uint16_t group, char step)
{
    const troth_kem *k = kem_of(group);
    bool broken;
    if (!k)
        return false;
    if (step == 'm' || !m->share[0])
        return k->make(k, m->state, m->share);
    if (step == 'r')
        return k->reply(k, (troth_span){ m->share, k->share_n }, m->reply, m->secret, &broken);
    return (m->reply[0] || k->reply(k, (troth_span){ m->share, k->share_n }, m->reply, m->secret, &broken))
        && k->finish(k, m->state, (troth_span){ m->reply, k->reply_n }, m->secret, &broken);
}

static bool verify_floor(struct primitives *m, size_t n)
{
    troth_span msg = { m->message, sizeof m->message };
    troth_verify_job jobs[8];
    for (size_t i = 0; i < n; i++)
        jobs[i] = (troth_verify_job){ TROTH_SIG_ECDSA_SHA256, &m->pub, &msg, 1, { m->signature, m->signature_n }, false, NULL };
    provider->verify(provider->self, jobs, n);
    return jobs[0].good;
}

static const troth_hash *sha256(void)
{
    const troth_hash *const *h = provider->hashes;
    while ((*h)->id != TROTH_SHA256)
        h++;
    return *h;
}

/* Of a full TLS 1.3 handshake with SHA-256, one side: its messages, hashed and asked for a digest six times; its key schedule, whose
 * extractions, expansions and MACs come to 62 blocks when the pads of each key are digested once. */
static bool hashing_floor(void)
{
    enum { MESSAGES = 1900, PEEKS = 6, BLOCKS = 62, TWO_BLOCKS = 100 };
    static uint8_t bytes[MESSAGES];
    _Alignas(16) uint8_t state[TROTH_HASH_STATE_MAX];
    uint8_t digest[TROTH_DIGEST_MAX];
    const troth_hash *h = sha256();
    h->begin(state);
    for (int i = 0; i < PEEKS; i++) {
        h->add(state, bytes, MESSAGES / PEEKS);
        h->peek(state, digest);
    }
    for (int i = 0; i < BLOCKS / 2; i++) {
        h->begin(state);
        h->add(state, bytes, TWO_BLOCKS);
        h->peek(state, digest);
    }
    return true;
}

/* Of the same: two keys, a flight of 1100 bytes and a Finished, one sealed and one opened. */
static bool records_floor(void)
{
    static uint8_t bytes[1200], out[1300];
    _Alignas(64) static uint8_t state[TROTH_AEAD_STATE_MAX];
    const troth_aead *a = provider->aeads[0];
    troth_span flight = { bytes, 1100 }, finished = { bytes, 37 };
    for (int way = 0; way < 2; way++) {
        if (!a->begin(a, state, bytes) || !a->seal(a, state, out, bytes, (troth_span){ bytes, 5 }, way ? &finished : &flight, 1))
            return false;
        a->end(a, state);
    }
    return true;
}

static bool one_floor(const char *what)
{
    static struct primitives ec, rsa, hybrid;
    if (!provider)
        provider = provider_open(true);
    if (!ec.key && (!primitives_make(&ec, TROTH_KEY_P256) || !primitives_make(&rsa, TROTH_KEY_RSA)))
        return false;
    troth_span msg = { ec.message, sizeof ec.message };
    size_t n;
    if (!strncmp(what, "x25519-", 7))
        return kem_floor(&ec, 0x001d, what[7]);
    if (!strncmp(what, "hybrid-", 7))
        return kem_floor(&hybrid, 0x11ec, what[7]);
    if (!strcmp(what, "hashing"))
        return hashing_floor();
    if (!strcmp(what, "records"))
        return records_floor();
    if (!strcmp(what, "p256-sign"))
        return provider->sign(provider->self, ec.key, TROTH_SIG_ECDSA_SHA256, &msg, 1, ec.signature, &n) && (ec.signature_n = n);
    if (!strncmp(what, "p256-verify-", 12))
        return verify_floor(&ec, (size_t)(what[12] - '0'));
    if (!strcmp(what, "rsa-sign"))
        return provider->sign(provider->self, rsa.key, TROTH_SIG_RSA_PSS_SHA256, &msg, 1, rsa.signature, &n);
    return false;
}

/* One after the other, as in a handshake: then none finds its tables and its code where it left them. */
bool peer_floor(const char *what)
{
    char one[32];
    size_t n;
    for (bool ok = true;; what += n + 1) {
        n = strcspn(what, "+");
        snprintf(one, sizeof one, "%.*s", (int)n, what);
        ok = one_floor(one) && ok;
        if (!what[n])
            return ok;
    }
}
