/* name_wr.c - distinguished names and general names from text.  Must never write half a name: text that is not one turns the writer
 * bad. */
#include <strings.h>

#include "x509/name_wr.h"

enum { RDNS_MAX = 32, PARTS_MAX = 8 };

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void hex_write(struct wr *w, const char *hex, size_t n)
{
    if (n % 2)
        w->bad = true;
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            w->bad = true;
        else
            wr_u8(w, (uint8_t)(high << 4 | low));
    }
}

/* Splits `text` at each unescaped `at`; parts as (start, length).  False when there are too many. */
static bool split(span text, uint8_t at, span *parts, size_t max, size_t *n)
{
    *n = 0;
    size_t from = 0;
    for (size_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] == '\\') {
            i++;
            continue;
        }
        if (i < text.n && text.p[i] != at)
            continue;
        TRY(*n < max);
        parts[(*n)++] = span_slice(text, from, i - from);
        from = i + 1;
    }
    return true;
}

static const struct {
    const char *name;
    uint8_t     tag;
} string_types[] = { { "utf8", W_UTF8 }, { "printable", W_PRINTABLE }, { "ia5", W_IA5 },       { "t61", W_T61 },
                     { "bmp", W_BMP },   { "universal", W_UNIVERSAL }, { "visible", W_VISIBLE } };

static uint8_t default_type(span oid)
{
    if (oid_is(oid, OID_AT_C) || oid_is(oid, OID_AT_SERIAL) || oid_is(oid, OID_AT_DN_QUALIFIER) ||
        oid_is(oid, OID_AT_JURISDICTION_C))
        return W_PRINTABLE;
    return oid_is(oid, OID_AT_DC) || oid_is(oid, OID_AT_EMAIL) ? W_IA5 : W_UTF8;
}

static void write_char(struct wr *w, uint8_t tag, uint8_t c)
{
    for (int zeros = tag == W_BMP ? 1 : tag == W_UNIVERSAL ? 3 : 0; zeros; zeros--)
        wr_u8(w, 0); /* characters beyond Latin-1: as "#..." */
    wr_u8(w, c);
}

static void write_value(struct wr *w, uint8_t tag, span text)
{
    if (text.n && text.p[0] == '#') {
        hex_write(w, (const char *)text.p + 1, text.n - 1);
        return;
    }
    size_t m = dw_open(w, tag);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c == '\\' && i + 1 < text.n) {
            int high = hex_digit((char)text.p[i + 1]), low = i + 2 < text.n ? hex_digit((char)text.p[i + 2]) : -1;
            bool hex = high >= 0 && low >= 0;
            c = text.p[i + 1];
            if (hex)
                c = (uint8_t)(high << 4 | low);
            i += hex ? 2 : 1;
        }
        write_char(w, tag, c);
    }
    dw_close(w, m);
}

/* type[/string type]=value */
static void write_attribute(struct wr *w, span text)
{
    char type[80];
    const uint8_t *eq = text.n ? memchr(text.p, '=', text.n) : NULL;
    size_t n = eq ? (size_t)(eq - text.p) : 0;
    for (; n && text.p[0] == ' '; n--)
        text = span_of(text.p + 1, text.n - 1);
    if (!n || n >= sizeof type) {
        w->bad = true;
        return;
    }
    memcpy(type, text.p, n);
    type[n] = 0;
    uint8_t tag = 0;
    char *slash = strchr(type, '/');
    for (size_t i = 0; slash && i < COUNT_OF(string_types); i++)
        if (!strcasecmp(slash + 1, string_types[i].name))
            tag = string_types[i].tag;
    if (slash && !tag)
        w->bad = true;
    if (slash)
        *slash = 0;
    uint8_t oid[64];
    struct wr o = wr_into(oid, sizeof oid);
    oid_write(&o, type);
    if (!wr_ok(&o))
        w->bad = true;
    size_t m = dw_open(w, W_SEQUENCE);
    dw_tlv(w, W_OID, wr_done(&o));
    write_value(w, tag ? tag : default_type(wr_done(&o)), span_slice(text, n + 1, text.n));
    dw_close(w, m);
}

