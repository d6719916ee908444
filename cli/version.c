/* version.c - troth version: which one, and the compiler and the libraries that it was built with (cmake/program.cmake says which). */
#include <jansson.h>
#include <stdio.h>
#include <troth/troth.h>

#include "common/args.h"

static const struct {
    const char *name, *version; /* "": not known */
} libraries[] = { TROTH_BUILT_WITH };
enum { LIBRARIES = sizeof libraries / sizeof libraries[0] };

static int print_json(void)
{
    json_t *with = json_object();
    for (size_t i = 0; i < LIBRARIES; i++)
        json_object_set_new(with, libraries[i].name, json_string(libraries[i].version));
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o}", "schema", "troth.version/1", "version", TROTH_VERSION, "compiler", TROTH_COMPILER, "processor",
                          TROTH_PROCESSOR, "libraries", with);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
    return EXIT_OK;
}

int verb_VERSION(const struct args *a)
{
    if (args_has(a, OPT_JSON))
        return print_json();
    printf("troth %s\n  compiler   %s, for %s\n  libraries  ", TROTH_VERSION, TROTH_COMPILER, TROTH_PROCESSOR);
    for (size_t i = 0; i < LIBRARIES; i++)
        printf("%s%s%s%s", i ? ", " : "", libraries[i].name, *libraries[i].version ? " " : "", libraries[i].version);
    putchar('\n');
    return EXIT_OK;
}
