/* corpus.c - loads the captured messages: tests/wire/corpus/KIND-SOURCE.bin. */
#include "wire/corpus.h"

#include <dirent.h>

#include "support/test.h"

void specimen_add(struct specimen *s, const char *name, const char *kind, const uint8_t *p, size_t n)
{
    snprintf(s->name, sizeof s->name, "%s", name);
    s->kind = wire_kind_named(kind);
    s->p = malloc(n ? n : 1);
    s->n = n;
    if (!s->kind || !s->p)
        test_fail("%s: no such kind", name);
    memcpy(s->p, p, n);
}

size_t corpus_load(struct specimen *out)
{
    static uint8_t bytes[65536];
    size_t n = 0;
    DIR *dir = opendir(TEST_DATA "/wire/corpus");
    if (!dir)
        test_fail("no corpus");
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[512], kind[64];
        const char *dash = strchr(e->d_name, '-');
        if (!dash || !strstr(e->d_name, ".bin"))
            continue;
        snprintf(kind, sizeof kind, "%.*s", (int)(dash - e->d_name), e->d_name);
        snprintf(path, sizeof path, TEST_DATA "/wire/corpus/%.200s", e->d_name);
        FILE *f = fopen(path, "rb");
        if (!f || n == SPECIMENS_MAX)
            test_fail("%s: cannot be read", path);
        size_t len = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        specimen_add(&out[n++], e->d_name, kind, bytes, len);
    }
    closedir(dir);
    return build_all(out, n);
}

void corpus_free(struct specimen *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(s[i].p);
}
