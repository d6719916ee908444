/* names.h - DNS names, addresses and mailboxes as certificates hold them. */
#ifndef X509_NAMES_H
#define X509_NAMES_H

#include "base/text.h"
#include "x509/cert.h"

bool dns_equal(span a, span b);                 /* case apart                                                       */
bool dns_ok(span s);                            /* letters, digits, hyphens, underscores; no dot at an end          */
bool dns_is_wildcard(span s);                   /* "*." and something                                               */
bool dns_pattern_ok(span s);                    /* a name, or a wildcard as the whole left-most label               */
bool dns_matches(span pattern, span host);      /* RFC 9525 6.3                                                     */
/* "192.0.2.1", "2001:db8::1", "[::1]", "fe80::1%eth0" -> 4 or 16 bytes; 0: not an address. */
size_t ip_read(uint8_t out[16], span text);
void ip_text(struct text *t, span ip);          /* RFC 5952                                                         */
bool mailbox_split(span s, span *local, span *host);
bool mailbox_equal(span a, span b);             /* local part to the letter, host by dns_equal                      */
/* An SmtpUTF8Mailbox (RFC 9598 3) is a mailbox in an otherName: asked for like an rfc822Name, and bound by constraints on those. */
bool utf8_mailbox(const struct general_name_item *g, struct general_name_item *mailbox);

#endif
