/* http1.h - reads one HTTP/1.1 answer from bytes as they come (RFC 9112): status, headers, body by length, by chunks or to the end.
 *
 * Pure: no I/O, bounded memory, strict about what could be read in two ways. */
#ifndef CLI_HTTP1_H
#define CLI_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP1_HEAD_MAX = 65536 };

struct http1 {
    int      status;                   /* 200; 0 until the head is complete          */
    char     head[HTTP1_HEAD_MAX + 1]; /* status line and headers, lines ended by \n */
    size_t   head_n;
    bool     head_only;                /* the request was HEAD                       */
    bool     tunnel;                   /* it was CONNECT: behind a 2xx there is no body, whatever the headers say (RFC 9110 9.3.6) */
    bool     chunked, has_length, done;
    uint64_t left;                     /* of the body, or of the chunk               */
    int      step;
    unsigned interim;                  /* answers before the real one                */
    char     line[256];                /* a chunk's size line or a trailer           */
    size_t   line_n;
    const char *error;                 /* what was wrong                             */
    bool   (*body)(void *ctx, const uint8_t *p, size_t n);
    void    *ctx;
};

/* False: not HTTP (error says why), or `body` said so. */
bool http1_feed(struct http1 *h, const uint8_t *p, size_t n);
/* The peer will send no more.  False: the answer is cut short. */
bool http1_end(struct http1 *h);
/* Value of a header, copied; false when it is absent, or too long. */
bool http1_header(const struct http1 *h, const char *name, char *out, size_t cap);
/* How many headers of this name there are. */
size_t http1_count(const struct http1 *h, const char *name);

#endif
