/* victim.h - one connection against an evil peer (evil.h), and what must be true of the honest end afterwards. */
#ifndef TESTS_SUPPORT_VICTIM_H
#define TESTS_SUPPORT_VICTIM_H

#include "support/evil.h"
#include "support/flavour.h"

struct victim_end {
    bool              ready, failed, done;
    enum troth_reason reason; /* of a failure */
    struct evil_deeds deeds;
};

/* evil_server: the client is the victim.  Asserts. */
struct victim_end victim_run(struct scene *, bool evil_server, span program);
/* An end that is ready: its peer has sent what proves it, and had not spoilt it.  wants_certificate: a server that demands one. */
void assert_proven(const char *what, const troth_conn *, bool is_client, bool wants_certificate, const struct evil_deeds *);

#endif
