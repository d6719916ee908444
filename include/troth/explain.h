/* troth/explain.h - the story of a connection: record it, write it out; explain a failure, a capture, a message, somebody else's error.
 *
 * A story listens to the code that does the work - the parser, the choices, the checks, the key schedule - so it cannot differ from
 * what was done.  Give it to troth_tell() before the first troth_next(), and write it whenever you like, also after a failure.
 *
 *     troth_story *s = troth_story_new(NULL);
 *     troth_tell(conn, s);  ...  troth_story_write(s, &(troth_story_options){ .size = sizeof(troth_story_options) }, sink, file);
 *
 * A story holds no secret and writes none unless a function with `danger` in its name was called. */
#ifndef TROTH_EXPLAIN_H
#define TROTH_EXPLAIN_H

#include <troth/troth.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ================================================================ record */

/* mem == NULL: malloc and free.  NULL when memory runs out; every function here takes NULL and then does nothing. */
TROTH_API TROTH_CHECK troth_story *troth_story_new(const troth_allocator *mem);
TROTH_API void troth_story_free(troth_story *);
/* Microseconds of a clock that only goes forward.  The library reads no clock: without this the story has an order but no times. */
TROTH_API void troth_story_clock(troth_story *, int64_t (*microseconds)(void *ctx), void *ctx);
/* Whom the user asked for ("shop.example:443"), and when (seconds since 1970; 0: unknown). */
TROTH_API void troth_story_about(troth_story *, const char *peer, int64_t unix_seconds);
/* This end is the server.  (Messages that "we" wrote are the server's.) */
TROTH_API void troth_story_as_server(troth_story *);
/* Compute every secret of the key schedule a second time, by other code, and compare.  Keeps the values in memory (never written) until
 * the story is freed.  Takes one ownership of the provider. */
TROTH_API void troth_story_recompute(troth_story *, troth_provider *);
/* Keep the values of secrets and write them out.  Whoever reads such a story can decrypt the connection. */
TROTH_API void troth_story_danger_keep_secrets(troth_story *);
/* The secrets of a story that recomputes or keeps them, as lines of a key log (RFC 9850): what recordings are made with. */
TROTH_API TROTH_CHECK bool troth_story_danger_key_log(const troth_story *, bool (*line)(void *ctx, const char *p, size_t n), void *ctx);
/* A sentence on the story as a whole, which stands at its head: how it was come by, what it lacks.  Also in redacted stories, so no names. */
TROTH_API void troth_story_note(troth_story *, const char *sentence);
/* Something that the program saw outside the connection: "name resolved", "TCP connected". */
TROTH_API void troth_story_mark(troth_story *, const char *what);
/* Application data as the program wrote or read it; the first 2 kB of each direction are kept. */
TROTH_API void troth_story_data(troth_story *, bool from_client, troth_span plain);
/* A failure outside the connection (a socket).  The first one stays. */
TROTH_API void troth_story_failed(troth_story *, const troth_error *);
/* The checks of a report that was made outside the connection (troth_ask).  Names, rules and evidence are copied; the certificates
 * themselves are told with troth_explain_message.  NULL: nothing. */
TROTH_API void troth_story_judged(troth_story *, const troth_report *);

/* ================================================================ write */

enum troth_story_form { TROTH_STORY_TEXT, TROTH_STORY_JSON, TROTH_STORY_HTML };
/* What to show: five sentences; with decisions, certificates, checks, keys, times; with every field; with every byte. */
enum troth_story_depth { TROTH_DEPTH_DEFAULT, TROTH_DEPTH_SUMMARY, TROTH_DEPTH_STEPS, TROTH_DEPTH_FIELDS, TROTH_DEPTH_BYTES };

typedef struct troth_story_options {
    size_t   size;           /* sizeof this struct                                                           */
    uint8_t  form;           /* enum troth_story_form                                                        */
    uint8_t  depth;          /* enum troth_story_depth: text and JSON; default: STEPS (text), BYTES (JSON)   */
    uint16_t width;          /* text: columns; 0: 80                                                         */
    bool     colour;         /* text: ANSI colours                                                           */
    bool     unicode;        /* text: symbols beyond ASCII                                                   */
    bool     redact;         /* leave no name, address or opaque byte: structure, numbers and verdicts only  */
    bool     no_verdict;     /* text: without its first lines, where a failure text stands above it already  */
} troth_story_options;

/* False stops the writer. */
typedef bool troth_sink(void *ctx, const char *p, size_t n);

