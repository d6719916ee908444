/* expiry.c - see expiry.h. */
#include "serve/expiry.h"

#include <stdio.h>

enum { DAY = 86400 };

enum troth_reason expiry_of(const struct identity_facts *i, int64_t now, long days)
{
    if (!i->certificate || i->not_after == INT64_MAX)
        return TROTH_R_NONE;
    if (now > i->not_after)
        return TROTH_R_CERT_EXPIRED;
    int64_t third = (i->not_after - i->not_before) / 3, before = (int64_t)(days == EXPIRY_DEFAULT ? EXPIRY_DAYS : days) * DAY;
    if (days == EXPIRY_DEFAULT && third < before)
        before = third;
    return i->not_after - now < before ? TROTH_R_EXPIRES_SOON : TROTH_R_NONE;
}

static void tell(const struct log *l, const struct identity_facts *i, int64_t now, enum troth_reason why)
{
    char until[40], saw[400];
    int64_t left = i->not_after - now, days = (left < 0 ? -left : left) / DAY;
    time_words(until, sizeof until, i->not_after);
    snprintf(saw, sizeof saw, "%s %s %s, %s%lld day%s%s", i->subject, left < 0 ? "ended" : "ends", until, left < 0 ? "" : "in ", (long long)days,
             days == 1 ? "" : "s", left < 0 ? " ago" : "");
    log_line(l, "warn", "certificate", "code", troth_reason_code(why), "file", i->file, "what", troth_reason_text(why), "saw", saw, "action",
             troth_reason_hint(why), NULL);
}

void expiry_look(const struct log *l, const struct identities *s, int64_t now, long days)
{
    for (size_t i = 0; i < s->n; i++) {
        enum troth_reason why = expiry_of(&s->all[i], now, days);
        if (why != TROTH_R_NONE)
            tell(l, &s->all[i], now, why);
    }
}
