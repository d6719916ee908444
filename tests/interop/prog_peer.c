/* A client or server on a blocking socket of 127.0.0.1, over the public interface only, for tries against other implementations.
 *
 *   interop_peer client PORT --ca FILE [--host NAME] [--cert C --key K] [--suites A,B] [--groups A,B] [--alpn A,B] [--update] [--say TEXT]
 *   interop_peer server PORT --cert C --key K [--ca FILE] [--auth required|optional] [...]      one connection, echoes, then ends
 * Prints one line "ready VERSION SUITE GROUP SCHEME ..." and what came; exit 0 when the end was orderly, 1 with the reason if not. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <troth/troth.h>
#include <unistd.h>

struct options {
    const char *ca, *host, *cert, *key, *suites, *groups, *alpn, *auth, *say, *keylog;
    bool        update, verbose;
    uint16_t    least, most;
};

static int die(const char *what, const troth_error *e)
{
    fprintf(stderr, "%s: %s: %s [%s] (%s:%d)\n", what, e ? e->code : "?", e ? e->text : "", e ? e->detail : "", e && e->file ? e->file : "",
            e ? e->line : 0);
    return 1;
}

static size_t ids(const char *list, uint16_t *out, size_t cap, uint16_t (*by_name)(const char *))
{
    char copy[512];
    size_t n = 0;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *word = strtok(copy, ","); word && n < cap; word = strtok(NULL, ",")) {
        out[n] = by_name(word);
        if (!out[n++]) {
            fprintf(stderr, "unknown name %s\n", word);
            exit(2);
        }
    }
    return n;
}

static void log_line(void *file, const char *line)
{
    fprintf(file, "%s\n", line);
    fflush(file);
}

static void configure(troth_builder *b, const struct options *o, bool server)
{
    uint16_t list[32];
    const char *names[16];
    static char copy[512];
    size_t n = 0;
    if (o->ca)
        troth_trust_file(b, o->ca);
    else if (!server)
        troth_danger_trust_anyone(b, "no --ca was given to the test program");
    if (o->cert)
        troth_identity_files(b, o->cert, o->key);
    if (o->suites)
        troth_suites(b, list, ids(o->suites, list, 32, troth_suite_by_name));
    if (o->groups)
        troth_groups(b, list, ids(o->groups, list, 32, troth_group_by_name));
    if (o->least)
        troth_versions(b, o->least, o->most);
    if (o->auth)
        troth_ask_client_auth(b, strcmp(o->auth, "required") ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
    if (o->keylog)
        troth_danger_key_log(b, log_line, fopen(o->keylog, "a"));
    if (!o->alpn)
        return;
    snprintf(copy, sizeof copy, "%s", o->alpn);
    for (char *w = strtok(copy, ","); w && n < 16; w = strtok(NULL, ","))
        names[n++] = w;
    troth_alpn(b, names, n);
}

static bool push(troth_conn *c, int fd, const troth_event *ev)
{
    ssize_t n = send(fd, ev->data.p, ev->data.n, MSG_NOSIGNAL);
    if (n < 0) {
        troth_broken(c, TROTH_R_EOF_MID, "send failed");
        return true;
    }
    troth_sent(c, (size_t)n);
    return true;
}

static bool pull(troth_conn *c, int fd, const troth_event *ev)
{
    ssize_t n = recv(fd, ev->room.p, ev->room.n, 0);
    troth_received(c, n > 0 ? (size_t)n : 0);
    return true;
}

static void tell_ready(troth_conn *c)
{
    troth_facts f = troth_what(c);
    printf("ready %s %s %s peer=%s own=%s alpn=%.*s sni=%.*s%s%s\n", troth_version_name(f.version), troth_suite_name(f.suite),
           troth_group_name(f.group) ? troth_group_name(f.group) : "-", f.peer_scheme ? troth_scheme_name(f.peer_scheme) : "-",
           f.own_scheme ? troth_scheme_name(f.own_scheme) : "-", (int)f.alpn.n, f.alpn.n ? (const char *)f.alpn.p : "",
           (int)f.server_name.n, f.server_name.n ? (const char *)f.server_name.p : "", f.hello_retry ? " retry" : "",
           f.client_authenticated ? " client-auth" : "");
    fflush(stdout);
}

/* After an error: let the alert out, and the peer's last words in, or a reset may lose them. */
static void linger(int fd)
{
    char ignored[512];
    shutdown(fd, SHUT_WR);
    while (recv(fd, ignored, sizeof ignored, 0) > 0)
        ;
    close(fd);
}

