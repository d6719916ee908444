/* keeper.c - the front's side of keeper.h: starting, what the keys look like from outside, and questions under way.
 *
 * Must never give more questions at a time than the answers to which have room, so that neither process can wait for the other for ever. */
#include "setup/keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/supervisor.h"
#include "setup/keeper_wire.h"
#include "setup/tape.h"

enum { ENDS_IN_MS = 3000, LOOK_MS = 10 };

struct keeper {
    pid_t            pid;
    int              questions, orders;
    uint32_t         generation;    /* of the last READ                    */
    uint64_t         serial;        /* of the last question                */
    struct event    *came;          /* a signature; NULL: not open         */
    void           (*lost)(void *ctx);
    void            *lost_ctx;
    bool             gone;          /* it ended                            */
    struct question *asked[QUESTIONS_MOST];
    struct question *first, **end;  /* those that wait to be asked         */
};

/* One key, seen from outside: the tag of TROTH_ASK_SIGN. */
struct away {
    struct keyring *ring;
    size_t          identity;
    uint16_t        number;
    uint32_t        kind, type, can;
    troth_span      spki;
};

struct chain {
    uint8_t *der;  /* one certificate after the other */
    size_t   n;
};

struct keyring {
    struct keeper *keeper;
    uint32_t       generation;
    unsigned       owners;
    struct away   *keys[2 * ARG_VALUES_MAX];
    size_t         n_keys;
    struct chain   chains[ARG_VALUES_MAX];
    struct { enum troth_reason why; char *detail; } warnings[ARG_VALUES_MAX];
    size_t         n_warnings;
};

struct question {
    struct question *next;
    struct keeper   *keeper;
    void           (*answered)(void *ctx, troth_span signature); /* NULL: nobody waits any more */
    void            *ctx;
    size_t           n;
    struct to_sign   head;     /* and behind it what is to be signed */
    uint8_t          bytes[];
};
_Static_assert(offsetof(struct question, bytes) == offsetof(struct question, head) + sizeof(struct to_sign), "they are sent as one");

/* ---- the process */

/* A delegated credential is no secret, and passphrases are those of trust stores, too. */
static const struct {
    enum opt o;
    bool     alone;
} about[] = {
    { OPT_CERT, true },           { OPT_KEY, true },      { OPT_DELEGATED, false },
    { OPT_DELEGATED_KEY, true },  { OPT_RAW_KEY, true },  { OPT_PASS_FILE, false },
};
enum { ABOUT = sizeof about / sizeof about[0] };

bool keeper_reads(enum opt o, bool *alone)
{
    for (size_t k = 0; k < ABOUT; k++)
        if (about[k].o == o) {
            *alone = about[k].alone;
            return true;
        }
    return *alone = false;
}

uint64_t keeper_options(const struct args *a)
{
    uint64_t mark = 0xcbf29ce484222325; /* FNV-1a: between friends */
    for (size_t k = 0; k < ABOUT; k++)
        for (size_t i = 0; i < a->given[about[k].o]; i++) {
            const char *value = args_each(a, about[k].o, i);
            for (const char *p = value ? value : ""; ; p++) {
                mark = (mark ^ (*p ? (uint8_t)*p : (uint64_t)about[k].o << 8)) * 0x100000001b3;
                if (!*p)
                    break;
            }
        }
    return mark;
}

/* Nothing outside may look into it or stop it but the front's end; of what the front has it keeps what files may be read from. */
static _Noreturn void live(const struct keeper_life *life, pid_t front, size_t n_passed)
{
    static const int not_ours[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 };
    const struct rlimit no_core = { 0, 0 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != front)
        _exit(EXIT_OK);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NAME, "troth-keeper");
    setrlimit(RLIMIT_CORE, &no_core);
    for (size_t i = 0; i < sizeof not_ours / sizeof not_ours[0]; i++)
        signal(not_ours[i], SIG_IGN);
    for (size_t i = 0; i < n_passed; i++)
        close(PASSED_FIRST + (int)i);
    keeper_live(life);
    prctl(PR_SET_DUMPABLE, 1); /* no key is left, and a leak checker wants to look */
    exit(EXIT_OK);
}

static bool open_sockets(int questions[2], int orders[2])
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, questions))
        return false;
    if (!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders))
        return true;
    close(questions[0]);
    close(questions[1]);
    return false;
}

