/* why.h - connect --why: after a failure, one thing changed at a time. */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "client/session.h"

/* Tries again with one thing changed, and writes into s->retried what came of it. */
void why_retry(struct session *s);

#endif
