/* psk.h - keys that both sides were given beforehand (RFC 9846 4.3.11): --psk and what goes with it. */
#ifndef CLI_PSK_H
#define CLI_PSK_H

#include <troth/troth.h>

#include "common/args.h"

/* False after a message; *status says how to exit then. */
bool psk_options(const struct args *a, troth_builder *b, int *status);
/* Likewise, from the text of such a file. */
bool psk_text(const struct args *a, troth_builder *b, char *text, size_t n, const char *path);

#endif
