/* troth/troth.h - TLS 1.3 (RFC 9846) and TLS 1.2 (RFC 5246, ECDHE and AEAD only): configure, connect, run, learn what came of it.
 *
 * The library does no I/O.  A connection is one question, asked again and again: troth_next(), "what now?".  The answer says SEND these
 * bytes, RECV bytes into this room, here is DATA, an answer of yours is needed (ASK_...), or it is over (DONE, FAILED).
 *
 *     builder --build--> configuration (frozen, shared by any number of connections and threads) --> connection
 *
 * Ownership.  A builder is consumed by troth_build_client/server, also when that fails.  A configuration is counted: every connection
 * holds it, free it whenever you like.  Spans that events and accessors hand out stay valid until the next call on that connection
 * unless their text says longer.  Spans and strings that you hand in are copied, unless their text says otherwise.
 *
 * Threads.  A configuration may be used by many threads at once.  A connection and a builder belong to one thread at a time.
 *
 * Errors.  Builders and connections remember their first mistake; a builder, configuration or connection that is NULL (memory ran out, or
 * its build failed) is a valid argument everywhere and yields FAILED with its own reason.  So straight-line code needs no checks between
 * its first call and the last.  What cannot be done - at this time, at this end, with these arguments - is such a mistake too (reasons
 * "api. ..."): it ends the connection, unless the text of the function says otherwise.  NULL is fine where something is to be put that nobody
 * wants. */
#ifndef TROTH_H
#define TROTH_H

#include <troth/provider.h>
#include <troth/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct troth_builder troth_builder;
typedef struct troth_client  troth_client;   /* frozen configuration of clients */
typedef struct troth_server  troth_server;   /* frozen configuration of servers */
typedef struct troth_conn    troth_conn;
typedef struct troth_story   troth_story;    /* explain.h */

enum { TROTH_TLS12 = 0x0303, TROTH_TLS13 = 0x0304 };

/* ================================================================ configure
 *
 * Setters return nothing; the builder keeps the first mistake and build reports it, with the setter's name in `detail`. */

/* Takes one ownership of the provider; NULL is reported by build. */
TROTH_API troth_builder *troth_client_builder(troth_provider *);
TROTH_API troth_builder *troth_server_builder(troth_provider *);
TROTH_API void troth_builder_free(troth_builder *);      /* only for a builder that is not going to be built */
/* The first mistake so far, which build would report; NULL: none.  Asked behind a setter it says from which file a mistake came.  It is the
 * builder's, and gone with it. */
TROTH_API const troth_error *troth_mistake(const troth_builder *);

/* -- whom to trust.  A client needs exactly one kind of trust, unless it has nothing but external PSKs (troth_psk); a server needs one when
 * it asks for client certificates.  Files may be PEM or DER; several calls add up. */
TROTH_API void troth_trust_system(troth_builder *);
TROTH_API void troth_trust_file(troth_builder *, const char *path);
TROTH_API void troth_trust_pem(troth_builder *, troth_span pem);
/* A policy made with verify.h: anchors with constraints, CRLs, certificate policies, purposes, revocation, CT.  One ownership goes over. */
TROTH_API void troth_trust_policy(troth_builder *, troth_policy *);
/* The peer's key must be this one (SHA-256 of its SubjectPublicKeyInfo): beside anchors that comes on top of them; alone it replaces them
 * (trust on first use), and with them everything else that a certificate says: neither name nor dates are looked at, and troth_peer()'s
 * report is not ok.  Several pins: any of them. */
TROTH_API void troth_trust_pin(troth_builder *, const uint8_t spki_sha256[32]);
/* Accept whoever answers, by whatever name.  `because` is needed, is kept, and appears in every explanation.  For tests and for looking at
 * broken servers. */
TROTH_API void troth_danger_trust_anyone(troth_builder *, const char *because);
/* Ask the application for a verdict of its own (TROTH_ASK_VERDICT) after ours: it can refuse what we accept, never the reverse
 * (unless troth_danger_trust_anyone was called).  A raw public key has no issuer: unless one is pinned, the verdict on it is the
 * application's alone (troth_what() has peer_raw_key), so do not add TROTH_RAW_PUBLIC_KEY to troth_peer_types without looking at it. */
TROTH_API void troth_ask_verdict(troth_builder *);

/* -- who we are.  A server needs one identity at least, or PSKs, or troth_ask_server; a client may have some.  Each call adds one; among
 * several the choice goes by server name, then by what the peer can verify, then by order. */
TROTH_API void troth_identity_files(troth_builder *, const char *chain_path, const char *key_path);
TROTH_API void troth_identity_pem(troth_builder *, troth_span chain, troth_span key);
/* The key is elsewhere (an HSM, another process): signatures are asked for with TROTH_ASK_SIGN.  `tag` is given back there.  With a
 * delegated credential and tag NULL the key is out of reach: only peers that take the credential are shown this identity. */
