/* starttls.c - one table row per protocol: what to wait for, what to send (RFC 3207, 2033, 2595, 4217, 4642, 5804, 6120, 4511, PostgreSQL,
 * MySQL).
 *
 * Must never read past the peer's last word before TLS: what follows belongs to the handshake. */
#include "net/starttls.h"

#include <stdio.h>
#include <string.h>

#include "net/dial.h"

enum { LINE_MOST = 16384, LINES_MOST = 100 };

struct talk {
    int      fd;
    uint64_t deadline;
    size_t   heard;     /* bytes, so far                */
    char     line[512]; /* the last thing the peer said */
};

static bool say(struct talk *t, const void *p, size_t n)
{
    return send_all(t->fd, p, n, t->deadline);
}

/* Exactly `n` bytes. */
static bool hear(struct talk *t, void *out, size_t n)
{
    bool came = recv_all(t->fd, out, n, t->deadline);
    t->heard += came ? n : 0;
    return came;
}

/* One line, byte by byte: the next may belong to TLS.  Of a long one the beginning is kept; one without an end is none, and kept as well. */
static bool hear_line(struct talk *t)
{
    size_t n = 0, all = 0;
    char c = 0;
    for (; c != '\n' && all < LINE_MOST && hear(t, &c, 1); all++)
        if (n + 1 < sizeof t->line)
            t->line[n++] = c;
    t->line[n] = 0;
    t->line[strcspn(t->line, "\r\n")] = 0;
    return c == '\n';
}

/* Lines until one that starts with `code` (?: any character) and is the last of its answer ("250 " rather than "250-"). */
static bool hear_code(struct talk *t, const char *code)
{
    for (int lines = 0; lines < LINES_MOST && hear_line(t); lines++) {
        for (size_t i = 0; i < 3; i++)
            if (!t->line[i] || (code[i] != '?' && code[i] != t->line[i]))
                return false;
        if (t->line[3] != '-')
            return true;
    }
    return false;
}

/* Answers and words in turn. */
static bool by_codes(struct talk *t, const char *const *turns)
{
    for (size_t i = 0; turns[i]; i++)
        if (i % 2 ? !say(t, turns[i], strlen(turns[i])) : !hear_code(t, turns[i]))
            return false;
    return true;
}

static bool imap(struct talk *t, const char *host)
{
    (void)host;
    if (!hear_line(t) || strncmp(t->line, "* OK", 4) != 0 || !say(t, "a1 STARTTLS\r\n", 13))
        return false;
    for (int lines = 0; lines < LINES_MOST && hear_line(t); lines++)
        if (!strncmp(t->line, "a1 ", 3))
            return !strncasecmp(t->line + 3, "OK", 2);
    return false;
}

/* What it can do, line by line, and then a word for all of it. */
static bool hear_ok(struct talk *t)
{
    for (int lines = 0; lines < LINES_MOST && hear_line(t); lines++)
        if (!strncasecmp(t->line, "OK", 2))
            return true;
        else if (!strncasecmp(t->line, "NO", 2) || !strncasecmp(t->line, "BYE", 3))
            return false;
    return false;
}

static bool sieve(struct talk *t, const char *host)
{
    (void)host;
    return hear_ok(t) && say(t, "STARTTLS\r\n", 10) && hear_ok(t);
}

