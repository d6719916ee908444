/* slurp.h - reading a file into memory: the only place of the library that opens files, for builders alone. */
#ifndef API_SLURP_H
#define API_SLURP_H

#include "base/arena.h"
#include "base/error.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

/* The whole file, in the arena.  False and *error (TRUST_UNREADABLE, with the path) when it cannot be read. */
bool MUST_USE slurp(struct arena *arena, const char *path, span *out, troth_error *error);

#endif
