/* say.c - plain sentences.  What a newcomer reads first is written here, from values alone. */
#include "explain/view.h"
#include "wire/registry.h"
#include "x509/oid.h"

#include <inttypes.h>

static bool is(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

const char *step_name(int step)
{
    static const char *const names[] = { "", "Hello", "The answer", "The certificate", "The keys", "Encrypted data" };
    return names[step >= 1 && step <= STEPS ? step : 0];
}

const char *direction_name(uint8_t from)
{
    return from == FROM_CLIENT ? "client" : "server";
}

const char *epoch_name(uint8_t epoch)
{
    static const char *const names[] = { "in the clear", "early data keys", "handshake keys", "application keys" };
    return names[epoch < COUNT_OF(names) ? epoch : 0];
}

void say_count(struct text *t, uint64_t n, const char *thing)
{
    text_add(t, "%" PRIu64 " %s%s", n, thing, n == 1 ? "" : "s");
}

void say_micros(struct text *t, int64_t us, bool unicode)
{
    if (us < 1000)
        text_add(t, "%" PRId64 " %s", us, unicode ? "\xc2\xb5s" : "us");
    else if (us < 10000)
        text_add(t, "%" PRId64 ".%" PRId64 " ms", us / 1000, us % 1000 / 100);
    else if (us < 10000000)
        text_add(t, "%" PRId64 " ms", us / 1000);
    else
        text_add(t, "%" PRId64 " s", us / 1000000);
}

static void say_bytes(struct text *t, uint64_t n)
{
    if (n < 10000)
        text_add(t, "%" PRIu64 " byte%s", n, n == 1 ? "" : "s");
    else
        text_add(t, "%" PRIu64 ".%" PRIu64 " kB", n / 1000, n % 1000 / 100);
}

const char *version_words(uint64_t version)
{
    switch (version) {
    case 0x0300: return "SSL 3.0";
    case 0x0301: return "TLS 1.0";
    case 0x0302: return "TLS 1.1";
    case 0x0303: return "TLS 1.2";
    case 0x0304: return "TLS 1.3";
    default: return "an unknown version";
    }
}

static const char *the_version(const struct view *v)
{
    return v->version.name ? version_words(v->version.value) : "TLS";
}

/* ---- values */

static bool all_printable(span s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = out_utf8(s.p + i, s.n - i);
        if (!n)
            return false;
        i += n;
    }
    return s.n > 0;
}

static void say_bytes_value(struct text *t, const struct view *v, span b)
{
    if (!b.n) {
        text_add(t, "empty");
    } else if (v->redact) {
        say_bytes(t, b.n);
    } else if (b.n > 1 && all_printable(b)) {
        text_add(t, "\"");
        text_escaped(t, span_slice(b, 0, 80));
        text_add(t, b.n > 80 ? "...\"" : "\"");
    } else {
        text_hex(t, span_slice(b, 0, 16));
        if (b.n > 16) {
            text_add(t, "... (");
            say_bytes(t, b.n);
            text_add(t, ")");
        }
    }
}

static bool say_inside(struct text *t, const struct view *v, const struct tree *tree, uint32_t node);

static void say_oid(struct text *t, span oid)
{
    enum oid known = oid_find(oid);
    oid_dotted(t, oid);
    if (known)
        text_add(t, " (%s)", oid_name(known));
}

static void say_key_usage(struct text *t, uint64_t bits)
{
    static const char *const names[] = { "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
                                         "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly" };
    for (size_t i = 0, n = 0; i < COUNT_OF(names); i++)
        if (bits >> i & 1)
            text_add(t, "%s%s", n++ ? ", " : "", names[i]);
}

