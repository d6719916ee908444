/* confine.h - serve and proxy in a sandbox: what they still need once they listen is what their options name. */
#ifndef CLI_CONFINE_H
#define CLI_CONFINE_H

#include "serve/service.h"

/* Who reads files again at a reload: one process does it all, or the front and the keeper of its keys, each its own. */
enum reader { READER, READER_FRONT, READER_KEEPER };

/* From here on, unless --no-sandbox says otherwise; says in the log what it came to. */
void confine(struct service *);
/* The keeper, by the options of the start: files of keys, and nothing else at all. */
void confine_keeper(const struct args *first);
/* May everything be read that these options name and that reader reads?  False after a message: it lies where the sandbox, which began with
 * other ones, does not reach. */
bool confine_reaches(const struct args *, enum reader);

#endif
