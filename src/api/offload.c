/* offload.c - the records of a connection leave for the kernel.
 *
 * Must never hand out a direction in the middle of a record, nor leave a key behind that was handed out. */
#include <troth/offload.h>

#include "base/wr.h"
#include "tls/carrier.h"
#include "tls/late.h"

enum { SALT_N = 4, EXPLICIT_N = 8 };

static void put_u64(uint8_t out[8], uint64_t v)
{
    struct wr w = wr_into(out, 8);
    wr_uint(&w, v, 8);
}

/* The kernel splits the twelve bytes of AES-GCM's nonce into salt and iv, and leaves those of ChaCha20-Poly1305 whole. */
static void give(const struct troth_conn *c, const struct protect *p, troth_record_state *out)
{
    bool whole = p->aead->id == TROTH_CHACHA20_POLY1305;
    *out = (troth_record_state){ .version = c->facts.version, .suite = c->facts.suite, .key_n = (uint8_t)p->aead->key_n, .most = p->most };
    out->salt_n = whole ? 0 : SALT_N;
    out->iv_n = whole ? IV_MAX : EXPLICIT_N;
    memcpy(out->key, p->key, out->key_n);
    memcpy(out->salt, p->iv, out->salt_n);
    put_u64(out->sequence, p->seq);
    if (whole || p->form == FORM_13)
        memcpy(out->iv, p->iv + out->salt_n, out->iv_n);
    else
        put_u64(out->iv, p->seq); /* the explicit nonce that we would write next (RFC 5288 3) */
}

/* Between two records in both directions, and nobody owes anybody anything. */
static bool at_rest(struct troth_conn *c)
{
    if (c->peer_wants_update && !late_update_keys(c, false))
        return false;
    return outq_empty(&c->rec.out) && !inbuf_left(&c->rec.in).n && !messages_left(&c->rec.messages) && !c->events && !c->hs;
}

bool troth_danger_take_records(troth_conn *c, troth_record_state *read, troth_record_state *write)
{
    if (!c || trouble_is_set(&c->error))
        return false;
    if (c->quic || !c->ready || c->close_sent || c->close_seen)
        return fail(c, WRONG_TIME, "troth_danger_take_records %s",
                    c->quic ? "where there are no records" : c->ready ? "after the end" : "before TROTH_READY");
    if (!read || !write)
        return fail(c, BAD_ARGUMENT, "troth_danger_take_records: both directions go at once");
    if (!at_rest(c))
        return false;
    give(c, &c->rec.read, read);
    give(c, &c->rec.write, write);
    carrier_of(c)->forget(c, false);
    secret_wipe(&c->keys.client, sizeof c->keys.client);
    secret_wipe(&c->keys.server, sizeof c->keys.server);
    c->close_sent = c->close_seen = true; /* for us it is over */
    return true;
}

size_t troth_danger_kernel_info(const troth_record_state *s, void *out, size_t cap)
{
    enum { AES_GCM_128 = 51, AES_GCM_256 = 52, CHACHA20_POLY1305 = 54 }; /* TLS_CIPHER_ of <linux/tls.h> */
    if (!s || !s->key_n)
        return 0;
    const uint16_t head[2] = { s->version, s->iv_n == IV_MAX ? CHACHA20_POLY1305 : s->key_n == 16 ? AES_GCM_128 : AES_GCM_256 };
    size_t n = sizeof head + (size_t)s->iv_n + s->key_n + s->salt_n + sizeof s->sequence;
    if (n > cap)
        return 0;
    uint8_t *at = out;
    memcpy(at, head, sizeof head);
    memcpy(at += sizeof head, s->iv, s->iv_n);
    memcpy(at += s->iv_n, s->key, s->key_n);
    memcpy(at += s->key_n, s->salt, s->salt_n);
    memcpy(at + s->salt_n, s->sequence, sizeof s->sequence);
    return n;
}