static bool say_der_bytes(struct text *t, const struct view *v, uint8_t tag, const struct sighting *s, span b)
{
    if (tag == 0x06)
        say_oid(t, b);
    else if (tag == 0x30 && b.n > 2 && b.p[0] == 0x06 && b.p[1] <= b.n - 2)
        say_oid(t, span_slice(b, 2, b.p[1]));
    else if ((tag == 0x17 && b.n == 13) || (tag == 0x18 && b.n == 15))
        text_add(t, "%s%.2s-%.2s-%.2s %.2s:%.2s:%.2s UTC", tag == 0x18 ? "" : b.p[0] < '5' ? "20" : "19", (const char *)b.p + (tag == 0x18 ? 2 : 0),
                 (const char *)b.p + b.n - 11, (const char *)b.p + b.n - 9, (const char *)b.p + b.n - 7, (const char *)b.p + b.n - 5, (const char *)b.p + b.n - 3);
    else if (is(s->name, "iPAddress") && b.n == 4 && !v->redact)
        text_add(t, "%u.%u.%u.%u", b.p[0], b.p[1], b.p[2], b.p[3]);
    else
        return false;
    return true;
}

/* Values of DER that have a better form than hexadecimal; false: there is none. */
static bool say_der(struct text *t, const struct view *v, uint8_t tag, const struct sighting *s, span b)
{
    if (is(s->name, "KeyUsage") && s->shape == SHAPE_UINT)
        say_key_usage(t, s->value);
    else if (tag == 0x01)
        text_add(t, "%s", s->value ? "true" : "false");
    else
        return s->shape == SHAPE_BYTES && say_der_bytes(t, v, tag, s, b);
    return true;
}

/* One value of a list, as short as can be. */
static void say_brief(struct text *t, const struct view *v, const struct tree *tree, uint32_t node)
{
    const struct sighting *s = &tree->nodes[node].saw;
    const struct name *row = s->shape == SHAPE_UINT ? name_find(s->as, s->value) : NULL;
    if (row && s->as == &names_version)
        text_add(t, "%s", version_words(s->value));
    else if (row)
        text_add(t, "%s", row->name);
    else if (s->as && s->n == 2 && is_grease((uint16_t)s->value))
        text_add(t, "GREASE");
    else if (s->shape == SHAPE_BYTES && tree_content(tree, node).n > 16 && !all_printable(tree_content(tree, node)))
        say_bytes(t, s->n - s->prefix);
    else
        say_value(t, v, tree, node);
}

/* What is in a small group, in one line; false when it is too much for one. */
static bool say_inside(struct text *t, const struct view *v, const struct tree *tree, uint32_t node)
{
    unsigned groups = 0, leaves = 0, said = 0;
    uint32_t end = tree->nodes[node].end;
    bool der = is(tree->type, "X.509 certificate");
    for (uint32_t i = node + 1; i < end; i++) {
        bool leaf = tree_is_leaf(&tree->nodes[i]);
        leaves += leaf;
        groups += !leaf && tree->nodes[i].parent == node;
    }
    if (groups > (der ? 0 : 4) || !leaves || leaves > 80)
        return false;
    for (uint32_t i = node + 1; i < end; i++) {
        const char *name = tree->nodes[i].saw.name;
        if (!tree_is_leaf(&tree->nodes[i]) || is(name, "extension_type") || is(name, "name_type") || is(name, "extnID") || is(name, "critical"))
            continue;
        if (said && t->n > 70) {
            text_add(t, ", and %u more", leaves - said);
            break;
        }
        text_add(t, "%s", said++ ? ", " : "");
        say_brief(t, v, tree, i);
    }
    return said > 0;
}

void say_value(struct text *t, const struct view *v, const struct tree *tree, uint32_t node)
{
    const struct node *d = &tree->nodes[node];
    const struct sighting *s = &d->saw;
    span b = tree_content(tree, node);
    if (s->shape == SHAPE_GROUP) {
        if (!say_inside(t, v, tree, node))
            say_bytes(t, s->n);
        return;
    }
    if (is(tree->type, "X.509 certificate") && s->prefix && say_der(t, v, tree->raw.p[s->at], s, b))
        return;
    if (s->shape == SHAPE_BYTES) {
        say_bytes_value(t, v, b);
        return;
    }
    if (!s->as) {
        text_add(t, "%" PRIu64, s->value);
        return;
    }
    unsigned width = 2 * (unsigned)(s->n - s->prefix);
    const struct name *row = name_find(s->as, s->value);
    bool grease = !row && s->n == 2 && is_grease((uint16_t)s->value);
    text_add(t, "%s (0x%0*" PRIx64 ")", row ? row->name : grease ? "GREASE: means nothing" : "unknown", (int)(width > 16 ? 16 : width),
             s->value);
}

