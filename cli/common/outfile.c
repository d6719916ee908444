/* outfile.c - see outfile.h. */
#include "common/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As it is: what is no regular file, and what has no room for another beside it. */
static int open_direct(struct outfile *o, const char *path, unsigned mode)
{
    o->direct = true;
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
}

void outfile_folder(char *out, size_t cap, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, cap, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}

static int open_folder(const struct outfile *o, int flags, unsigned mode)
{
    char dir[OUTFILE_PATH];
    outfile_folder(dir, sizeof dir, o->path);
    return open(dir, flags | O_CLOEXEC, (mode_t)mode);
}

/* A file without a name, so that nothing is left of it whatever ends the program; else one with a name beside its place. */
static int open_beside(struct outfile *o, unsigned mode)
{
    int fd = open_folder(o, O_TMPFILE | O_WRONLY, mode);
    o->nameless = fd >= 0;
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOSYS))
        fd = open(o->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    return fd;
}

/* Where there is no stream for it nothing is left of it either. */
static bool stream(struct outfile *o, int fd)
{
    o->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (fd >= 0 && !o->to) {
        int why = errno;
        if (!o->direct && !o->nameless)
            unlink(o->beside);
        close(fd);
        errno = why;
    }
    return o->to != NULL;
}

bool outfile_open(struct outfile *o, const char *path, unsigned mode)
{
    struct stat st;
    char real[PATH_MAX];
    int fd;
    *o = (struct outfile){ .to = NULL };
    bool there = !stat(path, &st), link = !there && !lstat(path, &st);
    const char *whole = there && S_ISREG(st.st_mode) ? realpath(path, real) : path;
    int n = snprintf(o->path, sizeof o->path, "%s", whole ? whole : path), m = snprintf(o->beside, sizeof o->beside, "%s.part%ld", o->path, (long)getpid());
    if (link || (there && !S_ISREG(st.st_mode)) || !whole || n >= OUTFILE_PATH || m >= OUTFILE_PATH) {
        fd = open_direct(o, path, mode);
    } else if (there && access(o->path, W_OK)) { /* the folder's permission is not the file's */
        fd = -1;
    } else {
        fd = open_beside(o, mode);
        if (fd < 0 && there && (errno == EACCES || errno == EPERM || errno == EROFS))
            fd = open_direct(o, path, mode);
        else if (fd >= 0 && there && fchmod(fd, st.st_mode & (mode | 0111)))
                errno = 0; /* then it is as a new one would be */
    }
    return stream(o, fd);
}

bool outfile_new(struct outfile *o, const char *path, unsigned mode)
{
    struct stat st;
    *o = (struct outfile){ .fresh = true };
    int n = snprintf(o->path, sizeof o->path, "%s", path), m = snprintf(o->beside, sizeof o->beside, "%s.part%ld", path, (long)getpid());
    bool fits = n < OUTFILE_PATH && m < OUTFILE_PATH, there = fits && !lstat(path, &st);
    errno = !fits ? ENAMETOOLONG : there ? EEXIST : errno;
    int fd = fits && !there ? open_beside(o, mode) : -1;
    bool ok = stream(o, fd) && !fchmod(fd, (mode_t)mode);
    if (!ok) {
        int why = errno;
        (void)!outfile_close(o, false);
        errno = why;
    }
    return ok;
}

bool outfile_put(struct outfile *o, const void *bytes, size_t n)
{
    o->lasting = true;
    /* EINVAL: a pipe, a device */
    return fwrite(bytes, 1, n, o->to) == n && !fflush(o->to) && (!fsync(fileno(o->to)) || errno == EINVAL);
}

/* Unless something is there.  NFS cannot do it by renaming. */
static bool rename_new(const struct outfile *o)
{
    if (!renameat2(AT_FDCWD, o->beside, AT_FDCWD, o->path, RENAME_NOREPLACE))
        return true;
    if ((errno != EINVAL && errno != ENOSYS) || link(o->beside, o->path))
        return false;
    unlink(o->beside);
    return true;
}

static bool give_name(struct outfile *o)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fileno(o->to));
    if (o->nameless && linkat(AT_FDCWD, self, AT_FDCWD, o->fresh ? o->path : o->beside, AT_SYMLINK_FOLLOW))
        return false;
    bool named = !o->nameless;
    o->nameless = false;
    bool ok = o->fresh ? !named || rename_new(o) : !rename(o->beside, o->path);
    int folder = ok && o->lasting ? open_folder(o, O_RDONLY | O_DIRECTORY, 0) : -1;
    if (folder >= 0) {
        (void)!fsync(folder); /* where that cannot be, the name comes to the disk in its own time */
        close(folder);
    }
    return ok;
}

bool outfile_close(struct outfile *o, bool keep)
{
    if (!o->to)
        return true;
    bool ok = !fflush(o->to) && !ferror(o->to);
    if (ok && keep && !o->direct)
        ok = give_name(o);
    int why = errno;
    if (!o->direct && !o->nameless && (!ok || !keep))
        unlink(o->beside);
    if (fclose(o->to) && ok) {
        ok = false;
        why = errno;
    }
    o->to = NULL;
    errno = why ? why : EIO;
    return ok;
}
