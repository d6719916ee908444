/* scrape.h - --metrics: a listener of its own, plain HTTP, that answers GET /metrics and GET /healthz and nothing else.
 *
 * Must never say anything that is secret, hold up those who are served, nor keep a connection for longer than SCRAPE_SECONDS. */
#ifndef CLI_SCRAPE_H
#define CLI_SCRAPE_H

#include "serve/service.h"

enum { SCRAPE_SECONDS = 10, SCRAPE_MOST = 16, SCRAPE_HEAD_MAX = 8192 };

struct scrape;

/* Opens what --metrics asks for; *s stays NULL where nothing does.  The exit status, not EXIT_OK after a message. */
int scrape_open(struct scrape **s, const struct service *);
void scrape_close(struct scrape *);

#endif