/* ---- decisions */

int decision_step(const struct told_decision *d)
{
    const char *w = d->what ? d->what : "";
    if (strstr(w, "certificate") || strstr(w, "signature") || strstr(w, "identity") || strstr(w, "credential"))
        return STEP_CERTIFICATE;
    return STEP_ANSWER;
}

/* ---- the five sentences */

/* "a, b and c" from the values of the fields called `name`, GREASE left out, at most `most` of them. */
static unsigned say_list(struct text *t, const struct tree *tree, const char *parent, const char *name, unsigned most)
{
    unsigned all = 0, said = 0;
    for (int count = 1; count >= 0; count--)
        for (uint32_t i = tree_find(tree, parent, name, 0); i != NODE_NONE; i = tree_find(tree, parent, name, i + 1)) {
            const struct sighting *s = &tree->nodes[i].saw;
            if (s->n == 2 && is_grease((uint16_t)s->value))
                continue;
            if (count) {
                all++;
            } else if (said < most) {
                text_add(t, "%s%s", said == 0 ? "" : said + 1 == all ? " and " : ", ",
                         is(s->as ? s->as->kind : "", names_version.kind) ? version_words(s->value) : name_of(s->as, s->value));
                said++;
            }
        }
    if (all > most)
        text_add(t, " and %u more", all - most);
    return all;
}

static unsigned count_named(const struct tree *t, const char *parent, const char *name)
{
    unsigned n = 0;
    for (uint32_t i = tree_find(t, parent, name, 0); i != NODE_NONE; i = tree_find(t, parent, name, i + 1)) {
        const struct sighting *s = &t->nodes[i].saw;
        n += !(s->shape == SHAPE_UINT && s->n == 2 && (is_grease((uint16_t)s->value) || is_scsv((uint16_t)s->value)));
    }
    return n;
}

static const struct tree *first_tree(const struct view *v, const char *type, uint8_t from)
{
    for (size_t i = 0; i < v->n; i++)
        if (is(v->trees[i].type, type) && ROWS(v->s, messages, struct told_message)[i].from == from)
            return &v->trees[i];
    return NULL;
}

static void say_hello(struct text *t, const struct view *v)
{
    const struct tree *ch = first_tree(v, "ClientHello", FROM_CLIENT);
    if (!ch) {
        text_add(t, "%s", v->s->failure.reason ? "It ended before a first message was sent." : "No ClientHello was seen.");
        return;
    }
    char list[200];
    struct text l = TEXT_IN(list);
    unsigned versions = say_list(&l, ch, "versions", "version", 3);
    text_add(t, "%s introduced itself to %s: it speaks %s and offers ", v->we, v->peer, versions ? list : "TLS 1.2 or older");
    unsigned suites = count_named(ch, "cipher_suites", "CipherSuite");
    say_count(t, suites, "cipher suite");
    struct text g = TEXT_IN(list);
    unsigned shares = say_list(&g, ch, "KeyShareEntry", "group", 3);
    if (shares)
        text_add(t, "; to save a round trip it already sends its half of the key exchange, for %s", list);
    text_add(t, ".");
    if (v->ech_accepted || v->ech_refused)
        text_add(t, " The name of the server and more is in a second hello, encrypted inside the first (ECH).");
    else if (v->ech_grease)
        text_add(t, " It carries a decoy that looks like an encrypted hello (GREASE), so that real ones do not stand out.");
}

static bool is_hybrid(const struct fact *group)
{
    return group->name && strstr(group->name, "MLKEM");
}

