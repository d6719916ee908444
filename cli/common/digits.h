/* digits.h - bytes that came as hexadecimal digits or in base64 (RFC 4648), decoded in one place. */
#ifndef CLI_DIGITS_H
#define CLI_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 to 15; -1: it is none. */
int hex_digit(char c);
/* Decodes n bytes from 2 n digits, without anything between them.  False: there is something else among them. */
bool hex_bytes(uint8_t *out, const char *text, size_t n);
/* How many digits of base64 a text begins with. */
size_t base64_span(const char *text);
/* Decodes up to the first '=' or the end; white space is stepped over.  Length written, at most 3 for 4 digits begun; 0: nothing, or
 * something that is no base64. */
size_t base64_bytes(uint8_t *out, const char *text, size_t n);
/* The other way round: 4 digits for 3 bytes begun, and a zero behind them. */
void base64_text(char *out, const uint8_t *p, size_t n);

#endif
