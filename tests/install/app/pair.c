/* Against the installed copy, public headers only: a client and a server in one process, no socket, shake hands and
 * exchange a line each way.  Arguments: roots, chain, key.  Prints "same line back over TLS 1.3". */
#include <stdio.h>
#include <string.h>

#include <troth/troth.h>

static int complain(const troth_error *e)
{
    fprintf(stderr, "%s: %s (%s)\n", e->code, e->text, e->detail);
    return 1;
}

/* Bytes on their way in one direction. */
struct pipe {
    uint8_t bytes[1 << 17];
    size_t  n;
};

/* One side's turn; false when it waits for bytes that are not there, or is over. */
static bool turn(troth_conn *c, bool client, struct pipe *out, struct pipe *in, char *seen)
{
    troth_event ev = troth_next(c);
    size_t n;
    switch ((int)ev.kind) {
    case TROTH_SEND:
        n = ev.data.n < sizeof out->bytes - out->n ? ev.data.n : sizeof out->bytes - out->n;
        memcpy(out->bytes + out->n, ev.data.p, n);
        out->n += n;
        troth_sent(c, n);
        return n > 0;
    case TROTH_RECV:
        n = in->n < ev.room.n ? in->n : ev.room.n;
        if (n == 0)
            return false;
        memcpy(ev.room.p, in->bytes, n);
        memmove(in->bytes, in->bytes + n, in->n -= n);
        troth_received(c, n);
        return true;
    case TROTH_READY:
        return !client || troth_write(c, &TROTH_TEXT("hello\n"), 1);
    case TROTH_DATA:
        if (!client)
            return troth_write(c, &ev.data, 1);
        snprintf(seen, 16, "%.*s", (int)ev.data.n, (const char *)ev.data.p);
        troth_close(c);
        return true;
    case TROTH_CLOSED:
        troth_close(c);
        return true;
    case TROTH_TICKET:
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    troth_error err;
    if (argc != 4)
        return 2;
    troth_builder *b = troth_client_builder(troth_libcrypto());
    troth_trust_file(b, argv[1]);
    troth_client *client = troth_build_client(b, &err);
    if (!client)
        return complain(&err);
    b = troth_server_builder(troth_libcrypto());
    troth_identity_files(b, argv[2], argv[3]);
    troth_server *server = troth_build_server(b, &err);
    if (!server)
        return complain(&err);

    troth_conn *us = troth_connect(client, "localhost"), *them = troth_accept(server);
    static struct pipe there, back;
    char seen[16] = "";
    for (bool moving = true; moving;) {
        moving = turn(us, true, &there, &back, seen);
        moving = turn(them, false, &back, &there, seen) || moving;
    }
    if (troth_why(us) || troth_why(them))
        return complain(troth_why(us) ? troth_why(us) : troth_why(them));
    if (troth_next(us).kind != TROTH_DONE || troth_next(them).kind != TROTH_DONE)
        return fprintf(stderr, "stuck at %d and %d\n", (int)troth_next(us).kind, (int)troth_next(them).kind), 1;
    printf("%s over %s\n", strcmp(seen, "hello\n") ? "nothing" : "same line back",
           troth_version_name(troth_what(us).version));
    troth_free(us);
    troth_free(them);
    troth_client_free(client);
    troth_server_free(server);
    return strcmp(seen, "hello\n") != 0;
}
