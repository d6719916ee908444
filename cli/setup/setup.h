/* setup.h - from options to a frozen configuration: the same options mean the same in every verb. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <troth/troth.h>

#include "common/args.h"
#include "setup/id_cache.h"

struct allow;
struct keeper;
struct keyring;
struct tape;

/* What a configuration is made with, beside options. */
struct setup {
    struct tape     *tape;     /* who writes down what the provider answers; NULL: nobody   */
    struct id_cache *sessions; /* of TLS 1.2, by id; NULL: none are kept                    */
    struct keeper   *keeper;   /* whose private keys they are; NULL: they are read here     */
    struct allow    *allow;    /* begins as NULL; set where not everybody may come in: the caller's, also if it failed */
    struct keyring  *keys;     /* begins as NULL; set where there is a keeper: the caller's, also if it failed */
};

/* NULL after a message; *status is the exit code. */
troth_client *setup_client(const struct args *a, struct setup *how, int *status);
troth_server *setup_server(const struct args *a, struct setup *how, int *status);
/* Nothing but the keys that the options name, with their certificates; *status as above. */
bool setup_keys(const struct args *a, troth_builder *b, int *status);
/* All of its parts, each on its own, so that every mistake is told; then the whole.  The exit status; nothing is written anywhere. */
int setup_check(const struct args *a, bool is_client);
/* --record: the tape that it needs.  NULL where it was not given, or without memory. */
struct tape *setup_tape(const struct args *a);
/* Where secrets are logged to: --keylog or SSLKEYLOGFILE; NULL: nowhere. */
const char *setup_key_log(const struct args *a);
/* The versions, groups, suites, signatures, protocols, compression and sessions that the options ask for.  False after a message. */
bool setup_speak(const struct args *a, troth_builder *b, bool server);
/* Was the setter that got what is in `path` the first to find a mistake?  Then it is told with that name, and true. */
bool setup_mistake(const struct args *a, const troth_builder *b, const char *path);
/* The exit code that belongs to a failure. */
int exit_code_of(const troth_error *e);
/* The same before there is a peer: what is wrong is then wrong with a file of ours, whatever its code says of peers. */
int own_exit_code_of(const troth_error *e);

#endif
