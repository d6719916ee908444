/* tty.h - how to print: colour, Unicode, width; and the sink that is a FILE. */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include <stdio.h>

#include "common/args.h"

/* Writes to a FILE: a troth_sink. */
bool sink_file(void *file, const char *p, size_t n);
/* Length of the character that begins here, if it is UTF-8 and no control character but LF and TAB; 0: it is none. */
size_t char_text(const char *text);
/* The same, and 0 as well for marks that turn the text beside them, or end a line. */
size_t char_printable(const char *text);
/* Text with what others put into it: control characters but LF and TAB, and what is no UTF-8, as \\xNN. */
void print_safely(FILE *to, const char *text);
/* Likewise one line of it, LF and TAB too; what does not fit ends in three dots. */
void copy_safely(char *out, size_t cap, const char *text);
/* The same as a string of JSON, which would take nothing else than UTF-8.  The caller's. */
struct json_t *json_text(const char *text);
struct json_t *json_text_n(const void *text, size_t n);
/* Colour and Unicode as the options, the environment and the terminal have it. */
bool want_colour(const struct args *a, int fd);
bool want_unicode(void);
/* COLUMNS, or the terminal's width, 40 at least; 100 where there is no terminal. */
unsigned columns_of(int fd);

#endif
