/* flight.c - see flight.h. */
#include "flight.h"

#include <stdlib.h>
#include <time.h>

#include "record.h"
#include "story_out.h"

enum { HANDSHAKE_MOST = 1 << 20 };

struct flight {
    const struct args *args;
    troth_story       *story; /* knows the secrets, without which a recording shows half of it */
    struct recorder   *recorder;
    size_t             kept;
    bool               server;
};

struct flight *flight_new(const struct args *a, troth_conn *conn, bool server)
{
    struct flight *f = args_has(a, OPT_RECORD) ? calloc(1, sizeof *f) : NULL;
    if (!f)
        return NULL;
    *f = (struct flight){ .args = a, .story = story_begin("a handshake that failed", (int64_t)time(NULL)), .recorder = recorder_new(),
                          .server = server };
    troth_tell(conn, f->story);
    return f;
}

void flight_saw(struct flight *f, bool out, const uint8_t *p, size_t n)
{
    if (!f || f->kept + n > HANDSHAKE_MOST)
        return;
    f->kept += n;
    recorder_saw(f->recorder, out, p, n);
}

void flight_landed(struct flight *f)
{
    if (!f)
        return;
    recorder_free(f->recorder);
    f->recorder = NULL;
}

void flight_crashed(struct flight *f, const char *peer)
{
    if (f && f->recorder)
        (void)recorder_write(f->recorder, f->args, f->story, peer, f->server, f->args->value[OPT_RECORD]);
}

void flight_free(struct flight *f)
{
    if (!f)
        return;
    recorder_free(f->recorder);
    troth_story_free(f->story);
    free(f);
}
