/* main.c - the program: finds the verb and runs it.  The first outside user of the library: includes <troth/...> alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"

static int (*const run[])(const struct args *) = {
#define VERB(id, name, operands, least, most, line, about) verb_##id,
#include "verbs.def"
#undef VERB
};

/* Did all of the answer reach standard output?  When a reader went away before its end (`| head'), that is no news to anybody. */
static int end_output(const struct args *a, int status)
{
    struct pollfd gone = { .fd = STDOUT_FILENO };
    bool lost = ferror(stdout) != 0;
    int why = fflush(stdout) ? errno : 0;
    if (!lost && !why)
        return status;
    if (why != EPIPE && (poll(&gone, 1, 0) <= 0 || !(gone.revents & POLLERR)))
        complain(a, EXIT_FILE, "standard output: %s", why ? strerror(why) : "not all of the answer could be written");
    return status == EXIT_OK ? EXIT_FILE : status;
}

/* A standard stream that whoever started us closed would be the next socket or key file, and what is said to people would go into it.  In
 * its place comes something that cannot be used either. */
static bool hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    struct args a;
    int status;
    if (!hold_standard_streams())
        return EXIT_FILE;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(2), and a quiet exit */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that may not grow (ulimit -f) */
    status = args_parse(&a, argc, argv, &status) ? end_output(&a, run[a.verb](&a)) : end_output(NULL, status);
    args_free(&a);
    return status;
}
