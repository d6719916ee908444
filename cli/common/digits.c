/* digits.c - see digits.h.  Must never write more than three bytes for four digits. */
#include "common/digits.h"

#include <ctype.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_digit(char c)
{
    unsigned char u = (unsigned char)c;
    return isdigit(u) ? u - '0' : isxdigit(u) ? tolower(u) - 'a' + 10 : -1;
}

bool hex_bytes(uint8_t *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

size_t base64_span(const char *text)
{
    return strspn(text, digits);
}

size_t base64_bytes(uint8_t *out, const char *text, size_t n)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t k = 0;
    for (size_t i = 0; i < n && text[i] != '='; i++) {
        const char *at = text[i] ? strchr(digits, text[i]) : NULL;
        if (isspace((unsigned char)text[i]))
            continue;
        if (!at)
            return 0;
        bits = bits << 6 | (uint32_t)(at - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[k++] = (uint8_t)(bits >> have);
        }
    }
    return k;
}

void base64_text(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
        for (unsigned k = 0; k < 4; k++)
            *out++ = i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
    }
    *out = 0;
}
