/* pki_files.h - files of certificates and keys: read whole, written once and never over another. */
#ifndef CLI_PKI_FILES_H
#define CLI_PKI_FILES_H

#include <troth/pki.h>

#include "common/args.h"
#include "common/outfile.h"

/* The whole file ("-": standard input), at most `most` bytes; the caller frees.  NULL after a message that names the path. */
enum { FILE_MOST = 64 << 20 };
uint8_t *file_whole(const struct args *a, const char *path, size_t most, size_t *n);
/* Calls `one` for every regular file of the directory that is not hidden, until it answers other than EXIT_OK: that, or EXIT_FILE after a
 * message when the directory cannot be read. */
int dir_walk(const struct args *a, const char *path, int (*one)(void *ctx, const struct args *a, const char *file), void *ctx);
bool is_dir(const char *path);
/* Makes a new file with this mode; refuses to overwrite.  False after a message; nothing is left behind. */
bool file_new(const struct args *a, const char *path, unsigned mode, troth_span bytes);
/* The same in two steps, for several that belong together: all of them on the disk before one of them has its name.  What was begun and is
 * not wanted goes with outfile_close. */
bool file_begin(const struct args *a, struct outfile *, const char *path, unsigned mode, troth_span bytes);
bool file_end(const struct args *a, struct outfile *);
/* The first line of --passphrase-file; a troth_passphrase_fn whose ctx is the struct args. */
size_t passphrase_from_file(void *args, char *out, size_t cap);

#endif
