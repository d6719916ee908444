/* idn.h - international host names as they are looked up, sent and compared: "bücher.example" is "xn--bcher-kva.example". */
#ifndef CLI_IDN_H
#define CLI_IDN_H

#include <stddef.h>

/* `host` itself when it is ASCII, else its A-labels in `out`; NULL: *why says why there are none. */
const char *idn_ascii(char *out, size_t cap, const char *host, const char **why);

#endif