TROTH_API void troth_identity_external(troth_builder *, troth_span chain, void *tag);
/* Likewise, for any kind of identity: the private key of this SubjectPublicKeyInfo (DER) is elsewhere.  Where troth_identity_pem, _raw_key or
 * _delegated then get the very same bytes for a key, signatures by it are asked for with TROTH_ASK_SIGN and `tag`, and all else is as with
 * the key: its certificate is found wherever it stands in the chain, and it must be there.  can: the kinds of signatures that it makes, bits
 * 1u << enum troth_sig (provider.h); 0: all that keys of its type do. */
TROTH_API void troth_key_elsewhere(troth_builder *, troth_span spki, uint32_t can, void *tag);
/* A raw public key (RFC 7250) instead of a certificate; shown only to peers that negotiate it. */
TROTH_API void troth_identity_raw_key(troth_builder *, troth_span key);
/* These belong to the identity added last: an OCSP response and a SignedCertificateTimestampList (RFC 6962 3.3) to staple, a delegated
 * credential (RFC 9345) and its key, the signature schemes to use and their order (TLS numbers). */
TROTH_API void troth_identity_staple(troth_builder *, troth_span ocsp_response);
TROTH_API void troth_identity_scts(troth_builder *, troth_span sct_list);
TROTH_API void troth_identity_delegated(troth_builder *, troth_span credential, troth_span key);
TROTH_API void troth_identity_schemes(troth_builder *, const uint16_t *schemes, size_t n);
/* Use it only when the peer named its issuer (certificate_authorities). */
TROTH_API void troth_identity_must_match_issuer(troth_builder *);
/* For encrypted keys; before the identity that needs it. */
TROTH_API void troth_passphrase(troth_builder *, troth_passphrase_fn *ask, void *ctx);

/* -- what to speak.  Numbers are IANA's; order is preference.  Defaults: TLS 1.3 and 1.2, every suite and group troth has with post-quantum
 * hybrids first, every signature scheme worth trusting. */
TROTH_API void troth_versions(troth_builder *, uint16_t least, uint16_t most);
TROTH_API void troth_suites(troth_builder *, const uint16_t *ids, size_t n);
TROTH_API void troth_groups(troth_builder *, const uint16_t *ids, size_t n);
/* Server, TLS 1.3: keep to the order of troth_groups() even if that costs a round trip; otherwise a share for a group that is as strong is
 * taken at once.  equal[i]: the i-th group and the next are as good as each other: among those the client's order decides.  n: how many of
 * the groups that speaks of, 0: none is like another. */
TROTH_API void troth_strict_groups(troth_builder *, const bool *equal, size_t n);
/* Client: groups with a share in the first hello, which come in the order of troth_groups(); n = 0: none. */
TROTH_API void troth_key_shares(troth_builder *, const uint16_t *ids, size_t n);
TROTH_API void troth_verify_schemes(troth_builder *, const uint16_t *ids, size_t n); /* signatures accepted from the peer */
TROTH_API void troth_alpn(troth_builder *, const char *const *names, size_t n);
/* Server: go on without ALPN where nothing matches, instead of no_application_protocol. */
TROTH_API void troth_alpn_optional(troth_builder *);
/* Server: refuse clients that name a server which no identity covers (unrecognized_name), or that name none. */
TROTH_API void troth_strict_sni(troth_builder *);
/* Server: names make no difference here: no certificate is chosen by them, and server_name is not acknowledged (RFC 6066 3).  The
 * application still learns the name that was asked for. */
TROTH_API void troth_ignore_names(troth_builder *);
/* Server: ask the application which configuration to go on with, once a hello came (TROTH_ASK_SERVER). */
TROTH_API void troth_ask_server(troth_builder *);
/* Server: send a cookie with HelloRetryRequest, and want it back (RFC 9846 4.3.2).  The cookie holds, under a key of the server, all that
 * it has to remember.  So a server may let the connection go once HelloRetryRequest is sent (troth_what().hello_retry), and give what the
 * client says next, from its second ClientHello on, to a new troth_accept() of this configuration, or of another with the same
 * troth_cookie_key(): that goes on where the first stopped.  A cookie is good for a minute.  One that answers an encrypted ClientHello
 * (RFC 9849) is good only for the connection that made it, as is one of a client that sent early data. */
TROTH_API void troth_retry_cookie(troth_builder *);
/* Server: the key for cookies, 32 random bytes that several configurations or processes share; includes troth_retry_cookie(). */
TROTH_API void troth_cookie_key(troth_builder *, const uint8_t key[32]);
/* Server: no handshake without a cookie: a ClientHello that brings none is answered with HelloRetryRequest, also where all is agreed.
 * With troth_bind_cookie() it shows that the client can be reached where it says it is, before anything is spent on it. */
