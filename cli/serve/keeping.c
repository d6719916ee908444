/* keeping.c - the keeper itself: a process that reads private keys, and signs by them what TLS has signed.
 *
 * What it is told comes from a process that speaks to strangers, and may be theirs by now.  Must never take from there which file to read,
 * never sign what is not of a handshake's form, and never say anything of a key but its public half and signatures. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <troth/pki.h>
#include <unistd.h>

#include "serve/confine.h"
#include "serve/signable.h"
#include "setup/keeper_wire.h"
#include "setup/setup.h"

enum { KEYS_MOST = 2 * ARG_VALUES_MAX, SIDE_BY_SIDE = 8 };

/* The keys of one generation. */
struct bunch {
    struct bunch    *next;
    uint32_t         generation;
    troth_server    *holder;      /* whose keys they are: it was built from what the options name, and so checked as any */
    const troth_key *keys[KEYS_MOST];
    size_t           n;
};

struct keeping {
    const struct keeper_life *life;
    troth_provider           *crypto;
    struct bunch             *bunches;
    struct args              *again;   /* read at the last reload */
    bool                      begun, warned;
};

/* One that was asked for. */
struct job {
    struct to_sign head;
    uint8_t       *bytes;
    troth_span     part;
    uint8_t        answer[sizeof(struct signed_by) + TROTH_SIGNATURE_MAX];
};

/* ---- what is told of keys */

static bool tell(const struct keeping *k, const struct piece *p, const void *rest, size_t n)
{
    struct iovec v[2] = { { (void *)(uintptr_t)p, sizeof *p }, { (void *)(uintptr_t)rest, n } };
    const struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
    ssize_t sent;
    do
        sent = sendmsg(k->life->orders, &m, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)(sizeof *p + n);
}

static bool tell_key(const struct keeping *k, struct bunch *b, enum piece_kind kind, size_t identity, const troth_key *key)
{
    uint8_t spki[4096];
    const troth_provider *c = k->crypto;
    size_t n = key ? c->key_public(key, spki, sizeof spki) : 0;
    struct piece p = { .kind = kind, .identity = (uint32_t)identity };
    if (!key)
        return true;
    if (!n || b->n == KEYS_MOST)
        return false;
    p.type = c->key_type(key);
    for (int sig = TROTH_SIG_NONE + 1; sig < TROTH_SIG_COUNT; sig++)
        if (c->key_can(key, (enum troth_sig)sig))
            p.can |= 1u << sig;
    b->keys[b->n++] = key;
    return tell(k, &p, spki, n);
}

static bool tell_identity(const struct keeping *k, struct bunch *b, size_t i)
{
    const struct piece p = { .kind = PIECE_CHAIN, .identity = (uint32_t)i };
    troth_span der;
    if (!troth_server_chain(b->holder, i, 0, &der)) /* no --cert any more */
        return tell_key(k, b, PIECE_RAW, 0, troth_server_key(b->holder, i, false));
    for (size_t pos = 0; troth_server_chain(b->holder, i, pos, &der); pos++)
        if (!tell(k, &p, der.p, der.n))
            return false;
    return tell_key(k, b, PIECE_KEY, i, troth_server_key(b->holder, i, false)) && tell_key(k, b, PIECE_LENT, i, troth_server_key(b->holder, i, true));
}

/* The front puts together anew what the keeper has put in order: it would not see that anything was. */
static bool tell_all(const struct keeping *k, struct bunch *b)
{
    const troth_error *w;
    troth_span der;
    bool ok = true;
    for (size_t i = 0; ok && troth_server_certificate(b->holder, i, &der); i++)
        ok = tell_identity(k, b, i);
    for (size_t i = 0; ok && (w = troth_server_warning(b->holder, i)); i++)
        if (w->reason == TROTH_R_CHAIN_ORDER)
            ok = tell(k, &(struct piece){ .kind = PIECE_WARN, .identity = w->reason }, w->detail, strlen(w->detail));
    return ok;
}

/* ---- reading them */

