/* Clients and servers on blocking sockets of 127.0.0.1, over the public interface only, for tries against other implementations.
 *
 *   interop_peer client PORT options...      one connection after the other (--connections N); each resumes the one before if it can
 *   interop_peer server PORT options...      likewise, and echoes; PORT 0 takes a free one.  "listening PORT" is printed first
 * Every option takes a value; the table below says what each does.  Prints a line "ready ..." with the facts of each connection, what
 * came, and "over" after an orderly end; exit 0 when all ended so, 1 with the reason of the last failure if not.  Must never look
 * behind the public interface: what it cannot do with that, no application can. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <troth/explain.h>
#include <troth/troth.h>
#include <unistd.h>

enum {
    CA, HOST, CERT, KEY, SUITES, GROUPS, SHARES, ALPN, AUTH, SAY, BULK, KEYLOG, UPDATE, MIN, MAX, CONNECTIONS, TICKETS, CACHE, EARLY,
    LATE_AUTH, LIMIT, STAPLE, SCTS, EXPORT, OWN_RAW, PIN, PEER_RAW, PSK, ECH_CONFIG, ECH_KEY, DELEGATED, DELEGATED_KEY, SCHEMES, COOKIE,
    STORY, ANSWER, OPTIONS
};
static const char *const option_names[OPTIONS] = {
    [CA] = "--ca",               /* whom to trust                                                              */
    [HOST] = "--host",           /* client: whom to expect (localhost)                                         */
    [CERT] = "--cert",           /* our chain, with                                                            */
    [KEY] = "--key",             /* its key                                                                    */
    [SUITES] = "--suites",       /* A,B by IANA's names, as are                                                */
    [GROUPS] = "--groups",       /* A,B and                                                                    */
    [SHARES] = "--shares",       /* A,B: groups to send a share for in the first hello                         */
    [ALPN] = "--alpn",           /* A,B                                                                        */
    [AUTH] = "--auth",           /* server: required or optional client certificate                            */
    [SAY] = "--say",             /* client: what to write                                                      */
    [BULK] = "--bulk",           /* client: so many bytes more, all wanted back; server: --answer waits for them  */
    [KEYLOG] = "--keylog",       /* FILE of secrets                                                            */
    [UPDATE] = "--update",       /* yes: update keys before writing, the peer's too                            */
    [MIN] = "--min",             /* 1.2 or 1.3                                                                 */
    [MAX] = "--max",             /* likewise                                                                   */
    [CONNECTIONS] = "--connections", /* how many                                                               */
    [TICKETS] = "--tickets",     /* server: per connection                                                     */
    [CACHE] = "--cache",         /* server: yes: TLS 1.2 sessions by id                                        */
    [EARLY] = "--early",         /* client: what to write as 0-RTT data; server: how many bytes to take        */
    [LATE_AUTH] = "--late-auth", /* client: yes: offer it.  Server: yes: ask once the first data came          */
    [LIMIT] = "--limit",         /* record size limit                                                          */
    [STAPLE] = "--staple",       /* FILE: OCSP response                                                        */
    [SCTS] = "--scts",           /* server: FILE, a list of SCTs.  Client: yes: ask for them                   */
    [EXPORT] = "--export",       /* LABEL: 32 bytes of the exporter are printed                                */
    [OWN_RAW] = "--raw-key",     /* PEM: an identity by raw public key                                         */
    [PIN] = "--pin",             /* hex: SHA-256 of the peer's key                                             */
    [PEER_RAW] = "--peer-raw",   /* yes: accept a raw public key                                               */
    [PSK] = "--psk",             /* IDENTITY:HEX, an external one                                              */
    [ECH_CONFIG] = "--ech-config", /* client: FILE or hex of an ECHConfigList                                  */
    [ECH_KEY] = "--ech-key",     /* server: PEM                                                                */
    [DELEGATED] = "--delegated", /* server: FILE, a delegated credential, with                                 */
    [DELEGATED_KEY] = "--delegated-key", /* its key.  Client: --delegated yes accepts one                      */
    [SCHEMES] = "--schemes",     /* A,B: signatures to accept                                                  */
    [COOKIE] = "--cookie",       /* server: yes: retry with a cookie                                           */
    [ANSWER] = "--answer",       /* server: this instead of an echo, then close; yes: the echo, then close     */
    [STORY] = "--story",         /* FILE: what happened, as JSON, is added to it                               */
};

