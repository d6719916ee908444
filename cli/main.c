/* main.c - the program: finds the verb and runs it.  The first outside user of the library: includes <troth/...> alone. */
#include <signal.h>
#include <stdio.h>

#include "args.h"

static int (*const run[])(const struct args *) = {
#define VERB(id, name, operands, least, most, line, about) verb_##id,
#include "verbs.def"
#undef VERB
};

int main(int argc, char **argv)
{
    struct args a;
    int status;
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of write(2), and a quiet exit */
    if (!args_parse(&a, argc, argv, &status))
        return status;
    status = run[a.verb](&a);
    if (fflush(stdout) && status == EXIT_OK && !args_has(&a, OPT_QUIET))
        return EXIT_FILE;
    return status;
}
