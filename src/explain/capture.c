/* capture.c - pcap and pcapng, Ethernet and its kin, IP, TCP.  Every length is the file's word and is checked; nothing is copied. */
#include "explain/capture.h"

#include <stdlib.h>

#include "base/text.h"

enum capture_limits { FLOWS_MAX = 1 << 16, SEGMENTS_MAX = 1 << 20, INTERFACES_MAX = 1024, TUNNELS_MAX = 4, SAME_HASH_MAX = 200 };
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_BSD = 12, LINK_RAW_OPENBSD = 14, LINK_RAW = 101, LINK_LOOP = 108, LINK_SLL = 113,
       LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276 };
enum { IN_IPV4 = 4, ON_TCP = 6, ON_UDP = 17, IN_IPV6 = 41, IPV6_FRAGMENT = 44, IN_GRE = 47, IPV6_AUTH = 51 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t any32(const uint8_t *p, bool little)
{
    return little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : be32(p);
}

static uint16_t any16(const uint8_t *p, bool little)
{
    return (uint16_t)(little ? p[1] << 8 | p[0] : p[0] << 8 | p[1]);
}

/* ---- flows */

static bool same_end(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->n == b->n && !memcmp(a->address, b->address, a->n);
}

static uint64_t end_hash(const struct endpoint *e)
{
    uint64_t h = e->port;
    for (unsigned i = 0; i < e->n; i++)
        h = (h ^ e->address[i]) * UINT64_C(0x100000001b3);
    return (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The same for both directions. */
static unsigned flow_hash(const struct endpoint *a, const struct endpoint *b)
{
    return (unsigned)((end_hash(a) + end_hash(b)) >> 40) % FLOW_HASHES;
}

static struct flow *flow_new(struct capture *c, const struct endpoint *from, const struct endpoint *to, int64_t at)
{
    unsigned hash = flow_hash(from, to);
    struct flow **head = &c->by_hash[hash];
    bool room = c->n_flows < FLOWS_MAX && c->in_hash[hash] < SAME_HASH_MAX; /* who makes more of them agree makes no search longer */
    struct flow *f = room ? arena_alloc(&c->arena, sizeof *f) : NULL;
    if (!f)
        return NULL;
    c->in_hash[hash]++;
    *f = (struct flow){ .end = { *from, *to }, .began = at, .same_hash = *head };
    *head = f;
    if (c->last)
        c->last->next = f;
    else
        c->flows = f;
    c->last = f;
    c->n_flows++;
    return f;
}

/* The newest flow between the two; *way: which of its ends is `from`. */
static struct flow *flow_find(struct capture *c, const struct endpoint *from, const struct endpoint *to, int *way)
{
    for (struct flow *f = c->by_hash[flow_hash(from, to)]; f; f = f->same_hash)
        for (int k = 0; k < 2; k++)
            if (same_end(&f->end[k], from) && same_end(&f->end[!k], to)) {
                *way = k;
                return f;
            }
    return NULL;
}

static void segment_add(struct capture *c, struct flow *f, int way, uint32_t seq, span payload, int64_t at)
{
    struct stream *s = &f->stream[way];
    if (!s->has_isn || (!s->syn && (int32_t)(seq - s->isn) < 0)) { /* the capture began in the middle, perhaps not with the first of its packets */
        s->isn = seq;
        s->has_isn = true;
    }
    if ((int32_t)(seq - s->isn) < 0 || s->n >= SEGMENTS_MAX)
        return;
    struct segment *g = arena_alloc(&c->arena, sizeof *g);
    if (!g)
        return;
    *g = (struct segment){ seq, s->n++, at, payload, NULL };
    if (s->last)
        s->last->next = g;
    else
        s->first = g;
    s->last = g;
}

static void tcp(struct capture *c, struct endpoint *from, struct endpoint *to, span p, int64_t at)
{
    if (p.n < 20 || (size_t)(p.p[12] >> 4) * 4 < 20 || (size_t)(p.p[12] >> 4) * 4 > p.n) {
        c->counts.unread++;
        return;
    }
    c->counts.tcp++;
    from->port = be16(p.p);
    to->port = be16(p.p + 2);
    uint32_t seq = be32(p.p + 4);
    uint8_t flags = p.p[13];
    span payload = span_slice(p, (size_t)(p.p[12] >> 4) * 4, p.n);
    int way = 0;
    struct flow *f = flow_find(c, from, to, &way);
    bool opens = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    bool again = f && opens && (!f->stream[way].syn ? f->stream[way].has_isn : f->stream[way].isn != seq + 1);
    if (!f || again) {
        way = 0;
        f = flow_new(c, from, to, at);
        if (!f) {
            c->counts.left_out++;
            return;
        }
    }
    f->packets++;
    struct stream *s = &f->stream[way];
    if (flags & TCP_SYN) {
        s->syn = s->has_isn = true;
        s->isn = ++seq; /* it counts as a byte; others may come with it (RFC 7413) */
        f->client = (uint8_t)(opens ? way : !way);
    }
    if ((flags & (TCP_FIN | TCP_RST)) && !s->fin && !s->reset)
        s->ended = at;
    s->fin |= flags & TCP_FIN;
    s->reset |= (flags & TCP_RST) != 0;
    if (payload.n)
        segment_add(c, f, way, seq, payload, at);
}

/* ---- layers below */

static void udp(struct capture *c, span p)
{
    c->counts.udp++;
    span b = span_slice(p, 8, p.n);
    uint32_t version = b.n >= 5 ? be32(b.p + 1) : 0;
    c->counts.quic += b.n >= 5 && (b.p[0] & 0xc0) == 0xc0 && (version == 1 || version == 0x6b3343cf); /* RFC 9000 17.2, RFC 9369 3.1 */
    c->counts.dtls += b.n >= 13 && b.p[0] >= 20 && b.p[0] <= 23 && b.p[1] == 0xfe;
}

static void ip(struct capture *c, span p, int64_t at, unsigned tunnels);

/* RFC 2784, RFC 2890. */
static void gre(struct capture *c, span p, int64_t at, unsigned tunnels)
{
    size_t head = p.n >= 4 ? 4u + (p.p[0] & 0x80 ? 4 : 0) + (p.p[0] & 0x20 ? 4 : 0) + (p.p[0] & 0x10 ? 4 : 0) : 0;
    uint16_t type = p.n >= 4 ? be16(p.p + 2) : 0;
    if (type == 0x0800 || type == 0x86dd)
        ip(c, span_slice(p, head, p.n), at, tunnels);
    else
        c->counts.unread++;
}

static void transport(struct capture *c, uint8_t protocol, struct endpoint *from, struct endpoint *to, span p, int64_t at, unsigned tunnels)
{
    switch (protocol) {
    case ON_TCP: tcp(c, from, to, p, at); break;
    case ON_UDP: udp(c, p); break;
    case IN_GRE: gre(c, p, at, tunnels + 1); break;
    case IN_IPV4:
    case IN_IPV6: ip(c, p, at, tunnels + 1); break;
    default: c->counts.unread++; break;
    }
}

static void ipv4(struct capture *c, span p, int64_t at, unsigned tunnels)
{
    size_t head = p.n ? (size_t)(p.p[0] & 15) * 4 : 0, n = p.n >= 20 ? be16(p.p + 2) : 0;
    n = p.n >= 20 && !n ? p.n : n; /* 0: segments that the card was to cut */
    if (p.n < 20 || head < 20 || n < head || (be16(p.p + 6) & 0x3fff)) {
        c->counts.unread++; /* or a fragment */
        return;
    }
    p = span_slice(p, 0, n);
    struct endpoint from = { .n = 4 }, to = { .n = 4 };
    memcpy(from.address, p.p + 12, 4);
    memcpy(to.address, p.p + 16, 4);
    transport(c, p.p[9], &from, &to, span_slice(p, head, p.n), at, tunnels);
}

static void ipv6(struct capture *c, span p, int64_t at, unsigned tunnels)
{
    if (p.n < 40) {
        c->counts.unread++;
        return;
    }
    struct endpoint from = { .n = 16 }, to = { .n = 16 };
    memcpy(from.address, p.p + 8, 16);
    memcpy(to.address, p.p + 24, 16);
    uint8_t next = p.p[6];
    uint16_t n = be16(p.p + 4);
    p = span_slice(p, 40, n ? n : p.n); /* 0: a jumbogram, or offloaded segmentation */
    for (bool more = true; more && p.n >= 8;) {
        size_t head = next == IPV6_FRAGMENT ? 8 : next == IPV6_AUTH ? (size_t)p.p[1] * 4 + 8 : (size_t)p.p[1] * 8 + 8;
        more = next == 0 || next == 43 || next == 60 || next == IPV6_AUTH || (next == IPV6_FRAGMENT && !(be16(p.p + 2) & 0xfff9));
        next = more ? p.p[0] : next;
        p = more ? span_slice(p, head, p.n) : p;
    }
    transport(c, next, &from, &to, p, at, tunnels);
}

static void ip(struct capture *c, span p, int64_t at, unsigned tunnels)
{
    if (p.n && p.p[0] >> 4 == 4 && tunnels <= TUNNELS_MAX)
        ipv4(c, p, at, tunnels);
    else if (p.n && p.p[0] >> 4 == 6 && tunnels <= TUNNELS_MAX)
        ipv6(c, p, at, tunnels);
    else
        c->counts.unread++;
}

static void ethernet(struct capture *c, span p, size_t type_at, int64_t at)
{
    if (p.n < type_at + 2) {
        c->counts.unread++;
        return;
    }
    uint16_t type = be16(p.p + type_at);
    for (int tags = 0; (type == 0x8100 || type == 0x88a8) && p.n >= type_at + 6 && tags < 4; tags++) {
        type_at += 4;
        type = be16(p.p + type_at);
    }
    if (type == 0x0800 || type == 0x86dd)
        ip(c, span_slice(p, type_at + 2, p.n), at, 0);
    else
        c->counts.unread++;
}

static void packet(struct capture *c, uint32_t link, span p, int64_t at)
{
    c->counts.packets++;
    switch (link) {
    case LINK_ETHERNET: ethernet(c, p, 12, at); break;
    case LINK_SLL: ethernet(c, p, 14, at); break;
    case LINK_SLL2: p.n >= 20 && (be16(p.p) == 0x0800 || be16(p.p) == 0x86dd) ? ip(c, span_slice(p, 20, p.n), at, 0) : (void)c->counts.unread++; break;
    case LINK_NULL:
    case LINK_LOOP: ip(c, span_slice(p, 4, p.n), at, 0); break;
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6: ip(c, p, at, 0); break;
    default:
        c->counts.unread++;
        c->counts.strange_link = link;
        break;
    }
}

/* ---- files */

static void pcap(struct capture *c, span file, bool little, bool nanoseconds)
{
    uint32_t link = any32(file.p + 20, little) & 0x0fffffff;
    for (size_t at = 24; file.n - at >= 16;) {
        const uint8_t *h = file.p + at;
        uint32_t n = any32(h + 8, little);
        int64_t t = (int64_t)any32(h, little) * 1000000 + any32(h + 4, little) / (nanoseconds ? 1000 : 1);
        if (n > file.n - at - 16)
            return; /* cut short */
        packet(c, link, span_of(h + 16, n), t);
        at += 16 + (size_t)n;
    }
}

struct interface {
    uint32_t link;
    uint64_t per_second; /* units of its time stamps */
};

/* if_tsresol among the options of an interface. */
static uint64_t resolution(span options, bool little)
{
    while (options.n >= 4) {
        uint16_t code = any16(options.p, little), n = any16(options.p + 2, little);
        if (code == 9 && n >= 1 && options.n >= 5) {
            uint8_t v = options.p[4];
            uint64_t per = 1;
            for (unsigned i = 0; i < (v & 0x7fu) && per < UINT64_C(1) << 58; i++)
                per *= v & 0x80 ? 2 : 10;
            return per;
        }
        options = span_slice(options, 4 + ((size_t)n + 3) / 4 * 4, options.n);
    }
    return 1000000;
}

/* What is said to be later than the year 9999 is of its end. */
static int64_t microseconds(uint64_t t, uint64_t per_second)
{
    const int64_t latest = 253402300799;
    if (t / per_second >= (uint64_t)latest)
        return latest * 1000000;
    return (int64_t)(t / per_second) * 1000000 + (int64_t)((double)(t % per_second) * 1e6 / (double)per_second);
}

static void block(struct capture *c, uint32_t type, span b, bool little, struct interface *on, unsigned *n_on)
{
    if (type == 1 && b.n >= 8 && *n_on < INTERFACES_MAX) {
        on[(*n_on)++] = (struct interface){ any16(b.p, little), resolution(span_slice(b, 8, b.n), little) };
    } else if ((type == 6 || type == 2) && b.n >= 20) { /* 2: as it was written before there was 6 */
        uint32_t i = type == 2 ? any16(b.p, little) : any32(b.p, little), n = any32(b.p + 12, little);
        uint64_t t = (uint64_t)any32(b.p + 4, little) << 32 | any32(b.p + 8, little);
        if (i < *n_on && n <= b.n - 20)
            packet(c, on[i].link, span_of(b.p + 20, n), microseconds(t, on[i].per_second));
    } else if (type == 3 && b.n >= 4 && *n_on) {
        packet(c, on[0].link, span_slice(b, 4, any32(b.p, little)), 0);
    } else if (type == 10 && b.n >= 8 && any32(b.p, little) == 0x544c534b && c->n_secrets < COUNT_OF(c->secrets)) {
        c->secrets[c->n_secrets++] = span_slice(b, 8, any32(b.p + 4, little));
    }
}

static void pcapng(struct capture *c, span file)
{
    struct interface on[INTERFACES_MAX];
    unsigned n_on = 0;
    bool little = true;
    for (size_t at = 0; file.n - at >= 12;) {
        uint32_t type = any32(file.p + at, little);
        if (be32(file.p + at) == 0x0a0d0d0a) { /* a section says its byte order */
            little = file.p[at + 8] == 0x4d;
            type = 0x0a0d0d0a;
            n_on = 0;
        }
        uint32_t n = any32(file.p + at + 4, little);
        if (n < 12 || n % 4 || n > file.n - at)
            return;
        block(c, type, span_of(file.p + at + 8, n - 12), little, on, &n_on);
        at += n;
    }
}

bool says_hello(span b)
{
    return b.n > 5 && b.p[0] == 22 && b.p[1] == 3 && b.p[5] == 1;
}

/* Whoever said a ClientHello, where no SYN was captured; or has the higher port. */
static void find_client(struct flow *f)
{
    enum { MOST = 64 };
    if (f->stream[0].syn || f->stream[1].syn)
        return;
    f->client = f->end[0].port < f->end[1].port;
    for (uint8_t k = 0; k < 2; k++) {
        const struct segment *g = f->stream[k].first;
        for (int i = 0; i < MOST && g; i++, g = g->next)
            if (says_hello(g->bytes))
                f->client = k;
    }
}

bool capture_read(struct capture *c, span file, const troth_allocator *mem)
{
    *c = (struct capture){ .n_flows = 0 };
    arena_init(&c->arena, mem, 1 << 16);
    uint32_t magic = file.n >= 24 ? be32(file.p) : 0;
    switch (magic) {
    case 0xa1b2c3d4: pcap(c, file, false, false); break;
    case 0xd4c3b2a1: pcap(c, file, true, false); break;
    case 0xa1b23c4d: pcap(c, file, false, true); break;
    case 0x4d3cb2a1: pcap(c, file, true, true); break;
    case 0x0a0d0d0a: pcapng(c, file); break;
    default: return fail(c, NOT_A_CAPTURE, "it starts with %08x", (unsigned)magic);
    }
    for (struct flow *f = c->flows; f; f = f->next)
        find_client(f);
    return true;
}

void capture_free(struct capture *c)
{
    arena_free(&c->arena);
}

/* ---- putting streams together */

/* A segment's place in its stream. */
struct placed {
    const struct segment *g;
    uint32_t              at; /* of its first byte */
};

static int by_place(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->g->order < b->g->order ? -1 : 1;
}

/* Did `a` arrive before `b`?  Of the same moment: packets lie in the file in the order of the capture. */
static bool earlier(const struct arrived_bytes *a, const struct arrived_bytes *b)
{
    return a->at != b->at ? a->at < b->at : a->bytes.p < b->bytes.p;
}

/* One direction, in order and without gap or overlap; returns how many pieces. */
static size_t in_order(struct capture *c, struct stream *s, uint8_t from, struct arrived_bytes *out)
{
    struct placed *sorted = arena_array(&c->arena, s->n + 1, sizeof *sorted);
    size_t n = 0, k = 0;
    for (const struct segment *g = s->first; sorted && g; g = g->next)
        sorted[n++] = (struct placed){ g, g->seq - s->isn };
    if (n)
        qsort(sorted, n, sizeof *sorted, by_place);
    uint32_t next = 0;
    int64_t now = INT64_MIN; /* bytes arrive when the last piece before them did */
    for (size_t i = 0; i < n; i++) {
        const struct segment *g = sorted[i].g;
        uint32_t at = sorted[i].at;
        if (at > next) {
            s->lost = at - next;
            break;
        }
        if (at + g->bytes.n <= next)
            continue; /* seen before */
        now = g->at > now ? g->at : now;
        out[k++] = (struct arrived_bytes){ now, span_slice(g->bytes, next - at, g->bytes.n), from };
        next = (uint32_t)(at + g->bytes.n);
    }
    return k;
}

bool capture_deliver(struct capture *c, struct flow *f, struct arrived_bytes **out, size_t *n)
{
    struct stream *client = &f->stream[f->client], *server = &f->stream[!f->client];
    struct arrived_bytes *a = arena_array(&c->arena, (size_t)client->n + 1, sizeof *a);
    struct arrived_bytes *b = arena_array(&c->arena, (size_t)server->n + 1, sizeof *b);
    *out = arena_array(&c->arena, (size_t)client->n + server->n + 1, sizeof **out);
    if (!a || !b || !*out)
        return fail(c, OUT_OF_MEMORY, "%s", "for the streams of a connection");
    size_t n_a = in_order(c, client, FROM_CLIENT, a), n_b = in_order(c, server, FROM_SERVER, b);
    *n = n_a + n_b;
    for (size_t i = 0, j = 0, k = 0; k < *n; k++)
        (*out)[k] = j == n_b || (i < n_a && earlier(&a[i], &b[j])) ? a[i++] : b[j++];
    return true;
}

void endpoint_text(struct text *t, const struct endpoint *e)
{
    if (e->n == 4) {
        text_add(t, "%u.%u.%u.%u:%u", e->address[0], e->address[1], e->address[2], e->address[3], e->port);
        return;
    }
    text_add(t, "[");
    for (int i = 0; i < 8; i++)
        text_add(t, "%s%x", i ? ":" : "", be16(e->address + 2 * i));
    text_add(t, "]:%u", e->port);
}