static void reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t c = p[i];
        p[i] = p[n - 1 - i];
        p[n - 1 - i] = c;
    }
}

/* DER wants the elements of a SET OF in ascending order (X.690 11.6): bubbles the elements that start at at[0..n), end at `end`. */
static void sort_set(uint8_t *p, size_t *at, size_t n, size_t end)
{
    for (size_t round = 0; round + 1 < n; round++)
        for (size_t i = 0; i + 1 < n; i++) {
            size_t a = at[i + 1] - at[i], b = (i + 2 < n ? at[i + 2] : end) - at[i + 1];
            int order = memcmp(p + at[i], p + at[i + 1], a < b ? a : b);
            if (order < 0 || (order == 0 && a <= b))
                continue;
            reverse(p + at[i], a);
            reverse(p + at[i + 1], b);
            reverse(p + at[i], a + b);
            at[i + 1] = at[i] + b;
        }
}

static void write_rdn(struct wr *w, uint8_t tag, span text)
{
    span parts[PARTS_MAX];
    size_t at[PARTS_MAX], n;
    if (!split(text, '+', parts, PARTS_MAX, &n)) {
        w->bad = true;
        return;
    }
    size_t m = dw_open(w, tag);
    for (size_t i = 0; i < n; i++) {
        at[i] = w->n;
        write_attribute(w, parts[i]);
    }
    if (wr_ok(w) && w->p)
        sort_set(w->p, at, n, w->n);
    dw_close(w, m);
}

void rdn_write(struct wr *w, uint8_t tag, const char *text)
{
    write_rdn(w, tag, span_of(text, strlen(text)));
}

void dn_write(struct wr *w, const char *text)
{
    span parts[RDNS_MAX];
    size_t n = 0;
    if (*text && !split(span_of(text, strlen(text)), ',', parts, RDNS_MAX, &n)) {
        w->bad = true;
        return;
    }
    size_t m = dw_open(w, W_SEQUENCE);
    while (n-- > 0)
        write_rdn(w, W_SET, parts[n]);
    dw_close(w, m);
}

/* ---- general names */

/* Four numbers of 0..255 without leading zeros; nothing behind them. */
static bool ipv4(uint8_t out[4], const char *s, const char *end)
{
    for (int i = 0; i < 4; i++) {
        unsigned v = 0;
        const char *from = s;
        for (; s < end && *s >= '0' && *s <= '9' && v < 256; s++)
            v = v * 10 + (unsigned)(*s - '0');
        TRY(s > from && v < 256 && (*from != '0' || s == from + 1));
        TRY(i == 3 ? s == end : s < end && *s++ == '.');
        out[i] = (uint8_t)v;
    }
    return true;
}

/* RFC 4291 2.2: groups of up to four digits, one "::", the last 32 bits perhaps as IPv4. */
static bool ipv6(uint8_t out[16], const char *s, const char *end)
{
    size_t n = 0, gap = SIZE_MAX;
    memset(out, 0, 16);
    if (end - s >= 2 && s[0] == ':' && s[1] == ':') {
        gap = 0;
        s += 2;
    }
    while (s < end) {
        unsigned v = 0, digits = 0;
        const char *from = s;
        for (; s < end && hex_digit(*s) >= 0 && digits < 5; s++, digits++)
            v = v << 4 | (unsigned)hex_digit(*s);
        if (s < end && *s == '.' && n <= 12) {
            TRY(ipv4(out + n, from, end));
            n += 4;
            break;
        }
        TRY(digits >= 1 && digits <= 4 && n <= 14);
        out[n++] = (uint8_t)(v >> 8);
        out[n++] = (uint8_t)v;
        if (s == end)
            break;
        TRY(*s++ == ':' && s < end);
        if (*s == ':') {
            TRY(gap == SIZE_MAX);
            gap = n;
            s++;
        }
    }
    TRY(gap == SIZE_MAX ? n == 16 : n < 16);
    if (gap != SIZE_MAX) {
        memmove(out + 16 - (n - gap), out + gap, n - gap);
        memset(out + gap, 0, 16 - n);
    }
    return true;
}

