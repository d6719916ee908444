/* fetch.h - small things over plain HTTP: what certificates point to (OCSP responses, CRLs). */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/args.h"

/* GET, or POST when there is a body, of a http:// URL within `timeout_ms`, through the proxy that the options or the environment name.  NULL: *why says why, in words; else the caller frees.  At most
 * `most` bytes. */
uint8_t *http_fetch(const struct args *a, const char *url, const char *type, const uint8_t *body, size_t body_n, int timeout_ms, size_t most,
                    size_t *n, char *why, size_t why_cap);

#endif
