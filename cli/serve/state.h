/* state.h - what a service says of itself when it is asked (USR2): lines of its log. */
#ifndef CLI_STATE_H
#define CLI_STATE_H

#include "serve/service.h"

/* Said also under --quiet: somebody asked. */
void state_tell(const struct service *);

#endif
