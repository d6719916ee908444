/* sandbox_calls.c - which system calls are left: a list of what a process that serves needs, and nothing else.
 *
 * A call that is not on it does not exist (ENOSYS): so libc falls back, as it would on an older kernel, where a newer one has a call that
 * this list does not know.  What nobody here has an honest use for is refused (EPERM).  Neither ends the process: a path that no test went
 * would else let any client end it. */
#include "common/sandbox.h"

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <sched.h>
#include <unistd.h>

/* Names, as not every machine has all of them. */
static const char *const always[] = {
    /* what is open       */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "close", "close_range", "dup", "dup2", "dup3",
    "fcntl", "fcntl64", "lseek", "_llseek", "fstat", "fstat64", "recv", "recvfrom", "recvmsg", "recvmmsg", "send", "sendto", "sendmsg", "sendmmsg", "shutdown",
    "getsockopt", "setsockopt", "getsockname", "getpeername",
    /* waiting            */
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "eventfd2", "pipe", "pipe2", "timerfd_create", "timerfd_settime", "timerfd_settime64", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64", "restart_syscall", "wait4", "waitid",
    /* memory             */
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock",
    /* threads of its own */
    "futex", "futex_time64", "set_robust_list", "get_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu",
    /* signals            */
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend",
    /* what is the case   */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time", "times", "getrandom", "getpid", "gettid", "getppid",
    "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "uname", "sysinfo", "getrusage", "getrlimit", "ugetrlimit",
    /* the end            */
    "exit", "exit_group", NULL
};

static const char *const reading[] = { /* Landlock says what */
    "open", "openat", "openat2", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents", "getdents64", "getcwd", "fstatfs", "fstatfs64", "fadvise64", "fadvise64_64", NULL
};

static const char *const writing[] = { "ftruncate", "ftruncate64", "fsync", "fdatasync", "fchmod", "link", "linkat", "rename", "renameat", "renameat2", "umask", NULL };
static const char *const removing[] = { "unlink", "unlinkat", NULL };
static const char *const accepting[] = { "accept", "accept4", NULL };

/* Programs, other processes, the kernel, rights: of no use to anybody here but who broke in. */
static const char *const refused[] = {
    "execve", "execveat", "fork", "vfork", "clone", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "kill", "tkill",
    "bind", "listen", "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "personality", "prctl", "seccomp", "setuid", "setgid", "setresuid", "setresgid", "setgroups", "capset", "mknod", "mknodat",
    "open_by_handle_at", "memfd_create", "reboot", NULL
};

/* Threads, and the socket over which the kernel says what addresses this machine has. */
static const char *const resolving[] = { "bind", "clone", NULL };

/* What looks for leaks at the end traces the process from another one. */
static const char *const sanitizing[] = { "clone", "ptrace", "prctl", "kill", "tgkill", "sched_setaffinity", "getpgrp", "arch_prctl", NULL };

