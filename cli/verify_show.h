/* verify_show.h - a report of judged certificates, for people and for programs. */
#ifndef CLI_VERIFY_SHOW_H
#define CLI_VERIFY_SHOW_H

#include <troth/verify.h>

#include "common/args.h"

/* `files`: the path of each of the question's certs[].  `later`, where there is one: the report of the moment `when` at which the chain stops being valid (INT64_MAX: never). */
void show_report(const struct args *a, const troth_report *r, const troth_report *later, int64_t when, const char *const *files);
/* A rejection that never got as far as a report: roots or CRLs that cannot be read. */
void show_error(const struct args *a, const troth_error *e);

#endif
