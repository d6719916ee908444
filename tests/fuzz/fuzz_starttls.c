/* fuzz_starttls.c - any bytes as what a server says before TLS (--starttls), or a SOCKS proxy: never is a byte taken behind the last word, which
 * belongs to TLS, nor one looked at that did not come; what is told of it is text.
 *
 * First byte: the protocol, or SOCKS without and with a password. */
#include <stdlib.h>

#include "../../cli/net/starttls.c"
#define talk socks_talk
#include "../../cli/net/socks.c"
#undef talk

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    const uint8_t *p;
    size_t         n;
} peer;

/* ---- dial.c and via.c, without a socket */

int complain(const struct args *a, int status, const char *fmt, ...)
{
    (void)a, (void)fmt;
    return status;
}

uint64_t now_us(void)
{
    return 0;
}

bool send_all(int fd, const void *p, size_t n, uint64_t deadline)
{
    (void)fd, (void)deadline;
    volatile uint8_t touch = n ? ((const uint8_t *)p)[n - 1] : 0;
    (void)touch;
    return true;
}

bool recv_all(int fd, void *p, size_t n, uint64_t deadline)
{
    (void)fd, (void)deadline;
    size_t got = n < peer.n ? n : peer.n;
    memcpy(p, peer.p, got);
    peer.p += got;
    peer.n -= got;
    return got == n;
}

const char *via_silence(enum troth_reason *why)
{
    *why = TROTH_R_NET_PROXY;
    return "ends the connection";
}

size_t via_decode(uint8_t *out, const char *text, size_t n)
{
    memcpy(out, text, n);
    return n;
}

/* ---- */

/* True: TLS comes next; *took: so many bytes came before it. */
static bool speak(uint8_t how, const uint8_t *p, size_t n, size_t *took)
{
    char said[200];
    bool ok;
    peer.p = p;
    peer.n = n;
    if (how % (ROWS + 2) < ROWS) {
        memset(said, 1, sizeof said);
        ok = starttls(rows[how % (ROWS + 2)].name, 0, "host.example", 1, said, sizeof said);
        for (size_t i = 0; said[i]; i++)
            if (i + 1 == sizeof said || said[i] < 0x20 || said[i] > 0x7e)
                abort();
        if (!ok && !said[0])
            abort();
    } else {
        struct via v = { .socks = true, .login = how % (ROWS + 2) == ROWS ? NULL : "user:password", .login_n = 13 };
        struct target t = { .host = "host.example", .port = "443" };
        enum troth_reason why = TROTH_R_NONE;
        const char *wrong = socks_open(0, &v, &t, 1, &why);
        if (wrong && (!*wrong || why == TROTH_R_NONE))
            abort();
        ok = !wrong;
    }
    *took = n - peer.n;
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t took, again;
    if (!size || !speak(data[0], data + 1, size - 1, &took))
        return 0;
    uint8_t *exact = malloc(took ? took : 1);
    if (!exact)
        abort();
    memcpy(exact, data + 1, took);
    if (!speak(data[0], exact, took, &again) || again != took || (took && speak(data[0], exact, took - 1, &again)))
        abort();
    free(exact);
    return 0;
}
