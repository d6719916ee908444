/* dial.h - from a target to a connected socket, within a time limit. */
#ifndef CLI_DIAL_H
#define CLI_DIAL_H

#include <netdb.h>
#include <sys/socket.h>
#include <troth/troth.h>

#include "common/target.h"

struct dialed {
    int      fd;           /* non-blocking; -1 on failure                                  */
    char     address[64];  /* that answered, or that was tried last: "127.0.0.1:443"       */
    unsigned resolve_us, connect_us;
    enum troth_reason why; /* on failure: net.dns, net.refused, net.unreachable, net.timeout-connect... */
    char     detail[160];
};

enum { DIAL_ANY = 0, DIAL_IPV4 = 4, DIAL_IPV6 = 6 };

/* Tries every address in the resolver's order until one answers. */
bool dial(struct dialed *d, const struct target *t, int family, int timeout_ms);
/* Only the addresses, by a deadline of now_us(); for freeaddrinfo(3).  False: d->why and d->detail say why. */
bool dial_lookup(struct dialed *d, const struct target *t, int family, uint64_t deadline, struct addrinfo **found);
/* Whoever has gone without a word (a cut cable, a machine without power) is found out in minutes: only then does an idle connection end. */
void keep_alive(int fd);
/* Microseconds of the monotonic clock. */
uint64_t now_us(void);
/* ADDRESS:PORT, [ADDRESS]:PORT; false: there is none. */
bool address_text(char *out, size_t cap, const struct sockaddr *sa, socklen_t n);
/* 0: it has none. */
uint16_t address_port(const struct sockaddr_storage *sa);
/* Waits for POLLIN or POLLOUT; false: not before the deadline (of now_us). */
bool wait_for(int fd, short events, uint64_t deadline);
/* All of it, before the deadline. */
bool send_all(int fd, const void *p, size_t n, uint64_t deadline);
/* Exactly so many bytes.  False: errno says why, ETIMEDOUT at the deadline, 0 when the peer closed. */
bool recv_all(int fd, void *p, size_t n, uint64_t deadline);

#endif
