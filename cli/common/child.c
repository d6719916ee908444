/* child.c - see child.h.  Must never give a child anything to read, nor go through a shell. */
#include "common/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 65536, SAID_MOST = 16 << 20 };

extern char **environ;

/* All of it, and of what is too much the beginning. */
static bool listen_to(struct child *c, int fd)
{
    char rest[4096];
    size_t room = 0;
    for (;;) {
        if (c->n + 1 >= room && room < SAID_MOST) {
            char *more = realloc(c->said, room += room ? room : ROOM);
            if (!more)
                return false;
            c->said = more;
        }
        bool full = c->n + 1 >= room;
        ssize_t got = full ? read(fd, rest, sizeof rest) : read(fd, c->said + c->n, room - c->n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        c->n += full ? 0 : (size_t)got;
    }
    c->said[c->n] = 0;
    return true;
}

static int start(pid_t *pid, const char *const argv[], int out)
{
    posix_spawn_file_actions_t to;
    int why = posix_spawn_file_actions_init(&to);
    if (why)
        return why;
    why = posix_spawn_file_actions_addopen(&to, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    why = why ? why : posix_spawn_file_actions_adddup2(&to, out, STDOUT_FILENO);
    why = why ? why : posix_spawn_file_actions_adddup2(&to, out, STDERR_FILENO);
    why = why ? why : posix_spawnp(pid, argv[0], &to, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&to);
    return why;
}

bool child_run(struct child *c, const char *const argv[])
{
    int fd[2], how = 0;
    pid_t pid = -1;
    *c = (struct child){ .status = -1 };
    if (pipe2(fd, O_CLOEXEC))
        return false;
    int why = start(&pid, argv, fd[1]);
    close(fd[1]);
    if (!why && !listen_to(c, fd[0]))
        why = ENOMEM;
    close(fd[0]);
    while (pid > 0 && waitpid(pid, &how, 0) < 0 && errno == EINTR)
        ;
    c->status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    errno = why;
    return !why;
}

void child_free(struct child *c)
{
    free(c->said);
    *c = (struct child){ .status = -1 };
}
