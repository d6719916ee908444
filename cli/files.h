/* files.h - static files as HTTP answers. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <event2/http.h>

/* A directory whose files may be served; -1 when it cannot be opened (errno says why). */
int files_open(const char *dir);
/* Answers one request from below `root`.  Never leaves it: not by "..", not by a link, not by an absolute path. */
void files_answer(struct evhttp_request *req, int root);

#endif