TROTH_API void troth_always_retry(troth_builder *);
/* Client: says that this is a second try with fewer versions than it could speak (TLS_FALLBACK_SCSV, RFC 7507): a server that could do
 * better ends such a connection, as somebody must have made the first try fail. */
TROTH_API void troth_fallback_scsv(troth_builder *);

/* -- client certificates, asked for by a server */
enum troth_auth { TROTH_AUTH_NONE, TROTH_AUTH_OPTIONAL, TROTH_AUTH_REQUIRED };
TROTH_API void troth_ask_client_auth(troth_builder *, enum troth_auth);
/* Server: the client's certificate is to have this extension with at least these values (oid_filters, RFC 9846 4.3.5); TLS 1.3.  oid: the
 * content of an OBJECT IDENTIFIER in DER; values: the value of the extension in DER, empty if any will do.  Each OID once; keyUsage
 * and extKeyUsage are the two for which it is laid down what matches, and the only two by which a certificate is refused here
 * (tls.oid-filter): a client must pass over those it does not know. */
TROTH_API void troth_oid_filter(troth_builder *, troth_span oid, troth_span values);
/* Client: when the server asks for a certificate and none of ours fits, end the handshake and say why, instead of showing none.  Who has
 * none at all shows none. */
TROTH_API void troth_never_anonymous(troth_builder *);
/* Client: ask the application by whom to answer when the server wants a certificate (TROTH_ASK_CLIENT). */
TROTH_API void troth_ask_client(troth_builder *);
/* Client: offer post_handshake_auth and answer it (RFC 9846 4.7.2). */
TROTH_API void troth_post_handshake_auth(troth_builder *);

/* -- certificates, beyond the basics */
/* Signatures in the peer's certificates, where they are others than in its handshake (signature_algorithms_cert, RFC 9846 4.3.3).  It
 * tells the peer which chain to show; which one is taken is for the policy (verify.h) to say. */
TROTH_API void troth_cert_schemes(troth_builder *, const uint16_t *ids, size_t n);
/* Tell the peer the names of the authorities that are trusted (certificate_authorities, RFC 9846 4.3.4), where there are at most 64 of
 * them.  Default: servers that ask for client certificates do, clients do not. */
TROTH_API void troth_name_authorities(troth_builder *, bool yes);
/* The longest Certificate message to take from the peer, in bytes, expanded; default and most 131072. */
TROTH_API void troth_max_certificate(troth_builder *, uint32_t bytes);
/* Ask for a stapled OCSP response: of servers, by default; of clients whose certificates a server asks for, only if it says so here
 * (RFC 9846 4.5.1.1).  What then is stapled has to be an answer: see troth_revocation in verify.h */
TROTH_API void troth_request_ocsp(troth_builder *, bool yes);
TROTH_API void troth_request_scts(troth_builder *, bool yes);  /* client; default no                               */
enum troth_certificate_type { TROTH_X509 = 0, TROTH_RAW_PUBLIC_KEY = 2 };
TROTH_API void troth_peer_types(troth_builder *, const uint8_t *types, size_t n);  /* accepted from the peer, in order (RFC 7250) */
TROTH_API void troth_own_types(troth_builder *, const uint8_t *types, size_t n);   /* client: what it can show; default: as its identities are */
/* Take delegated credentials (RFC 9345) from the peer: a client says so in its hello, a server where it asks for a certificate. */
TROTH_API void troth_accept_delegated(troth_builder *);
/* Certificate compression (RFC 8879): zlib, brotli and zstd as built in are offered by default; this replaces the list with hooks.
 * An entry with an id and no hooks is the one that is built in. */
typedef struct troth_compressor {
    uint16_t id;
    /* Return the length, 0 when it does not fit in cap or the input is bad.  Must not write more than cap. */
    size_t (*compress)(uint8_t *out, size_t cap, troth_span in);
    size_t (*expand)(uint8_t *out, size_t cap, troth_span in);
} troth_compressor;
TROTH_API void troth_compressors(troth_builder *, const troth_compressor *, size_t n);

/* -- sessions.  Clients get tickets as events (TROTH_TICKET) and hand them to troth_resume later.  Servers seal tickets with keys that
 * the library makes and rotates; to share them between processes give the keys (newest first: the first seals, all open). */
