/* fuzz_capture.c - any bytes as a capture, and as a message; whatever story comes of it is written in every form. */
#include <stdlib.h>
#include <string.h>
#include <troth/explain.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool swallow(void *ctx, const char *p, size_t n)
{
    uint8_t *sum = ctx;
    for (size_t i = 0; i < n; i++)
        *sum = (uint8_t)(*sum + p[i]);
    return true;
}

static void tell(const troth_story *s)
{
    uint8_t sum = 0;
    for (uint8_t form = 0; form < 3; form++)
        for (uint8_t redact = 0; redact < 2; redact++) {
            troth_story_options o = { .size = sizeof o, .form = form, .depth = TROTH_DEPTH_BYTES, .redact = redact, .width = 60 };
            if (!troth_story_write(s, &o, swallow, &sum))
                abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    troth_span all = { data, size };
    troth_error e;
    troth_capture *c = troth_capture_open(all, NULL, &e);
    for (size_t i = 0; i < troth_capture_count(c) && i < 3; i++) {
        troth_story *s = troth_story_new(NULL);
        if (troth_capture_explain(c, i, (troth_span){ NULL, 0 }, troth_libcrypto(), s))
            tell(s);
        troth_story_free(s);
    }
    troth_capture_free(c);
    troth_story *s = troth_story_new(NULL);
    if (!troth_explain_message(s, all, true, &e) && !e.code)
        abort();
    tell(s);
    troth_story_free(s);
    return 0;
}
