/* troth/quic.h - TLS 1.3 for QUIC (RFC 9001): the handshake without records, for the authors of QUIC libraries.
 *
 * QUIC protects its packets itself and carries the handshake in CRYPTO frames.  So a connection of a configuration built with
 * troth_quic() gives and takes bare handshake bytes, each with the encryption level of the packets they belong into, and hands out the
 * secrets from which QUIC derives its keys ("quic key", "quic iv", "quic hp": RFC 9001 5.1).  Everything else - configuration, trust,
 * questions, sessions, explanation - is that of troth.h.  Keys of Initial packets, the order of CRYPTO frames, packet protection, key
 * phases and HANDSHAKE_DONE are QUIC's own.
 *
 *     troth_quic(builder);                                  // needs troth_alpn; TLS 1.3 alone
 *     troth_quic_parameters(c, transport_parameters, none); // before the first troth_next()
 *     for (;;) {
 *         troth_event ev = troth_next(c);
 *         switch (ev.kind) {
 *         case TROTH_SEND:  n = queue_crypto(ev.level, ev.data); troth_sent(c, n); break;   // goes into CRYPTO frames of that level
 *         case TROTH_KEYS:  install(ev.level, ev.ours, ev.number, ev.data); break;          // number: cipher suite; data: the secret
 *         case TROTH_RECV:  return;                                                         // until troth_quic_received()
 *         case TROTH_READY: complete = true; break;                                         // RFC 9001 4.1.1
 *         case TROTH_FAILED: close_with(troth_quic_error(c)); return;
 *         ...                                                                               // TICKET, EARLY, ASK_...: as in troth.h
 *         }
 *     }
 *
 * What differs from a connection with records:
 *   SEND and KEYS come in the order in which they happened, before everything else.  A secret always comes before the first handshake
 *     bytes of its level.  Its bytes are wiped at the next call.
 *   RECV has no room.  troth_received(c, 0) says that QUIC is gone.
 *   troth_write, troth_update_keys and troth_ask_again fail: application data and key updates are QUIC's, and there is no client
 *     authentication after the handshake (RFC 9001 4.4, 6).
 *   Alerts are not sent.  After TROTH_FAILED troth_why()->alert is the one that TLS would send, troth_quic_error() the number for
 *     CONNECTION_CLOSE.  What was to be sent before a failure, and the secrets it takes, come before FAILED, as the peer may need them to
 *     understand why; secrets to receive with do not.
 *   troth_close() ends both directions at once: TROTH_DONE follows.
 *   Early data: TROTH_KEYS of level EARLY, then TROTH_EARLY.  A client has to remember the server's transport parameters together with
 *     the ticket (RFC 9000 7.4.1): troth_what().peer_quic_parameters is there when TROTH_TICKET comes.
 *
 * The peer's transport parameters are in troth_what().peer_quic_parameters: at a server from TROTH_ASK_SERVER or its first TROTH_KEYS on,
 * at a client from the secrets of level APPLICATION on.  Until TROTH_READY they are not authenticated (RFC 9001 8.2). */
#ifndef TROTH_QUIC_H
#define TROTH_QUIC_H

#include <troth/troth.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Encryption levels (RFC 9001 4.1.4), in the order in which a handshake reaches them. */
enum troth_level { TROTH_LEVEL_INITIAL, TROTH_LEVEL_EARLY, TROTH_LEVEL_HANDSHAKE, TROTH_LEVEL_APPLICATION };

/* Connections of this configuration are QUIC's.  The build fails (TROTH_R_BAD_ARGUMENT) without troth_alpn (RFC 9001 8.1), with versions
 * that leave out TLS 1.3, and with what QUIC does not have: troth_alpn_optional, troth_post_handshake_auth, troth_record_size_limit,
 * troth_max_fragment, troth_pad.  With troth_early_data any number but 0 means yes: how much is for QUIC to say (RFC 9001 4.6.1). */
TROTH_API void troth_quic(troth_builder *);

/* Our transport parameters, encoded (RFC 9000 18); copied.  Every connection of QUIC needs them: before the first troth_next(), or, at a
 * server that is asked, before troth_answer_server().
 * early, servers only: those of our parameters that a client's early data rests on, in any encoding (RFC 9000 7.4.1).  They are sealed
 * into tickets, and early data is accepted only while they are the same.  Empty: no early data with this connection. */
TROTH_API void troth_quic_parameters(troth_conn *, troth_span parameters, troth_span early);

/* Bytes of CRYPTO frames of packets of this level, in order and each once; copied.  troth_next() then says what they led to.  Bytes of
 * another level than the one whose turn it is make the connection fail (TROTH_R_QUIC_LEVEL), and so do more than 128 KiB that wait
 * while a question is open (TROTH_R_QUIC_TOO_MUCH).  False: it failed, see troth_why(). */
TROTH_API TROTH_CHECK bool troth_quic_received(troth_conn *, enum troth_level, troth_span crypto);

/* The level whose handshake bytes the connection takes now, and the level that it would write at: for QUIC libraries that ask. */
TROTH_API enum troth_level troth_quic_read_level(const troth_conn *);
TROTH_API enum troth_level troth_quic_write_level(const troth_conn *);

/* The error code for a CONNECTION_CLOSE frame of type 0x1c (RFC 9000 20.1): 0x0100 and the alert (RFC 9001 4.8), or the transport error
 * that RFC 9001 demands instead.  0 while all is well. */
TROTH_API uint64_t troth_quic_error(const troth_conn *);
/* The peer closed with this error code: if it is that of an alert, the connection fails as if the alert had come, and troth_why() says
 * what it is likely to mean; other codes are the transport's affair, and the connection is broken (TROTH_R_QUIC_CLOSED). */
TROTH_API void troth_quic_closed(troth_conn *, uint64_t code);

#ifdef __cplusplus
}
#endif
#endif
