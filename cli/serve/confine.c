/* confine.c - see confine.h.
 *
 * What a reload reads again has to be within reach: the folders of all files that options name, as these are replaced by others of their
 * name.  Nothing more is listened on, and no program started. */
#include "serve/confine.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "common/credentials.h"
#include "setup/setup.h"
#include "setup/trust.h"

static const char *unix_path(const char *where)
{
    return where && !strncmp(where, "unix:", 5) ? where + 5 : NULL;
}

/* Not what only the start reads, or is written, or stays open. */
static bool is_read_again(enum opt o, enum reader who)
{
    bool alone, keepers = keeper_reads(o, &alone);
    return opt_is_path(o) && !opt_is_fixed(o) && o != OPT_CONFIG && (who == READER || (who == READER_KEEPER ? keepers : !alone));
}

/* They stay what they are while the service runs. */
static bool is_credential(const char *path)
{
    const char *dir = credential_folder();
    size_t n = dir ? strlen(dir) : 0;
    return n && !strncmp(path, dir, n) && path[n] == '/';
}

/* A file, or a folder of files, which may be links to elsewhere. */
static void let_read(struct sandbox *s, const char *path)
{
    struct stat st;
    if (!strcmp(path, "-")) /* is open */
        return;
    if (is_credential(path)) /* beside it are the keys */
        sandbox_one(s, path, MAY_READ);
    else if (!stat(path, &st) && S_ISDIR(st.st_mode))
        sandbox_folder(s, path, MAY_READ, true);
    else
        sandbox_file(s, path, MAY_READ);
}

static void let_read_system(struct sandbox *s)
{
    const char *path;
    for (size_t i = 0; (path = trust_system_place(i)); i++)
        let_read(s, path);
}

static void let_read_files(struct sandbox *s, const struct args *a, enum reader who)
{
    char place[CONFIG_PATH_MOST];
    const char *path;
    for (size_t o = 0; o < OPT_COUNT; o++)
        for (size_t i = 0; is_read_again((enum opt)o, who) && (path = args_each(a, (enum opt)o, i)); i++)
            if (strcmp(path, "system") != 0)
                let_read(s, path);
    for (size_t i = 0; config_place_of(a, i, place); i++) /* where one may be found next time */
        sandbox_file(s, place, MAY_READ);
    if (who != READER_FRONT && (path = credential_folder()))
        sandbox_folder(s, path, MAY_READ, true);
    if (who != READER_KEEPER && args_has(a, OPT_WRAP))
        let_read_system(s);
}

static void let_write(struct sandbox *s, const struct service *v)
{
    const char *path;
    if ((path = setup_key_log(v->args)))
        sandbox_file(s, path, MAY_WRITE);
    if (v->flight.dir)
        sandbox_folder(s, v->flight.dir, MAY_READ | MAY_WRITE | MAY_REMOVE, false);
    for (size_t i = 0; i < v->n_listeners; i++)
        if (v->places[i].has_file)
            sandbox_file(s, unix_path(v->places[i].where), MAY_REMOVE);
    if ((path = unix_path(args_value(v->args, OPT_METRICS, NULL))))
        sandbox_file(s, path, MAY_REMOVE);
}

/* A name is looked up again, by what the system says now.  Of /etc no more than that: what is replaced there is out of reach, and then the
 * addresses stay. */
static void let_look_up(struct sandbox *s)
{
    static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        sandbox_one(s, files[i], MAY_READ);
    sandbox_port(s, 53);
}

/* Builds that look at themselves: what a sanitizer reads to report, and the counts of gcov. */
static void let_look(struct sandbox *s)
{
    if (TROTH_SANITIZED) {
        sandbox_file(s, "/proc/self/exe", MAY_READ);
        sandbox_folder(s, "/usr/lib", MAY_READ, false);
    }
    if (*TROTH_COUNTS)
        sandbox_folder(s, TROTH_COUNTS, MAY_READ | MAY_WRITE, false);
}

/* A key that the front could read all the same, as it lies beside what it has to read; NULL: none. */
static const char *key_in_reach(const struct args *a)
{
    static const enum opt keys[] = { OPT_KEY, OPT_DELEGATED_KEY, OPT_RAW_KEY };
    const char *path;
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        for (size_t i = 0; (path = args_each(a, keys[k], i)); i++) {
            int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
            if (fd >= 0) {
                close(fd);
                return path;
            }
        }
    return NULL;
}

static void tell_keys(const struct service *v)
{
    const char *path = v->keeper && !v->sandbox.off && !v->sandbox.why ? key_in_reach(v->args) : NULL;
    if (path)
        log_line(&v->log, "info", "keys", "what", "a private key can be read by the process that speaks to the network, too", "saw", path, "action",
                 "give keys a folder in which nothing else is", NULL);
}

void confine(struct service *v)
{
    const enum reader who = v->keeper ? READER_FRONT : READER;
    struct sandbox *s = &v->sandbox;
    bool abstract = v->supervisor.to_n && !v->supervisor.to.sun_path[0], names = v->wants & NEEDS_NAMES;
    s->off = args_has(v->args, OPT_NO_SANDBOX);
    if (!s->off) {
        sandbox_begin(s, NEEDS_ACCEPT | v->wants | (abstract ? NEEDS_ABSTRACT : 0u) |
                             (args_has(v->args, OPT_METRICS) || TROTH_SANITIZED ? NEEDS_PROC : 0u));
        v->needs(v);
        let_read_files(s, v->args, who);
        let_write(s, v);
        if (names)
            let_look_up(s);
        let_look(s);
        sandbox_enter(s);
    }
    sandbox_tell(s, &v->log, "sandbox", false);
    tell_keys(v);
}

void confine_keeper(const struct args *first)
{
    struct sandbox s;
    if (args_has(first, OPT_NO_SANDBOX))
        return;
    sandbox_begin(&s, TROTH_SANITIZED ? NEEDS_PROC : 0u);
    let_read_files(&s, first, READER_KEEPER);
    let_look(&s);
    sandbox_enter(&s); /* what it came to is what the front says of itself */
}

bool confine_reaches(const struct args *a, enum reader who)
{
    const char *path;
    for (size_t o = 0; o < OPT_COUNT; o++)
        for (size_t i = 0; is_read_again((enum opt)o, who) && (path = args_each(a, (enum opt)o, i)); i++)
            if (sandbox_refuses(path))
                return complain(a, EXIT_FILE, "--%s: %s lies where the sandbox does not reach, which began with other folders\n  restart the service, put "
                                "it into a folder that was named at the start, or do without (--no-sandbox)", opt_name((enum opt)o), path) == EXIT_OK;
    return true;
}
