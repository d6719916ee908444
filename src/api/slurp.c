/* slurp.c - a file into memory.  Must never read more than FILE_MAX, nor follow anything but the path that
 * was given. */
#include "api/slurp.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool cannot(troth_error *error, const char *path)
{
    return error_set(error, TROTH_R_TRUST_UNREADABLE, __FILE__, __LINE__, "%s: %s", path, strerror(errno));
}

static bool read_all(struct arena *arena, FILE *f, size_t expected, const char *path, span *out,
                     troth_error *error)
{
    size_t cap = expected + 1, n = 0;
    uint8_t *p = arena_alloc(arena, cap);
    while (p) {
        n += fread(p + n, 1, cap - n, f);
        if (n < cap)
            break;
        if (cap > FILE_MAX)
            return error_set(error, TROTH_R_TRUST_UNREADABLE, __FILE__, __LINE__, "%s: larger than %d bytes",
                             path, FILE_MAX);
        uint8_t *more = arena_alloc(arena, 2 * cap); /* it grew, or was no regular file */
        if (more)
            memcpy(more, p, n);
        p = more;
        cap *= 2;
    }
    if (!p)
        return error_set(error, TROTH_R_OUT_OF_MEMORY, __FILE__, __LINE__, "%s", path);
    if (ferror(f))
        return cannot(error, path);
    *out = span_of(p, n);
    return true;
}

bool slurp(struct arena *arena, const char *path, span *out, troth_error *error)
{
    struct stat st;
    FILE *f = fopen(path, "rbe");
    if (!f)
        return cannot(error, path);
    size_t expected = 4096;
    if (!fstat(fileno(f), &st) && S_ISREG(st.st_mode) && st.st_size >= 0)
        expected = st.st_size < FILE_MAX ? (size_t)st.st_size : FILE_MAX;
    bool ok = read_all(arena, f, expected, path, out, error);
    fclose(f);
    return ok;
}
