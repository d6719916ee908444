/* sandbox.h - a process gives up what it will not need: files, ports and signals by Landlock, system calls by seccomp.
 *
 * Knows of no option and no service: who calls says what is still needed.  Must never end a process because its kernel has less than we know
 * of, nor say that something is confined which is not.  Nothing is ever given back. */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log.h"

/* What may be done with a folder and all below it. */
enum { MAY_READ = 1, MAY_WRITE = 2 /* make files, and write them */, MAY_REMOVE = 4 /* files, sockets, links */ };

/* What a process does beside reading, writing and waiting on what it has open already. */
enum {
    NEEDS_ACCEPT = 1,    /* takes connections from sockets that listen already                      */
    NEEDS_CONNECT = 2,   /* opens connections, over TCP to the ports of sandbox_port()              */
    NEEDS_ABSTRACT = 4,  /* writes to unix sockets without a file                                   */
    NEEDS_PROC = 8,      /* reads about itself in /proc/self                                        */
    NEEDS_NAMES = 16     /* looks names up, in threads, as getaddrinfo_a(3) does; with NEEDS_CONNECT */
};

enum { SANDBOX_SAYS = 1024 };

struct sandbox {
    unsigned    needs, may;    /* may: of all its folders together            */
    int         ruleset, self; /* file descriptors; -1: none                  */
    int         abi;           /* Landlock's; 0: the kernel has none          */
    int         why;           /* errno, why files are not confined; 0: are   */
    const char *calls;         /* why system calls are not; NULL: they are    */
    bool        off;           /* nobody wanted any of it                     */
    uint8_t     open_ports[8192]; /* a bit for each of sandbox_port()         */
    char        reads[SANDBOX_SAYS], writes[SANDBOX_SAYS], removes[SANDBOX_SAYS], ports[SANDBOX_SAYS]; /* for people */
};

/* A sandbox that lets nothing in but what is said from here on. */
void sandbox_begin(struct sandbox *, unsigned needs);
/* The folder that a file is in, as files are replaced with rename(2); of a link that of what it leads to as well.  What lies in the root
 * folder, and what is no regular file, is let in by itself. */
void sandbox_file(struct sandbox *, const char *path, unsigned may);
/* That file alone, and the folder that it leads to as a link. */
void sandbox_one(struct sandbox *, const char *path, unsigned may);
/* A folder; with those that the links in it lead to, where `links`. */
void sandbox_folder(struct sandbox *, const char *path, unsigned may, bool links);
void sandbox_port(struct sandbox *, uint16_t port);
/* Once it is entered: does it let us do all that, and connect to that port (0: to none)? */
bool sandbox_allows(const struct sandbox *, unsigned needs, uint16_t port);
/* From here on.  What could not be had is found in the struct, and told by sandbox_tell. */
void sandbox_enter(struct sandbox *);
/* One line: what is confined, and what is not and why; all folders and ports, where `all`. */
void sandbox_tell(const struct sandbox *, const struct log *, const char *event, bool all);
/* What sandbox_enter could do here; out. */
const char *sandbox_could(char *out, size_t cap);

/* Would permissions let us read that file or folder, and something else does not: this sandbox, most likely? */
bool sandbox_refuses(const char *path);

/* sandbox_calls.c: why system calls cannot be filtered here; NULL: they can.  To be asked while files can be read. */
const char *sandbox_calls_missing(void);
/* Refuses all but those that are needed, where nothing is missing.  NULL, or why it could not. */
const char *sandbox_calls(const struct sandbox *);

#endif