static void say_answer(struct text *t, const struct view *v)
{
    if (!v->suite.name) {
        text_add(t, "%s", v->hello_retry ? "The server asked for another hello, and nothing came of it." : "The server did not answer with a ServerHello.");
        return;
    }
    if (v->hello_retry)
        text_add(t, "The server first asked for %s, which cost one more round trip. Then it",
                 v->other_share ? "a different key share" : "another hello that gives back a cookie");
    else
        text_add(t, "The server");
    text_add(t, " picked from what was offered: %s with %s", the_version(v), v->suite.name);
    if (v->group.name)
        text_add(t, ", keys agreed over %s%s", v->group.name,
                 is_hybrid(&v->group) ? " (a hybrid that also resists quantum computers)" : "");
    if (v->external)
        text_add(t, ", and both hold a key that was given to them beforehand (PSK)");
    else if (v->resumed)
        text_add(t, ", and it recognised the client from an earlier session");
    if (v->alpn.n) {
        text_add(t, "; the two will speak ");
        if (v->redact)
            text_add(t, "a protocol agreed by ALPN");
        else
            text_escaped(t, v->alpn);
    }
    text_add(t, ".");
    if (v->early_accepted)
        text_add(t, " It also accepted data sent before this answer (0-RTT).");
    else if (v->early_offered && v->answered)
        text_add(t, " It did not take the early data (0-RTT).");
    else if (v->early_offered)
        text_add(t, " Whether it took the early data (0-RTT) cannot be seen.");
    if (v->ech_accepted)
        text_add(t, " It opened the encrypted hello (ECH) and answered that one: whoever listens learns only the public name.");
    else if (v->ech_refused)
        text_add(t, " It could not open the encrypted hello (ECH) and answered the one around it.");
}

/* Of what broke where certificates are shown: was it the client's? */
static bool is_about_clients(const struct troth_story *s)
{
    return s->we_are_server ? !s->failure.from_peer : !strncmp(s->failure.code, "client-cert.", 12);
}

static void say_certificate(struct text *t, const struct view *v)
{
    const troth_story *s = v->s;
    const struct told_check *all = ROWS(s, checks, struct told_check);
    unsigned passed = 0, failed = 0; /* kinds of checks, not certificates times checks */
    for (size_t i = 0; i < s->checks.n; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= all[k].verdict == all[i].verdict && !strcmp(all[k].name, all[i].name);
        passed += !again && all[i].verdict == TROTH_PASS;
        failed += !again && all[i].verdict == TROTH_FAIL;
    }
    bool broke = v->broke == STEP_CERTIFICATE && s->failure.reason, clients = broke && is_about_clients(s);
    if (broke && !clients) {
        text_add(t, "The server showed a certificate and it was refused: %s.", s->failure.text);
    } else if (v->external) {
        text_add(t, "No certificate was shown: each side proved who it is by knowing the key that both were given.");
    } else if (v->resumed) {
        text_add(t, "No certificate had to be shown again: the server proved who it is by knowing a key that only the earlier session can have given it.");
    } else if (!v->n_cards && !first_tree(v, "Certificate", FROM_SERVER) && !first_tree(v, "CompressedCertificate", FROM_SERVER)) {
        text_add(t, v->broke && v->broke < STEP_CERTIFICATE ? "The connection ended before the server showed a certificate."
                    : v->suite.name && v->tls12 && strstr(v->suite.name, "_anon_") ? "No certificate was shown: with this suite nobody can tell who the other side is."
                    : v->suite.name && v->tls12 && strstr(v->suite.name, "TLS_PSK_") ? "No certificate was shown: each side proved who it is by knowing the key that both were given."
                    : s->blind ? "What the server showed is encrypted, and could not be opened."
                               : "No certificate was seen.");
    } else {
        text_add(t, "The server showed who it is");
        if (v->n_cards && !v->redact)
            text_add(t, " - %s, vouched for by %s%s", v->cards[0].subject, v->cards[0].issuer, v->scheme.name ? " -" : "");
        text_add(t, "%s", !v->scheme.name            ? ""
                          : v->delegated[FROM_SERVER] ? " and signed this very conversation with a short-lived key that the certificate's key speaks for (a delegated credential)"
                                                      : " and signed this very conversation with its private key");
        if (passed + failed)
            text_add(t, "; %u kind%s of checks passed%s", passed, passed == 1 ? "" : "s", failed ? ", some along paths that led nowhere" : "");
        text_add(t, ".");
    }
    if (v->client_asked)
        text_add(t, " It also asked the client for a certificate, and %s.", !v->client_sent && s->blind && !v->client_spoke ? "whether it got one cannot be seen" : !v->client_sent ? "got none" : v->delegated[FROM_CLIENT] ? "got one, with a delegated credential" : "got one");
    if (clients)
        text_add(t, " It broke on that: %s.", s->failure.text);
}