/* From files to what holds them; the exit status.  NULL and EXIT_OK: the options name none. */
static int hold(const struct keeping *k, const struct args *a, troth_server **holder)
{
    troth_error why;
    int status;
    if (!args_has(a, OPT_CERT) && !args_has(a, OPT_RAW_KEY))
        return EXIT_OK;
    troth_builder *b = troth_server_builder(troth_provider_share(k->crypto));
    troth_compressors(b, NULL, 0);
    if (!setup_keys(a, b, &status)) {
        troth_builder_free(b);
        return status;
    }
    *holder = troth_build_server(b, &why);
    return *holder ? EXIT_OK : complain_of(a, own_exit_code_of(&why), &why, NULL, why.detail);
}

static bool options_again(const struct keeping *k, struct args *again, char *heard, int *status)
{
    if (!args_again(again, k->life->first, heard, status))
        return false;
    *heard = 0; /* the front has heard that as well */
    *status = confine_reaches(again, READER_KEEPER) ? EXIT_OK : EXIT_FILE;
    return *status == EXIT_OK;
}

/* The options as they are by now; NULL: they cannot be read. */
static const struct args *options(struct keeping *k, char *heard, int *status)
{
    *status = EXIT_OK;
    if (!k->begun) {
        k->begun = true;
        return k->life->first;
    }
    struct args *again = calloc(1, sizeof *again);
    *status = again ? EXIT_OK : EXIT_BUG;
    if (again && options_again(k, again, heard, status)) {
        if (k->again)
            args_free(k->again);
        free(k->again);
        return k->again = again;
    }
    if (again)
        args_free(again);
    free(again);
    return NULL;
}

/* False: the front is gone. */
static bool read_keys(struct keeping *k, uint32_t generation)
{
    char heard[ARG_HEARD_MAX] = "";
    int status;
    const struct args *a = options(k, heard, &status);
    struct bunch *b = calloc(1, sizeof *b);
    bool there = true;
    if (!b && status == EXIT_OK)
        status = EXIT_BUG;
    if (a && b && status == EXIT_OK)
        status = hold(k, a, &b->holder);
    if (b)
        b->generation = generation;
    bool kept = b && status == EXIT_OK;
    if (kept)
        there = tell_all(k, b);
    struct piece end = { .kind = PIECE_END, .identity = (uint32_t)status, .read = a ? keeper_options(a) : 0 };
    if (k->again)
        k->again->heard = NULL;
    if (kept) {
        b->next = k->bunches;
        k->bunches = b;
    } else {
        free(b);
    }
    return there && tell(k, &end, heard, strlen(heard));
}

static void drop(struct keeping *k, uint32_t generation)
{
    for (struct bunch **at = &k->bunches, *b; (b = *at); at = &b->next) {
        if (b->generation != generation)
            continue;
        *at = b->next;
        troth_server_free(b->holder);
        free(b);
        return;
    }
}

static bool obey(struct keeping *k)
{
    struct order o;
    ssize_t n = recv(k->life->orders, &o, sizeof o, 0);
    if (n != sizeof o)
        return n < 0 && errno == EINTR;
    if (o.what == ORDER_READ)
        return read_keys(k, o.generation);
    drop(k, o.generation);
    return true;
}

/* ---- signing */

static const troth_key *key_of(const struct keeping *k, const struct to_sign *head)
{
    const struct bunch *b = k->bunches;
    while (b && b->generation != head->generation)
        b = b->next;
    return b && head->key < b->n ? b->keys[head->key] : NULL;
}

/* It comes from the front, which asks for nothing else when all is well. */
static void refuse(struct keeping *k)
{
    if (!k->warned)
        log_line(k->life->log, "error", "keeper", "code", "serve.keeper", "saw", "a signature was asked for over what no handshake has signed", "action",
                 "it was refused, as every such one is; stop the service, and find out who speaks through it", NULL);
    k->warned = true;
}