struct keeper *keeper_begin(const struct args *first, const struct log *log, bool client, size_t n_passed, int *status)
{
    int questions[2], orders[2];
    struct keeper *k = calloc(1, sizeof *k);
    pid_t front = getpid();
    *status = EXIT_BUG;
    if (!k || !open_sockets(questions, orders)) {
        complain(first, EXIT_BUG, "no process for the keys: %s", strerror(errno));
        free(k);
        return NULL;
    }
    fflush(NULL); /* or both would write what waits */
    pid_t pid = fork();
    if (!pid) {
        close(questions[0]);
        close(orders[0]);
        free(k);
        live(&(struct keeper_life){ .questions = questions[1], .orders = orders[1], .first = first, .log = log, .client = client }, front, n_passed);
    }
    int why = errno;
    close(questions[1]);
    close(orders[1]);
    *k = (struct keeper){ .pid = pid, .questions = questions[0], .orders = orders[0], .end = &k->first };
    if (pid > 0)
        return k;
    complain(first, EXIT_BUG, "no process for the keys: %s", strerror(why));
    close(k->questions);
    close(k->orders);
    free(k);
    return NULL;
}

/* It ends by itself when it hears nothing more.  One that does not is not waited for. */
void keeper_end(struct keeper *k)
{
    const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
    if (!k)
        return;
    close(k->questions);
    close(k->orders);
    pid_t ended = 0;
    for (int ms = 0; !ended && ms < ENDS_IN_MS; ms += LOOK_MS) {
        ended = waitpid(k->pid, NULL, WNOHANG);
        if (!ended)
            nanosleep(&look, NULL);
    }
    if (!ended && !kill(k->pid, SIGKILL)) /* from within a sandbox it cannot be: it is killed when we have ended */
        waitpid(k->pid, NULL, 0);
    free(k);
}

/* ---- keys, as they look from outside */

