/* confine.h - serve and proxy in a sandbox: what they still need once they listen is what their options name. */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "service.h"

/* From here on, unless --no-sandbox says otherwise; says in the log what it came to. */
void confine(struct service *);
/* May everything be read that these options name?  False after a message: it lies where the sandbox, which began with other ones, does not
 * reach. */
bool confine_reaches(const struct args *);

#endif
