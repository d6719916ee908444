/* confine.c - see confine.h.
 *
 * What a reload reads again has to be within reach: the folders of all files that options name, as these are replaced by others of their
 * name.  Nothing more is listened on, and no program started. */
#include "confine.h"

#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "credentials.h"
#include "setup.h"
#include "trust.h"

static const char *unix_path(const char *where)
{
    return where && !strncmp(where, "unix:", 5) ? where + 5 : NULL;
}

/* What only the start reads, or is written, or stays open. */
static bool is_read_again(enum opt o)
{
    return opt_is_path(o) && !opt_is_fixed(o) && o != OPT_CONFIG;
}

/* A file, or a folder of files, which may be links to elsewhere. */
static void let_read(struct sandbox *s, const char *path)
{
    struct stat st;
    if (!strcmp(path, "-")) /* is open */
        return;
    if (!stat(path, &st) && S_ISDIR(st.st_mode))
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

/* The i-th value of an option, whether it repeats or not. */
static const char *value_of(const struct args *a, enum opt o, size_t i)
{
    return opt_repeats(o) ? args_nth(a, o, i) : i ? NULL : args_value(a, o, NULL);
}

static void let_read_files(struct sandbox *s, const struct args *a)
{
    char place[CONFIG_PATH_MOST];
    const char *path;
    for (size_t o = 0; o < OPT_COUNT; o++)
        for (size_t i = 0; is_read_again((enum opt)o) && (path = value_of(a, (enum opt)o, i)); i++)
            if (strcmp(path, "system") != 0)
                let_read(s, path);
    for (size_t i = 0; config_place_of(a, i, place); i++) /* where one may be found next time */
        sandbox_file(s, place, MAY_READ);
    if ((path = credential_folder()))
        sandbox_folder(s, path, MAY_READ, true);
    if (args_has(a, OPT_WRAP))
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

void confine(struct service *v)
{
    struct sandbox *s = &v->sandbox;
    bool abstract = v->supervisor.to_n && !v->supervisor.to.sun_path[0], names = v->backend && !unix_path(v->backend);
    s->off = args_has(v->args, OPT_NO_SANDBOX);
    if (!s->off) {
        sandbox_begin(s, NEEDS_ACCEPT | (v->backend ? NEEDS_CONNECT : 0u) | (abstract ? NEEDS_ABSTRACT : 0u) | (names ? NEEDS_NAMES : 0u) |
                             (args_has(v->args, OPT_METRICS) || TROTH_SANITIZED ? NEEDS_PROC : 0u));
        v->needs(v);
        let_read_files(s, v->args);
        let_write(s, v);
        if (names)
            let_look_up(s);
        let_look(s);
        sandbox_enter(s);
    }
    sandbox_tell(s, &v->log, "sandbox", false);
}

bool confine_reaches(const struct args *a)
{
    const char *path;
    for (size_t o = 0; o < OPT_COUNT; o++)
        for (size_t i = 0; is_read_again((enum opt)o) && (path = value_of(a, (enum opt)o, i)); i++)
            if (sandbox_refuses(path))
                return complain(a, EXIT_FILE, "--%s: %s lies where the sandbox does not reach, which began with other folders\n  restart the service, put "
                                "it into a folder that was named at the start, or do without (--no-sandbox)", opt_name((enum opt)o), path) == EXIT_OK;
    return true;
}
