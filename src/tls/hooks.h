/* hooks.h - where the handshake calls what not every connection has: PSK and tickets, early data, ECH.
 *
 * Each call stands at the one moment where its owner must act; the owner is the file named above it. */
#ifndef TLS_HOOKS_H
#define TLS_HOOKS_H

#include "tls/conn.h"

/* ---- psk.c, client.  Before the first hello: which PSKs there are. */
bool MUST_USE psk_prepare(struct troth_conn *c);
/*   Adds psk_key_exchange_modes and, last of all, pre_shared_key with binders of the right length. */
bool MUST_USE psk_offer(struct troth_conn *c, struct client_hello *ch);
/* The hello is written (`message`, header included, still ours to change): fills in the binders. */
bool MUST_USE psk_bind(struct troth_conn *c, const struct client_hello *ch, uint8_t *message, size_t n);
/* ServerHello selected identity `selected_identity`; puts the PSK's stage into hs->ks.early (tagged KS_EARLY). */
bool MUST_USE psk_selected(struct troth_conn *c, const struct server_hello *sh);

/* ---- psk.c, server.  Version and suite are chosen.  Chooses a PSK and verifies its binder, or leaves hs->psk unset.  On success
 * hs->ks.early holds its stage.  `ch` is the message being handled, `raw` its bytes. */
bool MUST_USE psk_choose(struct troth_conn *c, const struct client_hello *ch, span raw);

/* ---- early.c.  What became of early data (enum troth_early), and why. */
bool MUST_USE early_note(struct troth_conn *c, uint8_t early, const char *why);
/* Client: after the first hello was queued, early keys if early data may be written. */
bool MUST_USE early_start(struct troth_conn *c);
/* Client: the server cannot have taken early data, for this reason: it is over, and what comes now goes in the clear. */
bool MUST_USE early_withdraw(struct troth_conn *c, const char *why);
/* Client: EncryptedExtensions had early_data (accepted), or not. */
bool MUST_USE early_answer(struct troth_conn *c, bool accepted);
/* Client: early data has the keys for writing, and those of the handshake wait for its end. */
bool early_has_keys(const struct troth_conn *c);
/* Server: early data was accepted, and EndOfEarlyData says when its keys give way to those of the handshake. */
bool early_ends_by_message(const struct troth_conn *c);
/* Client, with offer.early: just before the second flight: EndOfEarlyData if it was accepted, then the handshake's keys for writing. */
bool MUST_USE early_end(struct troth_conn *c);
/* Server: decides on early data, once a PSK was (or was not) chosen; true in *accepted: early_data goes into EncryptedExtensions, the
 * read keys are those of early data, and WAIT_EOED follows. */
bool MUST_USE early_choose(struct troth_conn *c, const struct client_hello *ch, bool *accepted);

/* Server: it is refused: how many bytes of its records are passed over. */
uint32_t early_passed_over(const struct troth_conn *c);

/* ---- tickets.c.  Server, CONNECTED: queues NewSessionTickets. */
bool MUST_USE tickets_send(struct troth_conn *c);
/* Client: a NewSessionTicket came. */
bool MUST_USE tickets_took(struct troth_conn *c, const struct message *m);

/* ---- ech_client.c.  Chooses a configuration, before the hello is built and before PSKs are chosen. */
bool MUST_USE ech_prepare(struct troth_conn *c);
/* Adds encrypted_client_hello (real or grease) to the hello before it is shuffled; a real one becomes the outer hello: `ch` has the
 * public name and another random from here on. */
bool MUST_USE ech_offer(struct troth_conn *c, struct client_hello *ch);
/* Makes the inner hello from the outer, seals it, hashes the one and queues the other; *sent is false when there is no inner hello. */
bool MUST_USE ech_send(struct troth_conn *c, struct client_hello *ch, bool *sent);
/* ServerHello or HelloRetryRequest of TLS 1.3 came, hs->hash is known: was the inner hello accepted?  If not the outer transcript and
 * random take over.  ech_answer_older: an older version was chosen, which is a refusal; before its hash is known. */
bool MUST_USE ech_answer(struct troth_conn *c, const struct server_hello *sh, const struct message *m);
bool MUST_USE ech_answer_older(struct troth_conn *c);
/* EncryptedExtensions came. */
bool MUST_USE ech_take_retry(struct troth_conn *c, const struct exts *e);
/* The handshake is complete and genuine: if ECH was offered and refused, fails with ech_required (RFC 9849 6.1.6). */
bool MUST_USE ech_finish(struct troth_conn *c);

/* ---- ech_server.c.  May replace `ch` and `m` (and what is in the transcript) by the inner hello. */
bool MUST_USE ech_open(struct troth_conn *c, struct client_hello *ch, struct message *m);
/* The application does not want the inner hello (troth_refuse_ech): the outer one comes back, as if it had not been opened. */
bool MUST_USE ech_put_back(struct troth_conn *c, struct message *m);
/* The application chose another configuration. */
bool MUST_USE ech_moved(struct troth_conn *c);
/* The ServerHello about to be hashed: sets the signal in its random. */
void ech_confirm(struct troth_conn *c, uint8_t *message, size_t n);
/* HelloRetryRequest: adds the extension, last of all; sets the signal in what was written. */
void ech_offer_retry(struct troth_conn *c, struct exts *e);
void ech_confirm_retry(struct troth_conn *c, uint8_t *message, size_t n);
/* EncryptedExtensions: the keys that the client should have used. */
void ech_give_retry(const struct troth_conn *c, struct exts *e);

/* ---- session12.c: sessions of TLS 1.2, by ticket (RFC 5077) and by id.  Client: what the hello says of a session to resume, or that
 * tickets are welcome. */
bool MUST_USE session12_offer(struct troth_conn *c, struct client_hello *ch);
/* Client: ServerHello came, hs->v12 is there and the suite is set.  Is our session resumed?  Then its master secret is in
 * hs->ks.tls12, its identity counts, and facts.resumed is true. */
bool MUST_USE session12_answered(struct troth_conn *c, const struct server_hello *sh);
/* Server: resumes the session that the client offers, if it is ours and fits; then facts.resumed, the suite and hs->ks.tls12 are set. */
bool MUST_USE session12_choose(struct troth_conn *c, const struct client_hello *ch);
/* Server: writing ServerHello: its session id (new or resumed), and whether a ticket follows (v12->ticket_follows). */
bool MUST_USE session12_announce(struct troth_conn *c, const struct client_hello *ch, struct server_hello *sh);
/* Server: queues NewSessionTicket, v12->ticket_follows being set.  Client: one came. */
bool MUST_USE session12_send_ticket(struct troth_conn *c);
bool MUST_USE session12_took(struct troth_conn *c, const struct message *m);
/* Either: the handshake is complete and hs->ks.tls12 still there: a session with an id is kept. */
bool MUST_USE session12_keep(struct troth_conn *c);

#endif
