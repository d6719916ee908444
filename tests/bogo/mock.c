/* mock.c - the runner's stand-in for QUIC: records over TCP that say type, encryption level and suite, and show the secret in the clear, so
 * that both ends can tell whether they agree.  Must never pass on a record whose level, suite or secret is not ours. */
#include <string.h>
#include <sys/socket.h>

#include "talk.h"

enum { ALERT = 21, HANDSHAKE = 22, DATA = 23, HEADER = 8, CLOSE_NOTIFY = 0, CRYPTO_ERROR = 0x100 };

static bool send_all(struct talk *t, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t some = send(t->link.fd, p, n, MSG_NOSIGNAL);
        if (some <= 0)
            return false;
        p += some;
        n -= (size_t)some;
    }
    return true;
}

/* One record.  A runner that does not listen any more has made up its mind: then there is nothing to be said. */
static void put(struct talk *t, uint8_t type, uint8_t level, troth_span data)
{
    const struct mock_secret *s = &t->mock.secrets[level][1];
    size_t n = s->n + data.n;
    const uint8_t header[HEADER] = { type, level, (uint8_t)(s->suite >> 8), (uint8_t)s->suite,
                                     (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
    t->mock.deaf |= !send_all(t, header, sizeof header) || !send_all(t, s->p, s->n) || !send_all(t, data.p, data.n);
}

void mock_keys(struct talk *t, const troth_event *e)
{
    struct mock_secret *s = &t->mock.secrets[e->level][e->ours];
    s->suite = e->number;
    memcpy(s->p, e->data.p, s->n = e->data.n <= sizeof s->p ? e->data.n : 0);
}

void mock_send(struct talk *t, troth_span data, uint8_t level)
{
    put(t, HANDSHAKE, level, data);
    troth_sent(t->c, data.n);
}

bool mock_write(struct talk *t, const void *p, size_t n)
{
    bool early = t->early && !t->s->server;
    put(t, DATA, early ? TROTH_LEVEL_EARLY : TROTH_LEVEL_APPLICATION, (troth_span){ p, n });
    return true;
}

void mock_alert(struct talk *t, uint8_t level, uint8_t alert)
{
    const uint8_t bytes[2] = { level, alert };
    put(t, ALERT, (uint8_t)troth_quic_write_level(t->c), (troth_span){ bytes, sizeof bytes });
}

static bool receive_all(struct talk *t, uint8_t *p, size_t n)
{
    return !n || recv(t->link.fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* Early data that was refused is passed over, as a QUIC library would that has no key for it. */
static bool passed_over(const struct talk *t, uint8_t level)
{
    return level == TROTH_LEVEL_EARLY && !t->mock.secrets[level][0].n;
}

bool mock_receive(struct talk *t, troth_span *data)
{
    uint8_t h[HEADER];
    struct mock *m = &t->mock;
    *data = (troth_span){ NULL, 0 };
    if (!receive_all(t, h, sizeof h)) {
        troth_received(t->c, 0);
        return true;
    }
    size_t n = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
    if (h[1] > TROTH_LEVEL_APPLICATION || n > sizeof m->record || !receive_all(t, m->record, n))
        return complain("a record of level %u and %zu bytes", h[1], n);
    if (passed_over(t, h[1]))
        return true;
    const struct mock_secret *s = &m->secrets[h[1]][0];
    if (s->suite != (h[2] << 8 | h[3]) || n < s->n || memcmp(m->record, s->p, s->n))
        return complain("secret or suite of level %u is another", h[1]);
    troth_span content = { m->record + s->n, n - s->n };
    if (h[0] == HANDSHAKE)
        return troth_quic_received(t->c, (enum troth_level)h[1], content) || troth_why(t->c);
    if (h[0] == DATA && content.n)
        *data = content;
    if (h[0] == ALERT && content.n == 2 && content.p[1] == CLOSE_NOTIFY)
        troth_received(t->c, 0);
    else if (h[0] == ALERT && content.n == 2)
        troth_quic_closed(t->c, CRYPTO_ERROR + content.p[1]);
    return true;
}
