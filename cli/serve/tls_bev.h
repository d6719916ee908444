/* tls_bev.h - a troth connection as a libevent bufferevent, so that evhttp (and anything else) can speak over it.
 *
 * A filter over a socket bufferevent: what is written to it is sealed, what is read from it was opened.  Everything happens in the event
 * loop; nothing blocks. */
#ifndef CLI_TLS_BEV_H
#define CLI_TLS_BEV_H

#include <event2/bufferevent.h>
#include <troth/explain.h>
#include <troth/troth.h>

struct tls_bev;

struct allow;
struct farewells;
struct keyring;

/* What the owner wants to hear of.  Members may be NULL. */
struct tls_bev_ears {
    void (*open)(struct tls_bev *, void *ctx);    /* what is written goes out from here on: ready, or early data was taken */
    void (*ready)(struct tls_bev *, void *ctx);   /* handshake complete                                        */
    void (*ended)(struct tls_bev *, void *ctx);   /* failed (troth_why says why) or done; once, at the end     */
    void (*ticket)(struct tls_bev *, void *ctx, troth_span ticket);
    void (*data)(struct tls_bev *, void *ctx);    /* something came for the owner                              */
    void (*saw)(struct tls_bev *, void *ctx, bool out, const uint8_t *p, size_t n); /* what is on the wire, until the handshake is done */
    void (*turn)(struct tls_bev *, void *ctx);    /* calls on the connection follow                            */
    void (*signed_by)(struct tls_bev *, void *ctx, troth_span signature); /* came from keeper.h, and is passed on now */
    /* The peer's bytes so far, until this was true once: what does not belong to TLS is taken out.  False: more must come, or it was
     * broken. */
    bool (*first)(struct tls_bev *, void *ctx, struct evbuffer *in);
    /* Server with troth_ask_server: a hello came (troth_what).  Answers it, and true; false: what is behind it is not for us to end.  Then
     * nothing more is read or sent, and `passed` follows, outside of all other calls: there the socket is to be taken. */
    bool (*asked)(struct tls_bev *, void *ctx);
    void (*passed)(struct tls_bev *, void *ctx);
    void  *ctx;
    void (*closed)(struct tls_bev *, void *ctx);  /* the peer will send no more, we may; without this ear our side is closed as well */
    void (*flushed)(struct tls_bev *, void *ctx); /* all is sent, after tls_bev_finish                         */
    void (*gone)(void *ctx);                      /* nothing of it is left: the last call                      */
    struct allow   *allow; /* who may come in by their certificates, as `keys`; NULL: nobody asks */
    struct keyring *keys; /* whose keys are signed with, as long as the connection is there; NULL: it has its own */
    uint64_t *in, *out; /* are added to: bytes from and to the socket; NULL: nobody counts */
    /* What is not sent when the bufferevent is freed is sent here; NULL: it is lost. */
    struct farewells *farewells;
    /* For an owner that reads requests and writes answers.  Freeing ends the connection in order, after all that was written; the
     * peer's end is reported (BEV_EVENT_EOF) only when nothing waits in either buffer, and `busy` does not say that more will come. */
    bool              answers;
    bool            (*busy)(void *ctx);
};

/* `conn` and, unless it is -1, `fd` belong to the bufferevent from now on (fd may be set later with bufferevent_setfd).  NULL when
 * memory runs out; then both are gone.  *made (may be NULL) is its other face. */
struct bufferevent *tls_bev_new(struct event_base *base, int fd, troth_conn *conn, const struct tls_bev_ears *ears,
                                struct tls_bev **made);
troth_conn *tls_bev_conn(struct tls_bev *);
struct bufferevent *tls_bev_socket(struct tls_bev *);
int tls_bev_fd(struct tls_bev *);
/* Bytes that the socket took so far. */
uint64_t tls_bev_written(const struct tls_bev *);
/* The ctx of its ears, from a bufferevent that tls_bev_new made. */
void *tls_bev_owner(struct bufferevent *);
/* The peer's side of the transport has ended. */
bool tls_bev_eof(const struct tls_bev *);
/* Starts: a client's first bytes go out. */
void tls_bev_start(struct tls_bev *);
/* The owner is not busy any more. */
void tls_bev_idle(struct tls_bev *);
/* The owner found the transport wanting: the connection fails, and the owner hears of it as of any failure (BEV_EVENT_ERROR). */
void tls_bev_broken(struct tls_bev *, enum troth_reason, const char *detail);
/* The owner will free the bufferevent, and may shut its descriptor down before that (evhttp does): what is to be sent is taken out of
 * its hands now.  Freeing implies it. */
void tls_bev_leave(struct tls_bev *);
/* In `passed`: the socket, from here on the caller's, and in `heard` all that came of it.  What is left is to be freed. */
int tls_bev_give_up(struct tls_bev *, struct evbuffer *heard);
/* No more will be written: close_notify goes behind what waits, and once the socket took it all our direction is shut. */
void tls_bev_finish(struct tls_bev *);

#endif
