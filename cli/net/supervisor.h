/* supervisor.h - what passes between a service and whoever started it, the way systemd has it: sockets that are open already (LISTEN_FDS),
 * and from us how we are (NOTIFY_SOCKET, WATCHDOG_USEC): sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
 *
 * Must never end or hold up a service because nobody listens to it.  The variables are taken out of the environment when they are read. */
#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <event2/event.h>
#include <sys/un.h>

#include "common/log.h"

/* Listening sockets that were passed to us, from this one on. */
enum { PASSED_FIRST = 3 };

struct passed {
    char where[128]; /* "127.0.0.1:443", "unix:/path"             */
    char name[64];   /* LISTEN_FDNAMES; empty: it has none        */
    int  port;       /* 0: it has none                            */
};

/* Fills in what was passed to this process, `*n` of them, `most` at most; must come before we open anything ourselves, or ours would be
 * taken for one that is missing.  The exit status, not EXIT_OK after a message. */
int supervisor_sockets(const struct args *a, struct passed *out, size_t most, size_t *n);

struct supervisor {
    const struct log  *log;
    struct event      *alive;   /* says WATCHDOG=1; NULL: nobody waits for that */
    struct sockaddr_un to;
    socklen_t          to_n;    /* 0: nobody wants to hear how we are           */
    int                fd;
    bool               warned;  /* once is enough                               */
};

/* From here on, on that loop. */
void supervisor_open(struct supervisor *, struct event_base *, const struct log *);
/* "READY=1" or another assignment of sd_notify(3), and with it one line for people. */
void supervisor_say(struct supervisor *, const char *state, const char *status);
void supervisor_close(struct supervisor *);

#endif
