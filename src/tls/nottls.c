/* nottls.c - protocols by their first bytes.  Must never look at more than it was given: often that is one packet, sometimes one byte. */
#include "tls/nottls.h"

#include "base/text.h"

enum side { CLIENT = 1, SERVER = 2, BOTH = 3 };

/* clang-format off */
static const struct sign {
    const char *begins;   /* the first bytes ...                                    */
    const char *has;      /* ... and, somewhere in what came, this; NULL: no matter */
    uint8_t     side;     /* who talks like that                                    */
    uint16_t    reason;
} signs[] = {
    { "HTTP/",        NULL,   SERVER, TROTH_R_NOT_TLS_HTTP },
    { "<!DOCTYPE",    NULL,   SERVER, TROTH_R_NOT_TLS_HTTP },
    { "<html",        NULL,   SERVER, TROTH_R_NOT_TLS_HTTP },
    { "GET ",         NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "POST ",        NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "HEAD ",        NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "PUT ",         NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "DELETE ",      NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "OPTIONS ",     NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "CONNECT ",     NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "PATCH ",       NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "PRI * HTTP/2", NULL,   CLIENT, TROTH_R_NOT_TLS_HTTP },
    { "220",          "FTP",  SERVER, TROTH_R_NOT_TLS_FTP },
    { "220",          "ftp",  SERVER, TROTH_R_NOT_TLS_FTP },
    { "220",          NULL,   SERVER, TROTH_R_NOT_TLS_SMTP },
    { "554 ",         NULL,   SERVER, TROTH_R_NOT_TLS_SMTP },
    { "421 ",         NULL,   SERVER, TROTH_R_NOT_TLS_SMTP },
    { "EHLO ",        NULL,   CLIENT, TROTH_R_NOT_TLS_SMTP },
    { "HELO ",        NULL,   CLIENT, TROTH_R_NOT_TLS_SMTP },
    { "* OK",         NULL,   SERVER, TROTH_R_NOT_TLS_IMAP },
    { "* PREAUTH",    NULL,   SERVER, TROTH_R_NOT_TLS_IMAP },
    { "* BYE",        NULL,   SERVER, TROTH_R_NOT_TLS_IMAP },
    { "+OK",          NULL,   SERVER, TROTH_R_NOT_TLS_POP3 },
    { "-ERR unknown command", NULL, SERVER, TROTH_R_NOT_TLS_REDIS },
    { "-ERR Protocol error",  NULL, SERVER, TROTH_R_NOT_TLS_REDIS },
    { "-DENIED",      NULL,   SERVER, TROTH_R_NOT_TLS_REDIS },
    { "-NOAUTH",      NULL,   SERVER, TROTH_R_NOT_TLS_REDIS },
    { "-ERR",         NULL,   SERVER, TROTH_R_NOT_TLS_POP3 },
    { "*1\r\n$",      NULL,   CLIENT, TROTH_R_NOT_TLS_REDIS },
    { "*2\r\n$",      NULL,   CLIENT, TROTH_R_NOT_TLS_REDIS },
    { "SSH-",         NULL,   BOTH,   TROTH_R_NOT_TLS_SSH },
    { "PROXY ",       NULL,   BOTH,   TROTH_R_NOT_TLS_PROXY },
    { "\r\n\r\n",     "QUIT", BOTH,   TROTH_R_NOT_TLS_PROXY },
};
/* clang-format on */

static bool begins(span s, const char *with)
{
    size_t n = strlen(with);
    return s.n >= n && !memcmp(s.p, with, n);
}

static bool has(span s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.n; i++)
        if (!memcmp(s.p + i, word, n))
            return true;
    return false;
}

/* MySQL's greeting: length (3), sequence 0, protocol 10 (or an error, 255).  PostgreSQL answers an unknown packet with 'E' and a length. */
static enum troth_reason binary(span s, bool from_server)
{
    if (from_server && s.n >= 5 && s.p[3] == 0 && (s.p[4] == 10 || s.p[4] == 0xff) && s.p[2] == 0)
        return TROTH_R_NOT_TLS_MYSQL;
    if (from_server && s.n >= 5 && s.p[0] == 'E' && s.p[1] == 0 && s.p[2] == 0)
        return TROTH_R_NOT_TLS_POSTGRES;
    if (!from_server && s.n >= 8 && s.p[0] == 0 && s.p[1] == 0 && s.p[4] == 0x04 && s.p[5] == 0xd2 && s.p[6] == 0x16)
        return TROTH_R_NOT_TLS_POSTGRES; /* SSLRequest 80877103, or GSSENCRequest, CancelRequest */
    return TROTH_R_NOT_TLS;
}

static enum troth_reason recognise(span s, bool from_server)
{
    for (size_t i = 0; i < COUNT_OF(signs); i++)
        if (signs[i].side & (from_server ? SERVER : CLIENT) && begins(s, signs[i].begins)
            && (!signs[i].has || has(s, signs[i].has)))
            return (enum troth_reason)signs[i].reason;
    return binary(s, from_server);
}

bool not_tls(troth_error *e, span first, bool from_server)
{
    enum { SHOWN = 60 };
    char words[4 * SHOWN + 8];
    struct text t = TEXT_IN(words);
    size_t line = 0;
    while (line < first.n && line < SHOWN && first.p[line] != '\r' && first.p[line] != '\n')
        line++;
    text_escaped(&t, span_slice(first, 0, line ? line : first.n < SHOWN ? first.n : SHOWN));
    *e = (troth_error){ .reason = TROTH_R_NONE };
    return error_set(e, recognise(first, from_server), __FILE__, __LINE__, "it says \"%s\"", words);
}
