/* sandbox.c - see sandbox.h.  Landlock, by its numbers: the headers of the machine that this is built on may know less than the kernel
 * that it runs on. */
#include "common/sandbox.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock (Linux: Documentation/userspace-api/landlock.rst); its calls have these numbers everywhere */

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1, PATH_BENEATH = 1, NET_PORT = 2 };

enum {
    FS_EXECUTE = 1 << 0, FS_WRITE_FILE = 1 << 1, FS_READ_FILE = 1 << 2, FS_READ_DIR = 1 << 3, FS_REMOVE_FILE = 1 << 5, FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_OF_A_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
    NET_ALL = 1 << 0 | 1 << 1, NET_CONNECT = 1 << 1,
    SCOPE_ABSTRACT = 1 << 0, SCOPE_SIGNAL = 1 << 1,
    ABI_NET = 4, ABI_SCOPE = 6
};

/* How many kinds of access to files each version knows: all are handled, few are let in. */
static const unsigned fs_kinds[] = { 0, 13, 14, 15, 15, 16 };

struct ruleset { uint64_t fs, net, scoped; };
struct beneath { uint64_t allowed; int32_t fd; } __attribute__((packed));
struct net_port { uint64_t allowed, port; };

static int landlock_version(void)
{
    return (int)syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
}

static uint64_t handled(int abi)
{
    size_t last = sizeof fs_kinds / sizeof fs_kinds[0] - 1;
    return (UINT64_C(1) << fs_kinds[(size_t)abi < last ? (size_t)abi : last]) - 1;
}

void sandbox_begin(struct sandbox *s, unsigned needs)
{
    int abi = landlock_version();
    *s = (struct sandbox){ .needs = needs, .ruleset = -1, .self = -1, .abi = abi > 0 ? abi : 0, .why = abi > 0 ? 0 : errno };
    if (abi > 0) {
        const struct ruleset all = { .fs = handled(abi), .net = abi >= ABI_NET ? NET_ALL : 0,
                                     .scoped = abi < ABI_SCOPE ? 0 : needs & NEEDS_ABSTRACT ? SCOPE_SIGNAL : SCOPE_SIGNAL | SCOPE_ABSTRACT };
        s->ruleset = (int)syscall(CREATE_RULESET, &all, sizeof all, 0);
        s->why = s->ruleset < 0 ? errno : 0;
    }
    sandbox_file(s, "/dev/null", MAY_READ | MAY_WRITE);
    sandbox_file(s, "/dev/urandom", MAY_READ); /* libcrypto's, where getrandom(2) fails */
    if (needs & NEEDS_PROC) /* stays open: the kernel might forget, and make anew, what nobody holds */
        s->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* ---- what is let in */

static void note(char list[SANDBOX_SAYS], const char *what)
{
    size_t n = strlen(list), k = strlen(what);
    for (const char *at = list; (at = strstr(at, what)); at += k)
        if ((at == list || at[-1] == ',') && (!at[k] || at[k] == ','))
            return;
    snprintf(list + n, SANDBOX_SAYS - n, "%s%s", n ? "," : "", n + k + 8 < SANDBOX_SAYS ? what : "...");
}

static void let_in(struct sandbox *s, int fd, bool folder, unsigned may)
{
    const struct beneath rule = {
        .fd = fd,
        .allowed = ((may & MAY_READ ? FS_READ_FILE | FS_READ_DIR : 0u) | (may & MAY_WRITE ? FS_WRITE_FILE | FS_MAKE_REG | FS_TRUNCATE : 0u) |
                    (may & MAY_REMOVE ? FS_REMOVE_FILE : 0u)) & handled(s->abi) & (folder ? ~UINT64_C(0) : FS_OF_A_FILE),
    };
    if (s->ruleset >= 0)
        (void)!syscall(ADD_RULE, s->ruleset, PATH_BENEATH, &rule, 0); /* what is no file (a pipe) is not confined either */
}

static void place(struct sandbox *s, const char *path, unsigned may)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) /* nothing there: nothing is let in */
        return;
    if (!fstat(fd, &st))
        let_in(s, fd, S_ISDIR(st.st_mode), may);
    close(fd);
    if (!strncmp(path, "/dev/", 5))
        return;
    s->may |= may;
    if (may & MAY_READ)
        note(s->reads, path);
    if (may & MAY_WRITE)
        note(s->writes, path);
    if (may & MAY_REMOVE)
        note(s->removes, path);
}

/* The folder that `path` is in; the thing itself, if that is the root folder. */
static void place_around(struct sandbox *s, const char *path, unsigned may)
{
    char copy[PATH_MAX], real[PATH_MAX];
    struct stat st;
    bool odd = !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode);
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return;
    if (!odd && realpath(dirname(copy), real))
        place(s, strcmp(real, "/") != 0 ? real : path, may);
    else if (odd)
        place(s, path, may);
}

void sandbox_file(struct sandbox *s, const char *path, unsigned may)
{
    char real[PATH_MAX];
    place_around(s, path, may);
    if (realpath(path, real))
        place_around(s, real, may);
}

