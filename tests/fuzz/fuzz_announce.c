/* fuzz_announce.c - any bytes as a PROXY header: what is whole is so with exactly its bytes, and wants more with fewer; written again it is
 * read as the same.  The bytes that follow make no difference. */
#include <stdlib.h>

#include "../../cli/serve/announce.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct announcement *a, int version)
{
    uint8_t out[ANNOUNCE_WRITE_MAX];
    struct announcement b;
    const struct announce_facts f = { .id = { a->id, a->id_n } };
    size_t n = announce_write(out, sizeof out, version, &a->ends, &f);
    if (!n || announce_read(&b, out, n) != ANNOUNCE_WHOLE || b.size != n)
        abort();
    if (version == 1 && a->ends.family == ENDS_UNIX)
        return;
    if (b.ends.family != a->ends.family || memcmp(b.ends.from, a->ends.from, sizeof b.ends.from) || memcmp(b.ends.to, a->ends.to, sizeof b.ends.to) ||
        b.ends.from_port != a->ends.from_port || b.ends.to_port != a->ends.to_port)
        abort();
    if (version == 1 || a->ends.family == ENDS_UNKNOWN) /* nobody can say where entries stand then */
        return;
    if (b.id_n != a->id_n || (b.id_n && memcmp(b.id, a->id, b.id_n)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct announcement a, b;
    enum announce_read r = announce_read(&a, data, size);
    if ((r == ANNOUNCE_BAD) != (a.wrong != NULL) || (r == ANNOUNCE_MORE && size > ANNOUNCE_MAX))
        abort();
    for (size_t n = 0; n < size && n < 300; n++) { /* once something is wrong, more bytes do not mend it */
        enum announce_read before = announce_read(&b, data, n);
        if (before != r && before != ANNOUNCE_MORE)
            abort();
    }
    if (r != ANNOUNCE_WHOLE)
        return 0;
    if (!a.size || a.size > size || a.size > ANNOUNCE_MAX || (a.id && (a.id < data || a.id + a.id_n > data + a.size)))
        abort();
    if (announce_read(&b, data, a.size) != r || b.size != a.size || announce_read(&b, data, a.size - 1) != ANNOUNCE_MORE)
        abort();
    same_again(&a, 1);
    same_again(&a, 2);
    return 0;
}
