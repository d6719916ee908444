/* outfile.h - a file that is written whole or not at all: what was there before stays until all of the new is there.
 *
 * Must never leave half a file under the name that was asked for. */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include <stdio.h>

#include "args.h"

enum { OUTFILE_PATH = 4096 };

struct outfile {
    FILE *to;                   /* NULL: not open                                                    */
    bool  direct;               /* a device, a pipe: written as it comes                             */
    bool  nameless;             /* the new file has no name yet                                      */
    char  path[OUTFILE_PATH];   /* where it belongs, links resolved                                  */
    char  beside[OUTFILE_PATH]; /* the name that it has in between                                   */
};

/* `mode` is that of a new file, before the umask.  False with errno set. */
bool outfile_open(struct outfile *, const char *path, unsigned mode);
/* keep: it is complete.  False with errno set: it could not be kept, and what was there before still is. */
bool outfile_close(struct outfile *, bool keep);

#endif
