/* main.c - the program: finds the verb and runs it.  The first outside user of the library: includes <troth/...> alone. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"

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

int main(int argc, char **argv)
{
    struct args a;
    int status;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(2), and a quiet exit */
    if (!args_parse(&a, argc, argv, &status))
        return end_output(NULL, status);
    return end_output(&a, run[a.verb](&a));
}
