/* pace.c - see pace.h.  Must never count what only the kernel has taken. */
#include "serve/pace.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

void pace_begin(struct pace *p, int fd, uint64_t written)
{
    int waiting = 0; /* sent or not, but not acknowledged */
    if (ioctl(fd, SIOCOUTQ, &waiting))
        waiting = 0;
    p->taken = (int64_t)written - waiting;
}

bool pace_kept(struct pace *p, int fd, uint64_t written, long seconds)
{
    int64_t before = p->taken;
    pace_begin(p, fd, written);
    return p->taken - before >= PACE_LEAST * (int64_t)seconds;
}
