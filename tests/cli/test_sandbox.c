/* cli/common/sandbox.c: a process that has entered one tries what it may not, and what it may.
 * links: seccomp */
#define HAVE_SECCOMP 1
#include "../../cli/common/sandbox.c"
#include "../../cli/common/sandbox_calls.c"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "support/test.h"

enum { NOT_CONFINED = 200 };

static char top[PATH_MAX], said[2048];

void log_line(const struct log *l, const char *level, const char *event, ...)
{
    va_list ap;
    (void)l;
    snprintf(said, sizeof said, "%s %s", level, event);
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *));) {
        const char *value = va_arg(ap, const char *);
        if (value)
            snprintf(said + strlen(said), sizeof said - strlen(said), " %s=%s", key, value);
    }
    va_end(ap);
}

static const char *in(const char *name)
{
    static char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static void put(const char *name)
{
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    fputs("text", f);
    fclose(f);
}

static int make_folders(void **state)
{
    (void)state;
    char made[] = "/tmp/sandboxXXXXXX";
    assert_non_null(mkdtemp(made));
    assert_non_null(realpath(made, top));
    for (const char *const *d = (const char *const[]){ "keys", "old", "new", "logs", "other", NULL }; *d; d++)
        assert_int_equal(mkdir(in(*d), 0700), 0);
    put("keys/key");
    put("logs/here");
    put("other/secret");
    put("old/chain");
    char target[PATH_MAX + 64];
    snprintf(target, sizeof target, "%s", in("old/chain"));
    assert_int_equal(symlink(target, in("keys/chain")), 0);
    return 0;
}

static int remove_folders(void **state)
{
    char command[PATH_MAX + 64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

/* What `what` answers, 0 or errno, in a process that is confined so; -1: a signal ended it, whose number is in *signal. */
static int in_sandbox(unsigned needs, void (*lets)(struct sandbox *), int (*what)(void *), void *ctx, int *signal_number)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        struct sandbox s;
        sandbox_begin(&s, needs);
        if (lets)
            lets(&s);
        sandbox_enter(&s);
        _exit(s.why || s.calls ? NOT_CONFINED : what(ctx));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        *signal_number = WTERMSIG(status);
        return -1;
    }
    return WEXITSTATUS(status);
}

/* That answer; a test is left out where this machine confines nothing (valgrind). */
#define TRY_IN(needs, lets, what, ctx)                                             \
    __extension__({                                                                \
        int signal_ = 0, got_ = in_sandbox(needs, lets, what, ctx, &signal_);      \
        if (got_ == NOT_CONFINED)                                                  \
            skip();                                                                \
        got_;                                                                      \
    })

/* ---- files */

static void keys_alone(struct sandbox *s)
{
    sandbox_file(s, in("keys/key"), MAY_READ);
}

static void keys_and_logs(struct sandbox *s)
{
    sandbox_file(s, in("keys/chain"), MAY_READ);
    sandbox_file(s, in("logs/new"), MAY_WRITE);
}

static void all_of_logs(struct sandbox *s)
{
    sandbox_folder(s, in("logs"), MAY_READ | MAY_WRITE | MAY_REMOVE, false);
}

static void links_of_keys(struct sandbox *s)
{
    sandbox_folder(s, in("keys"), MAY_READ, true);
}

static int can_read(void *name)
{
    int fd = open(*(char *)name == '/' ? name : in(name), O_RDONLY);
    return fd < 0 ? errno : 0;
}

static int can_append(void *name)
{
    int fd = open(in(name), O_WRONLY | O_APPEND | O_CREAT, 0600);
    return fd < 0 ? errno : write(fd, "x", 1) == 1 ? 0 : errno;
}

static int can_remove(void *name)
{
    return unlink(in(name)) ? errno : 0;
}

/* As a recording is written: without a name, then with one, then in its place. */
static int can_replace(void *name)
{
    char self[64], beside[PATH_MAX + 80];
    int fd = open(in("logs"), O_TMPFILE | O_WRONLY, 0600);
    if (fd < 0)
        return errno == EOPNOTSUPP ? 0 : errno;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    snprintf(beside, sizeof beside, "%s.part", in(name));
    return linkat(AT_FDCWD, self, AT_FDCWD, beside, AT_SYMLINK_FOLLOW) || rename(beside, in(name)) ? errno : 0;
}

static int is_refused(void *name)
{
    return sandbox_refuses(in(name));
}

static void test_reading(void **state)
{
    (void)state;
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "keys/key"), 0);
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "other/secret"), EACCES);
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "/etc/passwd"), EACCES);
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "/dev/urandom"), 0);
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "/proc/self/status"), EACCES);
    assert_int_equal(TRY_IN(NEEDS_PROC, keys_alone, can_read, "/proc/self/status"), 0);
    assert_int_equal(TRY_IN(0, keys_alone, can_append, "keys/key"), EACCES);
    assert_int_equal(TRY_IN(0, NULL, can_read, "keys/key"), ENOSYS); /* who has no files does not even ask */
    assert_int_equal(TRY_IN(0, keys_alone, is_refused, "other/secret"), true);
    assert_int_equal(TRY_IN(0, keys_alone, is_refused, "keys/key"), false);
    assert_int_equal(TRY_IN(0, keys_alone, is_refused, "nowhere"), false);
    assert_false(sandbox_refuses(in("other/secret")));
}