static void say_keys(struct text *t, const struct view *v)
{
    const troth_story *s = v->s;
    unsigned equal = 0, different = 0;
    for (size_t i = 0; i < s->keys.n; i++) {
        equal += ROWS(s, keys, struct told_key)[i].recomputed == RECOMPUTED_EQUAL;
        different += ROWS(s, keys, struct told_key)[i].recomputed == RECOMPUTED_DIFFERENT;
    }
    if (!s->keys.n && !v->finished) {
        text_add(t, s->blind ? "Both sides made their keys. From the bytes on the wire alone nobody learns them: a key log of one side has them."
                             : "No key was made: the handshake did not get that far.");
        return;
    }
    const char *suite = v->tls12 && v->suite.name && !v->resumed ? v->suite.name : "";
    if (v->group.name || strstr(suite, "DHE_") || strstr(suite, "DH_anon"))
        text_add(t, "Each side combined its own secret half with the other's public half, so both hold the same secret without ever having sent it");
    else if (strstr(suite, "TLS_RSA_"))
        text_add(t, "The client made a secret and sent it encrypted with the server's RSA key; whoever gets that key later can open what was recorded today");
    else
        text_add(t, "Both sides derived fresh keys from a secret they already shared");
    if (s->keys.n) {
        unsigned agreed = 0;
        for (size_t i = 0; i < s->keys.n; i++)
            agreed += !ROWS(s, keys, struct told_key)[i].from && strstr(ROWS(s, keys, struct told_key)[i].label, "Secret") == NULL &&
                      strcmp(ROWS(s, keys, struct told_key)[i].label, "master secret") != 0;
        text_add(t, "; from it came ");
        say_count(t, s->keys.n - agreed, "further secret");
        if (equal && !different && equal + agreed == s->keys.n)
            text_add(t, ", each computed a second time by other code and found equal");
        else if (equal && !different)
            text_add(t, ", %u of them computed a second time by other code and found equal", equal);
        if (different)
            text_add(t, ", and %u do NOT agree with a second computation", different);
    }
    text_add(t, v->handshake_done ? ". Finished messages prove that nobody changed a byte on the way." : ".");
}

static void say_data(struct text *t, const struct view *v)
{
    const troth_story *s = v->s;
    uint64_t records[2] = { 0 }, bytes[2] = { 0 };
    for (size_t i = 0; i < s->records.n; i++) {
        const struct told_record *r = &ROWS(s, records, struct told_record)[i];
        if (r->epoch == EPOCH_APPLICATION && r->inner == CONTENT_application_data) {
            records[r->from]++;
            bytes[r->from] += r->content;
        }
    }
    if (!records[0] && !records[1]) {
        text_add(t, v->broke    ? "No application data was exchanged."
                    : s->blind ? "Whatever was sent is encrypted: without the keys all that shows is how much, and when."
                               : "The connection is ready; no application data was seen yet.");
    } else {
        text_add(t, "From here on an eavesdropper sees only lengths: the client sent ");
        say_bytes(t, bytes[FROM_CLIENT]);
        text_add(t, " in ");
        say_count(t, records[FROM_CLIENT], "encrypted record");
        text_add(t, ", the server ");
        say_bytes(t, bytes[FROM_SERVER]);
        text_add(t, " in ");
        say_count(t, records[FROM_SERVER], "record");
        text_add(t, ".");
    }
    if (v->closed[FROM_CLIENT] && v->closed[FROM_SERVER] && !v->broke)
        text_add(t, " Both said goodbye properly (close_notify), so nothing was cut off unnoticed.");
    else if ((v->closed[FROM_CLIENT] || v->closed[FROM_SERVER]) && !v->broke)
        text_add(t, " The %s said goodbye (close_notify), so nothing that it sent was cut off unnoticed.", direction_name(v->closed[FROM_CLIENT] ? FROM_CLIENT : FROM_SERVER));
}