size_t ip_from_text(uint8_t out[16], const char *text, size_t n)
{
    return ipv4(out, text, text + n) ? 4 : ipv6(out, text, text + n) ? 16 : 0;
}

static void write_ip(struct wr *w, const char *text)
{
    const char *slash = strchr(text, '/');
    uint8_t ip[16];
    size_t n = ip_from_text(ip, text, slash ? (size_t)(slash - text) : strlen(text));
    if (!n)
        w->bad = true;
    wr_raw(w, ip, n);
    if (!slash)
        return;
    size_t bits = 0;
    for (const char *p = slash + 1; *p; p++) {
        bits = bits * 10 + (size_t)(*p - '0');
        if (*p < '0' || *p > '9' || bits > 8 * n) {
            w->bad = true;
            return;
        }
    }
    for (size_t i = 0; i < n; i++, bits -= bits < 8 ? bits : 8)
        wr_u8(w, (uint8_t)(bits >= 8 ? 0xff : 0xff00 >> bits));
}

/* "1.2.3:hex" */
static void write_other(struct wr *w, const char *text)
{
    char oid[80];
    const char *colon = strchr(text, ':');
    if (!colon || (size_t)(colon - text) >= sizeof oid) {
        w->bad = true;
        return;
    }
    memcpy(oid, text, (size_t)(colon - text));
    oid[colon - text] = 0;
    size_t m = dw_open(w, W_CONSTRUCTED(0));
    dw_oid_text(w, oid);
    size_t value = dw_open(w, W_CONSTRUCTED(0));
    hex_write(w, colon + 1, strlen(colon + 1));
    dw_close(w, value);
    dw_close(w, m);
}

enum form { F_TEXT, F_IP, F_DIR, F_OID, F_OTHER, F_RAW };

static const struct {
    const char *prefix;
    uint8_t     tag;
    enum form   form;
} forms[] = { { "DNS", W_CONTEXT(2), F_TEXT }, { "email", W_CONTEXT(1), F_TEXT },    { "URI", W_CONTEXT(6), F_TEXT },
              { "IP", W_CONTEXT(7), F_IP },    { "dir", W_CONSTRUCTED(4), F_DIR },   { "RID", W_CONTEXT(8), F_OID },
              { "other", 0, F_OTHER },         { "raw", 0, F_RAW } };

static void write_form(struct wr *w, enum form form, uint8_t tag, const char *value, bool hex)
{
    if (form == F_OTHER || form == F_RAW) {
        if (form == F_OTHER)
            write_other(w, value);
        else
            hex_write(w, value, strlen(value));
        return;
    }
    size_t m = dw_open(w, tag);
    if (hex)
        hex_write(w, value, strlen(value));
    else if (form == F_IP)
        write_ip(w, value);
    else if (form == F_DIR)
        dn_write(w, value);
    else if (form == F_OID)
        oid_write(w, value);
    else
        wr_raw(w, value, strlen(value));
    dw_close(w, m);
}

void general_name_write(struct wr *w, const char *text)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        size_t n = strlen(forms[i].prefix);
        bool hex = !strncasecmp(text, forms[i].prefix, n) && text[n] == '#' && text[n + 1] == ':';
        if (hex || (!strncasecmp(text, forms[i].prefix, n) && text[n] == ':')) {
            write_form(w, forms[i].form, forms[i].tag, text + n + (hex ? 2 : 1), hex);
            return;
        }
    }
    w->bad = true;
}

void general_names_write(struct wr *w, const char *const *texts)
{
    for (; *texts; texts++)
        general_name_write(w, *texts);
}
