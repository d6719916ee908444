/* victim.c - see victim.h. */
#include "support/victim.h"

#include "support/test.h"
#include "wire/registry.h"

/* Were these sent, in this order, others in between? */
static bool sent_in_order(const struct evil_deeds *d, const uint8_t *types, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < d->n && found < n; i++)
        found += d->sent[i] == types[found];
    return found == n;
}

void assert_proven(const char *what, const troth_conn *c, bool is_client, bool wants_certificate, const struct evil_deeds *d)
{
    static const uint8_t proof13[] = { HS_certificate_verify, HS_finished }, proof12[] = { HS_server_key_exchange, HS_server_hello_done },
                         finished[] = { HS_finished };
    troth_facts f = troth_what(c);
    bool by_key = is_client ? !f.resumed && !f.psk_external : wants_certificate && !f.resumed;
    bool proven = sent_in_order(d, finished, 1);
    if (by_key && f.version == TROTH_TLS13)
        proven = sent_in_order(d, proof13, 2);
    else if (by_key && is_client)
        proven = sent_in_order(d, proof12, 2) && sent_in_order(d, finished, 1);
    else if (by_key)
        proven = sent_in_order(d, proof13, 2);
    if (!proven || d->broke_proof)
        test_fail("%s: the %s is ready, and the peer %s", what, is_client ? "client" : "server",
                  proven ? "spoilt its proof" : "never proved who it is");
}

struct victim_end victim_run(struct scene *s, bool evil_server, span program)
{
    struct pair p;
    scene_open(s, &p);
    evil_begin(evil_server, program);
    (void)scene_talk(s, &p);
    struct pair_end *e = evil_server ? &p.client : &p.server, *other = evil_server ? &p.server : &p.client;
    if (!e->done && !e->failed) { /* the evil one has left */
        pair_end_input(&p, e);
        pair_run(&p);
    }
    struct victim_end end = { .ready = e->ready, .failed = e->failed, .done = e->done, .deeds = evil_end() };
    if (e->ready)
        assert_proven(s->f->name, e->c, evil_server, (s->f->bits & (F_AUTH | F_RAW | F_ASK)) != 0, &end.deeds);
    if (!e->ready)
        assert_int_equal(e->n_got > 0 && !(s->f->bits & F_EARLY), 0);
    if (e->failed)
        end.reason = troth_why(e->c)->reason;
    assert_true(e->failed || e->done || e->closed || e->last == TROTH_RECV);
    assert_true(end.reason != TROTH_R_BUG);
    scene_check_end(s, e);
    (void)other;
    scene_close(s, &p);
    return end;
}
