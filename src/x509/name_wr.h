/* name_wr.h - names written from text: distinguished names and general names.
 *
 * Distinguished names are text as in RFC 4514, most specific part first ("CN=shop.example,O=Shop,C=DE"): "+" joins attributes of one
 * RDN, backslash escapes a character or is followed by two hexadecimal digits, "#..." is the whole value as DER in hexadecimal.  The
 * type is a short name of oids.def or dotted; "CN/printable=x" (utf8, printable, ia5, t61, bmp, universal, visible) chooses the string
 * type, otherwise RFC 5280's: UTF8String; PrintableString for C, serialNumber and dnQualifier; IA5String for DC and emailAddress.
 *
 * General names are "DNS:shop.example", "IP:192.0.2.1", "IP:2001:db8::/32" (with a mask: a constraint), "email:a@b.example",
 * "URI:https://...", "dir:CN=...", "RID:1.2.3", "other:1.2.3:<DER in hex>", "raw:<DER in hex>"; "DNS#:<hex>" (likewise IP#, email#,
 * URI#) gives the bytes themselves, for what cannot be typed.
 *
 * The writer turns bad when the text is none of these. */
#ifndef X509_NAME_WR_H
#define X509_NAME_WR_H

#include "x509/der_wr.h"

void dn_write(struct wr *w, const char *text);
/* An RDN alone, without its SET (nameRelativeToCRLIssuer): `tag` in place of SET. */
void rdn_write(struct wr *w, uint8_t tag, const char *text);
void general_name_write(struct wr *w, const char *text);
/* The content of a GeneralNames: each of the list, which ends with NULL. */
void general_names_write(struct wr *w, const char *const *texts);
/* "192.0.2.1" or "2001:db8::1" -> 4 or 16 bytes; how many, 0: not an address. */
size_t ip_from_text(uint8_t out[16], const char *text, size_t n);
/* Content octets from hexadecimal text. */
void hex_write(struct wr *w, const char *hex, size_t n);

#endif
