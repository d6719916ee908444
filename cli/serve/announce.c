/* announce.c - see announce.h.  Must never read an address before all of its header is there, nor take a version 1 line in any other
 * spelling than the one that is laid down. */
#include "serve/announce.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum {
    LINE_TEXT = 105, SIGN_N = 12, FIXED_N = 16, IP_TEXT = 46,
    TLV_ALPN = 0x01, TLV_AUTHORITY = 0x02, TLV_CRC = 0x03, TLV_ID = 0x05, TLV_TLS = 0x20,
    TLV_VERSION = 0x21, TLV_NAME = 0x22, TLV_CIPHER = 0x23, TLV_SIGNATURE = 0x24, TLV_KEY = 0x25,
    HAS_TLS = 1, HAS_CERT_NOW = 2, HAS_CERT = 4
};

static const uint8_t line_sign[6] = "PROXY ";
static const uint8_t sign[SIGN_N] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

/* By family: bytes of one address, of both with their ports. */
static const uint8_t address_n[] = { 0, 4, 16, 108 }, block_n[] = { 0, 12, 36, 216 };

static enum announce_read bad(struct announcement *a, const char *wrong)
{
    a->wrong = wrong;
    return ANNOUNCE_BAD;
}

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* ---- version 1: one line */

/* The next field of the line, up to one space or the end.  False: there is none, or it is longer than any that has a meaning. */
static bool field(const char **line, char out[IP_TEXT])
{
    size_t n = strcspn(*line, " ");
    if (!n || n >= IP_TEXT)
        return false;
    memcpy(out, *line, n);
    out[n] = 0;
    *line += n;
    if (**line == ' ' && (*line)[1])
        (*line)++;
    return true;
}

/* 0 to 65535 without zeros in front. */
static bool port(const char *text, uint16_t *out)
{
    size_t n = strlen(text);
    unsigned long v = 0;
    if (!n || n > 5 || text[strspn(text, "0123456789")] || (n > 1 && *text == '0'))
        return false;
    for (; *text; text++)
        v = 10 * v + (unsigned long)(*text - '0');
    *out = (uint16_t)v;
    return v <= 65535;
}

/* Behind "PROXY ", without the line's end. */
static enum announce_read words(struct announcement *a, const char *line)
{
    char word[5][IP_TEXT];
    struct ends e = { .family = ENDS_IPV4 };
    if (!strcmp(line, "UNKNOWN") || !strncmp(line, "UNKNOWN ", 8)) /* what follows is not to be looked at */
        return ANNOUNCE_WHOLE;
    for (size_t i = 0; i < 5; i++)
        if (!field(&line, word[i]))
            return bad(a, "a field of its line is missing, or too long");
    if (*line)
        return bad(a, "its line has too many fields, or spaces that do not belong there");
    if (!strcmp(word[0], "TCP6"))
        e.family = ENDS_IPV6;
    else if (strcmp(word[0], "TCP4") != 0)
        return bad(a, "its protocol is none of TCP4, TCP6 and UNKNOWN");
    int family = e.family == ENDS_IPV6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, word[1], e.from) != 1 || inet_pton(family, word[2], e.to) != 1)
        return bad(a, "an address in its line is none of its protocol");
    if (!port(word[3], &e.from_port) || !port(word[4], &e.to_port))
        return bad(a, "a port in its line is no number from 0 to 65535");
    a->ends = e;
    return ANNOUNCE_WHOLE;
}

static enum announce_read read_line(struct announcement *a, const uint8_t *p, size_t n)
{
    char line[LINE_TEXT + 1];
    size_t k = sizeof line_sign;
    for (; k < n && p[k] >= ' ' && p[k] < 0x7f; k++) {
        if (k == LINE_TEXT)
            return bad(a, "its line is longer than 107 bytes");
        line[k] = (char)p[k];
    }
    if (k == n || (p[k] == '\r' && k + 1 == n))
        return ANNOUNCE_MORE;
    if (p[k] != '\r' || p[k + 1] != '\n')
        return bad(a, "its line has a byte that is no text, or does not end with CR and LF");
    line[k] = 0;
    a->size = k + 2;
    return words(a, line + sizeof line_sign);
}

/* ---- version 2 */

/* CRC32C (RFC 9260 appendix A), a byte at a time: headers are short. */
static uint32_t crc_more(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    return crc;
}