static bool is_in(const char *const *list, const char *name)
{
    while (*list && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

static bool add(scmp_filter_ctx f, uint32_t action, const char *name, unsigned n, struct scmp_arg_cmp arg)
{
    int number = seccomp_syscall_resolve_name(name);
    return number < 0 || !seccomp_rule_add(f, action, number, n, arg); /* negative: not here */
}

static bool allow_all(scmp_filter_ctx f, const char *const *names)
{
    bool ok = true;
    for (; ok && *names; names++)
        ok = add(f, SCMP_ACT_ALLOW, *names, 0, SCMP_A0_64(SCMP_CMP_EQ, 0));
    return ok;
}

/* But what is in one of the two. */
static bool refuse_all(scmp_filter_ctx f, const char *const *but, const char *const *nor)
{
    bool ok = true;
    for (size_t i = 0; ok && refused[i]; i++)
        ok = is_in(but, refused[i]) || is_in(nor, refused[i]) || add(f, SCMP_ACT_ERRNO(EPERM), refused[i], 0, SCMP_A0_64(SCMP_CMP_EQ, 0));
    return ok;
}

/* No memory that can be run, from here on. */
static bool add_memory(scmp_filter_ctx f)
{
    static const char *const names[] = { "mmap", "mmap2", "mprotect", "pkey_mprotect" };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof names / sizeof names[0]; i++)
        ok = add(f, SCMP_ACT_ALLOW, names[i], 1, SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
             add(f, SCMP_ACT_ERRNO(EPERM), names[i], 1, SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    return ok;
}

static bool add_careful(scmp_filter_ctx f, const struct sandbox *s)
{
    static const unsigned requests[] = { FIONREAD, FIONBIO, SIOCOUTQ, TCGETS, TIOCGWINSZ };
    static const unsigned families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
    bool ok = add(f, SCMP_ACT_ALLOW, "prlimit64", 1, SCMP_A0_32(SCMP_CMP_EQ, 0)) && /* its own */
              add(f, SCMP_ACT_ALLOW, "socketpair", 1, SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
    if (!TROTH_SANITIZED) /* abort(3) */
        ok = ok && add(f, SCMP_ACT_ALLOW, "tgkill", 1, SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid()));
    for (size_t i = 0; ok && i < sizeof requests / sizeof requests[0]; i++)
        ok = add(f, SCMP_ACT_ALLOW, "ioctl", 1, SCMP_A1_32(SCMP_CMP_EQ, requests[i]));
    if (!(s->needs & NEEDS_CONNECT))
        return ok && add(f, SCMP_ACT_ERRNO(EPERM), "socket", 0, SCMP_A0_32(SCMP_CMP_EQ, 0)) &&
               add(f, SCMP_ACT_ERRNO(EPERM), "connect", 0, SCMP_A0_32(SCMP_CMP_EQ, 0));
    bool names = s->needs & NEEDS_NAMES;
    for (size_t i = 0; ok && i < sizeof families / sizeof families[0] - !names; i++)
        ok = add(f, SCMP_ACT_ALLOW, "socket", 1, SCMP_A0_32(SCMP_CMP_EQ, families[i]));
    if (names)
        ok = ok && add(f, SCMP_ACT_ALLOW, "bind", 0, SCMP_A0_32(SCMP_CMP_EQ, 0)) &&
             (TROTH_SANITIZED || add(f, SCMP_ACT_ALLOW, "clone", 1, SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)));
    return ok && add(f, SCMP_ACT_ALLOW, "connect", 0, SCMP_A0_32(SCMP_CMP_EQ, 0));
}

static bool fill(scmp_filter_ctx f, const struct sandbox *s)
{
    static const char *const none[] = { NULL };
    const char *const *own = TROTH_SANITIZED ? sanitizing : none;
    (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);    /* a thread of the resolver's may still be there */
    (void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree: not every call asks about every other one */
    bool ok = allow_all(f, always) && allow_all(f, own) && refuse_all(f, own, s->needs & NEEDS_NAMES ? resolving : none) && add_memory(f) &&
              add_careful(f, s);
    ok = ok && (!(s->may & MAY_READ) || allow_all(f, reading));
    ok = ok && (!(s->may & MAY_WRITE) || allow_all(f, writing));
    ok = ok && (!(s->may & (MAY_WRITE | MAY_REMOVE)) || allow_all(f, removing));
    return ok && (!(s->needs & NEEDS_ACCEPT) || allow_all(f, accepting));
}

/* Valgrind and its like run a program by translating it, into memory that they write and run. */
static bool is_translated(void)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/self/maps", "re");
    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, " rwxp ") && !strstr(line, "[stack]");
    if (f)
        fclose(f);
    return found;
}

const char *sandbox_calls_missing(void)
{
    return prctl(PR_GET_SECCOMP) < 0 ? "this kernel has no seccomp" : is_translated() ? "this process is run by translating it (valgrind)" : NULL;
}

const char *sandbox_calls(const struct sandbox *s)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    bool ok = f && fill(f, s);
    int why = ok ? seccomp_load(f) : 0;
    if (f)
        seccomp_release(f);
    return !ok ? "the list cannot be built" : !why ? NULL : why == -EINVAL ? "this kernel has no filters" : "something around us refuses it (a container's filter)";
}
#else
const char *sandbox_calls_missing(void)
{
    return "built without libseccomp";
}

const char *sandbox_calls(const struct sandbox *s)
{
    (void)s;
    return sandbox_calls_missing();
}
#endif
