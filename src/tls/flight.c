/* flight.c - writing, reading back, hashing, sealing.  Must never let a message out that is not in the transcript. */
#include "tls/flight.h"

#include "tls/carrier.h"
#include "tls/tls12.h"

static void write_whole(struct wr *w, uint8_t type, body_writer *body, const void *what)
{
    size_t mark = message_begin(w, type);
    body(w, what);
    message_end(w, mark);
}

/* All of a message is ours, and fits, but for the cookie. */
static bool too_long(struct troth_conn *c, uint8_t type)
{
    if (c->hs && type == HS_client_hello && c->hs->offer.cookie.n)
        return fail(c, COOKIE_TOO_LONG, "%zu bytes", c->hs->offer.cookie.n);
    return fail(c, BUG, "%s does not fit its own lengths", name_of(&names_handshake, type));
}

static bool write_at(struct troth_conn *c, uint8_t *p, size_t cap, uint8_t type, body_writer *body, const void *what, uint8_t **message,
                     size_t *n)
{
    if (!p)
        return fail(c, OUT_OF_MEMORY, "%zu bytes for %s", cap, name_of(&names_handshake, type));
    struct wr w = wr_into(p, cap);
    write_whole(&w, type, body, what);
    if (!wr_ok(&w))
        return too_long(c, type);
    *message = p;
    *n = w.n;
    return true;
}

static size_t measure(uint8_t type, body_writer *body, const void *what)
{
    struct wr w = wr_measure();
    write_whole(&w, type, body, what);
    return w.n;
}

static bool write_into(struct troth_conn *c, struct arena *a, uint8_t type, body_writer *body, const void *what, uint8_t **message,
                       size_t *n)
{
    size_t cap = measure(type, body, what);
    return write_at(c, arena_alloc(a, cap), cap, type, body, what, message, n);
}

bool flight_write(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n)
{
    return write_into(c, &c->hs->arena, type, body, what, message, n);
}

/* Told and hashed. */
static bool count_in(struct troth_conn *c, span hashed, span sent)
{
    struct hs *hs = c->hs;
    TRY(retell(c, sent));
    if (!transcript_add(&hs->transcript, hashed))
        return fail(c, BUG, "three messages wait for a hash");
    return !hs->v12 || log12_add(c, hashed, true);
}

bool flight_add_instead(struct troth_conn *c, span hashed, span sent)
{
    struct hs *hs = c->hs;
    TRY(count_in(c, hashed, sent));
    if (hs->flight.n == FLIGHT_MAX)
        TRY(flight_flush(c));
    hs->flight.parts[hs->flight.n++] = sent;
    return true;
}

bool flight_add_whole(struct troth_conn *c, span message)
{
    return flight_add_instead(c, message, message);
}

bool flight_add(struct troth_conn *c, uint8_t type, body_writer *body, const void *what)
{
    uint8_t *message;
    size_t n;
    return flight_write(c, type, body, what, &message, &n) && flight_add_whole(c, span_of(message, n));
}

bool flight_put_ccs(struct troth_conn *c)
{
    static const uint8_t one[1] = { 1 };
    troth_error e;
    error_none(&e);
    return outq_put_clear(&c->rec.out, &e, CONTENT_CHANGE_CIPHER_SPEC, TROTH_TLS12, SPAN_OF(one)) || trouble_take(&c->error, &e);
}

static bool put_ccs(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    if (!hs || !hs->ccs_waits)
        return true;
    hs->ccs_waits = false;
    return flight_put_ccs(c);
}

bool flight_put(struct troth_conn *c, uint8_t type, const span *parts, size_t n)
{
    TRY(put_ccs(c));
    TRY(carrier_of(c)->put(c, type, parts, n));
    if (c->hs)
        c->hs->first_sent = true;
    return true;
}

bool flight_flush(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    if (!hs || !hs->flight.n || hs->flight.held)
        return true;
    size_t n = hs->flight.n;
    hs->flight.n = 0;
    return flight_put(c, CONTENT_HANDSHAKE, hs->flight.parts, n);
}

