/* dn_text.h - distinguished names as text by RFC 4514: exact and reversible, for people and for programs. */
#ifndef X509_DN_TEXT_H
#define X509_DN_TEXT_H

#include "base/text.h"

/* "CN=shop.example,O=Shop\, Inc.,C=DE": most specific part first, as RFC 4514 2.1 says.  Control characters become \xx; a value that
 * is not a string, or of an attribute without a name, becomes #hex.  "" for an empty name, "(malformed)" for none. */
void dn_text(struct text *t, span name);
/* The content of a string type as UTF-8, escaped with text_escaped's rules. */
void der_string_text(struct text *t, uint8_t tag, span content);

#endif