/* Of a header whose checksum, at `at`, counts as zeros. */
static uint32_t checksum(const uint8_t *p, size_t n, size_t at)
{
    static const uint8_t zeros[4];
    uint32_t crc = crc_more(0xffffffffu, p, at);
    crc = crc_more(crc, zeros, sizeof zeros);
    return ~crc_more(crc, p + at + 4, n - at - 4);
}

/* Entries of a type, a length and a value, one behind the other up to the end? */
static bool tiles(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3 + u16(p + i + 1))
        if (n - i < 3 || n - i - 3 < u16(p + i + 1))
            return false;
    return true;
}

static enum announce_read entries(struct announcement *a, const uint8_t *head, size_t at)
{
    const uint8_t *crc = NULL;
    if (!tiles(head + at, a->size - at))
        return bad(a, "an entry behind its addresses reaches past its end");
    for (size_t i = at; i < a->size; i += 3 + u16(head + i + 1)) {
        const uint8_t *value = head + i + 3;
        size_t n = u16(head + i + 1);
        if (head[i] == TLV_CRC) {
            if (crc || n != 4)
                return bad(a, "its checksum is not 4 bytes long, or there are two");
            crc = value;
        } else if (head[i] == TLV_ID) {
            if (n > ANNOUNCE_ID_MAX)
                return bad(a, "its UNIQUE_ID is longer than 128 bytes");
            a->id = n ? value : NULL;
            a->id_n = n;
        } else if (head[i] == TLV_TLS && (n < 5 || !tiles(value + 5, n - 5))) {
            return bad(a, "its SSL entry is cut short");
        }
    }
    if (crc && checksum(head, a->size, (size_t)(crc - head)) != ((uint32_t)u16(crc) << 16 | u16(crc + 2)))
        return bad(a, "its CRC32C is not that of its bytes");
    return ANNOUNCE_WHOLE;
}

/* At least the byte behind the signature is there. */
static enum announce_read read_block(struct announcement *a, const uint8_t *p, size_t n)
{
    bool local = !(p[12] & 15);
    if (p[12] >> 4 != 2)
        return bad(a, "its version is not 2");
    if ((p[12] & 15) > 1)
        return bad(a, "its command is neither LOCAL nor PROXY");
    if (n > 13 && !local && (p[13] >> 4 > ENDS_UNIX || (p[13] & 15) > 2))
        return bad(a, "its address family or its transport is unknown");
    if (n < FIXED_N)
        return ANNOUNCE_MORE;
    a->size = FIXED_N + u16(p + 14);
    if (a->size > ANNOUNCE_MAX)
        return bad(a, "it is longer than 16384 bytes");
    enum ends_family family = local ? ENDS_UNKNOWN : (enum ends_family)(p[13] >> 4);
    if (a->size - FIXED_N < block_n[family])
        return bad(a, "it is too short for its addresses");
    if (n < a->size)
        return ANNOUNCE_MORE;
    if (family == ENDS_UNKNOWN) /* nobody can say what stands where */
        return ANNOUNCE_WHOLE;
    const uint8_t *at = p + FIXED_N;
    size_t k = address_n[family];
    if ((p[13] & 15) == 1) { /* else no stream, and not what we serve */
        a->ends.family = family;
        memcpy(a->ends.from, at, k);
        memcpy(a->ends.to, at + k, k);
        if (family != ENDS_UNIX) {
            a->ends.from_port = (uint16_t)u16(at + 2 * k);
            a->ends.to_port = (uint16_t)u16(at + 2 * k + 2);
        }
    }
    return entries(a, p, FIXED_N + block_n[family]);
}

enum announce_read announce_read(struct announcement *a, const uint8_t *p, size_t n)
{
    *a = (struct announcement){ .size = 0 };
    if (!n)
        return ANNOUNCE_MORE;
    size_t k = n < sizeof line_sign ? n : sizeof line_sign, m = n < SIGN_N ? n : SIGN_N;
    if (!memcmp(p, line_sign, k))
        return n < sizeof line_sign ? ANNOUNCE_MORE : read_line(a, p, n);
    if (!memcmp(p, sign, m))
        return n <= SIGN_N ? ANNOUNCE_MORE : read_block(a, p, n);
    return ANNOUNCE_NONE;
}