/* options == NULL: text, default depth, 80 columns, ASCII, no colour.  False when the sink said so or memory ran out. */
TROTH_API TROTH_CHECK bool troth_story_write(const troth_story *, const troth_story_options *, troth_sink *, void *ctx);

/* ================================================================ explain bytes */

/* One handshake message with its header, one or more records in the clear, or one certificate in DER, told to the story field by field.
 * False when it cannot be read to its end: the story has what came before, and the byte where it stopped. */
TROTH_API TROTH_CHECK bool troth_explain_message(troth_story *, troth_span bytes, bool from_client, troth_error *);

/* A capture: pcap or pcapng, as a whole in memory, which stays the caller's and must outlive it.  Streams are put together in spite of
 * loss, reordering and retransmission. */
typedef struct troth_capture troth_capture;
typedef struct troth_captured {
    char     client[64], server[64];  /* address and port                                          */
    char     server_name[256];        /* as the client sent it; "": none, or not to be seen         */
    int64_t  began;                   /* microseconds since 1970                                   */
    uint32_t packets;
    uint64_t bytes_out, bytes_in;     /* payload from the client, from the server                  */
    bool     reset;
    bool     tls;                     /* a ClientHello is in it                                    */
} troth_captured;
/* What a capture holds, for saying why there is nothing to tell. */
typedef struct troth_capture_counts {
    uint64_t packets, tcp, udp;       /* of TCP and UDP over IP                                    */
    uint64_t quic, dtls;              /* of UDP: first packets of QUIC, records of DTLS            */
    uint64_t unread;                  /* anything else, fragments, and what is cut short           */
    uint64_t left_out;                /* of TCP: of connections beyond the first 65536             */
    uint32_t strange_link;            /* a link type that is not read; 0: none                     */
} troth_capture_counts;
TROTH_API TROTH_CHECK troth_capture *troth_capture_open(troth_span file, const troth_allocator *mem, troth_error *);
TROTH_API void troth_capture_free(troth_capture *);
TROTH_API size_t troth_capture_count(const troth_capture *);
TROTH_API troth_captured troth_capture_at(const troth_capture *, size_t i);
TROTH_API troth_capture_counts troth_capture_packets(const troth_capture *);
/* Reads the i-th connection into a story, decrypting what the key log (NSS format, RFC 9850; may be empty) and the secrets in the
 * capture allow.  Takes one ownership of the provider.  False: no such connection, or no memory. */
TROTH_API TROTH_CHECK bool troth_capture_explain(troth_capture *, size_t i, troth_span keylog, troth_provider *, troth_story *);

/* ================================================================ failures */

/* What a failure text can use beside the error; everything may be 0 or NULL. */
typedef struct troth_failure_context {
    size_t              size;        /* sizeof this struct                                                  */
    const char         *peer;        /* as the user typed it: "shop.example:443"                            */
    const troth_report *report;      /* of the peer's chain                                                 */
    const troth_facts  *facts;
    int64_t             now;         /* the clock that certificates were judged by                          */
    const char         *saw;         /* more evidence, one line                                             */
    const char         *retried;     /* what other attempts gave                                            */
    const char         *do_this;     /* replaces the remedy of the catalogue                                */
    const char         *more;        /* the command that shows more                                         */
    int32_t             milliseconds;/* the transport took to connect; negative: unknown                    */
    int                 exit_code;   /* negative: do not mention it                                         */
    uint16_t            width;       /* columns; 0: 80                                                      */
    bool                colour, unicode;
} troth_failure_context;

/* The verdict first, then check, saw, who, do, passed, more: at most 12 lines.  False: nothing failed (TROTH_R_NONE), or the sink said so. */
TROTH_API TROTH_CHECK bool troth_failure_write(const troth_error *, const troth_failure_context *, troth_sink *, void *ctx);
/* The long text of one code of the catalogue: what it means, who acts, what to do.  False: no such code. */
TROTH_API TROTH_CHECK bool troth_explain_code(const char *code, const troth_story_options *, troth_sink *, void *ctx);
/* Recognises an error of OpenSSL, curl, GnuTLS, Go, Java, NSS and browsers, nginx, HAProxy in `text`, and says what it means.
 * Returns how many were recognised; 0 writes nothing. */
TROTH_API size_t troth_explain_text(const char *text, const troth_story_options *, troth_sink *, void *ctx);

#ifdef __cplusplus
}
#endif
#endif
