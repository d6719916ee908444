/* speak.c - the options that decide what is spoken and need nothing but their text: a recording has them word for word, and its replay
 * reads them here again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/digits.h"
#include "setup/setup.h"

enum { LIST_MAX = 64, TEXT_MOST = 2048, TICKETS_MOST = 16, TICKET_SECONDS = 86400, OID_MOST = 64, VALUES_MOST = 512 };

/* ---- versions, and lists of registered names */

static bool version_of(const struct args *a, enum opt o, uint16_t otherwise, uint16_t *out)
{
    const char *v = args_value(a, o, NULL);
    *out = otherwise;
    if (!v)
        return true;
    if (!strcmp(v, "1.3") || !strcasecmp(v, "tls1.3"))
        *out = TROTH_TLS13;
    else if (!strcmp(v, "1.2") || !strcasecmp(v, "tls1.2"))
        *out = TROTH_TLS12;
    else {
        complain(a, EXIT_USAGE, "--%s: `%s' is no version troth speaks; write 1.2 or 1.3", opt_name(o), v);
        return false;
    }
    return true;
}

static bool set_versions(const struct args *a, troth_builder *b)
{
    uint16_t least, most;
    if (!version_of(a, OPT_MIN, TROTH_TLS12, &least) || !version_of(a, OPT_MAX, TROTH_TLS13, &most))
        return false;
    if (least > most)
        return complain(a, EXIT_USAGE, "--min is above --max"), false;
    if (args_has(a, OPT_MIN) || args_has(a, OPT_MAX))
        troth_versions(b, least, most);
    return true;
}

/* The value of a list, to be taken apart. */
static bool copy_list(const struct args *a, enum opt o, char list[TEXT_MOST])
{
    int n = snprintf(list, TEXT_MOST, "%s", a->value[o]);
    return n < TEXT_MOST || complain(a, EXIT_USAGE, "--%s: the list is longer than %d characters", opt_name(o), TEXT_MOST - 1) == EXIT_OK;
}

/* "0x001d" -> 0x001d; 0: it is none. */
static uint16_t in_hex(const char *word)
{
    char *end;
    unsigned long id = !strncmp(word, "0x", 2) ? strtoul(word, &end, 16) : 0;
    return id && !*end && id <= UINT16_MAX ? (uint16_t)id : 0;
}

/* "x25519,secp256r1" -> numbers, by registered name or as 0x001d. */
static bool numbers_of(const struct args *a, enum opt o, uint16_t (*by_name)(const char *), const char *(*name)(uint16_t), uint16_t *out, size_t *n)
{
    char list[TEXT_MOST];
    *n = 0;
    if (!copy_list(a, o, list))
        return false;
    for (char *save, *word = strtok_r(list, ",: ", &save); word; word = strtok_r(NULL, ",: ", &save)) {
        uint16_t id = by_name(word);
        if (!id)
            id = in_hex(word);
        if (!id || *n == LIST_MAX) {
            const char *guess = id ? NULL : word_nearest(word, name, UINT16_MAX);
            complain(a, EXIT_USAGE, "--%s: %s`%s'%s%s%s%s", opt_name(o), id ? "too many names, from " : "", word, id ? " on" : " is not a registered name",
                     guess ? "; did you mean `" : "", guess ? guess : "", guess ? "'?" : "");
            return false;
        }
        out[(*n)++] = id;
    }
    return true;
}

static const struct {
    enum opt opt;
    uint16_t (*by_name)(const char *);
    const char *(*name)(uint16_t);
    void     (*set)(troth_builder *, const uint16_t *, size_t);
} lists[] = {
    { OPT_GROUPS, troth_group_by_name, troth_group_name, troth_groups },
    { OPT_SUITES, troth_suite_by_name, troth_suite_name, troth_suites },
    { OPT_SIGS, troth_scheme_by_name, troth_scheme_name, troth_verify_schemes },
    { OPT_CERT_SIGS, troth_scheme_by_name, troth_scheme_name, troth_cert_schemes },
    { OPT_SHARES, troth_group_by_name, troth_group_name, troth_key_shares },
};