typedef struct troth_ticket_key { uint8_t name[16]; uint8_t key[32]; } troth_ticket_key;
TROTH_API void troth_ticket_keys(troth_builder *, const troth_ticket_key *, size_t n);
TROTH_API void troth_tickets(troth_builder *, unsigned per_connection, uint32_t lifetime_seconds); /* server; default 2, one day; 0: none */
/* Client: want no tickets and offer none: neither session_ticket nor psk_key_exchange_modes is said (unless there are external PSKs). */
TROTH_API void troth_no_tickets(troth_builder *);
/* TLS 1.2 sessions by id, kept by the application.  put: keep `state` under `id`; take: copy it to out, return its length or 0.  Both are
 * needed, and called from the threads of the connections.  `state` has the session's secret in the clear. */
typedef struct troth_session_cache {
    void  *ctx;
    void   (*put)(void *ctx, troth_span id, troth_span state);
    size_t (*take)(void *ctx, troth_span id, uint8_t *out, size_t cap);
} troth_session_cache;
TROTH_API void troth_cache(troth_builder *, const troth_session_cache *);
/* Client, and server with client certificates: judge the peer's chain again each time a session is resumed, as rules and time may say
 * something else by then.  With troth_ask_verdict the application is asked as well; a server then takes no early data from a client that has
 * shown a certificate, as it would come before the answer.  A client's early data goes out before the server took the session, so by the
 * verdict of when that was made.  Without it a session is used until the chain's own end, under the very rules that
 * it was made under. */
TROTH_API void troth_reverify(troth_builder *);
/* A configuration remembers which signatures on certificates it has verified (up to 64; by a keyed hash of issuer's key, certificate and
 * signature), and need not verify the very same ones again; everything else about a chain is checked each time.  Of the last keys that
 * peers signed handshakes with it keeps multiples (11 KB, where the processor makes use of them), which make the next such signature
 * quicker to verify; it is verified each time.  This turns both off. */
TROTH_API void troth_verify_afresh(troth_builder *);
/* 0-RTT (RFC 9846 2.3): off unless called.  Server: how many bytes to take; client: any number but 0.  Early data can be replayed
 * by an attacker; the anti-replay check is given a unique 32-byte mark of each hello and returns true the first time (NULL: the
 * library's own, in memory, for this configuration alone: where troth_ticket_keys() are shared, another process takes a replay once more;
 * where they outlive it, the next configuration takes early data with older tickets only when it is two minutes old, RFC 9846 8.2).  A mark
 * may be forgotten once the clock of the configuration is past `expires`, in seconds since 1970.  Called from the threads of the connections. */
TROTH_API void troth_early_data(troth_builder *, uint32_t max_bytes);
TROTH_API void troth_anti_replay(troth_builder *, bool (*first_time)(void *ctx, const uint8_t mark[32], int64_t expires), void *ctx);
/* External PSKs (RFC 9846 4.3.11; TLS 1.3), of 16 to 255 bytes.  hash: of the suites it goes with, SHA-256 or SHA-384.  `import`: RFC 9258, with its
 * context.  Beside certificates, or instead: then a client without trust refuses whoever shows a certificate, a server without identities
 * whoever has no PSK of its, and only suites of their hashes are spoken. */
TROTH_API void troth_psk(troth_builder *, troth_span identity, troth_span key, enum troth_hash_id hash);
TROTH_API void troth_psk_import(troth_builder *, troth_span identity, troth_span key, troth_span context, enum troth_hash_id hash);

/* -- Encrypted Client Hello (RFC 9849) */
/* Client: an ECHConfigList, from DNS or by other means; also as PEM ("ECHCONFIG"), a key beside it being passed over.  The first
 * configuration that can be used is; where none can, nothing is encrypted: troth_what().ech tells.  A refusal fails with tls.ech-rejected;
 * troth_what().ech_retry_configs then says what to try next, once and for this server only (empty: without Encrypted Client Hello). */
TROTH_API void troth_ech_configs(troth_builder *, troth_span config_list);
/* Client: rather fail (tls.ech-unusable), before a byte is sent, than connect in the clear because no configuration can be used. */
TROTH_API void troth_ech_required(troth_builder *);
/* Client: look as if, where there is no configuration to use. */
TROTH_API void troth_ech_grease(troth_builder *);
/* Server: one ECHConfig with its private key (32 bytes; X25519); `retry`: hand it to clients that used another.  Several: newest first. */
TROTH_API void troth_ech_key(troth_builder *, troth_span config, troth_span private_key, bool retry);
/* Likewise, from a file such as troth_ech_pem makes. */
TROTH_API void troth_ech_key_pem(troth_builder *, troth_span pem, bool retry);
/* A new key.  public_name: the DNS name that everybody may see; the server must have a certificate for it.  longest_name: of the names
 * that are to stay hidden, 0 if unknown; shorter ones are padded to it.  `config` is one ECHConfig; a list of it, as clients take it, is
 * config_n in two bytes before it. */
typedef struct troth_ech_pair { uint8_t config[512]; size_t config_n; uint8_t private_key[32]; } troth_ech_pair;
TROTH_API TROTH_CHECK bool troth_ech_make(const troth_provider *, const char *public_name, uint8_t longest_name, troth_ech_pair *,
                                          troth_error *why);
