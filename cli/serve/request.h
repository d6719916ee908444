/* request.h - what a request of HTTP/1.1 must be before it is answered. */
#ifndef CLI_REQUEST_H
#define CLI_REQUEST_H

#include <event2/http.h>
#include <stdbool.h>

/* What is wrong with it, for the log and the client; NULL: nothing.  Whatever it is: when `*last`, nothing that comes behind it on this
 * connection may be taken for a request. */
const char *request_flaw(struct evhttp_request *req, bool *last);

#endif
