/* old_hello.h - asks a server for what troth itself does not speak: old versions, suites without forward secrecy. */
#ifndef CLI_OLD_HELLO_H
#define CLI_OLD_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/via.h"

struct old_answer {
    uint16_t version, suite;
    unsigned dh_bits; /* of the Diffie-Hellman group in its ServerKeyExchange; 0: not asked, or none could be read */
};

/* Sends one ClientHello for this name with exactly this version and these suites.  True: a ServerHello came, and what it chose.  with_group:
 * all these suites are DHE, and its group is looked at as well. */
bool old_hello(const struct via *v, const struct target *place, const char *name, int timeout_ms, uint16_t version, const uint16_t *suites, size_t n,
               bool with_group, struct old_answer *answer);

#endif
