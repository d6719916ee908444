/* facts.h - what a recording holds beside the bytes of the wire: how this end was set up, whom it asked for, when, what came of it, and
 * what the provider answered.  One JSON text ("troth.recording/1"), in a block of the pcapng file that other programs pass over.
 *
 * Must never hold a private key, nor any secret unless the tape was told to keep them in a call named danger. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include <jansson.h>
#include <troth/explain.h>
#include <troth/verify.h>

#include "common/args.h"
#include "setup/tape.h"

enum { FACTS_BLOCK = 0x80747274 }; /* of the range that the format leaves to everybody (draft-ietf-opsawg-pcapng 10.1) */

/* One connection that is to be written down. */
struct facts_of {
    const struct args *args;
    const json_t      *setup;    /* facts_setup; borrowed                                      */
    troth_conn        *conn;     /* NULL: it came to none                                      */
    const troth_error *error;    /* reason TROTH_R_NONE: it went well                          */
    const char        *target;   /* as the user typed it, or the client's address              */
    troth_span         session;  /* that a client offered to resume; secret                      */
    const char        *host;     /* the name that was checked; NULL on servers                 */
    int64_t            now;      /* the clock that certificates were judged by                 */
};

/* The configuration that the options amount to, one of the two: certificates, roots, lists, of keys their public half; secrets only where the
 * tape keeps them.  NULL when memory runs out. */
json_t *facts_setup(const struct args *a, const struct tape *tape, const troth_server *s, const troth_client *c);
/* All of it. */
json_t *facts_make(const struct facts_of *f, const struct reel *r);

/* -- reading */
/* Four bytes of a pcapng file; `little`: in which order its section is. */
uint32_t pcapng_word(const uint8_t *p, bool little);
/* The facts of a recording; NULL: the capture has none that are whole. */
json_t *facts_find(const uint8_t *file, size_t n);
/* The options, as if they had been given: what `json` does not name is as it was in `a`.  `json` must outlive it. */
void facts_options(const json_t *facts, struct args *a);
/* What the provider answered.  False: it is damaged. */
bool facts_reel(const json_t *facts, struct reel *r);
/* The keys of the configuration, for the tape that plays. */
void facts_keys(const json_t *facts, struct tape *);
/* How it ended. */
troth_error facts_failure(const json_t *facts);
/* A text at a path of one or two keys; "" where there is none. */
const char *facts_text(const json_t *facts, const char *key, const char *below);
json_t *facts_hex(const uint8_t *p, size_t n);
/* Hexadecimal digits to bytes, malloc'd; NULL: they are none. */
uint8_t *facts_bytes(const json_t *hex, size_t *n);

#endif
