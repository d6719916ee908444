/* fuzz_ticket.c - what is kept of a connection and comes back: a client's session as bytes, a server's ticket, and what is inside of it.
 *
 * First byte: which of the flavours that resume; second: what the rest is.
 *   0  the session, whole            1  edits of a good session
 *   2  edits of a good ticket        3  what is sealed in the ticket, whole            4  edits of what is sealed
 * An edit is an offset (2 bytes) and what to xor.  A ticket that was touched is not resumed; a session is resumed only for whom it was made;
 * neither end is ever lost for a reason. */
#include <stdlib.h>

#include "crypto/provider.h"
#include "fake/fake.h"
#include "support/flavour.h"
#include "support/test.h"
#include "tls/config.h"
#include "tls/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = { "resumption", "early data", "resumption, judged again", "TLS 1.2, ticket", "TLS 1.2, session id",
                                     "resumption, retry" };
enum { NAMES = sizeof names / sizeof *names, ROOM = 1 << 16 };

static struct scene *scenes[NAMES];
static troth_provider *providers[NAMES][2];

static struct scene *scene_for(size_t i)
{
    if (scenes[i])
        return scenes[i];
    scenes[i] = scene_new(flavour_of(names[i]), world_new(fake_provider(1)));
    scenes[i]->any_replay = true;
    for (int k = 0; k < 2; k++)
        providers[i][k] = fake_provider(2);
    if (!scene_build(scenes[i], troth_provider_share(providers[i][0]), troth_provider_share(providers[i][1])))
        abort();
    return scenes[i];
}

static bool edit(uint8_t *p, size_t n, span edits)
{
    uint8_t *before = malloc(n + 1);
    if (!before || !n)
        abort();
    memcpy(before, p, n);
    for (; edits.n >= 3; edits = span_slice(edits, 3, edits.n - 3))
        p[(size_t)(edits.p[0] << 8 | edits.p[1]) % n] ^= edits.p[2];
    bool changed = memcmp(before, p, n) != 0;
    free(before);
    return changed;
}

/* A ticket under the server's own key, whatever is in it. */
static size_t seal(const struct config *cfg, uint8_t *out, span text)
{
    const troth_aead *aead = provider_aead(cfg->provider, TROTH_AES_256_GCM);
    const troth_ticket_key *k = &cfg->ticket_keys[0];
    _Alignas(16) uint8_t state[TROTH_AEAD_STATE_MAX];
    uint8_t *nonce = out + TICKET_NAME_N;
    memcpy(out, k->name, TICKET_NAME_N);
    memset(nonce, 7, TICKET_NONCE_N);
    if (!aead->begin(aead, state, k->key) ||
        !aead->seal(aead, state, nonce + TICKET_NONCE_N, nonce, span_of(out, TICKET_NAME_N), &text, 1))
        abort();
    aead->end(aead, state);
    return TICKET_NAME_N + TICKET_NONCE_N + text.n + TICKET_TAG_N;
}

static size_t open_ticket(const struct config *cfg, uint8_t *out, span ticket)
{
    const troth_aead *aead = provider_aead(cfg->provider, TROTH_AES_256_GCM);
    _Alignas(16) uint8_t state[TROTH_AEAD_STATE_MAX];
    size_t head = TICKET_NAME_N + TICKET_NONCE_N;
    if (!aead->begin(aead, state, cfg->ticket_keys[0].key) ||
        !aead->open(aead, state, out, ticket.p + TICKET_NAME_N, span_slice(ticket, 0, TICKET_NAME_N), span_slice(ticket, head, ticket.n)))
        abort();
    aead->end(aead, state);
    return ticket.n - head - TICKET_TAG_N;
}

/* Puts a session that the input speaks of where the scene's is; true: its ticket is not what the server made. */
static bool spoil(struct scene *s, unsigned what, span rest)
{
    static uint8_t ticket[ROOM], text[ROOM];
    struct session session;
    if (what == 0 || what == 1) {
        if (what == 0)
            memcpy(s->session, rest.p, s->session_n = rest.n < sizeof s->session ? rest.n : sizeof s->session);
        else
            edit(s->session, s->session_n, rest);
        return false;
    }
    if (!session_read(&session, span_of(s->session, s->session_n)))
        abort();
    if (session.session_id.n) { /* the server's cache: what it took is as good as a ticket's inside */
        if (what == 3)
            memcpy(s->cached, rest.p, s->cached_n = rest.n < sizeof s->cached ? rest.n : sizeof s->cached);
        else
            edit(s->cached, s->cached_n, rest);
        return false;
    }
    size_t n = session.ticket.n;
    bool touched = false;
    memcpy(ticket, session.ticket.p, n);
    if (what == 2) {
        touched = edit(ticket, n, rest);
    } else {
        size_t inside = open_ticket(&s->server->config, text, span_of(ticket, n));
        if (what == 3)
            memcpy(text, rest.p, inside = rest.n < ROOM / 4 ? rest.n : ROOM / 4);
        else
            edit(text, inside, rest);
        n = seal(&s->server->config, ticket, span_of(text, inside));
    }
    session.ticket = span_of(ticket, n);
    static uint8_t whole[ROOM];
    struct wr w = wr_into(whole, sizeof s->session);
    session_write(&w, &session);
    if (wr_ok(&w))
        memcpy(s->session, whole, s->session_n = w.n);
    return touched && wr_ok(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    size_t i = data[0] % NAMES;
    struct scene *s = scene_for(i), before = *s;
    struct pair p;
    fake_reseed(providers[i][0], 3);
    fake_reseed(providers[i][1], 4);
    bool touched = spoil(s, data[1] % 5, span_of(data + 2, size - 2));
    s->session_n += !s->session_n; /* empty would mean none */
    scene_open(s, &p);
    (void)scene_talk(s, &p);
    scene_check_end(s, &p.client);
    scene_check_end(s, &p.server);
    if (touched && troth_what(p.server.c).resumed)
        test_fail("%s: a ticket that was changed is resumed", names[i]);
    if ((p.client.failed && troth_why(p.client.c)->reason == TROTH_R_BUG) || (p.server.failed && troth_why(p.server.c)->reason == TROTH_R_BUG))
        test_fail("%s: a bug", names[i]);
    scene_close(s, &p);
    *s = before;
    return 0;
}
