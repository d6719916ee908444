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

#endif
