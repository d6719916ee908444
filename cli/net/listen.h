/* listen.h - from what the user typed as a place to sockets that listen there.
 *
 * Must never take a place that another program has, nor listen at half of a name: all the addresses of it that this machine has, or none. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#include <sys/stat.h>

#include "common/args.h"

struct target;

enum { LISTEN_ADDRESSES = 8, LISTEN_WHOLE = 32 };

/* A place that is listened at. */
struct place {
    char        where[160]; /* as it was typed; of a name with several addresses, the address */
    const char *name;       /* of a socket that was passed to us; NULL: none                  */
    int         port;       /* 0: it has none                                                 */
    bool        has_file;   /* of ours, behind "unix:"                                        */
    struct stat file;       /* which one that is                                              */
};

/* What is to be listened at.  A port alone is one of this machine: *where is written whole then.  False after a message. */
bool listen_parse(struct target *t, const struct args *a, const char **where, char whole[LISTEN_WHOLE]);
/* Listens at `where`: ADDR:PORT, PORT, unix:/path, or NAME:PORT, which is every address of the name (the first LISTEN_ADDRESSES), each with the same
 * port.  Room for so many non-blocking sockets and places; `*n`: so many were opened.  The exit status, not EXIT_OK after a message; then
 * nothing is open. */
int listen_on(const struct args *a, const char *where, int fds[LISTEN_ADDRESSES], struct place places[LISTEN_ADDRESSES], size_t *n);
/* Removes the file of a place, if it still is the one that was made there. */
void place_gone(const struct place *);
/* Writes the port into the file of --port-file, if one was asked for; false after a message. */
bool tell_port(const struct args *a, int port);

#endif
