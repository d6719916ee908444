/* signable.c - see signable.h. */
#include "serve/signable.h"

#include <string.h>

enum { SPACES = 64, RANDOMS = 64, NAMED_CURVE = 3, HS_HEADER = 4 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, CLIENT_KEY_EXCHANGE = 16 };

/* ---- TLS 1.3 */

static bool has_spaces(troth_span d)
{
    size_t n = 0;
    while (n < d.n && d.p[n] == ' ')
        n++;
    return n == SPACES;
}

/* RFC 9846 4.3.3: PKCS #1 v1.5 and SHA-1 are for certificates and for TLS 1.2. */
static bool is_of_tls13(uint16_t scheme)
{
    enum troth_sig s = troth_scheme_sig(scheme);
    return s >= TROTH_SIG_RSA_PSS_SHA256 && s != TROTH_SIG_ECDSA_SHA1;
}

static bool is_verify13(troth_span d, uint16_t scheme, bool server)
{
    static const char contexts[2][34] = { "TLS 1.3, client CertificateVerify", "TLS 1.3, server CertificateVerify" };
    const size_t head = SPACES + sizeof contexts[0]; /* with the zero behind it */
    if (d.n != head + 32 && d.n != head + 48)
        return false;
    return is_of_tls13(scheme) && has_spaces(d) && !memcmp(d.p + SPACES, contexts[server], sizeof contexts[0]);
}

/* ---- TLS 1.2 */

static size_t point_n(unsigned curve)
{
    static const struct {
        unsigned curve;
        size_t   n;
    } rows[] = { { 23, 65 }, { 24, 97 }, { 25, 133 }, { 29, 32 }, { 30, 56 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].curve == curve)
            return rows[i].n;
    return 0;
}

static bool is_key_exchange12(troth_span d)
{
    const uint8_t *p = d.p + RANDOMS;
    if (d.n < RANDOMS + 4 || p[0] != NAMED_CURVE)
        return false;
    size_t n = point_n((unsigned)p[1] << 8 | p[2]);
    return n && p[3] == n && d.n == RANDOMS + 4 + n;
}

/* Whole messages, the first two hellos, the last one the client's key: nothing else begins and ends so. */
static bool is_handshake12(troth_span d)
{
    unsigned last = 0;
    size_t count = 0;
    for (size_t at = 0; at < d.n; count++) {
        if (d.n - at < HS_HEADER)
            return false;
        size_t n = (size_t)d.p[at + 1] << 16 | (size_t)d.p[at + 2] << 8 | d.p[at + 3];
        last = d.p[at];
        if (n > d.n - at - HS_HEADER || (count == 0) != (last == CLIENT_HELLO) || (count == 1) != (last == SERVER_HELLO))
            return false;
        at += HS_HEADER + n;
        if (last == CLIENT_KEY_EXCHANGE)
            return at == d.n;
    }
    return false;
}

bool signable(troth_span data, uint16_t scheme, bool server)
{
    if (troth_scheme_sig(scheme) == TROTH_SIG_NONE)
        return false;
    return is_verify13(data, scheme, server) || (server ? is_key_exchange12(data) : is_handshake12(data));
}
