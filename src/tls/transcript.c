/* transcript.c - the running hash.  Must never be asked for a digest before the hash is known. */
#include "tls/transcript.h"

#include "wire/msg.h"

void transcript_begin(struct transcript *t, const troth_hash *hash)
{
    t->hash = hash;
    hash->begin(t->state);
    for (size_t i = 0; i < COUNT_OF(t->early); i++) {
        if (t->early[i].n)
            hash->add(t->state, t->early[i].p, t->early[i].n);
        t->early[i] = SPAN_NONE;
    }
}

bool transcript_add(struct transcript *t, span message)
{
    if (t->hash) {
        t->hash->add(t->state, message.p, message.n);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(t->early); i++)
        if (!t->early[i].n) {
            t->early[i] = message;
            return true;
        }
    return false;
}

void transcript_peek(const struct transcript *t, struct digest *out)
{
    t->hash->peek(t->state, out->b);
    out->n = (uint8_t)t->hash->n;
}

void transcript_resume(struct transcript *t, const troth_hash *hash, span client_hello1_digest)
{
    uint8_t message[4 + TROTH_DIGEST_MAX];
    struct wr w = wr_into(message, sizeof message);
    message_hash_write(&w, client_hello1_digest);
    t->early[0] = t->early[1] = SPAN_NONE;
    t->hash = hash;
    hash->begin(t->state);
    hash->add(t->state, message, w.n);
}

void transcript_retry(struct transcript *t)
{
    struct digest first;
    transcript_peek(t, &first);
    transcript_resume(t, t->hash, digest_span(&first));
}
