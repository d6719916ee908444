/* metrics.h - what a service counted, in Prometheus' text format 0.0.4 or as OpenMetrics 1.0.0. */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <event2/buffer.h>

#include "serve/service.h"

/* All of it, behind what is in `out`. */
void metrics_write(struct evbuffer *out, const struct service *, bool open);
/* Does an Accept header (NULL: there is none) prefer OpenMetrics? */
bool metrics_open_wanted(const char *accept);

#endif
