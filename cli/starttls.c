/* starttls.c - one table row per protocol: what to wait for, what to send (RFC 3207, 2595, 4217, 6120, PostgreSQL, MySQL, LDAP).
 *
 * Must never read past the peer's last word before TLS: what follows belongs to the handshake. */
#include "starttls.h"

#include <stdio.h>
#include <string.h>

#include "dial.h"

enum { LINE_MOST = 16384 };

struct talk {
    int      fd;
    uint64_t deadline;
    char     line[512]; /* the last thing the peer said */
};

static bool say(struct talk *t, const void *p, size_t n)
{
    return send_all(t->fd, p, n, t->deadline);
}

/* Exactly `n` bytes. */
static bool hear(struct talk *t, void *out, size_t n)
{
    return recv_all(t->fd, out, n, t->deadline);
}

/* One line, byte by byte: the next may belong to TLS.  Of a long one the beginning is kept. */
static bool hear_line(struct talk *t)
{
    size_t n = 0, all = 0;
    for (char c = 0; c != '\n' && all < LINE_MOST && hear(t, &c, 1); all++)
        if (n + 1 < sizeof t->line)
            t->line[n++] = c;
    t->line[n] = 0;
    if (all == LINE_MOST)
        return false;
    t->line[strcspn(t->line, "\r\n")] = 0;
    return n > 0;
}

/* Lines until one that starts with `code` and is the last of its answer ("250 " rather than "250-"). */
static bool hear_code(struct talk *t, const char *code)
{
    for (int lines = 0; lines < 100 && hear_line(t); lines++) {
        if (strncmp(t->line, code, 3) != 0)
            return false;
        if (t->line[3] != '-')
            return true;
    }
    return false;
}

static bool smtp(struct talk *t, const char *host)
{
    (void)host;
    return hear_code(t, "220") && say(t, "EHLO troth.invalid\r\n", 20) && hear_code(t, "250") && say(t, "STARTTLS\r\n", 10) &&
           hear_code(t, "220");
}

static bool imap(struct talk *t, const char *host)
{
    (void)host;
    if (!hear_line(t) || strncmp(t->line, "* OK", 4) != 0 || !say(t, "a1 STARTTLS\r\n", 13))
        return false;
    for (int lines = 0; lines < 100 && hear_line(t); lines++)
        if (!strncmp(t->line, "a1 ", 3))
            return !strncasecmp(t->line + 3, "OK", 2);
    return false;
}

static bool pop3(struct talk *t, const char *host)
{
    (void)host;
    return hear_line(t) && t->line[0] == '+' && say(t, "STLS\r\n", 6) && hear_line(t) && t->line[0] == '+';
}

static bool ftp(struct talk *t, const char *host)
{
    (void)host;
    return hear_code(t, "220") && say(t, "AUTH TLS\r\n", 10) && hear_code(t, "234");
}

static bool postgres(struct talk *t, const char *host)
{
    static const unsigned char ask[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
    (void)host;
    char answer;
    if (!say(t, ask, sizeof ask) || !hear(t, &answer, 1))
        return false;
    snprintf(t->line, sizeof t->line, "%c", answer);
    return answer == 'S';
}

static bool mysql(struct talk *t, const char *host)
{
    (void)host;
    unsigned char head[4], greeting[1024];
    if (!hear(t, head, 4))
        return false;
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (n > sizeof greeting || !hear(t, greeting, n) || n < 1 || greeting[0] != 10)
        return false;
    size_t version = strnlen((char *)greeting + 1, n - 1) + 2, caps = version + 4 + 8 + 1;
    snprintf(t->line, sizeof t->line, "MySQL %.*s", (int)(version - 2), (char *)greeting + 1);
    if (caps + 2 > n || !(greeting[caps + 1] & 0x08)) /* CLIENT_SSL */
        return false;
    static const unsigned char ask[36] = { 32, 0, 0, 1, 0x00, 0x8a, 0x00, 0x00, 0, 0, 0, 1, 45 };
    return say(t, ask, sizeof ask);
}

static bool xmpp(struct talk *t, const char *host)
{
    char text[512], seen[4096] = "";
    size_t n = 0;
    int k = snprintf(text, sizeof text, "<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' "
                     "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", host);
    if (!say(t, text, (size_t)k))
        return false;
    while (n + 1 < sizeof seen && hear(t, seen + n, 1)) {
        seen[++n] = 0;
        if (n > 19 && !strcmp(seen + n - 18, "</stream:features>"))
            break;
    }
    if (!strstr(seen, "urn:ietf:params:xml:ns:xmpp-tls") || !say(t, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", 51))
        return false;
    for (n = 0; n + 1 < sizeof t->line && hear(t, t->line + n, 1); n++)
        if (t->line[n] == '>')
            break;
    t->line[n + (n + 1 < sizeof t->line)] = 0;
    return strstr(t->line, "<proceed") != NULL;
}

static bool ldap(struct talk *t, const char *host)
{
    (void)host;
    /* ExtendedRequest 1.3.6.1.4.1.1466.20037 (RFC 4511 4.14) */
    static const char ask[] = "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037";
    unsigned char head[2], answer[127];
    if (!say(t, ask, sizeof ask - 1) || !hear(t, head, 2) || head[0] != 0x30 || head[1] > 127 || !hear(t, answer, head[1]))
        return false;
    snprintf(t->line, sizeof t->line, "LDAP result code %d", head[1] > 7 ? answer[7] : -1);
    return head[1] > 7 && answer[3] == 0x78 && answer[7] == 0;
}

static const struct row {
    const char *name;
    bool (*speak)(struct talk *, const char *host);
} rows[] = { { "smtp", smtp },         { "imap", imap },   { "pop3", pop3 }, { "ftp", ftp },
             { "postgres", postgres }, { "mysql", mysql }, { "xmpp", xmpp }, { "ldap", ldap } };

static const struct row *row_of(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

bool starttls_known(const struct args *a)
{
    if (!args_has(a, OPT_STARTTLS) || row_of(a->value[OPT_STARTTLS]))
        return true;
    complain(a, EXIT_USAGE, "--starttls: `%s' is not spoken here; smtp, imap, pop3, ftp, postgres, mysql, xmpp and ldap are",
             a->value[OPT_STARTTLS]);
    return false;
}

bool starttls(const char *protocol, int fd, const char *host, int timeout_ms, char *said, size_t cap)
{
    struct talk t = { .fd = fd, .deadline = now_us() + (uint64_t)timeout_ms * 1000u };
    const struct row *row = row_of(protocol);
    bool ok = row && row->speak(&t, host);
    size_t n = 0;
    for (const char *p = t.line; *p && n + 1 < cap; p++)
        said[n++] = *p >= 0x20 && *p < 0x7f ? *p : '?';
    said[n] = 0;
    if (!ok && !n)
        snprintf(said, cap, "the peer said nothing in %s", protocol);
    return ok;
}
