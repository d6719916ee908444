/* main.c - a run: one connection, and as many more as -resume-count says.  Exit codes and stderr are a contract with the runner. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "setup.h"
#include "talk.h"

static int finish(int code)
{
    fputs("--- DONE ---\n", stderr); /* what a sanitizer says after this line is a failure of its own */
    fflush(NULL);
    return code;
}

static int run_all(struct run *r)
{
    int n = r->settings[TURN_INITIAL].resume_count + 1;
    for (int i = 0; i < n; i++) {
        enum turn turn = i ? TURN_RESUME : TURN_INITIAL;
        if (!talk(r, turn)) {
            complain("connection %d of %d failed", i + 1, n);
            return EXIT_FAILED;
        }
        r->now += r->settings[turn].resumption_delay;
    }
    return EXIT_PASSED;
}

int main(int argc, char **argv)
{
    static struct settings all[TURN_COUNT];
    static struct run run;
    if (!flags_read(all, argc, argv))
        return finish(EXIT_UNIMPLEMENTED);
    if (all[TURN_INITIAL].is_handshaker_supported) {
        puts("No");
        return EXIT_PASSED;
    }
    for (int t = 0; t < TURN_COUNT; t++)
        if (!setup_can(&all[t]))
            return finish(EXIT_UNIMPLEMENTED);
    run = (struct run){ .settings = all, .provider = troth_libcrypto(), .now = (int64_t)time(NULL) };
    if (!run.provider) {
        complain("libcrypto cannot be used");
        return finish(EXIT_MUST_FAIL);
    }
    int code = run_all(&run);
    setup_end(&run);
    return finish(code);
}
