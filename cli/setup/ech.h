/* ech.h - the options of Encrypted Client Hello. */
#ifndef CLI_ECH_H
#define CLI_ECH_H

#include <troth/troth.h>

#include "common/args.h"

/* --ech-config, --ech-grease; --ech-key.  False after a message. */
bool ech_client_options(const struct args *a, troth_builder *b);
bool ech_server_options(const struct args *a, troth_builder *b);

#endif
