/* credentials.c - see credentials.h.  Must never prefer that folder to a file that the name already means. */
#include "common/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *credential_folder(void)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    return dir && *dir ? dir : NULL;
}

const char *credential_path(struct args *a, const char *name, const char *place)
{
    const char *own = place ? place : name;
    const char *dir = credential_folder();
    char *path = a->paths + a->paths_n;
    size_t room = sizeof a->paths - a->paths_n;
    if (!dir || strchr(name, '/') || !strcmp(name, "-") || !access(own, F_OK))
        return own;
    int n = snprintf(path, room, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= room)
        return NULL;
    if (access(path, F_OK))
        return own;
    a->paths_n += (size_t)n + 1;
    return path;
}