/* A link's target is replaced by a new file beside it. */
static void test_links(void **state)
{
    (void)state;
    assert_int_equal(TRY_IN(0, keys_alone, can_read, "keys/chain"), EACCES);
    assert_int_equal(TRY_IN(0, links_of_keys, can_read, "keys/chain"), 0);
    assert_int_equal(TRY_IN(0, keys_and_logs, can_read, "old/chain"), 0);
    put("old/chain2");
    assert_int_equal(TRY_IN(0, keys_and_logs, can_read, "old/chain2"), 0);
    assert_int_equal(TRY_IN(0, keys_and_logs, can_read, "other/secret"), EACCES);
}

static void test_writing(void **state)
{
    (void)state;
    assert_int_equal(TRY_IN(0, keys_and_logs, can_append, "logs/new"), 0);
    assert_int_equal(TRY_IN(0, keys_and_logs, can_append, "other/new"), EACCES);
    assert_int_equal(TRY_IN(0, keys_and_logs, can_remove, "logs/here"), EACCES);
    assert_int_equal(TRY_IN(0, keys_and_logs, can_read, "logs/here"), EACCES);
    assert_int_equal(TRY_IN(0, all_of_logs, can_replace, "logs/here"), 0);
    assert_int_equal(TRY_IN(0, all_of_logs, can_remove, "logs/here"), 0);
    assert_int_equal(TRY_IN(0, all_of_logs, can_remove, "other/secret"), EACCES);
}

/* ---- network */

static int listening(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n) || listen(fd, 4) || getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static uint16_t ports[2]; /* let in, and not */

static void one_port(struct sandbox *s)
{
    sandbox_port(s, ports[0]);
}

static int can_connect(void *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) }, .sin_port = htons(*(uint16_t *)port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;
}

static int can_open_raw(void *ctx)
{
    (void)ctx;
    return socket(AF_NETLINK, SOCK_RAW, 0) < 0 ? errno : 0;
}

static int can_accept(void *fd)
{
    return accept4(*(int *)fd, NULL, NULL, SOCK_NONBLOCK) < 0 ? errno : 0;
}

static int can_tell(void *fd)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int n = snprintf(to.sun_path + 1, sizeof to.sun_path - 1, "%s", top);
    return sendto(*(int *)fd, "x", 1, 0, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0 ? errno : 0;
}