void say_step(struct text *t, const struct view *v, int step)
{
    if (v->broke && step > v->broke) {
        text_add(t, "Not reached.");
        return;
    }
    switch (step) {
    case STEP_HELLO: say_hello(t, v); break;
    case STEP_ANSWER: say_answer(t, v); break;
    case STEP_CERTIFICATE: say_certificate(t, v); break;
    case STEP_KEYS: say_keys(t, v); break;
    default: say_data(t, v); break;
    }
}

const char *step_trouble(const struct view *v, int step)
{
    if (!v->broke)
        return NULL;
    if (step > v->broke)
        return step == STEP_KEYS && v->s->keys.n ? "not finished" : "not reached";
    return step == v->broke ? "it broke here" : NULL;
}

void say_title(struct text *t, const struct view *v)
{
    if (v->broke)
        text_add(t, "%s: %s", v->peer, v->s->failure.text);
    else
        text_add(t, "%s", v->peer);
}

void say_summary(struct text *t, const struct view *v)
{
    if (v->s->failure.reason) {
        if (v->s->failure.from_peer)
            text_add(t, "refused: ");
        text_add(t, "%s", v->s->failure.text);
        return;
    }
    if (v->lone) {
        const struct tree *first = &v->trees[0];
        text_add(t, "%s%s", first->type, v->n > 1 ? " and more, " : ", ");
        say_bytes(t, first->raw.n);
        return;
    }
    text_add(t, "%s%s handshake%s", v->external ? "Pre-shared key, " : v->resumed ? "Resumed " : "", the_version(v), v->hello_retry ? " after a retry" : "");
    if (v->round_trips) {
        text_add(t, " in ");
        say_count(t, v->round_trips, "round trip");
    }
}

void say_label(struct text *t, const struct tree *tree, uint32_t node)
{
    const struct node *d = &tree->nodes[node];
    uint32_t first = node + 1, second = first < d->end ? tree->nodes[first].end : d->end;
    if (is(d->saw.name, "extension") && second < d->end && is(tree->nodes[second].saw.name, "extension_data")) {
        uint16_t type = (uint16_t)tree->nodes[first].saw.value;
        text_add(t, "%s 0x%04x", is_grease(type) ? "GREASE" : "extension", type);
    } else if (is(d->saw.name, "extension") && second < d->end) {
        text_add(t, "%s", tree->nodes[second].saw.name);
    } else if (is(d->saw.name, "Extension") && first < d->end && is(tree->nodes[first].saw.name, "extnID")) {
        oid_show(t, tree_content(tree, first));
    } else {
        text_add(t, "%s", d->saw.name);
    }
}

const struct prose *say_why(const struct tree *tree, uint32_t node)
{
    const struct node *d = &tree->nodes[node];
    const char *above = tree_parent_name(tree, node);
    if (is(d->saw.name, "extension") && is(above, "extensions") && node + 2 < d->end) {
        const struct prose *inside = prose_of("extension", tree->nodes[node + 2].saw.name);
        return inside ? inside : prose_of(above, d->saw.name);
    }
    if (is(above, "extension") && !is(d->saw.name, "extension_type"))
        return NULL;
    return prose_of(above, d->saw.name);
}

bool step_is_empty(const struct view *v, int step)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->step[i] == step)
            return false;
    return v->lone;
}
