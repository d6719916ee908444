/* flavour.h - one row per feature of a handshake, for tests that must go through all of them: faults, streams, secrets, fuzzing.
 *
 *     struct scene *s = scene_new(&flavours[i], world_new(fake_provider(1)));   // what both ends need, and a session where one is resumed
 *     scene_build(s, client_crypto, server_crypto);                             // both configurations; false: memory ran out
 *     scene_open(s, &p);  scene_talk(s, &p)  ...  pair_free(&p);                // one connection from hello to close
 *     scene_free(s); world_free(w);
 *
 * A new feature is a row here and its lines in the two tweaks. */
#ifndef TESTS_SUPPORT_FLAVOUR_H
#define TESTS_SUPPORT_FLAVOUR_H

#include <troth/explain.h>

#include "support/credential.h"
#include "support/pair.h"

enum {
    F_12 = 1 << 0, F_HYBRID = 1 << 1, F_RETRY = 1 << 2, F_AUTH = 1 << 3, F_RESUME = 1 << 4, F_EARLY = 1 << 5, F_IDS = 1 << 6,
    F_ECH = 1 << 7, F_PLAIN_CERT = 1 << 8, F_RAW = 1 << 9, F_DELEGATED = 1 << 10, F_LATE = 1 << 11, F_PSK = 1 << 12, F_IMPORT = 1 << 13,
    F_STAPLE = 1 << 14, F_NAMES = 1 << 15, F_LOG = 1 << 16, F_STORY = 1 << 17, F_ASK = 1 << 18, F_ALPN = 1 << 19, F_LIMITS = 1 << 20,
    F_REVERIFY = 1 << 21, F_REFUSED = 1 << 22 /* the session, or the early data, or ECH */, F_256 = 1 << 23,
    F_WISHES = 1 << 24 /* filters, authorities, signatures of certificates */, F_FORGET = 1 << 25 /* another server goes on from the cookie */
};

struct flavour {
    const char *name;
    uint32_t    bits;
};
extern const struct flavour flavours[];
extern const size_t n_flavours;
/* And with those behind them, whose server is another one after scene_open: not for tests that watch it or meddle with what it says. */
extern const size_t n_flavours_all;
/* By name; a wrong one fails the test. */
const struct flavour *flavour_of(const char *name);

enum { SCENE_SESSION_MAX = 8192, SCENE_TEXT = 40 };

struct scene {
    const struct flavour *f;
    struct world         *w;
    const char           *host;
    struct credential     credential, client_credential;
    span                  staple, chain[2], key[2];   /* of further names */
    troth_ech_pair        ech, old_ech;
    uint8_t               pin[2][32];                 /* of the server's key, of the client's */
    troth_client         *client;
    troth_server         *server;
    troth_session_cache   cache;
    uint8_t               cached_id[32], cached[SCENE_SESSION_MAX];
    size_t                cached_n;
    uint8_t               session[SCENE_SESSION_MAX]; /* what TROTH_TICKET gave; used by scene_open */
    size_t                session_n;
    bool                  offered;
    bool                  any_replay;                 /* set before scene_build: no early data is a replay */
    int64_t               now;                        /* seconds that passed */
    size_t                log_lines;
    const troth_allocator *story_memory;              /* F_STORY: of the stories; NULL: malloc's */
    troth_story          *story[2];
    unsigned              late;                       /* how often TROTH_CLIENT_AUTH came */
    /* What the ends say to each other: texts of SCENE_TEXT bytes. */
    char                  question[SCENE_TEXT + 1], answer[SCENE_TEXT + 1], early[SCENE_TEXT + 1];
};

/* The world stays the caller's.  Gets itself a session with providers of its own kind where the flavour resumes one. */
struct scene *scene_new(const struct flavour *, struct world *);
void scene_free(struct scene *);
/* Takes one ownership of each provider.  scene_unbuild gives both configurations back. */
bool scene_build(struct scene *, troth_provider *client, troth_provider *server);
void scene_unbuild(struct scene *);
void scene_open(struct scene *, struct pair *);
/* The whole conversation; true: everything went through. */
bool scene_talk(struct scene *, struct pair *);
/* Then, and when nothing was done to it: the flavour was what it says. */
void scene_assert_kind(const struct scene *, const struct pair *);
/* What must be true of both ends at any time, whatever was done to them: nobody is ready with a peer that is not who it should be, a
 * failure has one reason that stays, and after it nothing comes or goes. */
void scene_check(struct scene *, struct pair *);
/* Of one end, where the other may have lied. */
void scene_check_end(struct scene *, struct pair_end *);
/* Frees the pair, and the stories. */
void scene_close(struct scene *, struct pair *);

#endif