static void test_network(void **state)
{
    (void)state;
    int a = listening(&ports[0]), b = listening(&ports[1]);
    assert_int_equal(TRY_IN(0, NULL, can_connect, &ports[0]), EPERM);
    assert_int_equal(TRY_IN(NEEDS_CONNECT, one_port, can_connect, &ports[0]), 0);
    assert_int_equal(TRY_IN(NEEDS_CONNECT, one_port, can_connect, &ports[1]), landlock_version() >= ABI_NET ? EACCES : 0);
    assert_int_equal(TRY_IN(NEEDS_CONNECT, one_port, can_open_raw, NULL), ENOSYS);
    assert_int_equal(TRY_IN(NEEDS_ACCEPT, one_port, can_accept, &a), 0); /* who connected above */
    assert_int_equal(TRY_IN(0, NULL, can_accept, &a), ENOSYS);
    close(a);
    close(b);
}

static void test_abstract(void **state)
{
    (void)state;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "%s", top), hears = socket(AF_UNIX, SOCK_DGRAM, 0), says = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(hears, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)), 0);
    assert_int_equal(TRY_IN(NEEDS_ABSTRACT, NULL, can_tell, &says), 0);
    assert_int_equal(TRY_IN(0, NULL, can_tell, &says), landlock_version() >= ABI_SCOPE ? EPERM : 0);
    close(hears);
    close(says);
}

/* ---- system calls */

static int can_execute(void *ctx)
{
    char *words[] = { "true", NULL };
    (void)ctx;
    execv("/bin/true", words);
    return errno;
}

static int can_map(void *kind)
{
    return mmap(NULL, 4096, *(int *)kind, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
}

static int can_make_run(void *ctx)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)ctx;
    return mprotect(p, 4096, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int can_call(void *number)
{
    return syscall(*(long *)number, 0, 0, 0, 0, 0) < 0 ? errno : 0;
}

static int can_kill_parent(void *ctx)
{
    (void)ctx;
    return kill(getppid(), 0) ? errno : 0;
}

static int aborts(void *ctx)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    (void)ctx;
    sigaction(SIGABRT, &plain, NULL);
    abort();
}

static void test_calls(void **state)
{
    int plain = PROT_READ | PROT_WRITE, run = PROT_READ | PROT_EXEC, both = plain | PROT_EXEC, signal_number = 0;
    static long refuses[] = { SYS_execveat, SYS_unshare, SYS_bpf, SYS_keyctl, SYS_userfaultfd, SYS_io_uring_setup, SYS_perf_event_open, SYS_mount,
                              SYS_personality, SYS_setns, SYS_process_vm_readv, SYS_memfd_create, SYS_bind };
    static long unknown[] = { 435 /* clone3: libc falls back */, 5000 /* to come */, SYS_shmget, SYS_inotify_init1, CREATE_RULESET };
    (void)state;
    assert_int_equal(TRY_IN(0, NULL, can_execute, NULL), EPERM);
    assert_int_equal(TRY_IN(0, NULL, can_map, &plain), 0);
    assert_int_equal(TRY_IN(0, NULL, can_map, &run), EPERM);
    assert_int_equal(TRY_IN(0, NULL, can_map, &both), EPERM);
    assert_int_equal(TRY_IN(0, NULL, can_make_run, NULL), EPERM);
    for (size_t i = 0; i < sizeof refuses / sizeof refuses[0]; i++)
        assert_int_equal(TRY_IN(~(unsigned)NEEDS_NAMES, keys_and_logs, can_call, &refuses[i]), EPERM);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_int_equal(TRY_IN(~0u, keys_and_logs, can_call, &unknown[i]), ENOSYS);
    if (!TROTH_SANITIZED || landlock_version() >= ABI_SCOPE)
        assert_int_equal(TRY_IN(~0u, keys_and_logs, can_kill_parent, NULL), EPERM);
    assert_int_equal(in_sandbox(0, NULL, aborts, NULL, &signal_number), -1);
    assert_int_equal(signal_number, SIGABRT);
}

