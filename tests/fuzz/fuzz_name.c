/* Hosts, patterns, addresses and mailboxes from text: line 1 against line 2, for what must hold whatever they
 * are. */
#include <stdlib.h>

#include "x509/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nl = size ? memchr(data, '\n', size) : NULL;
    if (!nl)
        return 0;
    span a = span_of(data, (size_t)(nl - data)), b = span_of(nl + 1, size - a.n - 1), local, host;
    bool match = dns_matches(a, b);
    if (match && (!dns_pattern_ok(a) || (!dns_is_wildcard(a) && !dns_equal(a, b))))
        abort();
    if (match && dns_is_wildcard(a) && dns_ok(b) && !memchr(b.p, '.', b.n))
        abort();
    if (dns_equal(a, b) != dns_equal(b, a) || mailbox_equal(a, b) != mailbox_equal(b, a))
        abort();
    if (mailbox_split(a, &local, &host) && (local.n + 1 + host.n != a.n || !dns_ok(host)))
        abort();
    uint8_t ip[16], back[16];
    size_t n = ip_read(ip, a);
    char in[64];
    struct text t = TEXT_IN(in);
    if (n) {
        ip_text(&t, (span){ ip, n });
        if (ip_read(back, span_of(t.p, t.n)) != n || memcmp(ip, back, n))
            abort();
    }
    return 0;
}
