/* api.h - what the files of api/ share: a builder from the inside.
 *
 * A builder is a configuration that is still being written, and the first mistake that was made with it. */
#ifndef API_API_H
#define API_API_H

#include "base/error.h"
#include "tls/config.h"
#include "tls/conn.h"

/* A private key that somebody else signs with (troth_key_elsewhere). */
struct elsewhere {
    const struct elsewhere *next;
    span                    spki;
    enum troth_key_type     type;
    uint32_t                can;
    void                   *tag;
};

struct troth_builder {
    struct config         config;      /* becomes the frozen one, arena and all                 */
    troth_error           error;       /* first mistake                                         */
    troth_policy_builder *trust;       /* from troth_trust_system, _file, _pem; NULL: none used */
    size_t                cap_identities, cap_pins, cap_psks;
    troth_passphrase_fn  *passphrase;
    void                 *passphrase_ctx;
    const struct elsewhere *elsewhere; /* keys that are; NULL: none is                                   */
    bool                  grease_given;
};

/* Every setter: false when there is no builder or it failed before. */
static inline bool builder_ok(const troth_builder *b)
{
    return b && !error_is_set(&b->error);
}

/* "troth_groups: no such group": the setter's name goes into the detail. */
#define mistake(b, reason, ...) ((void)fail((b), reason, __VA_ARGS__))

/* builder.c: may this setter be used?  A server's on a client is a mistake. */
bool builder_role(troth_builder *b, bool server, const char *setter);
/* Are the `n` things at `p` there?  If not, that is the builder's mistake. */
bool builder_given(troth_builder *b, const void *p, size_t n, const char *setter);

/* defaults.c */
void defaults(struct troth_builder *b);
uint16_t default_group(size_t i); /* 0 at the end */

/* identity.c */
bool MUST_USE identity_from_pem(struct troth_builder *b, const char *setter, span chain, const span *key, void *tag);
bool MUST_USE identity_from_raw(struct troth_builder *b, const char *setter, span key);
bool MUST_USE identity_delegate(struct troth_builder *b, struct identity *id, const char *setter, span credential, span key);
void identity_elsewhere(struct troth_builder *b, const char *setter, const struct elsewhere *key);
/* The i-th identity gets its schemes and its Certificate messages. */
bool MUST_USE identity_finish(struct troth_builder *b, struct identity *id);

/* A thing worth knowing about what works (troth_server_warning). */
bool MUST_USE identity_warn(struct troth_builder *b, enum troth_reason why, const char *detail);
/* staple.c: warns when what is to be stapled is no good. */
bool MUST_USE staple_look(struct troth_builder *b, const struct identity *id);

/* look.c: warns of what a server's clients will find wrong with its certificates. */
bool MUST_USE chain_look(struct troth_builder *b, const struct identity *id);

/* builder.c: the identity added last, for the setters that refine it; NULL: there is none, and that is a mistake */
struct identity *last_identity(troth_builder *b, const char *setter);

/* compress.c: what was built in */
const troth_compressor *compressors_built_in(size_t *n);
const troth_compressor *compressor_built_in(uint16_t id); /* NULL: it was not */

void identity_free_keys(const troth_provider *p, struct identity *id);

/* file.c: the whole file, in memory of the configuration's allocator that file_free gives back. */
bool MUST_USE file_read(troth_error *e, const troth_allocator *memory, const char *path, span *out);
void file_free(const troth_allocator *memory, span file);

/* verify.c: the first mistake that was made with it; NULL: none. */
const troth_error *policy_mistake(const troth_policy_builder *b);
/* A policy that trusts nobody is a mistake, except where the chain is only looked at. */
void policy_trust_nobody(troth_policy_builder *b);
/* sessions.c: what a configuration needs for sessions, PSKs and early data, once all else is set. */
bool MUST_USE sessions_finish(struct troth_builder *b);
/* The configuration has its final place. */
void sessions_frozen(struct config *c);

/* quic.c: does what was configured go with QUIC?  Sets what QUIC demands. */
bool MUST_USE quic_fits(struct troth_builder *b);

/* config.c */
bool MUST_USE config_build(struct troth_builder *b);

#endif
