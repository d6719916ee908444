/* version.c - troth version: which one, and the compiler and the libraries that it was built with (cmake/program.cmake says which). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <troth/troth.h>

#include "args.h"

static const char built_with[] = TROTH_BUILT_WITH;

/* "libcrypto 3.0.17,zlib 1.2.13,ipsec_mb " -> the name and the version of the first, and where the next begins; NULL: there is none. */
static const char *library(const char *p, char name[40], char version[40])
{
    size_t n = strcspn(p, ",");
    char one[80];
    snprintf(one, sizeof one, "%.*s", (int)n, p);
    char *space = strchr(one, ' ');
    snprintf(name, 40, "%.*s", (int)(space ? space - one : (long)strlen(one)), one);
    snprintf(version, 40, "%s", space ? space + 1 : "");
    return p[n] ? p + n + 1 : NULL;
}

static int print_json(void)
{
    char name[40], version[40];
    json_t *libraries = json_object();
    for (const char *p = built_with; p;) {
        p = library(p, name, version);
        json_object_set_new(libraries, name, json_string(version));
    }
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:o}", "schema", "troth.version/1", "version", TROTH_VERSION, "compiler", TROTH_COMPILER, "processor",
                          TROTH_PROCESSOR, "libraries", libraries);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
    return EXIT_OK;
}

int verb_VERSION(const struct args *a)
{
    char name[40], version[40];
    if (args_has(a, OPT_JSON))
        return print_json();
    printf("troth %s\n  compiler   %s, for %s\n", TROTH_VERSION, TROTH_COMPILER, TROTH_PROCESSOR);
    for (const char *p = built_with; p;) {
        bool first = p == built_with;
        p = library(p, name, version);
        printf("%s%s%s%s%s", first ? "  libraries  " : ", ", name, *version ? " " : "", version, p ? "" : "\n");
    }
    return EXIT_OK;
}
