/* story_out.c - stories to files and terminals. */
#include "client/story_out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/outfile.h"
#include "recording/record.h"

static int64_t story_us(void *ctx)
{
    (void)ctx;
    return (int64_t)now_us();
}

troth_story *story_begin(const char *about, int64_t now)
{
    troth_story *s = troth_story_new(NULL);
    troth_story_clock(s, story_us, NULL);
    troth_story_about(s, about, now);
    troth_story_recompute(s, troth_libcrypto());
    return s;
}

void story_first_bytes(char *out, size_t cap, const troth_error *e, const uint8_t *p, size_t n)
{
    *out = 0;
    if (e->reason == TROTH_R_NONE || strncmp(e->code, "peer.not-tls", 12) != 0 || !n)
        return;
    int k = snprintf(out, cap, "the peer's first bytes: \"");
    for (size_t i = 0; i < n && k + 2 < (int)cap; i++)
        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"')
            out[k++] = (char)p[i];
    memcpy(out + k, "\"", 2);
}

bool story_html(const struct args *a, const troth_story *story, const char *path)
{
    struct outfile file;
    troth_story_options o = { .size = sizeof o, .form = TROTH_STORY_HTML, .redact = args_has(a, OPT_REDACT) };
    bool ok = outfile_open(&file, path, 0666) && troth_story_write(story, &o, sink_file, file.to) && outfile_close(&file, true);
    if (!ok)
        complain(a, EXIT_FILE, "%s: %s", path, strerror(errno ? errno : EIO));
    outfile_close(&file, false);
    return ok;
}

bool story_record(struct session *s)
{
    struct facts_of of = { .args = s->args, .setup = s->setup, .conn = s->conn, .error = &s->error, .target = s->target.typed,
                           .session = { s->offered, s->offered_n }, .host = session_name(s), .now = s->now };
    return !s->recorder || recorder_write(s->recorder, &of, s->dialed.address, false, s->args->value[OPT_RECORD]);
}

bool story_out(struct session *s, void *text_to)
{
    if (!s->story)
        return true;
    if (!story_record(s))
        return false;
    int fd = fileno(text_to);
    troth_story_options o = { .size = sizeof o, .form = TROTH_STORY_TEXT, .width = (uint16_t)columns_of(fd),
                              .colour = want_colour(s->args, fd), .unicode = want_unicode(), .redact = args_has(s->args, OPT_REDACT) };
    if (args_has(s->args, OPT_VERBOSE) && !troth_story_write(s->story, &o, sink_file, text_to))
        return false;
    return !args_has(s->args, OPT_HTML) || story_html(s->args, s->story, s->args->value[OPT_HTML]);
}
