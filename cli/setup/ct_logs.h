/* ct_logs.h - --ct-logs: a list of Certificate Transparency logs, as browsers publish it. */
#ifndef CLI_CT_LOGS_H
#define CLI_CT_LOGS_H

#include <troth/verify.h>

#include "common/args.h"

/* EXIT_OK, also where the option was not given; or the exit status after a message. */
int ct_logs_use(const struct args *a, troth_policy_builder *b);

#endif
