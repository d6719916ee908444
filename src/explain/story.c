/* story.c - the witness: copies what it is told into a flat log.  Must never fail its teller, and never keep a secret unasked. */
#include "explain/story.h"

#include <stdlib.h>
#include <troth/verify.h>

struct owned {
    uint8_t *p;
    size_t   n;
};

static void *plain_alloc(void *ctx, size_t n)
{
    (void)ctx;
    return malloc(n);
}

static void plain_free(void *ctx, void *p, size_t n)
{
    (void)ctx;
    (void)n;
    free(p);
}

static const troth_allocator plain = { plain_alloc, plain_free, NULL };

const troth_allocator *plain_memory(void)
{
    return &plain;
}

/* ---- memory */

static void *take(troth_story *s, size_t n)
{
    void *p = s->used + n <= s->limit ? s->mem->alloc(s->mem->ctx, n) : NULL;
    if (p)
        s->used += n;
    else
        s->cut = true;
    return p;
}

static void give_back(troth_story *s, void *p, size_t n)
{
    if (!p)
        return;
    secret_wipe(p, n);
    s->used -= n;
    s->mem->free(s->mem->ctx, p, n);
}

/* Room for one more row at the end; NULL when there is none. */
static void *row_add(troth_story *s, struct rows *r, size_t size)
{
    if (!r->p || r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 32;
        void *p = take(s, cap * size);
        if (!p)
            return NULL;
        if (r->p)
            memcpy(p, r->p, r->n * size);
        give_back(s, r->p, r->cap * size);
        r->p = p;
        r->cap = cap;
    }
    void *row = (uint8_t *)r->p + r->n++ * size;
    memset(row, 0, size);
    return row;
}

span story_keep(troth_story *s, span b)
{
    if (!b.n)
        return SPAN_NONE;
    uint8_t *p = take(s, b.n + 1); /* so that a text has its zero */
    if (!p)
        return SPAN_NONE;
    struct owned *o = row_add(s, &s->texts, sizeof *o);
    if (!o) {
        give_back(s, p, b.n + 1);
        return SPAN_NONE;
    }
    memcpy(p, b.p, b.n);
    p[b.n] = 0;
    *o = (struct owned){ p, b.n + 1 };
    return (span){ p, b.n };
}

const char *story_keep_text(troth_story *s, const char *text)
{
    if (!text || !*text)
        return NULL;
    return (const char *)story_keep(s, span_of(text, strlen(text))).p;
}

/* ---- the log */

static int64_t last_time(const troth_story *s)
{
    return s->items.n ? ROWS(s, items, struct item)[s->items.n - 1].at : 0;
}

static int64_t time_now(troth_story *s)
{
    if (!s->clock) /* stopped: what comes now is the end */
        return last_time(s);
    int64_t t = s->clock(s->clock_ctx);
    if (!s->has_began) {
        s->has_began = true;
        s->began = t;
    }
    return t - s->began;
}

/* A row in its array and a line in the log; NULL when either does not fit. */
static void *log_add(troth_story *s, enum item_kind kind, struct rows *r, size_t size)
{
    void *row = row_add(s, r, size);
    struct item *line = row ? row_add(s, &s->items, sizeof *line) : NULL;
    if (!line) {
        if (row)
            r->n--;
        return NULL;
    }
    *line = (struct item){ time_now(s), (uint32_t)(r->n - 1), (uint8_t)kind };
    return row;
}

/* A certificate comes from whoever sent the Certificate message that it stood in. */
static uint8_t sender_of(const troth_story *s, const struct saw_message *m)
{
    const struct told_message *all = ROWS(s, messages, struct told_message);
    if (!strcmp(m->type, "X.509 certificate"))
        for (size_t i = s->messages.n; i-- > 0;)
            if (!strcmp(all[i].type, "Certificate") || !strcmp(all[i].type, "CompressedCertificate"))
                return all[i].from;
    return (uint8_t)m->from;
}

static void on_message(void *self, const struct saw_message *m)
{
    troth_story *s = self;
    uint8_t from = sender_of(s, m);
    struct told_message *t = log_add(s, ITEM_MESSAGE, &s->messages, sizeof *t);
    if (!t)
        return;
    *t = (struct told_message){ .type = m->type,
                                .raw = story_keep(s, m->raw),
                                .first = s->sightings.n,
                                .at = last_time(s),
                                .from = from,
                                .version = m->version,
                                .epoch = m->epoch,
                                .ours = m->ours };
}