/* As a file: "PRIVATE KEY", then "ECHCONFIG", the part to publish.  Length written; 0 when it does not fit (cap 0: the length needed). */
TROTH_API size_t troth_ech_pem(const troth_ech_pair *, char *out, size_t cap);

/* -- records */
/* RFC 8449: what we want to receive; 64..16385.  A server keeps to what a client wants, with or without a wish of its own. */
TROTH_API void troth_record_size_limit(troth_builder *, uint16_t bytes);
TROTH_API void troth_max_fragment(troth_builder *, uint16_t bytes);        /* what we send at most in a record             */
enum troth_padding { TROTH_PAD_NONE, TROTH_PAD_BLOCK, TROTH_PAD_FULL };
/* Default: none, except that the handshake is padded a little where Encrypted Client Hello hides it (RFC 9849 6.1.3). */
TROTH_API void troth_pad(troth_builder *, enum troth_padding, uint16_t block);
TROTH_API void troth_grease(troth_builder *, bool yes);                    /* GREASE values in hellos and tickets (RFC 8701); default yes */

/* -- time and secrets */
/* The clock of this configuration, since 1970 in UTC; asked from the threads of its connections.  The last one given counts; NULL, and the
 * default: this machine's.  A clock of seconds is enough, but it understates the age of a resumed session by up to a second, which a
 * strict server may take for a replay: then it refuses 0-RTT data, not the session (RFC 9846 8.3). */
TROTH_API void troth_clock(troth_builder *, int64_t (*unix_seconds)(void *), void *ctx);
TROTH_API void troth_clock_us(troth_builder *, int64_t (*unix_microseconds)(void *), void *ctx);
/* NSS key log lines (RFC 9850) of every connection.  Whoever has them reads everything. */
TROTH_API void troth_danger_key_log(troth_builder *, void (*line)(void *ctx, const char *line), void *ctx);

/* Consume the builder, also on failure.  NULL: *why is filled in (why may be NULL). */
TROTH_API TROTH_CHECK troth_client *troth_build_client(troth_builder *, troth_error *why);
TROTH_API TROTH_CHECK troth_server *troth_build_server(troth_builder *, troth_error *why);
TROTH_API void troth_client_free(troth_client *);
TROTH_API void troth_server_free(troth_server *);
/* Things worth knowing about a configuration that works: an expired or soon expiring certificate, a chain that is out of order or
 * lacks its intermediate, an OCSP response to staple that is no good...  The i-th warning, or NULL. */
TROTH_API const troth_error *troth_server_warning(const troth_server *, size_t i);
/* The certificate of the i-th identity, in the order of the calls that added them: *der as it was loaded, without those of its issuers, good
 * for as long as the configuration; empty for a raw public key.  False: there is no i-th. */
TROTH_API bool troth_server_certificate(const troth_server *, size_t i, troth_span *der);
TROTH_API bool troth_client_certificate(const troth_client *, size_t i, troth_span *der);
/* Likewise the k-th certificate of its chain, in the order in which it is sent: 0 is its own.  False: there is none. */
TROTH_API bool troth_server_chain(const troth_server *, size_t i, size_t k, troth_span *der);
TROTH_API bool troth_client_chain(const troth_client *, size_t i, size_t k, troth_span *der);
/* The private key of the i-th identity, or of its delegated credential, as the provider has it; good for as long as the configuration.  NULL:
 * there is none, or it is elsewhere.  For a process that keeps keys and signs for another one: what is configured was checked as ever. */
TROTH_API const troth_key *troth_server_key(const troth_server *, size_t i, bool delegated);

/* ================================================================ connect */

/* host: a DNS name (A-labels) or an IP address in text, nothing beside it: "[::1]", "name:443" and URLs fail.  It is checked against the
 * certificate wherever authorities are trusted; there is no way to leave it out. */
TROTH_API TROTH_CHECK troth_conn *troth_connect(const troth_client *, const char *host);
TROTH_API TROTH_CHECK troth_conn *troth_accept(const troth_server *);
TROTH_API void troth_free(troth_conn *);

/* Could these bytes be what a TROTH_TICKET gave, of this version of the library or another?  For whoever keeps tickets in files: what is
 * something else must not be overwritten.  Whether it can be used, troth_resume decides. */
TROTH_API bool troth_is_ticket(troth_span bytes);

/* These come before the first troth_next().  A ticket that is of no use - too old, of another host, made under other rules, no ticket at
 * all - is passed over, and the handshake is a whole one: troth_what().resumed tells. */