static bool set_lists(const struct args *a, troth_builder *b)
{
    uint16_t ids[LIST_MAX];
    size_t n;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (!args_has(a, lists[i].opt))
            continue;
        if (lists[i].opt == OPT_SHARES && !strcmp(a->value[OPT_SHARES], "none"))
            n = 0;
        else if (!numbers_of(a, lists[i].opt, lists[i].by_name, lists[i].name, ids, &n))
            return false;
        else if (!n)
            return complain(a, EXIT_USAGE, "--%s: the list is empty", opt_name(lists[i].opt)), false;
        lists[i].set(b, ids, n);
    }
    return true;
}

static bool set_alpn(const struct args *a, troth_builder *b)
{
    char list[TEXT_MOST];
    const char *names[LIST_MAX];
    size_t n = 0;
    bool http1 = a->verb == VERB_SERVE || a->verb == VERB_GET; /* which would be taken at their word, and say something else */
    if (!args_has(a, OPT_ALPN))
        return true;
    if (!copy_list(a, OPT_ALPN, list))
        return false;
    for (char *save, *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        if (n == LIST_MAX || strlen(word) > 255)
            return complain(a, EXIT_USAGE, "--alpn: too many or too long protocol names"), false;
        if (http1 && strncmp(word, "http/1.", 7) != 0)
            return complain(a, EXIT_USAGE, "--alpn: `%s' is not spoken here, http/1.1 alone is", word), false;
        names[n++] = word;
    }
    if (!n)
        return complain(a, EXIT_USAGE, "--alpn: the list is empty; write e.g. h2,http/1.1"), false;
    troth_alpn(b, names, n);
    return true;
}

/* ---- compression */

static bool set_compression(const struct args *a, troth_builder *b)
{
    static const char *const names[] = { "zlib", "brotli", "zstd" }; /* 1, 2, 3 (RFC 8879 7.3) */
    char list[TEXT_MOST];
    troth_compressor built_in[3] = { { 0 } };
    size_t n = 0;
    if (args_has(a, OPT_COMPRESS))
        troth_compressors(b, NULL, 0);
    if (!args_has(a, OPT_COMPRESS_WITH))
        return true;
    if (!copy_list(a, OPT_COMPRESS_WITH, list))
        return false;
    for (char *save, *word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        uint16_t id = 0;
        while (id < 3 && strcmp(names[id], word) != 0)
            id++;
        if (id == 3 || n == 3)
            return complain(a, EXIT_USAGE, "--compress: `%s' is none of zlib, brotli, zstd", word), false;
        built_in[n++].id = (uint16_t)(id + 1);
    }
    if (!n)
        return complain(a, EXIT_USAGE, "--compress: the list is empty; write e.g. brotli,zlib"), false;
    troth_compressors(b, built_in, n);
    return true;
}

/* ---- records, sessions */

static bool set_records(const struct args *a, troth_builder *b)
{
    long limit, fragment, pad = 0;
    bool full = !strcmp(args_value(a, OPT_PAD, ""), "full");
    if (!args_number(a, OPT_RECORD_LIMIT, 64, 16385, 0, &limit) || !args_number(a, OPT_FRAGMENT, 1, 16384, 0, &fragment) ||
        (!full && !args_number(a, OPT_PAD, 2, 16384, 0, &pad)))
        return false;
    if (limit)
        troth_record_size_limit(b, (uint16_t)limit);
    if (fragment)
        troth_max_fragment(b, (uint16_t)fragment);
    if (full || pad)
        troth_pad(b, full ? TROTH_PAD_FULL : TROTH_PAD_BLOCK, (uint16_t)pad);
    return true;
}

static bool set_sessions(const struct args *a, troth_builder *b)
{
    long tickets, early;
    if (!args_number(a, OPT_TICKETS, 0, TICKETS_MOST, 2, &tickets) || !args_number(a, OPT_EARLY_MAX, 0, 1 << 20, 0, &early))
        return false;
    if (args_has(a, OPT_TICKETS))
        troth_tickets(b, (unsigned)tickets, TICKET_SECONDS);
    if (early)
        troth_early_data(b, (uint32_t)early);
    return true;
}

