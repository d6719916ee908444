/* pki_files.c - reading and writing files of certificates and keys.  Must never overwrite one, and never leave half of one. */
#include "common/pki_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sandbox.h"

enum { CHUNK = 65536, PASSPHRASE_FILE = 4096 };

/* All of `fd`, at most `most` bytes; NULL with errno set. */
static uint8_t *read_all(int fd, size_t most, size_t *n)
{
    uint8_t *p = NULL;
    size_t room = 0;
    *n = 0;
    for (;;) {
        if (*n == room) {
            room = room ? 2 * room : CHUNK;
            uint8_t *more = realloc(p, room);
            if (!more)
                break;
            p = more;
        }
        ssize_t got = read(fd, p + *n, room - *n);
        if (got == 0)
            return p;
        if (got < 0 && errno != EINTR)
            break;
        *n += got > 0 ? (size_t)got : 0;
        if (*n > most) {
            errno = EFBIG;
            break;
        }
    }
    int why = errno;
    free(p);
    errno = why;
    return NULL;
}

uint8_t *file_whole(const struct args *a, const char *path, size_t most, size_t *n)
{
    bool in = !strcmp(path, "-");
    int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *p = fd >= 0 ? read_all(fd, most, n) : NULL;
    if (!p)
        complain(a, EXIT_FILE, "%s: %s", in ? "standard input" : path,
                 errno == EISDIR  ? "is a directory, not a file"
                 : errno == EFBIG ? "is larger than anything that belongs here"
                 : errno == EACCES && !in && sandbox_refuses(path)
                     ? "lies where the sandbox does not reach, which began with other folders; restart the service, or use --no-sandbox"
                                  : strerror(errno));
    if (fd >= 0 && !in)
        close(fd);
    return p;
}

bool is_dir(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

int dir_walk(const struct args *a, const char *path, int (*one)(void *ctx, const struct args *a, const char *file), void *ctx)
{
    char name[4096];
    DIR *d = opendir(path);
    if (!d)
        return complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
    int status = EXIT_OK;
    for (struct dirent *e; status == EXIT_OK && (e = readdir(d)) != NULL;) {
        struct stat st;
        int n = snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && n >= 0 && (size_t)n < sizeof name && !stat(name, &st) && S_ISREG(st.st_mode))
            status = one(ctx, a, name);
    }
    closedir(d);
    return status;
}

/* False after a message. */
static bool told(const struct args *a, const char *path, bool ok)
{
    if (!ok && errno == EEXIST)
        complain(a, EXIT_FILE, "%s is there already, and is not overwritten: move it away, or choose another place", path);
    else if (!ok)
        complain(a, EXIT_FILE, "%s: %s", path, strerror(errno));
    return ok;
}

bool file_begin(const struct args *a, struct outfile *f, const char *path, unsigned mode, troth_span bytes)
{
    bool ok = outfile_new(f, path, mode) && outfile_put(f, bytes.p, bytes.n);
    int why = errno;
    if (!ok)
        (void)!outfile_close(f, false);
    errno = why;
    return told(a, path, ok);
}

bool file_end(const struct args *a, struct outfile *f)
{
    return told(a, f->path, outfile_close(f, true));
}

bool file_new(const struct args *a, const char *path, unsigned mode, troth_span bytes)
{
    struct outfile f;
    return file_begin(a, &f, path, mode, bytes) && file_end(a, &f);
}

size_t passphrase_from_file(void *args, char *out, size_t cap)
{
    const struct args *a = args;
    size_t n = 0;
    if (!args_has(a, OPT_PASS_FILE))
        return 0;
    uint8_t *p = file_whole(a, args_value(a, OPT_PASS_FILE, ""), PASSPHRASE_FILE, &n);
    if (!p)
        return 0;
    uint8_t *end = memchr(p, '\n', n);
    size_t line = end ? (size_t)(end - p) : n;
    if (line && p[line - 1] == '\r')
        line--;
    if (line > cap)
        line = 0;
    memcpy(out, p, line);
    explicit_bzero(p, n);
    free(p);
    return line;
}
