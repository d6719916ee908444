/* flight.c - writes failed handshakes into a directory, under names that sort by time, and removes the oldest beyond --record-keep. */
#include "recording/flight.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "setup/setup.h"

enum { A_SECOND_MOST = 10, NAME_MAX_N = 128, STAMP_N = 20, FILES_MOST = 1000 };

bool flight_init(struct flight *f, const struct args *a, const struct log *log, bool server, int *status)
{
    struct stat st = { .st_mode = S_IFDIR };
    *f = (struct flight){ .args = a, .log = log, .dir = args_value(a, OPT_RECORD, NULL), .server = server };
    *status = EXIT_USAGE;
    if (!args_number(a, OPT_RECORD_KEEP, 1, FILES_MOST, 20, &f->keep))
        return false;
    if (!f->dir)
        return true;
    bool only_asked = args_has(a, OPT_CHECK_CONFIG);
    if (only_asked && access(f->dir, F_OK) && errno == ENOENT) /* it would be made */
        return true;
    if ((!only_asked && mkdir(f->dir, 0700) && errno != EEXIST) || stat(f->dir, &st) || !S_ISDIR(st.st_mode) || access(f->dir, W_OK | X_OK)) {
        *status = complain(a, EXIT_FILE, "--record: %s: %s", f->dir, S_ISDIR(st.st_mode) ? strerror(errno) : "is not a directory");
        return false;
    }
    f->tape = setup_tape(a);
    if (f->tape)
        return true;
    *status = complain(a, EXIT_BUG, "no memory");
    return false;
}

void flight_reload(struct flight *f, const troth_server *s, const troth_client *c)
{
    if (!f->dir)
        return;
    json_decref(f->setup);
    f->setup = facts_setup(f->args, f->tape, s, c);
}

void flight_signed(struct flight *f, troth_span signature)
{
    tape_signature(f->tape, signature);
}

void flight_end(struct flight *f)
{
    tape_free(f->tape);
    json_decref(f->setup);
}

struct recorder *flight_recorder(struct flight *f)
{
    return f->dir ? recorder_new(f->tape, RECORD_HANDSHAKE_MOST) : NULL;
}

void flight_turn(struct flight *f, struct recorder *r)
{
    if (r)
        recorder_turn(r);
    else
        tape_turn(f->tape, NULL);
}

/* "20261128T211309.123456Z-...troth": nothing else is ever removed. */
static bool is_ours(const char *name)
{
    size_t n = strlen(name);
    return n > STAMP_N + 10 && n < NAME_MAX_N && strspn(name, "0123456789") == 8 && name[8] == 'T' && name[15] == '.' && name[22] == 'Z' &&
           name[23] == '-' && !strcmp(name + n - 6, ".troth");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void forget_oldest(const struct flight *f)
{
    char(*names)[NAME_MAX_N] = calloc(FILES_MOST + 64, sizeof *names);
    DIR *d = names ? opendir(f->dir) : NULL;
    size_t n = 0;
    for (struct dirent *e; d && n < FILES_MOST + 64 && (e = readdir(d));)
        if (is_ours(e->d_name))
            snprintf(names[n++], NAME_MAX_N, "%.*s", NAME_MAX_N - 1, e->d_name);
    if (n)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; d && i + (size_t)f->keep < n; i++)
        unlinkat(dirfd(d), names[i], 0);
    if (d)
        closedir(d);
    free(names);
}

void flight_keep(struct flight *f, const struct recorder *r, troth_conn *conn, const char *peer, const char *host)
{
    const troth_error *why = troth_why(conn);
    troth_facts facts = troth_what(conn);
    struct timespec now;
    struct tm tm;
    char stamp[32], hs[17], path[4096];
    if (!r || !why)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    f->written = f->second == now.tv_sec ? f->written + 1 : 0;
    f->second = now.tv_sec;
    if (f->written >= A_SECOND_MOST)
        return; /* somebody hammers at the door: the first ones tell enough */
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &tm);
    bool named = troth_hello_name(hs, &facts);
    if (!named)
        memcpy(hs, "nohello", sizeof "nohello");
    snprintf(path, sizeof path, "%s/%s.%06ldZ-%s-%s.troth", f->dir, stamp, now.tv_nsec / 1000, hs, why->code);
    char heard[ARG_HEARD_MAX] = "";
    struct args quiet = *f->args; /* what is complained of belongs into the log */
    quiet.heard = heard;
    struct facts_of of = { .args = &quiet, .setup = f->setup, .conn = conn, .error = why, .target = peer, .host = host, .now = now.tv_sec };
    if (!recorder_write(r, &of, peer, f->server, path)) {
        log_line(f->log, "error", "recording", "code", "serve.record", "peer", peer, "saw", heard, "action", "make room, or choose another --record DIR", NULL);
        return;
    }
    log_line(f->log, "info", "recording", "code", why->code, "hs", named ? hs : NULL, "peer", peer, "file", path, NULL);
    forget_oldest(f);
}
