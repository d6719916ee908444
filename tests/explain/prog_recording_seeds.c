/* explain_recording_seeds DIRECTORY: handshakes of several kinds as seeds of tests/fuzz/fuzz_recording.c, secrets and all.  Run by hand. */
#include <stdio.h>

#include "support/flavour.h"
#include "support/test.h"

static FILE *f;

static void piece(uint8_t kind, const uint8_t *p, size_t n)
{
    uint8_t head[3] = { kind, (uint8_t)(n >> 8), (uint8_t)n };
    assert_true(n <= 0xffff && fwrite(head, sizeof head, 1, f) == 1 && (!n || fwrite(p, n, 1, f) == 1));
}

static void between(struct pair *p, struct pipe *pipe, void *ctx)
{
    size_t *seen = ctx;
    int from = pipe == &p->to_client;
    if (pipe->n > seen[from])
        piece((uint8_t)from, pipe->p + seen[from], pipe->n - seen[from]);
    seen[from] = pipe->n;
}

static bool line(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    piece(2, (const uint8_t *)p, n);
    return true;
}

static void write_one(const char *dir, const struct flavour *like)
{
    char path[512];
    struct flavour flavour = { like->name, like->bits | F_STORY };
    struct world *w = world_new(troth_libcrypto());
    struct scene *s = scene_new(&flavour, w);
    struct pair p;
    size_t seen[2] = { 0, 0 };
    snprintf(path, sizeof path, "%s/%s", dir, like->name);
    for (char *c = strrchr(path, '/') + 1; *c; c++)
        *c = *c == ' ' || *c == ',' || *c == '.' ? '_' : *c;
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(scene_build(s, troth_libcrypto(), troth_libcrypto()));
    scene_open(s, &p);
    troth_story_danger_keep_secrets(s->story[0]);
    p.between = between;
    p.between_ctx = seen;
    assert_true(scene_talk(s, &p));
    assert_true(troth_story_danger_key_log(s->story[0], line, NULL));
    fclose(f);
    scene_close(s, &p);
    scene_free(s);
    world_free(w);
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "basic", "retry and cookie", "client certificate", "early data", "TLS 1.2",
                                         "TLS 1.2, ticket", "ECH", "late certificate", "external PSK" };
    for (size_t i = 0; argc == 2 && i < COUNT_OF(names); i++)
        write_one(argv[1], flavour_of(names[i]));
    return argc == 2 ? 0 : 2;
}
