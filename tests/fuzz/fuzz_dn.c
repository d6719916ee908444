/* Distinguished names: two strings of any type, in halves of the input, as attributes of two names - compared both ways, hashed, shown.
 * What is equal has one hash; a name lies within itself and its beginnings; no text has a byte that a terminal obeys; and what is
 * prepared is the same again when its case is changed. */
#include <stdlib.h>

#include "base/text.h"
#include "x509/cert.h"
#include "x509/chars.h"
#include "x509/dn_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { VALUE_MAX = 100, NAME_ROOM = 300 };

/* SEQUENCE { SET { SEQUENCE { commonName, value } }, as often as wanted */
static span made_name(uint8_t *room, const uint8_t *data, size_t n, size_t rdns)
{
    static const uint8_t tags[] = { DER_UTF8, DER_PRINTABLE, DER_BMP, DER_UNIVERSAL, DER_TELETEX, DER_IA5, DER_OCTET_STRING, DER_UTF8 };
    uint8_t tag = n ? tags[data[0] % sizeof tags] : DER_UTF8;
    size_t len = n > 1 ? n - 1 : 0, at = 3;
    len = len > VALUE_MAX ? VALUE_MAX : len;
    for (size_t i = 0; i < rdns; i++) {
        const uint8_t head[] = { 0x31, (uint8_t)(len + 9), 0x30, (uint8_t)(len + 7), 0x06, 0x03, 0x55, 0x04, 0x03, tag, (uint8_t)len };
        memcpy(room + at, head, sizeof head);
        if (len)
            memcpy(room + at + sizeof head, data + 1, len);
        at += sizeof head + len;
    }
    room[0] = 0x30;
    room[1] = 0x81;
    room[2] = (uint8_t)(at - 3);
    if (at - 3 >= 128)
        return span_of(room, at);
    memmove(room + 2, room + 3, at - 3);
    room[1] = (uint8_t)(at - 3);
    return span_of(room, at - 1);
}

static bool readable(span name)
{
    struct rd_ctx ctx;
    uint64_t hash;
    rd_ctx_init(&ctx, name, NULL);
    struct rd r = rd_init(&ctx, name);
    name_read(&r, "Name", &hash);
    return rd_ok(&r);
}

static void shown(void (*write)(struct text *, span), span name)
{
    char room[600];
    struct text t = TEXT_IN(room);
    write(&t, name);
    for (size_t i = 0; i < t.n; i++)
        if ((unsigned char)t.p[i] < 0x20 || t.p[i] == 0x7f)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t in_a[NAME_ROOM], in_b[NAME_ROOM], in_twice[NAME_ROOM];
    size_t half = size / 2;
    span a = made_name(in_a, data, half, 1), b = made_name(in_b, data + half, size - half, 1), twice = made_name(in_twice, data, half, 2);
    if (!readable(a) || !readable(b))
        return 0;
    bool same = name_equal(a, b);
    if (same != name_equal(b, a) || !name_equal(a, a) || !name_within(a, a) || !name_within(twice, a) || name_within(a, twice))
        abort();
    if (same && name_hash(a) != name_hash(b))
        abort();
    shown(name_text, a);
    shown(dn_text, twice);
    if (half < 2)
        return 0;
    uint8_t upper[VALUE_MAX]; /* capitals make no difference */
    size_t n = half - 1 > VALUE_MAX ? VALUE_MAX : half - 1;
    for (size_t i = 0; i < n; i++)
        upper[i] = data[1 + i] >= 'a' && data[1 + i] <= 'z' ? (uint8_t)(data[1 + i] - 32) : data[1 + i];
    struct chars x = chars_of(DER_UTF8, span_of(data + 1, n)), y = chars_of(DER_UTF8, span_of(upper, n));
    int32_t v;
    do {
        v = chars_next(&x);
        if (v != chars_next(&y))
            abort();
    } while (v != CHAR_END);
    return 0;
}
