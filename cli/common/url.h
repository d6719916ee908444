/* url.h - references of URLs (RFC 3986), and paths as they stand in a request.  Pure. */
#ifndef CLI_URL_H
#define CLI_URL_H

#include "common/target.h"

/* What `reference`, found at `base`, leads to.  False: longer than cap. */
bool url_resolve(char *out, size_t cap, const struct target *base, const char *reference);
/* A path and query as HTTP has them: what may not stand there is percent-encoded, what is encoded stays.  The length, as snprintf. */
size_t url_request_path(char *out, size_t cap, const char *path);
/* Where a http:// URL leads, to port 80 unless it says another.  False: nowhere, or it is of another kind. */
bool url_http(struct target *t, const char *url);
/* NULL, or why this is no whole http:// or https:// URL, as RFC 3986 writes them, for everybody to fetch something from. */
const char *url_unfit(const char *url);

#endif
