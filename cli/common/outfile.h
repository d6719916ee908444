/* outfile.h - a file that is written whole or not at all: what was there before stays until all of the new is there.
 *
 * Must never leave half a file under the name that was asked for. */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include <stdio.h>

#include "common/args.h"

enum { OUTFILE_PATH = 4096 };

struct outfile {
    FILE *to;                   /* NULL: not open                                                    */
    bool  direct;               /* a device, a pipe: written as it comes                             */
    bool  nameless;             /* the new file has no name yet                                      */
    bool  fresh;                /* nothing is to be there before                                     */
    bool  lasting;              /* what a power cut must not take                                    */
    char  path[OUTFILE_PATH];   /* where it belongs, links resolved                                  */
    char  beside[OUTFILE_PATH]; /* the name that it has in between                                   */
};

/* `mode` is that of a new file, before the umask.  False with errno set. */
bool outfile_open(struct outfile *, const char *path, unsigned mode);
/* Only where nothing is, and of just this mode, whatever the umask.  errno EEXIST, also from outfile_close: something is there, and stays. */
bool outfile_new(struct outfile *, const char *path, unsigned mode);
/* Written, and on the disk: others can depend on it.  False with errno set. */
bool outfile_put(struct outfile *, const void *bytes, size_t n);
/* The folder that a path leads into, with its slash; ".": it has none. */
void outfile_folder(char *out, size_t cap, const char *path);
/* keep: it is complete.  False with errno set: it could not be kept, and what was there before still is. */
bool outfile_close(struct outfile *, bool keep);

#endif
