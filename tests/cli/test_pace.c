/* cli/serve/pace.c: what a peer takes counts, not what the kernel does. */
#include "../../cli/serve/pace.c"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/test.h"

static void connected(int *ours, int *peer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    *peer = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(l >= 0 && *peer >= 0 && !bind(l, (struct sockaddr *)&at, sizeof at) && !listen(l, 1));
    assert_int_equal(getsockname(l, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(connect(*peer, (struct sockaddr *)&at, sizeof at), 0);
    *ours = accept(l, NULL, NULL);
    assert_true(*ours >= 0);
    close(l);
}

/* Until the kernel takes no more. */
static uint64_t fill(int fd)
{
    static const char block[65536];
    uint64_t all = 0;
    for (ssize_t n; (n = send(fd, block, sizeof block, MSG_DONTWAIT)) > 0;)
        all += (uint64_t)n;
    assert_int_equal(errno, EAGAIN);
    return all;
}

static void test_pace(void **state)
{
    (void)state;
    char waste[65536];
    int ours, peer;
    struct pace p;
    connected(&ours, &peer);
    uint64_t written = fill(ours);
    pace_begin(&p, ours, written);
    int64_t before = p.taken;
    assert_true(before < (int64_t)written); /* some of it waits in our kernel */
    assert_false(pace_kept(&p, ours, written, 1));
    for (uint64_t got = 0; got < written;) { /* now the peer takes it all */
        ssize_t n = recv(peer, waste, sizeof waste, 0);
        assert_true(n > 0);
        got += (uint64_t)n;
    }
    for (int i = 0; i < 1000 && p.taken < (int64_t)written; i++) { /* the last acknowledgement is on its way */
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        pace_begin(&p, ours, written);
    }
    assert_int_equal(p.taken, written);
    p.taken = before;
    assert_true(pace_kept(&p, ours, written, 1));
    assert_false(pace_kept(&p, ours, written, 1)); /* and nothing more */
    p.taken = (int64_t)written - 5 * PACE_LEAST;
    assert_true(pace_kept(&p, ours, written, 5));
    p.taken = (int64_t)written - 5 * PACE_LEAST + 1;
    assert_false(pace_kept(&p, ours, written, 5));
    close(ours);
    close(peer);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(test_pace) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
