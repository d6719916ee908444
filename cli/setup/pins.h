/* pins.h - keys that are known: --pin, --client-pin, and raw public keys, which nothing else vouches for. */
#ifndef CLI_PINS_H
#define CLI_PINS_H

#include <troth/troth.h>

#include "common/args.h"

/* One key; false after a message. */
bool pin_read(const struct args *a, enum opt o, const char *text, uint8_t digest[32]);
/* Every value of this option, each a list of pins.  False after a message. */
bool pins_set(const struct args *a, troth_builder *b, enum opt o);
/* Takes raw public keys from the peer where the options ask for that. */
void pins_raw_keys(const struct args *a, troth_builder *b);

#endif
