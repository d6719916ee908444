/* credentials.h - files that whoever started us put into a folder for us alone: CREDENTIALS_DIRECTORY, as systemd's LoadCredential= has it. */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "common/args.h"

/* The name of a file that an option names: as it is, or, where it has no slash and `place` (NULL: its name from the working directory) is not
 * there, of the one in that folder if there is one; that is kept in `a`.  NULL: a longer name than there is room for. */
const char *credential_path(struct args *a, const char *name, const char *place);

/* That folder; NULL: nothing is lent. */
const char *credential_folder(void);

#endif
