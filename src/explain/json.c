/* json.c - the story as JSON: docs/schema/explain-1.json says what is in it.  Only ever extended within a major version. */
#include "explain/view.h"

static void fields(struct out *o, struct view *v, const struct tree *t, size_t message)
{
    (void)message;
    json_open(o, "fields", '[');
    for (uint32_t k = 0; k < t->n; k++) {
        const struct node *d = &t->nodes[k];
        const struct prose *prose = prose_of(tree_parent_name(t, k), d->saw.name);
        char room[400], path[160];
        struct text x = TEXT_IN(room), p = TEXT_IN(path);
        text_add(&p, "%s.%s", tree_parent_name(t, k), d->saw.name);
        json_open(o, NULL, '{');
        json_text(o, "name", d->saw.name);
        json_text(o, "path", path);
        json_number(o, "at", d->saw.at);
        json_number(o, "length", d->saw.n);
        json_number(o, "depth", d->depth);
        json_text(o, "shape", d->saw.shape == SHAPE_UINT ? "number" : d->saw.shape == SHAPE_BYTES ? "bytes" : "group");
        if (d->saw.prefix)
            json_number(o, "prefix", d->saw.prefix);
        if (d->saw.shape == SHAPE_UINT)
            json_number(o, "number", d->saw.value);
        if (d->saw.shape != SHAPE_GROUP) {
            say_value(&x, v, t, k);
            json_text(o, "value", room);
        }
        if (prose) {
            json_text(o, "why", prose->text);
            json_text(o, "rfc", prose->rfc);
        }
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void messages(struct out *o, struct view *v)
{
    json_open(o, "messages", '[');
    for (size_t i = 0; i < v->n; i++) {
        const struct told_message *m = &ROWS(v->s, messages, struct told_message)[i];
        json_open(o, NULL, '{');
        json_text(o, "type", m->type);
        json_text(o, "from", direction_name(m->from));
        json_bool(o, "ours", m->ours);
        json_number(o, "step", v->step[i]);
        json_text(o, "protection", epoch_name(m->epoch));
        json_number(o, "bytes", m->raw.n);
        if (v->s->timed)
            json_signed(o, "at_us", m->at);
        json_text(o, "purpose", message_purpose(m->type));
        if (!v->redact && (o->depth == TROTH_DEPTH_DEFAULT || o->depth == TROTH_DEPTH_BYTES))
            json_hex(o, "raw", m->raw);
        if (o->depth == TROTH_DEPTH_DEFAULT || o->depth >= TROTH_DEPTH_FIELDS)
            fields(o, v, &v->trees[i], i);
        if (v->bad_message == i)
            json_number(o, "broke_at", v->bad_at);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void list(struct out *o, const char *key, const struct told_decision *d, span s)
{
    json_open(o, key, '[');
    span entry;
    for (size_t at = 0; decision_entry(d, s, &at, &entry);) {
        char room[200];
        struct text t = TEXT_IN(room);
        say_entry(&t, d, entry);
        json_text(o, NULL, room);
    }
    json_close(o, ']');
}

static void decisions(struct out *o, struct view *v)
{
    json_open(o, "decisions", '[');
    for (size_t i = 0; i < v->n_choices; i++) {
        const struct told_decision *d = &v->choices[i];
        bool hide = v->redact && !d->as;
        char room[160];
        struct text t = TEXT_IN(room);
        say_choice(&t, d);
        json_open(o, NULL, '{');
        json_text(o, "what", d->what);
        json_text(o, "chosen", hide ? "(redacted)" : room);
        json_text(o, "rule", d->rule);
        json_number(o, "step", (uint64_t)decision_step(d));
        list(o, "ours", d, hide ? SPAN_NONE : d->ours);
        list(o, "theirs", d, hide ? SPAN_NONE : d->theirs);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void certificates(struct out *o, struct view *v)
{
    json_open(o, "certificates", '[');
    for (size_t i = 0; i < v->n_cards; i++) {
        const struct card *c = &v->cards[i];
        char room[40];
        struct text t = TEXT_IN(room);
        json_open(o, NULL, '{');
        json_text(o, "subject", c->subject);
        json_text(o, "issuer", c->issuer);
        json_text(o, "names", c->names);
        text_time(&t, c->not_before);
        json_text(o, "not_before", room);
        t = TEXT_IN(room);
        text_time(&t, c->not_after);
        json_text(o, "not_after", room);
        json_text(o, "distance", c->distance);
        json_text(o, "key", c->key);
        json_text(o, "signature", c->signature);
        json_text(o, "serial", c->serial);
        if (*c->fingerprint)
            json_text(o, "sha256", c->fingerprint);
        json_number(o, "message", c->message);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "checks", '[');
    static const char *const verdicts[] = { "pass", "warn", "skipped", "fail" };
    for (size_t i = 0; i < v->s->checks.n; i++) {
        const struct told_check *c = &ROWS(v->s, checks, struct told_check)[i];
        json_open(o, NULL, '{');
        json_text(o, "name", c->name);
        json_text(o, "rule", c->rule);
        json_text(o, "verdict", verdicts[c->verdict < 4 ? c->verdict : 2]);
        json_signed(o, "path", c->path);
        json_signed(o, "certificate", c->cert);
        json_number(o, "at", c->at);
        json_number(o, "length", c->n);
        if (!v->redact)
            json_text(o, "evidence", c->evidence);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void keys(struct out *o, struct view *v)
{
    static const char *const compared[] = { "not recomputed", "equal", "different" };
    json_open(o, "keys", '[');
    for (size_t i = 0; i < v->s->keys.n; i++) {
        const struct told_key *k = &ROWS(v->s, keys, struct told_key)[i];
        json_open(o, NULL, '{');
        json_text(o, "label", k->label);
        json_text(o, "from", k->from);
        json_text(o, "hash", k->hash);
        json_number(o, "length", k->length);
        json_text(o, "recomputed", compared[k->recomputed]);
        if (k->context.n && !v->redact)
            json_hex(o, "context", k->context);
        if (k->value.n && !v->redact)
            json_hex(o, "danger_value", k->value);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void traffic(struct out *o, struct view *v)
{
    const troth_story *s = v->s;
    json_open(o, "records", '[');
    for (size_t i = 0; i < s->records.n; i++) {
        const struct told_record *r = &ROWS(s, records, struct told_record)[i];
        json_open(o, NULL, '{');
        json_text(o, "from", direction_name(r->from));
        json_number(o, "type", r->type);
        json_number(o, "inner", r->inner);
        json_text(o, "protection", epoch_name(r->epoch));
        json_number(o, "sequence", r->seq);
        json_number(o, "length", r->length);
        json_number(o, "content", r->content);
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "timeline", '[');
    for (size_t i = 0; i < s->items.n; i++) {
        const struct item *l = &ROWS(s, items, struct item)[i];
        if (l->kind != ITEM_FLIGHT && l->kind != ITEM_MARK)
            continue;
        json_open(o, NULL, '{');
        if (s->timed)
            json_signed(o, "at_us", l->at);
        if (l->kind == ITEM_MARK) {
            json_text(o, "what", ROWS(s, marks, struct told_mark)[l->row].what);
        } else {
            json_text(o, "from", direction_name(ROWS(s, flights, struct told_flight)[l->row].from));
            json_number(o, "bytes", ROWS(s, flights, struct told_flight)[l->row].bytes);
        }
        json_close(o, '}');
    }
    json_close(o, ']');
    json_open(o, "data", '[');
    for (size_t i = 0; i < s->data.n; i++) {
        const struct told_data *d = &ROWS(s, data, struct told_data)[i];
        json_open(o, NULL, '{');
        json_text(o, "from", direction_name(d->from));
        json_number(o, "bytes", d->total);
        if (!v->redact)
            json_string(o, "text", d->bytes);
        json_close(o, '}');
    }
    json_close(o, ']');
}

static void failure(struct out *o, struct view *v)
{
    static const char *const who[] = { "nobody", "you", "peer", "ca", "network", "programmer" };
    const troth_error *e = &v->s->failure;
    if (!e->reason)
        return;
    json_open(o, "error", '{');
    json_text(o, "code", e->code);
    json_text(o, "text", e->text);
    json_text(o, "hint", e->hint);
    json_text(o, "who", who[e->who < COUNT_OF(who) ? e->who : 0]);
    json_bool(o, "from_peer", e->from_peer);
    if (e->alert != 255)
        json_number(o, "alert", e->alert);
    if (e->message) {
        json_text(o, "message", e->message);
        json_text(o, "field", e->field);
        json_number(o, "at", e->at);
    }
    if (!v->redact && e->detail[0])
        json_text(o, "detail", e->detail);
    json_number(o, "step", v->broke);
    json_close(o, '}');
}

void write_json(struct out *o, struct view *v)
{
    char room[800];
    struct text t = TEXT_IN(room);
    json_open(o, NULL, '{');
    json_text(o, "schema", "troth.explain/1");
    json_text(o, "peer", v->peer);
    if (v->s->now) {
        text_time(&t, v->s->now);
        json_text(o, "time", room);
    }
    json_bool(o, "ok", !v->s->failure.reason);
    json_text(o, "code", v->s->failure.reason ? v->s->failure.code : "ok");
    failure(o, v);
    if (v->s->notes.n) {
        json_open(o, "notes", '[');
        for (size_t i = 0; i < v->s->notes.n; i++)
            json_text(o, NULL, ROWS(v->s, notes, char *const)[i]);
        json_close(o, ']');
    }
    json_open(o, "facts", '{');
    json_text(o, "version", v->version.name ? version_words(v->version.value) : NULL);
    json_text(o, "cipher_suite", v->suite.name);
    json_text(o, "group", v->group.name);
    json_text(o, "signature_scheme", v->scheme.name);
    if (!v->redact && v->server_name.n)
        json_string(o, "server_name", v->server_name);
    if (!v->redact && v->alpn.n)
        json_string(o, "alpn", v->alpn);
    json_bool(o, "resumed", v->resumed);
    json_bool(o, "hello_retry", v->hello_retry);
    json_bool(o, "early_data_accepted", v->early_accepted);
    json_bool(o, "client_certificate", v->client_sent);
    json_number(o, "round_trips", v->round_trips);
    if (v->s->timed)
        json_signed(o, "total_us", v->total);
    json_close(o, '}');
    json_open(o, "steps", '[');
    for (int i = 1; i <= STEPS; i++) {
        t = TEXT_IN(room);
        say_step(&t, v, i);
        json_open(o, NULL, '{');
        json_number(o, "step", (uint64_t)i);
        json_text(o, "name", step_name(i));
        json_text(o, "sentence", room);
        json_text(o, "state", !v->broke || i < v->broke ? "done" : i == v->broke ? "broke" : "not reached");
        json_close(o, '}');
    }
    json_close(o, ']');
    if (o->depth != TROTH_DEPTH_SUMMARY) {
        decisions(o, v);
        certificates(o, v);
        keys(o, v);
        traffic(o, v);
        messages(o, v);
    }
    json_bool(o, "complete", !v->s->cut);
    json_close(o, '}');
    out_str(o, "\n");
}
