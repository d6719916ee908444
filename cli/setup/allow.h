/* allow.h - who of those with a good certificate may come in: --allow-san, --allow-cn, --allow-key.
 *
 * Must never let anybody in by a name that nobody vouched for, nor by half of one. */
#ifndef CLI_ALLOW_H
#define CLI_ALLOW_H

#include <troth/troth.h>

#include "common/args.h"

struct allow;

/* The rules that the options have; *made is NULL where there are none: then everybody may.  False after messages. */
bool allow_read(struct allow **made, const struct args *);
/* Shared by a service and the connections that came while it was in force.  NULL is taken. */
struct allow *allow_share(struct allow *);
void allow_free(struct allow *);
/* Answers TROTH_ASK_VERDICT. */
void allow_judge(const struct allow *, troth_conn *);

/* -- pure */
/* Is a name, as certificates are told (troth_cert_facts.names), one that this rule means?  "URI:spiffe://x/" followed by * is one segment
 * more, by ** one at least; "DNS:*.x" one label more. */
bool allow_name(const char *rule, const char *name);
/* The rule as it is compared.  NULL; else what is wrong with it. */
const char *allow_rule(char *out, size_t cap, const char *text);

#endif