static void on_field(void *self, const struct sighting *f)
{
    troth_story *s = self;
    if (!s->messages.n)
        return;
    struct told_message *m = &((struct told_message *)s->messages.p)[s->messages.n - 1];
    if (f->at > m->raw.n || f->n > m->raw.n - f->at)
        return; /* of another message: not ours to show */
    struct sighting *row = row_add(s, &s->sightings, sizeof *row);
    if (row) {
        *row = *f;
        m->n++;
    }
}

static void on_decision(void *self, const struct saw_decision *d)
{
    troth_story *s = self;
    struct told_decision *t = log_add(s, ITEM_DECISION, &s->decisions, sizeof *t);
    if (!t)
        return;
    *t = (struct told_decision){ .what = d->what,
                                 .rule = d->rule,
                                 .as = d->as,
                                 .ours = story_keep(s, d->ours),
                                 .theirs = story_keep(s, d->theirs),
                                 .chosen = d->chosen,
                                 .text = story_keep_text(s, d->text),
                                 .after = s->messages.n };
}

static void on_check(void *self, const struct saw_check *c)
{
    troth_story *s = self;
    struct told_check *t = log_add(s, ITEM_CHECK, &s->checks, sizeof *t);
    if (!t)
        return;
    *t = (struct told_check){ c->name, c->rule, story_keep_text(s, c->evidence), c->path, c->cert, c->at, c->n, c->verdict };
}

static void on_key(void *self, const struct saw_key *k)
{
    troth_story *s = self;
    uint8_t again = s->provider ? schedule_recompute(s, k) : NOT_RECOMPUTED;
    if ((s->provider || s->keep_secrets) && k->value.n <= TROTH_KEM_SECRET_MAX) {
        struct told_secret *kept = row_add(s, &s->secrets, sizeof *kept);
        if (kept) {
            kept->label = k->label;
            kept->from = k->from;
            kept->n = k->value.n;
            if (k->value.n)
                memcpy(kept->b, k->value.p, k->value.n);
        }
    }
    struct told_key *t = log_add(s, ITEM_KEY, &s->keys, sizeof *t);
    if (!t)
        return;
    *t = (struct told_key){ .label = k->label,
                            .from = k->from,
                            .hash = k->hash,
                            .context = story_keep(s, k->context),
                            .value = s->keep_secrets ? story_keep(s, k->value) : SPAN_NONE,
                            .length = k->value.n,
                            .after = s->messages.n,
                            .recomputed = again };
}

static void on_record(void *self, const struct saw_record *r)
{
    troth_story *s = self;
    if (s->records.n >= STORY_RECORDS) {
        s->records_uncounted++;
        return;
    }
    struct told_record *t = log_add(s, ITEM_RECORD, &s->records, sizeof *t);
    if (t)
        *t = (struct told_record){ r->seq, r->length, r->content, (uint8_t)r->from, r->type, r->inner, r->epoch, s->messages.n };
}

static void on_flight(void *self, enum direction from, size_t bytes)
{
    troth_story *s = self;
    /* pieces of one flight come in several reads and writes: they add up until the other side has its turn */
    if (s->flights.n) {
        struct told_flight *last = &((struct told_flight *)s->flights.p)[s->flights.n - 1];
        if (last->from == (uint8_t)from) {
            last->bytes += bytes;
            return;
        }
    }
    struct told_flight *t = log_add(s, ITEM_FLIGHT, &s->flights, sizeof *t);
    if (t)
        *t = (struct told_flight){ last_time(s), bytes, (uint8_t)from, s->messages.n };
}

static void on_failure(void *self, const troth_error *e)
{
    troth_story *s = self;
    if (s->failure.reason != TROTH_R_NONE || e->reason == TROTH_R_NONE)
        return;
    s->failure = *e;
    struct item *line = row_add(s, &s->items, sizeof *line);
    if (line)
        *line = (struct item){ time_now(s), 0, ITEM_FAILURE };
}

/* ---- public */

troth_story *troth_story_new(const troth_allocator *mem)
{
    const troth_allocator *use = mem ? mem : &plain;
    troth_story *s = use->alloc(use->ctx, sizeof *s);
    if (!s)
        return NULL;
    *s = (troth_story){ .mem = use, .limit = STORY_MEMORY };
    s->witness = (struct witness){ s, on_message, on_field, on_decision, on_check, on_key, on_record, on_flight, on_failure };
    return s;
}