static bool may(struct keeping *k, const struct job *j, const troth_key *key)
{
    bool ok = key && signable(j->part, j->head.scheme, !k->life->client) && k->crypto->key_can(key, troth_scheme_sig(j->head.scheme));
    if (!ok)
        refuse(k);
    return ok;
}

/* All that are there are answered together.  False: the front is gone. */
static bool sign_all(struct keeping *k, struct job *jobs, size_t n)
{
    const troth_provider *c = k->crypto;
    troth_sign_job signing[SIDE_BY_SIDE];
    const struct job *whose[SIDE_BY_SIDE] = { NULL };
    size_t signed_n[SIDE_BY_SIDE] = { 0 }, many = 0;
    for (size_t i = 0; i < n; i++) {
        const troth_key *key = key_of(k, &jobs[i].head);
        if (!may(k, &jobs[i], key))
            continue;
        whose[many] = &jobs[i];
        signing[many++] = (troth_sign_job){ .key = key, .sig = troth_scheme_sig(jobs[i].head.scheme), .parts = &jobs[i].part, .n_parts = 1,
                                            .signature = jobs[i].answer + sizeof(struct signed_by) };
    }
    if (many > 1 && c->sign_many)
        c->sign_many(c->self, signing, many);
    for (size_t i = 0; i < many; i++) {
        troth_sign_job *s = &signing[i];
        if (s->done || c->sign(c->self, s->key, s->sig, s->parts, 1, s->signature, &s->n))
            signed_n[whose[i] - jobs] = s->n;
    }
    for (size_t i = 0; i < n; i++) {
        const struct signed_by head = { jobs[i].head.id };
        memcpy(jobs[i].answer, &head, sizeof head);
        if (send(k->life->questions, jobs[i].answer, sizeof head + signed_n[i], MSG_NOSIGNAL) < 0)
            return false;
    }
    return true;
}

/* The next question, without waiting for one: 1, 0: there is none, -1: the front is gone. */
static int take(const struct keeping *k, struct job *j)
{
    struct iovec v[2] = { { &j->head, sizeof j->head }, { j->bytes, TO_SIGN_MOST } };
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };
    ssize_t n;
    do
        n = recvmsg(k->life->questions, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    j->part = (troth_span){ j->bytes, n > (ssize_t)sizeof j->head ? (size_t)n - sizeof j->head : 0 };
    return n >= (ssize_t)sizeof j->head && !(m.msg_flags & MSG_TRUNC) ? 1 : -1;
}

static bool answer(struct keeping *k, struct job *jobs)
{
    size_t n = 0;
    int how = 1;
    while (n < SIDE_BY_SIDE && (how = take(k, &jobs[n])) == 1)
        n++;
    return how >= 0 && sign_all(k, jobs, n);
}

/* ---- */

static void run(struct keeping *k, struct job *jobs)
{
    struct pollfd fds[2] = { { .fd = k->life->questions, .events = POLLIN }, { .fd = k->life->orders, .events = POLLIN } };
    for (bool there = true; there;) {
        if (poll(fds, 2, -1) < 0)
            there = errno == EINTR;
        else
            there = (!fds[1].revents || obey(k)) && (!fds[0].revents || answer(k, jobs));
    }
}

void keeper_live(const struct keeper_life *life)
{
    struct keeping k = { .life = life, .crypto = troth_libcrypto() };
    struct job *jobs = calloc(SIDE_BY_SIDE, sizeof *jobs);
    bool ok = k.crypto && jobs;
    for (size_t i = 0; ok && i < SIDE_BY_SIDE; i++)
        ok = (jobs[i].bytes = malloc(TO_SIGN_MOST)) != NULL;
    if (ok) {
        confine_keeper(life->first);
        run(&k, jobs);
    }
    while (k.bunches)
        drop(&k, k.bunches->generation);
    for (size_t i = 0; jobs && i < SIDE_BY_SIDE; i++)
        free(jobs[i].bytes);
    free(jobs);
    if (k.again)
        args_free(k.again);
    free(k.again);
    troth_provider_free(k.crypto);
    close(life->questions);
    close(life->orders);
}
