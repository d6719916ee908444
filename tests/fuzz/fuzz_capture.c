/* fuzz_capture.c - any bytes as a capture, and as a message; whatever story comes of it is written in one of the forms: which, the bytes
 * decide, for to write a story takes most of the time. */
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

static void tell(const troth_story *s, unsigned way)
{
    uint8_t sum = 0;
    troth_story_options o = { .size = sizeof o, .form = (uint8_t)(way % 3), .depth = TROTH_DEPTH_BYTES, .redact = way / 3 % 2, .width = 60 };
    if (!troth_story_write(s, &o, swallow, &sum))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static troth_provider *crypto;
    if (!crypto && !(crypto = troth_libcrypto()))
        abort();
    troth_span all = { data, size };
    troth_error e;
    unsigned way = 0;
    for (size_t i = 0; i < size; i++)
        way = 31 * way + data[i];
    troth_capture *c = troth_capture_open(all, NULL, &e);
    for (size_t i = 0; i < troth_capture_count(c) && i < 3; i++) {
        troth_story *s = troth_story_new(NULL);
        if (troth_capture_explain(c, i, (troth_span){ NULL, 0 }, troth_provider_share(crypto), s))
            tell(s, way);
        troth_story_free(s);
    }
    troth_capture_free(c);
    troth_story *s = troth_story_new(NULL);
    if (!troth_explain_message(s, all, true, &e) && !e.code)
        abort();
    tell(s, way);
    troth_story_free(s);
    return 0;
}
