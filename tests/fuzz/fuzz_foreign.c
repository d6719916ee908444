/* fuzz_foreign.c - any text as somebody else's error (troth explain-error): recognised or not, what is written is text, and is written
 * the same way twice. */
#include <stdlib.h>
#include <string.h>

#include <troth/explain.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    size_t   n;
    uint32_t hash;
};

static bool add(void *ctx, const char *p, size_t n)
{
    struct sum *s = ctx;
    for (size_t i = 0; i < n; i++) {
        if (!p[i])
            abort();
        s->hash = (s->hash ^ (uint8_t)p[i]) * 16777619u;
    }
    s->n += n;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    for (int colour = 0; colour < 2; colour++) {
        struct sum a = { 0, 0 }, b = { 0, 0 };
        troth_story_options o = { .size = sizeof o, .colour = colour, .width = 60 };
        size_t found = troth_explain_text(text, &o, add, &a);
        if (troth_explain_text(text, &o, add, &b) != found || a.n != b.n || a.hash != b.hash || !found != !a.n)
            abort();
    }
    free(text);
    return 0;
}
