/* record.h - recordings: the bytes of a connection and the facts behind them as a pcapng file, which troth explain and Wireshark read.
 *
 * A recording holds names, addresses and certificates, and no secret unless the tape keeps secrets: then whoever has it can read the
 * connection.  The file is made for its owner alone. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include "recording/facts.h"

struct recorder;

enum { RECORD_MOST = 64 << 20, RECORD_HANDSHAKE_MOST = 256 << 10 };

/* At most `most` bytes are kept, and it says so where there were more.  NULL without a tape or memory; NULL is fine everywhere below. */
struct recorder *recorder_new(struct tape *, size_t most);
void recorder_free(struct recorder *);
/* What the provider answers from here on belongs to this connection. */
void recorder_turn(struct recorder *);
/* Bytes that left (out) or came; n == 0: the other end will send no more.  Fits struct link. */
void recorder_saw(void *recorder, bool out, const uint8_t *p, size_t n);
/* Application data that is about to be sealed.  Kept only where secrets are. */
void recorder_wrote(struct recorder *, const void *p, size_t n);
/* Writes what was kept.  `address`: the peer's, "192.0.2.1:443"; `server`: we are the server.  False after a message. */
bool recorder_write(const struct recorder *, const struct facts_of *, const char *address, bool server, const char *path);

#endif