static bool postgres(struct talk *t, const char *host)
{
    static const unsigned char ask[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
    (void)host;
    char answer;
    if (!say(t, ask, sizeof ask) || !hear(t, &answer, 1))
        return false;
    snprintf(t->line, sizeof t->line, answer == 'N' ? "%c: it offers no TLS" : "%c", answer);
    return answer == 'S';
}

static bool mysql(struct talk *t, const char *host)
{
    (void)host;
    unsigned char head[4], greeting[1024];
    if (!hear(t, head, 4))
        return false;
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (n > sizeof greeting || !hear(t, greeting, n) || n < 1)
        return false;
    if (greeting[0] == 0xff && n > 3) /* ERR_Packet */
        snprintf(t->line, sizeof t->line, "MySQL error %u: %.*s", greeting[1] | (unsigned)greeting[2] << 8, (int)(n - 3), (char *)greeting + 3);
    if (greeting[0] != 10)
        return false;
    size_t version = strnlen((char *)greeting + 1, n - 1) + 2, caps = version + 4 + 8 + 1;
    snprintf(t->line, sizeof t->line, "MySQL %.*s", (int)(version - 2), (char *)greeting + 1);
    if (caps + 2 > n || !(greeting[caps + 1] & 0x08)) /* CLIENT_SSL */
        return false;
    static const unsigned char ask[36] = { 32, 0, 0, 1, 0x00, 0x8a, 0x00, 0x00, 0, 0, 0, 1, 45 };
    return say(t, ask, sizeof ask);
}

static bool xmpp_as(struct talk *t, const char *host, const char *whom)
{
    char text[512], seen[4096] = "";
    size_t n = 0;
    int k = snprintf(text, sizeof text, "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:%s' "
                     "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", host, whom);
    if (!say(t, text, (size_t)k))
        return false;
    while (n + 1 < sizeof seen && hear(t, seen + n, 1)) {
        seen[++n] = 0;
        if (n > 19 && !strcmp(seen + n - 18, "</stream:features>"))
            break;
    }
    if (!strstr(seen, "urn:ietf:params:xml:ns:xmpp-tls") || !say(t, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", 51))
        return false;
    for (n = 0; n + 1 < sizeof t->line && (!n || t->line[n - 1] != '>') && hear(t, t->line + n, 1);)
        t->line[++n] = 0;
    return n && t->line[n - 1] == '>' && strstr(t->line, "<proceed");
}

static bool xmpp(struct talk *t, const char *host)
{
    return xmpp_as(t, host, "client");
}

static bool xmpp_server(struct talk *t, const char *host)
{
    return xmpp_as(t, host, "server");
}

/* A tag and a length of BER, which Active Directory writes with four bytes where one would do.  The length; -1: it is another tag, or too much. */
static long ber_head(struct talk *t, unsigned char tag)
{
    unsigned char head[2], more[4];
    size_t k;
    long n = 0;
    if (!hear(t, head, 2) || head[0] != tag)
        return -1;
    if (head[1] < 0x80)
        return head[1];
    k = head[1] & 0x7f;
    if (!k || k > sizeof more || !hear(t, more, k))
        return -1;
    for (size_t i = 0; i < k; i++)
        n = n << 8 | more[i];
    return n < LINE_MOST ? n : -1;
}

static bool ldap(struct talk *t, const char *host)
{
    (void)host;
    /* ExtendedRequest 1.3.6.1.4.1.1466.20037 (RFC 4511 4.14); what is read of the ExtendedResponse: message 1, result code */
    static const char ask[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037";
    unsigned char id, code, rest;
    if (!say(t, ask, sizeof ask - 1))
        return false;
    long n = ber_head(t, 0x30);
    size_t end = t->heard + (size_t)n;
    if (n < 0 || ber_head(t, 0x02) != 1 || !hear(t, &id, 1) || id != 1 || ber_head(t, 0x78) < 0 || ber_head(t, 0x0a) != 1 || !hear(t, &code, 1))
        return false;
    snprintf(t->line, sizeof t->line, "LDAP result code %d", code);
    while (t->heard < end)
        if (!hear(t, &rest, 1))
            return false;
    return code == 0 && t->heard == end;
}

static const struct row {
    const char *name, *turns[6];
    bool (*speak)(struct talk *, const char *host); /* where answers are no codes */
} rows[] = {
    { "smtp", { "220", "EHLO troth.invalid\r\n", "250", "STARTTLS\r\n", "220" }, NULL },
    { "lmtp", { "220", "LHLO troth.invalid\r\n", "250", "STARTTLS\r\n", "220" }, NULL },
    { "imap", { NULL }, imap },
    { "pop3", { "+OK", "STLS\r\n", "+OK" }, NULL },
    { "sieve", { NULL }, sieve },
    { "ftp", { "220", "AUTH TLS\r\n", "234" }, NULL },
    { "nntp", { "20?", "STARTTLS\r\n", "382" }, NULL },
    { "postgres", { NULL }, postgres },
    { "mysql", { NULL }, mysql },
    { "xmpp", { NULL }, xmpp },
    { "xmpp-server", { NULL }, xmpp_server },
    { "ldap", { NULL }, ldap },
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct row *row_of(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

bool starttls_known(const struct args *a)
{
    if (!args_has(a, OPT_STARTTLS) || row_of(a->value[OPT_STARTTLS]))
        return true;
    char names[200];
    for (size_t i = 0, n = 0; i < ROWS; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "", rows[i].name);
    complain(a, EXIT_USAGE, "--starttls: `%s' is not spoken here; these are: %s", a->value[OPT_STARTTLS], names);
    return false;
}

bool starttls(const char *protocol, int fd, const char *host, int timeout_ms, char *said, size_t cap)
{
    struct talk t = { .fd = fd, .deadline = now_us() + (uint64_t)timeout_ms * 1000u };
    const struct row *row = row_of(protocol);
    bool ok = row && (row->speak ? row->speak(&t, host) : by_codes(&t, row->turns));
    size_t n = 0;
    for (const char *p = t.line; *p && n + 1 < cap; p++)
        said[n++] = *p >= 0x20 && *p < 0x7f ? *p : '?';
    said[n] = 0;
    if (!ok && !n)
        snprintf(said, cap, "the peer said nothing in %s", protocol);
    return ok;
}
