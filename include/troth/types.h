/* troth/types.h - the words that every troth header shares: a span of bytes, a reason, an error, an allocator.
 *
 * Nothing here does anything.  Include <troth/troth.h> (or verify.h, explain.h, provider.h) instead; they include this. */
#ifndef TROTH_TYPES_H
#define TROTH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TROTH_API   __attribute__((visibility("default")))
#define TROTH_CHECK __attribute__((warn_unused_result))

/* Borrowed bytes: `n` bytes at `p`, which may be NULL where n is 0.  Whoever hands out a span says how long the bytes stay; a span never
 * owns them. */
typedef struct troth_span {
    const uint8_t *p;
    size_t         n;
} troth_span;

typedef struct troth_policy troth_policy;  /* verify.h: by which rules certificates are judged */
typedef struct troth_report troth_report;  /* verify.h: what was judged, and how               */

/* A string literal as a span, without its terminating zero. */
#ifdef __cplusplus
#define TROTH_TEXT(literal) (troth_span{ (const uint8_t *)(literal), sizeof(literal) - 1 })
#else
#define TROTH_TEXT(literal) ((troth_span){ (const uint8_t *)(literal), sizeof(literal) - 1 })
#endif

/* Who has to act on a failure. */
enum troth_who {
    TROTH_WHO_NOBODY,       /* nothing is wrong                                                  */
    TROTH_WHO_YOU,          /* whoever runs this program: an argument, a file, a configuration   */
    TROTH_WHO_PEER,         /* the operator of the peer                                          */
    TROTH_WHO_CA,           /* the authority that issued a certificate                           */
    TROTH_WHO_NETWORK,      /* something between the two ends                                    */
    TROTH_WHO_PROGRAMMER    /* the program that uses troth, or troth itself                      */
};

/* Every way to fail, one line each in reasons.def.  Neither number nor code ("cert.expired") ever
 * changes; store and transmit the code, which people can read. */
enum troth_reason {
#define R(number, name, alert, code, what, who, hint) TROTH_R_##name = number,
#include <troth/reasons.def>
#undef R
    TROTH_REASON_COUNT = 0      /* as many as there are rows: numbers have no gaps; a later version has more */
#define R(number, name, alert, code, what, who, hint) + 1
#include <troth/reasons.def>
#undef R
};

/* One failure, complete: what happened, where, on what evidence, and what to do.  A value: copy it freely.  The strings are
 * constants of the library and live for ever; with TROTH_R_NONE all of them are NULL. */
typedef struct troth_error {
    uint16_t    reason;     /* enum troth_reason; TROTH_R_NONE (0) while all is well                       */
    uint8_t     alert;      /* alert sent, or received if from_peer; 255 where none belongs to this reason */
    bool        from_peer;  /* the peer gave this verdict: it sent an alert                                */
    uint8_t     who;        /* enum troth_who                                                              */
    const char *code;       /* "cert.expired": stable                                                      */
    const char *text;       /* what happened, one sentence                                                 */
    const char *hint;       /* what usually causes it and what to do                                       */
    const char *message;    /* "ServerHello"; NULL outside parsing                                         */
    const char *field;      /* "cipher_suite"; NULL outside parsing                                        */
    uint32_t    at;         /* byte offset of that field in that message                                   */
    const char *file;       /* where in troth it was noticed                                               */
    int         line;
    char        detail[160];/* the values involved, in words; printable                                    */
} troth_error;

/* Where memory comes from, aligned as malloc's.  `free` is given the size that `alloc` was asked for; memory is wiped before it is freed
 * where it may hold a secret.  `alloc` may return NULL: that is one more way to fail (TROTH_R_OUT_OF_MEMORY), never a crash.  Both are
 * called from every thread that uses the library.  The struct, and what ctx points at, outlive whatever was made with them. */
typedef struct troth_allocator {
    void *(*alloc)(void *ctx, size_t n);
    void  (*free)(void *ctx, void *p, size_t n);
    void  *ctx;
} troth_allocator;

/* "cert.expired" -> its number; TROTH_R_NONE if there is no such code.  The texts of a reason, for manuals and explainers. */
TROTH_API enum troth_reason troth_reason_by_code(const char *code);
TROTH_API const char *troth_reason_code(enum troth_reason);
TROTH_API const char *troth_reason_text(enum troth_reason);
TROTH_API const char *troth_reason_hint(enum troth_reason);
TROTH_API enum troth_who troth_reason_who(enum troth_reason);
TROTH_API uint8_t troth_reason_alert(enum troth_reason);   /* what the peer is told; 255: nothing */

#ifdef __cplusplus
}
#endif
#endif
