/* prog_fuzz_seeds.c - writes the corpus as seeds for the fuzz targets of wire/: bin/wire_fuzz_seeds DIRECTORY
 *
 * Run by hand when a message is added; the small ones are kept in tests/fuzz/corpus. */
#include <stdio.h>
#include <sys/stat.h>

#include "support/test.h"
#include "wire/corpus.h"

static const struct { const char *target, *kinds[9]; } targets[] = {
    { "client_hello", { "client_hello" } },
    { "server_hello", { "server_hello", "server_hello12", "hello_retry_request", "encrypted_extensions", "certificate_request",
                        "new_session_ticket" } },
    { "certificate", { "certificate", "certificate12", "raw_public_key12", "compressed_certificate", "certificate_verify",
                       "certificate_status" } },
    { "tls12", { "server_key_exchange12", "client_key_exchange12", "certificate_request12", "new_session_ticket12", "finished",
                 "finished12", "key_update", "server_hello_done", "alert" } },
    { "ech", { "ech_config_list" } },
};

static void write_seed(const char *dir, const char *target, const char *name, const uint8_t *head, size_t head_n, span rest)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%.*s", dir, target, (int)strcspn(name, "."), name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(head, 1, head_n, f) != head_n || fwrite(rest.p, 1, rest.n, f) != rest.n || fclose(f)) {
        perror(path);
        exit(1);
    }
}

/* The extensions of a hello, as the target for blocks wants them. */
static void write_block(const char *dir, const struct specimen *s)
{
    struct rd_ctx ctx;
    span whole = span_of(s->p, s->n);
    rd_ctx_init(&ctx, whole, NULL);
    struct rd r = rd_init(&ctx, whole);
    uint8_t type, head[12] = { 0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 };
    struct rd body = message_open(&r, &type);
    struct client_hello ch;
    if (client_hello_read(&ch, &body) && ch.exts.n_seen) {
        const uint8_t *from = ch.exts.seen[0].body.p - 6;
        write_seed(dir, "exts", s->name, head, sizeof head, span_of(from, (size_t)(s->p + s->n - from)));
    }
}

/* The made hello as outer, with an inner one that refers to it. */
static void write_pair(const char *dir)
{
    static uint8_t bytes[32768];
    struct client_hello outer, inner;
    build_client_hello(&outer);
    inner = outer;
    inner.exts.ech = (struct ech_client_hello){ .type = ECH_TYPE_inner };
    struct ext_set shared = { { 0, 0 } };
    ext_set_add(&shared, X_SUPPORTED_GROUPS);
    ext_set_add(&shared, X_KEY_SHARE);
    struct wr w = wr_into(bytes, sizeof bytes);
    wr_u8(&w, 1);
    size_t mark = wr_open(&w, 2);
    client_hello_write(&w, &outer);
    wr_close(&w, mark, 2);
    ech_inner_encode(&w, &inner, &shared, 9);
    write_seed(dir, "ech", "inner-made", bytes, 1, span_of(bytes + 1, w.n - 1));
}

int main(int argc, char **argv)
{
    static struct specimen corpus[SPECIMENS_MAX];
    if (argc != 2)
        return 2;
    size_t n = corpus_load(corpus);
    for (size_t i = 0; i < n; i++) {
        const struct specimen *s = &corpus[i];
        size_t header = s->kind->msg_type < 0 ? 0 : 4;
        for (size_t t = 0; t < COUNT_OF(targets); t++)
            for (uint8_t k = 0; k < 9 && targets[t].kinds[k]; k++)
                if (!strcmp(targets[t].kinds[k], s->kind->name)) {
                    uint8_t head = t == 4 ? 0 : k;
                    write_seed(argv[1], targets[t].target, s->name, &head, 1, span_of(s->p + header, s->n - header));
                }
        if (s->kind->msg_type == HS_client_hello)
            write_block(argv[1], s);
    }
    write_pair(argv[1]);
    corpus_free(corpus, n);
    return 0;
}
