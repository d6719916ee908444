#include <stdio.h>
#include <troth/quic.h>

/* What the QUIC library at hand is asked to do; it keeps its own connection in `quic`. */
struct quic;
extern size_t quic_send_crypto(struct quic *, int level, const uint8_t *p, size_t n);
extern void quic_install_secret(struct quic *, int level, bool for_sending, uint16_t suite, const uint8_t *secret, size_t n);
extern void quic_handshake_complete(struct quic *);
extern void quic_close(struct quic *, uint64_t error);

/* Everything that TLS has to say now: after the connection was made, and after each CRYPTO frame. */
static void listen_to_tls(troth_conn *c, struct quic *quic)
{
    for (;;) {
        troth_event ev = troth_next(c);
        switch ((int)ev.kind) {
        case TROTH_SEND: troth_sent(c, quic_send_crypto(quic, ev.level, ev.data.p, ev.data.n)); break;
        case TROTH_KEYS: quic_install_secret(quic, ev.level, ev.ours, ev.number, ev.data.p, ev.data.n); break;
        case TROTH_READY: quic_handshake_complete(quic); break;
        case TROTH_FAILED:
            fprintf(stderr, "%s: %s\n", troth_why(c)->code, troth_why(c)->text);
            quic_close(quic, troth_quic_error(c));
            return;
        default: return; /* TROTH_RECV: until the next CRYPTO frame */
        }
    }
}

troth_conn *quic_begin(const troth_client *us, const char *host, struct quic *quic, troth_span parameters)
{
    troth_conn *c = troth_connect(us, host); /* of a configuration with troth_quic and troth_alpn */
    troth_quic_parameters(c, parameters, (troth_span){ NULL, 0 });
    listen_to_tls(c, quic);
    return c;
}

void quic_on_crypto(troth_conn *c, struct quic *quic, enum troth_level level, const uint8_t *p, size_t n)
{
    if (!troth_quic_received(c, level, (troth_span){ p, n }))
        fprintf(stderr, "not taken\n"); /* why is what the next event says */
    listen_to_tls(c, quic);
}
