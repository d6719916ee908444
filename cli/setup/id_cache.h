/* id_cache.h - sessions of TLS 1.2 by their id, in memory, for clients that take no tickets.
 *
 * Bounded in number and in bytes: the oldest go first, and those of a day ago when a new one comes.  Must never leave a session's secret in
 * memory that it gave back. */
#ifndef CLI_ID_CACHE_H
#define CLI_ID_CACHE_H

#include <troth/troth.h>

struct id_cache;
struct tape;

/* For at most so many; NULL without memory.  tape: who writes down what is found; NULL: nobody. */
struct id_cache *id_cache_new(size_t most, struct tape *tape);
void id_cache_free(struct id_cache *);
/* For troth_cache(): good as long as the cache. */
troth_session_cache id_cache_interface(struct id_cache *);
/* Forgets all of them.  NULL: there is nothing to forget. */
void id_cache_clear(struct id_cache *);

#endif