void sandbox_one(struct sandbox *s, const char *path, unsigned may)
{
    char real[PATH_MAX];
    place(s, path, may);
    if (realpath(path, real) && strcmp(real, path) != 0)
        place_around(s, real, may);
}

void sandbox_folder(struct sandbox *s, const char *path, unsigned may, bool links)
{
    char real[PATH_MAX], name[PATH_MAX];
    const char *where = realpath(path, real) ? real : path;
    place(s, where, may);
    DIR *d = links ? opendir(where) : NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_type == DT_LNK && snprintf(name, sizeof name, "%s/%s", where, e->d_name) < (int)sizeof name)
            sandbox_file(s, name, may);
    if (d)
        closedir(d);
}

void sandbox_port(struct sandbox *s, uint16_t port)
{
    const struct net_port rule = { .allowed = NET_CONNECT, .port = port };
    char text[8];
    if (s->ruleset >= 0 && s->abi >= ABI_NET)
        (void)!syscall(ADD_RULE, s->ruleset, NET_PORT, &rule, 0);
    s->open_ports[port / 8] |= (uint8_t)(1u << port % 8);
    snprintf(text, sizeof text, "%u", port);
    note(s->ports, text);
}

bool sandbox_allows(const struct sandbox *s, unsigned needs, uint16_t port)
{
    bool ports = s->off || s->why || s->abi < ABI_NET || !port || s->open_ports[port / 8] & 1u << port % 8;
    return ports && (s->off || s->calls || !(needs & ~s->needs));
}

bool sandbox_refuses(const char *path)
{
    struct stat st;
    if (access(path, R_OK) || stat(path, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return false;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool refused = fd < 0 && errno == EACCES;
    if (fd >= 0)
        close(fd);
    return refused;
}

/* ---- from here on */

void sandbox_enter(struct sandbox *s)
{
    if (s->self >= 0)
        let_in(s, s->self, true, MAY_READ);
    if (s->needs & NEEDS_NAMES) /* its threads end with pthread_exit(3), which loads this, and ends the process where it cannot */
        (void)!dlopen("libgcc_s.so.1", RTLD_NOW);
    s->calls = sandbox_calls_missing();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) { /* both ask for it */
        s->why = errno;
        s->calls = "no_new_privs is refused";
    }
    if (!s->why && syscall(RESTRICT_SELF, s->ruleset, 0))
        s->why = errno;
    if (s->ruleset >= 0)
        close(s->ruleset);
    s->ruleset = -1;
    if (!s->calls)
        s->calls = sandbox_calls(s);
}

/* ---- and in words */

static const char *files_why(char *out, size_t cap, int why)
{
    snprintf(out, cap, "not confined: %s",
             why == ENOSYS       ? "this kernel has no Landlock (Linux 5.13 has)"
             : why == EOPNOTSUPP ? "Landlock is switched off here (lsm= of the kernel)"
             : why == EPERM      ? "something around us refuses Landlock (a container's filter)"
                                 : strerror(why));
    return out;
}

static const char *since(const struct sandbox *s, int abi, const char *version)
{
    return s->why || !s->abi ? "not confined" : s->abi >= abi ? "confined" : version;
}

void sandbox_tell(const struct sandbox *s, const struct log *log, const char *event, bool all)
{
    char files[160] = "confined", calls[160] = "filtered", abi[16];
    if (s->off) {
        log_line(log, all ? "notice" : "info", event, "what", "off (--no-sandbox)", NULL);
        return;
    }
    if (s->why)
        files_why(files, sizeof files, s->why);
    if (s->calls)
        snprintf(calls, sizeof calls, "not filtered: %s", s->calls);
    snprintf(abi, sizeof abi, "%d", s->abi);
    bool bare = s->why || s->calls, folders = all && !s->why;
    log_line(log, all ? "notice" : bare ? "warn" : "info", event, "code", bare ? "serve.sandbox" : NULL, "files", files, "network",
             since(s, ABI_NET, "not confined: Linux 6.7 can"), "signals", since(s, ABI_SCOPE, "not confined: Linux 6.12 can"), "calls", calls,
             "landlock", s->abi ? abi : NULL, "reads", folders ? s->reads : NULL, "writes", folders && *s->writes ? s->writes : NULL, "removes",
             folders && *s->removes ? s->removes : NULL, "ports", folders && *s->ports ? s->ports : NULL, "action",
             bare && !all ? "let it have landlock_create_ruleset(2) and seccomp(2) where it runs (kernel, container), or start it with --no-sandbox" : NULL, NULL);
}

const char *sandbox_could(char *out, size_t cap)
{
    int abi = landlock_version();
    const char *calls = sandbox_calls_missing();
    char files[160];
    if (abi > 0)
        snprintf(files, sizeof files, "Landlock %d: files%s%s", abi, abi >= ABI_NET ? ", network" : "", abi >= ABI_SCOPE ? ", signals" : "");
    else
        files_why(files, sizeof files, errno);
    snprintf(out, cap, "%s; system calls %s%s", files, calls ? "not filtered: " : "filtered", calls ? calls : "");
    return out;
}
