/* setup.h - from options to a frozen configuration: the same options mean the same in every verb. */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <troth/troth.h>

#include "args.h"

/* NULL after a message; *status is the exit code. */
troth_client *setup_client(const struct args *a, int *status);
troth_server *setup_server(const struct args *a, int *status);
/* The exit code that belongs to a failure. */
int exit_code_of(const troth_error *e);

#endif
