/* via.h - the proxy on the way to a server: which one the options and the environment name, whom NO_PROXY
 * leaves out, and the words that open a way through it: HTTP CONNECT (RFC 9110 9.3.6) or SOCKS. */
#ifndef CLI_VIA_H
#define CLI_VIA_H

#include "net/dial.h"

struct via {
    bool          socks;   /* it speaks SOCKS 5, else HTTP                                         */
    struct target at;      /* the proxy; its host is empty where the way is direct               */
    const char   *login;   /* user:password, secret: where it stands in the option or the variable */
    size_t        login_n;
};

enum { VIA_HEADER_MAX = 1024, VIA_LOGIN_MAX = 600 };

/* The proxy to reach `t` through, if any, for "https" or "http": --proxy and --no-proxy before the environment.
 * False: what is named there is no proxy that can be used; `why` says where it stands and what is wrong, but
 * nothing of a password. */
bool via_choose(struct via *v, const struct args *a, const struct target *t, const char *scheme, char *why,
                size_t cap);
static inline bool via_used(const struct via *v)
{
    return v->at.host[0] != 0;
}
/* dial(), through the proxy where there is one: then `address` is the proxy's, and connect_us has its answer
 * in it. */
bool via_dial(struct dialed *d, const struct via *v, const struct target *t, int family, int timeout_ms);
/* Is it one that is told the whole URL of what is fetched over http? */
static inline bool via_http(const struct via *v)
{
    return via_used(v) && !v->socks;
}
/* HOST:PORT, [ADDRESS]:PORT. */
const char *place_name(char *out, size_t cap, const struct target *t);
/* The header that brings user and password to the proxy, with its line end; empty where there are none.
 * Secret: to be wiped. */
void via_header(char out[VIA_HEADER_MAX], const struct via *v);

/* -- pure */
/* [http://|socks5://|socks5h://][USER[:PASSWORD]@]HOST[:PORT], which must live as long as *v.  NULL, or what is wrong with it. */
const char *via_parse(struct via *v, const char *url);
/* Does a NO_PROXY list name this host, as a name, a domain, an address or a block of addresses, with or
 * without a port? */
bool via_left_out(const char *list, const char *host, const char *port);

/* -- for those that speak to it */
/* recv_all was false: what the proxy did instead of answering; *why, where it is a matter of time. */
const char *via_silence(enum troth_reason *why);
/* Percent-decoded; a % that begins nothing stands for itself.  The length, at most n. */
size_t via_decode(uint8_t *out, const char *text, size_t n);

#endif