/* ---- writing */

static size_t write_line(uint8_t *out, size_t cap, const struct ends *e)
{
    char line[128] = "PROXY UNKNOWN\r\n", from[IP_TEXT], to[IP_TEXT];
    int family = e->family == ENDS_IPV6 ? AF_INET6 : AF_INET;
    if (e->family == ENDS_IPV4 || e->family == ENDS_IPV6)
        snprintf(line, sizeof line, "PROXY TCP%c %s %s %u %u\r\n", family == AF_INET6 ? '6' : '4', inet_ntop(family, e->from, from, sizeof from),
                 inet_ntop(family, e->to, to, sizeof to), e->from_port, e->to_port);
    size_t n = strlen(line);
    if (n > cap)
        return 0;
    memcpy(out, line, n);
    return n;
}

struct sheet {
    uint8_t *p;
    size_t   n, cap;
    bool     full;
};

static void put(struct sheet *s, const void *p, size_t n)
{
    s->full |= n > s->cap - s->n;
    if (s->full)
        return;
    if (n)
        memcpy(s->p + s->n, p, n);
    s->n += n;
}

static void put_u16(struct sheet *s, size_t v)
{
    const uint8_t two[2] = { (uint8_t)(v >> 8), (uint8_t)v };
    put(s, two, 2);
}

/* Left out when it is empty. */
static void put_entry(struct sheet *s, uint8_t type, struct announce_text t)
{
    if (!t.n || t.n > UINT16_MAX)
        return;
    put(s, &type, 1);
    put_u16(s, t.n);
    put(s, t.p, t.n);
}

/* The length of what was written since `at`, into the two bytes before it. */
static void set_length(struct sheet *s, size_t at)
{
    s->p[at - 2] = (uint8_t)((s->n - at) >> 8);
    s->p[at - 1] = (uint8_t)(s->n - at);
}

static void put_tls(struct sheet *s, const struct announce_facts *f)
{
    uint8_t flags = (uint8_t)(HAS_TLS | (f->cert ? HAS_CERT : 0) | (f->cert_now ? HAS_CERT_NOW : 0));
    const uint8_t begin[8] = { TLV_TLS, 0, 0, flags, 0, 0, 0, !f->cert }; /* the result: 0 is for a certificate that was verified */
    size_t at = s->n + 3;
    put(s, begin, sizeof begin);
    put_entry(s, TLV_VERSION, f->version);
    put_entry(s, TLV_NAME, f->name);
    put_entry(s, TLV_CIPHER, f->cipher);
    put_entry(s, TLV_SIGNATURE, f->signature);
    put_entry(s, TLV_KEY, f->key);
    if (!s->full)
        set_length(s, at);
}

static size_t write_block(uint8_t *out, size_t cap, const struct ends *e, const struct announce_facts *f)
{
    struct sheet s = { .p = out, .cap = cap };
    const uint8_t begin[4] = { 0x21, (uint8_t)(e->family == ENDS_UNKNOWN ? 0 : e->family << 4 | 1), 0, 0 };
    static const uint8_t crc[7] = { TLV_CRC, 0, 4 };
    put(&s, sign, sizeof sign);
    put(&s, begin, sizeof begin);
    put(&s, e->from, address_n[e->family]);
    put(&s, e->to, address_n[e->family]);
    if (e->family == ENDS_IPV4 || e->family == ENDS_IPV6) {
        put_u16(&s, e->from_port);
        put_u16(&s, e->to_port);
    }
    if (f) {
        put_entry(&s, TLV_ALPN, f->alpn);
        put_entry(&s, TLV_AUTHORITY, f->authority);
        if (f->id.n <= ANNOUNCE_ID_MAX)
            put_entry(&s, TLV_ID, f->id);
        if (f->tls)
            put_tls(&s, f);
    }
    put(&s, crc, sizeof crc);
    if (s.full)
        return 0;
    set_length(&s, FIXED_N);
    uint32_t sum = checksum(out, s.n, s.n - 4);
    for (int i = 0; i < 4; i++)
        out[s.n - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    return s.n;
}

size_t announce_write(uint8_t *out, size_t cap, int version, const struct ends *e, const struct announce_facts *facts)
{
    return version == 1 ? write_line(out, cap, e) : write_block(out, cap, e, facts);
}
