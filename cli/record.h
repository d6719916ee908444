/* record.h - recordings: the bytes of a connection and its secrets as a pcapng file, which troth explain and Wireshark read.
 *
 * Whoever has a recording can read the connection: the file is made for its owner alone. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <troth/explain.h>

#include "args.h"

struct recorder;

/* NULL when memory runs out; NULL is fine everywhere below. */
struct recorder *recorder_new(void);
void recorder_free(struct recorder *);
/* Bytes that left (out) or came: fits struct link. */
void recorder_saw(void *recorder, bool out, const uint8_t *p, size_t n);
/* Writes what was kept, and the secrets that the story knows (it must recompute or keep them).  `address`: the peer's, "192.0.2.1:443";
 * `server`: we are the server.  False after a message. */
bool recorder_write(const struct recorder *, const struct args *, const troth_story *, const char *address, bool server, const char *path);

#endif