static bool order(struct keeper *k, uint32_t what, uint32_t generation)
{
    const struct order o = { what, generation };
    ssize_t n;
    do
        n = send(k->orders, &o, sizeof o, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == sizeof o;
}

struct keyring *keyring_share(struct keyring *r)
{
    if (r)
        r->owners++;
    return r;
}

void keyring_free(struct keyring *r)
{
    if (!r || --r->owners)
        return;
    if (!r->keeper->gone)
        (void)order(r->keeper, ORDER_DROP, r->generation); /* false: then it has ended, and with it the keys */
    for (size_t i = 0; i < r->n_keys; i++)
        free(r->keys[i]);
    for (size_t i = 0; i < ARG_VALUES_MAX; i++)
        free(r->chains[i].der);
    for (size_t i = 0; i < r->n_warnings; i++)
        free(r->warnings[i].detail);
    free(r);
}

static bool add_key(struct keyring *r, const struct piece *p, troth_span spki)
{
    struct away *k = r->n_keys < sizeof r->keys / sizeof r->keys[0] ? malloc(sizeof *k + spki.n) : NULL;
    if (!k)
        return false;
    *k = (struct away){ .ring = r, .identity = p->identity, .number = (uint16_t)r->n_keys, .kind = p->kind, .type = p->type, .can = p->can,
                        .spki = { (uint8_t *)(k + 1), spki.n } };
    memcpy(k + 1, spki.p, spki.n);
    r->keys[r->n_keys++] = k;
    return true;
}

static bool add_certificate(struct keyring *r, const struct piece *p, troth_span der)
{
    struct chain *c = p->identity < ARG_VALUES_MAX ? &r->chains[p->identity] : NULL;
    uint8_t *more = c ? realloc(c->der, c->n + der.n) : NULL;
    if (!more)
        return false;
    memcpy(more + c->n, der.p, der.n);
    c->der = more;
    c->n += der.n;
    return true;
}

static bool add_warning(struct keyring *r, const struct piece *p, troth_span detail)
{
    if (r->n_warnings == ARG_VALUES_MAX)
        return true;
    r->warnings[r->n_warnings].why = (enum troth_reason)p->identity;
    r->warnings[r->n_warnings].detail = strndup((const char *)detail.p, detail.n);
    return r->warnings[r->n_warnings++].detail != NULL;
}

/* The next piece of an answer, with what is behind it; the caller frees.  NULL: the keeper has ended, or there is no memory. */
static struct piece *take_piece(const struct keeper *k, troth_span *rest)
{
    struct piece *p = malloc(PIECE_MOST);
    ssize_t n = -1;
    do
        n = p ? recv(k->orders, p, PIECE_MOST, 0) : 0;
    while (n < 0 && errno == EINTR);
    if (n >= (ssize_t)sizeof *p) {
        *rest = (troth_span){ (uint8_t *)(p + 1), (size_t)n - sizeof *p };
        return p;
    }
    free(p);
    return NULL;
}

static bool add(struct keyring *r, const struct piece *p, troth_span rest)
{
    switch (p->kind) {
    case PIECE_CHAIN: return add_certificate(r, p, rest);
    case PIECE_WARN: return add_warning(r, p, rest);
    default: return add_key(r, p, rest);
    }
}

/* What it complained of has its place in a file already. */
static void pass_on(const struct args *a, int status, troth_span heard)
{
    struct args plain = *a;
    plain.config = NULL;
    if (heard.n)
        complain(&plain, status, "%.*s", (int)heard.n, (const char *)heard.p);
}

struct keyring *keeper_read(struct keeper *k, const struct args *a, int *status)
{
    struct keyring *r = calloc(1, sizeof *r);
    struct piece *p = NULL;
    troth_span rest;
    bool complete = r != NULL, over = false;
    *status = EXIT_BUG;
    if (r)
        *r = (struct keyring){ .keeper = k, .generation = ++k->generation, .owners = 1 };
    if (r && order(k, ORDER_READ, r->generation))
        while (!over && (p = take_piece(k, &rest))) {
            over = p->kind == PIECE_END;
            complete = complete && (over || add(r, p, rest));
            if (over) {
                *status = (int)p->identity;
                pass_on(a, *status, rest);
            }
            if (over && *status == EXIT_OK && p->read != keeper_options(a))
                *status = complain(a, EXIT_FILE, "the options changed while they were read: try again");
            free(p);
        }
    if (!over || (!complete && *status == EXIT_OK))
        *status = complain(a, EXIT_BUG, over ? "no memory" : "the process that keeps the keys has ended");
    if (*status == EXIT_OK)
        return r;
    keyring_free(r);
    return NULL;
}

static struct away *find(const struct keyring *r, enum piece_kind kind, size_t identity)
{
    for (size_t i = 0; i < r->n_keys; i++)
        if (r->keys[i]->kind == kind && r->keys[i]->identity == identity)
            return r->keys[i];
    return NULL;
}

static troth_span made_known(struct away *k, troth_builder *b)
{
    if (!k)
        return (troth_span){ NULL, 0 };
    troth_key_elsewhere(b, k->spki, k->can, k);
    return k->spki;
}

void keyring_identity(struct keyring *r, troth_builder *b, size_t i)
{
    troth_span chain = { r->chains[i].der, r->chains[i].n }, key = made_known(find(r, PIECE_KEY, i), b);
    if (key.n)
        troth_identity_pem(b, chain, key);
    else
        troth_identity_external(b, chain, NULL);
}

void keyring_raw_key(struct keyring *r, troth_builder *b)
{
    troth_span key = made_known(find(r, PIECE_RAW, 0), b);
    if (key.n)
        troth_identity_raw_key(b, key);
}

troth_span keyring_lent(struct keyring *r, troth_builder *b, size_t i)
{
    return made_known(find(r, PIECE_LENT, i), b);
}

void keyring_to_tape(const struct keyring *r, struct tape *t)
{
    for (size_t i = 0; t && i < r->n_keys; i++) {
        const struct away *k = r->keys[i];
        struct tape_key seen = { .type = (enum troth_key_type)k->type, .can = k->can, .elsewhere = true, .n = k->spki.n };
        if (k->spki.n <= sizeof seen.spki) {
            memcpy(seen.spki, k->spki.p, k->spki.n);
            tape_add_key(t, &seen);
        }
    }
}

enum troth_reason keyring_warning(const struct keyring *r, size_t i, const char **detail)
{
    if (!r || i >= r->n_warnings)
        return TROTH_R_NONE;
    *detail = r->warnings[i].detail;
    return r->warnings[i].why;
}

/* ---- questions */

/* Where a question under way has its place; NULL: there is no more room. */
static struct question **place_of(struct keeper *k, const struct question *q)
{
    for (size_t i = 0; i < QUESTIONS_MOST; i++)
        if (k->asked[i] == q)
            return &k->asked[i];
    return NULL;
}

static struct question *take_first(struct keeper *k)
{
    struct question *q = k->first;
    k->first = q->next;
    if (!k->first)
        k->end = &k->first;
    q->next = NULL;
    return q;
}

static void be_answered(struct question *q, troth_span signature)
{
    if (q->answered)
        q->answered(q->ctx, signature);
    free(q);
}

/* LATER: there is no room before an answer comes.  NEVER: it is longer than the system lets pass, or nobody is there. */
static enum { ASKED, LATER, NEVER } ask_now(struct keeper *k, struct question *q)
{
    struct question **place = place_of(k, NULL);
    ssize_t n = -1;
    if (!place)
        return LATER;
    do
        n = send(k->questions, &q->head, sizeof q->head + q->n, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? LATER : NEVER;
    *place = q;
    return ASKED;
}

static void ask_on(struct keeper *k)
{
    while (k->first && !k->gone) {
        int how = k->first->answered ? (int)ask_now(k, k->first) : NEVER;
        if (how == LATER)
            return;
        struct question *q = take_first(k);
        if (how == NEVER)
            be_answered(q, (troth_span){ NULL, 0 });
    }
}

static void all_lost(struct keeper *k)
{
    const troth_span none = { NULL, 0 };
    k->gone = true;
    event_del(k->came);
    for (size_t i = 0; i < QUESTIONS_MOST; i++) {
        struct question *q = k->asked[i];
        k->asked[i] = NULL;
        if (q)
            be_answered(q, none);
    }
    while (k->first)
        be_answered(take_first(k), none);
    k->lost(k->lost_ctx);
}

static void answer(struct keeper *k, const struct signed_by *head, troth_span signature)
{
    for (size_t i = 0; i < QUESTIONS_MOST; i++) {
        struct question *q = k->asked[i];
        if (!q || q->head.id != head->id)
            continue;
        k->asked[i] = NULL;
        be_answered(q, signature);
        return;
    }
}

static void came(evutil_socket_t fd, short what, void *ctx)
{
    struct keeper *k = ctx;
    struct {
        struct signed_by head;
        uint8_t          signature[TROTH_SIGNATURE_MAX];
    } a;
    (void)what;
    for (;;) {
        ssize_t n = recv(fd, &a, sizeof a, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < (ssize_t)sizeof a.head) {
            all_lost(k);
            return;
        }
        answer(k, &a.head, (troth_span){ a.signature, (size_t)n - sizeof a.head });
    }
    ask_on(k);
}

bool keeper_open(struct keeper *k, struct event_base *base, void (*lost)(void *ctx), void *ctx)
{
    k->lost = lost;
    k->lost_ctx = ctx;
    k->came = event_new(base, k->questions, EV_READ | EV_PERSIST, came, k);
    return k->came && !event_add(k->came, NULL);
}

void keeper_close(struct keeper *k)
{
    if (k && k->came)
        event_free(k->came);
    for (size_t i = 0; k && i < QUESTIONS_MOST; i++)
        free(k->asked[i]);
    while (k && k->first)
        free(take_first(k));
}

struct question *question_ask(const troth_event *ev, void (*answered)(void *ctx, troth_span signature), void *ctx)
{
    const struct away *key = ev->tag;
    struct keeper *k = key ? key->ring->keeper : NULL;
    struct question *q = k && !k->gone && ev->data.n <= TO_SIGN_MOST ? malloc(sizeof *q + ev->data.n) : NULL;
    if (!q)
        return NULL;
    *q = (struct question){ .keeper = k, .answered = answered, .ctx = ctx, .n = ev->data.n,
                            .head = { .id = ++k->serial, .generation = key->ring->generation, .key = key->number, .scheme = ev->number } };
    memcpy(q->bytes, ev->data.p, ev->data.n);
    int how = k->first ? LATER : (int)ask_now(k, q); /* in their order */
    if (how == NEVER) {
        free(q);
        return NULL;
    }
    if (how == LATER) {
        *k->end = q;
        k->end = &q->next;
    }
    return q;
}

void question_drop(struct question *q)
{
    if (q)
        q->answered = NULL;
}