/* ---- what client certificates must have */

/* "2.5.29.37" -> the content of an OBJECT IDENTIFIER; 0: it is none. */
static size_t oid_of(const char *text, uint8_t out[OID_MOST])
{
    size_t n = 0, arcs = 0;
    unsigned long first = 0;
    for (const char *p = text; *p; arcs++) {
        char *end;
        unsigned long arc = *p >= '0' && *p <= '9' ? strtoul(p, &end, 10) : UINT32_MAX;
        if (arc >= UINT32_MAX / 2 || (*end && (*end != '.' || !end[1])) || (!arcs && arc > 2) || (arcs == 1 && first < 2 && arc > 39) || n + 5 > OID_MOST)
            return 0;
        p = *end ? end + 1 : end;
        if (!arcs) {
            first = arc;
            continue;
        }
        arc += arcs == 1 ? 40 * first : 0;
        int shift = 28;
        while (shift && !(arc >> shift))
            shift -= 7;
        for (; shift >= 0; shift -= 7)
            out[n++] = (uint8_t)((arc >> shift & 127) | (shift ? 128 : 0));
    }
    return arcs > 1 ? n : 0;
}

/* OID, keyUsage or extKeyUsage; behind `=' the value that it must have at least: DER in hexadecimal. */
static bool set_filter(const struct args *a, troth_builder *b, char *filter)
{
    uint8_t oid[OID_MOST], values[VALUES_MOST];
    char *hex = strchr(filter, '=');
    size_t digits = hex ? strlen(hex + 1) : 0;
    if (hex)
        *hex++ = 0;
    size_t n = oid_of(!strcmp(filter, "keyUsage") ? "2.5.29.15" : !strcmp(filter, "extKeyUsage") ? "2.5.29.37" : filter, oid);
    if (!n || digits % 2 || digits / 2 > sizeof values || !hex_bytes(values, hex, digits / 2))
        return complain(a, EXIT_USAGE, "--oid-filter: `%s%s%s' is not OID[=DER in hexadecimal], as in extKeyUsage=300a06082b06010505070302", filter,
                        hex ? "=" : "", hex ? hex : ""), false;
    troth_oid_filter(b, (troth_span){ oid, n }, (troth_span){ values, digits / 2 });
    return true;
}

static bool set_filters(const struct args *a, troth_builder *b)
{
    char list[TEXT_MOST];
    if (!args_has(a, OPT_OID_FILTER))
        return true;
    if (!copy_list(a, OPT_OID_FILTER, list))
        return false;
    for (char *save, *one = strtok_r(list, ",", &save); one; one = strtok_r(NULL, ",", &save))
        if (!set_filter(a, b, one))
            return false;
    return true;
}

/* ---- what is on or off */

static void no_grease(troth_builder *b)
{
    troth_grease(b, false);
}

static const struct {
    enum opt opt;
    void     (*set)(troth_builder *);
} flags[] = {
    { OPT_NO_GREASE, no_grease },
    { OPT_NO_TICKETS, troth_no_tickets },
    { OPT_FALLBACK, troth_fallback_scsv },
    { OPT_LATE_AUTH, troth_post_handshake_auth },
    { OPT_ECH_REQUIRED, troth_ech_required },
    { OPT_TAKE_DELEGATED, troth_accept_delegated },
    { OPT_STRICT_SNI, troth_strict_sni },
    { OPT_ALPN_OPTIONAL, troth_alpn_optional },
    { OPT_ALWAYS_RETRY, troth_retry_cookie },
    { OPT_ALWAYS_RETRY, troth_always_retry },
};

static void set_flags(const struct args *a, troth_builder *b)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (args_has(a, flags[i].opt))
            flags[i].set(b);
}

bool setup_speak(const struct args *a, troth_builder *b, bool server)
{
    if (!server && args_has(a, OPT_EARLY))
        troth_early_data(b, 1);
    set_flags(a, b);
    return set_versions(a, b) && set_lists(a, b) && set_alpn(a, b) && set_compression(a, b) && set_records(a, b) && set_filters(a, b) &&
           (!server || set_sessions(a, b));
}