TROTH_API void troth_resume(troth_conn *, troth_span ticket);      /* what an earlier TROTH_TICKET gave (again and again unless 1.3)      */
TROTH_API void troth_tell(troth_conn *, troth_story *);            /* record it; the story must outlive the connection                    */
TROTH_API void troth_send_name(troth_conn *, const char *sni);     /* another server_name than host; "": none.  The host is still checked */
TROTH_API void troth_bind_cookie(troth_conn *, troth_span address); /* server: cookies count only for a client of this address, any bytes   */

/* ================================================================ run */

enum troth_event_kind {
    TROTH_SEND,        /* write data to the transport, then troth_sent() with how much went                                  */
    TROTH_RECV,        /* read from the transport into room, then troth_received() with how much came; 0: it was closed      */
    TROTH_READY,       /* the handshake is complete and the peer is who it should be: write.  Once                          */
    TROTH_DATA,        /* bytes from the peer; `early`: 0-RTT data, which an attacker may have replayed                      */
    TROTH_EARLY,       /* client: 0-RTT may be written now.  Server: the client's 0-RTT data was accepted and will follow      */
    TROTH_EARLY_REFUSED, /* client: the server did not take the early data; what was written is lost, and may be written again
                        * from READY on (not before)                                                            */
    TROTH_TICKET,      /* data can be kept and given to troth_resume(); `early`: it allows 0-RTT data.  The session's secret is in
                        * it, in the clear: keep it like a key                                                  */
    TROTH_ASK_SERVER,  /* server: a hello came (troth_what() has its server name): troth_answer_server()                     */
    TROTH_ASK_SIGN,    /* data, the message itself and no digest of it, must be signed with the key behind `tag`, by scheme
                        * `number`: troth_answer_sign() takes the signature as TLS has it, ECDSA's in DER                    */
    TROTH_ASK_VERDICT, /* troth_peer() has ours: troth_answer_verdict()                                                      */
    TROTH_ASK_CLIENT,  /* client: a certificate is wanted (troth_what().acceptable_authorities): troth_answer_client()       */
    TROTH_CLIENT_AUTH, /* server: the client answered troth_ask_again(); troth_what() says whether it is authenticated       */
    TROTH_KEYS,        /* QUIC only: data is a secret of `level`, for what we send if `ours` (RFC 9001); see quic.h              */
    TROTH_CLOSED,      /* the peer will send no more (close_notify); we still may.  Said again until troth_close() was called.
                        * Without close_notify the end of the transport is a failure: TROTH_R_TRUNCATED                      */
    TROTH_DONE,        /* both directions were closed in order.  Terminal                                                    */
    TROTH_FAILED       /* troth_why() says why.  Terminal; the alert was already given out as SEND                           */
};

typedef struct troth_event {
    enum troth_event_kind kind;
    bool       early;
    bool       ours;                         /* KEYS: of what we send, not of what we receive                */
    uint16_t   number;                       /* ASK_SIGN: SignatureScheme; KEYS: cipher suite                */
    void      *tag;                          /* ASK_SIGN: as in troth_identity_external                      */
    troth_span data;
    struct { uint8_t *p; size_t n; } room;   /* RECV                                                         */
    uint8_t    level;                        /* SEND and KEYS of QUIC: enum troth_level (quic.h)             */
} troth_event;

/* Order is defined: SEND before everything else; FAILED and DONE come after the last SEND, for ever.  The spans of an event are valid
 * until the next call on the connection.  A question (ASK_...) is asked again until it is answered, and nothing is read meanwhile; an
 * answer to what was not asked is passed over. */
TROTH_API troth_event troth_next(troth_conn *);
/* How many bytes of SEND went.  0: the transport takes none now (EAGAIN), so the next answer is what else there is, RECV for one, and SEND
 * comes again behind it: who waits for room to write alone, while the peer does the same, waits for ever.  Then watch troth_pending(). */
TROTH_API void troth_sent(troth_conn *, size_t n);
/* How many bytes were read into the room of RECV; 0: the transport ended.  More than there is room for, (size_t)-1 for one, is a mistake. */
TROTH_API void troth_received(troth_conn *, size_t n);
/* Seals all parts as one run of application data.  Legal from READY on (from EARLY: as 0-RTT data).  False: it failed, see troth_why(). */
TROTH_API TROTH_CHECK bool troth_write(troth_conn *, const troth_span *parts, size_t n_parts);
/* Bytes sealed but not yet sent: for back-pressure. */
TROTH_API size_t troth_pending(const troth_conn *);
TROTH_API TROTH_CHECK bool troth_update_keys(troth_conn *, bool peer_too);            /* RFC 9846 4.7.3 */
/* Server, from READY on: asks a client that offers it for a certificate (RFC 9846 4.7.2); TROTH_CLIENT_AUTH is the answer.  One at a
 * time.  What the client wrote before it answered is still that of somebody unknown.  False, and troth_why() is NULL: the client does not
 * offer it, or an external PSK speaks for it (RFC 9846 4.4.2), and the connection goes on. */
