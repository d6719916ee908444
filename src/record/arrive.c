/* arrive.c - which record may come when.  Must never act on a record before it was opened, except to drop or refuse it. */
#include "record/arrive.h"

#include "base/alerts.h"

enum { LEVEL_WARNING = 1, LEVEL_FATAL = 2, CCS_BYTE = 1 };

/* What one record came to: something for the engine, a failure, or nothing: on to the next. */
enum step { STEP_NEXT, STEP_GIVE, STEP_BAD };

/* Always STEP_BAD: `fail_to` in one expression. */
#define REFUSE(e, reason, ...) (fail_to((e), reason, __VA_ARGS__) ? STEP_NEXT : STEP_BAD)

struct at_hand {
    struct arrivals *a;
    struct protect  *read;
    struct messages *m;
    troth_error     *e;
    struct arrived  *got;
    enum arrival     what;
};

static enum step give(struct at_hand *h, enum arrival what)
{
    h->what = what;
    return STEP_GIVE;
}

/* A change_cipher_spec in the clear (RFC 9846 5, D.4; RFC 5246 7.1). */
static enum step on_ccs(struct at_hand *h, const struct record *r)
{
    struct arrivals *a = h->a;
    protect_tell_clear(h->read, r->type, r->n);
    if (!a->take_ccs && !a->drop_ccs)
        return REFUSE(h->e, CCS_UNEXPECTED, "%zu bytes in the clear", r->n);
    if (r->n != 1 || r->body[0] != CCS_BYTE)
        return REFUSE(h->e, CCS_MALFORMED, "%zu bytes, the first is %u", r->n, r->n ? r->body[0] : 0u);
    if (a->take_ccs)
        return messages_aligned(h->m, h->e) ? give(h, ARRIVED_CCS) : STEP_BAD;
    if (++a->ccs > LIMIT_CCS)
        return REFUSE(h->e, CCS_FLOOD, "more than %d", LIMIT_CCS);
    return STEP_NEXT;
}

static enum step on_warning(struct at_hand *h, uint8_t alert)
{
    struct arrivals *a = h->a;
    if (messages_left(h->m))
        return REFUSE(h->e, RECORD_INTERLEAVED, "a warning");
    if (a->tls13 && alert != ALERT_user_canceled)
        return REFUSE(h->e, ALERT_WARNING, "alert %u", alert);
    if (++a->warnings > LIMIT_WARNING_ALERTS)
        return REFUSE(h->e, ALERT_WARNING_FLOOD, "more than %d, the last is alert %u", LIMIT_WARNING_ALERTS, alert);
    if (alert == ALERT_user_canceled)
        a->canceled = true;
    return STEP_NEXT;
}

/* RFC 9846 6; in TLS 1.2 a warning is a warning (RFC 5246 7.2). */
static enum step on_alert(struct at_hand *h, const struct record *r)
{
    if (!r->n)
        return REFUSE(h->e, RECORD_EMPTY, "an alert record without content");
    if (r->n != 2)
        return REFUSE(h->e, ALERT_MALFORMED, "%zu bytes", r->n);
    uint8_t level = r->body[0], alert = r->body[1];
    if (level != LEVEL_WARNING && level != LEVEL_FATAL)
        return REFUSE(h->e, ALERT_LEVEL, "level %u, alert %u", level, alert);
    h->got->alert = alert;
    h->got->alert_level = level;
    if (alert == ALERT_close_notify)
        return give(h, ARRIVED_CLOSE);
    if (level == LEVEL_WARNING || (h->a->tls13 && alert == ALERT_user_canceled))
        return on_warning(h, alert);
    return give(h, ARRIVED_ALERT);
}

static enum step on_data(struct at_hand *h, const struct record *r)
{
    if (messages_left(h->m))
        return REFUSE(h->e, RECORD_INTERLEAVED, "application data");
    if (!h->a->take_data)
        return REFUSE(h->e, DATA_UNEXPECTED, "%zu bytes", r->n);
    h->got->data = record_span(r);
    if (r->n)
        return give(h, ARRIVED_DATA);
    if (++h->a->empties > LIMIT_EMPTY_RECORDS)
        return REFUSE(h->e, RECORD_EMPTY_FLOOD, "more than %d", LIMIT_EMPTY_RECORDS);
    return STEP_NEXT;
}

