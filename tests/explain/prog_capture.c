/* explain_capture FILE KEYLOG N FORM: the story of the N-th connection of a capture, on standard output.  For the tests in this folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <troth/explain.h>

static troth_span whole_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    static uint8_t *p;
    size_t n = 0, cap = 1 << 24;
    p = malloc(cap);
    if (f) {
        n = fread(p, 1, cap, f);
        fclose(f);
    }
    return (troth_span){ p, n };
}

static bool put(void *ctx, const char *p, size_t n)
{
    return fwrite(p, 1, n, ctx) == n;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    troth_span file = whole_file(argv[1]), keys = whole_file(argv[2]);
    troth_error e = { 0 };
    troth_capture *c = troth_capture_open(file, NULL, &e);
    if (!c) {
        fprintf(stderr, "%s: %s\n", e.text, e.detail);
        return 1;
    }
    troth_story *s = troth_story_new(NULL);
    troth_provider *p = troth_libcrypto();
    troth_story_recompute(s, troth_provider_share(p));
    bool ok = troth_capture_explain(c, (size_t)atoi(argv[3]), keys, p, s);
    troth_story_options o = { .size = sizeof o };
    o.form = strstr(argv[4], "html") ? TROTH_STORY_HTML : strstr(argv[4], "json") ? TROTH_STORY_JSON : TROTH_STORY_TEXT;
    o.depth = strstr(argv[4], "bytes") ? TROTH_DEPTH_BYTES : strstr(argv[4], "fields") ? TROTH_DEPTH_FIELDS : strstr(argv[4], "summary") ? TROTH_DEPTH_SUMMARY : 0;
    o.redact = strstr(argv[4], "redact") != NULL;
    o.unicode = strstr(argv[4], "unicode") != NULL;
    o.colour = strstr(argv[4], "colour") != NULL;
    o.width = 100;
    ok = ok && troth_story_write(s, &o, put, stdout);
    troth_story_free(s);
    troth_capture_free(c);
    free((void *)(uintptr_t)file.p);
    free((void *)(uintptr_t)keys.p);
    return ok ? 0 : 1;
}