/* ---- messages in the clear that are not copied */
bool flight_write_here(struct troth_conn *c, uint8_t type, body_writer *body, const void *what, uint8_t **message, size_t *n)
{
    size_t cap = measure(type, body, what);
    TRY(flight_flush(c) && put_ccs(c));
    uint8_t *p = carrier_of(c)->place(c, cap);
    return write_at(c, p ? p : arena_alloc(&c->hs->arena, cap), cap, type, body, what, message, n);
}

bool flight_put_here(struct troth_conn *c, span message)
{
    return count_in(c, message, message) && flight_put(c, CONTENT_HANDSHAKE, &message, 1);
}

bool flight_write_to_lend(struct troth_conn *c, struct arena *a, uint8_t type, body_writer *body, const void *what, uint8_t **message,
                          size_t *n)
{
    size_t cap = measure(type, body, what);
    uint8_t *p = arena_alloc(a, LIMIT_RECORD_HEADER + cap);
    return write_at(c, p ? p + LIMIT_RECORD_HEADER : NULL, cap, type, body, what, message, n);
}

bool flight_lend(struct troth_conn *c, uint8_t *message, size_t n)
{
    TRY(count_in(c, span_of(message, n), span_of(message, n)) && flight_flush(c) && put_ccs(c) && carrier_of(c)->lend(c, message, n));
    c->hs->first_sent = true;
    return true;
}

bool flight_ccs(struct troth_conn *c)
{
    struct hs *hs = c->hs;
    bool wanted = c->cfg->is_server ? hs->hello.session_id_n != 0 : hs->offer.session_id_n != 0;
    if (!wanted || hs->ccs_sent)
        return true;
    TRY(flight_flush(c));
    hs->ccs_sent = hs->ccs_waits = true;
    protect_tell_clear(&c->rec.write, CONTENT_CHANGE_CIPHER_SPEC, 1);
    return true;
}

bool flight_ccs_now(struct troth_conn *c)
{
    return flight_flush(c) && put_ccs(c);
}

bool flight_add_late(struct troth_conn *c, span message)
{
    struct hs *hs = c->hs;
    TRY(retell(c, message));
    if (hs->flight.n == FLIGHT_MAX)
        TRY(flight_flush(c));
    hs->flight.parts[hs->flight.n++] = message;
    return true;
}

bool flight_post(struct troth_conn *c, uint8_t type, body_writer *body, const void *what)
{
    struct arena scratch;
    uint8_t *message;
    size_t n;
    arena_init(&scratch, c->cfg->memory, 256);
    bool ok = write_into(c, c->hs ? &c->hs->arena : &scratch, type, body, what, &message, &n) && retell(c, span_of(message, n))
           && flight_put(c, CONTENT_HANDSHAKE, &(span){ message, n }, 1);
    arena_free(&scratch);
    return ok;
}

/* ---- writers */
void body_client_hello(struct wr *w, const void *what)
{
    client_hello_write(w, what);
}

void body_server_hello(struct wr *w, const void *what)
{
    server_hello_write(w, what, IN_SH);
}

void body_hello_retry(struct wr *w, const void *what)
{
    server_hello_write(w, what, IN_HRR);
}

void body_encrypted_extensions(struct wr *w, const void *what)
{
    encrypted_extensions_write(w, what);
}

void body_certificate_request(struct wr *w, const void *what)
{
    certificate_request_write(w, what);
}

void body_certificate(struct wr *w, const void *what)
{
    certificate_write(w, what);
}

void body_certificate_verify(struct wr *w, const void *what)
{
    certificate_verify_write(w, what);
}

void body_finished(struct wr *w, const void *what)
{
    finished_write(w, what);
}

void body_new_session_ticket(struct wr *w, const void *what)
{
    new_session_ticket_write(w, what);
}

void body_key_update(struct wr *w, const void *what)
{
    key_update_write(w, what);
}

void body_certificate12(struct wr *w, const void *what)
{
    certificate12_write(w, what);
}

void body_certificate_status(struct wr *w, const void *what)
{
    certificate_status_write(w, what);
}

void body_certificate_request12(struct wr *w, const void *what)
{
    certificate_request12_write(w, what);
}

void body_server_key_exchange12(struct wr *w, const void *what)
{
    server_key_exchange12_write(w, what);
}

void body_client_key_exchange12(struct wr *w, const void *what)
{
    client_key_exchange12_write(w, what);
}

void body_nothing(struct wr *w, const void *what)
{
    (void)w;
    (void)what;
}