struct run {
    const char *o[OPTIONS];
    bool        server;
    size_t      wanted, came; /* bytes back */
    bool        asked, failed, early_came;
    uint8_t    *ticket;       /* the newest */
    size_t      ticket_n;
    bool        ticket_new;
    FILE       *keylog;
    struct { uint8_t id[32], state[4096]; size_t id_n, n; } cached;
};

static int die(const char *what, const troth_error *e)
{
    fprintf(stderr, "%s: %s: %s [%s] (%s:%d)\n", what, e ? e->code : "?", e ? e->text : "", e ? e->detail : "", e && e->file ? e->file : "",
            e ? e->line : 0);
    return 1;
}

/* ---- values of options */

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

/* The caller's until the program ends, which is soon. */
static troth_span slurp(const char *path)
{
    static uint8_t room[8][16384];
    static unsigned next;
    uint8_t *p = room[next++ % 8];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    size_t n = fread(p, 1, sizeof room[0], f);
    fclose(f);
    return (troth_span){ p, n };
}

static troth_span hex(const char *text)
{
    static uint8_t room[4][2048];
    static unsigned next;
    uint8_t *p = room[next++ % 4];
    size_t n = 0;
    for (unsigned byte; n < sizeof room[0] && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
        p[n] = (uint8_t)byte;
    return (troth_span){ p, n };
}

static bool yes(const char *value)
{
    return value && !strcmp(value, "yes");
}

static uint16_t version(const char *s, uint16_t otherwise)
{
    return !s ? otherwise : !strcmp(s, "1.2") ? TROTH_TLS12 : TROTH_TLS13;
}

static void log_line(void *file, const char *line)
{
    fprintf(file, "%s\n", line);
    fflush(file);
}

/* ---- TLS 1.2 sessions by id: one is enough */

static void cache_put(void *ctx, troth_span id, troth_span state)
{
    struct run *r = ctx;
    if (id.n > sizeof r->cached.id || state.n > sizeof r->cached.state)
        return;
    memcpy(r->cached.id, id.p, r->cached.id_n = id.n);
    memcpy(r->cached.state, state.p, r->cached.n = state.n);
}

static size_t cache_take(void *ctx, troth_span id, uint8_t *out, size_t cap)
{
    struct run *r = ctx;
    if (id.n != r->cached.id_n || memcmp(id.p, r->cached.id, id.n) || r->cached.n > cap)
        return 0;
    memcpy(out, r->cached.state, r->cached.n);
    return r->cached.n;
}

/* ---- configuration */

static void whom_to_trust(troth_builder *b, struct run *r)
{
    static const uint8_t raw_only[] = { TROTH_RAW_PUBLIC_KEY };
    if (r->o[PIN])
        troth_trust_pin(b, hex(r->o[PIN]).p);
    if (yes(r->o[PEER_RAW]))
        troth_peer_types(b, raw_only, 1);
    if (r->o[CA])
        troth_trust_file(b, r->o[CA]);
    else if (!r->server && !r->o[PIN])
        troth_danger_trust_anyone(b, "no --ca was given to the test program");
    if (r->o[AUTH])
        troth_ask_client_auth(b, strcmp(r->o[AUTH], "required") ? TROTH_AUTH_OPTIONAL : TROTH_AUTH_REQUIRED);
}

static void who_we_are(troth_builder *b, struct run *r)
{
    const char *colon = r->o[PSK] ? strchr(r->o[PSK], ':') : NULL;
    if (r->o[OWN_RAW])
        troth_identity_raw_key(b, slurp(r->o[OWN_RAW]));
    if (r->o[CERT])
        troth_identity_files(b, r->o[CERT], r->o[KEY]);
    if (r->o[STAPLE])
        troth_identity_staple(b, slurp(r->o[STAPLE]));
    if (r->o[SCTS] && r->server)
        troth_identity_scts(b, slurp(r->o[SCTS]));
    if (r->o[DELEGATED] && r->server)
        troth_identity_delegated(b, slurp(r->o[DELEGATED]), slurp(r->o[DELEGATED_KEY]));
    if (colon)
        troth_psk(b, (troth_span){ (const uint8_t *)r->o[PSK], (size_t)(colon - r->o[PSK]) }, hex(colon + 1), TROTH_SHA256);
}

static void what_to_speak(troth_builder *b, const struct run *r)
{
    uint16_t list[32];
    const char *names[16];
    static char copy[512];
    size_t n = 0;
    if (r->o[SUITES])
        troth_suites(b, list, ids(r->o[SUITES], list, 32, troth_suite_by_name));
    if (r->o[GROUPS])
        troth_groups(b, list, ids(r->o[GROUPS], list, 32, troth_group_by_name));
    if (r->o[SHARES])
        troth_key_shares(b, list, ids(r->o[SHARES], list, 32, troth_group_by_name));
    if (r->o[SCHEMES])
        troth_verify_schemes(b, list, ids(r->o[SCHEMES], list, 32, troth_scheme_by_name));
    if (r->o[MIN] || r->o[MAX])
        troth_versions(b, version(r->o[MIN], TROTH_TLS12), version(r->o[MAX], TROTH_TLS13));
    snprintf(copy, sizeof copy, "%s", r->o[ALPN] ? r->o[ALPN] : "");
    for (char *w = strtok(copy, ","); w && n < 16; w = strtok(NULL, ","))
        names[n++] = w;
    if (n)
        troth_alpn(b, names, n);
}

static void extensions(troth_builder *b, struct run *r)
{
    const troth_session_cache cache = { r, cache_put, cache_take };
    if (r->o[LIMIT])
        troth_record_size_limit(b, (uint16_t)atoi(r->o[LIMIT]));
    if (r->server && r->o[TICKETS])
        troth_tickets(b, (unsigned)atoi(r->o[TICKETS]), 3600);
    if (yes(r->o[CACHE]))
        troth_cache(b, &cache);
    if (r->o[EARLY])
        troth_early_data(b, r->server ? (uint32_t)atoi(r->o[EARLY]) : 16384);
    if (yes(r->o[LATE_AUTH]) && !r->server)
        troth_post_handshake_auth(b);
    if (yes(r->o[SCTS]))
        troth_request_scts(b, true);
    if (yes(r->o[DELEGATED]))
        troth_accept_delegated(b);
    if (r->o[ECH_CONFIG])
        troth_ech_configs(b, access(r->o[ECH_CONFIG], R_OK) ? hex(r->o[ECH_CONFIG]) : slurp(r->o[ECH_CONFIG]));
    if (r->o[ECH_KEY])
        troth_ech_key_pem(b, slurp(r->o[ECH_KEY]), true);
    if (yes(r->o[COOKIE]))
        troth_retry_cookie(b);
    if (r->o[KEYLOG] && (r->keylog = fopen(r->o[KEYLOG], "a")))
        troth_danger_key_log(b, log_line, r->keylog);
}

static troth_builder *configure(struct run *r)
{
    troth_builder *b = r->server ? troth_server_builder(troth_libcrypto()) : troth_client_builder(troth_libcrypto());
    whom_to_trust(b, r);
    who_we_are(b, r);
    what_to_speak(b, r);
    extensions(b, r);
    return b;
}

/* ---- a connection */

static const char *or_none(const char *name)
{
    return name ? name : "-";
}

static void tell_ready(const troth_conn *c, const struct run *r)
{
    troth_facts f = troth_what(c);
    uint8_t key[32];
    printf("ready %s %s %s peer=%s own=%s alpn=%.*s sni=%.*s%s%s%s%s%s%s%s%s%s", or_none(troth_version_name(f.version)),
           or_none(troth_suite_name(f.suite)), f.group ? or_none(troth_group_name(f.group)) : "-",
           f.peer_scheme ? or_none(troth_scheme_name(f.peer_scheme)) : "-", f.own_scheme ? or_none(troth_scheme_name(f.own_scheme)) : "-",
           (int)f.alpn.n, f.alpn.n ? (const char *)f.alpn.p : "", (int)f.server_name.n, f.server_name.n ? (const char *)f.server_name.p : "",
           f.hello_retry ? " retry" : "", f.client_authenticated ? " client-auth" : "", f.resumed ? " resumed" : "",
           f.psk_external ? " psk" : "", f.early == TROTH_EARLY_ACCEPTED ? " early" : f.early == TROTH_EARLY_REJECTED ? " early-refused" : "",
           f.ech == TROTH_ECH_ACCEPTED ? " ech" : "", f.peer_delegated || f.own_delegated ? " delegated" : "", f.peer_raw_key.n ? " peer-raw" : "",
           f.own_type == TROTH_RAW_PUBLIC_KEY ? " own-raw" : "");
    printf(" staple=%zu scts=%zu\n", f.peer_staple.n, f.peer_scts.n);
    if (r->o[EXPORT] && troth_export(c, r->o[EXPORT], (troth_span){ 0 }, key, sizeof key)) {
        printf("export ");
        for (size_t i = 0; i < sizeof key; i++)
            printf("%02x", key[i]);
        puts("");
    }
    fflush(stdout);
}

static bool say(troth_conn *c, struct run *r)
{
    if (r->o[UPDATE] && !troth_update_keys(c, true))
        return die("update", troth_why(c)), false;
    if (r->o[SAY] && !troth_write(c, &(troth_span){ (const uint8_t *)r->o[SAY], strlen(r->o[SAY]) }, 1))
        return die("write", troth_why(c)), false;
    r->wanted = r->o[SAY] ? 1 : 0;
    if (r->o[BULK]) {
        r->wanted = (size_t)atoi(r->o[BULK]);
        uint8_t *p = malloc(r->wanted);
        memset(p, 'x', r->wanted);
        p[r->wanted - 1] = '\n';
        bool went = troth_write(c, &(troth_span){ p, r->wanted }, 1);
        free(p);
        return went;
    }
    return true;
}

static bool answer(troth_conn *c, const struct run *r, troth_span what)
{
    const char *own = r->o[ANSWER];
    if (own && !yes(own))
        what = (troth_span){ (const uint8_t *)own, strlen(own) };
    bool fine = troth_write(c, &what, 1);
    if (own && r->came >= (size_t)(r->o[BULK] ? atoi(r->o[BULK]) : 0))
        troth_close(c);
    return fine;
}

static bool on_data(troth_conn *c, struct run *r, const troth_event *ev)
{
    r->came += ev->data.n;
    r->early_came = r->server && r->o[ANSWER] && ev->early;
    printf("data %zu%s: %.*s\n", ev->data.n, ev->early ? " early" : "", ev->data.n < 200 ? (int)ev->data.n : 200, (const char *)ev->data.p);
    fflush(stdout);
    if (!r->server)
        return true;
    if (yes(r->o[LATE_AUTH]) && !r->asked) {
        r->asked = true;
        return troth_ask_again(c);
    }
    if (r->o[UPDATE] && !ev->early && !r->asked) {
        r->asked = true;
        if (!troth_update_keys(c, true))
            return false;
    }
    return ev->early || answer(c, r, ev->data);
}

static void keep_ticket(struct run *r, const troth_event *ev)
{
    free(r->ticket);
    r->ticket = malloc(ev->data.n);
    memcpy(r->ticket, ev->data.p, r->ticket_n = ev->data.n);
    r->ticket_new = true;
    printf("ticket%s\n", ev->early ? " for early data" : "");
}

/* A client that has what it wanted closes. */
static void close_if_content(troth_conn *c, const struct run *r, bool last)
{
    if (!r->server && r->wanted && r->came >= r->wanted && (last || r->ticket_new))
        troth_close(c);
}

/* A server that asked for a certificate later may wait for more to be said after it. */
static bool repeat(troth_conn *c, struct run *r)
{
    if (r->server || !r->o[LATE_AUTH] || r->asked || errno != EAGAIN)
        return false;
    r->asked = true;
    return say(c, r);
}

/* False: nothing more is to come of it. */
static bool on_event(troth_conn *c, struct run *r, const troth_event *ev, bool last, int fd)
{
    ssize_t n;
    troth_span early = { (const uint8_t *)r->o[EARLY], r->o[EARLY] ? strlen(r->o[EARLY]) : 0 };
    bool fine = true;
    switch (ev->kind) {
    case TROTH_SEND:
        if ((n = send(fd, ev->data.p, ev->data.n, MSG_NOSIGNAL)) < 0)
            troth_broken(c, TROTH_R_EOF_MID, "send failed");
        else
            troth_sent(c, (size_t)n);
        break;
    case TROTH_RECV:
        n = recv(fd, ev->room.p, ev->room.n, 0);
        if (n < 0 && repeat(c, r))
            break;
        troth_received(c, n > 0 ? (size_t)n : 0);
        break;
    case TROTH_READY:
        tell_ready(c, r);
        fine = r->server ? !r->early_came || answer(c, r, TROTH_TEXT("early\n")) : say(c, r);
        break;
    case TROTH_DATA: fine = on_data(c, r, ev); close_if_content(c, r, last); break;
    case TROTH_TICKET: keep_ticket(r, ev); close_if_content(c, r, last); break;
    case TROTH_EARLY: fine = r->server || troth_write(c, &early, 1); break;
    case TROTH_EARLY_REFUSED: puts("early data refused"); break;
    case TROTH_CLIENT_AUTH:
        printf("late auth %s\n", troth_what(c).client_authenticated ? "yes" : "no");
        fine = answer(c, r, TROTH_TEXT("authenticated\n"));
        break;
    case TROTH_CLOSED: troth_close(c); break;
    case TROTH_FAILED: fine = false; break;
    case TROTH_DONE: puts("over"); return false;
    case TROTH_ASK_SERVER: case TROTH_ASK_SIGN: case TROTH_ASK_VERDICT: case TROTH_ASK_CLIENT: case TROTH_KEYS: break;
    }
    fflush(stdout);
    if (!fine) {
        r->failed = true;
        (void)die(r->server ? "server" : "client", troth_why(c));
    }
    return fine;
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

static bool sink(void *file, const char *p, size_t n)
{
    return fwrite(p, 1, n, file) == n;
}

static void write_story(troth_story *s, const char *path)
{
    const troth_story_options how = { .size = sizeof how, .form = TROTH_STORY_JSON };
    FILE *f = s ? fopen(path, "a") : NULL;
    if (f && !troth_story_write(s, &how, sink, f))
        fprintf(stderr, "the story could not be written\n");
    if (f)
        fclose(f);
    troth_story_free(s);
}

static void run(troth_conn *c, struct run *r, int fd, bool last)
{
    troth_story *story = r->o[STORY] ? troth_story_new(NULL) : NULL;
    if (story && r->server)
        troth_story_as_server(story);
    troth_tell(c, story);
    if (r->ticket && !r->server)
        troth_resume(c, (troth_span){ r->ticket, r->ticket_n });
    r->came = r->wanted = 0;
    r->asked = r->ticket_new = r->early_came = false;
    troth_event ev;
    do
        ev = troth_next(c);
    while (on_event(c, r, &ev, last, fd));
    linger(fd);
    write_story(story, r->o[STORY]);
    troth_free(c);
}

/* ---- sockets */

static int socket_for(bool server, uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!server)
        return connect(fd, (struct sockaddr *)&at, sizeof at) ? -1 : fd;
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 5) || getsockname(fd, (struct sockaddr *)&at, &len))
        return -1;
    printf("listening %u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

/* A peer that says nothing for so long has failed. */
static int patient(int fd, bool late_auth)
{
    const struct timeval wait = { .tv_sec = late_auth ? 1 : 8 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    return fd;
}

static int all(struct run *r, uint16_t port)
{
    troth_error why;
    troth_builder *b = configure(r);
    troth_server *server = r->server ? troth_build_server(b, &why) : NULL;
    troth_client *client = r->server ? NULL : troth_build_client(b, &why);
    if (!server && !client)
        return die("build", &why);
    int listener = r->server ? socket_for(true, port) : -1;
    int most = r->o[CONNECTIONS] ? atoi(r->o[CONNECTIONS]) : 1;
    for (int i = 1; i <= most; i++) {
        int fd = r->server ? accept(listener, NULL, NULL) : socket_for(false, port);
        if (fd < 0) {
            perror("socket");
            r->failed = true;
            break;
        }
        run(r->server ? troth_accept(server) : troth_connect(client, r->o[HOST] ? r->o[HOST] : "localhost"), r, patient(fd, !r->server && r->o[LATE_AUTH]), i == most);
    }
    if (listener >= 0)
        close(listener);
    troth_server_free(server);
    troth_client_free(client);
    free(r->ticket);
    if (r->keylog)
        fclose(r->keylog);
    return r->failed;
}

int main(int argc, char **argv)
{
    static struct run r;
    if (argc < 3 || argc % 2 == 0)
        return fprintf(stderr, "usage: interop_peer client|server PORT [option value]...\n"), 2;
    r.server = !strcmp(argv[1], "server");
    for (int i = 3; i < argc; i += 2) {
        int which = 0;
        while (which < OPTIONS && strcmp(argv[i], option_names[which]))
            which++;
        if (which == OPTIONS)
            return fprintf(stderr, "unknown option %s\n", argv[i]), 2;
        r.o[which] = argv[i + 1];
    }
    return all(&r, (uint16_t)atoi(argv[2]));
}