TROTH_API TROTH_CHECK bool troth_ask_again(troth_conn *);
/* Sends close_notify; reading goes on.  Before our own Finished is out it ends the handshake, and with it the connection. */
TROTH_API void troth_close(troth_conn *);
/* Before a wait that may be long, for the transport or for an answer of the application's: gives back every buffer that is empty.  Like
 * any call it ends the spans of the last event, the room of RECV among them: call troth_next() again when there is something to do. */
TROTH_API void troth_rest(troth_conn *);
/* The transport broke (reset, timeout): the connection fails with this reason of the net section. */
TROTH_API void troth_broken(troth_conn *, enum troth_reason, const char *detail);
/* The application gives up: the peer gets this fatal alert (TLS number; 255: none), at any time, also instead of an answer.  `because` stays
 * with the error (TROTH_R_APP_ABORTED).  0 is close_notify, which would tell the peer that it has all there was: a mistake. */
TROTH_API void troth_abort(troth_conn *, uint8_t alert, const char *because);

/* While TROTH_ASK_SERVER is open: the i-th protocol that the client offers (ALPN, RFC 7301), in its order; the bytes stay until the answer.
 * So the configuration may go by it, as RFC 8737 (acme-tls/1) wants.  False: there is no i-th, or nobody is asked. */
TROTH_API TROTH_CHECK bool troth_offered_protocol(const troth_conn *, size_t i, troth_span *name);
TROTH_API void troth_answer_server(troth_conn *, const troth_server *);   /* the same, or another configuration; NULL: unrecognized_name */
/* Likewise for several connections that ask at the same time, each with its own answer.  What comes of each is what comes of answering one
 * after the other; but on processors with AVX-512 IFMA their X25519 key exchanges, and then their P-256 signatures, are computed eight at a time,
 * which takes about half as long.  Worth it for two or more; a server gathers those whose hello arrived in one round of its loop.  NULL for
 * all configurations is NULL for each. */
TROTH_API void troth_answer_servers(troth_conn *const *, const troth_server *const *, size_t n);
/* Instead, where troth_what().ech is accepted: the encrypted hello is not to count, for one because its name is none of ours.  The server
 * goes on with the outer one as if it had no keys, so that the client comes back in the clear; TROTH_ASK_SERVER is said again, for the public
 * name. */
TROTH_API void troth_refuse_ech(troth_conn *);
TROTH_API void troth_answer_client(troth_conn *, const troth_client *);   /* whose identities to choose from; NULL: none is shown            */
TROTH_API void troth_answer_sign(troth_conn *, troth_span signature);     /* empty: it could not be made                                 */
TROTH_API void troth_answer_verdict(troth_conn *, bool accept, const char *because);
/* Likewise no: not that the certificate is bad, but that its owner is not to come in (access_denied, RFC 9846 6.2; TROTH_R_ACCESS_DENIED). */
TROTH_API void troth_answer_denied(troth_conn *, const char *because);

/* ================================================================ learn */

enum troth_early { TROTH_EARLY_NOT_TRIED, TROTH_EARLY_ACCEPTED, TROTH_EARLY_REJECTED };
enum troth_named { TROTH_NAMED_NOT, TROTH_NAMED_UNKNOWN, TROTH_NAMED_KNOWN };
enum troth_ech { TROTH_ECH_NOT_TRIED, TROTH_ECH_GREASED, TROTH_ECH_ACCEPTED, TROTH_ECH_REJECTED };

typedef struct troth_facts {
    uint16_t    version, suite, group;      /* 0 while not known                                            */
    uint16_t    peer_scheme, own_scheme;    /* SignatureScheme of the peer's, of our CertificateVerify; 0    */
    bool        ready, resumed, hello_retry, client_authenticated, extended_master_secret, psk_external;
    bool        peer_delegated, own_delegated; /* the peer, we signed with the key of a delegated credential   */
    uint8_t     early, ech;                 /* enum troth_early, enum troth_ech                              */
    uint8_t     peer_type, own_type;        /* enum troth_certificate_type                                   */
    uint8_t     named;                      /* server, enum troth_named: has a certificate of ours the name that was asked for?
                                             * NOT: none was, or none had to be shown                       */
    int         own_identity;               /* which of ours was shown, counted from 0 in the order of troth_identity_...; -1: none */
    troth_span  alpn;                       /* empty: none                                                   */
    troth_span  server_name;                /* as the client sent it; empty: none                            */
    troth_span  session_id;                 /* TLS 1.2: of a session that the server remembers, not in a ticket     */
    troth_span  client_random, server_random;
    troth_span  peer_raw_key;               /* SubjectPublicKeyInfo, where raw public keys were agreed       */
    troth_span  peer_staple, peer_scts;     /* as received: an OCSP response, a SignedCertificateTimestampList */
    troth_span  ech_retry_configs;          /* client, ECH rejected: what to try next                        */
    troth_span  acceptable_authorities;     /* from the peer's last CertificateRequest: DistinguishedNames   */
    troth_span  peer_quic_parameters;
    const char *early_why;                  /* why early data was (not) accepted; NULL: there was none       */
    uint32_t    early_left;                 /* client: bytes of early data that may still be written         */
    uint64_t    bytes_in, bytes_out;        /* on the wire                                                   */
    int32_t     ticket_age_skew;            /* seconds between the client's and our idea of a ticket's age    */
} troth_facts;