static void rows_free(troth_story *s, struct rows *r, size_t size)
{
    give_back(s, r->p, r->cap * size);
    *r = (struct rows){ 0 };
}

void troth_story_free(troth_story *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->texts.n; i++) {
        struct owned *o = &((struct owned *)s->texts.p)[i];
        give_back(s, o->p, o->n);
    }
    rows_free(s, &s->texts, sizeof(struct owned));
    rows_free(s, &s->sightings, sizeof(struct sighting));
    rows_free(s, &s->items, sizeof(struct item));
    rows_free(s, &s->messages, sizeof(struct told_message));
    rows_free(s, &s->decisions, sizeof(struct told_decision));
    rows_free(s, &s->checks, sizeof(struct told_check));
    rows_free(s, &s->keys, sizeof(struct told_key));
    rows_free(s, &s->records, sizeof(struct told_record));
    rows_free(s, &s->flights, sizeof(struct told_flight));
    rows_free(s, &s->marks, sizeof(struct told_mark));
    rows_free(s, &s->data, sizeof(struct told_data));
    rows_free(s, &s->notes, sizeof(const char *));
    rows_free(s, &s->secrets, sizeof(struct told_secret));
    troth_provider_free(s->provider);
    const troth_allocator *mem = s->mem;
    secret_wipe(s, sizeof *s);
    mem->free(mem->ctx, s, sizeof *s);
}

const struct witness *story_witness(troth_story *s)
{
    return s ? &s->witness : NULL;
}

void troth_story_clock(troth_story *s, int64_t (*microseconds)(void *ctx), void *ctx)
{
    if (!s)
        return;
    s->clock = microseconds;
    s->clock_ctx = ctx;
    s->timed = true;
    time_now(s);
}

void story_clock_stop(troth_story *s)
{
    s->clock = NULL;
}

void troth_story_about(troth_story *s, const char *peer, int64_t unix_seconds)
{
    if (!s)
        return;
    s->peer = story_keep_text(s, peer);
    s->now = unix_seconds;
}

void troth_story_as_server(troth_story *s)
{
    if (s)
        s->we_are_server = true;
}

void troth_story_recompute(troth_story *s, troth_provider *p)
{
    if (!s) {
        troth_provider_free(p);
        return;
    }
    troth_provider_free(s->provider);
    s->provider = p;
}

void troth_story_danger_keep_secrets(troth_story *s)
{
    if (s)
        s->keep_secrets = true;
}

void troth_story_note(troth_story *s, const char *sentence)
{
    const char **t = s ? row_add(s, &s->notes, sizeof *t) : NULL;
    if (t)
        *t = story_keep_text(s, sentence);
}

void troth_story_mark(troth_story *s, const char *what)
{
    struct told_mark *t = s ? log_add(s, ITEM_MARK, &s->marks, sizeof *t) : NULL;
    if (t)
        *t = (struct told_mark){ last_time(s), story_keep_text(s, what) };
}

void troth_story_data(troth_story *s, bool from_client, troth_span b)
{
    if (!s || !b.n)
        return;
    enum direction from = from_client ? FROM_CLIENT : FROM_SERVER;
    size_t keep = STORY_DATA_KEPT - s->data_kept[from];
    keep = keep < b.n ? keep : b.n;
    struct told_data *last = s->data.n ? &((struct told_data *)s->data.p)[s->data.n - 1] : NULL;
    if (!keep && last && last->from == (uint8_t)from) {
        last->total += b.n;
        return;
    }
    struct told_data *t = log_add(s, ITEM_DATA, &s->data, sizeof *t);
    if (!t)
        return;
    *t = (struct told_data){ story_keep(s, span_of(b.p, keep)), b.n, last_time(s), (uint8_t)from };
    s->data_kept[from] += keep;
}

void troth_story_failed(troth_story *s, const troth_error *e)
{
    if (s && e)
        on_failure(s, e);
}

void troth_story_judged(troth_story *s, const troth_report *r)
{
    for (size_t p = 0; s && r && p < troth_report_paths(r); p++)
        for (size_t i = 0; i < troth_report_path(r, p).n_checks; i++) {
            troth_path_check k = troth_report_check(r, p, i);
            struct saw_check c = { story_keep_text(s, k.name), story_keep_text(s, k.rule), (uint8_t)k.verdict, (int)p, (int)k.cert, k.at, k.n,
                                   k.evidence };
            on_check(s, &c);
        }
}