/* A record as it was sent: opened, or never protected. */
static enum step on_content(struct at_hand *h, const struct record *r)
{
    struct arrivals *a = h->a;
    if (r->type == CONTENT_ALERT)
        return on_alert(h, r);
    if (r->n) /* empty records and warnings in turns are a flood too */
        a->empties = a->warnings = 0;
    if (r->type == CONTENT_HANDSHAKE)
        return messages_add(h->m, h->e, record_span(r)) ? give(h, ARRIVED_HANDSHAKE) : STEP_BAD;
    if (r->type == CONTENT_APPLICATION_DATA)
        return on_data(h, r);
    if (r->type == CONTENT_CHANGE_CIPHER_SPEC)
        return REFUSE(h->e, CCS_UNEXPECTED, "%zu bytes, protected", r->n);
    return REFUSE(h->e, RECORD_TYPE, "type %u", r->type);
}

/* Early data that was refused is passed over, as long as it is within what was allowed. */
static enum step pass_over(struct at_hand *h, size_t n)
{
    if (n > h->a->skip_left)
        return REFUSE(h->e, EARLY_DATA_FLOOD, "%zu bytes more than was allowed", n - h->a->skip_left);
    h->a->skip_left -= (uint32_t)n;
    return STEP_NEXT;
}

static enum step on_unreadable(struct at_hand *h, const struct record *r, bool cut)
{
    if (h->a->skip == SKIP_UNREADABLE)
        return pass_over(h, r->n);
    if (cut)
        return REFUSE(h->e, RECORD_SHORT, "%zu bytes", r->n);
    return REFUSE(h->e, RECORD_BAD_MAC, "record %llu of these keys, %zu bytes", (unsigned long long)h->read->seq, r->n);
}

static enum step on_protected(struct at_hand *h, struct record *r)
{
    switch (protect_open(h->read, h->e, r)) {
    case OPENED: h->a->skip = SKIP_NONE; return on_content(h, r);
    case OPEN_BAD_MAC: return on_unreadable(h, r, false);
    case OPEN_SHORT: return on_unreadable(h, r, true);
    case OPEN_FAILED: break;
    }
    return STEP_BAD;
}

static enum step on_clear(struct at_hand *h, struct record *r)
{
    struct arrivals *a = h->a;
    if (r->type == CONTENT_APPLICATION_DATA && a->skip == SKIP_DATA)
        return pass_over(h, r->n);
    if (r->type == CONTENT_APPLICATION_DATA)
        return REFUSE(h->e, DATA_UNEXPECTED, "%zu bytes in the clear", r->n);
    a->skip = SKIP_NONE;
    return protect_open(h->read, h->e, r) == OPENED ? on_content(h, r) : STEP_BAD;
}

static enum step on_record(struct at_hand *h, struct record *r)
{
    bool clear = h->read->form == FORM_PLAIN;
    if (r->type == CONTENT_CHANGE_CIPHER_SPEC && h->read->form != FORM_12)
        return on_ccs(h, r);
    if (clear)
        return on_clear(h, r);
    if (h->read->form == FORM_13 && r->type != CONTENT_APPLICATION_DATA) {
        if (r->type == CONTENT_ALERT && h->a->clear_alert && !h->read->seq) {
            protect_tell_clear(h->read, r->type, r->n);
            h->got->alert_clear = true;
            return on_alert(h, r);
        }
        return REFUSE(h->e, RECORD_IN_THE_CLEAR, "type %u", r->type);
    }
    return on_protected(h, r);
}

enum arrival arrive(struct arrivals *a, struct inbuf *in, struct protect *read, struct messages *m, troth_error *e,
                    struct arrived *got)
{
    struct at_hand h = { a, read, m, e, got, ARRIVED_NOTHING };
    *got = (struct arrived){ .data = SPAN_NONE };
    for (;;) {
        struct record r;
        enum deframed d = deframe(in, &r, (enum form)read->form, e);
        if (d != DEFRAME_RECORD)
            return d == DEFRAME_BAD ? ARRIVED_BAD : ARRIVED_NOTHING;
        switch (on_record(&h, &r)) {
        case STEP_GIVE: return h.what;
        case STEP_BAD: return ARRIVED_BAD;
        case STEP_NEXT: break;
        }
    }
}
