/* pins.c - see pins.h. */
#include "setup/pins.h"

#include <stdio.h>
#include <string.h>

#include "common/digits.h"

enum { PINS_TEXT_MOST = 8192 };

/* "ab:cd..." or "abcd...", 64 digits. */
static bool pin_from_hex(const char *text, uint8_t digest[32])
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        int v = hex_digit(*p);
        if (*p == ':' && n && n % 2 == 0)
            continue;
        if (v < 0 || n == 64)
            return false;
        digest[n / 2] = (uint8_t)(n % 2 ? digest[n / 2] | v : v << 4);
        n++;
    }
    return n == 64;
}

/* 43 digits of six bits, and the sign that something is missing; the last two bits are not part of it. */
static bool pin_from_base64(const char *text, uint8_t digest[32])
{
    enum { DIGITS = 43 };
    return base64_span(text) == DIGITS && !strcmp(text + DIGITS, "=") && strchr("AEIMQUYcgkosw048", text[DIGITS - 1]) &&
           base64_bytes(digest, text, DIGITS) == 32;
}

bool pin_read(const struct args *a, enum opt o, const char *text, uint8_t digest[32])
{
    if (!pin_from_hex(text, digest) && !pin_from_base64(text, digest))
        return complain(a, EXIT_USAGE, "--%s: `%s' is neither 64 hexadecimal digits nor base64 of 32 bytes: the SHA-256 of the key (troth inspect prints it)",
                        opt_name(o), text), false;
    return true;
}

static bool set_one(const struct args *a, troth_builder *b, enum opt o, const char *text)
{
    uint8_t digest[32];
    if (!pin_read(a, o, text, digest))
        return false;
    troth_trust_pin(b, digest);
    return true;
}

bool pins_set(const struct args *a, troth_builder *b, enum opt o)
{
    const char *value;
    for (size_t i = 0; (value = args_nth(a, o, i)); i++) {
        char list[PINS_TEXT_MOST], *save, *pin;
        snprintf(list, sizeof list, "%s", value);
        pin = strtok_r(list, ",", &save);
        if (!set_one(a, b, o, pin ? pin : ""))
            return false;
        while ((pin = strtok_r(NULL, ",", &save)))
            if (!set_one(a, b, o, pin))
                return false;
    }
    return true;
}

void pins_raw_keys(const struct args *a, troth_builder *b)
{
    static const uint8_t types[] = { TROTH_RAW_PUBLIC_KEY, TROTH_X509 };
    if (args_has(a, OPT_TAKE_RAW) || args_has(a, OPT_CLIENT_PIN))
        troth_peer_types(b, types, sizeof types);
}
