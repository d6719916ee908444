#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <troth/offload.h>

enum { SOL_TLS_OF_LINUX = 282, TLS_TX_OF_LINUX = 1, TLS_RX_OF_LINUX = 2 };

static bool give(int fd, int way, const troth_record_state *s)
{
    unsigned char info[64];
    size_t n = troth_danger_kernel_info(s, info, sizeof info);
    bool ok = n && setsockopt(fd, SOL_TLS_OF_LINUX, way, info, (socklen_t)n) == 0;
    explicit_bzero(info, sizeof info);
    return ok;
}

/* After TROTH_READY, and before the answer to TROTH_RECV: from here on read(2), write(2) and sendfile(2) on fd are TLS.  False with
 * troth_why(c) NULL: go on with troth_next() and try again, or keep to it. */
bool to_kernel(troth_conn *c, int fd)
{
    troth_record_state read, write;
    if (setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") != 0 || !troth_danger_take_records(c, &read, &write))
        return false;
    bool ok = give(fd, TLS_TX_OF_LINUX, &write) && give(fd, TLS_RX_OF_LINUX, &read);
    explicit_bzero(&read, sizeof read);
    explicit_bzero(&write, sizeof write);
    return ok; /* false: close fd, nobody can go on with it */
}