/* Threads that look up, and nothing else that clone(2) can do. */
static int can_look_up(void *ctx)
{
    struct gaicb ask = { .ar_name = "127.0.0.1" }, *list[] = { &ask };
    (void)ctx;
    int e = getaddrinfo_a(GAI_WAIT, list, 1, NULL);
    if (!e)
        freeaddrinfo(ask.ar_result);
    return e ? EAGAIN : 0;
}

static void *ends(void *ctx)
{
    pthread_exit(ctx);
}

static int can_end_thread(void *ctx)
{
    pthread_t t;
    return pthread_create(&t, NULL, ends, ctx) || pthread_join(t, NULL) ? EAGAIN : 0;
}

static int can_fork(void *ctx)
{
    (void)ctx;
    pid_t child = fork();
    if (!child)
        _exit(0);
    return child < 0 ? errno : 0;
}

static void test_names(void **state)
{
    (void)state;
    assert_int_equal(TRY_IN(NEEDS_CONNECT | NEEDS_NAMES, NULL, can_look_up, NULL), 0);
    assert_int_equal(TRY_IN(NEEDS_CONNECT | NEEDS_NAMES, NULL, can_end_thread, NULL), 0);
    if (TROTH_SANITIZED) /* which fork at their end */
        skip();
    assert_int_equal(TRY_IN(NEEDS_CONNECT, NULL, can_look_up, NULL), EAGAIN);
    assert_int_equal(TRY_IN(NEEDS_CONNECT, NULL, can_fork, NULL), EPERM);
    assert_int_equal(TRY_IN(NEEDS_CONNECT | NEEDS_NAMES, NULL, can_fork, NULL), ENOSYS);
}

/* ---- and in words */

static void test_words(void **state)
{
    struct sandbox s = { .abi = 7, .reads = "/srv" };
    char could[256];
    (void)state;
    sandbox_tell(&s, NULL, "sandbox", false);
    assert_string_equal(said, "info sandbox files=confined network=confined signals=confined calls=filtered landlock=7");
    s.abi = 2; /* of Debian 12's kernel */
    sandbox_tell(&s, NULL, "state-sandbox", true);
    assert_string_equal(said, "notice state-sandbox files=confined network=not confined: Linux 6.7 can signals=not confined: Linux 6.12 can calls=filtered "
                              "landlock=2 reads=/srv");
    s = (struct sandbox){ .why = ENOSYS, .calls = "built without libseccomp" };
    sandbox_tell(&s, NULL, "sandbox", false);
    assert_non_null(strstr(said, "warn sandbox code=serve.sandbox files=not confined: this kernel has no Landlock"));
    assert_non_null(strstr(said, "network=not confined signals=not confined calls=not filtered: built without libseccomp"));
    s = (struct sandbox){ .off = true };
    sandbox_tell(&s, NULL, "sandbox", false);
    assert_string_equal(said, "info sandbox what=off (--no-sandbox)");
    assert_non_null(strstr(sandbox_could(could, sizeof could), "system calls "));
}

/* Each version's kinds of access, and no more: the kernel refuses a ruleset with others. */
static void test_versions(void **state)
{
    (void)state;
    assert_int_equal(handled(1), 0x1fff);
    assert_int_equal(handled(2), 0x3fff);
    assert_int_equal(handled(3), 0x7fff);
    assert_int_equal(handled(4), 0x7fff);
    assert_int_equal(handled(5), 0xffff);
    assert_int_equal(handled(99), 0xffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading), cmocka_unit_test(test_links), cmocka_unit_test(test_writing),  cmocka_unit_test(test_network),
        cmocka_unit_test(test_abstract), cmocka_unit_test(test_calls), cmocka_unit_test(test_names), cmocka_unit_test(test_words), cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
