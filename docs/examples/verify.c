/* Judges a certificate without TLS: verify ROOTS.pem HOST LEAF.der [INTERMEDIATE.der...]; prints every check that was made. */
#include <stdio.h>
#include <stdlib.h>

#include <troth/verify.h>

static troth_span whole_file(const char *path)
{
    static const size_t most = 1 << 16;
    uint8_t *p = malloc(most);
    FILE *f = fopen(path, "rb");
    size_t n = f && p ? fread(p, 1, most, f) : 0;
    if (f)
        fclose(f);
    return (troth_span){ p, n };
}

int main(int argc, char **argv)
{
    static const char *const word[] = { "pass", "warn", "skip", "FAIL" };
    troth_span certs[8];
    size_t n = 0;
    if (argc < 4)
        return fprintf(stderr, "usage: verify ROOTS.pem HOST LEAF.der [INTERMEDIATE.der...]\n"), 2;
    for (int i = 3; i < argc && n < 8; i++)
        certs[n++] = whole_file(argv[i]);

    troth_error err;
    troth_policy_builder *b = troth_policy_new(troth_libcrypto());
    troth_policy_trust_file(b, argv[1]);
    troth_policy_host(b, argv[2]);
    troth_policy *policy = troth_policy_build(b, &err);
    if (!policy)
        return fprintf(stderr, "%s: %s\n", err.text, err.detail), 2;

    troth_report *report = troth_verify(policy, certs, n);
    for (size_t path = 0; path < troth_report_paths(report); path++)
        for (size_t i = 0; i < troth_report_path(report, path).n_checks; i++) {
            troth_path_check check = troth_report_check(report, path, i);
            printf("%s  %-20s %s\n", word[check.verdict], check.name, troth_report_cert(report, path, check.cert).title);
        }
    bool ok = troth_report_ok(report);
    if (!ok)
        printf("%s\n%s\n", troth_report_error(report)->text, troth_report_error(report)->hint);
    troth_report_free(report);
    troth_policy_free(policy);
    for (size_t i = 0; i < n; i++)
        free((void *)certs[i].p);
    return !ok;
}
