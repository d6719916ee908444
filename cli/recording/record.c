/* record.c - a connection as a capture that was never on a wire: TCP segments made of what the transport carried, and the facts that the
 * engine needs to run once more.  Must create its file for nobody but its owner, and write no secret that the tape was not told to keep. */
#include "recording/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/outfile.h"

enum { SEGMENT = 1400, LINK_RAW = 101, HEADERS = 40, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PUSH = 8, TCP_ACK = 16 };

struct piece {
    struct piece *next;
    int64_t       at;
    size_t        n;      /* 0: the other end will send no more       */
    bool          out;
    bool          plain;  /* what the program wrote, before it was sealed */
    uint8_t       bytes[];
};

struct recorder {
    struct tape  *tape;
    struct reel   reel;
    struct piece *first, *last;
    size_t        kept, most;
    bool          full;
};

struct recorder *recorder_new(struct tape *tape, size_t most)
{
    struct recorder *r = tape ? calloc(1, sizeof *r) : NULL;
    if (r)
        *r = (struct recorder){ .tape = tape, .most = most };
    return r;
}

void recorder_free(struct recorder *r)
{
    for (struct piece *p = r ? r->first : NULL, *next; p; p = next) {
        next = p->next;
        if (p->plain)
            explicit_bzero(p->bytes, p->n);
        free(p);
    }
    if (r) {
        tape_turn(r->tape, NULL);
        reel_clear(&r->reel);
    }
    free(r);
}

void recorder_turn(struct recorder *r)
{
    if (r)
        tape_turn(r->tape, &r->reel);
}

static void keep(struct recorder *r, bool out, bool plain, const uint8_t *p, size_t n)
{
    struct timeval now;
    struct piece *one = r && r->kept + sizeof *one + n <= r->most ? malloc(sizeof *one + n) : NULL;
    if (!one) {
        if (r)
            r->full = true;
        return;
    }
    gettimeofday(&now, NULL);
    *one = (struct piece){ .at = (int64_t)now.tv_sec * 1000000 + now.tv_usec, .n = n, .out = out, .plain = plain };
    if (n)
        memcpy(one->bytes, p, n);
    r->kept += sizeof *one + n;
    if (r->last)
        r->last->next = one;
    else
        r->first = one;
    r->last = one;
}

void recorder_saw(void *recorder, bool out, const uint8_t *p, size_t n)
{
    keep(recorder, out, false, p, n);
}

void recorder_wrote(struct recorder *r, const void *p, size_t n)
{
    if (r && n && tape_keeps_secrets(r->tape))
        keep(r, true, true, p, n);
}

/* ---- pcapng, in this machine's byte order, which its header tells */

struct writer {
    FILE    *f;
    uint8_t  address[2][4]; /* client, server */
    uint16_t port[2];
    uint32_t seq[2];
    bool     ok;
};

