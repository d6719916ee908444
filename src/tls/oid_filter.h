/* oid_filter.h - oid_filters (RFC 9846 4.3.5): what a server wants to be in a client's certificate.
 *
 * Two extensions have rules of what matches, keyUsage and extKeyUsage; every other is passed over, as the RFC demands of those who do
 * not know it.  Pure: a certificate and a list in, a verdict out. */
#ifndef TLS_OID_FILTER_H
#define TLS_OID_FILTER_H

#include "x509/cert.h"

/* `filters`: list of OIDFilter, as it stands in the extension.  One that has no meaning is not met. */
bool oid_filters_match(const struct cert *leaf, span filters);
/* Have these values a meaning for this extension (any, where it is not one of the two)? */
bool oid_filter_readable(span oid, span values);
/* The first of a list that has none, or that names an extension a second time; NULL: all is well. */
const char *oid_filters_wrong(span filters);

#endif