static int run(troth_conn *c, int fd, const struct options *o, bool server)
{
    int status = 1;
    for (bool more = true; more;) {
        troth_event ev = troth_next(c);
        switch (ev.kind) {
        case TROTH_SEND: more = push(c, fd, &ev); break;
        case TROTH_RECV: more = pull(c, fd, &ev); break;
        case TROTH_READY:
            tell_ready(c);
            if (o->update && !troth_update_keys(c, true))
                return die("update", troth_why(c));
            if (o->say && !troth_write(c, &(troth_span){ (const uint8_t *)o->say, strlen(o->say) }, 1))
                return die("write", troth_why(c));
            break;
        case TROTH_DATA:
            fwrite(ev.data.p, 1, ev.data.n, stdout);
            fflush(stdout);
            if (server && !troth_write(c, &ev.data, 1))
                return die("write", troth_why(c));
            if (!server)
                troth_close(c);
            break;
        case TROTH_CLOSED: troth_close(c); break;
        case TROTH_FAILED: (void)die(server ? "server" : "client", troth_why(c)); more = false; break;
        case TROTH_DONE: status = 0; more = false; break;
        case TROTH_EARLY:
        case TROTH_EARLY_REFUSED:
        case TROTH_TICKET:
        case TROTH_ASK_SERVER:
        case TROTH_ASK_SIGN:
        case TROTH_ASK_VERDICT:
        case TROTH_ASK_CLIENT:
        case TROTH_CLIENT_AUTH:
        case TROTH_KEYS: break;
        }
    }
    linger(fd);
    troth_free(c);
    return status;
}

static int socket_for(bool server, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!server)
        return connect(fd, (struct sockaddr *)&at, sizeof at) ? -1 : fd;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 5))
        return -1;
    puts("listening");
    fflush(stdout);
    int got = accept(fd, NULL, NULL);
    close(fd);
    return got;
}

static const char *option(int argc, char **argv, const char *name)
{
    for (int i = 3; i + 1 < argc; i++)
        if (!strcmp(argv[i], name))
            return argv[i + 1];
    return NULL;
}

static uint16_t version(const char *s, uint16_t otherwise)
{
    return !s ? otherwise : !strcmp(s, "1.2") ? TROTH_TLS12 : TROTH_TLS13;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return fprintf(stderr, "usage: interop_peer client|server PORT options\n"), 2;
    bool server = !strcmp(argv[1], "server");
    struct options o = { .ca = option(argc, argv, "--ca"), .host = option(argc, argv, "--host"), .cert = option(argc, argv, "--cert"),
                         .key = option(argc, argv, "--key"), .suites = option(argc, argv, "--suites"),
                         .groups = option(argc, argv, "--groups"), .alpn = option(argc, argv, "--alpn"),
                         .auth = option(argc, argv, "--auth"), .say = option(argc, argv, "--say"),
                         .keylog = option(argc, argv, "--keylog"), .update = option(argc, argv, "--update") != NULL };
    if (option(argc, argv, "--min") || option(argc, argv, "--max")) {
        o.least = version(option(argc, argv, "--min"), TROTH_TLS12);
        o.most = version(option(argc, argv, "--max"), TROTH_TLS13);
    }
    troth_error why;
    troth_conn *c;
    if (server) {
        troth_builder *b = troth_server_builder(troth_libcrypto());
        configure(b, &o, true);
        troth_server *us = troth_build_server(b, &why);
        if (!us)
            return die("build", &why);
        c = troth_accept(us);
        troth_server_free(us);
    } else {
        troth_builder *b = troth_client_builder(troth_libcrypto());
        configure(b, &o, false);
        troth_client *us = troth_build_client(b, &why);
        if (!us)
            return die("build", &why);
        c = troth_connect(us, o.host ? o.host : "localhost");
        troth_client_free(us);
    }
    int fd = socket_for(server, (uint16_t)atoi(argv[2]));
    if (fd < 0) {
        perror("socket");
        troth_free(c);
        return 3;
    }
    return run(c, fd, &o, server);
}
