/* keeper.h - private keys in a process of their own, the keeper: the front, which speaks to the network, knows them by their public halves and
 * asks for signatures.
 *
 * Must never let a private key, nor what a file of one holds, into the memory of the front; and never wait for a signature. */
#ifndef CLI_KEEPER_H
#define CLI_KEEPER_H

#include <event2/event.h>
#include <troth/troth.h>

#include "common/args.h"
#include "common/log.h"

struct keeper;
struct tape;

/* The keys of one configuration, counted: whoever may still ask has a share. */
struct keyring;

/* Starts the process; before anything secret was read, as it has what our memory has.  It lets go of `n_passed` sockets that we were started
 * with, and ends with us.  NULL after a message: *status says how to exit. */
struct keeper *keeper_begin(const struct args *first, const struct log *log, bool client, size_t n_passed, int *status);
/* It reads the keys that the options name, the first time or again, and says what is wrong with them as whoever reads them here does.  NULL
 * after a message. */
struct keyring *keeper_read(struct keeper *, const struct args *a, int *status);
/* From here on signatures come in on that loop.  `lost` is called when the keeper has ended before us. */
bool keeper_open(struct keeper *, struct event_base *, void (*lost)(void *ctx), void *ctx);
/* The loop is over: nothing is asked any more. */
void keeper_close(struct keeper *);
/* Ends it, and waits for that.  Every keyring is to be freed before. */
void keeper_end(struct keeper *);

/* Is what that option names read by the keeper?  alone: and by nobody else. */
bool keeper_reads(enum opt o, bool *alone);

struct keyring *keyring_share(struct keyring *);
void keyring_free(struct keyring *);
/* The i-th --cert with its key elsewhere; whatever is wrong is the builder's mistake. */
void keyring_identity(struct keyring *, troth_builder *, size_t i);
void keyring_raw_key(struct keyring *, troth_builder *);
/* What stands for the key of its delegated credential, and is known to the builder from here on. */
troth_span keyring_lent(struct keyring *, troth_builder *, size_t i);
/* A recording needs to know of the keys what it would have learned when they were loaded. */
void keyring_to_tape(const struct keyring *, struct tape *);
/* The i-th thing worth knowing that only who read the files knows; TROTH_R_NONE: no more. */
enum troth_reason keyring_warning(const struct keyring *, size_t i, const char **detail);

/* A signature that was asked for. */
struct question;

/* Asks what TROTH_ASK_SIGN asks.  `answered` is called in the loop, later and once; empty: it could not be made.  NULL: it cannot be asked. */
struct question *question_ask(const troth_event *, void (*answered)(void *ctx, troth_span signature), void *ctx);
/* Nobody waits for it any more.  NULL is fine. */
void question_drop(struct question *);

#endif
