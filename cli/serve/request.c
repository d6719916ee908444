/* request.c - what evhttp lets through, and others on the way may read in another way (RFC 9112 3.2, 5.1, 6.3, 11.2).
 *
 * Must never let a byte count as the beginning of a request that somebody else takes for the body of the one before. */
#include "serve/request.h"

#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>

static bool is_token(const char *name)
{
    return *name && !name[strspn(name, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")];
}

/* RFC 3986 3.2.2, 3.2.3: a name, an address, a port.  An empty one is a host as well. */
static bool is_host(const char *value)
{
    return !value[strspn(value, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~%!$&'()*+,;=:[]")];
}

struct seen {
    unsigned hosts, lengths, codings;
    bool     names_ok, hosts_ok, length_is_zero;
};

static struct seen look(const struct evkeyvalq *headers)
{
    struct seen s = { .names_ok = true, .hosts_ok = true };
    for (const struct evkeyval *h = headers->tqh_first; h; h = h->next.tqe_next) {
        s.names_ok &= is_token(h->key);
        if (!strcasecmp(h->key, "Host")) {
            s.hosts++;
            s.hosts_ok &= is_host(h->value);
        } else if (!strcasecmp(h->key, "Content-Length")) {
            s.lengths++;
            s.length_is_zero = !strcmp(h->value, "0");
        } else if (!strcasecmp(h->key, "Transfer-Encoding")) {
            s.codings++;
        }
    }
    return s;
}

const char *request_flaw(struct evhttp_request *req, bool *last)
{
    struct seen s = look(evhttp_request_get_input_headers(req));
    enum evhttp_cmd_type method = evhttp_request_get_command(req);
    bool bare = method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD, body = s.codings || s.lengths > 1 || (s.lengths && !s.length_is_zero);
    const char *flaw = !s.names_ok                             ? "a header whose name is none"
                       : s.hosts > 1                           ? "more than one Host"
                       : !s.hosts_ok                           ? "a Host that is none"
                       : !s.hosts && req->minor >= 1           ? "no Host"
                       : s.lengths > 1                         ? "more than one Content-Length"
                       : s.lengths && s.codings                ? "Content-Length and Transfer-Encoding"
                       : bare && body                          ? "a body that this method does not have"
                                                               : NULL;
    *last = flaw || !bare; /* how long a body is, evhttp reads in its own way, and takes none for GET and the like */
    return flaw;
}
