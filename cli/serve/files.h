/* files.h - static files as HTTP answers. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <event2/http.h>
#include <stdint.h>

#include "common/args.h"

/* A file that is on its way to a client, piece by piece.  `fd` is -1 and `req` NULL where there is none. */
struct sending {
    struct evhttp_request *req;
    int                    fd;
    int64_t                at, left;
    /* The file became shorter, or cannot be read on: the answer cannot be completed.  The connection is to be ended. */
    void                 (*cut)(void *ctx);
    void                  *ctx;
};

/* A directory whose files may be served; -1 when it cannot be opened (errno says why). */
int files_open(const char *dir);
/* Answers one request from below `root`.  Never leaves it: not by "..", not by a link, not by an absolute path; and never gives away a
 * private key.  The answer may go on in `s`, which stays until the request is complete or its connection leaves.  The status that it has. */
int files_answer(struct evhttp_request *req, const struct args *a, int root, struct sending *s);
/* An answer in one line, with what is wrong (NULL: the reason says enough).  The code. */
int files_refuse(struct evhttp_request *req, int code, const char *reason, const char *why);
/* Nothing more goes out.  To be called while the connection is still there, or is being freed. */
void files_leave(struct sending *s);

#endif