static void block(struct writer *w, uint32_t type, const void *head, size_t head_n, const void *body, size_t n)
{
    static const uint8_t zeros[4] = { 0 };
    size_t pad = (4 - (head_n + n) % 4) % 4;
    uint32_t total = (uint32_t)(12 + head_n + n + pad);
    w->ok = w->ok && fwrite(&type, 4, 1, w->f) == 1 && fwrite(&total, 4, 1, w->f) == 1 && (!head_n || fwrite(head, head_n, 1, w->f) == 1) &&
            (!n || fwrite(body, n, 1, w->f) == 1) && (!pad || fwrite(zeros, pad, 1, w->f) == 1) && fwrite(&total, 4, 1, w->f) == 1;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* IPv4 and TCP in front of at most SEGMENT bytes; `from`: 0 the client, 1 the server. */
static void packet(struct writer *w, int from, uint8_t flags, int64_t at, const uint8_t *bytes, size_t n)
{
    uint8_t p[HEADERS + SEGMENT] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6 };
    uint32_t sum = 0;
    put16(p + 2, (unsigned)(HEADERS + n));
    memcpy(p + 12, w->address[from], 4);
    memcpy(p + 16, w->address[!from], 4);
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    put16(p + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
    put16(p + 20, w->port[from]);
    put16(p + 22, w->port[!from]);
    put32(p + 24, w->seq[from]);
    put32(p + 28, w->seq[!from]);
    p[32] = 0x50;
    p[33] = flags;
    put16(p + 34, 0xffff);
    if (n)
        memcpy(p + HEADERS, bytes, n);
    w->seq[from] += (uint32_t)n + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    uint32_t head[5] = { 0, (uint32_t)((uint64_t)at >> 32), (uint32_t)at, (uint32_t)(HEADERS + n), (uint32_t)(HEADERS + n) };
    block(w, 6, head, sizeof head, p, HEADERS + n);
}

/* What the program wrote, and behind how many bytes of ours: only where secrets are kept. */
static void add_writes(json_t *facts, const struct recorder *r)
{
    json_t *list = json_array();
    json_int_t out = 0;
    for (const struct piece *p = r->first; p; p = p->next) {
        if (p->plain)
            json_array_append_new(list, json_pack("{s:I, s:o}", "behind", out, "danger_value", facts_hex(p->bytes, p->n)));
        else if (p->out)
            out += (json_int_t)p->n;
    }
    if (json_array_size(list))
        json_object_set(facts, "writes", list);
    json_decref(list);
}

static void facts_block(struct writer *w, const struct recorder *r, const struct facts_of *of)
{
    json_t *facts = facts_make(of, &r->reel);
    if (facts && r->full)
        json_object_set_new(facts, "cut", json_true());
    if (facts)
        add_writes(facts, r);
    char *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    uint32_t n = text ? (uint32_t)strlen(text) : 0;
    if (text)
        block(w, FACTS_BLOCK, &n, sizeof n, text, n);
    w->ok &= text != NULL;
    if (text)
        explicit_bzero(text, n);
    free(text);
    json_decref(facts);
}

static void packets(struct writer *w, const struct recorder *r, const struct facts_of *of, bool server)
{
    const char *code = of->error && of->error->reason != TROTH_R_NONE ? of->error->code : "";
    int64_t began = r->first ? r->first->at : 0;
    packet(w, 0, TCP_SYN, began, NULL, 0);
    packet(w, 1, TCP_SYN | TCP_ACK, began, NULL, 0);
    for (const struct piece *p = r->first; p; p = p->next) {
        if (!p->n)
            packet(w, server ? 0 : 1, TCP_FIN | TCP_ACK, p->at, NULL, 0);
        for (size_t at = 0; at < p->n && !p->plain; at += SEGMENT)
            packet(w, p->out == server, TCP_ACK | TCP_PUSH, p->at, p->bytes + at, p->n - at < SEGMENT ? p->n - at : SEGMENT);
    }
    if (!strncmp(code, "net.reset", 9))
        packet(w, server ? 0 : 1, TCP_RST | TCP_ACK, r->last ? r->last->at : began, NULL, 0);
}

static void all(struct writer *w, const struct recorder *r, const struct facts_of *of, bool server)
{
    struct { uint32_t magic; uint16_t major, minor; int64_t length; } __attribute__((packed)) section = { 0x1a2b3c4d, 1, 0, -1 };
    struct { uint16_t link, reserved; uint32_t most; } interface = { LINK_RAW, 0, 0 };
    block(w, 0x0a0d0d0a, &section, sizeof section, NULL, 0);
    if (r->reel.keys_n) { /* only where they are kept */
        uint32_t head[2] = { 0x544c534b, (uint32_t)r->reel.keys_n };
        block(w, 10, head, sizeof head, r->reel.keys, r->reel.keys_n);
    }
    facts_block(w, r, of);
    block(w, 1, &interface, sizeof interface, NULL, 0);
    packets(w, r, of, server);
}

bool recorder_write(const struct recorder *r, const struct facts_of *of, const char *address, bool server, const char *path)
{
    unsigned b[4], port;
    struct writer w = { .address = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 } }, .port = { 49152, 443 }, .seq = { 1, 1 }, .ok = true };
    int peer = server ? 0 : 1;
    if (address && sscanf(address, "%3u.%3u.%3u.%3u:%5u", &b[0], &b[1], &b[2], &b[3], &port) == 5) {
        for (int i = 0; i < 4; i++)
            w.address[peer][i] = (uint8_t)b[i];
        w.port[peer] = (uint16_t)port;
    }
    struct outfile file = { .to = NULL };
    struct stat st;
    bool link = !lstat(path, &st) && S_ISLNK(st.st_mode); /* to somewhere else: whoever put it there wants that written over */
    errno = link ? ELOOP : 0;
    if (r && !link && outfile_open(&file, path, 0600)) {
        w.f = file.to;
        all(&w, r, of, server);
        w.ok &= outfile_close(&file, w.ok);
    } else {
        w.ok = false;
    }
    return w.ok || complain(of->args, EXIT_FILE, "%s: %s", path, strerror(errno ? errno : ENOMEM)) == EXIT_OK;
}
