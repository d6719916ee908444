/* config.h - the configuration file: a setting is a long option, by its name.  What the command line says goes before it.
 *
 * Must never pass over what it does not understand, nor over a file that was asked for by name. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdio.h>

#include "common/args.h"

enum { CONFIG_PATH_MOST = 4096 };

/* Reads the verb's file: --config, else TROTH_CONFIG, else the first of $XDG_CONFIG_HOME/troth/VERB.yaml (~/.config) and
 * /etc/troth/VERB.yaml that is there.  False after messages, *status is the exit code. */
bool config_read(struct args *a, int *status);
void config_free(struct args *a);
/* The i-th place that the file is looked for in, the next time as well; false past the last. */
bool config_place_of(const struct args *a, size_t i, char out[CONFIG_PATH_MOST]);
/* The name of the file that was read, NULL: none. */
const char *config_file(const struct args *a);
/* Where in the file stands what a message is about - it begins with --NAME, or has a file's name in it -: "FILE:LINE: ", or nothing. */
void config_place(const struct args *a, const char *message, char *out, size_t cap);
/* --print-config: what is in force, as such a file, with where it comes from.  The exit status. */
int config_print(const struct args *a, FILE *to);

#endif
