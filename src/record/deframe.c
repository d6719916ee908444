/* deframe.c - the input buffer and its records.  Must never look at what is inside a record. */
#include "record/deframe.h"

#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"

enum { HEADER = LIMIT_RECORD_HEADER, LONGEST = HEADER + LIMIT_CIPHERTEXT_12 };

void inbuf_init(struct inbuf *b, const troth_allocator *memory)
{
    *b = (struct inbuf){ .memory = memory, .want = INBUF_SMALL };
}

static void drop(struct inbuf *b)
{
    if (b->p) {
        secret_wipe(b->p, b->cap); /* application data was opened here */
        b->memory->free(b->memory->ctx, b->p, b->cap);
    }
    b->p = NULL;
    b->cap = b->at = b->end = 0;
}

static uint32_t most_of(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* A buffer of `cap` bytes, with what was left at its front. */
static bool grow(struct inbuf *b, uint32_t cap)
{
    uint32_t left = b->end - b->at;
    uint8_t *p = b->memory->alloc(b->memory->ctx, cap);
    TRY(p);
    if (left)
        memcpy(p, b->p + b->at, left);
    drop(b);
    b->p = p;
    b->cap = cap;
    b->end = left;
    return true;
}

bool inbuf_room(struct inbuf *b, troth_error *e, uint8_t **p, size_t *n)
{
    uint32_t left = b->end - b->at;
    uint32_t need = most_of(b->whole, left + 1);
    if (!left)
        b->at = b->end = 0;
    if (b->cap < need || (!left && b->cap < b->want)) {
        if (!grow(b, most_of(need, b->want)))
            return fail_to(e, OUT_OF_MEMORY, "%u bytes for incoming records", (unsigned)most_of(need, b->want));
    } else if (b->cap - b->at < need || b->end == b->cap) {
        memmove(b->p, b->p + b->at, left);
        b->at = 0;
        b->end = left;
    }
    *p = b->p + b->end;
    *n = b->cap - b->end;
    return true;
}

void inbuf_got(struct inbuf *b, size_t n)
{
    b->end += n < b->cap - b->end ? (uint32_t)n : b->cap - b->end;
}

span inbuf_left(const struct inbuf *b)
{
    return b->p ? span_of(b->p + b->at, b->end - b->at) : SPAN_NONE;
}

void inbuf_rest(struct inbuf *b)
{
    if (b->at == b->end)
        drop(b);
}

void inbuf_free(struct inbuf *b)
{
    drop(b);
}

/* What came instead of TLS, printable. */
static enum deframed not_tls(const struct inbuf *b, troth_error *e)
{
    char said[100];
    struct text t = TEXT_IN(said);
    span left = inbuf_left(b);
    text_escaped(&t, span_slice(left, 0, 24));
    fail_to(e, NOT_TLS, "it said \"%s\"%s", said, left.n > 24 ? " ..." : "");
    return DEFRAME_BAD;
}

static bool is_type(uint8_t type)
{
    return type >= CONTENT_CHANGE_CIPHER_SPEC && type <= CONTENT_APPLICATION_DATA;
}

/* The longest body of this type.  In the clear, application data can only be early data that was refused: it is protected. */
static size_t longest(enum form form, uint8_t type)
{
    if (form == FORM_12 || form == FORM_OTHER)
        return LIMIT_CIPHERTEXT_12;
    return form == FORM_13 || type == CONTENT_APPLICATION_DATA ? LIMIT_CIPHERTEXT_13 : LIMIT_PLAINTEXT;
}

/* What is protected says 0x0303; what is in the clear, in TLS 1.3 even behind it, may say what it likes (RFC 9846 E). */
static bool is_protected(enum form form, uint8_t type)
{
    return form == FORM_12 || (form == FORM_13 && type == CONTENT_APPLICATION_DATA);
}

/* A first record of a type that nobody knows is a record all the same: to its sender an alert means something. */
static bool is_header(const uint8_t *h, size_t left)
{
    return left < 2 || (h[1] == 3 && (left < 3 || h[2] <= 4));
}

/* As much of the header as is there. */
static bool header_fits(const struct inbuf *b, enum form form, troth_error *e)
{
    const uint8_t *h = b->p + b->at;
    size_t left = b->end - b->at;
    if (!b->any && ((!is_type(h[0]) && !is_header(h, left)) || (left >= 2 && h[1] != 3)))
        return not_tls(b, e) != DEFRAME_BAD;
    if (!is_type(h[0]))
        return (!b->any && left < HEADER) || fail_to(e, RECORD_TYPE, "type %u", h[0]);
    if (left < 3)
        return true;
    if (h[1] != 3 || (is_protected(form, h[0]) && h[2] != 3))
        return fail_to(e, RECORD_VERSION, "version 0x%02x%02x", h[1], h[2]);
    if (left < HEADER)
        return true;
    size_t n = (size_t)(h[3] << 8 | h[4]);
    if (n > longest(form, h[0]))
        return fail_to(e, RECORD_TOO_LONG, "%zu bytes, at most %zu are allowed", n, longest(form, h[0]));
    return true;
}

enum deframed deframe(struct inbuf *b, struct record *r, enum form form, troth_error *e)
{
    size_t left = b->end - b->at;
    b->whole = HEADER;
    if (!left)
        return DEFRAME_MORE;
    uint8_t *h = b->p + b->at;
    if (!header_fits(b, form, e))
        return DEFRAME_BAD;
    if (left < HEADER)
        return DEFRAME_MORE;
    b->whole = (uint32_t)(HEADER + (h[3] << 8 | h[4]));
    if (left < b->whole)
        return DEFRAME_MORE;
    *r = (struct record){ .type = h[0], .outer = h[0], .header = h, .body = h + HEADER, .n = b->whole - HEADER };
    b->at += b->whole;
    b->whole = HEADER;
    b->any = true;
    return DEFRAME_RECORD;
}