/* All spans live as long as the connection. */
TROTH_API troth_facts         troth_what(const troth_conn *);
/* What both ends can call a connection, and the failures and logs of troth do (hs=): the first eight bytes of the client's random, in
 * hexadecimal and ended by a zero.  False, and empty: no hello was understood. */
TROTH_API bool                troth_hello_name(char out[17], const troth_facts *);
/* The next of acceptable_authorities, a DistinguishedName in DER (RFC 9846 4.3.4); false: there is none more.  `rest` begins as all of them:
 *
 *      for (troth_span rest = what.acceptable_authorities, name; troth_authority_next(&rest, &name);) ... */
TROTH_API TROTH_CHECK bool    troth_authority_next(troth_span *rest, troth_span *name);
/* A DistinguishedName in DER as troth's own sentences have it, "CN=Example Root, O=Example", in UTF-8 without control characters; cut to `n`
 * bytes, its ending zero among them.  Returns `out`. */
TROTH_API const char         *troth_name_text(char *out, size_t n, troth_span name);
TROTH_API const troth_error  *troth_why(const troth_conn *);    /* NULL while all is well                                     */
TROTH_API const troth_report *troth_peer(const troth_conn *);   /* the peer's chain and every check; also after a failure; NULL: none came */
/* The certificate that the peer showed, without those of its issuers; also after a failure, and of a resumed session, for which there is no
 * report.  Whether it counts is for troth_what() (ready, client_authenticated) to say.  False: none was. */
TROTH_API TROTH_CHECK bool    troth_peer_certificate(const troth_conn *, troth_span *der);
/* The pin of the key that the peer showed, as troth_trust_pin takes it; also after a failure, and of a resumed session.  False: none was.
 *
 * Trust on first use: first a configuration with troth_danger_trust_anyone and troth_ask_verdict, whose verdict is the user's on the pin
 * (TROTH_ASK_VERDICT comes only once the peer proved to have the key); kept from then on with the host name, and from the second time on a
 * configuration with troth_trust_pin of it.  Whoever is in the way the first time is trusted for ever. */
TROTH_API TROTH_CHECK bool    troth_peer_pin(const troth_conn *, uint8_t spki_sha256[32]);
/* RFC 9846 7.5, RFC 5705; from READY on, of a server that accepted early data from EARLY on; until FAILED, with TLS 1.2 until DONE.
 * `early`: of the early exporter secret (0-RTT).  With TLS 1.2 no context (NULL) and an empty one are two things (RFC 5705 4).  False: it is not
 * the time, the label is too long, or more bytes are asked for than there are (TLS 1.3: 255 times the hash's); the connection goes on. */
TROTH_API TROTH_CHECK bool    troth_export(const troth_conn *, const char *label, troth_span context, uint8_t *out, size_t n);
TROTH_API TROTH_CHECK bool    troth_export_early(const troth_conn *, const char *label, troth_span context, uint8_t *out, size_t n);

/* "TLS_AES_128_GCM_SHA256", "x25519", "ecdsa_secp256r1_sha256", "TLS 1.3", "unknown_ca"; NULL when IANA does not know it.  And back:
 * 0 when the name is unknown (names are compared without regard to case). */
TROTH_API const char *troth_suite_name(uint16_t);
TROTH_API const char *troth_group_name(uint16_t);
TROTH_API const char *troth_scheme_name(uint16_t);
TROTH_API const char *troth_version_name(uint16_t);
TROTH_API const char *troth_alert_name(uint8_t);
TROTH_API uint16_t troth_suite_by_name(const char *);
TROTH_API uint16_t troth_group_by_name(const char *);
TROTH_API uint16_t troth_scheme_by_name(const char *);
/* The kind of signature (provider.h) that a scheme asks for; TROTH_SIG_NONE: it is none that troth knows.  For whoever answers
 * TROTH_ASK_SIGN by a provider's `sign`. */
TROTH_API enum troth_sig troth_scheme_sig(uint16_t);

#ifdef __cplusplus
}
#endif
#endif
