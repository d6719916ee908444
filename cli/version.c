/* version.c - troth version. */
#include <stdio.h>
#include <troth/troth.h>

#include "args.h"

#ifndef TROTH_VERSION
#define TROTH_VERSION "0.1.0"
#endif

int verb_VERSION(const struct args *a)
{
    if (args_has(a, OPT_JSON))
        printf("{\"schema\":\"troth.version/1\",\"version\":\"%s\"}\n", TROTH_VERSION);
    else
        printf("troth %s\n", TROTH_VERSION);
    return EXIT_OK;
}
