/* hsts.h - what Strict-Transport-Security says (RFC 6797 6.1), read as browsers read it.
 *
 * Pure.  Must never take a rule from what does not conform: whoever reads it so is told nothing by it. */
#ifndef CLI_HSTS_H
#define CLI_HSTS_H

/* The max-age of the header, in seconds; -1: it is no rule. */
long long hsts_max_age(const char *value);

#endif
