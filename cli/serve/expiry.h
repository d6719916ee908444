/* expiry.h - says in the log which of our certificates end soon, or have ended: when they are loaded, and once a day from then on. */
#ifndef CLI_EXPIRY_H
#define CLI_EXPIRY_H

#include "common/log.h"
#include "setup/identities.h"

enum { EXPIRY_DAYS = 14, EXPIRY_DEFAULT = -1 };

/* Of all of them.  `days`: how long before the end it is time; EXPIRY_DEFAULT: EXPIRY_DAYS, or the last third of its life where that is less. */
void expiry_look(const struct log *, const struct identities *, int64_t now, long days);
/* -- pure.  The reason to speak; TROTH_R_NONE: none yet. */
enum troth_reason expiry_of(const struct identity_facts *, int64_t now, long days);
/* Are these for expiry_look to tell, which knows their files and the day? */
static inline bool expiry_tells(enum troth_reason why)
{
    return why == TROTH_R_EXPIRES_SOON || why == TROTH_R_CERT_EXPIRED;
}

#endif
