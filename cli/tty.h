/* tty.h - how to print: colour, Unicode, width; and the sink that is a FILE. */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include "args.h"

/* Writes to a FILE: a troth_sink. */
bool sink_file(void *file, const char *p, size_t n);
/* Colour and Unicode as the options, the environment and the terminal have it. */
bool want_colour(const struct args *a, int fd);
bool want_unicode(void);
/* COLUMNS, or the terminal's width, 40 at least; 100 where there is no terminal. */
unsigned columns_of(int fd);

#endif
