/* target.h - what the user typed as a place to connect to or to listen on. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "common/args.h"

struct target {
    char        host[256]; /* DNS name or IP address, without brackets; empty for a socket file */
    char        port[8];
    char        path[108]; /* unix:/path */
    char        rest[2048];/* what follows the authority in a URL: "/index.html"; "/" when there is none */
    const char *typed;
};

/* host, host:port, [::1]:443, https://host:port/path, unix:/path.  A message and false when it is none of them; `a` NULL: no
 * message. */
bool target_parse(struct target *t, const struct args *a, const char *typed, const char *default_port);

/* Where the scheme of a URL ends; NULL: it has none (host:8443/?to=http://elsewhere). */
const char *target_scheme(const char *typed);

/* As Host has it (RFC 9110 7.2): "shop.example", "[::1]:8443"; the port where it is not the usual one.  Of a socket file: "localhost". */
enum { TARGET_HOST_MAX = 300 };
const char *target_http_host(char out[TARGET_HOST_MAX], const struct target *t, const char *usual_port);

/* Digits and dots alone, or a colon: no host name is either. */
bool target_is_address(const char *host);

#endif
