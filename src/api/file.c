/* file.c - reading a file whole.  The only place of the library, beside verify's trust stores, that opens one. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "base/secret.h"

enum { LARGEST = 16 << 20 };

static bool read_all(troth_error *e, int fd, const char *path, uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = read(fd, p + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_to(e, FILE_UNREADABLE, "%s: %s", path, got < 0 ? strerror(errno) : "it became shorter while it was read");
        at += (size_t)got;
    }
    return true;
}

static bool read_open(troth_error *e, const troth_allocator *memory, int fd, const char *path, span *out)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return fail_to(e, FILE_UNREADABLE, "%s: not a regular file", path);
    if (st.st_size > LARGEST)
        return fail_to(e, FILE_UNREADABLE, "%s: larger than any file of certificates", path);
    size_t n = (size_t)st.st_size;
    if (!n)
        return fail_to(e, FILE_EMPTY, "%s", path);
    uint8_t *p = memory->alloc(memory->ctx, n);
    if (!p)
        return fail_to(e, OUT_OF_MEMORY, "%s: %zu bytes", path, n);
    *out = span_of(p, n);
    return read_all(e, fd, path, p, n);
}

bool file_read(troth_error *e, const troth_allocator *memory, const char *path, span *out)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 && errno == EACCES)
        return fail_to(e, FILE_PERMISSION, "%s", path ? path : "");
    if (fd < 0)
        return fail_to(e, FILE_MISSING, "%s: %s", path ? path : "", path ? strerror(errno) : "no path was given");
    bool ok = read_open(e, memory, fd, path, out);
    close(fd);
    return ok;
}

void file_free(const troth_allocator *memory, span file)
{
    uint8_t *p = (uint8_t *)(uintptr_t)file.p;
    if (!p)
        return;
    secret_wipe(p, file.n);
    memory->free(memory->ctx, p, file.n);
}
