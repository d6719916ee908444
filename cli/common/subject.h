/* subject.h - who a certificate is for, out of the text of its subject (RFC 4514).  Pure. */
#ifndef CLI_SUBJECT_H
#define CLI_SUBJECT_H

#include <stddef.h>

/* The value of the first CN of a name, unescaped; "": there is none, or none that is text and fits. */
void common_name(char *out, size_t cap, const char *dn);

#endif
